package message

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/policy"
)

type answers = []func(Text) (Receipt, error)

func TestAnSMSGoesWhereItCanAndIsPaidForWhereItWasTaken(t *testing.T) {
	t.Parallel()
	rows := []struct {
		sentence string
		script   answers
		runs     int // how often the job runs
		parts    int // what the site has; 0 for plenty
		state    State
		trail    string
		// left is what is available and held after it; later the same after 25 hours.
		left, later [2]int
		given       int
	}{
		{sentence: "taken at once", script: answers{took}, runs: 2, state: Accepted, trail: "promised handed accepted", left: [2]int{99, 0}, later: [2]int{99, 0}, given: 1},
		{sentence: "the first is busy, the second takes it", script: answers{busy, took}, runs: 1, state: Accepted, trail: "promised handed delayed accepted", left: [2]int{99, 0}, later: [2]int{99, 0}, given: 2},
		{sentence: "the last part serves three providers", script: answers{busy, busy, took}, runs: 1, parts: 1, state: Accepted, trail: "promised handed delayed accepted", left: [2]int{0, 0}, later: [2]int{0, 0}, given: 3},
		{sentence: "all are busy", script: answers{busy, busy, busy}, runs: 1, state: Queued, trail: "promised handed delayed", left: [2]int{100, 0}, later: [2]int{100, 0}, given: 3},
		{sentence: "all are busy, and then not", script: answers{busy, busy, busy, busy, took}, runs: 2, state: Accepted, trail: "promised handed delayed accepted", left: [2]int{99, 0}, later: [2]int{99, 0}, given: 5},
		{sentence: "there is no such number", script: answers{busy, noNumber}, runs: 2, state: Refused, trail: "promised handed delayed refused", left: [2]int{100, 0}, later: [2]int{100, 0}, given: 2},
		{sentence: "no answer", script: answers{silent}, runs: 2, state: Accepted, trail: "promised handed unknown", left: [2]int{99, 1}, later: [2]int{99, 0}, given: 1},
		{sentence: "a broken one, then another", script: answers{broken, took}, runs: 1, state: Accepted, trail: "promised handed accepted", left: [2]int{98, 1}, later: [2]int{98, 0}, given: 2},
		{sentence: "a broken one, then a busy one", script: answers{broken, busy, took}, runs: 1, state: Accepted, trail: "promised handed delayed accepted", left: [2]int{98, 1}, later: [2]int{98, 0}, given: 3},
		{sentence: "two are broken, and there is no third copy", script: answers{broken, broken, took}, runs: 2, state: Accepted, trail: "promised handed unknown", left: [2]int{98, 2}, later: [2]int{98, 0}, given: 2},
		{sentence: "a broken one, and no part for another", script: answers{broken, took}, runs: 2, parts: 1, state: Accepted, trail: "promised handed unknown", left: [2]int{0, 1}, later: [2]int{0, 0}, given: 1},
		{sentence: "the node dies, and the next takes it once more", script: answers{dies, took}, runs: 2, state: Accepted, trail: "promised handed accepted", left: [2]int{98, 1}, later: [2]int{98, 0}, given: 2},
		{sentence: "the node dies twice, and that is all", script: answers{dies, dies, took}, runs: 4, state: Accepted, trail: "promised handed unknown", left: [2]int{98, 2}, later: [2]int{98, 0}, given: 2},
		{sentence: "the node dies, and there is no part for another", script: answers{dies, took}, runs: 3, parts: 1, state: Accepted, trail: "promised handed unknown", left: [2]int{0, 1}, later: [2]int{0, 0}, given: 1},
		{sentence: "it is too late", script: answers{late}, runs: 2, state: Expired, trail: "promised handed expired", left: [2]int{100, 0}, later: [2]int{100, 0}, given: 1},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 100)
		for _, row := range rows {
			parts := row.parts
			if parts == 0 {
				parts = 100
			}
			at := w.newSite(t, row.sentence, parts)
			which := w.promiseSMS(t, w.kimPhone, at)
			w.sms.script, w.sms.given = row.script, nil
			var err error
			for range row.runs {
				err = w.deliver(t, w.kim.ID, which)
			}
			if (err != nil) != (row.state == Queued) {
				t.Errorf("%s: %v", row.sentence, err)
			}
			if got := w.message(t, w.kim.ID, which).State; got != row.state {
				t.Errorf("%s: it is %s, want %s", row.sentence, got, row.state)
			}
			if got := spelled(w.trail(t, w.kim.ID, which)); got != row.trail {
				t.Errorf("%s: the timeline is %q, want %q", row.sentence, got, row.trail)
			}
			if got := w.stands(t, at); got != row.left {
				t.Errorf("%s: %d are left, want %d", row.sentence, got, row.left)
			}
			w.isAsPromised(t, row.sentence, row.given)
			w.db.Clock.Advance(25 * time.Hour)
			w.do(t, func(ctx context.Context, tx *db.Tx) error {
				if err := Sweep(ctx, tx, 100); err != nil {
					return err
				}
				_, err := balance.SettleDue(ctx, tx, 100)
				return err
			})
			if got := w.stands(t, at); got != row.later {
				t.Errorf("%s: %d are left a day later, want %d", row.sentence, got, row.later)
			}
			if err := balance.Audit(t.Context(), w.db, at.ID); err != nil {
				t.Errorf("%s: %v", row.sentence, err)
			}
		}
		if got := w.stands(t, w.twin); got != [2]int{100, 0} {
			t.Errorf("the twin paid: %d", got)
		}
	})
}

// isAsPromised checks what the providers were given: the same text under another name
// each time.
func (w *world) isAsPromised(t *testing.T, sentence string, times int) {
	t.Helper()
	if len(w.sms.given) != times {
		t.Errorf("%s: it was given away %d times, want %d", sentence, len(w.sms.given), times)
	}
	keys := map[string]bool{}
	for _, x := range w.sms.given {
		if keys[x.Key] || x.To != kimsNumber || x.Body != w.sms.given[0].Body || x.Deadline.IsZero() {
			t.Errorf("%s: it was given away as %+v", sentence, x)
		}
		keys[x.Key] = true
		if !strings.HasSuffix(x.Body, "\n@sign-in.workshop.example #"+digits) || !strings.Contains(x.Body, "Bayside Auto") {
			t.Errorf("%s: %q", sentence, x.Body)
		}
	}
}

func TestWhereAnotherTookTheLastPartTheTimelineSaysSo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 1)
		which := w.promiseSMS(t, w.kimPhone, w.site)
		w.sms.script = answers{busy, busy, busy}
		if err := w.deliver(t, w.kim.ID, which); err == nil {
			t.Fatal("nobody took it, and it is not to be tried again")
		}
		w.promiseSMS(t, w.patPhone, w.site)
		if err := w.deliver(t, w.kim.ID, which); err != nil {
			t.Fatal(err)
		}
		if m, got := w.message(t, w.kim.ID, which), spelled(w.trail(t, w.kim.ID, which)); m.State != Refused || got != "promised handed delayed no_balance" {
			t.Errorf("it is %s: %q", m.State, got)
		}
		if m := w.method(t, w.kimPhone); m.Health != policy.HealthUnknown {
			t.Errorf("the number is called %s", m.Health)
		}
		w.audited(t)
	})
}

func TestWhatIsUsedOrOverBeforeItWasGivenAwayCostsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		used, over, stays := w.promiseSMS(t, w.kimPhone, w.site), w.promiseSMS(t, w.kimPhone, w.site), w.promiseSMS(t, w.twinPhone, w.twin)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return Drop(ctx, tx, w.kim.ID, used) })
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return Drop(ctx, tx, w.kim.ID, used) })
		if got := w.stands(t, w.site); got != [2]int{99, 1} {
			t.Errorf("after the use: %d", got)
		}
		w.db.Clock.Advance(time.Minute)
		fresh := w.promiseSMS(t, w.kimPhone, w.site)
		w.db.Clock.Advance(10*time.Minute - time.Second)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return Sweep(ctx, tx, 1) })
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return Sweep(ctx, tx, 1) })
		if got, twins := w.stands(t, w.site), w.stands(t, w.twin); got != [2]int{99, 1} || twins != [2]int{100, 0} {
			t.Errorf("after the end: %d, the twin's %d", got, twins)
		}
		for _, which := range []Deliver{{w.kim.ID, used}, {w.kim.ID, over}, {w.twinKim.ID, stays}} {
			if err := w.deliver(t, which.User, which.Message); err != nil {
				t.Error(err)
			}
		}
		if len(w.sms.given) != 0 {
			t.Errorf("%d were given away", len(w.sms.given))
		}
		if got := spelled(w.trail(t, w.kim.ID, over)); got != "promised expired" {
			t.Errorf("the timeline: %q", got)
		}
		if err := w.deliver(t, w.kim.ID, fresh); err != nil || w.message(t, w.kim.ID, fresh).State != Accepted {
			t.Error(err)
		}
		w.audited(t)
	})
}

func TestACodeThatIsTypedBeforeTheProviderAnsweredIsPaidFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		which := w.promiseSMS(t, w.kimPhone, w.site)
		w.sms.script = answers{func(x Text) (Receipt, error) {
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return Drop(ctx, tx, w.kim.ID, which) })
			return took(x)
		}}
		if err := w.deliver(t, w.kim.ID, which); err != nil {
			t.Fatal(err)
		}
		if got := w.stands(t, w.site); got != [2]int{99, 0} {
			t.Errorf("%d are left", got)
		}
		busyLater := w.promiseSMS(t, w.kimPhone, w.site)
		w.sms.script = answers{func(x Text) (Receipt, error) {
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return Drop(ctx, tx, w.kim.ID, busyLater) })
			return busy(x)
		}}
		w.sms.given = nil
		if err := w.deliver(t, w.kim.ID, busyLater); err != nil || len(w.sms.given) != 1 {
			t.Errorf("%v, given %d times", err, len(w.sms.given))
		}
		if got := w.stands(t, w.site); got != [2]int{99, 0} {
			t.Errorf("%d are left", got)
		}
		w.audited(t)
	})
}

func TestANumberThatIsRefusedIsDeadAndTheAdminsHearOfItOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for range 2 {
			which := w.promiseSMS(t, w.kimPhone, w.site)
			w.sms.script = answers{noNumber}
			if err := w.deliver(t, w.kim.ID, which); err != nil {
				t.Fatal(err)
			}
			trail, err := Trail(t.Context(), w.db, w.kim.ID, which)
			if last := trail[len(trail)-1]; err != nil || last.Why != NumberInvalid || strings.Contains(last.Said, digits) {
				t.Errorf("the timeline: %+v, %v", trail, err)
			}
		}
		if m := w.method(t, w.kimPhone); m.Health != policy.HealthRefused || m.HealthWhy != string(NumberInvalid) {
			t.Errorf("the number: %+v", m)
		}
		if got := w.kinds(t, w.kim); !slices.Equal(got, []audit.Kind{audit.MessageRefused, audit.MethodBounced, audit.MessageRefused}) {
			t.Errorf("the trail: %q", got)
		}
		for _, admin := range []struct {
			got  []string
			want string
		}{{w.notices(t, w.pat), "address_dead email pat@bayside.example"}, {w.notices(t, w.sam), "address_dead email sam@bayside.example"}} {
			if !slices.Equal(admin.got, []string{admin.want}) {
				t.Errorf("an admin is told %q", admin.got)
			}
		}
		if got := append(w.notices(t, w.kim), append(w.notices(t, w.twinPat), w.notices(t, w.twinKim)...)...); len(got) != 0 {
			t.Errorf("others are told %q", got)
		}
		w.work(t)
		if l := w.mail.to(w.pat); len(l) != 1 || !strings.Contains(l[0].Text, "The mobile number ••• 156 of Kim Osei takes no SMS.") {
			t.Errorf("the admin reads: %+v", l)
		}
		w.audited(t)
	})
}

func TestWithoutAProviderAnSMSIsRefusedAndCostsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		which := w.promiseSMS(t, w.kimPhone, w.site)
		w.post.out.Texts = nil
		if err := w.deliver(t, w.kim.ID, which); err != nil {
			t.Fatal(err)
		}
		if got := w.message(t, w.kim.ID, which).State; got != Refused || w.stands(t, w.site) != [2]int{100, 0} {
			t.Errorf("it is %s, and there are %d", got, w.stands(t, w.site))
		}
	})
}

func TestAnSMSThatCannotBePutIntoWordsIsRefusedAndCostsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.post.out.LinkBase.Host = strings.Repeat("h", 150) + ".example"
		which := w.promiseSMS(t, w.kimPhone, w.site)
		if err := w.deliver(t, w.kim.ID, which); err != nil {
			t.Fatal(err)
		}
		if got := w.message(t, w.kim.ID, which).State; got != Refused || w.stands(t, w.site) != [2]int{100, 0} || len(w.sms.given) != 0 {
			t.Errorf("it is %s, and there are %d", got, w.stands(t, w.site))
		}
	})
}

func TestAnSMSIsNotPromisedWithoutAPartHeldForIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		err := w.db.Do(t.Context(), func(tx *db.Tx) error {
			_, err := w.post.Promise(t.Context(), tx, Message{User: w.kim.ID, Site: w.site.ID, Channel: SMS, Kind: SignInCode}, secretText)
			return err
		})
		if err == nil {
			t.Error("it was promised")
		}
	})
}

func TestTwoNodesThatRunOneJobGiveOneExtraCopyAtMost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		which := w.promiseSMS(t, w.kimPhone, w.site)
		inner := errors.New("unset")
		w.sms.script = answers{func(x Text) (Receipt, error) {
			inner = w.deliver(t, w.kim.ID, which) // another node, which takes this one for dead
			return busy(x)
		}, took}
		if err := w.deliver(t, w.kim.ID, which); err != nil || inner != nil {
			t.Fatal(err, inner)
		}
		if got := w.message(t, w.kim.ID, which).State; got != Accepted || len(w.sms.given) != 2 {
			t.Errorf("it is %s, given %d times", got, len(w.sms.given))
		}
		if got := w.stands(t, w.site); got != [2]int{99, 0} {
			t.Errorf("%d are left", got)
		}
		w.audited(t)
	})
}
