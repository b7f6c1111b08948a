//! Events, their deliveries with the attempts, and recoveries.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &EVENTS, put: put_events, write: write_events },
    Codec { table: &EVENT_DELIVERIES, put: put_event_deliveries, write: write_event_deliveries },
    Codec { table: &DELIVERY_ATTEMPTS, put: put_delivery_attempts, write: write_delivery_attempts },
    Codec { table: &RECOVERIES, put: put_recoveries, write: write_recoveries },
];

/// The table `events`.
pub static EVENTS: Table = Table {
    name: "events",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::text("name"),
        Column::bytes("instance"),
        Column::int("occurred_at"),
        Column::text("fields"),
    ],
    key: &["account", "id"],
};

fn put_events(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_events(_world: &World, _rows: &mut Rows) {}

/// The table `event_deliveries`.
pub static EVENT_DELIVERIES: Table = Table {
    name: "event_deliveries",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::bytes("event"),
        Column::text("as_name"),
        Column::bytes("endpoint"),
        Column::int("status"),
        Column::text("error"),
        Column::text("skip"),
        Column::int("tries"),
        Column::text("replay"),
        Column::int("sent_from"),
        Column::text("sent_saw"),
        Column::int("created_at"),
        Column::int("updated_at"),
    ],
    key: &["account", "id"],
};

fn put_event_deliveries(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_event_deliveries(_world: &World, _rows: &mut Rows) {}

/// The table `delivery_attempts`.
pub static DELIVERY_ATTEMPTS: Table = Table {
    name: "delivery_attempts",
    columns: &[
        Column::bytes("account"),
        Column::bytes("delivery"),
        Column::int("number"),
        Column::int("started_at"),
        Column::int("finished_at"),
        Column::text("outcome"),
        Column::text("report"),
    ],
    key: &["account", "delivery", "number"],
};

fn put_delivery_attempts(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_delivery_attempts(_world: &World, _rows: &mut Rows) {}

/// The table `recoveries`.
pub static RECOVERIES: Table = Table {
    name: "recoveries",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::bytes("endpoint"),
        Column::int("since"),
        Column::int("until"),
        Column::text("by"),
        Column::text("reason"),
        Column::int("to_changed_url"),
        Column::bytes("at"),
        Column::int("queued"),
        Column::int("passed_over"),
        Column::int("done_at"),
        Column::int("canceled_at"),
    ],
    key: &["account", "id"],
};

fn put_recoveries(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_recoveries(_world: &World, _rows: &mut Rows) {}
