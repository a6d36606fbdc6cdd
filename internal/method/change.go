package method

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// nameRunes is how long a name may be, in runes.
const nameRunes = 60

// Most is how many methods of one kind a user may have. Every authenticator makes a
// guessed code as much more likely to be one of theirs.
const Most = 10

// ReadName reads a method's name: 1 to 60 printable runes without the spaces around them.
// What does not print (line ends, and the marks that turn text around) is refused, since
// the name stands in mails and in other people's lists.
func ReadName(typed string) (string, bool) {
	name := strings.TrimSpace(typed)
	count := utf8.RuneCountInString(name)
	if !utf8.ValidString(name) || count < 1 || count > nameRunes {
		return "", false
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return "", false
		}
	}
	return name, true
}

// optional is ReadName for a method that may still get its name.
func optional(typed string) (string, error) {
	if strings.TrimSpace(typed) == "" {
		return "", nil
	}
	name, ok := ReadName(typed)
	if !ok {
		return "", errName
	}
	return name, nil
}

var errName = fmt.Errorf("a name has 1 to %d letters, digits or signs: %w", nameRunes, fault.Invalid)

// Rename gives a method another name; fault.Invalid if ReadName does not read it,
// fault.Conflict if the method is gone.
func Rename(ctx context.Context, tx *db.Tx, who id.User, which id.Method, name string) error {
	read, ok := ReadName(name)
	if !ok {
		return errName
	}
	if err := rename(ctx, tx, who, which, read); err != nil {
		return fmt.Errorf("rename a method: %w", err)
	}
	return nil
}

// Remove takes a method away, and what was secret of it: the row stays for the records
// that name it, the secret does not. fault.Conflict if it is gone already. Whether
// somebody may be left without it is the caller's to ask.
func Remove(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	if err := remove(ctx, tx, who, which); err != nil {
		return fmt.Errorf("remove a method: %w", err)
	}
	if err := forget(ctx, tx, who, which); err != nil {
		return fmt.Errorf("remove the secret of a method: %w", err)
	}
	return nil
}

// Take is Remove by somebody other than the method's owner. Until takenFor is over the way
// counts for WasTaken: whoever takes it away is not to gain by it.
func Take(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	if err := Remove(ctx, tx, who, which); err != nil {
		return err
	}
	if err := markTaken(ctx, tx, who, which); err != nil {
		return fmt.Errorf("note who removed a method: %w", err)
	}
	return nil
}

// takenFor is how long a way that somebody else took is held against a mailbox that comes
// after it: as long as a number has to be on file before staff call it back.
const takenFor = 30 * 24 * time.Hour

// WasTaken says whether somebody else took a proved way other than email from a user in the
// last 30 days. What the owners remove themselves does not count: they know what they have
// left.
func WasTaken(ctx context.Context, from db.Reader, now time.Time, who id.User) (bool, error) {
	n, err := countTaken(ctx, from, who, now.Add(-takenFor))
	if err != nil {
		return false, fmt.Errorf("look for methods that were taken: %w", err)
	}
	return n > 0, nil
}

// Prove notes that a code sent to an address was typed back in a session, or that a
// set-up was completed: the method counts from now on. An address that was spent is
// proved anew by this; a spent authenticator is not, it must be set up again.
// fault.Conflict if it is gone.
func Prove(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	if err := prove(ctx, tx, who, which); err != nil {
		return fmt.Errorf("prove a method: %w", err)
	}
	return nil
}

// Relink puts a mailbox or number beside the user's old ones of that kind, pending or
// not. Those that nobody proved give way to it. A proved one stays, because it is all
// they have until the new one is proved; then the caller removes it. An address that is
// theirs and proved already is given back as it is. The codes that were sent to it while
// unproved stay counted: to link it again buys no more of them.
func Relink(ctx context.Context, tx *db.Tx, who id.User, kind policy.MethodKind, to string, pending bool) (Method, error) {
	fresh := Method{User: who, Kind: kind, Address: to, Pending: pending}
	if kind != policy.Email && kind != policy.SMS || to == "" {
		return fresh, fmt.Errorf("only mailboxes and numbers can be linked anew: %w", fault.Invalid)
	}
	all, err := of(ctx, tx, who)
	if err != nil {
		return fresh, fmt.Errorf("read the methods to link another: %w", err)
	}
	for _, old := range all {
		if old.Kind == kind && old.Address == to && !old.ProvedAt.IsZero() && !old.Pending {
			return old, nil
		}
	}
	for _, old := range all {
		if old.Kind != kind || !old.ProvedAt.IsZero() {
			continue
		}
		if old.Address == to {
			fresh.UnprovedSent += old.UnprovedSent
		}
		if err := Remove(ctx, tx, who, old.ID); err != nil {
			return fresh, err
		}
	}
	return Link(ctx, tx, fresh)
}
