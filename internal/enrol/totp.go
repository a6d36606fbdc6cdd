package enrol

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
)

// adding is what it takes to add a method.
var adding = []policy.Change{policy.AddMethod}

// Setup is an authenticator that is being set up. Its secret does not print itself.
type Setup struct {
	Method id.Method
	Secret method.TOTPSecret
	// Issuer and Account are the two lines that the app shows.
	Issuer, Account string
}

// URL is the set-up as apps scan it. It reveals the secret.
func (s Setup) URL() string { return s.Secret.URL(s.Issuer, s.Account) }

// BeginTOTP begins the set-up of an authenticator; one that was not finished is replaced.
func (d *Desk) BeginTOTP(ctx context.Context, h Holder) (setup Setup, done Done, err error) {
	done, err = d.change(ctx, h, adding, func(tx *db.Tx, s held) (Done, error) {
		m, key, err := method.LinkTOTP(ctx, tx, d.Keys, s.who.ID, "")
		if errors.Is(err, fault.Invalid) {
			return Done{Refused: Full}, nil
		}
		if err != nil {
			return Done{}, fmt.Errorf("begin an authenticator: %w", err)
		}
		setup = d.setup(s, m, key)
		return Done{Method: m.ID}, nil
	})
	return setup, done, err
}

// ViewTOTP gives the set-up that is under way, to show it again. It takes the same proof
// as to begin it: whoever sees the secret has the authenticator.
func (d *Desk) ViewTOTP(ctx context.Context, h Holder) (Setup, Done, error) {
	s, done, err := d.look(ctx, h, adding)
	if err != nil || done.Refused != "" {
		return Setup{}, done, err
	}
	m, key, err := method.PendingTOTP(ctx, d.DB, d.Keys, s.who.ID)
	if errors.Is(err, fault.NotFound) {
		return Setup{}, Done{Refused: NoCode}, nil
	}
	if err != nil {
		return Setup{}, Done{}, err
	}
	return d.setup(s, m, key), Done{Method: m.ID}, nil
}

func (d *Desk) setup(s held, m method.Method, key method.TOTPSecret) Setup {
	return Setup{Method: m.ID, Secret: key, Issuer: d.VendorName, Account: string(s.who.Login)}
}

// ConfirmTOTP ends the set-up with the first code of the app, and names it; name may be
// empty.
func (d *Desk) ConfirmTOTP(ctx context.Context, h Holder, digits, name string) (Done, error) {
	name, named := readName(name)
	if !named {
		return Done{Refused: BadName}, nil
	}
	digits, formed := sixDigits(digits)
	return d.change(ctx, h, adding, func(tx *db.Tx, s held) (Done, error) {
		m, _, err := method.PendingTOTP(ctx, tx, d.Keys, s.who.ID)
		if errors.Is(err, fault.NotFound) {
			return Done{Refused: NoCode}, nil
		}
		if err != nil {
			return Done{}, err
		}
		if !formed {
			return Done{Refused: WrongForm}, nil
		}
		done, charges, err := d.guess(ctx, tx, s, policy.TOTP)
		if err != nil || done.Refused != "" {
			return done, err
		}
		right, err := method.ConfirmTOTP(ctx, tx, d.Keys, s.who.ID, m.ID, digits)
		switch {
		case errors.Is(err, fault.NotFound): // it took longer than an hour
			return Done{Refused: NoCode}, limit.GiveBack(ctx, tx, charges...)
		case err != nil:
			return Done{}, fmt.Errorf("confirm an authenticator: %w", err)
		case !right:
			return Done{Refused: WrongCode}, d.record(ctx, tx, s, effect{kind: audit.CodeWrong, facts: methodFacts(m)})
		}
		if err := limit.GiveBack(ctx, tx, charges...); err != nil {
			return Done{}, err
		}
		m.Name = name
		if err := d.name(ctx, tx, m); err != nil {
			return Done{}, err
		}
		return d.added(ctx, tx, s, m)
	})
}

// guess takes one guess at the set-up of a method of a kind. All set-ups of a kind have
// one budget: to begin another buys no guesses.
func (d *Desk) guess(ctx context.Context, tx *db.Tx, s held, kind policy.MethodKind) (Done, []limit.Charge, error) {
	known, err := session.Known(ctx, tx, s.who.ID, s.place, tx.Now)
	if err != nil {
		return Done{}, nil, fmt.Errorf("look for a known place: %w", err)
	}
	charges := method.Guesses(s.who.ID, id.Method("set-up of "+kind), known)
	answer, err := limit.Take(ctx, tx, charges...)
	if err != nil {
		return Done{}, nil, err
	}
	if !answer.OK {
		return Done{Refused: Resting, Retry: answer.Retry}, nil, nil
	}
	for i := range charges {
		charges[i].At = answer.At
	}
	return Done{}, charges, nil
}

// added settles a method that was added and works.
func (d *Desk) added(ctx context.Context, tx *db.Tx, s held, m method.Method) (Done, error) {
	done, err := d.settle(ctx, tx, s, effect{
		kind: audit.MethodAdded, facts: methodFacts(m), personal: methodPersonal(m),
		told: message.MethodAdded, about: m.Kind, words: map[string]string{"method": string(m.Kind)},
	})
	done.Method = m.ID
	return done, err
}

func (d *Desk) name(ctx context.Context, tx *db.Tx, m method.Method) error {
	if m.Name == "" {
		return nil
	}
	return method.Rename(ctx, tx, m.User, m.ID, m.Name)
}

// methodFacts say which method it is. Its address and its name are personal.
func methodFacts(m method.Method) map[string]string {
	return map[string]string{"method": string(m.ID), "kind": string(m.Kind)}
}

func methodPersonal(m method.Method) map[string]string {
	return map[string]string{"address": m.Address, "name": m.Name}
}

// readName reads a name that may be left out.
func readName(typed string) (string, bool) {
	if strings.TrimSpace(typed) == "" {
		return "", true
	}
	return method.ReadName(typed)
}

// codeDigits is the length of a code (NIST 800-63B-4 section 3.1.3.2: six or more).
const codeDigits = 6

// sixDigits reads the one form of a code: six ASCII digits, with spaces between and
// around them as apps and people write them, and nothing else.
func sixDigits(typed string) (string, bool) {
	digits := strings.ReplaceAll(typed, " ", "")
	if len(digits) != codeDigits {
		return "", false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "", false
		}
	}
	return digits, true
}
