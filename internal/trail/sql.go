package trail

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// mostNamed is how many members of one name a search takes.
const mostNamed = 50

// Named finds members of a site, also those who have left, by a part of their name or
// login name, 50 at most. Nobody has a name that is empty or blank.
//
// The names are compared here and not by the database, whose LOWER may know no letters
// beyond ASCII: Élodie is found by élodie on either engine.
func Named(ctx context.Context, from db.Reader, at id.Site, text string) ([]id.User, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return nil, nil
	}
	var found []id.User
	for after := id.User(""); ; {
		page, err := members(ctx, from, at, after)
		if err != nil {
			return nil, fmt.Errorf("find members of a name: %w", err)
		}
		for _, m := range page {
			if !strings.Contains(strings.ToLower(m.name), text) && !strings.Contains(strings.ToLower(m.login), text) {
				continue
			}
			if found = append(found, m.who); len(found) == mostNamed {
				return found, nil
			}
		}
		if len(page) < membersRead {
			return found, nil
		}
		after = page[len(page)-1].who
	}
}

// membersRead is how many members are read at once.
const membersRead = 500

type named struct {
	who         id.User
	name, login string
}

// members are those of a site in the order of their ids, after one of them.
func members(ctx context.Context, from db.Reader, at id.Site, after id.User) ([]named, error) {
	return db.Many(ctx, from, func(r db.Row) (n named, err error) { return n, r.Scan(&n.who, &n.name, &n.login) }, `
		SELECT m.user_id, u.first_name || ' ' || u.last_name, u.login
		  FROM memberships m
		  JOIN users u ON u.user_id = m.user_id
		 WHERE m.site_id = $1 AND m.user_id > $2
		 ORDER BY m.user_id
		 LIMIT $3`, at, after, membersRead)
}

// Checkpoint is where a site's trail stood on a day, signed.
type Checkpoint struct {
	Site id.Site
	// Day is the day in UTC, as 2026-11-29.
	Day    string
	MadeAt time.Time
	// Size is how many events there were.
	Size int64
	Note string
}

const checkpointColumns = `site_id, day, made_at, size, note`

func scanCheckpoint(r db.Row) (c Checkpoint, err error) {
	return c, r.Scan(&c.Site, &c.Day, db.When(&c.MadeAt), &c.Size, &c.Note)
}

func lastOf(ctx context.Context, from db.Reader, at id.Site) ([]Checkpoint, error) {
	return db.Many(ctx, from, scanCheckpoint, `
		SELECT `+checkpointColumns+` FROM checkpoints WHERE site_id = $1 ORDER BY day DESC LIMIT 1`, at)
}

// due are sites in whose trail something was new before a moment, and since their last
// checkpoint, and that have none of that day; in the order of their ids.
func due(ctx context.Context, from db.Reader, day string, before time.Time, limit int) ([]id.Site, error) {
	return db.Many(ctx, from, func(r db.Row) (s id.Site, err error) { return s, r.Scan(&s) }, `
		SELECT s.site_id
		  FROM sites s
		  JOIN audit_heads h ON h.chain = 'site:' || s.site_id
		 WHERE NOT EXISTS (SELECT 1 FROM checkpoints c WHERE c.site_id = s.site_id AND c.day >= $1)
		   AND EXISTS (SELECT 1 FROM audit_events e
		                WHERE e.chain = h.chain AND e.at < $2
		                  AND e.seq >= COALESCE((SELECT MAX(size) FROM checkpoints c WHERE c.site_id = s.site_id), 0))
		 ORDER BY s.site_id
		 LIMIT $3`, day, before.UnixMicro(), limit)
}

// insertCheckpoint stores one; fault.Conflict if the site has one of that day.
func insertCheckpoint(ctx context.Context, tx *db.Tx, c Checkpoint) error {
	return tx.Change(ctx, `
		INSERT INTO checkpoints (site_id, day, made_at, size, note)
		VALUES ($1, $2, $3, $4, $5)`, c.Site, c.Day, db.Stamp(c.MadeAt), c.Size, c.Note)
}

// untold are checkpoints that nobody was told of, the oldest first.
func untold(ctx context.Context, from db.Reader, limit int) ([]telling, error) {
	return db.Many(ctx, from, func(r db.Row) (t telling, err error) { return t, r.Scan(&t.site, &t.day) }, `
		SELECT site_id, day FROM checkpoints WHERE told_at IS NULL ORDER BY day, site_id LIMIT $1`, limit)
}

// tell notes that a site's admins were told; fault.Conflict if they were before.
func tell(ctx context.Context, tx *db.Tx, one telling) error {
	return tx.Change(ctx, `
		UPDATE checkpoints SET told_at = $3 WHERE site_id = $1 AND day = $2 AND told_at IS NULL`,
		one.site, one.day, db.Stamp(tx.Now))
}

func checkpointOf(ctx context.Context, from db.Reader, at id.Site, day string) (Checkpoint, error) {
	return db.One(ctx, from, scanCheckpoint, `
		SELECT `+checkpointColumns+` FROM checkpoints WHERE site_id = $1 AND day = $2`, at, day)
}

// unkept are checkpoints that were not written outside yet, the oldest first.
func unkept(ctx context.Context, from db.Reader, limit int) ([]Checkpoint, error) {
	return db.Many(ctx, from, scanCheckpoint, `
		SELECT `+checkpointColumns+` FROM checkpoints WHERE kept_at IS NULL ORDER BY day, site_id LIMIT $1`, limit)
}

// keep notes that a checkpoint was written outside.
func keep(ctx context.Context, tx *db.Tx, c Checkpoint) error {
	return tx.Change(ctx, `
		UPDATE checkpoints SET kept_at = $3 WHERE site_id = $1 AND day = $2 AND kept_at IS NULL`,
		c.Site, c.Day, db.Stamp(tx.Now))
}
