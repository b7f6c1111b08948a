//! What cannot be read: whom that concerns, and which deliveries are set aside for it.

use gatepost_rows::cells::Cell;
use gatepost_rows::tables;

use super::{Bad, Base, Needs, cell, lookups};

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

/// Whether a verb about one thing has asked for this, and not only for what waits beside it.
pub(crate) fn is_asked_for(bad: &Bad, known: &Needs) -> bool {
    match bad.table.name {
        "outbox" => false,
        "messages" | "reviews" => {
            known.has(&lookups::MESSAGE, &[of(bad, "account"), of(bad, if bad.table.name == "messages" { "id" } else { "message" })])
        }
        _ => true,
    }
}

/// Whether it is the delivery of a message that was asked for: then it is none, and stays as it is.
pub(crate) fn is_passed_over(bad: &Bad, known: &Needs) -> bool {
    bad.table.name == "outbox" && known.has(&lookups::MESSAGE, &[of(bad, "account"), of(bad, "item")])
}

fn of(bad: &Bad, column: &str) -> Cell {
    cell(bad.table, &bad.row, column).clone()
}

/// The deliveries that carry what cannot be read.
pub(crate) fn carriers(bad: &Bad, base: &Base) -> Vec<Vec<Cell>> {
    let outbox = &tables::outbox::OUTBOX;
    let (column, value) = match bad.table.name {
        "outbox" => return vec![outbox.key_of(&bad.row)],
        "messages" | "events" | "inbound" => ("item", of(bad, "id")),
        "reviews" | "attempts" => ("item", of(bad, "message")),
        "contacts" => ("contact", of(bad, "id")),
        "event_deliveries" => ("delivery", of(bad, "id")),
        "delivery_attempts" => ("delivery", of(bad, "delivery")),
        _ => return Vec::new(),
    };
    let account = of(bad, "account");
    let came_in = &tables::inbound::INBOUND;
    // What a contact wrote who cannot be read.
    let wrote: Vec<&Cell> = match bad.table.name {
        "contacts" => base.of(came_in).filter(|row| *cell(came_in, row, "contact") == value).map(|row| cell(came_in, row, "id")).collect(),
        _ => Vec::new(),
    };
    let carries = |row: &&Vec<Cell>| {
        *cell(outbox, row, "account") == account && (*cell(outbox, row, column) == value || wrote.contains(&cell(outbox, row, "item")))
    };
    base.of(outbox).filter(carries).map(|row| outbox.key_of(row)).collect()
}
