-- The rows of the baseline: as many and as wide as the gateway's own, so that both write about the same bytes for a message.

CREATE TABLE counter (
    account_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    value      INTEGER NOT NULL,
    PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage (
    account_id TEXT NOT NULL,
    starts     INTEGER NOT NULL,
    messages   INTEGER NOT NULL,
    PRIMARY KEY (account_id, starts)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact (
    account_id TEXT NOT NULL,
    phone      TEXT NOT NULL,
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    PRIMARY KEY (account_id, phone)
) STRICT, WITHOUT ROWID;

CREATE TABLE suppression (
    account_id TEXT NOT NULL,
    phone      TEXT NOT NULL,
    cause      TEXT NOT NULL,
    since      INTEGER NOT NULL,
    PRIMARY KEY (account_id, phone)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    id          TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    log_id      INTEGER NOT NULL,
    phone       TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    content     TEXT NOT NULL,
    status      TEXT NOT NULL,
    provider_id TEXT,
    accepted_at INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE policy_event (
    account_id TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    at         INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (account_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    message_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    shard      INTEGER NOT NULL,
    order_key  TEXT NOT NULL,
    channel    TEXT NOT NULL,
    due        INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    fence      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (shard, due);

CREATE TABLE attempt (
    message_id TEXT NOT NULL,
    number     INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT,
    PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;
