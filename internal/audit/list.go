package audit

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// Place is where an event stands: the key by which pages follow each other.
type Place struct {
	At    time.Time
	Chain string
	Seq   int64
}

// Filter chooses events. A Site, a User or both must be given: with a site, nothing
// from outside its chain is shown.
type Filter struct {
	Site id.Site
	User id.User
	// People lets through what any of them did and what is about them. May be empty.
	People []id.User
	// Kind may be empty: all kinds.
	Kind Kind
	// Group may be empty: all kinds.
	Group Group
	// From and Until bound the time: from the one on, and before the other. Each may be
	// zero.
	From, Until time.Time
	// Before is the last place that was shown; the zero place starts at the newest.
	Before Place
}

// Entry is an event as it stands in the trail.
type Entry struct {
	Place

	ID id.Event
	Event
}

// mostListed bounds a page.
const mostListed = 200

// List gives the events that the filter lets through, newest first, at most limit of
// them (1 to 200). Personal values that were erased are absent.
func List(ctx context.Context, from db.Reader, f Filter, limit int) ([]Entry, error) {
	if f.Site == "" && f.User == "" {
		return nil, fmt.Errorf("list events: a site or a user must be named: %w", fault.Invalid)
	}
	rows, err := listed(ctx, from, f, min(max(limit, 1), mostListed))
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	values, err := personalOfEach(ctx, from, rows)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	of := make(map[Place]map[string]string)
	for _, v := range values {
		at := Place{Chain: v.chain, Seq: v.seq}
		if of[at] == nil {
			of[at] = make(map[string]string)
		}
		of[at][v.field] = v.Value
	}
	all := make([]Entry, 0, len(rows))
	for _, r := range rows {
		e, err := r.entry(of[Place{Chain: r.chain, Seq: r.seq}])
		if err != nil {
			return nil, fmt.Errorf("list events: %s, event %d: %w", r.chain, r.seq, err)
		}
		all = append(all, e)
	}
	return all, nil
}

func (r row) entry(values map[string]string) (Entry, error) {
	b, err := decode(r.body)
	if err != nil {
		return Entry{}, err
	}
	actor := Actor{Kind: b.Actor.Kind, ID: b.Actor.ID, Network: values[actorNetwork], Agent: values[actorAgent]}
	delete(values, actorNetwork)
	delete(values, actorAgent)
	return Entry{
		Place: Place{At: time.UnixMicro(b.At).UTC(), Chain: r.chain, Seq: r.seq},
		ID:    b.ID,
		Event: Event{Kind: b.Kind, Actor: actor, Site: b.Site, User: b.User, Facts: b.Facts, Personal: values},
	}, nil
}

// Extent says when the oldest event of a site was that is kept, and how many there ever
// were. Both are zero for a site without any.
func Extent(ctx context.Context, from db.Reader, site id.Site) (oldest time.Time, size int64, err error) {
	e, err := extentOf(ctx, from, chainOf(site, ""))
	if err != nil || e.size <= 0 {
		return time.Time{}, 0, err
	}
	at, err := timeOf(ctx, from, chainOf(site, ""), e.first)
	return time.UnixMicro(at).UTC(), e.size, err
}
