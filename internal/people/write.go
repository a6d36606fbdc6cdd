package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// atOnce is how many rows one transaction writes. A site is one transaction; a site of
// more people than that is made, with its connection, in the first of several, because
// a transaction that takes seconds would hold up the sign-ins.
const atOnce = 200

// withinOne bounds such a transaction. It takes well below a second on a machine that has
// little else to do, and an import must not end where it has much.
const withinOne = time.Minute

// by is who did it, in the audit trail.
var by = audit.Actor{Kind: audit.ActorCommand, ID: "import"}

// unit is what one transaction writes.
type unit struct {
	at   *place
	rows []*Row
}

// written is what came of a unit.
type written struct {
	made      bool // the site
	connected bool
	users     int
	late      []late // what was found to be otherwise than when it was judged
}

// late is a row that lost a race: somebody wrote between the judgement and now.
type late struct {
	row  *Row
	here bool
	note Note
}

// Write stores what was judged: a site, its connection and its people in one
// transaction. It is finished by running Judge and Write again if it was stopped.
//
// A row that somebody else has outrun meanwhile is refused, and the report says so
// afterwards.
func (i *Import) Write(ctx context.Context, report *Report) error {
	var sum struct{ sites, connected, users int }
	done, total := 0, len(report.Rows)
	for _, u := range report.units() {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("write an import, %d of %d rows done: %w", done, total, err)
		}
		w, err := i.write(ctx, u)
		if err != nil {
			return fmt.Errorf("write an import, site %s: %w", u.at.ref, err)
		}
		sum.users += w.users
		sum.sites += count(w.made)
		sum.connected += count(w.connected)
		done += len(u.rows)
		if i.Progress != nil {
			i.Progress(done, total)
		}
	}
	if i.Progress != nil {
		i.Progress(total, total)
	}
	if sum.sites+sum.connected+sum.users == 0 {
		return nil // nothing happened, so nothing is recorded
	}
	_, _, refused := report.Sum()
	return i.DB.Do(ctx, func(tx *db.Tx) error {
		return audit.Record(ctx, tx, audit.Event{Kind: audit.ImportDone, Actor: by, Facts: map[string]string{
			"rows": strconv.Itoa(total), "refused": strconv.Itoa(refused), "users": strconv.Itoa(sum.users),
			"sites": strconv.Itoa(sum.sites), "connected": strconv.Itoa(sum.connected),
		}})
	})
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// units are the sites with something to write, in the order of the file.
func (r *Report) units() []unit {
	var all []unit
	for _, p := range r.places {
		var fresh []*Row
		taken := false
		for _, i := range p.rows {
			row := &r.Rows[i]
			taken = taken || !row.refused()
			if !row.refused() && !row.Here {
				fresh = append(fresh, row)
			}
		}
		connect := taken && p.there != nil && p.there.xero == "" && p.connected()
		if len(fresh) == 0 && connect {
			all = append(all, unit{at: p})
		}
		for rows := range slices.Chunk(fresh, atOnce) {
			all = append(all, unit{at: p, rows: rows})
		}
	}
	return all
}

// write stores one unit, and once more from the start when somebody else wrote the same
// names at the same moment.
func (i *Import) write(ctx context.Context, u unit) (w written, err error) {
	const tries = 3
	for range tries {
		err = i.DB.DoWithin(ctx, withinOne, func(tx *db.Tx) error {
			var err error
			w, err = u.put(ctx, tx)
			return err
		})
		if !errors.Is(err, fault.Conflict) {
			break
		}
	}
	if err != nil {
		return written{}, err
	}
	for _, l := range w.late {
		if l.here {
			l.row.Here = true
			l.row.remark(l.note.Key, l.note.Text)
			continue
		}
		l.row.refuse(l.note.Key, l.note.Text)
	}
	return w, nil
}

func (u unit) put(ctx context.Context, tx *db.Tx) (w written, err error) {
	there, err := sitesByRef(ctx, tx, []string{u.at.ref})
	if err != nil {
		return w, fmt.Errorf("look for the site: %w", err)
	}
	fresh, late, err := u.still(ctx, tx)
	if err != nil {
		return w, err
	}
	w.late = late
	s, known := there[u.at.ref]
	if len(fresh) == 0 && (!known || len(u.rows) > 0) {
		return w, nil // nobody is left to come in
	}
	var at id.Site
	if at, err = u.site(ctx, tx, known); err != nil {
		return w, err
	}
	w.made = !known
	if u.at.connected() && s.xero == "" {
		if w.connected, err = u.connect(ctx, tx, at); err != nil {
			return w, err
		}
	}
	for _, r := range fresh {
		if err := r.draft.put(ctx, tx, at, r); err != nil {
			return w, fmt.Errorf("line %d: %w", r.Line, err)
		}
		w.users++
	}
	return w, nil
}

// still says which rows can be written now. Names are read before memberships, for the
// reason that ask gives.
func (u unit) still(ctx context.Context, tx *db.Tx) (fresh []*Row, outrun []late, err error) {
	logins := make(map[address.Canonical]bool, len(u.rows))
	for _, r := range u.rows {
		logins[r.draft.login] = true
	}
	holders, err := holdersOf(ctx, tx, tx.Now, logins)
	if err != nil {
		return nil, nil, fmt.Errorf("look for the login names: %w", err)
	}
	members, err := membersOf(ctx, tx, []string{u.at.ref})
	if err != nil {
		return nil, nil, fmt.Errorf("look for the memberships: %w", err)
	}
	for _, r := range u.rows {
		if m, ok := members[r.ref()]; ok && m.login == r.draft.login {
			outrun = append(outrun, late{row: r, here: true, note: Note{HereAlready, "This person came in meanwhile. Nothing is changed."}})
			continue
		}
		if key, text := against(r, members, holders, nil); key != "" {
			outrun = append(outrun, late{row: r, note: Note{key, text}})
			continue
		}
		fresh = append(fresh, r)
	}
	return fresh, outrun, nil
}

// site finds the site or makes it.
func (u unit) site(ctx context.Context, tx *db.Tx, known bool) (id.Site, error) {
	if known {
		s, err := site.ByRef(ctx, tx, u.at.ref)
		if err != nil {
			return "", fmt.Errorf("find the site: %w", err)
		}
		return s.ID, nil
	}
	s, err := site.Add(ctx, tx, u.at.make())
	if err != nil {
		return "", err
	}
	return s.ID, audit.Record(ctx, tx, audit.Event{
		Kind: audit.SiteAdded, Actor: by, Site: s.ID, Facts: map[string]string{"ref": s.Ref},
	})
}

// connect stores that the site is connected to Xero. Since when and by whom the file does
// not say, and so nobody is told: it has been so for longer than is known here.
func (u unit) connect(ctx context.Context, tx *db.Tx, at id.Site) (bool, error) {
	organisation := u.at.says[colOrganisation].text
	done, err := integration.Connect(ctx, tx, integration.Integration{
		Site: at, Kind: policy.Xero, Organisation: organisation,
	})
	if err != nil || !done {
		return false, err
	}
	return true, audit.Record(ctx, tx, audit.Event{
		Kind: audit.XeroConnected, Actor: by, Site: at, Facts: map[string]string{"organisation": organisation},
	})
}

// put stores the person, their place in the site, and where codes can go. Addresses and
// numbers are linked and not proved: the first code typed back proves them.
func (d *draft) put(ctx context.Context, tx *db.Tx, at id.Site, r *Row) error {
	who, err := user.Add(ctx, tx, user.User{
		Login: d.login, FirstName: d.first, LastName: d.last, Password: d.password,
	})
	if err != nil {
		return err
	}
	if err := site.Join(ctx, tx, site.Membership{
		Site: at, User: who.ID, UserRef: r.UserRef, Group: d.group, Kind: d.kind, Status: d.status,
		SalesDashboard: d.sales, BusinessIntelligence: d.insight,
	}); err != nil {
		return err
	}
	if err := d.link(ctx, tx, who.ID); err != nil {
		return err
	}
	if err := audit.Record(ctx, tx, audit.Event{
		Kind: audit.UserImported, Actor: by, Site: at, User: who.ID,
		Facts:    map[string]string{"password": cmp.Or(string(d.password.Form()), "none")},
		Personal: map[string]string{"login": string(d.login), "name": who.Name(), "mobile": d.mobile},
	}); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.MembershipImported, Actor: by, Site: at, User: who.ID,
		Facts: map[string]string{
			"user_ref": r.UserRef, "group": string(d.group), "kind": string(d.kind), "status": string(d.status),
		},
	})
}

func (d *draft) link(ctx context.Context, tx *db.Tx, who id.User) error {
	if d.mailable {
		if _, err := method.Link(ctx, tx, method.Method{User: who, Kind: policy.Email, Address: string(d.login)}); err != nil {
			return err
		}
	}
	if d.mobile == "" {
		return nil
	}
	_, err := method.Link(ctx, tx, method.Method{User: who, Kind: policy.SMS, Address: d.mobile})
	return err
}
