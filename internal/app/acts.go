package app

import (
	"context"
	"strconv"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/id"
	"keyturn/internal/rollout"
	"keyturn/internal/twoperson"
)

// acts are what takes two of the vendor's staff, each with the flow that does it.
func (f *flows) acts() map[twoperson.Kind]twoperson.Act {
	return map[twoperson.Kind]twoperson.Act{
		twoperson.EndStaff: {
			Fits: func(ctx context.Context, from db.Reader, p twoperson.Proposal, by authority.Bearer) (bool, error) {
				return f.rescue.MayEndStaff(ctx, from, by, id.User(p.Subject), p.Payload["reason"])
			},
			Do: func(ctx context.Context, tx *db.Tx, p twoperson.Proposal, by authority.Bearer) error {
				return f.rescue.EndStaff(ctx, tx, by, id.User(p.Subject))
			},
		},
		twoperson.StartRollout: {
			Fits: func(ctx context.Context, from db.Reader, p twoperson.Proposal, _ authority.Bearer) (bool, error) {
				return rollout.MayStart(ctx, from, p.ProposedAt, id.Rollout(p.Subject), p.Payload["plan"])
			},
			Do: func(ctx context.Context, tx *db.Tx, p twoperson.Proposal, by authority.Bearer) error {
				return f.rollout.Begin(ctx, tx, by, id.Rollout(p.Subject), p.Payload["plan"])
			},
		},
		twoperson.RollBackWave: {
			Fits: func(ctx context.Context, from db.Reader, p twoperson.Proposal, _ authority.Bearer) (bool, error) {
				return rollout.MayRollBack(ctx, from, p.ProposedAt, id.Rollout(p.Subject), waveOf(p))
			},
			Do: func(ctx context.Context, tx *db.Tx, p twoperson.Proposal, by authority.Bearer) error {
				return f.rollout.RollBack(ctx, tx, by, id.Rollout(p.Subject), waveOf(p))
			},
		},
	}
}

// waveOf is the number of the wave that a proposal is about; 0 is none's.
func waveOf(p twoperson.Proposal) int {
	n, err := strconv.Atoi(p.Payload["wave"])
	if err != nil {
		return 0
	}
	return n
}

// unhealthy says which channel delivers badly now.
func unhealthy(p Parts) func() string {
	if p.Watch == nil {
		return nil
	}
	return func() string {
		now := p.Watch.Now()
		for _, channel := range []string{delivery.Email, delivery.SMS} {
			if w := now.Channels[channel]; w.Slow || w.Down {
				return channel
			}
		}
		return ""
	}
}
