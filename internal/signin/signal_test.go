package signin_test

import (
	"context"
	"fmt"
	"math/rand/v2" //nolint:depguard // the crowd is repeatable from its seed
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/method"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// joinRollout connects a site to Xero a thousand hours ago and gives it a place in the
// rollout; a zero date is none.
func (w *world) joinRollout(t *testing.T, s site.Site, date time.Time) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		_, err := integration.Connect(ctx, tx, integration.Integration{
			Site: s.ID, Kind: policy.Xero, Since: w.db.Clock.Now().Add(-1000 * time.Hour), By: "Pat Lee",
		})
		return err
	})
	w.date(t, s, date)
}

func (w *world) date(t *testing.T, s site.Site, date time.Time) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return plan.Set(ctx, tx, plan.Plan{Site: s.ID, BeganAt: tx.Now.Add(-500 * time.Hour), EnforceAt: date})
	})
}

// outcomes are all that is kept of sign-ins, in words.
func (w *world) outcomes(t *testing.T) []string {
	t.Helper()
	all := []string{}
	err := plan.Outcomes(t.Context(), w.db, time.Unix(0, 0), w.db.Clock.Now().Add(time.Hour), func(o plan.Outcome) error {
		word := "not in"
		switch {
		case !o.Failed():
			word = "in time"
		case !o.InAt.IsZero():
			word = "late"
		}
		who, err := user.ByID(t.Context(), w.db, o.User)
		if err != nil {
			return err
		}
		at, err := site.ByID(t.Context(), w.db, o.Site)
		all = append(all, fmt.Sprintf("%s at %s, %s, asked %t: %s", who.Login, at.Ref, o.Phase, o.Asked, word))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestASignInAtASiteOfTheRolloutIsTimed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		now := w.db.Clock.Now()
		w.joinRollout(t, w.twin, now.Add(-time.Hour))   // in its wave
		w.joinRollout(t, w.free, now.Add(72*time.Hour)) // preparing
		w.single(t, w.alex, home)
		w.in(t, w.twinKim, home)
		late := w.begin(t, w.twinPat, home)
		code := w.inbox.code(t, w.twinPat)
		w.db.Clock.Advance(4 * time.Minute)
		if next := w.code(t, late, code); next.Step != signin.In {
			t.Fatalf("after four minutes: %+v", next)
		}
		// A bookkeeper's begins where the site is chosen; at a site outside of the rollout
		// nothing is kept.
		w.choose(t, w.bookkeeper(t), w.xero)
		w.choose(t, w.bookkeeper(t), w.twin)
		w.in(t, w.pat, home)
		if next := w.try(t, string(w.alex.Login), "wrong", home); next.Wrong != signin.WrongPassword {
			t.Fatalf("a wrong password: %+v", next)
		}
		want := []string{
			"alex@hilltop.example at hilltop, preparing, asked false: in time",
			"kim@bayview.example at bayview, wave, asked true: in time",
			"pat@bayview.example at bayview, wave, asked true: late",
			"bo@books.example at bayview, wave, asked true: not in",
		}
		if diff := cmp.Diff(want, w.outcomes(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// What is no sign-in is not timed: a proof, a rehearsal, a way to another site; and who
// began before the date is compared as one who did.
func TestOnlySignInsAreTimed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.joinRollout(t, w.twin, time.Time{})
		w.joinRollout(t, w.free, time.Time{})
		token := w.single(t, w.twinKim, home)
		s := w.state(t, token).Session
		if next, err := w.desk.Rehearse(t.Context(), s, "/me"); err != nil || next.Step != signin.AskCode {
			t.Fatal(next, err)
		}
		w.inbox.code(t, w.twinKim)
		w.db.Clock.Advance(time.Minute)
		w.date(t, w.twin, w.db.Clock.Now())
		if next := w.raise(t, s); next.Step != signin.AskCode {
			t.Fatalf("after the date: %+v", next)
		}
		w.inbox.code(t, w.twinKim)
		w.db.Clock.Advance(time.Minute)
		w.in(t, w.twinKim, elsewhere) // on the same day
		want := []string{"kim@bayview.example at bayview, preparing, asked false: in time"}
		if diff := cmp.Diff(want, w.outcomes(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// crowd is many people with everything about them different, each once at a site that is
// preparing and once at one that has nothing to do with Xero, which is the same otherwise.
type crowd struct {
	sites  [2][]site.Site
	people [2][]user.User
	at     []int // the site of each
}

const (
	shadowed = 0
	free     = 1
)

func (w *world) crowd(t *testing.T, many int) *crowd {
	t.Helper()
	c := &crowd{}
	dice := rand.New(rand.NewPCG(7, 2026))
	for n := range 8 {
		for half, name := range []string{"shadowed", "free"} {
			s := w.site(t, fmt.Sprintf("%s-%d", name, n), "Bay Auto")
			c.sites[half] = append(c.sites[half], s)
			w.do(t, func(ctx context.Context, tx *db.Tx) error {
				weakest := []policy.MethodKind{policy.Email, policy.Email, policy.SMS, policy.TOTP}[n/2]
				return tx.Change(ctx, `UPDATE sites SET twofa = $2, weakest = $3, remember = 'daily' WHERE site_id = $1`, s.ID,
					string([]policy.Setting{policy.SettingOff, policy.SettingOff, policy.SettingOff, policy.SettingPerUser}[n%4]), string(weakest))
			})
			if n%2 == 0 {
				w.topUp(t, s, 500)
			}
		}
		w.joinRollout(t, c.sites[shadowed][n], time.Time{})
	}
	for n := range many {
		at, seed := n%8, dice.Uint64()
		c.at = append(c.at, at)
		for half := range c.sites {
			// The same throws for both.
			who := w.random(t, rand.New(rand.NewPCG(seed, 1)), fmt.Sprintf("kim%d@%s.example", n, c.sites[half][at].Ref), c.sites[half][at], n)
			c.people[half] = append(c.people[half], who)
		}
	}
	return c
}

// random makes a person by the throws of dice.
func (w *world) random(t *testing.T, dice *rand.Rand, login string, s site.Site, n int) (who user.User) {
	t.Helper()
	name, err := address.Login(login)
	if err != nil {
		t.Fatal(err)
	}
	one := func(in int) bool { return dice.IntN(in) == 0 }
	now := w.db.Clock.Now().Truncate(time.Second)
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if who, err = user.Add(ctx, tx, user.User{Login: name, FirstName: "Kim", LastName: "Osei", Password: stored()}); err != nil {
			return err
		}
		group := []policy.Group{policy.GroupAdmin, policy.GroupMechanic, policy.GroupSales}[dice.IntN(3)]
		err := site.Join(ctx, tx, site.Membership{
			Site: s.ID, User: who.ID, UserRef: string(who.ID), Group: group, Kind: policy.Office, Status: policy.Active, TwoFA: one(3),
		})
		if err != nil {
			return err
		}
		var marked time.Time
		switch {
		case one(8):
			marked = now.Add(-24 * time.Hour)
		case one(8):
			marked = now.Add(-70 * 24 * time.Hour)
		}
		usual := []policy.MethodKind{"", policy.Email, policy.SMS, policy.TOTP}[dice.IntN(4)]
		if err := tx.Change(ctx, `UPDATE users SET wants_twofa = $2, usual_method = $3, reset_mark_at = $4 WHERE user_id = $1`,
			who.ID, one(6), string(usual), db.Stamp(marked)); err != nil {
			return err
		}
		for _, m := range ways(dice, now, login, n) {
			m.User = who.ID
			if m, err = method.Link(ctx, tx, m); err != nil {
				return err
			}
			if m.Kind != policy.Recovery {
				continue
			}
			if _, err := tx.Exec(ctx, `INSERT INTO recovery_codes (user_id, method_id, code_no, hash) VALUES ($1, $2, 1, $3)`, who.ID, m.ID, []byte{1}); err != nil {
				return err
			}
		}
		return nil
	})
	return who
}

// ways are methods by the throws of dice, many of which do not work.
func ways(dice *rand.Rand, now time.Time, login string, n int) []method.Method {
	one := func(in int) bool { return dice.IntN(in) == 0 }
	proved := func(in int) time.Time {
		if one(in) {
			return time.Time{}
		}
		return now.Add(-30 * 24 * time.Hour)
	}
	health := func() policy.Health {
		return []policy.Health{policy.HealthUnknown, policy.HealthGood, policy.HealthBounced, policy.HealthRefused}[dice.IntN(4)]
	}
	var all []method.Method
	if !one(6) {
		all = append(all, method.Method{Kind: policy.Email, Address: login, ProvedAt: proved(2), Health: health(), AwaitsProof: one(10)})
	}
	if one(2) {
		all = append(all, method.Method{
			Kind: policy.SMS, Address: "+6149157" + strconv.Itoa(1000+n), ProvedAt: proved(2), Health: health(),
			UnprovedSent: 3 * dice.IntN(2), Pending: one(8),
		})
	}
	if one(4) {
		all = append(all, method.Method{Kind: policy.TOTP, ProvedAt: proved(6)})
	}
	if one(4) {
		all = append(all, method.Method{Kind: policy.Passkey, ProvedAt: proved(6)})
	}
	if one(4) {
		all = append(all, method.Method{Kind: policy.Recovery})
	}
	return all
}

// signIn types the right password and gives what the person sees, without what is another
// for everybody: tokens, names, addresses and the moment.
func (w *world) signIn(t *testing.T, who user.User, s site.Site) string {
	t.Helper()
	next := w.try(t, string(who.Login), rightPassword, home)
	seen := fmt.Sprintf("%s %q, attempt %t, session %t", next.Step, next.Wrong, next.Attempt != "", next.Session != "")
	if next.Attempt == "" {
		return seen
	}
	v := w.view(t, next.Attempt)
	seen += fmt.Sprintf("; %s %s, remembered %t, code %t\n%s", v.Step, v.Kind, !v.RememberUntil.IsZero(), v.Code != nil, decided(v.Decision))
	return strings.ReplaceAll(seen, s.Ref, "")
}

// decided is what shows of a decision, without whose it is.
func decided(d policy.Decision) string {
	var words []string
	for _, o := range d.Offered {
		words = append(words, fmt.Sprintf("offers %s %t", o.Kind, o.Proved))
	}
	for _, off := range d.NotOffered {
		words = append(words, fmt.Sprintf("not %s: %s, ask %s", off.Kind, off.Key, off.Fix))
	}
	for _, r := range d.Reasons {
		words = append(words, "because "+string(r.Key))
	}
	return fmt.Sprintf("%s, begins with %q, help %q\n%s", d.Outcome, d.Default, d.Help, strings.Join(words, "\n"))
}

// written are the rows of everything but what is kept of sign-ins.
func (w *world) written(t *testing.T) map[string]string {
	t.Helper()
	rows := map[string]string{}
	for _, table := range []string{
		"attempts", "challenges", "codes", "sessions", "known_places", "messages", "message_steps", "notices", "devices",
		"river_job", "sms_entries", "sms_holds",
	} {
		rows[table] = texts(t, w.db, `SELECT CAST(COUNT(*) AS TEXT) FROM `+table)[0]
	}
	rows["audit_events"] = strings.Join(texts(t, w.db, `SELECT kind || ' ' || CAST(COUNT(*) AS TEXT) FROM audit_events GROUP BY kind ORDER BY kind`), "\n")
	return rows
}

// Everybody of a crowd signs in three times: at a site that has nothing to do with Xero, at
// its like that is preparing, and there again when its date has come. Before the date
// nothing differs from the first, and what was seen in shadow is what the date brings.
func TestEnforcementInShadowChangesNothingAndIsWhatTheDateBrings(t *testing.T) {
	t.Parallel()
	people := map[db.Engine]int{db.SQLite: 70, db.Postgres: 12}
	if os.Getenv("KEYTURN_TEST_SOAK") != "" {
		people = map[db.Engine]int{db.SQLite: 10_000, db.Postgres: 1_000}
	}
	for engine, many := range people {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			keys, err := secret.Memory()
			if err != nil {
				t.Fatal(err)
			}
			w := open(t, dbtest.Fresh(t, engine), keys)
			c := w.crowd(t, many)
			seenBy := func(half int) (seen []string, written map[string]string) {
				before := w.written(t)
				for n, who := range c.people[half] {
					seen = append(seen, w.signIn(t, who, c.sites[half][c.at[n]]))
				}
				return seen, grown(t, before, w.written(t))
			}
			first, wroteFirst := seenBy(free)
			second, wroteSecond := seenBy(shadowed)
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("in shadow something shows:\n%s", diff)
			}
			if diff := cmp.Diff(wroteFirst, wroteSecond); diff != "" {
				t.Errorf("in shadow something else is written or sent:\n%s", diff)
			}
			w.holdsLive(t, c)
		})
	}
}

// grown is by how much the rows have grown.
func grown(t *testing.T, before, after map[string]string) map[string]string {
	t.Helper()
	count := func(rows map[string]string) map[string]int {
		all := map[string]int{}
		for table, text := range rows {
			for line := range strings.Lines(table + " " + strings.ReplaceAll(text, "\n", "\n"+table+" ")) {
				words := strings.Fields(line)
				if n, err := strconv.Atoi(words[len(words)-1]); err == nil {
					all[strings.Join(words[:len(words)-1], " ")] = n
				}
			}
		}
		return all
	}
	was, diff := count(before), map[string]string{}
	for name, n := range count(after) {
		if n != was[name] {
			diff[name] = strconv.Itoa(n - was[name])
		}
	}
	return diff
}

// holdsLive brings the date, has everybody sign in again, and holds the shadows against it.
func (w *world) holdsLive(t *testing.T, c *crowd) {
	t.Helper()
	shadows := w.shadows(t)
	for _, s := range c.sites[shadowed] {
		w.date(t, s, w.db.Clock.Now())
	}
	tally := map[string]int{}
	for n, who := range c.people[shadowed] {
		shadow, there := shadows[who.ID]
		next := w.try(t, string(who.Login), rightPassword, home)
		if !there || next.Attempt == "" {
			t.Fatalf("%s was seen %t, and is let in: %+v", who.Login, there, next)
		}
		live := w.view(t, next.Attempt).Decision
		if got := inShadow(live); got != shadow {
			t.Errorf("person %d: in shadow\n%s\nand live\n%s", n, shadow, got)
		}
		tally[live.Outcome.String()]++
	}
	t.Logf("%d people: the shadow said of each what the date brought: %v", len(c.people[shadowed]), tally)
	if tally["ask"] == 0 || tally["enrol"] == 0 {
		t.Errorf("a crowd of one kind: %v", tally)
	}
	var stuck int
	for _, s := range c.sites[shadowed] {
		all, err := plan.WouldBeStuck(t.Context(), w.db, s.ID, w.db.Clock.Now().Add(-plan.Lately))
		if err != nil {
			t.Fatal(err)
		}
		stuck += len(all)
	}
	if stuck != tally["enrol"] {
		t.Errorf("%d would be stuck, and %d are", stuck, tally["enrol"])
	}
}

// shadows are what is kept of each person, in words.
func (w *world) shadows(t *testing.T) map[id.User]string {
	t.Helper()
	all := map[id.User]string{}
	for _, line := range texts(t, w.db, `
		SELECT user_id || '|' || outcome || '|' || offered || '|' || usual || '|' || lacks || '|' || reasons FROM plan_shadows`) {
		who, words, _ := strings.Cut(line, "|")
		all[id.User(who)] = words
	}
	return all
}

// inShadow is a decision in the words in which a shadow is kept.
func inShadow(d policy.Decision) string {
	var offered, lacks, reasons []string
	for _, o := range d.Offered {
		offered = append(offered, string(o.Kind))
	}
	for _, off := range d.NotOffered {
		if !slices.Contains(lacks, string(off.Key)) {
			lacks = append(lacks, string(off.Key))
		}
	}
	for _, r := range d.Reasons {
		reasons = append(reasons, string(r.Key))
	}
	return strings.Join([]string{
		d.Outcome.String(), strings.Join(slices.Compact(offered), " "), string(d.Default), strings.Join(lacks, " "), strings.Join(reasons, " "),
	}, "|")
}
