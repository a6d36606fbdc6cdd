package balance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// settleAfter is how long a hold waits for word from the provider. Providers report for
// a day at most, and then the message counts as sent (invariant 26).
const settleAfter = 24 * time.Hour

// NoAnswer is the reference of a charge that no provider's word led to: 24 hours passed.
const NoAnswer = "no_answer"

// Ask is what one hand-over of a message to a provider needs.
type Ask struct {
	Site id.Site
	// User is whom the message is for.
	User id.User
	// Message and Try name the hand-over: each has one hold.
	Message id.Message
	Try     int
	// Parts is how many the text has, 1 or more.
	Parts int
	// Admin says that the parts of the float may be used: the user is an active office
	// admin of the site, who has not had their share today (FloatUsed).
	Admin bool
}

// Reserve holds parts for a hand-over; ok is false, and nothing is held, if there are
// not enough of them. A second hold for the same hand-over is fault.Conflict.
func Reserve(ctx context.Context, tx *db.Tx, a Ask) (id.Hold, bool, error) {
	if a.Parts < 1 || a.Message == "" {
		return "", false, fmt.Errorf("reserve SMS parts: a message and at least one part: %w", fault.Invalid)
	}
	kept := 0
	if !a.Admin {
		var err error
		if kept, err = keptBack(ctx, tx, tx.Now, a.Site); err != nil {
			return "", false, err
		}
	}
	after, ok, err := spend(ctx, tx, a.Site, change{available: -a.Parts, held: a.Parts, kept: kept})
	if err != nil || !ok {
		return "", false, err
	}
	which := id.New[id.Hold]()
	if err := insertHold(ctx, tx, which, a); err != nil {
		return "", false, fmt.Errorf("hold SMS parts: %w", err)
	}
	if err := write(ctx, tx, a.Site, after, Entry{Kind: Held, Parts: a.Parts, Hold: which, User: a.User}); err != nil {
		return "", false, fmt.Errorf("enter a hold: %w", err)
	}
	return which, true, nil
}

// spend moves parts if there are enough above what is kept.
func spend(ctx context.Context, tx *db.Tx, which id.Site, c change) (after stand, ok bool, err error) {
	after, err = move(ctx, tx, which, c)
	if err == nil {
		return after, true, nil
	}
	if !errors.Is(err, fault.NotFound) {
		return after, false, fmt.Errorf("reserve SMS parts: %w", err)
	}
	// Too few, or no row yet. A row that another node made just now counts: it is asked
	// again, with the row taken.
	now, err := take(ctx, tx, which)
	if err != nil {
		return now, false, fmt.Errorf("open the SMS account: %w", err)
	}
	if now.available+c.available < c.kept {
		return now, false, nil
	}
	if after, err = move(ctx, tx, which, c); err != nil {
		return after, false, fmt.Errorf("reserve SMS parts: %w", err)
	}
	return after, true, nil
}

// Charge settles a hold by the parts that the message really was: what was held and not
// needed goes back. Parts beyond the hold are taken as far as there are any, since a
// balance is never below zero; the entry then says "2 of 3 parts". With parts 0 the
// provider did not say, and it is as many as are held.
//
// moved is false if the hold was settled before, however that was. A hold that the site
// does not have is fault.NotFound.
func Charge(ctx context.Context, tx *db.Tx, at id.Site, which id.Hold, parts int) (moved bool, err error) {
	if parts < 0 {
		return false, fmt.Errorf("charge an SMS: less than no parts: %w", fault.Invalid)
	}
	return charge(ctx, tx, at, which, bill{parts: parts})
}

// bill is what a hold is charged.
type bill struct {
	parts     int // 0 for as many as are held
	reference string
}

func charge(ctx context.Context, tx *db.Tx, at id.Site, which id.Hold, b bill) (bool, error) {
	s, h, err := takeHold(ctx, tx, at, which)
	if err != nil || h.state != held {
		return false, err
	}
	if b.parts == 0 {
		b.parts = h.parts
	}
	really := min(b.parts, h.parts+s.available)
	facts := map[string]string{"parts": strconv.Itoa(really), "message": string(h.message)}
	if really < b.parts {
		b.reference = fmt.Sprintf("%d of %d parts", really, b.parts)
		facts["used"] = strconv.Itoa(b.parts)
	}
	err = settle(ctx, tx, h, settlement{
		to: charged, charged: really,
		change: change{available: h.parts - really, held: -h.parts},
		entry:  Entry{Kind: Charged, Parts: really, Reference: b.reference},
	})
	if err != nil {
		return false, err
	}
	return true, audit.Record(ctx, tx, audit.Event{
		Kind: audit.SMSCharged, Actor: audit.Actor{Kind: audit.ActorSystem, ID: "balance"},
		Site: at, User: h.user, Facts: facts,
	})
}

// Release gives a hold back, because the provider did not accept the message, or it was
// never handed over. moved is false if the hold was settled before, and fault.NotFound is
// a hold that the site does not have.
func Release(ctx context.Context, tx *db.Tx, at id.Site, which id.Hold) (moved bool, err error) {
	_, h, err := takeHold(ctx, tx, at, which)
	if err != nil || h.state != held {
		return false, err
	}
	return true, settle(ctx, tx, h, settlement{
		to:     released,
		change: change{available: h.parts, held: -h.parts},
		entry:  Entry{Kind: Released, Parts: h.parts},
	})
}

// Refund gives back what a hold was charged, because the provider did not take the
// message after all. moved is false unless the hold is charged, so it happens once;
// fault.NotFound is a hold that the site does not have.
func Refund(ctx context.Context, tx *db.Tx, at id.Site, which id.Hold) (moved bool, err error) {
	_, h, err := takeHold(ctx, tx, at, which)
	if err != nil || h.state != charged {
		return false, err
	}
	return true, settle(ctx, tx, h, settlement{
		to: refunded, charged: h.charged,
		change: change{available: h.charged},
		entry:  Entry{Kind: Refunded, Parts: h.charged},
	})
}

// SettleDue charges the holds of which nothing was heard for 24 hours, limit at most,
// and says how many. It is to be run again soon when it says limit.
func SettleDue(ctx context.Context, tx *db.Tx, limit int) (int, error) {
	all, err := due(ctx, tx, limit)
	if err != nil {
		return 0, fmt.Errorf("the SMS holds that are due: %w", err)
	}
	// In the order of the sites, so that two nodes take the accounts in one order.
	slices.SortStableFunc(all, func(a, b hold) int { return cmp.Compare(a.site, b.site) })
	n := 0
	for _, h := range all {
		moved, err := charge(ctx, tx, h.site, h.id, bill{reference: NoAnswer})
		if err != nil {
			return 0, err
		}
		if moved {
			n++
		}
	}
	return n, nil
}

// takeHold takes the account and reads the hold: what it says stays so until the end of
// the transaction, because every change of a hold takes its account first.
func takeHold(ctx context.Context, tx *db.Tx, at id.Site, which id.Hold) (stand, hold, error) {
	s, err := take(ctx, tx, at)
	if err != nil {
		return s, hold{}, fmt.Errorf("take the SMS account: %w", err)
	}
	h, err := holdByID(ctx, tx, at, which)
	if err != nil {
		return s, h, fmt.Errorf("the SMS hold: %w", err)
	}
	return s, h, nil
}

// settlement is how a hold ends.
type settlement struct {
	to      state
	charged int
	change  change
	entry   Entry
}

func settle(ctx context.Context, tx *db.Tx, h hold, how settlement) error {
	if err := settled(ctx, tx, h, how.to, how.charged); err != nil {
		return fmt.Errorf("settle an SMS hold: %w", err)
	}
	after, err := move(ctx, tx, h.site, how.change)
	if err != nil {
		return fmt.Errorf("settle an SMS hold in its account: %w", err)
	}
	how.entry.Hold, how.entry.User = h.id, h.user
	if err := write(ctx, tx, h.site, after, how.entry); err != nil {
		return fmt.Errorf("enter a settled SMS hold: %w", err)
	}
	return nil
}

// TopUpMost is the most parts of one top-up. A slip of the keyboard is no million.
const TopUpMost = 100_000

// TopUpOrder is parts that were bought for a site.
type TopUpOrder struct {
	Site  id.Site
	Parts int
	// By is who did it, ByName how the statement calls them.
	By     audit.Actor
	ByName string
	// Reference is the order's own, as on the invoice: 1 to 100 characters. It counts
	// once for each site.
	Reference string
}

func (o TopUpOrder) check() error {
	switch {
	case o.Parts < 1 || o.Parts > TopUpMost:
		return fmt.Errorf("a top-up has 1 to %d parts: %w", TopUpMost, fault.Invalid)
	case !written(o.Reference, 100):
		return fmt.Errorf("a top-up needs a reference of 1 to 100 characters in one line: %w", fault.Invalid)
	case o.ByName != "" && !written(o.ByName, 200):
		return fmt.Errorf("the name of who tops up has 200 characters at most, in one line: %w", fault.Invalid)
	}
	return nil
}

// written says whether a text is one line of up to most characters.
func written(text string, most int) bool {
	return strings.TrimSpace(text) != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= most &&
		!strings.ContainsFunc(text, unicode.IsControl)
}

// TopUp adds bought parts to a site's balance. done is false if the reference was counted
// before: nothing is added then, whatever the number. An order out of bounds is
// fault.Invalid, a site that there is not fault.NotFound.
func TopUp(ctx context.Context, tx *db.Tx, o TopUpOrder) (done bool, err error) {
	if err := o.check(); err != nil {
		return false, err
	}
	if _, err := take(ctx, tx, o.Site); err != nil {
		return false, fmt.Errorf("take the SMS account: %w", err)
	}
	again, err := counted(ctx, tx, o.Site, o.Reference)
	if err != nil || again {
		return false, err
	}
	after, err := move(ctx, tx, o.Site, change{available: o.Parts})
	if err != nil {
		return false, fmt.Errorf("top up the SMS account: %w", err)
	}
	e := Entry{Kind: ToppedUp, Parts: o.Parts, ByName: o.ByName, Reference: o.Reference}
	switch o.By.Kind {
	case audit.ActorUser, audit.ActorStaff:
		e.User = id.User(o.By.ID)
	case audit.ActorSystem, audit.ActorCommand, audit.ActorClient:
		e.ByName = cmp.Or(o.ByName, o.By.ID)
	}
	if err := write(ctx, tx, o.Site, after, e); err != nil {
		return false, fmt.Errorf("enter a top-up: %w", err)
	}
	if err := overLine(ctx, tx, o.Site, after); err != nil {
		return false, err
	}
	return true, audit.Record(ctx, tx, audit.Event{
		Kind: audit.SMSToppedUp, Actor: o.By, Site: o.Site,
		Facts: map[string]string{"parts": strconv.Itoa(o.Parts), "reference": o.Reference},
	})
}
