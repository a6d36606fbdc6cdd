package prepare_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// has compares what somebody was told with what they should have been.
func (w *world) has(t *testing.T, when string, who user.User, want ...message.NoticeKind) []notice {
	t.Helper()
	all := w.told(t, who)
	same := len(all) == len(want)
	for i := 0; same && i < len(all); i++ {
		same = all[i].kind == want[i]
	}
	if !same {
		t.Fatalf("%s %s was told %+v, not %v", when, who.Login, all, want)
	}
	return all
}

func TestPeopleAreToldOnEachOfFourDays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		date := w.inDays(40)
		w.date(t, w.site, date)
		w.announce(t)
		w.has(t, "40 days before", w.kim)
		w.until(date, 30, 6)
		w.announce(t)
		w.has(t, "at 6 am of the day", w.kim)
		var kim, pat []message.NoticeKind
		for _, days := range []int{30, 14, 7, 1} {
			w.until(date, days, 7)
			kim, pat = append(kim, message.GetReady), append(pat, message.SiteDate)
			if days == 30 {
				pat = append(pat, message.YouAreReady)
			}
			for range 3 { // every minute, on every node
				w.announce(t)
			}
			all := w.has(t, "on the day", w.kim, kim...)
			if at := all[len(all)-1].words["at"]; at != date.UTC().Format(time.RFC3339) {
				t.Errorf("%d days before the date is %s", days, at)
			}
			if n := len(w.told(t, w.pat)); n != len(pat) {
				t.Errorf("%d days before Pat was told %d times, not %d", days, n, len(pat))
			}
		}
		w.until(date, 0, 4)
		w.announce(t)
		w.has(t, "on the date", w.kim, kim...)
		w.has(t, "all the time", w.twinKim)
	})
}

func TestWhoIsReadyIsToldSoOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		date := w.inDays(20)
		w.date(t, w.site, date)
		w.until(date, 14, 8)
		w.announce(t)
		w.has(t, "before", w.kim, message.GetReady)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.Prove(ctx, tx, w.kim.ID, w.kimsMail.ID) })
		for _, days := range []int{7, 1} {
			w.until(date, days, 8)
			w.announce(t)
			w.has(t, "after a code was typed", w.kim, message.GetReady, message.YouAreReady)
		}
		all := w.told(t, w.pat)
		if last := all[len(all)-1]; last.kind != message.SiteReady {
			t.Errorf("the admin was last told %+v", last)
		}
	})
}

func TestASiteThatGetsItsDateLateIsToldOnceAndAMovedDateBeginsAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		date := w.inDays(5)
		w.date(t, w.site, date)
		w.until(date, 5, 12)
		w.announce(t)
		w.announce(t)
		w.has(t, "five days before", w.kim, message.GetReady)
		later := w.inDays(50)
		w.date(t, w.site, later)
		w.announce(t)
		w.until(date, 1, 12)
		w.announce(t)
		w.has(t, "with a later date", w.kim, message.GetReady)
		w.until(later, 30, 12)
		w.announce(t)
		all := w.has(t, "30 days before the later date", w.kim, message.GetReady, message.GetReady)
		if all[1].words["at"] != later.UTC().Format(time.RFC3339) {
			t.Errorf("the date is %s", all[1].words["at"])
		}
	})
}

func TestWhoIsOfSeveralSitesIsToldOfTheFirstDate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		lee, _ := w.member(t, w.site, "lee@books.example", policy.GroupPayOnly, time.Time{})
		w.join(t, w.twin, lee, policy.GroupPayOnly)
		first, second := w.inDays(10), w.inDays(20)
		w.date(t, w.site, second)
		w.date(t, w.twin, first)
		w.until(first, 7, 12)
		w.announce(t)
		all := w.has(t, "a week before the first", lee, message.GetReady)
		if all[0].site != w.twin.ID {
			t.Error("it was the later date")
		}
		w.date(t, w.site, first)
		w.announce(t)
		w.has(t, "with both on one day", lee, message.GetReady)
	})
}

func TestTheAdminsHearOfWhomNoMailReaches(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.bounce(t, w.kimsMail)
		date := w.inDays(10)
		w.date(t, w.site, date)
		w.until(date, 7, 12)
		w.announce(t)
		w.has(t, "with a dead mailbox", w.kim)
		all := w.has(t, "then", w.pat, message.YouAreReady, message.SiteDate)
		site := all[1].words
		if site["unreached"] != "kim Lee" || site["who"] != "" || site["help"] != "1" || site["ready"] != "1" || site["office"] != "2" {
			t.Errorf("the admin was told %v", site)
		}
	})
}

func TestASiteWithoutXeroIsToldOfNoDate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return tx.Change(ctx, `DELETE FROM integrations WHERE site_id = $1`, w.site.ID)
		})
		w.date(t, w.site, w.inDays(7))
		w.db.Clock.Advance(24 * time.Hour)
		w.announce(t)
		w.has(t, "without a connection", w.kim)
	})
}

func TestNobodyIsToldWhileCodesWait(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.date(t, w.site, w.inDays(7))
		w.until(w.inDays(7), 7, 8)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return tx.Change(ctx, `
				INSERT INTO messages (user_id, message_id, kind, channel, address, state, created_at, expires_at, words, reference, carrier)
				VALUES ($1, 'waiting', 'signin_code', 'email', 'kim@bayview.example', 'queued', $2, $3, '{}', '', '')`,
				w.twinKim.ID, db.Stamp(tx.Now), db.Stamp(tx.Now.Add(10*time.Minute)))
		})
		w.db.Clock.Advance(time.Minute)
		w.announce(t)
		w.has(t, "while a code waits", w.kim)
		w.db.Clock.Advance(10 * time.Minute) // nobody types it any more
		w.announce(t)
		w.has(t, "after it", w.kim, message.GetReady)
	})
}

func TestSeveralNodesTellEverybodyOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for _, at := range []site.Site{w.site, w.twin} {
			w.date(t, at, w.inDays(7))
		}
		w.until(w.inDays(7), 7, 8)
		var nodes sync.WaitGroup
		for range 6 {
			nodes.Go(func() {
				if err := w.desk.Announce(t.Context(), 100); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		w.has(t, "by six nodes", w.kim, message.GetReady)
		w.has(t, "by six nodes", w.twinKim, message.GetReady)
		w.has(t, "by six nodes", w.twinPat, message.YouAreReady, message.SiteDate)
	})
}
