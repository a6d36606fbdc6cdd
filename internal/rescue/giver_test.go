package rescue_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/user"
)

func TestAHelpCodeEndsWithTheRightToGiveIt(t *testing.T) {
	t.Parallel()
	for how, change := range map[string]string{
		"blocked":    `UPDATE memberships SET status = 'blocked' WHERE site_id = $1 AND user_id = $2`,
		"inactive":   `UPDATE memberships SET status = 'inactive' WHERE site_id = $1 AND user_id = $2`,
		"a mechanic": `UPDATE memberships SET member_group = 'Mechanic' WHERE site_id = $1 AND user_id = $2`,
		"mobile":     `UPDATE memberships SET kind = 'mobile' WHERE site_id = $1 AND user_id = $2`,
		"over":       `UPDATE memberships SET access_until = 1 WHERE site_id = $1 AND user_id = $2`,
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *world) {
				waits, token := w.door(t, w.kim, w.site)
				given := w.give(t, w.max, w.kim)
				w.change(t, change, w.site.ID, w.max.ID)
				w.db.Clock.Advance(10 * time.Second)
				if out := w.typed(t, waits, given.Code); out != (rescue.HelpTyped{Wrong: rescue.WrongCode}) || w.enrolling(t, token) {
					t.Errorf("it still opens: %+v", out)
				}
				if out := w.typed(t, waits, w.give(t, w.pat, w.kim).Code); !out.OK {
					t.Errorf("one of an Admin who stays: %+v", out)
				}
			})
		})
	}
}

func TestACodeOfStaffEndsWithTheirBeingStaff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		w.db.Clock.Advance(rescue.OnFileFor)
		which := w.begin(t, w.sam, w.kim, kimsNumber)
		if refused := w.confirm(t, w.toni, w.kim, which); refused != "" {
			t.Fatal(refused)
		}
		w.db.Clock.Advance(49 * time.Hour)
		given, refused := w.read(t, w.sam, w.kim, which)
		if refused != "" {
			t.Fatal(refused)
		}
		waits, token := w.door(t, w.kim, w.site)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.EndStaff(ctx, tx, w.sam.ID) })
		if out := w.typed(t, waits, given.Code); out.OK || w.enrolling(t, token) {
			t.Errorf("it still opens: %+v", out)
		}
		given, refused = w.read(t, w.toni, w.kim, which)
		if refused != "" {
			t.Fatal(refused)
		}
		if out := w.typed(t, waits, given.Code); !out.OK {
			t.Errorf("one of a member of staff who stays: %+v", out)
		}
	})
}
