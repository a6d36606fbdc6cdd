package connect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/secret"
	"keyturn/internal/xero"
)

// grant is what one person at Xero allowed us.
type grant struct {
	user       string
	generation int64
	// refresh, before and access are sealed; before may be empty.
	refresh, before, access []byte
	accessUntil, renewedAt  time.Time
	lease                   string
	leasedUntil             time.Time
	dueAt, missedAt, deadAt time.Time
}

const (
	// leaseFor is how long one node has for a renewal. A call to Xero ends within 10
	// seconds, and there are two of them at most: whoever holds a lease has come back, or
	// will not.
	leaseFor = 45 * time.Second
	// margin is how long an access token lives at least that is given to somebody.
	margin = 5 * time.Minute
)

// given is an access token with the end that it has: the grant may have another one by now.
type given struct {
	token secret.Text
	until time.Time
}

var errRenewing = errors.New("another node is renewing the tokens")

// place is where a token of a grant is sealed.
func place(user, column string) secret.Place {
	return secret.Place{Owner: "xero", Table: "xero_grants", Row: user, Column: column}
}

func (d *Desk) open(user, column string, sealed []byte) (secret.Text, error) {
	plain, err := d.Keys.Open(place(user, column), sealed)
	if err != nil {
		return secret.Text{}, err
	}
	return secret.NewText(string(plain)), nil
}

// seal makes the next generation of a grant from tokens. The refresh token before it, if
// there is one, is kept beside.
func (d *Desk) seal(user string, t xero.Tokens, before secret.Text) (g grant, err error) {
	g = grant{user: user, accessUntil: t.Until}
	for column, one := range map[string]struct {
		to    *[]byte
		plain secret.Text
	}{"refresh_sealed": {&g.refresh, t.Refresh}, "access_sealed": {&g.access, t.Access}, "before_sealed": {&g.before, before}} {
		if one.plain.Reveal() == "" {
			continue
		}
		if *one.to, err = d.Keys.Seal(place(user, column), []byte(one.plain.Reveal())); err != nil {
			return g, err
		}
	}
	return g, nil
}

// fresh gives an access token of a person that lives for margin at least, renewing it if
// need be; spent asks for another one than that which was refused. Dead is the answer where
// Xero takes the refresh token no more.
//
// One node renews at a time: it takes a lease in a guarded change, asks Xero with no
// transaction open, and stores the new refresh token in another guarded change. Whoever is
// killed in between leaves the lease and the old token, which Xero takes for 30 minutes more:
// the next one who comes after the lease asks again with it. Whoever lost the lease while
// asking stores nothing, and the one who has it finds the way back by the token before.
func (d *Desk) fresh(ctx context.Context, user string, spent secret.Text) (given, xero.Answer, error) {
	g, err := grantOf(ctx, d.DB, user)
	if errors.Is(err, fault.NotFound) {
		return given{}, xero.Dead, nil
	}
	if err != nil {
		return given{}, xero.Done, fmt.Errorf("read a grant: %w", err)
	}
	if !g.deadAt.IsZero() {
		return given{}, xero.Dead, nil
	}
	now := d.DB.Clock.Now()
	access, err := d.open(user, "access_sealed", g.access)
	one := given{access, g.accessUntil}
	if err != nil {
		return given{}, xero.Done, err
	}
	lives := g.accessUntil.Sub(now)
	usable := lives > 0 && (spent.Reveal() == "" || !spent.Equal(access))
	left := g.lease != "" && !now.Before(g.leasedUntil) // by somebody who did not come back
	if usable && lives >= margin && !left {
		return one, xero.Done, nil
	}
	g, won, err := d.lease(ctx, g)
	switch {
	case err != nil:
		return given{}, xero.Done, err
	case !won && usable:
		return one, xero.Done, nil // the other one will have a new one soon
	case !won:
		return given{}, xero.Done, busy(errRenewing)
	}
	next, answer, err := d.renew(ctx, g)
	if errors.Is(err, fault.Busy) && usable {
		return one, xero.Done, nil // it works still, and the renewal is tried again soon
	}
	return next, answer, err
}

// lease takes the right to renew a grant as it was read; false if somebody else has it, or
// has renewed it meanwhile.
func (d *Desk) lease(ctx context.Context, g grant) (grant, bool, error) {
	name, _ := secret.Token()
	won := false
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		next := g
		next.lease, next.leasedUntil = name, tx.Now.Add(leaseFor)
		n, err := takeLease(ctx, tx, next)
		if won = err == nil && n == 1; won {
			g.leasedUntil = next.leasedUntil
		}
		return err
	})
	g.lease = name
	if err != nil {
		return g, false, fmt.Errorf("take the lease of a grant: %w", err)
	}
	return g, won, nil
}

// renew asks Xero for new tokens, first with the present refresh token and then, if that is
// refused, with the one before it.
func (d *Desk) renew(ctx context.Context, g grant) (given, xero.Answer, error) {
	refresh, err := d.open(g.user, "refresh_sealed", g.refresh)
	if err != nil {
		return given{}, xero.Done, err
	}
	got, err := d.Xero.Renew(ctx, refresh)
	if err == nil && got.Answer == xero.Dead && g.before != nil && d.DB.Clock.Now().Sub(g.renewedAt) < xero.RefreshGrace {
		if refresh, err = d.open(g.user, "before_sealed", g.before); err != nil {
			return given{}, xero.Done, err
		}
		got, err = d.Xero.Renew(ctx, refresh)
	}
	if err != nil {
		// Whether Xero made new tokens is not known: the old ones are asked with again soon.
		return given{}, xero.Done, errors.Join(err, d.giveUp(ctx, g))
	}
	if got.Answer != xero.Done {
		return d.bury(ctx, g)
	}
	if err := d.at(answered); err != nil {
		return given{}, xero.Done, err
	}
	if err := d.keep(ctx, g, got.Tokens, refresh); err != nil {
		return given{}, xero.Done, err
	}
	return given{got.Tokens.Access, got.Tokens.Until}, xero.Done, d.at(stored)
}

// tries is how often it is tried to store what cannot be had again.
const tries = 4

// keep stores new tokens in place of the generation that was leased. It goes on when the
// caller has gone away: Xero counts on it.
func (d *Desk) keep(ctx context.Context, g grant, t xero.Tokens, before secret.Text) error {
	ctx = context.WithoutCancel(ctx)
	next, err := d.seal(g.user, t, before)
	if err != nil {
		return err
	}
	for range tries {
		var n int64
		err = d.DB.Do(ctx, func(tx *db.Tx) error {
			next.renewedAt = tx.Now
			n, err = storeTokens(ctx, tx, g, next)
			return err
		})
		if err == nil && n == 0 {
			return busy(errRenewing) // the lease was over, and somebody else went on
		}
		if !errors.Is(err, fault.Busy) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("store new tokens of Xero's: %w", err)
	}
	return nil
}

// giveUp gives a lease back, so that the renewal is tried again soon: by whoever needs it,
// and in a minute at the latest.
func (d *Desk) giveUp(ctx context.Context, g grant) error {
	ctx = context.WithoutCancel(ctx)
	return d.DB.Do(ctx, func(tx *db.Tx) error { return dropLease(ctx, tx, g) })
}

// bury notes that a grant is dead: its links fail, and their admins are told, once. If the
// grant is another one by now, the caller comes back for that.
func (d *Desk) bury(ctx context.Context, g grant) (given, xero.Answer, error) {
	buried := false
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		n, err := markDead(ctx, tx, g)
		if buried = n == 1; err != nil || !buried {
			return err
		}
		return d.failAll(ctx, tx, g.user, "dead")
	})
	switch {
	case err != nil:
		return given{}, xero.Done, fmt.Errorf("note a dead grant: %w", err)
	case !buried:
		return given{}, xero.Done, busy(errRenewing)
	}
	return given{}, xero.Dead, nil
}
