package method

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// ceremonyFor is how long a browser may take to answer (WebAuthn Level 3 section 15.1
// recommends 5 to 10 minutes where user verification is demanded).
const ceremonyFor = 5 * time.Minute

// Passkeys makes and checks passkeys: discoverable credentials with user verification,
// so that one of them is two factors (NIST 800-63B-4 section 3.1.7), without attestation.
type Passkeys struct {
	// DB is where they are kept; every call takes its transaction from the caller.
	DB *db.DB
	// Web knows the site's name and origin; nil where there cannot be passkeys.
	Web *webauthn.WebAuthn
}

// NewPasskeys makes passkeys of the public URL: they belong to its host (the RP ID) and
// are taken from its origin alone. name is what a browser calls the vendor. A passkey
// cannot belong to a bare IP address: for such a URL Possible is false.
func NewPasskeys(d *db.DB, public *url.URL, name string) (*Passkeys, error) {
	host := public.Hostname()
	if net.ParseIP(host) != nil {
		return &Passkeys{DB: d}, nil
	}
	limit := webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyFor, TimeoutUVD: ceremonyFor}
	web, err := webauthn.New(&webauthn.Config{
		RPID:                  host,
		RPDisplayName:         name,
		RPOrigins:             []string{public.Scheme + "://" + public.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(),
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			UserVerification:   protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: limit, Registration: limit},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", host, err)
	}
	return &Passkeys{DB: d, Web: web}, nil
}

// Possible says whether this installation can have passkeys.
func (p *Passkeys) Possible() bool { return p != nil && p.Web != nil }

// BeginAdd asks a browser to make a passkey. options is for navigator.credentials.create,
// as {"publicKey": …} with the binary members in base64url; token names the ceremony, for
// FinishAdd, within 5 minutes. The authenticators that hold one of the user's passkeys
// already are excluded. fault.Invalid for one more than Most; fault.NotFound where there
// cannot be passkeys.
func (p *Passkeys) BeginAdd(ctx context.Context, tx *db.Tx, who id.User, login, display string) (token string, options json.RawMessage, err error) {
	if !p.Possible() {
		return "", nil, errNoPasskeys
	}
	if err := roomFor(ctx, tx, who, policy.Passkey); err != nil {
		return "", nil, err
	}
	h, err := holderOf(ctx, tx, who)
	if err != nil {
		return "", nil, err
	}
	h.login, h.display = login, display
	var has []protocol.CredentialDescriptor
	for _, c := range h.credentials {
		has = append(has, c.Descriptor())
	}
	creation, asked, err := p.Web.BeginRegistration(h, webauthn.WithExclusions(has))
	if err != nil {
		return "", nil, fmt.Errorf("begin a passkey: %w", err)
	}
	return begin(ctx, tx, who, adding, asked, creation)
}

// BeginUse asks a browser to sign with a passkey. options is for
// navigator.credentials.get, as {"publicKey": …}. For a user their passkeys are listed;
// fault.NotFound if they have none. For who "" the browser offers what it has for this
// site: a whole sign-in, without a name.
func (p *Passkeys) BeginUse(ctx context.Context, tx *db.Tx, who id.User) (token string, options json.RawMessage, err error) {
	if !p.Possible() {
		return "", nil, errNoPasskeys
	}
	if who == "" {
		assertion, asked, err := p.Web.BeginDiscoverableLogin()
		if err != nil {
			return "", nil, fmt.Errorf("begin a sign-in with a passkey: %w", err)
		}
		return begin(ctx, tx, who, using, asked, assertion)
	}
	h, err := holderOf(ctx, tx, who)
	if err != nil {
		return "", nil, err
	}
	if len(h.credentials) == 0 {
		return "", nil, fmt.Errorf("the user has no passkey: %w", fault.NotFound)
	}
	assertion, asked, err := p.Web.BeginLogin(h)
	if err != nil {
		return "", nil, fmt.Errorf("begin the use of a passkey: %w", err)
	}
	return begin(ctx, tx, who, using, asked, assertion)
}

var errNoPasskeys = fmt.Errorf("there cannot be passkeys at a bare IP address: %w", fault.NotFound)

// passkey is a stored one.
type passkey struct {
	method     id.Method
	credential []byte
	// record is the library's webauthn.Credential as JSON.
	record string
}

// holder is a user as the library sees one.
type holder struct {
	handle         []byte
	login, display string
	passkeys       []passkey
	credentials    []webauthn.Credential // of passkeys, in their order
}

// WebAuthnID implements webauthn.User: the 16 bytes of the user's id, which say nothing of
// the person.
func (h *holder) WebAuthnID() []byte { return h.handle }

// WebAuthnName implements webauthn.User.
func (h *holder) WebAuthnName() string { return h.login }

// WebAuthnDisplayName implements webauthn.User.
func (h *holder) WebAuthnDisplayName() string { return h.display }

// WebAuthnCredentials implements webauthn.User.
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

func holderOf(ctx context.Context, from db.Reader, who id.User) (*holder, error) {
	handle, err := uuid.Parse(string(who))
	if err != nil {
		return nil, fmt.Errorf("the id of a user is no UUID: %w", err)
	}
	h := &holder{handle: handle[:]}
	if h.passkeys, err = passkeysOf(ctx, from, who); err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	h.credentials = make([]webauthn.Credential, len(h.passkeys))
	for i, k := range h.passkeys {
		if err := json.Unmarshal([]byte(k.record), &h.credentials[i]); err != nil {
			return nil, fmt.Errorf("read a stored passkey: %w", err)
		}
	}
	return h, nil
}

// whose reads the user out of a handle that a browser gave back.
func whose(handle []byte) (id.User, bool) {
	u, err := uuid.FromBytes(handle)
	if err != nil {
		return "", false
	}
	return id.User(u.String()), true
}
