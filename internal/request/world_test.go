package request_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/manager"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// world is a vendor with two members of staff and two workshops whose people have the
// same names. Sam looks after both workshops.
type world struct {
	db   *db.DB
	keys *secret.Keys
	desk *request.Desk
	door *signin.Desk

	site, twin site.Site
	// Pat is the Admin and Kim a Mechanic of each workshop; Bo keeps the books of the twin.
	pat, kim, twinPat, twinKim, bo user.User
	sam, toni                      user.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		test(t, open(t, d))
	})
}

// stored is the hash of everybody's password, made once.
var stored = sync.OnceValue(func() password.Stored {
	s, err := password.Parse(password.Hash("grease under every nail"))
	if err != nil {
		panic(err)
	}
	return s
})

func open(t *testing.T, d *db.DB) *world {
	t.Helper()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := job.New(d, nil, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: d, keys: keys}
	w.desk = &request.Desk{
		DB: d, Post: &message.Post{DB: d, Keys: keys, Jobs: jobs}, Standing: standing.Source{}, Countries: []string{"AU"},
		Slots: &password.Slots{Size: 2}, VendorName: "Workshop Software",
		Unfit: func(plain string, _ user.User) string {
			if len(plain) < 8 {
				return "short"
			}
			return ""
		},
	}
	w.door = &signin.Desk{
		DB: d, Keys: keys, Post: w.desk.Post, Slots: w.desk.Slots, Floor: &password.Floor{}, Pace: &password.Floor{},
		VendorName: "Workshop Software", Standing: w.desk.Standing,
	}
	w.desk.Knows = w.door.Knows
	w.site, w.pat, w.kim = w.workshop(t, "bayside", "Bayside Auto")
	w.twin, w.twinPat, w.twinKim = w.workshop(t, "bayview", "Bayview Auto")
	w.bo = w.user(t, "bo@books.example", "Bo")
	w.join(t, w.bo, w.twin, policy.GroupPayOnly)
	w.sam, w.toni = w.staff(t, "sam"), w.staff(t, "toni")
	return w
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) workshop(t *testing.T, ref, name string) (s site.Site, pat, kim user.User) {
	t.Helper()
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: name, Region: "AU", Zone: zone, AccountManager: "sam@vendor.example"})
		return err
	})
	pat, kim = w.user(t, "pat@"+ref+".example", "Pat"), w.user(t, "kim@"+ref+".example", "Kim")
	w.join(t, pat, s, policy.GroupAdmin)
	w.join(t, kim, s, policy.GroupMechanic)
	return s, pat, kim
}

func (w *world) user(t *testing.T, login, first string) (who user.User) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		who, err = user.Add(ctx, tx, user.User{Login: address.Canonical(login), FirstName: first, LastName: "Lee", Password: stored(), PasswordSetAt: tx.Now})
		if err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: login})
		return err
	})
	return who
}

func (w *world) join(t *testing.T, who user.User, s site.Site, group policy.Group) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{Site: s.ID, User: who.ID, UserRef: string(who.ID), Group: group, Kind: policy.Office, Status: policy.Active})
	})
}

func (w *world) staff(t *testing.T, name string) user.User {
	t.Helper()
	who := w.user(t, name+"@vendor.example", name)
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if err := user.MakeStaff(ctx, tx, who.ID); err != nil {
			return err
		}
		if err := manager.SetContact(ctx, tx, audit.Actor{Kind: audit.ActorCommand, ID: "test"}, who.ID, "07 5550 0142", "Mon to Fri"); err != nil {
			return err
		}
		_, err := method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.TOTP, ProvedAt: tx.Now})
		return err
	})
	who.Staff = true
	return who
}

// let opens a site to a member of staff who does not look after it, as the console does.
func (w *world) let(t *testing.T, who user.User, s site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return authority.Give(ctx, tx, authority.Gift{User: who.ID, Site: s.ID, By: who.ID, Reason: "They called", Until: tx.Now.Add(time.Hour)})
	})
}

// in is somebody who has just proved who they are; late says that it was a while ago.
func (w *world) in(t *testing.T, who user.User, s site.Site, late ...time.Duration) authority.Bearer {
	t.Helper()
	b := authority.Bearer{User: who, Place: session.Place{Browser: "b", Network: "203.0.113.7", Agent: "Chrome on Windows"}}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		at := tx.Now
		for _, l := range late {
			at = at.Add(-l)
		}
		fresh := session.Session{
			User: who.ID, Client: string(policy.ClientWeb), Site: s.ID, PasswordAt: at, Factor: string(policy.Email), FactorAt: at,
			Place: b.Place, EndsAt: tx.Now.Add(10 * time.Hour),
		}
		if who.Staff {
			fresh.Factor = string(policy.TOTP)
		}
		fresh, err := session.Under(ctx, tx, fresh)
		if err != nil {
			return err
		}
		b.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return b
}

var nia = request.Form{FirstName: "Nia", LastName: "Poole", Email: "nia@pooles.example", Mobile: "0491 570 156", Group: policy.GroupMechanic, Kind: policy.Office}

// asked is a request of Pat's.
func (w *world) asked(t *testing.T, f request.Form) request.Ref {
	t.Helper()
	answer, err := w.desk.Ask(t.Context(), w.in(t, w.pat, w.site), f)
	if err != nil || !answer.Made() {
		t.Fatalf("asking: %+v, %v", answer, err)
	}
	return request.Ref{Site: w.site.ID, ID: answer.Request, Seen: request.Asked}
}

// invited is a request that staff have approved, and the token of its link.
func (w *world) invited(t *testing.T, f request.Form) (request.Ref, string) {
	t.Helper()
	ref := w.asked(t, f)
	if refused, err := w.desk.Approve(t.Context(), w.in(t, w.sam, site.Site{}), ref); err != nil || refused != "" {
		t.Fatalf("approving: %q, %v", refused, err)
	}
	return ref, w.token(t, f.Email)
}

// token is that of the newest invitation that was mailed to an address, opened as the
// worker does.
func (w *world) token(t *testing.T, to string) string {
	t.Helper()
	type row struct {
		user, id string
		sealed   []byte
	}
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (one row, err error) { return one, r.Scan(&one.user, &one.id, &one.sealed) },
		`SELECT user_id, message_id, sealed FROM messages WHERE kind = 'invitation' AND address = $1 AND state = 'queued' ORDER BY message_id DESC LIMIT 1`, to)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d invitations to %s: %v", len(all), to, err)
	}
	text, err := w.keys.Open(secret.Place{Owner: all[0].user, Table: "messages", Row: all[0].id, Column: "sealed"}, all[0].sealed)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (w *world) state(t *testing.T, ref request.Ref) request.State {
	t.Helper()
	r, err := w.desk.ByID(t.Context(), ref.Site, ref.ID)
	if err != nil {
		t.Fatal(err)
	}
	return r.State
}

// membership is somebody's at a site, by the login name; false if there is none.
func (w *world) membership(t *testing.T, login string, s site.Site) (site.Membership, bool) {
	t.Helper()
	who, err := user.ByLogin(t.Context(), w.db, address.Canonical(login))
	if err != nil {
		return site.Membership{}, false
	}
	m, err := site.MembershipIn(t.Context(), w.db, s.ID, who.ID)
	return m, err == nil
}

func (w *world) told(t *testing.T, who user.User) []string {
	t.Helper()
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (s string, err error) { return s, r.Scan(&s) },
		`SELECT kind FROM notices WHERE user_id = $1 ORDER BY notice_id`, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (w *world) count(t *testing.T, at id.Site, kind audit.Kind) int {
	t.Helper()
	all, err := audit.List(t.Context(), w.db, audit.Filter{Site: at}, 200)
	if err != nil {
		t.Fatal(err)
	}
	return len(slices.DeleteFunc(all, func(e audit.Entry) bool { return e.Kind != kind }))
}

// change runs a statement that must change one row: what time does, done at once.
func (w *world) change(t *testing.T, text string, args ...any) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return tx.Change(ctx, text, args...) })
}

// together runs the same thing many times at once, and gives what each said.
func together[T any](t *testing.T, n int, fn func(i int) (T, error)) []T {
	t.Helper()
	out, errs := make([]T, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { out[i], errs[i] = fn(i) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	return out
}

func countOf[T comparable](all []T, one T) (n int) {
	for _, v := range all {
		if v == one {
			n++
		}
	}
	return n
}
