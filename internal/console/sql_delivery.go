package console

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/message"
)

// carried counts the messages of a channel since a moment. A code is typed when it was
// used; one that a newer one replaced counts as not typed.
func carried(ctx context.Context, from db.Reader, channel message.Channel, since time.Time) ([]Carried, error) {
	minute := time.Minute.Microseconds()
	return db.Many(ctx, from, func(r db.Row) (c Carried, err error) {
		c.Channel = channel
		return c, r.Scan(&c.Carrier, &c.Sent, &c.Delivered, &c.Failed, &c.Waiting, &c.Codes, &c.Within1, &c.Within3, &c.Within10)
	}, `
		SELECT m.carrier,
		       SUM(CASE WHEN m.state IN ('accepted', 'delivered', 'undelivered') THEN 1 ELSE 0 END),
		       SUM(CASE WHEN m.state = 'delivered' THEN 1 ELSE 0 END),
		       SUM(CASE WHEN m.state IN ('refused', 'undelivered', 'expired') THEN 1 ELSE 0 END),
		       SUM(CASE WHEN m.state = 'queued' THEN 1 ELSE 0 END),
		       SUM(CASE WHEN c.code_id IS NOT NULL AND m.state IN ('accepted', 'delivered', 'undelivered') THEN 1 ELSE 0 END),
		       SUM(CASE WHEN c.used_at - m.created_at <= $3 THEN 1 ELSE 0 END),
		       SUM(CASE WHEN c.used_at - m.created_at <= $4 THEN 1 ELSE 0 END),
		       SUM(CASE WHEN c.used_at - m.created_at <= $5 THEN 1 ELSE 0 END)
		  FROM messages m
		  LEFT JOIN codes c ON c.user_id = m.user_id AND c.message_id = m.message_id
		 WHERE m.channel = $1 AND m.created_at > $2
		 GROUP BY m.carrier ORDER BY m.carrier LIMIT 32`,
		string(channel), db.Stamp(since), minute, 3*minute, 10*minute)
}

// spent sums the parts that were charged for hand-overs since a moment, by carrier. A hold
// is due a day after its making, by which the index finds it.
func spent(ctx context.Context, from db.Reader, since time.Time) (map[string]int, error) {
	type sum struct {
		carrier string
		parts   int
	}
	rows, err := db.Many(ctx, from, func(r db.Row) (s sum, err error) { return s, r.Scan(&s.carrier, &s.parts) }, `
		SELECT t.carrier, SUM(h.charged)
		  FROM sms_holds h
		  JOIN sms_tries t ON t.user_id = h.user_id AND t.message_id = h.message_id AND t.try_no = h.try_no
		 WHERE h.state = 'charged' AND h.settle_by > $1 AND h.made_at > $1
		 GROUP BY t.carrier ORDER BY t.carrier LIMIT 32`, db.Stamp(since))
	if err != nil {
		return nil, err
	}
	parts := map[string]int{}
	for _, s := range rows {
		parts[s.carrier] = s.parts
	}
	return parts, nil
}
