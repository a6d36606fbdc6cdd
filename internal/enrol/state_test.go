package enrol_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"keyturn/internal/audit"
	"keyturn/internal/check"
	"keyturn/internal/db"
	"keyturn/internal/enrol"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/user"
)

func (w *world) expect(t *testing.T, token string, want check.State) check.Answer {
	t.Helper()
	answer, err := w.check.Of(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if answer.State != want {
		t.Fatalf("the session is %q, not %q", answer.State, want)
	}
	return answer
}

// must fails the test unless the change was made.

func must(t *testing.T, done enrol.Done, err error) enrol.Done {
	t.Helper()
	if err != nil || done.Refused != "" {
		t.Fatalf("%+v, %v", done, err)
	}
	return done
}

// refused fails the test unless it was refused for this.

func refused(t *testing.T, done enrol.Done, err error, want enrol.Refused) enrol.Done {
	t.Helper()
	if err != nil || done.Refused != want {
		t.Fatalf("refused as %q, not %q: %+v, %v", done.Refused, want, done, err)
	}
	return done
}

// number gives somebody a proved mobile.

func (w *world) number(t *testing.T, who user.User, number string) (m method.Method) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		m, err = method.Link(ctx, tx, method.Method{
			User: who.ID, Kind: policy.SMS, Address: number, ProvedAt: tx.Now.Add(-30 * 24 * time.Hour),
		})
		return err
	})
	return m
}

// app gives somebody a proved authenticator.

func (w *world) app(t *testing.T, who user.User) (m method.Method) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		var err error
		if m, _, err = method.LinkTOTP(ctx, tx, w.keys, who.ID, "old phone"); err != nil {
			return err
		}
		if err := method.Prove(ctx, tx, who.ID, m.ID); err != nil {
			return err
		}
		m, err = method.ByID(ctx, tx, who.ID, m.ID)
		return err
	})
	return m
}

// shows is the code that an authenticator shows now.

func (w *world) shows(t *testing.T, setup enrol.Setup) string {
	t.Helper()
	digits, err := totp.GenerateCode(strings.ReplaceAll(setup.Secret.Text(), " ", ""), w.db.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return digits
}

// makes answers a ceremony as a person's phone does.

func makes(t *testing.T, who user.User, c enrol.Ceremony) string {
	t.Helper()
	handle, err := uuid.Parse(string(who.ID))
	if err != nil {
		t.Fatal(err)
	}
	auth := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle[:]})
	asked, err := virtualwebauthn.ParseAttestationOptions(string(c.Options))
	if err != nil {
		t.Fatal(err)
	}
	rp := virtualwebauthn.RelyingParty{ID: origin.Host, Name: "Workshop Software", Origin: origin.String()}
	return virtualwebauthn.CreateAttestationResponse(rp, auth, wholeKey(), *asked)
}

// wholeKey makes a key whose coordinates have all their 32 bytes: one in 128 begins with a

// zero, which this authenticator leaves out.

func wholeKey() virtualwebauthn.Credential {
	const whole = 77
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

func (w *world) methods(t *testing.T, who user.User) []method.Method {
	t.Helper()
	return w.methodsIn(t, w.db, who)
}

func (w *world) methodsIn(t *testing.T, from db.Reader, who user.User) []method.Method {
	t.Helper()
	all, err := method.Of(t.Context(), from, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// has counts the methods of a kind that work.

func (w *world) has(t *testing.T, who user.User, kind policy.MethodKind) int {
	t.Helper()
	n := 0
	for _, m := range w.methods(t, who) {
		if m.Kind == kind && !m.Pending {
			n++
		}
	}
	return n
}

// events are the user's, the newest first.

func (w *world) events(t *testing.T, who user.User) []audit.Entry {
	t.Helper()
	all, err := audit.List(t.Context(), w.db, audit.Filter{User: who.ID}, 200)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (w *world) times(t *testing.T, who user.User, kind audit.Kind) int {
	t.Helper()
	n := 0
	for _, e := range w.events(t, who) {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// inbox is every mailbox and every mobile there is.

// Send implements message.Mailer.

// Text implements message.Texter.

// next waits for the next message to somebody.

// left is how many messages nobody has read.

// shown is a code as a mail shows it.

// code waits for the next SMS to a number and reads its code.

// wrong is a code that is not the right one: the n-th after it.

func ids(all []method.Method) []id.Method {
	var which []id.Method
	for _, m := range all {
		which = append(which, m.ID)
	}
	slices.Sort(which)
	return which
}
