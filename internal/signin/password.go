package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Try is a login name and a password, and where they were typed.
type Try struct {
	Login    string
	Password secret.Text
	Place    session.Place
	Client   policy.ClientKind
	// ReturnTo is where the person wanted to go, a checked local path or empty.
	ReturnTo string
	// Devices are the tokens by which this browser may be remembered, of several people
	// perhaps.
	Devices []string
}

// Password is the first step. Whatever is wrong, the answer is the same and leaves at
// the same time.
func (d *Desk) Password(ctx context.Context, t Try) (Next, error) {
	started := d.DB.Clock.Now()
	p, may, err := d.mayTry(ctx, t)
	if err != nil {
		return Next{}, err
	}
	if d.Floor.Time() > 0 {
		// Tries at one name wait for each other until their answers have left: otherwise the
		// second would show by its waiting how long the first one's hash took.
		done, err := d.turns.take(ctx, string(p.login)+" "+t.Place.Network)
		if err != nil {
			if may {
				err = errors.Join(err, d.giveBack(context.WithoutCancel(ctx), p))
			}
			return Next{}, err
		}
		defer done()
	}
	next, err := d.password(ctx, t, p, may)
	if err != nil {
		return next, err
	}
	return next, d.leave(ctx, started, next)
}

// leave holds an answer to a password back until its time. A wrong one leaves at a
// whole multiple of Pace, whatever was done for it: a hash or none, an entry in the
// trail or none.
func (d *Desk) leave(ctx context.Context, started time.Time, next Next) error {
	var err error
	if next.Wrong == WrongPassword {
		err = d.Pace.Wait(ctx, started, d.DB.Clock.Now)
	}
	return errors.Join(err, d.Floor.Wait(ctx, started, d.DB.Clock.Now))
}

func (d *Desk) password(ctx context.Context, t Try, p person, may bool) (next Next, err error) {
	defer func() {
		if err == nil {
			d.count(next, !p.exists)
		}
	}()
	if !may {
		return Next{Step: AskPassword, Wrong: WrongPassword}, d.restingPassword(ctx, t, p)
	}
	right, better, err := d.compare(ctx, t, p)
	if err != nil {
		return next, err
	}
	if !right {
		return Next{Step: AskPassword, Wrong: WrongPassword}, d.wrongPassword(ctx, t, p)
	}
	next, err = d.rightPassword(ctx, t, p, better)
	if err != nil {
		// What the machinery failed must not stand as a wrong try: a busy minute would have
		// right passwords refused for a quarter of an hour.
		err = errors.Join(err, d.giveBack(context.WithoutCancel(ctx), p))
	}
	return next, err
}

// Knows says whether a password is somebody's, and nothing more: it begins no sign-in. It
// takes of the same budgets as a sign-in, is recorded and leaves at the same time like one.
// number is that of the user under which the password was read (epoch.User).
func (d *Desk) Knows(ctx context.Context, login string, typed secret.Text, at session.Place) (number int64, right bool, err error) {
	started, t := d.DB.Clock.Now(), Try{Login: login, Password: typed, Place: at, Client: policy.ClientWeb}
	p, may, err := d.mayTry(ctx, t)
	if err != nil {
		return 0, false, err
	}
	if !may {
		err = d.restingPassword(ctx, t, p)
	} else if right, _, err = d.compare(ctx, t, p); err != nil {
		return 0, false, err
	} else if right {
		err = d.giveBack(ctx, p)
	} else {
		err = d.wrongPassword(ctx, t, p)
	}
	if err != nil {
		return 0, false, err
	}
	next := Next{Step: In}
	if !right {
		next = Next{Step: AskPassword, Wrong: WrongPassword}
	}
	return p.epoch, right, d.leave(ctx, started, next)
}

// person is who a login name belongs to, if anybody.
type person struct {
	login   address.Canonical
	user    user.User
	exists  bool
	epoch   int64 // of the user, as it was when the password was read
	charges []limit.Charge
	known   bool
}

// mayTry takes the try from the budgets of wrong passwords, before anything is hashed,
// so that many at once cannot have more than their share. A right password gives it
// back.
func (d *Desk) mayTry(ctx context.Context, t Try) (p person, may bool, err error) {
	// A login name that cannot be one is nobody's, and counts like any other.
	p.login, err = address.Login(t.Login)
	if err != nil && !errors.Is(err, fault.Invalid) {
		return p, false, fmt.Errorf("read a login name: %w", err)
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		p.user, p.exists, p.epoch = user.User{}, false, 0
		who, err := user.ByLogin(ctx, tx, p.login)
		switch {
		case errors.Is(err, fault.NotFound):
		case err != nil:
			return fmt.Errorf("find a user: %w", err)
		default:
			p.user, p.exists = who, true
			if p.epoch, err = epoch.Now(ctx, tx, epoch.User(who.ID)); err != nil {
				return err
			}
		}
		if p.known, err = session.Known(ctx, tx, p.user.ID, t.Place, tx.Now); err != nil {
			return fmt.Errorf("look for a known place: %w", err)
		}
		own, err := session.KnownBrowser(ctx, tx, p.user.ID, t.Place, tx.Now)
		if err != nil {
			return fmt.Errorf("look for a known browser: %w", err)
		}
		p.charges = tryCharges(p.login, t.Place, p.known, own)
		answer, err := limit.Take(ctx, tx, p.charges...)
		may = answer.OK
		for i := range p.charges {
			p.charges[i].At = answer.At
		}
		return err
	})
	return p, may, err
}

// tryCharges are the budgets of one try. A browser in which this person signed in before
// has tries of its own: whoever shares its network cannot use them up.
func tryCharges(login address.Canonical, at session.Place, known, own bool) []limit.Charge {
	where := limit.Subject("password", string(login), at.Network)
	if own {
		where = limit.Subject("password", string(login), "browser", at.Browser)
	}
	all := []limit.Charge{{Budget: limit.WrongPasswords, Known: known, Subject: where}}
	if !known {
		all = append(all, limit.Charge{
			Budget:  limit.WrongFromNetwork,
			Subject: limit.Subject("password", at.Network),
		})
	}
	return all
}

// compare hashes in a slot, with no transaction open. A name that nobody has is
// compared with a dummy, so that it takes as long. Where no slot was to be had nothing
// was tried, and the try is given back.
func (d *Desk) compare(ctx context.Context, t Try, p person) (right bool, better password.Stored, err error) {
	kept := password.Dummy()
	if p.exists && p.user.Password.Encoded() != "" {
		kept = p.user.Password
	}
	turn := password.Turn{Network: t.Place.Network, User: string(p.login), Known: p.known}
	var made string
	err = d.Slots.Run(ctx, turn, func() {
		right = kept.Matches(t.Password.Reveal()) && p.exists && p.user.Password.Encoded() != ""
		if right && kept.NeedsRehash() {
			made = password.Hash(t.Password.Reveal())
		}
	})
	if err != nil {
		return false, better, errors.Join(err, d.giveBack(context.WithoutCancel(ctx), p))
	}
	if made == "" {
		return right, better, nil
	}
	better, err = password.Parse(made)
	return right, better, err
}

func (d *Desk) giveBack(ctx context.Context, p person) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error { return limit.GiveBack(ctx, tx, p.charges...) })
}

// wrongPassword records the try of somebody who exists. Names that nobody has are for
// the metrics and the log, or the trail would grow with every robot's list.
func (d *Desk) wrongPassword(ctx context.Context, t Try, p person) error {
	if !p.exists {
		return nil
	}
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.PasswordWrong, Actor: actor(p.user.ID, t.Place), User: p.user.ID,
		})
	})
}

// restingPassword records that a try was not looked at, of somebody who exists.
func (d *Desk) restingPassword(ctx context.Context, t Try, p person) error {
	if !p.exists {
		return nil
	}
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		return skipped(ctx, tx, p.user.ID, skippedPassword, t.Place.Network)
	})
}

// rightPassword gives the try back, stores the better hash, and makes the attempt. What
// changed about the person while the password was hashed, the password itself perhaps,
// makes it a wrong one.
func (d *Desk) rightPassword(ctx context.Context, t Try, p person, better password.Stored) (next Next, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		next = Next{}
		if err := limit.GiveBack(ctx, tx, p.charges...); err != nil {
			return err
		}
		if now, err := epoch.Now(ctx, tx, epoch.User(p.user.ID)); err != nil {
			return err
		} else if now != p.epoch {
			next = Next{Step: AskPassword, Wrong: WrongPassword}
			return nil
		}
		if err := d.rehash(ctx, tx, t, p, better); err != nil {
			return err
		}
		next, err = d.arrive(ctx, tx, t, p.user, Attempt{Began: withPassword, UserEpoch: p.epoch})
		return err
	})
	return next, err
}

// arrive begins the sign-in of somebody who has shown who they are, by a password or a
// passkey.
func (d *Desk) arrive(ctx context.Context, tx *db.Tx, t Try, who user.User, a Attempt) (Next, error) {
	open, err := openDoors(ctx, tx, who, t.Client)
	if err != nil {
		return Next{}, err
	}
	if len(open) == 0 && !who.Staff {
		return d.noDoor(ctx, tx, t, who)
	}
	a.User, a.Purpose, a.Client, a.ReturnTo, a.Place, a.PasswordAt = who.ID, SignIn, t.Client, t.ReturnTo, t.Place, tx.Now
	if len(open) == 1 {
		a.Site = open[0]
	}
	device, err := session.DeviceByTokens(ctx, tx, who.ID, t.Devices, tx.Now)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return Next{}, fmt.Errorf("look for a remembered device: %w", err)
	}
	a.Device = device.ID
	if a.Reference, err = d.reference(ctx, tx, a.Site); err != nil {
		return Next{}, err
	}
	token, err := d.begin(ctx, tx, &a)
	if err != nil {
		return Next{}, err
	}
	next, err := d.onward(ctx, tx, a, who)
	if next.Step != In {
		next.Attempt = token
	}
	return next, err
}

func (d *Desk) rehash(ctx context.Context, tx *db.Tx, t Try, p person, better password.Stored) error {
	if better.Encoded() == "" {
		return nil
	}
	err := user.Rehash(ctx, tx, p.user, better)
	if errors.Is(err, fault.Conflict) {
		return nil // somebody else stored a better one, or another password, meanwhile
	}
	if err != nil {
		return fmt.Errorf("rehash a password: %w", err)
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.PasswordRehashed, Actor: actor(p.user.ID, t.Place), User: p.user.ID,
		Facts: map[string]string{"from": string(p.user.Password.Form()), "to": string(better.Form())},
	})
}

// openDoors are the sites that the person may enter with this kind of client.
func openDoors(ctx context.Context, tx *db.Tx, who user.User, client policy.ClientKind) ([]id.Site, error) {
	memberships, err := site.MembershipsOf(ctx, tx, who.ID)
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	var open []id.Site
	for _, m := range memberships {
		if enterable(m, client, tx.Now) {
			open = append(open, m.Site)
		}
	}
	return open, nil
}

// enterable asks the policy's first rule of one membership alone.
func enterable(m site.Membership, client policy.ClientKind, now time.Time) bool {
	alone := policy.Facts{
		Memberships: []policy.Membership{{Site: string(m.Site), Kind: m.Kind, Status: m.Status}},
		Client:      policy.Client{Kind: client},
	}
	return policy.Decide(alone, now).Outcome != policy.Refuse
}

// noDoor answers a right password of somebody who may enter nowhere. Somebody who is
// only blocked or inactive learns no more than with a wrong password; a mobile member
// is told about the app.
func (d *Desk) noDoor(ctx context.Context, tx *db.Tx, t Try, who user.User) (Next, error) {
	f, err := d.facts(ctx, tx, tx.Now, Attempt{User: who.ID, Client: t.Client, Place: t.Place}, who)
	if err != nil {
		return Next{}, err
	}
	decision := policy.Decide(f, tx.Now)
	err = audit.Record(ctx, tx, audit.Event{
		Kind: audit.SignInRefused, Actor: actor(who.ID, t.Place), User: who.ID,
		Facts: decision.Record(),
	})
	if err != nil {
		return Next{}, err
	}
	for _, r := range decision.Reasons {
		if r.Key == policy.MobileOnWeb {
			return Next{Step: Refused}, nil
		}
	}
	return Next{Step: AskPassword, Wrong: WrongPassword}, nil
}

// begin stores the attempt, under the number of the user that its proofs were read
// under, and gives its token.
func (d *Desk) begin(ctx context.Context, tx *db.Tx, a *Attempt) (string, error) {
	token, hash := secret.Token()
	a.ID, a.CreatedAt, a.ExpiresAt = id.New[id.Attempt](), tx.Now, tx.Now.Add(attemptLife)
	if err := insertAttempt(ctx, tx, *a, hash); err != nil {
		return "", fmt.Errorf("begin an attempt: %w", err)
	}
	return token, audit.Record(ctx, tx, audit.Event{
		Kind: audit.AttemptStarted, Actor: actor(a.User, a.Place), User: a.User,
		Facts: map[string]string{"purpose": string(a.Purpose), "reference": a.Reference},
	})
}
