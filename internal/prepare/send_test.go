package prepare_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// post is where messages of a test arrive.
type post chan string

func (p post) Send(_ context.Context, l message.Letter) (message.Receipt, error) {
	p <- l.To + "\n" + l.Subject + "\n" + l.Text
	return message.Receipt{Relay: "relay.example:25", Accepted: true, Code: 250}, nil
}

func (p post) Text(_ context.Context, s message.Text) (message.Receipt, error) {
	p <- s.To + "\n" + s.Body
	return message.Receipt{Relay: "phone", Accepted: true, Parts: 1, Next: -1}, nil
}

var digitsOf = regexp.MustCompile(`\b[0-9]{3} ?[0-9]{3}\b`)

// code waits for the next message, which has to go to an address, and reads its code.
func (p post) code(t *testing.T, to string) string {
	t.Helper()
	select {
	case text := <-p:
		head, rest, _ := strings.Cut(text, "\n")
		found := digitsOf.FindString(rest)
		if head != to || found == "" {
			t.Fatalf("instead of a code to %s: %q", to, text)
		}
		return strings.ReplaceAll(found, " ", "")
	case <-time.After(time.Minute):
		t.Fatalf("no message to %s", to)
		return ""
	}
}

// delivers has what the desk promises delivered.
func (w *world) delivers(t *testing.T) post {
	t.Helper()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	box, work, mail := make(post, 100), job.NewWork(), &message.Post{DB: w.db, Keys: keys}
	mail.Workers(work, message.Carriers{Codes: box, Notices: box, Texts: box, LinkBase: &url.URL{Scheme: "https", Host: "signin.example"}})
	if mail.Jobs, err = job.New(w.db, work, "", slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	w.desk.Keys, w.desk.Post, w.desk.VendorName = keys, mail, "Workshop Software"
	if err := mail.Jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := mail.Jobs.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return box
}

// other gives six digits that are not those.
func other(digits string) string {
	last := (digits[5]-'0'+1)%10 + '0'
	return digits[:5] + string(last)
}

func (w *world) sends(t *testing.T, by authority.Bearer, whom user.User, kind policy.MethodKind, want prepare.Refused) {
	t.Helper()
	if did, err := w.desk.SendTest(t.Context(), by, whom.ID, kind); err != nil || did.Refused != want {
		t.Fatalf("a test code by %s to %s: %q, not %q: %v", kind, whom.Login, did.Refused, want, err)
	}
}

func (w *world) types(t *testing.T, by authority.Bearer, typed string, want prepare.Refused) {
	t.Helper()
	if did, err := w.desk.TypeTest(t.Context(), by, typed); err != nil || did.Refused != want {
		t.Fatalf("what %s typed was answered with %q, not %q: %v", by.User.Login, did.Refused, want, err)
	}
}

// mark is how ready somebody of the first site is.
func (w *world) mark(t *testing.T, who user.User) policy.Mark {
	t.Helper()
	s, err := w.desk.Ready.OfSite(t.Context(), w.db, w.db.Clock.Now(), w.site.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.People {
		if p.User == who.ID {
			return p.Mark
		}
	}
	return ""
}

// proved says whether an address of somebody is proved.
func (w *world) proved(t *testing.T, m method.Method) bool {
	t.Helper()
	now, err := method.ByID(t.Context(), w.db, m.User, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	return !now.ProvedAt.IsZero()
}

func (w *world) events(t *testing.T, kind audit.Kind) int {
	t.Helper()
	all, err := audit.List(t.Context(), w.db, audit.Filter{Site: w.site.ID, Kind: kind}, 50)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestATestCodeThatTheMemberTypesProvesTheAddressOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		box := w.delivers(t)
		pat, kim, twin := w.bearer(t, w.pat, w.site), w.bearer(t, w.kim, w.site), w.bearer(t, w.twinKim, w.twin)
		if was := w.mark(t, w.kim); was != policy.WillManage {
			t.Fatalf("before it Kim is %s", was)
		}
		w.types(t, kim, "123456", prepare.NoCode)
		w.sends(t, pat, w.kim, policy.Email, "")
		code := box.code(t, "kim@bayside.example")
		w.sends(t, pat, w.kim, policy.Email, prepare.TooMany) // the next after 30 seconds
		if sent, err := w.desk.TestsOf(t.Context(), w.site.ID, w.kim.ID); err != nil || len(sent) != 1 || !sent[0].Open || !sent[0].TypedAt.IsZero() {
			t.Errorf("what the Admin sees before is %+v, %v", sent, err)
		}
		if kind, err := w.desk.Waiting(t.Context(), kim); err != nil || kind != policy.Email {
			t.Errorf("what waits for Kim is %q, %v", kind, err)
		}
		// It is nobody else's, and no other thing is it.
		w.types(t, twin, code, prepare.NoCode)
		w.types(t, pat, code, prepare.NoCode)
		for _, shape := range []string{"", "12345", "1234567", "１２３４５６", "12345a"} {
			w.types(t, kim, shape, prepare.WrongForm)
		}
		w.types(t, kim, other(code), prepare.WrongCode)
		w.types(t, kim, code[:3]+" "+code[3:], "")
		if !w.proved(t, w.kimsMail) || w.proved(t, w.twinKimsMail) || w.mark(t, w.kim) != policy.Ready {
			t.Errorf("after it Kim is %s", w.mark(t, w.kim))
		}
		w.types(t, kim, code, prepare.StaleCode)
		if sent, err := w.desk.TestsOf(t.Context(), w.site.ID, w.kim.ID); err != nil || len(sent) != 1 || sent[0].Open || sent[0].TypedAt.IsZero() {
			t.Errorf("what the Admin sees after is %+v, %v", sent, err)
		}
		for kind, want := range map[audit.Kind]int{
			audit.TestCodeSent: 1, audit.TestCodeTyped: 1, audit.MethodProved: 1, audit.CodeWrong: 1, audit.CodeStale: 1,
		} {
			if got := w.events(t, kind); got != want {
				t.Errorf("%d events %s, not %d", got, kind, want)
			}
		}
	})
}

func TestATestCodeThatIsOldProvesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		box := w.delivers(t)
		send := func() (code string) {
			w.db.Clock.Advance(21 * time.Minute) // three of them in an hour
			w.sends(t, w.bearer(t, w.pat, w.site), w.kim, policy.Email, "")
			return box.code(t, "kim@bayside.example")
		}
		kim := func() authority.Bearer { return w.bearer(t, w.kim, w.site) }
		first := send()
		w.db.Clock.Advance(10 * time.Minute)
		w.types(t, kim(), first, prepare.StaleCode) // ten minutes are over
		replaced := send()
		w.db.Clock.Advance(time.Minute)
		w.sends(t, w.bearer(t, w.pat, w.site), w.kim, policy.Email, "")
		live := box.code(t, "kim@bayside.example")
		w.types(t, kim(), replaced, prepare.StaleCode)
		// What was made under an older number of the user or the membership is dead.
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return epoch.Raise(ctx, tx, epoch.Member(w.site.ID, w.kim.ID))
		})
		w.types(t, kim(), live, prepare.StaleCode)
		w.db.Clock.Advance(time.Hour)
		again := send()
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return epoch.Raise(ctx, tx, epoch.User(w.kim.ID)) })
		w.types(t, kim(), again, prepare.StaleCode)
		// Five wrong tries end it.
		last := send()
		for n := range 5 {
			w.types(t, kim(), fmt.Sprintf("%06d", (n+1)*111111%1000000), prepare.WrongCode)
		}
		w.types(t, kim(), last, prepare.StaleCode)
		if w.proved(t, w.kimsMail) {
			t.Error("an old code proved the address")
		}
	})
}

func TestATestCodeTakesNoMarkAwayAndMakesNoAddressAWayIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		box := w.delivers(t)
		change := func(text string, args ...any) {
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return tx.Change(ctx, text, args...) })
		}
		now := db.Stamp(w.db.Clock.Now())
		w.sends(t, w.bearer(t, w.pat, w.site), w.kim, policy.Email, "")
		code := box.code(t, "kim@bayside.example")
		// A password that was reset by email: the mailbox alone proves nothing now.
		change(`UPDATE users SET reset_mark_at = $2 WHERE user_id = $1`, w.kim.ID, now)
		w.types(t, w.bearer(t, w.kim, w.site), code, prepare.Marked)
		change(`UPDATE users SET reset_mark_at = NULL WHERE user_id = $1`, w.kim.ID)
		// An address that an Admin gave to somebody who has another proved way.
		change(`UPDATE methods SET awaits_proof = TRUE, no_recovery = TRUE WHERE user_id = $1`, w.kim.ID)
		w.types(t, w.bearer(t, w.kim, w.site), code, prepare.Awaits)
		// Of somebody without one it is proved, and recovers nothing all the same.
		change(`UPDATE methods SET awaits_proof = FALSE WHERE user_id = $1`, w.kim.ID)
		w.types(t, w.bearer(t, w.kim, w.site), code, "")
		m, err := method.ByID(t.Context(), w.db, w.kim.ID, w.kimsMail.ID)
		if err != nil || m.ProvedAt.IsZero() || !m.NoRecovery {
			t.Errorf("the address is %+v, %v", m, err)
		}
	})
}

func TestATestCodeBySMSGoesToALinkedNumberAndLeavesOneForTheSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		box := w.delivers(t)
		const number, abroad = "+61491570156", "+447400100461"
		pat := func() authority.Bearer { return w.bearer(t, w.pat, w.site) }
		w.sends(t, pat(), w.kim, policy.SMS, prepare.NoAddress)
		var m method.Method
		w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
			m, err = method.Link(ctx, tx, method.Method{User: w.kim.ID, Kind: policy.SMS, Address: number, Pending: true})
			return err
		})
		set := func(text string, args ...any) {
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return tx.Change(ctx, text, args...) })
		}
		w.sends(t, pat(), w.kim, policy.SMS, prepare.NoAddress) // it waits for its owner
		set(`UPDATE methods SET pending = FALSE, address = $2 WHERE method_id = $1`, m.ID, abroad)
		w.sends(t, pat(), w.kim, policy.SMS, prepare.NoAddress) // no country that is allowed
		set(`UPDATE methods SET address = $2 WHERE method_id = $1`, m.ID, number)
		w.sends(t, pat(), w.kim, policy.SMS, "")
		box.code(t, number)
		w.db.Clock.Advance(time.Minute)
		w.sends(t, pat(), w.kim, policy.SMS, "")
		code := box.code(t, number)
		w.db.Clock.Advance(time.Minute)
		w.sends(t, pat(), w.kim, policy.SMS, prepare.NumberSpent) // the third is the sign-in's
		w.types(t, w.bearer(t, w.kim, w.site), code, "")
		if !w.proved(t, m) || w.proved(t, w.kimsMail) {
			t.Error("the code to the number proves the number, and nothing else")
		}
		// The balance is not touched by what is refused, and the float not by a test.
		set(`UPDATE sms_accounts SET available = 1 WHERE site_id = $1`, w.site.ID)
		w.db.Clock.Advance(time.Hour)
		w.sends(t, pat(), w.kim, policy.SMS, prepare.NoBalance)
	})
}

func TestWhoSendsTestCodesToWhomIsBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.delivers(t)
		pat := w.bearer(t, w.pat, w.site)
		w.sends(t, pat, w.pat, policy.Email, prepare.Oneself)
		w.sends(t, pat, w.kim, policy.TOTP, prepare.NoAddress)
		for _, row := range []struct {
			by   authority.Bearer
			whom user.User
		}{
			{pat, w.twinKim},                      // of another site
			{w.bearer(t, w.kim, w.site), w.pat},   // by no Admin
			{w.bearer(t, w.pat, w.twin), w.kim},   // by an Admin elsewhere
			{pat, user.User{ID: "nobody at all"}}, // to nobody
		} {
			if did, err := w.desk.SendTest(t.Context(), row.by, row.whom.ID, policy.Email); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s to %s: %+v, %v", row.by.User.Login, row.whom.Login, did, err)
			}
		}
		// Three an hour for one person.
		for range 3 {
			w.sends(t, pat, w.kim, policy.Email, "")
			w.db.Clock.Advance(time.Minute)
		}
		w.sends(t, w.bearer(t, w.pat, w.site), w.kim, policy.Email, prepare.TooMany)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return tx.Change(ctx, `UPDATE memberships SET status = 'inactive' WHERE user_id = $1`, w.kim.ID)
		})
		w.db.Clock.Advance(time.Hour)
		w.sends(t, w.bearer(t, w.pat, w.site), w.kim, policy.Email, prepare.NotActive)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return site.Join(ctx, tx, site.Membership{Site: w.twin.ID, User: w.kim.ID, Group: policy.GroupMechanic, Kind: policy.Office, Status: policy.Active})
		})
		w.sends(t, w.bearer(t, w.pat, w.site), w.kim, policy.Email, prepare.Elsewhere)
	})
}
