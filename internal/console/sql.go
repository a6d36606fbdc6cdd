package console

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// markView says whether this is the first view of the page in a while, in one step: of
// two at once one is.
func markView(ctx context.Context, tx *db.Tx, who id.User, at id.Site, page Page) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO staff_views (user_id, site_id, page, viewed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, site_id, page) DO UPDATE SET viewed_at = $4 WHERE staff_views.viewed_at <= $5`,
		who, at, string(page), db.Stamp(tx.Now), db.Stamp(tx.Now.Add(-viewedAgain)))
	return n == 1, err
}

func insertNote(ctx context.Context, tx *db.Tx, n Note) error {
	return tx.Change(ctx, `
		INSERT INTO staff_notes (site_id, note_id, user_id, contact, words, made_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		n.Site, n.ID, n.By, n.Contact, n.Words, db.Stamp(n.At))
}

func scanNote(r db.Row) (n Note, err error) {
	return n, r.Scan(&n.Site, &n.ID, &n.By, &n.Contact, &n.Words, db.When(&n.At))
}

func notes(ctx context.Context, from db.Reader, at id.Site, limit int) ([]Note, error) {
	return db.Many(ctx, from, scanNote, `
		SELECT site_id, note_id, user_id, contact, words, made_at FROM staff_notes
		 WHERE site_id = $1 ORDER BY note_id DESC LIMIT $2`, at, limit)
}

func lastContact(ctx context.Context, from db.Reader, at id.Site) (time.Time, error) {
	return db.One(ctx, from, func(r db.Row) (t time.Time, err error) { return t, r.Scan(db.When(&t)) },
		`SELECT MAX(made_at) FROM staff_notes WHERE site_id = $1 AND contact`, at)
}

// place is one membership of a site, by which a page of its people goes on.
type place struct {
	user                id.User
	group, kind, status string
}

// members reads a site's people after one of them, whatever their status.
func members(ctx context.Context, from db.Reader, at id.Site, after id.User, limit int) ([]place, error) {
	return db.Many(ctx, from, func(r db.Row) (p place, err error) {
		return p, r.Scan(&p.user, &p.group, &p.kind, &p.status)
	}, `
		SELECT user_id, member_group, kind, status FROM memberships
		 WHERE site_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3`, at, string(after), limit)
}

// placeOf reads one membership; fault.NotFound if there is none.
func placeOf(ctx context.Context, from db.Reader, at id.Site, who id.User) (place, error) {
	return db.One(ctx, from, func(r db.Row) (p place, err error) {
		return p, r.Scan(&p.user, &p.group, &p.kind, &p.status)
	}, `
		SELECT user_id, member_group, kind, status FROM memberships WHERE site_id = $1 AND user_id = $2`, at, who)
}

// counted reads who of a site counts for its readiness: its active office members.
func counted(ctx context.Context, from db.Reader, at id.Site, limit int) ([]id.User, error) {
	return db.Many(ctx, from, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) }, `
		SELECT user_id FROM memberships
		 WHERE site_id = $1 AND kind = 'office' AND status = 'active' ORDER BY user_id LIMIT $2`, at, limit)
}

// openRecoveries counts the recoveries at a site that are not over.
func openRecoveries(ctx context.Context, from db.Reader, at id.Site) (n int, err error) {
	return db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM recoveries WHERE site_id = $1 AND ended_at IS NULL`, at)
}
