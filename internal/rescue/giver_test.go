package rescue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
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
		// One word of the two is gone: whoever stays cannot go on with it alone.
		if _, refused = w.read(t, w.toni, w.kim, which); refused != rescue.NotStaff {
			t.Errorf("another code of the same recovery: %q", refused)
		}
	})
}

func TestWhatAnAdminOpenedEndsWhenTheyLeave(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		lou := w.user(t, "lou@bayside.example", "Lou", "Haddad")
		w.join(t, lou, w.site, policy.GroupMechanic)
		kims, byMax := w.door(t, w.kim, w.site)
		if refused := w.approve(t, w.in(t, w.max, w.site), w.ask(t, kims), w.ask(t, kims).Number); refused != "" {
			t.Fatal(refused)
		}
		lous, byCode := w.door(t, lou, w.site)
		if out := w.typed(t, lous, w.give(t, w.max, lou).Code); !out.OK {
			t.Fatalf("a help code of Max: %+v", out)
		}
		twins, byTwin := w.door(t, w.twinKim, w.twin)
		if refused := w.approve(t, w.in(t, w.twinMax, w.twin), w.ask(t, twins), w.ask(t, twins).Number); refused != "" {
			t.Fatal(refused)
		}
		end := func(who user.User) {
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.EndGivenBy(ctx, tx, w.site.ID, who.ID) })
		}
		end(w.pat)
		if !w.enrolling(t, byMax) || !w.enrolling(t, byCode) {
			t.Error("what Max opened ended with Pat")
		}
		end(w.max)
		if w.enrolling(t, byMax) || w.enrolling(t, byCode) {
			t.Error("what Max opened goes on without Max")
		}
		if !w.enrolling(t, byTwin) {
			t.Error("what the Max of the other site opened has ended")
		}
		again, byPat := w.door(t, w.kim, w.site)
		if refused := w.approve(t, w.in(t, w.pat, w.site), w.ask(t, again), w.ask(t, again).Number); refused != "" || !w.enrolling(t, byPat) {
			t.Errorf("somebody who stays lets them in: %q", refused)
		}
	})
}

func TestAnAdminWhoApprovesWhileTheyLeaveOpensNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const waiting = 6
		desk, _ := w.userSetup()
		pat, mx := w.in(t, w.pat, w.site), w.in(t, w.max, w.site)
		var asks [waiting]rescue.Asked
		var tokens [waiting]string
		for i := range waiting {
			who := w.user(t, fmt.Sprintf("lou%d@bayside.example", i), "Lou", "Haddad")
			w.join(t, who, w.site, policy.GroupMechanic)
			var waits rescue.Waiting
			waits, tokens[i] = w.door(t, who, w.site)
			asks[i] = w.ask(t, waits)
		}
		together(t, waiting+1, func(i int) (string, error) {
			if i == waiting/2 {
				refused, err := desk.Left(t.Context(), pat, w.max.ID)
				if refused != "" {
					t.Errorf("they did not leave: %s", refused)
				}
				return "", err
			}
			if i > waiting/2 {
				i--
			}
			one := asks[i]
			_, err := w.desk.Approve(t.Context(), mx, one.ID, one.Number)
			if errors.Is(err, fault.NotFound) { // no Admin any more
				err = nil
			}
			return "", err
		})
		for i, token := range tokens {
			if w.enrolling(t, token) {
				t.Errorf("person %d was let in by somebody who has left", i)
			}
		}
	})
}
