package request_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/fault"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/site"
)

func TestAnAdminAsksAndTheAccountManagerIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ref := w.asked(t, nia)
		r, err := w.desk.ByID(t.Context(), ref.Site, ref.ID)
		if err != nil {
			t.Fatal(err)
		}
		if r.State != request.Asked || r.Name() != "Nia Poole" || r.Mobile != "+61491570156" || r.Group != policy.GroupMechanic || !r.Until.IsZero() {
			t.Errorf("%+v", r)
		}
		if told := w.told(t, w.sam); !slices.Equal(told, []string{"request_made"}) || len(w.told(t, w.toni)) != 0 {
			t.Errorf("the account manager was told %v", told)
		}
		if w.count(t, w.site.ID, audit.RequestMade) != 1 || w.count(t, w.twin.ID, audit.RequestMade) != 0 {
			t.Error("the trail of the site does not have it once")
		}
		if _, err := w.desk.ByID(t.Context(), w.twin.ID, ref.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("the twin finds it: %v", err)
		}
		again, err := w.desk.Ask(t.Context(), w.in(t, w.pat, w.site), nia)
		if err != nil || again.Refused != request.Already {
			t.Errorf("asked twice: %+v, %v", again, err)
		}
		// The same address may be asked for by another site: neither hears of the other.
		other, err := w.desk.Ask(t.Context(), w.in(t, w.twinPat, w.twin), nia)
		if err != nil || !other.Made() {
			t.Errorf("the twin asks for the same address: %+v, %v", other, err)
		}
	})
}

func TestWhetherAnAddressIsHeldElsewhereMakesNoDifference(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, email := range []string{"bo@books.example", "pat@bayview.example", "toni@vendor.example", "zoe@books.example"} {
			f := nia
			f.Email = email
			answer, err := w.desk.Ask(t.Context(), w.in(t, w.pat, w.site), f)
			if err != nil || !answer.Made() {
				t.Errorf("%s: %+v, %v", email, answer, err)
			}
		}
		f := nia
		f.Email = "KIM@bayside.example"
		if answer, err := w.desk.Ask(t.Context(), w.in(t, w.pat, w.site), f); err != nil || answer.Refused != request.Member {
			t.Errorf("a member of the own site: %+v, %v", answer, err)
		}
	})
}

func TestNobodyButAFreshAdminOfTheSiteAsks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		if answer, err := w.desk.Ask(t.Context(), w.in(t, w.pat, w.site, 6*time.Minute), nia); err != nil || answer.Refused != request.NotFresh {
			t.Errorf("an old proof: %+v, %v", answer, err)
		}
		for name, b := range map[string]func() error{
			"a mechanic": func() error { _, err := w.desk.Ask(t.Context(), w.in(t, w.kim, w.site), nia); return err },
			"an admin of another site": func() error {
				_, err := w.desk.Ask(t.Context(), w.in(t, w.twinPat, w.site), nia)
				return err
			},
			"staff": func() error { _, err := w.desk.Ask(t.Context(), w.in(t, w.sam, site.Site{}), nia); return err },
		} {
			if err := b(); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if all, err := w.desk.Of(t.Context(), w.site.ID, 10); err != nil || len(all) != 0 {
			t.Errorf("%d requests, %v", len(all), err)
		}
	})
}

func TestWhatCannotBeUsedIsSaidFieldByField(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := w.in(t, w.pat, w.site)
		for _, c := range []struct {
			name   string
			change func(*request.Form)
			wrong  request.Field
		}{
			{"no name", func(f *request.Form) { f.FirstName, f.LastName = " ", "" }, request.NoName},
			{"no address", func(f *request.Form) { f.Email = "nia" }, request.BadEmail},
			{"a landline", func(f *request.Form) { f.Mobile = "07 3000 0000" }, request.BadMobile},
			{"a mobile of a country without codes", func(f *request.Form) { f.Mobile = "+44 7400 123456" }, request.BadMobile},
			{"a group of nobody's", func(f *request.Form) { f.Group = "Emperor" }, request.NoGroup},
			{"an Admin in the app", func(f *request.Form) { f.Group, f.Kind = policy.GroupAdmin, policy.Mobile }, request.MobileAdmin},
			{"an Admin for a while", func(f *request.Form) {
				f.Group, f.LastDay = policy.GroupAdmin, time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
			}, request.EndlessAdmin},
			{"a day that is over", func(f *request.Form) { f.LastDay = "2020-02-01" }, request.BadDay},
			{"a day in ten years", func(f *request.Form) { f.LastDay = time.Now().AddDate(10, 0, 0).Format(time.DateOnly) }, request.BadDay},
			{"no day at all", func(f *request.Form) { f.LastDay = "Christmas" }, request.BadDay},
		} {
			f := nia
			c.change(&f)
			if answer, err := w.desk.Ask(t.Context(), by, f); err != nil || !slices.Equal(answer.Wrong, []request.Field{c.wrong}) {
				t.Errorf("%s: %+v, %v", c.name, answer, err)
			}
		}
		f := nia
		f.Email = "nia@gmial.example"
		answer, err := w.desk.Ask(t.Context(), by, f)
		if err != nil || answer.Meant != "nia@gmail.example" {
			t.Errorf("a slip: %+v, %v", answer, err)
		}
		f.Email = "reception@pooles.example"
		if answer, err = w.desk.Ask(t.Context(), by, f); err != nil || len(answer.Doubts) == 0 {
			t.Errorf("a mailbox of many: %+v, %v", answer, err)
		}
		f.Sure = true
		if answer, err = w.desk.Ask(t.Context(), by, f); err != nil || !answer.Made() {
			t.Errorf("a doubt that was answered: %+v, %v", answer, err)
		}
	})
}

func TestOfTwoAtOnceOneAsks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := w.in(t, w.pat, w.site)
		got := together(t, 4, func(int) (bool, error) {
			answer, err := w.desk.Ask(t.Context(), by, nia)
			return answer.Made(), err
		})
		if countOf(got, true) != 1 {
			t.Errorf("made: %v", got)
		}
	})
}

func TestThirtyRequestsAnHourAreTakenBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		for i := range 31 {
			want := request.Refused("")
			if i == 30 {
				want = request.TooOften
			}
			ref := w.asked(t, nia)
			if refused, err := w.desk.Withdraw(t.Context(), pat, ref.ID); err != nil || refused != want {
				t.Fatalf("request %d: %q, %v", i, refused, err)
			}
		}
	})
}
