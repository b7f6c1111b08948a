//! Lookups: every way in which rows are found by keys.
//!
//! Each names the account in the key, and has an index that begins with it. What is found by another row's columns is found in a subquery of
//! its own, so that whatever the planner knows of a table, or does not know yet, it asks the index for the whole key. What was parked (`state` 4) is found only with its message.

use gatepost_rows::cells::Kind::{self, Bytes, Int, Text};
use gatepost_rows::tables::{
    accounts, contacts, endpoints, events, inbound, instances, integrations, keys, messages, outbox, policy_events, seals, traffic,
};

use crate::sql::Lookup;

macro_rules! lookups {
    ($($name:ident: $table:expr, $keys:expr, $tail:expr;)*) => {
        $(pub(crate) static $name: Lookup = Lookup { name: stringify!($name), table: &$table, keys: $keys, tail: $tail };)*

        /// All of them.
        #[cfg(test)]
        pub(crate) static ALL: &[&Lookup] = &[$(&$name),*];
    };
}

/// The rows of a table, under a short name, for which something holds.
macro_rules! each {
    ($table:literal, $name:literal, $where:literal) => {
        concat!("CROSS JOIN LATERAL (SELECT * FROM ", $table, " ", $name, " WHERE ", $where, " OFFSET 0) AS ", $name, " ")
    };
}

/// As a literal, since statements are put together from those.
macro_rules! line_max {
    () => {
        80
    };
}

/// How many rows of a line are read at a time.
pub(crate) const LINE_MAX: usize = line_max!();

/// The first rows of a line, behind a place in it where there is one.
macro_rules! line {
    ($behind:literal) => {
        concat!(
            "CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.order_key = k.k2",
            $behind,
            " AND o.state <> 4
                             ORDER BY o.log_id LIMIT ",
            line_max!(),
            ") AS t"
        )
    };
}

const OF_ACCOUNT: &[Kind] = &[Bytes];
const BY_ID: &[Kind] = &[Bytes, Bytes];
const BY_TEXT: &[Kind] = &[Bytes, Text];
const BY_NUMBER: &[Kind] = &[Bytes, Int];

lookups! {
    // Whole, as they are small.
    INSTANCES: instances::INSTANCES, OF_ACCOUNT, each!("instances", "t", "t.account = k.k1");
    ENDPOINTS: endpoints::ENDPOINTS, OF_ACCOUNT, each!("endpoints", "t", "t.account = k.k1 AND t.removed_at IS NULL");
    INTEGRATIONS: integrations::INTEGRATIONS, OF_ACCOUNT, each!("integrations", "t", "t.account = k.k1 AND t.removed_at IS NULL");
    VELOCITY: accounts::VELOCITY, OF_ACCOUNT, each!("velocity", "t", "t.account = k.k1");
    TRAFFIC: traffic::TRAFFIC, OF_ACCOUNT, each!("traffic", "t", "t.account = k.k1");

    KEY: keys::API_KEYS, &[Text], each!("api_keys", "t", "t.id = k.k1");
    ENDPOINT: endpoints::ENDPOINTS, BY_ID, each!("endpoints", "t", "t.account = k.k1 AND t.id = k.k2");
    USAGE: accounts::USAGE, BY_NUMBER, each!("usage", "t", "t.account = k.k1 AND t.mode IN ('live', 'test') AND t.\"window\" = k.k2");
    SAME_TEXTS: traffic::SAME_TEXTS, &[Bytes, Int, Int],
        each!("same_texts", "t", "t.account = k.k1 AND t.mode IN ('live', 'test') AND t.day = k.k2 AND t.print = k.k3");

    // Contacts, by address.
    ADDRESS: contacts::ADDRESSES, BY_TEXT, each!("addresses", "t", "t.account = k.k1 AND t.address = k.k2");
    CONTACT_OF_ADDRESS: contacts::CONTACTS, BY_TEXT,
        concat!(
            each!("addresses", "a", "a.account = k.k1 AND a.address = k.k2"),
            each!("contacts", "t", "t.account = a.account AND t.id = a.contact")
        );
    CONVERSATIONS_OF_ADDRESS: contacts::CONVERSATIONS, BY_TEXT,
        concat!(
            each!("addresses", "a", "a.account = k.k1 AND a.address = k.k2"),
            each!("conversations", "t", "t.account = a.account AND t.contact = a.contact")
        );

    // Contacts, by id: with the one that each is by now.
    CONTACT: contacts::CONTACTS, BY_ID,
        concat!(
            each!("contacts", "c", "c.account = k.k1 AND c.id = k.k2"),
            "CROSS JOIN LATERAL (SELECT c.id UNION ALL SELECT c.merged_into) AS p (id) ",
            each!("contacts", "t", "t.account = c.account AND t.id = p.id")
        );
    MERGED: contacts::CONTACTS, BY_ID, each!("contacts", "t", "t.account = k.k1 AND t.merged_into = k.k2");
    CONVERSATIONS: contacts::CONVERSATIONS, BY_ID, each!("conversations", "t", "t.account = k.k1 AND t.contact = k.k2");
    // The other addresses are JSON, and no address has anything to escape. They are taken apart as text: what cannot be read as JSON would fail
    // the statement, and with it whatever else stands in the group.
    ADDRESSES: contacts::ADDRESSES, BY_ID,
        concat!(
            each!("contacts", "c", "c.account = k.k1 AND c.id = k.k2"),
            "CROSS JOIN LATERAL (SELECT c.address UNION ALL SELECT unnest(string_to_array(btrim(c.others, '[\"]'), '\",\"'))) AS known (address) ",
            each!("addresses", "t", "t.account = c.account AND t.address = known.address")
        );
    SUPPRESSIONS: contacts::SUPPRESSIONS, BY_ID, each!("suppressions", "t", "t.account = k.k1 AND t.contact = k.k2");
    SUPPRESSION: contacts::SUPPRESSIONS, BY_ID, each!("suppressions", "t", "t.account = k.k1 AND t.id = k.k2");

    // What waits for a contact.
    WAITING: outbox::OUTBOX, BY_ID,
        each!("outbox", "t", "t.account = k.k1 AND t.contact = k.k2 AND t.channel = 0 AND t.state < 2");
    MESSAGES_WAITING: messages::MESSAGES, BY_ID,
        concat!(
            each!("outbox", "o", "o.account = k.k1 AND o.contact = k.k2 AND o.channel = 0 AND o.state < 2"),
            each!("messages", "t", "t.account = o.account AND t.id = o.item")
        );
    REVIEWS_WAITING: messages::REVIEWS, BY_ID,
        concat!(
            each!("outbox", "o", "o.account = k.k1 AND o.contact = k.k2 AND o.channel = 0 AND o.state < 2"),
            each!("reviews", "t", "t.account = o.account AND t.message = o.item")
        );
    USAGE_WAITING: accounts::USAGE, BY_ID,
        concat!(
            each!("outbox", "o", "o.account = k.k1 AND o.contact = k.k2 AND o.channel = 0 AND o.state < 2"),
            each!("messages", "m", "m.account = o.account AND m.id = o.item"),
            "CROSS JOIN LATERAL (SELECT m.charged_day UNION ALL SELECT m.charged_month) AS w (number) ",
            each!("usage", "t", "t.account = m.account AND t.mode = m.mode AND t.\"window\" = w.number")
        );

    // What an idempotency key stands for.
    BINDING: messages::IDEMPOTENCY_KEYS, BY_TEXT, each!("idempotency_keys", "t", "t.account = k.k1 AND t.key = k.k2");
    MESSAGE_OF_BINDING: messages::MESSAGES, BY_TEXT,
        concat!(
            each!("idempotency_keys", "b", "b.account = k.k1 AND b.key = k.k2"),
            each!("messages", "t", "t.account = b.account AND t.id = b.message")
        );

    // A delivery, and what it carries.
    DELIVERY: outbox::OUTBOX, BY_ID, each!("outbox", "t", "t.account = k.k1 AND t.delivery = k.k2 AND t.state <> 4");
    MESSAGE_OF_DELIVERY: messages::MESSAGES, BY_ID,
        concat!(
            each!("outbox", "o", "o.account = k.k1 AND o.delivery = k.k2 AND o.channel = 0 AND o.state <> 4"),
            each!("messages", "t", "t.account = o.account AND t.id = o.item")
        );
    REVIEW_OF_DELIVERY: messages::REVIEWS, BY_ID,
        concat!(
            each!("outbox", "o", "o.account = k.k1 AND o.delivery = k.k2 AND o.channel = 0 AND o.state <> 4"),
            each!("reviews", "t", "t.account = o.account AND t.message = o.item")
        );
    // To whom it goes, and to whom its message was written: where two became one, these are two rows.
    CONTACT_OF_DELIVERY: contacts::CONTACTS, BY_ID,
        concat!(
            each!("outbox", "o", "o.account = k.k1 AND o.delivery = k.k2 AND o.channel = 0 AND o.state <> 4"),
            each!("messages", "m", "m.account = o.account AND m.id = o.item"),
            "CROSS JOIN LATERAL (SELECT o.contact UNION ALL SELECT m.contact WHERE m.contact <> o.contact) AS w (id) ",
            each!("contacts", "c", "c.account = o.account AND c.id = w.id"),
            "CROSS JOIN LATERAL (SELECT c.id UNION ALL SELECT c.merged_into) AS p (id) ",
            each!("contacts", "t", "t.account = c.account AND t.id = p.id")
        );
    USAGE_OF_DELIVERY: accounts::USAGE, BY_ID,
        concat!(
            each!("outbox", "o", "o.account = k.k1 AND o.delivery = k.k2 AND o.channel = 0 AND o.state <> 4"),
            each!("messages", "m", "m.account = o.account AND m.id = o.item"),
            "CROSS JOIN LATERAL (SELECT m.charged_day UNION ALL SELECT m.charged_month) AS w (number) ",
            each!("usage", "t", "t.account = m.account AND t.mode = m.mode AND t.\"window\" = w.number")
        );
    // The first of a line, and some behind it: what ends lets the next one go.
    LINE: outbox::OUTBOX, BY_NUMBER, line!("");
    LINE_BEHIND: outbox::OUTBOX, &[Bytes, Int, Int], line!(" AND o.log_id > k.k3");

    // A message, and what belongs to it.
    MESSAGE: messages::MESSAGES, BY_ID, each!("messages", "t", "t.account = k.k1 AND t.id = k.k2");
    ATTEMPTS: messages::ATTEMPTS, BY_ID, each!("attempts", "t", "t.account = k.k1 AND t.message = k.k2");
    REVIEW: messages::REVIEWS, BY_ID, each!("reviews", "t", "t.account = k.k1 AND t.message = k.k2");
    DELIVERY_OF_MESSAGE: outbox::OUTBOX, BY_ID,
        concat!(
            each!("messages", "m", "m.account = k.k1 AND m.id = k.k2"),
            each!("outbox", "t", "t.account = m.account AND t.delivery = m.delivery")
        );
    CONTACT_OF_MESSAGE: contacts::CONTACTS, BY_ID,
        concat!(
            each!("messages", "m", "m.account = k.k1 AND m.id = k.k2"),
            each!("contacts", "c", "c.account = m.account AND c.id = m.contact"),
            "CROSS JOIN LATERAL (SELECT c.id UNION ALL SELECT c.merged_into) AS p (id) ",
            each!("contacts", "t", "t.account = c.account AND t.id = p.id")
        );
    USAGE_OF_MESSAGE: accounts::USAGE, BY_ID,
        concat!(
            each!("messages", "m", "m.account = k.k1 AND m.id = k.k2"),
            "CROSS JOIN LATERAL (SELECT m.charged_day UNION ALL SELECT m.charged_month) AS w (number) ",
            each!("usage", "t", "t.account = m.account AND t.mode = m.mode AND t.\"window\" = w.number")
        );
    EXTERNAL_ID: messages::EXTERNAL_IDS, &[Bytes, Bytes, Text],
        each!("external_ids", "t", "t.account = k.k1 AND t.instance = k.k2 AND t.external_id = k.k3");

    MESSAGE_CALLED: messages::MESSAGES, &[Bytes, Bytes, Text],
        concat!(
            each!("external_ids", "e", "e.account = k.k1 AND e.instance = k.k2 AND e.external_id = k.k3"),
            each!("messages", "t", "t.account = e.account AND t.id = e.message")
        );

    // What is due: of an account and a place, at a time, so many.
    MESSAGES_DUE: outbox::OUTBOX, &[Bytes, Bytes, Int, Int],
        "CROSS JOIN LATERAL (SELECT * FROM outbox o
             WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 0 AND o.state = 0 AND o.due <= k.k3
             AND (o.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.account = o.account AND p.order_key = o.order_key
                                                     AND p.log_id < o.log_id AND p.state <> 4))
             ORDER BY o.due, o.log_id LIMIT k.k4) AS t";
    MESSAGES_LATER: outbox::OUTBOX, &[Bytes, Bytes, Int],
        "CROSS JOIN LATERAL (SELECT * FROM outbox o
             WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 0 AND o.state = 0 AND o.due > k.k3
             AND (o.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.account = o.account AND p.order_key = o.order_key
                                                     AND p.log_id < o.log_id AND p.state <> 4))
             ORDER BY o.due, o.log_id LIMIT 1) AS t";
    EVENTS_DUE: outbox::OUTBOX, &[Bytes, Bytes, Int, Int],
        "CROSS JOIN LATERAL (SELECT * FROM outbox o
             WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 1 AND o.state = 0 AND o.due <= k.k3
             ORDER BY o.due, o.delivery LIMIT k.k4) AS t";
    EVENTS_LATER: outbox::OUTBOX, &[Bytes, Bytes, Int],
        "CROSS JOIN LATERAL (SELECT * FROM outbox o
             WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 1 AND o.state = 0 AND o.due > k.k3
             ORDER BY o.due, o.delivery LIMIT 1) AS t";
    EVENTS_STARTED: outbox::OUTBOX, OF_ACCOUNT, each!("outbox", "t", "t.account = k.k1 AND t.channel = 1 AND t.state = 2");
    WHAT_IS_DUE: events::EVENTS, &[Bytes, Bytes, Int, Int],
        concat!(
            "CROSS JOIN LATERAL (SELECT * FROM outbox o
             WHERE o.account = k.k1 AND o.place = k.k2 AND o.channel = 1 AND o.state = 0 AND o.due <= k.k3
             ORDER BY o.due, o.delivery LIMIT k.k4) AS d ",
            each!("events", "t", "t.account = d.account AND t.id = d.item")
        );
    INBOX: outbox::OUTBOX, BY_NUMBER,
        "CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.channel = 2 AND o.state = 0
                             ORDER BY o.log_id LIMIT k.k2) AS t";
    WHAT_CAME_IN: inbound::INBOUND, BY_NUMBER,
        concat!(
            "CROSS JOIN LATERAL (SELECT * FROM outbox o WHERE o.account = k.k1 AND o.channel = 2 AND o.state = 0
                             ORDER BY o.log_id LIMIT k.k2) AS d ",
            each!("inbound", "t", "t.account = d.account AND t.id = d.item")
        );

    // Events on their way.
    EVENT: events::EVENTS, BY_ID, each!("events", "t", "t.account = k.k1 AND t.id = k.k2");
    EVENT_DELIVERY: events::EVENT_DELIVERIES, BY_ID, each!("event_deliveries", "t", "t.account = k.k1 AND t.id = k.k2");
    // The repetitions of an event to the same endpoint.
    ALIKE: events::EVENT_DELIVERIES, BY_ID,
        concat!(
            each!("event_deliveries", "d", "d.account = k.k1 AND d.id = k.k2"),
            each!("event_deliveries", "t", "t.account = d.account AND t.event = d.event AND t.endpoint = d.endpoint AND t.replay IS NOT NULL")
        );
    OUTBOX_ALIKE: outbox::OUTBOX, BY_ID,
        concat!(
            each!("event_deliveries", "d", "d.account = k.k1 AND d.id = k.k2"),
            each!("event_deliveries", "r", "r.account = d.account AND r.event = d.event AND r.endpoint = d.endpoint AND r.replay IS NOT NULL"),
            each!("outbox", "t", "t.account = r.account AND t.delivery = r.id AND t.state <> 4")
        );
    RECOVERY: events::RECOVERIES, BY_ID, each!("recoveries", "t", "t.account = k.k1 AND t.id = k.k2");
    RECOVERIES_OPEN: events::RECOVERIES, OF_ACCOUNT,
        each!("recoveries", "t", "t.account = k.k1 AND t.done_at IS NULL AND t.canceled_at IS NULL");
    // The next part of a recovery: of an endpoint, behind a delivery, added between two times, so many.
    RECOVERABLE: events::EVENT_DELIVERIES, &[Bytes, Bytes, Bytes, Int, Int, Int],
        "CROSS JOIN LATERAL (SELECT * FROM event_deliveries d
             WHERE d.account = k.k1 AND d.endpoint = k.k2 AND d.id > k.k3 AND d.created_at >= k.k4 AND d.created_at < k.k5
             ORDER BY d.id LIMIT k.k6) AS t";

    // What came in.
    INBOUND_KEY: inbound::INBOUND_KEYS, BY_ID, each!("inbound_keys", "t", "t.account = k.k1 AND t.key = k.k2");

    // The log of phone systems.
    ENTRY: integrations::INTEGRATION_ENTRIES, BY_NUMBER, each!("integration_entries", "t", "t.account = k.k1 AND t.id = k.k2");
    ENTRY_OF_KEY: integrations::INTEGRATION_ENTRIES, &[Bytes, Int, Bytes],
        each!("integration_entries", "t", "t.account = k.k1 AND t.integration = k.k2 AND t.key = k.k3");

    // Seals.
    SEAL: seals::SEALS, BY_NUMBER, each!("seals", "t", "t.account = k.k1 AND t.number = k.k2");
    LAST_SEAL: seals::SEALS, OF_ACCOUNT,
        "CROSS JOIN LATERAL (SELECT * FROM seals s WHERE s.account = k.k1 ORDER BY s.number DESC LIMIT 1) AS t";
    EVENTS_OF_SEAL: policy_events::POLICY_EVENTS, BY_NUMBER,
        concat!(
            each!("seals", "s", "s.account = k.k1 AND s.number = k.k2 AND s.dropped_at IS NULL"),
            each!("policy_events", "t", "t.account = s.account AND t.seq BETWEEN s.first AND s.last")
        );
}
