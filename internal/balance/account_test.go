package balance_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

func TestASiteHasWhatItBeganWithUntilTheFirstMovement(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 20)
		s.stands(t, 20, 0)
		if len(s.statement(t)) != 0 {
			t.Error("reading made an entry")
		}
		s.holds(t, 1)
		if n := len(s.statement(t)); n != 2 {
			t.Errorf("%d entries, not the opening and the hold", n)
		}
		s.stands(t, 19, 1)
		less := newShop(t, d, -5)
		less.stands(t, 0, 0)
		less.topUp(t, 1, "a")
		less.stands(t, 1, 0)
		if _, err := balance.Of(t.Context(), d, d.Clock.Now(), id.New[id.Site]()); !errors.Is(err, fault.NotFound) {
			t.Errorf("a site that there is not: %v", err)
		}
	})
}

func TestTheFloatIsTheAdminsAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 7) // two admins: six are the float
		if a := s.account(t); a.Float != 6 || a.Spare() != 1 {
			t.Errorf("the float is %d, and %d spare", a.Float, a.Spare())
		}
		s.holds(t, 1)
		for left := 5; left >= 0; left-- {
			if _, ok := s.reserveFor(t, balance.Ask{User: s.pat, Parts: 1, Admin: true}); !ok {
				t.Fatalf("an admin was refused with %d left", left+1)
			}
			if a := s.account(t); a.Available != left || a.Float != left || a.Spare() != 0 {
				t.Errorf("%+v", a)
			}
			if _, ok := s.reserve(t, 1); ok {
				t.Error("another took of the float")
			}
		}
		if _, ok := s.reserveFor(t, balance.Ask{User: s.pat, Parts: 1, Admin: true}); ok {
			t.Error("an admin went below zero")
		}
		s.stands(t, 0, 7)
	})
}

func TestAnAdminHasThreePartsOfTheFloatADay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, twin := aShop(t, d, 40), newShop(t, d, 40)
		// Noon in Brisbane, so that the day does not end meanwhile.
		now := d.Clock.Now().In(brisbane)
		d.Clock.Advance(time.Date(now.Year(), now.Month(), now.Day()+1, 12, 0, 0, 0, brisbane).Sub(now))
		used := func(who id.User) bool {
			t.Helper()
			is, err := balance.FloatUsed(t.Context(), d, d.Clock.Now(), s.id, brisbane, who)
			if err != nil {
				t.Fatal(err)
			}
			return is
		}
		as := func(who id.User, parts int) id.Hold {
			t.Helper()
			hold, _ := s.reserveFor(t, balance.Ask{User: who, Parts: parts, Admin: true})
			return hold
		}
		twin.reserveFor(t, balance.Ask{User: s.pat, Parts: 3, Admin: true})
		s.reserveFor(t, balance.Ask{User: s.pat, Parts: 3})
		as(s.kim, 2)
		s.release(t, as(s.pat, 3))
		refunded := as(s.pat, 3)
		s.charge(t, refunded, 3)
		s.refund(t, refunded)
		if used(s.pat) || used(s.kim) {
			t.Error("what another site, another person, a release, a refund and no admin's use took counts")
		}
		s.charge(t, as(s.pat, 3), 2)
		if used(s.pat) {
			t.Error("two charged parts of three held count as three")
		}
		as(s.pat, 1)
		if !used(s.pat) || used(s.kim) {
			t.Error("two charged and one held are not three, or count for another")
		}
		d.Clock.Advance(11*time.Hour + 58*time.Minute)
		if !used(s.pat) {
			t.Error("the day ended before midnight")
		}
		d.Clock.Advance(3 * time.Minute)
		if used(s.pat) {
			t.Error("yesterday's count after midnight in the site's zone")
		}
	})
}

func (s shop) ranLow(t testing.TB) (low bool) {
	t.Helper()
	return s.moving(t, func(ctx context.Context, tx *db.Tx) (low bool, err error) {
		low, _, err = balance.RanLow(ctx, tx, s.id)
		return low, err
	})
}

func TestABalanceRunsLowOncePerFall(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 13) // low is under twelve: twice the float
		s.holds(t, 1)
		if s.ranLow(t) {
			t.Error("twelve are low")
		}
		last := s.holds(t, 1)
		if !s.ranLow(t) || s.ranLow(t) {
			t.Error("eleven are not low, or low twice")
		}
		s.release(t, last)
		s.holds(t, 2)
		if s.ranLow(t) {
			t.Error("it is told again after a release")
		}
		s.topUp(t, 1, "too little")
		if s.ranLow(t) {
			t.Error("it is told again after a top-up that left it low")
		}
		s.topUp(t, 2, "enough")
		s.holds(t, 1)
		if s.ranLow(t) {
			t.Error("twelve are low after a top-up")
		}
		s.holds(t, 1)
		if !s.ranLow(t) {
			t.Error("the second fall is not told")
		}
		s.audited(t)
	})
}

func TestASiteWithNoAccountRunsLowOnceToo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 3)
		if !s.ranLow(t) || s.ranLow(t) {
			t.Error("not told once")
		}
		s.stands(t, 3, 0)
	})
}

func TestABalanceIsLowWhenAWeeksUseIsNotThere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 170)
		for range 10 {
			s.charge(t, s.holds(t, 5), 5)
		}
		d.Clock.Advance(2 * day) // 50 parts in two days: 175 a week
		if !s.ranLow(t) {
			t.Error("120 parts are a week's use")
		}
		f, err := balance.Foresee(t.Context(), d, d.Clock.Now(), s.id)
		if err != nil || !f.Known || f.PerDay < 24.9 || f.PerDay > 25.1 {
			t.Errorf("%+v, %v", f, err)
		}
		// 114 are spare: a little over four and a half days.
		if left := f.EmptyAt.Sub(d.Clock.Now()); left < 4*day || left > 5*day {
			t.Errorf("empty in %v", left)
		}
		s.topUp(t, 200, "INV-1")
		if s.ranLow(t) {
			t.Error("320 parts are low")
		}
	})
}
