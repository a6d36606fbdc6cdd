package enrol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/limit"
)

// Ceremony is what a browser is asked to make.
type Ceremony struct {
	Token string
	// Options is for navigator.credentials.create, with binary members in base64url.
	Options json.RawMessage
}

// BeginPasskey asks a browser to make a passkey.
func (d *Desk) BeginPasskey(ctx context.Context, h Holder) (c Ceremony, done Done, err error) {
	if !d.Passkeys.Possible() {
		return c, Done{Refused: NoPasskeys}, nil
	}
	done, err = d.change(ctx, h, adding, func(tx *db.Tx, s held) (Done, error) {
		answer, err := limit.Take(ctx, tx, limit.Charge{Budget: limit.PasskeysAsked, Subject: limit.Subject("add", string(s.who.ID))})
		if err != nil {
			return Done{}, err
		}
		if !answer.OK {
			return Done{Refused: TooSoon, Retry: answer.Retry}, nil
		}
		c.Token, c.Options, err = d.Passkeys.BeginAdd(ctx, tx, s.who.ID, string(s.who.Login), s.who.Name())
		if errors.Is(err, fault.Invalid) {
			return Done{Refused: Full}, nil
		}
		if err != nil {
			return Done{}, fmt.Errorf("begin a passkey: %w", err)
		}
		return Done{}, nil
	})
	return c, done, err
}

// Made is what a browser answered to a Ceremony, and what the passkey is to be called;
// Name may be empty.
type Made struct {
	Token, Response, Name string
}

// FinishPasskey looks at what a browser made. A wrong answer uses the ceremony up, too.
func (d *Desk) FinishPasskey(ctx context.Context, h Holder, made Made) (Done, error) {
	name, named := readName(made.Name)
	if !named {
		return Done{Refused: BadName}, nil
	}
	return d.change(ctx, h, adding, func(tx *db.Tx, s held) (Done, error) {
		m, ok, err := d.Passkeys.FinishAdd(ctx, tx, s.who.ID, made.Token, made.Response, name)
		if err != nil {
			return Done{}, fmt.Errorf("finish a passkey: %w", err)
		}
		if !ok {
			return Done{Refused: WrongPasskey}, nil
		}
		return d.added(ctx, tx, s, m)
	})
}
