package method

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp/hotp"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
)

// The form of TOTP that every authenticator app knows (RFC 6238 with the defaults of
// its section 1.2 and of RFC 4226): SHA-1, six digits, 30 seconds.
const (
	totpBytes  = 20 // 160 bits, as RFC 4226 section 4 recommends
	totpDigits = 6
	totpPeriod = 30 // seconds
	// totpDrift is how many steps a code may be early or late (RFC 6238 section 5.2
	// recommends one, for the way and the typing).
	totpDrift = 1
	// setUpFor is how long a set-up may take.
	setUpFor = time.Hour
)

const hidden = "[secret]"

// TOTPSecret is what an authenticator and we share. It does not print itself; the zero
// value matches nothing.
type TOTPSecret struct {
	// base32 without padding, which is how it is shown and how it is read.
	text secret.Text
}

var totpText = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewTOTPSecret makes a fresh secret of 160 random bits.
func NewTOTPSecret() TOTPSecret {
	raw := make([]byte, totpBytes)
	_, _ = rand.Read(raw) // it ends the program rather than give less
	return totpOf(raw)
}

func totpOf(raw []byte) TOTPSecret {
	return TOTPSecret{text: secret.NewText(totpText.EncodeToString(raw))}
}

// URL is the secret as apps scan it, otpauth://totp/…. It reveals the secret. issuer is
// the product's name and account whose it is; a colon would part the two and becomes a
// space.
func (s TOTPSecret) URL(issuer, account string) string {
	issuer, account = strings.ReplaceAll(issuer, ":", " "), strings.ReplaceAll(account, ":", " ")
	query := url.Values{
		"secret": {s.text.Reveal()}, "issuer": {issuer},
		"algorithm": {"SHA1"}, "digits": {fmt.Sprint(totpDigits)}, "period": {fmt.Sprint(totpPeriod)},
	}
	// Some apps show the plus sign of a form's encoding as it is.
	parameters := strings.ReplaceAll(query.Encode(), "+", "%20")
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + parameters
}

// Text is the secret for typing: base32 in groups of four. It reveals the secret.
func (s TOTPSecret) Text() string { return inGroups(s.text.Reveal(), 4, " ") }

// String implements fmt.Stringer.
func (TOTPSecret) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (TOTPSecret) GoString() string { return hidden }

// Format implements fmt.Formatter, for every verb alike.
func (TOTPSecret) Format(to fmt.State, _ rune) { _, _ = io.WriteString(to, hidden) }

// LogValue implements slog.LogValuer.
func (TOTPSecret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON implements json.Marshaler.
func (TOTPSecret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText implements encoding.TextMarshaler.
func (TOTPSecret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// CheckTOTP says which step six digits belong to: the one of now, or one before or after
// it. Only steps after last pass, so that no code passes twice nor an older one after it
// (RFC 6238 section 5.2, NIST 800-63B-4 section 3.1.5.1); of several the smallest. All
// three are looked at, whichever matches.
func CheckTOTP(s TOTPSecret, digits string, last int64, now time.Time) (step int64, ok bool) {
	if s.text.Reveal() == "" || len(digits) != totpDigits {
		return 0, false
	}
	current := now.Unix() / totpPeriod
	for at := current + totpDrift; at >= max(current-totpDrift, 0); at-- {
		right, err := hotp.GenerateCode(s.text.Reveal(), uint64(at)) //nolint:gosec // at is not negative
		if err != nil {
			return 0, false // not base32: the secret is none of ours
		}
		if subtle.ConstantTimeCompare([]byte(right), []byte(digits)) == 1 && at > last {
			step, ok = at, true
		}
	}
	return step, ok
}

// LinkTOTP begins the set-up of an authenticator: a pending method, with its secret, which
// counts for nothing until ConfirmTOTP. An older one of the user that was not finished is
// gone with it. name may be empty. fault.Invalid for a bad name, and for one more than
// Most.
func LinkTOTP(ctx context.Context, tx *db.Tx, keys *secret.Keys, who id.User, name string) (Method, TOTPSecret, error) {
	m := Method{User: who, Kind: policy.TOTP, Pending: true}
	var err error
	if m.Name, err = optional(name); err != nil {
		return m, TOTPSecret{}, err
	}
	if err := dropUnfinished(ctx, tx, who); err != nil {
		return m, TOTPSecret{}, err
	}
	if err := roomFor(ctx, tx, who, policy.TOTP); err != nil {
		return m, TOTPSecret{}, err
	}
	if m, err = Link(ctx, tx, m); err != nil {
		return m, TOTPSecret{}, err
	}
	s := NewTOTPSecret()
	sealed, err := keys.Seal(totpPlace(who, m.ID), []byte(s.text.Reveal()))
	if err != nil {
		return m, TOTPSecret{}, fmt.Errorf("link an authenticator: %w", err)
	}
	if err := insertTOTP(ctx, tx, m, sealed); err != nil {
		return m, TOTPSecret{}, fmt.Errorf("link an authenticator: %w", err)
	}
	return m, s, nil
}

func roomFor(ctx context.Context, tx *db.Tx, who id.User, kind policy.MethodKind) error {
	all, err := of(ctx, tx, who)
	if err != nil {
		return fmt.Errorf("count methods: %w", err)
	}
	n := 0
	for _, m := range all {
		if m.Kind == kind {
			n++
		}
	}
	if n >= Most {
		return fmt.Errorf("remove one of the %d methods of this kind first: %w", n, fault.Invalid)
	}
	return nil
}

// PendingTOTP gives the set-up that a user began last and did not finish, to show it
// again; fault.NotFound if there is none.
func PendingTOTP(ctx context.Context, from db.Reader, keys *secret.Keys, who id.User) (Method, TOTPSecret, error) {
	m, err := unfinished(ctx, from, who)
	if err != nil {
		return Method{}, TOTPSecret{}, fmt.Errorf("find the authenticator that is set up: %w", err)
	}
	row, err := totpByID(ctx, from, who, m.ID)
	if err != nil {
		return Method{}, TOTPSecret{}, fmt.Errorf("find the authenticator that is set up: %w", err)
	}
	s, err := row.open(keys, who)
	return m, s, err
}

// ConfirmTOTP ends a set-up with the first code of the app. fault.NotFound if there is no
// such set-up, or it is over: it may take an hour.
func ConfirmTOTP(ctx context.Context, tx *db.Tx, keys *secret.Keys, who id.User, which id.Method, digits string) (bool, error) {
	m, err := byID(ctx, tx, who, which)
	if err != nil {
		return false, fmt.Errorf("find the authenticator to confirm: %w", err)
	}
	if m.Kind != policy.TOTP || !m.Pending || !m.ProvedAt.IsZero() || tx.Now.Sub(m.LinkedAt) >= setUpFor {
		return false, fmt.Errorf("no set-up of an authenticator is under way: %w", fault.NotFound)
	}
	row, err := totpByID(ctx, tx, who, which)
	if err != nil {
		return false, fmt.Errorf("find the authenticator to confirm: %w", err)
	}
	s, err := row.open(keys, who)
	if err != nil {
		return false, err
	}
	step, ok := CheckTOTP(s, digits, row.last, tx.Now)
	if !ok {
		return false, nil
	}
	if err := Prove(ctx, tx, who, which); err != nil {
		return false, err
	}
	return spend(ctx, tx, who, which, step)
}

// TryTOTP looks for one of the user's authenticators that shows these six digits now. ok
// says that one did, and that this call was the first to use that code: of many at once
// one is. Set-ups that are not finished and spent ones are not looked at. m is the
// authenticator that passed.
//
// Counting guesses, Passed and Missed are the caller's.
func TryTOTP(ctx context.Context, tx *db.Tx, keys *secret.Keys, who id.User, digits string) (m Method, ok bool, err error) {
	all, err := of(ctx, tx, who)
	if err != nil {
		return Method{}, false, fmt.Errorf("read the authenticators: %w", err)
	}
	for _, each := range all {
		if each.Kind != policy.TOTP || each.Pending || each.ProvedAt.IsZero() || each.Spent() {
			continue
		}
		if ok, err := tryOne(ctx, tx, keys, each, digits); err != nil || ok {
			return each, ok, err
		}
	}
	return Method{}, false, nil
}

func tryOne(ctx context.Context, tx *db.Tx, keys *secret.Keys, m Method, digits string) (bool, error) {
	row, err := totpByID(ctx, tx, m.User, m.ID)
	if err != nil {
		return false, fmt.Errorf("read an authenticator: %w", err)
	}
	s, err := row.open(keys, m.User)
	if err != nil {
		return false, err
	}
	step, ok := CheckTOTP(s, digits, row.last, tx.Now)
	if !ok {
		return false, nil
	}
	return spend(ctx, tx, m.User, m.ID, step)
}

// spend takes a step, and all before it. false: somebody else was first.
func spend(ctx context.Context, tx *db.Tx, who id.User, which id.Method, step int64) (bool, error) {
	n, err := advance(ctx, tx, who, which, step)
	if err != nil {
		return false, fmt.Errorf("take the step of an authenticator: %w", err)
	}
	return n == 1, nil
}

// totp is a stored secret.
type totp struct {
	id     id.Method
	sealed []byte
	last   int64
}

func (t totp) open(keys *secret.Keys, who id.User) (TOTPSecret, error) {
	plain, err := keys.Open(totpPlace(who, t.id), t.sealed)
	if err != nil {
		return TOTPSecret{}, fmt.Errorf("open the secret of an authenticator: %w", err)
	}
	return TOTPSecret{text: secret.NewText(string(plain))}, nil
}

func totpPlace(who id.User, which id.Method) secret.Place {
	return secret.Place{Owner: string(who), Table: "totp_secrets", Row: string(which), Column: "sealed"}
}

func dropUnfinished(ctx context.Context, tx *db.Tx, who id.User) error {
	old, err := unfinishedOf(ctx, tx, who)
	if err != nil {
		return fmt.Errorf("find unfinished authenticators: %w", err)
	}
	return dropAll(ctx, tx, old)
}

func sweepTOTP(ctx context.Context, tx *db.Tx, limit int) error {
	old, err := unfinishedBefore(ctx, tx, tx.Now.Add(-setUpFor), limit)
	if err != nil {
		return err
	}
	return dropAll(ctx, tx, old)
}

// dropAll deletes set-ups, row and secret: nothing else names what never was a method.
// One that was finished meanwhile is left.
func dropAll(ctx context.Context, tx *db.Tx, old []Method) error {
	for _, m := range old {
		n, err := dropUnproved(ctx, tx, m.User, m.ID)
		if err == nil && n == 1 {
			err = forget(ctx, tx, m.User, m.ID)
		}
		if err != nil {
			return fmt.Errorf("drop an unfinished authenticator: %w", err)
		}
	}
	return nil
}

// inGroups writes text in groups of n.
func inGroups(text string, n int, between string) string {
	var b strings.Builder
	for i := 0; i < len(text); i += n {
		if i > 0 {
			b.WriteString(between)
		}
		b.WriteString(text[i:min(i+n, len(text))])
	}
	return b.String()
}
