package rescue_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/user"
)

const kimsNumber = "+61491570156"

func (w *world) begin(t *testing.T, by, who user.User, called string) id.Recovery {
	t.Helper()
	which, refused, err := w.desk.Begin(t.Context(), w.onDuty(t, by), rescue.Recover{User: who.ID, Site: w.site.ID, Called: called, Reason: "Phone in the sump"})
	if err != nil || refused != "" {
		t.Fatal(refused, err)
	}
	return which
}

func (w *world) confirm(t *testing.T, by, who user.User, which id.Recovery) rescue.Refused {
	t.Helper()
	refused, err := w.desk.Confirm(t.Context(), w.onDuty(t, by), who.ID, which)
	if err != nil {
		t.Fatal(err)
	}
	return refused
}

func (w *world) read(t *testing.T, by, who user.User, which id.Recovery) (rescue.Given, rescue.Refused) {
	t.Helper()
	given, refused, err := w.desk.ReadCode(t.Context(), w.onDuty(t, by), who.ID, which)
	if err != nil {
		t.Fatal(err)
	}
	return given, refused
}

func (w *world) stop(t *testing.T, token string) rescue.Stopped {
	t.Helper()
	out, err := w.desk.Stop(t.Context(), token, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) decide(t *testing.T, by, who user.User, which id.Recovery, on bool) rescue.Refused {
	t.Helper()
	refused, err := w.desk.Decide(t.Context(), w.onDuty(t, by), rescue.Recovery{User: who.ID, ID: which}, rescue.Decision{Papers: "A passport", Go: on})
	if err != nil {
		t.Fatal(err)
	}
	return refused
}

func (w *world) state(t *testing.T, who user.User, which id.Recovery) rescue.RecoveryState {
	t.Helper()
	r, err := w.desk.ByID(t.Context(), w.onDuty(t, w.sam), who.ID, which)
	if err != nil {
		t.Fatal(err)
	}
	return r.State
}

func TestStaffLetSomebodyInByTwoAfterADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := balance.TopUp(ctx, tx, balance.TopUpOrder{Site: w.site.ID, Parts: 100, By: command, ByName: "test", Reference: "1"})
			return err
		})
		w.db.Clock.Advance(rescue.OnFileFor)
		which := w.begin(t, w.sam, w.kim, "+61 491 570 156")
		if stops := w.secrets(t, w.kim, message.RecoveryStop); len(stops) != 2 || stops[0] == stops[1] {
			t.Errorf("%d links went to Kim's two addresses", len(stops))
		}
		if refused := w.confirm(t, w.sam, w.kim, which); refused != rescue.SameMember {
			t.Errorf("Sam confirms Sam: %q", refused)
		}
		if _, refused := w.read(t, w.toni, w.kim, which); refused != rescue.NotYet {
			t.Errorf("read before it was confirmed: %q", refused)
		}
		if refused := w.confirm(t, w.toni, w.kim, which); refused != "" {
			t.Fatal(refused)
		}
		w.db.Clock.Advance(rescue.Delay - time.Second)
		if given, refused := w.read(t, w.sam, w.kim, which); refused != rescue.NotYet || given.ReadyAt.IsZero() {
			t.Errorf("read too soon: %+v, %q", given, refused)
		}
		w.db.Clock.Advance(time.Second)
		given, refused := w.read(t, w.sam, w.kim, which)
		if refused != "" {
			t.Fatal(refused)
		}
		waits, token := w.door(t, w.kim, w.site)
		if out := w.typed(t, waits, given.Code); !out.OK || !w.enrolling(t, token) {
			t.Errorf("typed: %+v", out)
		}
		if w.state(t, w.kim, which) != rescue.RecoveryDone {
			t.Errorf("it is %q", w.state(t, w.kim, which))
		}
		for _, kind := range []audit.Kind{audit.RecoveryBegun, audit.RecoveryConfirmed, audit.HelpCodeGiven, audit.HelpCodeUsed, audit.EnrolOpened, audit.RecoveryDone} {
			if w.count(t, w.kim, w.site.ID, kind) != 1 || w.count(t, w.twinKim, "", kind) != 0 {
				t.Errorf("the trail of %s", kind)
			}
		}
		for who, want := range map[user.User][]message.NoticeKind{
			w.kim: {message.HelpCodeGiven, message.RecoveryConfirmed, message.RecoveryDone},
			w.pat: {message.HelpCodeGiven, message.RecoveryBegun, message.RecoveryConfirmed, message.RecoveryDone},
		} {
			got := w.told(t, who)
			for _, kind := range want {
				if !slices.Contains(got, string(kind)) {
					t.Errorf("%s was not told %q, but %q", who.Login, kind, got)
				}
			}
		}
		if _, refused := w.read(t, w.sam, w.kim, which); refused != rescue.Over {
			t.Errorf("read again: %q", refused)
		}
	})
}

func TestNobodyWaitsWhoHasProvedNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which := w.begin(t, w.sam, w.kim, "")
		w.confirm(t, w.toni, w.kim, which)
		if _, refused := w.read(t, w.uma, w.kim, which); refused != "" {
			t.Error(refused)
		}
	})
}

func TestOnlyANumberThatWasOnFileForThirtyDaysIsCalled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		try := func(who user.User, called, reason string) rescue.Refused {
			_, refused, err := w.desk.Begin(t.Context(), w.onDuty(t, w.sam), rescue.Recover{User: who.ID, Site: w.site.ID, Called: called, Reason: reason})
			if err != nil {
				t.Fatal(err)
			}
			return refused
		}
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		w.prove(t, w.twinKim, policy.SMS, "+61491570157")
		w.db.Clock.Advance(rescue.OnFileFor - time.Hour)
		if got := try(w.kim, kimsNumber, "why"); got != rescue.NotOnFile {
			t.Errorf("a day too young: %q", got)
		}
		w.db.Clock.Advance(time.Hour)
		for called, want := range map[string]rescue.Refused{"": rescue.NotOnFile, "+61491570157": rescue.NotOnFile} {
			if got := try(w.kim, called, "why"); got != want {
				t.Errorf("%q: %q", called, got)
			}
		}
		if got := try(w.kim, kimsNumber, "  "); got != rescue.NoReason {
			t.Errorf("without a reason: %q", got)
		}
		if got := try(w.kim, kimsNumber, "why"); got != "" {
			t.Error(got)
		}
		if got := try(w.kim, kimsNumber, "why"); got != rescue.AlreadyOpen {
			t.Errorf("a second one: %q", got)
		}
		numbers, err := w.desk.Numbers(t.Context(), w.kim.ID)
		if err != nil || len(numbers) != 1 || !numbers[0].Callable || numbers[0].Number != kimsNumber {
			t.Errorf("on file: %+v, %v", numbers, err)
		}
	})
}

func TestTwoMembersWhoConfirmAtOnceConfirmOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which := w.begin(t, w.sam, w.kim, "")
		both := []authority.Bearer{w.onDuty(t, w.toni), w.onDuty(t, w.uma)}
		said := together(t, 8, func(i int) (rescue.Refused, error) {
			return w.desk.Confirm(t.Context(), both[i%2], w.kim.ID, which)
		})
		if countOf(said, "") != 1 || countOf(said, rescue.Over) != 7 || w.count(t, w.kim, w.site.ID, audit.RecoveryConfirmed) != 1 {
			t.Errorf("they were told %q", said)
		}
	})
}

func TestAStopContestsAndPapersDecide(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which := w.begin(t, w.sam, w.kim, "")
		stop := w.secrets(t, w.kim, message.RecoveryStop)[0]
		w.confirm(t, w.toni, w.kim, which)
		given, _ := w.read(t, w.sam, w.kim, which)
		if look, err := w.desk.ViewStop(t.Context(), stop); err != nil || look != rescue.StopMay || w.state(t, w.kim, which) != rescue.RecoveryWaiting {
			t.Errorf("looking: %q, %v", look, err)
		}
		if w.stop(t, "nothing") != rescue.StopGone || w.stop(t, stop) != rescue.StopDone || w.stop(t, stop) != rescue.StopDone {
			t.Error("stopping twice is stopping")
		}
		waits, token := w.door(t, w.kim, w.site)
		if out := w.typed(t, waits, given.Code); out.Wrong != rescue.WrongCode || w.enrolling(t, token) {
			t.Errorf("the code that was read before: %+v", out)
		}
		if _, refused := w.read(t, w.toni, w.kim, which); refused != rescue.Contested {
			t.Errorf("read while contested: %q", refused)
		}
		if refused, err := w.desk.GiveUp(t.Context(), w.onDuty(t, w.toni), w.kim.ID, which); err != nil || refused != rescue.Contested {
			t.Errorf("given up while contested: %q, %v", refused, err)
		}
		if w.decide(t, w.sam, w.kim, which, true) != rescue.SameMember {
			t.Error("Sam decides what Sam began")
		}
		if refused := w.decide(t, w.toni, w.kim, which, true); refused != "" {
			t.Fatal(refused)
		}
		if w.stop(t, stop) != rescue.StopDecided || w.state(t, w.kim, which) != rescue.RecoveryWaiting {
			t.Error("a stop outweighs the papers")
		}
		given, _ = w.read(t, w.sam, w.kim, which)
		if out := w.typed(t, waits, given.Code); !out.OK {
			t.Errorf("after the decision: %+v", out)
		}
		if w.stop(t, stop) != rescue.StopOver {
			t.Error("a recovery that is done is stopped")
		}
		if w.count(t, w.kim, w.site.ID, audit.RecoveryContested) != 1 || w.count(t, w.kim, w.site.ID, audit.RecoveryDecided) != 1 {
			t.Error("the trail does not have each once")
		}
	})
}

func TestARefusedRecoveryIsOverAndAnotherMayBegin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which := w.begin(t, w.sam, w.kim, "")
		w.stop(t, w.secrets(t, w.kim, message.RecoveryStop)[0])
		if refused := w.decide(t, w.toni, w.kim, which, false); refused != "" {
			t.Fatal(refused)
		}
		if w.state(t, w.kim, which) != rescue.RecoveryRefused || w.decide(t, w.uma, w.kim, which, true) != rescue.Over {
			t.Error("it was decided twice")
		}
		next := w.begin(t, w.toni, w.kim, "")
		if refused, err := w.desk.GiveUp(t.Context(), w.onDuty(t, w.uma), w.kim.ID, next); err != nil || refused != "" {
			t.Errorf("given up: %q, %v", refused, err)
		}
		third := w.begin(t, w.toni, w.kim, "")
		w.db.Clock.Advance(rescue.Life + time.Second)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.Sweep(ctx, tx, 10) })
		if w.state(t, w.kim, third) != rescue.RecoveryOver || w.confirm(t, w.uma, w.kim, third) != rescue.Over {
			t.Errorf("nobody went on with it, and it is %q", w.state(t, w.kim, third))
		}
		for state, n := range map[rescue.RecoveryState]int{rescue.RecoveryRefused: 2, rescue.RecoveryOver: 1, rescue.RecoveryOpen: 0} {
			if list, _, err := w.desk.List(t.Context(), w.onDuty(t, w.sam), state); err != nil || len(list) != n {
				t.Errorf("%s: %+v, %v", state, list, err)
			}
		}
		if w.count(t, w.kim, w.site.ID, audit.RecoveryRefused) != 3 {
			t.Error("the trail has not all three")
		}
	})
}

func TestOnlyFreshStaffRecover(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which := w.begin(t, w.sam, w.kim, "")
		stale := w.onDuty(t, w.toni)
		w.db.Clock.Advance(policy.FreshFor + time.Second)
		of := rescue.Recover{User: w.max.ID, Site: w.site.ID, Reason: "why"}
		if _, refused, err := w.desk.Begin(t.Context(), stale, of); err != nil || refused != rescue.NotFresh {
			t.Errorf("begun with an old proof: %q, %v", refused, err)
		}
		if refused, err := w.desk.Confirm(t.Context(), stale, w.kim.ID, which); err != nil || refused != rescue.NotFresh {
			t.Errorf("confirmed with an old proof: %q, %v", refused, err)
		}
		gone := w.onDuty(t, w.uma)
		w.change(t, `UPDATE users SET staff = FALSE WHERE user_id = $1`, w.uma.ID)
		for name, by := range map[string]authority.Bearer{"an admin": w.in(t, w.pat, w.site), "somebody who was staff": gone} {
			if _, _, err := w.desk.Begin(t.Context(), by, of); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s begins: %v", name, err)
			}
			if _, err := w.desk.Confirm(t.Context(), by, w.kim.ID, which); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s confirms: %v", name, err)
			}
			if _, _, err := w.desk.ReadCode(t.Context(), by, w.kim.ID, which); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s reads: %v", name, err)
			}
		}
		on := w.onDuty(t, w.toni)
		if _, _, err := w.desk.Begin(t.Context(), on, rescue.Recover{User: w.twinKim.ID, Site: w.site.ID, Reason: "why"}); !errors.Is(err, fault.NotFound) {
			t.Errorf("begun at a site that is not theirs: %v", err)
		}
		if _, err := w.desk.Confirm(t.Context(), on, w.twinKim.ID, which); !errors.Is(err, fault.NotFound) {
			t.Errorf("confirmed for the twin: %v", err)
		}
	})
}

// takeAway takes all of somebody's ways, and gives them another mailbox, as an Admin's edit
// does.
func (w *world) takeAway(t *testing.T, who user.User, to string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		all, err := method.Of(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		for _, m := range all {
			if err := method.Remove(ctx, tx, who.ID, m.ID); err != nil {
				return err
			}
		}
		if err := user.SetLogin(ctx, tx, who, address.Canonical(to)); err != nil {
			return err
		}
		if _, _, err := user.KeepOld(ctx, tx, who, address.Canonical(to)); err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: to, NoRecovery: true})
		return err
	})
}

func TestWhatWasTakenAwayLatelyIsStillCalledWaitedForAndTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := balance.TopUp(ctx, tx, balance.TopUpOrder{Site: w.site.ID, Parts: 100, By: command, ByName: "test", Reference: "1"})
			return err
		})
		w.db.Clock.Advance(rescue.OnFileFor)
		w.takeAway(t, w.kim, "evil@elsewhere.example")
		w.db.Clock.Advance(time.Hour)
		_, refused, err := w.desk.Begin(t.Context(), w.onDuty(t, w.sam), rescue.Recover{User: w.kim.ID, Site: w.site.ID, Reason: "a good story"})
		if err != nil || refused != rescue.NotOnFile {
			t.Errorf("begun without the call to the number that was on file: %q, %v", refused, err)
		}
		which := w.begin(t, w.sam, w.kim, kimsNumber)
		told := texts(t, w.db, `SELECT address FROM messages WHERE kind = 'recovery_stop' AND user_id = '`+string(w.kim.ID)+`' ORDER BY address`)
		if want := []string{kimsNumber, "evil@elsewhere.example", string(w.kim.Login)}; !slices.Equal(told, want) {
			t.Errorf("links to stop went to %q, want %q", told, want)
		}
		w.confirm(t, w.toni, w.kim, which)
		if given, refused := w.read(t, w.uma, w.kim, which); refused != rescue.NotYet || given.ReadyAt.IsZero() {
			t.Errorf("read at once: %+v, %q", given, refused)
		}
		if long, err := w.desk.Waits(t.Context(), w.kim.ID); err != nil || !long {
			t.Errorf("the page says that it takes no day: %v", err)
		}
		w.db.Clock.Advance(rescue.OnFileFor)
		if numbers, err := w.desk.Numbers(t.Context(), w.kim.ID); err != nil || len(numbers) != 0 {
			t.Errorf("30 days after it was taken away: %+v, %v", numbers, err)
		}
	})
}

func TestARecoveryRestsOnPeopleWhoAreStaffStill(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		begun := w.begin(t, w.sam, w.kim, "")
		confirmed := w.begin(t, w.toni, w.max, "")
		w.confirm(t, w.sam, w.max, confirmed)
		given, refused := w.read(t, w.uma, w.max, confirmed)
		if refused != "" {
			t.Fatal(refused)
		}
		contested := w.begin(t, w.sam, w.bo, "")
		w.stop(t, w.secrets(t, w.bo, message.RecoveryStop)[0])
		toni := w.onDuty(t, w.toni)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.EndStaff(ctx, tx, toni, w.sam.ID) })
		if got := w.confirm(t, w.uma, w.kim, begun); got != rescue.NotStaff {
			t.Errorf("Uma confirms what Sam began: %q", got)
		}
		if _, got := w.read(t, w.uma, w.max, confirmed); got != rescue.NotStaff {
			t.Errorf("Uma reads a code on Sam's word: %q", got)
		}
		waits, token := w.door(t, w.max, w.site)
		if out := w.typed(t, waits, given.Code); out.OK || w.enrolling(t, token) {
			t.Errorf("a code that was read on Sam's word: %+v", out)
		}
		if got := w.decide(t, w.toni, w.bo, contested, true); got != rescue.NotStaff {
			t.Errorf("Toni has Sam's go on: %q", got)
		}
		if got := w.decide(t, w.toni, w.bo, contested, false); got != "" {
			t.Errorf("Toni refuses Sam's: %q", got)
		}
		if got, err := w.desk.GiveUp(t.Context(), w.onDuty(t, w.uma), w.kim.ID, begun); err != nil || got != "" {
			t.Errorf("given up: %q, %v", got, err)
		}
		w.begin(t, w.uma, w.kim, "")
	})
}

func TestErasingAPersonForgetsTheirRecoveriesThatAreOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		over := w.begin(t, w.sam, w.kim, "")
		w.stop(t, w.secrets(t, w.kim, message.RecoveryStop)[0])
		w.decide(t, w.toni, w.kim, over, false)
		open := w.begin(t, w.sam, w.kim, "")
		twins := w.begin(t, w.sam, w.bo, "")
		if _, err := w.desk.GiveUp(t.Context(), w.onDuty(t, w.toni), w.bo.ID, twins); err != nil {
			t.Fatal(err)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return rescue.Forget(ctx, tx, w.kim.ID) })
		for which, want := range map[id.Recovery]string{over: "", open: "Phone in the sump", twins: "Phone in the sump"} {
			who := w.kim.ID
			if which == twins {
				who = w.bo.ID
			}
			r, err := w.desk.ByID(t.Context(), w.onDuty(t, w.sam), who, which)
			if err != nil || r.Reason != want || r.Papers != "" || r.BegunBy != w.sam.ID {
				t.Errorf("%s: %+v, %v", which, r, err)
			}
		}
	})
}
