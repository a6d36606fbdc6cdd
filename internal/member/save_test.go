package member_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/login"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func TestASavedEmailIsTheOnlyLoginAndHasNoPowerOfItsOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat, kims := w.in(t, w.pat, w.site), w.in(t, w.kim, w.site)
		saved := w.save(t, pat, w.kim, email(" Kim.New@Bayside.example "))
		if saved.Refused != "" || !saved.Login || time.Until(saved.Until) < 6*24*time.Hour {
			t.Fatalf("saved: %+v", saved)
		}
		if now := w.again(t, w.kim).Login; now != "kim.new@bayside.example" {
			t.Errorf("the login name is %s", now)
		}
		if _, err := user.ByLogin(t.Context(), w.db, "kim@bayside.example"); !errors.Is(err, fault.NotFound) {
			t.Errorf("the old name: %v", err)
		}
		if w.alive(t, kims) {
			t.Error("a session from before goes on")
		}
		ways := w.ways(t, w.kim, policy.Email)
		if len(ways) != 1 || ways[0].Address != "kim.new@bayside.example" || !ways[0].NoRecovery || ways[0].AwaitsProof || !ways[0].ProvedAt.IsZero() {
			t.Errorf("the mailboxes are %+v", ways)
		}
		if n := len(w.sent(t, w.kim, message.LoginUndo)); n != 1 {
			t.Errorf("%d links to the old address", n)
		}
		if w.count(t, w.kim, w.site.ID, audit.LoginChanged) != 1 {
			t.Error("the trail does not say it")
		}
		if w.again(t, w.twinKim).Login != "kim@bayview.example" {
			t.Error("the twin was changed")
		}
	})
}

func TestANewEmailOfSomebodyWithAnotherProvedWayWaitsForThatOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.TOTP, "")
		if saved := w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.new@bayside.example")); saved.Refused != "" {
			t.Fatalf("saved: %+v", saved)
		}
		if m := w.ways(t, w.kim, policy.Email)[0]; !m.AwaitsProof || !m.NoRecovery {
			t.Errorf("the mailbox is %+v", m)
		}
		// A new number is pending for the same reason.
		saved := w.save(t, w.in(t, w.pat, w.site), w.kim, func(f *member.Form) { f.Mobile = "0491 570 156" })
		if m := w.ways(t, w.kim, policy.SMS); saved.Refused != "" || !saved.Pending || len(m) != 1 || !m[0].Pending {
			t.Errorf("the number: %+v, %+v", saved, m)
		}
	})
}

func TestTheOldAddressUndoesOnceAndTheOldestWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.b@bayside.example"))
		w.confirm(t, w.kim)
		w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.c@bayside.example"))
		links := w.sent(t, w.kim, message.LoginUndo)
		if len(links) != 2 {
			t.Fatalf("%d links", len(links))
		}
		// The names are kept: nobody else can take them, and the answer is that of any name
		// that cannot be had.
		if saved := w.save(t, w.in(t, w.twinPat, w.twin), w.twinKim, email("kim@bayside.example")); saved.Refused != member.CannotUse {
			t.Errorf("a kept name: %+v", saved)
		}
		if saved := w.save(t, w.in(t, w.twinPat, w.twin), w.twinKim, email("max@bayside.example")); saved.Refused != member.CannotUse {
			t.Errorf("somebody's name: %+v", saved)
		}
		err := w.db.Do(t.Context(), func(tx *db.Tx) error {
			_, err := user.Add(t.Context(), tx, user.User{Login: "kim@bayside.example"})
			return err
		})
		if !errors.Is(err, fault.Conflict) {
			t.Errorf("a new user with a kept name: %v", err)
		}
		before := w.in(t, w.kim, w.site)
		if _, found, err := w.desk.Login.View(t.Context(), links[0]); err != nil || found != login.May {
			t.Errorf("view: %v, %v", found, err)
		}
		for n, link := range []string{links[0], links[0], links[1]} {
			want := []login.Found{login.Done, login.Done, login.Over}[n]
			if found, err := w.desk.Login.Undo(t.Context(), link, place); err != nil || found != want {
				t.Errorf("undo %d: %q, %v", n, found, err)
			}
		}
		if now := w.again(t, w.kim).Login; now != "kim@bayside.example" {
			t.Errorf("the login name is %s", now)
		}
		if w.alive(t, before) {
			t.Error("a session from before the undo goes on")
		}
		if m := w.ways(t, w.kim, policy.Email); len(m) != 1 || m[0].Address != "kim@bayside.example" || m[0].NoRecovery {
			t.Errorf("the mailboxes are %+v", m)
		}
		if n := w.count(t, w.kim, w.site.ID, audit.LoginUndone); n != 1 {
			t.Errorf("%d undos in the trail", n)
		}
	})
}

func TestTheAdminsAreToldOfAnUndoAndTheFormSaysSoUntilTheNextChange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.b@bayside.example"))
		link := w.sent(t, w.kim, message.LoginUndo)[0]
		if found, err := w.desk.Login.Undo(t.Context(), link, place); err != nil || found != login.Done {
			t.Fatalf("undo: %q, %v", found, err)
		}
		told := `SELECT COUNT(*) FROM notices WHERE kind = $1 AND user_id = $2 AND site_id = $3 AND words LIKE '%"who"%'`
		for _, admin := range []user.User{w.pat, w.max} {
			if n := w.rows(t, told, string(message.LoginUndone), admin.ID, w.site.ID); n != 1 {
				t.Errorf("%s has %d notices", admin.Name(), n)
			}
		}
		if n := w.rows(t, told, string(message.LoginUndone), w.twinPat.ID, w.twin.ID); n != 0 {
			t.Errorf("the Admin of the twin has %d notices", n)
		}
		undone := func() user.LoginChange {
			card, err := w.desk.Card(t.Context(), w.in(t, w.pat, w.site), w.kim.ID)
			if err != nil {
				t.Fatal(err)
			}
			return card.Undone
		}
		if c := undone(); c.Old != "kim@bayside.example" || c.New != "kim.b@bayside.example" || c.UsedAt.IsZero() {
			t.Errorf("the form says %+v", c)
		}
		w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.d@bayside.example"))
		if c := undone(); c.ID != "" {
			t.Errorf("after the next change the form still says %+v", c)
		}
	})
}

func TestAnUndoDiesWithTheMembershipAndFreesTheName(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.b@bayside.example"))
		link := w.sent(t, w.kim, message.LoginUndo)[0]
		if refused, err := w.desk.Left(t.Context(), w.in(t, w.pat, w.site), w.kim.ID); err != nil || refused != "" {
			t.Fatalf("left: %v, %v", refused, err)
		}
		if found, err := w.desk.Login.Undo(t.Context(), link, place); err != nil || found != login.Over {
			t.Errorf("undo: %q, %v", found, err)
		}
		if now := w.again(t, w.kim).Login; now != "kim.b@bayside.example" {
			t.Errorf("the login name is %s", now)
		}
		if saved := w.save(t, w.in(t, w.twinPat, w.twin), w.twinKim, email("kim@bayside.example")); saved.Refused != "" {
			t.Errorf("the name is not free: %+v", saved)
		}
	})
}

func TestOnlyOneOfTwoAdminsChangesAnEmail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := []authority.Bearer{w.in(t, w.pat, w.site), w.in(t, w.max, w.site)}
		to := []string{"kim.p@bayside.example", "kim.m@bayside.example"}
		was := w.form(t, by[0], w.kim)
		out := together(t, 2, func(i int) (member.Saved, error) {
			now := was
			now.Email = to[i]
			return w.desk.Save(t.Context(), by[i], w.kim.ID, member.Typed{Was: was, Now: now})
		})
		won, lost := 0, 1
		if out[0].Refused != "" {
			won, lost = 1, 0
		}
		if out[won].Refused != "" || out[lost].Refused != member.Changed || out[lost].Stored.Email != to[won] {
			t.Errorf("they were told %+v and %+v", out[0], out[1])
		}
		if now := w.again(t, w.kim).Login; string(now) != to[won] {
			t.Errorf("the login name is %s", now)
		}
	})
}

func TestTwoAdminsWhoRemoveEachOtherLeaveOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by, whom := []authority.Bearer{w.in(t, w.pat, w.site), w.in(t, w.max, w.site)}, []user.User{w.max, w.pat}
		out := together(t, 2, func(i int) (bool, error) {
			refused, err := w.desk.Left(t.Context(), by[i], whom[i].ID)
			if errors.Is(err, fault.NotFound) {
				return false, nil // they are no Admin any more
			}
			return refused == "", err
		})
		admins, err := site.Admins(t.Context(), w.db, w.db.Clock.Now(), w.site.ID)
		if err != nil || len(admins) != 1 || out[0] == out[1] {
			t.Errorf("%v were done, and %d Admins are left: %v", out, len(admins), err)
		}
	})
}

func TestASlowUndoAndASignInLeaveOneNameAndNoOldSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.b@bayside.example"))
		link := w.sent(t, w.kim, message.LoginUndo)[0]
		var entered authority.Bearer
		under, err := session.Under(t.Context(), w.db, session.Session{User: w.kim.ID, Site: w.site.ID})
		if err != nil {
			t.Fatal(err)
		}
		together(t, 2, func(i int) (bool, error) {
			if i == 0 {
				_, err := w.desk.Login.Undo(t.Context(), link, place)
				return true, err
			}
			return true, w.db.Do(t.Context(), func(tx *db.Tx) (err error) { // as a sign-in does, under the number of its password
				under.PasswordAt, under.EndsAt, under.Client = tx.Now, tx.Now.Add(time.Hour), string(policy.ClientWeb)
				entered.Session, _, err = session.Start(t.Context(), tx, under)
				return err
			})
		})
		if w.alive(t, entered) {
			t.Error("the sign-in with the new address goes on after the undo")
		}
	})
}

func TestWhatAnAdminMayNotChangeIsAnAnswer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		if _, err := w.desk.Card(t.Context(), pat, w.twinKim.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("somebody of another site: %v", err)
		}
		if _, err := w.desk.Save(t.Context(), pat, w.twinKim.ID, member.Typed{}); !errors.Is(err, fault.NotFound) {
			t.Errorf("a form of another site: %v", err)
		}
		if _, err := w.desk.Card(t.Context(), w.in(t, w.kim, w.site), w.kim.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("a Mechanic: %v", err)
		}
		old := w.in(t, w.pat, w.site)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return tx.Change(ctx, `UPDATE sessions SET factor_at = 1, password_at = 1 WHERE session_id = $1`, old.Session.ID)
		})
		for _, c := range []struct {
			name   string
			by     authority.Bearer
			whom   user.User
			change func(*member.Form)
			want   member.Refused
		}{
			{"the email of somebody with another site", pat, w.bo, email("bo.new@books.example"), member.Elsewhere},
			{"the name of somebody with another site", pat, w.bo, func(f *member.Form) { f.First = "Bob" }, member.Elsewhere},
			{"the group of somebody with another site", pat, w.bo, func(f *member.Form) { f.Group = policy.GroupPayOnly }, ""},
			{"one's own group", pat, w.pat, func(f *member.Form) { f.Group = policy.GroupOwner }, member.Oneself},
			{"one's own email", pat, w.pat, email("pat.new@bayside.example"), member.Oneself},
			{"nothing", pat, w.kim, email("KIM@bayside.example"), ""},
			{"no email", pat, w.kim, email("  "), member.NoEmail},
			{"no address", pat, w.kim, email("kim at bayside"), member.BadEmail},
			{"two addresses", pat, w.kim, email("kim@bayside.example, max@bayside.example"), member.BadEmail},
			{"a colleague's address", pat, w.kim, email("max@bayside.example"), member.TakenHere},
			{"an address held elsewhere", pat, w.kim, email("kim@bayview.example"), member.CannotUse},
			{"a domain that takes no mail", pat, w.kim, email("kim@bayside.invalid"), member.CannotUse},
			{"a slip", pat, w.kim, email("kim@gmial.com"), member.Doubtful},
			{"a role mailbox", pat, w.kim, email("workshop@bayside.example"), member.Doubtful},
			{"a landline", pat, w.kim, func(f *member.Form) { f.Mobile = "07 3221 0000" }, member.BadMobile},
			{"a group that is none", pat, w.kim, func(f *member.Form) { f.Group = "Boss" }, member.BadChoice},
			{"name and email", pat, w.kim, func(f *member.Form) { f.First, f.Email = "Jo", "jo@bayside.example" }, member.WhichPerson},
			{"without a fresh proof", old, w.kim, email("kim.new@bayside.example"), member.NotFresh},
		} {
			if saved := w.save(t, c.by, c.whom, c.change); saved.Refused != c.want {
				t.Errorf("%s: %q, want %q", c.name, saved.Refused, c.want)
			}
		}
		// A slip is saved all the same by the word of the page that asked.
		was := w.form(t, pat, w.kim)
		now := was
		now.Email = "kim@gmial.example"
		saved, err := w.desk.Save(t.Context(), pat, w.kim.ID, member.Typed{Was: was, Now: now})
		if err != nil || saved.Suggested != "kim@gmail.example" {
			t.Fatalf("a slip: %+v, %v", saved, err)
		}
		saved, err = w.desk.Save(t.Context(), pat, w.kim.ID, member.Typed{Was: was, Now: now, Sure: saved.Sure})
		if err != nil || saved.Refused != "" {
			t.Errorf("all the same: %+v, %v", saved, err)
		}
	})
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		for _, change := range []func(*member.Form){
			func(f *member.Form) { f.Group = policy.GroupOwner },
			func(f *member.Form) { f.Kind = policy.Mobile },
			func(f *member.Form) { f.Status = policy.Blocked },
		} {
			if saved := w.save(t, w.in(t, w.twinPat, w.twin), w.twinPat, change); saved.Refused != member.Oneself {
				t.Errorf("the only Admin: %+v", saved)
			}
		}
		maxs := w.in(t, w.max, w.site)
		if saved := w.save(t, pat, w.max, func(f *member.Form) { f.Kind = policy.Mobile }); saved.Refused != "" {
			t.Errorf("one of two: %+v", saved)
		}
		if w.alive(t, maxs) {
			t.Error("the session of another kind goes on")
		}
	})
}

func TestAnotherPersonGetsALoginOfTheirOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat, kims := w.in(t, w.pat, w.site), w.in(t, w.kim, w.site)
		was := w.form(t, pat, w.kim)
		now := was
		now.First, now.Last, now.Email = "Jo", "Tran", "jo@bayside.example"
		saved, err := w.desk.Save(t.Context(), pat, w.kim.ID, member.Typed{Was: was, Now: now, Person: member.Another})
		if err != nil || saved.Refused != "" || saved.Newcomer == "" {
			t.Fatalf("another person: %+v, %v", saved, err)
		}
		kim, jo := w.again(t, w.kim), w.again(t, user.User{ID: saved.Newcomer})
		if kim.Login != "kim@bayside.example" || kim.Name() != "Kim Osei" || jo.Name() != "Jo Tran" || jo.Password.Encoded() != "" {
			t.Errorf("they are %s and %s", kim.Login, jo.Login)
		}
		if w.alive(t, kims) {
			t.Error("the session of the one before goes on")
		}
		if card, err := w.desk.Card(t.Context(), pat, w.kim.ID); err != nil || card.Member.Status != policy.Inactive {
			t.Errorf("the one before: %v, %v", card.Member.Status, err)
		}
		if len(w.sent(t, w.kim, message.LoginUndo)) != 0 {
			t.Error("there is something to undo")
		}
		// The invitation sets a first password, which leaves no mark of a reset.
		links := w.sent(t, jo, message.ResetLink)
		if len(links) != 1 {
			t.Fatalf("%d invitations", len(links))
		}
		set, err := w.rescue.SetPassword(t.Context(), links[0], secret.NewText("thirty rusty spanners"), place)
		if err != nil || set != (rescue.Set{}) {
			t.Fatalf("a first password: %+v, %v", set, err)
		}
		if jo = w.again(t, jo); !jo.ResetMarkAt.IsZero() || jo.Password.Encoded() == "" {
			t.Error("the first password left a mark, or none was set")
		}
		// The same person is only renamed.
		max := w.form(t, pat, w.max)
		renamed := max
		renamed.First, renamed.Email = "Maxine", "maxine@bayside.example"
		saved, err = w.desk.Save(t.Context(), pat, w.max.ID, member.Typed{Was: max, Now: renamed, Person: member.Same})
		if err != nil || saved.Refused != "" || w.again(t, w.max).Login != "maxine@bayside.example" {
			t.Errorf("the same person: %+v, %v", saved, err)
		}
	})
}

func TestWhoHasLeftIsSignedOutAndTheirHelpCodesEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		mx := w.in(t, w.max, w.site)
		if _, refused, err := w.rescue.GiveHelpCode(t.Context(), mx, w.kim.ID); err != nil || refused != "" {
			t.Fatalf("a help code: %v, %v", refused, err)
		}
		w.save(t, mx, w.kim, func(f *member.Form) { f.BusinessIntelligence = true })
		if refused, err := w.desk.Left(t.Context(), w.in(t, w.pat, w.site), w.max.ID); err != nil || refused != "" {
			t.Fatalf("left: %v, %v", refused, err)
		}
		if w.alive(t, mx) {
			t.Error("their session goes on")
		}
		open, err := db.Many(t.Context(), w.db, func(r db.Row) (s string, err error) { return s, r.Scan(&s) },
			`SELECT help_code_id FROM help_codes WHERE ended_at IS NULL AND used_at IS NULL`)
		if err != nil || len(open) != 0 {
			t.Errorf("%d help codes of theirs are open: %v", len(open), err)
		}
		deeds, cut, err := member.Deeds(t.Context(), w.db, w.db.Clock.Now(), w.site.ID, w.max.ID)
		if err != nil || cut || len(deeds) != 2 || deeds[0].Kind != audit.MembershipChanged || deeds[1].Kind != audit.HelpCodeGiven {
			t.Errorf("their deeds: %+v, %v", deeds, err)
		}
		// Somebody who works elsewhere loses this site alone.
		bo := w.in(t, w.bo, w.twin)
		if refused, err := w.desk.Left(t.Context(), w.in(t, w.pat, w.site), w.bo.ID); err != nil || refused != "" {
			t.Fatalf("left: %v, %v", refused, err)
		}
		if !w.alive(t, bo) {
			t.Error("the session at the other site ended")
		}
	})
}

// together runs the same thing many times at once, and gives what each said.
func together[T any](t *testing.T, n int, fn func(i int) (T, error)) []T {
	t.Helper()
	out, errs := make([]T, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { out[i], errs[i] = fn(i) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	return out
}
