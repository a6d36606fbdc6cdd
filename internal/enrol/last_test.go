package enrol_test

import (
	"context"
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/enrol"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
)

func TestAMobileThatTheSiteDoesNotAcceptEndsNoEnrolOnlySession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE sites SET weakest = 'totp' WHERE site_id = $1`, w.bay.ID)
			return err
		})
		h, token := w.stuck(t)
		refused(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil, enrol.TooWeak)
		w.empty(t, w.view)
		if _, _, ok, err := w.door.Enrolling(t.Context(), token); !ok || err != nil {
			t.Errorf("it is over: %v", err)
		}
		must(t, w.addApp(t, h), nil)
	})
}

// stuck is Kim, whom nothing lets in but somebody who helps.

func (w *world) stuck(t *testing.T) (enrol.Holder, string) {
	t.Helper()
	next, err := w.door.Password(t.Context(), w.try(w.kim))
	if err != nil || next.Attempt == "" {
		t.Fatalf("%+v, %v", next, err)
	}
	a := w.attemptOf(t, next.Attempt)
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return w.door.OpenEnrol(ctx, tx, w.kim.ID, a.ID, "help_code")
	})
	return enrol.Holder{User: w.kim, Enrol: &enrol.EnrolOnly{Attempt: a.ID, Site: a.Site, By: "help_code"}, Place: home}, next.Attempt
}

func TestStaffHaveNoMobile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE users SET staff = TRUE WHERE user_id = $1`, w.pat.ID)
			return err
		})
		w.pat.Staff = true
		w.app(t, w.pat)
		h, _ := w.in(t, w.pat, proof{factor: policy.TOTP})
		refused(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil, enrol.NotHere)
		only := w.methods(t, w.pat)[1]
		if only.Kind != policy.TOTP {
			t.Fatalf("%+v", only)
		}
		refused(t, answer(t)(w.desk.Remove(t.Context(), h, only.ID)), nil, enrol.LastWay)
		done := must(t, w.addPasskey(t, h), nil)
		h = w.again(t, h, done.Session)
		h.Session.Factor = string(policy.Passkey)
		refused(t, answer(t)(w.desk.Remove(t.Context(), h, only.ID)), nil, enrol.NotFresh)
		h, _ = w.in(t, w.pat, proof{factor: policy.Passkey})
		must(t, answer(t)(w.desk.Remove(t.Context(), h, only.ID)), nil)
	})
}

func TestTheLastWayStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		mailbox := w.methods(t, w.kim)[0]
		mobile := w.number(t, w.kim, number)
		h, _ := w.in(t, w.kim, proof{factor: policy.SMS})
		refused(t, answer(t)(w.desk.Remove(t.Context(), h, mailbox.ID)), nil, enrol.NotHere)
		refused(t, answer(t)(w.desk.Remove(t.Context(), h, "no such")), nil, enrol.NoSuch)
		theirs := w.number(t, w.twinKim, number)
		refused(t, answer(t)(w.desk.Remove(t.Context(), h, theirs.ID)), nil, enrol.NoSuch)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return method.Refused(ctx, tx, w.kim.ID, mailbox.ID, "no such mailbox", true)
		})
		refused(t, answer(t)(w.desk.Remove(t.Context(), h, mobile.ID)), nil, enrol.LastWay)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.Delivered(ctx, tx, w.kim.ID, mailbox.ID) })
		must(t, answer(t)(w.desk.Remove(t.Context(), h, mobile.ID)), nil)
		if w.has(t, w.twinKim, policy.SMS) != 1 {
			t.Error("the twin's number is gone")
		}
	})
}

func TestASessionOfOnePersonEndsNothingOfAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		twin, _ := w.in(t, w.twinKim, freshEmail)
		refused(t, answer(t)(w.desk.EndSession(t.Context(), h, twin.Session.ID)), nil, enrol.NoSuch)
		refused(t, answer(t)(w.desk.EndSession(t.Context(), h, h.Session.ID)), nil, enrol.NoSuch)
		device, _ := w.device(t, w.twinKim)
		refused(t, answer(t)(w.desk.ForgetDevice(t.Context(), h, device)), nil, enrol.NoSuch)
		open, err := session.Open(t.Context(), w.db, w.twinKim.ID, w.db.Clock.Now())
		if err != nil || len(open) != 1 {
			t.Errorf("%d sessions, %v", len(open), err)
		}
		both := h
		both.Enrol = &enrol.EnrolOnly{Attempt: "both"}
		for name, bad := range map[string]enrol.Holder{"nothing": {User: w.kim}, "both": both, "nobody": {Session: h.Session}} {
			if _, err := w.desk.EndOthers(t.Context(), bad); err == nil {
				t.Errorf("%s holds", name)
			}
		}
	})
}

func TestANewMemberOfStaffSetsUpAnAuthenticatorOrAPasskey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		var told []id.User
		w.desk.Enrolled = func(_ context.Context, _ *db.Tx, who id.User) error {
			told = append(told, who)
			return nil
		}
		who := w.user(t, "sam@vendor.example", "Sam", "Roe")
		begin := func(by string) enrol.Holder {
			var token string
			w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
				token, err = w.door.BeginEnrol(ctx, tx, who.ID, by, home)
				return err
			})
			a, _, ok, err := w.door.Enrolling(t.Context(), token)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			return enrol.Holder{User: who, Enrol: &enrol.EnrolOnly{Attempt: a.ID, Site: a.Site, By: by}, Place: home}
		}
		refused(t, w.addApp(t, begin("approval")), nil, enrol.NotHere) // nobody's member, and no staff
		h := begin(enrol.ByStaffCode)
		refused(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil, enrol.NotHere)
		if done := must(t, w.addApp(t, h), nil); !done.Ended || len(told) != 1 || told[0] != who.ID {
			t.Errorf("%+v, told of %q", done, told)
		}
		refused(t, w.addPasskey(t, h), nil, enrol.Gone)
	})
}
