-- +goose Up

-- Events of the audit trail that programs outside may be told of, by their place in their
-- chain: written with the event itself, and removed when what is told of it is stored.
CREATE TABLE audit_news (
    event_id TEXT PRIMARY KEY,
    chain    TEXT NOT NULL,
    seq      BIGINT NOT NULL
);

-- Where programs outside are told. types are words with spaces between them; none are all.
-- An endpoint is for all sites, or for those in webhook_sites. The secrets are sealed, each
-- in its own column; the one before signs too until before_until. turn rises with each
-- claim, so that two nodes do not claim at once. missed counts attempts that failed since
-- the last that did not, failing_since is when the first of them was, and rest_until is
-- until when nothing is tried. off_at is since when it is switched off, off_why for what.
CREATE TABLE webhooks (
    webhook_id    TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    url           TEXT NOT NULL,
    types         TEXT NOT NULL,
    all_sites     BOOLEAN NOT NULL,
    secret        BYTEA NOT NULL,
    secret_before BYTEA,
    before_until  BIGINT,
    made_by       TEXT NOT NULL,
    made_at       BIGINT NOT NULL,
    turn          BIGINT NOT NULL DEFAULT 0,
    missed        BIGINT NOT NULL DEFAULT 0,
    failing_since BIGINT,
    rest_until    BIGINT,
    off_at        BIGINT,
    off_why       TEXT NOT NULL DEFAULT '',
    ended_at      BIGINT
);
CREATE UNIQUE INDEX webhooks_name ON webhooks (name) WHERE ended_at IS NULL;

CREATE TABLE webhook_sites (
    site_id    TEXT NOT NULL REFERENCES sites (site_id),
    webhook_id TEXT NOT NULL REFERENCES webhooks (webhook_id),
    PRIMARY KEY (site_id, webhook_id)
);
CREATE INDEX webhook_sites_webhook ON webhook_sites (webhook_id);

-- What one endpoint is told of one event. body is what is signed and sent, byte for byte.
-- due_at is when it is tried next, or, while it is being sent, from when on nobody believes
-- that any more. The last four are those of the last attempt: status is the receiver's, why
-- a word where there was none or it was no success.
CREATE TABLE webhook_deliveries (
    webhook_id  TEXT NOT NULL REFERENCES webhooks (webhook_id),
    delivery_id TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    type        TEXT NOT NULL,
    body        TEXT NOT NULL,
    made_at     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0,
    due_at      BIGINT NOT NULL,
    tried_at    BIGINT,
    status      BIGINT NOT NULL DEFAULT 0,
    took        BIGINT NOT NULL DEFAULT 0,
    why         TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (webhook_id, delivery_id)
);
CREATE UNIQUE INDEX webhook_deliveries_event ON webhook_deliveries (webhook_id, event_id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX webhook_deliveries_made ON webhook_deliveries (made_at);

-- +goose Down
DROP TABLE webhook_deliveries;
DROP TABLE webhook_sites;
DROP TABLE webhooks;
DROP TABLE audit_news;
