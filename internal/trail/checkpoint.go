package trail

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/site"
)

// Last is the newest checkpoint of a site; ok is false before the first.
func Last(ctx context.Context, from db.Reader, at id.Site) (last Checkpoint, ok bool, err error) {
	all, err := lastOf(ctx, from, at)
	if err != nil {
		return last, false, fmt.Errorf("find a site's last checkpoint: %w", err)
	}
	if len(all) == 0 {
		return last, false, nil
	}
	return all[0], true, nil
}

// MakeCheckpoints makes the checkpoints of the day that began last (UTC), for limit sites
// at most: one for each site in whose trail something was new when the day began. When no
// site is left it tells the sites' admins, and writes what is not yet written into the
// folder. It may be run again at any time, and on several nodes at once: a site and day
// are done once.
//
// A checkpoint is no event of the trail: it changes nothing, and as an event it would be
// new every day, so that a site in which nothing happens were told of it for ever.
func (d *Desk) MakeCheckpoints(ctx context.Context, limit int) error {
	midnight := d.DB.Clock.Now().UTC().Truncate(24 * time.Hour)
	day := midnight.Format(time.DateOnly)
	sites, err := due(ctx, d.DB, day, midnight, limit)
	if err != nil {
		return fmt.Errorf("look for sites without a checkpoint: %w", err)
	}
	for _, at := range sites {
		err := d.DB.Do(ctx, func(tx *db.Tx) error { return d.checkpoint(ctx, tx, at, day) })
		if err != nil && !errors.Is(err, fault.Conflict) { // another node was quicker
			return fmt.Errorf("make a site's checkpoint: %w", err)
		}
	}
	if len(sites) == limit {
		return nil // the rest first, so that people with many sites get one mail
	}
	return errors.Join(d.tell(ctx, limit), d.keep(ctx, limit))
}

func (d *Desk) checkpoint(ctx context.Context, tx *db.Tx, at id.Site, day string) error {
	note, size, err := audit.SiteCheckpoint(ctx, tx, tx.Now, at, d.Keys.CheckpointSigner())
	if err != nil {
		return err
	}
	return insertCheckpoint(ctx, tx, Checkpoint{Site: at, Day: day, MadeAt: tx.Now, Size: size, Note: string(note)})
}

// telling is a checkpoint whose site's admins are to be told.
type telling struct {
	site id.Site
	day  string
}

// tell tells the admins of every checkpoint that they were not told of, all in one
// transaction: what waits for one mailbox goes in one mail, so that whoever looks after
// several sites gets one a day.
func (d *Desk) tell(ctx context.Context, limit int) error {
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		all, err := untold(ctx, tx, limit)
		if err != nil {
			return fmt.Errorf("look for checkpoints that nobody was told of: %w", err)
		}
		for _, one := range all {
			if err := d.tellOne(ctx, tx, one); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, fault.Conflict) {
		return nil // another node tells them
	}
	return err
}

func (d *Desk) tellOne(ctx context.Context, tx *db.Tx, one telling) error {
	if err := tell(ctx, tx, one); err != nil {
		return err
	}
	c, err := checkpointOf(ctx, tx, one.site, one.day)
	if err != nil {
		return fmt.Errorf("find a checkpoint: %w", err)
	}
	at, err := site.ByID(ctx, tx, one.site)
	if err != nil {
		return fmt.Errorf("find a site: %w", err)
	}
	admins, err := site.Admins(ctx, tx, tx.Now, one.site)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	for _, who := range admins {
		err := d.Post.Tell(ctx, tx, message.Notice{
			User: who, Site: one.site, Kind: message.TrailCheckpoint,
			Words: map[string]string{"site": at.Name, "count": strconv.FormatInt(c.Size, 10), "note": c.Note},
		})
		if err != nil {
			return fmt.Errorf("tell an admin of a checkpoint: %w", err)
		}
	}
	return nil
}
