-- +goose Up

-- A sign-in that begins with a passkey has no password. acr is the level that a proof
-- has to reach; chosen is the method the person turned to; enrol_until is until when the
-- attempt may add one method and nothing else, enrol_by who opened that; for_user is
-- the user who proves a second login of theirs.
ALTER TABLE attempts ADD COLUMN began_with TEXT NOT NULL DEFAULT 'password';
ALTER TABLE attempts ADD COLUMN acr BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN chosen TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN factor_method TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN enrol_by TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN enrol_until BIGINT;
ALTER TABLE attempts ADD COLUMN for_user TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN device_id TEXT NOT NULL DEFAULT '';

ALTER TABLE sessions ADD COLUMN began_with TEXT NOT NULL DEFAULT 'password';
ALTER TABLE sessions ADD COLUMN factor_method TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN device_id TEXT NOT NULL DEFAULT '';

-- Remembered devices. sites is a JSON object: the sites it was granted at, each with the
-- number of the membership then. user_epoch is the number of the user: a device dies
-- with the methods it stood for.
CREATE TABLE devices (
    user_id      TEXT NOT NULL REFERENCES users (user_id),
    device_id    TEXT NOT NULL,
    token_hash   BYTEA NOT NULL UNIQUE,
    user_epoch   BIGINT NOT NULL,
    sites        TEXT NOT NULL,
    browser      TEXT NOT NULL,
    network      TEXT NOT NULL,
    agent        TEXT NOT NULL,
    since        BIGINT NOT NULL,
    last_used_at BIGINT,
    ends_at      BIGINT NOT NULL,
    ended_at     BIGINT,
    PRIMARY KEY (user_id, device_id)
);
CREATE INDEX devices_by_end ON devices (ends_at);

-- A method's name is its owner's ("my iPhone"). Its secrets stand apart, sealed or
-- hashed, so that a list of methods never reads one.
ALTER TABLE methods ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- One set of recovery codes for a user; and the set-ups of authenticators that are to be
-- finished.
CREATE UNIQUE INDEX methods_one_set ON methods (user_id) WHERE kind = 'recovery' AND removed_at IS NULL;
CREATE INDEX methods_unfinished ON methods (linked_at) WHERE kind = 'totp' AND pending;

CREATE TABLE totp_secrets (
    user_id   TEXT NOT NULL,
    method_id TEXT NOT NULL,
    sealed    BYTEA NOT NULL,
    last_step BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, method_id)
);

CREATE TABLE passkeys (
    user_id       TEXT NOT NULL,
    method_id     TEXT NOT NULL,
    credential_id BYTEA NOT NULL UNIQUE,
    credential    TEXT NOT NULL,
    PRIMARY KEY (user_id, method_id)
);

CREATE TABLE recovery_codes (
    user_id   TEXT NOT NULL,
    method_id TEXT NOT NULL,
    code_no   BIGINT NOT NULL,
    hash      BYTEA NOT NULL,
    used_at   BIGINT,
    PRIMARY KEY (user_id, method_id, code_no)
);

-- Codes that prove a new address or number of somebody who is in already. holder is the
-- session or the enrol-only attempt in which it is to be typed.
CREATE TABLE proof_codes (
    user_id    TEXT NOT NULL,
    code_id    TEXT NOT NULL,
    holder     TEXT NOT NULL,
    method_id  TEXT NOT NULL,
    message_id TEXT NOT NULL,
    mac        BYTEA NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    wrong      BIGINT NOT NULL DEFAULT 0,
    ended_at   BIGINT,
    used_at    BIGINT,
    PRIMARY KEY (user_id, code_id)
);
CREATE INDEX proof_codes_by_end ON proof_codes (expires_at);

-- What a browser was asked to sign with a passkey, until it answers, once.
CREATE TABLE ceremonies (
    token_hash BYTEA PRIMARY KEY,
    user_id    TEXT NOT NULL DEFAULT '',
    purpose    TEXT NOT NULL,
    asked      TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX ceremonies_by_end ON ceremonies (expires_at);

-- Codes that an admin or staff read out. Kept as a keyed hash only.
CREATE TABLE help_codes (
    user_id      TEXT NOT NULL REFERENCES users (user_id),
    help_code_id TEXT NOT NULL,
    site_id      TEXT,
    origin       TEXT NOT NULL,
    given_by     TEXT NOT NULL,
    mac          BYTEA NOT NULL,
    user_epoch   BIGINT NOT NULL DEFAULT 0,
    made_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    wrong        BIGINT NOT NULL DEFAULT 0,
    used_at      BIGINT,
    ended_at     BIGINT,
    PRIMARY KEY (user_id, help_code_id)
);
CREATE INDEX help_codes_by_end ON help_codes (expires_at);
-- A new code ends the one before.
CREATE UNIQUE INDEX help_codes_live ON help_codes (user_id) WHERE used_at IS NULL AND ended_at IS NULL;

-- "Ask Pat to let me in." number is shown to whoever waits and typed by whoever
-- approves, so that the right one of two is let in.
CREATE TABLE asks (
    site_id    TEXT NOT NULL REFERENCES sites (site_id),
    ask_id     TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (user_id),
    attempt_id TEXT NOT NULL,
    number     TEXT NOT NULL,
    agent      TEXT NOT NULL,
    network    TEXT NOT NULL,
    asked_at   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    wrong      BIGINT NOT NULL DEFAULT 0,
    answer     TEXT NOT NULL DEFAULT '',
    answered_by TEXT NOT NULL DEFAULT '',
    answered_at BIGINT,
    PRIMARY KEY (site_id, ask_id)
);
CREATE INDEX asks_by_user ON asks (user_id, asked_at);
CREATE INDEX asks_by_end ON asks (expires_at);
CREATE UNIQUE INDEX asks_open ON asks (attempt_id) WHERE answer = '';

-- Forgotten passwords. An asking holds what was typed until a job has looked whose it
-- is; a reset is the one-use link of a user.
CREATE TABLE reset_askings (
    asking_id  TEXT PRIMARY KEY,
    login      TEXT NOT NULL,
    network    TEXT NOT NULL,
    agent      TEXT NOT NULL,
    made_at    BIGINT NOT NULL
);
CREATE INDEX reset_askings_by_time ON reset_askings (made_at);
CREATE TABLE resets (
    user_id    TEXT NOT NULL REFERENCES users (user_id),
    reset_id   TEXT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    user_epoch BIGINT NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    ended_at   BIGINT,
    PRIMARY KEY (user_id, reset_id)
);
CREATE INDEX resets_by_end ON resets (expires_at);

-- Recovery by staff.
CREATE TABLE recoveries (
    user_id      TEXT NOT NULL REFERENCES users (user_id),
    recovery_id  TEXT NOT NULL,
    site_id      TEXT NOT NULL REFERENCES sites (site_id),
    state        TEXT NOT NULL,
    begun_by     TEXT NOT NULL,
    begun_at     BIGINT NOT NULL,
    called       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    confirmed_by TEXT NOT NULL DEFAULT '',
    confirmed_at BIGINT,
    ready_at     BIGINT,
    contested_at BIGINT,
    decided_by   TEXT NOT NULL DEFAULT '',
    decided_at   BIGINT,
    papers       TEXT NOT NULL DEFAULT '',
    ended_at     BIGINT,
    PRIMARY KEY (user_id, recovery_id)
);
CREATE INDEX recoveries_by_state ON recoveries (state, begun_at);
CREATE UNIQUE INDEX recoveries_open ON recoveries (user_id) WHERE ended_at IS NULL;
CREATE TABLE recovery_stops (
    user_id     TEXT NOT NULL,
    recovery_id TEXT NOT NULL,
    token_hash  BYTEA NOT NULL UNIQUE,
    channel     TEXT NOT NULL,
    used_at     BIGINT,
    PRIMARY KEY (user_id, recovery_id, token_hash)
);

-- The one-use codes of `keyturn staff add`, and who confirmed the second and later.
CREATE TABLE staff_codes (
    user_id      TEXT NOT NULL REFERENCES users (user_id),
    staff_code_id TEXT NOT NULL,
    mac          BYTEA NOT NULL,
    made_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    wrong        BIGINT NOT NULL DEFAULT 0,
    used_at      BIGINT,
    enrolled_at  BIGINT,
    confirmed_by TEXT NOT NULL DEFAULT '',
    confirmed_at BIGINT,
    ended_at     BIGINT,
    PRIMARY KEY (user_id, staff_code_id)
);
CREATE UNIQUE INDEX staff_codes_live ON staff_codes (user_id) WHERE used_at IS NULL AND ended_at IS NULL;

-- SMS balance. The account is the row that is taken; available is what can be spent,
-- held is reserved. entries are the statement, numbered without a gap; the number of the
-- last one stands in the account.
CREATE TABLE sms_accounts (
    site_id    TEXT PRIMARY KEY REFERENCES sites (site_id),
    available  BIGINT NOT NULL CHECK (available >= 0),
    held       BIGINT NOT NULL CHECK (held >= 0),
    entries    BIGINT NOT NULL DEFAULT 0,
    low_told_at BIGINT
);
CREATE TABLE sms_entries (
    site_id       TEXT NOT NULL,
    entry_no      BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    parts         BIGINT NOT NULL,
    available_after BIGINT NOT NULL,
    held_after    BIGINT NOT NULL,
    hold_id       TEXT NOT NULL DEFAULT '',
    user_id       TEXT NOT NULL DEFAULT '',
    by_name       TEXT NOT NULL DEFAULT '',
    reference     TEXT NOT NULL DEFAULT '',
    at            BIGINT NOT NULL,
    PRIMARY KEY (site_id, entry_no)
);
CREATE INDEX sms_entries_by_time ON sms_entries (site_id, at);
-- A reference of a top-up counts once.
CREATE UNIQUE INDEX sms_entries_by_reference ON sms_entries (site_id, reference) WHERE kind = 'topup';
CREATE TABLE sms_holds (
    site_id    TEXT NOT NULL,
    hold_id    TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    message_id TEXT NOT NULL,
    try_no     BIGINT NOT NULL,
    parts      BIGINT NOT NULL,
    admin      BOOLEAN NOT NULL,
    state      TEXT NOT NULL,
    charged    BIGINT NOT NULL DEFAULT 0,
    made_at    BIGINT NOT NULL,
    settle_by  BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (site_id, hold_id)
);
CREATE UNIQUE INDEX sms_holds_by_message ON sms_holds (message_id, try_no);
CREATE INDEX sms_holds_by_due ON sms_holds (state, settle_by);
CREATE INDEX sms_holds_by_user ON sms_holds (site_id, user_id, made_at);

-- Each time an SMS was given to a provider, and what is known of that copy. A row in the
-- state held was not given yet: its part is reserved. admin says that the float may pay
-- for the next one, too.
CREATE TABLE sms_tries (
    user_id    TEXT NOT NULL,
    message_id TEXT NOT NULL,
    try_no     BIGINT NOT NULL,
    site_id    TEXT NOT NULL,
    hold_id    TEXT NOT NULL,
    admin      BOOLEAN NOT NULL DEFAULT FALSE,
    carrier    TEXT NOT NULL DEFAULT '',
    state      TEXT NOT NULL,
    provider_ref TEXT NOT NULL DEFAULT '',
    given_at   BIGINT,
    ended_at   BIGINT,
    PRIMARY KEY (user_id, message_id, try_no)
);
-- A bounce knows a mail by its Message-ID alone. The other finds notices whose mail
-- nobody took.
CREATE INDEX messages_by_id ON messages (message_id);
CREATE INDEX messages_by_kind ON messages (kind, state, created_at);

-- Security notices that wait: those of one person that are due together are one mail.
CREATE TABLE notices (
    user_id    TEXT NOT NULL,
    notice_id  TEXT NOT NULL,
    site_id    TEXT,
    kind       TEXT NOT NULL,
    channel    TEXT NOT NULL,
    address    TEXT NOT NULL,
    words      TEXT NOT NULL,
    made_at    BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    message_id TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (user_id, notice_id)
);
CREATE INDEX notices_by_due ON notices (message_id, due_at);
CREATE INDEX notices_by_age ON notices (made_at);

-- How long codes take, by carrier: from handed over to typed, or to a provider's receipt.
-- carrier is empty while no carrier took the message.
CREATE TABLE delivery_handed (
    message_id TEXT PRIMARY KEY,
    channel    TEXT NOT NULL,
    carrier    TEXT NOT NULL,
    handed_at  BIGINT NOT NULL,
    arrived_at BIGINT,
    arrived_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX delivery_handed_by_carrier ON delivery_handed (carrier, handed_at);
CREATE INDEX delivery_handed_by_arrival ON delivery_handed (carrier, arrived_at);
CREATE INDEX delivery_handed_by_time ON delivery_handed (handed_at);
CREATE TABLE canaries (
    canary_id TEXT PRIMARY KEY,
    carrier   TEXT NOT NULL,
    sent_at   BIGINT NOT NULL,
    seen_at   BIGINT
);
CREATE INDEX canaries_by_time ON canaries (sent_at);

CREATE INDEX messages_by_carrier ON messages (channel, created_at);

-- +goose Down
DROP INDEX messages_by_carrier;
DROP TABLE canaries;
DROP TABLE delivery_handed;
DROP TABLE notices;
DROP INDEX messages_by_kind;
DROP INDEX messages_by_id;
DROP TABLE sms_tries;
DROP TABLE sms_holds;
DROP TABLE sms_entries;
DROP TABLE sms_accounts;
DROP TABLE staff_codes;
DROP TABLE recovery_stops;
DROP TABLE recoveries;
DROP TABLE resets;
DROP TABLE reset_askings;
DROP TABLE asks;
DROP TABLE help_codes;
DROP TABLE ceremonies;
DROP TABLE proof_codes;
DROP TABLE recovery_codes;
DROP TABLE passkeys;
DROP TABLE totp_secrets;
DROP INDEX methods_unfinished;
DROP INDEX methods_one_set;
ALTER TABLE methods DROP COLUMN name;
DROP TABLE devices;
ALTER TABLE sessions DROP COLUMN device_id;
ALTER TABLE sessions DROP COLUMN factor_method;
ALTER TABLE sessions DROP COLUMN began_with;
ALTER TABLE attempts DROP COLUMN device_id;
ALTER TABLE attempts DROP COLUMN for_user;
ALTER TABLE attempts DROP COLUMN enrol_until;
ALTER TABLE attempts DROP COLUMN enrol_by;
ALTER TABLE attempts DROP COLUMN factor_method;
ALTER TABLE attempts DROP COLUMN chosen;
ALTER TABLE attempts DROP COLUMN acr;
ALTER TABLE attempts DROP COLUMN began_with;
