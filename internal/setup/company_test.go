package setup_test

import (
	"context"
	"errors"
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
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/setup"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// world is two workshops whose people have the same names: two Admins whose mailboxes are
// proved, a Mechanic whose mailbox is dead, one who never got a code, and a mobile one.
type world struct {
	db         *db.DB
	desk       *setup.Desk
	site, twin site.Site
	pat, max   user.User
	twinPat    user.User
}

var command = audit.Actor{Kind: audit.ActorCommand, ID: "test"}

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
		w := &world{db: d, desk: &setup.Desk{
			DB: d, Post: &message.Post{DB: d, Keys: keys, Jobs: jobs}, Standing: standing.Source{Countries: []string{"AU"}},
		}}
		w.site, w.pat, w.max = w.workshop(t, "bayside", "Bayside Auto")
		w.twin, w.twinPat, _ = w.workshop(t, "bayview", "Bayview Auto")
		test(t, w)
	})
}

func (w *world) workshop(t *testing.T, ref, name string) (s site.Site, pat, mx user.User) {
	t.Helper()
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		t.Fatal(err)
	}
	if s, err = w.desk.AddSite(t.Context(), command, site.Site{Ref: ref, Name: name, Region: "AU", Zone: zone}); err != nil {
		t.Fatal(err)
	}
	pat = w.member(t, s, "pat@"+ref+".example", "Pat", policy.GroupAdmin, policy.Office, policy.HealthGood)
	mx = w.member(t, s, "max@"+ref+".example", "Max", policy.GroupAdmin, policy.Office, policy.HealthGood)
	w.member(t, s, "kim@"+ref+".example", "Kim", policy.GroupMechanic, policy.Office, policy.HealthRefused)
	w.member(t, s, "sam@"+ref+".example", "Sam", policy.GroupSales, policy.Office, policy.HealthUnknown)
	w.member(t, s, "luca@"+ref+".example", "Luca", policy.GroupMechanic, policy.Mobile, policy.HealthUnknown)
	return s, pat, mx
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) member(t *testing.T, s site.Site, login, first string, group policy.Group, kind policy.Kind, mail policy.Health) (who user.User) {
	t.Helper()
	name, err := address.Login(login)
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if who, err = user.Add(ctx, tx, user.User{Login: name, FirstName: first, LastName: "Osei"}); err != nil {
			return err
		}
		m := method.Method{User: who.ID, Kind: policy.Email, Address: login, Health: mail}
		if mail == policy.HealthGood {
			m.ProvedAt = tx.Now.Add(-24 * time.Hour)
		}
		if _, err = method.Link(ctx, tx, m); err != nil {
			return err
		}
		return site.Join(ctx, tx, site.Membership{Site: s.ID, User: who.ID, UserRef: login, Group: group, Kind: kind, Status: policy.Active})
	})
	return who
}

// in is an admin who proved who they are so long ago.
func (w *world) in(t *testing.T, who user.User, s site.Site, ago time.Duration) authority.Bearer {
	t.Helper()
	b := authority.Bearer{User: who, Place: session.Place{Browser: "home", Network: "203.0.113.7", Agent: "Chrome on Windows"}}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		one, err := session.Under(ctx, tx, session.Session{
			User: who.ID, Client: string(policy.ClientWeb), Site: s.ID, PasswordAt: tx.Now.Add(-ago),
			Factor: string(policy.Email), FactorAt: tx.Now.Add(-ago), Place: b.Place, EndsAt: tx.Now.Add(10 * time.Hour),
		})
		if err == nil {
			b.Session, _, err = session.Start(ctx, tx, one)
		}
		return err
	})
	return b
}

func (w *world) company(t *testing.T, s site.Site) setup.Company {
	t.Helper()
	c, err := w.desk.Company(t.Context(), w.db, w.db.Clock.Now(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) count(t *testing.T, text string, args ...any) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, text, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var (
	off      = site.Choice{TwoFA: policy.SettingOff, Remember: policy.RememberOff, Weakest: policy.Email}
	everyone = site.Choice{TwoFA: policy.SettingEveryone, Remember: policy.Remember7, Weakest: policy.Email}
)

func TestAPreviewNamesWhoWouldBeAskedAndWhoWouldBeStuckAndIsWhatTheSignInThenGets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		forecast, err := w.desk.Preview(t.Context(), w.site.ID, everyone)
		if err != nil {
			t.Fatal(err)
		}
		var asked, stuck []string
		for _, one := range forecast {
			if one.WasAsked {
				t.Errorf("%s is asked already", one.Name)
			}
			if one.Asked {
				asked = append(asked, one.Name)
			}
			if one.Stuck() {
				stuck = append(stuck, one.Name)
			}
		}
		if want := []string{"Kim Osei", "Max Osei", "Pat Osei", "Sam Osei"}; !slices.Equal(asked, want) {
			t.Errorf("asked: %q, not %q", asked, want)
		}
		if !slices.Equal(stuck, []string{"Kim Osei"}) {
			t.Errorf("stuck: %q", stuck)
		}
		if got, err := w.desk.Save(t.Context(), w.in(t, w.pat, w.site, 0), off, everyone); got != "" || err != nil {
			t.Fatalf("save: %q, %v", got, err)
		}
		for _, one := range forecast {
			who, err := user.ByID(t.Context(), w.db, one.User)
			if err != nil {
				t.Fatal(err)
			}
			now := w.db.Clock.Now()
			facts, err := w.desk.Standing.Of(t.Context(), w.db, now, standing.Asker{User: who, Client: policy.Client{Kind: policy.ClientWeb}})
			if err != nil {
				t.Fatal(err)
			}
			if outcome := policy.Decide(facts, now).Outcome; (outcome == policy.Enrol) != one.Stuck() || outcome == policy.Allow {
				t.Errorf("%s was foretold stuck %v and gets %s", one.Name, one.Stuck(), outcome)
			}
		}
	})
}

func TestWhatASiteSavesIsRecordedToldAndDecidedAgainAndNowhereElse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		if got, err := w.desk.Save(t.Context(), w.in(t, w.pat, w.site, 6*time.Minute), off, everyone); got != setup.NotFresh || err != nil {
			t.Errorf("with a proof of six minutes: %q, %v", got, err)
		}
		by := w.in(t, w.pat, w.site, 0)
		before, _ := epoch.Now(t.Context(), w.db, epoch.Site(w.site.ID))
		if got, err := w.desk.Save(t.Context(), by, off, everyone); got != "" || err != nil {
			t.Fatalf("save: %q, %v", got, err)
		}
		if c := w.company(t, w.site); c.Choice != everyone || c.Site.TwoFABy != "Pat Osei" || c.Site.TwoFASince.IsZero() {
			t.Errorf("saved %+v", c.Site)
		}
		if c := w.company(t, w.twin); c.Choice != off {
			t.Errorf("the twin has %+v", c.Choice)
		}
		if after, _ := epoch.Now(t.Context(), w.db, epoch.Site(w.site.ID)); after != before+1 {
			t.Errorf("the site's number went from %d to %d", before, after)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND kind = $2`, w.site.ID, string(audit.SiteChanged)); n != 1 {
			t.Errorf("%d events", n)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM notices WHERE site_id = $1 AND kind = $2`, w.site.ID, string(message.SettingsChanged)); n != 2 {
			t.Errorf("%d notices for two Admins", n)
		}
		if got, err := w.desk.Save(t.Context(), by, everyone, everyone); got != setup.Same || err != nil {
			t.Errorf("the same again: %q, %v", got, err)
		}
		if got, err := w.desk.Save(t.Context(), by, everyone, site.Choice{TwoFA: "loud", Remember: "3", Weakest: "pigeon"}); got != setup.NotOnOffer || err != nil {
			t.Errorf("what is not on offer: %q, %v", got, err)
		}
	})
}

func TestOfTwoAdminsWhoSaveAtOnceOneIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		perUser := site.Choice{TwoFA: policy.SettingPerUser, Remember: policy.RememberDaily, Weakest: policy.SMS}
		admins := []authority.Bearer{w.in(t, w.pat, w.site, 0), w.in(t, w.max, w.site, 0)}
		got := make([]setup.Refused, len(admins))
		var both sync.WaitGroup
		for i, to := range []site.Choice{everyone, perUser} {
			both.Go(func() {
				var err error
				if got[i], err = w.desk.Save(t.Context(), admins[i], off, to); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		slices.Sort(got)
		if !slices.Equal(got, []setup.Refused{"", setup.Changed}) {
			t.Errorf("answers %q", got)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND kind = $2`, w.site.ID, string(audit.SiteChanged)); n != 1 {
			t.Errorf("%d events of one change", n)
		}
	})
}

func TestNobodyElseSaves(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		owner := w.member(t, w.site, "ola@bayside.example", "Ola", policy.GroupOwner, policy.Office, policy.HealthGood)
		for name, by := range map[string]authority.Bearer{
			"an Owner": w.in(t, owner, w.site, 0), "an Admin of another site": w.in(t, w.twinPat, w.site, 0),
		} {
			if _, err := w.desk.Save(t.Context(), by, off, everyone); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s saves: %v", name, err)
			}
			if _, err := w.desk.Lower(t.Context(), by); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s lowers: %v", name, err)
			}
		}
		if c := w.company(t, w.site); c.Choice != off {
			t.Errorf("changed to %+v", c.Choice)
		}
	})
}

func TestWhileXeroIsConnectedNeitherSwitchIsTurnedOffAndNoDeviceIsRememberedLong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := w.in(t, w.pat, w.site, 0)
		if got, err := w.desk.Save(t.Context(), by, off, everyone); got != "" || err != nil {
			t.Fatalf("save: %q, %v", got, err)
		}
		w.connect(t)
		c := w.company(t, w.site)
		if !c.Held() || c.Ties[0].By != "Pat Osei" || c.Ties[0].Since.IsZero() || c.Ties[0].Organisation != "Bayside Pty Ltd" {
			t.Fatalf("held by %+v", c.Ties)
		}
		for _, to := range []site.Choice{
			{TwoFA: policy.SettingOff, Remember: policy.Remember7, Weakest: policy.Email},
			{TwoFA: policy.SettingPerUser, Remember: policy.Remember7, Weakest: policy.Email},
			{TwoFA: policy.SettingEveryone, Remember: policy.Remember30, Weakest: policy.Email},
		} {
			if got, err := w.desk.Save(t.Context(), by, everyone, to); got != setup.Held || err != nil {
				t.Errorf("%+v: %q, %v", to, got, err)
			}
		}
		daily := site.Choice{TwoFA: policy.SettingEveryone, Remember: policy.RememberDaily, Weakest: policy.SMS}
		if got, err := w.desk.Save(t.Context(), by, everyone, daily); got != "" || err != nil {
			t.Errorf("shorter and stronger: %q, %v", got, err)
		}
		if w.company(t, w.twin).Held() {
			t.Error("the twin is held, too")
		}
	})
}

func (w *world) connect(t *testing.T) {
	t.Helper()
	done, err := w.desk.ConnectXero(t.Context(), command, w.site.ID, setup.Connection{Organisation: "Bayside Pty Ltd", By: "Pat Osei"})
	if !done || err != nil {
		t.Fatalf("connect: %v, %v", done, err)
	}
}

func TestWhatXeroLeftIsLoweredAfterSevenDaysByAnAdminWithAFreshProofOnceAndForAllToSee(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := w.in(t, w.pat, w.site, 0)
		if got, err := w.desk.Lower(t.Context(), by); got != setup.Nothing || err != nil {
			t.Errorf("with nothing to lower: %q, %v", got, err)
		}
		w.connect(t)
		if got, err := w.desk.Lower(t.Context(), by); got != setup.Nothing || err != nil {
			t.Errorf("while connected: %q, %v", got, err)
		}
		if _, err := w.desk.DisconnectXero(t.Context(), command, w.site.ID); err != nil {
			t.Fatal(err)
		}
		if got, err := w.desk.Lower(t.Context(), by); got != setup.NotYet || err != nil {
			t.Errorf("on the same day: %q, %v", got, err)
		}
		week := w.db.Clock.Now().Add(-7 * 24 * time.Hour).Add(-time.Second)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return tx.Change(ctx, `UPDATE integrations SET disconnected_at = $2 WHERE site_id = $1`, w.site.ID, week.UnixMicro())
		})
		forecast, err := w.desk.PreviewLowered(t.Context(), w.site.ID)
		if err != nil || len(forecast) != 4 || slices.ContainsFunc(forecast, func(p setup.Person) bool { return p.Asked || !p.WasAsked }) {
			t.Errorf("foretold %+v, %v", forecast, err)
		}
		if got, err := w.desk.Lower(t.Context(), w.in(t, w.max, w.site, 6*time.Minute)); got != setup.NotFresh || err != nil {
			t.Errorf("with an old proof: %q, %v", got, err)
		}
		if !w.company(t, w.site).Held() {
			t.Fatal("a refusal lowered it")
		}
		if got, err := w.desk.Lower(t.Context(), by); got != "" || err != nil {
			t.Fatalf("lower: %q, %v", got, err)
		}
		if c := w.company(t, w.site); c.Held() || c.Lowered.IsZero() {
			t.Errorf("still held: %+v", c.Ties)
		}
		if got, err := w.desk.Lower(t.Context(), by); got != setup.Nothing || err != nil {
			t.Errorf("twice: %q, %v", got, err)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM notices WHERE kind = $1`, string(message.RequirementLowered)); n != 2 {
			t.Errorf("%d notices for two Admins", n)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND kind = $2`, w.site.ID, string(audit.RequirementLowered)); n != 1 {
			t.Errorf("%d events", n)
		}
		w.connect(t)
		if !w.company(t, w.site).Held() {
			t.Error("connected again, and not held")
		}
	})
}
