-- Ids are sixteen bytes whose order is the order of time; times are milliseconds since 1970.
-- Every table is clustered by its key. The ids of an account grow with time, so that new rows lie together at its end.

CREATE TABLE accounts (
    id                  BLOB PRIMARY KEY,
    name                TEXT NOT NULL,
    plan                TEXT NOT NULL,      -- JSON
    zone                TEXT NOT NULL,
    next_zone           TEXT,
    next_zone_from      INTEGER,
    pause               TEXT,               -- JSON: since, by, cause, note
    suspended_at        INTEGER,
    one_time_codes_pass INTEGER NOT NULL,
    supervised          INTEGER NOT NULL,
    two_person_review   INTEGER NOT NULL,
    confirms_opt_out    INTEGER NOT NULL,
    threecx_enabled     INTEGER NOT NULL,
    sender              TEXT NOT NULL,      -- JSON: domains
    created_at          INTEGER NOT NULL,
    last_seq            INTEGER NOT NULL,   -- of the policy events
    last_inbound        INTEGER NOT NULL DEFAULT 0, -- the place of what came in last
    last_entry          INTEGER NOT NULL DEFAULT 0, -- the place of what a phone system said or was told last
    changes             INTEGER NOT NULL DEFAULT 0 -- pauses and connections: what tells their events of one moment apart
) STRICT, WITHOUT ROWID;

CREATE TABLE instances (
    account          BLOB NOT NULL REFERENCES accounts (id),
    id               BLOB NOT NULL,
    name             TEXT NOT NULL,
    provider         TEXT NOT NULL,
    connection       TEXT NOT NULL,
    pause            TEXT,                  -- JSON: since, by, cause, note
    settings         TEXT NOT NULL,         -- JSON, for the provider
    credentials      BLOB,                  -- sealed, for the provider
    credentials_root INTEGER,               -- of the keyring
    revision         INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (account, id),
    UNIQUE (account, name)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX instances_by_id ON instances (id); -- a provider's call names no account

-- Phone systems. Removed ones stay for the log that names them.
CREATE TABLE integrations (
    account      BLOB NOT NULL REFERENCES accounts (id),
    id           INTEGER NOT NULL,
    name         TEXT NOT NULL,
    enabled      INTEGER NOT NULL,
    instance     BLOB NOT NULL,
    settings     TEXT NOT NULL,             -- JSON, for the adapter
    secrets      BLOB NOT NULL,             -- sealed
    secrets_root INTEGER NOT NULL,          -- of the keyring
    endpoint     BLOB,                      -- that stands for it in the outbox
    revision     INTEGER NOT NULL,
    removed_at   INTEGER,
    created_at   INTEGER NOT NULL,
    tat          INTEGER NOT NULL DEFAULT 0, -- how fast it told of events, as in velocity
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX integrations_by_id ON integrations (id); -- a phone system's call names no account

-- What phone systems said and were told.
CREATE TABLE integration_entries (
    account     BLOB NOT NULL,
    id          INTEGER NOT NULL,
    integration INTEGER NOT NULL,
    direction   TEXT NOT NULL,
    kind        TEXT NOT NULL,
    phone       INTEGER,
    details     TEXT NOT NULL,              -- JSON
    outcome     TEXT NOT NULL,
    reason      TEXT,
    message     BLOB,                       -- that it became
    delivery    BLOB,                       -- that takes it out
    key         BLOB,                       -- what tells it from all else that the integration says
    key_until   INTEGER,                    -- where that does not hold for good
    at          INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX integration_entries_by_key ON integration_entries (account, integration, key) WHERE key IS NOT NULL;
CREATE INDEX integration_entries_by_age ON integration_entries (at);

CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    account      BLOB REFERENCES accounts (id), -- none: an operator's
    mode         TEXT,
    name         TEXT NOT NULL,
    digest       BLOB NOT NULL,
    root         INTEGER NOT NULL,
    last_four    TEXT NOT NULL,
    scopes       TEXT NOT NULL,             -- JSON
    allowed_from TEXT NOT NULL,             -- JSON
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_of_account ON api_keys (account);

-- The roots of the keyring, so that one with others is found out: a print opens nothing.
CREATE TABLE roots (
    number INTEGER PRIMARY KEY,
    print  BLOB NOT NULL
) STRICT;

-- What was charged in a day (20261122) or a month (202611).
CREATE TABLE usage (
    account BLOB NOT NULL,
    mode    TEXT NOT NULL,
    window  INTEGER NOT NULL,
    charged INTEGER NOT NULL,
    PRIMARY KEY (account, mode, window)
) STRICT, WITHOUT ROWID;

-- How fast an account (subject = its id) or an instance went: the theoretical arrival time, in microseconds.
CREATE TABLE velocity (
    account BLOB NOT NULL,
    subject BLOB NOT NULL,
    mode    TEXT NOT NULL,
    tat     INTEGER NOT NULL,
    PRIMARY KEY (account, subject, mode)
) STRICT, WITHOUT ROWID;

-- What an account did in a day, counted from 1970 on in UTC.
CREATE TABLE traffic (
    account           BLOB NOT NULL,
    mode              TEXT NOT NULL,
    day               INTEGER NOT NULL,
    sent              INTEGER NOT NULL,
    recipients        INTEGER NOT NULL,
    first_contacts    INTEGER NOT NULL,
    failed            INTEGER NOT NULL,
    opted_out         INTEGER NOT NULL,
    blocked           INTEGER NOT NULL,
    hour              INTEGER NOT NULL,     -- of the last send, counted from 1970 on
    hour_recipients   INTEGER NOT NULL,     -- of that hour
    recipients_before INTEGER NOT NULL,     -- of the hour before it
    warned            INTEGER NOT NULL,
    PRIMARY KEY (account, mode, day)
) STRICT, WITHOUT ROWID;

-- How many contacts were sent the same text in a day.
CREATE TABLE same_texts (
    account  BLOB NOT NULL,
    mode     TEXT NOT NULL,
    day      INTEGER NOT NULL,
    print    INTEGER NOT NULL,
    contacts INTEGER NOT NULL,
    PRIMARY KEY (account, mode, day, print)
) STRICT, WITHOUT ROWID;

-- A contact that turned out to be another one stays, so that what names it is found, and is suppressed and suspected as that one is.
CREATE TABLE contacts (
    account       BLOB NOT NULL,
    id            BLOB NOT NULL,
    suppressed_by TEXT,                     -- the strictest cause in force
    suppressed_at INTEGER,
    suspected_by  BLOB,                     -- what they wrote that may have been an opt-out
    suspected_at  INTEGER,
    window_until  INTEGER,                  -- of the conversation that lasts longest
    address       TEXT NOT NULL,            -- the first one
    others        TEXT,                     -- JSON: the other addresses
    name          TEXT,                     -- what they called themself last, and when
    named_at      INTEGER,
    merged_into   BLOB,
    live_tat      INTEGER NOT NULL DEFAULT 0,
    test_tat      INTEGER NOT NULL DEFAULT 0,
    live_hour     INTEGER,                  -- in which something was sent to them last, counted from 1970 on
    live_print    INTEGER,                  -- of the last text that was sent to them
    test_hour     INTEGER,
    test_print    INTEGER,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX contacts_suspected ON contacts (account, id) WHERE suspected_at IS NOT NULL AND merged_into IS NULL;
CREATE INDEX contacts_merged ON contacts (account, merged_into) WHERE merged_into IS NOT NULL;

-- Until when a contact may be answered freely from an instance.
CREATE TABLE conversations (
    account  BLOB NOT NULL,
    contact  BLOB NOT NULL,
    instance BLOB NOT NULL,
    until    INTEGER NOT NULL,
    PRIMARY KEY (account, contact, instance)
) STRICT, WITHOUT ROWID;

CREATE TABLE addresses (
    account BLOB NOT NULL,
    address TEXT NOT NULL,
    contact BLOB NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE suppressions (
    account   BLOB NOT NULL,
    id        BLOB NOT NULL,
    contact   BLOB NOT NULL,
    address   TEXT NOT NULL,
    cause     TEXT NOT NULL,
    note      TEXT,
    since     INTEGER NOT NULL,
    by        TEXT NOT NULL,
    lifted_at INTEGER,
    lifted_by TEXT,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX suppressions_of_contact ON suppressions (account, contact);

CREATE TABLE messages (
    account       BLOB NOT NULL,
    id            BLOB NOT NULL,
    log_id        INTEGER NOT NULL,
    instance      BLOB NOT NULL,
    contact       BLOB NOT NULL,
    address       TEXT NOT NULL,
    purpose       TEXT NOT NULL,
    content       TEXT,                     -- JSON; none once its retention is over
    mode          TEXT NOT NULL,
    origin        TEXT NOT NULL,            -- JSON
    ordered       INTEGER NOT NULL,
    status        TEXT NOT NULL,
    error         TEXT,
    external_id   TEXT,
    sent_try      INTEGER,                  -- the attempt that sent it: its number, start and end
    sent_from     INTEGER,
    sent_at       INTEGER,
    delivery      BLOB NOT NULL,
    charged_day   INTEGER,
    charged_month INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

-- The messages by the ids that providers gave them; the sandbox reports by ours.
CREATE TABLE external_ids (
    account     BLOB NOT NULL,
    instance    BLOB NOT NULL,
    external_id TEXT NOT NULL,
    message     BLOB NOT NULL,
    PRIMARY KEY (account, instance, external_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    account     BLOB NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    message     BLOB NOT NULL,
    bound_at    INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (bound_at);

-- What is accepted and not finished. state: 0 waiting, 1 claimed, 2 started, 3 in doubt, 4 parked: it cannot be read.
-- channel: 0 a message (place: its instance), 1 an event (place: its endpoint), 2 what came in (place: its instance).
CREATE TABLE outbox (
    delivery   BLOB PRIMARY KEY,
    account    BLOB NOT NULL,
    shard      INTEGER NOT NULL,
    order_key  INTEGER,
    channel    INTEGER NOT NULL,
    place      BLOB NOT NULL,
    item       BLOB NOT NULL,               -- the message, the event or what came in
    contact    BLOB,                        -- of a message
    as_name    TEXT,                        -- of an event that goes under another name than its own
    log_id     INTEGER NOT NULL,            -- of a message; the place of what came in, or goes to a phone system
    state      INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    fence      INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    put_off    INTEGER NOT NULL,
    started_at INTEGER                      -- of the open attempt
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_messages_waiting ON outbox (account, place, due) WHERE channel = 0 AND state = 0;
CREATE INDEX outbox_messages_expiring ON outbox (expires_at) WHERE channel = 0 AND state = 0;
CREATE INDEX outbox_messages_leased ON outbox (due) WHERE channel = 0 AND state <> 0;
CREATE INDEX outbox_messages_of_contact ON outbox (account, contact) WHERE channel = 0 AND state < 2;
CREATE INDEX outbox_messages_ordered ON outbox (account, order_key, log_id) WHERE order_key IS NOT NULL;
-- Of events only what every take needs: the leases are few enough to be looked through, and what expires is at the table's beginning.
CREATE INDEX outbox_events_waiting ON outbox (account, place, due) WHERE channel = 1 AND state = 0;
CREATE INDEX outbox_events_in_line_expiring ON outbox (expires_at) WHERE channel = 1 AND state = 0 AND order_key IS NOT NULL;
CREATE INDEX outbox_events_in_flight ON outbox (account, place, due) WHERE channel = 1 AND state = 2;

CREATE INDEX outbox_inbox_waiting ON outbox (account, log_id) WHERE channel = 2 AND state = 0;

-- What providers posted. The bytes are forgotten after days.
CREATE TABLE notifications (
    account     BLOB NOT NULL,
    id          BLOB NOT NULL,
    instance    BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    new         INTEGER NOT NULL,
    repeated    INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    body        BLOB,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

-- What they told, one by one. Statuses are gone once they are heeded: the messages have them.
CREATE TABLE inbound (
    account      BLOB NOT NULL,
    id           BLOB NOT NULL,
    notification BLOB NOT NULL,
    instance     BLOB NOT NULL,
    delivery     BLOB,                      -- under which it waits to be heeded
    contact      BLOB,
    address      TEXT,
    kind         TEXT NOT NULL,
    class        TEXT NOT NULL,
    at           INTEGER,                   -- by the provider's clock
    received_at  INTEGER NOT NULL,
    words        TEXT,                      -- none once their retention is over
    detail       TEXT,                      -- JSON: what was said otherwise, and the sender's name; none with the words
    told         TEXT NOT NULL,             -- JSON
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

-- What tells each of them from all others, so that a repetition changes nothing.
CREATE TABLE inbound_keys (
    account BLOB NOT NULL,
    key     BLOB NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbound_keys_by_age ON inbound_keys (told_at);

-- Attempts that did not send their message; the one that did stands in the message, an open one in the outbox.
CREATE TABLE attempts (
    account     BLOB NOT NULL,
    message     BLOB NOT NULL,
    number      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    outcome     TEXT NOT NULL,              -- JSON
    PRIMARY KEY (account, message, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE reviews (
    account       BLOB NOT NULL,
    message       BLOB NOT NULL,
    opened_by     TEXT,                     -- the rule that wants a person
    policy_event  INTEGER NOT NULL,         -- the place of what was decided
    opened_at     INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    approved_at   INTEGER,                  -- by the first of two people
    approved_by   TEXT,
    approval_note TEXT,
    closed_at     INTEGER,
    closed_by     TEXT,
    verdict       TEXT,
    note          TEXT,
    PRIMARY KEY (account, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX reviews_open ON reviews (expires_at) WHERE closed_at IS NULL;

CREATE TABLE policy_events (
    account  BLOB NOT NULL,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    message  BLOB,
    instance BLOB NOT NULL,
    contact  BLOB NOT NULL,
    verdict  TEXT NOT NULL,
    body     TEXT NOT NULL,                 -- JSON: policy, zones, subject, facts, decision
    PRIMARY KEY (account, seq)
) STRICT, WITHOUT ROWID;
-- Most are allowed, and cost nothing here.
CREATE INDEX policy_events_against ON policy_events (account, verdict, seq) WHERE verdict <> 'allow';

-- Segments of policy events that were closed, each with a keyed digest over its rows and the seal before. Seals stay when their events go.
CREATE TABLE seals (
    account        BLOB NOT NULL,
    number         INTEGER NOT NULL,
    first          INTEGER NOT NULL,        -- the places that it covers
    last           INTEGER NOT NULL,
    newest_at      INTEGER NOT NULL,        -- of its events
    rows           BLOB NOT NULL,           -- SHA-256 of row_digests
    previous       BLOB NOT NULL,           -- the digest of the seal before
    root           INTEGER NOT NULL,        -- of the keyring
    sealed_at      INTEGER NOT NULL,
    digest         BLOB NOT NULL,           -- HMAC-SHA-256
    dropped_at     INTEGER,                 -- when its events were deleted, with an HMAC-SHA-256 of its own
    dropped_digest BLOB,
    row_digests    BLOB NOT NULL,           -- 24 bytes a row: place, digest; none once dropped
    PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX seals_kept ON seals (newest_at, account, number) WHERE dropped_at IS NULL;
CREATE INDEX seals_by_root ON seals (root);

-- Whose turn it is to seal: one row at most.
CREATE TABLE sealing (
    id     INTEGER PRIMARY KEY,
    holder BLOB NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

-- Customers' URLs. Removed ones stay for the log that names them.
CREATE TABLE endpoints (
    account       BLOB NOT NULL REFERENCES accounts (id),
    id            BLOB NOT NULL,
    name          TEXT NOT NULL,
    url           TEXT NOT NULL,
    instance      BLOB,                     -- only its events
    filter        TEXT NOT NULL,            -- JSON
    in_flight_max INTEGER NOT NULL,
    rate          TEXT,                     -- JSON
    secrets       BLOB NOT NULL,            -- sealed
    secrets_root  INTEGER NOT NULL,         -- of the keyring
    headers       BLOB,                     -- sealed
    headers_root  INTEGER,
    header_names  TEXT,                     -- JSON
    verified_at   INTEGER,
    pause         TEXT,                     -- JSON: since, by, cause, note
    disabled      TEXT,                     -- JSON: since, by
    failing_since INTEGER,
    removed_at    INTEGER,
    url_since     INTEGER NOT NULL,
    revision      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    for_operator  INTEGER NOT NULL,         -- told of what happens in every account, and shown to none
    integration   INTEGER,                  -- whose phone system it is
    tat           INTEGER NOT NULL DEFAULT 0, -- how fast it was called, as in velocity
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoints_present ON endpoints (account, id) WHERE removed_at IS NULL;
CREATE INDEX endpoints_for_operator ON endpoints (account) WHERE for_operator = 1 AND removed_at IS NULL;

CREATE TABLE events (
    account     BLOB NOT NULL,
    id          BLOB NOT NULL,
    name        TEXT NOT NULL,
    instance    BLOB,
    occurred_at INTEGER NOT NULL,
    fields      TEXT,                       -- the inside of a JSON object; none once its retention is over
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

-- The customer webhook log. status: 0 not finished (the outbox says how far it got), 1 sent, 2 failed, 3 blocked, 4 skipped. The first delivery of an event is as old as the event.
CREATE TABLE event_deliveries (
    account    BLOB NOT NULL,
    id         BLOB NOT NULL,
    event      BLOB NOT NULL,
    as_name    TEXT NOT NULL,
    endpoint   BLOB NOT NULL,
    status     INTEGER NOT NULL,
    error      TEXT,
    skip       TEXT,
    tries      INTEGER NOT NULL,
    replay     TEXT,                        -- JSON: of, by, reason, to_changed_url
    sent_from  INTEGER,                     -- the attempt that sent it, the last one: its start, and what it saw; it ended at updated_at
    sent_saw   TEXT,                        -- JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_deliveries_of_endpoint ON event_deliveries (account, endpoint, id);
CREATE INDEX event_deliveries_repeated ON event_deliveries (account, event, endpoint, id) WHERE replay IS NOT NULL;
CREATE INDEX event_deliveries_not_taken ON event_deliveries (account, id) WHERE status > 1;

-- Attempts that did not send their event; the one that did stands in event_deliveries, an open one in the outbox.
CREATE TABLE delivery_attempts (
    account     BLOB NOT NULL,
    delivery    BLOB NOT NULL,
    number      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    outcome     TEXT NOT NULL,              -- JSON
    report      TEXT,                       -- JSON
    PRIMARY KEY (account, delivery, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE recoveries (
    account        BLOB NOT NULL,
    id             BLOB NOT NULL,
    endpoint       BLOB NOT NULL,
    since          INTEGER NOT NULL,
    until          INTEGER NOT NULL,
    by             TEXT NOT NULL,
    reason         TEXT,
    to_changed_url INTEGER NOT NULL,
    at             BLOB,                    -- the last delivery that was looked at
    queued         INTEGER NOT NULL,
    passed_over    INTEGER NOT NULL,
    done_at        INTEGER,
    canceled_at    INTEGER,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recoveries_open ON recoveries (id) WHERE done_at IS NULL AND canceled_at IS NULL;

-- How far the retention job came: what every message, event, thing that came in, or raw notification, up to this one said is forgotten.
CREATE TABLE retention (
    account BLOB PRIMARY KEY,
    message BLOB,
    event   BLOB,
    inbound BLOB,
    raw     BLOB
) STRICT, WITHOUT ROWID;
