package settings

import (
	"net/http"

	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/web/reason"
)

// Rehearsed is how the sign-ins of a site would have gone if 2FA had been asked in them.
type Rehearsed struct {
	// Sum says how many signed in lately, and how many of them would have been stuck; empty:
	// nobody signed in, or 2FA is asked already.
	Sum   string
	Stuck []RehearsedPerson
}

// RehearsedPerson is one who would have been stuck. Look and Mark are how they stand now:
// it may have been mended since.
type RehearsedPerson struct {
	Name, At, Look, Mark, Lack string
	// Path is the form of this person.
	Path string
}

// rehearsed reads it, while 2FA is still to come.
func (s *Settings) rehearsed(r *http.Request, a admin, now readiness.Site, m moments) (page Rehearsed, err error) {
	since := m.now.Add(-plan.Lately)
	all, err := plan.RehearsalOf(r.Context(), s.DB, a.site.ID, since)
	if err != nil || all.People == 0 {
		return page, err
	}
	stuck, err := plan.WouldBeStuck(r.Context(), s.DB, a.site.ID, since)
	if err != nil {
		return page, err
	}
	page.Sum = locale.Say(locale.ReadinessRehearsedFine, locale.Data{"Count": all.People})
	if all.Stuck > 0 {
		page.Sum = locale.Say(locale.ReadinessRehearsedStuck, locale.Data{"Count": all.People, "Stuck": all.Stuck})
	}
	people := map[id.User]readiness.Person{}
	for _, p := range now.People {
		people[p.User] = p
	}
	for _, one := range stuck {
		p, ok := people[one.User]
		if !ok || p.Mark == policy.Exempt {
			continue // their access has ended since
		}
		row := RehearsedPerson{Name: p.Name, At: locale.Moment(one.At, m.zone, m.now), Look: lookOf(p.Mark), Mark: reason.Mark(p.Mark), Path: a.path + "/users/" + string(p.User)}
		if lacks := reason.Unready(p); len(lacks) > 0 {
			row.Lack = lacks[0]
		}
		page.Stuck = append(page.Stuck, row)
	}
	return page, nil
}
