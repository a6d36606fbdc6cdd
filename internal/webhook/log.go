package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// mostListed bounds a page of the log.
const mostListed = 200

// Log gives deliveries of an endpoint, the newest first, at most limit of them (1 to 200),
// older than one; without one it begins with the newest. state may be empty: all.
func Log(ctx context.Context, from db.Reader, which id.Webhook, state State, before id.Delivery, limit int) ([]Delivery, error) {
	all, err := logged(ctx, from, which, state, before, min(max(limit, 1), mostListed))
	if err != nil {
		return nil, fmt.Errorf("read the log of an endpoint: %w", err)
	}
	return all, nil
}

// Counts are how many deliveries of an endpoint are in each state.
func Counts(ctx context.Context, from db.Reader, which id.Webhook) (map[State]int, error) {
	all, err := counted(ctx, from, which)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	counts := make(map[State]int, len(all))
	for _, c := range all {
		counts[c.state] = c.n
	}
	return counts, nil
}

// Replay sends what an endpoint was told again, under the same webhook-ids and with
// attempts anew: one delivery where one is named, otherwise everything that was made since a
// moment and is not under way. It says of how many. fault.Conflict if the endpoint is off,
// fault.NotFound if there is no such endpoint or delivery.
func (d *Desk) Replay(ctx context.Context, tx *db.Tx, by audit.Actor, which id.Webhook, one id.Delivery, since time.Time) (int, error) {
	e, sites, err := whole(ctx, tx, which)
	if err != nil {
		return 0, err
	}
	if _, err := takeTurn(ctx, tx, which); err != nil {
		return 0, fmt.Errorf("replay what an endpoint was told: %w", err)
	}
	n, err := replay(ctx, tx, which, one, since)
	if err != nil {
		return 0, fmt.Errorf("replay what an endpoint was told: %w", err)
	}
	if n == 0 && one != "" {
		return 0, fmt.Errorf("replay a delivery: %w", fault.NotFound)
	}
	facts := map[string]string{"count": strconv.Itoa(n)}
	if one == "" {
		facts["since"] = since.UTC().Format(time.RFC3339)
	}
	return n, record(ctx, tx, audit.WebhookReplayed, by, e, sites, facts)
}

// Try has an endpoint told of nothing but that it is told (webhook.test). fault.Conflict if
// it is off.
func (d *Desk) Try(ctx context.Context, tx *db.Tx, which id.Webhook) error {
	e, err := ByID(ctx, tx, which)
	if err != nil {
		return err
	}
	if !e.On() {
		return fmt.Errorf("try an endpoint: %w", fault.Conflict)
	}
	event := id.New[id.Event]()
	text, err := json.Marshal(body{Type: Test, At: tx.Now, Data: data{Event: event}})
	if err != nil {
		return fmt.Errorf("write a body: %w", err)
	}
	if err := put(ctx, tx, delivery(tx.Now, e, event, Test, string(text))); err != nil {
		return fmt.Errorf("store a delivery: %w", err)
	}
	return nil
}

// Sweep removes deliveries after 30 days, and secrets that sign no more; at most limit of
// each.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweep(ctx, tx, tx.Now.Add(-keep), limit); err != nil {
		return fmt.Errorf("sweep deliveries: %w", err)
	}
	if err := sweepSecrets(ctx, tx); err != nil {
		return fmt.Errorf("sweep secrets: %w", err)
	}
	return nil
}
