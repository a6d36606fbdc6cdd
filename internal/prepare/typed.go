package prepare

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// testCode is one test code.
type testCode struct {
	user                   id.User
	id                     id.Code
	site                   id.Site
	method                 id.Method
	message                id.Message
	kind                   policy.MethodKind
	mac                    []byte
	userEpoch, memberEpoch int64
	madeAt, expiresAt      time.Time
	usedAt                 time.Time
	wrong                  int
	ended                  bool
}

// parts bind a code to the user, the site and the address, and its purpose is no other's
// (I2): typed anywhere else it is none.
func (c testCode) parts(digits string) []string {
	return []string{string(c.user), string(c.site), string(c.id), string(c.method), digits}
}

// live says that the code can still be right.
func (c testCode) live(now time.Time) bool {
	return !c.ended && c.usedAt.IsZero() && now.Before(c.expiresAt) && c.wrong < limit.GuessesPerCode
}

// TypeTest compares what a member typed, who is in at the site, with the test code that an
// admin sent them. The right one proves the address it went to, as the rehearsal does: it
// opens nothing, takes no mark away and makes nothing a way in that was none. So it asks for
// no fresh proof: the code is one. fault.NotFound if the session is over.
func (d *Desk) TypeTest(ctx context.Context, by authority.Bearer, typed string) (did Tested, err error) {
	digits, formed := sixDigits(typed)
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		did = Tested{}
		who, err := user.Hold(ctx, tx, by.User.ID)
		if err != nil {
			return fmt.Errorf("hold a user: %w", err)
		}
		by.User = who
		if err := authority.Present(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		if !formed {
			did.Refused = WrongForm
			return nil
		}
		live, old, err := d.tests(ctx, tx, tx.Now, by)
		if err != nil {
			return err
		}
		// An old code costs no guess: it can never be right, so nothing is learned by it.
		for _, c := range old {
			if d.matches(c, digits) && (live == nil || !d.matches(*live, digits)) {
				did = Tested{Refused: StaleCode, Kind: c.kind}
				return d.staleTest(ctx, tx, by, c)
			}
		}
		if live == nil {
			did.Refused = NoCode
			return nil
		}
		did, err = d.tryTest(ctx, tx, by, *live, digits)
		return err
	})
	return did, err
}

// tests are the one live code of somebody at the site of their session, and the others.
func (d *Desk) tests(ctx context.Context, from db.Reader, now time.Time, by authority.Bearer) (live *testCode, old []testCode, err error) {
	all, err := testsOf(ctx, from, by.Session.Site, by.User.ID)
	if err != nil {
		return nil, nil, fmt.Errorf("read test codes: %w", err)
	}
	for _, c := range all {
		ofUser, ofMember, err := epochs(ctx, from, c)
		if err != nil {
			return nil, nil, err
		}
		if live == nil && c.live(now) && c.userEpoch == ofUser && c.memberEpoch == ofMember {
			live = &c
			continue
		}
		if now.Sub(c.expiresAt) < keepStale {
			old = append(old, c)
		}
	}
	return live, old, nil
}

// keepStale is how long whoever types an old code is told that it is one.
const keepStale = time.Hour

func (d *Desk) matches(c testCode, digits string) bool {
	return d.Keys.Matches(c.mac, testCodePurpose, c.parts(digits)...)
}

func (d *Desk) staleTest(ctx context.Context, tx *db.Tx, by authority.Bearer, c testCode) error {
	if err := d.Post.Typed(ctx, tx, c.user, c.message, true); err != nil {
		return err
	}
	return recordTest(ctx, tx, by, c, audit.CodeStale)
}

func (d *Desk) tryTest(ctx context.Context, tx *db.Tx, by authority.Bearer, c testCode, digits string) (Tested, error) {
	did := Tested{Kind: c.kind}
	m, err := method.ByID(ctx, tx, c.user, c.method)
	if errors.Is(err, fault.NotFound) {
		did.Refused = NoCode
		return did, nil
	}
	if err != nil {
		return did, fmt.Errorf("find a method: %w", err)
	}
	marked, err := d.marked(ctx, tx, tx.Now, by)
	if err != nil {
		return did, err
	}
	switch {
	case marked:
		did.Refused = Marked
	case m.Pending || m.AwaitsProof || m.Spent():
		did.Refused = Awaits
	}
	if did.Refused != "" {
		return did, nil
	}
	known, err := session.Known(ctx, tx, c.user, by.Place, tx.Now)
	if err != nil {
		return did, fmt.Errorf("look for a known place: %w", err)
	}
	charges := method.Guesses(c.user, c.method, known)
	answer, err := limit.Take(ctx, tx, charges...)
	if err != nil {
		return did, err
	}
	if !answer.OK {
		did.Refused, did.Retry = Resting, answer.Retry
		return did, nil
	}
	if !d.matches(c, digits) {
		did.Refused = WrongCode
		return did, missedTest(ctx, tx, by, c)
	}
	for i := range charges {
		charges[i].At = answer.At
	}
	if err := limit.GiveBack(ctx, tx, charges...); err != nil {
		return did, err
	}
	return did, d.provedTest(ctx, tx, by, c, m)
}

// marked says whether a reset by email still stands against the ways of somebody: then a
// code of a mailbox, or of a number that nobody had proved before, proves nothing.
func (d *Desk) marked(ctx context.Context, from db.Reader, now time.Time, by authority.Bearer) (bool, error) {
	if by.User.ResetMarkAt.IsZero() {
		return false, nil
	}
	facts, err := d.Ready.Standing.Of(ctx, from, now, standing.Asker{
		User: by.User, Sites: []id.Site{by.Session.Site}, Client: policy.Client{Kind: policy.ClientWeb}, Place: by.Place,
	})
	if err != nil {
		return false, fmt.Errorf("read the facts of a user: %w", err)
	}
	_, level := policy.MayChange(facts, policy.Proof{}, policy.AddMethod, now)
	return level == 0, nil
}

// missedTest counts a wrong try, of the code and of the address.
func missedTest(ctx context.Context, tx *db.Tx, by authority.Bearer, c testCode) error {
	if err := countWrongTest(ctx, tx, c); err != nil {
		return fmt.Errorf("count a wrong try: %w", err)
	}
	if c.wrong+1 >= limit.GuessesPerCode {
		if err := message.Drop(ctx, tx, c.user, c.message); err != nil {
			return err
		}
	}
	if err := method.Missed(ctx, tx, c.user, c.method); err != nil {
		return fmt.Errorf("count a wrong try: %w", err)
	}
	return recordTest(ctx, tx, by, c, audit.CodeWrong)
}

// provedTest uses the code up, and proves the address.
func (d *Desk) provedTest(ctx context.Context, tx *db.Tx, by authority.Bearer, c testCode, m method.Method) error {
	if err := useTest(ctx, tx, c); err != nil {
		return fmt.Errorf("use a test code: %w", err)
	}
	if err := d.Post.Typed(ctx, tx, c.user, c.message, false); err != nil {
		return err
	}
	if err := message.Drop(ctx, tx, c.user, c.message); err != nil {
		return err
	}
	if err := method.Prove(ctx, tx, c.user, c.method); err != nil {
		return err
	}
	if err := recordTest(ctx, tx, by, c, audit.TestCodeTyped); err != nil {
		return err
	}
	if !m.ProvedAt.IsZero() {
		return nil
	}
	return recordTest(ctx, tx, by, c, audit.MethodProved)
}

func recordTest(ctx context.Context, tx *db.Tx, by authority.Bearer, c testCode, kind audit.Kind) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: kind, Actor: by.Actor(), User: c.user, Site: c.site,
		Facts: map[string]string{"method": string(c.method), "kind": string(c.kind), "message": string(c.message)},
	})
}

// Waiting says to which kind of address a test code went that somebody can type now at the
// site of their session; empty: none waits.
func (d *Desk) Waiting(ctx context.Context, by authority.Bearer) (policy.MethodKind, error) {
	live, _, err := d.tests(ctx, d.DB, d.DB.Clock.Now(), by)
	if err != nil || live == nil {
		return "", err
	}
	return live.kind, nil
}

// Sent is the latest test code that went to one kind of address of a member.
type Sent struct {
	Kind policy.MethodKind
	At   time.Time
	// Until is how long it can be typed; TypedAt is when it was, zero: it was not.
	Until, TypedAt time.Time
	// Open says that it can still be typed.
	Open bool
}

// TestsOf gives what became of the latest test codes of a member, one for each kind of
// address that is theirs still.
func (d *Desk) TestsOf(ctx context.Context, at id.Site, whom id.User) (sent []Sent, err error) {
	now := d.DB.Clock.Now()
	all, err := testsOf(ctx, d.DB, at, whom)
	if err != nil {
		return nil, fmt.Errorf("read test codes: %w", err)
	}
	seen := map[policy.MethodKind]bool{}
	for _, c := range all {
		if seen[c.kind] {
			continue
		}
		seen[c.kind] = true
		if _, err := method.ByID(ctx, d.DB, whom, c.method); errors.Is(err, fault.NotFound) {
			continue // it went to an address of before
		} else if err != nil {
			return nil, fmt.Errorf("find a method: %w", err)
		}
		sent = append(sent, Sent{Kind: c.kind, At: c.madeAt, Until: c.expiresAt, TypedAt: c.usedAt, Open: c.live(now)})
	}
	return sent, nil
}

// keepTests is how long it is known what became of a test code.
const keepTests = 14 * 24 * time.Hour

// Sweep removes test codes that are long over, limit at most at once.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweepTests(ctx, tx, tx.Now.Add(-keepTests), limit); err != nil {
		return fmt.Errorf("sweep test codes: %w", err)
	}
	return nil
}

// sixDigits reads what was typed: six ASCII digits, spaces among them are ignored.
func sixDigits(typed string) (string, bool) {
	digits := strings.ReplaceAll(typed, " ", "")
	if len(digits) != testDigits {
		return "", false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "", false
		}
	}
	return digits, true
}
