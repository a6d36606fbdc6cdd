package demo

import (
	"fmt"
	"net/http"
	"time"

	"keyturn/internal/address"
	story "keyturn/internal/demo"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
	"keyturn/internal/web"
)

// HomePage is the desk.
type HomePage struct {
	Password string
	// Kept says that the data outlive the demo.
	Kept bool
	// Example is where a product beside the demo answers. May be empty.
	Example string
	// Now is the time at the first site, which is Here.
	Now, Here string
	// Did says what was just done, Problem what could not be. Both may be empty.
	Did, Problem string
	Moves        []Move
	Sites        []SitePart
}

// Move is a button of the clock: its words and the duration that it sends.
type Move struct{ Words, Advance string }

// Mark is a state: a word with the look that goes with it.
type Mark struct {
	// Look is ready, manage, help or none.
	Look, Words string
}

// SitePart is one site of the desk with its people.
type SitePart struct {
	Ref, Name string
	// Now is the time there.
	Now   string
	State Mark
	// Connected says that it can be disconnected now, else it can be connected.
	Connected bool
	// Linked says that the stand-in for Xero has it, so that it can be broken there.
	Linked bool
	// Open says that its people are shown at once.
	Open   bool
	People []PersonPart
}

// PersonPart is one person's place in a site.
type PersonPart struct {
	Name, Login, Mobile string
	Place               string
	// Meets says what a sign-in at this site meets now.
	Meets Mark
	// Try says what is special. May be empty.
	Try string
}

// Head implements web.Page.
func (p HomePage) Head() web.Head {
	return web.Head{Template: "demo/home", Title: locale.Say(locale.DemoTitle), Problem: p.Problem, Layout: web.Broad}
}

// Home answers "GET /demo". The query may say what was just done: "did", and at which
// "site".
func (d *Desk) Home() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		query := r.URL.Query()
		return d.show(w, r, http.StatusOK, said{did: query.Get("did"), site: query.Get("site")})
	})
}

// said is what the desk has to tell besides how things stand.
type said struct{ did, site, problem string }

func (d *Desk) show(w http.ResponseWriter, r *http.Request, status int, what said) error {
	page, err := d.homePage(r, what)
	if err != nil {
		return fmt.Errorf("the demo's desk: %w", err)
	}
	return d.Kit.Show(w, r, status, page)
}

func (d *Desk) homePage(r *http.Request, what said) (HomePage, error) {
	now := d.DB.Clock.Now()
	page := HomePage{Password: story.Password, Kept: d.Kept, Example: d.Example, Problem: what.problem}
	for _, m := range moves {
		page.Moves = append(page.Moves, Move{locale.Say(locale.DemoClockMove, locale.Data{"Span": locale.Span(m)}), m.String()})
	}
	for start := 0; start < len(d.People); {
		end := start
		for end < len(d.People) && d.People[end].SiteRef == d.People[start].SiteRef {
			end++
		}
		s, err := site.ByRef(r.Context(), d.DB, d.People[start].SiteRef)
		if err != nil {
			return page, err
		}
		part, err := d.sitePart(r, s, d.People[start:end], now)
		if err != nil {
			return page, err
		}
		part.Open = s.Ref == what.site || what.site == "" && start == 0
		if start == 0 {
			page.Now, page.Here = locale.Exact(now, s.Zone, now), s.Name
		}
		if s.Ref == what.site {
			page.Did = doneAt(what.did, part)
		}
		page.Sites = append(page.Sites, part)
		start = end
	}
	if what.did == didClock {
		page.Did = locale.Say(locale.DemoDidClock, locale.Data{"Now": page.Now, "Site": page.Here})
	}
	return page, nil
}

// doneAt says what was done at a site; empty for anything that is not so.
func doneAt(did string, at SitePart) string {
	switch {
	case did == didConnect && at.Connected:
		return locale.Say(locale.DemoDidConnect, locale.Data{"Site": at.Name})
	case did == didBreak && at.Linked:
		return locale.Say(locale.DemoDidBreak, locale.Data{"Site": at.Name})
	case did == didDisconnect && !at.Connected:
		return locale.Say(locale.DemoDidDisconnect, locale.Data{"Site": at.Name})
	}
	return ""
}

func (d *Desk) sitePart(r *http.Request, s site.Site, people []story.Person, now time.Time) (SitePart, error) {
	part := SitePart{Ref: s.Ref, Name: s.Name, Now: locale.Exact(now, s.Zone, now)}
	var err error
	if part.Linked, err = d.linked(r, s); err != nil {
		return part, fmt.Errorf("the link of %s: %w", s.Ref, err)
	}
	for _, p := range people {
		facts, err := d.facts(r, p, s.ID, now)
		if err != nil {
			return part, fmt.Errorf("the standing of %s: %w", p.Email, err)
		}
		part.People = append(part.People, personPart(p, meets(policy.Decide(facts, now))))
		if part.State.Words == "" && len(facts.Memberships) > 0 {
			part.State, part.Connected = stateOf(facts.Memberships[0], s, now)
		}
	}
	return part, nil
}

// facts are those of a fresh sign-in at one site, on the web.
func (d *Desk) facts(r *http.Request, p story.Person, at id.Site, now time.Time) (policy.Facts, error) {
	who, err := user.ByLogin(r.Context(), d.DB, address.Canonical(p.Email))
	if err != nil {
		return policy.Facts{}, err
	}
	return d.Standing.Of(r.Context(), d.DB, now, standing.Asker{
		User: who, Sites: []id.Site{at}, Client: policy.Client{Kind: policy.ClientWeb},
	})
}

func personPart(p story.Person, meets Mark) PersonPart {
	part := PersonPart{Name: p.Name, Login: p.Email, Mobile: p.Mobile, Place: p.Group, Meets: meets}
	if p.Kind == string(policy.Mobile) {
		part.Place = locale.Say(locale.DemoPlaceMobile, locale.Data{"Group": p.Group})
	}
	if !p.Usual {
		part.Try = p.Note
	}
	return part
}
