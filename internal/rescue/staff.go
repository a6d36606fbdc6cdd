package rescue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const staffCodeLife = 15 * time.Minute

// How often a code of `keyturn staff add` may be tried: by one network for the name that
// was typed, whether or not it is anybody's, and by one network over all names.
//
// There is no count for the code itself, over all networks: whoever knows the address
// could use it up, and the vendor's first member would never get in. What bounds guessing
// is that each try costs a password's hash, and that a code of 40 bits lives a quarter of
// an hour: a machine that hashes a thousand passwords a second, for strangers alone, from
// networks without number, looks at fewer than 2^20 of its 2^40 values, which is one
// chance in a million. Every wrong one stays counted in the code's row.
var (
	staffCodeTyped   = limit.Budget{Name: "staffcode.pair", Cap: 5, Window: 15 * time.Minute}
	staffCodeNetwork = limit.Budget{Name: "staffcode.network", Cap: 20, Window: 15 * time.Minute}
)

// house is the row on which changes of who is staff wait for each other, so that there
// is one first member and not two at the same moment.
const house = epoch.Owner("staff")

// Added is a code for a new member of staff, shown once and never mailed.
type Added struct {
	User  id.User
	Code  string
	Until time.Time
	// First says that there is no staff yet: the code then needs nobody's confirmation.
	First bool
}

// NewStaff is who is to become staff.
type NewStaff struct {
	Email, FirstName, LastName string
}

// staffCode is a stored code.
type staffCode struct {
	user      id.User
	id        id.StaffCode
	mac       []byte
	madeAt    time.Time
	expiresAt time.Time
}

// AddStaff makes a code by which somebody sets up the method that staff need. They are
// staff only when they have, and, unless they are the first, another member has confirmed
// it. Adding somebody again who has not enrolled ends the code before.
//
// fault.Invalid if the email is none, fault.Conflict if the login name is that of staff
// or of a site's user: nobody becomes staff under a login that others may edit.
func (d *Desk) AddStaff(ctx context.Context, by audit.Actor, who NewStaff) (added Added, err error) {
	login, err := address.Email(who.Email)
	if err != nil {
		return added, fmt.Errorf("the email of a member of staff: %w", err)
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if err := epoch.Raise(ctx, tx, house); err != nil {
			return err
		}
		u, err := newcomer(ctx, tx, login, who)
		if err != nil {
			return err
		}
		all, err := staffIDs(ctx, tx)
		if err != nil {
			return fmt.Errorf("read who is staff: %w", err)
		}
		if err := endStaffCode(ctx, tx, u.ID); err != nil {
			return fmt.Errorf("end the code before: %w", err)
		}
		shown, plain := newCode()
		c := staffCode{user: u.ID, id: id.New[id.StaffCode](), madeAt: tx.Now, expiresAt: tx.Now.Add(staffCodeLife)}
		c.mac = d.Keys.MAC("staff code", string(c.user), string(c.id), plain)
		if err := insertStaffCode(ctx, tx, c); err != nil {
			return fmt.Errorf("store a code: %w", err)
		}
		added = Added{User: u.ID, Code: shown, Until: c.expiresAt, First: len(all) == 0}
		for _, one := range all {
			n := message.Notice{User: one, Kind: message.StaffAdded, Words: map[string]string{"who": u.Name(), "by": by.ID}}
			if err := d.Post.Tell(ctx, tx, n); err != nil {
				return fmt.Errorf("tell staff: %w", err)
			}
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.StaffAdded, Actor: by, User: u.ID, Facts: map[string]string{"staff_code": string(c.id)},
			Personal: map[string]string{"login": string(login)},
		})
	})
	return added, err
}

// newcomer finds the user who was added before and is not staff yet, or makes one, whose
// mailbox may get notices and the link for a first password.
func newcomer(ctx context.Context, tx *db.Tx, login address.Canonical, n NewStaff) (user.User, error) {
	u, err := user.ByLogin(ctx, tx, login)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return u, fmt.Errorf("find a user: %w", err)
	}
	if err != nil {
		if u, err = user.Add(ctx, tx, user.User{Login: login, FirstName: n.FirstName, LastName: n.LastName}); err != nil {
			return u, err
		}
		_, err = method.Link(ctx, tx, method.Method{User: u.ID, Kind: policy.Email, Address: string(login)})
		return u, err
	}
	memberships, err := site.MembershipsOf(ctx, tx, u.ID)
	if err != nil {
		return u, fmt.Errorf("read memberships: %w", err)
	}
	before, err := hasStaffCode(ctx, tx, u.ID)
	if err != nil {
		return u, fmt.Errorf("read the codes before: %w", err)
	}
	if u.Staff || len(memberships) > 0 || !before {
		return u, fmt.Errorf("this login name has an owner: %w", fault.Conflict)
	}
	return u, nil
}

// Entry is what somebody types who was given a code of `keyturn staff add`.
type Entry struct {
	Email string
	Code  string
	// Password becomes theirs with the code: a first one, and no reset.
	Password secret.Text
	Place    session.Place
}

// StaffTyped is what comes of it.
type StaffTyped struct {
	// Token is the enrol-only session's; empty if the code is not right, or the email not
	// that of somebody who has one.
	Token string
	// Unfit is why the password cannot be used; empty if it can. The code was not looked
	// at.
	Unfit Unfit
	// Retry is when it may be tried again; zero unless it was tried too often.
	Retry time.Time
}

// EnrolStaff takes such a code, once. An email that nobody has is answered like a wrong
// code, at the same time: the password is hashed for both.
func (d *Desk) EnrolStaff(ctx context.Context, e Entry) (StaffTyped, error) {
	started := d.DB.Clock.Now()
	login, err := address.Login(e.Email)
	if err != nil && !errors.Is(err, fault.Invalid) {
		return StaffTyped{}, fmt.Errorf("read a login name: %w", err)
	}
	if why := d.Judge(e.Password.Reveal(), user.User{Login: login}); why != "" {
		return StaffTyped{Unfit: why}, nil
	}
	out, err := d.enrolStaff(ctx, login, e)
	if err != nil || out.Token != "" {
		return out, err
	}
	return out, d.Pace.Wait(ctx, started, d.DB.Clock.Now)
}

func (d *Desk) enrolStaff(ctx context.Context, login address.Canonical, e Entry) (out StaffTyped, err error) {
	plain, ok := method.ReadHelpCode(e.Code)
	if !ok {
		return StaffTyped{}, nil
	}
	charges := []limit.Charge{
		{Budget: staffCodeTyped, Subject: limit.Subject("staff code", string(login), e.Place.Network)},
		{Budget: staffCodeNetwork, Subject: limit.Subject("staff code network", e.Place.Network)},
	}
	// Before anything is hashed, so that nobody keeps the machine busy with it.
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		taken, err := limit.Take(ctx, tx, charges...)
		for i := range charges {
			charges[i].At = taken.At
		}
		out = StaffTyped{Retry: taken.Retry}
		return err
	})
	if err != nil {
		return out, fmt.Errorf("take the budgets of a code: %w", err)
	}
	if !out.Retry.IsZero() {
		return out, nil
	}
	fresh, err := d.hash(ctx, user.User{Login: login}, e.Password, e.Place)
	if err != nil {
		return out, err
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		out.Token, err = d.tryStaff(ctx, tx, login, try{plain: plain, fresh: fresh, place: e.Place, charges: charges})
		return err
	})
	return out, err
}

// try is a code with the hash of the password that came with it, and what it was charged
// to.
type try struct {
	plain   string
	fresh   password.Stored
	place   session.Place
	charges []limit.Charge
}

// tryStaff gives the token of the enrol-only session, or nothing.
func (d *Desk) tryStaff(ctx context.Context, tx *db.Tx, login address.Canonical, t try) (string, error) {
	who, err := user.ByLogin(ctx, tx, login)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return "", fmt.Errorf("find a user: %w", err)
	}
	c, err := tryStaffCode(ctx, tx, who.ID)
	none := errors.Is(err, fault.NotFound)
	if err != nil && !none {
		return "", fmt.Errorf("find a code: %w", err)
	}
	if none || !d.Keys.Matches(c.mac, "staff code", string(c.user), string(c.id), t.plain) {
		return "", nil
	}
	if err := useStaffCode(ctx, tx, c); err != nil {
		return "", fmt.Errorf("use a code: %w", err)
	}
	if err := limit.GiveBack(ctx, tx, t.charges...); err != nil {
		return "", fmt.Errorf("give a try back: %w", err)
	}
	// Before the attempt begins: it dies with the numbers that it was begun under.
	if err := user.SetPassword(ctx, tx, c.user, t.fresh); err != nil {
		return "", err
	}
	token, err := d.BeginEnrol(ctx, tx, c.user, ByStaffCode, t.place)
	if err != nil {
		return "", fmt.Errorf("begin an enrol-only session: %w", err)
	}
	return token, audit.Record(ctx, tx, audit.Event{
		Kind: audit.EnrolOpened, Actor: userActor(c.user, t.place), User: c.user,
		Facts: map[string]string{"by": ByStaffCode, "staff_code": string(c.id)},
	})
}

// StaffEnrolled notes that somebody who was added has set up their method. The first
// member of all is staff at once: nobody is there to confirm them, and whoever could run
// the command could do anything. Later ones wait. A user who was not added is left alone.
func (d *Desk) StaffEnrolled(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := epoch.Raise(ctx, tx, house); err != nil {
		return err
	}
	err := enrolledStaff(ctx, tx, who)
	if errors.Is(err, fault.Conflict) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("note a new member of staff: %w", err)
	}
	self := audit.Actor{Kind: audit.ActorUser, ID: string(who)}
	if err := audit.Record(ctx, tx, audit.Event{Kind: audit.StaffEnrolled, Actor: self, User: who}); err != nil {
		return err
	}
	all, err := staffIDs(ctx, tx)
	if err != nil {
		return fmt.Errorf("read who is staff: %w", err)
	}
	if len(all) > 0 {
		return nil
	}
	return d.makeStaff(ctx, tx, who, "", audit.Actor{Kind: audit.ActorSystem, ID: "first member"})
}

func (d *Desk) makeStaff(ctx context.Context, tx *db.Tx, who, by id.User, actor audit.Actor) error {
	if err := confirmStaffCode(ctx, tx, who, by); err != nil {
		return fmt.Errorf("confirm a member of staff: %w", err)
	}
	if err := user.MakeStaff(ctx, tx, who); err != nil {
		return err
	}
	if err := epoch.Raise(ctx, tx, epoch.User(who)); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{Kind: audit.StaffConfirmed, Actor: actor, User: who})
}

// ConfirmStaff makes somebody staff who was added and has enrolled. Another member does,
// with a fresh proof. Somebody who joined a site meanwhile is refused: its Admins could
// edit their login. fault.NotFound where nobody like that waits.
func (d *Desk) ConfirmStaff(ctx context.Context, by authority.Bearer, who id.User) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused = ""
		if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		if who == by.User.ID {
			refused = Oneself
			return nil
		}
		if err := epoch.Raise(ctx, tx, house); err != nil {
			return err
		}
		waits, err := waitsForStaff(ctx, tx, who)
		if err != nil {
			return fmt.Errorf("look for a new member of staff: %w", err)
		}
		if !waits {
			return fmt.Errorf("a new member of staff: %w", fault.NotFound)
		}
		if _, err := user.Hold(ctx, tx, who); err != nil {
			return fmt.Errorf("hold a new member of staff: %w", err)
		}
		memberships, err := site.MembershipsOf(ctx, tx, who)
		if err != nil {
			return fmt.Errorf("read memberships: %w", err)
		}
		if len(memberships) > 0 {
			refused = Member
			return nil
		}
		if refused, err = d.fresh(ctx, tx, by); err != nil || refused != "" {
			return err
		}
		return d.makeStaff(ctx, tx, who, by.User.ID, by.Actor())
	})
	return refused, err
}

// NewStaffWaiting lists who has enrolled and waits for a member's word, 50 at most.
func (d *Desk) NewStaffWaiting(ctx context.Context) ([]user.User, error) {
	ids, err := waitingStaff(ctx, d.DB)
	if err != nil {
		return nil, fmt.Errorf("list new members of staff: %w", err)
	}
	var all []user.User
	for _, one := range ids {
		who, err := user.ByID(ctx, d.DB, one)
		if err != nil {
			return nil, fmt.Errorf("find a user: %w", err)
		}
		all = append(all, who)
	}
	return all, nil
}
