//! Scouts: what is due in whatever account. They run behind the fence that shows all rows and lets none be changed; what they find is read
//! again under the locks of its accounts before anything is done with it.
//!
//! What stands in queues is found by skipping from queue to queue along an index, so that a backlog costs no more than its first row.

use gatepost::AccountId;
use gatepost_rows::cells::Kind::{Bytes, Int, Text};
use gatepost_rows::cells::{Cell, Row};

use crate::sql::Scout;

macro_rules! scouts {
    ($($name:ident: $found:expr, $text:expr;)*) => {
        $(pub(crate) static $name: Scout = Scout { #[cfg(test)] name: stringify!($name), text: $text, found: $found };)*

        /// All of them.
        #[cfg(test)]
        pub(crate) static ALL: &[&Scout] = &[$(&$name),*];
    };
}

scouts! {
    // Behind an account, at a time: account, instance, when the first is due that nothing stands before in its line.
    MESSAGES: &[Bytes, Bytes, Int],
        "WITH RECURSIVE queues (account, place) AS (
             (SELECT o.account, o.place FROM outbox o WHERE o.channel = 0 AND o.state = 0 AND o.account > $1::bytea
              ORDER BY o.account, o.place LIMIT 1)
             UNION ALL
             SELECT n.account, n.place FROM queues q CROSS JOIN LATERAL
                 (SELECT o.account, o.place FROM outbox o
                  WHERE o.channel = 0 AND o.state = 0 AND (o.account, o.place) > (q.account, q.place)
                  ORDER BY o.account, o.place LIMIT 1) AS n
         )
         SELECT q.account, q.place, d.due FROM queues q
         CROSS JOIN LATERAL
             (SELECT 1 FROM accounts a WHERE a.id = q.account AND a.pause IS NULL AND a.suspended_at IS NULL OFFSET 0) AS a
         CROSS JOIN LATERAL
             (SELECT 1 FROM instances i WHERE i.account = q.account AND i.id = q.place AND i.pause IS NULL AND i.connection = 'open'
              OFFSET 0) AS i
         CROSS JOIN LATERAL
             (SELECT o.due FROM outbox o WHERE o.account = q.account AND o.place = q.place AND o.channel = 0 AND o.state = 0
              AND (o.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.account = o.account AND p.order_key = o.order_key
                                                      AND p.log_id < o.log_id AND p.state <> 4))
              ORDER BY o.due LIMIT 1) AS d
         ORDER BY q.account, q.place";
    // Behind an account: account, endpoint, when the first is due. What is held at its endpoint is not due.
    EVENTS: &[Bytes, Bytes, Int],
        "WITH RECURSIVE queues (account, place) AS (
             (SELECT o.account, o.place FROM outbox o WHERE o.channel = 1 AND o.state = 0 AND o.account > $1::bytea
              ORDER BY o.account, o.place LIMIT 1)
             UNION ALL
             SELECT n.account, n.place FROM queues q CROSS JOIN LATERAL
                 (SELECT o.account, o.place FROM outbox o
                  WHERE o.channel = 1 AND o.state = 0 AND (o.account, o.place) > (q.account, q.place)
                  ORDER BY o.account, o.place LIMIT 1) AS n
         )
         SELECT q.account, q.place, d.due FROM queues q
         CROSS JOIN LATERAL
             (SELECT 1 FROM endpoints e WHERE e.account = q.account AND e.id = q.place
              AND (e.removed_at IS NOT NULL OR e.disabled IS NOT NULL OR (e.pause IS NULL AND e.verified_at IS NOT NULL)) OFFSET 0) AS e
         CROSS JOIN LATERAL
             (SELECT o.due FROM outbox o WHERE o.account = q.account AND o.place = q.place AND o.channel = 1 AND o.state = 0
              ORDER BY o.due LIMIT 1) AS d
         ORDER BY q.account, q.place";
    // Behind an account, so many: accounts in which something waits to be heeded.
    INBOXES: &[Bytes],
        "WITH RECURSIVE boxes (account) AS (
             (SELECT o.account FROM outbox o WHERE o.channel = 2 AND o.state = 0 AND o.account > $1::bytea ORDER BY o.account LIMIT 1)
             UNION ALL
             SELECT n.account FROM boxes b CROSS JOIN LATERAL
                 (SELECT o.account FROM outbox o WHERE o.channel = 2 AND o.state = 0 AND o.account > b.account
                  ORDER BY o.account LIMIT 1) AS n
         )
         SELECT account FROM boxes LIMIT $2::bigint";

    // At a time, so many.
    MESSAGES_LEASED: &[Bytes, Bytes],
        "SELECT account, delivery FROM outbox WHERE channel = 0 AND state <> 0 AND state <> 4 AND due <= $1::bigint
         ORDER BY due LIMIT $2::bigint";
    MESSAGES_EXPIRED: &[Bytes, Bytes],
        "SELECT account, delivery FROM outbox WHERE channel = 0 AND state = 0 AND expires_at <= $1::bigint
         ORDER BY expires_at LIMIT $2::bigint";
    EVENTS_LEASED: &[Bytes, Bytes],
        "SELECT account, delivery FROM outbox WHERE channel = 1 AND state <> 0 AND state <> 4 AND due <= $1::bigint
         ORDER BY due LIMIT $2::bigint";
    EVENTS_EXPIRED: &[Bytes, Bytes],
        "SELECT account, delivery FROM outbox WHERE channel = 1 AND state = 0 AND expires_at <= $1::bigint
         ORDER BY expires_at LIMIT $2::bigint";
    REVIEWS_EXPIRED: &[Bytes, Bytes],
        "SELECT account, message FROM reviews WHERE closed_at IS NULL AND expires_at <= $1::bigint ORDER BY expires_at LIMIT $2::bigint";
    BINDINGS_OVER: &[Bytes, Text],
        "SELECT account, key FROM idempotency_keys WHERE bound_at <= $1::bigint ORDER BY bound_at LIMIT $2::bigint";

    // The accounts in which the operator has endpoints.
    OPERATORS: &[Bytes], "SELECT DISTINCT account FROM endpoints WHERE for_operator = 1 AND removed_at IS NULL";
    // Behind one: the recovery whose turn it is, and the one after it.
    RECOVERIES: &[Bytes, Bytes],
        "SELECT account, id FROM recoveries WHERE done_at IS NULL AND canceled_at IS NULL ORDER BY id <= $1::bytea, id LIMIT 2";

    // Whose something is.
    INTEGRATION: &[Bytes], "SELECT account FROM integrations WHERE id = $1::bigint";
    KEY: &[Bytes], "SELECT account FROM api_keys WHERE id = $1::text";
    ACCOUNTS: &[Bytes], "SELECT id FROM accounts";
    KEYS_AMONG: &[Bytes], "SELECT DISTINCT account FROM api_keys WHERE id IN (SELECT jsonb_array_elements_text($1::text::jsonb))";
}

/// The account that stands in a column of what was found.
pub(crate) fn account(row: &Row, column: usize) -> Option<AccountId> {
    super::id(row.get(column)?).map(AccountId::from_bytes)
}

/// What a search begins behind.
pub(crate) fn behind(account: Option<AccountId>) -> Cell {
    Cell::Bytes(account.map_or_else(Vec::new, |account| account.to_bytes().to_vec()))
}
