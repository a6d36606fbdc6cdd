package readiness_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// world is two workshops whose people have the same names.
type world struct {
	db         *db.DB
	source     readiness.Source
	site, twin site.Site
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		w := &world{db: d, source: readiness.Source{Standing: standing.Source{SMS: true, Countries: []string{"AU"}}}}
		w.site, w.twin = w.workshop(t, "bayside", "Bayside Auto"), w.workshop(t, "bayview", "Bayview Auto")
		test(t, w)
	})
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) workshop(t *testing.T, ref, name string) (s site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: name, Region: "AU", Zone: time.UTC, SMSAvailable: 50})
		return err
	})
	return s
}

// user adds somebody with the ways that are given.
func (w *world) user(t *testing.T, login, first string, ways ...method.Method) (who user.User) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if who, err = user.Add(ctx, tx, user.User{Login: address.Canonical(login), FirstName: first, LastName: "Lee"}); err != nil {
			return err
		}
		for _, m := range ways {
			m.User = who.ID
			if m.Kind == policy.Email && m.Address == "" {
				m.Address = login
			}
			linked, err := method.Link(ctx, tx, m)
			if err != nil {
				return err
			}
			if m.Health == policy.HealthBounced {
				if err := method.Bounced(ctx, tx, who.ID, linked.ID, "no such mailbox"); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return who
}

func (w *world) join(t *testing.T, at site.Site, who user.User, change func(*site.Membership)) {
	t.Helper()
	m := site.Membership{Site: at.ID, User: who.ID, UserRef: string(who.Login), Group: policy.GroupMechanic, Kind: policy.Office, Status: policy.Active}
	if change != nil {
		change(&m)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return site.Join(ctx, tx, m) })
}

func admin(m *site.Membership)  { m.Group = policy.GroupAdmin }
func mobile(m *site.Membership) { m.Kind = policy.Mobile }

func (w *world) read(t *testing.T, at site.Site) readiness.Site {
	t.Helper()
	one, err := w.source.OfSite(t.Context(), w.db, w.db.Clock.Now(), at.ID)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func person(t *testing.T, s readiness.Site, who user.User) readiness.Person {
	t.Helper()
	i := slices.IndexFunc(s.People, func(p readiness.Person) bool { return p.User == who.ID })
	if i < 0 {
		t.Fatalf("%s is not among the people of %s", who.Login, s.Site.Name)
	}
	return s.People[i]
}
