package plan

import (
	"context"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

func of(ctx context.Context, from db.Reader, site id.Site) (Plan, error) {
	return db.One(ctx, from, func(r db.Row) (p Plan, err error) {
		return p, r.Scan(&p.Site, db.When(&p.BeganAt), db.When(&p.PrepareFrom), db.When(&p.EnforceAt), db.When(&p.ExtendedUntil))
	}, `SELECT site_id, began_at, prepare_from, enforce_at, extended_until FROM plans WHERE site_id = $1`, site)
}

func set(ctx context.Context, tx *db.Tx, p Plan) error {
	return tx.Change(ctx, `
		INSERT INTO plans (site_id, began_at, prepare_from, enforce_at, extended_until) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (site_id) DO UPDATE SET began_at = $2, prepare_from = $3, enforce_at = $4, extended_until = $5`,
		p.Site, db.Stamp(p.BeganAt), db.Stamp(p.PrepareFrom), db.Stamp(p.EnforceAt), db.Stamp(p.ExtendedUntil))
}

func move(ctx context.Context, tx *db.Tx, from, to Plan) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE plans SET prepare_from = $2, enforce_at = $3, extended_until = $4
		 WHERE site_id = $1 AND COALESCE(enforce_at, 0) = $5 AND COALESCE(extended_until, 0) = $6`,
		from.Site, db.Stamp(to.PrepareFrom), db.Stamp(to.EnforceAt), db.Stamp(to.ExtendedUntil),
		micros(from.EnforceAt), micros(from.ExtendedUntil))
}

// micros is a stored time where NULL is compared as 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// insertOutcome opens the day, or notes that somebody is in on a day that is open.
func insertOutcome(ctx context.Context, tx *db.Tx, a Arrival) error {
	var in time.Time
	if a.In {
		in = tx.Now
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO plan_outcomes (site_id, user_id, day, began_at, phase, date_at, asked, in_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (site_id, user_id, day) DO UPDATE SET in_at = excluded.in_at
		 WHERE plan_outcomes.in_at IS NULL AND excluded.in_at IS NOT NULL`,
		a.Site, a.User, a.day(tx.Now), db.Stamp(tx.Now), string(a.Phase), db.Stamp(a.Date), a.Asked, db.Stamp(in))
	return err
}

func enterOutcome(ctx context.Context, tx *db.Tx, p Place, since time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE plan_outcomes SET in_at = $4
		 WHERE site_id = $1 AND user_id = $2 AND began_at > $3 AND in_at IS NULL`,
		p.Site, p.User, db.Stamp(since), db.Stamp(tx.Now))
	return err
}

const outcomeColumns = `o.site_id, o.user_id, o.day, o.began_at, o.phase, o.date_at, o.asked, o.in_at`

func scanOutcome(r db.Row) (o Outcome, err error) {
	return o, r.Scan(&o.Site, &o.User, &o.Day, db.When(&o.At), &o.Phase, db.When(&o.Date), &o.Asked, db.When(&o.InAt))
}

func outcomesAfter(ctx context.Context, from db.Reader, last Outcome, until time.Time, limit int) ([]Outcome, error) {
	return db.Many(ctx, from, scanOutcome, `
		SELECT `+outcomeColumns+` FROM plan_outcomes o
		 WHERE (o.began_at, o.site_id, o.user_id) > ($1, $2, $3) AND o.began_at < $4
		 ORDER BY o.began_at, o.site_id, o.user_id LIMIT $5`,
		db.Stamp(last.At), string(last.Site), string(last.User), db.Stamp(until), limit)
}

// mostCounts bounds what a board asks for: 90 days of 2,000 sites.
const mostCounts = 200_000

func counts(ctx context.Context, from db.Reader, since, until time.Time) ([]Count, error) {
	return db.Many(ctx, from, func(r db.Row) (c Count, err error) {
		return c, r.Scan(&c.Site, &c.Day, &c.Phase, &c.SignIns, &c.Asked, &c.Passed, &c.Late, &c.Stuck)
	}, `
		SELECT site_id, day, phase, COUNT(*),
		       SUM(CASE WHEN asked THEN 1 ELSE 0 END),
		       SUM(CASE WHEN in_at <= began_at + $3 THEN 1 ELSE 0 END),
		       SUM(CASE WHEN in_at > began_at + $3 THEN 1 ELSE 0 END),
		       SUM(CASE WHEN in_at IS NULL THEN 1 ELSE 0 END)
		  FROM plan_outcomes
		 WHERE began_at >= $1 AND began_at < $2
		 GROUP BY day, site_id, phase
		 ORDER BY day, site_id, phase LIMIT $4`,
		db.Stamp(since), db.Stamp(until), InTime.Microseconds(), mostCounts)
}

func stuckNow(ctx context.Context, from db.Reader, since, until time.Time, limit int) ([]Outcome, error) {
	return db.Many(ctx, from, scanOutcome, `
		SELECT `+outcomeColumns+` FROM plan_outcomes o
		  JOIN memberships m ON m.site_id = o.site_id AND m.user_id = o.user_id AND m.status = 'active' AND m.kind = 'office'
		 WHERE o.began_at >= $1 AND o.began_at < $2 AND o.phase = $3 AND o.in_at IS NULL
		   AND NOT EXISTS (SELECT 1 FROM plan_outcomes l
		                    WHERE l.site_id = o.site_id AND l.user_id = o.user_id AND l.day > o.day)
		 ORDER BY o.began_at DESC, o.site_id, o.user_id LIMIT $4`,
		db.Stamp(since), db.Stamp(until), string(policy.InWave), limit)
}

func sweepOutcomes(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM plan_outcomes
		 WHERE (site_id, user_id, day) IN (
		       SELECT site_id, user_id, day FROM plan_outcomes WHERE began_at < $1 ORDER BY began_at LIMIT $2)`,
		db.Stamp(before), limit)
	return err
}

func putShadow(ctx context.Context, tx *db.Tx, s Shadow) error {
	return tx.Change(ctx, `
		INSERT INTO plan_shadows (site_id, user_id, day, seen_at, outcome, offered, usual, lacks, reasons, stuck)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (site_id, user_id, day) DO UPDATE
		   SET seen_at = $4, outcome = $5, offered = $6, usual = $7, lacks = $8, reasons = $9, stuck = $10`,
		s.Site, s.User, s.Day, db.Stamp(s.At), s.Outcome, joined(s.Offered), string(s.Default), joined(s.Lacks), joined(s.Reasons), s.Stuck)
}

// mostPeople bounds the people of one site.
const mostPeople = 10_000

func stuckShadows(ctx context.Context, from db.Reader, at id.Site, since time.Time) ([]Shadow, error) {
	return db.Many(ctx, from, func(r db.Row) (s Shadow, err error) {
		var offered, lacks, reasons string
		err = r.Scan(&s.Site, &s.User, &s.Day, db.When(&s.At), &s.Outcome, &offered, &s.Default, &lacks, &reasons, &s.Stuck)
		s.Offered, s.Lacks, s.Reasons = apart[policy.MethodKind](offered), apart[policy.WithheldKey](lacks), apart[policy.ReasonKey](reasons)
		return s, err
	}, `
		SELECT s.site_id, s.user_id, s.day, s.seen_at, s.outcome, s.offered, s.usual, s.lacks, s.reasons, s.stuck
		  FROM plan_shadows s
		  JOIN memberships m ON m.site_id = s.site_id AND m.user_id = s.user_id AND m.status = 'active' AND m.kind = 'office'
		 WHERE s.site_id = $1 AND s.stuck AND s.seen_at >= $2
		   AND NOT EXISTS (SELECT 1 FROM plan_shadows l
		                    WHERE l.site_id = s.site_id AND l.user_id = s.user_id AND l.day > s.day)
		 ORDER BY s.seen_at DESC, s.user_id LIMIT $3`, at, db.Stamp(since), mostPeople)
}

func rehearsals(ctx context.Context, from db.Reader, since time.Time) ([]Rehearsal, error) {
	return db.Many(ctx, from, func(r db.Row) (s Rehearsal, err error) {
		return s, r.Scan(&s.Site, &s.People, &s.Asked, &s.Stuck)
	}, `
		SELECT s.site_id, COUNT(*), SUM(CASE WHEN s.outcome IN ($2, $3) THEN 1 ELSE 0 END), SUM(CASE WHEN s.stuck THEN 1 ELSE 0 END)
		  FROM plan_shadows s
		  JOIN memberships m ON m.site_id = s.site_id AND m.user_id = s.user_id AND m.status = 'active' AND m.kind = 'office'
		 WHERE s.seen_at >= $1
		   AND NOT EXISTS (SELECT 1 FROM plan_shadows l
		                    WHERE l.site_id = s.site_id AND l.user_id = s.user_id AND l.day > s.day)
		 GROUP BY s.site_id
		 ORDER BY s.site_id`, db.Stamp(since), policy.Ask.String(), policy.Enrol.String())
}

func rehearsalOf(ctx context.Context, from db.Reader, at id.Site, since time.Time) (Rehearsal, error) {
	return db.One(ctx, from, func(r db.Row) (s Rehearsal, err error) {
		s.Site = at
		return s, r.Scan(&s.People, &s.Asked, &s.Stuck)
	}, `
		SELECT COUNT(*), COALESCE(SUM(CASE WHEN s.outcome IN ($3, $4) THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN s.stuck THEN 1 ELSE 0 END), 0)
		  FROM plan_shadows s
		  JOIN memberships m ON m.site_id = s.site_id AND m.user_id = s.user_id AND m.status = 'active' AND m.kind = 'office'
		 WHERE s.site_id = $1 AND s.seen_at >= $2
		   AND NOT EXISTS (SELECT 1 FROM plan_shadows l
		                    WHERE l.site_id = s.site_id AND l.user_id = s.user_id AND l.day > s.day)`,
		at, db.Stamp(since), policy.Ask.String(), policy.Enrol.String())
}

func sweepShadows(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM plan_shadows
		 WHERE (site_id, user_id, day) IN (
		       SELECT site_id, user_id, day FROM plan_shadows WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)`,
		db.Stamp(before), limit)
	return err
}

func joined[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = string(one)
	}
	return strings.Join(words, " ")
}

func apart[T ~string](text string) []T {
	var all []T
	for word := range strings.FieldsSeq(text) {
		all = append(all, T(word))
	}
	return all
}

func coming(ctx context.Context, from db.Reader, in Span, after id.Site, limit int) ([]id.Site, error) {
	return db.Many(ctx, from, func(r db.Row) (s id.Site, err error) { return s, r.Scan(&s) }, `
		SELECT site_id FROM plans
		 WHERE site_id > $3 AND (enforce_at > $1 AND enforce_at <= $2 OR extended_until > $1 AND extended_until <= $2)
		 ORDER BY site_id LIMIT $4`, db.Stamp(in.From), db.Stamp(in.Until), string(after), limit)
}
