package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/manager"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/user"
)

// Colleague is one of the vendor's own people in the demo.
type Colleague struct{ Email, Name string }

// Staff are the vendor's people. The first is the account manager of all sites but those of
// the second; the third has none.
func Staff() []Colleague {
	var all []Colleague
	for _, m := range staff() {
		all = append(all, Colleague{Email: m.login, Name: m.first + " " + m.last})
	}
	return all
}

func staff() []member {
	return []member{
		{login: accountManager, first: "Robin", last: "Ellery", mobile: "07 5550 0142"},
		{login: otherManager, first: "Casey", last: "Marsh", mobile: "07 5550 0143"},
		{login: "devon.hart@vendor.example", first: "Devon", last: "Hart", mobile: "07 5550 0144"},
	}
}

// metaTOTP is where the demo keeps the secret of an authenticator, by the login name. The
// product never shows one again; a demo has no phone, so its desk is the phone. It is in
// the demo's own database alone, which the product refuses to serve.
const metaTOTP = "demo_totp:"

// SeedStaff makes the vendor's people, each with the one password and an authenticator
// whose codes the desk shows. Who is there already is left as they are.
func SeedStaff(ctx context.Context, d *db.DB, keys *secret.Keys) error {
	hash, err := password.Parse(password.Hash(Password)) // slow, and nothing is open
	if err != nil {
		return fmt.Errorf("hash the demo's password: %w", err)
	}
	for _, m := range staff() {
		err := d.Do(ctx, func(tx *db.Tx) error { return m.employ(ctx, tx, keys, hash) })
		if err != nil {
			return fmt.Errorf("seed %s: %w", m.login, err)
		}
	}
	return nil
}

func (m member) employ(ctx context.Context, tx *db.Tx, keys *secret.Keys, hash password.Stored) error {
	login, err := address.Email(m.login)
	if err != nil {
		return err
	}
	if _, err := user.ByLogin(ctx, tx, login); !errors.Is(err, fault.NotFound) {
		return err
	}
	who, err := user.Add(ctx, tx, user.User{
		Login: login, FirstName: m.first, LastName: m.last, Password: hash, PasswordSetAt: tx.Now.Add(-90 * day),
	})
	if err != nil {
		return err
	}
	if _, err := method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: string(login)}); err != nil {
		return err
	}
	which, key, err := method.LinkTOTP(ctx, tx, keys, who.ID, "")
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(key.Text(), " ", "")
	// The code before the present one, so that the present one can still sign in.
	digits, err := totp.GenerateCode(text, tx.Now.Add(-30*time.Second))
	if err != nil {
		return fmt.Errorf("read an authenticator: %w", err)
	}
	ok, err := method.ConfirmTOTP(ctx, tx, keys, who.ID, which.ID, digits)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("the first code of an authenticator: %w", fault.Invalid)
	}
	if err := db.SetMeta(ctx, tx, metaTOTP+m.login, text); err != nil {
		return err
	}
	if err := user.MakeStaff(ctx, tx, who.ID); err != nil {
		return err
	}
	if err := manager.SetContact(ctx, tx, By(), who.ID, m.mobile, "Mon to Fri, 7 am to 6 pm"); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{Kind: audit.StaffConfirmed, Actor: By(), User: who.ID})
}

// Authenticator says which code the authenticator of one of the vendor's people shows, and
// until when.
func Authenticator(ctx context.Context, from db.Reader, email string, now time.Time) (digits string, until time.Time, err error) {
	key, err := db.Meta(ctx, from, metaTOTP+email)
	if err != nil {
		return "", until, fmt.Errorf("the authenticator of %s: %w", email, err)
	}
	digits, err = totp.GenerateCode(key, now)
	if err != nil {
		return "", until, fmt.Errorf("read an authenticator: %w", err)
	}
	return digits, now.Truncate(30 * time.Second).Add(30 * time.Second), nil
}
