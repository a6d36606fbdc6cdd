package console

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/message"
)

// Carried is what became of the messages of one channel and carrier in a span of time.
type Carried struct {
	Channel message.Channel
	// Carrier is empty for those that no carrier has taken.
	Carrier string
	// Sent were taken by the carrier, Delivered are known to have arrived, Failed were
	// refused, came back or were not taken in time, Waiting are on their way to a carrier.
	Sent, Delivered, Failed, Waiting int
	// Codes are the sign-in codes among them that a carrier took, and the others how many
	// of these were typed within 1, 3 and 10 minutes of their making.
	Codes, Within1, Within3, Within10 int
	// Parts is how many SMS parts were charged for them.
	Parts int
}

// Spans of the page of delivery.
const (
	Hour = time.Hour
	Day  = 24 * time.Hour
)

// Delivery says how messages did in the last span of time, by channel and carrier, from
// the messages themselves. It names no site and no person, so it is no view of a site's
// data. fault.NotFound for whoever is not staff.
func (d *Desk) Delivery(ctx context.Context, by authority.Bearer, span time.Duration) ([]Carried, error) {
	now := d.DB.Clock.Now()
	if err := authority.Staff(ctx, d.DB, now, by); err != nil {
		return nil, err
	}
	since := now.Add(-min(max(span, Hour), Day))
	var all []Carried
	for _, channel := range []message.Channel{message.Email, message.SMS} {
		rows, err := carried(ctx, d.DB, channel, since)
		if err != nil {
			return nil, fmt.Errorf("read how messages did: %w", err)
		}
		all = append(all, rows...)
	}
	parts, err := spent(ctx, d.DB, since)
	if err != nil {
		return nil, fmt.Errorf("read what was spent: %w", err)
	}
	for i := range all {
		if all[i].Channel == message.SMS {
			all[i].Parts = parts[all[i].Carrier]
		}
	}
	return all, nil
}
