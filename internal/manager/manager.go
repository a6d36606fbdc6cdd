// Package manager says who of the vendor's staff looks after a site, and how they are
// reached: the account manager, whom pages name where nobody at the site can help.
package manager

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Contact is somebody of the vendor's staff, as a site's people read it.
type Contact struct {
	// User is the member of staff; empty where the site's address is that of nobody who
	// signs in here.
	User id.User
	// Name is the person's; the address where no more is known. Empty: the site has no
	// account manager.
	Name  string
	Email string
	// Phone is written as it is dialled, Words say when somebody answers. Both may be
	// empty.
	Phone, Words string
}

// Known says whether there is anybody.
func (c Contact) Known() bool { return c.Name != "" }

// longest bounds a phone number and the words beside it, in characters.
const longest = 120

// Of gives the account manager of a site. One whose address is no member of staff's is
// known by the address alone.
func Of(ctx context.Context, from db.Reader, at site.Site) (Contact, error) {
	c := Contact{Name: at.AccountManager, Email: at.AccountManager}
	if at.AccountManager == "" {
		return c, nil
	}
	login, err := address.Login(at.AccountManager)
	if errors.Is(err, fault.Invalid) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read an account manager's address: %w", err)
	}
	who, err := user.ByLogin(ctx, from, login)
	if errors.Is(err, fault.NotFound) || err == nil && !who.Staff {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("find an account manager: %w", err)
	}
	c.User, c.Name = who.ID, who.Name()
	c.Phone, c.Words, err = contact(ctx, from, who.ID)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return c, fmt.Errorf("read how an account manager is reached: %w", err)
	}
	return c, nil
}

// Staff lists who is staff, 50 at most: whom to tell where a site has no account manager.
func Staff(ctx context.Context, from db.Reader) ([]id.User, error) {
	all, err := staff(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("read who is staff: %w", err)
	}
	return all, nil
}

// SetContact stores how a member of staff is reached: a phone number as it is dialled, and
// when they answer, of 120 characters at most. Both may be empty; fault.Invalid if one is
// longer, or has more than one line.
func SetContact(ctx context.Context, tx *db.Tx, by audit.Actor, who id.User, number, words string) error {
	number, words = strings.TrimSpace(number), strings.TrimSpace(words)
	for _, s := range []string{number, words} {
		if utf8.RuneCountInString(s) > longest || strings.ContainsAny(s, "\r\n\x00") {
			return fmt.Errorf("how a member of staff is reached is one line of %d characters: %w", longest, fault.Invalid)
		}
	}
	if err := setContact(ctx, tx, who, number, words); err != nil {
		return fmt.Errorf("store how a member of staff is reached: %w", err)
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.StaffContactChanged, Actor: by, User: who,
		Personal: map[string]string{"phone": number, "words": words},
	})
}
