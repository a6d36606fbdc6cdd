package balance

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Span is a number of days that ends with the one of a moment, by a site's calendar.
type Span struct {
	Until time.Time
	Days  int
	Zone  *time.Location
}

// begins is when the day n of the span begins: 0 is the first, Days the one after it.
func (s Span) begins(n int) time.Time {
	year, month, last := s.Until.In(s.Zone).Date()
	return time.Date(year, month, last-s.Days+1+n, 0, 0, 0, 0, s.Zone)
}

// Days gives how many parts were charged on each day of a span, the oldest first; none
// for a span of no days.
func Days(ctx context.Context, from db.Reader, which id.Site, over Span) ([]int, error) {
	if over.Days < 1 {
		return nil, nil
	}
	all, err := chargesBetween(ctx, from, which, over.begins(0), over.begins(over.Days))
	if err != nil {
		return nil, fmt.Errorf("the SMS charges of a span: %w", err)
	}
	parts := make([]int, over.Days)
	on := 0
	for _, c := range all {
		for !c.at.Before(over.begins(on + 1)) {
			on++
		}
		parts[on] += c.parts
	}
	return parts, nil
}

// dayCharge is one charge of a span.
type dayCharge struct {
	at    time.Time
	parts int
}
