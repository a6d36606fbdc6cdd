package site

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

const columns = `
	site_id, ref, name, region, time_zone, twofa, remember, weakest, sms_available, account_manager, created_at,
	twofa_since, twofa_by`

func scan(r db.Row) (s Site, err error) {
	var zone string
	err = r.Scan(&s.ID, &s.Ref, &s.Name, &s.Region, &zone, &s.TwoFA, &s.Remember, &s.Weakest,
		&s.SMSAvailable, &s.AccountManager, db.When(&s.CreatedAt), db.When(&s.TwoFASince), &s.TwoFABy)
	if err != nil {
		return s, err
	}
	if s.Zone, err = Zone(zone); err != nil {
		return s, fmt.Errorf("site %s: %w", s.Ref, err)
	}
	return s, nil
}

func insert(ctx context.Context, tx *db.Tx, s Site) error {
	return tx.Change(ctx, `
		INSERT INTO sites (site_id, ref, name, region, time_zone, twofa, remember, weakest, sms_available, account_manager, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		s.ID, s.Ref, s.Name, s.Region, s.Zone.String(), s.TwoFA, s.Remember, s.Weakest, s.SMSAvailable, s.AccountManager, db.Stamp(s.CreatedAt))
}

// choose stores a site's 2FA settings in place of the ones they are changed from.
func choose(ctx context.Context, tx *db.Tx, s Site, was Choice) error {
	return tx.Change(ctx, `
		UPDATE sites SET twofa = $5, remember = $6, weakest = $7, twofa_since = $8, twofa_by = $9
		 WHERE site_id = $1 AND twofa = $2 AND remember = $3 AND weakest = $4`,
		s.ID, was.TwoFA, was.Remember, was.Weakest, s.TwoFA, s.Remember, s.Weakest, db.Stamp(s.TwoFASince), s.TwoFABy)
}

func byID(ctx context.Context, from db.Reader, which id.Site) (Site, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM sites WHERE site_id = $1`, which)
}

func byRef(ctx context.Context, from db.Reader, ref string) (Site, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM sites WHERE ref = $1`, ref)
}

func list(ctx context.Context, from db.Reader, after string, limit int) ([]Site, error) {
	return db.Many(ctx, from, scan, `SELECT `+columns+` FROM sites WHERE ref > $1 ORDER BY ref LIMIT $2`, after, limit)
}

func byIDs(ctx context.Context, from db.Reader, which []id.Site) ([]Site, error) {
	return db.ManyIn(ctx, from, scan, which, func(places string) string {
		return `SELECT ` + columns + ` FROM sites WHERE site_id IN (` + places + `)`
	})
}

func describe(ctx context.Context, tx *db.Tx, was, is Site) error {
	return tx.Change(ctx, `
		UPDATE sites SET name = $2, region = $3, time_zone = $4, account_manager = $5
		 WHERE site_id = $1 AND name = $6 AND region = $7 AND time_zone = $8 AND account_manager = $9`,
		was.ID, is.Name, is.Region, is.Zone.String(), is.AccountManager,
		was.Name, was.Region, was.Zone.String(), was.AccountManager)
}

const memberColumns = `
	m.site_id, m.user_id, m.user_ref, m.member_group, m.kind, m.status, m.sales_dashboard, m.business_intelligence, m.twofa, m.created_at, m.access_until`

func scanMember(r db.Row) (m Membership, err error) {
	return m, r.Scan(&m.Site, &m.User, &m.UserRef, &m.Group, &m.Kind, &m.Status,
		&m.SalesDashboard, &m.BusinessIntelligence, &m.TwoFA, db.When(&m.CreatedAt), db.When(&m.Until))
}

func join(ctx context.Context, tx *db.Tx, m Membership) error {
	return tx.Change(ctx, `
		INSERT INTO memberships (site_id, user_id, user_ref, member_group, kind, status, sales_dashboard, business_intelligence, twofa, created_at, access_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		m.Site, m.User, m.UserRef, m.Group, m.Kind, m.Status, m.SalesDashboard, m.BusinessIntelligence, m.TwoFA, db.Stamp(m.CreatedAt), db.Stamp(m.Until))
}

func rejoin(ctx context.Context, tx *db.Tx, m Membership) error {
	return tx.Change(ctx, `
		UPDATE memberships SET member_group = $3, kind = $4, status = 'active', access_until = $5, ending_told_at = NULL
		 WHERE site_id = $1 AND user_id = $2 AND access_until <= $6 AND status <> 'blocked'`,
		m.Site, m.User, m.Group, m.Kind, db.Stamp(m.Until), db.Stamp(tx.Now))
}

func membershipIn(ctx context.Context, from db.Reader, which id.Site, who id.User) (Membership, error) {
	return db.One(ctx, from, scanMember, `
		SELECT `+memberColumns+` FROM memberships m WHERE m.site_id = $1 AND m.user_id = $2`, which, who)
}

func membershipByRef(ctx context.Context, from db.Reader, which id.Site, userRef string) (Membership, error) {
	return db.One(ctx, from, scanMember, `
		SELECT `+memberColumns+` FROM memberships m WHERE m.site_id = $1 AND m.user_ref = $2`, which, userRef)
}

func counts(ctx context.Context, from db.Reader, which id.Site) (map[policy.Group]int, error) {
	type row struct {
		group policy.Group
		n     int
	}
	rows, err := db.Many(ctx, from, func(r db.Row) (one row, err error) { return one, r.Scan(&one.group, &one.n) }, `
		SELECT member_group, COUNT(*) FROM memberships WHERE site_id = $1 AND status = 'active' GROUP BY member_group`, which)
	all := make(map[policy.Group]int, len(rows))
	for _, one := range rows {
		all[one.group] = one.n
	}
	return all, err
}

// returned are the columns of a membership as a change gives them back: the same as
// memberColumns, in the same order.
var returned = strings.ReplaceAll(memberColumns, "m.", "")

func end(ctx context.Context, tx *db.Tx, limit int) ([]Membership, error) {
	return db.Many(ctx, tx, scanMember, `
		UPDATE memberships SET status = 'inactive'
		 WHERE status = 'active' AND (site_id, user_id) IN (
		       SELECT site_id, user_id FROM memberships
		        WHERE access_until <= $1 AND status = 'active' ORDER BY access_until LIMIT $2)
		RETURNING `+returned, db.Stamp(tx.Now), limit)
}

func endingBefore(ctx context.Context, tx *db.Tx, before time.Time, limit int) ([]Membership, error) {
	return db.Many(ctx, tx, scanMember, `
		UPDATE memberships SET ending_told_at = $1
		 WHERE ending_told_at IS NULL AND (site_id, user_id) IN (
		       SELECT site_id, user_id FROM memberships
		        WHERE access_until > $1 AND access_until <= $2 AND status = 'active' AND ending_told_at IS NULL
		        ORDER BY access_until LIMIT $3)
		RETURNING `+returned, db.Stamp(tx.Now), db.Stamp(before), limit)
}

func move(ctx context.Context, tx *db.Tx, which id.Site, from, to id.User) error {
	return tx.Change(ctx, `UPDATE memberships SET user_id = $3 WHERE site_id = $1 AND user_id = $2`, which, from, to)
}

func membershipsOf(ctx context.Context, from db.Reader, who id.User) ([]Membership, error) {
	return db.Many(ctx, from, scanMember, `
		SELECT `+memberColumns+` FROM memberships m JOIN sites s ON s.site_id = m.site_id
		 WHERE m.user_id = $1 ORDER BY s.name, s.site_id`, who)
}

func membershipsOfAll(ctx context.Context, from db.Reader, who []id.User) ([]Membership, error) {
	return db.ManyIn(ctx, from, scanMember, who, func(places string) string {
		return `
		SELECT ` + memberColumns + ` FROM memberships m JOIN sites s ON s.site_id = m.site_id
		 WHERE m.user_id IN (` + places + `) ORDER BY m.user_id, s.name, s.site_id`
	})
}

func hold(ctx context.Context, tx *db.Tx, which id.Site) error {
	return tx.Change(ctx, `UPDATE sites SET name = name WHERE site_id = $1`, which)
}

func change(ctx context.Context, tx *db.Tx, from, to Membership) error {
	return tx.Change(ctx, `
		UPDATE memberships
		   SET member_group = $3, kind = $4, status = $5, sales_dashboard = $6, business_intelligence = $7, twofa = $8
		 WHERE site_id = $1 AND user_id = $2 AND member_group = $9 AND kind = $10 AND status = $11`,
		from.Site, from.User, to.Group, to.Kind, to.Status, to.SalesDashboard, to.BusinessIntelligence, to.TwoFA,
		from.Group, from.Kind, from.Status)
}

func admins(ctx context.Context, from db.Reader, now time.Time, which id.Site) ([]id.User, error) {
	return db.Many(ctx, from, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) }, `
		SELECT user_id FROM memberships
		 WHERE site_id = $1 AND member_group = 'Admin' AND kind = 'office' AND status = 'active'
		   AND (access_until IS NULL OR access_until > $2)
		 ORDER BY created_at, user_id LIMIT 20`, which, db.Stamp(now))
}

// entered lists the sites in which a user is an active office member, by their names.
func entered(ctx context.Context, from db.Reader, who id.User) ([]Site, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM sites
		 WHERE site_id IN (SELECT site_id FROM memberships WHERE user_id = $1 AND kind <> 'mobile' AND status = 'active')
		 ORDER BY name, site_id`, who)
}

// groups counts the active members of a site by group.
func groups(ctx context.Context, from db.Reader, which id.Site) (map[policy.Group]int, error) {
	type row struct {
		group policy.Group
		count int
	}
	all, err := db.Many(ctx, from, func(r db.Row) (one row, err error) { return one, r.Scan(&one.group, &one.count) }, `
		SELECT member_group, COUNT(*) FROM memberships
		 WHERE site_id = $1 AND status = 'active' GROUP BY member_group`, which)
	counts := map[policy.Group]int{}
	for _, one := range all {
		counts[one.group] = one.count
	}
	return counts, err
}

// office lists the active office members of a site, in the order of their ids.
func office(ctx context.Context, from db.Reader, which id.Site, after id.User, limit int) ([]id.User, error) {
	return db.Many(ctx, from, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) }, `
		SELECT user_id FROM memberships
		 WHERE site_id = $1 AND user_id > $2 AND kind <> 'mobile' AND status = 'active'
		 ORDER BY user_id LIMIT $3`, which, string(after), limit)
}

// working lists the active members of a site of either kind, in the order of their ids.
func working(ctx context.Context, from db.Reader, which id.Site, after id.User, limit int) ([]id.User, error) {
	return db.Many(ctx, from, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) }, `
		SELECT user_id FROM memberships
		 WHERE site_id = $1 AND user_id > $2 AND status = 'active'
		 ORDER BY user_id LIMIT $3`, which, string(after), limit)
}
