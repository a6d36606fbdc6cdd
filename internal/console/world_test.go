package console_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/console"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// world is a vendor with two members of staff, each of whom manages one of two workshops
// whose people have the same names.
type world struct {
	db   *db.DB
	desk *console.Desk

	site, twin             site.Site
	pat, kim, twinPat      user.User
	sam, toni              user.User
	samOnDuty, toniOnDuty  authority.Bearer
	kimsMail, twinKimsMail method.Method
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
		post := &message.Post{DB: d, Keys: keys, Jobs: jobs}
		w := &world{db: d, desk: &console.Desk{DB: d, Post: post, Standing: standing.Source{SMS: true, Countries: []string{"AU"}}}}
		w.sam, w.toni = w.staff(t, "sam"), w.staff(t, "toni")
		w.site, w.twin = w.workshop(t, "bayside", "Bayside Auto", w.sam), w.workshop(t, "bayview", "Bayview Auto", w.toni)
		w.pat, _ = w.member(t, w.site, "pat@bayside.example", "Pat", policy.GroupAdmin)
		w.kim, w.kimsMail = w.member(t, w.site, "kim@bayside.example", "Kim", policy.GroupMechanic)
		w.twinPat, _ = w.member(t, w.twin, "pat@bayview.example", "Pat", policy.GroupAdmin)
		_, w.twinKimsMail = w.member(t, w.twin, "kim@bayview.example", "Kim", policy.GroupMechanic)
		w.samOnDuty, w.toniOnDuty = w.onDuty(t, w.sam), w.onDuty(t, w.toni)
		test(t, w)
	})
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) workshop(t *testing.T, ref, name string, manager user.User) (s site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: name, Region: "AU", Zone: time.UTC, SMSAvailable: 50, AccountManager: string(manager.Login)})
		return err
	})
	return s
}

func (w *world) user(t *testing.T, login, first string) (who user.User, mail method.Method) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if who, err = user.Add(ctx, tx, user.User{Login: address.Canonical(login), FirstName: first, LastName: "Lee"}); err != nil {
			return err
		}
		mail, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: login})
		return err
	})
	return who, mail
}

func (w *world) member(t *testing.T, at site.Site, login, first string, group policy.Group) (user.User, method.Method) {
	t.Helper()
	who, mail := w.user(t, login, first)
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{Site: at.ID, User: who.ID, UserRef: login, Group: group, Kind: policy.Office, Status: policy.Active})
	})
	return who, mail
}

func (w *world) staff(t *testing.T, name string) user.User {
	t.Helper()
	who, _ := w.user(t, name+"@vendor.example", strings.ToUpper(name[:1])+name[1:])
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if err := user.MakeStaff(ctx, tx, who.ID); err != nil {
			return err
		}
		_, err := method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.TOTP, ProvedAt: tx.Now})
		return err
	})
	who.Staff = true
	return who
}

func (w *world) change(t *testing.T, text string, args ...any) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return tx.Change(ctx, text, args...) })
}

// onDuty is a member of staff who has just passed their authenticator.
func (w *world) onDuty(t *testing.T, who user.User) authority.Bearer {
	t.Helper()
	b := authority.Bearer{User: who, Place: session.Place{Browser: "desk", Network: "203.0.113.7", Agent: "Chrome"}}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		fresh, err := session.Under(ctx, tx, session.Session{
			User: who.ID, Client: string(policy.ClientWeb), PasswordAt: tx.Now, Factor: string(policy.TOTP), FactorAt: tx.Now,
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

// count is how many events of a kind a site's trail has.
func (w *world) count(t *testing.T, at site.Site, kind audit.Kind) int {
	t.Helper()
	all, err := audit.List(t.Context(), w.db, audit.Filter{Site: at.ID, Kind: kind}, 200)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// told is how many notices of a kind somebody was sent.
func (w *world) told(t *testing.T, who id.User, kind message.NoticeKind) int {
	t.Helper()
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (s string, err error) { return s, r.Scan(&s) },
		`SELECT notice_id FROM notices WHERE user_id = $1 AND kind = $2`, who, string(kind))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
