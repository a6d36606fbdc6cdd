package signin

import (
	"context"

	"keyturn/internal/db"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
)

// signal notes how a sign-in goes at a site of the rollout, for the brake, and before the
// site's date what enforcement would have decided on the same facts. Nobody who signs in
// sees anything of it: it adds a row or two to the step's own transaction, and reads
// nothing more.
func (d *Desk) signal(ctx context.Context, tx *db.Tx, a Attempt, f policy.Facts, step Step) error {
	if a.Purpose != SignIn || a.Site == "" || f.EnrolOnly || len(f.Memberships) != 1 {
		return nil
	}
	at := f.Memberships[0]
	phase, date := at.Phase(tx.Now)
	if phase != policy.Preparing && phase != policy.InWave {
		return nil
	}
	place := plan.Place{Site: a.Site, User: a.User, Zone: at.Zone}
	if a.FactorAt.After(a.CreatedAt) { // a second factor was asked for, and passed
		if step != In {
			return nil
		}
		return plan.Entered(ctx, tx, place)
	}
	if phase == policy.Preparing {
		if err := plan.Seen(ctx, tx, place, policy.Shadow(f, tx.Now)); err != nil {
			return err
		}
	}
	if a.Began != withPassword {
		return nil // a passkey is in at once, before the date and after it
	}
	return plan.Arrived(ctx, tx, plan.Arrival{Place: place, Phase: phase, Date: date, Asked: step != In, In: step == In})
}
