package rescue_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/user"
)

// story is what happened to one recovery, as those saw it who did it.
type story struct {
	which                 id.Recovery
	stop                  string
	begunBy, confirmedBy  id.User
	confirmedAt           time.Time
	contested, decidedFor bool
	over                  bool
	code                  string
}

// mayOpen says whether the law lets a code be read or typed.
func (s story) mayOpen(now time.Time) bool {
	return !s.over && s.confirmedBy != "" && s.confirmedBy != s.begunBy &&
		now.Sub(s.confirmedAt) >= rescue.Delay && (!s.contested || s.decidedFor)
}

func TestInNoOrderDoesARecoveryOpenTooSoonOrAgainstAStop(t *testing.T) {
	t.Parallel()
	// One engine: the law is about orders, and the other tests have the two engines agree.
	w := open(t, dbtest.Fresh(t, db.SQLite))
	w.people(t)
	w.prove(t, w.kim, policy.SMS, kimsNumber)
	w.db.Clock.Advance(rescue.OnFileFor)
	staff := []user.User{w.sam, w.toni, w.uma}
	opened := 0
	rapid.Check(t, func(r *rapid.T) {
		s := story{begunBy: rapid.SampledFrom(staff).Draw(r, "beginner").ID}
		for _, one := range staff {
			if one.ID == s.begunBy {
				s.which = w.begin(t, one, w.kim, kimsNumber)
			}
		}
		stops := w.secrets(t, w.kim, message.RecoveryStop)
		s.stop = stops[len(stops)-1]
		for range rapid.IntRange(4, 14).Draw(r, "steps") {
			by := rapid.SampledFrom(staff).Draw(r, "by")
			if w.step(t, r, &s, by, rapid.SampledFrom(steps).Draw(r, "what")) {
				opened++
			}
		}
		w.finish(t, staff, s)
	})
	if opened == 0 {
		t.Error("nothing was ever opened: the test shows nothing")
	}
}

// steps are what may happen, some more often than others.
var steps = []string{
	"confirm", "confirm", "stop", "go", "refuse", "read", "type", "let in", "let in", "let in", "wait", "day", "day",
}

// step does one thing, and fails the test where it opens what it must not. True says that
// an enrol-only session was opened.
func (w *world) step(t *testing.T, r *rapid.T, s *story, by user.User, what string) bool {
	t.Helper()
	now := w.db.Clock.Now()
	switch what {
	case "wait":
		w.db.Clock.Advance(time.Duration(rapid.IntRange(1, 20).Draw(r, "hours")) * time.Hour)
	case "day":
		w.db.Clock.Advance(rescue.Delay)
	case "confirm":
		if w.confirm(t, by, w.kim, s.which) == "" {
			s.confirmedBy, s.confirmedAt = by.ID, now
			if by.ID == s.begunBy || s.over || (s.contested && !s.decidedFor) {
				r.Fatalf("confirmed by %s", by.Login)
			}
		}
	case "stop":
		if w.stop(t, s.stop) == rescue.StopDone {
			s.contested = true
		}
	case "go", "refuse":
		if w.decide(t, by, w.kim, s.which, what == "go") == "" {
			if by.ID == s.begunBy || !s.contested || s.decidedFor || s.over {
				r.Fatalf("decided by %s", by.Login)
			}
			s.decidedFor, s.over = what == "go", what != "go"
		}
	case "let in":
		w.step(t, r, s, by, "read")
		return w.step(t, r, s, by, "type")
	case "read":
		if given, refused := w.read(t, by, w.kim, s.which); refused == "" {
			if s.code = given.Code; !s.mayOpen(now) {
				r.Fatalf("read at %v: %+v", now, *s)
			}
		}
	case "type":
		if s.code == "" {
			return false
		}
		waits, _ := w.door(t, w.kim, w.site)
		if w.typed(t, waits, s.code).OK {
			if !s.mayOpen(now) {
				r.Fatalf("opened at %v: %+v", now, *s)
			}
			s.over, s.code = true, ""
			return true
		}
	}
	return false
}

// finish ends what is open, so that the next one may begin.
func (w *world) finish(t *testing.T, staff []user.User, s story) {
	t.Helper()
	// The budgets of passwords and codes begin anew.
	w.db.Clock.Advance(time.Hour + time.Minute)
	for _, one := range staff {
		if one.ID == s.begunBy {
			continue
		}
		w.decide(t, one, w.kim, s.which, false)
		if _, err := w.desk.GiveUp(t.Context(), w.onDuty(t, one), w.kim.ID, s.which); err != nil {
			t.Fatal(err)
		}
	}
}
