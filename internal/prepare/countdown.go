package prepare

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// steps are how many days before a site's date its people are told, the first first.
var steps = [...]int{30, 14, 7, 1}

const (
	// tellHour is the hour of the day, at the site, from which on they are: before the
	// workshops open.
	tellHour = 7
	// ahead is how far dates are looked for: past the first step, whatever the zone.
	ahead = 32 * 24 * time.Hour
	// inStep is how many people are told in one transaction.
	inStep = 100
	// namedMost is how many people a mail names.
	namedMost = 5
	// patience is how long a code may wait before mail that is in no hurry makes room.
	patience = 30 * time.Second
)

// stepOf is how many days before a date it is, of the days on which people are told: the
// last such day that has begun. False before the first of them, and from the date on.
func stepOf(now, date time.Time, zone *time.Location) (int, bool) {
	if !now.Before(date) {
		return 0, false
	}
	y, m, d := date.In(zone).Date()
	step, any := 0, false
	for _, days := range steps {
		if !now.Before(time.Date(y, m, d-days, tellHour, 0, 0, 0, zone)) {
			step, any = days, true
		}
	}
	return step, any
}

// Announce tells people of the dates that come: 30, 14, 7 and 1 days before, once each, at
// most sites many sites. It is to be run every minute. While codes wait it does nothing.
//
// Everybody is told of the first date among their sites. Whoever is ready is told so once;
// the others what they lack; the admins who of the site would not get in, and whom no mail
// reaches. A site that gets its date late begins with the step that it is in, and skips
// those before. A date that is moved begins again.
func (d *Desk) Announce(ctx context.Context, sites int) error {
	now := d.DB.Clock.Now()
	busy, err := message.CodesWait(ctx, d.DB, now, now.Add(-patience))
	if err != nil || busy {
		return err
	}
	for after := id.Site(""); sites > 0; {
		some, err := plan.Coming(ctx, d.DB, plan.Span{From: now, Until: now.Add(ahead)}, after, inStep)
		if err != nil {
			return fmt.Errorf("look for dates that come: %w", err)
		}
		for _, at := range some {
			did, err := d.announce(ctx, now, at)
			if err != nil {
				return fmt.Errorf("tell the people of site %s of their date: %w", at, err)
			}
			if did {
				sites--
			}
			if sites == 0 {
				return nil
			}
			after = at
		}
		if len(some) < inStep {
			return nil
		}
	}
	return nil
}

// coming is a site's date, and which step before it this is.
type coming struct {
	site site.Site
	date time.Time
	days int
}

// announce tells the people of one site, if it has not been done for this step. The people
// first, some at a time, and with the admins it is noted as done: whoever was told already
// when a node dies between is not told again.
func (d *Desk) announce(ctx context.Context, now time.Time, at id.Site) (bool, error) {
	when, err := d.Ready.When(ctx, d.DB, now, at)
	if err != nil || when.Date().IsZero() {
		return false, err
	}
	c := coming{date: when.Date()}
	if c.site, err = site.ByID(ctx, d.DB, at); err != nil {
		return false, fmt.Errorf("find a site: %w", err)
	}
	var due bool
	if c.days, due = stepOf(now, c.date, c.site.Zone); !due {
		return false, nil
	}
	if done, err := told(ctx, d.DB, c); err != nil || done {
		return false, err
	}
	one, err := d.Ready.OfSite(ctx, d.DB, now, at)
	if err != nil {
		return false, err
	}
	// In the order of their ids, in which nodes that do it at once wait for each other.
	people := slices.SortedFunc(slices.Values(one.People), func(a, b readiness.Person) int { return cmp.Compare(a.User, b.User) })
	for some := range slices.Chunk(people, inStep) {
		if err := d.tellPeople(ctx, now, c, some); err != nil {
			return false, err
		}
	}
	return true, d.DB.Do(ctx, func(tx *db.Tx) error {
		first, err := markSite(ctx, tx, c)
		if err != nil || !first {
			return err
		}
		return d.tellAdmins(ctx, tx, c, one)
	})
}

// tellPeople tells those of whom this is the first date.
func (d *Desk) tellPeople(ctx context.Context, now time.Time, c coming, some []readiness.Person) error {
	own, err := d.firstHere(ctx, now, c, some)
	if err != nil {
		return err
	}
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		for _, p := range some {
			if !own[p.User] || p.Mark == policy.Exempt || p.Unreached() {
				continue
			}
			ready := p.Mark == policy.Ready
			first, err := mark(ctx, tx, p.User, "", c, ready)
			if err != nil {
				return fmt.Errorf("note what somebody is told: %w", err)
			}
			if !first {
				continue
			}
			n := message.Notice{User: p.User, Site: c.site.ID, Kind: message.GetReady, Words: map[string]string{"at": c.at(), "mark": string(p.Mark)}}
			if ready {
				n.Kind = message.YouAreReady
			}
			if p.Do == readiness.DoSecondRoad {
				n.Words["alone"] = "yes"
			}
			if err := d.Post.Tell(ctx, tx, n); err != nil {
				return fmt.Errorf("tell somebody of a date: %w", err)
			}
		}
		return nil
	})
}

// at is the date as notices hold it.
func (c coming) at() string { return c.date.UTC().Format(time.RFC3339) }

// firstHere says of whom the site's date is the first among all of their sites: of two
// sites with one date, that with the lower id.
func (d *Desk) firstHere(ctx context.Context, now time.Time, c coming, some []readiness.Person) (map[id.User]bool, error) {
	ids := make([]id.User, len(some))
	for i, p := range some {
		ids[i] = p.User
	}
	users, err := user.ByIDs(ctx, d.DB, ids)
	if err != nil {
		return nil, err
	}
	all := make([]user.User, 0, len(users))
	for _, one := range ids {
		all = append(all, users[one])
	}
	facts, err := d.Ready.Standing.OfAll(ctx, d.DB, now, c.site.ID, all)
	if err != nil {
		return nil, fmt.Errorf("read the facts of members: %w", err)
	}
	own := map[id.User]bool{}
	for who, f := range facts {
		own[who] = firstDate(f, now) == string(c.site.ID)
	}
	return own, nil
}

// firstDate is the site whose date comes first for somebody; empty if none comes.
func firstDate(f policy.Facts, now time.Time) (at string) {
	var first time.Time
	for _, m := range slices.Concat(f.Memberships, f.Others) {
		// What the person chose for themselves has no date.
		alone := policy.Facts{Client: f.Client, Memberships: []policy.Membership{m}, User: policy.User{Methods: f.User.Methods}}
		for _, r := range policy.Decide(alone, now).Reasons {
			if r.Key == policy.DateToCome && (at == "" || r.Until.Before(first) || r.Until.Equal(first) && m.Site < at) {
				at, first = m.Site, r.Until
			}
		}
	}
	return at
}

// tellAdmins tells the admins of a site how it stands.
func (d *Desk) tellAdmins(ctx context.Context, tx *db.Tx, c coming, s readiness.Site) error {
	admins, err := site.Admins(ctx, tx, tx.Now, c.site.ID)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	n := message.Notice{Site: c.site.ID, Kind: message.SiteDate, Words: map[string]string{
		"at": c.at(), "ready": strconv.Itoa(s.Ready), "office": strconv.Itoa(s.Office()), "help": strconv.Itoa(s.NeedsHelp),
	}}
	var stuck, unreached []string
	for _, p := range s.People {
		switch {
		case p.Mark == policy.Ready || p.Mark == policy.Exempt:
		case p.Unreached():
			unreached = append(unreached, p.Name)
		case p.Mark == policy.NeedsHelp:
			stuck = append(stuck, p.Name)
		}
	}
	n.Words["who"], n.Words["unreached"] = named(stuck), named(unreached)
	if s.NotReady() == 0 {
		n.Kind = message.SiteReady
	}
	for _, one := range slices.Sorted(slices.Values(admins)) {
		first, err := mark(ctx, tx, one, string(c.site.ID), c, s.NotReady() == 0)
		if err != nil {
			return fmt.Errorf("note what an admin is told: %w", err)
		}
		if !first {
			continue
		}
		n.User = one
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell an admin of a date: %w", err)
		}
	}
	return nil
}

// named are names as the words of a notice hold them, a few at most: a line each.
func named(all []string) string {
	return strings.Join(all[:min(len(all), namedMost)], "\n")
}
