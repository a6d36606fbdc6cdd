package member

import (
	"context"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// listed reads members of a site in the order of their names, from the one after the
// cursor on.
func listed(ctx context.Context, from db.Reader, at id.Site, f Filter, limit int) ([]Row, error) {
	text, args := listText(at, f, limit)
	return db.Many(ctx, from, func(r db.Row) (row Row, err error) {
		m := &row.Member
		err = r.Scan(&m.Site, &m.User, &m.UserRef, &m.Group, &m.Kind, &m.Status, &m.SalesDashboard, &m.BusinessIntelligence,
			&m.TwoFA, db.When(&m.CreatedAt), &row.Cursor.First, &row.Cursor.Last, &row.Cursor.ID)
		return row, err
	}, text, args...)
}

// listText is the query of listed. It reads no more than one site's members.
func listText(at id.Site, f Filter, limit int) (text string, args []any) {
	args = []any{at}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	where := []string{"m.site_id = $1"}
	if f.After.ID != "" {
		where = append(where, "(LOWER(u.first_name), LOWER(u.last_name), u.user_id) > ("+
			arg(f.After.First)+", "+arg(f.After.Last)+", "+arg(f.After.ID)+")")
	}
	if strings.TrimSpace(f.Find) != "" {
		text := arg(like(f.Find))
		where = append(where, `(LOWER(u.first_name || ' ' || u.last_name) LIKE `+text+` ESCAPE '\' OR u.login LIKE `+text+` ESCAPE '\')`)
	}
	if f.Group != "" {
		where = append(where, "m.member_group = "+arg(f.Group))
	}
	if f.Show == Inactives {
		where = append(where, "m.status <> "+arg(policy.Active))
	}
	text = `
		SELECT m.site_id, m.user_id, m.user_ref, m.member_group, m.kind, m.status, m.sales_dashboard, m.business_intelligence,
		       m.twofa, m.created_at, LOWER(u.first_name), LOWER(u.last_name), u.user_id
		  FROM memberships m JOIN users u ON u.user_id = m.user_id
		 WHERE ` + strings.Join(where, " AND ") + `
		 ORDER BY LOWER(u.first_name), LOWER(u.last_name), u.user_id LIMIT ` + arg(limit)
	return text, args
}

// byRefs reads members of a site in the order of the host product's references.
func byRefs(ctx context.Context, from db.Reader, at id.Site, q ByRefs) ([]site.Membership, error) {
	return db.Many(ctx, from, func(r db.Row) (m site.Membership, err error) {
		return m, r.Scan(&m.Site, &m.User, &m.UserRef, &m.Group, &m.Kind, &m.Status,
			&m.SalesDashboard, &m.BusinessIntelligence, &m.TwoFA, db.When(&m.CreatedAt), db.When(&m.Until))
	}, `
		SELECT m.site_id, m.user_id, m.user_ref, m.member_group, m.kind, m.status, m.sales_dashboard, m.business_intelligence,
		       m.twofa, m.created_at, m.access_until
		  FROM memberships m
		 WHERE m.site_id = $1 AND m.user_ref > $2 AND ($3 = '' OR m.member_group = $3) AND ($4 = '' OR m.status = $4)
		   AND ($5 = '' OR $5 = 'mobile' AND m.kind = 'mobile' OR $5 = 'office' AND m.kind <> 'mobile')
		   AND ($6 = '' OR m.user_id IN (SELECT user_id FROM users WHERE login = $6))
		 ORDER BY m.user_ref LIMIT $7`, at, q.After, string(q.Group), string(q.Status), string(q.Kind), q.Email, q.Limit)
}

func hasMembers(ctx context.Context, from db.Reader, at id.Site) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM (SELECT user_id FROM memberships WHERE site_id = $1 LIMIT 1) AS one_of_them`, at)
	return n > 0, err
}

func scanName(r db.Row) (string, error) {
	var u user.User
	err := r.Scan(&u.FirstName, &u.LastName, &u.Login)
	return u.Name(), err
}

// memberByLogin is the name of the member of a site who signs in with an address.
func memberByLogin(ctx context.Context, from db.Reader, at id.Site, login address.Canonical) (string, error) {
	return db.One(ctx, from, scanName, `
		SELECT u.first_name, u.last_name, u.login
		  FROM memberships m JOIN users u ON u.user_id = m.user_id
		 WHERE m.site_id = $1 AND u.login = $2`, at, string(login))
}

// memberByMobile is the name of another member of a site who has a number.
func memberByMobile(ctx context.Context, from db.Reader, at id.Site, but id.User, number string) (string, error) {
	return db.One(ctx, from, scanName, `
		SELECT u.first_name, u.last_name, u.login
		  FROM methods o
		  JOIN memberships m ON m.user_id = o.user_id AND m.site_id = $1
		  JOIN users u ON u.user_id = o.user_id
		 WHERE o.kind = 'sms' AND o.address = $2 AND o.removed_at IS NULL AND o.user_id <> $3
		 ORDER BY u.user_id LIMIT 1`, at, number, but)
}

// memberByName is the login name of another active member of a site who has a name.
func memberByName(ctx context.Context, from db.Reader, at id.Site, but id.User, name string) (string, error) {
	return db.One(ctx, from, func(r db.Row) (login string, err error) { return login, r.Scan(&login) }, `
		SELECT u.login
		  FROM memberships m JOIN users u ON u.user_id = m.user_id
		 WHERE m.site_id = $1 AND m.user_id <> $2 AND m.status = 'active'
		   AND LOWER(TRIM(u.first_name || ' ' || u.last_name)) = LOWER($3)
		 ORDER BY u.user_id LIMIT 1`, at, but, name)
}

// insertReplaced notes that a member's place was taken by somebody else.
func insertReplaced(ctx context.Context, tx *db.Tx, at id.Site, who, by id.User, now time.Time) error {
	return tx.Change(ctx, `
		INSERT INTO replaced_members (site_id, user_id, replaced_by, replaced_at) VALUES ($1, $2, $3, $4)`,
		at, who, by, db.Stamp(now))
}

func isReplaced(ctx context.Context, from db.Reader, at id.Site, who id.User) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM replaced_members WHERE site_id = $1 AND user_id = $2`, at, who)
	return n > 0, err
}

// isNewcomer says whether somebody took the place of another member.
func isNewcomer(ctx context.Context, from db.Reader, at id.Site, who id.User) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM replaced_members WHERE site_id = $1 AND replaced_by = $2`, at, who)
	return n > 0, err
}
