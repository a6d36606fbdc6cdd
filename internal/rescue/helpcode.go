package rescue

import (
	"context"
	"errors"
	"fmt"
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
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const (
	// helpCodeLife and helpCodeTries bound a code of 42 bits: of 5 tries one is right in
	// 10^12.
	helpCodeLife  = 15 * time.Minute
	helpCodeTries = 5
)

// helpCodeTyped is how often somebody may type a help code, over all codes and attempts:
// whoever has the password has no more tries for the codes being many. Half is kept for
// places where the user is known.
var helpCodeTyped = limit.Budget{Name: "helpcode.typed", Cap: 10, Window: time.Hour, Kept: 5}

// origin is who made a help code.
type origin string

const (
	fromAdmin origin = "admin"
	fromStaff origin = "staff"
)

// helpCode is a stored help code.
type helpCode struct {
	user      id.User
	id        id.HelpCode
	site      id.Site
	origin    origin
	givenBy   id.User
	mac       []byte
	madeAt    time.Time
	expiresAt time.Time
}

// Given is a code that was made, shown this once.
type Given struct {
	Code  string
	Until time.Time
	// ReadyAt is from when on it may be read, where the refusal is NotYet.
	ReadyAt time.Time
}

// GiveHelpCode makes a help code for a member who cannot be reached any other way, to be
// read out by the admin. It ends the one before. fault.NotFound for whoever is not a
// member of the admin's site.
func (d *Desk) GiveHelpCode(ctx context.Context, by authority.Bearer, whom id.User) (given Given, refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		given, refused = Given{}, ""
		at, err := authority.Admin(ctx, tx, tx.Now, by)
		if err != nil {
			return err
		}
		if whom == by.User.ID {
			refused = Oneself
			return nil
		}
		who, err := user.ByID(ctx, tx, whom)
		if err != nil {
			return fmt.Errorf("find a user: %w", err)
		}
		m, why, err := member(ctx, tx, who, at.Site)
		if err == nil && why == "" && m.Group.Rank() > at.Group.Rank() {
			why = AboveRank
		}
		if err == nil && why == "" {
			why, err = d.fresh(ctx, tx, by)
		}
		if err != nil || why != "" {
			refused = why
			return err
		}
		c := helpCode{user: who.ID, site: at.Site, origin: fromAdmin, givenBy: by.User.ID}
		given, err = d.makeHelpCode(ctx, tx, by, c, who)
		return err
	})
	return given, refused, err
}

func (d *Desk) makeHelpCode(ctx context.Context, tx *db.Tx, by authority.Bearer, c helpCode, who user.User) (Given, error) {
	// Two who make one at the same moment wait here: the later one ends the earlier one.
	if err := holdUser(ctx, tx, c.user); err != nil {
		return Given{}, fmt.Errorf("hold a user: %w", err)
	}
	if err := endHelpCodes(ctx, tx, c.user); err != nil {
		return Given{}, fmt.Errorf("end the help code before: %w", err)
	}
	shown, plain := newCode()
	c.id, c.madeAt, c.expiresAt = id.New[id.HelpCode](), tx.Now, tx.Now.Add(helpCodeLife)
	c.mac = d.Keys.MAC("help code", string(c.user), string(c.id), plain)
	if err := insertHelpCode(ctx, tx, c); err != nil {
		return Given{}, fmt.Errorf("store a help code: %w", err)
	}
	from := by.User.Name()
	if c.origin == fromStaff {
		from = d.VendorName
	}
	// Whoever reads the mailbox may be whom it lets in: a proved number is told as well.
	n := message.Notice{Site: c.site, Kind: message.HelpCodeGiven, Words: map[string]string{"by": from}, Changed: policy.Email}
	if err := d.tellBoth(ctx, tx, n, who, by.User.ID); err != nil {
		return Given{}, err
	}
	return Given{Code: shown, Until: c.expiresAt}, audit.Record(ctx, tx, audit.Event{
		Kind: audit.HelpCodeGiven, Actor: by.Actor(), User: c.user, Site: c.site,
		Facts: map[string]string{"help_code": string(c.id), "origin": string(c.origin)},
	})
}

// HelpTyped is what comes of typing a help code.
type HelpTyped struct {
	// OK says that the attempt is an enrol-only session now.
	OK bool
	// Gone says that the attempt has ended: sign in again. The code is as good as before.
	Gone bool
	// Wrong is WrongForm, WrongCode or TooMany. Whoever has no help code is told the same
	// as whoever types a wrong one.
	Wrong Refused
	// Retry is when it may be tried again after TooMany.
	Retry time.Time
}

// WrongCode says that what was typed is not the person's help code. It cost a try.
const WrongCode Refused = "code"

// TypeHelpCode takes a help code from somebody who waits, made by an admin or by staff.
func (d *Desk) TypeHelpCode(ctx context.Context, w Waiting, typed string) (out HelpTyped, err error) {
	plain, ok := method.ReadHelpCode(typed)
	if !ok {
		return HelpTyped{Wrong: WrongForm}, nil
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		out, err = d.typeHelpCode(ctx, tx, w, plain)
		return err
	})
	return out, err
}

func (d *Desk) typeHelpCode(ctx context.Context, tx *db.Tx, w Waiting, plain string) (out HelpTyped, err error) {
	known, err := session.Known(ctx, tx, w.User, w.Place, tx.Now)
	if err != nil {
		return out, fmt.Errorf("look for a known place: %w", err)
	}
	charge := limit.Charge{Budget: helpCodeTyped, Subject: limit.Subject("help code", string(w.User)), Known: known}
	taken, err := limit.Take(ctx, tx, charge)
	if err != nil {
		return out, fmt.Errorf("take the budget of help codes: %w", err)
	}
	if !taken.OK {
		return HelpTyped{Wrong: TooMany, Retry: taken.Retry}, nil
	}
	// Counted as wrong before it is looked at: many at once have five tries together.
	c, err := tryHelpCode(ctx, tx, w.User)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return out, fmt.Errorf("find a help code: %w", err)
	}
	if err != nil || !d.Keys.Matches(c.mac, "help code", string(c.user), string(c.id), plain) {
		return HelpTyped{Wrong: WrongCode}, d.wrongHelpCode(ctx, tx, w)
	}
	r, counts, err := d.counts(ctx, tx, w, c)
	if err != nil {
		return out, err
	}
	if !counts {
		return HelpTyped{Wrong: WrongCode}, d.wrongHelpCode(ctx, tx, w)
	}
	by := ByHelpCode
	if c.origin == fromStaff {
		by = ByStaff
	}
	w.Site = c.site
	opened, err := d.open(ctx, tx, w, by, userActor(w.User, w.Place))
	if err != nil || !opened {
		return HelpTyped{Gone: !opened}, err
	}
	if err := limit.GiveBack(ctx, tx, charge); err != nil {
		return out, fmt.Errorf("give a try back: %w", err)
	}
	return HelpTyped{OK: true}, d.usedHelpCode(ctx, tx, w, c, r)
}

// counts says whether a right code still opens anything: whoever gave it must still be
// one who may, the user still one whom they may help, and a recovery must have come to its
// time. It gives the recovery.
func (d *Desk) counts(ctx context.Context, tx *db.Tx, w Waiting, c helpCode) (r Recovery, ok bool, err error) {
	may, err := mayStillGive(ctx, tx, c)
	if err != nil || !may {
		return r, false, err
	}
	if c.origin == fromStaff {
		r, err = takeOpenRecovery(ctx, tx, w.User)
		if errors.Is(err, fault.NotFound) {
			return r, false, nil
		}
		if err != nil {
			return r, false, fmt.Errorf("find a recovery: %w", err)
		}
		refused, err := r.byStaff(ctx, tx)
		return r, refused == "" && r.Ready(tx.Now), err
	}
	who, err := user.ByID(ctx, tx, w.User)
	if err != nil {
		return r, false, fmt.Errorf("find a user: %w", err)
	}
	_, refused, err := member(ctx, tx, who, c.site)
	if errors.Is(err, fault.NotFound) {
		return r, false, nil
	}
	return r, refused == "", err
}

// mayStillGive says whether whoever gave a code may give one at the moment of its use: an
// active office Admin of the code's site, or one of staff. A code lives no longer than the
// right to give it, however that ended.
func mayStillGive(ctx context.Context, from *db.Tx, c helpCode) (bool, error) {
	if c.origin == fromAdmin {
		return site.IsAdmin(ctx, from, from.Now, c.site, c.givenBy)
	}
	giver, err := user.ByID(ctx, from, c.givenBy)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find who gave a help code: %w", err)
	}
	return giver.Staff, nil
}

func (d *Desk) wrongHelpCode(ctx context.Context, tx *db.Tx, w Waiting) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.HelpCodeWrong, Actor: userActor(w.User, w.Place), User: w.User, Site: w.Site,
	})
}

func (d *Desk) usedHelpCode(ctx context.Context, tx *db.Tx, w Waiting, c helpCode, r Recovery) error {
	if err := useHelpCode(ctx, tx, c); err != nil {
		return fmt.Errorf("use a help code: %w", err)
	}
	err := audit.Record(ctx, tx, audit.Event{
		Kind: audit.HelpCodeUsed, Actor: userActor(w.User, w.Place), User: w.User, Site: c.site,
		Facts: map[string]string{"help_code": string(c.id), "origin": string(c.origin)},
	})
	if err != nil || c.origin != fromStaff {
		return err
	}
	return d.recovered(ctx, tx, w, r)
}

// openFor is how long an enrol-only session is open after an approval or a help code: what
// was opened before is over by itself (product.md, Numbers).
const openFor = 15 * time.Minute

// EndGivenBy ends what an admin of a site gave to others: the help codes that nobody has
// used, and the enrol-only sessions that their help codes and approvals opened and in which
// nothing was added yet. They have left, or run the site no more. The caller holds the site.
func (d *Desk) EndGivenBy(ctx context.Context, tx *db.Tx, at id.Site, by id.User) error {
	// First the codes: one that is being used at this moment is used, or ended here.
	if err := endGivenBy(ctx, tx, at, by); err != nil {
		return fmt.Errorf("end the help codes of an admin: %w", err)
	}
	open, err := letInBy(ctx, tx, at, by, tx.Now.Add(-openFor))
	if err != nil {
		return fmt.Errorf("find whom an admin let in: %w", err)
	}
	for _, one := range open {
		if err := d.ShutEnrols(ctx, tx, one.user, one.by); err != nil {
			return err
		}
	}
	return nil
}
