package method

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
)

// What a ceremony is for.
const (
	adding = "add"
	using  = "use"
)

// mostResponse is how long a browser's answer may be. One with an attestation of several
// certificates has a tenth of it.
const mostResponse = 64 << 10

// ceremony is what a browser was asked to sign, until it answers, once.
type ceremony struct {
	hash    []byte
	user    id.User // empty for a whole sign-in
	purpose string
	// asked is the library's webauthn.SessionData as JSON.
	asked     string
	expiresAt time.Time
}

// begin stores what was asked and gives the options for the browser.
func begin(ctx context.Context, tx *db.Tx, who id.User, purpose string, asked *webauthn.SessionData, options any) (string, json.RawMessage, error) {
	token, hash := secret.Token()
	c := ceremony{hash: hash, user: who, purpose: purpose, expiresAt: tx.Now.Add(ceremonyFor)}
	asked.Expires = c.expiresAt // by our clock, and not by the process's
	raw, err := json.Marshal(asked)
	if err != nil {
		return "", nil, fmt.Errorf("write down a ceremony: %w", err)
	}
	c.asked = string(raw)
	if err := insertCeremony(ctx, tx, c); err != nil {
		return "", nil, fmt.Errorf("store a ceremony: %w", err)
	}
	shown, err := json.Marshal(options)
	if err != nil {
		return "", nil, fmt.Errorf("write a ceremony's options: %w", err)
	}
	return token, shown, nil
}

// take ends a ceremony and gives what was asked in it. false: there is none of this user
// for this purpose, somebody else was first, or it is over. It is gone in each case once
// the transaction is written, so an answer is looked at once, a wrong one too.
func take(ctx context.Context, tx *db.Tx, who id.User, purpose, token string) (asked webauthn.SessionData, ok bool, err error) {
	c, err := ceremonyByHash(ctx, tx, who, purpose, secret.TokenHash(token))
	if errors.Is(err, fault.NotFound) {
		return asked, false, nil
	}
	if err != nil {
		return asked, false, fmt.Errorf("find a ceremony: %w", err)
	}
	n, err := endCeremony(ctx, tx, c)
	if err != nil {
		return asked, false, fmt.Errorf("end a ceremony: %w", err)
	}
	if n != 1 || !c.expiresAt.After(tx.Now) {
		return asked, false, nil
	}
	if err := json.Unmarshal([]byte(c.asked), &asked); err != nil {
		return asked, false, fmt.Errorf("read a stored ceremony: %w", err)
	}
	// The end was judged just now by the database's clock. The library would judge it
	// again by the process's, which may stand elsewhere (and does in the demo, whose time
	// can be moved): zero asks it not to.
	asked.Expires = time.Time{}
	return asked, true, nil
}

// FinishAdd looks at what a browser made after BeginAdd, and stores it as a method that is
// proved. false: it is not a right answer, or the ceremony is over, or the passkey is
// somebody's already. Either way the ceremony is used up, so the caller's transaction is
// to be written. name may be empty; fault.Invalid for one that ReadName does not read.
func (p *Passkeys) FinishAdd(ctx context.Context, tx *db.Tx, who id.User, token, response, name string) (Method, bool, error) {
	name, err := optional(name)
	if err != nil || !p.Possible() {
		return Method{}, false, err
	}
	asked, ok, err := take(ctx, tx, who, adding, token)
	if err != nil || !ok {
		return Method{}, false, err
	}
	h, err := holderOf(ctx, tx, who)
	if err != nil {
		return Method{}, false, err
	}
	made, ok := p.made(h, asked, response)
	if !ok {
		return Method{}, false, nil
	}
	record, err := json.Marshal(made)
	if err != nil {
		return Method{}, false, fmt.Errorf("write down a passkey: %w", err)
	}
	m, err := Link(ctx, tx, Method{User: who, Kind: policy.Passkey, Name: name, ProvedAt: tx.Now})
	if err != nil {
		return Method{}, false, err
	}
	n, err := insertPasskey(ctx, tx, who, passkey{method: m.ID, credential: made.ID, record: string(record)})
	if err != nil {
		return Method{}, false, fmt.Errorf("store a passkey: %w", err)
	}
	if n != 1 {
		// Somebody has this credential. Nothing else may name the method yet.
		return Method{}, false, unlink(ctx, tx, m)
	}
	return m, true, nil
}

// made checks an answer to BeginAdd; it touches nothing stored.
func (p *Passkeys) made(h *holder, asked webauthn.SessionData, response string) (*webauthn.Credential, bool) {
	parsed, ok := parseMade(response)
	if !ok {
		return nil, false
	}
	made, err := p.Web.CreateCredential(h, asked, parsed)
	if err != nil || !made.Flags.UserVerified {
		return nil, false
	}
	return made, true
}

// FinishUse looks at what a browser signed after BeginUse with the same who, and says
// whose passkey it was and which. false: it is not a right answer. The ceremony is used
// up then, too, so the caller's transaction is to be written.
//
// Not right are also: an answer without user verification; a passkey of somebody else; a
// sign counter that did not go on, which a copied authenticator would show (WebAuthn
// Level 3 section 6.1.1; passkeys that are synced count nothing and say 0).
func (p *Passkeys) FinishUse(ctx context.Context, tx *db.Tx, who id.User, token, response string) (user id.User, m Method, ok bool, err error) {
	if !p.Possible() {
		return "", Method{}, false, nil
	}
	asked, ok, err := take(ctx, tx, who, using, token)
	if err != nil || !ok {
		return "", Method{}, false, err
	}
	parsed, ok := parseUsed(response)
	if !ok {
		return "", Method{}, false, nil
	}
	user = who
	if who == "" {
		if user, ok = whose(parsed.Response.UserHandle); !ok {
			return "", Method{}, false, nil
		}
	}
	h, err := holderOf(ctx, tx, user)
	if err != nil {
		return "", Method{}, false, err
	}
	used, ok := p.used(h, asked, parsed)
	if !ok {
		return "", Method{}, false, nil
	}
	if m, ok, err = keep(ctx, tx, user, h, used); err != nil || !ok {
		return "", Method{}, false, err
	}
	return user, m, true, nil
}

// used checks an answer to BeginUse; it touches nothing stored.
func (p *Passkeys) used(h *holder, asked webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, bool) {
	var used *webauthn.Credential
	var err error
	if len(asked.UserID) == 0 {
		owner := func(_, _ []byte) (webauthn.User, error) { return h, nil }
		_, used, err = p.Web.ValidatePasskeyLogin(owner, asked, parsed)
	} else {
		used, err = p.Web.ValidateLogin(h, asked, parsed)
	}
	if err != nil || used.Authenticator.CloneWarning || !parsed.Response.AuthenticatorData.Flags.UserVerified() {
		return nil, false
	}
	return used, true
}

// keep stores the counter and the backup flags that a use brought. Two uses at once read
// the same counter; the second finds the record changed and is not right.
func keep(ctx context.Context, tx *db.Tx, who id.User, h *holder, used *webauthn.Credential) (Method, bool, error) {
	after, err := json.Marshal(used)
	if err != nil {
		return Method{}, false, fmt.Errorf("write down a passkey: %w", err)
	}
	for _, k := range h.passkeys {
		if string(k.credential) != string(used.ID) {
			continue
		}
		n, err := usePasskey(ctx, tx, who, k, string(after))
		if err != nil {
			return Method{}, false, fmt.Errorf("store a passkey's use: %w", err)
		}
		if n != 1 {
			return Method{}, false, nil
		}
		m, err := byID(ctx, tx, who, k.method)
		if err != nil {
			return Method{}, false, fmt.Errorf("find the method of a passkey: %w", err)
		}
		return m, true, nil
	}
	return Method{}, false, nil
}

// SweepCeremonies deletes ceremonies that nobody answered in time, limit at most at once.
func SweepCeremonies(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweepCeremonies(ctx, tx, limit); err != nil {
		return fmt.Errorf("sweep ceremonies: %w", err)
	}
	return nil
}

// parseMade reads an answer to BeginAdd; garbage is false.
func parseMade(response string) (*protocol.ParsedCredentialCreationData, bool) {
	if len(response) > mostResponse {
		return nil, false
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(response))
	return parsed, err == nil
}

// parseUsed reads an answer to BeginUse; garbage is false.
func parseUsed(response string) (*protocol.ParsedCredentialAssertionData, bool) {
	if len(response) > mostResponse {
		return nil, false
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(response))
	return parsed, err == nil
}
