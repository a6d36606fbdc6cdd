package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"keyturn/internal/audit"
	"keyturn/internal/check"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
)

// Turn is what comes next for a request.
type Turn string

// The turns.
const (
	// SignIn says that somebody has to sign in, anew perhaps.
	SignIn Turn = "sign_in"
	// Unlock says that their session has locked.
	Unlock Turn = "unlock"
	// Raise says that more is required of their session now, by anybody but the client.
	Raise Turn = "raise"
	// StepUp says that the client asks for more, and that they have a way to give it.
	StepUp Turn = "step_up"
	// Done says that Next.To is where the answer goes.
	Done Turn = "done"
)

// Next is what comes next, and where the answer goes once there is one.
type Next struct {
	Turn Turn
	To   string
}

// Go says what comes next for a request in a browser whose session stands so; where nothing
// is left to ask it makes the answer. For a mobile client the session is that of
// check.OfApp, for every other that of check.Of.
func (d *Desk) Go(ctx context.Context, r Request, browser string, a check.Answer) (Next, error) {
	turn, code, err := d.turn(ctx, r, a)
	switch {
	case err != nil:
		return Next{}, err
	case code != "":
		return d.deny(ctx, r, browser, refuse(code, words[code]))
	case turn != Done:
		return Next{Turn: turn}, nil
	}
	return d.issue(ctx, r, browser, a)
}

// words say to the developer of a client why there is no code.
var words = map[string]string{
	LoginRequired:     "Somebody has to sign in, and prompt=none lets no page be shown.",
	InteractionNeeded: "More has to be proved, and prompt=none lets no page be shown.",
	UnmetLevel:        "This person has no way to reach the level that was asked.",
	AccessDenied:      "This person has no place at any site of this application.",
}

// turn is what comes next, or the word with which the client is refused.
func (d *Desk) turn(ctx context.Context, r Request, a check.Answer) (Turn, string, error) {
	ask := func(turn Turn, code string) (Turn, string, error) {
		if r.None {
			return "", code, nil
		}
		return turn, "", nil
	}
	mobile := r.Client.Kind == client.Mobile
	switch {
	case a.State == check.Out, mobile && a.State != check.In:
		return ask(SignIn, LoginRequired)
	case a.State == check.Locked:
		return ask(Unlock, LoginRequired)
	case a.State == check.More:
		return ask(Raise, InteractionNeeded)
	case AuthAt(a.Session).Before(r.Since()):
		return ask(SignIn, LoginRequired)
	}
	decision, err := d.Check.DecisionFor(ctx, a.Session, a.User, policy.Client{ACR: r.ACR, PassedSince: r.Since()}, d.DB.Clock.Now())
	switch {
	case err != nil:
		return "", "", err
	case decision.Outcome == policy.Refuse:
		return "", AccessDenied, nil
	case decision.Outcome == policy.Ask && len(decision.Offered) > 0:
		return ask(StepUp, InteractionNeeded)
	case !decision.Outcome.GoesOn():
		return "", UnmetLevel, nil
	}
	sites, err := d.sites(ctx, r.Client, a)
	if err != nil {
		return "", "", err
	}
	if len(sites) == 0 {
		return "", AccessDenied, nil
	}
	return Done, "", nil
}

// issue makes the grant and its code. The request is done with it, and cannot be done twice.
func (d *Desk) issue(ctx context.Context, r Request, browser string, a check.Answer) (Next, error) {
	code, hash := secret.Token()
	gone := false
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		s, alive, err := standsStill(ctx, tx, a.Session)
		if err != nil || !alive {
			gone = !alive
			return err
		}
		if _, err := client.Living(ctx, tx, r.Client.ID); err != nil {
			return err
		}
		if err := finish(ctx, tx, secret.TokenHash(browser), r.ID); err != nil {
			return err
		}
		g := grant{
			User: s.User, ID: id.New[id.Grant](), Client: r.Client.ID, SID: s.SID, UserEpoch: s.UserEpoch,
			Redirect: r.Redirect, Scopes: r.Scopes, Nonce: r.Nonce, Challenge: r.Challenge,
			CodeUntil: tx.Now.Add(codeLife), MadeAt: tx.Now, EndsAt: s.EndsAt, backChannel: r.Client.BackChannel != "",
		}
		if err := insertGrant(ctx, tx, g, hash); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.ClientEntered, User: s.User, Site: s.Site,
			Actor: audit.Actor{Kind: audit.ActorUser, ID: string(s.User), Network: s.Place.Network, Agent: s.Place.Agent},
			Facts: map[string]string{"client": string(r.Client.ID), "session": string(s.ID), "grant": string(g.ID)},
		})
	})
	switch {
	case err != nil:
		return Next{}, fmt.Errorf("make a code: %w", err)
	case gone:
		return Next{Turn: SignIn}, nil
	}
	return Next{Turn: Done, To: r.to(d.Issuer, url.Values{"code": {code}})}, nil
}

// standsStill says whether a session is one still, in the transaction of what it is for: the
// check was a moment ago.
func standsStill(ctx context.Context, tx *db.Tx, s session.Session) (session.Session, bool, error) {
	kept, err := session.ByID(ctx, tx, s.User, s.ID)
	if errors.Is(err, fault.NotFound) || err == nil && kept.Over(tx.Now) {
		return kept, false, nil
	}
	if err != nil {
		return kept, false, fmt.Errorf("find a session: %w", err)
	}
	present, err := session.Under(ctx, tx, kept)
	return kept, err == nil && present.UserEpoch == kept.UserEpoch && present.MemberEpoch == kept.MemberEpoch, err
}

// deny answers a request with a refusal, at the client's address.
func (d *Desk) deny(ctx context.Context, r Request, browser string, why *Refusal) (Next, error) {
	err := d.DB.Do(ctx, func(tx *db.Tx) error { return finish(ctx, tx, secret.TokenHash(browser), r.ID) })
	if err != nil {
		return Next{}, fmt.Errorf("refuse an application's request: %w", err)
	}
	return Next{Turn: Done, To: r.Denied(d.Issuer, why)}, nil
}

// Denied is where a refusal goes whose client and address are known.
func (r Request) Denied(issuer string, why *Refusal) string {
	return r.to(issuer, url.Values{"error": {why.Code}, "error_description": {why.Words}})
}

// to is the client's address with an answer in its query. iss says whose answer it is (RFC
// 9207), so that a client of several providers cannot be led to take one's for another's.
func (r Request) to(issuer string, answer url.Values) string {
	answer.Set("iss", issuer)
	if r.State != "" {
		answer.Set("state", r.State)
	}
	glue := "?"
	if strings.Contains(r.Redirect, "?") {
		glue = "&"
	}
	return r.Redirect + glue + answer.Encode()
}

// Has says whether a scope was asked for and is known.
func (r Request) Has(scope string) bool { return slices.Contains(r.Scopes, scope) }
