package rescue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
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

// resetLife is how long a link for a new password works. NIST 800-63B-4 section 4.2
// lets what is sent by mail for recovery live a day, ASVS 6.4.1 wants it short. Half an
// hour outlasts a slow mail server and a walk to the other computer, and no more.
const resetLife = 30 * time.Minute

// Answer is what somebody who forgot their password is told: that a link is on its way
// if the name is anybody's. It is the same for every name.
type Answer struct {
	// Wait is when another link may be asked for, where it may not now; zero if this one
	// was taken.
	Wait time.Time
}

// ResetAsked is the job that looks whose a typed name is.
type ResetAsked struct {
	Asking id.Asking `json:"asking"`
}

// Kind implements job.Args.
func (ResetAsked) Kind() string { return "reset_asked" }

// asking is what was typed, until the job has looked.
type asking struct {
	id             id.Asking
	login          address.Canonical
	network, agent string
	madeAt         time.Time
}

// reset is one link.
type reset struct {
	user      id.User
	id        id.Reset
	epoch     int64
	expiresAt time.Time
	// first says that it is an invitation to set a first password, which leaves no mark.
	first bool
}

// Workers registers the work of this package.
func (d *Desk) Workers(work *job.Work) {
	job.On(work, d.lookUp)
}

// AskReset takes a name whose password is forgotten. Whose it is, is looked up by a job
// afterwards: the same rows are written for a name that nobody has, and the answer
// leaves at the same time (ASVS 6.3.8).
func (d *Desk) AskReset(ctx context.Context, typed string, at session.Place) (Answer, error) {
	started := d.DB.Clock.Now()
	answer, err := d.askReset(ctx, typed, at)
	if err != nil {
		return Answer{}, err
	}
	return answer, d.Pace.Wait(ctx, started, d.DB.Clock.Now)
}

func (d *Desk) askReset(ctx context.Context, typed string, at session.Place) (answer Answer, err error) {
	login, err := address.Login(typed)
	if err != nil && !errors.Is(err, fault.Invalid) {
		return answer, fmt.Errorf("read a login name: %w", err)
	}
	subject := string(login)
	if subject == "" { // it cannot be a name: it is nobody's, and counts like any other
		subject = "no name: " + typed
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		answer = Answer{}
		known, err := ownBrowser(ctx, tx, login, at)
		if err != nil {
			return err
		}
		taken, err := limit.Take(ctx, tx, resetCharges(subject, at, known)...)
		if err != nil {
			return fmt.Errorf("take the budgets of resets: %w", err)
		}
		if !taken.OK {
			answer.Wait = taken.Retry
			return nil
		}
		a := asking{id: id.New[id.Asking](), login: login, network: at.Network, agent: at.Agent, madeAt: tx.Now}
		if err := insertAsking(ctx, tx, a); err != nil {
			return fmt.Errorf("store what was typed: %w", err)
		}
		return d.Jobs.Put(ctx, tx, job.Codes, ResetAsked{Asking: a.id})
	})
	return answer, err
}

// ownBrowser says whether the name's owner signed in in this very browser lately. The
// network does not do: whoever shares it would see by what is left that the name exists.
func ownBrowser(ctx context.Context, from *db.Tx, login address.Canonical, at session.Place) (bool, error) {
	who, err := user.ByLogin(ctx, from, login)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return false, fmt.Errorf("find a user: %w", err)
	}
	known, err := session.KnownBrowser(ctx, from, who.ID, at, from.Now)
	if err != nil {
		return false, fmt.Errorf("look for a known browser: %w", err)
	}
	return known, nil
}

func resetCharges(typed string, at session.Place, known bool) []limit.Charge {
	name, network := limit.Subject("reset", typed), limit.Subject("reset network", at.Network)
	system := limit.Spread(limit.ResetsSystem, name)
	system.Known = known
	return []limit.Charge{
		{Budget: limit.ResetNext, Subject: name, Known: known},
		{Budget: limit.ResetsUser, Subject: name, Known: known},
		{Budget: limit.ResetsDestination, Subject: name, Known: known},
		{Budget: limit.ResetsNetwork, Subject: network, Known: known},
		system,
	}
}

// lookUp looks whose a name is, and promises the link if there is anybody to have it.
func (d *Desk) lookUp(ctx context.Context, asked ResetAsked) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		a, err := takeAsking(ctx, tx, asked.Asking)
		if errors.Is(err, fault.NotFound) {
			return nil // the job ran before
		}
		if err != nil {
			return fmt.Errorf("take what was typed: %w", err)
		}
		if a.login == "" || tx.Now.Sub(a.madeAt) > resetLife {
			return nil
		}
		who, err := user.ByLogin(ctx, tx, a.login)
		if errors.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("find a user: %w", err)
		}
		home, may, err := d.entitled(ctx, tx, tx.Now, who)
		if err != nil || !may {
			return err
		}
		return d.sendReset(ctx, tx, a, who, home)
	})
}

// entitled says whether somebody can have a link: they may enter somewhere, or are invited
// and need their password for it, and their
// login name is a mailbox with the power to recover. home is their site, if it is the
// only one.
func (d *Desk) entitled(ctx context.Context, from db.Reader, now time.Time, who user.User) (home id.Site, may bool, err error) {
	all, err := site.MembershipsOf(ctx, from, who.ID)
	if err != nil {
		return "", false, fmt.Errorf("read memberships: %w", err)
	}
	in := who.Staff || slices.ContainsFunc(all, func(m site.Membership) bool { return m.Status == policy.Active })
	if in && len(all) == 1 {
		home = all[0].Site
	}
	if !in && d.Invited != nil {
		if in, err = d.Invited(ctx, from, now, who.ID); err != nil {
			return "", false, err
		}
	}
	if !in || !address.IsDeliverable(who.Login) {
		return "", false, nil
	}
	methods, err := method.Of(ctx, from, who.ID)
	if err != nil {
		return "", false, fmt.Errorf("read methods: %w", err)
	}
	// A new address whose own code nobody has typed after the password recovers nothing
	// (I14): an admin who edits it does not get the account. Where there was no password yet
	// the first one is set from there, once.
	first := who.Password.Encoded() == ""
	return home, slices.ContainsFunc(methods, func(m method.Method) bool {
		return m.Kind == policy.Email && m.Address == string(who.Login) && !m.AwaitsProof && (first || !m.NoRecovery) && !m.Pending
	}), nil
}

// invitationLife is how long somebody new has to set their first password.
const invitationLife = 7 * 24 * time.Hour

// InviteFirst promises somebody new, who never had a password, the link to set one: it
// works once, for 7 days. It is no reset, and leaves no mark of one. by is who made the
// user.
func (d *Desk) InviteFirst(ctx context.Context, tx *db.Tx, who user.User, home id.Site, by audit.Actor) error {
	if who.Password.Encoded() != "" {
		return fmt.Errorf("a first password for somebody who has one: %w", fault.Conflict)
	}
	return d.promiseReset(ctx, tx, linking{who: who, home: home, life: invitationLife, first: true, by: by})
}

// linking is what a link to set a password is made of.
type linking struct {
	who   user.User
	home  id.Site
	life  time.Duration
	first bool
	by    audit.Actor
}

// sendReset makes the link, which replaces those before it.
func (d *Desk) sendReset(ctx context.Context, tx *db.Tx, a asking, who user.User, home id.Site) error {
	return d.promiseReset(ctx, tx, linking{
		who: who, home: home, life: resetLife, by: userActor(who.ID, session.Place{Network: a.network, Agent: a.agent}),
	})
}

func (d *Desk) promiseReset(ctx context.Context, tx *db.Tx, l linking) error {
	who, home := l.who, l.home
	if err := endResets(ctx, tx, who.ID); err != nil {
		return fmt.Errorf("end the links before: %w", err)
	}
	number, err := under(ctx, tx, who.ID)
	if err != nil {
		return err
	}
	token, hash := secret.Token()
	r := reset{user: who.ID, id: id.New[id.Reset](), epoch: number, expiresAt: tx.Now.Add(l.life), first: l.first}
	if err := insertReset(ctx, tx, r, hash); err != nil {
		return fmt.Errorf("store a link: %w", err)
	}
	words, err := d.words(ctx, tx, who, home)
	if err != nil {
		return err
	}
	if !l.first {
		words.Agent = l.by.Agent
	}
	_, err = d.Post.Promise(ctx, tx, message.Message{
		ID: id.New[id.Message](), User: who.ID, Site: home, Kind: message.ResetLink, Channel: message.Email,
		Address: string(who.Login), Words: words, ExpiresAt: r.expiresAt,
	}, secret.NewText(token))
	if err != nil {
		return fmt.Errorf("promise a link: %w", err)
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: map[bool]audit.Kind{true: audit.UserInvited, false: audit.ResetAsked}[l.first], Actor: l.by,
		User: who.ID, Site: home, Facts: map[string]string{"reset": string(r.id)},
	})
}

// words are what a message to somebody says of whom it is from.
func (d *Desk) words(ctx context.Context, from db.Reader, who user.User, at id.Site) (message.Words, error) {
	w := message.Words{FirstName: who.FirstName, From: d.VendorName, Vendor: d.VendorName, Zone: time.UTC.String()}
	if at == "" {
		return w, nil
	}
	s, err := site.ByID(ctx, from, at)
	if err != nil {
		return w, fmt.Errorf("find a site: %w", err)
	}
	w.From, w.Zone = s.Name, s.Zone.String()
	return w, nil
}

// ViewReset says whether a link would set a password now. It changes nothing: mail
// programs open links before people do.
func (d *Desk) ViewReset(ctx context.Context, token string) (bool, error) {
	_, _, err := d.openReset(ctx, token)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// openReset finds the link that works now, and whose it is; fault.NotFound.
func (d *Desk) openReset(ctx context.Context, token string) (reset, user.User, error) {
	r, err := resetByHash(ctx, d.DB, secret.TokenHash(token), db.Stamp(d.DB.Clock.Now()))
	if err != nil {
		return r, user.User{}, fmt.Errorf("find a link: %w", err)
	}
	number, err := under(ctx, d.DB, r.user)
	if err != nil {
		return r, user.User{}, err
	}
	if number != r.epoch {
		return r, user.User{}, fmt.Errorf("a link from before a change: %w", fault.NotFound)
	}
	who, err := user.ByID(ctx, d.DB, r.user)
	if err != nil {
		return r, who, fmt.Errorf("find a user: %w", err)
	}
	return r, who, nil
}

// Set is what came of a new password.
type Set struct {
	// Gone says that the link does not work any more: ask for another one.
	Gone bool
	// Unfit is why the password cannot be used; empty if it can. The link is still good.
	Unfit Unfit
}

// SetPassword sets a new password with a link, which is used up by it. Whatever was made
// under the old password dies, nobody is signed in, and the mark says that the mailbox
// was the only proof.
func (d *Desk) SetPassword(ctx context.Context, token string, typed secret.Text, at session.Place) (Set, error) {
	r, who, err := d.openReset(ctx, token)
	if errors.Is(err, fault.NotFound) {
		return Set{Gone: true}, nil
	}
	if err != nil {
		return Set{}, err
	}
	why, err := d.JudgeFor(ctx, typed.Reveal(), who)
	if err != nil || why != "" {
		return Set{Unfit: why}, err
	}
	fresh, err := d.hash(ctx, who, typed, at)
	if err != nil {
		return Set{}, err
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error { return d.setPassword(ctx, tx, r, fresh, at) })
	if errors.Is(err, fault.Conflict) {
		return Set{Gone: true}, nil
	}
	return Set{}, err
}

// hash computes the hash in a slot, with no transaction open.
func (d *Desk) hash(ctx context.Context, who user.User, typed secret.Text, at session.Place) (password.Stored, error) {
	known, err := session.Known(ctx, d.DB, who.ID, at, d.DB.Clock.Now())
	if err != nil {
		return password.Stored{}, fmt.Errorf("look for a known place: %w", err)
	}
	var made string
	err = d.Slots.Run(ctx, password.Turn{Network: at.Network, User: string(who.Login), Known: known}, func() {
		made = password.Hash(typed.Reveal())
	})
	if err != nil {
		return password.Stored{}, err
	}
	return password.Parse(made)
}

// setPassword does it. fault.Conflict if the link was used, replaced or outdated while
// the password was hashed, or its owner may enter nowhere any more.
func (d *Desk) setPassword(ctx context.Context, tx *db.Tx, r reset, fresh password.Stored, at session.Place) error {
	if err := useReset(ctx, tx, r); err != nil {
		return fmt.Errorf("use a link: %w", err)
	}
	number, err := under(ctx, tx, r.user)
	if err != nil {
		return err
	}
	who, err := user.ByID(ctx, tx, r.user)
	if err != nil {
		return fmt.Errorf("find a user: %w", err)
	}
	home, may, err := d.entitled(ctx, tx, tx.Now, who)
	if err != nil {
		return err
	}
	if !may || number != r.epoch {
		return fmt.Errorf("a link from before a change: %w", fault.Conflict)
	}
	if err := user.SetPassword(ctx, tx, who.ID, fresh); err != nil {
		return err
	}
	// Also where nothing more is required: the policy knows when it ends. A first password
	// replaces none.
	if !r.first {
		if err := user.MarkReset(ctx, tx, who.ID); err != nil {
			return err
		}
	}
	err = d.Post.Tell(ctx, tx, message.Notice{
		User: who.ID, Site: home, Kind: message.PasswordReset, Changed: policy.Email,
		Words: map[string]string{"agent": strings.TrimSpace(at.Agent)},
	})
	if err != nil {
		return fmt.Errorf("tell of a reset: %w", err)
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.PasswordReset, Actor: userActor(who.ID, at), User: who.ID, Site: home,
		Facts: map[string]string{"reset": string(r.id)},
	})
}
