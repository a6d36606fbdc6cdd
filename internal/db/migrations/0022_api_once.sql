-- +goose Up

-- The answers of calls to the API that are named by their caller, so that the same call
-- sent again does nothing and gets the same answer. key_id is the caller's: an API key's, or
-- a service's. name_hash is the SHA-256 of the name,
-- request_hash that of what was asked: neither can be read back. The row is written with
-- the change, and removed a day later.
CREATE TABLE api_once (
    key_id       TEXT NOT NULL,
    name_hash    BYTEA NOT NULL,
    request_hash BYTEA NOT NULL,
    answer       TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    PRIMARY KEY (key_id, name_hash)
);
CREATE INDEX api_once_by_age ON api_once (made_at);

-- +goose Down
DROP TABLE api_once;
