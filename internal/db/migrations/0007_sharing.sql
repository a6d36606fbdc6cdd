-- +goose Up

-- The ten minutes in which a session was used, a bit for each: the first is that of its
-- start, by the clock's own ten minutes. Sixty bits a column; a session lives 24 hours.
-- A session of an older release has none.
ALTER TABLE sessions ADD COLUMN uses_1 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN uses_2 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN uses_3 BIGINT NOT NULL DEFAULT 0;

-- The names that a site's users have had, for a page that asks for all of them.
CREATE INDEX audit_personal_names ON audit_personal (chain) WHERE field = 'name';

-- A code that was sent for a sign-in at a site on one device and typed on another, once for
-- each hour of 1970.
CREATE TABLE sharing_crossings (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    user_id TEXT NOT NULL REFERENCES users (user_id),
    hour    BIGINT NOT NULL,
    PRIMARY KEY (site_id, user_id, hour)
);
CREATE INDEX sharing_crossings_by_hour ON sharing_crossings (hour);

-- "It is one person": until then the evidence of a login is not shown.
CREATE TABLE sharing_dismissals (
    site_id      TEXT NOT NULL REFERENCES sites (site_id),
    user_id      TEXT NOT NULL REFERENCES users (user_id),
    dismissed_by TEXT NOT NULL,
    dismissed_at BIGINT NOT NULL,
    until_at     BIGINT NOT NULL,
    reason       TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (site_id, user_id)
);

-- A shared login that becomes several: retired at retire_at. told_at is when everybody
-- was told that it is near, held_at when it could not be retired because it was the last
-- Admin's.
CREATE TABLE sharing_splits (
    site_id    TEXT NOT NULL REFERENCES sites (site_id),
    split_id   TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (user_id),
    state      TEXT NOT NULL,
    planned_by TEXT NOT NULL,
    planned_at BIGINT NOT NULL,
    retire_at  BIGINT NOT NULL,
    told_at    BIGINT,
    held_at    BIGINT,
    ended_by   TEXT NOT NULL DEFAULT '',
    ended_at   BIGINT,
    PRIMARY KEY (site_id, split_id)
);
CREATE UNIQUE INDEX sharing_splits_planned ON sharing_splits (site_id, user_id) WHERE state = 'planned';
CREATE INDEX sharing_splits_due ON sharing_splits (state, retire_at);

-- Who uses it, as the admin named them. request_id is the request to the account manager.
CREATE TABLE sharing_people (
    site_id      TEXT NOT NULL,
    split_id     TEXT NOT NULL,
    person_no    BIGINT NOT NULL,
    first_name   TEXT NOT NULL,
    last_name    TEXT NOT NULL,
    email        TEXT NOT NULL,
    mobile       TEXT NOT NULL,
    member_group TEXT NOT NULL,
    request_id   TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (site_id, split_id, person_no)
);

-- +goose Down
DROP TABLE sharing_people;
DROP TABLE sharing_splits;
DROP TABLE sharing_dismissals;
DROP TABLE sharing_crossings;
DROP INDEX audit_personal_names;
ALTER TABLE sessions DROP COLUMN uses_3;
ALTER TABLE sessions DROP COLUMN uses_2;
ALTER TABLE sessions DROP COLUMN uses_1;
