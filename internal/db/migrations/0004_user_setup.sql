-- +goose Up

-- Changes of a login name that can be undone from the old address: while one is live the
-- old name is kept for its user, and nobody else can take it.
CREATE TABLE login_changes (
    user_id    TEXT NOT NULL REFERENCES users (user_id),
    change_id  TEXT NOT NULL,
    old_login  TEXT NOT NULL,
    new_login  TEXT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    ended_at   BIGINT,
    PRIMARY KEY (user_id, change_id)
);
CREATE INDEX login_changes_by_old ON login_changes (old_login, expires_at);
CREATE INDEX login_changes_by_end ON login_changes (expires_at);

-- An address that an admin put there recovers nothing until its owner has signed in with
-- the password that they had before.
ALTER TABLE methods ADD COLUMN no_recovery BOOLEAN NOT NULL DEFAULT FALSE;

-- A link for a first password leaves no mark: there was none to reset.
ALTER TABLE resets ADD COLUMN first_password BOOLEAN NOT NULL DEFAULT FALSE;

-- A member whose place somebody else took: User Setup does not bring them back beside the
-- one who did.
CREATE TABLE replaced_members (
    site_id     TEXT NOT NULL REFERENCES sites (site_id),
    user_id     TEXT NOT NULL REFERENCES users (user_id),
    replaced_by TEXT NOT NULL,
    replaced_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, user_id)
);

-- +goose Down
DROP TABLE replaced_members;
ALTER TABLE resets DROP COLUMN first_password;
ALTER TABLE methods DROP COLUMN no_recovery;
DROP TABLE login_changes;
