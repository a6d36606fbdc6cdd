package session

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

const columns = `
	user_id, session_id, COALESCE(NULLIF(sid, ''), session_id), client, user_epoch, COALESCE(site_id, ''), site_epoch, member_epoch,
	began_with, password_at, factor, factor_method, factor_at, device_id, browser, network, agent,
	started_at, seen_at, ends_at, decide_at, ended_at`

func scan(r db.Row) (s Session, err error) {
	return s, r.Scan(&s.User, &s.ID, &s.SID, &s.Client, &s.UserEpoch, &s.Site, &s.SiteEpoch, &s.MemberEpoch,
		&s.Began, db.When(&s.PasswordAt), &s.Factor, &s.FactorMethod, db.When(&s.FactorAt), &s.Device,
		&s.Place.Browser, &s.Place.Network, &s.Place.Agent,
		db.When(&s.StartedAt), db.When(&s.SeenAt), db.When(&s.EndsAt), db.When(&s.DecideAt), db.When(&s.EndedAt))
}

func insert(ctx context.Context, tx *db.Tx, s Session, hash []byte) error {
	return tx.Change(ctx, `
		INSERT INTO sessions (user_id, session_id, token_hash, client, user_epoch, site_id, site_epoch, member_epoch,
		                      began_with, password_at, factor, factor_method, factor_at, device_id,
		                      browser, network, agent, started_at, seen_at, ends_at, decide_at, uses_1, sid)
		VALUES ($1, $2, $3, $4, $5, NULLIF($6, ''), $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19, $20, 1, $21)`,
		s.User, s.ID, hash, s.Client, s.UserEpoch, string(s.Site), s.SiteEpoch, s.MemberEpoch,
		s.Began, db.Stamp(s.PasswordAt), s.Factor, string(s.FactorMethod), db.Stamp(s.FactorAt), string(s.Device),
		s.Place.Browser, s.Place.Network, s.Place.Agent, db.Stamp(s.StartedAt), db.Stamp(s.EndsAt), db.Stamp(s.DecideAt), s.SID)
}

func byHash(ctx context.Context, from db.Reader, hash []byte) (Session, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM sessions WHERE token_hash = $1`, hash)
}

func byID(ctx context.Context, from db.Reader, who id.User, which id.Session) (Session, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM sessions WHERE user_id = $1 AND session_id = $2`, who, which)
}

func bySID(ctx context.Context, from db.Reader, who id.User, sid string) (Session, error) {
	return db.One(ctx, from, scan, `
		SELECT `+columns+` FROM sessions
		 WHERE user_id = $1 AND (sid = $2 OR (sid = '' AND session_id = $2)) AND ended_at IS NULL
		 ORDER BY started_at DESC, session_id DESC LIMIT 1`, who, sid)
}

func end(ctx context.Context, tx *db.Tx, who id.User, which id.Session) error {
	return tx.Change(ctx, `
		UPDATE sessions SET ended_at = $3
		 WHERE user_id = $1 AND session_id = $2 AND ended_at IS NULL`, who, which, db.Stamp(tx.Now))
}

func decided(ctx context.Context, tx *db.Tx, s Session, siteEpoch int64, next time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE sessions SET site_epoch = $4, decide_at = $5
		 WHERE user_id = $1 AND session_id = $2 AND ended_at IS NULL AND site_epoch = $3`,
		s.User, s.ID, s.SiteEpoch, siteEpoch, db.Stamp(next))
	return err
}

func recent(ctx context.Context, from db.Reader, who id.User, limit int) ([]Session, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM sessions WHERE user_id = $1 ORDER BY started_at DESC, session_id DESC LIMIT $2`, who, limit)
}

func open(ctx context.Context, from db.Reader, who id.User, now time.Time) ([]Session, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM sessions
		 WHERE user_id = $1 AND ended_at IS NULL AND ends_at > $2
		 ORDER BY started_at DESC, session_id DESC LIMIT 100`, who, db.Stamp(now))
}

func lastAt(ctx context.Context, from db.Reader, at id.Site, who []id.User) ([]Session, error) {
	return db.ManyIn(ctx, from, func(r db.Row) (s Session, err error) { return s, r.Scan(&s.User, db.When(&s.StartedAt)) }, who,
		func(places string) string {
			return `
		SELECT user_id, MAX(started_at) FROM sessions
		 WHERE user_id IN (` + places + `) AND site_id = $1 GROUP BY user_id`
		}, string(at))
}

const deviceColumns = `
	user_id, device_id, user_epoch, sites, browser, network, agent, since, last_used_at, ends_at, ended_at`

func scanDevice(r db.Row) (d Device, err error) {
	var sites string
	err = r.Scan(&d.User, &d.ID, &d.UserEpoch, &sites, &d.Place.Browser, &d.Place.Network, &d.Place.Agent,
		db.When(&d.Since), db.When(&d.LastUsedAt), db.When(&d.EndsAt), db.When(&d.EndedAt))
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal([]byte(sites), &d.Sites); err != nil {
		return d, fmt.Errorf("the sites of a remembered device: %w", err)
	}
	return d, nil
}

func insertDevice(ctx context.Context, tx *db.Tx, d Device, hash []byte) error {
	sites, err := json.Marshal(d.Sites)
	if err != nil {
		return err
	}
	return tx.Change(ctx, `
		INSERT INTO devices (user_id, device_id, token_hash, user_epoch, sites, browser, network, agent, since, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.User, d.ID, hash, d.UserEpoch, string(sites), d.Place.Browser, d.Place.Network, d.Place.Agent,
		db.Stamp(d.Since), db.Stamp(d.EndsAt))
}

func deviceByHash(ctx context.Context, from db.Reader, who id.User, hash []byte) (Device, error) {
	return db.One(ctx, from, scanDevice, `
		SELECT `+deviceColumns+` FROM devices WHERE user_id = $1 AND token_hash = $2`, who, hash)
}

func deviceByID(ctx context.Context, from db.Reader, who id.User, which id.Device) (Device, error) {
	return db.One(ctx, from, scanDevice, `
		SELECT `+deviceColumns+` FROM devices WHERE user_id = $1 AND device_id = $2`, who, which)
}

func devices(ctx context.Context, from db.Reader, who id.User, now time.Time) ([]Device, error) {
	return db.Many(ctx, from, scanDevice, `
		SELECT `+deviceColumns+` FROM devices
		 WHERE user_id = $1 AND ended_at IS NULL AND ends_at > $2
		 ORDER BY since DESC, device_id DESC LIMIT 100`, who, db.Stamp(now))
}

func forget(ctx context.Context, tx *db.Tx, who id.User, which id.Device) error {
	return tx.Change(ctx, `
		UPDATE devices SET ended_at = $3
		 WHERE user_id = $1 AND device_id = $2 AND ended_at IS NULL`, who, which, db.Stamp(tx.Now))
}

func used(ctx context.Context, tx *db.Tx, who id.User, which id.Device) error {
	return tx.Change(ctx, `
		UPDATE devices SET last_used_at = $3
		 WHERE user_id = $1 AND device_id = $2 AND ended_at IS NULL`, who, which, db.Stamp(tx.Now))
}

func sweepDevices(ctx context.Context, tx *db.Tx, overBefore time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM devices
		 WHERE (user_id, device_id) IN (
		       SELECT user_id, device_id FROM devices WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)`, db.Stamp(overBefore), limit)
	return err
}

func known(ctx context.Context, from db.Reader, who id.User, marks []string, since time.Time) (bool, error) {
	for _, mark := range marks {
		n, err := db.One(ctx, from, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) },
			`SELECT COUNT(*) FROM known_places WHERE user_id = $1 AND place = $2 AND last_at > $3`, who, mark, db.Stamp(since))
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

func note(ctx context.Context, tx *db.Tx, who id.User, mark string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO known_places (user_id, place, last_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, place) DO UPDATE SET last_at = $3`, who, mark, db.Stamp(tx.Now))
	return err
}

func sweep(ctx context.Context, tx *db.Tx, overBefore, seenBefore time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM sessions
		 WHERE (user_id, session_id) IN (
		       SELECT user_id, session_id FROM sessions WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)`, db.Stamp(overBefore), limit)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM known_places
		 WHERE (user_id, place) IN (
		       SELECT user_id, place FROM known_places WHERE last_at < $1 ORDER BY last_at LIMIT $2)`, db.Stamp(seenBefore), limit)
	return err
}
