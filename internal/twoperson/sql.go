package twoperson

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

const columns = `
	proposal_id, kind, subject, payload, proposed_by, proposed_at, expires_at, state, answered_by, answered_at`

func scan(r db.Row) (p Proposal, err error) {
	var payload string
	err = r.Scan(&p.ID, &p.Kind, &p.Subject, &payload, &p.ProposedBy, db.When(&p.ProposedAt), db.When(&p.ExpiresAt),
		&p.State, &p.AnsweredBy, db.When(&p.AnsweredAt))
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(payload), &p.Payload); err != nil {
		return p, fmt.Errorf("the payload of proposal %s: %w", p.ID, err)
	}
	return p, nil
}

// insert stores one; fault.Conflict if there is an open one of the kind and subject.
func insert(ctx context.Context, tx *db.Tx, p Proposal) error {
	if p.Payload == nil {
		p.Payload = map[string]string{}
	}
	payload, err := json.Marshal(p.Payload)
	if err != nil {
		return fmt.Errorf("the payload of a proposal: %w", err)
	}
	return tx.Change(ctx, `
		INSERT INTO proposals (proposal_id, kind, subject, payload, proposed_by, proposed_at, expires_at, state)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, string(p.Kind), p.Subject, string(payload), p.ProposedBy, db.Stamp(p.ProposedAt), db.Stamp(p.ExpiresAt), string(p.State))
}

// expire ends the open one of a kind and subject, if its time is over.
func expire(ctx context.Context, tx *db.Tx, kind Kind, subject string) error {
	_, err := tx.Exec(ctx, `
		UPDATE proposals SET state = 'expired', answered_at = $3
		 WHERE kind = $1 AND subject = $2 AND state = 'open' AND expires_at <= $3`, string(kind), subject, db.Stamp(tx.Now))
	return err
}

// take holds the row: whoever answers the same one waits here.
func take(ctx context.Context, tx *db.Tx, which id.Proposal) (Proposal, error) {
	return db.One(ctx, tx, scan, `UPDATE proposals SET state = state WHERE proposal_id = $1 RETURNING `+columns, which)
}

// answer closes an open one. Nobody confirms their own.
func answer(ctx context.Context, tx *db.Tx, p Proposal, to State, by id.User) error {
	return tx.Change(ctx, `
		UPDATE proposals SET state = $2, answered_by = $3, answered_at = $4
		 WHERE proposal_id = $1 AND state = 'open' AND expires_at > $4 AND ($2 <> 'done' OR proposed_by <> $3)`,
		string(p.ID), string(to), string(by), db.Stamp(tx.Now))
}

func waiting(ctx context.Context, from db.Reader, now time.Time) ([]Proposal, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM proposals
		 WHERE state = 'open' AND expires_at > $1 ORDER BY proposed_at, proposal_id LIMIT 50`, db.Stamp(now))
}
