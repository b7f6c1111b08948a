//! Statements: the text of every list.
//!
//! The first value is the account, and every statement says so of each table that it reads. A page is the rows behind an id, in an order that
//! the primary key or an index has, so many; what belongs to the rows of a page is found from the ids of the same page, by key. What was parked (`state` 4) says
//! nothing of how far a delivery is.
//!
//! Where a filter may match little, its rows are found where they are few: what is not finished in the outbox, what a person was asked about
//! in the reviews, the rest by an index of its own that what is most frequent costs nothing. Some filters still walk along the log until the
//! page is full, as an index would cost every send: messages that are `sent`, `delivered` or `read`, things of the class `message`, policy
//! events but those against a message, entries of the log of phone systems. [`Options::list_timeout`](crate::Options::list_timeout) ends
//! them.

use gatepost_rows::cells::Kind::{Bytes, Int};
use gatepost_rows::tables::{
    accounts, contacts, endpoints, events, inbound, instances, integrations, keys, messages, outbox, policy_events, seals, traffic,
};

use super::{List, Seek};
use crate::sql::Lookup;

macro_rules! lists {
    ($($name:ident: $table:expr, $tail:expr;)*) => {
        $(pub(crate) static $name: List = List {
            #[cfg(test)]
            name: stringify!($name),
            table: &$table, tail: $tail };)*

        /// All of them.
        #[cfg(test)]
        pub(crate) static LISTS: &[&List] = &[$(&$name),*];
    };
}

macro_rules! seeks {
    ($($name:ident: $found:expr, $text:expr;)*) => {
        $(pub(crate) static $name: Seek = Seek {
            #[cfg(test)]
            name: stringify!($name),
            found: $found, text: $text };)*

        /// All of them.
        #[cfg(test)]
        pub(crate) static SEEKS: &[&Seek] = &[$(&$name),*];
    };
}

/// Whether the endpoint in this column is for the operator.
macro_rules! for_operator {
    ($endpoint:literal) => {
        concat!("EXISTS (SELECT 1 FROM endpoints e WHERE e.account = $1 AND e.id = ", $endpoint, " AND e.for_operator = 1)")
    };
}

/// Messages among those that something else names: before an id, with a status, from an instance, so many.
macro_rules! messages_among {
    ($named:expr) => {
        concat!(
            "(SELECT m.* FROM (",
            $named,
            ") AS c (id) CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account = $1 AND m.id = c.id AND m.status = $3
              AND ($4::bytea IS NULL OR m.instance = $4) OFFSET 0) AS m ORDER BY c.id DESC LIMIT $5)"
        )
    };
}

/// The messages of an account that are in the outbox in some state, before an id.
macro_rules! in_outbox {
    ($state:literal) => {
        concat!("SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 0 AND ", $state, " AND o.item < $2 ORDER BY o.item DESC")
    };
}

/// The messages of an account that were to be looked at by a person, before an id.
macro_rules! reviewed {
    ($narrowed:literal) => {
        concat!("SELECT r.message FROM reviews r WHERE r.account = $1 AND r.message < $2 AND ", $narrowed, " ORDER BY r.message DESC")
    };
}

/// A page of what came in: before an id, at an instance, of a class, so many.
macro_rules! inbound_page {
    ($narrowed:literal) => {
        concat!(
            "(SELECT * FROM inbound i WHERE i.account = $1 AND i.id < $2 AND ",
            $narrowed,
            " AND ($3::bytea IS NULL OR i.instance = $3) AND ($4::text IS NULL OR i.class = $4) ORDER BY i.id DESC LIMIT $5)"
        )
    };
}

/// A page of the statuses that came in and wait to be heeded, or were parked: they are gone afterwards.
macro_rules! statuses_page {
    () => {
        "(SELECT i.* FROM (SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 0
                           UNION ALL SELECT o.item FROM outbox o WHERE o.account = $1 AND o.channel = 2 AND o.state = 4) AS w (id)
          CROSS JOIN LATERAL (SELECT * FROM inbound i WHERE i.account = $1 AND i.id = w.id AND i.class = 'status'
                              AND ($3::bytea IS NULL OR i.instance = $3) OFFSET 0) AS i
          WHERE w.id < $2 AND ($4::text IS NULL OR $4 = 'status') ORDER BY w.id DESC LIMIT $5)"
    };
}

/// The same page at an instance.
macro_rules! inbound_page_at_instance {
    () => {
        concat!(
            "(SELECT * FROM (",
            inbound_page!("i.instance = $3 AND i.class <> 'status'"),
            " UNION ALL ",
            statuses_page!(),
            ") AS i ORDER BY i.id DESC LIMIT $5)"
        )
    };
}

/// The contacts of a page of what came in.
macro_rules! contacts_of {
    ($page:expr) => {
        concat!("FROM contacts t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.contact FROM ", $page, " p))")
    };
}

/// What waits of a page of what came in.
macro_rules! waiting_of {
    ($page:expr) => {
        concat!("FROM outbox t WHERE t.account = $1 AND t.state = 0 AND t.delivery = ANY (ARRAY(SELECT p.delivery FROM ", $page, " p))")
    };
}

/// A page of the log of phone systems: before a place, of an integration, a direction, a kind, an outcome and a number, so many.
macro_rules! entry_page {
    () => {
        "(SELECT * FROM integration_entries e WHERE e.account = $1 AND e.id < $2 AND ($3::bigint IS NULL OR e.integration = $3)
           AND ($4::text IS NULL OR e.direction = $4) AND ($5::text IS NULL OR e.kind = $5) AND ($6::text IS NULL OR e.outcome = $6)
           AND ($7::bigint IS NULL OR e.phone = $7) ORDER BY e.id DESC LIMIT $8)"
    };
}

/// A page of deliveries: before an id, to an endpoint, with a status, also those for the operator, so many.
macro_rules! delivery_page {
    ($narrowed:literal) => {
        concat!(
            "(SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.id < $2 AND ",
            $narrowed,
            " AND ($3::bytea IS NULL OR d.endpoint = $3) AND ($4::bigint IS NULL OR d.status = $4) AND ($5::bigint = 1 OR NOT ",
            for_operator!("d.endpoint"),
            ") ORDER BY d.id DESC LIMIT $6)"
        )
    };
}

/// A page of deliveries that are in the outbox in a state: before an id, to an endpoint, also those for the operator, so many.
macro_rules! pending_page {
    ($state:literal) => {
        concat!(
            "(SELECT * FROM outbox d WHERE d.account = $1 AND d.channel = 1 AND d.state = ",
            $state,
            " AND d.delivery < $2 AND ($3::bytea IS NULL OR d.place = $3) AND ($4::bigint = 1 OR NOT ",
            for_operator!("d.place"),
            ") ORDER BY d.delivery DESC LIMIT $5)"
        )
    };
}

/// The id that comes before those of deliveries written so many milliseconds behind the event. A value of its own, as row level security lets
/// no index be asked for what a function makes of another row.
macro_rules! first_id_behind_event {
    ($millis:literal) => {
        concat!(
            "(SELECT decode(lpad(to_hex(e.occurred_at + ",
            $millis,
            "), 12, '0'), 'hex') FROM events e WHERE e.account = $1 AND e.id = $2)"
        )
    };
}

/// The deliveries of an event: the first ones, which are as old as it is, and its repetitions; also those for the operator.
macro_rules! of_event {
    () => {
        concat!(
            "(SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.event = $2 AND d.replay IS NULL AND d.id >= ",
            first_id_behind_event!("0"),
            " AND d.id < ",
            first_id_behind_event!("1"),
            " AND ($3::bigint = 1 OR NOT ",
            for_operator!("d.endpoint"),
            ")
              UNION ALL
              SELECT * FROM event_deliveries d WHERE d.account = $1 AND d.event = $2 AND d.replay IS NOT NULL AND ($3::bigint = 1 OR NOT ",
            for_operator!("d.endpoint"),
            "))"
        )
    };
}

lists! {
    // Accounts, and what they send from.
    ACCOUNT: accounts::ACCOUNTS, "FROM accounts t WHERE t.id = $1";
    USAGE: accounts::USAGE,
        "FROM usage t WHERE t.account = $1 AND t.mode = $2
         AND (t.\"window\" BETWEEN $3 AND $4 OR t.\"window\" BETWEEN $5 AND $6)";
    TRAFFIC: traffic::TRAFFIC, "FROM traffic t WHERE t.account = $1 AND t.mode = $2";
    INSTANCES: instances::INSTANCES, "FROM instances t WHERE t.account = $1";
    INSTANCE: instances::INSTANCES, "FROM instances t WHERE t.account = $1 AND t.id = $2";
    INSTANCE_NAMED: instances::INSTANCES, "FROM instances t WHERE t.account = $1 AND t.name = $2";
    KEYS: keys::API_KEYS, "FROM api_keys t WHERE t.account = $1";
    OPERATORS_KEYS: keys::API_KEYS, "FROM api_keys t WHERE t.account IS NULL AND $1::bytea IS NULL";
    KEY: keys::API_KEYS, "FROM api_keys t WHERE t.account IS NOT DISTINCT FROM $1 AND t.id = $2";

    // Phone systems.
    INTEGRATIONS: integrations::INTEGRATIONS, "FROM integrations t WHERE t.account = $1 AND t.removed_at IS NULL";
    INTEGRATION: integrations::INTEGRATIONS, "FROM integrations t WHERE t.account = $1 AND t.id = $2";
    ENTRIES: integrations::INTEGRATION_ENTRIES, concat!("FROM ", entry_page!(), " t");
    MESSAGES_OF_ENTRIES: messages::MESSAGES,
        concat!("FROM messages t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.message FROM ", entry_page!(), " p))");
    DELIVERIES_OF_ENTRIES: events::EVENT_DELIVERIES,
        concat!("FROM event_deliveries t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.delivery FROM ", entry_page!(), " p))");
    OUTBOX_OF_ENTRIES: outbox::OUTBOX,
        concat!("FROM outbox t WHERE t.account = $1 AND t.state <> 4 AND t.delivery = ANY (ARRAY(SELECT p.delivery FROM ", entry_page!(), " p))");

    // What came in.
    INBOUND: inbound::INBOUND, concat!("FROM ", inbound_page!("TRUE"), " t");
    CONTACTS_OF_INBOUND: contacts::CONTACTS, contacts_of!(inbound_page!("TRUE"));
    OUTBOX_OF_INBOUND: outbox::OUTBOX, waiting_of!(inbound_page!("TRUE"));
    INBOUND_AT_INSTANCE: inbound::INBOUND, concat!("FROM ", inbound_page_at_instance!(), " t");
    CONTACTS_OF_INBOUND_AT_INSTANCE: contacts::CONTACTS, contacts_of!(inbound_page_at_instance!());
    OUTBOX_OF_INBOUND_AT_INSTANCE: outbox::OUTBOX, waiting_of!(inbound_page_at_instance!());
    INBOUND_APART: inbound::INBOUND, concat!("FROM ", inbound_page!("i.class = $4 AND i.class NOT IN ('message', 'status')"), " t");
    CONTACTS_OF_INBOUND_APART: contacts::CONTACTS, contacts_of!(inbound_page!("i.class = $4 AND i.class NOT IN ('message', 'status')"));
    OUTBOX_OF_INBOUND_APART: outbox::OUTBOX, waiting_of!(inbound_page!("i.class = $4 AND i.class NOT IN ('message', 'status')"));
    STATUSES: inbound::INBOUND, concat!("FROM ", statuses_page!(), " t");
    CONTACTS_OF_STATUSES: contacts::CONTACTS, contacts_of!(statuses_page!());
    OUTBOX_OF_STATUSES: outbox::OUTBOX, waiting_of!(statuses_page!());
    INBOUND_ENTRY: inbound::INBOUND, "FROM inbound t WHERE t.account = $1 AND t.id = $2";
    CONTACT_OF_INBOUND_ENTRY: contacts::CONTACTS,
        "FROM inbound i JOIN contacts t ON t.account = i.account AND t.id = i.contact WHERE i.account = $1 AND i.id = $2";
    OUTBOX_OF_INBOUND_ENTRY: outbox::OUTBOX,
        "FROM inbound i JOIN outbox t ON t.account = i.account AND t.delivery = i.delivery AND t.state = 0
         WHERE i.account = $1 AND i.id = $2";
    NOTIFICATION: inbound::NOTIFICATIONS, "FROM notifications t WHERE t.account = $1 AND t.id = $2";
    // Without the bytes.
    NOTIFICATIONS: inbound::NOTIFICATIONS,
        "FROM (SELECT account, id, instance, received_at, \"new\", repeated, quarantined, NULL::bytea AS body FROM notifications n
               WHERE n.account = $1 AND n.id < $2 ORDER BY n.id DESC LIMIT $3) t";

    // Contacts.
    ADDRESS: contacts::ADDRESSES, "FROM addresses t WHERE t.account = $1 AND t.address = $2";
    CONTACT_OF_ADDRESS: contacts::CONTACTS,
        "FROM addresses a JOIN contacts t ON t.account = a.account AND t.id = a.contact WHERE a.account = $1 AND a.address = $2";
    CONTACT: contacts::CONTACTS,
        "FROM contacts c JOIN contacts t ON t.account = c.account AND t.id IN (c.id, c.merged_into) WHERE c.account = $1 AND c.id = $2";
    SUSPECTED: contacts::CONTACTS,
        "FROM contacts t WHERE t.account = $1 AND t.suspected_at IS NOT NULL AND t.merged_into IS NULL AND t.id > $2 ORDER BY t.id LIMIT $3";
    SUPPRESSIONS: contacts::SUPPRESSIONS,
        "FROM suppressions t WHERE t.account = $1 AND t.id < $2 AND ($3::bigint = 0 OR t.lifted_at IS NULL) ORDER BY t.id DESC LIMIT $4";
    // Those of one contact are few, however long the list is.
    SUPPRESSIONS_OF_ADDRESS: contacts::SUPPRESSIONS,
        "FROM suppressions t WHERE t.account = $1 AND t.contact = (SELECT a.contact FROM addresses a WHERE a.account = $1 AND a.address = $2)
         AND t.id < $3 AND ($4::bigint = 0 OR t.lifted_at IS NULL) ORDER BY t.id DESC LIMIT $5";

    // Messages.
    MESSAGE: messages::MESSAGES, "FROM messages t WHERE t.account = $1 AND t.id = $2";
    MESSAGES: messages::MESSAGES,
        "FROM messages t WHERE t.account = $1 AND t.id < $2 AND ($3::text IS NULL OR t.status = $3)
         AND ($4::bytea IS NULL OR t.instance = $4) ORDER BY t.id DESC LIMIT $5";
    MESSAGES_FROM_INSTANCE: messages::MESSAGES,
        "FROM messages t WHERE t.account = $1 AND t.id < $2 AND ($3::text IS NULL OR t.status = $3) AND t.instance = $4
         ORDER BY t.id DESC LIMIT $5";
    // What was canceled, expired or failed says why.
    MESSAGES_NOT_SENT: messages::MESSAGES,
        "FROM messages t WHERE t.account = $1 AND t.id < $2 AND t.error IS NOT NULL AND t.status = $3
         AND ($4::bytea IS NULL OR t.instance = $4) ORDER BY t.id DESC LIMIT $5";
    MESSAGES_QUEUED: messages::MESSAGES, concat!("FROM ", messages_among!(in_outbox!("o.state < 2")), " t");
    MESSAGES_SENDING: messages::MESSAGES, concat!("FROM ", messages_among!(in_outbox!("o.state = 2")), " t");
    MESSAGES_HELD: messages::MESSAGES, concat!("FROM ", messages_among!(reviewed!("r.closed_at IS NULL")), " t");
    MESSAGES_REFUSED: messages::MESSAGES, concat!("FROM ", messages_among!(reviewed!("TRUE")), " t");
    // What is in doubt was tried in vain, or was parked.
    MESSAGES_IN_DOUBT: messages::MESSAGES,
        concat!(
            "FROM (",
            messages_among!("SELECT DISTINCT ON (a.message) a.message FROM attempts a WHERE a.account = $1 AND a.message < $2 ORDER BY a.message DESC"),
            " UNION ",
            messages_among!(in_outbox!("o.state = 4")),
            ") t ORDER BY t.id DESC LIMIT $5"
        );
    ATTEMPTS: messages::ATTEMPTS, "FROM attempts t WHERE t.account = $1 AND t.message = $2";
    OUTBOX_OF_MESSAGE: outbox::OUTBOX,
        "FROM messages m JOIN outbox t ON t.account = m.account AND t.delivery = m.delivery AND t.state <> 4
         WHERE m.account = $1 AND m.id = $2";
    REVIEWS: messages::REVIEWS,
        "FROM reviews t WHERE t.account = $1 AND t.message < $2 AND ($3::bigint IS NULL OR (t.closed_at IS NULL) = ($3 = 1))
         AND ($4::text IS NULL OR t.opened_by = $4) ORDER BY t.message DESC LIMIT $5";
    REVIEWS_OPEN: messages::REVIEWS,
        "FROM reviews t WHERE t.account = $1 AND t.message < $2 AND $3::bigint = 1 AND t.closed_at IS NULL
         AND ($4::text IS NULL OR t.opened_by = $4) ORDER BY t.message DESC LIMIT $5";
    REVIEWS_OF_RULE: messages::REVIEWS,
        "FROM reviews t WHERE t.account = $1 AND t.message < $2 AND ($3::bigint IS NULL OR (t.closed_at IS NULL) = ($3 = 1))
         AND t.opened_by = $4 ORDER BY t.message DESC LIMIT $5";

    // The policy event log. Of those with a reason, what must be looked at closer: what has its text, or is no object.
    POLICY_EVENTS: policy_events::POLICY_EVENTS,
        "FROM policy_events t WHERE t.account = $1 AND t.seq < $2 AND ($3::bytea IS NULL OR t.message = $3)
         AND ($4::bigint = 0 OR t.message IS NULL) AND ($5::bigint IS NULL OR t.at >= $5) AND ($6::bigint IS NULL OR t.at < $6)
         AND ($7::text IS NULL OR strpos(t.body, $7) > 0 OR t.body NOT LIKE '{%}') AND ($8::text IS NULL OR t.verdict = $8)
         ORDER BY t.seq DESC LIMIT $9";
    // What is not allowed is rare, and has an index.
    POLICY_EVENTS_AGAINST: policy_events::POLICY_EVENTS,
        "FROM policy_events t WHERE t.account = $1 AND t.seq < $2 AND ($3::bytea IS NULL OR t.message = $3)
         AND ($4::bigint = 0 OR t.message IS NULL) AND ($5::bigint IS NULL OR t.at >= $5) AND ($6::bigint IS NULL OR t.at < $6)
         AND ($7::text IS NULL OR strpos(t.body, $7) > 0 OR t.body NOT LIKE '{%}') AND t.verdict = $8 AND t.verdict <> 'allow'
         ORDER BY t.seq DESC LIMIT $9";
    EVENT_ROWS: policy_events::POLICY_EVENTS, "FROM policy_events t WHERE t.account = $1 AND t.seq > $2 ORDER BY t.seq LIMIT $3";
    SEALS: seals::SEALS, "FROM seals t WHERE t.account = $1 AND t.number > $2 ORDER BY t.number LIMIT $3";
    LAST_SEAL: seals::SEALS, "FROM seals t WHERE t.account = $1 ORDER BY t.number DESC LIMIT 1";

    // Endpoints, and what goes there.
    ENDPOINTS: endpoints::ENDPOINTS, "FROM endpoints t WHERE t.account = $1 AND t.removed_at IS NULL";
    ENDPOINT: endpoints::ENDPOINTS, "FROM endpoints t WHERE t.account = $1 AND t.id = $2";
    EVENT: events::EVENTS, "FROM events t WHERE t.account = $1 AND t.id = $2";
    DELIVERY: events::EVENT_DELIVERIES, "FROM event_deliveries t WHERE t.account = $1 AND t.id = $2";
    OUTBOX_OF_DELIVERY: outbox::OUTBOX, "FROM outbox t WHERE t.account = $1 AND t.delivery = $2 AND t.channel = 1 AND t.state <> 4";
    DELIVERY_ATTEMPTS: events::DELIVERY_ATTEMPTS, "FROM delivery_attempts t WHERE t.account = $1 AND t.delivery = $2";
    DELIVERIES: events::EVENT_DELIVERIES, concat!("FROM ", delivery_page!("TRUE"), " t");
    OUTBOX_OF_DELIVERIES: outbox::OUTBOX,
        concat!("FROM outbox t WHERE t.account = $1 AND t.state <> 4 AND t.delivery = ANY (ARRAY(SELECT p.id FROM ", delivery_page!("TRUE"), " p))");
    DELIVERIES_TO_ENDPOINT: events::EVENT_DELIVERIES, concat!("FROM ", delivery_page!("d.endpoint = $3"), " t");
    OUTBOX_TO_ENDPOINT: outbox::OUTBOX,
        concat!(
            "FROM outbox t WHERE t.account = $1 AND t.state <> 4 AND t.delivery = ANY (ARRAY(SELECT p.id FROM ", delivery_page!("d.endpoint = $3"), " p))"
        );
    DELIVERIES_NOT_TAKEN: events::EVENT_DELIVERIES, concat!("FROM ", delivery_page!("d.status > 1"), " t");
    QUEUED: events::EVENT_DELIVERIES,
        concat!("FROM event_deliveries t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.delivery FROM ", pending_page!("0"), " p))");
    OUTBOX_QUEUED: outbox::OUTBOX, concat!("FROM ", pending_page!("0"), " t");
    SENDING: events::EVENT_DELIVERIES,
        concat!("FROM event_deliveries t WHERE t.account = $1 AND t.id = ANY (ARRAY(SELECT p.delivery FROM ", pending_page!("2"), " p))");
    OUTBOX_SENDING: outbox::OUTBOX, concat!("FROM ", pending_page!("2"), " t");
    DELIVERIES_OF_EVENT: events::EVENT_DELIVERIES, concat!("FROM ", of_event!(), " t");
    OUTBOX_OF_EVENT: outbox::OUTBOX,
        concat!("FROM outbox t WHERE t.account = $1 AND t.state <> 4 AND t.delivery = ANY (ARRAY(SELECT p.id FROM ", of_event!(), " p))");
    RECOVERY: events::RECOVERIES, "FROM recoveries t WHERE t.account = $1 AND t.id = $2";
    RECOVERIES: events::RECOVERIES,
        concat!(
            "FROM recoveries t WHERE t.account = $1 AND t.id < $2 AND ($3::bigint = 1 OR NOT ",
            for_operator!("t.endpoint"),
            ") ORDER BY t.id DESC LIMIT $4"
        );
}

seeks! {
    ACCOUNTS: &[Bytes], "SELECT a.id FROM accounts a WHERE a.id < $1 ORDER BY a.id DESC LIMIT $2";
    WHOSE_KEY: &[Bytes], "SELECT k.account FROM api_keys k WHERE k.id = $1";
    WHOSE_INSTANCE: &[Bytes], "SELECT i.account FROM instances i WHERE i.id = $1";
    WHOSE_INTEGRATION: &[Bytes], "SELECT i.account FROM integrations i WHERE i.id = $1";
    UNSEALED: &[Bytes, Int, Int, Int],
        "SELECT a.id, e.seq, e.at, a.last_seq FROM accounts a
         CROSS JOIN LATERAL (SELECT n.seq, n.at FROM policy_events n WHERE n.account = a.id AND n.seq >
             coalesce((SELECT s.last FROM seals s WHERE s.account = a.id ORDER BY s.number DESC LIMIT 1), 0) ORDER BY n.seq LIMIT 1) e
         WHERE a.id > $1 ORDER BY a.id LIMIT $2";
    OLD_SEALS: &[Bytes, Int],
        "SELECT s.account, s.number FROM seals s WHERE s.dropped_at IS NULL AND s.newest_at < $1
         ORDER BY s.newest_at, s.account, s.number OFFSET $2 LIMIT $3";
    // The numbers of the keyring's roots that are still needed. There are many seals, and few roots: found one behind the other.
    ROOTS: &[Int],
        "WITH RECURSIVE named (root) AS (
             SELECT min(root) FROM seals UNION ALL
             SELECT (SELECT min(s.root) FROM seals s WHERE s.root > named.root) FROM named WHERE named.root IS NOT NULL)
         SELECT root FROM named WHERE root IS NOT NULL
         UNION SELECT root FROM api_keys
         UNION SELECT secrets_root FROM endpoints WHERE removed_at IS NULL
         UNION SELECT headers_root FROM endpoints WHERE removed_at IS NULL AND headers_root IS NOT NULL
         UNION SELECT secrets_root FROM integrations WHERE removed_at IS NULL
         UNION SELECT credentials_root FROM instances WHERE credentials_root IS NOT NULL
         ORDER BY root";
}

/// The accounts that were found.
pub(crate) static ACCOUNTS_FOUND: Lookup =
    Lookup { name: "ACCOUNTS_FOUND", table: &accounts::ACCOUNTS, keys: &[Bytes], tail: "JOIN accounts t ON t.id = k.k1" };

/// The seals that were found.
pub(crate) static SEALS_FOUND: Lookup =
    Lookup { name: "SEALS_FOUND", table: &seals::SEALS, keys: &[Bytes, Int], tail: "JOIN seals t ON t.account = k.k1 AND t.number = k.k2" };

/// Both.
#[cfg(test)]
pub(crate) static LOOKUPS: &[&Lookup] = &[&ACCOUNTS_FOUND, &SEALS_FOUND];
