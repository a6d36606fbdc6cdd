package people

import (
	"context"
	"fmt"
	"strings"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// Member is one member of a site, as lists show them.
type Member struct {
	User               id.User
	First, Last, Login string
	Group              policy.Group
}

// Name is the person's name as others read it; the login name where there is none.
func (m Member) Name() string {
	if name := strings.TrimSpace(m.First + " " + m.Last); name != "" {
		return name
	}
	return m.Login
}

// Members finds active office members of a site by a part of their name or login name,
// in the order of their names, limit at most. An empty text finds all of them.
func Members(ctx context.Context, from db.Reader, at id.Site, text string, limit int) ([]Member, error) {
	like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(strings.TrimSpace(text))) + "%"
	all, err := find(ctx, from, at, like, limit)
	if err != nil {
		return nil, fmt.Errorf("find members: %w", err)
	}
	return all, nil
}
