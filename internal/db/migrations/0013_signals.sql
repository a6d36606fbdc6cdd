-- +goose Up

-- What became of right passwords at the sites of the rollout: the first of each user in a
-- day of the site (which begins at 4 am there). phase and date_at are where the site stood
-- then, so that a date that is moved later changes nothing that was measured. in_at is the
-- first time on that day that the person was in.
CREATE TABLE plan_outcomes (
    site_id  TEXT NOT NULL REFERENCES sites (site_id),
    user_id  TEXT NOT NULL REFERENCES users (user_id),
    day      TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    phase    TEXT NOT NULL,
    date_at  BIGINT,
    asked    BOOLEAN NOT NULL,
    in_at    BIGINT,
    PRIMARY KEY (site_id, user_id, day)
);
CREATE INDEX plan_outcomes_by_time ON plan_outcomes (began_at, site_id, user_id);

-- What enforcement would have done in sign-ins before a site's date: the last of each user
-- in a day of the site. offered and lacks are kinds of methods, reasons the keys of the
-- policy's reasons, each with a space between.
CREATE TABLE plan_shadows (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    user_id TEXT NOT NULL REFERENCES users (user_id),
    day     TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    offered TEXT NOT NULL,
    usual   TEXT NOT NULL,
    lacks   TEXT NOT NULL,
    reasons TEXT NOT NULL,
    stuck   BOOLEAN NOT NULL,
    PRIMARY KEY (site_id, user_id, day)
);
CREATE INDEX plan_shadows_by_time ON plan_shadows (seen_at);

-- +goose Down
DROP TABLE plan_shadows;
DROP TABLE plan_outcomes;
