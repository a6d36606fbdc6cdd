package balance_test

import (
	"context"
	"testing"

	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
)

// BenchmarkReserveAndCharge is what one SMS costs the ledger: a hold in one transaction
// and its charge in another, with their commits and the audit event.
func BenchmarkReserveAndCharge(b *testing.B) {
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			d := dbtest.Open(b, dbtest.Fresh(b, engine))
			s := aShop(b, d, 100_000_000)
			for b.Loop() {
				if !s.charge(b, s.holds(b, 1), 1) {
					b.Fatal("not charged")
				}
			}
		})
	}
}

// BenchmarkRefused is the same question of a site with nothing left.
func BenchmarkRefused(b *testing.B) {
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			d := dbtest.Open(b, dbtest.Fresh(b, engine))
			s := aShop(b, d, 0)
			for b.Loop() {
				do(b, d, func(ctx context.Context, tx *db.Tx) error {
					_, _, err := balance.Reserve(ctx, tx, balance.Ask{Site: s.id, User: s.sam, Message: id.New[id.Message](), Parts: 1})
					return err
				})
			}
		})
	}
}
