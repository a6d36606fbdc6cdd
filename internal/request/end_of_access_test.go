package request_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/user"
)

func TestAnAccessThatEndsTakesTheUndoOfALoginNameWithIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.change(t, `UPDATE memberships SET access_until = $1 WHERE user_id = $2`, w.db.Clock.Now().Add(-time.Minute).UnixMicro(), w.kim.ID)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := user.KeepOld(ctx, tx, user.User{ID: w.kim.ID, Login: "old@bayside.example", Password: w.kim.Password}, w.kim.Login)
			return err
		})
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.Sweep(ctx, tx, 100) })
		if c, err := user.LiveChange(t.Context(), w.db, w.db.Clock.Now(), w.kim.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("it can still be undone to %s: %v", c.Old, err)
		}
	})
}
