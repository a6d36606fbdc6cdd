package request

import (
	"context"
	"math"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

const columns = `
	site_id, request_id, state, email, first_name, last_name, mobile, member_group, kind, access_until, asked_by, asked_at,
	first_by, first_at, decided_by, decided_at, reason, user_id, expires_at, ended_at`

func scan(r db.Row) (q Request, err error) {
	return q, r.Scan(&q.Site, &q.ID, &q.State, &q.Email, &q.FirstName, &q.LastName, &q.Mobile, &q.Group, &q.Kind, db.When(&q.Until),
		&q.AskedBy, db.When(&q.AskedAt), &q.FirstBy, db.When(&q.FirstAt), &q.DecidedBy, db.When(&q.DecidedAt), &q.Reason,
		&q.user, db.When(&q.ExpiresAt), db.When(&q.EndedAt))
}

func insert(ctx context.Context, tx *db.Tx, r Request) error {
	return tx.Change(ctx, `
		INSERT INTO requests (site_id, request_id, state, email, first_name, last_name, mobile, member_group, kind, access_until,
		                      asked_by, asked_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		r.Site, r.ID, string(r.State), string(r.Email), r.FirstName, r.LastName, r.Mobile, string(r.Group), string(r.Kind), db.Stamp(r.Until),
		r.AskedBy, db.Stamp(r.AskedAt), db.Stamp(r.ExpiresAt))
}

func byID(ctx context.Context, from db.Reader, at id.Site, which id.Request) (Request, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM requests WHERE site_id = $1 AND request_id = $2`, at, which)
}

// hold gives a request as it is now, and keeps its row until the transaction ends.
func hold(ctx context.Context, tx *db.Tx, at id.Site, which id.Request) (Request, error) {
	return db.One(ctx, tx, scan, `
		UPDATE requests SET state = state WHERE site_id = $1 AND request_id = $2 RETURNING `+columns, at, which)
}

func ofSite(ctx context.Context, from db.Reader, at id.Site, limit int) ([]Request, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM requests WHERE site_id = $1
		 ORDER BY CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END, asked_at DESC, request_id DESC LIMIT $2`, at, limit)
}

func page(ctx context.Context, from db.Reader, at id.Site, after Place, limit int) ([]Request, error) {
	before := after.AskedAt
	if before.IsZero() {
		before = time.UnixMicro(math.MaxInt64)
	}
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM requests
		 WHERE site_id = $1 AND (asked_at < $2 OR asked_at = $2 AND request_id < $3)
		 ORDER BY asked_at DESC, request_id DESC LIMIT $4`, at, before.UnixMicro(), string(after.ID), limit)
}

func waiting(ctx context.Context, from db.Reader, now time.Time, limit int) ([]Request, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM requests
		 WHERE state IN ('asked', 'approved_once') AND expires_at > $1 ORDER BY asked_at, request_id LIMIT $2`, db.Stamp(now), limit)
}

func ofUser(ctx context.Context, from db.Reader, who id.User) ([]Request, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM requests WHERE user_id = $1 AND user_id <> '' AND state = 'approved' ORDER BY asked_at LIMIT 50`, who)
}

// madeFor says whether a user was made by the approval of a request: at its moment.
func madeFor(ctx context.Context, from db.Reader, who id.User, at time.Time) (bool, error) {
	n, err := db.One(ctx, from, func(s db.Row) (n int, err error) { return n, s.Scan(&n) }, `
		SELECT COUNT(*) FROM requests WHERE user_id = $1 AND user_id <> '' AND decided_at = $2`, who, db.Stamp(at))
	return n > 0, err
}

// countOpen counts the open requests of a site, and those of them for the same address.
func countOpen(ctx context.Context, from db.Reader, r Request) (all, same int, err error) {
	type row struct{ all, same int }
	one, err := db.One(ctx, from, func(s db.Row) (one row, err error) { return one, s.Scan(&one.all, &one.same) }, `
		SELECT COUNT(*), COALESCE(SUM(CASE WHEN email = $2 THEN 1 ELSE 0 END), 0)
		  FROM requests WHERE site_id = $1 AND ended_at IS NULL`, r.Site, string(r.Email))
	return one.all, one.same, err
}

// approveFirst stores the first word for an Admin, in the place of the one that was read.
func approveFirst(ctx context.Context, tx *db.Tx, r Request, by id.User) error {
	return tx.Change(ctx, `
		UPDATE requests SET state = 'approved_once', first_by = $4, first_at = $5
		 WHERE site_id = $1 AND request_id = $2 AND state = $3 AND first_by = $6 AND ended_at IS NULL`,
		r.Site, r.ID, string(r.State), by, db.Stamp(tx.Now), r.FirstBy)
}

func approve(ctx context.Context, tx *db.Tx, r Request, by id.User) error {
	return tx.Change(ctx, `
		UPDATE requests SET state = 'approved', decided_by = $4, decided_at = $5, user_id = $6, expires_at = $7
		 WHERE site_id = $1 AND request_id = $2 AND state = $3 AND ended_at IS NULL`,
		r.Site, r.ID, string(r.State), by, db.Stamp(tx.Now), r.user, db.Stamp(r.ExpiresAt))
}

func decline(ctx context.Context, tx *db.Tx, r Request, by id.User, reason string) error {
	return tx.Change(ctx, `
		UPDATE requests SET state = 'declined', decided_by = $4, decided_at = $5, reason = $6, ended_at = $5
		 WHERE site_id = $1 AND request_id = $2 AND state = $3 AND ended_at IS NULL`,
		r.Site, r.ID, string(r.State), by, db.Stamp(tx.Now), reason)
}

// prolong has an approved request wait for its next invitation.
func prolong(ctx context.Context, tx *db.Tx, r Request) error {
	return tx.Change(ctx, `
		UPDATE requests SET expires_at = $3
		 WHERE site_id = $1 AND request_id = $2 AND state = 'approved' AND ended_at IS NULL`, r.Site, r.ID, db.Stamp(r.ExpiresAt))
}

// finish ends an open request.
func finish(ctx context.Context, tx *db.Tx, r Request, as State) error {
	return tx.Change(ctx, `
		UPDATE requests SET state = $4, ended_at = $5
		 WHERE site_id = $1 AND request_id = $2 AND state = $3 AND ended_at IS NULL`,
		r.Site, r.ID, string(r.State), string(as), db.Stamp(tx.Now))
}

func expire(ctx context.Context, tx *db.Tx, limit int) ([]Request, error) {
	return db.Many(ctx, tx, scan, `
		UPDATE requests SET state = 'expired', ended_at = $1
		 WHERE ended_at IS NULL AND (site_id, request_id) IN (
		       SELECT site_id, request_id FROM requests WHERE ended_at IS NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2)
		RETURNING `+columns, db.Stamp(tx.Now), limit)
}

// expireOrphans ends open requests of whoever is no active office Admin of the site any
// more.
func expireOrphans(ctx context.Context, tx *db.Tx, limit int) ([]Request, error) {
	return db.Many(ctx, tx, scan, `
		UPDATE requests SET state = 'expired', ended_at = $1
		 WHERE ended_at IS NULL AND (site_id, request_id) IN (
		       SELECT r.site_id, r.request_id FROM requests r
		        WHERE r.ended_at IS NULL AND NOT EXISTS (
		              SELECT 1 FROM memberships m
		               WHERE m.site_id = r.site_id AND m.user_id = r.asked_by AND m.member_group = 'Admin' AND m.kind = 'office'
		                 AND m.status = 'active' AND (m.access_until IS NULL OR m.access_until > $1))
		        ORDER BY r.expires_at LIMIT $2)
		RETURNING `+columns, db.Stamp(tx.Now), limit)
}

func removeOld(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	for _, text := range []string{
		`DELETE FROM invitations WHERE (site_id, request_id, invitation_id) IN (
		        SELECT site_id, request_id, invitation_id FROM invitations WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
		`DELETE FROM requests WHERE (site_id, request_id) IN (
		        SELECT site_id, request_id FROM requests WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)`,
	} {
		if _, err := tx.Exec(ctx, text, db.Stamp(before), limit); err != nil {
			return err
		}
	}
	return nil
}

// forget finds a person by the request by which they came, and by every address that was
// theirs: one that is somebody else's login name by now is that one's.
func forget(ctx context.Context, tx *db.Tx, who id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE requests SET email = '', first_name = '', last_name = '', mobile = '', reason = ''
		 WHERE ended_at IS NOT NULL
		   AND (user_id = $1
		     OR user_id = '' AND email IN (SELECT login FROM users WHERE user_id = $1
		                 UNION SELECT old_login FROM login_changes WHERE user_id = $1
		                 UNION SELECT new_login FROM login_changes WHERE user_id = $1
		                 UNION SELECT address FROM methods WHERE user_id = $1 AND kind = 'email')
		        AND NOT EXISTS (SELECT 1 FROM users u WHERE u.login = requests.email AND u.user_id <> $1))`, who)
	return err
}

func scanInvitation(r db.Row) (i invitation, err error) {
	return i, r.Scan(&i.site, &i.request, &i.id, &i.message, db.When(&i.madeAt), db.When(&i.expiresAt))
}

const invitationColumns = `site_id, request_id, invitation_id, message_id, made_at, expires_at`

func insertInvitation(ctx context.Context, tx *db.Tx, i invitation, hash []byte) error {
	return tx.Change(ctx, `
		INSERT INTO invitations (site_id, request_id, invitation_id, message_id, token_hash, made_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		i.site, i.request, i.id, i.message, hash, db.Stamp(tx.Now), db.Stamp(i.expiresAt))
}

func invitationByHash(ctx context.Context, from db.Reader, hash []byte) (invitation, error) {
	return db.One(ctx, from, scanInvitation, `
		SELECT `+invitationColumns+` FROM invitations WHERE token_hash = $1 AND used_at IS NULL AND ended_at IS NULL`, hash)
}

func liveInvitation(ctx context.Context, from db.Reader, r Request) (invitation, error) {
	return db.One(ctx, from, scanInvitation, `
		SELECT `+invitationColumns+` FROM invitations
		 WHERE site_id = $1 AND request_id = $2 AND used_at IS NULL AND ended_at IS NULL`, r.Site, r.ID)
}

// useInvitation uses the link of a hash, or with none whichever lives: exactly one.
func useInvitation(ctx context.Context, tx *db.Tx, r Request, hash []byte) error {
	const text = `
		UPDATE invitations SET used_at = $3
		 WHERE site_id = $1 AND request_id = $2 AND used_at IS NULL AND ended_at IS NULL AND expires_at > $3`
	if hash == nil {
		return tx.Change(ctx, text, r.Site, r.ID, db.Stamp(tx.Now))
	}
	return tx.Change(ctx, text+` AND token_hash = $4`, r.Site, r.ID, db.Stamp(tx.Now), hash)
}

// endInvitations ends the live links of a request, and gives the mails that carry them.
func endInvitations(ctx context.Context, tx *db.Tx, r Request) ([]id.Message, error) {
	return db.Many(ctx, tx, func(s db.Row) (m id.Message, err error) { return m, s.Scan(&m) }, `
		UPDATE invitations SET ended_at = $3
		 WHERE site_id = $1 AND request_id = $2 AND used_at IS NULL AND ended_at IS NULL RETURNING message_id`,
		r.Site, r.ID, db.Stamp(tx.Now))
}
