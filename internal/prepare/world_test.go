package prepare_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/readiness"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// world is two workshops whose people have the same names: Pat, the Admin, who is ready,
// and Kim, who never typed a code.
type world struct {
	db                     *db.DB
	desk                   *prepare.Desk
	site, twin             site.Site
	pat, kim, twinPat      user.User
	kimsMail, twinKimsMail method.Method
	twinKim                user.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		keys, err := secret.Memory()
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := job.New(d, nil, "", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		w := &world{db: d, desk: &prepare.Desk{
			DB: d, Post: &message.Post{DB: d, Keys: keys, Jobs: jobs},
			Ready: readiness.Source{Standing: standing.Source{SMS: true, Countries: []string{"AU"}}},
		}}
		w.site, w.twin = w.workshop(t, "bayside", "Bayside Auto"), w.workshop(t, "bayview", "Bayview Auto")
		now := d.Clock.Now()
		w.pat, _ = w.member(t, w.site, "pat@bayside.example", policy.GroupAdmin, now)
		w.kim, w.kimsMail = w.member(t, w.site, "kim@bayside.example", policy.GroupMechanic, time.Time{})
		w.twinPat, _ = w.member(t, w.twin, "pat@bayview.example", policy.GroupAdmin, now)
		w.twinKim, w.twinKimsMail = w.member(t, w.twin, "kim@bayview.example", policy.GroupMechanic, time.Time{})
		test(t, w)
	})
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// workshop is a site that is connected to Xero since before the rollout.
func (w *world) workshop(t *testing.T, ref, name string) (s site.Site) {
	t.Helper()
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: name, Region: "AU", Zone: zone, SMSAvailable: 50, AccountManager: ref + "-manager@vendor.example"})
		if err != nil {
			return err
		}
		_, err = integration.Connect(ctx, tx, integration.Integration{Site: s.ID, Kind: policy.Xero, State: policy.Connected, Since: tx.Now.AddDate(-1, 0, 0)})
		return err
	})
	w.date(t, s, time.Time{})
	return s
}

// date stores a site's date.
func (w *world) date(t *testing.T, at site.Site, date time.Time) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return plan.Set(ctx, tx, plan.Plan{Site: at.ID, BeganAt: tx.Now.AddDate(0, -1, 0), EnforceAt: date})
	})
}

// inDays is 4 am at the site so many days from today.
func (w *world) inDays(days int) time.Time {
	y, m, d := w.db.Clock.Now().In(w.site.Zone).Date()
	return time.Date(y, m, d+days, 4, 0, 0, 0, w.site.Zone)
}

// until moves the clock to an hour of the day, so many days before a date.
func (w *world) until(date time.Time, days, hour int) {
	y, m, d := date.In(w.site.Zone).Date()
	w.db.Clock.Advance(time.Date(y, m, d-days, hour, 0, 0, 0, w.site.Zone).Sub(w.db.Clock.Now()))
}

// member adds somebody whose email was proved then; never, where that is zero. An Admin
// has recovery codes besides.
func (w *world) member(t *testing.T, at site.Site, login string, group policy.Group, proved time.Time) (who user.User, mail method.Method) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if who, err = user.Add(ctx, tx, user.User{Login: address.Canonical(login), FirstName: login[:3], LastName: "Lee"}); err != nil {
			return err
		}
		mail, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: login, ProvedAt: proved})
		if err == nil && group == policy.GroupAdmin {
			_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.TOTP, ProvedAt: proved})
		}
		return err
	})
	w.join(t, at, who, group)
	return who, mail
}

func (w *world) join(t *testing.T, at site.Site, who user.User, group policy.Group) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{Site: at.ID, User: who.ID, UserRef: string(who.Login), Group: group, Kind: policy.Office, Status: policy.Active})
	})
}

func (w *world) bounce(t *testing.T, m method.Method) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.Bounced(ctx, tx, m.User, m.ID, "no_mailbox") })
}

func (w *world) announce(t *testing.T) {
	t.Helper()
	if err := w.desk.Announce(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
}

// notice is one that somebody was told.
type notice struct {
	kind  message.NoticeKind
	site  id.Site
	words map[string]string
}

// told are the notices of somebody, the oldest first.
func (w *world) told(t *testing.T, who user.User) []notice {
	t.Helper()
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (n notice, err error) {
		var words string
		if err := r.Scan(&n.kind, &n.site, &words); err != nil {
			return n, err
		}
		return n, json.Unmarshal([]byte(words), &n.words)
	}, `SELECT kind, site_id, words FROM notices WHERE user_id = $1 ORDER BY made_at, notice_id`, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// bearer is somebody who is signed in at a site.
func (w *world) bearer(t *testing.T, who user.User, at site.Site) authority.Bearer {
	t.Helper()
	b := authority.Bearer{User: who, Place: session.Place{Browser: "desk", Network: "203.0.113.7", Agent: "Chrome"}}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		fresh, err := session.Under(ctx, tx, session.Session{
			User: who.ID, Site: at.ID, Client: string(policy.ClientWeb), PasswordAt: tx.Now, Place: b.Place, EndsAt: tx.Now.Add(24 * time.Hour),
		})
		if err != nil {
			return err
		}
		b.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return b
}

// staff is a member of the vendor's staff who is signed in.
func (w *world) staff(t *testing.T) authority.Bearer {
	t.Helper()
	var who user.User
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if who, err = user.Add(ctx, tx, user.User{Login: "sam@vendor.example", FirstName: "Sam"}); err != nil {
			return err
		}
		who.Staff = true
		return user.MakeStaff(ctx, tx, who.ID)
	})
	return w.bearer(t, who, site.Site{})
}
