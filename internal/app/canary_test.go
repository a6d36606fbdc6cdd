package app

import (
	"context"
	"errors"
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/delivery"
	"keyturn/internal/id"
	"keyturn/internal/message"
)

// relay is a relay that keeps what it was given and answers as it is told.
type relay struct {
	answer message.Receipt
	err    error
	got    []message.Letter
}

// Send implements message.Mailer.
func (r *relay) Send(_ context.Context, l message.Letter) (message.Receipt, error) {
	r.got = append(r.got, l)
	return r.answer, r.err
}

func TestACanaryGoesThroughEachRelayAndOneThatNoneTookIsForgotten(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		broken := errors.New("no line")
		takes, refuses, fails := &relay{answer: message.Receipt{Accepted: true}}, &relay{}, &relay{err: broken}
		c := Canaries{To: "canary@vendor.example", Relays: map[string]message.Mailer{"one:25": takes, "two:25": refuses, "three:25": fails}}
		if err := c.send(t.Context(), d); !errors.Is(err, broken) {
			t.Errorf("of a relay that fails: %v", err)
		}
		for name, r := range map[string]*relay{"taken": takes, "refused": refuses, "failed": fails} {
			if len(r.got) != 1 || r.got[0].To != "canary@vendor.example" || r.got[0].Key == "" || !r.got[0].Auto {
				t.Fatalf("%s: %+v", name, r.got)
			}
			var there bool
			err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
				there, err = delivery.Seen(t.Context(), tx, id.Canary(r.got[0].Key))
				return err
			})
			if err != nil || there != (r == takes) {
				t.Errorf("%s: that one was waited for is %v: %v", name, there, err)
			}
		}
	})
}
