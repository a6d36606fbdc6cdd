package trail

import (
	"context"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Why says why personal values are erased.
type Why string

// The reasons.
const (
	Request Why = "request" // the person asked for it
	Left    Why = "left"    // the person has left, and nothing needs the values any more
	Order   Why = "order"   // an authority ordered it
)

// Forget wipes what one feature keeps of a person beside the trail, and is over with: a
// request by which they came, say.
type Forget func(ctx context.Context, tx *db.Tx, who id.User) error

// Erase wipes every personal value of a user from the trail, in whatever chain it stands:
// their addresses, numbers and names, and the networks and browsers of what they did. That
// it was done, by whom and why is an event of each site in whose chain one stood. It says
// how many values there were. The trail verifies as before. In the same transaction it
// has the others forget what they keep of the person.
func Erase(ctx context.Context, d *db.DB, by audit.Actor, who id.User, why Why, others ...Forget) (values int64, err error) {
	err = d.Do(ctx, func(tx *db.Tx) (err error) {
		for _, forget := range others {
			if err := forget(ctx, tx, who); err != nil {
				return err
			}
		}
		values, err = audit.EraseFor(ctx, tx, by, who, string(why))
		return err
	})
	return values, err
}
