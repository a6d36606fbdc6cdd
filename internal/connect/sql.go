package connect

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// Grants.

const grantColumns = `
	xero_user, generation, refresh_sealed, before_sealed, access_sealed, access_until, renewed_at,
	lease, leased_until, due_at, missed_at, dead_at`

func scanGrant(r db.Row) (g grant, err error) {
	return g, r.Scan(&g.user, &g.generation, &g.refresh, &g.before, &g.access, db.When(&g.accessUntil), db.When(&g.renewedAt),
		&g.lease, db.When(&g.leasedUntil), db.When(&g.dueAt), db.When(&g.missedAt), db.When(&g.deadAt))
}

func grantOf(ctx context.Context, from db.Reader, user string) (grant, error) {
	return db.One(ctx, from, scanGrant, `SELECT `+grantColumns+` FROM xero_grants WHERE xero_user = $1`, user)
}

// putGrant stores what somebody allowed anew, in place of what they had allowed before.
func putGrant(ctx context.Context, tx *db.Tx, g grant) error {
	return tx.Change(ctx, `
		INSERT INTO xero_grants (xero_user, generation, refresh_sealed, access_sealed, access_until, renewed_at, due_at)
		VALUES ($1, 1, $2, $3, $4, $5, $5)
		ON CONFLICT (xero_user) DO UPDATE
		   SET generation = xero_grants.generation + 1, refresh_sealed = $2, before_sealed = NULL, access_sealed = $3,
		       access_until = $4, renewed_at = $5, lease = '', leased_until = NULL, due_at = $5, missed_at = NULL, dead_at = NULL`,
		g.user, g.refresh, g.access, db.Stamp(g.accessUntil), db.Stamp(tx.Now))
}

func takeLease(ctx context.Context, tx *db.Tx, g grant) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE xero_grants SET lease = $3, leased_until = $4
		 WHERE xero_user = $1 AND generation = $2 AND dead_at IS NULL AND (lease = '' OR leased_until <= $5)`,
		g.user, g.generation, g.lease, db.Stamp(g.leasedUntil), db.Stamp(tx.Now))
}

func dropLease(ctx context.Context, tx *db.Tx, g grant) error {
	_, err := tx.Exec(ctx, `
		UPDATE xero_grants SET leased_until = $4
		 WHERE xero_user = $1 AND generation = $2 AND lease = $3`, g.user, g.generation, g.lease, db.Stamp(tx.Now))
	return err
}

func storeTokens(ctx context.Context, tx *db.Tx, g, next grant) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE xero_grants
		   SET generation = generation + 1, refresh_sealed = $4, before_sealed = $5, access_sealed = $6, access_until = $7,
		       renewed_at = $8, lease = '', leased_until = NULL
		 WHERE xero_user = $1 AND generation = $2 AND lease = $3`,
		g.user, g.generation, g.lease, next.refresh, next.before, next.access, db.Stamp(next.accessUntil), db.Stamp(next.renewedAt))
}

func markDead(ctx context.Context, tx *db.Tx, g grant) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE xero_grants SET dead_at = $4, lease = '', leased_until = NULL
		 WHERE xero_user = $1 AND generation = $2 AND lease = $3 AND dead_at IS NULL`,
		g.user, g.generation, g.lease, db.Stamp(tx.Now))
}

// dueGrants are those whose connections are to be read, and those whose renewal somebody
// left half done.
func dueGrants(ctx context.Context, from db.Reader, now time.Time, most int) ([]grant, error) {
	return db.Many(ctx, from, scanGrant, `
		SELECT `+grantColumns+` FROM xero_grants
		 WHERE dead_at IS NULL AND (due_at <= $1 OR (lease <> '' AND leased_until <= $1))
		 ORDER BY due_at, xero_user LIMIT $2`, db.Stamp(now), most)
}

// claimLook takes a grant's turn: the next one is at due.
func claimLook(ctx context.Context, tx *db.Tx, g grant, due time.Time) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE xero_grants SET due_at = $3
		 WHERE xero_user = $1 AND due_at = $2 AND dead_at IS NULL`, g.user, db.Stamp(g.dueAt), db.Stamp(due))
}

func missed(ctx context.Context, tx *db.Tx, user string, due time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE xero_grants SET missed_at = COALESCE(missed_at, $2), due_at = $3
		 WHERE xero_user = $1 AND dead_at IS NULL`, user, db.Stamp(tx.Now), db.Stamp(due))
	return err
}

func heard(ctx context.Context, tx *db.Tx, user string) error {
	_, err := tx.Exec(ctx, `UPDATE xero_grants SET missed_at = NULL WHERE xero_user = $1 AND missed_at IS NOT NULL`, user)
	return err
}

// dropGrant forgets the tokens of somebody who has no site connected any more.
func dropGrant(ctx context.Context, tx *db.Tx, user string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM xero_grants
		 WHERE xero_user = $1 AND NOT EXISTS (SELECT 1 FROM xero_links l WHERE l.xero_user = $1)`, user)
	return err
}

// idleGrants are those of people who came back from Xero and chose nothing.
func idleGrants(ctx context.Context, from db.Reader, before time.Time, most int) ([]string, error) {
	return db.Many(ctx, from, func(r db.Row) (user string, err error) { return user, r.Scan(&user) }, `
		SELECT g.xero_user FROM xero_grants g
		 WHERE g.renewed_at < $1 AND NOT EXISTS (SELECT 1 FROM xero_links l WHERE l.xero_user = g.xero_user)
		 ORDER BY g.xero_user LIMIT $2`, db.Stamp(before), most)
}

// Links.

const linkColumns = `
	l.site_id, l.connection_id, l.organisation_id, l.organisation, l.xero_user, l.linked_by, l.linked_at, l.heard_at,
	COALESCE(g.dead_at, 0)`

func scanLink(r db.Row) (l Link, err error) {
	var dead int64
	err = r.Scan(&l.Site, &l.connection, &l.organisation, &l.Organisation, &l.user, &l.By, db.When(&l.Since), db.When(&l.Heard), &dead)
	l.Dead = dead != 0
	return l, err
}

const fromLinks = ` FROM xero_links l JOIN xero_grants g ON g.xero_user = l.xero_user`

func linkOf(ctx context.Context, from db.Reader, at id.Site) (Link, bool, error) {
	l, err := db.One(ctx, from, scanLink, `SELECT `+linkColumns+fromLinks+` WHERE l.site_id = $1`, at)
	if errors.Is(err, fault.NotFound) {
		return l, false, nil
	}
	return l, err == nil, err
}

func linksOf(ctx context.Context, from db.Reader, user string) ([]Link, error) {
	return db.Many(ctx, from, scanLink, `SELECT `+linkColumns+fromLinks+` WHERE l.xero_user = $1 ORDER BY l.site_id`, user)
}

// ownerOf finds the site that an organisation is connected to; empty if none is.
func ownerOf(ctx context.Context, from db.Reader, organisation string) (id.Site, error) {
	s, err := db.One(ctx, from, func(r db.Row) (s id.Site, err error) { return s, r.Scan(&s) },
		`SELECT site_id FROM xero_links WHERE organisation_id = $1`, organisation)
	if errors.Is(err, fault.NotFound) {
		return "", nil
	}
	return s, err
}

// putLink links a site, or links it anew to the same organisation.
func putLink(ctx context.Context, tx *db.Tx, l Link) (int64, error) {
	return tx.Exec(ctx, `
		INSERT INTO xero_links (site_id, connection_id, organisation_id, organisation, xero_user, linked_by, linked_at, heard_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
		ON CONFLICT (site_id) DO UPDATE
		   SET connection_id = $2, organisation = $4, xero_user = $5, linked_by = $6, linked_at = $7, heard_at = $7
		 WHERE xero_links.organisation_id = $3`,
		l.Site, l.connection, l.organisation, l.Organisation, l.user, l.By, db.Stamp(tx.Now))
}

func hearLink(ctx context.Context, tx *db.Tx, l Link) error {
	_, err := tx.Exec(ctx, `
		UPDATE xero_links SET heard_at = $3, organisation = $4
		 WHERE site_id = $1 AND connection_id = $2`, l.Site, l.connection, db.Stamp(tx.Now), l.Organisation)
	return err
}

func dropLink(ctx context.Context, tx *db.Tx, l Link) (int64, error) {
	return tx.Exec(ctx, `
		DELETE FROM xero_links WHERE site_id = $1 AND connection_id = $2 AND linked_at = $3`,
		l.Site, l.connection, db.Stamp(l.Since))
}

// Askings.

// asking is one time that an admin goes to Xero.
type asking struct {
	site            id.Site
	id              id.Connecting
	user            id.User
	session         id.Session
	verifier, nonce []byte
	tonight         bool
	madeAt, usedAt  time.Time
	xeroUser        string
	choices         []Choice
}

const askingColumns = `
	site_id, asking_id, user_id, session_id, verifier_sealed, nonce_sealed, tonight, made_at, used_at, xero_user, choices`

func scanAsking(r db.Row) (a asking, err error) {
	var choices string
	if err = r.Scan(&a.site, &a.id, &a.user, &a.session, &a.verifier, &a.nonce, &a.tonight,
		db.When(&a.madeAt), db.When(&a.usedAt), &a.xeroUser, &choices); err != nil {
		return a, err
	}
	return a, json.Unmarshal([]byte(choices), &a.choices)
}

func insertAsking(ctx context.Context, tx *db.Tx, a asking, state []byte) error {
	return tx.Change(ctx, `
		INSERT INTO xero_askings (site_id, asking_id, user_id, session_id, state_hash, verifier_sealed, nonce_sealed, tonight, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.site, a.id, a.user, a.session, state, a.verifier, a.nonce, a.tonight, db.Stamp(tx.Now))
}

func askingByState(ctx context.Context, from db.Reader, state []byte, a asking, since time.Time) (asking, error) {
	return db.One(ctx, from, scanAsking, `
		SELECT `+askingColumns+` FROM xero_askings
		 WHERE site_id = $1 AND user_id = $2 AND session_id = $3 AND state_hash = $4 AND used_at IS NULL AND made_at > $5`,
		a.site, a.user, a.session, state, db.Stamp(since))
}

func useAsking(ctx context.Context, tx *db.Tx, a asking) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE xero_askings SET used_at = $3
		 WHERE site_id = $1 AND asking_id = $2 AND used_at IS NULL`, a.site, a.id, db.Stamp(tx.Now))
}

func openChoice(ctx context.Context, from db.Reader, a asking, since time.Time) (asking, error) {
	return db.One(ctx, from, scanAsking, `
		SELECT `+askingColumns+` FROM xero_askings
		 WHERE site_id = $1 AND asking_id = $2 AND user_id = $3 AND session_id = $4 AND used_at > $5 AND xero_user <> '' AND done_at IS NULL`,
		a.site, a.id, a.user, a.session, db.Stamp(since))
}

func offerChoice(ctx context.Context, tx *db.Tx, a asking) error {
	text, err := json.Marshal(a.choices)
	if err != nil {
		return err
	}
	return tx.Change(ctx, `
		UPDATE xero_askings SET xero_user = $3, choices = $4
		 WHERE site_id = $1 AND asking_id = $2 AND done_at IS NULL`, a.site, a.id, a.xeroUser, string(text))
}

func endAsking(ctx context.Context, tx *db.Tx, a asking) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE xero_askings SET done_at = $3
		 WHERE site_id = $1 AND asking_id = $2 AND done_at IS NULL`, a.site, a.id, db.Stamp(tx.Now))
}

func sweepAskings(ctx context.Context, tx *db.Tx, before time.Time, most int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM xero_askings WHERE asking_id IN (
			SELECT asking_id FROM xero_askings WHERE made_at < $1 ORDER BY made_at LIMIT $2)`, db.Stamp(before), most)
	return err
}

// What the host product says.

// putReport stores what the host product says of a connected site; 0 if it said the same
// before.
func putReport(ctx context.Context, tx *db.Tx, at id.Site, r Report) (int64, error) {
	return tx.Exec(ctx, `
		INSERT INTO xero_reports (site_id, connected_at, organisation, by_name, reported_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (site_id) DO UPDATE
		   SET connected_at = $2, organisation = $3, by_name = $4, reported_at = $5
		 WHERE xero_reports.connected_at <> $2 OR xero_reports.organisation <> $3 OR xero_reports.by_name <> $4`,
		at, db.Stamp(r.Since), r.Organisation, r.By, db.Stamp(tx.Now))
}

func dropReport(ctx context.Context, tx *db.Tx, at id.Site) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM xero_reports WHERE site_id = $1`, at)
}

func reported(ctx context.Context, from db.Reader, at id.Site) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM xero_reports WHERE site_id = $1`, at)
	return n > 0, err
}
