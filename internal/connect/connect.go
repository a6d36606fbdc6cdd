// Package connect connects a site to an organisation at Xero, keeps that connection alive
// and notices when it ends.
//
// A grant is what one person at Xero allowed us. It belongs to that person and not to a
// site: somebody with several sites has one. A link is the connection of one site, by such a
// grant. A grant that does not work makes its links fail, and a failing link is a link
// still: nothing here ever lowers what a connection requires.
//
// Tokens are sealed with their place. They are renewed by one node at a time, the new
// refresh token is stored before the old one is given up, and whoever is killed in between
// leaves the old one, which Xero takes for 30 minutes more (see [Desk.Access]).
package connect

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/xero"
)

// UsualEvery is how often connections are read unless something else is set: a
// disconnect at Xero is seen within that time, and 96 reads a day are far under the 5,000
// that Xero allows.
const UsualEvery = 15 * time.Minute

// askingLife is how long an admin may be away at Xero, and how long they may take to choose
// an organisation afterwards.
const askingLife = 10 * time.Minute

// Desk does the work. The zero value of Xero says that the vendor has not set Xero up.
type Desk struct {
	DB       *db.DB
	Keys     *secret.Keys
	Post     *message.Post
	Standing standing.Source
	// Xero speaks with Xero; nil: nobody can connect.
	Xero *xero.Client
	// Every is how often the connections of one person are read; 0 is UsualEvery.
	Every time.Duration

	// Await has a site whose connection was made at a moment wait for its day in the rollout,
	// if there is one that it belongs to; nil: there never is.
	Await func(ctx context.Context, tx *db.Tx, at id.Site, since time.Time) (bool, error)

	// crash is for tests: it is asked at the moments at which a node may die.
	crash func(moment) error
}

// moment is one at which a node may die.
type moment string

const (
	// answered: Xero has made new tokens, and nothing of them is stored.
	answered moment = "answered"
	// stored: they are stored, and nobody was told.
	stored moment = "stored"
	// handedOver: a program is about to be given a token, and that is not recorded.
	handedOver moment = "handed_over"
)

func (d *Desk) at(m moment) error {
	if d.crash == nil {
		return nil
	}
	return d.crash(m)
}

func (d *Desk) every() time.Duration {
	if d.Every <= 0 {
		return UsualEvery
	}
	return d.Every
}

// Refused is why nothing was changed; empty if it was.
type Refused string

// The refusals.
const (
	// NotSetUp says that the vendor has not set Xero up.
	NotSetUp Refused = "not_set_up"
	// NotFresh says that the admin must prove again who they are.
	NotFresh Refused = "not_fresh"
	// Linked says that the site is connected, and well.
	Linked Refused = "linked"
	// Over says that the way to Xero and back took too long, was taken before, or began in
	// another browser.
	Over Refused = "over"
	// Cancelled says that the person allowed nothing at Xero.
	Cancelled Refused = "cancelled"
	// NotAllowed says that Xero did not take what came back.
	NotAllowed Refused = "not_allowed"
	// Later says that Xero cannot be reached now.
	Later Refused = "later"
	// None says that no organisation came back.
	None Refused = "none"
	// Taken says that the organisation is connected to another site. Which one is nobody's
	// business here.
	Taken Refused = "taken"
	// Other says that it is another organisation than the one that the site is connected to.
	Other Refused = "other"
	// Nothing says that there is no link to end.
	Nothing Refused = "nothing"
)

// Status is how a site stands with Xero.
type Status struct {
	// SetUp says that sites can be connected.
	SetUp bool
	// Connection is what is known of the connection, now or once; nil: there never was one.
	Connection *integration.Integration
	// Link is the connection at Xero; nil where there is none, or where the connection was
	// reported and not made here.
	Link *Link
	// Reported says that the host product says that the site is connected.
	Reported bool
}

// Link is a site's connection at Xero.
type Link struct {
	Site id.Site
	// Organisation is what its people call it.
	Organisation string
	By           id.User
	// Since is when it was made, Heard when Xero last named it.
	Since, Heard time.Time
	// Dead says that somebody has to connect again.
	Dead bool

	connection, organisation, user string
}

// Live says that the site is connected, well or not.
func (s Status) Live() bool {
	return s.Connection != nil && s.Connection.State != policy.Disconnected
}

// Failing says that it is, and not well.
func (s Status) Failing() bool { return s.Live() && s.Connection.State == policy.Failing }

// Status reads it.
func (d *Desk) Status(ctx context.Context, from db.Reader, at id.Site) (Status, error) {
	s := Status{SetUp: d.Xero != nil}
	all, err := integration.Of(ctx, from, at)
	if err != nil {
		return s, fmt.Errorf("read connections: %w", err)
	}
	for _, i := range all {
		if i.Kind == policy.Xero {
			s.Connection = &i
		}
	}
	l, found, err := linkOf(ctx, from, at)
	if err != nil {
		return s, fmt.Errorf("read a link to Xero: %w", err)
	}
	if found {
		s.Link = &l
	}
	if s.Reported, err = reported(ctx, from, at); err != nil {
		return s, fmt.Errorf("read what was reported: %w", err)
	}
	return s, nil
}

// forChange checks that somebody is an Admin of the site that their session is in, with a
// fresh proof. fault.NotFound for everybody else.
func (d *Desk) forChange(ctx context.Context, from db.Reader, now time.Time, by authority.Bearer) (site.Site, Refused, error) {
	m, err := authority.Admin(ctx, from, now, by)
	if err != nil {
		return site.Site{}, "", err
	}
	fresh, err := authority.Fresh(ctx, from, now, d.Standing, by)
	if err != nil || !fresh {
		return site.Site{}, NotFresh, err
	}
	s, err := site.ByID(ctx, from, m.Site)
	if err != nil {
		return s, "", fmt.Errorf("find a site: %w", err)
	}
	return s, "", nil
}

// tellAdmins tells all admins of a site, whoever did it included: it may not have been
// them.
func (d *Desk) tellAdmins(ctx context.Context, tx *db.Tx, n message.Notice) error {
	admins, err := site.Admins(ctx, tx, tx.Now, n.Site)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	for _, n.User = range admins {
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell an admin: %w", err)
		}
	}
	return nil
}

// byXero is who does what nobody here did.
var byXero = audit.Actor{Kind: audit.ActorSystem, ID: "xero"}

// busy is what is not there at the moment, and will be soon.
func busy(err error) error { return &fault.Wait{For: time.Second, Err: err} }
