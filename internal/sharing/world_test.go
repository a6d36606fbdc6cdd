package sharing_test

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/sharing"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// world is two workshops whose people have the same names. Pat and Max are Admins, the
// front desk is a login that several use.
type world struct {
	db   *db.DB
	desk *sharing.Desk

	site, twin                              site.Site
	pat, max, front, twinPat, twinFront, bo user.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		test(t, open(t, rawURL))
	})
}

func open(t *testing.T, rawURL string) *world {
	t.Helper()
	if strings.HasPrefix(rawURL, "postgres") { // lets many transactions run at once
		u, err := url.Parse(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("pool_max_conns", "12")
		u.RawQuery = q.Encode()
		rawURL = u.String()
	}
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	d := dbtest.Open(t, rawURL)
	jobs, err := job.New(d, nil, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: d, desk: &sharing.Desk{
		DB: d, Post: &message.Post{DB: d, Keys: keys, Jobs: jobs}, Countries: []string{"AU"}, Standing: standing.Source{},
	}}
	w.site, w.twin = w.workshop(t, "bayside", "Bayside Auto"), w.workshop(t, "bayview", "Bayview Auto")
	w.pat, w.max = w.user(t, "pat@bayside.example", "Pat", "Lee"), w.user(t, "max@bayside.example", "Max", "Ito")
	w.front = w.user(t, "reception@bayside.example", "Front", "Desk")
	w.twinPat, w.twinFront = w.user(t, "pat@bayview.example", "Pat", "Lee"), w.user(t, "reception@bayview.example", "Front", "Desk")
	w.bo = w.user(t, "bo@books.example", "Bo", "Ng")
	w.join(t, w.pat, w.site, policy.GroupAdmin)
	w.join(t, w.max, w.site, policy.GroupAdmin)
	w.join(t, w.front, w.site, policy.GroupSales)
	w.join(t, w.bo, w.site, policy.GroupPayOnly)
	w.join(t, w.bo, w.twin, policy.GroupPayOnly)
	w.join(t, w.twinPat, w.twin, policy.GroupAdmin)
	w.join(t, w.twinFront, w.twin, policy.GroupSales)
	return w
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) workshop(t *testing.T, ref, name string) (s site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: name, Region: "AU", Zone: brisbane})
		return err
	})
	return s
}

func (w *world) user(t *testing.T, login, first, last string) (who user.User) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if who, err = user.Add(ctx, tx, user.User{Login: address.Canonical(login), FirstName: first, LastName: last}); err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: login, ProvedAt: tx.Now})
		return err
	})
	return who
}

func (w *world) join(t *testing.T, who user.User, s site.Site, group policy.Group) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{
			Site: s.ID, User: who.ID, UserRef: string(who.ID), Group: group, Kind: policy.Office, Status: policy.Active,
		})
	})
}

// in is somebody who has just passed their second factor.
func (w *world) in(t *testing.T, who user.User, s site.Site) authority.Bearer {
	t.Helper()
	a := authority.Bearer{User: who, Place: session.Place{Browser: "office", Network: "203.0.113.7", Agent: pc}}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		fresh, err := session.Under(ctx, tx, session.Session{
			User: who.ID, Client: string(policy.ClientWeb), Site: s.ID, PasswordAt: tx.Now,
			Factor: string(policy.Email), FactorAt: tx.Now, Place: a.Place, EndsAt: tx.Now.Add(90 * 24 * time.Hour),
		})
		if err != nil {
			return err
		}
		a.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return a
}

// sat stores that a login was used at a computer from ten till noon, on so many of the days
// before now.
func (w *world) sat(t *testing.T, who user.User, s site.Site, place session.Place, days int) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		for back := 1; back <= days; back++ {
			from := policy.NextFour(tx.Now.AddDate(0, 0, -back-1), s.Zone).Add(6 * time.Hour)
			var uses []time.Time
			for used := time.Duration(0); used < 2*time.Hour; used += session.Ten {
				uses = append(uses, from.Add(used+time.Minute))
			}
			_, hash := secret.Token()
			err := session.Keep(ctx, tx, session.Session{
				User: who.ID, Client: string(policy.ClientWeb), Site: s.ID, PasswordAt: from, Place: place,
				StartedAt: from, SeenAt: from, EndsAt: from.Add(10 * time.Hour),
			}, hash, uses...)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) told(t *testing.T, who user.User) []string {
	t.Helper()
	return texts(t, w.db, `SELECT kind FROM notices WHERE user_id = $1 ORDER BY notice_id`, who.ID)
}

func (w *world) status(t *testing.T, who user.User, s site.Site) string {
	t.Helper()
	return strings.Join(texts(t, w.db, `SELECT status FROM memberships WHERE user_id = $1 AND site_id = $2`, who.ID, s.ID), " ")
}

func (w *world) count(t *testing.T, s id.Site, kind audit.Kind) int {
	t.Helper()
	all, err := audit.List(t.Context(), w.db, audit.Filter{Site: s, Kind: kind}, 200)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func texts(t *testing.T, from db.Reader, query string, args ...any) []string {
	t.Helper()
	all, err := db.Many(t.Context(), from, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (w *world) logins(t *testing.T, s site.Site) []sharing.Login {
	t.Helper()
	all, err := w.desk.Logins(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (w *world) sweep(t *testing.T) {
	t.Helper()
	if err := w.desk.Sweep(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
}

// until moves the clock forward to a moment.
func (w *world) until(at time.Time) { w.db.Clock.Advance(at.Sub(w.db.Clock.Now()) + time.Second) }

// soon is a plan for two people, so many days ahead.
func (w *world) soon(days int) sharing.Plan {
	return sharing.Plan{Day: w.db.Clock.Now().In(brisbane).AddDate(0, 0, days).Format(time.DateOnly), People: []sharing.NewPerson{
		{First: "Ana", Last: "Silva", Email: "Ana@Bayside.example", Mobile: "0491 570 156", Group: policy.GroupSales},
		{First: "Kim", Last: "Osei", Email: "kim@bayside.example", Group: policy.GroupMechanic},
	}}
}

func has(all []string, one message.NoticeKind) bool { return slices.Contains(all, string(one)) }
