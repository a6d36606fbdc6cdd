package user

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
)

// UndoLife is how long the old address of a login name may undo its change.
const UndoLife = 7 * 24 * time.Hour

// LoginChange is a change of a login name that the old address may undo. While it is
// live the old name is kept: nobody else can take it.
type LoginChange struct {
	User              id.User
	ID                id.LoginChange
	Old, New          address.Canonical
	MadeAt, ExpiresAt time.Time
	// NoPassword says that the user had none then: one that they have now was set from a
	// later address.
	NoPassword bool
	// UsedAt is when it was undone, EndedAt when that ended without; zero: not so.
	UsedAt, EndedAt time.Time
}

// Live says that the change can be undone now.
func (c LoginChange) Live(now time.Time) bool {
	return c.UsedAt.IsZero() && c.EndedAt.IsZero() && now.Before(c.ExpiresAt)
}

// SetLogin gives a user another login name. Everything else that a change of it needs is
// the caller's: methods, epochs, notices. fault.Conflict if the name is taken or kept for
// somebody else, or the user has another one than was read.
func SetLogin(ctx context.Context, tx *db.Tx, who User, to address.Canonical) error {
	if err := setLogin(ctx, tx, who.ID, who.Login, to); err != nil {
		return fmt.Errorf("set a login name: %w", err)
	}
	// Who has a name back has undone that change, and with it all later ones.
	if err := endChangesFrom(ctx, tx, who.ID, to); err != nil {
		return fmt.Errorf("end what can be undone: %w", err)
	}
	return free(ctx, tx, who.ID, to)
}

// free looks, after a name was written, whether it is kept for somebody else. Before it
// would be too early: a change of the name's holder may be under way, and the write waits
// for that one's end.
func free(ctx context.Context, tx *db.Tx, who id.User, login address.Canonical) error {
	kept, err := keptFor(ctx, tx, login, tx.Now)
	if err != nil {
		return fmt.Errorf("look for whom a login name is kept: %w", err)
	}
	for _, other := range kept {
		if other != who {
			return fmt.Errorf("the login name is kept for somebody else: %w", fault.Conflict)
		}
	}
	return nil
}

// Free says whether a user may have a login name now, as a question: only the write
// decides. Whoever has it, or may have it back, is not told.
func Free(ctx context.Context, from db.Reader, now time.Time, who id.User, login address.Canonical) (bool, error) {
	holder, err := byLogin(ctx, from, login)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return false, fmt.Errorf("find a user: %w", err)
	}
	if err == nil && holder.ID != who {
		return false, nil
	}
	kept, err := keptFor(ctx, from, login, now)
	if err != nil {
		return false, fmt.Errorf("look for whom a login name is kept: %w", err)
	}
	for _, other := range kept {
		if other != who {
			return false, nil
		}
	}
	return true, nil
}

// KeepOld lets the old address undo the change of a user's login name, as they were before
// it, and gives the token of the link to it.
func KeepOld(ctx context.Context, tx *db.Tx, who User, to address.Canonical) (LoginChange, string, error) {
	token, hash := secret.Token()
	c := LoginChange{
		User: who.ID, ID: id.New[id.LoginChange](), Old: who.Login, New: to, MadeAt: tx.Now, ExpiresAt: tx.Now.Add(UndoLife),
		NoPassword: who.Password.Encoded() == "",
	}
	if err := insertChange(ctx, tx, c, hash); err != nil {
		return c, "", fmt.Errorf("keep an old login name: %w", err)
	}
	return c, token, nil
}

// ChangeByToken finds the change that a link is about, live or not; fault.NotFound if
// there is none.
func ChangeByToken(ctx context.Context, from db.Reader, token string) (LoginChange, error) {
	return changeByHash(ctx, from, secret.TokenHash(token))
}

// TakeBack gives the old name back, and ends what could be undone later than this: the
// oldest wins. fault.Conflict if it is not live any more.
func TakeBack(ctx context.Context, tx *db.Tx, who User, c LoginChange) error {
	if err := useChange(ctx, tx, c); err != nil {
		return fmt.Errorf("undo the change of a login name: %w", err)
	}
	if err := endChangesAfter(ctx, tx, c); err != nil {
		return fmt.Errorf("end later changes of a login name: %w", err)
	}
	if err := setLogin(ctx, tx, who.ID, who.Login, c.Old); err != nil {
		return fmt.Errorf("give a login name back: %w", err)
	}
	return nil
}

// Returns says whether a name is one that its old address could take back for the user
// now: to give it to them is that undo.
func Returns(ctx context.Context, tx *db.Tx, who id.User, to address.Canonical) (bool, error) {
	kept, err := keptFor(ctx, tx, to, tx.Now)
	if err != nil {
		return false, fmt.Errorf("look for whom a login name is kept: %w", err)
	}
	return slices.Contains(kept, who), nil
}

// undoAgain is how long an address that took a name back cannot do so again: a mailbox in
// the wrong hands would do it for ever.
const undoAgain = 90 * 24 * time.Hour

// TookBack says whether an address has taken the user's login name back in the last 90
// days.
func TookBack(ctx context.Context, tx *db.Tx, who id.User, old address.Canonical) (bool, error) {
	n, err := usedChanges(ctx, tx, who, old, tx.Now.Add(-undoAgain))
	if err != nil {
		return false, fmt.Errorf("look for undone changes: %w", err)
	}
	return n > 0, nil
}

// EndUndos ends all that a user's old addresses could undo: they have left, and the names
// are free.
func EndUndos(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := endChanges(ctx, tx, who); err != nil {
		return fmt.Errorf("end what can be undone: %w", err)
	}
	return nil
}

// nobodys begins a login name that was given up. A name with a colon and without an @ is
// not a canonical one: nobody can type it, or have it stored.
const nobodys = "nobody:"

// GiveUp frees the login name of a user who never had any use of it, and forgets the name:
// the user stays, as an id that nobody can sign in with. fault.Conflict if the user has
// another login name than was read.
func GiveUp(ctx context.Context, tx *db.Tx, who User) error {
	if err := setLogin(ctx, tx, who.ID, who.Login, address.Canonical(nobodys+string(who.ID))); err != nil {
		return fmt.Errorf("give a login name up: %w", err)
	}
	return SetName(ctx, tx, who.ID, "", "")
}

// SetName stores a user's first and last name.
func SetName(ctx context.Context, tx *db.Tx, who id.User, first, last string) error {
	if err := setName(ctx, tx, who, first, last); err != nil {
		return fmt.Errorf("set a name: %w", err)
	}
	return nil
}

// keepChanges is how long a change is kept after its end: whoever opens the link late is
// told so, and TookBack finds it.
const keepChanges = undoAgain

// Sweep removes changes that are long over, limit at most at once.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweepChanges(ctx, tx, tx.Now.Add(-keepChanges), limit); err != nil {
		return fmt.Errorf("sweep changes of login names: %w", err)
	}
	return nil
}

// Undone gives the newest change of a login name that its old address undid after since;
// fault.NotFound if none did, or if the login name is another one by now.
func Undone(ctx context.Context, from db.Reader, who User, since time.Time) (LoginChange, error) {
	return undone(ctx, from, who, since)
}

// OldNames gives the login names that their old addresses may take back for a user now, the
// oldest first, 100 at most.
func OldNames(ctx context.Context, from db.Reader, now time.Time, who id.User) ([]address.Canonical, error) {
	all, err := liveOld(ctx, from, who, now)
	if err != nil {
		return nil, fmt.Errorf("read old login names: %w", err)
	}
	return all, nil
}

// LiveChange gives the latest change of a user's login name that can be undone;
// fault.NotFound if there is none.
func LiveChange(ctx context.Context, from db.Reader, now time.Time, who id.User) (LoginChange, error) {
	return liveChange(ctx, from, who, now)
}
