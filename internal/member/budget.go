package member

import (
	"context"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/limit"
	"keyturn/internal/site"
)

const day = 24 * time.Hour

// What an Admin does here so often that it is no upkeep of a site any more.
var (
	// addressChecks is per Admin and site: an answer about an address says whether it is
	// somebody's. Thirty an hour are a workshop that is set up anew in one sitting.
	addressChecks = limit.Budget{Name: "address.checked", Cap: 30, Window: time.Hour}
	// programChecks is per key and site: a product that moves its people to new addresses.
	programChecks = limit.Budget{Name: "address.program", Cap: 300, Window: time.Hour}
	// loginChanges is per user, siteLoginChanges per site: each mails two addresses, and
	// keeps one from others for a week. Three are a slip, its correction and one more.
	loginChanges     = limit.Budget{Name: "login.user", Cap: 3, Window: day}
	siteLoginChanges = limit.Budget{Name: "login.site", Cap: 50, Window: day}
	// endings is per member and site: each is told to them, and ends the sign-in that is
	// under way.
	endings = limit.Budget{Name: "sessions.ended", Cap: 10, Window: time.Hour}
	// newcomers is per site: whoever brings more people in than five a day asks for them at
	// the account manager.
	newcomers = limit.Budget{Name: "newcomer.site", Cap: 5, Window: day}
)

// lookingUp is one address that is looked up by somebody at a site.
func lookingUp(by authority.Bearer, m site.Membership) limit.Charge {
	if by.Program != nil {
		return limit.Charge{Budget: programChecks, Subject: limit.Subject(string(m.Site), string(by.Program.Key))}
	}
	return limit.Charge{Budget: addressChecks, Subject: limit.Subject(string(m.Site), string(m.User))}
}

// within takes of budgets, or refuses for as long as they are used up. All are those of the
// site, whose row is held, so that two takes in one transaction never wait for each other.
func within(ctx context.Context, tx *db.Tx, refused Refused, sure string, charges ...limit.Charge) (Saved, error) {
	answer, err := limit.Take(ctx, tx, charges...)
	if err != nil || answer.OK {
		return Saved{}, err
	}
	return Saved{Refused: refused, Retry: answer.Retry, Sure: sure}, nil
}
