-- +goose Up

-- The applications that sign users in through Keyturn (web, mobile), and the programs that
-- call the API by tokens (service). secret_hash is the SHA-256 of 256 random bits, NULL for a
-- mobile app, which can keep none; former_hash still does until former_until, after a change.
-- The lists are JSON arrays of texts, scopes are words with spaces between them. A client is
-- for all sites, or for those in client_sites. One that was disabled stays, so that the audit
-- trail's ids can be read for good.
CREATE TABLE clients (
    client_id    TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    secret_hash  BYTEA,
    former_hash  BYTEA,
    former_until BIGINT,
    redirects    TEXT NOT NULL,
    post_logouts TEXT NOT NULL,
    back_channel TEXT NOT NULL,
    audiences    TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    all_sites    BOOLEAN NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    disabled_at  BIGINT
);
CREATE UNIQUE INDEX clients_name ON clients (name) WHERE disabled_at IS NULL;

CREATE TABLE client_sites (
    site_id   TEXT NOT NULL REFERENCES sites (site_id),
    client_id TEXT NOT NULL REFERENCES clients (client_id),
    PRIMARY KEY (site_id, client_id)
);
CREATE INDEX client_sites_client ON client_sites (client_id);

-- An origin whose pages stand behind forward auth is one client's. A client that is disabled
-- gives its origins back.
CREATE TABLE client_origins (
    origin    TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (client_id)
);
CREATE INDEX client_origins_client ON client_origins (client_id);

-- +goose Down
DROP TABLE client_origins;
DROP TABLE client_sites;
DROP TABLE clients;
