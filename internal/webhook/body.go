package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/site"
)

// body is what a receiver reads. Its first three fields are those of Standard Webhooks.
type body struct {
	Type Type      `json:"type"`
	At   time.Time `json:"timestamp"` // of the event, not of the attempt
	Data data      `json:"data"`
}

type data struct {
	// Event is the entry of the audit trail, and the webhook-id, too.
	Event id.Event `json:"event_id"`
	// Change says more exactly what it was.
	Change string `json:"change,omitempty"`
	// By is what sort of actor did it, and never who.
	By audit.ActorKind `json:"by,omitempty"`
	// User is whom it is about; absent where it is about a site or about all.
	User id.User `json:"user_id,omitempty"`
	// Sites are where it counts, of those that the endpoint is for; absent where it is about
	// all.
	Sites []seat `json:"sites,omitempty"`
	// Details are facts of the change, by the names of the audit trail.
	Details map[string]string `json:"details,omitempty"`
}

// seat is a site, and the user's reference there.
type seat struct {
	ID      id.Site `json:"id"`
	Ref     string  `json:"ref"`
	UserRef string  `json:"user_ref,omitempty"`
}

// mostSeats bounds how many sites one body names: a bookkeeper may have hundreds.
const mostSeats = 500

// told is one event with all that any endpoint may be told of it.
type told struct {
	body body
	// house says that it is about no site and no user.
	house bool
}

// read makes what is told of an event; false for one of which nothing is.
func read(ctx context.Context, from db.Reader, e audit.Entry) (told, bool, error) {
	m, known := meanings[e.Kind]
	if !known {
		return told{}, false, nil // of a later release, or damaged
	}
	t := told{house: e.Site == "" && e.User == "", body: body{Type: m.is, At: e.At, Data: data{
		Event: e.ID, Change: m.change, By: e.Actor.Kind, Details: map[string]string{},
	}}}
	for _, name := range m.facts {
		if value := e.Facts[name]; value != "" {
			t.body.Data.Details[name] = value
		}
	}
	// Whom an event of a site's date names is the member of staff who moved it.
	if !strings.HasPrefix(string(m.is), "site.") {
		t.body.Data.User = e.User
	}
	var err error
	t.body.Data.Sites, err = seats(ctx, from, e, m.person)
	return t, true, err
}

// seats are the sites where an event counts: its own, or, of a person, all of theirs.
func seats(ctx context.Context, from db.Reader, e audit.Entry, person bool) ([]seat, error) {
	var members []site.Membership
	if e.User != "" && (person || e.Site == "") {
		all, err := site.MembershipsOf(ctx, from, e.User)
		if err != nil {
			return nil, fmt.Errorf("read memberships: %w", err)
		}
		members = all
	} else if e.Site != "" {
		one := site.Membership{Site: e.Site}
		if e.User != "" {
			m, err := site.MembershipIn(ctx, from, e.Site, e.User)
			if err != nil && !errors.Is(err, fault.NotFound) {
				return nil, fmt.Errorf("read a membership: %w", err)
			}
			one.UserRef = m.UserRef
		}
		members = []site.Membership{one}
	}
	slices.SortFunc(members, func(a, b site.Membership) int { return cmp.Compare(a.Site, b.Site) })
	var all []seat
	for _, m := range members[:min(len(members), mostSeats)] {
		at, err := site.ByID(ctx, from, m.Site)
		if err != nil {
			return nil, fmt.Errorf("find a site: %w", err)
		}
		all = append(all, seat{ID: at.ID, Ref: at.Ref, UserRef: m.UserRef})
	}
	return all, nil
}

// of is the body for one endpoint, which names none but its own sites; false where it is
// nothing of the endpoint's.
func (t told) of(e Endpoint, sites []id.Site) (string, bool, error) {
	if !e.wants(t.body.Type) {
		return "", false, nil
	}
	b := t.body
	if !e.All {
		b.Data.Sites = slices.DeleteFunc(slices.Clone(b.Data.Sites), func(s seat) bool { return !slices.Contains(sites, s.ID) })
		if t.house || len(b.Data.Sites) == 0 {
			return "", false, nil
		}
	}
	text, err := json.Marshal(b)
	if err != nil {
		return "", false, fmt.Errorf("write a body: %w", err)
	}
	return string(text), true, nil
}
