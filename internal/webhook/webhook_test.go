package webhook_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/webhook"
)

func TestAReceiverIsToldInTheWayOfStandardWebhooks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := newReceiver(t)
		e, key := w.endpoint(t, r, webhook.Order{})
		w.happens(t, audit.Event{
			Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat,
			Facts: map[string]string{"origin": "admin", "secret": "not for receivers"}, Personal: map[string]string{"to": "pat@bayside.example"},
		})
		w.pump(t)
		c := r.next(t)
		if !c.verified(t, key) {
			t.Errorf("the library does not verify it: %v", c.header)
		}
		b := c.reads(t)
		if b.Type != "help_code.given" || b.Data.User != string(w.pat) || b.Data.By != "command" || b.Data.Details["origin"] != "admin" ||
			len(b.Data.Sites) != 1 || b.Data.Sites[0].Ref != "S1" || b.Data.Sites[0].UserRef != "U-S1-pat@bayside.example" {
			t.Errorf("%s", c.body)
		}
		if got := c.header.Get("webhook-id"); got == "" || got != b.Data.Event {
			t.Errorf("webhook-id %q, event %q", got, b.Data.Event)
		}
		if bytes.Contains(c.body, []byte("not for receivers")) || bytes.Contains(c.body, []byte(`"to"`)) {
			t.Errorf("more is told than is meant: %s", c.body)
		}
		// A byte more, another key: refused.
		other := c
		other.body = append(bytes.Clone(c.body), ' ')
		if other.verified(t, key) {
			t.Error("the signature does not cover the body")
		}
		if c.verified(t, "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32))) {
			t.Error("another key verifies it")
		}
		one := w.settles(t, e.ID, webhook.Done)
		if one.Attempts != 1 || one.Status != http.StatusNoContent || one.Why != "" {
			t.Errorf("%+v", one)
		}
	})
}

func TestAnEndpointIsToldOfItsOwnSitesAndTypesAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		mine, twins, few := newReceiver(t), newReceiver(t), newReceiver(t)
		a, _ := w.endpoint(t, mine, webhook.Order{Name: "mine", Sites: []id.Site{w.site.ID}})
		b, _ := w.endpoint(t, twins, webhook.Order{Name: "the twin's", Sites: []id.Site{w.twin.ID}})
		f, _ := w.endpoint(t, few, webhook.Order{Name: "few", Types: []webhook.Type{webhook.SMSLow}})

		w.happens(t, audit.Event{Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat})
		w.pump(t)
		mine.next(t)
		w.settles(t, a.ID, webhook.Done)
		// Of a person of both sites each is told, and names no other.
		w.happens(t, audit.Event{Kind: audit.MethodAdded, User: w.books, Facts: map[string]string{"kind": "totp"}})
		w.pump(t)
		for r, ref := range map[*receiver]string{mine: "S1", twins: "S2"} {
			got := r.next(t)
			if all := got.reads(t).Data.Sites; len(all) != 1 || all[0].Ref != ref {
				t.Errorf("%s is told of %s", ref, got.body)
			}
		}
		// What is about the whole house is not about a site.
		w.happens(t, audit.Event{Kind: audit.RolloutPaused, Facts: map[string]string{"rollout": "r"}})
		w.happens(t, audit.Event{Kind: audit.SMSRanLow, Site: w.twin.ID, Facts: map[string]string{"available": "3"}})
		w.pump(t)
		if got := few.next(t).reads(t); got.Type != "sms.balance_low" || got.Data.Details["available"] != "3" {
			t.Errorf("%+v", got)
		}
		if got := twins.next(t).reads(t); got.Type != "sms.balance_low" {
			t.Errorf("%+v", got)
		}
		for which, want := range map[id.Webhook]int{a.ID: 2, b.ID: 2, f.ID: 1} {
			if all := w.log(t, which); len(all) != want {
				t.Errorf("%d deliveries instead of %d: %+v", len(all), want, all)
			}
		}
		mine.quiet(t)
		few.quiet(t)
	})
}

func TestWhatWasRolledBackIsNotToldAndWhatWasNotIsToldOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := newReceiver(t)
		e, _ := w.endpoint(t, r, webhook.Order{})
		gone := errors.New("it did not work out")
		err := w.db.Do(t.Context(), func(tx *db.Tx) error {
			if err := audit.Record(t.Context(), tx, audit.Event{Kind: audit.HelpCodeGiven, Actor: command, Site: w.site.ID, User: w.pat}); err != nil {
				return err
			}
			return gone
		})
		if !errors.Is(err, gone) {
			t.Fatal(err)
		}
		const events = 60 // more than one turn takes
		for range events {
			w.happens(t, audit.Event{Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat})
		}
		// Three nodes look at once, again and again.
		other, third := w.node(t, "node:other;"), w.node(t, "node:third;")
		seen := map[string]int{}
		for len(seen) < events {
			ended := make(chan error, 3)
			for _, desk := range []*webhook.Desk{w.desk, other, third} {
				go func() { ended <- desk.Pump(t.Context()) }()
			}
			for range 3 {
				if err := <-ended; err != nil {
					t.Fatal(err)
				}
			}
			seen[r.next(t).header.Get("webhook-id")]++
			for len(r.calls) > 0 {
				seen[r.next(t).header.Get("webhook-id")]++
			}
		}
		for which, n := range seen {
			if n != 1 {
				t.Errorf("%s came %d times", which, n)
			}
		}
		if all := w.log(t, e.ID); len(all) != events {
			t.Errorf("%d deliveries", len(all))
		}
	})
}

func TestARotatedSecretSignsBesideTheOneBeforeForADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := newReceiver(t)
		e, first := w.endpoint(t, r, webhook.Order{})
		var second string
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			text, err := w.desk.Rotate(ctx, tx, command, e.ID)
			second = text.Reveal()
			return err
		})
		told := func() call {
			w.happens(t, audit.Event{Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat})
			w.pump(t)
			return r.next(t)
		}
		if c := told(); !c.verified(t, first) || !c.verified(t, second) || first == second {
			t.Errorf("not both: %v", c.header)
		}
		w.settles(t, e.ID, webhook.Done)
		w.db.Clock.Advance(24*time.Hour + time.Second)
		if c := told(); c.verified(t, first) || !c.verified(t, second) {
			t.Errorf("after a day: %v", c.header)
		}
	})
}

func TestAFailureIsTriedAgainUnderTheSameIDUntilItIsTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := newReceiver(t)
		e, key := w.endpoint(t, r, webhook.Order{})
		r.status.Store(http.StatusServiceUnavailable)
		w.happens(t, audit.Event{Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat})
		w.pump(t)
		before := r.next(t)
		one := w.settles(t, e.ID, webhook.Waiting)
		if wait := one.DueAt.Sub(one.TriedAt); one.Status != http.StatusServiceUnavailable || wait < 4*time.Second || wait > 6*time.Second {
			t.Errorf("%+v, tried again after %s", one, wait)
		}
		// Not before its time.
		w.pump(t)
		r.quiet(t)
		r.after.Store("1800")
		w.db.Clock.Advance(7 * time.Second)
		w.pump(t)
		again := r.next(t)
		if again.header.Get("webhook-id") != before.header.Get("webhook-id") || !bytes.Equal(again.body, before.body) || !again.verified(t, key) {
			t.Error("the second attempt is another message")
		}
		for w.log(t, e.ID)[0].Attempts < 2 {
			<-time.After(5 * time.Millisecond)
		}
		// What the receiver asks for counts.
		if one = w.settles(t, e.ID, webhook.Waiting); one.DueAt.Sub(one.TriedAt) < 30*time.Minute {
			t.Errorf("Retry-After is not heard: %s", one.DueAt.Sub(one.TriedAt))
		}
		r.status.Store(http.StatusOK)
		w.db.Clock.Advance(time.Hour)
		w.pump(t)
		r.next(t)
		if one = w.settles(t, e.ID, webhook.Done); one.Attempts != 3 {
			t.Errorf("%+v", one)
		}
		if got := w.read(t, e.ID); !got.FailingSince.IsZero() || !got.On() {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhoSaysGoneIsSwitchedOffAndWhatComesIsHeldUntilAReplay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := newReceiver(t)
		e, _ := w.endpoint(t, r, webhook.Order{Sites: []id.Site{w.site.ID}})
		r.status.Store(http.StatusGone)
		w.happens(t, audit.Event{Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat})
		w.pump(t)
		r.next(t)
		w.settles(t, e.ID, webhook.Held)
		if got := w.read(t, e.ID); got.On() || got.OffWhy != webhook.IsGone {
			t.Errorf("%+v", got)
		}
		if n := w.events(t, w.site.ID, audit.WebhookOff); n != 1 {
			t.Errorf("%d events of the switching off", n)
		}
		w.happens(t, audit.Event{Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat})
		w.pump(t)
		r.quiet(t)
		r.status.Store(http.StatusOK)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return w.desk.Switch(ctx, tx, command, e.ID, true)
		})
		w.pump(t)
		r.quiet(t) // what was held waits to be asked for
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			n, err := w.desk.Replay(ctx, tx, command, e.ID, "", tx.Now.Add(-time.Hour))
			if n != 2 {
				t.Errorf("%d are replayed", n)
			}
			return err
		})
		w.pump(t)
		if one, two := r.next(t).header.Get("webhook-id"), r.next(t).header.Get("webhook-id"); one == two {
			t.Error("one came twice")
		}
	})
}

func TestAnEndpointThatFailsForThreeDaysIsSwitchedOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := newReceiver(t)
		e, _ := w.endpoint(t, r, webhook.Order{})
		r.status.Store(http.StatusInternalServerError)
		w.happens(t, audit.Event{Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat})
		for n := 1; n <= 10 && w.read(t, e.ID).On(); n++ {
			w.pump(t)
			r.next(t)
			for deadline := time.Now().Add(20 * time.Second); w.log(t, e.ID)[0].Attempts < n; <-time.After(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%+v", w.log(t, e.ID))
				}
			}
			w.db.Clock.Advance(27 * time.Hour)
		}
		if got := w.read(t, e.ID); got.On() || got.OffWhy != webhook.IsFailing {
			t.Errorf("%+v", got)
		}
	})
}

func TestADeliveryWhoseSenderDiedIsSentByAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := newReceiver(t)
		e, _ := w.endpoint(t, r, webhook.Order{})
		w.happens(t, audit.Event{Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat})
		w.pump(t)
		r.next(t)
		one := w.settles(t, e.ID, webhook.Done)
		// As a node leaves it that was killed between claiming and the answer.
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE webhook_deliveries SET state = 'sending', attempts = 0, due_at = $1 WHERE webhook_id = $2`,
				db.Stamp(tx.Now.Add(time.Minute)), e.ID)
			return err
		})
		w.pump(t)
		r.quiet(t)
		w.db.Clock.Advance(61 * time.Second)
		w.pump(t)
		if got := r.next(t).header.Get("webhook-id"); got != string(one.Event) {
			t.Errorf("%s instead of %s", got, one.Event)
		}
		w.settles(t, e.ID, webhook.Done)
	})
}

func TestSecretsAreSealedAndWipedWhenAnEndpointIsRemoved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := newReceiver(t)
		e, key := w.endpoint(t, r, webhook.Order{})
		plain, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
		if err != nil || len(plain) != 32 {
			t.Fatalf("%d bytes, %v", len(plain), err)
		}
		stored := func() []byte {
			b, err := db.One(t.Context(), w.db, func(r db.Row) (b []byte, err error) { return b, r.Scan(&b) },
				`SELECT secret FROM webhooks WHERE webhook_id = $1`, e.ID)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		if b := stored(); len(b) == 0 || bytes.Contains(b, plain) {
			t.Error("the secret is stored as it is")
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.End(ctx, tx, command, e.ID) })
		if len(stored()) != 0 {
			t.Error("a removed endpoint keeps its secret")
		}
		w.happens(t, audit.Event{Kind: audit.HelpCodeGiven, Site: w.site.ID, User: w.pat})
		w.pump(t)
		r.quiet(t)
		if _, err := webhook.ByID(t.Context(), w.db, e.ID); !errors.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

// events counts entries of a site's trail.
func (w *world) events(t *testing.T, at id.Site, kind audit.Kind) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND kind = $2`, string(at), string(kind))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
