package trail_test

import (
	"bytes"
	"context"
	"log/slog"
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
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/trail"
	"keyturn/internal/user"
)

// world is two workshops of one name whose people have the same names. Bo is an Admin of
// both. It is noon in UTC, so that no test meets a midnight that it does not ask for.
type world struct {
	url  string
	db   *db.DB
	keys *secret.Keys
	desk *trail.Desk

	site, twin                             site.Site
	pat, kim, elodie, bo, twinPat, twinKim user.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		keys, err := secret.Memory()
		if err != nil {
			t.Fatal(err)
		}
		w := &world{url: rawURL, keys: keys}
		w.db, w.desk = w.node(t)
		w.people(t)
		test(t, w)
	})
}

// node is a further node on the same database.
func (w *world) node(t *testing.T) (*db.DB, *trail.Desk) {
	t.Helper()
	d := dbtest.Open(t, w.url)
	now := d.Clock.Now()
	d.Clock.Advance(now.Truncate(24 * time.Hour).Add(36 * time.Hour).Sub(now))
	jobs, err := job.New(d, nil, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return d, &trail.Desk{DB: d, Keys: w.keys, Post: &message.Post{DB: d, Keys: w.keys, Jobs: jobs}, Standing: standing.Source{}}
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) people(t *testing.T) {
	t.Helper()
	w.site, w.twin = w.workshop(t, "bayside"), w.workshop(t, "bayview")
	w.pat, w.kim = w.user(t, "pat@bayside.example", "Pat", "Lee"), w.user(t, "kim@bayside.example", "Kim", "Osei")
	w.twinPat, w.twinKim = w.user(t, "pat@bayview.example", "Pat", "Lee"), w.user(t, "kim@bayview.example", "Kim", "Osei")
	w.elodie, w.bo = w.user(t, "e_d@bayside.example", "Élodie", "100%"), w.user(t, "bo@books.example", "Bo", "Ng")
	w.join(t, w.pat, w.site, policy.GroupAdmin)
	w.join(t, w.kim, w.site, policy.GroupMechanic)
	w.join(t, w.elodie, w.site, policy.GroupMechanic)
	w.join(t, w.bo, w.site, policy.GroupAdmin)
	w.join(t, w.bo, w.twin, policy.GroupAdmin)
	w.join(t, w.twinPat, w.twin, policy.GroupAdmin)
	w.join(t, w.twinKim, w.twin, policy.GroupMechanic)
}

func (w *world) workshop(t *testing.T, ref string) (s site.Site) {
	t.Helper()
	zone, err := site.Zone("Australia/Sydney")
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: "Bayside Auto", Region: "AU", Zone: zone})
		return err
	})
	return s
}

func (w *world) user(t *testing.T, login, first, last string) (who user.User) {
	t.Helper()
	name, err := address.Login(login)
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if who, err = user.Add(ctx, tx, user.User{Login: name, FirstName: first, LastName: last}); err != nil {
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
	a := authority.Bearer{User: who, Place: session.Place{Browser: "b", Network: "203.0.113.7", Agent: "Firefox on Linux"}}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		fresh, err := session.Under(ctx, tx, session.Session{
			User: who.ID, Client: string(policy.ClientWeb), Site: s.ID, PasswordAt: tx.Now,
			Factor: string(policy.Email), FactorAt: tx.Now, Place: a.Place, EndsAt: tx.Now.Add(10 * time.Hour),
		})
		if err != nil {
			return err
		}
		a.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return a
}

// happens records that somebody entered a site, from a network of their own.
func (w *world) happens(t *testing.T, s site.Site, people ...user.User) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		for _, who := range people {
			err := audit.Record(ctx, tx, audit.Event{
				Kind: audit.SiteEntered, Site: s.ID, User: who.ID,
				Actor: audit.Actor{Kind: audit.ActorUser, ID: string(who.ID), Network: "203.0.113.9", Agent: "Browser of " + string(who.Login)},
				Facts: map[string]string{"way": "email"}, Personal: map[string]string{"address": string(who.Login), "name": who.Name()},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// pass lets days go by.
func (w *world) pass(days int) { w.db.Clock.Advance(time.Duration(days) * 24 * time.Hour) }

func (w *world) events(t *testing.T, f audit.Filter) []audit.Entry {
	t.Helper()
	all, err := audit.List(t.Context(), w.db, f, 200)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (w *world) has(t *testing.T, s site.Site, kind audit.Kind) int {
	t.Helper()
	return len(w.events(t, audit.Filter{Site: s.ID, Kind: kind}))
}

// count is the number that a query gives.
func (w *world) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// verified are the findings of a verification of everything, with the key.
func (w *world) verified(t *testing.T, then *audit.Heads) (found []audit.Finding) {
	t.Helper()
	watch := audit.Watch{Found: func(f audit.Finding) { found = append(found, f) }}
	if _, err := audit.VerifySigned(t.Context(), w.db, w.keys.CheckpointVerifier(), then, watch); err != nil {
		t.Fatal(err)
	}
	return found
}

// green holds that the whole trail verifies.
func (w *world) green(t *testing.T) {
	t.Helper()
	if found := w.verified(t, nil); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

// copied are the lines of the signed export of a site.
func (w *world) copied(t *testing.T, s site.Site) []string {
	t.Helper()
	var out bytes.Buffer
	if err := w.desk.WriteJSONL(t.Context(), &out, s.ID); err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(out.String()))
}

func (w *world) fileVerified(t *testing.T, lines []string, then *audit.Heads) (found []audit.Finding) {
	t.Helper()
	watch := audit.Watch{Found: func(f audit.Finding) { found = append(found, f) }}
	if _, err := audit.VerifyFile(strings.NewReader(strings.Join(lines, "")), w.keys.CheckpointVerifier(), then, watch); err != nil {
		t.Fatal(err)
	}
	return found
}

// last is the newest checkpoint of a site, opened.
func (w *world) last(t *testing.T, s site.Site) (trail.Checkpoint, audit.Heads) {
	t.Helper()
	c, ok, err := trail.Last(t.Context(), w.db, s.ID)
	if err != nil || !ok {
		t.Fatalf("the last checkpoint: %v, %v", ok, err)
	}
	heads, err := trail.Open([]byte(c.Note), w.keys.CheckpointVerifier())
	if err != nil {
		t.Fatal(err)
	}
	return c, heads
}

// chain is the name of a site's chain.
func chain(s id.Site) string { return "site:" + string(s) }

// many records many events of somebody.
func (w *world) many(s site.Site, who user.User, n int) func(context.Context, *db.Tx) error {
	return func(ctx context.Context, tx *db.Tx) error {
		for range n {
			err := audit.Record(ctx, tx, audit.Event{
				Kind: audit.SiteEntered, Site: s.ID, User: who.ID, Actor: audit.Actor{Kind: audit.ActorUser, ID: string(who.ID)},
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// statement changes rows, as somebody with rights on the database can.
func (w *world) statement(text string, args ...any) func(context.Context, *db.Tx) error {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, text, args...)
		return err
	}
}
