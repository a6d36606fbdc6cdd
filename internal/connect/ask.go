package connect

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
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
	"keyturn/internal/xero"
)

// Choice is an organisation that came back from Xero.
type Choice struct {
	// Connection is Xero's id of the connection, by which it is chosen.
	Connection string `json:"connection"`
	// Organisation is Xero's id of it.
	Organisation string `json:"organisation"`
	Name         string `json:"name"`
	// Taken says that another site is connected to it.
	Taken bool `json:"-"`
}

// Begin sends an admin to Xero, with a fresh proof: url is where. tonight has the connection
// become live at the next 4 am site time instead of at once. The way back is for the session
// that began it, works once and is open for ten minutes. fault.NotFound for whoever is no
// Admin of the site that their session is in.
func (d *Desk) Begin(ctx context.Context, by authority.Bearer, tonight bool) (to string, refused Refused, err error) {
	if d.Xero == nil {
		return "", NotSetUp, nil
	}
	ask := xero.NewAsking()
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		s, why, err := d.forChange(ctx, tx, tx.Now, by)
		if refused = why; err != nil || why != "" {
			return err
		}
		status, err := d.Status(ctx, tx, s.ID)
		if err != nil {
			return err
		}
		if status.Link != nil && status.Live() && !status.Failing() {
			refused = Linked
			return nil
		}
		a := asking{site: s.ID, id: id.New[id.Connecting](), user: by.User.ID, session: by.Session.ID, tonight: tonight}
		for column, one := range map[string]struct {
			to    *[]byte
			plain secret.Text
		}{"verifier_sealed": {&a.verifier, ask.Verifier}, "nonce_sealed": {&a.nonce, ask.Nonce}} {
			if *one.to, err = d.Keys.Seal(a.place(column), []byte(one.plain.Reveal())); err != nil {
				return err
			}
		}
		if err := insertAsking(ctx, tx, a, secret.TokenHash(ask.State)); err != nil {
			return fmt.Errorf("store an asking: %w", err)
		}
		return audit.Record(ctx, tx, audit.Event{Kind: audit.XeroAsked, Actor: by.Actor(), Site: s.ID})
	})
	if err != nil || refused != "" {
		return "", refused, err
	}
	return d.Xero.Ask(ask), "", nil
}

func (a asking) place(column string) secret.Place {
	return secret.Place{Owner: string(a.site), Table: "xero_askings", Row: string(a.id), Column: column}
}

// Back is what a browser comes back from Xero with, as it stands in the query.
type Back struct {
	State, Code string
	// Fault is why Xero lets nobody in: "access_denied" where the person pressed Cancel.
	Fault string
}

// longestBack bounds each part, in bytes.
const longestBack = 1024

// ReadBack reads it. What is longer than anything of Xero's counts as not there.
func ReadBack(q url.Values) Back {
	get := func(name string) string {
		if v := q.Get(name); len(v) <= longestBack {
			return v
		}
		return ""
	}
	return Back{State: get("state"), Code: get("code"), Fault: get("error")}
}

// Waits says whether a browser that came back is waited for, by this session, and changes
// nothing.
func (d *Desk) Waits(ctx context.Context, by authority.Bearer, b Back) (bool, error) {
	_, err := askingByState(ctx, d.DB, secret.TokenHash(b.State), asked(by), d.DB.Clock.Now().Add(-askingLife))
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// asked is what an asking of this session has.
func asked(by authority.Bearer) asking {
	return asking{site: by.Session.Site, user: by.User.ID, session: by.Session.ID}
}

// Finished is what came of it.
type Finished struct {
	Refused Refused
	// Choose is the asking under which one of several organisations is to be chosen; empty
	// where nothing is.
	Choose id.Connecting
}

// Finish takes what the browser came back with: once, in the session that began it. With one
// organisation the site is connected; with several one has to be chosen.
func (d *Desk) Finish(ctx context.Context, by authority.Bearer, b Back) (Finished, error) {
	if d.Xero == nil {
		return Finished{Refused: NotSetUp}, nil
	}
	var a asking
	won := false
	err := d.DB.Do(ctx, func(tx *db.Tx) (err error) {
		if _, err = authority.Admin(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		a, err = askingByState(ctx, tx, secret.TokenHash(b.State), asked(by), tx.Now.Add(-askingLife))
		if won = err == nil; err != nil {
			if errors.Is(err, fault.NotFound) {
				return nil
			}
			return fmt.Errorf("find an asking: %w", err)
		}
		n, err := useAsking(ctx, tx, a)
		won = n == 1
		return err
	})
	switch {
	case err != nil:
		return Finished{}, err
	case !won:
		return Finished{Refused: Over}, nil
	case b.Code == "":
		why := NotAllowed
		if b.Fault == "access_denied" {
			why = Cancelled
		}
		return Finished{Refused: why}, d.refuse(ctx, by, a, why)
	}
	return d.redeem(ctx, by, a, b.Code)
}

// refuse records that nothing came of it.
func (d *Desk) refuse(ctx context.Context, by authority.Bearer, a asking, why Refused) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		return audit.Record(ctx, tx, audit.Event{Kind: audit.XeroRefused, Actor: by.Actor(), Site: a.site, Facts: map[string]string{"why": string(why)}})
	})
}

// redeem exchanges the code and reads what the person let us into, with no transaction open.
func (d *Desk) redeem(ctx context.Context, by authority.Bearer, a asking, code string) (Finished, error) {
	ask, err := d.reopen(a)
	if err != nil {
		return Finished{}, err
	}
	granted, err := d.Xero.Redeem(ctx, code, ask)
	var list xero.List
	if err == nil && granted.Answer == xero.Done {
		list, err = d.Xero.Connections(ctx, granted.Tokens.Access)
	}
	var why Refused
	switch {
	case errors.Is(err, fault.Busy):
		why = Later
	case err != nil:
		return Finished{}, err
	case granted.Answer != xero.Done, list.Answer != xero.Done:
		why = NotAllowed
	case len(list.All) == 0:
		why = None
	}
	if why != "" {
		return Finished{Refused: why}, d.refuse(ctx, by, a, why)
	}
	g, err := d.seal(granted.User, granted.Tokens, secret.Text{})
	if err != nil {
		return Finished{}, err
	}
	a.xeroUser = granted.User
	for _, c := range list.All {
		a.choices = append(a.choices, Choice{Connection: c.ID, Organisation: c.Organisation, Name: c.Name})
	}
	slices.SortFunc(a.choices, func(x, y Choice) int { return strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)) })
	var done Finished
	err = d.DB.Do(ctx, func(tx *db.Tx) (err error) {
		done, err = d.settle(ctx, tx, by, a, g)
		return err
	})
	return done, err
}

func (d *Desk) reopen(a asking) (xero.Asking, error) {
	verifier, err := d.Keys.Open(a.place("verifier_sealed"), a.verifier)
	if err != nil {
		return xero.Asking{}, err
	}
	nonce, err := d.Keys.Open(a.place("nonce_sealed"), a.nonce)
	if err != nil {
		return xero.Asking{}, err
	}
	return xero.Asking{Verifier: secret.NewText(string(verifier)), Nonce: secret.NewText(string(nonce))}, nil
}

// settle stores what the person allowed, and connects the site where there is nothing to
// choose.
func (d *Desk) settle(ctx context.Context, tx *db.Tx, by authority.Bearer, a asking, g grant) (Finished, error) {
	if _, err := authority.Admin(ctx, tx, tx.Now, by); err != nil {
		return Finished{}, err
	}
	if err := putGrant(ctx, tx, g); err != nil {
		return Finished{}, fmt.Errorf("store a grant: %w", err)
	}
	if err := offerChoice(ctx, tx, a); err != nil {
		return Finished{}, fmt.Errorf("store what there is to choose: %w", err)
	}
	if i := only(a.choices); i >= 0 {
		why, err := d.link(ctx, tx, by, a, a.choices[i])
		return Finished{Refused: why}, err
	}
	return Finished{Choose: a.id}, nil
}

// only is the one of several that there is; -1 where one has to be chosen.
func only(all []Choice) int {
	if len(all) == 1 {
		return 0
	}
	return -1
}

// Choices are the organisations of an asking that is to be chosen from. fault.NotFound where
// there is none of this session's, or ten minutes have passed.
func (d *Desk) Choices(ctx context.Context, by authority.Bearer, which id.Connecting) ([]Choice, error) {
	want := asked(by)
	want.id = which
	a, err := openChoice(ctx, d.DB, want, d.DB.Clock.Now().Add(-askingLife))
	if err != nil {
		return nil, fmt.Errorf("find what there is to choose: %w", err)
	}
	for i, c := range a.choices {
		owner, err := ownerOf(ctx, d.DB, c.Organisation)
		if err != nil {
			return nil, fmt.Errorf("look whose an organisation is: %w", err)
		}
		a.choices[i].Taken = owner != "" && owner != a.site
	}
	return a.choices, nil
}

// Choose connects the site to one of them.
func (d *Desk) Choose(ctx context.Context, by authority.Bearer, which id.Connecting, connection string) (refused Refused, err error) {
	want := asked(by)
	want.id = which
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if _, err := authority.Admin(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		a, err := openChoice(ctx, tx, want, tx.Now.Add(-askingLife))
		if errors.Is(err, fault.NotFound) {
			refused = Over
			return nil
		}
		if err != nil {
			return fmt.Errorf("find what there is to choose: %w", err)
		}
		i := slices.IndexFunc(a.choices, func(c Choice) bool { return c.Connection == connection })
		if i < 0 {
			refused = None
			return nil
		}
		refused, err = d.link(ctx, tx, by, a, a.choices[i])
		return err
	})
	return refused, err
}

// link connects the site of an asking. An organisation is one site's, and a site that is
// connected is connected again to its own only.
func (d *Desk) link(ctx context.Context, tx *db.Tx, by authority.Bearer, a asking, c Choice) (Refused, error) {
	owner, err := ownerOf(ctx, tx, c.Organisation)
	if err != nil {
		return "", fmt.Errorf("look whose an organisation is: %w", err)
	}
	if owner != "" && owner != a.site {
		return Taken, d.recordRefusal(ctx, tx, by, a, Taken)
	}
	status, err := d.Status(ctx, tx, a.site)
	if err != nil {
		return "", err
	}
	if l := status.Link; l != nil && l.organisation != c.Organisation {
		if status.Live() {
			return Other, d.recordRefusal(ctx, tx, by, a, Other)
		}
		// The site was disconnected by report: what is left of the link is in nobody's way.
		if _, err := dropLink(ctx, tx, *l); err != nil {
			return "", fmt.Errorf("end a link: %w", err)
		}
	}
	n, err := endAsking(ctx, tx, a)
	if err != nil || n == 0 {
		return Over, err
	}
	n, err = putLink(ctx, tx, Link{
		Site: a.site, connection: c.Connection, organisation: c.Organisation, Organisation: c.Name, user: a.xeroUser, By: by.User.ID,
	})
	if errors.Is(err, fault.Conflict) {
		return "", fmt.Errorf("link a site: %w", err) // another site was quicker: the next try is told
	}
	if err != nil {
		return "", fmt.Errorf("link a site: %w", err)
	}
	if n == 0 {
		return Other, nil
	}
	if l := status.Link; l != nil && l.user != a.xeroUser {
		if err := dropGrant(ctx, tx, l.user); err != nil {
			return "", fmt.Errorf("forget a grant: %w", err)
		}
	}
	return "", d.join(ctx, tx, by, a, c)
}

func (d *Desk) recordRefusal(ctx context.Context, tx *db.Tx, by authority.Bearer, a asking, why Refused) error {
	return audit.Record(ctx, tx, audit.Event{Kind: audit.XeroRefused, Actor: by.Actor(), Site: a.site, Facts: map[string]string{"why": string(why)}})
}

// join makes the site a connected one: from now on or from 4 am. One that was connected
// already, by report or with a link that failed, keeps its since.
func (d *Desk) join(ctx context.Context, tx *db.Tx, by authority.Bearer, a asking, c Choice) error {
	s, err := site.ByID(ctx, tx, a.site)
	if err != nil {
		return fmt.Errorf("find a site: %w", err)
	}
	since, at := tx.Now, ""
	if a.tonight {
		since = policy.NextFour(tx.Now, s.Zone)
		at = since.UTC().Format(time.RFC3339)
	}
	first, err := integration.Join(ctx, tx, by.Actor(), integration.Integration{
		Site: a.site, Kind: policy.Xero, Since: since, By: by.User.Name(), Organisation: c.Name,
	}, map[string]string{"xero": c.Organisation})
	if err != nil {
		return err
	}
	if !first {
		was := "reported"
		healed, err := integration.Heal(ctx, tx, a.site, policy.Xero)
		if err != nil {
			return err
		}
		if healed {
			was = "failing"
		}
		if err := integration.Rename(ctx, tx, a.site, policy.Xero, c.Name); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.XeroLinked, Actor: by.Actor(), Site: a.site, Facts: map[string]string{"organisation": c.Name, "xero": c.Organisation, "was": was},
		})
	}
	return d.tellAdmins(ctx, tx, message.Notice{
		Site: a.site, Kind: message.XeroConnected, Words: map[string]string{"by": by.User.Name(), "organisation": c.Name, "at": at},
	})
}

// Disconnect ends a site's connection, here and at Xero, with a fresh proof. What it
// required stays until an admin lowers it, seven days later at the earliest. Where Xero lets
// us in no more, it ends here alone, and atXero is false. fault.NotFound as in Begin.
func (d *Desk) Disconnect(ctx context.Context, by authority.Bearer) (refused Refused, atXero bool, err error) {
	now := d.DB.Clock.Now()
	s, refused, err := d.forChange(ctx, d.DB, now, by)
	if err != nil || refused != "" {
		return refused, false, err
	}
	l, found, err := linkOf(ctx, d.DB, s.ID)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("read a link: %w", err)
	case !found:
		return Nothing, false, nil
	case d.Xero == nil:
		return NotSetUp, false, nil
	}
	answer, err := d.endAtXero(ctx, l)
	if errors.Is(err, fault.Busy) {
		return Later, false, nil
	}
	if err != nil {
		return "", false, err
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		_, why, err := d.forChange(ctx, tx, tx.Now, by)
		if refused = why; err != nil || why != "" {
			return err
		}
		return d.part(ctx, tx, l, by.Actor(), by.User.Name())
	})
	return refused, answer != xero.Dead, err
}

// endAtXero ends a connection there: Dead where we are not let in any more.
func (d *Desk) endAtXero(ctx context.Context, l Link) (xero.Answer, error) {
	var spent secret.Text
	for range 2 {
		access, answer, err := d.fresh(ctx, l.user, spent)
		if err != nil || answer != xero.Done {
			return answer, err
		}
		answer, err = d.Xero.Disconnect(ctx, access.token, l.connection)
		if err != nil || answer != xero.Dead {
			return answer, err
		}
		spent = access.token
	}
	return xero.Done, busy(errNotTaken)
}
