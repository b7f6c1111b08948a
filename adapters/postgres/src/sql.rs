//! SQL: the text of every statement that reads or writes rows of accounts, made from the tables' descriptions.
//!
//! The players: a [`Lookup`] (rows of one table by many keys at once: the keys are handed over as one array for each part, so that a group
//! of verbs costs one statement, whatever its size), a [`Scout`] (finds what is due in whatever account), [`upsert`], [`insert`] and [`delete`]
//! (many rows at once).

use std::fmt::Write;

use gatepost_rows::cells::{Column, Kind, Table};

/// A way to find rows of one table by keys.
pub(crate) struct Lookup {
    /// What it finds.
    pub(crate) name: &'static str,
    /// Whose rows.
    pub(crate) table: &'static Table,
    /// What a key consists of; the parts are called `k.k1`, `k.k2` and so on.
    pub(crate) keys: &'static [Kind],
    /// How the rows, called `t`, are found from the key.
    pub(crate) tail: &'static str,
}

impl Lookup {
    /// The statement.
    pub(crate) fn text(&self) -> String {
        let (columns, arrays) = (columns("t.", self.table), arrays(self.keys.iter().copied()));
        let names: Vec<String> = (1..=self.keys.len()).map(|nth| format!("k{nth}")).collect();
        format!("SELECT {columns} FROM UNNEST({arrays}) AS k({}) {}", names.join(", "), self.tail)
    }
}

/// A way to find what is due in whatever account.
pub(crate) struct Scout {
    /// What it finds.
    pub(crate) name: &'static str,
    /// The statement.
    pub(crate) text: &'static str,
    /// The columns of what it finds.
    pub(crate) found: &'static [Kind],
}

/// Locks accounts, in the order of their ids, and reads them.
pub(crate) fn lock(accounts: &Table) -> String {
    format!("SELECT {} FROM accounts t WHERE t.id = ANY($1::bytea[]) ORDER BY t.id FOR NO KEY UPDATE", columns("t.", accounts))
}

/// Reads accounts.
pub(crate) fn read(accounts: &Table) -> String {
    format!("SELECT {} FROM accounts t WHERE t.id = ANY($1::bytea[]) ORDER BY t.id", columns("t.", accounts))
}

/// The columns that tell a table's rows apart here: everything but accounts and keys is found below its account.
pub(crate) fn key(table: &Table) -> &'static [&'static str] {
    if table.name == "outbox" { &["account", "delivery"] } else { table.key }
}

/// Puts rows in that are new.
pub(crate) fn insert(table: &Table) -> String {
    format!("{} ON CONFLICT DO NOTHING", put(table))
}

/// Puts rows in, or makes those that are there what they are now.
pub(crate) fn upsert(table: &Table) -> String {
    let key = key(table);
    let others = table.columns.iter().map(|column| column.name).filter(|name| !key.contains(name));
    let set: Vec<String> = others.map(|name| format!("\"{name}\" = EXCLUDED.\"{name}\"")).collect();
    let key: Vec<String> = key.iter().map(|name| format!("\"{name}\"")).collect();
    format!("{} ON CONFLICT ({}) DO UPDATE SET {}", put(table), key.join(", "), set.join(", "))
}

fn put(table: &Table) -> String {
    let arrays = arrays(table.columns.iter().map(|column| column.kind));
    format!("INSERT INTO {} ({}) SELECT * FROM UNNEST({arrays})", table.name, columns("", table))
}

/// Takes rows out.
pub(crate) fn delete(table: &Table) -> String {
    let key = key(table);
    let kinds = key.iter().filter_map(|name| table.columns.iter().find(|column| column.name == *name)).map(|column| column.kind);
    let names: Vec<String> = (1..=key.len()).map(|nth| format!("k{nth}")).collect();
    let same: Vec<String> = key.iter().zip(&names).map(|(column, name)| format!("t.\"{column}\" = k.{name}")).collect();
    format!("DELETE FROM {} t USING UNNEST({}) AS k({}) WHERE {}", table.name, arrays(kinds), names.join(", "), same.join(" AND "))
}

fn columns(prefix: &str, table: &Table) -> String {
    let quoted = |column: &Column| format!("{prefix}\"{}\"", column.name);
    table.columns.iter().map(quoted).collect::<Vec<_>>().join(", ")
}

fn arrays(kinds: impl Iterator<Item = Kind>) -> String {
    let mut text = String::new();
    for (nth, kind) in kinds.enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{}${}::{}[]", if nth == 0 { "" } else { ", " }, nth + 1, name(kind));
    }
    text
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "bigint",
        Kind::Text => "text",
        Kind::Bytes => "bytea",
    }
}
