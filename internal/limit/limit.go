package limit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/internal/db"
)

// Budget is a rule: at most Cap uses of a subject inside any Window.
type Budget struct {
	// Name tells the budgets of one subject apart, in rows and in answers: letters,
	// digits, hyphens and dots. Renaming one forgets what was used of it.
	Name string
	// Cap is the most uses in any window, 1 or more.
	Cap int
	// Window is the length of the window, one second or more, in whole microseconds.
	Window time.Duration
	// Kept is how many of the uses are left for known places, less than Cap: unknown
	// uses stop at Cap−Kept, known ones go on to Cap. Known uses take nothing of the
	// unknown ones' share before all of Cap is used.
	Kept int
}

// Charge is one budget applied to one subject.
type Charge struct {
	// Budget is the rule.
	Budget Budget
	// Subject is whom it counts: an id, several ids joined, a country, "system", or what
	// Subject makes of a login name, address or network. Visible ASCII, at most 200
	// bytes, never a raw login name, address or number: "@" and "+" are refused.
	Subject string
	// Known says that the use comes from a browser or network where this user completed
	// a sign-in lately: the part that is kept is for it.
	Known bool
	// At is for GiveBack: the moment of the use to undo (Answer.At). The zero time is the
	// newest use of the same sort, which is right where no other take can lie between.
	At time.Time
}

// Answer is what Take and Peek say.
type Answer struct {
	// OK says that every budget had room.
	OK bool
	// Retry is when the last of the refusing budgets frees: at that moment a take is
	// accepted, unless another was first. Zero when OK.
	Retry time.Time
	// Budget is the name of the budget that frees last. Empty when OK.
	Budget string
	// At is the moment of the uses, for giving them back in a later transaction. Zero
	// when not OK.
	At time.Time
	// Left is how many uses the budget that has fewest has left after this one, and More
	// when it has one more than that: a moment ahead. Both are zero when not OK.
	Left int
	More time.Time
}

// Take charges every budget with one use at the transaction's moment, or none of them:
// where one refuses, no use is written at all. Two charges of the same budget and
// subject are two uses.
//
// The rows stay taken until the transaction ends, so nothing slow may follow. All that
// a transaction charges belongs into one Take: rows taken by a second one come out of
// order, and the engine then has to break deadlocks.
func Take(ctx context.Context, tx *db.Tx, charges ...Charge) (Answer, error) {
	rows, err := locked(ctx, tx, charges)
	if err != nil {
		return Answer{}, err
	}
	now := tx.Now.UnixMicro()
	answer := judge(rows, charges, now)
	if answer.OK {
		for _, r := range rows {
			r.uses, r.changed = r.next, true
		}
	}
	if err := write(ctx, tx, rows); err != nil {
		return Answer{}, err
	}
	return answer, nil
}

// GiveBack undoes one use of every charge: of a guess or a password that was right. A
// use that is not there any more, because its window has passed, is no error. A use is
// only given back as what it was taken as, known or unknown.
func GiveBack(ctx context.Context, tx *db.Tx, charges ...Charge) error {
	rows, err := locked(ctx, tx, charges)
	if err != nil {
		return err
	}
	for _, c := range charges {
		r := rows[c.key()]
		if less, was := r.uses.without(c); was {
			r.uses, r.changed = less, true
		}
	}
	return write(ctx, tx, rows)
}

// Peek says what Take would answer at the moment now, and changes nothing. It is for
// refusing early and cheaply; only Take decides.
func Peek(ctx context.Context, from db.Reader, now time.Time, charges ...Charge) (Answer, error) {
	rows, err := blank(charges)
	if err != nil {
		return Answer{}, err
	}
	var found []stored
	if len(rows) > 0 {
		if found, err = look(ctx, from, slices.Sorted(maps.Keys(rows))); err != nil {
			return Answer{}, fmt.Errorf("look at the budgets: %w", err)
		}
	}
	if err := fill(rows, found, now.UnixMicro()); err != nil {
		return Answer{}, err
	}
	return judge(rows, charges, now.UnixMicro()), nil
}

// peekMost is how many budgets one statement of PeekEach asks for.
const peekMost = 400

// PeekEach is Peek for many groups of charges that share no budget of one subject: each
// is answered by itself, with one statement for all where they are few.
func PeekEach(ctx context.Context, from db.Reader, now time.Time, groups [][]Charge) ([]Answer, error) {
	rows, err := blank(slices.Concat(groups...))
	if err != nil {
		return nil, err
	}
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(rows)), peekMost) {
		found, err := look(ctx, from, keys)
		if err != nil {
			return nil, fmt.Errorf("look at the budgets: %w", err)
		}
		if err := fill(rows, found, now.UnixMicro()); err != nil {
			return nil, err
		}
	}
	answers := make([]Answer, len(groups))
	for i, charges := range groups {
		answers[i] = judge(rows, charges, now.UnixMicro())
	}
	return answers, nil
}

// Sweep drops up to limit rows whose uses have all left their window, and says how
// many. It is to be run again soon when it says limit.
func Sweep(ctx context.Context, tx *db.Tx, limit int) (int, error) {
	n, err := sweep(ctx, tx, limit)
	if err != nil {
		return 0, fmt.Errorf("sweep the budgets: %w", err)
	}
	return int(n), nil
}

// row is one budget of one subject while it is worked on.
type row struct {
	budget  Budget
	uses    uses // as stored, less what nothing can count any more
	next    uses // with the uses that are being taken
	changed bool // uses has to be written
}

// key is the row's key. A name has no slash, so no two pairs make the same key.
func (c Charge) key() string { return c.Budget.Name + "/" + c.Subject }

// locked takes the rows of the charges and reads them.
func locked(ctx context.Context, tx *db.Tx, charges []Charge) (map[string]*row, error) {
	rows, err := blank(charges)
	if err != nil || len(rows) == 0 {
		return rows, err
	}
	now := tx.Now.UnixMicro()
	found, err := lock(ctx, tx, slices.Sorted(maps.Keys(rows)), now)
	if err != nil {
		return nil, fmt.Errorf("take the budgets: %w", err)
	}
	return rows, fill(rows, found, now)
}

// blank makes a row for every key, and refuses charges that cannot be kept.
func blank(charges []Charge) (map[string]*row, error) {
	rows := make(map[string]*row, len(charges))
	for _, c := range charges {
		if err := c.sound(); err != nil {
			return nil, fmt.Errorf("budget %q: %w", c.Budget.Name, err)
		}
		rows[c.key()] = &row{budget: c.Budget}
	}
	return rows, nil
}

func fill(rows map[string]*row, found []stored, now int64) error {
	for _, f := range found {
		r, mine := rows[f.key]
		if !mine {
			return fmt.Errorf("budgets: a row that was not asked for")
		}
		read, err := parse(f.uses)
		if err != nil {
			return fmt.Errorf("budget %q: %w", r.budget.Name, err)
		}
		r.uses, r.changed = read.settled(r.budget, now)
		r.next = r.uses
	}
	return nil
}

// judge asks every budget in turn, and puts the uses into next.
func judge(rows map[string]*row, charges []Charge, now int64) Answer {
	var latest int64
	answer := Answer{OK: true}
	for _, c := range charges {
		r := rows[c.key()]
		frees, full := r.next.full(c.Budget, now, c.Known)
		if !full {
			r.next = r.next.with(c.Budget, now, c.Known)
			continue
		}
		if answer.OK || frees > latest {
			latest, answer = frees, Answer{Retry: time.UnixMicro(frees).UTC(), Budget: c.Budget.Name}
		}
	}
	if answer.OK {
		answer.At = time.UnixMicro(now).UTC()
		answer.Left, answer.More = least(rows, charges, now)
	}
	return answer
}

// least is what is left of the budget that has fewest, and when it has more.
func least(rows map[string]*row, charges []Charge, now int64) (left int, more time.Time) {
	for i, c := range charges {
		n, frees := rows[c.key()].next.left(c.Budget, now, c.Known)
		if i == 0 || n < left {
			left, more = n, time.UnixMicro(frees).UTC()
		}
	}
	return left, more
}

// write stores the rows that changed.
func write(ctx context.Context, tx *db.Tx, rows map[string]*row) error {
	var changed []stored
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if r := rows[key]; r.changed {
			changed = append(changed, stored{key: key, uses: r.uses.text(), idleAt: r.uses.idleAt(r.budget, tx.Now.UnixMicro())})
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := save(ctx, tx, changed); err != nil {
		return fmt.Errorf("write the budgets: %w", err)
	}
	return nil
}

const subjectMost = 200

var (
	errBudget  = errors.New("it needs a name, a cap of 1 or more, a window of a second or more in whole microseconds, and less kept than the cap")
	errSubject = errors.New("its subject must be 1 to 200 bytes of visible ASCII without @ and +; make one of a name or an address with limit.Subject")
)

func (c Charge) sound() error {
	b := c.Budget
	if b.Name == "" || strings.ContainsFunc(b.Name, notOfNames) ||
		b.Cap < 1 || b.Kept < 0 || b.Kept >= b.Cap ||
		b.Window < time.Second || b.Window%time.Microsecond != 0 {
		return errBudget
	}
	if c.Subject == "" || len(c.Subject) > subjectMost || strings.ContainsFunc(c.Subject, notOfSubjects) {
		return errSubject
	}
	return nil
}

func notOfNames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
}

func notOfSubjects(r rune) bool { return r <= ' ' || r > '~' || r == '@' || r == '+' }
