-- +goose Up

-- The keys by which programs of the vendor's call the API. secret_hash is the SHA-256 of a
-- secret of 256 random bits: nobody can try those, so no slow hash is needed. scopes are
-- words with spaces between them. A key is for all sites, or for those in api_key_sites. A key that
-- was ended stays, so that the audit trail's ids can be read for good.
CREATE TABLE api_keys (
    key_id      TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    scopes      TEXT NOT NULL,
    all_sites   BOOLEAN NOT NULL,
    made_by     TEXT NOT NULL,
    made_at     BIGINT NOT NULL,
    used_at     BIGINT,
    ended_at    BIGINT
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE ended_at IS NULL;

CREATE TABLE api_key_sites (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    key_id  TEXT NOT NULL REFERENCES api_keys (key_id),
    PRIMARY KEY (site_id, key_id)
);
CREATE INDEX api_key_sites_key ON api_key_sites (key_id);

-- The host product's word that a site is connected to Xero: there while it says so. A site
-- is connected while it has such a row, or a link of its own (xero_links).
CREATE TABLE xero_reports (
    site_id      TEXT PRIMARY KEY REFERENCES sites (site_id),
    connected_at BIGINT NOT NULL,
    organisation TEXT NOT NULL,
    by_name      TEXT NOT NULL,
    reported_at  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE xero_reports;
DROP TABLE api_key_sites;
DROP TABLE api_keys;
