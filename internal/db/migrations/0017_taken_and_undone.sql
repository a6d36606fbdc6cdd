-- +goose Up

-- Somebody other than its owner took the method away: it had been proved, and still says
-- that the person has another way than a mailbox, for a while.
ALTER TABLE methods ADD COLUMN taken BOOLEAN NOT NULL DEFAULT FALSE;

-- The user had no password when the login name was changed: one that was set since came
-- from the new address.
ALTER TABLE login_changes ADD COLUMN no_password BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE login_changes DROP COLUMN no_password;
ALTER TABLE methods DROP COLUMN taken;
