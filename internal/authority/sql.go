package authority

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// mine is what makes a site s somebody's: $1 is the user, $2 their login name, $3 the
// moment. g is what was given to them, if anything was.
const mine = `
	  FROM sites s
	  LEFT JOIN staff_sites g ON g.user_id = $1 AND g.site_id = s.site_id AND (g.until_at IS NULL OR g.until_at > $3)
	 WHERE (s.account_manager = $2 OR g.user_id IS NOT NULL)`

// gift is a row of what is given: the site, and the words of the gift where the site is
// not the user's own to manage.
type gift struct {
	site   id.Site
	until  time.Time
	reason string
}

const giftColumns = `
	s.site_id, CASE WHEN s.account_manager = $2 THEN NULL ELSE g.until_at END,
	CASE WHEN s.account_manager = $2 THEN '' ELSE COALESCE(g.reason, '') END`

func scanGift(r db.Row) (g gift, err error) {
	return g, r.Scan(&g.site, db.When(&g.until), &g.reason)
}

func givenSite(ctx context.Context, from db.Reader, now time.Time, who user.User, at id.Site) (Given, error) {
	g, err := db.One(ctx, from, scanGift, `SELECT `+giftColumns+mine+` AND s.site_id = $4`,
		string(who.ID), string(who.Login), db.Stamp(now), at)
	if err != nil {
		return Given{}, err
	}
	return g.whole(ctx, from)
}

func (g gift) whole(ctx context.Context, from db.Reader) (Given, error) {
	s, err := site.ByID(ctx, from, g.site)
	return Given{Site: s, Until: g.until, Reason: g.reason}, err
}

// query is what is looked for, in the form of LIKE.
type query struct {
	holds, begins string
	skip, limit   int
}

func givenSites(ctx context.Context, from db.Reader, now time.Time, who user.User, q query) ([]Given, error) {
	rows, err := db.Many(ctx, from, scanGift, `SELECT `+giftColumns+mine+`
		   AND (LOWER(s.name) LIKE $4 ESCAPE '\' OR LOWER(s.ref) LIKE $5 ESCAPE '\')
		 ORDER BY COALESCE((SELECT p.enforce_at FROM plans p WHERE p.site_id = s.site_id AND p.enforce_at > $3), $6), s.ref
		 LIMIT $7 OFFSET $8`,
		string(who.ID), string(who.Login), db.Stamp(now), q.holds, q.begins, int64(1)<<62, q.limit, q.skip)
	if err != nil {
		return nil, err
	}
	all := make([]Given, 0, len(rows))
	for _, g := range rows {
		one, err := g.whole(ctx, from)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func give(ctx context.Context, tx *db.Tx, g Gift) error {
	return tx.Change(ctx, `
		INSERT INTO staff_sites (user_id, site_id, reason, granted_by, granted_at, until_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (user_id, site_id) DO UPDATE SET reason = $3, granted_by = $4, granted_at = $5, until_at = $6`,
		g.User, g.Site, g.Reason, string(g.By), db.Stamp(tx.Now), db.Stamp(g.Until))
}

func takeAll(ctx context.Context, tx *db.Tx, who id.User) error {
	_, err := tx.Exec(ctx, `DELETE FROM staff_sites WHERE user_id = $1`, who)
	return err
}

func forget(ctx context.Context, tx *db.Tx, who id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE staff_sites SET reason = ''
		 WHERE user_id = $1
		    OR until_at <= $2 AND site_id IN (SELECT site_id FROM memberships WHERE user_id = $1)`,
		string(who), db.Stamp(tx.Now))
	return err
}
