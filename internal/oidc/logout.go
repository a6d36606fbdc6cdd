package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/outward"
	"keyturn/internal/session"
)

const (
	// TellEvery is how often it is looked whether sessions ended whose clients want to be
	// told. What they hold is worth nothing at once, whether they are told or not.
	TellEvery = 10 * time.Second
	// tellMost bounds how many are told in one look.
	tellMost = 200
	// logoutLife is how long a logout token is good (OpenID Connect Back-Channel Logout,
	// section 2.4, recommends two minutes at most).
	logoutLife = 2 * time.Minute
)

// LookJob looks for sessions that ended.
type LookJob struct{}

// Kind implements job.Args.
func (LookJob) Kind() string { return "oidc_look" }

// tellJob tells one client of one session.
type tellJob struct {
	User  id.User  `json:"user"`
	Grant id.Grant `json:"grant"`
}

// Kind implements job.Args.
func (tellJob) Kind() string { return "oidc_tell" }

// Workers registers what is done aside.
func (d *Desk) Workers(work *job.Work) {
	job.On(work, func(ctx context.Context, _ LookJob) error {
		return errors.Join(d.Look(ctx), d.PrepareKeys(ctx), d.RotateDueKeys(ctx))
	})
	work.Every(TellEvery, func() job.Args { return LookJob{} })
	job.On(work, d.tell)
}

// Look finds the grants whose session has ended, whatever ended it, and has their clients
// told. It is read from the rows and the numbers that the session stood under: a sign-out, a
// new password, a block and the end of a day are all seen here, without any of them knowing
// of clients.
func (d *Desk) Look(ctx context.Context) error {
	over, err := ended(ctx, d.DB, d.DB.Clock.Now(), tellMost)
	if err != nil || len(over) == 0 {
		return err
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		told := map[string]bool{} // one client is told of one session once
		for _, g := range over {
			err := noteTold(ctx, tx, g)
			if errors.Is(err, fault.Conflict) {
				continue // another node tells
			}
			if err != nil {
				return err
			}
			if one := string(g.Client) + " " + g.SID; !told[one] {
				told[one] = true
				if err := d.Jobs.Put(ctx, tx, job.Bulk, tellJob{g.User, g.ID}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note whom to tell of an ended session: %w", err)
	}
	return nil
}

// tell sends one logout token. An error has it sent again.
func (d *Desk) tell(ctx context.Context, one tellJob) error {
	g, err := grantOf(ctx, d.DB, one.User, one.Grant)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find a grant: %w", err)
	}
	c, err := client.Living(ctx, d.DB, g.Client)
	if errors.Is(err, fault.NotFound) || err == nil && c.BackChannel == "" {
		return nil
	}
	if err != nil {
		return err
	}
	now := d.DB.Clock.Now()
	token, err := d.sign(ctx, c.IDTokenAlg, "logout+jwt", map[string]any{
		"iss": d.Issuer, "aud": c.ID, "iat": now.Unix(), "exp": now.Add(logoutLife).Unix(), "jti": id.New[id.Event](),
		"sub": g.User, "sid": g.SID, "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
	})
	if err != nil {
		return err
	}
	return d.post(ctx, c, token)
}

// post hands the token to the client. A client that says no for good is not asked again.
func (d *Desk) post(ctx context.Context, c client.Client, token string) error {
	got := d.Way.Post(ctx, c.BackChannel, map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		[]byte(url.Values{"logout_token": {token}}.Encode()))
	switch {
	case got.Why == "":
		return nil
	case got.Refused(), got.Gone(), got.Why == outward.Redirect:
		d.Log.WarnContext(ctx, "a client does not take what its back channel is told", "client", string(c.ID), "status", got.Status)
		return nil
	}
	return fmt.Errorf("tell the client %s: %s, status %d: %w", c.ID, got.Why, got.Status, fault.Busy)
}

// Leave is what somebody who signs out at an application comes with.
type Leave struct {
	// Session is the one that the application proved to know of by an ID token of ours: it
	// may end without asking. Its id is empty where there is none, or none any more.
	Session session.Session
	// Known says that an ID token of ours came, of a session that may be over.
	Known bool
	// To is where the browser goes afterwards: an address that the client registered for
	// that, byte for byte, with its state. Empty: to a page of ours.
	To string
	// Client is the application, whose id is empty where none was named.
	Client client.Client
}

// Leaving reads a request to sign out (OpenID Connect RP-Initiated Logout). Whatever is wrong
// in it leads to a page of ours.
func (d *Desk) Leaving(ctx context.Context, get func(string) string) (l Leave, err error) {
	which, _ := id.Parse[id.Client](get("client_id")) // what is none names none
	if text := get("id_token_hint"); text != "" {
		h, ok, err := d.readHint(ctx, text)
		if err != nil {
			return l, err
		}
		if !ok || which != "" && which != h.Client {
			return l, nil
		}
		which, l.Known = h.Client, true
		l.Session, err = session.BySID(ctx, d.DB, h.Subject, h.SID)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return l, fmt.Errorf("find a session: %w", err)
		}
	}
	l.Client, err = client.Living(ctx, d.DB, which)
	if errors.Is(err, fault.NotFound) {
		return Leave{}, nil
	}
	if err != nil {
		return l, err
	}
	if to := get("post_logout_redirect_uri"); to != "" && l.Client.PostLogout(to) {
		l.To = to
		if state := get("state"); state != "" && len(state) <= longestParam && plain(state) {
			glue := "?"
			if strings.Contains(to, "?") {
				glue = "&"
			}
			l.To = to + glue + url.Values{"state": {state}}.Encode()
		}
	}
	return l, nil
}
