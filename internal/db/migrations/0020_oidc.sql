-- +goose Up

-- What a session is called by the applications that it signed in to: the same for a session
-- that goes on under a new id (a lock, a stronger proof, another site). Empty, as in rows of
-- the release before: its own id.
ALTER TABLE sessions ADD COLUMN sid TEXT NOT NULL DEFAULT '';

-- How a client wants its ID tokens signed: RS256 or ES256.
ALTER TABLE clients ADD COLUMN id_token_alg TEXT NOT NULL DEFAULT 'RS256';

-- One time that a client sends somebody to sign in. It is its browser's, by the hash of that
-- one's random id, and is done once.
CREATE TABLE oidc_requests (
    browser_hash BYTEA NOT NULL,
    request_id   TEXT NOT NULL,
    client_id    TEXT NOT NULL REFERENCES clients (client_id),
    redirect_uri TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    state        TEXT NOT NULL,
    nonce        TEXT NOT NULL,
    challenge    TEXT NOT NULL,
    acr          BIGINT NOT NULL,
    max_age      BIGINT,
    prompt       TEXT NOT NULL,
    login_hint   TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL,
    done_at      BIGINT,
    PRIMARY KEY (browser_hash, request_id)
);
CREATE INDEX oidc_requests_by_end ON oidc_requests (ends_at);

-- What a client was given for one session of a user: the code, which is good once and for a
-- minute, and the family of tokens that came of it. user_epoch is the user's number at that
-- time. told_at says that the client's back channel was handed the end of it.
CREATE TABLE oidc_grants (
    user_id      TEXT NOT NULL REFERENCES users (user_id),
    grant_id     TEXT NOT NULL,
    client_id    TEXT NOT NULL REFERENCES clients (client_id),
    sid          TEXT NOT NULL,
    user_epoch   BIGINT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    nonce        TEXT NOT NULL,
    challenge    TEXT NOT NULL,
    code_hash    BYTEA NOT NULL UNIQUE,
    code_until   BIGINT NOT NULL,
    code_used_at BIGINT,
    made_at      BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL,
    ended_at     BIGINT,
    ended_why    TEXT NOT NULL DEFAULT '',
    back_channel BOOLEAN NOT NULL,
    told_at      BIGINT,
    PRIMARY KEY (user_id, grant_id)
);
CREATE INDEX oidc_grants_by_end ON oidc_grants (ends_at);
CREATE INDEX oidc_grants_to_tell ON oidc_grants (grant_id) WHERE back_channel AND told_at IS NULL;

-- Tokens, as their SHA-256: "access" and "refresh" of a grant, "service" of a client alone. A
-- refresh token that was used stays until its grant is over, so that a second use shows.
CREATE TABLE oidc_tokens (
    token_hash BYTEA PRIMARY KEY,
    kind       TEXT NOT NULL,
    client_id  TEXT NOT NULL REFERENCES clients (client_id),
    user_id    TEXT NOT NULL DEFAULT '',
    grant_id   TEXT NOT NULL DEFAULT '',
    made_at    BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    used_at    BIGINT,
    ended_at   BIGINT
);
CREATE INDEX oidc_tokens_by_end ON oidc_tokens (ends_at);

-- The keys that sign, the private half sealed. Of each algorithm one is next (not active
-- yet), one current, and some were before.
CREATE TABLE oidc_keys (
    key_id     TEXT PRIMARY KEY,
    alg        TEXT NOT NULL,
    public     TEXT NOT NULL,
    sealed     BYTEA NOT NULL,
    made_at    BIGINT NOT NULL,
    active_at  BIGINT,
    retired_at BIGINT
);
CREATE UNIQUE INDEX oidc_keys_next ON oidc_keys (alg) WHERE active_at IS NULL;
CREATE UNIQUE INDEX oidc_keys_current ON oidc_keys (alg) WHERE active_at IS NOT NULL AND retired_at IS NULL;

-- +goose Down
DROP TABLE oidc_keys;
DROP TABLE oidc_tokens;
DROP TABLE oidc_grants;
DROP TABLE oidc_requests;
ALTER TABLE clients DROP COLUMN id_token_alg;
ALTER TABLE sessions DROP COLUMN sid;
