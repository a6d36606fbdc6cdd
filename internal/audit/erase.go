package audit

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Erase wipes every personal value of a user, in whatever chain it stands, and records
// that it was done and by whom. Verification stays green, because the commitments stay.
func Erase(ctx context.Context, tx *db.Tx, by Actor, user id.User) error {
	_, err := EraseFor(ctx, tx, by, user, "")
	return err
}

// EraseFor is Erase with a reason, which stays in the trail and so is not personal, and says
// how many values there were. Each site in whose chain one stood has an event of it.
//
// It reaches back to before somebody was a user of a site: what was recorded of the request
// whose invitation they accepted, and the names of the split that they were asked for in.
// An invitation that they did not accept is left: an event of its erasure would tell that
// site whose the address was.
func EraseFor(ctx context.Context, tx *db.Tx, by Actor, user id.User, why string) (values int64, err error) {
	erased := map[string]int64{}
	accepted, err := acceptedBy(ctx, tx, user)
	if err != nil {
		return 0, fmt.Errorf("find the invitations that somebody accepted: %w", err)
	}
	for _, e := range accepted {
		b, err := decode(e.body)
		if err != nil {
			return 0, err
		}
		if request := id.Request(b.Facts[FactRequest]); request != "" {
			n, err := eraseRequest(ctx, tx, e.chain, request)
			if err != nil {
				return 0, fmt.Errorf("erase personal values of a request: %w", err)
			}
			erased[e.chain] += n
		}
	}
	chains, err := chainsOf(ctx, tx, user)
	if err != nil {
		return 0, fmt.Errorf("erase personal values: %w", err)
	}
	for _, c := range chains {
		erased[c.chain] += c.values
	}
	if err := erase(ctx, tx, user); err != nil {
		return 0, fmt.Errorf("erase personal values: %w", err)
	}
	for _, n := range erased {
		values += n
	}
	return values, recordErased(ctx, tx, by, user, why, values, erased)
}

func recordErased(ctx context.Context, tx *db.Tx, by Actor, user id.User, why string, values int64, erased map[string]int64) error {
	if by.person() == user {
		by.Network, by.Agent = "", "" // what was asked to be forgotten
	}
	e := Event{Kind: AuditErased, Actor: by, User: user, Facts: map[string]string{"values": fmt.Sprint(values)}}
	if why != "" {
		e.Facts["why"] = why
	}
	if err := Record(ctx, tx, e); err != nil {
		return err
	}
	for chain, n := range erased {
		site, ok := strings.CutPrefix(chain, "site:")
		if !ok || n == 0 {
			continue
		}
		e.Site, e.Facts = id.Site(site), maps.Clone(e.Facts)
		e.Facts["values"] = fmt.Sprint(n) // of this site alone
		if err := Record(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}
