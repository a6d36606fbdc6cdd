package balance_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// shop is a site with Pat and Kim as admins and Sam as a mechanic.
type shop struct {
	d        *db.DB
	id       id.Site
	pat, kim id.User
	sam      id.User
}

var brisbane = must(site.Zone("Australia/Brisbane"))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// aShop makes a site with its people, and a twin with people of the same names and its
// own balance.
func aShop(t testing.TB, d *db.DB, parts int) shop {
	t.Helper()
	newShop(t, d, 77)
	return newShop(t, d, parts)
}

func newShop(t testing.TB, d *db.DB, parts int) shop {
	t.Helper()
	s := shop{d: d}
	do(t, d, func(ctx context.Context, tx *db.Tx) error {
		unique := string(id.New[id.Site]())
		at, err := site.Add(ctx, tx, site.Site{Ref: "S" + unique, Name: "Bayside Auto", Region: "AU", Zone: brisbane, SMSAvailable: parts})
		if err != nil {
			return err
		}
		s.id = at.ID
		for name, is := range map[string]*id.User{"pat": &s.pat, "kim": &s.kim, "sam": &s.sam} {
			u, err := user.Add(ctx, tx, user.User{Login: address.Canonical(name + unique + "@bayside.example"), FirstName: strings.ToUpper(name)})
			if err != nil {
				return err
			}
			*is = u.ID
			m := site.Membership{Site: at.ID, User: u.ID, UserRef: name, Group: policy.GroupAdmin, Kind: policy.Office, Status: policy.Active}
			if name == "sam" {
				m.Group = policy.GroupMechanic
			}
			if err := site.Join(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

func do(t testing.TB, d *db.DB, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := d.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// moving runs one of the functions that answer whether they moved anything.
func (s shop) moving(t testing.TB, fn func(ctx context.Context, tx *db.Tx) (bool, error)) (moved bool) {
	t.Helper()
	do(t, s.d, func(ctx context.Context, tx *db.Tx) (err error) {
		moved, err = fn(ctx, tx)
		return err
	})
	return moved
}

// reserve holds parts for a new message to Sam.
func (s shop) reserve(t testing.TB, parts int) (id.Hold, bool) {
	t.Helper()
	return s.reserveFor(t, balance.Ask{User: s.sam, Parts: parts})
}

// holds is reserve where there must be enough.
func (s shop) holds(t testing.TB, parts int) id.Hold {
	t.Helper()
	hold, ok := s.reserve(t, parts)
	if !ok {
		t.Fatalf("%d parts could not be held", parts)
	}
	return hold
}

func (s shop) reserveFor(t testing.TB, a balance.Ask) (hold id.Hold, ok bool) {
	t.Helper()
	a.Site = s.id
	if a.Message == "" {
		a.Message = id.New[id.Message]()
	}
	do(t, s.d, func(ctx context.Context, tx *db.Tx) (err error) {
		hold, ok, err = balance.Reserve(ctx, tx, a)
		return err
	})
	return hold, ok
}

func (s shop) charge(t testing.TB, hold id.Hold, parts int) bool {
	t.Helper()
	return s.moving(t, func(ctx context.Context, tx *db.Tx) (bool, error) { return balance.Charge(ctx, tx, s.id, hold, parts) })
}

func (s shop) release(t testing.TB, hold id.Hold) bool {
	t.Helper()
	return s.moving(t, func(ctx context.Context, tx *db.Tx) (bool, error) { return balance.Release(ctx, tx, s.id, hold) })
}

func (s shop) refund(t testing.TB, hold id.Hold) bool {
	t.Helper()
	return s.moving(t, func(ctx context.Context, tx *db.Tx) (bool, error) { return balance.Refund(ctx, tx, s.id, hold) })
}

func (s shop) order(parts int, reference string) balance.TopUpOrder {
	return balance.TopUpOrder{
		Site: s.id, Parts: parts, Reference: reference,
		By: audit.Actor{Kind: audit.ActorStaff, ID: "tom"}, ByName: "Tom Byrne",
	}
}

func (s shop) topUp(t testing.TB, parts int, reference string) bool {
	t.Helper()
	return s.moving(t, func(ctx context.Context, tx *db.Tx) (bool, error) {
		return balance.TopUp(ctx, tx, s.order(parts, reference))
	})
}

func (s shop) settleDue(t testing.TB, limit int) (n int) {
	t.Helper()
	do(t, s.d, func(ctx context.Context, tx *db.Tx) (err error) {
		n, err = balance.SettleDue(ctx, tx, limit)
		return err
	})
	return n
}

func (s shop) account(t testing.TB) balance.Account {
	t.Helper()
	a, err := balance.Of(t.Context(), s.d, s.d.Clock.Now(), s.id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stands checks the account, and the laws.
func (s shop) stands(t testing.TB, available, held int) {
	t.Helper()
	if a := s.account(t); a.Available != available || a.Held != held {
		t.Errorf("%d available and %d held, not %d and %d", a.Available, a.Held, available, held)
	}
	s.audited(t)
}

func (s shop) audited(t testing.TB) {
	t.Helper()
	if err := balance.Audit(t.Context(), s.d, s.id); err != nil {
		t.Error(err)
	}
}

func (s shop) statement(t testing.TB) []balance.Entry {
	t.Helper()
	all, err := balance.Statement(t.Context(), s.d, s.id, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (s shop) events(t testing.TB, kind audit.Kind) []audit.Entry {
	t.Helper()
	all, err := audit.List(t.Context(), s.d, audit.Filter{Site: s.id, Kind: kind}, 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const day = 24 * time.Hour
