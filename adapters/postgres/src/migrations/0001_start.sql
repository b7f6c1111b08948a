-- The tables of the SQLite store: the same names and columns in the same order, so that a row of one store is a row of the other.
-- Ids are sixteen bytes whose order is the order of time; times are milliseconds since 1970.
-- Every key begins with the account, so that an engine that spreads tables may spread these by it. What only some engines have (row level
-- security, how a table is stored) is in schema.rs. Only what all of them share stands here: see core/docs/design.md.

CREATE TABLE accounts (
    id                  BYTEA PRIMARY KEY,
    name                TEXT NOT NULL,
    plan                TEXT NOT NULL,      -- JSON
    zone                TEXT NOT NULL,
    next_zone           TEXT,
    next_zone_from      BIGINT,
    pause               TEXT,               -- JSON: since, by, cause, note
    suspended_at        BIGINT,
    one_time_codes_pass BIGINT NOT NULL,
    supervised          BIGINT NOT NULL,
    two_person_review   BIGINT NOT NULL,
    confirms_opt_out    BIGINT NOT NULL,
    threecx_enabled     BIGINT NOT NULL,
    sender              TEXT NOT NULL,      -- JSON: domains
    created_at          BIGINT NOT NULL,
    last_seq            BIGINT NOT NULL,    -- of the policy events
    last_inbound        BIGINT NOT NULL DEFAULT 0, -- the place of what came in last
    last_entry          BIGINT NOT NULL DEFAULT 0, -- the place of what a phone system said or was told last
    changes             BIGINT NOT NULL DEFAULT 0 -- pauses and connections: what tells their events of one moment apart
);

CREATE TABLE instances (
    account          BYTEA NOT NULL REFERENCES accounts (id),
    id               BYTEA NOT NULL,
    name             TEXT NOT NULL,
    provider         TEXT NOT NULL,
    connection       TEXT NOT NULL,
    pause            TEXT,                  -- JSON: since, by, cause, note
    settings         TEXT NOT NULL,         -- JSON, for the provider
    credentials      BYTEA,                 -- sealed, for the provider
    credentials_root BIGINT,                -- of the keyring
    revision         BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    PRIMARY KEY (account, id),
    UNIQUE (account, name)
);
CREATE UNIQUE INDEX instances_by_id ON instances (id); -- a provider's call names no account

-- Phone systems. Removed ones stay for the log that names them.
CREATE TABLE integrations (
    account      BYTEA NOT NULL REFERENCES accounts (id),
    id           BIGINT NOT NULL,
    name         TEXT NOT NULL,
    enabled      BIGINT NOT NULL,
    instance     BYTEA NOT NULL,
    settings     TEXT NOT NULL,             -- JSON, for the adapter
    secrets      BYTEA NOT NULL,            -- sealed
    secrets_root BIGINT NOT NULL,           -- of the keyring
    endpoint     BYTEA,                     -- that stands for it in the outbox
    revision     BIGINT NOT NULL,
    removed_at   BIGINT,
    created_at   BIGINT NOT NULL,
    tat          BIGINT NOT NULL DEFAULT 0, -- how fast it told of events, as in velocity
    PRIMARY KEY (account, id)
);
CREATE UNIQUE INDEX integrations_by_id ON integrations (id); -- a phone system's call names no account
CREATE INDEX integrations_present ON integrations (account, id) WHERE removed_at IS NULL;

-- What phone systems said and were told.
CREATE TABLE integration_entries (
    account     BYTEA NOT NULL,
    id          BIGINT NOT NULL,
    integration BIGINT NOT NULL,
    direction   TEXT NOT NULL,
    kind        TEXT NOT NULL,
    phone       BIGINT,
    details     TEXT NOT NULL,              -- JSON
    outcome     TEXT NOT NULL,
    reason      TEXT,
    message     BYTEA,                      -- that it became
    delivery    BYTEA,                      -- that takes it out
    key         BYTEA,                      -- what tells it from all else that the integration says
    key_until   BIGINT,                     -- where that does not hold for good
    at          BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE UNIQUE INDEX integration_entries_by_key ON integration_entries (account, integration, key) WHERE key IS NOT NULL;
CREATE INDEX integration_entries_by_age ON integration_entries (at);

CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    account      BYTEA REFERENCES accounts (id), -- none: an operator's
    mode         TEXT,
    name         TEXT NOT NULL,
    digest       BYTEA NOT NULL,
    root         BIGINT NOT NULL,
    last_four    TEXT NOT NULL,
    scopes       TEXT NOT NULL,             -- JSON
    allowed_from TEXT NOT NULL,             -- JSON
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_keys_of_account ON api_keys (account);

-- The roots of the keyring, so that one with others is found out: a print opens nothing.
CREATE TABLE roots (
    number BIGINT PRIMARY KEY,
    print  BYTEA NOT NULL
);

-- What was charged in a day (20261122) or a month (202611).
CREATE TABLE usage (
    account BYTEA NOT NULL,
    mode    TEXT NOT NULL,
    "window"  BIGINT NOT NULL,
    charged BIGINT NOT NULL,
    PRIMARY KEY (account, mode, "window")
);

-- How fast an account (subject = its id) or an instance went: the theoretical arrival time, in microseconds.
CREATE TABLE velocity (
    account BYTEA NOT NULL,
    subject BYTEA NOT NULL,
    mode    TEXT NOT NULL,
    tat     BIGINT NOT NULL,
    PRIMARY KEY (account, subject, mode)
);

-- What an account did in a day, counted from 1970 on in UTC.
CREATE TABLE traffic (
    account           BYTEA NOT NULL,
    mode              TEXT NOT NULL,
    day               BIGINT NOT NULL,
    sent              BIGINT NOT NULL,
    recipients        BIGINT NOT NULL,
    first_contacts    BIGINT NOT NULL,
    failed            BIGINT NOT NULL,
    opted_out         BIGINT NOT NULL,
    blocked           BIGINT NOT NULL,
    hour              BIGINT NOT NULL,      -- of the last send, counted from 1970 on
    hour_recipients   BIGINT NOT NULL,      -- of that hour
    recipients_before BIGINT NOT NULL,      -- of the hour before it
    warned            BIGINT NOT NULL,
    PRIMARY KEY (account, mode, day)
);

-- How many contacts were sent the same text in a day.
CREATE TABLE same_texts (
    account  BYTEA NOT NULL,
    mode     TEXT NOT NULL,
    day      BIGINT NOT NULL,
    print    BIGINT NOT NULL,
    contacts BIGINT NOT NULL,
    PRIMARY KEY (account, mode, day, print)
);

-- A contact that turned out to be another one stays, so that what names it is found, and is suppressed and suspected as that one is.
CREATE TABLE contacts (
    account       BYTEA NOT NULL,
    id            BYTEA NOT NULL,
    suppressed_by TEXT,                     -- the strictest cause in force
    suppressed_at BIGINT,
    suspected_by  BYTEA,                    -- what they wrote that may have been an opt-out
    suspected_at  BIGINT,
    window_until  BIGINT,                   -- of the conversation that lasts longest
    address       TEXT NOT NULL,            -- the first one
    others        TEXT,                     -- JSON: the other addresses
    name          TEXT,                     -- what they called themself last, and when
    named_at      BIGINT,
    merged_into   BYTEA,
    live_tat      BIGINT NOT NULL DEFAULT 0,
    test_tat      BIGINT NOT NULL DEFAULT 0,
    live_hour     BIGINT,                   -- in which something was sent to them last, counted from 1970 on
    live_print    BIGINT,                   -- of the last text that was sent to them
    test_hour     BIGINT,
    test_print    BIGINT,
    PRIMARY KEY (account, id)
);

CREATE INDEX contacts_suspected ON contacts (account, id) WHERE suspected_at IS NOT NULL AND merged_into IS NULL;
CREATE INDEX contacts_merged ON contacts (account, merged_into) WHERE merged_into IS NOT NULL;

-- Until when a contact may be answered freely from an instance.
CREATE TABLE conversations (
    account  BYTEA NOT NULL,
    contact  BYTEA NOT NULL,
    instance BYTEA NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (account, contact, instance)
);

CREATE TABLE addresses (
    account BYTEA NOT NULL,
    address TEXT NOT NULL,
    contact BYTEA NOT NULL,
    PRIMARY KEY (account, address)
);

CREATE TABLE suppressions (
    account   BYTEA NOT NULL,
    id        BYTEA NOT NULL,
    contact   BYTEA NOT NULL,
    address   TEXT NOT NULL,
    cause     TEXT NOT NULL,
    note      TEXT,
    since     BIGINT NOT NULL,
    by        TEXT NOT NULL,
    lifted_at BIGINT,
    lifted_by TEXT,
    PRIMARY KEY (account, id)
);
CREATE INDEX suppressions_of_contact ON suppressions (account, contact, id);

CREATE TABLE messages (
    account       BYTEA NOT NULL,
    id            BYTEA NOT NULL,
    log_id        BIGINT NOT NULL,
    instance      BYTEA NOT NULL,
    contact       BYTEA NOT NULL,
    address       TEXT NOT NULL,
    purpose       TEXT NOT NULL,
    content       TEXT,                     -- JSON; none once its retention is over
    mode          TEXT NOT NULL,
    origin        TEXT NOT NULL,            -- JSON
    ordered       BIGINT NOT NULL,
    status        TEXT NOT NULL,
    error         TEXT,
    external_id   TEXT,
    sent_try      BIGINT,                   -- the attempt that sent it: its number, start and end
    sent_from     BIGINT,
    sent_at       BIGINT,
    delivery      BYTEA NOT NULL,
    charged_day   BIGINT,
    charged_month BIGINT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);

-- For lists. Neither names what changes with each step of a message that arrives.
CREATE INDEX messages_of_instance ON messages (account, instance, id);
CREATE INDEX messages_with_error ON messages (account, id) WHERE error IS NOT NULL;

-- The messages by the ids that providers gave them; the sandbox reports by ours.
CREATE TABLE external_ids (
    account     BYTEA NOT NULL,
    instance    BYTEA NOT NULL,
    external_id TEXT NOT NULL,
    message     BYTEA NOT NULL,
    PRIMARY KEY (account, instance, external_id)
);

CREATE TABLE idempotency_keys (
    account     BYTEA NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    message     BYTEA NOT NULL,
    bound_at    BIGINT NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (bound_at);

-- What is accepted and not finished. state: 0 waiting, 1 claimed, 2 started, 3 in doubt, 4 parked: it cannot be read.
-- channel: 0 a message (place: its instance), 1 an event (place: its endpoint), 2 what came in (place: its instance).
CREATE TABLE outbox (
    delivery   BYTEA NOT NULL,
    account    BYTEA NOT NULL,
    shard      BIGINT NOT NULL,
    order_key  BIGINT,
    channel    BIGINT NOT NULL,
    place      BYTEA NOT NULL,
    item       BYTEA NOT NULL,              -- the message, the event or what came in
    contact    BYTEA,                       -- of a message
    as_name    TEXT,                        -- of an event that goes under another name than its own
    log_id     BIGINT NOT NULL,             -- of a message; the place of what came in, or goes to a phone system
    state      BIGINT NOT NULL,
    due        BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    fence      BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    put_off    BIGINT NOT NULL,
    started_at BIGINT,                      -- of the open attempt
    PRIMARY KEY (account, delivery)
);
CREATE INDEX outbox_messages_waiting ON outbox (account, place, due) WHERE channel = 0 AND state = 0;
CREATE INDEX outbox_messages_due ON outbox (due) WHERE channel = 0 AND state = 0;
CREATE INDEX outbox_messages_expiring ON outbox (expires_at) WHERE channel = 0 AND state = 0;
CREATE INDEX outbox_messages_leased ON outbox (due) WHERE channel = 0 AND state <> 0;
CREATE INDEX outbox_messages_of_contact ON outbox (account, contact) WHERE channel = 0 AND state < 2;
CREATE INDEX outbox_messages_ordered ON outbox (account, order_key, log_id) WHERE order_key IS NOT NULL;
CREATE INDEX outbox_events_waiting ON outbox (account, place, due) WHERE channel = 1 AND state = 0;
CREATE INDEX outbox_events_due ON outbox (due) WHERE channel = 1 AND state = 0;
CREATE INDEX outbox_events_in_flight ON outbox (account, place, due) WHERE channel = 1 AND state = 2;
CREATE INDEX outbox_events_leased ON outbox (due) WHERE channel = 1 AND state <> 0;
CREATE INDEX outbox_events_expiring ON outbox (expires_at) WHERE channel = 1 AND state = 0;
CREATE INDEX outbox_inbox_waiting ON outbox (account, log_id) WHERE channel = 2 AND state = 0;
CREATE INDEX outbox_parked ON outbox (account, channel) WHERE state = 4;

-- What providers posted. The bytes are forgotten after days.
CREATE TABLE notifications (
    account     BYTEA NOT NULL,
    id          BYTEA NOT NULL,
    instance    BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    new         BIGINT NOT NULL,
    repeated    BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    body        BYTEA,
    PRIMARY KEY (account, id)
);

-- What they told, one by one. Statuses are gone once they are heeded: the messages have them.
CREATE TABLE inbound (
    account      BYTEA NOT NULL,
    id           BYTEA NOT NULL,
    notification BYTEA NOT NULL,
    instance     BYTEA NOT NULL,
    delivery     BYTEA,                     -- under which it waits to be heeded
    contact      BYTEA,
    address      TEXT,
    kind         TEXT NOT NULL,
    class        TEXT NOT NULL,
    at           BIGINT,                    -- by the provider's clock
    received_at  BIGINT NOT NULL,
    words        TEXT,                      -- none once their retention is over
    detail       TEXT,                      -- JSON: what was said otherwise, and the sender's name; none with the words
    told         TEXT NOT NULL,             -- JSON
    PRIMARY KEY (account, id)
);

-- For lists. Statuses, which are most of what is told, cost nothing here.
CREATE INDEX inbound_of_instance ON inbound (account, instance, id) WHERE class <> 'status';
CREATE INDEX inbound_apart ON inbound (account, class, id) WHERE class NOT IN ('message', 'status');

-- What tells each of them from all others, so that a repetition changes nothing.
CREATE TABLE inbound_keys (
    account BYTEA NOT NULL,
    key     BYTEA NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE INDEX inbound_keys_by_age ON inbound_keys (told_at);

-- Attempts that did not send their message; the one that did stands in the message, an open one in the outbox.
CREATE TABLE attempts (
    account     BYTEA NOT NULL,
    message     BYTEA NOT NULL,
    number      BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    outcome     TEXT NOT NULL,              -- JSON
    PRIMARY KEY (account, message, number)
);

CREATE TABLE reviews (
    account       BYTEA NOT NULL,
    message       BYTEA NOT NULL,
    opened_by     TEXT,                     -- the rule that wants a person
    policy_event  BIGINT NOT NULL,          -- the place of what was decided
    opened_at     BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    approved_at   BIGINT,                   -- by the first of two people
    approved_by   TEXT,
    approval_note TEXT,
    closed_at     BIGINT,
    closed_by     TEXT,
    verdict       TEXT,
    note          TEXT,
    PRIMARY KEY (account, message)
);
CREATE INDEX reviews_open ON reviews (expires_at) WHERE closed_at IS NULL;
CREATE INDEX reviews_open_of_account ON reviews (account, message) WHERE closed_at IS NULL;
CREATE INDEX reviews_of_rule ON reviews (account, opened_by, message);

CREATE TABLE policy_events (
    account  BYTEA NOT NULL,
    seq      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    message  BYTEA,
    instance BYTEA NOT NULL,
    contact  BYTEA NOT NULL,
    verdict  TEXT NOT NULL,
    body     TEXT NOT NULL,                 -- JSON: policy, zones, subject, facts, decision
    PRIMARY KEY (account, seq)
);
-- Most are allowed, and cost nothing here.
CREATE INDEX policy_events_against ON policy_events (account, verdict, seq) WHERE verdict <> 'allow';

-- Segments of policy events that were closed, each with a keyed digest over its rows and the seal before. Seals stay when their events go.
CREATE TABLE seals (
    account        BYTEA NOT NULL,
    number         BIGINT NOT NULL,
    first          BIGINT NOT NULL,         -- the places that it covers
    last           BIGINT NOT NULL,
    newest_at      BIGINT NOT NULL,         -- of its events
    rows           BYTEA NOT NULL,          -- SHA-256 of row_digests
    previous       BYTEA NOT NULL,          -- the digest of the seal before
    root           BIGINT NOT NULL,         -- of the keyring
    sealed_at      BIGINT NOT NULL,
    digest         BYTEA NOT NULL,          -- HMAC-SHA-256
    dropped_at     BIGINT,                  -- when its events were deleted, with an HMAC-SHA-256 of its own
    dropped_digest BYTEA,
    row_digests    BYTEA NOT NULL,          -- 24 bytes a row: place, digest; none once dropped
    PRIMARY KEY (account, number)
);
CREATE INDEX seals_kept ON seals (newest_at, account, number) WHERE dropped_at IS NULL;
CREATE INDEX seals_by_root ON seals (root);

-- Whose turn it is to do what one host does for all: 1 to seal, 2 to forget what is older than its time.
CREATE TABLE sealing (
    id     BIGINT PRIMARY KEY,
    holder BYTEA NOT NULL,
    until  BIGINT NOT NULL
);

-- Customers' URLs. Removed ones stay for the log that names them.
CREATE TABLE endpoints (
    account       BYTEA NOT NULL REFERENCES accounts (id),
    id            BYTEA NOT NULL,
    name          TEXT NOT NULL,
    url           TEXT NOT NULL,
    instance      BYTEA,                    -- only its events
    filter        TEXT NOT NULL,            -- JSON
    in_flight_max BIGINT NOT NULL,
    rate          TEXT,                     -- JSON
    secrets       BYTEA NOT NULL,           -- sealed
    secrets_root  BIGINT NOT NULL,          -- of the keyring
    headers       BYTEA,                    -- sealed
    headers_root  BIGINT,
    header_names  TEXT,                     -- JSON
    verified_at   BIGINT,
    pause         TEXT,                     -- JSON: since, by, cause, note
    disabled      TEXT,                     -- JSON: since, by
    failing_since BIGINT,
    removed_at    BIGINT,
    url_since     BIGINT NOT NULL,
    revision      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    for_operator  BIGINT NOT NULL,          -- told of what happens in every account, and shown to none
    integration   BIGINT,                   -- whose phone system it is
    tat           BIGINT NOT NULL DEFAULT 0, -- how fast it was called, as in velocity
    PRIMARY KEY (account, id)
);
CREATE INDEX endpoints_present ON endpoints (account, id) WHERE removed_at IS NULL;
CREATE INDEX endpoints_for_operator ON endpoints (account) WHERE for_operator = 1 AND removed_at IS NULL;

CREATE TABLE events (
    account     BYTEA NOT NULL,
    id          BYTEA NOT NULL,
    name        TEXT NOT NULL,
    instance    BYTEA,
    occurred_at BIGINT NOT NULL,
    fields      TEXT,                       -- the inside of a JSON object; none once its retention is over
    PRIMARY KEY (account, id)
);

-- The customer webhook log. status: 0 not finished (the outbox says how far it got), 1 sent, 2 failed, 3 blocked, 4 skipped. The first delivery of an event is as old as the event.
CREATE TABLE event_deliveries (
    account    BYTEA NOT NULL,
    id         BYTEA NOT NULL,
    event      BYTEA NOT NULL,
    as_name    TEXT NOT NULL,
    endpoint   BYTEA NOT NULL,
    status     BIGINT NOT NULL,
    error      TEXT,
    skip       TEXT,
    tries      BIGINT NOT NULL,
    replay     TEXT,                        -- JSON: of, by, reason, to_changed_url
    sent_from  BIGINT,                      -- the attempt that sent it, the last one: its start, and what it saw; it ended at updated_at
    sent_saw   TEXT,                        -- JSON
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX event_deliveries_of_endpoint ON event_deliveries (account, endpoint, id);
CREATE INDEX event_deliveries_repeated ON event_deliveries (account, event, endpoint, id) WHERE replay IS NOT NULL;
CREATE INDEX event_deliveries_not_taken ON event_deliveries (account, id) WHERE status > 1;

-- Attempts that did not send their event; the one that did stands in event_deliveries, an open one in the outbox.
CREATE TABLE delivery_attempts (
    account     BYTEA NOT NULL,
    delivery    BYTEA NOT NULL,
    number      BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    outcome     TEXT NOT NULL,              -- JSON
    report      TEXT,                       -- JSON
    PRIMARY KEY (account, delivery, number)
);

CREATE TABLE recoveries (
    account        BYTEA NOT NULL,
    id             BYTEA NOT NULL,
    endpoint       BYTEA NOT NULL,
    since          BIGINT NOT NULL,
    until          BIGINT NOT NULL,
    by             TEXT NOT NULL,
    reason         TEXT,
    to_changed_url BIGINT NOT NULL,
    at             BYTEA,                   -- the last delivery that was looked at
    queued         BIGINT NOT NULL,
    passed_over    BIGINT NOT NULL,
    done_at        BIGINT,
    canceled_at    BIGINT,
    PRIMARY KEY (account, id)
);
CREATE INDEX recoveries_open ON recoveries (id) WHERE done_at IS NULL AND canceled_at IS NULL;

-- How far the retention job came: what every message, event, thing that came in, or raw notification, up to this one said is forgotten.
CREATE TABLE retention (
    account BYTEA PRIMARY KEY,
    message BYTEA,
    event   BYTEA,
    inbound BYTEA,
    raw     BYTEA
);
