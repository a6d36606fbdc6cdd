package people

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// inList is how many values one statement asks for. Both engines allow many more; this
// keeps the plans and the texts small.
const inList = 200

// inLists runs ask for all values in lists of the same length, so that the statement
// has one text: the last list is filled up with its own last value.
func inLists(values []string, ask func(places string, args []any) error) error {
	for list := range slices.Chunk(values, inList) {
		args, places := make([]any, inList), make([]string, inList)
		for i := range inList {
			args[i] = list[min(i, len(list)-1)]
			places[i] = "$" + strconv.Itoa(i+1)
		}
		if err := ask(strings.Join(places, ", "), args); err != nil {
			return err
		}
	}
	return nil
}

// sitesByRef reads the sites of these references, with the state of their connection.
func sitesByRef(ctx context.Context, from db.Reader, refs []string) (map[string]stored, error) {
	type found struct {
		ref string
		stored
	}
	all := make(map[string]stored)
	err := inLists(refs, func(places string, args []any) error {
		rows, err := db.Many(ctx, from, func(r db.Row) (f found, err error) {
			return f, r.Scan(&f.ref, &f.name, &f.region, &f.zone, &f.xero)
		}, `
			SELECT s.ref, s.name, s.region, s.time_zone, COALESCE(i.state, '')
			  FROM sites s
			  LEFT JOIN integrations i ON i.site_id = s.site_id AND i.kind = '`+policy.Xero+`'
			 WHERE s.ref IN (`+places+`)`, args...)
		for _, f := range rows {
			all[f.ref] = f.stored
		}
		return err
	})
	return all, err
}

// membersOf reads the memberships of the sites of these references.
func membersOf(ctx context.Context, from db.Reader, refs []string) (map[ref]member, error) {
	type found struct {
		ref
		login string
		group policy.Group
		kind  policy.Kind
		member
	}
	all := make(map[ref]member)
	err := inLists(refs, func(places string, args []any) error {
		rows, err := db.Many(ctx, from, func(r db.Row) (f found, err error) {
			return f, r.Scan(&f.site, &f.user, &f.login, &f.password, &f.group, &f.kind, &f.status)
		}, `
			SELECT s.ref, m.user_ref, u.login, u.password <> '', m.member_group, m.kind, m.status
			  FROM sites s
			  JOIN memberships m ON m.site_id = s.site_id
			  JOIN users u ON u.user_id = m.user_id
			 WHERE s.ref IN (`+places+`)`, args...)
		for _, f := range rows {
			f.member.login = address.Canonical(f.login)
			f.runsSite = f.group == policy.GroupAdmin && f.kind == policy.Office && f.status == policy.Active
			all[f.ref] = f.member
		}
		return err
	})
	return all, err
}

// holdersOf reads who has these login names, or may have them back (package user), at this
// moment; of somebody with several memberships the first by site.
func holdersOf(ctx context.Context, from db.Reader, now time.Time, logins map[address.Canonical]bool) (map[address.Canonical]holder, error) {
	type found struct {
		login string
		holder
	}
	names := make([]string, 0, len(logins))
	for _, login := range slices.Sorted(maps.Keys(logins)) {
		names = append(names, string(login))
	}
	all := make(map[address.Canonical]holder)
	err := inLists(names, func(places string, args []any) error {
		rows, err := db.Many(ctx, from, func(r db.Row) (f found, err error) {
			return f, r.Scan(&f.login, &f.staff, &f.of.site, &f.of.user)
		}, `
			SELECT u.login, u.staff, COALESCE(s.ref, ''), COALESCE(m.user_ref, '')
			  FROM users u
			  LEFT JOIN memberships m ON m.user_id = u.user_id
			  LEFT JOIN sites s ON s.site_id = m.site_id
			 WHERE u.login IN (`+places+`)
			UNION ALL
			SELECT c.old_login, u.staff, COALESCE(s.ref, ''), COALESCE(m.user_ref, '')
			  FROM login_changes c
			  JOIN users u ON u.user_id = c.user_id
			  LEFT JOIN memberships m ON m.user_id = u.user_id
			  LEFT JOIN sites s ON s.site_id = m.site_id
			 WHERE c.old_login IN (`+places+`) AND c.used_at IS NULL AND c.ended_at IS NULL
			   AND c.expires_at > $`+strconv.Itoa(len(args)+1)+`
			 ORDER BY 1, 3, 4`, append(args, db.Stamp(now))...)
		for _, f := range rows {
			if _, ok := all[address.Canonical(f.login)]; !ok {
				all[address.Canonical(f.login)] = f.holder
			}
		}
		return err
	})
	return all, err
}

// find gives the active office members of a site whose name or login name has the
// text in it, in the order of their names. like is the text between percent signs, its
// own escaped by a backslash.
func find(ctx context.Context, from db.Reader, at id.Site, like string, limit int) ([]Member, error) {
	return db.Many(ctx, from, func(r db.Row) (m Member, err error) {
		return m, r.Scan(&m.User, &m.First, &m.Last, &m.Login, &m.Group)
	}, `
		SELECT u.user_id, u.first_name, u.last_name, u.login, m.member_group
		  FROM memberships m JOIN users u ON u.user_id = m.user_id
		 WHERE m.site_id = $1 AND m.status = 'active' AND m.kind <> 'mobile'
		   AND (LOWER(u.first_name || ' ' || u.last_name) LIKE $2 ESCAPE '\' OR u.login LIKE $2 ESCAPE '\')
		 ORDER BY LOWER(u.first_name), LOWER(u.last_name), u.user_id LIMIT $3`, at, like, limit)
}
