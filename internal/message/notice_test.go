package message

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/limit"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/user"
)

func (w *world) tell(t testing.TB, n Notice) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.post.Tell(ctx, tx, n) })
}

func (w *world) is(t *testing.T, m method.Method, health policy.Health) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE methods SET health = $3 WHERE user_id = $1 AND method_id = $2`, m.User, m.ID, string(health))
		return err
	})
}

func TestWhereSomebodyIsTold(t *testing.T) {
	t.Parallel()
	rows := []struct {
		sentence string
		changed  policy.MethodKind
		mailbox  policy.Health
		mobile   policy.Health
		to       string
		want     []string
	}{
		{sentence: "by mail", changed: policy.SMS, want: []string{"email"}},
		{sentence: "a change of an authenticator, by mail", changed: policy.TOTP, want: []string{"email"}},
		{sentence: "a change of email, by SMS, too", changed: policy.Email, want: []string{"email", "sms"}},
		{sentence: "with a dead mailbox, by SMS", changed: policy.TOTP, mailbox: policy.HealthBounced, want: []string{"sms"}},
		{sentence: "with a dead mailbox and a change of email, by SMS", changed: policy.Email, mailbox: policy.HealthRefused, want: []string{"sms"}},
		{sentence: "with both dead, by mail all the same", changed: policy.Email, mailbox: policy.HealthBounced, mobile: policy.HealthRefused, want: []string{"email"}},
		{sentence: "only at the old address", changed: policy.Email, to: "old@bayside.example", want: []string{"old"}},
	}
	each(t, func(t *testing.T, w *world) {
		ways := map[string]string{
			"email": "method_added email kim@bayside.example", "sms": "method_added sms " + kimsNumber, "old": "method_added email old@bayside.example",
		}
		for _, row := range rows {
			w.is(t, w.kimMail, policy.Health(firstOf(string(row.mailbox), string(policy.HealthGood))))
			w.is(t, w.kimPhone, policy.Health(firstOf(string(row.mobile), string(policy.HealthGood))))
			w.tell(t, Notice{User: w.kim.ID, Site: w.site.ID, Kind: MethodAdded, Changed: row.changed, Address: row.to})
			var want []string
			for _, way := range row.want {
				want = append(want, ways[way])
			}
			if got := w.notices(t, w.kim); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", row.sentence, got, want)
			}
			w.do(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.Exec(ctx, `DELETE FROM notices WHERE user_id = $1`, w.kim.ID)
				return err
			})
		}
		staff := w.person(t, "ana@vendor.example", "Ana")
		w.tell(t, Notice{User: staff.ID, Kind: StaffAdded, Words: map[string]string{"by": "Lou", "who": "Max"}})
		if got := w.notices(t, staff); !slices.Equal(got, []string{"staff_added email ana@vendor.example"}) {
			t.Errorf("staff without a method: %q", got)
		}
		nobody := w.person(t, "mechanic7", "Mo")
		w.tell(t, Notice{User: nobody.ID, Kind: PasswordChanged})
		if got := w.notices(t, nobody); len(got) != 0 {
			t.Errorf("who has no mailbox and no number: %q", got)
		}
	})
}

func TestWhatHappensTogetherIsOneMail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.tell(t, Notice{User: w.kim.ID, Site: w.site.ID, Kind: MethodAdded, Words: map[string]string{"method": "totp"}, Changed: policy.TOTP})
		w.db.Clock.Advance(time.Minute)
		w.tell(t, Notice{User: w.kim.ID, Kind: PasswordChanged})
		w.tell(t, Notice{User: w.twinKim.ID, Kind: PasswordReset})
		for range 3 {
			w.work(t)
		}
		all := w.mail.to(w.kim)
		if len(all) != 1 {
			t.Fatalf("%d mails", len(all))
		}
		l := all[0]
		for _, want := range []string{
			"Hello Kim, you should know of this:", "An authenticator app was added to your sign-in.", "Your password was changed.",
			"If this was not you: change your password, look at My security, and tell Pat Osei, Admin of Bayside Auto.",
			"https://sign-in.workshop.example:8443/me/security", "Workshop Software, for Bayside Auto",
		} {
			if !strings.Contains(l.Text, want) {
				t.Errorf("the mail lacks %q:\n%s", want, l.Text)
			}
		}
		if l.Subject != "2 things changed in your Bayside Auto sign-in" || !l.Auto || l.Key == "" {
			t.Errorf("the mail: %+v", l)
		}
		if twins := w.mail.to(w.twinKim); len(twins) != 1 || !strings.Contains(twins[0].Text, "set anew") || strings.Contains(twins[0].Text, "authenticator") {
			t.Errorf("the twin reads %+v", twins)
		}
	})
}

func TestAHelpAskedForSaysNeitherWhoNorTheNumber(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.tell(t, Notice{User: w.pat.ID, Site: w.site.ID, Kind: HelpAsked, Words: map[string]string{"who": "Kim Osei", "number": "97", "agent": "Chrome on Windows"}})
		w.work(t)
		all := w.mail.to(w.pat)
		if len(all) != 1 || !strings.Contains(all[0].Text, "/sites/"+string(w.site.ID)+"/settings/approvals") {
			t.Fatalf("the admin reads %+v", all)
		}
		for _, hidden := range []string{"Kim", "97", "Chrome"} { // no clock says 97
			if strings.Contains(all[0].Text+all[0].Subject+all[0].HTML, hidden+" ") || strings.Contains(all[0].Text, "Kim") {
				t.Errorf("the mail says %q", hidden)
			}
		}
	})
}

func TestANoticeBySMSIsOneLineAndPaidForOrDone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		change := Notice{User: w.kim.ID, Site: w.site.ID, Kind: MethodAdded, Words: map[string]string{"method": "email"}, Changed: policy.Email}
		w.tell(t, change)
		w.work(t)
		if len(w.sms.given) != 1 || len(w.mail.to(w.kim)) != 1 {
			t.Fatalf("%d SMS, %d mails", len(w.sms.given), len(w.mail.to(w.kim)))
		}
		body := w.sms.given[0].Body
		if !strings.HasPrefix(body, "Bayside Auto, ") || !strings.Contains(body, "An email address was added to your sign-in. Not you? Tell Pat Osei.") || strings.ContainsAny(body, "\n/") {
			t.Errorf("the SMS: %q", body)
		}
		if got := w.stands(t, w.site); got != [2]int{99, 0} {
			t.Errorf("%d are left", got)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { // only the float is left
			_, err := tx.Exec(ctx, `UPDATE sms_accounts SET available = 6 WHERE site_id = $1`, w.site.ID)
			return err
		})
		w.tell(t, change)
		w.work(t)
		w.work(t)
		if len(w.sms.given) != 1 || len(w.mail.to(w.kim)) != 2 {
			t.Errorf("%d SMS, %d mails", len(w.sms.given), len(w.mail.to(w.kim)))
		}
		if left := w.waiting(t); left != 0 {
			t.Errorf("%d still wait", left)
		}
		// Without a mailbox it waits, and goes as soon as it can.
		w.is(t, w.kimMail, policy.HealthBounced)
		w.tell(t, Notice{User: w.kim.ID, Site: w.site.ID, Kind: PasswordChanged})
		w.work(t)
		if left := w.waiting(t); left != 1 || len(w.sms.given) != 1 {
			t.Errorf("%d wait, %d SMS", left, len(w.sms.given))
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE sms_accounts SET available = 99 WHERE site_id = $1`, w.site.ID)
			return err
		})
		w.db.Clock.Advance(payLater)
		w.work(t)
		if left := w.waiting(t); left != 0 || len(w.sms.given) != 2 {
			t.Errorf("%d wait, %d SMS", left, len(w.sms.given))
		}
		// A mailbox that takes mail again takes what could not be paid for.
		w.post.out.Texts = nil
		w.tell(t, Notice{User: w.kim.ID, Site: w.site.ID, Kind: PasswordChanged})
		w.is(t, w.kimMail, policy.HealthGood)
		w.work(t)
		w.work(t)
		if left := w.waiting(t); left != 0 || len(w.mail.to(w.kim)) != 3 {
			t.Errorf("%d wait, %d mails", left, len(w.mail.to(w.kim)))
		}
	})
}

func (w *world) waiting(t testing.TB) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM notices WHERE message_id = ''`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatAMailboxRefusesIsToldBySMS(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.mail.answer = func(Letter) (Receipt, error) {
			return Receipt{Relay: "relay.example:25", Permanent: true, Status: "5.1.1", Reason: NoSuchMailbox}, nil
		}
		w.tell(t, Notice{User: w.kim.ID, Site: w.site.ID, Kind: PasswordReset})
		for range 4 {
			w.work(t)
		}
		var kims []string
		for _, x := range w.sms.given {
			if x.To == kimsNumber {
				kims = append(kims, x.Body)
			}
		}
		if len(kims) != 1 || !strings.Contains(kims[0], "Your password was set anew") {
			t.Errorf("SMS: %+v", w.sms.given)
		}
		if got := w.notices(t, w.pat); !slices.Equal(got[:1], []string{"address_dead email pat@bayside.example"}) {
			t.Errorf("the admin is told %q", got)
		}
		if left := w.waiting(t); left != 0 {
			t.Errorf("%d wait", left)
		}
	})
}

func TestANoticeWhoseMailNobodyTookIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.mail.answer = func(Letter) (Receipt, error) { return Receipt{}, errors.New("no relay answered") }
		w.tell(t, Notice{User: w.kim.ID, Kind: PasswordChanged})
		w.work(t)
		w.db.Clock.Advance(stalledAfter + time.Minute)
		w.tell(t, Notice{User: w.kim.ID, Kind: PasswordReset})
		w.mail.answer = nil
		w.work(t)
		w.work(t)
		all := w.mail.to(w.kim)
		if len(all) != 1 || !strings.Contains(all[0].Text, "Your password was changed.") || !strings.Contains(all[0].Text, "set anew") {
			t.Errorf("the mails: %+v", all)
		}
	})
}

var itemOf = regexp.MustCompile(`Admin (\d+) made a help code`)

func TestNoticesBeyondTheBudgetWaitAndNoneIsLostOrToldTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 0)
		rapid.Check(t, func(r *rapid.T) {
			w.mail.all = nil
			who := []user.User{w.kim, w.twinKim}
			sentAt := map[string][]time.Time{}
			w.mail.answer = func(l Letter) (Receipt, error) {
				sentAt[l.To] = append(sentAt[l.To], w.db.Clock.Now())
				return Receipt{Relay: "relay.example:25", Accepted: true}, nil
			}
			counts := make([]int, len(who))
			for range rapid.IntRange(1, 25).Draw(r, "things") {
				i := rapid.IntRange(0, 1).Draw(r, "who")
				w.tell(t, Notice{User: who[i].ID, Kind: HelpCodeGiven, Words: map[string]string{"by": fmt.Sprintf("Admin %d", counts[i])}})
				counts[i]++
				w.db.Clock.Advance(time.Duration(rapid.IntRange(0, 120).Draw(r, "seconds")) * time.Second)
				if rapid.IntRange(0, 3).Draw(r, "work") > 0 {
					w.work(t)
				}
			}
			for range 40 {
				w.db.Clock.Advance(time.Minute)
				w.work(t)
			}
			for i, one := range who {
				var got []string
				for _, l := range w.mail.to(one) {
					for _, found := range itemOf.FindAllStringSubmatch(l.Text, -1) {
						got = append(got, found[1])
					}
				}
				var want []string
				for n := range counts[i] {
					want = append(want, fmt.Sprint(n))
				}
				if !slices.Equal(got, want) {
					r.Fatalf("told %q, want %q", got, want)
				}
				at := sentAt[string(one.Login)]
				for j := range at {
					if k := j + limit.NoticesUser.Cap; k < len(at) && at[k].Sub(at[j]) < limit.NoticesUser.Window {
						r.Fatalf("%d mails from %v on", limit.NoticesUser.Cap+1, at[j])
					}
				}
			}
			if n := w.waiting(t); n != 0 {
				r.Fatalf("%d still wait", n)
			}
			w.db.Clock.Advance(2 * time.Hour)
		})
	})
}

func TestTwoNodesDoNotTellTheSameThingTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for range 3 {
			w.tell(t, Notice{User: w.kim.ID, Kind: PasswordChanged})
			failed := make(chan error, 4)
			for range 4 {
				go func() { failed <- w.post.SendDue(t.Context(), 10) }()
			}
			for range 4 {
				if err := <-failed; err != nil {
					t.Error(err)
				}
			}
		}
		w.work(t)
		if got := len(w.mail.to(w.kim)); got != 3 {
			t.Errorf("%d mails", got)
		}
	})
}

var (
	anyTag  = regexp.MustCompile(`<[^>]*>`)
	hrefs   = regexp.MustCompile(`href="([^"]*)"`)
	fetched = regexp.MustCompile(`(?i)\ssrc=|url\(|<img|<link|<script|<form|<iframe|@import|background=|srcset`)
)

func TestAMailMakesNothingHappenAndLinksOnlyToUs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const base = "https://sign-in.workshop.example:8443"
		hostile := `"><img src=x onerror=alert(1)> {{.Code}} https://evil.example/ ` + "\r\nBcc: x@evil.example \u202e"
		token, _ := secret.Token()
		for kind, plain := range map[Kind]string{SignInCode: digits, ProveCode: digits, TestCode: digits, ResetLink: token, RecoveryStop: token} {
			w.promiseMail(t, w.kim, Message{Kind: kind, Words: Words{Agent: hostile, Helper: hostile}, Reference: "BA-7K2Q"}, plain)
		}
		for _, kind := range noticeKinds {
			w.tell(t, Notice{User: w.kim.ID, Site: w.site.ID, Kind: kind, Words: map[string]string{
				"by": hostile, "who": hostile, "address": hostile, "method": hostile, "left": hostile, "at": hostile, "channel": hostile,
			}})
		}
		for range 2 {
			w.work(t)
		}
		all := w.mail.to(w.kim)
		if len(all) != 7 { // five messages, and the notices of two queues
			t.Fatalf("%d mails", len(all))
		}
		secretLinks := 0
		for _, l := range all {
			style, _, _ := strings.Cut(l.HTML, "</style>")
			tags := strings.Join(append(anyTag.FindAllString(l.HTML, -1), style), "\n")
			if found := fetched.FindString(tags); found != "" {
				t.Errorf("%s holds %q", l.Subject, found)
			}
			if strings.ContainsAny(l.Subject+l.FromName, "\r\n") || strings.Contains(tags, "onerror") {
				t.Errorf("a name has escaped in %q", l.Subject)
			}
			for _, found := range hrefs.FindAllStringSubmatch(l.HTML, -1) {
				if !strings.HasPrefix(found[1], base+"/") || !strings.Contains(l.Text, found[1]) {
					t.Errorf("%s links to %q", l.Subject, found[1])
				}
				if strings.Contains(found[1], token) {
					secretLinks++
					if found[1] != base+"/reset/"+token && found[1] != base+"/stop/"+token {
						t.Errorf("the link %q", found[1])
					}
				}
			}
			if strings.Contains(l.Subject, "evil") {
				t.Errorf("the subject %q", l.Subject)
			}
		}
		if secretLinks != 2 {
			t.Errorf("%d secret links", secretLinks)
		}
	})
}

func TestASecretLinkIsNeverInTheTimeline(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token, _ := secret.Token()
		which := w.promiseMail(t, w.kim, Message{Kind: ResetLink}, token)
		w.mail.answer = func(Letter) (Receipt, error) {
			return Receipt{Permanent: true, Reason: Blocked, Text: "I do not like /reset/" + token + " at all"}, nil
		}
		if err := w.deliver(t, w.kim.ID, which); err != nil {
			t.Fatal(err)
		}
		trail, err := Trail(t.Context(), w.db, w.kim.ID, which)
		if last := trail[len(trail)-1]; err != nil || last.Kind != StepRefused || strings.Contains(last.Said, token[:10]) || !strings.Contains(last.Said, "…") {
			t.Errorf("the timeline: %+v", trail)
		}
	})
}

func TestTheStopOfARecoveryGoesBySMS(t *testing.T) {
	t.Parallel()
	token, _ := secret.Token()
	to, err := link(newWorldURL(t), RecoveryStop, token)
	if err != nil {
		t.Fatal(err)
	}
	body, ok := stopScript(Message{Words: Words{From: "Bayside Auto"}}, to).body()
	if !ok || !strings.HasSuffix(body, "Stop it: https://sign-in.workshop.example/stop/"+token) {
		t.Errorf("%q, %v", body, ok)
	}
}

func TestOldMessagesTakeTheirTriesAndNoticesAlong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		which := w.promiseSMS(t, w.kimPhone, w.site)
		if err := w.deliver(t, w.kim.ID, which); err != nil {
			t.Fatal(err)
		}
		w.tell(t, Notice{User: w.kim.ID, Kind: PasswordChanged})
		w.work(t)
		w.db.Clock.Advance(60 * 24 * time.Hour)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return Sweep(ctx, tx, 100) })
		for _, table := range []string{"messages", "message_steps", "sms_tries", "notices"} {
			n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM `+table)
			if err != nil || n != 0 {
				t.Errorf("%s has %d rows, %v", table, n, err)
			}
		}
		if err := w.post.Moved(t.Context(), News{Token: w.sms.given[0].Key, State: NewsDelivered}); err == nil {
			t.Error("news of a message that is gone were taken in")
		}
	})
}

func TestANoticeThatWasNotSentInAWeekIsToldAllTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.mail.answer = func(Letter) (Receipt, error) { return Receipt{}, errors.New("no relay answered") }
		w.tell(t, Notice{User: w.kim.ID, Kind: PasswordChanged})
		w.work(t)
		w.db.Clock.Advance(noticeLife + time.Hour)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return Sweep(ctx, tx, 100) })
		w.mail.answer = nil
		all, err := db.Many(t.Context(), w.db, func(r db.Row) (d Deliver, err error) { return d, r.Scan(&d.User, &d.Message) },
			`SELECT user_id, message_id FROM messages`)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		if err := w.deliver(t, all[0].User, all[0].Message); err != nil || w.waiting(t) != 1 {
			t.Errorf("%v, %d wait", err, w.waiting(t))
		}
		w.work(t)
		if got := len(w.mail.to(w.kim)); got != 1 {
			t.Errorf("%d mails", got)
		}
	})
}

func TestALinkThatStopsARecoveryOutlivesItsJob(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token, _ := secret.Token()
		which := w.promiseMail(t, w.kim, Message{Kind: RecoveryStop}, token)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE messages SET expires_at = $3 WHERE user_id = $1 AND message_id = $2`,
				w.kim.ID, which, db.Stamp(tx.Now.Add(24*time.Hour)))
			return err
		})
		w.db.Clock.Advance(stalledAfter + time.Minute)
		if err := w.post.SendDue(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		if got := w.mail.to(w.kim); len(got) != 1 || !strings.Contains(got[0].Text, "/stop/"+token) {
			t.Errorf("the mails: %+v", got)
		}
	})
}
