-- +goose Up

-- What is true of the whole database: the oldest schema number a release must know to
-- use it, the proof that the keys fit, the mark of a demo.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO meta (name, value) VALUES ('oldest_schema', '1');

-- A number per user, site and membership. What was made under an older one is dead
-- (user, membership) or decided again (site). No row means 0.
CREATE TABLE epochs (
    owner TEXT PRIMARY KEY,
    epoch BIGINT NOT NULL
);

CREATE TABLE sites (
    site_id         TEXT PRIMARY KEY,
    ref             TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    region          TEXT NOT NULL,
    time_zone       TEXT NOT NULL,
    twofa           TEXT NOT NULL DEFAULT 'off',
    remember        TEXT NOT NULL DEFAULT 'off',
    weakest         TEXT NOT NULL DEFAULT 'email',
    sms_available   BIGINT NOT NULL DEFAULT 0,
    account_manager TEXT NOT NULL DEFAULT '',
    created_at      BIGINT NOT NULL
);

CREATE TABLE users (
    user_id         TEXT PRIMARY KEY,
    login           TEXT NOT NULL UNIQUE,
    first_name      TEXT NOT NULL,
    last_name       TEXT NOT NULL,
    staff           BOOLEAN NOT NULL DEFAULT FALSE,
    wants_twofa     BOOLEAN NOT NULL DEFAULT FALSE,
    usual_method    TEXT NOT NULL DEFAULT '',
    password        TEXT NOT NULL DEFAULT '',
    password_form   TEXT NOT NULL DEFAULT '',
    password_cost   BIGINT NOT NULL DEFAULT 0,
    password_set_at BIGINT,
    reset_mark_at   BIGINT,
    risk_at         BIGINT,
    created_at      BIGINT NOT NULL
);
CREATE INDEX users_by_password ON users (password_form, password_cost);

CREATE TABLE memberships (
    site_id               TEXT NOT NULL REFERENCES sites (site_id),
    user_id               TEXT NOT NULL REFERENCES users (user_id),
    user_ref              TEXT NOT NULL,
    member_group          TEXT NOT NULL,
    kind                  TEXT NOT NULL,
    status                TEXT NOT NULL,
    sales_dashboard       BOOLEAN NOT NULL DEFAULT FALSE,
    business_intelligence BOOLEAN NOT NULL DEFAULT FALSE,
    twofa                 BOOLEAN NOT NULL DEFAULT FALSE,
    created_at            BIGINT NOT NULL,
    PRIMARY KEY (site_id, user_id),
    UNIQUE (site_id, user_ref)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE integrations (
    site_id         TEXT NOT NULL REFERENCES sites (site_id),
    kind            TEXT NOT NULL,
    state           TEXT NOT NULL,
    since           BIGINT,
    by_name         TEXT NOT NULL,
    organisation    TEXT NOT NULL DEFAULT '',
    disconnected_at BIGINT,
    lowered_at      BIGINT,
    PRIMARY KEY (site_id, kind)
);

-- A site's place in the rollout: no row means that no rollout knows of the site.
CREATE TABLE plans (
    site_id        TEXT PRIMARY KEY REFERENCES sites (site_id),
    began_at       BIGINT NOT NULL,
    prepare_from   BIGINT,
    enforce_at     BIGINT,
    extended_until BIGINT
);

CREATE TABLE methods (
    user_id       TEXT NOT NULL REFERENCES users (user_id),
    method_id     TEXT NOT NULL,
    kind          TEXT NOT NULL,
    address       TEXT NOT NULL DEFAULT '',
    linked_at     BIGINT NOT NULL,
    proved_at     BIGINT,
    last_used_at  BIGINT,
    awaits_proof  BOOLEAN NOT NULL DEFAULT FALSE,
    pending       BOOLEAN NOT NULL DEFAULT FALSE,
    unproved_sent BIGINT NOT NULL DEFAULT 0,
    wrong_in_row  BIGINT NOT NULL DEFAULT 0,
    health        TEXT NOT NULL DEFAULT 'unknown',
    health_why    TEXT NOT NULL DEFAULT '',
    health_at     BIGINT,
    removed_at    BIGINT,
    PRIMARY KEY (user_id, method_id)
);
CREATE INDEX methods_by_address ON methods (kind, address);
CREATE INDEX methods_by_health ON methods (health, health_at);

-- One sign-in under way, from the right password to the session. The cookie's token
-- is stored as its SHA-256 only.
CREATE TABLE attempts (
    user_id     TEXT NOT NULL REFERENCES users (user_id),
    attempt_id  TEXT NOT NULL,
    token_hash  BYTEA NOT NULL UNIQUE,
    purpose     TEXT NOT NULL,
    client      TEXT NOT NULL,
    site_id     TEXT,
    session_id  TEXT,
    return_to   TEXT NOT NULL DEFAULT '',
    reference   TEXT NOT NULL,
    browser     TEXT NOT NULL,
    network     TEXT NOT NULL,
    agent       TEXT NOT NULL,
    user_epoch  BIGINT NOT NULL,
    password_at BIGINT NOT NULL,
    factor      TEXT NOT NULL DEFAULT '',
    factor_at   BIGINT,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    PRIMARY KEY (user_id, attempt_id)
);
CREATE INDEX attempts_by_end ON attempts (expires_at);

-- One request to pass the second factor: at most one of an attempt is open.
CREATE TABLE challenges (
    user_id      TEXT NOT NULL,
    challenge_id TEXT NOT NULL,
    attempt_id   TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    passed_at    BIGINT,
    PRIMARY KEY (user_id, challenge_id),
    UNIQUE (user_id, attempt_id)
);

-- The codes of a challenge, the live one and those it replaced. Digits are kept as a
-- keyed hash only.
CREATE TABLE codes (
    user_id      TEXT NOT NULL,
    challenge_id TEXT NOT NULL,
    code_id      TEXT NOT NULL,
    method_id    TEXT NOT NULL,
    message_id   TEXT NOT NULL,
    mac          BYTEA NOT NULL,
    made_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    wrong        BIGINT NOT NULL DEFAULT 0,
    replaced_at  BIGINT,
    used_at      BIGINT,
    PRIMARY KEY (user_id, challenge_id, code_id)
);

CREATE TABLE sessions (
    user_id      TEXT NOT NULL REFERENCES users (user_id),
    session_id   TEXT NOT NULL,
    token_hash   BYTEA NOT NULL UNIQUE,
    client       TEXT NOT NULL,
    user_epoch   BIGINT NOT NULL,
    site_id      TEXT,
    site_epoch   BIGINT NOT NULL DEFAULT 0,
    member_epoch BIGINT NOT NULL DEFAULT 0,
    password_at  BIGINT NOT NULL,
    factor       TEXT NOT NULL DEFAULT '',
    factor_at    BIGINT,
    browser      TEXT NOT NULL,
    network      TEXT NOT NULL,
    agent        TEXT NOT NULL,
    started_at   BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL,
    decide_at    BIGINT,
    ended_at     BIGINT,
    PRIMARY KEY (user_id, session_id)
);
CREATE INDEX sessions_by_end ON sessions (ends_at);

-- Browsers and networks from which a user completed a sign-in: known for 30 days.
CREATE TABLE known_places (
    user_id TEXT NOT NULL,
    place   TEXT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, place)
);

CREATE INDEX known_places_by_last ON known_places (last_at);

-- Budgets: the uses of a subject inside its window, newest last.
CREATE TABLE budgets (
    subject  TEXT PRIMARY KEY,
    uses     TEXT NOT NULL,
    turn     BIGINT NOT NULL DEFAULT 0,
    idle_at  BIGINT NOT NULL
);
CREATE INDEX budgets_by_idle ON budgets (idle_at);

-- Tries that were not looked at, by hour, until the trail has their number.
CREATE TABLE unevaluated (
    user_id TEXT NOT NULL,
    what    TEXT NOT NULL,
    network TEXT NOT NULL,
    hour    BIGINT NOT NULL,
    tries   BIGINT NOT NULL,
    PRIMARY KEY (user_id, what, network, hour)
);
CREATE INDEX unevaluated_by_hour ON unevaluated (hour);

-- What we say by mail and SMS. The code of a message is sealed, and wiped when it is
-- used or has run out.
CREATE TABLE messages (
    user_id    TEXT NOT NULL,
    message_id TEXT NOT NULL,
    site_id    TEXT,
    kind       TEXT NOT NULL,
    channel    TEXT NOT NULL,
    address    TEXT NOT NULL,
    method_id  TEXT,
    words      TEXT NOT NULL,
    sealed     BYTEA,
    reference  TEXT NOT NULL DEFAULT '',
    state      TEXT NOT NULL,
    carrier    TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (user_id, message_id)
);
CREATE INDEX messages_by_end ON messages (expires_at);

-- The timeline of a message, for the person who waits for it.
CREATE TABLE message_steps (
    user_id    TEXT NOT NULL,
    message_id TEXT NOT NULL,
    step_no    BIGINT NOT NULL,
    step       TEXT NOT NULL,
    why        TEXT NOT NULL DEFAULT '',
    said       TEXT NOT NULL DEFAULT '',
    carrier    TEXT NOT NULL DEFAULT '',
    at         BIGINT NOT NULL,
    PRIMARY KEY (user_id, message_id, step_no)
);

-- The audit trail. body is the canonical text that the chain's leaf is the hash of;
-- the personal fields it commits to stand in audit_personal, with their salts, and can
-- be erased there without breaking the chain.
CREATE TABLE audit_heads (
    chain TEXT PRIMARY KEY,
    size  BIGINT NOT NULL,
    base  BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE audit_events (
    chain   TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    site_id TEXT,
    user_id TEXT,
    body    TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_events_by_user ON audit_events (user_id, at);
CREATE TABLE audit_hashes (
    chain TEXT NOT NULL,
    pos   BIGINT NOT NULL,
    hash  BYTEA NOT NULL,
    PRIMARY KEY (chain, pos)
);
-- user_id is whose value it is: an admin's network stays the admin's when the event is
-- about somebody else.
CREATE TABLE audit_personal (
    chain   TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    field   TEXT NOT NULL,
    user_id TEXT,
    salt    TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (chain, seq, field)
);
CREATE INDEX audit_personal_by_user ON audit_personal (user_id);

-- +goose Down
DROP TABLE audit_personal;
DROP TABLE audit_hashes;
DROP TABLE audit_events;
DROP TABLE audit_heads;
DROP TABLE message_steps;
DROP TABLE unevaluated;
DROP TABLE messages;
DROP TABLE budgets;
DROP TABLE known_places;
DROP TABLE sessions;
DROP TABLE codes;
DROP TABLE challenges;
DROP TABLE attempts;
DROP TABLE methods;
DROP TABLE plans;
DROP TABLE integrations;
DROP TABLE memberships;
DROP TABLE users;
DROP TABLE sites;
DROP TABLE epochs;
DROP TABLE meta;
