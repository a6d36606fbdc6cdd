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
	"keyturn/internal/secret"
	"keyturn/internal/user"
)

// Colleague is one of the vendor's staff in the demo, who sign in with an authenticator.
type Colleague struct {
	Name, Login string
	// Code is what their authenticator shows now.
	Code string
}

// colleagues are the account manager of every site, and the second whom some things take.
var colleagues = []struct{ login, first, last, phone, words string }{
	{accountManager, "Robin", "Ellery", "07 5550 0142", "Mon to Fri, 7 am to 6 pm"},
	{"jess.amari@vendor.example", "Jess", "Amari", "07 5550 0143", "Mon to Fri, 7 am to 6 pm"},
}

// metaKey names the value that keeps what a colleague's authenticator was given. In a demo
// everybody's secrets are shown.
func metaKey(login string) string { return "demo_authenticator:" + login }

// SeedStaff writes the vendor's staff into a seeded database, each with an authenticator.
func SeedStaff(ctx context.Context, d *db.DB, keys *secret.Keys) error {
	hash, err := password.Parse(password.Hash(Password))
	if err != nil {
		return fmt.Errorf("hash the demo's password: %w", err)
	}
	for _, c := range colleagues {
		err := d.Do(ctx, func(tx *db.Tx) error {
			who, err := user.Add(ctx, tx, user.User{
				Login: address.Canonical(c.login), FirstName: c.first, LastName: c.last, Password: hash, PasswordSetAt: tx.Now.Add(-90 * day),
			})
			if err != nil {
				return err
			}
			if err := user.MakeStaff(ctx, tx, who.ID); err != nil {
				return err
			}
			if err := manager.SetContact(ctx, tx, By(), who.ID, c.phone, c.words); err != nil {
				return err
			}
			m, given, err := method.LinkTOTP(ctx, tx, keys, who.ID, "")
			if err != nil {
				return err
			}
			// A step back, so that the code of now has not been used.
			digits, err := shows(given.Text(), tx.Now.Add(-30*time.Second))
			if err != nil {
				return err
			}
			if ok, err := method.ConfirmTOTP(ctx, tx, keys, who.ID, m.ID, digits); err != nil || !ok {
				return fmt.Errorf("confirm an authenticator: %w", errors.Join(err, fault.Invalid))
			}
			if err := audit.Record(ctx, tx, audit.Event{Kind: audit.StaffEnrolled, Actor: By(), User: who.ID}); err != nil {
				return err
			}
			return db.SetMeta(ctx, tx, metaKey(c.login), given.Text())
		})
		if err != nil {
			return fmt.Errorf("seed the member of staff %s: %w", c.login, err)
		}
	}
	return nil
}

// Colleagues are the vendor's staff with what their authenticators show now; none in a
// demo of before there were any.
func Colleagues(ctx context.Context, d *db.DB) ([]Colleague, error) {
	var all []Colleague
	for _, c := range colleagues {
		key, err := db.Meta(ctx, d, metaKey(c.login))
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read an authenticator: %w", err)
		}
		digits, err := shows(key, d.Clock.Now())
		if err != nil {
			return nil, err
		}
		all = append(all, Colleague{Name: c.first + " " + c.last, Login: c.login, Code: digits})
	}
	return all, nil
}

// shows is the code of an authenticator at a moment.
func shows(key string, at time.Time) (string, error) {
	digits, err := totp.GenerateCode(strings.ReplaceAll(key, " ", ""), at)
	if err != nil {
		return "", fmt.Errorf("read an authenticator: %w", err)
	}
	return digits, nil
}
