package enrol

import (
	"context"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/limit"
)

// SMS pumping asks for codes to rows of numbers that belong to one carrier (I25). Numbers
// that share all but their last two digits are one row of a hundred; ten of them an hour
// are more than a workshop with a block of numbers sets up at once.
var (
	adjacentNumbers = limit.Budget{Name: "sms.adjacent", Cap: 10, Window: time.Hour}
	// firstInHour has each number counted once: another code to it is no other number.
	firstInHour = limit.Budget{Name: "sms.adjacent.first", Cap: 1, Window: time.Hour}
	// alarmed has one alarm an hour for each row, however often it is tried.
	alarmed = limit.Budget{Name: "sms.adjacent.told", Cap: 1, Window: time.Hour}
)

// lastDigits are how many digits neighbours may differ in.
const lastDigits = 2

// adjacent gives the charges by which a number counts among its neighbours. stopped says
// that there were too many of them: that is recorded once an hour.
func (d *Desk) adjacent(ctx context.Context, tx *db.Tx, s held, number string) (charges []limit.Charge, stopped bool, err error) {
	prefix := number[:len(number)-lastDigits]
	first := limit.Charge{Budget: firstInHour, Subject: limit.Subject("adjacent number", number)}
	row := limit.Charge{Budget: adjacentNumbers, Subject: limit.Subject("adjacent numbers", prefix)}
	seen, err := limit.Peek(ctx, tx, tx.Now, first)
	if err != nil || !seen.OK {
		return nil, false, err
	}
	room, err := limit.Peek(ctx, tx, tx.Now, row)
	if err != nil || room.OK {
		return []limit.Charge{first, row}, false, err
	}
	told, err := limit.Take(ctx, tx, limit.Charge{Budget: alarmed, Subject: limit.Subject("adjacent alarm", prefix)})
	if err != nil || !told.OK {
		return nil, true, err
	}
	return nil, true, d.record(ctx, tx, s, effect{kind: audit.SMSBurst, personal: map[string]string{"address": number}})
}
