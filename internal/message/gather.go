package message

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/method"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const (
	// noticesMost is how many notices one mail holds; the others follow in the next.
	noticesMost = 50
	// noticeLife is how long a notice is worth sending.
	noticeLife = 7 * 24 * time.Hour
	// stalledAfter is after how long the job of a mail has given up: it runs twenty times
	// at most, a minute or less apart. What it carried then waits anew.
	stalledAfter = 30 * time.Minute
	// payLater is how long a notice waits that can only go by SMS, and for which the
	// site has no part.
	payLater = time.Hour
)

// Notify is the job that sends what waits for the person and address of one notice.
type Notify struct {
	User   id.User   `json:"user"`
	Notice id.Notice `json:"notice"`
}

// Kind implements job.Args.
func (Notify) Kind() string { return "notify" }

func (p *Post) notify(ctx context.Context, n Notify) error {
	one, err := noticeByID(ctx, p.DB, n.User, n.Notice)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load a notice: %w", err)
	}
	return p.gather(ctx, group{one.User, one.Channel, one.Address})
}

// SendDue sends the notices that had to wait and are due, for limit people and addresses
// at most. It is to be run every few seconds: what a busy mailbox or a lost job has left
// behind is taken up here.
func (p *Post) SendDue(ctx context.Context, limit int) error {
	all := p.takeUp(ctx, limit)
	due, err := groups(ctx, p.DB, p.DB.Clock.Now(), limit)
	if err != nil {
		return errors.Join(all, fmt.Errorf("look for notices that are due: %w", err))
	}
	for _, g := range due {
		all = errors.Join(all, p.gather(ctx, g))
	}
	return all
}

// linksMost is how many stalled links of a kind are tried in one go: each may take its
// time.
const linksMost = 3

// takeUp sees to what outlives its job because the carriers were down for long: notices
// wait again, and the links that stop a recovery, undo a change or invite somebody are
// tried again.
func (p *Post) takeUp(ctx context.Context, limit int) error {
	before := p.DB.Clock.Now().Add(-stalledAfter)
	lost, err := stalled(ctx, p.DB, NoticeMail, before, limit)
	if err != nil {
		return fmt.Errorf("look for notices that nobody took: %w", err)
	}
	var all error
	for _, m := range lost {
		all = errors.Join(all, p.DB.Do(ctx, func(tx *db.Tx) error { return takeBack(ctx, tx, m) }))
	}
	for _, kind := range []Kind{RecoveryStop, LoginUndo, InvitationLink} {
		links, err := stalled(ctx, p.DB, kind, before, linksMost)
		if err != nil {
			return errors.Join(all, fmt.Errorf("look for links that nobody took: %w", err))
		}
		for _, m := range links {
			all = errors.Join(all, p.deliver(ctx, p.out, Deliver{User: m.User, Message: m.ID}))
		}
	}
	return all
}

// takeBack drops a message that nobody took, and has what it carried wait again.
func takeBack(ctx context.Context, tx *db.Tx, m Message) error {
	m, err := take(ctx, tx, m.User, m.ID)
	if err != nil || m.State != Queued {
		return ignore(err, fault.NotFound)
	}
	if err := Drop(ctx, tx, m.User, m.ID); err != nil {
		return err
	}
	if err := uncarry(ctx, tx, m); err != nil {
		return fmt.Errorf("have notices wait again: %w", err)
	}
	return nil
}

// errUnpaid says that there is no SMS part for a notice. Nothing is changed then.
var errUnpaid = errors.New("the site has no SMS part for a notice")

// gather makes one message of all that waits for one person and address, if any of it is
// due and the budgets have room; if they have none it waits until they do.
func (p *Post) gather(ctx context.Context, g group) error {
	err := p.DB.Do(ctx, func(tx *db.Tx) error { return p.merge(ctx, tx, g) })
	if errors.Is(err, errUnpaid) {
		err = p.DB.Do(ctx, func(tx *db.Tx) error { return unpaid(ctx, tx, g) })
	}
	if errors.Is(err, fault.Conflict) {
		return nil // another node was quicker
	}
	if err != nil {
		return fmt.Errorf("send notices: %w", err)
	}
	return nil
}

func (p *Post) merge(ctx context.Context, tx *db.Tx, g group) error {
	all, due, err := waiting(ctx, tx, g, tx.Now)
	if err != nil || due == 0 {
		return err
	}
	if all, err = stillTheirs(ctx, tx, all); err != nil || len(all) == 0 {
		return err
	}
	answer, err := limit.Take(ctx, tx,
		limit.Charge{Budget: limit.NoticesUser, Subject: limit.Subject("notices", string(g.User))},
		limit.Charge{Budget: limit.NoticesDestination, Subject: limit.Subject("notices", g.Address)})
	if err != nil {
		return err
	}
	if !answer.OK {
		return postpone(ctx, tx, g, answer.Retry)
	}
	m := Message{
		ID: id.New[id.Message](), User: g.User, Kind: NoticeMail, Channel: g.Channel, Address: g.Address,
		ExpiresAt: tx.Now.Add(noticeLife),
	}
	for _, n := range all { // first, so that of two who do this one waits here, and then gives way
		if err := carry(ctx, tx, n, m.ID); err != nil {
			return err
		}
	}
	if err := p.speak(ctx, tx, &m, all); err != nil {
		return err
	}
	if g.Channel == SMS {
		if err := p.pay(ctx, tx, &m); err != nil {
			return err
		}
	}
	_, err = p.Promise(ctx, tx, m, secret.Text{})
	return err
}

// speak fills in who speaks, to whom, and who helps.
func (p *Post) speak(ctx context.Context, tx *db.Tx, m *Message, all []told) error {
	who, err := user.ByID(ctx, tx, m.User)
	if err != nil {
		return fmt.Errorf("find a user: %w", err)
	}
	vendor := p.out.vendor()
	m.Words = Words{FirstName: who.FirstName, From: vendor, Vendor: vendor, Zone: time.UTC.String()}
	for _, n := range all {
		if m.Site == "" {
			m.Site = n.Site
		}
	}
	if m.Site == "" {
		sites, err := activeSites(ctx, tx, m.User)
		if err != nil {
			return err
		}
		if len(sites) > 0 {
			m.Site = sites[0]
		}
	}
	methods, err := method.Of(ctx, tx, m.User)
	if err != nil {
		return fmt.Errorf("read methods: %w", err)
	}
	for _, one := range methods {
		if one.Address == m.Address && string(one.Kind) == string(m.Channel) {
			m.Method = one.ID
		}
	}
	if m.Site == "" {
		return nil
	}
	at, err := site.ByID(ctx, tx, m.Site)
	if err != nil {
		return fmt.Errorf("find a site: %w", err)
	}
	m.Words.From, m.Words.Zone, m.Words.Manager = at.Name, at.Zone.String(), at.AccountManager
	m.Words.Helper, err = helper(ctx, tx, at.ID, m.User, all)
	return err
}

// helper names the longest standing Admin of a site who is neither the user nor one who
// did what is told: whoever it happened to must not be sent to them.
func helper(ctx context.Context, from *db.Tx, at id.Site, but id.User, all []told) (string, error) {
	admins, err := site.Admins(ctx, from, from.Now, at)
	if err != nil {
		return "", fmt.Errorf("read a site's admins: %w", err)
	}
	for _, who := range admins {
		if who == but {
			continue
		}
		u, err := user.ByID(ctx, from, who)
		if err != nil {
			return "", fmt.Errorf("find an admin: %w", err)
		}
		if !slices.ContainsFunc(all, func(n told) bool { return n.Words["by"] == u.Name() }) {
			return u.Name(), nil
		}
	}
	return "", nil
}

// pay reserves the part of a notice. It takes nothing of the float: that is for getting in.
func (p *Post) pay(ctx context.Context, tx *db.Tx, m *Message) error {
	if p.out.Texts == nil || m.Site == "" {
		return errUnpaid
	}
	hold, ok, err := balance.Reserve(ctx, tx, balance.Ask{Site: m.Site, User: m.User, Message: m.ID, Try: 1, Parts: 1})
	if err != nil {
		return fmt.Errorf("reserve an SMS part: %w", err)
	}
	if !ok {
		return errUnpaid
	}
	m.Hold = hold
	return nil
}

// unpaid is for notices that no SMS can be paid for. One that was told by mail, too, is
// done with; others go by mail, if there is a mailbox that may take it, or wait.
func unpaid(ctx context.Context, tx *db.Tx, g group) error {
	all, _, err := waiting(ctx, tx, g, tx.Now)
	if err != nil {
		return err
	}
	for _, n := range all {
		by, err := twins(ctx, tx, n, Email)
		if err != nil {
			return err
		}
		if by > 0 {
			if err := forget(ctx, tx, n); err != nil {
				return err
			}
		}
	}
	who, err := reach(ctx, tx, g.User)
	if err != nil {
		return err
	}
	if who.reachable {
		return reroute(ctx, tx, g, Email, who.mailbox)
	}
	return postpone(ctx, tx, g, tx.Now.Add(payLater))
}

// elsewhere tells by SMS what a mail could not tell, because it was refused for good.
func (p *Post) elsewhere(ctx context.Context, tx *db.Tx, m Message) error {
	if m.Kind != NoticeMail || m.Channel != Email {
		return nil
	}
	who, err := reach(ctx, tx, m.User)
	if err != nil || who.mobile == "" {
		return err
	}
	all, err := carried(ctx, tx, m)
	if err != nil {
		return fmt.Errorf("read what a mail told: %w", err)
	}
	for _, n := range all {
		if n.Kind == TrailCheckpoint {
			continue // no SMS could hold it
		}
		by, err := twins(ctx, tx, n, SMS)
		if err != nil {
			return err
		}
		if by > 0 {
			continue
		}
		n.Channel, n.Address = SMS, who.mobile
		if err := p.put(ctx, tx, n); err != nil {
			return err
		}
	}
	return nil
}
