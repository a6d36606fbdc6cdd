// Package user keeps people: their login name, their name and their password.
//
// A user is an id that is never reused. The login name is one canonical text, unique
// in the system (package address makes it canonical); it need not be an address,
// because for years it did not have to be one.
package user

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/password"
	"keyturn/internal/policy"
)

// User is a person.
type User struct {
	ID        id.User
	Login     address.Canonical
	FirstName string
	LastName  string
	// Staff says that this is one of the vendor's own people.
	Staff bool
	// Wants2FA is the person's own choice; Usual the method they like to be asked for.
	Wants2FA bool
	Usual    policy.MethodKind
	// Password is the stored hash; the zero value is one that nothing matches.
	Password      password.Stored
	PasswordSetAt time.Time
	// ResetMarkAt is when the password was reset by email, until that is cleared.
	ResetMarkAt time.Time
	// RiskAt is the last change of password, email, mobile or methods.
	RiskAt    time.Time
	CreatedAt time.Time
}

// Name is the person's name as others read it; the login name where there is none.
func (u User) Name() string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	return string(u.Login)
}

// Add stores a new user; fault.Conflict if the login name is taken, or kept for somebody
// who may undo the change of theirs.
func Add(ctx context.Context, tx *db.Tx, u User) (User, error) {
	u.ID, u.CreatedAt = id.New[id.User](), tx.Now
	if err := insert(ctx, tx, u); err != nil {
		return u, fmt.Errorf("add a user: %w", err)
	}
	return u, free(ctx, tx, u.ID, u.Login)
}

// ByID finds a user; fault.NotFound if there is none.
func ByID(ctx context.Context, from db.Reader, who id.User) (User, error) {
	return byID(ctx, from, who)
}

// Hold gives a user as they are now, and keeps the row until the transaction ends: what
// two do to one person at once, they do one after the other. fault.NotFound if there is
// none.
func Hold(ctx context.Context, tx *db.Tx, who id.User) (User, error) {
	return hold(ctx, tx, who)
}

// ByIDs finds many users; those who are not there are left out.
func ByIDs(ctx context.Context, from db.Reader, who []id.User) (map[id.User]User, error) {
	rows, err := byIDs(ctx, from, who)
	if err != nil {
		return nil, fmt.Errorf("find users: %w", err)
	}
	all := make(map[id.User]User, len(rows))
	for _, u := range rows {
		all[u.ID] = u
	}
	return all, nil
}

// ByLogin finds a user by the canonical login name; fault.NotFound if there is none.
func ByLogin(ctx context.Context, from db.Reader, login address.Canonical) (User, error) {
	return byLogin(ctx, from, login)
}

// Rehash stores the same password under a better hash. It changes nothing that was
// made before, because the password is the same. fault.Conflict if the password was
// changed meanwhile.
func Rehash(ctx context.Context, tx *db.Tx, u User, better password.Stored) error {
	return rehash(ctx, tx, u.ID, u.Password, better)
}

// SetPassword stores a new password: everything that was made under the old one dies.
func SetPassword(ctx context.Context, tx *db.Tx, who id.User, fresh password.Stored) error {
	if err := setPassword(ctx, tx, who, fresh); err != nil {
		return fmt.Errorf("set a password: %w", err)
	}
	return epoch.Raise(ctx, tx, epoch.User(who))
}

// ClearPassword takes a password away that somebody else set: everything that was made under
// it dies, and the user is as they were before they had any.
func ClearPassword(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := clearPassword(ctx, tx, who); err != nil {
		return fmt.Errorf("clear a password: %w", err)
	}
	return epoch.Raise(ctx, tx, epoch.User(who))
}

// MarkReset notes that the password was reset by email: until something better is passed
// the mailbox does not count as a second factor. A later reset begins the mark anew: an
// earlier one may have ended by itself long ago.
func MarkReset(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := markReset(ctx, tx, who); err != nil {
		return fmt.Errorf("mark a reset: %w", err)
	}
	return nil
}

// ClearResetMark ends the mark; one that is not there is cleared already.
func ClearResetMark(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := clearResetMark(ctx, tx, who); err != nil {
		return fmt.Errorf("end the mark of a reset: %w", err)
	}
	return nil
}

// Risk notes that the person's methods or addresses changed: what was remembered before
// it spares nothing any more.
func Risk(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := risk(ctx, tx, who); err != nil {
		return fmt.Errorf("note a change: %w", err)
	}
	return nil
}

// SetUsual stores the method that the person likes to be asked for; empty for none.
func SetUsual(ctx context.Context, tx *db.Tx, who id.User, usual policy.MethodKind) error {
	if err := setUsual(ctx, tx, who, usual); err != nil {
		return fmt.Errorf("store a usual way: %w", err)
	}
	return nil
}

// MakeStaff makes somebody one of the vendor's own people; fault.Conflict if they are.
func MakeStaff(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := makeStaff(ctx, tx, who); err != nil {
		return fmt.Errorf("make a member of staff: %w", err)
	}
	return nil
}

// EndStaff makes somebody one of the vendor's own people no more; fault.Conflict if they
// are not. Who calls raises the user's number, so that their sessions die.
func EndStaff(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := endStaff(ctx, tx, who); err != nil {
		return fmt.Errorf("end a member of staff: %w", err)
	}
	return nil
}

// forms are all forms in which a password may be stored.
var forms = []password.Form{
	password.Argon2id, password.Bcrypt, password.PBKDF2, password.Scrypt, password.ASPNetV2, password.ASPNetV3,
}

// DearestHashes gives the dearest stored hash of each form: what the fixed time of answers
// to a password is measured by.
func DearestHashes(ctx context.Context, from db.Reader) ([]password.Stored, error) {
	var all []password.Stored
	for _, form := range forms {
		one, err := slowest(ctx, from, form)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find the dearest password hash: %w", err)
		}
		all = append(all, one)
	}
	return all, nil
}
