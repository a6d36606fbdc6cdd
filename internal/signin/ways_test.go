package signin_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/check"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const kimsNumber, twinKimsNumber = "+61491570156", "+61491570157"

// number links a mobile that its owner has proved.
func (w *world) number(t *testing.T, who user.User, number string) method.Method {
	t.Helper()
	var linked method.Method
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		linked, err = method.Link(ctx, tx, method.Method{
			User: who.ID, Kind: policy.SMS, Address: number, ProvedAt: tx.Now.Add(-time.Hour),
		})
		return err
	})
	return linked
}

// topUp gives a site SMS.
func (w *world) topUp(t *testing.T, s site.Site, parts int) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		_, err := balance.TopUp(ctx, tx, balance.TopUpOrder{Site: s.ID, Parts: parts, By: command, ByName: "test", Reference: string(id.New[id.Event]())})
		return err
	})
}

func (w *world) turn(t *testing.T, attempt string, kind policy.MethodKind) signin.Next {
	t.Helper()
	next, err := w.desk.Choose(t.Context(), attempt, kind)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (w *world) typed(t *testing.T, attempt string, typed signin.Typed) signin.Next {
	t.Helper()
	next, err := w.desk.Code(t.Context(), attempt, typed)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func offers(v signin.View) []policy.MethodKind {
	var all []policy.MethodKind
	for _, o := range v.Decision.Offered {
		all = append(all, o.Kind)
	}
	return all
}

func TestTheSameChallengeGoesOnBySMS(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.topUp(t, w.xero, 20)
		w.number(t, w.kim, kimsNumber)
		w.number(t, w.twinKim, twinKimsNumber)
		attempt := w.begin(t, w.kim, home)
		byMail := w.inbox.code(t, w.kim)
		for n := range 3 {
			if next := w.code(t, attempt, wrong(byMail, n+1)); next.Wrong != signin.WrongCode {
				t.Fatalf("a wrong code: %+v", next)
			}
		}
		if next := w.turn(t, attempt, policy.SMS); next.Wrong != "" {
			t.Fatalf("by SMS: %+v", next)
		}
		bySMS := w.phone.code(t, kimsNumber)
		if next := w.code(t, attempt, byMail); next.Wrong != signin.StaleCode {
			t.Errorf("the code that was replaced: %+v", next)
		}
		if next := w.code(t, attempt, wrong(bySMS, 1)); next.Wrong != signin.WrongCode {
			t.Errorf("a wrong code: %+v", next)
		}
		if next := w.code(t, attempt, wrong(bySMS, 2)); next.Wrong != signin.WrongCode {
			t.Errorf("a wrong code: %+v", next)
		}
		// Three and two are five: the one count of the challenge.
		if next := w.code(t, attempt, bySMS); next.Step == signin.In {
			t.Error("the guesses were not shared by the channels")
		}
		if n := len(w.phone.box(twinKimsNumber)); n != 0 {
			t.Errorf("%d SMS went to somebody of the same name", n)
		}
	})
}

func TestTheCodeThatCameBySMSSignsIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.topUp(t, w.xero, 20)
		w.number(t, w.kim, kimsNumber)
		attempt := w.begin(t, w.kim, home)
		w.inbox.code(t, w.kim)
		w.turn(t, attempt, policy.SMS)
		next := w.code(t, attempt, w.phone.code(t, kimsNumber))
		if next.Step != signin.In {
			t.Fatalf("the right code by SMS: %+v", next)
		}
		a := w.expect(t, next.Session, check.In)
		if policy.MethodKind(a.Session.Factor) != policy.SMS {
			t.Errorf("the session says %q", a.Session.Factor)
		}
	})
}

func TestFiftySignInsWithOneSMSLeftSendOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const many = 50
		w.topUp(t, w.xero, 1+3) // three are the Admin's
		var waiting []string
		for n := range many {
			who := w.user(t, "m"+string(rune('a'+n/26))+string(rune('a'+n%26))+"@bayside.example", "Kim", "Osei")
			w.join(t, who, w.xero, policy.GroupMechanic, policy.Office, policy.Active)
			w.number(t, who, "+6149157"+[]string{"0156", "0157"}[n%2])
			waiting = append(waiting, w.begin(t, who, at("b"+who.FirstName+string(who.Login), "203.0.113.7")))
		}
		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			sent int
		)
		for _, attempt := range waiting {
			wg.Go(func() {
				next, err := w.desk.Choose(t.Context(), attempt, policy.SMS)
				mu.Lock()
				defer mu.Unlock()
				if err == nil && next.Wrong == "" {
					sent++
				} else if err != nil || (next.Wrong != signin.NoBalance && next.Wrong != signin.NotOffered && next.Wrong != signin.TooSoon) {
					t.Errorf("%+v, %v", next, err)
				}
			})
		}
		wg.Wait()
		account, err := balance.Of(t.Context(), w.db, w.db.Clock.Now(), w.xero.ID)
		if err != nil || sent != 1 || account.Available != 3 {
			t.Errorf("%d sent, %+v left, %v", sent, account, err)
		}
	})
}

func TestAnEmptyBalanceOffersNoSMSAndAnAdminHasTheFloat(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.number(t, w.kim, kimsNumber)
		w.number(t, w.pat, "+61491570158")
		kims := w.begin(t, w.kim, home)
		if next := w.turn(t, kims, policy.SMS); next.Wrong != signin.NotOffered {
			t.Errorf("with nothing: %+v", next)
		}
		w.topUp(t, w.xero, 3)
		if next := w.turn(t, kims, policy.SMS); next.Wrong != signin.NotOffered {
			t.Errorf("with the float alone: %+v", next)
		}
		pats := w.begin(t, w.pat, home)
		if next := w.turn(t, pats, policy.SMS); next.Wrong != "" {
			t.Errorf("the Admin with the float: %+v", next)
		}
		w.phone.code(t, "+61491570158")
	})
}

// shows is what an authenticator shows at a moment.
func shows(t *testing.T, of method.TOTPSecret, at time.Time) string {
	t.Helper()
	digits, err := totp.GenerateCode(strings.ReplaceAll(of.Text(), " ", ""), at)
	if err != nil {
		t.Fatal(err)
	}
	return digits
}

// until waits for what a worker does aside.
func (w *world) until(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it did not come to pass in a minute")
		}
	}
}

// authenticator sets one up and gives its secret.
func (w *world) authenticator(t *testing.T, who user.User) (kept method.TOTPSecret) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		m, made, err := method.LinkTOTP(ctx, tx, w.keys, who.ID, "my phone")
		if err != nil {
			return err
		}
		kept = made
		ok, err := method.ConfirmTOTP(ctx, tx, w.keys, who.ID, m.ID, shows(t, made, tx.Now))
		if err == nil && !ok {
			t.Error("the first code was not right")
		}
		return err
	})
	w.db.Clock.Advance(2 * time.Minute)
	return kept
}

func TestAnAuthenticatorsCodeWorksOnceAnywhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		kims := w.authenticator(t, w.kim)
		w.authenticator(t, w.twinKim)
		here, there := w.begin(t, w.kim, home), w.begin(t, w.kim, elsewhere)
		digits := shows(t, kims, w.db.Clock.Now())
		if next := w.typed(t, here, signin.Typed{Kind: policy.TOTP, Text: digits}); next.Step != signin.In {
			t.Fatalf("the authenticator's code: %+v", next)
		}
		if next := w.typed(t, there, signin.Typed{Kind: policy.TOTP, Text: digits}); next.Wrong != signin.WrongCode {
			t.Errorf("the same code at another place: %+v", next)
		}
	})
}

func TestAnAuthenticatorRestsAfterTenGuesses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		kims := w.authenticator(t, w.kim)
		guesses := 0
		for range 4 {
			attempt := w.begin(t, w.kim, elsewhere)
			for n := range 5 {
				next := w.typed(t, attempt, signin.Typed{Kind: policy.TOTP, Text: wrong(shows(t, kims, w.db.Clock.Now()), n+3)})
				switch next.Wrong { //nolint:exhaustive // anything else is a failure
				case signin.WrongCode:
					guesses++
				case signin.Resting:
				default:
					t.Fatalf("a wrong code: %+v", next)
				}
			}
			w.db.Clock.Advance(5 * time.Minute)
		}
		if guesses > limit.GuessesHour.Cap {
			t.Errorf("%d guesses were looked at in an hour", guesses)
		}
	})
}

func TestARecoveryCodeWorksOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var codes []string
		w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
			_, codes, err = method.MakeRecovery(ctx, tx, w.keys, w.kim.ID)
			return err
		})
		attempt := w.begin(t, w.kim, home)
		if next := w.turn(t, attempt, policy.Recovery); next.Wrong != "" {
			t.Fatalf("a recovery code: %+v", next)
		}
		if v := w.view(t, attempt); v.Kind != policy.Recovery {
			t.Errorf("the page is about %q", v.Kind)
		}
		if next := w.code(t, attempt, "not one"); next.Wrong != signin.WrongForm {
			t.Errorf("no code at all: %+v", next)
		}
		if next := w.code(t, attempt, codes[3]); next.Step != signin.In {
			t.Fatalf("a recovery code: %+v", next)
		}
		again := w.begin(t, w.kim, home)
		if next := w.typed(t, again, signin.Typed{Kind: policy.Recovery, Text: codes[3]}); next.Wrong != signin.WrongCode {
			t.Errorf("the same again: %+v", next)
		}
		if !slices.Contains(w.kinds(t, w.kim), audit.RecoveryCodeUsed) {
			t.Error("the trail does not tell")
		}
	})
}

func TestAfterAResetTheMailboxAloneLetsNobodyIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		kims := w.authenticator(t, w.kim)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.MarkReset(ctx, tx, w.kim.ID) })
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.MarkReset(ctx, tx, w.twinKim.ID) })
		w.db.Clock.Advance(time.Minute)
		attempt := w.begin(t, w.kim, home)
		if v := w.view(t, attempt); !slices.Equal(offers(v), []policy.MethodKind{policy.TOTP}) {
			t.Fatalf("offered: %v", offers(v))
		}
		if next := w.turn(t, attempt, policy.Email); next.Wrong != signin.NotOffered {
			t.Errorf("a code by email: %+v", next)
		}
		next := w.code(t, attempt, shows(t, kims, w.db.Clock.Now()))
		if next.Step != signin.In {
			t.Fatalf("the authenticator of before: %+v", next)
		}
		if v := w.view(t, w.begin(t, w.kim, home)); !slices.Contains(offers(v), policy.Email) {
			t.Errorf("the mark still stands: %v", offers(v))
		}
		if n := w.inbox.left(w.kim); n != 0 {
			t.Errorf("%d codes went by email to somebody who signs in with an authenticator", n)
		}
	})
}

func TestARememberedDeviceSparesTheSecondFactorUntilFour(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		if err := w.daily(t); err != nil {
			t.Fatal(err)
		}
		attempt := w.begin(t, w.kim, home)
		until := w.view(t, attempt).RememberUntil
		if until.In(w.zone(t)).Hour() != 4 {
			t.Fatalf("the tick box promises %v", until)
		}
		next := w.typed(t, attempt, signin.Typed{Text: w.inbox.code(t, w.kim), Remember: true})
		if next.Step != signin.In || next.Device == "" {
			t.Fatalf("with the box ticked: %+v", next)
		}
		try := func(who user.User, from string, devices ...string) signin.Next {
			t.Helper()
			n, err := w.desk.Password(t.Context(), signin.Try{
				Login: string(who.Login), Password: secret.NewText(rightPassword), Place: at(from, "203.0.113.7"), Client: policy.ClientWeb, Devices: devices,
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		spared := try(w.kim, "home", next.Device)
		if spared.Step != signin.In || spared.Session == "" {
			t.Fatalf("on the remembered device: %+v", spared)
		}
		if a := w.expect(t, spared.Session, check.In); a.Session.Factor != "" || a.Session.Device == "" {
			t.Errorf("the session claims a factor: %+v", a.Session)
		}
		if n := try(w.kim, "home"); n.Step != signin.AskCode {
			t.Errorf("without the cookie: %+v", n)
		}
		if n := try(w.pat, "home", next.Device); n.Step != signin.AskCode {
			t.Errorf("somebody else with it: %+v", n)
		}
		w.db.Clock.Advance(until.Sub(w.db.Clock.Now()))
		if n := try(w.kim, "home", next.Device); n.Step != signin.AskCode {
			t.Errorf("at 4 am: %+v", n)
		}
	})
}

// daily lets devices be remembered at the Xero site.
func (w *world) daily(t *testing.T) error {
	t.Helper()
	return w.db.Do(t.Context(), func(tx *db.Tx) error {
		return tx.Change(t.Context(), `UPDATE sites SET remember = 'daily' WHERE site_id = $1`, w.xero.ID)
	})
}

func TestAProofIsOfTheHighestLevelAndTheSessionGoesOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		kims := w.authenticator(t, w.kim)
		attempt := w.begin(t, w.kim, home)
		next := w.typed(t, attempt, signin.Typed{Kind: policy.Email, Text: w.inbox.code(t, w.kim)})
		a := w.expect(t, next.Session, check.In)
		proof, err := w.desk.Prove(t.Context(), a.Session, policy.AddMethod, "/me/security")
		if err != nil || proof.Step != signin.AskCode || proof.Attempt == "" {
			t.Fatalf("to prove: %+v, %v", proof, err)
		}
		if v := w.view(t, proof.Attempt); !slices.Equal(offers(v), []policy.MethodKind{policy.TOTP}) {
			t.Fatalf("offered: %v", offers(v))
		}
		done := w.code(t, proof.Attempt, shows(t, kims, w.db.Clock.Now()))
		if done.Step != signin.In || done.ReturnTo != "/me/security" {
			t.Fatalf("proved: %+v", done)
		}
		w.expect(t, next.Session, check.Out)
		fresh := w.expect(t, done.Session, check.In)
		if ok, _, err := w.desk.Fresh(t.Context(), fresh.Session, policy.AddMethod); err != nil || !ok {
			t.Errorf("it is not fresh: %v", err)
		}
		w.db.Clock.Advance(policy.FreshFor + time.Second)
		if ok, _, err := w.desk.Fresh(t.Context(), fresh.Session, policy.AddMethod); err != nil || ok {
			t.Errorf("it is fresh after 5 minutes: %v", err)
		}
	})
}

func TestARehearsalProvesTheMethodAndTakesNothingAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.expect(t, w.single(t, w.alex, home), check.In)
		next, err := w.desk.Rehearse(t.Context(), a.Session, "/me/security")
		if err != nil || next.Step != signin.AskCode {
			t.Fatalf("to rehearse: %+v, %v", next, err)
		}
		done := w.code(t, next.Attempt, w.inbox.code(t, w.alex))
		if done.Step != signin.In {
			t.Fatalf("rehearsed: %+v", done)
		}
		if kinds := w.kinds(t, w.alex); !slices.Contains(kinds, audit.RehearsalPassed) || !slices.Contains(kinds, audit.MethodProved) {
			t.Errorf("the trail says %v", kinds)
		}
	})
}

func TestAnEnrolOnlySessionIsNoSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		attempt := w.begin(t, w.kim, home)
		v := w.view(t, attempt)
		open := func(ctx context.Context, tx *db.Tx) error {
			return w.desk.OpenEnrol(ctx, tx, w.kim.ID, v.Attempt.ID, "approval")
		}
		w.do(t, open)
		if v = w.view(t, attempt); v.Step != signin.AskEnrol {
			t.Fatalf("it asks %q", v.Step)
		}
		if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return open(t.Context(), tx) }); err == nil {
			t.Error("it was opened twice")
		}
		if next := w.code(t, attempt, w.inbox.code(t, w.kim)); next.Step == signin.In {
			t.Error("a code made a session of it")
		}
		w.expect(t, attempt, check.Out)
		w.db.Clock.Advance(15 * time.Minute)
		if _, _, ok, err := w.desk.Enrolling(t.Context(), attempt); err != nil || ok {
			t.Errorf("it lasts longer than 15 minutes: %v", err)
		}
	})
}

func TestSMSThatIsRefusedOffersTheMailbox(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.topUp(t, w.xero, 20)
		kims := w.number(t, w.kim, kimsNumber)
		w.phone.says(func(message.Text) (message.Receipt, error) {
			return message.Receipt{Relay: "phone", Permanent: true, Reason: message.NumberInvalid, Next: -1}, nil
		})
		attempt := w.begin(t, w.kim, home)
		w.turn(t, attempt, policy.SMS)
		<-w.phone.box(kimsNumber)
		w.until(t, func() bool {
			m, err := method.ByID(t.Context(), w.db, w.kim.ID, kims.ID)
			return err == nil && m.Health == policy.HealthRefused
		})
		if v := w.view(t, attempt); !slices.Equal(offers(v), []policy.MethodKind{policy.Email}) {
			t.Errorf("offered: %v", offers(v))
		}
		if account, err := balance.Of(t.Context(), w.db, w.db.Clock.Now(), w.xero.ID); err != nil || account.Available != 20 || account.Held != 0 {
			t.Errorf("a refused SMS cost: %+v, %v", account, err)
		}
	})
}
