package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/evidence"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
)

// The statements are the test's own: they share nothing with what makes the pack.
func TestThePacksTotalsAreThoseOfTheDatabaseWhateverIsWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.enters(t, w.site, w.kim, 800*day, 1, policy.NothingRequired)
		w.enters(t, w.site, w.kim, 20*day, 1, policy.NothingRequired)
		for range 3 {
			w.enters(t, w.site, w.pat, 2*day, 3, policy.XeroConnected, policy.WasPassed)
			w.enters(t, w.twin, w.twinPat, 2*day, 2, policy.XeroConnected, policy.WasPassed)
		}
		w.enters(t, w.site, w.luca, 2*day, 1, policy.MobileExempt)
		w.enters(t, w.free, w.twinKim, 2*day, 1, policy.NothingRequired)

		const listed = ` FROM memberships m JOIN integrations i ON i.site_id = m.site_id AND i.kind = 'xero' WHERE m.status = 'active' AND m.kind = `
		const entered = `SELECT COUNT(*) FROM audit_events e JOIN integrations i ON i.site_id = e.site_id
			WHERE e.kind = 'site.entered' AND e.at >= $1`
		want := struct{ sites, listed, office, mobile, signIns, acr2, acr3 int }{
			w.count(t, `SELECT COUNT(*) FROM sites`),
			w.count(t, `SELECT COUNT(*) FROM integrations WHERE kind = 'xero'`),
			w.count(t, `SELECT COUNT(*)`+listed+`'office'`),
			w.count(t, `SELECT COUNT(*)`+listed+`'mobile'`),
			w.count(t, entered, w.now.AddDate(-1, 0, 0).UnixMicro()),
			w.count(t, entered+` AND e.body LIKE '%urn:keyturn:2"%'`, 0),
			w.count(t, entered+` AND e.body LIKE '%urn:keyturn:3"%'`, 0),
		}
		wrote := false
		m := w.make(t, evidence.Ask{Progress: func(int64) {
			if wrote {
				return
			}
			wrote = true // one site is read, the others are not
			late := w.user(t, "late@bayview.example")
			w.join(t, w.twin, late, policy.GroupMechanic, policy.Office)
			w.enters(t, w.twin, late, 0, 1, policy.NothingRequired)
			w.connect(t, w.free, w.now)
		}})
		got := m.Totals
		same(t, "sites", got.Sites, want.sites)
		same(t, "sites with Xero", got.Listed, want.listed)
		same(t, "sites in the list", len(m.Sites), want.listed)
		same(t, "office members", got.OfficeMembers, want.office)
		same(t, "their readiness", got.Readiness.Ready+got.Readiness.WillManage+got.Readiness.NeedsHelp, want.office)
		same(t, "exempt members", got.Exempt, want.mobile)
		same(t, "sign-ins", got.SignIns.All, want.signIns)
		same(t, "sign-ins by email", got.SignIns.Levels[policy.URN(2)], want.acr2)
		same(t, "sign-ins by authenticator", got.SignIns.Levels[policy.URN(3)], want.acr3)
		same(t, "parts of the sign-ins", got.SignIns.Passed+got.SignIns.Remembered+got.SignIns.Exempt+got.SignIns.Before+got.SignIns.Without, want.signIns)
		same(t, "sign-ins of mobile members", got.SignIns.Exempt, 1)
		same(t, "sign-ins before the connection", got.SignIns.Before, 1)
		same(t, "sign-ins without", got.SignIns.Without, 0)
		same(t, "members who proved an email", got.Methods[policy.Email], 2)
		if bytes.Contains(m.pack, []byte("l••@bayview.example")) {
			t.Error("the pack holds somebody who came while it was made")
		}
		after := w.make(t, evidence.Ask{})
		same(t, "sites with Xero afterwards", after.Totals.Listed, want.listed+1)
		same(t, "office members afterwards", after.Totals.OfficeMembers, want.office+2)
		same(t, "sign-ins afterwards without", after.Totals.SignIns.Without, 1)
	})
}

func TestASignInWithoutASecondFactorAtAnEnforcedSiteIsListedWithItsRecord(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.enters(t, w.site, w.kim, 20*day, 1, policy.NothingRequired)
		w.enters(t, w.site, w.kim, 9*day, 1, policy.NothingRequired)
		w.enters(t, w.site, w.kim, 8*day, 1, policy.XeroConnected, policy.DeviceRemembered)
		w.enters(t, w.twin, w.twinKim, 8*day, 4, policy.XeroConnected, policy.WasPassed)
		m := w.make(t, evidence.Ask{})
		one, other := m.site(t, w.site.ID), m.site(t, w.twin.ID)
		if n := one.SignIns; n.Before != 1 || n.Without != 1 || n.Remembered != 1 || n.All != 3 {
			t.Errorf("the sign-ins are %+v", n)
		}
		if len(one.Without) != 1 || one.Without[0].User != string(w.kim.ID) || one.Without[0].Record["reasons"] != string(policy.NothingRequired) {
			t.Errorf("without a second factor: %+v", one.Without)
		}
		if other.SignIns.Without != 0 || other.SignIns.Passed != 1 || len(other.Without) != 0 {
			t.Errorf("the twin has %+v", other.SignIns)
		}
	})
}

func TestTheDatesOfTheRolloutSayFromWhenASignInHadToHaveASecondFactor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.plan(t, plan.Plan{Site: w.site.ID, BeganAt: w.now.Add(-5 * day), EnforceAt: w.now.Add(-2 * day), ExtendedUntil: w.now.Add(-day)})
		w.plan(t, plan.Plan{Site: w.twin.ID, BeganAt: w.now.Add(-5 * day), EnforceAt: w.now.Add(2 * day), ExtendedUntil: w.now.Add(9 * day)})
		for _, ago := range []time.Duration{36 * time.Hour, 12 * time.Hour} {
			w.enters(t, w.site, w.kim, ago, 1, policy.DateToCome)
			w.enters(t, w.twin, w.twinKim, ago, 1, policy.DateToCome)
		}
		w.desk.Extended = func(_ context.Context, _ db.Reader, at id.Site) (string, string, error) {
			return "asked of " + string(at), "staff", nil
		}
		w.desk.Gated = func(context.Context, db.Reader, id.Site) (bool, error) { return true, nil }
		m := w.make(t, evidence.Ask{})
		one, other := m.site(t, w.site.ID), m.site(t, w.twin.ID)
		if n := one.SignIns; n.Before != 1 || n.Without != 1 {
			t.Errorf("the sign-ins around the date are %+v", n)
		}
		if n := other.SignIns; n.Before != 2 || n.Without != 0 {
			t.Errorf("the sign-ins before a date to come are %+v", n)
		}
		if !one.Requirement.Enforced || !one.Requirement.Since.Equal(w.now.Add(-day)) || len(one.Exceptions) != 0 {
			t.Errorf("the enforced site: %+v, %+v", one.Requirement, one.Exceptions)
		}
		if other.Requirement.Enforced || !other.Requirement.From.Equal(w.now.Add(9*day)) {
			t.Errorf("the site with a date: %+v", other.Requirement)
		}
		if e := other.Exceptions; len(e) != 2 || e[1] != (evidence.Exception{Why: evidence.Gated, Until: e[0].Until, By: "system"}) || e[0] != (evidence.Exception{
			Why: evidence.Extension, Until: e[0].Until, Reason: "asked of " + string(w.twin.ID), By: "staff",
		}) || !e[0].Until.Equal(w.now.Add(9*day)) {
			t.Errorf("the extension: %+v", e)
		}
		if m.Totals.Enforced != 1 || m.Totals.ToCome != 1 || m.Totals.Extended != 1 || m.Totals.Gated != 1 || m.Totals.HeldBack != 0 {
			t.Errorf("the totals: %+v", m.Totals)
		}
	})
}

func TestEveryExemptionHasItsReason(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.plan(t, plan.Plan{Site: w.site.ID, BeganAt: w.now.Add(-5 * day)})
		w.connect(t, w.free, w.now.Add(3*time.Hour))
		w.until(0)
		gone := w.user(t, "gone@bayside.example")
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			if _, err := integration.Disconnect(ctx, tx, w.twin.ID, policy.Xero); err != nil {
				return err
			}
			return site.Join(ctx, tx, site.Membership{
				Site: w.site.ID, User: gone.ID, UserRef: "gone", Group: policy.GroupSales, Kind: policy.Office, Status: policy.Active, Until: w.now.Add(-day),
			})
		})
		m := w.make(t, evidence.Ask{})
		one := m.site(t, w.site.ID)
		whys := map[string]evidence.Why{}
		for _, e := range one.Exempt {
			whys[e.User] = e.Why
		}
		if len(whys) != 2 || whys[string(w.luca.ID)] != evidence.MobileMember || whys[string(gone.ID)] != evidence.AccessEnded {
			t.Errorf("the exempt people are %+v", one.Exempt)
		}
		for name, row := range map[string]struct {
			at   id.Site
			why  evidence.Why
			must bool
		}{
			"a site without a date":                          {w.site.ID, evidence.HeldBack, false},
			"a connection that is to come":                   {w.free.ID, evidence.NotYet, false},
			"a disconnected one whose requirement stands on": {w.twin.ID, "", true},
		} {
			got := m.site(t, row.at)
			if got.Requirement.Enforced != row.must {
				t.Errorf("%s: %+v", name, got.Requirement)
			}
			if row.why == "" && len(got.Exceptions) != 0 || row.why != "" && (len(got.Exceptions) != 1 || got.Exceptions[0].Why != row.why) {
				t.Errorf("%s has the exceptions %+v", name, got.Exceptions)
			}
		}
		w.db.Clock.Advance(8 * day)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			ties, err := integration.Of(ctx, tx, w.twin.ID)
			if err != nil {
				return err
			}
			_, err = integration.Lower(ctx, tx, ties[0])
			return err
		})
		later := w.make(t, evidence.Ask{}).site(t, w.twin.ID)
		if later.Requirement.Enforced || len(later.Exceptions) != 1 || later.Exceptions[0].Why != evidence.Lowered {
			t.Errorf("a lowered one: %+v, %+v", later.Requirement, later.Exceptions)
		}
	})
}

func TestNobodyIsNamedAndNoAddressIsInClear(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.enters(t, w.site, w.kim, day, 1, policy.NothingRequired)
		m := w.make(t, evidence.Ask{})
		for name, file := range map[string][]byte{"pack": m.pack, "page": m.page} {
			for _, secret := range []string{"pat@", "kim@", "luca@", "Forename", "Surname", "203.0.113.7", "Firefox"} {
				if bytes.Contains(file, []byte(secret)) {
					t.Errorf("the %s holds %q", name, secret)
				}
			}
			if !bytes.Contains(file, []byte("p••@bayside.example")) {
				t.Errorf("the %s lacks the masked address", name)
			}
		}
	})
}

func TestAPackOfSomeSitesHoldsNothingOfAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.enters(t, w.site, w.pat, day, 3, policy.XeroConnected)
		w.enters(t, w.twin, w.twinPat, day, 3, policy.XeroConnected)
		ask := evidence.Ask{Sites: []id.Site{w.site.ID}}
		if err := w.desk.Note(t.Context(), audit.Actor{Kind: audit.ActorStaff, ID: string(w.pat.ID)}, ask); err != nil {
			t.Fatal(err)
		}
		m := w.make(t, ask)
		if m.Whole || len(m.Sites) != 1 || m.Totals.Sites != 1 || m.Totals.SignIns.All != 1 {
			t.Errorf("the pack is of %d sites: %+v", len(m.Sites), m.Totals)
		}
		for name, file := range map[string][]byte{"pack": m.pack, "page": m.page} {
			if bytes.Contains(file, []byte(w.twin.ID)) || bytes.Contains(file, []byte("bayview")) {
				t.Errorf("the %s holds something of the twin", name)
			}
		}
		heads, err := audit.OpenCheckpoint([]byte(m.Checkpoint), w.keys.CheckpointVerifier())
		if err != nil || len(heads.Chains) != 1 || heads.Chains[0].Size != 2 {
			t.Errorf("the checkpoint is %+v, %v; want the two events of the site", heads, err)
		}
		if none := w.make(t, evidence.Ask{Sites: []id.Site{}}); none.Checkpoint != "" || none.Whole || len(none.Sites) != 0 {
			t.Errorf("a pack of no site holds %+v", none.File)
		}
	})
}

func TestThePackOfAllSitesStandsInTheChainOfTheHouse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		if err := w.desk.Note(t.Context(), audit.Actor{Kind: audit.ActorCommand, ID: "root"}, evidence.Ask{}); err != nil {
			t.Fatal(err)
		}
		same(t, "events of the house", 1, w.count(t, `SELECT COUNT(*) FROM audit_events WHERE chain = 'house' AND kind = 'evidence.made'`))
		m := w.make(t, evidence.Ask{})
		heads, err := audit.OpenCheckpoint([]byte(m.Checkpoint), w.keys.CheckpointVerifier())
		if err != nil || len(heads.Chains) == 0 || heads.Chains[0].Chain != "house" || heads.Chains[0].Size != 1 {
			t.Errorf("the checkpoint is %+v, %v", heads, err)
		}
		if !heads.At.Equal(m.At) {
			t.Errorf("the checkpoint is of %s, the pack of %s", heads.At, m.At)
		}
	})
}

func TestAChangedByteARemovedSiteAndAnotherKeyAreFound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m, key := w.make(t, evidence.Ask{}), w.keys.CheckpointVerifier()
		verify := func(file []byte) error {
			_, err := evidence.Verify(bytes.NewReader(file), m.signature, key)
			return err
		}
		signed, err := evidence.Verify(bytes.NewReader(m.pack), m.signature, key)
		if err != nil || signed.Name != "pack.json" || !signed.At.Equal(m.At) || !signed.From.Equal(m.From) || !signed.Until.Equal(m.Until) {
			t.Errorf("the pack: %+v, %v", signed, err)
		}
		if signed, err := evidence.Verify(bytes.NewReader(m.page), m.signature, key); err != nil || signed.Name != "pack.json.html" {
			t.Errorf("the page: %+v, %v", signed, err)
		}
		for _, at := range []int{0, len(m.pack) / 3, len(m.pack) / 2, len(m.pack) - 1} {
			file := bytes.Clone(m.pack)
			file[at] ^= 1
			if err := verify(file); !errors.Is(err, evidence.ErrChanged) {
				t.Errorf("byte %d was changed: %v", at, err)
			}
		}
		lines := strings.Split(string(m.pack), "\n")
		for i, line := range lines {
			if strings.Contains(line, string(w.twin.ID)) && strings.HasPrefix(line, `{"id":`) {
				lines = append(lines[:i], lines[i+1:]...)
				break
			}
		}
		if err := verify([]byte(strings.Join(lines, "\n"))); !errors.Is(err, evidence.ErrChanged) {
			t.Errorf("a site was removed: %v", err)
		}
		if err := verify(append(bytes.Clone(m.pack), '\n')); !errors.Is(err, evidence.ErrChanged) {
			t.Errorf("a line was added: %v", err)
		}
		other, err := secret.Memory()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := evidence.Verify(bytes.NewReader(m.pack), m.signature, other.CheckpointVerifier()); !errors.Is(err, fault.Invalid) || errors.Is(err, evidence.ErrChanged) {
			t.Errorf("another installation's key: %v", err)
		}
		if _, err := evidence.Verify(bytes.NewReader(m.pack), []byte(m.Checkpoint), key); !errors.Is(err, fault.Invalid) {
			t.Errorf("a checkpoint in place of the signature: %v", err)
		}
		if _, err := audit.OpenCheckpoint(m.signature, key); !errors.Is(err, fault.Invalid) {
			t.Errorf("the signature in place of a checkpoint: %v", err)
		}
	})
}

func TestAPeriodIsKeptAndWhatIsToComeIsLeftOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, ago := range []time.Duration{7 * day, 5 * day, 3 * day} {
			w.enters(t, w.site, w.pat, ago, 3, policy.XeroConnected)
		}
		m := w.make(t, evidence.Ask{From: w.now.Add(-6 * day), Until: w.now.Add(-4 * day)})
		same(t, "sign-ins of the period", m.Totals.SignIns.All, 1)
		m = w.make(t, evidence.Ask{Until: w.now.Add(99 * day)})
		if !m.Until.Equal(m.At) || !m.From.Equal(m.At.AddDate(-1, 0, 0)) {
			t.Errorf("a period into the future is from %s until %s, made at %s", m.From, m.Until, m.At)
		}
	})
}

func TestALongTrailIsWalkedToItsEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const events, step = 2100, 50 // more than one step of a chain, in transactions that are short enough
		w.until(0)
		for first := 0; first < events; first += step {
			w.do(t, func(ctx context.Context, tx *db.Tx) error {
				for i := first; i < first+step; i++ {
					kind := audit.SiteEntered
					if i%5 > 0 {
						kind = audit.CodeSent
					}
					err := audit.Record(ctx, tx, audit.Event{
						Kind: kind, Site: w.site.ID, User: w.pat.ID, Actor: audit.Actor{Kind: audit.ActorUser, ID: string(w.pat.ID)},
						Facts: map[string]string{"acr": policy.URN(3), "n": fmt.Sprint(i)},
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		n := w.make(t, evidence.Ask{}).site(t, w.site.ID).SignIns
		if n.All != events/5 || n.Passed != events/5 {
			t.Errorf("of %d sign-ins %+v are counted", events/5, n)
		}
	})
}
