package webhook

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/outward"
)

// every is how often a node looks for news and for what is due.
const every = time.Second

// newsAtOnce is how many events one transaction makes deliveries of: the writer is
// everybody's.
const newsAtOnce = 50

// Send is the job that makes one attempt.
type Send struct {
	Webhook  id.Webhook  `json:"webhook"`
	Delivery id.Delivery `json:"delivery"`
	// Until is the lease under which it was claimed, in microseconds since 1970.
	Until int64 `json:"until"`
}

// Kind implements job.Args.
func (Send) Kind() string { return "webhook" }

// Workers registers the job.
func (d *Desk) Workers(work *job.Work) { job.On(work, d.send) }

// Run looks for news and for what is due until ctx ends.
func (d *Desk) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := d.Pump(ctx); err != nil && ctx.Err() == nil {
			d.Log.WarnContext(ctx, "webhooks wait", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Pump makes deliveries of all news, and puts a job for each that may be sent now.
func (d *Desk) Pump(ctx context.Context) error {
	for {
		n, err := d.spread(ctx)
		if err != nil {
			return err
		}
		if n < newsAtOnce {
			break
		}
	}
	ready, err := due(ctx, d.DB, d.DB.Clock.Now())
	if err != nil {
		return fmt.Errorf("read what is due: %w", err)
	}
	for _, which := range ready {
		err := d.DB.Do(ctx, func(tx *db.Tx) error { return d.claim(ctx, tx, which) })
		if err != nil && !errors.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}

// spread makes the deliveries of some news, and says of how many.
func (d *Desk) spread(ctx context.Context) (int, error) {
	// Most of the time there is nothing, and asking is no write.
	events, err := audit.News(ctx, d.DB, newsAtOnce)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	return len(events), d.DB.Do(ctx, func(tx *db.Tx) error {
		all, err := List(ctx, tx)
		if err != nil {
			return err
		}
		sites := map[id.Webhook][]id.Site{}
		for _, e := range all {
			if e.All {
				continue
			}
			if sites[e.ID], err = Sites(ctx, tx, e.ID); err != nil {
				return err
			}
		}
		for _, one := range events {
			if err := d.tell(ctx, tx, one, all, sites); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *Desk) tell(ctx context.Context, tx *db.Tx, one audit.Entry, all []Endpoint, sites map[id.Webhook][]id.Site) error {
	mine, err := audit.Taken(ctx, tx, one.ID)
	if err != nil || !mine {
		return err
	}
	if one.Kind == "" {
		d.Log.ErrorContext(ctx, "an event of the audit trail is not as it was written, and is not told", "event", string(one.ID))
	}
	if len(all) == 0 {
		return nil
	}
	what, known, err := read(ctx, tx, one)
	if err != nil || !known {
		return err
	}
	for _, e := range all {
		text, ok, err := what.of(e, sites[e.ID])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := put(ctx, tx, delivery(tx.Now, e, what.body.Data.Event, what.body.Type, text)); err != nil {
			return fmt.Errorf("store a delivery: %w", err)
		}
	}
	return nil
}

// delivery is a new one: it waits, or is held where the endpoint is off.
func delivery(now time.Time, e Endpoint, event id.Event, is Type, text string) Delivery {
	one := Delivery{
		ID: id.New[id.Delivery](), Webhook: e.ID, Event: event, Type: is, MadeAt: now, DueAt: now, State: Waiting, body: text,
	}
	if !e.On() {
		one.State = Held
	}
	return one
}

// claim puts a job for each delivery of an endpoint that may be sent now. fault.Conflict if
// the endpoint is off or gone.
func (d *Desk) claim(ctx context.Context, tx *db.Tx, which id.Webhook) error {
	e, err := takeTurn(ctx, tx, which)
	if err != nil {
		return fmt.Errorf("take a turn: %w", err)
	}
	if tx.Now.Before(e.restUntil) {
		return nil
	}
	busy, err := underWay(ctx, tx, which)
	if err != nil {
		return fmt.Errorf("count what is under way: %w", err)
	}
	free := inFlight - busy
	if e.missed > 0 {
		free = 1 - busy
	}
	if free <= 0 {
		return nil
	}
	ready, err := claimable(ctx, tx, which, free)
	if err != nil {
		return fmt.Errorf("read what is due: %w", err)
	}
	for _, one := range ready {
		until := tx.Now.Add(lease)
		if err := claimed(ctx, tx, one, until); err != nil {
			return fmt.Errorf("claim a delivery: %w", err)
		}
		err := d.Post.Jobs.Put(ctx, tx, job.Hooks, Send{Webhook: which, Delivery: one.ID, Until: until.UnixMicro()})
		if err != nil {
			return err
		}
	}
	return nil
}

// send makes one attempt, with no transaction open, and stores what became of it.
func (d *Desk) send(ctx context.Context, args Send) error {
	one, err := leased(ctx, d.DB, args)
	if errors.Is(err, fault.NotFound) {
		return nil // it was sent, replayed or claimed anew meanwhile
	}
	if err != nil {
		return fmt.Errorf("find a delivery: %w", err)
	}
	e, err := byID(ctx, d.DB, args.Webhook)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find an endpoint: %w", err)
	}
	began := d.DB.Clock.Now()
	if !e.On() || !began.Before(one.DueAt) {
		return nil
	}
	keys, err := d.keys(e, began)
	if err != nil {
		return err
	}
	text := []byte(one.body)
	got := d.Way.Post(ctx, e.URL, map[string]string{
		"Content-Type": "application/json", "User-Agent": "Keyturn-Webhooks",
		headerID: string(one.Event), headerTime: fmt.Sprint(began.Unix()), headerSignature: signature(string(one.Event), began, text, keys...),
	}, text)
	took := d.DB.Clock.Now().Sub(began)
	return d.settle(ctx, args, got, took)
}

// settle stores what became of an attempt, and has the next one of the endpoint begin.
func (d *Desk) settle(ctx context.Context, args Send, got outward.Answer, took time.Duration) error {
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		e, err := takeTurn(ctx, tx, args.Webhook)
		if errors.Is(err, fault.Conflict) {
			return nil // it was switched off meanwhile, and everything is held
		}
		if err != nil {
			return fmt.Errorf("take a turn: %w", err)
		}
		one, err := leased(ctx, tx, args)
		if errors.Is(err, fault.NotFound) {
			return nil // a replay, or somebody who claimed it anew, goes on with it
		}
		if err != nil {
			return fmt.Errorf("find a delivery: %w", err)
		}
		one.Attempts, one.TriedAt, one.Status, one.Why, one.Took = one.Attempts+1, tx.Now, got.Status, string(got.Why), took
		if got.Why == "" {
			one.State = Done
			if err := settled(ctx, tx, one, args.Until); err != nil {
				return err
			}
			if err := answered(ctx, tx, e); err != nil {
				return err
			}
			return d.claim(ctx, tx, e.ID)
		}
		return d.missed(ctx, tx, e, one, args, got)
	})
	if err != nil {
		return fmt.Errorf("store what became of a delivery: %w", err)
	}
	return nil
}

func (d *Desk) missed(ctx context.Context, tx *db.Tx, e Endpoint, one Delivery, args Send, got outward.Answer) error {
	one.State = Failed
	if wait, again := next(one.Attempts, got.After, chance()); again {
		one.State, one.DueAt = Waiting, tx.Now.Add(wait)
	}
	if err := settled(ctx, tx, one, args.Until); err != nil {
		return err
	}
	if e.FailingSince.IsZero() {
		e.FailingSince = tx.Now
	}
	switch {
	case got.Gone():
		return d.giveUp(ctx, tx, e, IsGone)
	case tx.Now.Sub(e.FailingSince) >= givenUp:
		return d.giveUp(ctx, tx, e, IsFailing)
	}
	// Of what one delivery alone is refused for, others may know nothing: they go on.
	if e.missed++; !got.Refused() || e.missed >= refusals {
		e.restUntil = tx.Now.Add(rest(e.missed, got.After))
	}
	if err := failing(ctx, tx, e); err != nil {
		return err
	}
	return d.claim(ctx, tx, e.ID)
}

// refusals is how many answers in a row that refuse one delivery are taken for that.
const refusals = 5

// giveUp switches an endpoint off, and tells the vendor's staff.
func (d *Desk) giveUp(ctx context.Context, tx *db.Tx, e Endpoint, why Why) error {
	sites, err := Sites(ctx, tx, e.ID)
	if err != nil {
		return err
	}
	if err := off(ctx, tx, audit.Actor{Kind: audit.ActorSystem, ID: "webhook"}, e, sites, why); err != nil {
		return err
	}
	staff, err := staffIDs(ctx, tx)
	if err != nil {
		return fmt.Errorf("read who is staff: %w", err)
	}
	for _, who := range staff {
		n := message.Notice{User: who, Kind: message.WebhookOff, Words: map[string]string{"name": e.Name, "why": string(why)}}
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell staff: %w", err)
		}
	}
	return nil
}

// chance is a number from 0 to 1.
func chance() float64 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it ends the program rather than give less
	return float64(binary.BigEndian.Uint32(b[:])) / (1<<32 - 1)
}
