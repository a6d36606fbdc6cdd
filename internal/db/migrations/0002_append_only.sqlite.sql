-- +goose Up
-- The audit trail is append-only. What is below a chain's base was pruned on purpose.

-- +goose StatementBegin
CREATE TRIGGER audit_events_no_change BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_events_no_removal BEFORE DELETE ON audit_events
WHEN OLD.seq >= (SELECT base FROM audit_heads WHERE chain = OLD.chain)
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER audit_events_no_removal;
DROP TRIGGER audit_events_no_change;
