package epoch_test

import (
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
)

func TestRaisingOneNumberLeavesEveryOther(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		site, twin, who := id.New[id.Site](), id.New[id.Site](), id.New[id.User]()
		for range 2 {
			err := d.Do(ctx, func(tx *db.Tx) error { return epoch.Raise(ctx, tx, epoch.Member(site, who), epoch.User(who)) })
			if err != nil {
				t.Fatal(err)
			}
		}
		for owner, want := range map[epoch.Owner]int64{
			epoch.Member(site, who): 2, epoch.User(who): 2,
			epoch.Member(twin, who): 0, epoch.Site(site): 0,
		} {
			if got, err := epoch.Now(ctx, d, owner); err != nil || got != want {
				t.Errorf("%s is at %d, want %d (%v)", owner, got, want, err)
			}
		}
	})
}
