package signin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/limit"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

// refused is the one answer to whatever is wrong before the second step.
var refused = signin.Next{Step: signin.AskPassword, Wrong: signin.WrongPassword}

// outsiders are people who cannot come in, whatever they type.
func (w *world) outsiders(t *testing.T) map[string]user.User {
	t.Helper()
	all := map[string]user.User{
		"blocked":         w.user(t, "bea@bayside.example", "Bea", "Ash"),
		"inactive":        w.user(t, "ina@bayside.example", "Ina", "Ash"),
		"blocked mobile":  w.user(t, "max@bayside.example", "Max", "Ash"),
		"of no site":      w.user(t, "zoe@bayside.example", "Zoe", "Ash"),
		"with none to be": w.userWith(t, "ned@bayside.example", "Ned", "Ash", password.Stored{}),
	}
	w.join(t, all["blocked"], w.xero, policy.GroupUser, policy.Office, policy.Blocked)
	w.join(t, all["inactive"], w.xero, policy.GroupUser, policy.Office, policy.Inactive)
	w.join(t, all["blocked mobile"], w.xero, policy.GroupUser, policy.Mobile, policy.Blocked)
	w.join(t, all["with none to be"], w.xero, policy.GroupUser, policy.Office, policy.Active)
	return all
}

func TestWhateverIsWrongTheAnswerIsTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for sort, who := range w.outsiders(t) {
			if next := w.try(t, string(who.Login), rightPassword, home); next != refused {
				t.Errorf("somebody %s: %+v", sort, next)
			}
			want := []audit.Kind{audit.SignInRefused}
			if sort == "with none to be" {
				want = []audit.Kind{audit.PasswordWrong}
			}
			if got := w.kinds(t, who); !slices.Equal(got, want) {
				t.Errorf("the trail of somebody %s: %q", sort, got)
			}
		}
		for _, login := range []string{"nobody@bayside.example", "", "a\nb", "two@x.example, one@x.example"} {
			if next := w.try(t, login, rightPassword, home); next != refused {
				t.Errorf("the name %q: %+v", login, next)
			}
		}
		for _, typed := range []string{"wrong", "", rightPassword + " ", string(make([]byte, 2000))} {
			if next := w.try(t, string(w.pat.Login), typed, at("", "192.0.2.77")); next != refused {
				t.Errorf("the password %.20q: %+v", typed, next)
			}
		}
		if got := w.times(t, w.pat, audit.PasswordWrong); got != 4 {
			t.Errorf("%d wrong passwords in the trail", got)
		}
		if got := texts(t, w.db, `SELECT attempt_id FROM attempts`); len(got) != 0 {
			t.Errorf("%d attempts were made", len(got))
		}
	})
}

func TestAfterFiveWrongPasswordsThatNetworkWaitsAndOthersDoNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		began := w.db.Clock.Now()
		for range 5 {
			if next := w.try(t, string(w.pat.Login), "wrong", home); next != refused {
				t.Fatalf("%+v", next)
			}
		}
		for range 3 { // which prolongs nothing
			if next := w.try(t, string(w.pat.Login), rightPassword, home); next != refused {
				t.Errorf("the right one from that network: %+v", next)
			}
		}
		if got := w.times(t, w.pat, audit.PasswordWrong); got != 5 {
			t.Errorf("%d wrong passwords in the trail", got)
		}
		if next := w.try(t, " PAT@bayside.example", rightPassword, elsewhere); next.Step != signin.AskCode {
			t.Errorf("from another network: %+v", next)
		}
		if next := w.try(t, string(w.kim.Login), rightPassword, home); next.Step != signin.AskCode {
			t.Errorf("another person: %+v", next)
		}
		w.db.Clock.Advance(began.Add(14 * time.Minute).Sub(w.db.Clock.Now()))
		if next := w.try(t, string(w.pat.Login), rightPassword, home); next != refused {
			t.Errorf("after 14 minutes: %+v", next)
		}
		w.db.Clock.Advance(2 * time.Minute)
		if next := w.try(t, string(w.pat.Login), rightPassword, home); next.Step != signin.AskCode {
			t.Errorf("after 16 minutes: %+v", next)
		}
		w.db.Clock.Advance(time.Hour)
		w.skipped(t, w.pat, "password", "4")
	})
}

func TestWhoeverSharesANetworkCannotKeepAKnownBrowserOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.in(t, w.pat, at("pats own", "10.0.0.1"))
		for range limit.WrongPasswords.Cap + 1 {
			if next := w.try(t, string(w.pat.Login), "wrong", at("a guest", "10.0.0.1")); next.Wrong != signin.WrongPassword {
				t.Fatalf("%+v", next)
			}
		}
		if next := w.try(t, string(w.pat.Login), rightPassword, at("a guest", "10.0.0.1")); next.Wrong != signin.WrongPassword {
			t.Errorf("the guest's right guess was looked at: %+v", next)
		}
		if next := w.try(t, string(w.pat.Login), rightPassword, at("pats own", "10.0.0.1")); next.Step != signin.AskCode {
			t.Errorf("the owner at the own browser: %+v", next)
		}
	})
}

func TestAStrangeNetworkHasTwentyWrongPasswordsOverAllNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.in(t, w.kim, home)
		for i := range 20 {
			if next := w.try(t, fmt.Sprintf("name%d@bayside.example", i), "Summer2026", home); next != refused {
				t.Fatalf("%+v", next)
			}
		}
		if next := w.try(t, string(w.pat.Login), rightPassword, home); next != refused {
			t.Errorf("from that network: %+v", next)
		}
		if next := w.try(t, string(w.kim.Login), rightPassword, home); next.Step != signin.AskCode {
			t.Errorf("somebody who is known there: %+v", next)
		}
		if next := w.try(t, string(w.pat.Login), rightPassword, elsewhere); next.Step != signin.AskCode {
			t.Errorf("from another network: %+v", next)
		}
	})
}

// legacy is a hash as another system left it.
type legacy struct{ Form, Hash, Password, From string }

func oldHashes(t *testing.T) []legacy {
	t.Helper()
	raw, err := os.ReadFile("../password/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []legacy
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEachOldHashSignsInOnceAndIsNewAfterwards(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		forms := map[string]int{}
		for i, old := range oldHashes(t) {
			hash, err := password.Parse(old.Hash)
			if err != nil {
				t.Fatal(err)
			}
			if forms[old.Form]++; forms[old.Form] > 2 {
				continue // package password tests them all
			}
			from := at("", fmt.Sprint("10.1.0.", i))
			who := w.userWith(t, fmt.Sprintf("old%d@hilltop.example", i), "Old", "Hand", hash)
			w.join(t, who, w.free, policy.GroupUser, policy.Office, policy.Active)
			if next := w.try(t, string(who.Login), "x"+old.Password, from); next != refused {
				t.Errorf("%s (%s), a wrong password: %+v", old.Form, old.From, next)
			}
			for range 2 {
				if next := w.try(t, string(who.Login), old.Password, from); next.Step != signin.In {
					t.Errorf("%s (%s): %+v", old.Form, old.From, next)
				}
			}
			after, err := user.ByID(t.Context(), w.db, who.ID)
			if err != nil || after.Password.Form() != password.Argon2id || after.Password.NeedsRehash() {
				t.Errorf("%s (%s) became %s, %v", old.Form, old.From, after.Password, err)
			}
			if got := w.times(t, who, audit.PasswordRehashed); got != 1 {
				t.Errorf("%s (%s): rehashed %d times", old.Form, old.From, got)
			}
		}
		if len(forms) != 6 {
			t.Errorf("only the forms %v", forms)
		}
	})
}

func TestTwoSignInsAtOnceStoreOneBetterHash(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		old := oldHashes(t)[0]
		hash, err := password.Parse(old.Hash)
		if err != nil {
			t.Fatal(err)
		}
		who := w.userWith(t, "two@hilltop.example", "Two", "Hands", hash)
		w.join(t, who, w.free, policy.GroupUser, policy.Office, policy.Active)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				next, err := w.desk.Password(t.Context(), signin.Try{
					Login: string(who.Login), Password: secret.NewText(old.Password), Place: at("", fmt.Sprint("10.2.0.", i)),
				})
				if err != nil || next.Step != signin.In {
					t.Errorf("%+v, %v", next, err)
				}
			})
		}
		all.Wait()
		if got := w.times(t, who, audit.PasswordRehashed); got != 1 {
			t.Errorf("rehashed %d times", got)
		}
		if next := w.try(t, string(who.Login), old.Password, home); next.Step != signin.In {
			t.Errorf("afterwards: %+v", next)
		}
	})
}

// occupied keeps the desk's only slot until free is called.
func (w *world) occupied(t *testing.T, slots *password.Slots) (free func()) {
	t.Helper()
	w.desk.Slots = slots
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = slots.Run(context.Background(), password.Turn{}, func() { close(held); <-release })
	}()
	<-held
	return sync.OnceFunc(func() { close(release); <-done })
}

func TestAPasswordThatIsChangedWhileItIsHashedOpensNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		slots := &password.Slots{Size: 1}
		free := w.occupied(t, slots)
		defer free()
		answer := make(chan signin.Next, 1)
		go func() {
			next, err := w.desk.Password(t.Context(), signin.Try{
				Login: string(w.alex.Login), Password: secret.NewText(rightPassword), Place: home,
			})
			if err != nil {
				t.Error(err)
			}
			answer <- next
		}()
		for waiting := 0; waiting == 0; runtime.Gosched() {
			_, waiting = slots.Load()
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return user.SetPassword(ctx, tx, w.alex.ID, password.Dummy())
		})
		free()
		if next := <-answer; next != refused {
			t.Errorf("%+v", next)
		}
		if got := texts(t, w.db, `SELECT session_id FROM sessions`); len(got) != 0 {
			t.Errorf("%d sessions", len(got))
		}
	})
}

func TestATryThatFindsNoSlotCostsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		free := w.occupied(t, &password.Slots{Size: 1, Waiting: 1, PerNetwork: 1})
		defer free()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 2 * limit.WrongPasswords.Cap {
			_, err := w.desk.Password(gone, signin.Try{Login: string(w.alex.Login), Password: secret.NewText(rightPassword), Place: home})
			if err == nil {
				t.Fatal("somebody who had gone away was answered")
			}
		}
		full := &password.Slots{Size: 1, Waiting: -1}
		freeFull := w.occupied(t, full)
		for range 2 * limit.WrongPasswords.Cap {
			_, err := w.desk.Password(t.Context(), signin.Try{Login: string(w.alex.Login), Password: secret.NewText(rightPassword), Place: home})
			if !errors.Is(err, fault.Busy) {
				t.Fatalf("with no slot: %v", err)
			}
		}
		freeFull()
		if next := w.try(t, string(w.alex.Login), rightPassword, home); next.Step != signin.In {
			t.Errorf("with a slot: %+v", next)
		}
	})
}

// floor is far above the time of any answer in these tests.
const floor = 200 * time.Millisecond

func TestEveryAnswerToAPasswordLeavesNoSoonerThanTheFloor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.desk.Floor.Set(floor)
		for range 5 {
			w.timed(t, "a wrong password", string(w.kim.Login), "wrong", elsewhere)
		}
		w.timed(t, "one that is not looked at", string(w.kim.Login), rightPassword, elsewhere)
		w.timed(t, "a name that nobody has", "nobody@bayside.example", "wrong", home)
		w.timed(t, "the right password", string(w.pat.Login), rightPassword, home)
		w.timed(t, "somebody blocked", string(w.outsiders(t)["blocked"].Login), rightPassword, home)
		w.desk.Floor.Set(0)
		w.desk.Pace.Set(floor)
		w.timed(t, "one that is not looked at, with no old hashes", string(w.kim.Login), rightPassword, elsewhere)
	})
}

func (w *world) timed(t *testing.T, what, login, typed string, from session.Place) {
	t.Helper()
	began := time.Now()
	w.try(t, login, typed, from)
	if took := time.Since(began); took < floor-time.Millisecond {
		t.Errorf("%s was answered after %s", what, took)
	}
}

func TestAMobileMemberIsToldThatTheWebIsNotForThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		mo := w.user(t, "mo@bayside.example", "Mo", "Reyes")
		w.join(t, mo, w.xero, policy.GroupMechanic, policy.Mobile, policy.Active)
		if next := w.try(t, string(mo.Login), "wrong", home); next != refused {
			t.Errorf("with a wrong password: %+v", next)
		}
		if next := w.try(t, string(mo.Login), rightPassword, home); next != (signin.Next{Step: signin.Refused}) {
			t.Errorf("with the right one: %+v", next)
		}
		if got := w.kinds(t, mo); !slices.Equal(got, []audit.Kind{audit.PasswordWrong, audit.SignInRefused}) {
			t.Errorf("the trail: %q", got)
		}
		next, err := w.desk.Password(t.Context(), signin.Try{
			Login: string(mo.Login), Password: secret.NewText(rightPassword), Place: home, Client: policy.ClientMobile,
		})
		if err != nil || next.Step != signin.In {
			t.Errorf("in the app: %+v, %v", next, err)
		}
	})
}
