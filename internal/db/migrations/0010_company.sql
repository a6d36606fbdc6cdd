-- +goose Up

-- Since when a site's own 2FA setting holds, and who chose it. NULL: longer than is known.
-- The first matters to a reset by email, whose mark ends by itself where nothing was
-- required in its time.
ALTER TABLE sites ADD COLUMN twofa_since BIGINT;
ALTER TABLE sites ADD COLUMN twofa_by TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sites DROP COLUMN twofa_by;
ALTER TABLE sites DROP COLUMN twofa_since;
