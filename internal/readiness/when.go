package readiness

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// When is when a second factor is asked of a site's office members, by the policy.
type When struct {
	// Now says that it is asked now.
	Now bool
	// From is since when, or from when on; zero: for longer than is known, or, where it is
	// not asked now, no date is known.
	From time.Time
}

// Date is the site's date, if it is to come; zero: there is none.
func (w When) Date() time.Time {
	if w.Now {
		return time.Time{}
	}
	return w.From
}

// When asks the policy about somebody who works in the site's office and of whom nothing
// else is known.
func (s Source) When(ctx context.Context, from db.Reader, now time.Time, at id.Site) (When, error) {
	place, err := s.Standing.Place(ctx, from, now, site.Membership{Site: at, Group: policy.GroupUser, Kind: policy.Office, Status: policy.Active})
	if err != nil {
		return When{}, fmt.Errorf("read what a site requires: %w", err)
	}
	facts := policy.Facts{Memberships: []policy.Membership{place}, Client: policy.Client{Kind: policy.ClientWeb}}
	required, reasons := policy.Required(facts, now)
	w := When{Now: required}
	if !required {
		reasons = policy.Decide(facts, now).Reasons
	}
	for _, r := range reasons {
		switch r.Key { //nolint:exhaustive // the other reasons have no date of the site's
		case policy.DateToCome:
			w.From = r.Until
		case policy.EnforcedSince:
			return When{Now: required, From: r.Since}, nil
		case policy.XeroConnected, policy.XeroWasConnected, policy.SiteRequiresEveryone:
			if w.From.IsZero() {
				w.From = r.Since
			}
		}
	}
	return w, nil
}
