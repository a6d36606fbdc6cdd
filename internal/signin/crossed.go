package signin

import (
	"context"
	"fmt"

	"keyturn/internal/db"
)

// crossed notes that what was typed is the code of another sign-in of the same person, in
// another browser. It stays as wrong as any other, costs the same, and is told to nobody:
// often it is one person with two windows, and several people if it goes on.
func (d *Desk) crossed(ctx context.Context, tx *db.Tx, a Attempt, digits string) error {
	if d.Crossed == nil || a.Place.Browser == "" {
		return nil
	}
	others, err := elsewhere(ctx, tx, a)
	if err != nil {
		return fmt.Errorf("read sign-ins in other browsers: %w", err)
	}
	for _, other := range others {
		codes, err := codesOf(ctx, tx, other)
		if err != nil {
			return fmt.Errorf("read codes: %w", err)
		}
		if live, _ := sift(codes, tx.Now); live != nil && d.is(*live, other, digits) {
			return d.Crossed(ctx, tx, a.User)
		}
	}
	return nil
}
