-- +goose Up

-- Who did it, beside the body that says so: a site's trail is read by person. It is
-- empty in rows that an older release wrote, which are found by whom they are about.
ALTER TABLE audit_events ADD COLUMN actor_id TEXT NOT NULL DEFAULT '';

-- Where a chain begins after events past their keeping time were removed. edge is a JSON
-- list of hashes, from the largest whole subtree to the smallest: with it the tree goes
-- on. note is signed, so that nobody cuts a beginning off who has the database alone.
CREATE TABLE audit_bases (
    chain TEXT PRIMARY KEY,
    size  BIGINT NOT NULL,
    edge  TEXT NOT NULL,
    note  TEXT NOT NULL
);

-- The checkpoints of each site, one for a day (of UTC) with something new in its trail.
-- told_at is when its admins were told, kept_at when it was written to a place outside.
CREATE TABLE checkpoints (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    day     TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    size    BIGINT NOT NULL,
    note    TEXT NOT NULL,
    told_at BIGINT,
    kept_at BIGINT,
    PRIMARY KEY (site_id, day)
);
CREATE INDEX checkpoints_untold ON checkpoints (site_id) WHERE told_at IS NULL;
CREATE INDEX checkpoints_unkept ON checkpoints (site_id) WHERE kept_at IS NULL;

-- +goose Down
DROP TABLE checkpoints;
DROP TABLE audit_bases;
ALTER TABLE audit_events DROP COLUMN actor_id;
