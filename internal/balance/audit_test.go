package balance_test

import (
	"context"
	"sync"
	"testing"

	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
)

func TestAnAuditSeesWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]string{
		"an account that has more":          `UPDATE sms_accounts SET available = available + 1 WHERE site_id = $1`,
		"a charge that is less":             `UPDATE sms_entries SET parts = 1 WHERE site_id = $1 AND kind = 'charge'`,
		"an entry that is gone":             `DELETE FROM sms_entries WHERE site_id = $1 AND entry_no = 3`,
		"the last entry that is gone":       `DELETE FROM sms_entries WHERE site_id = $1 AND kind = 'refund'`,
		"a second opening":                  `UPDATE sms_entries SET kind = 'opening' WHERE site_id = $1 AND kind = 'topup'`,
		"a kind that nobody knows":          `UPDATE sms_entries SET kind = 'gift' WHERE site_id = $1 AND kind = 'topup'`,
		"a release of what is not held":     `UPDATE sms_entries SET hold_id = 'x' WHERE site_id = $1 AND kind = 'release'`,
		"a hold that holds more":            `UPDATE sms_holds SET parts = 9 WHERE site_id = $1 AND state = 'held'`,
		"a hold that is said to be settled": `UPDATE sms_holds SET state = 'released' WHERE site_id = $1 AND state = 'held'`,
		"a refund of another number":        `UPDATE sms_holds SET charged = 1 WHERE site_id = $1 AND state = 'refunded'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
			s, twin := aShop(t, d, 30), newShop(t, d, 30)
			for _, at := range []shop{s, twin} {
				paid := at.holds(t, 2)
				at.holds(t, 1)
				at.release(t, at.holds(t, 1))
				at.charge(t, paid, 2)
				at.topUp(t, 5, "a")
				at.refund(t, paid)
				at.audited(t)
			}
			do(t, d, func(ctx context.Context, tx *db.Tx) error { return tx.Change(ctx, tamper, s.id) })
			if err := balance.Audit(t.Context(), d, s.id); err == nil {
				t.Error("not seen")
			}
			twin.audited(t)
		})
	}
}

func TestAnAuditIsGreenBesideWriters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 500)
		done := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			defer close(done)
			for range 40 {
				hold, _ := s.reserve(t, 1)
				s.charge(t, hold, 1)
			}
		})
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			default:
			}
			s.audited(t)
		}
		all.Wait()
	})
}
