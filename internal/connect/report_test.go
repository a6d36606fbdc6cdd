package connect_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/connect"
	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

var program = audit.Actor{Kind: audit.ActorClient, ID: "key"}

func (w *world) report(t *testing.T, s site.Site, r connect.Report) bool {
	t.Helper()
	changed, err := w.desk.Report(t.Context(), program, s.ID, r)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func (w *world) on(since time.Time) connect.Report {
	return connect.Report{Connected: true, Since: since, Organisation: "Bayside Auto Pty Ltd", By: "Pat Osei"}
}

var off = connect.Report{By: "Pat Osei"}

func TestAReportedConnectionCountsFromWhenItWasMadeAndOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		since := w.db.Clock.Now().Add(-300 * 24 * time.Hour).Truncate(time.Microsecond)
		if first, again := w.report(t, w.site, w.on(since)), w.report(t, w.site, w.on(since)); !first || again {
			t.Errorf("the first report changed %v, the same again %v", first, again)
		}
		if got := w.is(t, w.site, policy.Connected); !got.Since.Equal(since) || got.By != "Pat Osei" || got.Organisation != "Bayside Auto Pty Ltd" {
			t.Errorf("%+v", got)
		}
		if got := w.meets(t, w.max); got != policy.Ask {
			t.Errorf("a member meets %s", got)
		}
		if n, told := w.events(t, w.site, audit.XeroConnected), w.notices(t, w.site, message.XeroConnected); n != 1 || told != 2 {
			t.Errorf("%d events, %d admins told", n, told)
		}
		if got := w.now(t, w.twin); got.Connection != nil || got.Reported {
			t.Errorf("the twin is %+v", got)
		}
		if s := w.now(t, w.site); !s.Reported || s.Link != nil {
			t.Errorf("%+v", s)
		}
	})
}

func TestAReportedDisconnectLowersNothingAndAReconnectCountsFromThen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		old := w.db.Clock.Now().Add(-300 * 24 * time.Hour)
		if w.report(t, w.site, off) {
			t.Error("a site that never was connected was disconnected")
		}
		w.report(t, w.site, w.on(old))
		if first, again := w.report(t, w.site, off), w.report(t, w.site, off); !first || again {
			t.Errorf("disconnected %v, again %v", first, again)
		}
		gone := w.is(t, w.site, policy.Disconnected)
		if got := w.meets(t, w.max); got != policy.Ask {
			t.Errorf("a member meets %s after a disconnect", got)
		}
		if n, told := w.events(t, w.site, audit.XeroDisconnected), w.notices(t, w.site, message.XeroDisconnected); n != 1 || told != 2 {
			t.Errorf("%d events, %d admins told", n, told)
		}
		// An old date must not put a site back into a wave that it has left.
		w.report(t, w.site, w.on(old))
		if got := w.is(t, w.site, policy.Connected); got.Since.Before(gone.DisconnectedAt) {
			t.Errorf("connected again since %v, disconnected at %v", got.Since, gone.DisconnectedAt)
		}
	})
}

func TestASiteIsConnectedWhileEitherSourceSaysSo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		since := w.db.Clock.Now().Add(-24 * time.Hour)
		pat := w.in(t, w.pat, w.site, 0)
		w.connect(t, pat, "books", "o-bayside")
		// A report never ends a link.
		if w.report(t, w.site, off) {
			t.Error("a disconnect that changes nothing changed something")
		}
		w.is(t, w.site, policy.Connected)
		w.report(t, w.site, w.on(since))
		if got := w.is(t, w.site, policy.Connected); got.Since.Before(since.Add(time.Hour)) {
			t.Errorf("a report moved since to %v", got.Since)
		}
		if !w.report(t, w.site, off) || w.now(t, w.site).Link == nil {
			t.Error("a report taken back ended the link, or was not noted")
		}
		w.is(t, w.site, policy.Connected)
		if got, err := w.desk.Access(t.Context(), program, w.site.ID); err != nil || got.Refused != "" {
			t.Errorf("%q, %v", got.Refused, err)
		}
		// The end of the link ends nothing while the product says that the site is connected.
		w.report(t, w.site, w.on(since))
		if refused, _, err := w.desk.Disconnect(t.Context(), pat); refused != "" || err != nil {
			t.Fatalf("%q, %v", refused, err)
		}
		w.is(t, w.site, policy.Connected)
		if s := w.now(t, w.site); s.Link != nil || !s.Reported || w.events(t, w.site, audit.XeroUnlinked) != 1 {
			t.Errorf("%+v, %d events", s, w.events(t, w.site, audit.XeroUnlinked))
		}
		// With both gone it is not connected.
		if !w.report(t, w.site, off) {
			t.Error("the last source changed nothing")
		}
		w.is(t, w.site, policy.Disconnected)
	})
}

func TestAReportFromNowhereInTimeIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		now := w.db.Clock.Now()
		for name, since := range map[string]time.Time{
			"no time": {}, "before Xero began": time.Date(2005, time.December, 31, 23, 59, 59, 0, time.UTC), "six minutes ahead": now.Add(6 * time.Minute),
		} {
			if _, err := w.desk.Report(t.Context(), program, w.site.ID, w.on(since)); !errors.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if s := w.now(t, w.site); s.Connection != nil || s.Reported {
			t.Errorf("%+v", s)
		}
		ahead := now.Add(4 * time.Minute)
		w.report(t, w.site, w.on(ahead))
		if got := w.is(t, w.site, policy.Connected); got.Since.After(now.Add(time.Minute)) {
			t.Errorf("connected since %v, which is to come", got.Since)
		}
		if w.report(t, w.site, w.on(ahead)) {
			t.Error("the same report changed something")
		}
	})
}

func TestOfAReportAndTheEndOfALinkAtOnceTheSecondSeesTheFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site, 0)
		for range 5 {
			w.connect(t, pat, "books", "o-bayside")
			w.report(t, w.site, w.on(w.db.Clock.Now().Add(-time.Hour)))
			var both sync.WaitGroup
			both.Go(func() {
				if _, _, err := w.desk.Disconnect(t.Context(), pat); err != nil {
					t.Error(err)
				}
			})
			both.Go(func() {
				if _, err := w.desk.Report(t.Context(), program, w.site.ID, off); err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			w.is(t, w.site, policy.Disconnected)
		}
	})
}

func TestConnectedAndDisconnectedAtOnceLeaveOneOfTheTwo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		since := w.db.Clock.Now().Add(-time.Hour)
		w.report(t, w.site, w.on(since))
		for range 5 {
			var all sync.WaitGroup
			for _, r := range []connect.Report{w.on(since), off, w.on(since), off} {
				all.Go(func() {
					if _, err := w.desk.Report(t.Context(), program, w.site.ID, r); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			s := w.now(t, w.site)
			if s.Live() != s.Reported {
				t.Fatalf("reported %v, and %s", s.Reported, s.Connection.State)
			}
			starts, ends := w.events(t, w.site, audit.XeroConnected), w.events(t, w.site, audit.XeroDisconnected)
			if open := starts - ends; open != map[bool]int{true: 1, false: 0}[s.Live()] {
				t.Fatalf("%d connects and %d disconnects, and it is %s", starts, ends, s.Connection.State)
			}
		}
	})
}
