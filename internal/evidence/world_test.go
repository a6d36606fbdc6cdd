package evidence_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/evidence"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/method"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/secret"
	"keyturn/internal/sharing"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

const day = 24 * time.Hour

// world is two workshops whose people have the same names, both connected to Xero ten days
// before now, and one that is not. It begins long before now, because a clock only goes on.
type world struct {
	db         *db.DB
	keys       *secret.Keys
	desk       *evidence.Desk
	now        time.Time
	site, twin site.Site
	free       site.Site

	pat, kim, luca, twinPat, twinKim user.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		keys, err := secret.Memory()
		if err != nil {
			t.Fatal(err)
		}
		w := &world{db: d, keys: keys, now: d.Clock.Now().Add(900 * day)}
		w.desk = &evidence.Desk{
			DB: d, Keys: keys, Vendor: "Workshop", Version: "1.2.3", KeepDays: 400, Shared: sharing.Open, Page: bare,
			Readiness: readiness.Source{Standing: standing.Source{SMS: true, Countries: []string{"AU"}}},
		}
		w.people(t)
		test(t, w)
	})
}

// bare is a page without any look.
func bare(w io.Writer, p evidence.Pack, sites iter.Seq2[evidence.Site, error]) error {
	if _, err := fmt.Fprintf(w, "%+v\n", p.Totals); err != nil {
		return err
	}
	for one, err := range sites {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%+v\n", one); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) people(t *testing.T) {
	t.Helper()
	w.site, w.twin, w.free = w.workshop(t, "bayside"), w.workshop(t, "bayview"), w.workshop(t, "zebra")
	proved := method.Method{Kind: policy.Email, ProvedAt: w.now}
	w.pat = w.user(t, "pat@bayside.example", proved, method.Method{Kind: policy.TOTP, ProvedAt: w.now})
	w.kim = w.user(t, "kim@bayside.example", method.Method{Kind: policy.Email})
	w.luca = w.user(t, "luca@bayside.example")
	w.twinPat, w.twinKim = w.user(t, "pat@bayview.example", proved), w.user(t, "kim@bayview.example")
	w.join(t, w.site, w.pat, policy.GroupAdmin, policy.Office)
	w.join(t, w.site, w.kim, policy.GroupMechanic, policy.Office)
	w.join(t, w.site, w.luca, policy.GroupMechanic, policy.Mobile)
	w.join(t, w.twin, w.twinPat, policy.GroupAdmin, policy.Office)
	w.join(t, w.twin, w.twinKim, policy.GroupMechanic, policy.Office)
	w.join(t, w.free, w.twinKim, policy.GroupMechanic, policy.Office)
	w.connect(t, w.site, w.now.Add(-10*day))
	w.connect(t, w.twin, w.now.Add(-10*day))
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) workshop(t *testing.T, ref string) (s site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: "Bayside Auto", Region: "AU", Zone: time.UTC, SMSAvailable: 50})
		return err
	})
	return s
}

func (w *world) user(t *testing.T, login string, ways ...method.Method) (who user.User) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if who, err = user.Add(ctx, tx, user.User{Login: address.Canonical(login), FirstName: "Forename", LastName: "Surname"}); err != nil {
			return err
		}
		for _, m := range ways {
			m.User = who.ID
			if m.Kind == policy.Email {
				m.Address = login
			}
			if _, err := method.Link(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	return who
}

func (w *world) join(t *testing.T, at site.Site, who user.User, group policy.Group, kind policy.Kind) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{
			Site: at.ID, User: who.ID, UserRef: string(who.ID), Group: group, Kind: kind, Status: policy.Active,
		})
	})
}

func (w *world) connect(t *testing.T, at site.Site, since time.Time) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		_, err := integration.Connect(ctx, tx, integration.Integration{
			Site: at.ID, Kind: policy.Xero, Since: since, By: "pat@bayside.example", Organisation: "Bayside Pty Ltd",
		})
		return err
	})
}

func (w *world) plan(t *testing.T, p plan.Plan) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return plan.Set(ctx, tx, p) })
}

// until lets time pass, to so long before now.
func (w *world) until(ago time.Duration) {
	if left := w.now.Add(-ago).Sub(w.db.Clock.Now()); left > 0 {
		w.db.Clock.Advance(left)
	}
}

// enters records that somebody entered a site so long before now, in the order of time.
func (w *world) enters(t *testing.T, at site.Site, who user.User, ago time.Duration, level int, keys ...policy.ReasonKey) {
	t.Helper()
	w.until(ago)
	decision := policy.Decision{Outcome: policy.Allow}
	for _, key := range keys {
		decision.Reasons = append(decision.Reasons, policy.Reason{Key: key})
	}
	facts := decision.Record()
	facts["acr"] = policy.URN(level)
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.SiteEntered, Site: at.ID, User: who.ID, Facts: facts,
			Actor: audit.Actor{Kind: audit.ActorUser, ID: string(who.ID), Network: "203.0.113.7", Agent: "Firefox"},
		})
	})
}

// made are the files of a pack.
type made struct {
	evidence.File

	pack, page, signature []byte
}

func (w *world) make(t *testing.T, ask evidence.Ask) made {
	t.Helper()
	w.until(0)
	spool, err := os.Create(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = spool.Close() }()
	var pack, page, signature bytes.Buffer
	said, err := w.desk.Write(t.Context(), ask, evidence.Out{Name: "pack.json", Pack: &pack, Page: &page, Signature: &signature, Spool: spool})
	if err != nil {
		t.Fatal(err)
	}
	m := made{pack: pack.Bytes(), page: page.Bytes(), signature: signature.Bytes()}
	if err := json.Unmarshal(m.pack, &m.File); err != nil {
		t.Fatalf("the pack is no JSON: %v\n%s", err, m.pack)
	}
	if said.Totals.Listed != m.Totals.Listed || said.Checkpoint != m.Checkpoint {
		t.Errorf("what Write gives is not what it wrote")
	}
	return m
}

func (m made) site(t *testing.T, at id.Site) evidence.Site {
	t.Helper()
	for _, one := range m.Sites {
		if one.ID == string(at) {
			return one
		}
	}
	t.Fatalf("the pack lacks the site %s", at)
	return evidence.Site{}
}

// count asks the database itself, with a statement of the test's own.
func (w *world) count(t *testing.T, text string, args ...any) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, text, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func same(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: the pack says %s, the database %s", what, strconv.Itoa(got), strconv.Itoa(want))
	}
}
