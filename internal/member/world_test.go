package member_test

import (
	"context"
	"log/slog"
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
	"keyturn/internal/login"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

var stored = sync.OnceValue(func() password.Stored {
	s, err := password.Parse(password.Hash("grease under every nail"))
	if err != nil {
		panic(err)
	}
	return s
})

var place = session.Place{Browser: "home", Network: "203.0.113.7", Agent: "Chrome on Windows"}

// world is two workshops whose people have the same names. Pat and Max are Admins, Kim a
// Mechanic; Bo is a member of both.
type world struct {
	db         *db.DB
	keys       *secret.Keys
	desk       *member.Desk
	rescue     *rescue.Desk
	site, twin site.Site

	pat, max, kim, twinPat, twinKim, bo user.User
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
		w := &world{db: d, keys: keys}
		facts := standing.Source{SMS: true, Countries: []string{"AU"}}
		w.rescue = &rescue.Desk{
			DB: d, Keys: keys, Post: post, Jobs: jobs, Slots: &password.Slots{Size: 2}, Pace: &password.Floor{}, VendorName: "Workshop Software",
			Standing: facts,
		}
		w.desk = &member.Desk{
			DB: d, Post: post, Standing: facts, Login: &login.Desk{DB: d, Post: post, VendorName: "Workshop Software", Invite: w.rescue.InviteFirst},
			Domains: member.Domains{Real: []string{"example"}}, Countries: []string{"AU"}, VendorName: "Workshop Software",
			Invite: w.rescue.InviteFirst, EndGiven: w.rescue.EndGivenBy,
		}
		w.people(t)
		test(t, w)
	})
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) people(t *testing.T) {
	t.Helper()
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if w.site, err = site.Add(ctx, tx, site.Site{Ref: "bayside", Name: "Bayside Auto", Region: "AU", Zone: zone}); err != nil {
			return err
		}
		w.twin, err = site.Add(ctx, tx, site.Site{Ref: "bayview", Name: "Bayview Auto", Region: "AU", Zone: zone})
		return err
	})
	w.pat = w.user(t, "pat@bayside.example", "Pat", "Lee", w.site, policy.GroupAdmin)
	w.max = w.user(t, "max@bayside.example", "Max", "Ito", w.site, policy.GroupAdmin)
	w.kim = w.user(t, "kim@bayside.example", "Kim", "Osei", w.site, policy.GroupMechanic)
	w.twinPat = w.user(t, "pat@bayview.example", "Pat", "Lee", w.twin, policy.GroupAdmin)
	w.twinKim = w.user(t, "kim@bayview.example", "Kim", "Osei", w.twin, policy.GroupMechanic)
	w.bo = w.user(t, "bo@books.example", "Bo", "Ng", w.site, policy.GroupInvoicePayment)
	w.join(t, w.bo, w.twin, policy.GroupInvoicePayment)
}

func (w *world) user(t *testing.T, name, first, last string, at site.Site, group policy.Group) (who user.User) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		who, err = user.Add(ctx, tx, user.User{Login: address.Canonical(name), FirstName: first, LastName: last, Password: stored()})
		if err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: name})
		return err
	})
	w.join(t, who, at, group)
	return who
}

func (w *world) join(t *testing.T, who user.User, at site.Site, group policy.Group) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{
			Site: at.ID, User: who.ID, UserRef: string(who.ID), Group: group, Kind: policy.Office, Status: policy.Active,
		})
	})
}

// prove gives somebody another way, proved.
func (w *world) prove(t *testing.T, who user.User, kind policy.MethodKind, to string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		_, err := method.Link(ctx, tx, method.Method{User: who.ID, Kind: kind, Address: to, ProvedAt: tx.Now})
		return err
	})
}

// in is somebody who has just signed in with password and code.
func (w *world) in(t *testing.T, who user.User, at site.Site) authority.Bearer {
	t.Helper()
	b := authority.Bearer{User: who, Place: place}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		fresh, err := session.Under(ctx, tx, session.Session{
			User: who.ID, Client: string(policy.ClientWeb), Site: at.ID, PasswordAt: tx.Now,
			Factor: string(policy.Email), FactorAt: tx.Now, Place: place, EndsAt: tx.Now.Add(10 * time.Hour),
		})
		if err != nil {
			return err
		}
		b.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return b
}

// form is what a member's form is filled with now.
func (w *world) form(t *testing.T, by authority.Bearer, whom user.User) member.Form {
	t.Helper()
	card, err := w.desk.Card(t.Context(), by, whom.ID)
	if err != nil {
		t.Fatal(err)
	}
	return card.Form
}

// save fills a form, changes it and sends it.
func (w *world) save(t *testing.T, by authority.Bearer, whom user.User, change func(*member.Form)) member.Saved {
	t.Helper()
	was := w.form(t, by, whom)
	now := was
	change(&now)
	saved, err := w.desk.Save(t.Context(), by, whom.ID, member.Typed{Was: was, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func email(to string) func(*member.Form) { return func(f *member.Form) { f.Email = to } }

// again reads a user as they are now.
func (w *world) again(t *testing.T, who user.User) user.User {
	t.Helper()
	u, err := user.ByID(t.Context(), w.db, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// confirm is a sign-in that began with the password, in which somebody typed a code that
// was sent to their mailbox.
func (w *world) confirm(t *testing.T, who user.User) {
	t.Helper()
	mailbox := w.ways(t, who, policy.Email)[0].ID
	err := w.db.Do(t.Context(), func(tx *db.Tx) error {
		if err := method.Passed(t.Context(), tx, who.ID, mailbox); err != nil {
			return err
		}
		return method.Entered(t.Context(), tx, who.ID, mailbox, false)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ways are a user's methods of a kind.
func (w *world) ways(t *testing.T, who user.User, kind policy.MethodKind) []method.Method {
	t.Helper()
	all, err := method.Of(t.Context(), w.db, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	var some []method.Method
	for _, m := range all {
		if m.Kind == kind {
			some = append(some, m)
		}
	}
	return some
}

// sent are the secrets of messages of a kind to somebody, the oldest first.
func (w *world) sent(t *testing.T, who user.User, kind message.Kind) []string {
	t.Helper()
	type row struct {
		id     string
		sealed []byte
	}
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (one row, err error) { return one, r.Scan(&one.id, &one.sealed) },
		`SELECT message_id, sealed FROM messages WHERE user_id = $1 AND kind = $2 ORDER BY message_id`, who.ID, string(kind))
	if err != nil {
		t.Fatal(err)
	}
	var plain []string
	for _, one := range all {
		text, err := w.keys.Open(secret.Place{Owner: string(who.ID), Table: "messages", Row: one.id, Column: "sealed"}, one.sealed)
		if err != nil {
			t.Fatal(err)
		}
		plain = append(plain, string(text))
	}
	return plain
}

// count is how many events of a kind are about somebody.
func (w *world) count(t *testing.T, who user.User, at id.Site, kind audit.Kind) int {
	t.Helper()
	all, err := audit.List(t.Context(), w.db, audit.Filter{User: who.ID, Site: at, Kind: kind}, 200)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// alive says whether a session still reaches its site.
func (w *world) alive(t *testing.T, b authority.Bearer) bool {
	t.Helper()
	present, err := session.Under(t.Context(), w.db, b.Session)
	if err != nil {
		t.Fatal(err)
	}
	return present.UserEpoch == b.Session.UserEpoch && present.MemberEpoch == b.Session.MemberEpoch
}
