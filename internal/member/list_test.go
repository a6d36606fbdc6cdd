package member_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/member"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// many is the size of the largest site that is known.
const many = 2000

func TestAListOfTwoThousandIsReadInPagesAndJudgedByThePolicy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const atOnce = 100 // a transaction has its time, and the machine may be busy
		for start := 0; start < many; start += atOnce {
			w.do(t, func(ctx context.Context, tx *db.Tx) error {
				for n := start; n < start+atOnce; n++ {
					if err := w.numbered(ctx, tx, n); err != nil {
						return err
					}
				}
				return nil
			})
		}
		seen, f := map[id.User]bool{}, member.Filter{}
		began := time.Now()
		pages := 0
		for {
			rows, more, err := w.desk.List(t.Context(), w.site.ID, f, 50)
			if err != nil {
				t.Fatal(err)
			}
			pages++
			for _, r := range rows {
				if seen[r.User.ID] || r.Member.Site != w.site.ID {
					t.Fatalf("%s is there twice, or of another site", r.User.Login)
				}
				seen[r.User.ID] = true
			}
			if !more {
				break
			}
			f.After = rows[len(rows)-1].Cursor
		}
		t.Logf("%d members in %d pages, %s a page", len(seen), pages, (time.Since(began) / time.Duration(pages)).Round(time.Millisecond))
		if len(seen) != many+4 {
			t.Errorf("%d members were listed", len(seen))
		}
		began = time.Now()
		rows, more, err := w.desk.List(t.Context(), w.site.ID, member.Filter{Show: member.NeedHelp}, 50)
		if err != nil || more || len(rows) != many/100 {
			t.Errorf("%d need help: %v", len(rows), err)
		}
		t.Logf("who needs help among all: %s", time.Since(began).Round(time.Millisecond))
	})
}

// numbered adds one of many members; every hundredth has a mailbox that takes no mail.
func (w *world) numbered(ctx context.Context, tx *db.Tx, n int) error {
	name := fmt.Sprintf("m%04d@bayside.example", n)
	who, err := user.Add(ctx, tx, user.User{Login: address.Canonical(name), FirstName: fmt.Sprintf("M%04d", n), LastName: "Lee"})
	if err != nil {
		return err
	}
	health := policy.HealthUnknown
	if n%100 == 0 {
		health = policy.HealthBounced
	}
	if _, err := method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: name, Health: health}); err != nil {
		return err
	}
	return site.Join(ctx, tx, site.Membership{
		Site: w.site.ID, User: who.ID, UserRef: name, Group: policy.GroupUser, Kind: policy.Office, Status: policy.Active,
	})
}

func TestTheFactsOfManyAreThoseOfEach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.SMS, "+61491570156")
		w.prove(t, w.bo, policy.TOTP, "")
		who := []user.User{w.pat, w.kim, w.bo}
		now := w.db.Clock.Now()
		all, err := w.desk.Standing.OfAll(t.Context(), w.db, now, w.site.ID, who)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range who {
			one, err := w.desk.Standing.Of(t.Context(), w.db, now, standing.Asker{
				User: w.again(t, u), Sites: []id.Site{w.site.ID}, Client: policy.Client{Kind: policy.ClientWeb},
			})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(one.User, all[u.ID].User) || len(one.Others) != len(all[u.ID].Others) ||
				!reflect.DeepEqual(policy.Decide(one, now), policy.Decide(all[u.ID], now)) {
				t.Errorf("%s: %+v, and by itself %+v", u.Login, all[u.ID], one)
			}
		}
	})
}
