package signin

import (
	"context"
	"fmt"

	"keyturn/internal/db"
)

// crossed notes that what was typed is the code of another sign-in of the same person, in
// another browser. It stays as wrong as any other, costs the same, and is told to nobody:
// often it is one person with two windows, and several people if it goes on. Both sign-ins
// are at one site: what somebody does at another is nobody's evidence here, and of one that
// is at no site yet nothing is noted.
func (d *Desk) crossed(ctx context.Context, tx *db.Tx, a Attempt, digits string) error {
	if d.Crossed == nil || a.Place.Browser == "" || a.Site == "" {
		return nil
	}
	others, err := elsewhere(ctx, tx, a)
	if err != nil {
		return fmt.Errorf("read sign-ins in other browsers: %w", err)
	}
	for _, other := range others {
		if other.Site != a.Site {
			continue
		}
		codes, err := codesOf(ctx, tx, other)
		if err != nil {
			return fmt.Errorf("read codes: %w", err)
		}
		if live, _ := sift(codes, tx.Now); live != nil && d.is(*live, other, digits) {
			return d.Crossed(ctx, tx, a.Site, a.User)
		}
	}
	return nil
}
