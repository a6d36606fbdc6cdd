package member_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// another sends a form by which somebody else takes a member's place.
func (w *world) another(t *testing.T, by authority.Bearer, whom user.User, to string, change func(*member.Form)) member.Saved {
	t.Helper()
	was := w.form(t, by, whom)
	now := was
	now.First, now.Last, now.Email = "Jo", "Tran", to
	if change != nil {
		change(&now)
	}
	saved, err := w.desk.Save(t.Context(), by, whom.ID, member.Typed{Was: was, Now: now, Person: member.Another})
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// rows counts what a query counts.
func (w *world) rows(t *testing.T, query string, args ...any) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOnlyAnActivePlaceIsTakenAndNobodyNewIsAnAdmin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		admin := func(f *member.Form) { f.Group = policy.GroupAdmin }
		if saved := w.another(t, pat, w.kim, "jo@bayside.example", admin); saved.Refused != member.AdminNewcomer {
			t.Errorf("a new Admin in a Mechanic's place: %+v", saved)
		}
		if saved := w.another(t, pat, w.max, "jo@bayside.example", nil); saved.Refused != member.AdminNewcomer {
			t.Errorf("a new Admin in an Admin's place: %+v", saved)
		}
		if refused, err := w.desk.Left(t.Context(), pat, w.kim.ID); err != nil || refused != "" {
			t.Fatal(refused, err)
		}
		back := func(f *member.Form) { f.Status = policy.Active }
		if saved := w.another(t, pat, w.kim, "jo@bayside.example", back); saved.Refused != member.NotActive {
			t.Errorf("the place of somebody who has left: %+v", saved)
		}
		if saved := w.save(t, pat, w.bo, func(f *member.Form) { f.Status = policy.Blocked }); saved.Refused != "" {
			t.Fatal(saved)
		}
		if n := w.rows(t, `SELECT COUNT(*) FROM users WHERE login = 'jo@bayside.example'`); n != 0 {
			t.Errorf("%d were made", n)
		}
		// Whoever was only made inactive comes back.
		if saved := w.save(t, pat, w.kim, back); saved.Refused != "" {
			t.Errorf("back again: %+v", saved)
		}
	})
}

func TestWhoWasReplacedIsNotMadeActiveAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		if saved := w.another(t, pat, w.kim, "jo@bayside.example", nil); saved.Newcomer == "" {
			t.Fatalf("another person: %+v", saved)
		}
		for _, status := range []policy.Status{policy.Active, policy.Blocked, policy.Active} {
			want := member.Replaced
			if status == policy.Blocked {
				want = ""
			}
			if saved := w.save(t, pat, w.kim, func(f *member.Form) { f.Status = status }); saved.Refused != want {
				t.Errorf("%s: %+v", status, saved)
			}
		}
		if saved := w.save(t, w.in(t, w.twinPat, w.twin), w.twinKim, func(f *member.Form) { f.Status = policy.Blocked }); saved.Refused != "" {
			t.Fatal(saved)
		}
		if saved := w.save(t, w.in(t, w.twinPat, w.twin), w.twinKim, func(f *member.Form) { f.Status = policy.Active }); saved.Refused != "" {
			t.Errorf("the twin: %+v", saved)
		}
	})
}

func TestFiveNewPeopleADayTakeAPlaceAtASite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat, whom := w.in(t, w.pat, w.site), w.kim
		for i := range 6 {
			saved := w.another(t, pat, whom, fmt.Sprintf("jo%d@bayside.example", i), nil)
			if i == 5 {
				if wait := saved.Retry.Sub(w.db.Clock.Now()); saved.Refused != member.TooManyNewcomers || wait <= 0 || wait > 24*time.Hour {
					t.Errorf("the sixth: %+v", saved)
				}
				return
			}
			if saved.Newcomer == "" {
				t.Fatalf("newcomer %d: %+v", i, saved)
			}
			whom = user.User{ID: saved.Newcomer}
		}
	})
}

func TestNothingIsSaidOfAnAddressWithoutAFreshProofNorWithoutEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		stale, pat := w.in(t, w.pat, w.site), w.in(t, w.pat, w.site)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return tx.Change(ctx, `UPDATE sessions SET factor_at = 1, password_at = 1 WHERE session_id = $1`, stale.Session.ID)
		})
		for _, to := range []string{"kim@bayview.example", "max@bayside.example", "nobody@bayview.example"} {
			if saved := w.save(t, stale, w.kim, email(to)); saved.Refused != member.NotFresh {
				t.Errorf("%s without a proof: %+v", to, saved)
			}
		}
		for i := range 31 {
			want := member.CannotUse
			if i == 30 {
				want = member.TooManyAddresses
			}
			if saved := w.save(t, pat, w.kim, email("kim@bayview.example")); saved.Refused != want || (want == member.CannotUse) != saved.Retry.IsZero() {
				t.Fatalf("address %d: %+v", i, saved)
			}
		}
		if saved := w.save(t, w.in(t, w.max, w.site), w.kim, email("kim@bayview.example")); saved.Refused != member.CannotUse {
			t.Errorf("another Admin: %+v", saved)
		}
	})
}

func TestALoginNameIsChangedThreeTimesADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		for i := range 4 {
			saved := w.save(t, pat, w.kim, email(fmt.Sprintf("kim%d@stranger.example", i)))
			if i < 3 && saved.Refused != "" || i == 3 && (saved.Refused != member.TooManyLogins || saved.Retry.IsZero()) {
				t.Errorf("change %d: %+v", i, saved)
			}
		}
		// Of addresses that an Admin gave and nobody confirmed none keeps an undo: the first alone.
		if n := w.rows(t, `SELECT COUNT(*) FROM login_changes WHERE user_id = $1`, w.kim.ID); n != 1 {
			t.Errorf("%d changes are kept", n)
		}
		if saved := w.save(t, pat, w.max, email("max1@stranger.example")); saved.Refused != "" {
			t.Errorf("a colleague's: %+v", saved)
		}
	})
}

func TestTheOtherAdminsAreToldOfWhoeverIsStoppedAndTheirHelpCodesEnd(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*member.Form){
		"blocked":  func(f *member.Form) { f.Status = policy.Blocked },
		"inactive": func(f *member.Form) { f.Status = policy.Inactive },
		"no_admin": func(f *member.Form) { f.Group = policy.GroupOwner },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *world) {
				max, lu := w.in(t, w.max, w.site), w.user(t, "lu@bayside.example", "Lu", "Roy", w.site, policy.GroupAdmin)
				if _, refused, err := w.rescue.GiveHelpCode(t.Context(), max, w.kim.ID); err != nil || refused != "" {
					t.Fatal(refused, err)
				}
				if saved := w.save(t, w.in(t, w.pat, w.site), w.max, stop); saved.Refused != "" {
					t.Fatal(saved)
				}
				if n := w.rows(t, `SELECT COUNT(*) FROM help_codes WHERE given_by = $1 AND used_at IS NULL AND ended_at IS NULL`, w.max.ID); n != 0 {
					t.Errorf("%d of their help codes live on", n)
				}
				told := `SELECT COUNT(*) FROM notices WHERE kind = $1 AND user_id = $2 AND words LIKE $3`
				if n := w.rows(t, told, string(message.MemberStopped), lu.ID, "%"+name+"%"); n != 1 {
					t.Errorf("the other Admin has %d notices", n)
				}
				if n := w.rows(t, `SELECT COUNT(*) FROM notices WHERE kind = $1`, string(message.MemberStopped)); n != 1 {
					t.Errorf("%d notices in all", n)
				}
			})
		})
	}
}

func TestWhoeverCameByAFormIsAnAdminOnlyAfterTheySignedInAndTheOthersAreTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		saved := w.another(t, pat, w.kim, "jo@bayside.example", nil)
		if saved.Newcomer == "" {
			t.Fatalf("another person: %+v", saved)
		}
		jo := user.User{ID: saved.Newcomer}
		admin := func(f *member.Form) { f.Group = policy.GroupAdmin }
		told := func(who user.User) int {
			return w.rows(t, `SELECT COUNT(*) FROM notices WHERE kind = $1 AND user_id = $2`, string(message.MemberAdmin), who.ID)
		}
		if saved := w.save(t, pat, jo, admin); saved.Refused != member.NotYetAdmin {
			t.Errorf("before they accepted: %+v", saved)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.SetPassword(ctx, tx, jo.ID, stored()) })
		if saved := w.save(t, pat, jo, admin); saved.Refused != member.NotYetAdmin {
			t.Errorf("before they signed in: %+v", saved)
		}
		if n := told(w.max); n != 0 {
			t.Errorf("Max was told %d times of nothing", n)
		}
		w.in(t, jo, w.site)
		if saved := w.save(t, pat, jo, admin); saved.Refused != "" {
			t.Errorf("after that: %+v", saved)
		}
		if saved := w.save(t, pat, w.bo, admin); saved.Refused != "" {
			t.Errorf("somebody who was here before: %+v", saved)
		}
		if max, pat, twin := told(w.max), told(w.pat), told(w.twinPat); max != 2 || pat != 0 || twin != 0 {
			t.Errorf("Max was told %d times, Pat %d, the twin's %d", max, pat, twin)
		}
	})
}

func TestWhoseAccessIsOverIsNotMadeActiveByAForm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.until(t, w.kim.ID, time.Hour)
		w.db.Clock.Advance(2 * time.Hour)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { _, err := site.End(ctx, tx, 10); return err })
		pat := w.in(t, w.pat, w.site)
		active := func(f *member.Form) { f.Status = policy.Active }
		if saved := w.save(t, pat, w.kim, active); saved.Refused != member.AccessOver {
			t.Errorf("%+v", saved)
		}
		w.until(t, w.kim.ID, time.Hour) // a new last day
		if saved := w.save(t, pat, w.kim, active); saved.Refused != "" {
			t.Errorf("with a new last day: %+v", saved)
		}
	})
}

func TestSessionsOfOnePersonAreEndedTenTimesAnHour(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		for i := range 11 {
			saved, err := w.desk.EndSessions(t.Context(), pat, w.kim.ID)
			if err != nil || (i < 10) != (saved.Refused == "") || i == 10 && (saved.Refused != member.TooMany || saved.Retry.IsZero()) {
				t.Errorf("time %d: %+v, %v", i, saved, err)
			}
		}
		if saved, err := w.desk.EndSessions(t.Context(), w.in(t, w.twinPat, w.twin), w.twinKim.ID); err != nil || saved.Refused != "" {
			t.Errorf("the twin: %+v, %v", saved, err)
		}
	})
}
