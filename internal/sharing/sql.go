package sharing

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// mostLogins bounds the logins of one site.
const mostLogins = 10_000

// logins gives the active office logins of a site, or one of them, with what admins said.
func logins(ctx context.Context, from db.Reader, at id.Site, who id.User, now time.Time) ([]Login, error) {
	return db.Many(ctx, from, func(r db.Row) (l Login, err error) {
		err = r.Scan(&l.User, &l.Login, &l.First, &l.Last, &l.Group,
			&l.Dismissed.By, db.When(&l.Dismissed.At), db.When(&l.Dismissed.Until), &l.Dismissed.Reason,
			&l.Split.ID, &l.Split.PlannedBy, db.When(&l.Split.PlannedAt), db.When(&l.Split.RetireAt),
			db.When(&l.Split.ToldAt), db.When(&l.Split.HeldAt))
		if l.Split.ID != "" {
			l.Split.Site, l.Split.User = at, l.User
		}
		return l, err
	}, `
		SELECT m.user_id, u.login, u.first_name, u.last_name, m.member_group,
		       COALESCE(d.dismissed_by, ''), d.dismissed_at, d.until_at, COALESCE(d.reason, ''),
		       COALESCE(p.split_id, ''), COALESCE(p.planned_by, ''), p.planned_at, p.retire_at, p.told_at, p.held_at
		  FROM memberships m
		  JOIN users u ON u.user_id = m.user_id
		  LEFT JOIN sharing_dismissals d ON d.site_id = m.site_id AND d.user_id = m.user_id AND d.until_at > $3
		  LEFT JOIN sharing_splits p ON p.site_id = m.site_id AND p.user_id = m.user_id AND p.state = 'planned'
		 WHERE m.site_id = $1 AND m.kind = 'office' AND m.status = 'active' AND ($2 = '' OR m.user_id = $2)
		 ORDER BY u.first_name, u.last_name, m.user_id LIMIT $4`, at, string(who), db.Stamp(now), mostLogins)
}

// crossings gives the hours in which codes of sign-ins at a site were typed on another
// device.
func crossings(ctx context.Context, from db.Reader, at id.Site, who id.User, since time.Time) (map[id.User][]time.Time, error) {
	type crossing struct {
		who  id.User
		hour int64
	}
	rows, err := db.Many(ctx, from, func(r db.Row) (c crossing, err error) { return c, r.Scan(&c.who, &c.hour) }, `
		SELECT user_id, hour FROM sharing_crossings
		 WHERE site_id = $1 AND ($2 = '' OR user_id = $2) AND hour >= $3
		 ORDER BY user_id, hour LIMIT $4`, at, string(who), since.Unix()/3600, mostSessions)
	if err != nil {
		return nil, err
	}
	all := make(map[id.User][]time.Time)
	for _, c := range rows {
		all[c.who] = append(all[c.who], time.Unix(c.hour*3600, 0).UTC())
	}
	return all, nil
}

func cross(ctx context.Context, tx *db.Tx, at id.Site, who id.User, hour int64) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO sharing_crossings (site_id, user_id, hour) VALUES ($1, $2, $3)
		ON CONFLICT (site_id, user_id, hour) DO NOTHING`, at, who, hour)
	return err
}

func sweepCrossings(ctx context.Context, tx *db.Tx, before int64, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM sharing_crossings
		 WHERE (site_id, user_id, hour) IN (
		       SELECT site_id, user_id, hour FROM sharing_crossings WHERE hour < $1 ORDER BY hour LIMIT $2)`, before, limit)
	return err
}

// dismiss stores an admin's word; fault.Conflict if one holds already.
func dismiss(ctx context.Context, tx *db.Tx, at id.Site, who id.User, d Dismissal) error {
	return tx.Change(ctx, `
		INSERT INTO sharing_dismissals (site_id, user_id, dismissed_by, dismissed_at, until_at, reason)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (site_id, user_id) DO UPDATE
		   SET dismissed_by = $3, dismissed_at = $4, until_at = $5, reason = $6
		 WHERE sharing_dismissals.until_at <= $4`, at, who, d.By, db.Stamp(d.At), db.Stamp(d.Until), d.Reason)
}

func insertSplit(ctx context.Context, tx *db.Tx, s Split) error {
	return tx.Change(ctx, `
		INSERT INTO sharing_splits (site_id, split_id, user_id, state, planned_by, planned_at, retire_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (site_id, user_id) WHERE state = 'planned' DO NOTHING`,
		s.Site, s.ID, s.User, string(planned), s.PlannedBy, db.Stamp(s.PlannedAt), db.Stamp(s.RetireAt))
}

func insertPerson(ctx context.Context, tx *db.Tx, s Split, no int, p NewPerson, request string) error {
	return tx.Change(ctx, `
		INSERT INTO sharing_people (site_id, split_id, person_no, first_name, last_name, email, mobile, member_group, request_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.Site, s.ID, no, p.First, p.Last, p.Email, p.Mobile, p.Group, request)
}

func people(ctx context.Context, from db.Reader, s Split) ([]NewPerson, error) {
	return db.Many(ctx, from, func(r db.Row) (p NewPerson, err error) {
		p.Site, p.Instead = s.Site, s.User
		return p, r.Scan(&p.First, &p.Last, &p.Email, &p.Mobile, &p.Group)
	}, `
		SELECT first_name, last_name, email, mobile, member_group FROM sharing_people
		 WHERE site_id = $1 AND split_id = $2 ORDER BY person_no`, s.Site, s.ID)
}

func sweepPeople(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM sharing_people WHERE (site_id, split_id, person_no) IN (
		       SELECT p.site_id, p.split_id, p.person_no FROM sharing_people p
		         JOIN sharing_splits s ON s.site_id = p.site_id AND s.split_id = p.split_id
		        WHERE s.ended_at < $1 LIMIT $2)`, db.Stamp(before), limit)
	return err
}

// forget finds a person by the request that was made for them, and by every address that
// was theirs: one that is somebody else's login name by now is that one's. What was said
// of their own login goes too.
func forget(ctx context.Context, tx *db.Tx, who id.User) error {
	if _, err := tx.Exec(ctx, `
		UPDATE sharing_people SET email = '', first_name = '', last_name = '', mobile = ''
		 WHERE email IN (SELECT login FROM users WHERE user_id = $1
		                 UNION SELECT old_login FROM login_changes WHERE user_id = $1
		                 UNION SELECT new_login FROM login_changes WHERE user_id = $1
		                 UNION SELECT address FROM methods WHERE user_id = $1 AND kind = 'email')
		       AND NOT EXISTS (SELECT 1 FROM users u WHERE u.login = sharing_people.email AND u.user_id <> $1)
		    OR (site_id, request_id) IN (SELECT site_id, request_id FROM requests WHERE user_id = $1)`, who); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE sharing_dismissals SET reason = '' WHERE user_id = $1`, who)
	return err
}

func scanSplit(r db.Row) (s Split, err error) {
	return s, r.Scan(&s.Site, &s.ID, &s.User, &s.PlannedBy, db.When(&s.PlannedAt), db.When(&s.RetireAt),
		db.When(&s.ToldAt), db.When(&s.HeldAt))
}

// due gives the splits for which something is next. One that is held comes after all
// others, so that many of them keep none waiting.
func due(ctx context.Context, from db.Reader, until time.Time, limit int) ([]Split, error) {
	return db.Many(ctx, from, scanSplit, `
		SELECT site_id, split_id, user_id, planned_by, planned_at, retire_at, told_at, held_at
		  FROM sharing_splits
		 WHERE state = 'planned' AND retire_at <= $1 AND (told_at IS NULL OR retire_at <= $2)
		 ORDER BY CASE WHEN held_at IS NULL THEN 0 ELSE 1 END, retire_at LIMIT $3`,
		db.Stamp(until), db.Stamp(until.Add(-warning)), limit)
}

// takeSplit holds the row of one that is planned.
func takeSplit(ctx context.Context, tx *db.Tx, at id.Site, which id.Split) (Split, error) {
	return db.One(ctx, tx, scanSplit, `
		UPDATE sharing_splits SET state = state
		 WHERE site_id = $1 AND split_id = $2 AND state = 'planned'
		RETURNING site_id, split_id, user_id, planned_by, planned_at, retire_at, told_at, held_at`, at, which)
}

func announceSplit(ctx context.Context, tx *db.Tx, s Split) error {
	return tx.Change(ctx, `
		UPDATE sharing_splits SET told_at = $3, retire_at = $4
		 WHERE site_id = $1 AND split_id = $2 AND state = 'planned' AND told_at IS NULL`,
		s.Site, s.ID, db.Stamp(tx.Now), db.Stamp(s.RetireAt))
}

func holdSplit(ctx context.Context, tx *db.Tx, s Split) error {
	return tx.Change(ctx, `
		UPDATE sharing_splits SET held_at = $3
		 WHERE site_id = $1 AND split_id = $2 AND state = 'planned' AND held_at IS NULL`, s.Site, s.ID, db.Stamp(tx.Now))
}

func endSplit(ctx context.Context, tx *db.Tx, s Split, how state, by id.User) error {
	return tx.Change(ctx, `
		UPDATE sharing_splits SET state = $3, ended_by = $4, ended_at = $5
		 WHERE site_id = $1 AND split_id = $2 AND state = 'planned'`, s.Site, s.ID, string(how), string(by), db.Stamp(tx.Now))
}
