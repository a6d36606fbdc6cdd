package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/remind"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const (
	// sitesShown is how many sites one page of the call list has. Each of them is counted
	// anew, person by person, by the policy; 50 at most, or a page takes seconds.
	sitesShown = 25
	// countedMost bounds the people of one site that are counted.
	countedMost = 500
)

// Readiness counts a site's active office members by what the policy predicts for them.
type Readiness struct {
	Ready, WillManage, NeedsHelp int
	// More says that the site has more people than are counted.
	More bool
}

// All is everybody who was counted.
func (r Readiness) All() int { return r.Ready + r.WillManage + r.NeedsHelp }

// NotReady is whom a reminder is for.
func (r Readiness) NotReady() int { return r.WillManage + r.NeedsHelp }

// Row is a site of the call list.
type Row struct {
	authority.Given
	Readiness

	Asking

	// Admins are who to call, masked.
	Admins []Contact
	// ContactAt is when somebody of the staff last spoke with the site; zero: never.
	ContactAt time.Time
	// Note is the latest one; nil if there is none.
	Note *Note
}

// Asking is when a second factor is asked of a site's office members, by the policy.
type Asking = readiness.When

// Contact is an admin of a site.
type Contact struct {
	User id.User
	Name string
	// Email and Phone are masked, unless they were asked for; Phone may be empty.
	Email, Phone string
}

// Note is what somebody of the staff wrote down about a site.
type Note struct {
	Site    id.Site
	ID      id.Note
	By      id.User
	Contact bool
	Words   string
	At      time.Time
	// Who is the name of By.
	Who string
}

// Query chooses a page of the call list.
type Query struct {
	// Text is a part of a site's name, or the beginning of its reference.
	Text string
	// Page counts from 0.
	Page int
}

// List is a page of the call list.
type List struct {
	Rows []Row
	// More says that there is a page after it.
	More bool
}

// Sites is the call list of a member of staff: the sites given to them, those first where
// most people need help, and among equals those whose date comes first. Pages go by the
// dates, so that what is late stands on a late page; within one the order is exact.
//
// It is a view of each of the sites, and recorded so. fault.NotFound for whoever is not
// staff.
func (d *Desk) Sites(ctx context.Context, by authority.Bearer, q Query) (list List, err error) {
	var sites []authority.Given
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		sites, err = authority.GivenTo(ctx, tx, tx.Now, by.User, authority.GivenQuery{Text: q.Text, Skip: max(q.Page, 0) * sitesShown, Limit: sitesShown + 1})
		if err != nil {
			return err
		}
		if list.More = len(sites) > sitesShown; list.More {
			sites = sites[:sitesShown]
		}
		for _, g := range sites {
			if err := seen(ctx, tx, by, g.Site.ID, InList); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return List{}, err
	}
	now := d.DB.Clock.Now()
	for _, g := range sites {
		row, err := d.row(ctx, now, g)
		if err != nil {
			return List{}, fmt.Errorf("how site %s stands: %w", g.Site.Ref, err)
		}
		list.Rows = append(list.Rows, row)
	}
	slices.SortStableFunc(list.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.NeedsHelp, a.NeedsHelp), byDate(a.From, b.From, now))
	})
	return list, nil
}

// byDate puts dates to come first, the next one first.
func byDate(a, b, now time.Time) int {
	comes := map[bool]int{true: 0, false: 1}
	if first := cmp.Compare(comes[a.After(now)], comes[b.After(now)]); first != 0 || !a.After(now) {
		return first
	}
	return a.Compare(b)
}

func (d *Desk) row(ctx context.Context, now time.Time, g authority.Given) (row Row, err error) {
	row.Given = g
	if row.Readiness, _, err = d.readiness(ctx, now, g.Site.ID); err != nil {
		return row, err
	}
	if row.Asking, err = d.asking(ctx, now, g.Site.ID); err != nil {
		return row, err
	}
	if row.Admins, err = d.contacts(ctx, g.Site.ID, masked); err != nil {
		return row, err
	}
	if row.ContactAt, err = lastContact(ctx, d.DB, g.Site.ID); err != nil {
		return row, fmt.Errorf("read the last contact: %w", err)
	}
	latest, err := d.notes(ctx, g.Site.ID, 1)
	if len(latest) > 0 {
		row.Note = &latest[0]
	}
	return row, err
}

// asking asks since when, or from when on, a second factor is asked at a site.
func (d *Desk) asking(ctx context.Context, now time.Time, at id.Site) (Asking, error) {
	return readiness.Source{Standing: d.Standing}.When(ctx, d.DB, now, at)
}

// readiness asks the policy about everybody who counts at a site, and says who lags.
func (d *Desk) readiness(ctx context.Context, now time.Time, at id.Site) (r Readiness, late []remind.Late, err error) {
	ids, err := counted(ctx, d.DB, at, countedMost+1)
	if err != nil {
		return r, nil, fmt.Errorf("read who counts: %w", err)
	}
	if r.More = len(ids) > countedMost; r.More {
		ids = ids[:countedMost]
	}
	people, err := readiness.Source{Standing: d.Standing}.OfUsers(ctx, d.DB, now, at, ids)
	if err != nil {
		return r, nil, fmt.Errorf("ask how ready a site is: %w", err)
	}
	for _, p := range people {
		switch p.Mark {
		case policy.Ready:
			r.Ready++
			continue
		case policy.WillManage:
			r.WillManage++
		case policy.NeedsHelp:
			r.NeedsHelp++
		case policy.Exempt:
			continue
		}
		late = append(late, remind.Late{User: p.User, Mark: p.Mark, Alone: p.Do == readiness.DoSecondRoad})
	}
	return r, late, nil
}

// shown says how an address or number is shown.
type shown int

const (
	masked shown = iota
	whole
)

// contacts are a site's admins, the longest standing first.
func (d *Desk) contacts(ctx context.Context, at id.Site, how shown) ([]Contact, error) {
	admins, err := site.Admins(ctx, d.DB, d.DB.Clock.Now(), at)
	if err != nil {
		return nil, fmt.Errorf("read a site's admins: %w", err)
	}
	all := make([]Contact, 0, len(admins))
	for _, one := range admins {
		who, err := user.ByID(ctx, d.DB, one)
		if err != nil {
			return nil, fmt.Errorf("find an admin: %w", err)
		}
		methods, err := method.Of(ctx, d.DB, one)
		if err != nil {
			return nil, fmt.Errorf("read methods: %w", err)
		}
		c := Contact{User: one, Name: nameOf(who), Email: mailOf(who, how)}
		c.Phone = phoneOf(methods, how)
		all = append(all, c)
	}
	return all, nil
}

func phoneOf(methods []method.Method, how shown) string {
	i := slices.IndexFunc(methods, func(m method.Method) bool { return m.Kind == policy.SMS && !m.Pending })
	switch {
	case i < 0:
		return ""
	case how == whole:
		return phone.Spoken(methods[i].Address)
	}
	return phone.Mask(methods[i].Address)
}

func (d *Desk) notes(ctx context.Context, at id.Site, limit int) ([]Note, error) {
	all, err := notes(ctx, d.DB, at, limit)
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	for i := range all {
		who, err := user.ByID(ctx, d.DB, all[i].By)
		if err != nil {
			return nil, fmt.Errorf("find who wrote a note: %w", err)
		}
		all[i].Who = who.Name()
	}
	return all, nil
}
