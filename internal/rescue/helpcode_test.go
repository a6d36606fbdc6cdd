package rescue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

func (w *world) give(t *testing.T, by, to user.User) rescue.Given {
	t.Helper()
	given, refused, err := w.desk.GiveHelpCode(t.Context(), w.in(t, by, w.site), to.ID)
	if err != nil || refused != "" {
		t.Fatal(refused, err)
	}
	return given
}

func (w *world) typed(t *testing.T, waits rescue.Waiting, code string) rescue.HelpTyped {
	t.Helper()
	out, err := w.desk.TypeHelpCode(t.Context(), waits, code)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// another is a help code that is not this one.
func another(code string) string {
	for {
		if other := method.NewHelpCode(); other != code {
			return other
		}
	}
}

func TestAHelpCodeOpensOneEnrolOnlySessionHoweverOftenItIsTyped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		given := w.give(t, w.pat, w.kim)
		waits, token := w.door(t, w.kim, w.site)
		second, other := w.door(t, w.kim, w.site)
		said := together(t, 32, func(i int) (rescue.HelpTyped, error) {
			one := waits
			if i%2 == 1 {
				one = second
			}
			return w.desk.TypeHelpCode(t.Context(), one, " "+strings.ToLower(given.Code))
		})
		ok := 0
		for _, s := range said {
			if s.OK {
				ok++
			}
		}
		if ok != 1 || w.enrolling(t, token) == w.enrolling(t, other) {
			t.Errorf("%d of 32 were right", ok)
		}
		if w.count(t, w.kim, w.site.ID, audit.HelpCodeUsed) != 1 || w.count(t, w.kim, w.site.ID, audit.EnrolOpened) != 1 {
			t.Error("the trail does not have it once")
		}
		if used := texts(t, w.db, `SELECT help_code_id FROM help_codes WHERE used_at IS NOT NULL`); len(used) != 1 {
			t.Errorf("used %q", used)
		}
		if got := w.told(t, w.kim); !slices.Equal(got, []string{string(message.HelpCodeGiven)}) {
			t.Errorf("Kim was told %q", got)
		}
		if !slices.Equal(w.told(t, w.max), []string{string(message.HelpCodeGiven)}) || len(w.told(t, w.pat))+len(w.told(t, w.twinMax)) != 0 {
			t.Errorf("Max was told %q", w.told(t, w.max))
		}
	})
}

func TestAHelpCodeBearsFiveTriesAndTellsNobodyThatItIsThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		given := w.give(t, w.pat, w.kim)
		waits, token := w.door(t, w.kim, w.site)
		twin, _ := w.door(t, w.twinKim, w.twin) // who has no code
		if out := w.typed(t, waits, "not a code"); out.Wrong != rescue.WrongForm {
			t.Errorf("no code at all: %+v", out)
		}
		said := together(t, 5, func(int) (rescue.HelpTyped, error) {
			return w.desk.TypeHelpCode(t.Context(), waits, another(given.Code))
		})
		for _, s := range said {
			if out := w.typed(t, twin, given.Code); s != out || out.Wrong != rescue.WrongCode {
				t.Errorf("with a code %+v, without %+v", s, out)
			}
		}
		if out := w.typed(t, waits, given.Code); out != (rescue.HelpTyped{Wrong: rescue.TooMany, Retry: out.Retry}) || out.Retry.IsZero() {
			t.Errorf("the sixth within the hour, which is right: %+v", out)
		}
		// A browser that Kim is known in has tries of its own, but the code is dead.
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return session.Remember(ctx, tx, w.kim.ID, home) })
		waits.Place = home
		if out := w.typed(t, waits, given.Code); out.Wrong != rescue.WrongCode || w.enrolling(t, token) {
			t.Errorf("a dead code: %+v", out)
		}
		next := w.give(t, w.pat, w.kim)
		if out := w.typed(t, waits, next.Code); !out.OK || !w.enrolling(t, token) {
			t.Errorf("the next code: %+v", out)
		}
		if w.count(t, w.kim, w.site.ID, audit.HelpCodeWrong) != 6 {
			t.Errorf("the trail has %d wrong ones", w.count(t, w.kim, w.site.ID, audit.HelpCodeWrong))
		}
	})
}

func TestANewHelpCodeEndsTheOneBeforeAndTimeEndsEach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		first, second := w.give(t, w.pat, w.kim), w.give(t, w.max, w.kim)
		waits, _ := w.door(t, w.kim, w.site)
		if out := w.typed(t, waits, first.Code); out.Wrong != rescue.WrongCode {
			t.Errorf("the one before: %+v", out)
		}
		w.db.Clock.Advance(rescue.CodeLife)
		if out := w.typed(t, waits, second.Code); out.Wrong != rescue.WrongCode {
			t.Errorf("after its time: %+v", out)
		}
		by := w.in(t, w.pat, w.site)
		together(t, 6, func(int) (string, error) {
			given, _, err := w.desk.GiveHelpCode(t.Context(), by, w.kim.ID)
			return given.Code, err
		})
		if live := texts(t, w.db, `SELECT help_code_id FROM help_codes WHERE used_at IS NULL AND ended_at IS NULL`); len(live) != 1 {
			t.Errorf("six at once left %d", len(live))
		}
	})
}

func TestAHelpCodeIsGivenByAFreshAdminToTheirOwnPeople(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		give := func(by authority.Bearer, to user.User) (rescue.Refused, error) {
			given, refused, err := w.desk.GiveHelpCode(t.Context(), by, to.ID)
			if given.Code != "" {
				t.Errorf("%s gave %s a code", by.User.Login, to.Login)
			}
			return refused, err
		}
		stale := w.in(t, w.pat, w.site)
		w.db.Clock.Advance(policy.FreshFor + time.Second)
		pat := w.in(t, w.pat, w.site)
		gone := w.user(t, "lou@bayside.example", "Lou", "Gone")
		w.join(t, gone, w.site, policy.GroupMechanic)
		w.change(t, `UPDATE memberships SET status = 'inactive' WHERE user_id = $1`, gone.ID)
		for _, c := range []struct {
			by   authority.Bearer
			to   user.User
			want rescue.Refused
		}{{stale, w.kim, rescue.NotFresh}, {pat, w.pat, rescue.Oneself}, {pat, w.bo, rescue.Elsewhere}, {pat, gone, rescue.Inactive}} {
			if refused, err := give(c.by, c.to); err != nil || refused != c.want {
				t.Errorf("%s to %s: %q, %v", c.by.User.Login, c.to.Login, refused, err)
			}
		}
		for _, c := range []struct {
			by authority.Bearer
			to user.User
		}{
			{pat, w.twinKim},
			{pat, w.sam},
			{w.in(t, w.twinPat, w.twin), w.kim},
			{w.in(t, w.kim, w.site), w.max},
			{w.onDuty(t, w.sam), w.kim},
			{pat, user.User{ID: "nobody"}},
		} {
			if _, err := give(c.by, c.to); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s to %s: %v", c.by.User.Login, c.to.Login, err)
			}
		}
	})
}

func TestAHelpCodeIsWorthNothingWhereItsAttemptOrItsAuthorityIsGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		given := w.give(t, w.pat, w.kim)
		gone, token := w.door(t, w.kim, w.site)
		if err := w.signin.Abandon(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		if out := w.typed(t, gone, given.Code); !out.Gone || out.OK {
			t.Errorf("the attempt is gone: %+v", out)
		}
		waits, token := w.door(t, w.kim, w.site)
		w.join(t, w.kim, w.twin, policy.GroupSales)
		if out := w.typed(t, waits, given.Code); out.Wrong != rescue.WrongCode || w.enrolling(t, token) {
			t.Errorf("Kim is a member elsewhere now: %+v", out)
		}
	})
}

func TestAProvedNumberIsToldOfAHelpCodeBesideTheMailbox(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		w.prove(t, w.max, policy.SMS, "+61491570157")
		if _, refused, err := w.desk.GiveHelpCode(t.Context(), w.in(t, w.pat, w.site), w.kim.ID); err != nil || refused != "" {
			t.Fatal(refused, err)
		}
		for who, want := range map[user.User][]string{w.kim: {"email", "sms"}, w.max: {"email"}, w.twinKim: nil} {
			got := texts(t, w.db, `SELECT channel FROM notices WHERE kind = 'help_code_given' AND user_id = '`+string(who.ID)+`' ORDER BY channel`)
			if !slices.Equal(got, want) {
				t.Errorf("%s was told by %q, want %q", who.Login, got, want)
			}
		}
	})
}
