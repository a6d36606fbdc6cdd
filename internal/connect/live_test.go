package connect_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"keyturn/internal/check"
	"keyturn/internal/connect"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// alone is the cookie of somebody who is in with the password alone.
func (w *world) alone(t *testing.T, who user.User, s site.Site) (token string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		one, err := session.Under(ctx, tx, session.Session{
			User: who.ID, Client: string(policy.ClientWeb), Site: s.ID, PasswordAt: tx.Now, EndsAt: tx.Now.Add(10 * time.Hour),
			Place: session.Place{Browser: "shop", Network: "203.0.113.8", Agent: "Firefox on Windows"},
		})
		if err == nil {
			_, token, err = session.Start(ctx, tx, one)
		}
		return err
	})
	return token
}

// The epoch is read at every request: what is stored is seen by the next one, on each node.
func TestWhoeverIsInWithAPasswordAloneMeetsTheSecondStepAtTheirNextRequestOnEveryNode(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		w := newWorld(t, dbtest.Open(t, rawURL))
		var nodes []*check.Checker
		for range 3 {
			nodes = append(nodes, &check.Checker{DB: dbtest.Open(t, rawURL), Standing: w.desk.Standing, Log: slog.New(slog.DiscardHandler)})
		}
		here, there := map[string]bool{}, map[string]bool{}
		for i := range 20 {
			who := w.member(t, w.site, fmt.Sprintf("m%d@bayside.example", i), "Mo", policy.GroupMechanic)
			here[w.alone(t, who, w.site)] = true
		}
		there[w.alone(t, w.twinPat, w.twin)] = true
		are := func(tokens map[string]bool, want check.State) {
			t.Helper()
			for token := range tokens {
				for i, n := range nodes {
					a, err := n.Of(t.Context(), token)
					// Each node measures the database's clock for itself, and may be a moment
					// behind the one that connected. Five seconds are what is promised.
					within, done := context.WithTimeout(t.Context(), 5*time.Second)
					for err == nil && a.State != want && within.Err() == nil {
						a, err = n.Of(within, token)
					}
					done()
					if err != nil || a.State != want {
						t.Fatalf("node %d: %q, %v; want %s", i, a.State, err, want)
					}
				}
			}
		}
		are(here, check.In)
		by := w.in(t, w.pat, w.site, 0)
		w.connect(t, by, "books", "o-bayside")
		are(here, check.More)
		are(there, check.In)
		if refused, _, err := w.desk.Disconnect(t.Context(), by); refused != "" || err != nil {
			t.Fatalf("disconnect: %q, %v", refused, err)
		}
		are(here, check.More) // what it required stays
	})
}

func TestOfTwoSitesThatWantOneOrganisationAtOnceOneHasIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		one, two := w.in(t, w.pat, w.site, 0), w.in(t, w.twinPat, w.twin, 0)
		backs := []connect.Back{w.went(t, one, false, "books", "o-third"), w.went(t, two, false, "other", "o-other")}
		// The second person has the first one's organisation, too.
		backs[1] = w.went(t, two, false, "books", "o-third")
		type answer struct {
			refused connect.Refused
			err     error
		}
		answers := make(chan answer, 2)
		go func() { d, err := w.desk.Finish(t.Context(), one, backs[0]); answers <- answer{d.Refused, err} }()
		go func() { d, err := w.desk.Finish(t.Context(), two, backs[1]); answers <- answer{d.Refused, err} }()
		won := 0
		for range 2 {
			if a := <-answers; a.err == nil && a.refused == "" {
				won++
			}
		}
		if n := w.count(t, `SELECT COUNT(*) FROM xero_links`); won != 1 || n != 1 {
			t.Errorf("%d of two were connected, %d links", won, n)
		}
	})
}
