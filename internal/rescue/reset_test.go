package rescue_test

import (
	"context"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// forgot asks for a link and has the job run.
func (w *world) forgot(t *testing.T, typed string) rescue.Answer {
	t.Helper()
	answer, err := w.desk.AskReset(t.Context(), typed, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	w.look(t)
	return answer
}

// look runs the job for every asking that there is, twice.
func (w *world) look(t *testing.T) {
	t.Helper()
	for _, which := range texts(t, w.db, `SELECT asking_id FROM reset_askings ORDER BY asking_id`) {
		for range 2 {
			if err := rescue.LookUp(w.desk, t.Context(), rescue.ResetAsked{Asking: id.Asking(which)}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (w *world) link(t *testing.T, who user.User) string {
	t.Helper()
	w.forgot(t, string(who.Login))
	all := w.secrets(t, who, message.ResetLink)
	if len(all) == 0 {
		t.Fatal("no link was sent")
	}
	return all[len(all)-1]
}

func (w *world) set(t *testing.T, token, typed string) rescue.Set {
	t.Helper()
	set, err := w.desk.SetPassword(t.Context(), token, secret.NewText(typed), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (w *world) opens(t *testing.T, token string) bool {
	t.Helper()
	ok, err := w.desk.ViewReset(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestEveryNameGetsTheSameAnswerAndOnlyItsOwnerALink(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		names := []string{" KIM@bayside.example ", "nobody@bayside.example", "no name, at all", "kim", ""}
		var answers []rescue.Answer
		for _, name := range names {
			answers = append(answers, w.forgot(t, name))
		}
		for i, a := range answers {
			if !a.Wait.IsZero() {
				t.Errorf("%q was told to wait", names[i])
			}
		}
		if n := len(w.secrets(t, w.kim, message.ResetLink)); n != 1 {
			t.Errorf("Kim has %d links", n)
		}
		if all := texts(t, w.db, `SELECT user_id FROM messages WHERE kind = 'reset_link'`); len(all) != 1 {
			t.Errorf("links went to %q", all)
		}
		if left := texts(t, w.db, `SELECT asking_id FROM reset_askings`); len(left) > 0 {
			t.Error("what was typed is still there")
		}
		if w.count(t, w.kim, w.site.ID, audit.ResetAsked) != 1 {
			t.Error("the trail of the site does not have it")
		}
		again := make([]bool, 0, len(names))
		for _, name := range names {
			again = append(again, w.forgot(t, name).Wait.IsZero())
		}
		if slices.Contains(again, true) {
			t.Errorf("asked again at once: %t", again)
		}
		w.db.Clock.Advance(31 * time.Second)
		if !w.forgot(t, "kim@bayside.example").Wait.IsZero() || !w.forgot(t, "nobody@bayside.example").Wait.IsZero() {
			t.Error("half a minute later they still wait")
		}
	})
}

func TestTheFourthLinkOfAQuarterOfAnHourIsForKnownBrowsers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return session.Remember(ctx, tx, w.kim.ID, home) })
		for _, name := range []string{"kim@bayside.example", "nobody@bayside.example"} {
			for i := range 4 {
				w.db.Clock.Advance(31 * time.Second)
				// The network is Kim's own, the browser is not: it tells nobody that there is a Kim.
				answer, err := w.desk.AskReset(t.Context(), name, at("other", home.Network))
				if err != nil || answer.Wait.IsZero() != (i < 3) {
					t.Errorf("%s, %d: %+v, %v", name, i, answer, err)
				}
			}
		}
		if answer, err := w.desk.AskReset(t.Context(), "kim@bayside.example", home); err != nil || !answer.Wait.IsZero() {
			t.Errorf("in Kim's own browser: %+v, %v", answer, err)
		}
	})
}

func TestAnswersAboutNamesLeaveAtTheSameTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		const pace = 60 * time.Millisecond
		w.desk.Pace.Set(pace)
		for _, name := range []string{"kim@bayside.example", "nobody@bayside.example", "kim@bayside.example"} {
			began := time.Now()
			if _, err := w.desk.AskReset(t.Context(), name, elsewhere); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < pace-time.Millisecond {
				t.Errorf("%s was answered after %v", name, took)
			}
		}
	})
}

func TestALinkSetsAPasswordOnceAndOpensNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		before := w.in(t, w.kim, w.site)
		token := w.link(t, w.kim)
		for range 2 { // looking changes nothing
			if !w.opens(t, token) || w.opens(t, token+"x") {
				t.Error("the link, and a wrong one")
			}
		}
		if set := w.set(t, token, "short"); set.Unfit != rescue.TooShort || set.Gone {
			t.Errorf("a short one: %+v", set)
		}
		said := together(t, 8, func(int) (rescue.Set, error) {
			return w.desk.SetPassword(t.Context(), token, secret.NewText(newPassword), elsewhere)
		})
		if countOf(said, rescue.Set{}) != 1 || countOf(said, rescue.Set{Gone: true}) != 7 {
			t.Errorf("eight at once: %+v", said)
		}
		if w.opens(t, token) || !w.set(t, token, newPassword).Gone {
			t.Error("the link works a second time")
		}
		if n := len(texts(t, w.db, `SELECT session_id FROM sessions`)); n != 1 {
			t.Errorf("there are %d sessions", n)
		}
		if present, err := session.Under(t.Context(), w.db, before.Session); err != nil || present.UserEpoch == before.Session.UserEpoch {
			t.Errorf("the session before lives on: %v", err)
		}
		who, err := user.ByID(t.Context(), w.db, w.kim.ID)
		if err != nil || !who.Password.Matches(newPassword) || who.ResetMarkAt.IsZero() || who.RiskAt.IsZero() {
			t.Errorf("Kim after it: mark %v, %v", who.ResetMarkAt, err)
		}
		if twin, err := user.ByID(t.Context(), w.db, w.twinKim.ID); err != nil || !twin.Password.Matches(rightPassword) || !twin.ResetMarkAt.IsZero() {
			t.Error("the twin has changed")
		}
		if w.count(t, w.kim, w.site.ID, audit.PasswordReset) != 1 {
			t.Error("the trail does not have it once")
		}
		if !slices.Equal(w.told(t, w.kim), []string{string(message.PasswordReset)}) {
			t.Errorf("Kim was told %q", w.told(t, w.kim))
		}
	})
}

// mailbox is the carrier's far end.
type mailbox chan message.Letter

// Send implements message.Mailer.
func (m mailbox) Send(_ context.Context, l message.Letter) (message.Receipt, error) {
	m <- l
	return message.Receipt{Relay: "relay.example:25", Accepted: true, Code: 250}, nil
}

var resetLink = regexp.MustCompile(`https://signin\.example/reset/([A-Za-z0-9_-]{43})`)

func TestTheLinkComesByMailFromTheQueue(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		work, box := job.NewWork(), make(mailbox, 10)
		w.desk.Workers(work)
		w.desk.Post.Workers(work, message.Carriers{
			Codes: box, Notices: box, Sender: "Workshop Software", LinkBase: &url.URL{Scheme: "https", Host: "signin.example"},
		})
		queue, err := job.New(w.db, work, "", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := queue.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := queue.Stop(ctx); err != nil {
				t.Error(err)
			}
		})
		for _, name := range []string{"nobody@bayside.example", "kim@bayside.example"} {
			if _, err := w.desk.AskReset(t.Context(), name, elsewhere); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		select {
		case l := <-box:
			found := resetLink.FindStringSubmatch(l.Text)
			if l.To != string(w.kim.Login) || found == nil || !w.opens(t, found[1]) {
				t.Errorf("to %s: %s", l.To, l.Text)
			}
		case <-ctx.Done():
			t.Fatal("no mail")
		}
	})
}

func TestALinkDiesByTimeByANewerOneAndByAChangeOfItsOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		first := w.link(t, w.kim)
		w.db.Clock.Advance(time.Minute)
		second := w.link(t, w.kim)
		if w.opens(t, first) || !w.opens(t, second) {
			t.Error("the newer link does not end the older one")
		}
		w.db.Clock.Advance(rescue.ResetLife)
		if w.opens(t, second) || !w.set(t, second, newPassword).Gone {
			t.Error("it outlives its time")
		}
		third := w.link(t, w.kim)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.SetPassword(ctx, tx, w.kim.ID, stored()) })
		if w.opens(t, third) || !w.set(t, third, newPassword).Gone {
			t.Error("it outlives a change of the person")
		}
	})
}

func TestNobodyGetsALinkWhoMayEnterNowhereOrWhoseMailboxHasNoPower(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.change(t, `UPDATE memberships SET status = 'blocked' WHERE user_id = $1`, w.kim.ID)
		w.change(t, `UPDATE methods SET awaits_proof = TRUE WHERE user_id = $1`, w.max.ID)
		old := w.user(t, "user1207", "Lou", "Old")
		w.join(t, old, w.site, policy.GroupMechanic)
		for _, who := range []user.User{w.kim, w.max, old} {
			w.forgot(t, string(who.Login))
			if n := len(w.secrets(t, who, message.ResetLink)); n != 0 {
				t.Errorf("%s has %d links", who.Login, n)
			}
		}
		for _, who := range []user.User{w.pat, w.twinKim, w.bo, w.sam} {
			w.forgot(t, string(who.Login))
			if n := len(w.secrets(t, who, message.ResetLink)); n != 1 {
				t.Errorf("%s has %d links", who.Login, n)
			}
		}
		token := w.link(t, w.twinMax)
		w.change(t, `UPDATE memberships SET status = 'inactive' WHERE user_id = $1`, w.twinMax.ID)
		if !w.set(t, token, newPassword).Gone {
			t.Error("somebody who has left sets a password")
		}
	})
}

func TestWhoHasTheMailboxAloneSetsAPasswordAndGetsNoFurther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		if set := w.set(t, w.link(t, w.kim), newPassword); set != (rescue.Set{}) {
			t.Fatalf("%+v", set)
		}
		next, err := w.signin.Password(t.Context(), signin.Try{
			Login: string(w.kim.Login), Password: secret.NewText(newPassword), Place: elsewhere, Client: policy.ClientWeb,
		})
		if err != nil || next.Step != signin.Stuck || next.Session != "" {
			t.Fatalf("with the new password: %+v, %v", next, err)
		}
		// A second reset does not move the mark, and nothing can be added by a proof of mail.
		w.db.Clock.Advance(time.Hour)
		w.set(t, w.link(t, w.kim), newPassword+" two")
		who, err := user.ByID(t.Context(), w.db, w.kim.ID)
		if err != nil {
			t.Fatal(err)
		}
		now := w.db.Clock.Now()
		f, err := w.signin.Standing.Of(t.Context(), w.db, now, standing.Asker{User: who, Client: policy.Client{Kind: policy.ClientWeb}})
		if err != nil {
			t.Fatal(err)
		}
		byMail := []policy.Pass{{Kind: policy.Email, At: now}}
		if ok, level := policy.MayChange(f, policy.Proof{PasswordAt: now, Passed: byMail}, policy.AddMethod, now); ok || level != 0 {
			t.Errorf("a proof by mail adds a method: %t, %d", ok, level)
		}
		if f.Passed = byMail; policy.Decide(f, now).Outcome == policy.Allow {
			t.Error("mail counts as the second factor")
		}
	})
}

func TestASweepRemovesWhatIsLongOverAndNothingElse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.link(t, w.kim)
		if _, err := w.desk.AskReset(t.Context(), "x", elsewhere); err != nil {
			t.Fatal(err)
		}
		given := w.give(t, w.pat, w.kim)
		waits, _ := w.door(t, w.kim, w.site)
		w.ask(t, waits)
		sweep := func() {
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.Sweep(ctx, tx, 10) })
		}
		left := func() (n int) {
			for _, table := range []string{"resets", "reset_askings", "help_codes", "asks"} {
				n += len(texts(t, w.db, `SELECT 'x' FROM `+table))
			}
			return n
		}
		sweep()
		if left() != 4 || given.Code == "" {
			t.Errorf("%d are left of what is new", left())
		}
		w.db.Clock.Advance(31 * 24 * time.Hour)
		sweep()
		if left() != 0 {
			t.Errorf("%d are left of what is old", left())
		}
	})
}
