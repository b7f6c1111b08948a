//! Contacts, their addresses, and what they said of us.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &CONTACTS, put: put_contacts, write: write_contacts },
    Codec { table: &CONVERSATIONS, put: put_conversations, write: write_conversations },
    Codec { table: &ADDRESSES, put: put_addresses, write: write_addresses },
    Codec { table: &SUPPRESSIONS, put: put_suppressions, write: write_suppressions },
];

/// The table `contacts`.
pub static CONTACTS: Table = Table {
    name: "contacts",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::text("suppressed_by"),
        Column::int("suppressed_at"),
        Column::bytes("suspected_by"),
        Column::int("suspected_at"),
        Column::int("window_until"),
        Column::text("address"),
        Column::text("others"),
        Column::text("name"),
        Column::int("named_at"),
        Column::bytes("merged_into"),
        Column::int("live_tat"),
        Column::int("test_tat"),
        Column::int("live_hour"),
        Column::int("live_print"),
        Column::int("test_hour"),
        Column::int("test_print"),
    ],
    key: &["account", "id"],
};

fn put_contacts(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_contacts(_world: &World, _rows: &mut Rows) {}

/// The table `conversations`.
pub static CONVERSATIONS: Table = Table {
    name: "conversations",
    columns: &[Column::bytes("account"), Column::bytes("contact"), Column::bytes("instance"), Column::int("until")],
    key: &["account", "contact", "instance"],
};

fn put_conversations(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_conversations(_world: &World, _rows: &mut Rows) {}

/// The table `addresses`.
pub static ADDRESSES: Table = Table {
    name: "addresses",
    columns: &[Column::bytes("account"), Column::text("address"), Column::bytes("contact")],
    key: &["account", "address"],
};

fn put_addresses(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_addresses(_world: &World, _rows: &mut Rows) {}

/// The table `suppressions`.
pub static SUPPRESSIONS: Table = Table {
    name: "suppressions",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::bytes("contact"),
        Column::text("address"),
        Column::text("cause"),
        Column::text("note"),
        Column::int("since"),
        Column::text("by"),
        Column::int("lifted_at"),
        Column::text("lifted_by"),
    ],
    key: &["account", "id"],
};

fn put_suppressions(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_suppressions(_world: &World, _rows: &mut Rows) {}
