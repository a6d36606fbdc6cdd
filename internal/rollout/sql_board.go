package rollout

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

func ownerName(ctx context.Context, from db.Reader, who id.User) (string, error) {
	return db.One(ctx, from, func(r db.Row) (string, error) {
		var first, last, login string
		err := r.Scan(&first, &last, &login)
		return cmp.Or(strings.TrimSpace(first+" "+last), login), err
	}, `SELECT first_name, last_name, login FROM users WHERE user_id = $1`, who)
}

func counts(ctx context.Context, from db.Reader, of id.Rollout, now time.Time) ([]Count, error) {
	return db.Many(ctx, from, func(r db.Row) (c Count, err error) {
		return c, r.Scan(&c.Wave, &c.Sites, &c.Come, &c.ToCome, &c.Held, &c.Extended, &c.Unproved,
			&c.Ready, &c.Manage, &c.Help, &c.Unlooked, db.When(&c.First), db.When(&c.Last), db.When(&c.LastCome))
	}, `
		SELECT p.wave, COUNT(*),
		       SUM(CASE WHEN p.enforce_at <= $2 THEN 1 ELSE 0 END),
		       SUM(CASE WHEN p.enforce_at > $2 THEN 1 ELSE 0 END),
		       SUM(CASE WHEN p.enforce_at > $2 AND p.held > 0 THEN 1 ELSE 0 END),
		       SUM(CASE WHEN p.enforce_at > $2 AND p.extended_to > p.site_day THEN 1 ELSE 0 END),
		       SUM(CASE WHEN l.admin_proved = FALSE THEN 1 ELSE 0 END),
		       COALESCE(SUM(l.ready), 0), COALESCE(SUM(l.manage), 0), COALESCE(SUM(l.help), 0),
		       SUM(CASE WHEN l.site_id IS NULL THEN 1 ELSE 0 END),
		       MIN(p.enforce_at), MAX(p.enforce_at), MAX(CASE WHEN p.enforce_at <= $2 THEN p.enforce_at END)
		  FROM rollout_sites p LEFT JOIN rollout_looks l ON l.site_id = p.site_id
		 WHERE p.rollout_id = $1 GROUP BY p.wave ORDER BY p.wave`, of, db.Stamp(now))
}

// candidate is a connected site, as a draft's waves look at it.
type candidate struct {
	picked
	manage, help   int
	looked, proved bool
}

func candidates(ctx context.Context, from db.Reader) ([]candidate, error) {
	return db.Many(ctx, from, func(r db.Row) (c candidate, err error) {
		err = r.Scan(&c.site, &c.ref, &c.region, &c.manager, &c.ready, &c.manage, &c.help, &c.proved, &c.looked)
		c.whole = c.ready + c.manage + c.help
		return c, err
	}, `
		SELECT s.site_id, s.ref, s.region, s.account_manager, COALESCE(l.ready, 0), COALESCE(l.manage, 0), COALESCE(l.help, 0),
		       COALESCE(l.admin_proved, FALSE), l.site_id IS NOT NULL
		  FROM sites s JOIN integrations i ON i.site_id = s.site_id AND i.kind = 'xero' AND i.state <> 'disconnected'
		  LEFT JOIN rollout_looks l ON l.site_id = s.site_id
		 ORDER BY s.site_id LIMIT $1`, mostSites)
}

const rowColumns = placeColumns + `,
	s.name, s.ref, s.region, s.time_zone, s.account_manager, l.site_id IS NOT NULL,
	COALESCE(l.ready, 0), COALESCE(l.manage, 0), COALESCE(l.help, 0), COALESCE(l.admin_proved, FALSE)`

func scanRow(r db.Row) (o Row, err error) {
	var zone string
	p := &o.Place
	err = r.Scan(&p.Site, &p.Rollout, &p.Wave, day{&p.Base}, day{&p.First}, day{&p.Day}, day{&p.Extended}, &p.ExtendedWhy, &p.ExtendedBy,
		&p.Held, &p.Dated, db.When(&p.At), db.When(&p.GatedAt),
		&o.Name, &o.Ref, &o.Region, &zone, &o.Manager, &o.Looked, &o.Ready, &o.Manage, &o.Help, &o.AdminProved)
	if err != nil {
		return o, err
	}
	if o.Zone, err = time.LoadLocation(zone); err != nil {
		return o, fmt.Errorf("the time zone of a site: %w", err)
	}
	return o, nil
}

func rows(ctx context.Context, from db.Reader, of id.Rollout, q Query) ([]Row, error) {
	text := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(strings.TrimSpace(q.Find)))
	return db.Many(ctx, from, scanRow, `
		SELECT `+rowColumns+`
		  FROM rollout_sites p JOIN sites s ON s.site_id = p.site_id LEFT JOIN rollout_looks l ON l.site_id = p.site_id
		 WHERE p.rollout_id = $1 AND s.ref > $2 AND ($3 < 0 OR p.wave = $3)
		   AND (LOWER(s.name) LIKE $4 ESCAPE '\' OR LOWER(s.ref) LIKE $5 ESCAPE '\')
		   AND ($6 = '' OR $6 = 'held' AND p.held > 0 OR $6 = 'extended' AND p.extended_to > p.site_day
		        OR $6 = 'unproved' AND l.admin_proved = FALSE OR $6 = 'help' AND l.help > 0)
		 ORDER BY s.ref LIMIT $7`, of, q.After, q.Wave, "%"+text+"%", text+"%", string(q.Only), PageOfSites+1)
}

func rowOf(ctx context.Context, from db.Reader, at id.Site) (Row, error) {
	return db.One(ctx, from, scanRow, `
		SELECT `+rowColumns+`
		  FROM rollout_sites p JOIN rollouts r ON r.rollout_id = p.rollout_id AND r.live = 'yes'
		  JOIN sites s ON s.site_id = p.site_id LEFT JOIN rollout_looks l ON l.site_id = p.site_id
		 WHERE p.site_id = $1`, at)
}

// most are the first of some things, the greatest first.
func most[T any](all []T, of func(T) int) []T {
	slices.SortStableFunc(all, func(a, b T) int { return cmp.Compare(of(b), of(a)) })
	return all[:min(len(all), boardRows)]
}

// named gives things about sites what the sites are called, in their order.
func named[T any](ctx context.Context, from db.Reader, all []T, at func(T) id.Site) ([]Named[T], error) {
	ids := make([]id.Site, len(all))
	for i, one := range all {
		ids[i] = at(one)
	}
	type called struct {
		id              id.Site
		name, ref, zone string
	}
	found, err := db.ManyIn(ctx, from, func(r db.Row) (c called, err error) { return c, r.Scan(&c.id, &c.name, &c.ref, &c.zone) }, ids,
		func(places string) string {
			return `SELECT site_id, name, ref, time_zone FROM sites WHERE site_id IN (` + places + `)`
		})
	if err != nil {
		return nil, fmt.Errorf("read what sites are called: %w", err)
	}
	names := make(map[id.Site]called, len(found))
	for _, c := range found {
		names[c.id] = c
	}
	list := make([]Named[T], 0, len(all))
	for _, one := range all {
		c := names[at(one)]
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			return nil, fmt.Errorf("the time zone of a site: %w", err)
		}
		list = append(list, Named[T]{Of: one, Site: at(one), Name: c.name, Ref: c.ref, Zone: zone})
	}
	return list, nil
}

// timesHeld is how often the gate moved the date that a site has in the latest rollout.
func timesHeld(ctx context.Context, from db.Reader, at id.Site) (int, error) {
	return db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT p.held FROM rollout_sites p JOIN rollouts r ON r.rollout_id = p.rollout_id
		 WHERE p.site_id = $1
		 ORDER BY r.made_at DESC, r.rollout_id DESC LIMIT 1`, at)
}

func extendedWhy(ctx context.Context, from db.Reader, at id.Site) (string, error) {
	return db.One(ctx, from, func(r db.Row) (why string, err error) { return why, r.Scan(&why) }, `
		SELECT p.extended_why FROM rollout_sites p JOIN rollouts r ON r.rollout_id = p.rollout_id
		 WHERE p.site_id = $1 AND p.extended_to <> ''
		 ORDER BY r.made_at DESC, r.rollout_id DESC LIMIT 1`, at)
}
