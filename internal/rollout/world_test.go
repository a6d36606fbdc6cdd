package rollout_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/rollout"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// world is a vendor with two members of staff and two workshops whose people have the same
// names, each with its Pat, an Admin who has proved their mailbox.
type world struct {
	db   *db.DB
	desk *rollout.Desk
	// weather is the channel that delivers badly; empty if none does.
	weather string

	sam, toni  authority.Bearer
	site, twin site.Site
	pats       map[id.Site]user.User
	// made is the day on which the world was made.
	made calendar.Day
}

// command is whoever is at the machine.
var command = rollout.By{Command: audit.Actor{Kind: audit.ActorCommand, ID: "ops"}, Name: "ops"}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		test(t, newWorld(t, d))
	})
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := job.New(d, nil, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: d, pats: map[id.Site]user.User{}, made: calendar.On(d.Clock.Now(), time.UTC)}
	w.desk = &rollout.Desk{
		DB: d, Post: &message.Post{DB: d, Keys: keys, Jobs: jobs}, Jobs: jobs, Standing: standing.Source{},
		Unhealthy: func() string { return w.weather },
	}
	w.sam, w.toni = w.staff(t, "Sam"), w.staff(t, "Toni")
	w.site, w.twin = w.workshop(t, "bayside", "AU", "Australia/Brisbane"), w.workshop(t, "bayview", "NZ", "Pacific/Auckland")
	return w
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// workshop is a site that was connected to Xero long ago, managed by Sam, whose Admin Pat
// has proved their mailbox.
func (w *world) workshop(t *testing.T, ref, region, zone string) (s site.Site) {
	t.Helper()
	in, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: "The " + ref, Region: region, Zone: in, AccountManager: "sam@vendor.example"})
		if err != nil {
			return err
		}
		if _, err = integration.Connect(ctx, tx, integration.Integration{Site: s.ID, Kind: policy.Xero, By: "Pat", Organisation: ref}); err != nil {
			return err
		}
		w.pats[s.ID], err = w.pat(ctx, tx, s, ref, true)
		return err
	})
	return s
}

func (w *world) pat(ctx context.Context, tx *db.Tx, s site.Site, ref string, proved bool) (user.User, error) {
	login := "pat@" + ref + ".example"
	who, err := user.Add(ctx, tx, user.User{Login: address.Canonical(login), FirstName: "Pat"})
	if err != nil {
		return who, err
	}
	mail := method.Method{User: who.ID, Kind: policy.Email, Address: login}
	if proved {
		mail.ProvedAt, mail.Health = tx.Now, policy.HealthGood
	}
	if _, err := method.Link(ctx, tx, mail); err != nil {
		return who, err
	}
	return who, site.Join(ctx, tx, site.Membership{
		Site: s.ID, User: who.ID, UserRef: login, Group: policy.GroupAdmin, Kind: policy.Office, Status: policy.Active,
	})
}

// unprove has nobody at a site prove anything any more.
func (w *world) unprove(t *testing.T, at site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return tx.Change(ctx, `UPDATE methods SET proved_at = NULL WHERE user_id = $1`, w.pats[at.ID].ID)
	})
}

func (w *world) prove(t *testing.T, at site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return tx.Change(ctx, `UPDATE methods SET proved_at = $2 WHERE user_id = $1`, w.pats[at.ID].ID, db.Stamp(tx.Now))
	})
}

func (w *world) staff(t *testing.T, name string) authority.Bearer {
	t.Helper()
	b := authority.Bearer{Place: session.Place{Browser: name, Network: "203.0.113.7", Agent: "Chrome"}}
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		login := address.Canonical(strings.ToLower(name) + "@vendor.example")
		if b.User, err = user.Add(ctx, tx, user.User{Login: login, FirstName: name, Staff: true}); err != nil {
			return err
		}
		if _, err = method.Link(ctx, tx, method.Method{User: b.User.ID, Kind: policy.Email, Address: string(login)}); err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: b.User.ID, Kind: policy.TOTP, ProvedAt: tx.Now})
		return err
	})
	return w.again(t, b)
}

// again is the same person, who has just signed in.
func (w *world) again(t *testing.T, b authority.Bearer) authority.Bearer {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		fresh, err := session.Under(ctx, tx, session.Session{
			User: b.User.ID, Client: string(policy.ClientWeb), PasswordAt: tx.Now, Factor: string(policy.TOTP), FactorAt: tx.Now,
			Place: b.Place, EndsAt: tx.Now.Add(24 * time.Hour),
		})
		if err != nil {
			return err
		}
		b.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return b
}

// today is the day in UTC.
func (w *world) today() calendar.Day { return calendar.On(w.db.Clock.Now(), time.UTC) }

// tuesday is the n-th Tuesday, two weeks after the world was made at least, that is no
// holiday of either site.
func (w *world) tuesday(n int) calendar.Day {
	d := calendar.Usual(w.made.Add(14), calendar.Tuesday)
	for {
		if (calendar.Rules{Region: "AU"}).Allows(d) && (calendar.Rules{Region: "NZ"}).Allows(d) {
			if n--; n == 0 {
				return d
			}
		}
		d = d.Add(7)
	}
}

// order is one rollout of two waves: the site's, and everybody else's.
func (w *world) order() rollout.Order {
	return rollout.Order{Name: "2FA for Xero", Owner: "toni@vendor.example", Waves: []rollout.Wave{
		{Name: "Pilot", Pick: rollout.Pick{By: rollout.ByList, Value: w.site.Ref}, Day: w.tuesday(1)},
		{Name: "The rest", Pick: rollout.Pick{By: rollout.ByShare, Value: "100"}, Day: w.tuesday(2)},
	}}
}

func (w *world) save(t *testing.T, o rollout.Order) rollout.Rollout {
	t.Helper()
	refused, err := w.desk.Save(t.Context(), command, o)
	if err != nil || refused != "" {
		t.Fatalf("save a draft: %q, %v", refused, err)
	}
	return w.live(t)
}

func (w *world) live(t *testing.T) rollout.Rollout {
	t.Helper()
	r, there, err := rollout.Live(t.Context(), w.db)
	if err != nil || !there {
		t.Fatalf("the rollout: %v, %v", there, err)
	}
	return r
}

// start starts what is ordered and lets every site get its place.
func (w *world) start(t *testing.T, o rollout.Order) rollout.Rollout {
	t.Helper()
	r := w.save(t, o)
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.Begin(ctx, tx, w.toni, r.ID, r.Digest()) })
	w.step(t)
	return w.live(t)
}

// step does what is to be done.
func (w *world) step(t *testing.T) {
	t.Helper()
	for range 3 {
		if err := w.desk.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// until moves the clock to a moment.
func (w *world) until(t *testing.T, at time.Time) {
	t.Helper()
	gap := at.Sub(w.db.Clock.Now())
	if gap < 0 {
		t.Fatalf("%s has gone", at)
	}
	w.db.Clock.Advance(gap)
}

func (w *world) plan(t *testing.T, at site.Site) plan.Plan {
	t.Helper()
	p, known, err := plan.Of(t.Context(), w.db, at.ID)
	if err != nil || !known {
		t.Fatalf("the plan of %s: %v, %v", at.Ref, known, err)
	}
	return p
}

// asked says whether the policy would ask the site's Pat for a second factor.
func (w *world) asked(t *testing.T, at site.Site) bool {
	t.Helper()
	return w.askedAt(t, at, w.db.Clock.Now())
}

// askedAt says it of a moment.
func (w *world) askedAt(t *testing.T, at site.Site, now time.Time) bool {
	t.Helper()
	f, err := w.desk.Standing.Of(t.Context(), w.db, now, standing.Asker{User: w.pats[at.ID], Client: policy.Client{Kind: policy.ClientWeb}})
	if err != nil {
		t.Fatal(err)
	}
	required, _ := policy.Required(f, now)
	return required
}

func (w *world) count(t *testing.T, text string, args ...any) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, text, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *world) events(t *testing.T, at site.Site, kind audit.Kind) int {
	t.Helper()
	return w.count(t, `SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND kind = $2`, at.ID, string(kind))
}

func (w *world) told(t *testing.T, who id.User, kind message.NoticeKind) int {
	t.Helper()
	return w.count(t, `SELECT COUNT(*) FROM notices WHERE user_id = $1 AND kind = $2`, who, string(kind))
}

// many adds so many workshops of a region.
func (w *world) many(t *testing.T, n int) (all []site.Site) {
	t.Helper()
	zones := []string{"Australia/Sydney", "Australia/Perth", "Pacific/Auckland", "Europe/London", "America/New_York"}
	regions := []string{"AU", "AU", "NZ", "GB", "US"}
	for i := range n {
		all = append(all, w.workshop(t, fmt.Sprintf("ws-%03d", i), regions[i%5], zones[i%5]))
	}
	return all
}
