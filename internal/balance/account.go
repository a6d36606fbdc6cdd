package balance

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/site"
)

// FloatPerAdmin is how many parts of the float each active office admin has a day. It
// is enough for one sign-in with a wrong turn and a second provider.
const FloatPerAdmin = 3

// Account is how a site's balance stands.
type Account struct {
	Site id.Site
	// Available can be spent; Held is reserved for messages under way.
	Available, Held int
	// Float is how many of the available parts are kept back for the admins.
	Float int
}

// Spare is what everybody may spend: what is available above the float.
func (a Account) Spare() int { return a.Available - a.Float }

// Of says how a site's balance stands at a moment; fault.NotFound if there is no such site.
func Of(ctx context.Context, from db.Reader, now time.Time, which id.Site) (Account, error) {
	s, err := found(ctx, from, which)
	if err != nil {
		return Account{}, fmt.Errorf("the SMS balance: %w", err)
	}
	kept, err := keptBack(ctx, from, now, which)
	if err != nil {
		return Account{}, err
	}
	return accountOf(which, s, kept), nil
}

func accountOf(which id.Site, s stand, kept int) Account {
	return Account{Site: which, Available: s.available, Held: s.held, Float: min(s.available, kept)}
}

// keptBack is the whole float, whether or not there is that much.
func keptBack(ctx context.Context, from db.Reader, now time.Time, which id.Site) (int, error) {
	admins, err := site.Admins(ctx, from, now, which)
	if err != nil {
		return 0, fmt.Errorf("the float: the site's admins: %w", err)
	}
	return FloatPerAdmin * len(admins), nil
}

// FloatUsed says whether this admin has had their parts of the float today: since
// midnight in the site's zone they were charged, or have held, FloatPerAdmin parts or
// more as an admin. What was released or refunded does not count.
func FloatUsed(ctx context.Context, from db.Reader, now time.Time, which id.Site, zone *time.Location, who id.User) (bool, error) {
	n, err := adminParts(ctx, from, which, who, midnight(now, zone))
	if err != nil {
		return false, fmt.Errorf("an admin's use of the float: %w", err)
	}
	return n >= FloatPerAdmin, nil
}

// midnight is when the day of now began in the zone.
func midnight(now time.Time, zone *time.Location) time.Time {
	year, month, day := now.In(zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, zone)
}

// lowest is under how many available parts a balance is low, however small its float
// and use.
const lowest = 10

// lowDays is for how many days of use a balance should last at least: time to notice,
// to ask and to buy.
const lowDays = 7

// lowLine is under how many available parts a balance is low: twice the float, a week's
// use, and at least ten.
func lowLine(kept int, f Forecast) int {
	week := 0
	if f.Known {
		week = int(f.PerDay*lowDays + 0.5)
	}
	return max(2*kept, week, lowest)
}

// RanLow says, once for each fall, that the balance is low: that is to be told. It marks
// it, so that of many at once one is answered true. Only a top-up that brings the
// balance over the line takes the mark away.
//
// Whoever tells records audit.SMSRanLow, in the same transaction.
func RanLow(ctx context.Context, tx *db.Tx, which id.Site) (bool, Account, error) {
	s, err := found(ctx, tx, which)
	if err != nil {
		return false, Account{}, fmt.Errorf("whether the SMS balance ran low: %w", err)
	}
	kept, err := keptBack(ctx, tx, tx.Now, which)
	if err != nil {
		return false, Account{}, err
	}
	account := accountOf(which, s, kept)
	if !s.lowTold.IsZero() {
		return false, account, nil
	}
	f, err := foresee(ctx, tx, tx.Now, account)
	if err != nil {
		return false, account, err
	}
	line := lowLine(kept, f)
	if s.available >= line {
		return false, account, nil
	}
	if s.no == 0 {
		if err := open(ctx, tx, which); err != nil {
			return false, account, fmt.Errorf("open the SMS account: %w", err)
		}
	}
	first, err := told(ctx, tx, which, line)
	if err != nil {
		return false, account, fmt.Errorf("mark the SMS balance as low: %w", err)
	}
	return first, account, nil
}

// overLine takes the mark of a low balance away if it is low no more. The account must
// be taken.
func overLine(ctx context.Context, tx *db.Tx, which id.Site, s stand) error {
	kept, err := keptBack(ctx, tx, tx.Now, which)
	if err != nil {
		return err
	}
	f, err := foresee(ctx, tx, tx.Now, accountOf(which, s, kept))
	if err != nil {
		return err
	}
	if err := untold(ctx, tx, which, lowLine(kept, f)); err != nil {
		return fmt.Errorf("mark the SMS balance as low no more: %w", err)
	}
	return nil
}
