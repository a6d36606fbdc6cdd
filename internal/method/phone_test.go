package method_test

import (
	"context"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/user"
)

// ours is the site as a browser knows it.
var ours = virtualwebauthn.RelyingParty{ID: "login.vendor.example", Name: "Workshop Software", Origin: "https://login.vendor.example"}

// phone is a person's authenticator, with a browser around it.
type phone struct {
	site virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func phoneOf(t *testing.T, who user.User) *phone {
	t.Helper()
	handle, err := uuid.Parse(string(who.ID))
	if err != nil {
		t.Fatal(err)
	}
	return &phone{
		site: ours,
		auth: virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle[:]}),
		key:  wholeKey(),
	}
}

// wholeKey makes a key whose coordinates have all their 32 bytes: one in 128 begins with a
// zero, which this authenticator leaves out, and no check of a key takes that (RFC 9053
// section 7.1.1).
func wholeKey() virtualwebauthn.Credential {
	const whole = 77
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

// makes answers what BeginAdd asked.
func (f *phone) makes(t *testing.T, options json.RawMessage) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	return virtualwebauthn.CreateAttestationResponse(f.site, f.auth, f.key, *asked)
}

// signs answers what BeginUse asked.
func (f *phone) signs(t *testing.T, options json.RawMessage) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	return virtualwebauthn.CreateAssertionResponse(f.site, f.auth, f.key, *asked)
}

func (w *world) passkeys(t *testing.T) *method.Passkeys {
	t.Helper()
	public, err := url.Parse(ours.Origin)
	if err != nil {
		t.Fatal(err)
	}
	p, err := method.NewPasskeys(w.db, public, ours.Name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) beginAdd(t *testing.T, who user.User) (token string, options json.RawMessage) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		token, options, err = w.passkeys(t).BeginAdd(ctx, tx, who.ID, string(who.Login), who.Name())
		return err
	})
	return token, options
}

func (w *world) finishAdd(t *testing.T, who user.User, token, response string) (m method.Method, ok bool) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		m, ok, err = w.passkeys(t).FinishAdd(ctx, tx, who.ID, token, response, "my phone")
		return err
	})
	return m, ok
}

func (w *world) addPasskey(t *testing.T, who user.User) (*phone, method.Method) {
	t.Helper()
	f := phoneOf(t, who)
	token, options := w.beginAdd(t, who)
	m, ok := w.finishAdd(t, who, token, f.makes(t, options))
	if !ok {
		t.Fatal("a right answer makes no passkey")
	}
	return f, m
}

func (w *world) beginUse(t *testing.T, who id.User) (token string, options json.RawMessage) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		token, options, err = w.passkeys(t).BeginUse(ctx, tx, who)
		return err
	})
	return token, options
}

func (w *world) finishUse(t *testing.T, who id.User, token, response string) (of id.User, m method.Method, ok bool) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		of, m, ok, err = w.passkeys(t).FinishUse(ctx, tx, who, token, response)
		return err
	})
	if !ok && (of != "" || m.ID != "") {
		t.Error("a refusal names somebody")
	}
	return of, m, ok
}

// use is a whole use by a user, or by nobody yet.
func (w *world) use(t *testing.T, who id.User, f *phone) bool {
	t.Helper()
	token, options := w.beginUse(t, who)
	_, _, ok := w.finishUse(t, who, token, f.signs(t, options))
	return ok
}
