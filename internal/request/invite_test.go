package request_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

var (
	words = secret.NewText("four plain words together")
	phone = session.Place{Browser: "p", Network: "198.51.100.9", Agent: "Safari on iPhone"}
)

func TestSomebodyNewSetsAPasswordAndProvesNothingByIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ref, token := w.invited(t, nia)
		if _, in := w.membership(t, nia.Email, w.site); in {
			t.Fatal("a member before anybody accepted")
		}
		for range 3 { // a scanner follows links
			v, ok, err := w.desk.View(t.Context(), token)
			if err != nil || !ok || !v.New || v.By != "Pat Lee" || v.Site.ID != w.site.ID {
				t.Fatalf("%+v, %v, %v", v, ok, err)
			}
		}
		if out, err := w.desk.Accept(t.Context(), token, secret.NewText("short"), phone); err != nil || out.Unfit != "short" {
			t.Errorf("an unfit password: %+v, %v", out, err)
		}
		out, err := w.desk.Accept(t.Context(), token, words, phone)
		if err != nil || out.Gone || out.Unfit != "" {
			t.Fatalf("%+v, %v", out, err)
		}
		m, in := w.membership(t, nia.Email, w.site)
		if !in || m.Group != policy.GroupMechanic || m.Kind != policy.Office || m.Status != policy.Active || w.state(t, ref) != request.Accepted {
			t.Errorf("%+v, %s", m, w.state(t, ref))
		}
		who, err := user.ByID(t.Context(), w.db, m.User)
		if err != nil || who.Password.Encoded() == "" || !who.ResetMarkAt.IsZero() || who.Name() != "Nia Poole" {
			t.Errorf("%+v, %v", who, err)
		}
		methods, err := method.Of(t.Context(), w.db, m.User)
		if err != nil || len(methods) != 2 {
			t.Fatalf("%+v, %v", methods, err)
		}
		for _, one := range methods {
			if !one.ProvedAt.IsZero() || one.Pending {
				t.Errorf("%s is not linked and unproved: %+v", one.Kind, one)
			}
		}
		if told := w.told(t, w.pat); !slices.Equal(told, []string{"request_approved", "invitation_accepted"}) {
			t.Errorf("the admin was told %v", told)
		}
		if again, err := w.desk.Accept(t.Context(), token, words, phone); err != nil || !again.Gone {
			t.Errorf("the link again: %+v, %v", again, err)
		}
	})
}

func TestALinkIsUsedOnceByHoweverManyAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, token := w.invited(t, nia)
		got := together(t, 8, func(int) (bool, error) {
			out, err := w.desk.Accept(t.Context(), token, words, phone)
			return out.Gone, err
		})
		if countOf(got, false) != 1 {
			t.Errorf("gone: %v", got)
		}
		if n := w.count(t, w.site.ID, audit.InvitationAccepted); n != 1 {
			t.Errorf("accepted %d times", n)
		}
	})
}

func TestOfWithdrawingAndAcceptingOneWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ref, token := w.invited(t, nia)
		pat := w.in(t, w.pat, w.site)
		together(t, 2, func(i int) (bool, error) {
			if i == 0 {
				_, err := w.desk.Withdraw(t.Context(), pat, ref.ID)
				return true, err
			}
			_, err := w.desk.Accept(t.Context(), token, words, phone)
			return true, err
		})
		_, in := w.membership(t, nia.Email, w.site)
		if state := w.state(t, ref); in != (state == request.Accepted) || !in && state != request.Withdrawn {
			t.Errorf("it is %s, and a member: %v", state, in)
		}
	})
}

func TestALinkDiesWithWhatItStandsFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		gone := func(what, token string) {
			t.Helper()
			if _, ok, err := w.desk.View(t.Context(), token); err != nil || ok {
				t.Errorf("%s: it still shows, %v", what, err)
			}
			if out, err := w.desk.Accept(t.Context(), token, words, phone); err != nil || !out.Gone {
				t.Errorf("%s: %+v, %v", what, out, err)
			}
		}
		pat := w.in(t, w.pat, w.site)
		gone("no link", "no-such-token")

		ref, token := w.invited(t, nia)
		if refused, err := w.desk.Resend(t.Context(), pat, ref.ID); err != nil || refused != request.TooSoon {
			t.Errorf("again at once: %q, %v", refused, err)
		}
		w.change(t, `UPDATE invitations SET made_at = made_at - $2 WHERE request_id = $1`, ref.ID, time.Hour.Microseconds())
		if _, err := w.desk.Resend(t.Context(), w.in(t, w.twinPat, w.twin), ref.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("the twin's admin sends it again: %v", err)
		}
		if refused, err := w.desk.Resend(t.Context(), pat, ref.ID); err != nil || refused != "" {
			t.Fatalf("%q, %v", refused, err)
		}
		second := w.token(t, nia.Email)
		gone("a newer one was sent", token)
		if _, err := w.desk.Withdraw(t.Context(), w.in(t, w.twinPat, w.twin), ref.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("the twin's admin withdraws it: %v", err)
		}
		if refused, err := w.desk.Withdraw(t.Context(), pat, ref.ID); err != nil || refused != "" {
			t.Fatalf("%q, %v", refused, err)
		}
		gone("it was withdrawn", second)

		ref, token = w.invited(t, nia)
		w.change(t, `UPDATE users SET login = 'nia@elsewhere.example' WHERE login = $1`, nia.Email)
		gone("the address is not the user's any more", token)
		w.change(t, `UPDATE users SET login = $1 WHERE login = 'nia@elsewhere.example'`, nia.Email)
		w.change(t, `UPDATE requests SET expires_at = expires_at - $2 WHERE request_id = $1`, ref.ID, (8 * 24 * time.Hour).Microseconds())
		gone("seven days are over", token)
		w.sweep(t)
		w.sweep(t)
		if w.state(t, ref) != request.Expired || w.count(t, w.site.ID, audit.RequestExpired) != 1 {
			t.Errorf("it is %s", w.state(t, ref))
		}
		if told := w.told(t, w.pat); countOf(told, "request_expired") != 1 {
			t.Errorf("told %v", told)
		}
	})
}

func TestSomebodyKnownJoinsInTheirOwnSessionAndInNoOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.Email, f.Group = "bo@books.example", policy.GroupPayOnly
		ref, token := w.invited(t, f)
		v, ok, err := w.desk.View(t.Context(), token)
		if err != nil || !ok || v.New {
			t.Fatalf("%+v, %v, %v", v, ok, err)
		}
		if out, err := w.desk.Accept(t.Context(), token, words, phone); err != nil || !out.Gone {
			t.Errorf("the link set a password: %+v, %v", out, err)
		}
		if out, err := w.desk.Join(t.Context(), w.in(t, w.twinKim, w.twin), ref.Site, ref.ID); err != nil || !out.Gone {
			t.Errorf("somebody else joins: %+v, %v", out, err)
		}
		bo := w.in(t, w.bo, w.twin)
		mine, err := w.desk.Mine(t.Context(), w.bo.ID)
		if err != nil || len(mine) != 1 || mine[0].Site.ID != w.site.ID {
			t.Fatalf("%+v, %v", mine, err)
		}
		got := together(t, 4, func(int) (bool, error) {
			out, err := w.desk.Join(t.Context(), bo, ref.Site, ref.ID)
			return out.Gone, err
		})
		if countOf(got, false) != 1 {
			t.Errorf("gone: %v", got)
		}
		after, err := user.ByID(t.Context(), w.db, w.bo.ID)
		if err != nil || after.Password.Encoded() != w.bo.Password.Encoded() || after.Name() != "Bo Lee" {
			t.Errorf("more than the membership changed: %+v, %v", after, err)
		}
		if methods, err := method.Of(t.Context(), w.db, w.bo.ID); err != nil || len(methods) != 1 {
			t.Errorf("the number that an admin typed was linked: %+v, %v", methods, err)
		}
		if _, in := w.membership(t, f.Email, w.site); !in {
			t.Error("no member")
		}
		if _, ok, err := w.desk.View(t.Context(), token); err != nil || ok {
			t.Errorf("the link still shows: %v", err)
		}
	})
}

func TestAccessWithAnEndEndsByItselfAndTheAdminsAreToldBefore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.LastDay = time.Now().In(w.site.Zone).AddDate(0, 0, 2).Format(time.DateOnly)
		_, token := w.invited(t, f)
		if out, err := w.desk.Accept(t.Context(), token, words, phone); err != nil || out.Gone {
			t.Fatalf("%+v, %v", out, err)
		}
		m, _ := w.membership(t, nia.Email, w.site)
		if m.LastDay(w.site.Zone).Format(time.DateOnly) != f.LastDay {
			t.Fatalf("until %v", m.Until)
		}
		w.sweep(t)
		w.sweep(t)
		if told := w.told(t, w.pat); countOf(told, "access_ending") != 1 {
			t.Errorf("told %v", told)
		}
		who, err := user.ByID(t.Context(), w.db, m.User)
		if err != nil {
			t.Fatal(err)
		}
		outcome := func(at time.Time) policy.Outcome {
			facts, err := w.desk.Standing.Of(t.Context(), w.db, at, standing.Asker{User: who, Client: policy.Client{Kind: policy.ClientWeb}})
			if err != nil {
				t.Fatal(err)
			}
			return policy.Decide(facts, at).Outcome
		}
		if before, after := outcome(m.Until.Add(-1)), outcome(m.Until); before == policy.Refuse || after != policy.Refuse {
			t.Errorf("before the end %v, at it %v", before, after)
		}
		w.change(t, `UPDATE memberships SET access_until = $3 WHERE site_id = $1 AND user_id = $2`, w.site.ID, m.User, db.Stamp(time.Now().Add(-time.Minute)))
		w.sweep(t)
		w.sweep(t)
		if m, _ = w.membership(t, nia.Email, w.site); m.Status != policy.Inactive || w.count(t, w.site.ID, audit.AccessEnded) != 1 {
			t.Errorf("%+v", m)
		}
		if told := w.told(t, w.pat); countOf(told, "access_ended") != 1 {
			t.Errorf("told %v", told)
		}
	})
}

func TestARequestThatNobodyDecidesRunsOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ref := w.asked(t, nia)
		w.change(t, `UPDATE requests SET expires_at = asked_at WHERE request_id = $1`, ref.ID)
		if refused, err := w.desk.Approve(t.Context(), w.in(t, w.sam, site.Site{}), ref); err != nil || refused != request.Over {
			t.Errorf("approved too late: %q, %v", refused, err)
		}
		w.sweep(t)
		if w.state(t, ref) != request.Expired {
			t.Errorf("it is %s", w.state(t, ref))
		}
	})
}
