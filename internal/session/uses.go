package session

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Ten is how finely the use of a session is kept: it was used in these ten minutes, or it
// was not. Finer would say more of people's days than any question here needs.
const Ten = 10 * time.Minute

// usesEach is how many ten minutes one column has.
const usesEach = 60

// Uses says when a session was used.
type Uses struct {
	User  id.User
	Place Place
	// Tens are the ten minutes in which it was used, counted from 1970, the earliest first.
	Tens []int64
}

// TenOf is the number of the ten minutes that a moment is in.
func TenOf(t time.Time) int64 { return t.Unix() / int64(Ten/time.Second) }

// UsesAt gives the use of the sessions at a site that began since a moment, of one user
// or, for an empty one, of all; limit at most, the latest. Sessions at other sites are not
// that site's business. One of a release that kept no ten minutes has those of its start
// and of its last use.
func UsesAt(ctx context.Context, from db.Reader, at id.Site, who id.User, since time.Time, limit int) ([]Uses, error) {
	all, err := usesAt(ctx, from, at, who, since, limit)
	if err != nil {
		return nil, fmt.Errorf("read the use of sessions: %w", err)
	}
	return all, nil
}

// Keep stores a session as it was: one that is over, with the moments of its use. It is for
// what is brought in, and has no token that anybody could hold.
func Keep(ctx context.Context, tx *db.Tx, s Session, token []byte, uses ...time.Time) error {
	s.ID = id.New[id.Session]()
	if s.Began == "" {
		s.Began = BeganPassword
	}
	if err := insert(ctx, tx, s, token); err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	for _, at := range uses {
		if err := seen(ctx, tx, s.User, s.ID, at); err != nil {
			return fmt.Errorf("keep a session's use: %w", err)
		}
	}
	return end(ctx, tx, s.User, s.ID)
}

func spread(started, last int64, bits [3]int64) (tens []int64) {
	for column, set := range bits {
		for bit := range int64(usesEach) {
			if set&(1<<bit) != 0 {
				tens = append(tens, started+int64(column)*usesEach+bit)
			}
		}
	}
	if len(tens) == 0 {
		if tens = []int64{started}; last > started {
			tens = append(tens, last)
		}
	}
	return tens
}
