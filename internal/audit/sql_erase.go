package audit

import (
	"context"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

func erase(ctx context.Context, tx *db.Tx, user id.User) error {
	_, err := tx.Exec(ctx, `DELETE FROM audit_personal WHERE user_id = $1`, string(user))
	return err
}

// eraseRequest erases what was recorded of a request while it was nobody's, and the names
// in the event of a split that asked for it. A body spells a fact in one way, and quotes
// within a value are escaped there: no value looks like a fact.
func eraseRequest(ctx context.Context, tx *db.Tx, chain string, request id.Request) (int64, error) {
	return tx.Exec(ctx, `
		DELETE FROM audit_personal
		 WHERE chain = $1
		   AND (user_id IS NULL AND field NOT LIKE 'actor.%' AND seq IN (
		            SELECT seq FROM audit_events WHERE chain = $1 AND body LIKE $2)
		     OR field = $4 AND seq IN (
		            SELECT seq FROM audit_events WHERE chain = $1 AND kind = $5 AND body LIKE $3))`,
		chain, `%"`+FactRequest+`":"`+string(request)+`"%`, `%"`+FactRequests+`":"%`+string(request)+`%`,
		PersonalPeople, string(SplitPlanned))
}

// acceptedBy are the events in which a user accepted an invitation.
func acceptedBy(ctx context.Context, from db.Reader, user id.User) ([]row, error) {
	return db.Many(ctx, from, scanRow, eventColumns+`
		 WHERE user_id = $1 AND kind = $2 ORDER BY at`, string(user), string(InvitationAccepted))
}

// held is how many personal values of a user stand in a chain.
type held struct {
	chain  string
	values int64
}

func chainsOf(ctx context.Context, from db.Reader, user id.User) ([]held, error) {
	return db.Many(ctx, from, func(r db.Row) (h held, err error) { return h, r.Scan(&h.chain, &h.values) }, `
		SELECT chain, COUNT(*) FROM audit_personal WHERE user_id = $1 GROUP BY chain ORDER BY chain`, string(user))
}
