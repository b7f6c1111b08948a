//! What cannot be read: whom that concerns, and which deliveries are set aside for it.

use gatepost_rows::cells::{Cell, Table};
use gatepost_rows::tables;

use super::{Bad, Base, Needs, cell, key_of, lookups};

/// What parks deliveries, in this order: what became of what they carry, the deliveries themselves last. Nobody knows whether a message
/// was sent; what stood behind it in its line may go.
pub(crate) const PARK: [&str; 4] = [
    "UPDATE messages t SET status = 'unknown', updated_at = floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
     FROM UNNEST($1::bytea[], $2::bytea[]) AS k (account, delivery)
     JOIN outbox o ON o.account = k.account AND o.delivery = k.delivery AND o.channel = 0
     WHERE t.account = o.account AND t.id = o.item",
    "UPDATE event_deliveries t SET status = 2, updated_at = floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
     FROM UNNEST($1::bytea[], $2::bytea[]) AS k (account, delivery)
     JOIN outbox o ON o.account = k.account AND o.delivery = k.delivery AND o.channel = 1
     WHERE t.account = o.account AND t.id = o.delivery",
    "UPDATE outbox t SET due = least(t.due, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
     FROM UNNEST($1::bytea[], $2::bytea[]) AS k (account, delivery)
     JOIN outbox o ON o.account = k.account AND o.delivery = k.delivery AND o.channel = 1
     CROSS JOIN LATERAL (SELECT n.delivery FROM outbox n WHERE n.account = o.account AND n.order_key = o.order_key AND n.state <> 4
                         AND n.delivery <> o.delivery ORDER BY n.log_id LIMIT 1) AS next
     WHERE t.account = o.account AND t.delivery = next.delivery AND t.state = 0",
    "UPDATE outbox t SET state = 4 FROM UNNEST($1::bytea[], $2::bytea[]) AS k (account, delivery)
     WHERE t.account = k.account AND t.delivery = k.delivery",
];

/// Whether rows of a table are there for a delivery, which then is set aside rather than its account.
pub(crate) fn is_carried(table: &Table) -> bool {
    matches!(
        table.name,
        "outbox" | "messages" | "reviews" | "attempts" | "contacts" | "events" | "event_deliveries" | "delivery_attempts" | "inbound"
    )
}

/// Whether a verb about one thing has asked for this, and not only for what waits beside it.
pub(crate) fn is_asked_for(bad: &Bad, known: &Needs) -> bool {
    match bad.table.name {
        "outbox" => false,
        "messages" | "reviews" => known.has(&lookups::MESSAGE, &key_of(bad.table, &bad.row)),
        _ => true,
    }
}

/// The deliveries that carry what cannot be read.
pub(crate) fn carriers(bad: &Bad, base: &Base) -> Vec<Vec<Cell>> {
    let outbox = &tables::outbox::OUTBOX;
    let of_bad = |column| cell(bad.table, &bad.row, column);
    let (column, value) = match bad.table.name {
        "outbox" => return vec![key_of(outbox, &bad.row)],
        "messages" | "events" | "inbound" => ("item", of_bad("id")),
        "reviews" | "attempts" => ("item", of_bad("message")),
        "contacts" => ("contact", of_bad("id")),
        "event_deliveries" => ("delivery", of_bad("id")),
        "delivery_attempts" => ("delivery", of_bad("delivery")),
        _ => return Vec::new(),
    };
    let carries = |row: &&Vec<Cell>| cell(outbox, row, "account") == of_bad("account") && cell(outbox, row, column) == value;
    base.of(outbox).filter(carries).map(|row| key_of(outbox, row)).collect()
}
