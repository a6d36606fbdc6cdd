package audit

import (
	"context"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// mostNames bounds how many names one question answers.
const mostNames = 20_000

// NamesAt gives every name that the users of a site have had in its trail, by the personal
// field "name". What was erased is absent.
func NamesAt(ctx context.Context, from db.Reader, at id.Site) (map[id.User][]string, error) {
	type named struct {
		who  id.User
		name string
	}
	rows, err := db.Many(ctx, from, func(r db.Row) (n named, err error) { return n, r.Scan(&n.who, &n.name) }, `
		SELECT DISTINCT user_id, value FROM audit_personal
		 WHERE chain = $1 AND field = 'name' AND user_id IS NOT NULL
		 ORDER BY user_id, value LIMIT $2`, chainOf(at, ""), mostNames)
	if err != nil {
		return nil, fmt.Errorf("read the names of a site's users: %w", err)
	}
	all := make(map[id.User][]string)
	for _, n := range rows {
		all[n.who] = append(all[n.who], n.name)
	}
	return all, nil
}
