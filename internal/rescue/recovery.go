package rescue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const (
	// recoveryDelay is the time to say stop, for a user who had proved a method: whoever
	// holds it gets the word while it still helps.
	recoveryDelay = 24 * time.Hour
	// onFileFor is how long a number must have been on file to be called: whoever took the
	// account over last week is not called back on their own phone.
	onFileFor = 30 * 24 * time.Hour
	// recoveryLife is how long one waits to be confirmed, and from its time on to be used.
	recoveryLife = 7 * 24 * time.Hour
	// stopMailFor is how long the words about a stop are worth sending. The link itself
	// works for as long as the recovery is open.
	stopMailFor = 24 * time.Hour
)

// RecoveryState is where a recovery stands.
type RecoveryState string

// The states.
//
//	open ── another member confirms ──▶ waiting ── its time, a code, typed ──▶ done
//	  └──────────── stop ──▶ contested ◀── stop ──────┘
//	contested ── staff decide on papers ──▶ where it stood, or refused
const (
	RecoveryOpen      RecoveryState = "open"
	RecoveryWaiting   RecoveryState = "waiting"
	RecoveryContested RecoveryState = "contested"
	RecoveryDone      RecoveryState = "done"
	RecoveryRefused   RecoveryState = "refused"
	// RecoveryOver says that nobody went on with it.
	RecoveryOver RecoveryState = "over"
)

// Recovery is one way back in by staff, who call the person.
type Recovery struct {
	User    id.User
	ID      id.Recovery
	Site    id.Site
	State   RecoveryState
	BegunBy id.User
	BegunAt time.Time
	// Called is the number that was called back, empty if there was none on file; Reason
	// says why and how they know who it is.
	Called, Reason string
	ConfirmedBy    id.User
	ConfirmedAt    time.Time
	// ReadyAt is from when on a code may be read out.
	ReadyAt     time.Time
	ContestedAt time.Time
	DecidedBy   id.User
	DecidedAt   time.Time
	// Papers says what the decision rests on.
	Papers  string
	EndedAt time.Time
}

// Ready says whether a code may be read out, and typed.
func (r Recovery) Ready(now time.Time) bool {
	last := r.ReadyAt
	if r.DecidedAt.After(last) {
		last = r.DecidedAt // it could not be used while it was contested
	}
	return r.State == RecoveryWaiting && r.EndedAt.IsZero() && !now.Before(r.ReadyAt) && now.Before(last.Add(recoveryLife))
}

// Number is a number that a user has on file.
type Number struct {
	Method id.Method
	Number string
	Since  time.Time
	// Callable says that it was on file for long enough to be called back.
	Callable bool
}

// Numbers lists a user's numbers for the member of staff who calls, with those that were
// taken off the file in the last 30 days.
func (d *Desk) Numbers(ctx context.Context, who id.User) ([]Number, error) {
	return numbers(ctx, d.DB, who, d.DB.Clock.Now())
}

func numbers(ctx context.Context, from db.Reader, who id.User, now time.Time) ([]Number, error) {
	methods, err := held(ctx, from, who, now)
	if err != nil {
		return nil, err
	}
	var all []Number
	for _, m := range methods {
		known := slices.ContainsFunc(all, func(n Number) bool { return n.Number == m.Address && n.Callable })
		if m.Kind == policy.SMS && !known {
			all = append(all, Number{
				Method: m.ID, Number: m.Address, Since: m.LinkedAt, Callable: !m.Pending && now.Sub(m.LinkedAt) >= onFileFor,
			})
		}
	}
	return all, nil
}

// held are a user's methods, and after them those that were taken away in the last 30
// days: whoever edited the account last week does not choose who is called, how long it
// takes and who may say stop.
func held(ctx context.Context, from db.Reader, who id.User, now time.Time) ([]method.Method, error) {
	all, err := method.Of(ctx, from, who)
	if err != nil {
		return nil, fmt.Errorf("read methods: %w", err)
	}
	gone, err := method.Before(ctx, from, who, now.Add(-onFileFor))
	return append(all, gone...), err
}

// Waits says whether a recovery of a user takes 24 hours after its confirmation: they have
// proved a way, which they have or had in the last 30 days.
func (d *Desk) Waits(ctx context.Context, who id.User) (bool, error) {
	return waits(ctx, d.DB, who, d.DB.Clock.Now())
}

func waits(ctx context.Context, from db.Reader, who id.User, now time.Time) (bool, error) {
	methods, err := held(ctx, from, who, now)
	return slices.ContainsFunc(methods, func(m method.Method) bool { return !m.ProvedAt.IsZero() }), err
}

// Recover is what a member of staff knows who begins a recovery.
type Recover struct {
	User id.User
	Site id.Site
	// Called is the number on file that they called, in E.164; empty only where the user has
	// none that was on file for 30 days.
	Called string
	// Reason says why, and how they know who it is. It is required.
	Reason string
}

// mostWords bounds what staff write.
const mostWords = 1000

func written(s string) (string, bool) {
	s = strings.TrimSpace(s)
	return s, s != "" && len(s) <= mostWords
}

// Begin begins a recovery, and tells every address that is known of the user, each with
// a link to say stop. fault.NotFound for whoever is not staff, and for a user who is not
// of the site.
func (d *Desk) Begin(ctx context.Context, by authority.Bearer, of Recover) (which id.Recovery, refused Refused, err error) {
	reason, ok := written(of.Reason)
	if !ok {
		return "", NoReason, nil
	}
	of.Reason, of.Called = reason, strings.ReplaceAll(of.Called, " ", "")
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		which, refused, err = d.begin(ctx, tx, by, of)
		return err
	})
	if errors.Is(err, fault.Conflict) {
		return "", AlreadyOpen, nil
	}
	return which, refused, err
}

func (d *Desk) begin(ctx context.Context, tx *db.Tx, by authority.Bearer, of Recover) (id.Recovery, Refused, error) {
	if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
		return "", "", err
	}
	if _, err := authority.StaffAt(ctx, tx, tx.Now, by, of.Site); err != nil {
		return "", "", err
	}
	if of.User == by.User.ID {
		return "", Oneself, nil
	}
	if refused, err := d.fresh(ctx, tx, by); err != nil || refused != "" {
		return "", refused, err
	}
	who, err := user.ByID(ctx, tx, of.User)
	if err != nil {
		return "", "", fmt.Errorf("find a user: %w", err)
	}
	memberships, err := site.MembershipsOf(ctx, tx, of.User)
	if err != nil {
		return "", "", fmt.Errorf("read memberships: %w", err)
	}
	if !slices.ContainsFunc(memberships, func(m site.Membership) bool { return m.Site == of.Site && m.Status == policy.Active }) {
		return "", "", fmt.Errorf("a member of the site: %w", fault.NotFound)
	}
	onFile, err := numbers(ctx, tx, of.User, tx.Now)
	if err != nil {
		return "", "", err
	}
	callable := func(n Number) bool { return n.Callable && (of.Called == "" || n.Number == of.Called) }
	if slices.ContainsFunc(onFile, callable) == (of.Called == "") {
		return "", NotOnFile, nil
	}
	r := Recovery{
		User: of.User, ID: id.New[id.Recovery](), Site: of.Site, State: RecoveryOpen,
		BegunBy: by.User.ID, BegunAt: tx.Now, Called: of.Called, Reason: of.Reason,
	}
	if err := insertRecovery(ctx, tx, r); err != nil {
		return "", "", fmt.Errorf("store a recovery: %w", err)
	}
	if err := d.sendStops(ctx, tx, r, who); err != nil {
		return "", "", err
	}
	n := message.Notice{Site: r.Site, Kind: message.RecoveryBegun, Words: map[string]string{"who": who.Name()}}
	if err := d.tellAdmins(ctx, tx, n, r.User); err != nil {
		return "", "", err
	}
	return r.ID, "", audit.Record(ctx, tx, audit.Event{
		Kind: audit.RecoveryBegun, Actor: by.Actor(), User: r.User, Site: r.Site,
		Facts:    map[string]string{"recovery": string(r.ID)},
		Personal: map[string]string{"called": r.Called, "reason": r.Reason},
	})
}

// Confirm is the second member's word. From then on the delay runs: 24 hours if the user
// has proved a method that they have or had in the last 30 days, none otherwise.
func (d *Desk) Confirm(ctx context.Context, by authority.Bearer, who id.User, which id.Recovery) (refused Refused, err error) {
	err = d.withRecovery(ctx, by, who, which, func(tx *db.Tx, r Recovery) (err error) {
		switch {
		case who == by.User.ID:
			refused = Oneself
		case r.BegunBy == by.User.ID:
			refused = SameMember
		default:
			refused = r.stands(RecoveryOpen)
		}
		if refused != "" {
			return nil
		}
		if refused, err = d.fresh(ctx, tx, by); err != nil || refused != "" {
			return err
		}
		if refused, err = r.byStaff(ctx, tx); err != nil || refused != "" {
			return err
		}
		wait, err := waits(ctx, tx, who, tx.Now)
		if err != nil {
			return err
		}
		r.ConfirmedBy, r.ConfirmedAt, r.ReadyAt = by.User.ID, tx.Now, tx.Now
		if wait {
			r.ReadyAt = tx.Now.Add(recoveryDelay)
		}
		if err := confirmRecovery(ctx, tx, r); err != nil {
			return fmt.Errorf("confirm a recovery: %w", err)
		}
		n := message.Notice{Kind: message.RecoveryConfirmed, Words: map[string]string{"at": r.ReadyAt.UTC().Format(time.RFC3339)}}
		return d.noteRecovery(ctx, tx, r, n, audit.Event{Kind: audit.RecoveryConfirmed, Actor: by.Actor(), Facts: n.Words})
	})
	return refused, err
}

// byStaff refuses where one of those on whose word a recovery rests is staff no more. Their
// rows are held: who is ended at this moment waits here, or is none any more.
func (r Recovery) byStaff(ctx context.Context, tx *db.Tx) (Refused, error) {
	said := slices.DeleteFunc([]id.User{r.BegunBy, r.ConfirmedBy}, func(who id.User) bool { return who == "" })
	slices.Sort(said)
	for _, who := range said {
		u, err := user.Hold(ctx, tx, who)
		if err != nil {
			return "", fmt.Errorf("find who is behind a recovery: %w", err)
		}
		if !u.Staff {
			return NotStaff, nil
		}
	}
	return "", nil
}

// stands refuses where a recovery is in another state.
func (r Recovery) stands(in ...RecoveryState) Refused {
	switch {
	case slices.Contains(in, r.State):
		return ""
	case r.State == RecoveryContested:
		return Contested
	default:
		return Over
	}
}

// withRecovery holds a recovery for a member of staff: a second change of the same one
// waits, and finds what the first made of it.
func (d *Desk) withRecovery(ctx context.Context, by authority.Bearer, who id.User, which id.Recovery, fn func(*db.Tx, Recovery) error) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		r, err := takeRecovery(ctx, tx, who, which)
		if err != nil {
			return fmt.Errorf("find a recovery: %w", err)
		}
		if _, err := authority.StaffAt(ctx, tx, tx.Now, by, r.Site); err != nil {
			return err
		}
		return fn(tx, r)
	})
}

// noteRecovery records what happened to a recovery and tells the user and the site's
// admins of it, where there is a notice for it.
func (d *Desk) noteRecovery(ctx context.Context, tx *db.Tx, r Recovery, n message.Notice, e audit.Event) error {
	if n.Kind != "" {
		who, err := user.ByID(ctx, tx, r.User)
		if err != nil {
			return fmt.Errorf("find a user: %w", err)
		}
		n.Site = r.Site
		if err := d.tellBoth(ctx, tx, n, who, ""); err != nil {
			return err
		}
	}
	facts := map[string]string{"recovery": string(r.ID)}
	maps.Copy(facts, e.Facts)
	e.User, e.Site, e.Facts = r.User, r.Site, facts
	return audit.Record(ctx, tx, e)
}

// ReadCode makes the help code that is read out on the call back, once the recovery has
// come to its time. It may be made again while the recovery is open.
func (d *Desk) ReadCode(ctx context.Context, by authority.Bearer, who id.User, which id.Recovery) (given Given, refused Refused, err error) {
	err = d.withRecovery(ctx, by, who, which, func(tx *db.Tx, r Recovery) error {
		given, refused = Given{}, ""
		switch {
		case who == by.User.ID:
			refused = Oneself
		case r.State == RecoveryOpen, r.State == RecoveryWaiting && tx.Now.Before(r.ReadyAt):
			given.ReadyAt, refused = r.ReadyAt, NotYet
		case !r.Ready(tx.Now):
			if refused = r.stands(); refused == "" {
				refused = Over
			}
		}
		if refused != "" {
			return nil
		}
		if refused, err = d.fresh(ctx, tx, by); err != nil || refused != "" {
			return err
		}
		if refused, err = r.byStaff(ctx, tx); err != nil || refused != "" {
			return err
		}
		whose, err := user.ByID(ctx, tx, who)
		if err != nil {
			return fmt.Errorf("find a user: %w", err)
		}
		c := helpCode{user: who, site: r.Site, origin: fromStaff, givenBy: by.User.ID}
		given, err = d.makeHelpCode(ctx, tx, by, c, whose)
		return err
	})
	if errors.Is(err, fault.Conflict) {
		return Given{}, Over, nil
	}
	return given, refused, err
}

// recovered ends a recovery whose code was typed.
func (d *Desk) recovered(ctx context.Context, tx *db.Tx, w Waiting, r Recovery) error {
	if err := endRecovery(ctx, tx, r, RecoveryDone); err != nil {
		return fmt.Errorf("end a recovery: %w", err)
	}
	return d.noteRecovery(ctx, tx, r, message.Notice{Kind: message.RecoveryDone},
		audit.Event{Kind: audit.RecoveryDone, Actor: userActor(w.User, w.Place)})
}
