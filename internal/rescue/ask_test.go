package rescue_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func (w *world) ask(t *testing.T, waits rescue.Waiting) rescue.Asked {
	t.Helper()
	asked, refused, err := w.desk.Ask(t.Context(), waits)
	if err != nil || refused != "" {
		t.Fatal(refused, err)
	}
	return asked
}

func (w *world) approve(t *testing.T, by authority.Bearer, asked rescue.Asked, number string) rescue.Refused {
	t.Helper()
	refused, err := w.desk.Approve(t.Context(), by, asked.ID, number)
	if err != nil {
		t.Fatal(err)
	}
	return refused
}

func (w *world) status(t *testing.T, waits rescue.Waiting) rescue.AskState {
	t.Helper()
	state, _, err := w.desk.Status(t.Context(), waits)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// not gives another number of two digits.
func not(number string) string {
	if number == "00" {
		return "01"
	}
	return "00"
}

func TestAnAdminLetsInWhoeverSaysTheNumber(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		waits, token := w.door(t, w.kim, w.site)
		if w.status(t, waits) != "" {
			t.Error("nobody was asked yet")
		}
		asked := w.ask(t, waits)
		if len(asked.Number) != 2 || !slices.Equal(asked.Helpers, []string{"Pat Lee", "Max Ito"}) {
			t.Errorf("asked %q with the number %q", asked.Helpers, asked.Number)
		}
		if again := w.ask(t, waits); again.ID != asked.ID || again.Number != asked.Number {
			t.Error("asking again gave another ask")
		}
		pat := w.in(t, w.pat, w.site)
		list, err := w.desk.AsksOf(t.Context(), pat)
		if err != nil || len(list) != 1 || list[0].ID != asked.ID || list[0].User.ID != w.kim.ID || list[0].Place.Network != elsewhere.Network {
			t.Errorf("Pat sees %+v, %v", list, err)
		}
		if name, err := w.desk.ApprovedBy(t.Context(), w.kim.ID, waits.Attempt); err != nil || name != "" {
			t.Errorf("let in by %q, %v", name, err)
		}
		if w.status(t, waits) != rescue.AskWaiting || w.enrolling(t, token) {
			t.Error("nobody has answered yet")
		}
		if refused := w.approve(t, pat, asked, "x1"); refused != rescue.WrongForm {
			t.Errorf("what is no number: %q", refused)
		}
		if refused := w.approve(t, pat, asked, " "+asked.Number+" "); refused != "" {
			t.Fatal(refused)
		}
		if w.status(t, waits) != rescue.AskApproved || !w.enrolling(t, token) {
			t.Error("the attempt is no enrol-only session")
		}
		if name, err := w.desk.ApprovedBy(t.Context(), w.kim.ID, waits.Attempt); err != nil || name != "Pat Lee" {
			t.Errorf("let in by %q, %v", name, err)
		}
		for _, kind := range []audit.Kind{audit.HelpAsked, audit.HelpApproved, audit.EnrolOpened} {
			if w.count(t, w.kim, w.site.ID, kind) != 1 || w.count(t, w.twinKim, w.twin.ID, kind) != 0 {
				t.Errorf("the trail of %s", kind)
			}
		}
		for who, want := range map[user.User][]string{
			w.kim: {string(message.HelpApproved)}, w.pat: {string(message.HelpAsked)},
			w.max: {string(message.HelpApproved), string(message.HelpAsked)}, w.twinMax: nil,
		} {
			if got := w.told(t, who); !slices.Equal(got, want) {
				t.Errorf("%s was told %q", who.Login, got)
			}
		}
		if refused := w.approve(t, pat, asked, asked.Number); refused != rescue.Over {
			t.Errorf("approved twice: %q", refused)
		}
	})
}

func TestTwoAdminsWhoApproveAtOnceLetInOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		waits, token := w.door(t, w.kim, w.site)
		asked := w.ask(t, waits)
		both := []authority.Bearer{w.in(t, w.pat, w.site), w.in(t, w.max, w.site)}
		said := together(t, 8, func(i int) (rescue.Refused, error) {
			return w.desk.Approve(t.Context(), both[i%2], asked.ID, asked.Number)
		})
		if countOf(said, "") != 1 || countOf(said, rescue.Over) != 7 {
			t.Errorf("they were told %q", said)
		}
		if !w.enrolling(t, token) || w.count(t, w.kim, w.site.ID, audit.EnrolOpened) != 1 {
			t.Error("not opened once")
		}
	})
}

func TestOneAttemptHasOneAskHoweverManyPress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		waits, _ := w.door(t, w.kim, w.site)
		said := together(t, 8, func(int) (string, error) {
			asked, refused, err := w.desk.Ask(t.Context(), waits)
			return string(asked.ID) + string(refused), err
		})
		if countOf(said, said[0]) != 8 || w.count(t, w.kim, w.site.ID, audit.HelpAsked) != 1 {
			t.Errorf("asks %q", said)
		}
	})
}

func TestTheThirdWrongNumberDeclines(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		waits, token := w.door(t, w.kim, w.site)
		asked := w.ask(t, waits)
		pat := w.in(t, w.pat, w.site)
		said := together(t, 8, func(int) (rescue.Refused, error) {
			return w.desk.Approve(t.Context(), pat, asked.ID, not(asked.Number))
		})
		if countOf(said, rescue.WrongNumber) != 2 || countOf(said, rescue.Declined) != 1 || countOf(said, rescue.Over) != 5 {
			t.Errorf("eight wrong ones: %q", said)
		}
		if refused := w.approve(t, pat, asked, asked.Number); refused != rescue.Over || w.enrolling(t, token) {
			t.Errorf("then the right one: %q", refused)
		}
		if w.status(t, waits) != rescue.AskDeclined || w.count(t, w.kim, w.site.ID, audit.HelpDeclined) != 1 {
			t.Errorf("it is %q", w.status(t, waits))
		}
	})
}

func TestOnlyAnotherFreshAdminOfTheSiteAnswers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		waits, token := w.door(t, w.kim, w.site)
		asked := w.ask(t, waits)
		patWaits, _ := w.door(t, w.pat, w.site)
		ofPat := w.ask(t, patWaits)
		stale := w.in(t, w.pat, w.site)
		w.db.Clock.Advance(policy.FreshFor + time.Second)
		if refused := w.approve(t, stale, asked, asked.Number); refused != rescue.NotFresh {
			t.Errorf("with an old proof: %q", refused)
		}
		gone := w.in(t, w.max, w.site)
		w.change(t, `UPDATE sessions SET ended_at = 1 WHERE session_id = $1`, gone.Session.ID)
		for name, by := range map[string]authority.Bearer{
			"the twin's admin": w.in(t, w.twinPat, w.twin), "a mechanic": w.in(t, w.kim, w.site), "a member of both": w.in(t, w.bo, w.site),
			"staff": w.onDuty(t, w.sam), "a session that has ended": gone,
		} {
			for which, one := range map[string]rescue.Asked{"Kim's": asked, "nobody's": {ID: "0"}} {
				if _, err := w.desk.Approve(t.Context(), by, one.ID, one.Number); !errors.Is(err, fault.NotFound) {
					t.Errorf("%s approves %s: %v", name, which, err)
				}
				if _, err := w.desk.Decline(t.Context(), by, one.ID); !errors.Is(err, fault.NotFound) {
					t.Errorf("%s declines %s: %v", name, which, err)
				}
			}
			if name == "the twin's admin" {
				if list, err := w.desk.AsksOf(t.Context(), by); err != nil || len(list) != 0 {
					t.Errorf("the twin's admin sees %+v, %v", list, err)
				}
			} else if _, err := w.desk.AsksOf(t.Context(), by); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s sees who waits: %v", name, err)
			}
		}
		pat := w.in(t, w.pat, w.site)
		if _, err := w.desk.Approve(t.Context(), pat, ofPat.ID, ofPat.Number); !errors.Is(err, fault.NotFound) {
			t.Errorf("Pat lets Pat in: %v", err)
		}
		if list, err := w.desk.AsksOf(t.Context(), pat); err != nil || len(list) != 1 {
			t.Errorf("Pat sees %+v, %v", list, err)
		}
		if refused, err := w.desk.Decline(t.Context(), stale, asked.ID); err != nil || refused != "" || w.status(t, waits) != rescue.AskDeclined {
			t.Errorf("declined: %q, %v", refused, err)
		}
		if w.enrolling(t, token) {
			t.Error("somebody let Kim in")
		}
	})
}

func TestWhoCannotBeHelpedByAnAdminIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		refusal := func(who user.User, s site.Site) rescue.Refused {
			t.Helper()
			_, refused, err := w.desk.Ask(t.Context(), rescue.Waiting{User: who.ID, Attempt: "a-" + "1", Site: s.ID, Place: elsewhere})
			if err != nil {
				t.Fatal(err)
			}
			return refused
		}
		if got := refusal(w.bo, w.site); got != rescue.Elsewhere {
			t.Errorf("a member of two sites: %q", got)
		}
		if got := refusal(w.bo, site.Site{}); got != rescue.Elsewhere {
			t.Errorf("a member of two sites who chose none: %q", got)
		}
		// Max has nothing that works, so Pat has nobody to ask.
		w.change(t, `UPDATE methods SET removed_at = 1 WHERE user_id = $1`, w.max.ID)
		if got := refusal(w.pat, w.site); got != rescue.NoHelper {
			t.Errorf("the only admin who can get in: %q", got)
		}
		asked := w.ask(t, rescue.Waiting{User: w.max.ID, Attempt: "a-2", Place: elsewhere})
		if !slices.Equal(asked.Helpers, []string{"Pat Lee"}) {
			t.Errorf("Max asks %q", asked.Helpers)
		}
	})
}

func TestTheAdminsAreCalledThreeTimesAnHour(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		numbers := map[string]bool{}
		for range 3 {
			waits, _ := w.door(t, w.kim, w.site)
			numbers[w.ask(t, waits).Number] = true
			w.db.Clock.Advance(8 * time.Minute)
		}
		if len(numbers) != 3 {
			t.Errorf("three who wait under one name have the numbers %v", numbers)
		}
		waits, _ := w.door(t, w.kim, w.site)
		if _, refused, err := w.desk.Ask(t.Context(), waits); err != nil || refused != rescue.TooMany {
			t.Errorf("the fourth: %q, %v", refused, err)
		}
		if w.status(t, waits) != "" || w.count(t, w.kim, w.site.ID, audit.HelpAsked) != 3 {
			t.Error("the fourth was stored")
		}
		w.db.Clock.Advance(time.Hour + time.Second)
		waits, _ = w.door(t, w.kim, w.site)
		w.ask(t, waits)
	})
}

func TestAnAskEndsWithItsTimeAndWithItsAttempt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		waits, token := w.door(t, w.kim, w.site)
		waits.Until = w.db.Clock.Now().Add(5 * time.Minute)
		asked := w.ask(t, waits)
		if !asked.Until.Equal(waits.Until) {
			t.Errorf("it waits until %v", asked.Until)
		}
		w.db.Clock.Advance(5 * time.Minute)
		pat := w.in(t, w.pat, w.site)
		if w.status(t, waits) != rescue.AskOver || w.approve(t, pat, asked, asked.Number) != rescue.Over {
			t.Error("it outlives its time")
		}
		waits.Until = time.Time{}
		next := w.ask(t, waits)
		if next.ID == asked.ID || next.Until.Sub(w.db.Clock.Now()) > rescue.AskLife {
			t.Errorf("asked again: %+v", next)
		}
		if err := w.signin.Abandon(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		if refused := w.approve(t, pat, next, next.Number); refused != rescue.Over || w.status(t, waits) != rescue.AskOver {
			t.Errorf("the attempt is gone: %q, %q", refused, w.status(t, waits))
		}
		if w.count(t, w.kim, w.site.ID, audit.HelpApproved) != 0 {
			t.Error("it was approved all the same")
		}
	})
}
