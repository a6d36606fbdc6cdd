-- +goose Up

-- Somebody other than its owner took the method away: it had been proved, and still says
-- that the person has another way than a mailbox, for a while.
ALTER TABLE methods ADD COLUMN taken BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE methods DROP COLUMN taken;
