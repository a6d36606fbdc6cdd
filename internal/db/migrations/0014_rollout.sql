-- +goose Up

-- A rollout turns 2FA on for the sites that were connected to Xero before it began, in
-- waves. live is 'yes' until it has ended: there is one at a time. placed_to is the last
-- site that has its place in it, placed_at when all had. The brake counts sign-ins from
-- watched_from on.
CREATE TABLE rollouts (
    rollout_id   TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    owner        TEXT NOT NULL REFERENCES users (user_id),
    state        TEXT NOT NULL,
    live         TEXT UNIQUE,
    made_at      BIGINT NOT NULL,
    began_at     BIGINT,
    placed_to    TEXT NOT NULL DEFAULT '',
    placed_at    BIGINT,
    paused_at    BIGINT,
    paused_by    TEXT NOT NULL DEFAULT '',
    paused_why   TEXT NOT NULL DEFAULT '',
    watched_from BIGINT,
    ended_at     BIGINT
);

-- A wave: how its sites are picked, and its day. Days are text, as 2026-12-08.
CREATE TABLE rollout_waves (
    rollout_id TEXT NOT NULL REFERENCES rollouts (rollout_id),
    wave       INTEGER NOT NULL,
    name       TEXT NOT NULL,
    pick       TEXT NOT NULL,
    pick_value TEXT NOT NULL,
    day        TEXT NOT NULL,
    state      TEXT NOT NULL,
    back_at    BIGINT,
    PRIMARY KEY (rollout_id, wave)
);

-- A site's place in a rollout. wave 0: in none. base is the wave's day that its own was
-- counted from, first_day the day which that gave it, site_day the one it has now.
-- enforce_at is the moment that stands in plans; NULL: no date stands there.
CREATE TABLE rollout_sites (
    site_id      TEXT NOT NULL REFERENCES sites (site_id),
    rollout_id   TEXT NOT NULL REFERENCES rollouts (rollout_id),
    wave         INTEGER NOT NULL,
    base         TEXT NOT NULL DEFAULT '',
    first_day    TEXT NOT NULL DEFAULT '',
    site_day     TEXT NOT NULL DEFAULT '',
    extended_to  TEXT NOT NULL DEFAULT '',
    extended_why TEXT NOT NULL DEFAULT '',
    extended_by  TEXT NOT NULL DEFAULT '',
    held         INTEGER NOT NULL DEFAULT 0,
    dated        TEXT NOT NULL,
    enforce_at   BIGINT,
    gated_at     BIGINT,
    PRIMARY KEY (site_id, rollout_id)
);
CREATE INDEX rollout_sites_by_wave ON rollout_sites (rollout_id, wave, site_id);
CREATE INDEX rollout_sites_by_date ON rollout_sites (rollout_id, enforce_at);

-- How ready a site was when it was last looked at, for lists of thousands of them.
CREATE TABLE rollout_looks (
    site_id      TEXT PRIMARY KEY REFERENCES sites (site_id),
    ready        INTEGER NOT NULL,
    manage       INTEGER NOT NULL,
    help         INTEGER NOT NULL,
    admin_proved BOOLEAN NOT NULL,
    looked_at    BIGINT NOT NULL
);
CREATE INDEX rollout_looks_by_age ON rollout_looks (looked_at);

-- What the brake saw of a wave: once an hour of 1970, and when it stopped one.
CREATE TABLE rollout_brakes (
    rollout_id      TEXT NOT NULL REFERENCES rollouts (rollout_id),
    wave            INTEGER NOT NULL,
    hour            BIGINT NOT NULL,
    seen_at         BIGINT NOT NULL,
    strength        INTEGER NOT NULL,
    stopped         TEXT NOT NULL,
    wave_seen    INTEGER NOT NULL,
    wave_failed     INTEGER NOT NULL,
    control_seen INTEGER NOT NULL,
    control_failed  INTEGER NOT NULL,
    PRIMARY KEY (rollout_id, wave, hour)
);

-- The days on which a site is closed beside its country's holidays.
CREATE TABLE site_closed_days (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    day     TEXT NOT NULL,
    PRIMARY KEY (site_id, day)
);

-- +goose Down
DROP TABLE site_closed_days;
DROP TABLE rollout_brakes;
DROP TABLE rollout_looks;
DROP TABLE rollout_sites;
DROP TABLE rollout_waves;
DROP TABLE rollouts;
