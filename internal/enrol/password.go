package enrol

import (
	"context"
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/message"
	"keyturn/internal/password"
	"keyturn/internal/secret"
	"keyturn/internal/user"
)

// Why a password cannot be used, where the Desk has no Unfit.
const (
	tooShort = "short"
	tooLong  = "long"
)

// ChangePassword sets a new password. The proof is what allows it, so the old one is not
// asked for: where it is all the person has, it was just given. The mark of a reset stays.
//
// Everything is looked at before the password is hashed, with nothing open, and again in
// the transaction that stores it.
func (d *Desk) ChangePassword(ctx context.Context, h Holder, fresh secret.Text) (Done, error) {
	s, done, err := d.look(ctx, h, other)
	if err != nil || done.Refused != "" {
		return done, err
	}
	why, err := d.unfit(ctx, fresh.Reveal(), s.who)
	if err != nil {
		return Done{}, err
	}
	if why != "" {
		return Done{Refused: BadPassword, Why: why}, nil
	}
	var encoded string
	turn := password.Turn{Network: h.Place.Network, User: string(s.who.Login), Known: true}
	if err := d.Slots.Run(ctx, turn, func() { encoded = password.Hash(fresh.Reveal()) }); err != nil {
		return Done{}, err
	}
	stored, err := password.Parse(encoded)
	if err != nil {
		return Done{}, fmt.Errorf("read a fresh hash: %w", err)
	}
	return d.change(ctx, h, other, func(tx *db.Tx, s held) (Done, error) {
		if err := user.SetPassword(ctx, tx, s.who.ID, stored); err != nil {
			return Done{}, err
		}
		return d.settle(ctx, tx, s, effect{kind: audit.PasswordChanged, told: message.PasswordChanged})
	})
}

func (d *Desk) unfit(ctx context.Context, plain string, who user.User) (string, error) {
	switch {
	case d.Unfit != nil:
		return d.Unfit(ctx, plain, who)
	case password.TooLong(plain):
		return tooLong, nil
	case utf8.RuneCountInString(norm.NFC.String(plain)) < password.Shortest:
		return tooShort, nil
	}
	return "", nil
}
