package message

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
)

func (w *world) moved(t testing.TB, n News) {
	t.Helper()
	if err := w.post.Moved(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

func TestNewsMoveAMessageForwardHoweverTheyCome(t *testing.T) {
	t.Parallel()
	rows := []struct {
		sentence string
		answer   func(Text) (Receipt, error)
		news     []NewsState
		why      Reason
		state    State
		trail    string
		left     [2]int
	}{
		{sentence: "delivered", answer: took, news: []NewsState{NewsAccepted, NewsDelivered}, state: Delivered, trail: "promised handed accepted delivered", left: [2]int{99, 0}},
		{sentence: "the same twice and the wrong way round", answer: took, news: []NewsState{NewsDelivered, NewsAccepted, NewsDelivered}, state: Delivered, trail: "promised handed accepted delivered", left: [2]int{99, 0}},
		{sentence: "undelivered is charged", answer: took, news: []NewsState{NewsUndelivered}, why: Unreachable, state: Undelivered, trail: "promised handed accepted undelivered", left: [2]int{99, 0}},
		{sentence: "rejected after all is refunded once", answer: took, news: []NewsState{NewsRejected, NewsRejected, NewsAccepted}, state: Refused, trail: "promised handed accepted refused", left: [2]int{100, 0}},
		{sentence: "no answer, and then a receipt", answer: silent, news: []NewsState{NewsAccepted}, state: Accepted, trail: "promised handed unknown accepted", left: [2]int{99, 0}},
		{sentence: "no answer, and it was not taken", answer: silent, news: []NewsState{NewsRejected, NewsRejected}, state: Refused, trail: "promised handed unknown refused", left: [2]int{100, 0}},
		{sentence: "no answer, and it was delivered", answer: silent, news: []NewsState{NewsDelivered, NewsAccepted}, state: Delivered, trail: "promised handed unknown delivered", left: [2]int{99, 0}},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 100)
		for _, row := range rows {
			at := w.newSite(t, row.sentence, 100)
			which := w.promiseSMS(t, w.kimPhone, at)
			w.sms.script, w.sms.given = answers{row.answer}, nil
			if err := w.deliver(t, w.kim.ID, which); err != nil {
				t.Fatal(err)
			}
			for _, state := range row.news {
				w.moved(t, News{Carrier: "provider-0", Token: w.sms.given[0].Key, Ref: "SM1", State: state, Parts: 1, Why: row.why, Said: "x"})
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
			if err := balance.Audit(t.Context(), w.db, at.ID); err != nil {
				t.Errorf("%s: %v", row.sentence, err)
			}
		}
	})
}

func TestNewsBeforeTheAnswerWasStoredStopTheNextProvider(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, answer := range (answers{took, busy, broken, silent, noNumber}) {
			which := w.promiseSMS(t, w.kimPhone, w.site)
			before := w.stands(t, w.site)
			w.sms.given = nil
			w.sms.script = answers{func(x Text) (Receipt, error) {
				w.moved(t, News{Carrier: carrierOf(x), Token: x.Key, State: NewsDelivered, Parts: 1})
				return answer(x)
			}}
			if err := w.deliver(t, w.kim.ID, which); err != nil {
				t.Fatal(err)
			}
			if got := w.message(t, w.kim.ID, which).State; got != Delivered || len(w.sms.given) != 1 {
				t.Errorf("it is %s, given %d times", got, len(w.sms.given))
			}
			if got := w.stands(t, w.site); got != [2]int{before[0], before[1] - 1} {
				t.Errorf("%d are left, of %d", got, before)
			}
		}
		w.audited(t)
	})
}

func TestForgedNewsChangeNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		which := w.promiseSMS(t, w.kimPhone, w.site)
		waits, err := try{User: w.kim.ID, Message: which, No: 1}.token(w.keys)
		if err != nil {
			t.Fatal(err)
		}
		w.sms.script = answers{silent}
		other := w.promiseSMS(t, w.kimPhone, w.site)
		if err := w.deliver(t, w.kim.ID, other); err != nil {
			t.Fatal(err)
		}
		second, err := try{User: w.kim.ID, Message: other, No: 2}.token(w.keys)
		if err != nil {
			t.Fatal(err)
		}
		nobodys, err := try{User: w.kim.ID, Message: id.New[id.Message](), No: 1}.token(w.keys)
		if err != nil {
			t.Fatal(err)
		}
		twins, err := try{User: w.twinKim.ID, Message: other, No: 1}.token(w.keys)
		if err != nil {
			t.Fatal(err)
		}
		foreign, err := try{User: w.kim.ID, Message: other, No: 1}.token(memory(t))
		if err != nil {
			t.Fatal(err)
		}
		for name, token := range map[string]string{
			"of one that was not given away": waits, "of a copy that never was": second, "of no message": nobodys, "of the twin": twins,
			"with other keys": foreign, "of nothing": "", "of a message's id": string(other),
		} {
			for _, state := range []NewsState{NewsAccepted, NewsDelivered, NewsRejected} {
				if err := w.post.Moved(t.Context(), News{Token: token, State: state, Parts: 1}); !errors.Is(err, fault.NotFound) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if err := w.post.Moved(t.Context(), News{Token: w.sms.given[0].Key, State: "sent"}); !errors.Is(err, fault.Invalid) {
			t.Errorf("a state that nobody knows: %v", err)
		}
		if got := w.stands(t, w.site); got != [2]int{98, 2} {
			t.Errorf("%d are left", got)
		}
		if a, b := spelled(w.trail(t, w.kim.ID, which)), spelled(w.trail(t, w.kim.ID, other)); a != "promised" || b != "promised handed unknown" {
			t.Errorf("the timelines: %q, %q", a, b)
		}
	})
}

func TestANumberThatTheProviderFindsDeadLaterIsDeadAndOnlyThen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, row := range []struct {
			why  Reason
			want policy.Health
			told int
		}{{Unreachable, policy.HealthUnknown, 0}, {"", policy.HealthUnknown, 0}, {OptedOut, policy.HealthRefused, 1}, {NumberBlocked, policy.HealthRefused, 1}} {
			which := w.promiseSMS(t, w.kimPhone, w.site)
			w.sms.given = nil
			if err := w.deliver(t, w.kim.ID, which); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				w.moved(t, News{Token: w.sms.given[0].Key, State: NewsUndelivered, Parts: 1, Why: row.why, Said: "code 482913 not delivered\nat all"})
			}
			if m := w.method(t, w.kimPhone); m.Health != row.want {
				t.Errorf("%q: the number is %s", row.why, m.Health)
			}
			trail, err := Trail(t.Context(), w.db, w.kim.ID, which)
			if last := trail[len(trail)-1]; err != nil || last.Kind != StepUndelivered || last.Why == "" || last.Said != "code … not delivered at all" {
				t.Errorf("the timeline: %+v", trail)
			}
			if got := w.notices(t, w.pat); len(got) != row.told {
				t.Errorf("%q: the admin is told %q", row.why, got)
			}
			if row.told > 0 { // it was dead before: a code that is typed back mends it
				w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.Passed(ctx, tx, w.kim.ID, w.kimPhone.ID) })
				w.do(t, func(ctx context.Context, tx *db.Tx) error {
					_, err := tx.Exec(ctx, `DELETE FROM notices WHERE user_id = $1`, w.pat.ID)
					return err
				})
			}
		}
		if got := w.kinds(t, w.kim); !slices.Contains(got, audit.MessageUndelivered) || !slices.Contains(got, audit.MethodBounced) {
			t.Errorf("the trail: %q", got)
		}
	})
}

// story is what a provider does with one copy, and what it says of it later.
type story struct {
	answer int
	// took says whether it really has the copy, where its answer does not.
	took  bool
	ends  NewsState // what it says in the end of a copy that it has; empty for nothing
	early int       // how many of its news come before its answer is stored
	tells bool      // whether it says of a copy that it has not, that it has not
}

// Answers of a story.
const (
	saysTook = iota
	saysBusy
	saysBusyToAll
	saysBroken
	saysNothing
	saysNoNumber
	nodeDies
)

func drawStory(t *rapid.T) story {
	s := story{
		answer: rapid.IntRange(saysTook, nodeDies).Draw(t, "answer"),
		took:   rapid.Bool().Draw(t, "took"),
		ends:   rapid.SampledFrom([]NewsState{"", NewsDelivered, NewsUndelivered}).Draw(t, "ends"),
		early:  rapid.IntRange(0, 2).Draw(t, "early"),
		tells:  rapid.Bool().Draw(t, "tells"),
	}
	switch s.answer {
	case saysTook:
		s.took = true
	case saysBusy, saysBusyToAll, saysNoNumber:
		s.took, s.tells = false, false
	}
	return s
}

func (s story) news() []NewsState {
	switch {
	case s.took && s.ends != "":
		return []NewsState{NewsAccepted, s.ends}
	case s.took:
		return []NewsState{NewsAccepted}
	case s.tells:
		return []NewsState{NewsRejected}
	}
	return nil
}

// teller plays a story to its end, and gives the news that are left to tell.
type teller struct {
	w       *world
	t       testing.TB
	stories []story
	told    []story // by the order of the copies
	late    []News
}

func (x *teller) Text(_ context.Context, text Text) (Receipt, error) {
	s := story{answer: saysTook, took: true}
	if len(x.stories) > 0 {
		s, x.stories = x.stories[0], x.stories[1:]
	}
	x.told = append(x.told, s)
	for i, state := range s.news() {
		n := News{Carrier: carrierOf(text), Token: text.Key, State: state, Parts: 1}
		if i < s.early {
			x.w.moved(x.t, n)
		} else {
			x.late = append(x.late, n)
		}
	}
	switch s.answer {
	case saysTook:
		return took(text)
	case saysBusy:
		return busy(text)
	case saysBusyToAll:
		r, err := busy(text)
		r.Next = -1
		return r, err
	case saysBroken:
		return broken(text)
	case saysNothing:
		return silent(text)
	case saysNoNumber:
		return noNumber(text)
	}
	panic(errKilled)
}

// run delivers one message by the stories, with the job run again as often as it asks.
func (w *world) run(t testing.TB, m method.Method, stories []story) (id.Message, *teller) {
	t.Helper()
	x := &teller{w: w, t: t, stories: slices.Clone(stories)}
	w.post.out.Texts = x
	which := w.promiseSMS(t, m, w.site)
	for range 6 {
		if w.deliver(t, m.User, which) == nil {
			break
		}
	}
	return which, x
}

func TestTheBooksAndTheStateAreThoseOfTheOrderedRun(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 50_000)
		rapid.Check(t, func(r *rapid.T) {
			stories := rapid.SliceOfN(rapid.Custom(drawStory), 1, 5).Draw(r, "stories")
			ordered, one := w.run(t, w.kimPhone, stories)
			shuffled, other := w.run(t, w.kimPhone, stories)
			for _, n := range one.late {
				w.moved(t, n)
			}
			again := slices.Clone(other.late)
			for range rapid.IntRange(0, 3).Draw(r, "doubled") {
				if len(other.late) > 0 {
					again = append(again, rapid.SampledFrom(other.late).Draw(r, "again"))
				}
			}
			for _, n := range rapid.Permutation(again).Draw(r, "order") {
				w.moved(t, n)
			}
			a, b := w.message(t, w.kim.ID, ordered), w.message(t, w.kim.ID, shuffled)
			if a.State != b.State {
				r.Fatalf("in order it is %s, and shuffled %s", a.State, b.State)
			}
			extra := 0
			for _, s := range other.told {
				if s.took {
					extra++
				}
			}
			if extra > copiesMost {
				r.Fatalf("%d copies arrived", extra)
			}
			w.db.Clock.Advance(25 * time.Hour)
			w.do(t, func(ctx context.Context, tx *db.Tx) error {
				if err := Sweep(ctx, tx, 100); err != nil {
					return err
				}
				_, err := balance.SettleDue(ctx, tx, 100)
				return err
			})
			w.audited(t)
			if got := w.stands(t, w.site)[1]; got != 0 {
				r.Fatalf("%d parts are still held", got)
			}
			for which, x := range map[id.Message]*teller{ordered: one, shuffled: other} {
				if got, want := w.charged(t, which), charges(x.told); got != want {
					r.Fatalf("%d parts were charged, and the providers took %d: %+v", got, want, x.told)
				}
			}
		})
	})
}

// charges is what is charged a day later: each copy that a provider took, and each of
// which nobody ever said anything.
func charges(told []story) (n int) {
	for _, s := range told {
		lost := s.answer == saysBroken || s.answer == saysNothing || s.answer == nodeDies
		if s.took || lost && !s.tells {
			n++
		}
	}
	return n
}

func (w *world) charged(t testing.TB, which id.Message) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT CAST(COALESCE(SUM(charged), 0) AS BIGINT) FROM sms_holds WHERE message_id = $1 AND state = 'charged'`, string(which))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNewsOfManyAtOnceAreTheSameAsInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		which := w.promiseSMS(t, w.kimPhone, w.site)
		w.sms.script = answers{silent}
		if err := w.deliver(t, w.kim.ID, which); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		failed := make(chan error, 12)
		for i := range 12 {
			state := []NewsState{NewsAccepted, NewsDelivered, NewsUndelivered}[i%3]
			all.Go(func() {
				failed <- w.post.Moved(t.Context(), News{Token: w.sms.given[0].Key, State: state, Parts: 1})
			})
		}
		all.Wait()
		close(failed)
		for err := range failed {
			if err != nil && !errors.Is(err, fault.Busy) { // it is told again
				t.Error(err)
			}
		}
		w.moved(t, News{Token: w.sms.given[0].Key, State: NewsDelivered, Parts: 1})
		if got := w.message(t, w.kim.ID, which).State; got != Delivered || w.stands(t, w.site) != [2]int{99, 0} {
			t.Errorf("it is %s, and there are %d", got, w.stands(t, w.site))
		}
		w.audited(t)
	})
}

func TestABounceMakesTheMailboxDeadAndTheAdminsHearOfItOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		code := Message{Kind: SignInCode, Site: w.site.ID, Method: w.kimMail.ID}
		which := w.promiseMail(t, w.kim, code, digits)
		b := Bounce{Key: string(which), To: " Kim@Bayside.example ", Status: "5.1.1", Said: "no such user 482913", Permanent: true}
		if err := w.post.Bounced(t.Context(), b); !errors.Is(err, fault.NotFound) {
			t.Errorf("before it was sent: %v", err)
		}
		if err := w.deliver(t, w.kim.ID, which); err != nil {
			t.Fatal(err)
		}
		for name, bad := range map[string]Bounce{
			"to somebody else": {Key: b.Key, To: "kim@bayview.example", Status: "5.1.1", Permanent: true},
			"of no letter":     {Key: string(id.New[id.Message]()), To: b.To, Status: "5.1.1", Permanent: true},
			"of no id":         {Key: "x", To: b.To, Permanent: true},
			"to nobody":        {Key: b.Key, Permanent: true},
		} {
			if err := w.post.Bounced(t.Context(), bad); !errors.Is(err, fault.NotFound) {
				t.Errorf("a bounce %s: %v", name, err)
			}
		}
		if m := w.method(t, w.kimMail); m.Health != policy.HealthGood {
			t.Errorf("the mailbox: %+v", m)
		}
		later := b
		later.Status, later.Permanent = "4.2.2", false
		for _, each := range []Bounce{later, later, b, b} {
			if err := w.post.Bounced(t.Context(), each); err != nil {
				t.Fatal(err)
			}
		}
		if m, got := w.message(t, w.kim.ID, which), spelled(w.trail(t, w.kim.ID, which)); m.State != Undelivered || got != "promised accepted delayed refused" {
			t.Errorf("it is %s: %q", m.State, got)
		}
		if m := w.method(t, w.kimMail); m.Health != policy.HealthBounced || m.HealthWhy != string(NoSuchMailbox) {
			t.Errorf("the mailbox: %+v", m)
		}
		if got := w.kinds(t, w.kim); !slices.Equal(got, []audit.Kind{audit.MessageUndelivered, audit.MethodBounced}) {
			t.Errorf("the trail: %q", got)
		}
		if got := append(w.notices(t, w.pat), w.notices(t, w.sam)...); !slices.Equal(got, []string{"address_dead email pat@bayside.example", "address_dead email sam@bayside.example"}) {
			t.Errorf("the admins are told %q", got)
		}
		if m := w.method(t, w.twinMail); m.Health != policy.HealthUnknown || len(w.notices(t, w.twinPat)) != 0 {
			t.Errorf("the twin: %+v", m)
		}
		w.work(t)
		if l := w.mail.to(w.sam); len(l) != 1 || !strings.Contains(l[0].Text, "k••@bayside.example of Kim Osei takes no mail") || strings.Contains(l[0].Text, "kim@") {
			t.Errorf("the admin reads %+v", l)
		}
	})
}

func TestAFullMailboxIsTroubleAndNotDead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for status, want := range map[string]Reason{"5.2.2": MailboxFull, "5.7.1": Blocked, "5.4.4": RelayDown, "5.0.0": Other, "": Other} {
			which := w.promiseMail(t, w.kim, Message{Kind: SignInCode, Site: w.site.ID, Method: w.kimMail.ID}, digits)
			if err := w.deliver(t, w.kim.ID, which); err != nil {
				t.Fatal(err)
			}
			if err := w.post.Bounced(t.Context(), Bounce{Key: string(which), To: w.kimMail.Address, Status: status, Permanent: true}); err != nil {
				t.Fatal(err)
			}
			if m := w.method(t, w.kimMail); m.Health != policy.HealthUnknown || m.HealthWhy != string(want) {
				t.Errorf("%s: the mailbox is %s, %s", status, m.Health, m.HealthWhy)
			}
		}
		if got := w.notices(t, w.pat); len(got) != 0 {
			t.Errorf("the admin is told %q", got)
		}
	})
}

func TestABalanceThatRunsLowIsToldOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 14)
		for i := range 5 {
			which := w.promiseSMS(t, w.kimPhone, w.site)
			if err := w.deliver(t, w.kim.ID, which); err != nil {
				t.Fatal(fmt.Errorf("the %dth: %w", i, err))
			}
		}
		if got := w.notices(t, w.pat); !slices.Equal(got, []string{"sms_low email pat@bayside.example"}) {
			t.Errorf("the admin is told %q", got)
		}
		if got := append(w.notices(t, w.kim), w.notices(t, w.twinPat)...); len(got) != 0 {
			t.Errorf("others are told %q", got)
		}
	})
}
