-- +goose Up

-- What a person at Xero allowed us: one row for each of them, however many sites they
-- connected. Whose refresh token it is was said by Xero (the sub of an id token). The tokens
-- are sealed, each in its own column. before_sealed is the refresh token that the present one
-- took the place of: Xero takes it for 30 minutes more. generation rises with each change of
-- tokens, and lease names the one who is changing them now; a lease that is over and still
-- there belonged to somebody who did not come back, and the change may have happened at
-- Xero. due_at is when the connections are read next, missed_at since when that does not
-- work. dead_at is when Xero took the refresh token no more.
CREATE TABLE xero_grants (
    xero_user      TEXT PRIMARY KEY,
    generation     BIGINT NOT NULL,
    refresh_sealed BYTEA NOT NULL,
    before_sealed  BYTEA,
    access_sealed  BYTEA NOT NULL,
    access_until   BIGINT NOT NULL,
    renewed_at     BIGINT NOT NULL,
    lease          TEXT NOT NULL DEFAULT '',
    leased_until   BIGINT,
    due_at         BIGINT NOT NULL,
    missed_at      BIGINT,
    dead_at        BIGINT
);
CREATE INDEX xero_grants_due ON xero_grants (due_at) WHERE dead_at IS NULL;

-- Which organisation a site is connected to, and by whose leave. An organisation is one
-- site's. heard_at is when Xero last named the connection.
CREATE TABLE xero_links (
    site_id         TEXT PRIMARY KEY REFERENCES sites (site_id),
    connection_id   TEXT NOT NULL UNIQUE,
    organisation_id TEXT NOT NULL UNIQUE,
    organisation    TEXT NOT NULL,
    xero_user       TEXT NOT NULL REFERENCES xero_grants (xero_user),
    linked_by       TEXT NOT NULL REFERENCES users (user_id),
    linked_at       BIGINT NOT NULL,
    heard_at        BIGINT NOT NULL
);
CREATE INDEX xero_links_user ON xero_links (xero_user);

-- One time that an admin goes to Xero and comes back, for one site, from one session.
-- used_at is when they came back; xero_user and choices, a JSON list, are there when several
-- organisations came with them; done_at is when it was over.
CREATE TABLE xero_askings (
    site_id         TEXT NOT NULL REFERENCES sites (site_id),
    asking_id       TEXT NOT NULL,
    user_id         TEXT NOT NULL REFERENCES users (user_id),
    session_id      TEXT NOT NULL,
    state_hash      BYTEA NOT NULL UNIQUE,
    verifier_sealed BYTEA NOT NULL,
    nonce_sealed    BYTEA NOT NULL,
    tonight         BOOLEAN NOT NULL,
    made_at         BIGINT NOT NULL,
    used_at         BIGINT,
    xero_user       TEXT NOT NULL DEFAULT '',
    choices         TEXT NOT NULL DEFAULT '[]',
    done_at         BIGINT,
    PRIMARY KEY (site_id, asking_id)
);
CREATE INDEX xero_askings_made ON xero_askings (made_at);

-- +goose Down
DROP TABLE xero_askings;
DROP TABLE xero_links;
DROP TABLE xero_grants;
