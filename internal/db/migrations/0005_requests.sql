-- +goose Up

-- Until when a membership counts; NULL is without an end. ending_told_at is when the
-- admins were told that the end is near.
ALTER TABLE memberships ADD COLUMN access_until BIGINT;
ALTER TABLE memberships ADD COLUMN ending_told_at BIGINT;
CREATE INDEX memberships_by_end ON memberships (access_until) WHERE access_until IS NOT NULL;

-- How a member of staff is reached: words say when they answer.
CREATE TABLE staff_contacts (
    user_id TEXT PRIMARY KEY REFERENCES users (user_id),
    phone   TEXT NOT NULL DEFAULT '',
    words   TEXT NOT NULL DEFAULT ''
);

-- A site's requests to its account manager for a user. user_id is who was invited, once
-- that is approved. expires_at is when it ends by itself; ended_at when it was over.
CREATE TABLE requests (
    site_id      TEXT NOT NULL REFERENCES sites (site_id),
    request_id   TEXT NOT NULL,
    state        TEXT NOT NULL,
    email        TEXT NOT NULL,
    first_name   TEXT NOT NULL,
    last_name    TEXT NOT NULL,
    mobile       TEXT NOT NULL DEFAULT '',
    member_group TEXT NOT NULL,
    kind         TEXT NOT NULL,
    access_until BIGINT,
    asked_by     TEXT NOT NULL,
    asked_at     BIGINT NOT NULL,
    first_by     TEXT NOT NULL DEFAULT '',
    first_at     BIGINT,
    decided_by   TEXT NOT NULL DEFAULT '',
    decided_at   BIGINT,
    reason       TEXT NOT NULL DEFAULT '',
    user_id      TEXT NOT NULL DEFAULT '',
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    PRIMARY KEY (site_id, request_id)
);
CREATE UNIQUE INDEX requests_open ON requests (site_id, email) WHERE ended_at IS NULL;
CREATE INDEX requests_by_state ON requests (state, asked_at);
CREATE INDEX requests_by_user ON requests (user_id) WHERE user_id <> '';
CREATE INDEX requests_by_end ON requests (expires_at) WHERE ended_at IS NULL;

-- The links of an approved request: one of them lives.
CREATE TABLE invitations (
    site_id       TEXT NOT NULL,
    request_id    TEXT NOT NULL,
    invitation_id TEXT NOT NULL,
    message_id    TEXT NOT NULL,
    token_hash    BYTEA NOT NULL UNIQUE,
    made_at       BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    used_at       BIGINT,
    ended_at      BIGINT,
    PRIMARY KEY (site_id, request_id, invitation_id)
);
CREATE UNIQUE INDEX invitations_live ON invitations (site_id, request_id) WHERE used_at IS NULL AND ended_at IS NULL;

-- +goose Down
DROP TABLE invitations;
DROP TABLE requests;
DROP TABLE staff_contacts;
DROP INDEX memberships_by_end;
ALTER TABLE memberships DROP COLUMN ending_told_at;
ALTER TABLE memberships DROP COLUMN access_until;
