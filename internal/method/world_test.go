package method_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// world has two workshops with a Pat Lee each.
type world struct {
	db       *db.DB
	keys     *secret.Keys
	pat, twn user.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	eachURL(t, func(t *testing.T, w *world, _ string) {
		t.Helper()
		test(t, w)
	})
}

func eachURL(t *testing.T, test func(t *testing.T, w *world, rawURL string)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		rawURL = crowded(t, rawURL)
		keys, err := secret.Memory()
		if err != nil {
			t.Fatal(err)
		}
		w := &world{db: dbtest.Open(t, rawURL), keys: keys}
		w.pat, w.twn = w.person(t, "bayside"), w.person(t, "bayview")
		test(t, w, rawURL)
	})
}

// crowded lets many transactions run at once on PostgreSQL.
func crowded(t *testing.T, rawURL string) string {
	t.Helper()
	if !strings.HasPrefix(rawURL, "postgres") {
		return rawURL
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("pool_max_conns", "12")
	u.RawQuery = q.Encode()
	return u.String()
}

// person makes a workshop with a Pat Lee in it, who has an email.
func (w *world) person(t *testing.T, at string) (who user.User) {
	t.Helper()
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		t.Fatal(err)
	}
	login, err := address.Login("pat@" + at + ".example")
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		s, err := site.Add(ctx, tx, site.Site{Ref: at, Name: at, Region: "AU", Zone: zone})
		if err != nil {
			return err
		}
		if who, err = user.Add(ctx, tx, user.User{Login: login, FirstName: "Pat", LastName: "Lee"}); err != nil {
			return err
		}
		if err := site.Join(ctx, tx, site.Membership{
			Site: s.ID, User: who.ID, UserRef: "1", Group: policy.GroupAdmin, Kind: policy.Office, Status: policy.Active,
		}); err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: string(login), ProvedAt: tx.Now})
		return err
	})
	return who
}

// do runs one transaction that has to be written.
func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.try(t, fn); err != nil {
		t.Fatal(err)
	}
}

func (w *world) try(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) error {
	t.Helper()
	return w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) })
}

func (w *world) refuses(t *testing.T, kind error, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.try(t, fn); !errors.Is(err, kind) {
		t.Errorf("the error is %v, not %v", err, kind)
	}
}

// methods are those of a kind.
func (w *world) methods(t *testing.T, who user.User, kind policy.MethodKind) (of []method.Method) {
	t.Helper()
	all, err := method.Of(t.Context(), w.db, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Kind == kind {
			of = append(of, m)
		}
	}
	return of
}

// rows counts what a table holds.
func (w *world) rows(t *testing.T, table string) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// race runs 32 transactions at once over the databases in turn and counts those that say
// true.
func race(t *testing.T, over []*db.DB, fn func(ctx context.Context, tx *db.Tx) (bool, error)) int {
	t.Helper()
	const many = 32
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		wins int
	)
	start := make(chan struct{})
	for i := range many {
		d := over[i%len(over)]
		all.Go(func() {
			<-start
			var ok bool
			err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
				ok, err = fn(t.Context(), tx)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if ok {
				wins++
			}
		})
	}
	close(start)
	all.Wait()
	return wins
}
