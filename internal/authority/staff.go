package authority

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Given is a site that a member of staff may see.
type Given struct {
	Site site.Site
	// Until is when it ends; zero for a site that they manage or that was given for good.
	Until time.Time
	// Reason is why, for one that they do not manage.
	Reason string
}

// StaffAt checks that somebody is one of the vendor's own people now, and that the site is
// given to them: it is theirs to manage, or they were let in with a reason. To everybody
// else, and of a site that there is not, it is fault.NotFound alike.
func StaffAt(ctx context.Context, from db.Reader, now time.Time, b Bearer, at id.Site) (Given, error) {
	if err := Staff(ctx, from, now, b); err != nil {
		return Given{}, err
	}
	who, err := user.ByID(ctx, from, b.User.ID)
	if err != nil {
		return Given{}, fmt.Errorf("find a member of staff: %w", err)
	}
	one, err := givenSite(ctx, from, now, who, at)
	if err != nil {
		return Given{}, fmt.Errorf("a site given to staff: %w", err)
	}
	return one, nil
}

// GivenQuery chooses among the sites of a member of staff.
type GivenQuery struct {
	// Text is a part of a site's name or the beginning of its reference; empty: all.
	Text string
	// Skip is how many are passed over, Limit how many are given.
	Skip, Limit int
}

// GivenTo lists the sites that somebody may see as staff: first those whose date is to
// come, the next date first, then the others by their reference.
func GivenTo(ctx context.Context, from db.Reader, now time.Time, who user.User, q GivenQuery) ([]Given, error) {
	text := likeText(q.Text)
	all, err := givenSites(ctx, from, now, who, query{holds: "%" + text + "%", begins: text + "%", skip: q.Skip, limit: q.Limit})
	if err != nil {
		return nil, fmt.Errorf("list the sites given to staff: %w", err)
	}
	return all, nil
}

func likeText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(strings.TrimSpace(text)))
}

// Gift is a site that a member of staff is let into.
type Gift struct {
	User id.User
	Site id.Site
	// By gave it, which may be the user: then Reason is what they typed.
	By     id.User
	Reason string
	// Until is when it ends; zero: never.
	Until time.Time
}

// Give lets a member of staff see a site. A later gift takes the place of an earlier one,
// whose time may be shorter or longer. Who calls records it and tells the site's admins.
func Give(ctx context.Context, tx *db.Tx, g Gift) error {
	if g.User == "" || g.Site == "" || g.By == "" {
		return fmt.Errorf("give a site to nobody: %w", fault.Invalid)
	}
	if err := give(ctx, tx, g); err != nil {
		return fmt.Errorf("give a site to staff: %w", err)
	}
	return nil
}

// TakeAll ends what was given to somebody who is staff no more.
func TakeAll(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := takeAll(ctx, tx, who); err != nil {
		return fmt.Errorf("take the sites of a member of staff: %w", err)
	}
	return nil
}

// Forget wipes the reasons that a member of staff gave, and those by which staff were let
// into a person's sites, once that is over: they may name the person. A reason by which
// somebody is let in now stays until then.
func Forget(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := forget(ctx, tx, who); err != nil {
		return fmt.Errorf("forget why staff were let in: %w", err)
	}
	return nil
}
