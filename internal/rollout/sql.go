package rollout

import (
	"cmp"
	"context"
	"time"

	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

// day scans a stored day; an empty text is no day.
type day struct{ to *calendar.Day }

// Scan implements sql.Scanner.
func (d day) Scan(src any) (err error) {
	text, _ := src.(string)
	if raw, ok := src.([]byte); ok {
		text = string(raw)
	}
	*d.to = calendar.Day{}
	if text != "" {
		*d.to, err = calendar.Parse(text)
	}
	return err
}

const rolloutColumns = `
	rollout_id, name, owner, state, made_at, began_at, placed_to, placed_at, paused_at, paused_by, paused_why, watched_from, tolerance, ended_at`

func scanRollout(r db.Row) (o Rollout, err error) {
	return o, r.Scan(&o.ID, &o.Name, &o.Owner, &o.State, db.When(&o.MadeAt), db.When(&o.BeganAt), &o.PlacedTo, db.When(&o.PlacedAt),
		db.When(&o.PausedAt), &o.PausedBy, &o.PausedWhy, db.When(&o.WatchedFrom), &o.Tolerance, db.When(&o.EndedAt))
}

func live(ctx context.Context, from db.Reader) (Rollout, error) {
	return db.One(ctx, from, scanRollout, `SELECT `+rolloutColumns+` FROM rollouts WHERE live = 'yes'`)
}

// take holds the row of the rollout that has not ended: its changes are made one after the
// other.
func take(ctx context.Context, tx *db.Tx) (Rollout, error) {
	return db.One(ctx, tx, scanRollout, `UPDATE rollouts SET state = state WHERE live = 'yes' RETURNING `+rolloutColumns)
}

func insert(ctx context.Context, tx *db.Tx, r Rollout) error {
	return tx.Change(ctx, `
		INSERT INTO rollouts (rollout_id, name, owner, state, live, made_at, tolerance) VALUES ($1, $2, $3, $4, 'yes', $5, $6)`,
		r.ID, r.Name, r.Owner, r.State, db.Stamp(r.MadeAt), cmp.Or(r.Tolerance, UsualTolerance))
}

func rename(ctx context.Context, tx *db.Tx, r Rollout) error {
	return tx.Change(ctx, `
		UPDATE rollouts SET name = $2, owner = $3, tolerance = $4 WHERE rollout_id = $1 AND state = 'draft'`,
		r.ID, r.Name, r.Owner, cmp.Or(r.Tolerance, UsualTolerance))
}

func dropDraft(ctx context.Context, tx *db.Tx, which id.Rollout) error {
	if _, err := tx.Exec(ctx, `DELETE FROM rollout_waves WHERE rollout_id = $1`, which); err != nil {
		return err
	}
	return tx.Change(ctx, `DELETE FROM rollouts WHERE rollout_id = $1 AND state = 'draft'`, which)
}

// begin starts a draft.
func begin(ctx context.Context, tx *db.Tx, which id.Rollout) error {
	return tx.Change(ctx, `
		UPDATE rollouts SET state = 'running', began_at = $2, watched_from = $2
		 WHERE rollout_id = $1 AND state = 'draft'`, which, db.Stamp(tx.Now))
}

// firstBegan is when the first rollout of all began: whoever connected since then is asked
// from their connection on, and no later rollout changes that.
func firstBegan(ctx context.Context, from db.Reader) (time.Time, error) {
	return db.One(ctx, from, func(r db.Row) (t time.Time, err error) { return t, r.Scan(db.When(&t)) },
		`SELECT MIN(began_at) FROM rollouts`)
}

func pause(ctx context.Context, tx *db.Tx, which id.Rollout, by, why string) error {
	return tx.Change(ctx, `
		UPDATE rollouts SET state = 'paused', paused_at = $2, paused_by = $3, paused_why = $4
		 WHERE rollout_id = $1 AND state = 'running'`, which, db.Stamp(tx.Now), by, why)
}

func resume(ctx context.Context, tx *db.Tx, which id.Rollout) error {
	return tx.Change(ctx, `
		UPDATE rollouts SET state = 'running', watched_from = $2
		 WHERE rollout_id = $1 AND state = 'paused'`, which, db.Stamp(tx.Now))
}

func end(ctx context.Context, tx *db.Tx, which id.Rollout) error {
	return tx.Change(ctx, `
		UPDATE rollouts SET state = 'ended', live = NULL, ended_at = $2
		 WHERE rollout_id = $1 AND state IN ('running', 'paused')`, which, db.Stamp(tx.Now))
}

// placed notes how far the sites have their places. Of two nodes one goes on.
func placed(ctx context.Context, tx *db.Tx, which id.Rollout, from, to id.Site) error {
	return tx.Change(ctx, `
		UPDATE rollouts SET placed_to = $3 WHERE rollout_id = $1 AND placed_to = $2 AND state IN ('running', 'paused')`, which, from, to)
}

func allPlaced(ctx context.Context, tx *db.Tx, which id.Rollout) error {
	return tx.Change(ctx, `
		UPDATE rollouts SET placed_at = $2 WHERE rollout_id = $1 AND placed_at IS NULL`, which, db.Stamp(tx.Now))
}

func waves(ctx context.Context, from db.Reader, of id.Rollout) ([]Wave, error) {
	return db.Many(ctx, from, func(r db.Row) (w Wave, err error) {
		return w, r.Scan(&w.Number, &w.Name, &w.Pick.By, &w.Pick.Value, day{&w.Day}, &w.State, db.When(&w.BackAt))
	}, `SELECT wave, name, pick, pick_value, day, state, back_at FROM rollout_waves WHERE rollout_id = $1 ORDER BY wave`, of)
}

func replaceWaves(ctx context.Context, tx *db.Tx, of id.Rollout, all []Wave) error {
	if _, err := tx.Exec(ctx, `DELETE FROM rollout_waves WHERE rollout_id = $1`, of); err != nil {
		return err
	}
	for _, w := range all {
		err := tx.Change(ctx, `
			INSERT INTO rollout_waves (rollout_id, wave, name, pick, pick_value, day, state) VALUES ($1, $2, $3, $4, $5, $6, 'planned')`,
			of, w.Number, w.Name, w.Pick.By, w.Pick.Value, w.Day.String())
		if err != nil {
			return err
		}
	}
	return nil
}

// moveWave gives a wave another day in place of the one that the caller read.
func moveWave(ctx context.Context, tx *db.Tx, of id.Rollout, w Wave, to calendar.Day) error {
	return tx.Change(ctx, `
		UPDATE rollout_waves SET day = $4, state = 'planned', back_at = NULL
		 WHERE rollout_id = $1 AND wave = $2 AND day = $3 AND state = $5`, of, w.Number, w.Day.String(), to.String(), w.State)
}

func backWave(ctx context.Context, tx *db.Tx, of id.Rollout, wave int) error {
	return tx.Change(ctx, `
		UPDATE rollout_waves SET state = 'back', back_at = $3
		 WHERE rollout_id = $1 AND wave = $2 AND state = 'planned'`, of, wave, db.Stamp(tx.Now))
}

const placeColumns = `
	p.site_id, p.rollout_id, p.wave, p.base, p.first_day, p.site_day, p.extended_to, p.extended_why, p.extended_by, p.held, p.dated, p.enforce_at, p.gated_at`

func scanPlace(r db.Row) (p Place, err error) {
	return p, r.Scan(&p.Site, &p.Rollout, &p.Wave, day{&p.Base}, day{&p.First}, day{&p.Day}, day{&p.Extended}, &p.ExtendedWhy, &p.ExtendedBy,
		&p.Held, &p.Dated, db.When(&p.At), db.When(&p.GatedAt))
}

func insertPlace(ctx context.Context, tx *db.Tx, p Place) error {
	return tx.Change(ctx, `
		INSERT INTO rollout_sites (site_id, rollout_id, wave, base, first_day, site_day, dated, enforce_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.Site, p.Rollout, p.Wave, p.Base.String(), p.First.String(), p.Day.String(), p.Dated, db.Stamp(p.At))
}

// changePlace stores a place in place of the one that the caller read.
func changePlace(ctx context.Context, tx *db.Tx, was, p Place) error {
	return tx.Change(ctx, `
		UPDATE rollout_sites
		   SET base = $3, first_day = $4, site_day = $5, extended_to = $6, extended_why = $7, extended_by = $8, held = $9, dated = $10,
		       enforce_at = $11, gated_at = $12
		 WHERE site_id = $1 AND rollout_id = $2 AND dated = $13 AND base = $14 AND site_day = $15 AND extended_to = $16`,
		p.Site, p.Rollout, p.Base.String(), p.First.String(), p.Day.String(), p.Extended.String(), p.ExtendedWhy, p.ExtendedBy,
		p.Held, p.Dated, db.Stamp(p.At), db.Stamp(p.GatedAt),
		was.Dated, was.Base.String(), was.Day.String(), was.Extended.String())
}

func placeOf(ctx context.Context, from db.Reader, of id.Rollout, at id.Site) (Place, error) {
	return db.One(ctx, from, scanPlace, `
		SELECT `+placeColumns+` FROM rollout_sites p WHERE p.site_id = $1 AND p.rollout_id = $2`, at, of)
}

// unplaced are the sites that a rollout has still to give a place: those connected to Xero
// since before it began, in the order of their ids.
func unplaced(ctx context.Context, from db.Reader, r Rollout, before time.Time, limit int) ([]id.Site, error) {
	return db.Many(ctx, from, scanSite, `
		SELECT s.site_id FROM sites s
		 WHERE s.site_id > $1
		   AND EXISTS (SELECT 1 FROM integrations i WHERE i.site_id = s.site_id AND i.kind = 'xero' AND i.state <> 'disconnected'
		                  AND (i.since IS NULL OR i.since < $2))
		 ORDER BY s.site_id LIMIT $3`, string(r.PlacedTo), db.Stamp(before), limit)
}

// late are the sites that wait for their place in a rollout though all others have theirs:
// connected to Xero, with a plan that says that a rollout knows of them, and no date.
func late(ctx context.Context, from db.Reader, of id.Rollout, limit int) ([]id.Site, error) {
	return db.Many(ctx, from, scanSite, `
		SELECT p.site_id FROM plans p
		 WHERE p.enforce_at IS NULL
		   AND NOT EXISTS (SELECT 1 FROM rollout_sites r WHERE r.site_id = p.site_id AND r.rollout_id = $1)
		   AND EXISTS (SELECT 1 FROM integrations i WHERE i.site_id = p.site_id AND i.kind = 'xero' AND i.state <> 'disconnected'
		                  AND (i.since IS NULL OR i.since < p.began_at))
		 ORDER BY p.site_id LIMIT $2`, of, limit)
}

func scanSite(r db.Row) (s id.Site, err error) { return s, r.Scan(&s) }

// toDate are the places whose wave has another day than theirs was counted from, or that
// have no date while the rollout runs; those whose day is nearest first.
func toDate(ctx context.Context, from db.Reader, of id.Rollout, now time.Time, limit int) ([]Place, error) {
	return db.Many(ctx, from, scanPlace, `
		SELECT `+placeColumns+`
		  FROM rollout_sites p JOIN rollout_waves w ON w.rollout_id = p.rollout_id AND w.wave = p.wave
		 WHERE p.rollout_id = $1 AND w.state = 'planned' AND (p.dated <> 'stored' OR p.base <> w.day)
		   AND (p.enforce_at IS NULL OR p.enforce_at > $2)
		 ORDER BY COALESCE(p.enforce_at, $3), p.site_day, p.site_id LIMIT $4`, of, db.Stamp(now.Add(margin)), int64(1)<<62, limit)
}

// toTakeOut are the places whose date is to come.
func toTakeOut(ctx context.Context, from db.Reader, of id.Rollout, now time.Time, limit int) ([]Place, error) {
	return db.Many(ctx, from, scanPlace, `
		SELECT `+placeColumns+` FROM rollout_sites p
		 WHERE p.rollout_id = $1 AND p.dated = 'stored' AND p.enforce_at > $2
		 ORDER BY p.enforce_at, p.site_id LIMIT $3`, of, db.Stamp(now.Add(margin)), limit)
}

// toRollBack are the places of waves that were rolled back: those whose date is to come,
// and those whose date came less than 7 days before that.
func toRollBack(ctx context.Context, from db.Reader, of id.Rollout, limit int) ([]Place, error) {
	return db.Many(ctx, from, scanPlace, `
		SELECT `+placeColumns+`
		  FROM rollout_sites p JOIN rollout_waves w ON w.rollout_id = p.rollout_id AND w.wave = p.wave
		 WHERE p.rollout_id = $1 AND w.state = 'back' AND p.dated IN ('stored', 'out') AND (p.enforce_at IS NULL OR p.enforce_at > w.back_at - $2)
		 ORDER BY p.enforce_at DESC, p.site_id LIMIT $3`, of, BackFor.Microseconds(), limit)
}

// undone says whether a roll back of a wave, or of any where wave is 0, has still to reach a
// site.
func undone(ctx context.Context, from db.Reader, of id.Rollout, wave int) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*)
		  FROM rollout_sites p JOIN rollout_waves w ON w.rollout_id = p.rollout_id AND w.wave = p.wave
		 WHERE p.rollout_id = $1 AND w.state = 'back' AND p.dated IN ('stored', 'out') AND (p.enforce_at IS NULL OR p.enforce_at > w.back_at - $2)
		   AND ($3 = 0 OR p.wave = $3)`, of, BackFor.Microseconds(), wave)
	return n > 0, err
}

// toGate are the places whose date comes until a moment, and that were judged last before
// the time for it: so many microseconds before their date.
func toGate(ctx context.Context, from db.Reader, of id.Rollout, now time.Time, within time.Duration, limit int) ([]Place, error) {
	return db.Many(ctx, from, scanPlace, `
		SELECT `+placeColumns+` FROM rollout_sites p
		 WHERE p.rollout_id = $1 AND p.dated = 'stored' AND p.enforce_at > $2 AND p.enforce_at <= $3
		   AND (p.gated_at IS NULL OR p.gated_at < p.enforce_at - $4)
		 ORDER BY p.enforce_at, p.site_id LIMIT $5`,
		of, db.Stamp(now.Add(margin)), db.Stamp(now.Add(within)), within.Microseconds(), limit)
}

// firstCome is when the first date of a wave came; the zero time if none has.
func firstCome(ctx context.Context, from db.Reader, of id.Rollout, wave int, now time.Time) (time.Time, error) {
	return db.One(ctx, from, func(r db.Row) (t time.Time, err error) { return t, r.Scan(db.When(&t)) }, `
		SELECT MIN(enforce_at) FROM rollout_sites WHERE rollout_id = $1 AND wave = $2 AND dated = 'stored' AND enforce_at <= $3`,
		of, wave, db.Stamp(now.Add(margin)))
}

// lastCome is when the last of them came.
func lastCome(ctx context.Context, from db.Reader, of id.Rollout, wave int, now time.Time) (time.Time, error) {
	return db.One(ctx, from, func(r db.Row) (t time.Time, err error) { return t, r.Scan(db.When(&t)) }, `
		SELECT MAX(enforce_at) FROM rollout_sites WHERE rollout_id = $1 AND wave = $2 AND dated = 'stored' AND enforce_at <= $3`,
		of, wave, db.Stamp(now))
}

// comingWaves are the waves of which a date comes until a moment.
func comingWaves(ctx context.Context, from db.Reader, of id.Rollout, now, until time.Time) ([]int, error) {
	return db.Many(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT DISTINCT p.wave FROM rollout_sites p JOIN rollout_waves w ON w.rollout_id = p.rollout_id AND w.wave = p.wave
		 WHERE p.rollout_id = $1 AND p.dated = 'stored' AND p.base = w.day AND p.held = 0 AND p.extended_to = ''
		   AND p.enforce_at > $2 AND p.enforce_at <= $3 ORDER BY p.wave`,
		of, db.Stamp(now.Add(margin)), db.Stamp(until))
}

// openDates counts the places that have a date to come, or would have one if the rollout
// went on.
func openDates(ctx context.Context, from db.Reader, of id.Rollout, now time.Time) (int, error) {
	return db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM rollout_sites WHERE rollout_id = $1 AND wave > 0 AND (dated <> 'stored' OR enforce_at > $2)`, of, db.Stamp(now))
}

func closedDays(ctx context.Context, from db.Reader, at id.Site) ([]calendar.Day, error) {
	return db.Many(ctx, from, func(r db.Row) (d calendar.Day, err error) { return d, r.Scan(day{&d}) },
		`SELECT day FROM site_closed_days WHERE site_id = $1 ORDER BY day LIMIT 400`, at)
}

func replaceClosed(ctx context.Context, tx *db.Tx, at id.Site, all []calendar.Day) error {
	if _, err := tx.Exec(ctx, `DELETE FROM site_closed_days WHERE site_id = $1`, at); err != nil {
		return err
	}
	for _, d := range all {
		if err := tx.Change(ctx, `INSERT INTO site_closed_days (site_id, day) VALUES ($1, $2)`, at, d.String()); err != nil {
			return err
		}
	}
	return nil
}

// recount has a site's day counted anew from its wave's.
func recount(ctx context.Context, tx *db.Tx, of id.Rollout, at id.Site) error {
	_, err := tx.Exec(ctx, `
		UPDATE rollout_sites SET base = '' WHERE site_id = $1 AND rollout_id = $2 AND (enforce_at IS NULL OR enforce_at > $3)`,
		at, of, db.Stamp(tx.Now.Add(margin)))
	return err
}

// toPutOff are the places whose date comes until a moment, of waves that stay where they
// are.
func toPutOff(ctx context.Context, from db.Reader, of id.Rollout, now, until time.Time, limit int) ([]Place, error) {
	return db.Many(ctx, from, scanPlace, `
		SELECT `+placeColumns+`
		  FROM rollout_sites p JOIN rollout_waves w ON w.rollout_id = p.rollout_id AND w.wave = p.wave
		 WHERE p.rollout_id = $1 AND p.dated = 'stored' AND p.base = w.day AND p.enforce_at > $2 AND p.enforce_at <= $3
		 ORDER BY p.enforce_at, p.site_id LIMIT $4`, of, db.Stamp(now.Add(margin)), db.Stamp(until), limit)
}

// toLook are the connected sites that were last looked at before a moment, those that were
// never looked at first.
func toLook(ctx context.Context, from db.Reader, before time.Time, limit int) ([]id.Site, error) {
	return db.Many(ctx, from, scanSite, `
		SELECT i.site_id FROM integrations i LEFT JOIN rollout_looks l ON l.site_id = i.site_id
		 WHERE i.kind = 'xero' AND i.state <> 'disconnected' AND (l.looked_at IS NULL OR l.looked_at < $1)
		 ORDER BY COALESCE(l.looked_at, 0), i.site_id LIMIT $2`, db.Stamp(before), limit)
}

func storeLook(ctx context.Context, tx *db.Tx, l look) error {
	return tx.Change(ctx, `
		INSERT INTO rollout_looks (site_id, ready, manage, help, admin_proved, looked_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (site_id) DO UPDATE SET ready = $2, manage = $3, help = $4, admin_proved = $5, looked_at = $6`,
		l.site.ID, l.ready, l.manage, l.help, l.proved, db.Stamp(tx.Now))
}

// waiting counts the places of a wave that have no date.
func waiting(ctx context.Context, from db.Reader, of id.Rollout, wave int) (int, error) {
	return db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM rollout_sites WHERE rollout_id = $1 AND wave = $2 AND dated <> 'stored'`, of, wave)
}

// mostSites bounds the sites of a rollout.
const mostSites = 100_000

func sitesOf(ctx context.Context, from db.Reader, of id.Rollout, wave int) ([]id.Site, error) {
	return db.Many(ctx, from, scanSite, `
		SELECT site_id FROM rollout_sites WHERE rollout_id = $1 AND wave = $2 ORDER BY site_id LIMIT $3`, of, wave, mostSites)
}

func lastSeen(ctx context.Context, from db.Reader, of id.Rollout, wave int) (time.Time, error) {
	return db.One(ctx, from, func(r db.Row) (t time.Time, err error) { return t, r.Scan(db.When(&t)) },
		`SELECT MAX(seen_at) FROM rollout_brakes WHERE rollout_id = $1 AND wave = $2`, of, wave)
}

// storeSeen keeps what the brake saw, once an hour. An hour in which it stopped stays so.
func storeSeen(ctx context.Context, tx *db.Tx, of id.Rollout, s Seen) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO rollout_brakes
		       (rollout_id, wave, hour, seen_at, strength, stopped, wave_seen, wave_failed, control_seen, control_failed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (rollout_id, wave, hour) DO UPDATE
		   SET seen_at = $4, strength = $5, stopped = $6, wave_seen = $7, wave_failed = $8, control_seen = $9, control_failed = $10
		 WHERE rollout_brakes.stopped = ''`,
		of, s.Wave, s.At.Unix()/3600, db.Stamp(s.At), s.Strength, string(s.Stopped),
		s.Sites.SignIns, s.Sites.Failed, s.Control.SignIns, s.Control.Failed)
	return err
}

func history(ctx context.Context, from db.Reader, of id.Rollout, limit int) ([]Seen, error) {
	return db.Many(ctx, from, func(r db.Row) (s Seen, err error) {
		return s, r.Scan(&s.Wave, db.When(&s.At), &s.Strength, &s.Stopped, &s.Sites.SignIns, &s.Sites.Failed, &s.Control.SignIns, &s.Control.Failed)
	}, `
		SELECT wave, seen_at, strength, stopped, wave_seen, wave_failed, control_seen, control_failed
		  FROM rollout_brakes WHERE rollout_id = $1 ORDER BY seen_at DESC, wave LIMIT $2`, of, limit)
}

// adopt has a rollout be under way, with every site placed.
func adopt(ctx context.Context, tx *db.Tx, r Rollout) error {
	return tx.Change(ctx, `
		UPDATE rollouts SET state = 'running', began_at = $2, watched_from = $2, placed_at = $2 WHERE rollout_id = $1`,
		r.ID, db.Stamp(r.BeganAt))
}

func refs(ctx context.Context, from db.Reader) ([]string, error) {
	return db.Many(ctx, from, func(r db.Row) (ref string, err error) { return ref, r.Scan(&ref) }, `SELECT ref FROM sites ORDER BY ref`)
}
