package rescue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/user"
)

func (w *world) add(t *testing.T, email string) rescue.Added {
	t.Helper()
	added, err := w.desk.AddStaff(t.Context(), command, rescue.NewStaff{Email: email, FirstName: "Vic", LastName: "New"})
	if err != nil {
		t.Fatal(err)
	}
	return added
}

func entry(email, code string) rescue.Entry {
	return rescue.Entry{Email: email, Code: code, Password: secret.NewText(newPassword), Place: elsewhere}
}

func (w *world) enrol(t *testing.T, e rescue.Entry) rescue.StaffTyped {
	t.Helper()
	out, err := w.desk.EnrolStaff(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// enrolled is what the enrol-only session does when the method is set up.
func (w *world) enrolled(t *testing.T, who id.User) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.StaffEnrolled(ctx, tx, who) })
}

func (w *world) isStaff(t *testing.T, who id.User) bool {
	t.Helper()
	u, err := user.ByID(t.Context(), w.db, who)
	if err != nil {
		t.Fatal(err)
	}
	return u.Staff
}

func TestTheFirstMemberNeedsNobodyAndTheNextNeedsAnother(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		w := open(t, rawURL)
		first := w.add(t, "Vic@vendor.example")
		if !first.First || first.Until.Sub(w.db.Clock.Now()) > 15*time.Minute {
			t.Errorf("%+v", first)
		}
		out := w.enrol(t, entry("vic@vendor.example", first.Code))
		if out.Token == "" || !w.enrolling(t, out.Token) || w.isStaff(t, first.User) {
			t.Fatalf("%+v", out)
		}
		w.prove(t, user.User{ID: first.User}, policy.TOTP, "")
		w.enrolled(t, first.User)
		if !w.isStaff(t, first.User) {
			t.Error("the first member is not staff")
		}
		vic, err := user.ByID(t.Context(), w.db, first.User)
		if err != nil || !vic.Password.Matches(newPassword) || !vic.ResetMarkAt.IsZero() {
			t.Errorf("the first password: mark %v, %v", vic.ResetMarkAt, err)
		}
		second := w.add(t, "win@vendor.example")
		if second.First {
			t.Error("there are two firsts")
		}
		if got := w.told(t, vic); !slices.Equal(got, []string{string(message.StaffAdded)}) {
			t.Errorf("Vic was told %q", got)
		}
		by := w.onDuty(t, vic)
		if _, err := w.desk.ConfirmStaff(t.Context(), by, second.User); !errors.Is(err, fault.NotFound) {
			t.Errorf("confirmed before enrolling: %v", err)
		}
		w.enrol(t, entry("win@vendor.example", second.Code))
		w.enrolled(t, second.User)
		if w.isStaff(t, second.User) {
			t.Error("the second member is staff at once")
		}
		list, err := w.desk.NewStaffWaiting(t.Context())
		if err != nil || len(list) != 1 || list[0].ID != second.User {
			t.Errorf("waiting: %+v, %v", list, err)
		}
		if refused, err := w.desk.ConfirmStaff(t.Context(), by, second.User); err != nil || refused != "" || !w.isStaff(t, second.User) {
			t.Errorf("confirmed: %q, %v", refused, err)
		}
		if list, err := w.desk.NewStaffWaiting(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("still waiting: %+v, %v", list, err)
		}
		for _, who := range []user.User{vic, {ID: second.User}} {
			for _, kind := range []audit.Kind{audit.StaffAdded, audit.EnrolOpened, audit.StaffEnrolled, audit.StaffConfirmed} {
				if w.count(t, who, "", kind) != 1 {
					t.Errorf("%s of %s", kind, who.ID)
				}
			}
		}
	})
}

func TestThereIsOneFirstMemberHoweverManyEnrolAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		w := open(t, rawURL)
		var all []rescue.Added
		for _, email := range []string{"vic@vendor.example", "win@vendor.example", "xan@vendor.example"} {
			added := w.add(t, email)
			w.enrol(t, entry(email, added.Code))
			all = append(all, added)
		}
		together(t, len(all), func(i int) (int, error) {
			return 0, w.db.Do(t.Context(), func(tx *db.Tx) error { return w.desk.StaffEnrolled(t.Context(), tx, all[i].User) })
		})
		if staff := texts(t, w.db, `SELECT user_id FROM users WHERE staff`); len(staff) != 1 {
			t.Errorf("%d are staff", len(staff))
		}
	})
}

func TestTwoMembersWhoConfirmANewOneAtOnceConfirmOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		added := w.add(t, "vic@vendor.example")
		w.enrol(t, entry("vic@vendor.example", added.Code))
		w.enrolled(t, added.User)
		stale := w.onDuty(t, w.uma)
		w.db.Clock.Advance(policy.FreshFor + time.Second)
		if refused, err := w.desk.ConfirmStaff(t.Context(), stale, added.User); err != nil || refused != rescue.NotFresh {
			t.Errorf("with an old proof: %q, %v", refused, err)
		}
		both := []authority.Bearer{w.onDuty(t, w.sam), w.onDuty(t, w.toni)}
		said := together(t, 6, func(i int) (string, error) {
			refused, err := w.desk.ConfirmStaff(t.Context(), both[i%2], added.User)
			if errors.Is(err, fault.NotFound) {
				return "late", nil
			}
			return "ok" + string(refused), err
		})
		if countOf(said, "ok") != 1 || countOf(said, "late") != 5 || w.count(t, user.User{ID: added.User}, "", audit.StaffConfirmed) != 1 {
			t.Errorf("they were told %q", said)
		}
		if _, err := w.desk.ConfirmStaff(t.Context(), w.in(t, w.pat, w.site), added.User); !errors.Is(err, fault.NotFound) {
			t.Errorf("an admin confirms staff: %v", err)
		}
	})
}

func TestAStaffCodeWorksOnceForFifteenMinutesAndBearsFiveTriesOfANetwork(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		const email = "vic@vendor.example"
		first := w.add(t, email)
		added := w.add(t, email)
		if added.User != first.User || w.enrol(t, entry(email, first.Code)).Token != "" {
			t.Error("adding again does not end the code before")
		}
		if out := w.enrol(t, rescue.Entry{Email: email, Code: added.Code, Password: secret.NewText("short"), Place: elsewhere}); out.Unfit != rescue.TooShort {
			t.Errorf("a short password: %+v", out)
		}
		if out := w.enrol(t, entry(email, "not a code")); out != (rescue.StaffTyped{}) {
			t.Errorf("no code at all: %+v", out)
		}
		if wrong, nobody := w.enrol(t, entry(email, another(added.Code))), w.enrol(t, entry("nobody@vendor.example", added.Code)); wrong != nobody {
			t.Errorf("a wrong code %+v, nobody's name %+v", wrong, nobody)
		}
		said := together(t, 4, func(int) (bool, error) {
			out, err := w.desk.EnrolStaff(t.Context(), entry(email, added.Code))
			return out.Token != "", err
		})
		if countOf(said, true) != 1 {
			t.Errorf("typed four times at once: %t", said)
		}
		late := w.add(t, email)
		w.db.Clock.Advance(15 * time.Minute)
		if w.enrol(t, entry(email, late.Code)).Token != "" {
			t.Error("it outlives its time")
		}
		w.db.Clock.Advance(time.Hour)
		last := w.add(t, email)
		for range 5 {
			w.enrol(t, entry(email, another(last.Code)))
		}
		if out := w.enrol(t, entry(email, last.Code)); out.Token != "" || out.Retry.IsZero() {
			t.Errorf("the sixth try is looked at: %+v", out)
		}
	})
}

func TestWhoeverKnowsTheAddressCannotUseAStaffCodeUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		const email = "vic@vendor.example"
		added := w.add(t, email)
		for n := range 3 {
			from := entry(email, another(added.Code))
			from.Place.Network = fmt.Sprintf("203.0.113.%d", n+100)
			for range 6 {
				w.enrol(t, from)
			}
		}
		if out := w.enrol(t, entry(email, added.Code)); out.Token == "" {
			t.Errorf("its owner, after wrong ones from elsewhere: %+v", out)
		}
	})
}

func TestTriesAtStaffCodesAreBoundedForEveryNameAlike(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.add(t, "vic@vendor.example")
		for _, email := range []string{"vic@vendor.example", "nobody@vendor.example"} {
			for i := range 6 {
				if out := w.enrol(t, entry(email, another(""))); out.Retry.IsZero() != (i < 5) {
					t.Errorf("%s, %d: %+v", email, i, out)
				}
			}
		}
		for n := range 10 {
			w.enrol(t, entry(fmt.Sprintf("n%d@vendor.example", n), another("")))
		}
		if out := w.enrol(t, entry("somebody@vendor.example", another(""))); out.Retry.IsZero() {
			t.Error("the network goes on with another name")
		}
	})
}

func TestNobodyBecomesStaffUnderALoginThatHasAnOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for _, email := range []string{"kim@bayside.example", "sam@workshopsoftware.example"} {
			if _, err := w.desk.AddStaff(t.Context(), command, rescue.NewStaff{Email: email}); !errors.Is(err, fault.Conflict) {
				t.Errorf("%s: %v", email, err)
			}
		}
		if _, err := w.desk.AddStaff(t.Context(), command, rescue.NewStaff{Email: "user1207"}); !errors.Is(err, fault.Invalid) {
			t.Errorf("no address: %v", err)
		}
		w.enrolled(t, w.kim.ID)
		if w.isStaff(t, w.kim.ID) {
			t.Error("a mechanic who adds a method is staff")
		}
	})
}

func TestWhoeverJoinedASiteMeanwhileDoesNotBecomeStaff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		added, err := w.desk.AddStaff(t.Context(), command, rescue.NewStaff{Email: "vic@workshopsoftware.example", FirstName: "Vic"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.desk.EnrolStaff(t.Context(), rescue.Entry{
			Email: "vic@workshopsoftware.example", Code: added.Code, Password: secret.NewText(newPassword), Place: home,
		})
		if err != nil || out.Token == "" {
			t.Fatalf("%+v, %v", out, err)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.StaffEnrolled(ctx, tx, added.User) })
		vic := w.reread(t, added.User)
		w.join(t, vic, w.site, policy.GroupMechanic) // by an invitation
		refused, err := w.desk.ConfirmStaff(t.Context(), w.onDuty(t, w.sam), vic.ID)
		if err != nil || refused != rescue.Member || w.reread(t, vic.ID).Staff {
			t.Errorf("confirmed: %q, %v", refused, err)
		}
	})
}
