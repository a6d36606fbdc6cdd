-- +goose Up

-- The codes that an admin has sent to a member, to be typed by the member who is in at the
-- site. They open nothing. The numbers are those of the user and the membership when the
-- code was made: what was made under older ones is dead. Digits are kept as a keyed hash.
CREATE TABLE test_codes (
    user_id      TEXT NOT NULL,
    code_id      TEXT NOT NULL,
    site_id      TEXT NOT NULL,
    method_id    TEXT NOT NULL,
    message_id   TEXT NOT NULL,
    kind         TEXT NOT NULL,
    mac          BYTEA NOT NULL,
    user_epoch   BIGINT NOT NULL,
    member_epoch BIGINT NOT NULL,
    made_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    wrong        BIGINT NOT NULL DEFAULT 0,
    ended_at     BIGINT,
    used_at      BIGINT,
    PRIMARY KEY (user_id, code_id)
);
CREATE INDEX test_codes_by_end ON test_codes (expires_at);

-- How much more often than the others a wave may fail before the brake stops it, of a
-- hundred sign-ins.
ALTER TABLE rollouts ADD COLUMN tolerance BIGINT NOT NULL DEFAULT 2;

-- +goose Down
ALTER TABLE rollouts DROP COLUMN tolerance;
DROP TABLE test_codes;
