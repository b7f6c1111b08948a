//! Messages, with what names them, their attempts and their reviews.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &MESSAGES, put: put_messages, write: write_messages },
    Codec { table: &EXTERNAL_IDS, put: put_external_ids, write: write_external_ids },
    Codec { table: &IDEMPOTENCY_KEYS, put: put_idempotency_keys, write: write_idempotency_keys },
    Codec { table: &ATTEMPTS, put: put_attempts, write: write_attempts },
    Codec { table: &REVIEWS, put: put_reviews, write: write_reviews },
];

/// The table `messages`.
pub static MESSAGES: Table = Table {
    name: "messages",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::int("log_id"),
        Column::bytes("instance"),
        Column::bytes("contact"),
        Column::text("address"),
        Column::text("purpose"),
        Column::text("content"),
        Column::text("mode"),
        Column::text("origin"),
        Column::int("ordered"),
        Column::text("status"),
        Column::text("error"),
        Column::text("external_id"),
        Column::int("sent_try"),
        Column::int("sent_from"),
        Column::int("sent_at"),
        Column::bytes("delivery"),
        Column::int("charged_day"),
        Column::int("charged_month"),
        Column::int("created_at"),
        Column::int("updated_at"),
    ],
    key: &["account", "id"],
};

fn put_messages(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_messages(_world: &World, _rows: &mut Rows) {}

/// The table `external_ids`.
pub static EXTERNAL_IDS: Table = Table {
    name: "external_ids",
    columns: &[Column::bytes("account"), Column::bytes("instance"), Column::text("external_id"), Column::bytes("message")],
    key: &["account", "instance", "external_id"],
};

fn put_external_ids(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_external_ids(_world: &World, _rows: &mut Rows) {}

/// The table `idempotency_keys`.
pub static IDEMPOTENCY_KEYS: Table = Table {
    name: "idempotency_keys",
    columns: &[
        Column::bytes("account"),
        Column::text("key"),
        Column::bytes("fingerprint"),
        Column::bytes("message"),
        Column::int("bound_at"),
    ],
    key: &["account", "key"],
};

fn put_idempotency_keys(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_idempotency_keys(_world: &World, _rows: &mut Rows) {}

/// The table `attempts`.
pub static ATTEMPTS: Table = Table {
    name: "attempts",
    columns: &[
        Column::bytes("account"),
        Column::bytes("message"),
        Column::int("number"),
        Column::int("started_at"),
        Column::int("finished_at"),
        Column::text("outcome"),
    ],
    key: &["account", "message", "number"],
};

fn put_attempts(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_attempts(_world: &World, _rows: &mut Rows) {}

/// The table `reviews`.
pub static REVIEWS: Table = Table {
    name: "reviews",
    columns: &[
        Column::bytes("account"),
        Column::bytes("message"),
        Column::text("opened_by"),
        Column::int("policy_event"),
        Column::int("opened_at"),
        Column::int("expires_at"),
        Column::int("approved_at"),
        Column::text("approved_by"),
        Column::text("approval_note"),
        Column::int("closed_at"),
        Column::text("closed_by"),
        Column::text("verdict"),
        Column::text("note"),
    ],
    key: &["account", "message"],
};

fn put_reviews(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_reviews(_world: &World, _rows: &mut Rows) {}
