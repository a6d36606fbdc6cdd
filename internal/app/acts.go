package app

import (
	"context"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/id"
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
	}
}
