package message

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// world is two workshops whose people have the same names, and recording carriers.
type world struct {
	db   *db.DB
	keys *secret.Keys
	post *Post
	mail *mailbox
	sms  *provider

	site, twin          site.Site
	pat, kim, sam       user.User // Pat and Sam are Admins
	twinPat, twinKim    user.User
	kimMail, kimPhone   method.Method
	twinMail, twinPhone method.Method
	patPhone            method.Method
}

const kimsNumber, patsNumber, twinsNumber = "+61491570156", "+61491570157", "+61491570158"

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newWorld(t, d, 100)) })
}

func newWorld(t *testing.T, d *db.DB, parts int) *world {
	t.Helper()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: d, keys: keys, mail: &mailbox{}, sms: &provider{}}
	w.post = &Post{DB: d, Keys: keys}
	base, err := url.Parse("https://sign-in.workshop.example:8443")
	if err != nil {
		t.Fatal(err)
	}
	work := job.NewWork()
	w.post.Workers(work, Carriers{Codes: w.mail, Notices: w.mail, Texts: w.sms, Sender: "Workshop Software", LinkBase: base})
	if w.post.Jobs, err = job.New(d, nil, "", slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	w.site, w.twin = w.newSite(t, "bayside", parts), w.newSite(t, "bayview", parts)
	w.pat, w.sam, w.kim = w.person(t, "pat@bayside.example", "Pat"), w.person(t, "sam@bayside.example", "Sam"), w.person(t, "kim@bayside.example", "Kim")
	w.twinPat, w.twinKim = w.person(t, "pat@bayview.example", "Pat"), w.person(t, "kim@bayview.example", "Kim")
	w.join(t, w.pat, w.site, policy.GroupAdmin)
	w.join(t, w.sam, w.site, policy.GroupAdmin)
	w.join(t, w.kim, w.site, policy.GroupMechanic)
	w.join(t, w.twinPat, w.twin, policy.GroupAdmin)
	w.join(t, w.twinKim, w.twin, policy.GroupMechanic)
	for _, one := range []user.User{w.pat, w.sam, w.twinPat} {
		w.link(t, one, policy.Email, string(one.Login))
	}
	w.kimMail, w.kimPhone = w.link(t, w.kim, policy.Email, string(w.kim.Login)), w.link(t, w.kim, policy.SMS, kimsNumber)
	w.twinMail, w.twinPhone = w.link(t, w.twinKim, policy.Email, string(w.twinKim.Login)), w.link(t, w.twinKim, policy.SMS, twinsNumber)
	w.patPhone = w.link(t, w.pat, policy.SMS, patsNumber)
	return w
}

func (w *world) do(t testing.TB, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// newSite makes a site; all of them have the same name.
func (w *world) newSite(t *testing.T, ref string, parts int) (s site.Site) {
	t.Helper()
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: "Bayside Auto", Region: "AU", Zone: zone, SMSAvailable: parts, AccountManager: "ana@vendor.example"})
		return err
	})
	return s
}

func (w *world) person(t *testing.T, login, first string) (u user.User) {
	t.Helper()
	name, err := address.Login(login)
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		u, err = user.Add(ctx, tx, user.User{Login: name, FirstName: first, LastName: "Osei"})
		return err
	})
	return u
}

func (w *world) join(t *testing.T, u user.User, s site.Site, group policy.Group) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{Site: s.ID, User: u.ID, UserRef: string(u.ID), Group: group, Kind: policy.Office, Status: policy.Active})
	})
}

// link adds a proved mailbox or number.
func (w *world) link(t *testing.T, u user.User, kind policy.MethodKind, to string) (m method.Method) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		m, err = method.Link(ctx, tx, method.Method{User: u.ID, Kind: kind, Address: to, ProvedAt: tx.Now})
		return err
	})
	return m
}

func (w *world) method(t *testing.T, m method.Method) method.Method {
	t.Helper()
	now, err := method.ByID(t.Context(), w.db, m.User, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

const digits = "482913"

var secretText = secret.NewText(digits)

// sms promises a code by SMS and gives the message.
func (w *world) promiseSMS(t testing.TB, m method.Method, at site.Site) id.Message {
	t.Helper()
	which := id.New[id.Message]()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		hold, ok, err := balance.Reserve(ctx, tx, balance.Ask{Site: at.ID, User: m.User, Message: which, Try: 1, Parts: 1, Admin: true})
		if err != nil || !ok {
			return fmt.Errorf("reserve: %v %w", ok, err)
		}
		_, err = w.post.Promise(ctx, tx, Message{
			ID: which, User: m.User, Site: at.ID, Kind: SignInCode, Channel: SMS, Address: m.Address, Method: m.ID, Hold: hold, Admin: true,
			Words: Words{From: at.Name, Vendor: "Workshop Software", Zone: "Australia/Brisbane"}, Reference: "BA-7K2Q",
			ExpiresAt: tx.Now.Add(10 * time.Minute),
		}, secretText)
		return err
	})
	return which
}

// promiseMail promises a mail.
func (w *world) promiseMail(t testing.TB, u user.User, m Message, plain string) id.Message {
	t.Helper()
	m.User, m.Channel, m.Address = u.ID, Email, string(u.Login)
	m.Words.From, m.Words.Vendor, m.Words.Zone, m.Words.FirstName = "Bayside Auto", "Workshop Software", "Australia/Brisbane", u.FirstName
	var which id.Message
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		m.ExpiresAt = tx.Now.Add(10 * time.Minute)
		which, err = w.post.Promise(ctx, tx, m, secret.NewText(plain))
		return err
	})
	return which
}

// deliver runs the job once. A panic of the carrier is the death of the node.
func (w *world) deliver(t testing.TB, who id.User, which id.Message) (err error) {
	t.Helper()
	defer func() {
		if said := recover(); said != nil {
			if said != errKilled {
				panic(said)
			}
			err = errKilled
		}
	}()
	return w.post.deliver(t.Context(), w.post.out, Deliver{User: who, Message: which})
}

func (w *world) message(t testing.TB, who id.User, which id.Message) Message {
	t.Helper()
	m, err := ByID(t.Context(), w.db, who, which)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (w *world) trail(t testing.TB, who id.User, which id.Message) (all []StepKind) {
	t.Helper()
	trail, err := Trail(t.Context(), w.db, who, which)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range trail {
		all = append(all, s.Kind)
	}
	return all
}

// stands is what the site has available and held.
func (w *world) stands(t testing.TB, at site.Site) [2]int {
	t.Helper()
	a, err := balance.Of(t.Context(), w.db, w.db.Clock.Now(), at.ID)
	if err != nil {
		t.Fatal(err)
	}
	return [2]int{a.Available, a.Held}
}

func (w *world) audited(t testing.TB) {
	t.Helper()
	for _, s := range []site.Site{w.site, w.twin} {
		if err := balance.Audit(t.Context(), w.db, s.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) kinds(t *testing.T, of user.User) (all []audit.Kind) {
	t.Helper()
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (k audit.Kind, err error) { return k, r.Scan(&k) },
		`SELECT kind FROM audit_events WHERE user_id = $1 ORDER BY chain, seq`, of.ID)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// notices are those that are stored for somebody, as "kind channel address".
func (w *world) notices(t *testing.T, of user.User) (all []string) {
	t.Helper()
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (string, error) {
		var kind, channel, to string
		err := r.Scan(&kind, &channel, &to)
		return kind + " " + channel + " " + to, err
	}, `SELECT kind, channel, address FROM notices WHERE user_id = $1 ORDER BY notice_id`, of.ID)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// work sends the notices that are due and delivers every message that is queued.
func (w *world) work(t testing.TB) {
	t.Helper()
	if err := w.post.SendDue(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (d Deliver, err error) { return d, r.Scan(&d.User, &d.Message) },
		`SELECT user_id, message_id FROM messages WHERE state = 'queued' ORDER BY created_at, message_id`)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		_ = w.deliver(t, d.User, d.Message) // it is run again
	}
}

// mailbox records letters, and takes them unless it is told otherwise.
type mailbox struct {
	mu     sync.Mutex
	all    []Letter
	answer func(Letter) (Receipt, error)
}

func (b *mailbox) Send(_ context.Context, l Letter) (Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answer != nil {
		r, err := b.answer(l)
		if err != nil || !r.Accepted {
			return r, err
		}
	}
	b.all = append(b.all, l)
	return Receipt{Relay: "relay.example:25", Accepted: true, Code: 250}, nil
}

func (b *mailbox) to(u user.User) (all []Letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.all {
		if l.To == string(u.Login) {
			all = append(all, l)
		}
	}
	return all
}

// provider is every provider of SMS: it follows a script, and takes what comes after its
// end. It records all that it was given.
type provider struct {
	mu     sync.Mutex
	script []func(Text) (Receipt, error)
	given  []Text
}

func (p *provider) Text(_ context.Context, x Text) (Receipt, error) {
	p.mu.Lock()
	p.given = append(p.given, x)
	answer := took
	if len(p.script) > 0 {
		answer, p.script = p.script[0], p.script[1:]
	}
	p.mu.Unlock()
	return answer(x)
}

type killed struct{}

func (killed) Error() string { return "the node died" }

var errKilled = killed{}

// What a provider may answer.
func took(x Text) (Receipt, error) {
	return Receipt{Relay: carrierOf(x), Accepted: true, Ref: "SM1", Parts: 1, Next: -1}, nil
}

func busy(x Text) (Receipt, error) { // 429
	return Receipt{Relay: carrierOf(x), Code: 429, Reason: CarrierDown, Next: nextOf(x)}, nil
}

func broken(x Text) (Receipt, error) { // 502
	return Receipt{Relay: carrierOf(x), Unknown: true, Code: 502, Reason: CarrierDown, Next: nextOf(x)}, nil
}

func silent(x Text) (Receipt, error) {
	return Receipt{Relay: carrierOf(x), Unknown: true, Reason: Timeout, Next: -1}, nil
}

func noNumber(x Text) (Receipt, error) {
	return Receipt{Relay: carrierOf(x), Permanent: true, Code: 400, Reason: NumberInvalid, Text: "not a number: " + digits, Next: -1}, nil
}

func late(Text) (Receipt, error) { return Receipt{}, Late }

func dies(Text) (Receipt, error) { panic(errKilled) }

func carrierOf(x Text) string { return fmt.Sprintf("provider-%d", x.After) }

// nextOf is the next of three providers.
func nextOf(x Text) int {
	if x.After < 2 {
		return x.After + 1
	}
	return -1
}

func spelled(kinds []StepKind) string {
	all := make([]string, 0, len(kinds))
	for _, k := range kinds {
		all = append(all, string(k))
	}
	return strings.Join(all, " ")
}

func newWorldURL(t *testing.T) *url.URL {
	t.Helper()
	base, err := url.Parse("https://sign-in.workshop.example")
	if err != nil {
		t.Fatal(err)
	}
	return base
}
