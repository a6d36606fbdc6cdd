package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"keyturn/internal/apikey"
	"keyturn/internal/db"
	"keyturn/internal/once"
)

// Named is what every call takes that adds something and may be sent again.
type Named struct {
	//nolint:lll // one field
	Name string `header:"Idempotency-Key" maxLength:"255" doc:"Your own name of this call, as a UUID. Sent again within 24 hours it does nothing, and is answered as before; with anything else in it, it is 422. A refusal is not kept: the call is looked at anew." example:"8e03978e-40d5-43e8-bc93-6894a57f9324"`
}

// errOther is a name that stands for another call.
var errOther = func() *Problem {
	return coded(http.StatusUnprocessableEntity, "other_call", "This Idempotency-Key stands for a call that asked for something else.")
}

// call is a named call and all of what it asks.
func (n Named) call(k apikey.Key, operation, about string, body any) (once.Call, error) {
	c := once.Call{Key: k.ID, Name: n.Name}
	if !c.Named() {
		return c, nil
	}
	if !once.Sound(n.Name) {
		return c, coded(http.StatusUnprocessableEntity, "bad_idempotency_key", "An Idempotency-Key is up to 255 printable ASCII characters, without spaces.")
	}
	asked, err := json.Marshal([]any{operation, about, body})
	if err != nil {
		return c, fmt.Errorf("read a call: %w", err)
	}
	c.Asked = string(asked)
	return c, nil
}

// doOnce carries a call out in one transaction, with its name; or gives the answer that was
// given before. Nothing of a refusal is kept but what it used up of budgets.
func doOnce[T any](ctx context.Context, a *API, c once.Call, do func(*db.Tx) (T, *Problem, error)) (out T, err error) {
	known, err := once.Look(ctx, a.DB, a.DB.Clock.Now(), c)
	if err != nil {
		return out, fmt.Errorf("look for a call: %w", err)
	}
	var refused *Problem
	if !known.Before && !known.Other {
		err = a.DB.Do(ctx, func(tx *db.Tx) error {
			refused = nil
			if known, err = once.Take(ctx, tx, c); err != nil || known.Before || known.Other {
				return err
			}
			if out, refused, err = do(tx); err != nil {
				return err
			}
			if refused != nil {
				return once.Drop(ctx, tx, c)
			}
			text, err := json.Marshal(out)
			if err != nil {
				return fmt.Errorf("write an answer: %w", err)
			}
			return once.Keep(ctx, tx, c, string(text))
		})
	}
	switch {
	case err != nil:
		return out, err
	case refused != nil:
		return out, refused
	case known.Other:
		return out, errOther()
	case known.Before:
		if err := json.Unmarshal([]byte(known.Answer), &out); err != nil {
			return out, fmt.Errorf("read an answer that was kept: %w", err)
		}
	}
	return out, nil
}
