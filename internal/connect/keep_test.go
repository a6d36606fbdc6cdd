package connect_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/connect"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/policy"
)

// swap has two people's sealed tokens trade places.
func (w *world) swap(t *testing.T) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		for _, column := range []string{"refresh_sealed", "access_sealed"} {
			rows, err := db.Many(ctx, tx, func(r db.Row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT `+column+` FROM xero_grants ORDER BY xero_user`)
			if err != nil {
				return err
			}
			for i, user := range []string{"books", "other"} {
				if err := tx.Change(ctx, `UPDATE xero_grants SET `+column+` = $2 WHERE xero_user = $1`, user, rows[1-i]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func TestAnAccessTokenIsGivenFreshAndRecordedAndTheRefreshTokenNever(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		if got, err := w.desk.Access(t.Context(), command, w.site.ID); err != nil || got.Refused != connect.Nothing {
			t.Errorf("of a site that is not connected: %q, %v", got.Refused, err)
		}
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		first, err := w.desk.Access(t.Context(), command, w.site.ID)
		if err != nil || first.Refused != "" || first.Organisation != "o-bayside" || !strings.HasPrefix(first.Token.Reveal(), "access-") {
			t.Fatalf("%+v, %v", first, err)
		}
		again, err := w.desk.Access(t.Context(), command, w.site.ID)
		if err != nil || !again.Token.Equal(first.Token) {
			t.Errorf("a second one soon after is another: %v", err)
		}
		w.db.Clock.Advance(26 * time.Minute)
		third, err := w.desk.Access(t.Context(), command, w.site.ID)
		if err != nil || third.Token.Equal(first.Token) || third.Until.Sub(w.db.Clock.Now()) < 5*time.Minute {
			t.Errorf("after 26 minutes: until %v, %v", third.Until, err)
		}
		if n, m := w.events(t, w.site, audit.XeroTokenGiven), w.events(t, w.twin, audit.XeroTokenGiven); n != 3 || m != 0 {
			t.Errorf("%d events, %d at the twin", n, m)
		}
		if text := fmt.Sprintf("%v %+v %#v", third, third, third); strings.Contains(text, "access-") {
			t.Error("it prints its token")
		}
		w.db.Clock.Advance(26 * time.Minute)
		w.xero.Break("books")
		dead, err := w.desk.Access(t.Context(), command, w.site.ID)
		if err != nil || dead.Refused != connect.NotAllowed || dead.Token.Reveal() != "" {
			t.Errorf("when Xero lets us in no more: %q, %v", dead.Refused, err)
		}
		w.is(t, w.site, policy.Failing)
	})
}

func TestAConnectionThatWasEndedAtXeroIsFoundAndLowersNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.connect(t, w.in(t, w.twinPat, w.twin, 0), "books", "o-bayview")
		w.xero.End("o-bayside")
		w.look(t, 16*time.Minute)
		i := w.is(t, w.site, policy.Disconnected)
		if !i.LoweredAt.IsZero() || w.meets(t, w.pat) != policy.Ask {
			t.Errorf("it was lowered: %+v", i)
		}
		w.is(t, w.twin, policy.Connected)
		if n, m := w.notices(t, w.site, message.XeroDisconnected), w.notices(t, w.twin, message.XeroDisconnected); n != 2 || m != 0 {
			t.Errorf("%d notices, %d at the twin", n, m)
		}
		w.look(t, 16*time.Minute)
		if n := w.events(t, w.site, audit.XeroDisconnected); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func TestWhatWasConnectedWhileAListWasOnItsWayIsNotMissedInIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.xero.End("o-bayside")
		w.look(t, time.Second) // a list that does not have it, half a minute too young to be believed
		w.is(t, w.site, policy.Connected)
	})
}

func TestADeadGrantFailsWithOneWarningAndHealsWhenSomebodyConnectsAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.connect(t, w.in(t, w.twinPat, w.twin, 0), "books", "o-bayview")
		since := w.is(t, w.site, policy.Connected).Since
		w.xero.Break("books")
		for range 5 {
			w.look(t, 31*time.Minute)
		}
		w.is(t, w.site, policy.Failing)
		w.is(t, w.twin, policy.Failing)
		if n, m := w.notices(t, w.site, message.XeroFailing), w.notices(t, w.twin, message.XeroFailing); n != 2 || m != 2 {
			t.Errorf("%d and %d warnings for two Admins each", n, m)
		}
		if !w.now(t, w.site).Link.Dead {
			t.Error("nobody says that somebody has to connect again")
		}
		by := w.in(t, w.pat, w.site, 0)
		done, err := w.desk.Finish(t.Context(), by, w.went(t, by, false, "other", "o-other"))
		if err != nil || done.Refused != "" && done.Refused != connect.Other {
			t.Fatalf("%+v, %v", done, err)
		}
		if done.Refused != connect.Other {
			t.Errorf("another organisation took the place: %+v", done)
		}
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		if i := w.is(t, w.site, policy.Connected); !i.Since.Equal(since) {
			t.Errorf("it lost its since: %v, not %v", i.Since, since)
		}
		if w.events(t, w.site, audit.XeroLinked) != 1 || w.events(t, w.site, audit.XeroConnected) != 1 {
			t.Error("connecting again is not recorded as that")
		}
		w.look(t, time.Minute)
		w.is(t, w.twin, policy.Connected) // by the same person's new grant
		if n := w.events(t, w.twin, audit.XeroHealed); n != 1 {
			t.Errorf("%d times healed", n)
		}
	})
}

func TestForSeventyTwoHoursOfAFailingLinkEverySignInIsAsked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.connect(t, w.in(t, w.twinPat, w.twin, 0), "other", "o-other")
		w.xero.Down(503)
		for hour := range 72 {
			if hour == 36 {
				w.xero.Down(0)
				w.xero.Break("books")
			}
			w.look(t, time.Hour)
			for _, who := range []struct {
				name string
				got  policy.Outcome
			}{{"Pat", w.meets(t, w.pat)}, {"Max", w.meets(t, w.max)}, {"the twin's Pat", w.meets(t, w.twinPat)}} {
				if who.got != policy.Ask {
					t.Fatalf("hour %d: %s meets %s", hour, who.name, who.got)
				}
			}
			state := w.now(t, w.site).Connection.State
			if hour > 2 && state != policy.Failing {
				t.Fatalf("hour %d: %s", hour, state)
			}
		}
		w.is(t, w.twin, policy.Connected)
		if n := w.notices(t, w.site, message.XeroFailing); n != 2 {
			t.Errorf("%d warnings of one failure for two Admins", n)
		}
		if n := w.notices(t, w.twin, message.XeroFailing); n != 2 {
			t.Errorf("%d warnings at the twin", n)
		}
	})
}

func TestAShortOutageIsNoFailure(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.look(t, 16*time.Minute)
		w.xero.Down(503)
		w.look(t, 16*time.Minute)
		w.look(t, 30*time.Minute)
		w.is(t, w.site, policy.Connected)
		w.xero.Down(0)
		w.look(t, 16*time.Minute)
		w.xero.Down(503)
		w.look(t, 16*time.Minute)
		w.look(t, 59*time.Minute)
		w.is(t, w.site, policy.Connected)
		w.look(t, 2*time.Minute)
		w.is(t, w.site, policy.Failing)
		w.xero.Down(0)
		w.look(t, 2*time.Minute)
		w.is(t, w.site, policy.Connected)
		if w.events(t, w.site, audit.XeroHealed) != 1 || w.notices(t, w.site, message.XeroFailing) != 2 {
			t.Error("it was not healed, or not warned of")
		}
	})
}

func TestWhatXeroAllowsIsKeptToAndWaitedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.desk.Every = time.Millisecond
		for range 100 {
			w.look(t, 300*time.Millisecond)
		}
		c := w.xero.Counts()
		if c.Limited != 1 {
			t.Errorf("refused %d times: it goes on asking, or the limit was never met", c.Limited)
		}
		if c.AtOnce > 1 {
			t.Errorf("%d calls of one person at once", c.AtOnce)
		}
		w.is(t, w.site, policy.Connected)
	})
}

func TestConnectingDuringANodesRenewalTakesNothingBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.db.Clock.Advance(31 * time.Minute)
		w.desk.Crash(func(m connect.Moment) error {
			if m == connect.Answered {
				w.desk.Crash(nil)
				w.connect(t, w.in(t, w.twinPat, w.twin, 0), "books", "o-bayview")
			}
			return nil
		})
		if _, err := w.desk.Access(t.Context(), command, w.site.ID); !errors.Is(err, fault.Busy) {
			t.Fatalf("the one who was late: %v", err)
		}
		for range 3 {
			w.db.Clock.Advance(26 * time.Minute)
			if got, err := w.desk.Access(t.Context(), command, w.site.ID); err != nil || got.Refused != "" {
				t.Fatalf("%q, %v", got.Refused, err)
			}
		}
	})
}

// errKilled is a node that is gone, without a word.
var errKilled = errors.New("killed")

// rounds is how often three nodes renew at once.
func rounds() int {
	if os.Getenv("KEYTURN_TEST_SOAK") != "" {
		return 1000
	}
	return 60
}

// The nodes share a database and nothing else. In every third round one of them is killed
// between Xero's answer and the storing of it; in others the answer is lost on the way, or
// the node dies when all is stored.
func TestThreeNodesThatRenewAtOnceNeverLoseALink(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		first := dbtest.Open(t, rawURL)
		w := newWorld(t, first)
		nodes, clocks := []*connect.Desk{w.desk}, []*db.DB{first}
		for range 2 {
			d := dbtest.Open(t, rawURL)
			clocks = append(clocks, d)
			nodes = append(nodes, w.node(t, d))
		}
		pass := func(d time.Duration) {
			for _, one := range clocks {
				one.Clock.Advance(d)
			}
		}
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.connect(t, w.in(t, w.twinPat, w.twin, 0), "books", "o-bayview")
		killed, given := 0, 0
		for round := range rounds() {
			var left atomic.Int64
			left.Store(map[int]int64{0: 1}[round%3])
			for _, n := range nodes {
				n.Crash(func(m connect.Moment) error {
					if m == connect.Answered && left.Add(-1) == 0 || m == connect.Stored && round%7 == 1 {
						return errKilled
					}
					return nil
				})
			}
			if round%5 == 1 {
				w.xero.Lose(1)
			}
			pass(26 * time.Minute)
			for range 4 {
				k, g := w.renewAll(t, nodes)
				killed, given = killed+k, given+g
				if g > 0 && k == 0 {
					break
				}
				pass(time.Minute) // the lease of whoever was killed is over
			}
		}
		pass(26 * time.Minute)
		for _, n := range nodes {
			n.Crash(nil)
		}
		for _, at := range []string{string(w.site.ID), string(w.twin.ID)} {
			got, err := nodes[1].Access(t.Context(), command, w.site.ID)
			if err != nil || got.Refused != "" {
				t.Errorf("%s: %q, %v", at, got.Refused, err)
			}
		}
		w.is(t, w.site, policy.Connected)
		w.is(t, w.twin, policy.Connected)
		c := w.xero.Counts()
		t.Logf("%d rounds of three nodes: %d kills, %d tokens given, %+v", rounds(), killed, given, c)
		if c.Orphaned != 0 || c.Refused != 0 || killed < rounds()/4 || c.Again == 0 {
			t.Errorf("counted %+v with %d kills", c, killed)
		}
	})
}

// renewAll asks every node at once for tokens of both sites.
func (w *world) renewAll(t *testing.T, nodes []*connect.Desk) (killed, given int) {
	t.Helper()
	var k, g atomic.Int64
	var all sync.WaitGroup
	for i, n := range nodes {
		at := w.site.ID
		if i%2 == 1 {
			at = w.twin.ID
		}
		all.Go(func() {
			got, err := n.Access(t.Context(), command, at)
			switch {
			case errors.Is(err, errKilled):
				k.Add(1)
			case errors.Is(err, fault.Busy):
			case err != nil:
				t.Error(err)
			case got.Refused != "":
				t.Errorf("a link was lost: %s", got.Refused)
			default:
				g.Add(1)
			}
		})
	}
	all.Wait()
	return int(k.Load()), int(g.Load())
}
