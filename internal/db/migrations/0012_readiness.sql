-- +goose Up

-- What people, and the admins of a site (about), were told of a date to come: which date
-- of which site, how many days before it, and whether they were ready.
CREATE TABLE countdowns (
    user_id TEXT NOT NULL,
    about   TEXT NOT NULL,
    site_id TEXT NOT NULL,
    date_at BIGINT NOT NULL,
    days    BIGINT NOT NULL,
    ready   BOOLEAN NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, about)
);

-- For which date, and how many days before it, everybody of a site was told.
CREATE TABLE countdown_sites (
    site_id TEXT NOT NULL PRIMARY KEY,
    date_at BIGINT NOT NULL,
    days    BIGINT NOT NULL,
    done_at BIGINT NOT NULL
);

-- How ready the sites were when they were last counted, for sums over thousands of them.
CREATE TABLE readiness_counts (
    site_id      TEXT NOT NULL PRIMARY KEY,
    ready        BIGINT NOT NULL,
    will_manage  BIGINT NOT NULL,
    needs_help   BIGINT NOT NULL,
    exempt       BIGINT NOT NULL,
    admins       BIGINT NOT NULL,
    admin_proved BOOLEAN NOT NULL,
    counted_at   BIGINT NOT NULL
);
CREATE INDEX readiness_counts_by_age ON readiness_counts (counted_at, site_id);

-- +goose Down
DROP TABLE readiness_counts;
DROP TABLE countdown_sites;
DROP TABLE countdowns;
