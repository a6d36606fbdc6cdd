-- +goose Up

-- Sites that a member of staff may see beside those that they manage (by the address in
-- sites.account_manager). reason is what they typed; until is when it ends, NULL: never.
CREATE TABLE staff_sites (
    user_id    TEXT NOT NULL REFERENCES users (user_id),
    site_id    TEXT NOT NULL REFERENCES sites (site_id),
    reason     TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    until_at   BIGINT,
    PRIMARY KEY (user_id, site_id)
);
CREATE INDEX sites_by_manager ON sites (account_manager, ref);

-- When a member of staff last had a page of a site recorded as viewed.
CREATE TABLE staff_views (
    user_id   TEXT NOT NULL,
    site_id   TEXT NOT NULL,
    page      TEXT NOT NULL,
    viewed_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, site_id, page)
);

-- What staff write down about a site. contact says that they spoke with it.
CREATE TABLE staff_notes (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    note_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (user_id),
    contact BOOLEAN NOT NULL,
    words   TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, note_id)
);

-- When somebody was last reminded: about themselves (about is empty), or as an Admin
-- about a site.
CREATE TABLE reminders (
    user_id     TEXT NOT NULL,
    about       TEXT NOT NULL,
    reminded_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, about)
);

-- What one member of staff proposes and another does. payload is JSON without secrets.
CREATE TABLE proposals (
    proposal_id TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    payload     TEXT NOT NULL,
    proposed_by TEXT NOT NULL REFERENCES users (user_id),
    proposed_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    state       TEXT NOT NULL,
    answered_by TEXT NOT NULL DEFAULT '',
    answered_at BIGINT
);
CREATE UNIQUE INDEX proposals_open ON proposals (kind, subject) WHERE state = 'open';
CREATE INDEX proposals_by_state ON proposals (state, proposed_at);

-- +goose Down
DROP TABLE proposals;
DROP TABLE reminders;
DROP TABLE staff_notes;
DROP TABLE staff_views;
DROP INDEX sites_by_manager;
DROP TABLE staff_sites;
