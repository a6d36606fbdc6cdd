package enrol_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/enrol"
	"keyturn/internal/policy"
)

// numbers are what people and robots type, and the number that it is; empty: refused.

// Codes go to mobiles of Australia and New Zealand, and a number without a country is

// Australian.

var numbers = []struct{ typed, is string }{
	// Mobiles.
	{"0491570156", "+61491570156"},
	{"0491 570 156", "+61491570156"},
	{" 0491-570-156 ", "+61491570156"},
	{"(0491) 570 156", "+61491570156"},
	{"+61491570156", "+61491570156"},
	{"+61 491 570 156", "+61491570156"},
	{"+61 (0)491 570 156", "+61491570156"},
	{"0011 61 491 570 156", "+61491570156"},
	{"61491570156", "+61491570156"},
	{"\u202a+61 491 570 156\u202c", "+61491570156"},
	{"0491.570.156", "+61491570156"},
	{"0491\u00a0570\u00a0156", "+61491570156"},
	{"491570156", "+61491570156"},
	{"+64 21 123 4567", "+64211234567"},
	{"+64 27 123 4567", "+64271234567"},
	// Nothing, and too little or too much.
	{"", ""},
	{" ", ""},
	{"+", ""},
	{"0", ""},
	{"04", ""},
	{"0491 570 15", ""},
	{"0491 570 1567", ""},
	{"+61 491 570 15", ""},
	{"+6149157015600", ""},
	{strings.Repeat("4", 30), ""},
	{strings.Repeat("0491570156", 20), ""},
	{"++61491570156", ""},
	{"0491570156+", ""},
	{"+61+491570156", ""},
	// Two numbers, an extension, a link.
	{"0491570156,0491570157", ""},
	{"0491570156;0491570157", ""},
	{"0491570156 ext 5", ""},
	{"0491570156x5", ""},
	{"0491570156#5", ""},
	{"tel:+61491570156", ""},
	{"+61491570156\n+61491570157", ""},
	{"0491570156@sms.example", ""},
	// Letters, and digits of other scripts.
	{"O491570156", ""},
	{"0491 57O 156", ""},
	{"1800FLOWERS", ""},
	{"+61491CALLME", ""},
	{"٠٤٩١٥٧٠١٥٦", ""},
	{"０４９１５７０１５６", ""},
	{"①②③④⑤⑥⑦⑧⑨⓪", ""},
	{"0491५७०156", ""},
	// Landlines, and what costs or serves something else.
	{"02 9876 5432", ""},
	{"+61 2 9876 5432", ""},
	{"07 3000 1234", ""},
	{"1800 123 456", ""},
	{"1300 123 456", ""},
	{"13 11 14", ""},
	{"1900 123 456", ""},
	{"1902 123 456", ""},
	{"+61 190 212 3456", ""},
	{"0550 123 456", ""},
	{"000", ""},
	{"112", ""},
	{"106", ""},
	{"19734566", ""},
	{"12456", ""},
	{"+64 9 123 4567", ""},
	{"+64 900 12345", ""},
	{"+64 800 123 456", ""},
	// Satellite, global services, premium abroad.
	{"+870 773 111 632", ""},
	{"+881 6 1234 5678", ""},
	{"+882 16 1234 5678", ""},
	{"+883 5100 1234 5678", ""},
	{"+979 1 2345 6789", ""},
	{"+800 1234 5678", ""},
	{"+808 1234 5678", ""},
	{"+878 10 1234 5678 90", ""},
	{"+888 123 456 789", ""},
	{"+61 147 123 456", ""},
	// Mobiles of other countries, and premium ones.
	{"+44 7400 123456", ""},
	{"+44 909 879 0000", ""},
	{"+1 202 555 0123", ""},
	{"+1 900 555 0123", ""},
	{"+1 876 555 0123", ""},
	{"+675 7012 3456", ""},
	{"+679 701 2345", ""},
	{"+86 131 2345 6789", ""},
	{"+7 912 345 67 89", ""},
	{"+252 61 2345678", ""},
	{"+371 2123 4567", ""},
	{"+960 771 2345", ""},
	{"+672 3 81234", ""},
	{"+53 5 1234567", ""},
	{"+91 81234 56789", ""},
}

func TestCodesGoToMobilesOfAllowedCountriesOnly(t *testing.T) {
	t.Parallel()
	if len(numbers) < 60 {
		t.Fatalf("%d numbers", len(numbers))
	}
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		sent := 0
		for _, n := range numbers {
			done, err := w.desk.LinkMobile(t.Context(), h, n.typed)
			if err != nil {
				t.Fatalf("%q: %v", n.typed, err)
			}
			if n.is == "" {
				if done.Refused != enrol.BadNumber || done.Why == "" || (n.typed != "" && len(n.typed) > 4 && strings.Contains(done.Why, n.typed)) {
					t.Errorf("%q: %+v", n.typed, done)
				}
				continue
			}
			if done.Refused == enrol.NumberSpent {
				continue // the same number in a fourth spelling
			}
			if done.Refused != "" {
				t.Errorf("%q: %+v", n.typed, done)
				continue
			}
			w.inbox.code(t, n.is)
			sent++
			w.db.Clock.Advance(20 * time.Minute)
			h, _ = w.in(t, w.kim, freshEmail)
		}
		if sent != 3+2 || w.has(t, w.kim, policy.SMS) != 0 {
			t.Errorf("%d codes were sent", sent)
		}
	})
}

func TestANewNumberIsPendingUntilItsCodeIsTyped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		old := w.number(t, w.kim, nextNumber)
		w.number(t, w.twinKim, nextNumber)
		h, _ := w.in(t, w.kim, proof{factor: policy.SMS, passed: time.Minute})
		done, err := w.desk.LinkMobile(t.Context(), h, "0491 570 110")
		refused(t, done, err, enrol.SameNumber)
		_, done, err = w.desk.Mobile(t.Context(), h)
		refused(t, done, err, enrol.NoCode)
		linked := must(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil)
		digits := w.inbox.code(t, number)
		waiting, done, err := w.desk.Mobile(t.Context(), h)
		must(t, done, err)
		if !waiting.Live || waiting.Method.Address != number || waiting.Method.ID != linked.Method || !waiting.Method.Pending {
			t.Errorf("%+v", waiting)
		}
		// A sign-in meanwhile is offered the old number.
		if v := w.page(t, w.attempt(t, w.kim)); len(v.Decision.Offered) != 2 || v.Decision.Offered[1].ID != string(old.ID) {
			t.Errorf("offered: %+v", v.Decision.Offered)
		}
		done, err = w.desk.ProveMobile(t.Context(), h, digits[:3]+" "+digits[3:])
		must(t, done, err)
		var got []string
		for _, m := range w.methods(t, w.kim) {
			if m.Kind == policy.SMS {
				got = append(got, fmt.Sprint(m.Address, m.Pending, m.ProvedAt.IsZero()))
			}
		}
		if len(got) != 1 || got[0] != number+"false false" {
			t.Errorf("numbers: %q", got)
		}
		if w.has(t, w.twinKim, policy.SMS) != 1 || w.times(t, w.twinKim, audit.MethodRemoved) != 0 {
			t.Error("the twin's number is gone")
		}
		for _, e := range w.events(t, w.kim) {
			for name, value := range e.Facts {
				if strings.Contains(value, number[3:]) {
					t.Errorf("the trail keeps the number in %s of %s", name, e.Kind)
				}
			}
		}
		after := w.again(t, h, done.Session)
		done, err = w.desk.ProveMobile(t.Context(), after, digits)
		refused(t, done, err, enrol.NoCode)
	})
}

func TestACodeIsGoodOnlyWhereItWasAskedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		other, _ := w.inFrom(t, w.kim, freshEmail, away)
		twin, _ := w.in(t, w.twinKim, freshEmail)
		enrolling, _ := w.enrolling(t, w.kim)
		must(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil)
		digits := w.inbox.code(t, number)
		for _, elsewhere := range []enrol.Holder{other, twin, enrolling} {
			done, err := w.desk.ProveMobile(t.Context(), elsewhere, digits)
			refused(t, done, err, enrol.NoCode)
		}
		for _, form := range []string{"", "12345", "1234567", "12345a", "１２３４５６", "12 34\t56"} {
			done, err := w.desk.ProveMobile(t.Context(), h, form)
			refused(t, done, err, enrol.WrongForm)
		}
		done, err := w.desk.ProveMobile(t.Context(), h, digits)
		must(t, done, err)
	})
}

func TestAStaleCodeSaysSoAndCostsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, proof{factor: policy.Email})
		first := must(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil)
		old := w.inbox.code(t, number)
		soon := refused(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil, enrol.TooSoon)
		w.db.Clock.Advance(soon.Retry.Sub(w.db.Clock.Now()))
		again := must(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil)
		if again.Method != first.Method {
			t.Error("another row for the same number")
		}
		digits := w.inbox.code(t, number)
		for range 8 {
			if done := refused(t, answer(t)(w.desk.ProveMobile(t.Context(), h, old)), nil, enrol.StaleCode); done.MadeAt.IsZero() {
				t.Error("it does not say when it was made")
			}
		}
		must(t, answer(t)(w.desk.ProveMobile(t.Context(), h, digits)), nil)
	})
}

func TestACodeRunsOutAndIsSweptLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.desk.CodeLife = 2 * time.Minute
		h, _ := w.in(t, w.kim, proof{factor: policy.Email})
		must(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil)
		digits := w.inbox.code(t, number)
		w.db.Clock.Advance(2 * time.Minute)
		refused(t, answer(t)(w.desk.ProveMobile(t.Context(), h, wrong(digits, 1))), nil, enrol.NoCode)
		refused(t, answer(t)(w.desk.ProveMobile(t.Context(), h, digits)), nil, enrol.StaleCode)
		w.db.Clock.Advance(25 * time.Hour)
		for _, want := range []int64{0, 0} {
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return enrol.Sweep(ctx, tx, 10) })
			n, err := db.One(t.Context(), w.db, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM proof_codes`)
			if err != nil || n != want {
				t.Errorf("%d codes are left, %v", n, err)
			}
		}
	})
}

// empty takes a site's SMS down to the float.
