package balance_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

func TestEveryMovementIsOneEntryThatSaysHowTheAccountStands(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 20)
		first, second := s.holds(t, 2), s.holds(t, 1)
		s.charge(t, first, 2)
		s.release(t, second)
		s.topUp(t, 100, "INV-7")
		s.refund(t, first)
		want := []balance.Entry{
			{No: 7, Kind: balance.Refunded, Parts: 2, AvailableAfter: 120, HeldAfter: 0, Hold: first, User: s.sam},
			{No: 6, Kind: balance.ToppedUp, Parts: 100, AvailableAfter: 118, HeldAfter: 0, User: "tom", ByName: "Tom Byrne", Reference: "INV-7"},
			{No: 5, Kind: balance.Released, Parts: 1, AvailableAfter: 18, HeldAfter: 0, Hold: second, User: s.sam},
			{No: 4, Kind: balance.Charged, Parts: 2, AvailableAfter: 17, HeldAfter: 1, Hold: first, User: s.sam},
			{No: 3, Kind: balance.Held, Parts: 1, AvailableAfter: 17, HeldAfter: 3, Hold: second, User: s.sam},
			{No: 2, Kind: balance.Held, Parts: 2, AvailableAfter: 18, HeldAfter: 2, Hold: first, User: s.sam},
			{No: 1, Kind: balance.Opened, Parts: 20, AvailableAfter: 20, HeldAfter: 0},
		}
		got := s.statement(t)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(balance.Entry{}, "At")); diff != "" {
			t.Error(diff)
		}
		for _, e := range got {
			if e.At.IsZero() {
				t.Errorf("entry %d has no time", e.No)
			}
		}
		s.stands(t, 120, 0)
	})
}

func TestAHoldIsChargedForThePartsThatTheMessageWas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		has, held, parts int
		left, charged    int
		reference        string
	}{
		"as many as held":              {has: 10, held: 2, parts: 2, left: 8, charged: 2},
		"fewer: the rest goes back":    {has: 10, held: 2, parts: 1, left: 9, charged: 1},
		"the provider did not say":     {has: 10, held: 2, parts: 0, left: 8, charged: 2},
		"more, and there are some":     {has: 10, held: 1, parts: 3, left: 7, charged: 3},
		"more than there are":          {has: 2, held: 1, parts: 3, left: 0, charged: 2, reference: "2 of 3 parts"},
		"more, and nothing is left":    {has: 1, held: 1, parts: 3, left: 0, charged: 1, reference: "1 of 3 parts"},
		"more, and exactly that is it": {has: 3, held: 1, parts: 3, left: 0, charged: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := aShop(t, d, c.has)
				hold, ok := s.reserveFor(t, balance.Ask{User: s.pat, Parts: c.held, Admin: true})
				if !ok || !s.charge(t, hold, c.parts) {
					t.Fatal("not held or not charged")
				}
				s.stands(t, c.left, 0)
				if e := s.statement(t)[0]; e.Parts != c.charged || e.Reference != c.reference {
					t.Errorf("the entry says %d parts, %q", e.Parts, e.Reference)
				}
				if !s.refund(t, hold) {
					t.Error("not refunded")
				}
				s.stands(t, c.has, 0)
			})
		})
	}
}

func TestAHoldIsSettledOnceWhateverComesAfter(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 20)
		freed, paid, back := s.holds(t, 1), s.holds(t, 1), s.holds(t, 1)
		open := s.holds(t, 1)
		s.release(t, freed)
		s.charge(t, paid, 1)
		s.charge(t, back, 1)
		s.refund(t, back)
		for name, moved := range map[string]bool{
			"a released one is released":   s.release(t, freed),
			"a released one is charged":    s.charge(t, freed, 1),
			"a released one is refunded":   s.refund(t, freed),
			"a charged one is charged":     s.charge(t, paid, 2),
			"a charged one is released":    s.release(t, paid),
			"a refunded one is refunded":   s.refund(t, back),
			"a refunded one is charged":    s.charge(t, back, 1),
			"a refunded one is released":   s.release(t, back),
			"one that is held is refunded": s.refund(t, open),
		} {
			if moved {
				t.Error(name)
			}
		}
		s.stands(t, 18, 1)
		d.Clock.Advance(day)
		if n := s.settleDue(t, 100); n != 1 {
			t.Errorf("%d were due", n)
		}
		s.stands(t, 18, 0)
	})
}

func TestAHoldBelongsToItsSite(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, twin := aShop(t, d, 20), newShop(t, d, 20)
		hold := s.holds(t, 1)
		for name, fn := range map[string]func(context.Context, *db.Tx) (bool, error){
			"charge":  func(ctx context.Context, tx *db.Tx) (bool, error) { return balance.Charge(ctx, tx, twin.id, hold, 1) },
			"release": func(ctx context.Context, tx *db.Tx) (bool, error) { return balance.Release(ctx, tx, twin.id, hold) },
			"refund":  func(ctx context.Context, tx *db.Tx) (bool, error) { return balance.Refund(ctx, tx, twin.id, hold) },
		} {
			err := d.Do(t.Context(), func(tx *db.Tx) error {
				_, err := fn(t.Context(), tx)
				return err
			})
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		s.stands(t, 19, 1)
		twin.stands(t, 20, 0)
		if len(twin.statement(t)) != 0 {
			t.Error("the twin has entries")
		}
	})
}

func TestAfter24HoursWithoutAWordAHoldIsCharged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 20)
		twin := newShop(t, d, 20)
		s.holds(t, 2)
		twin.holds(t, 1)
		d.Clock.Advance(day - time.Minute)
		s.holds(t, 1)
		if n := s.settleDue(t, 100); n != 0 {
			t.Errorf("%d were due a minute early", n)
		}
		d.Clock.Advance(time.Minute)
		if n := s.settleDue(t, 1) + s.settleDue(t, 1) + s.settleDue(t, 1); n != 2 {
			t.Errorf("%d were due", n)
		}
		s.stands(t, 17, 1)
		twin.stands(t, 19, 0)
		if e := s.statement(t)[0]; e.Kind != balance.Charged || e.Parts != 2 || e.Reference != balance.NoAnswer {
			t.Errorf("entered as %+v", e)
		}
	})
}

func TestAReferenceOfATopUpCountsOnceForEachSite(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, twin := aShop(t, d, 0), newShop(t, d, 0)
		if !s.topUp(t, 50, "INV-1") || s.topUp(t, 50, "INV-1") || s.topUp(t, 60, "INV-1") {
			t.Error("INV-1 did not count once")
		}
		if !twin.topUp(t, 50, "INV-1") || !s.topUp(t, 5, "INV-2") || !s.topUp(t, 1, balance.NoAnswer) || !s.topUp(t, 1, "1 of 2 parts") {
			t.Error("another's, another, or one that looks like a charge's did not count")
		}
		s.stands(t, 57, 0)
		twin.stands(t, 50, 0)
		// Charges may share a reference among themselves and with a top-up.
		s.holds(t, 1)
		s.holds(t, 1)
		d.Clock.Advance(day)
		if n := s.settleDue(t, 9); n != 2 {
			t.Errorf("%d were settled", n)
		}
	})
}

func TestATopUpOutOfBoundsIsRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	s := aShop(t, d, 0)
	for name, o := range map[string]balance.TopUpOrder{
		"nothing":                  s.order(0, "a"),
		"less than nothing":        s.order(-1, "a"),
		"a million":                s.order(1_000_000, "a"),
		"no reference":             s.order(1, ""),
		"a blank one":              s.order(1, "  "),
		"a long one":               s.order(1, strings.Repeat("x", 101)),
		"one of two lines":         s.order(1, "a\nb"),
		"one that is no text":      s.order(1, "\xff"),
		"a site that there is not": {Site: id.New[id.Site](), Parts: 1, Reference: "a", By: audit.Actor{Kind: audit.ActorStaff, ID: "tom"}},
	} {
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			_, err := balance.TopUp(t.Context(), tx, o)
			return err
		})
		if !errors.Is(err, fault.Invalid) && !errors.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !s.topUp(t, balance.TopUpMost, strings.Repeat("é", 100)) {
		t.Error("the most is too much")
	}
	s.stands(t, balance.TopUpMost, 0)
}

func TestOneHandOverHasOneHold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 20)
		a := balance.Ask{Site: s.id, User: s.sam, Message: id.New[id.Message](), Parts: 1}
		s.reserveFor(t, a)
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			_, _, err := balance.Reserve(t.Context(), tx, a)
			return err
		})
		if !errors.Is(err, fault.Conflict) {
			t.Errorf("a second: %v", err)
		}
		s.stands(t, 19, 1)
		a.Try = 1 // the next provider
		if _, ok := s.reserveFor(t, a); !ok {
			t.Error("the second try has no hold")
		}
		s.stands(t, 18, 2)
	})
}

func TestWhatCannotBeHeldIsNoEntry(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 7) // six are the float
		if _, ok := s.reserve(t, 2); ok {
			t.Error("two of seven went below the float")
		}
		if _, ok := s.reserve(t, 1); !ok {
			t.Error("the one above the float was refused")
		}
		if _, ok := s.reserve(t, 1); ok {
			t.Error("the float was given away")
		}
		if n := len(s.statement(t)); n != 2 {
			t.Errorf("%d entries", n)
		}
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			_, _, err := balance.Reserve(t.Context(), tx, balance.Ask{Site: id.New[id.Site](), Message: "m", Parts: 1})
			return err
		})
		if !errors.Is(err, fault.NotFound) {
			t.Errorf("a site that there is not: %v", err)
		}
		err = d.Do(t.Context(), func(tx *db.Tx) error {
			_, _, err := balance.Reserve(t.Context(), tx, balance.Ask{Site: s.id, Message: "m", Parts: 0})
			return err
		})
		if !errors.Is(err, fault.Invalid) {
			t.Errorf("no parts: %v", err)
		}
	})
}

func TestTheAuditTrailHasTopUpsAndCharges(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 1)
		a := balance.Ask{User: s.pat, Message: id.New[id.Message](), Parts: 1, Admin: true}
		hold, _ := s.reserveFor(t, a)
		s.charge(t, hold, 3)
		s.charge(t, hold, 3)
		s.topUp(t, 50, "INV-1")
		s.topUp(t, 50, "INV-1")
		charges, tops := s.events(t, audit.SMSCharged), s.events(t, audit.SMSToppedUp)
		if len(charges) != 1 || len(tops) != 1 {
			t.Fatalf("%d charges, %d top-ups", len(charges), len(tops))
		}
		c, top := charges[0], tops[0]
		if diff := cmp.Diff(map[string]string{"parts": "1", "used": "3", "message": string(a.Message)}, c.Facts); diff != "" || c.User != s.pat || c.Actor.ID != "balance" || len(c.Personal) != 0 {
			t.Errorf("charged by %+v for %s: %s", c.Actor, c.User, diff)
		}
		if diff := cmp.Diff(map[string]string{"parts": "50", "reference": "INV-1"}, top.Facts); diff != "" || top.Actor.ID != "tom" || len(top.Personal) != 0 {
			t.Errorf("topped up by %+v: %s", top.Actor, diff)
		}
	})
}
