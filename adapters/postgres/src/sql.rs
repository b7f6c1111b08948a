//! SQL: the text of every statement that reads or writes rows of accounts, made from the tables' descriptions.
//!
//! The players: a [`Lookup`] (rows of one table by many keys at once: the keys are handed over as one array for each part, so that a group
//! of verbs costs one statement, whatever its size), a [`Scout`] (finds what is due in whatever account), [`upsert`], [`insert`] and [`delete`]
//! (many rows at once).

use std::fmt::Write;

use gatepost_rows::cells::{Column, Kind, Table};

use crate::profile::Engine;

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
    #[cfg(test)]
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

/// As that, but those that another transaction has locked are passed over.
pub(crate) fn lock_free(accounts: &Table) -> String {
    format!("{} SKIP LOCKED", lock(accounts))
}

/// Reads accounts.
pub(crate) fn read(accounts: &Table) -> String {
    format!("SELECT {} FROM accounts t WHERE t.id = ANY($1::bytea[]) ORDER BY t.id", columns("t.", accounts))
}

/// Puts rows in that are new.
pub(crate) fn insert(table: &Table) -> String {
    format!("{} ON CONFLICT DO NOTHING", put(table))
}

/// Puts rows in, or makes those that are there what they are now.
pub(crate) fn upsert(table: &Table) -> String {
    let key = table.key;
    let others = table.columns.iter().map(|column| column.name).filter(|name| !key.contains(name));
    let set: Vec<String> = others.map(|name| format!("\"{name}\" = EXCLUDED.\"{name}\"")).collect();
    let key: Vec<String> = key.iter().map(|name| format!("\"{name}\"")).collect();
    format!("{} ON CONFLICT ({}) DO UPDATE SET {}", put(table), key.join(", "), set.join(", "))
}

/// Puts rows in, and fails where one is there.
pub(crate) fn put(table: &Table) -> String {
    let arrays = arrays(table.columns.iter().map(|column| column.kind));
    format!("INSERT INTO {} ({}) SELECT * FROM UNNEST({arrays})", table.name, columns("", table))
}

/// Takes rows out.
///
/// Postgres finds them in a subquery that asks the index for each whole key, and takes them out where they stand: a plan that was made while
/// the table was empty would else walk through it for each key. Other engines have no such places.
pub(crate) fn delete(table: &Table, engine: Engine) -> String {
    let key = table.key;
    let kinds = key.iter().filter_map(|name| table.columns.iter().find(|column| column.name == *name)).map(|column| column.kind);
    let names: Vec<String> = (1..=key.len()).map(|nth| format!("k{nth}")).collect();
    let same: Vec<String> = key.iter().zip(&names).map(|(column, name)| format!("t.\"{column}\" = k.{name}")).collect();
    let (table, keys, same) = (table.name, format!("UNNEST({}) AS k({})", arrays(kinds), names.join(", ")), same.join(" AND "));
    match engine {
        Engine::Postgres => format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM {keys}
             CROSS JOIN LATERAL (SELECT t.ctid FROM {table} t WHERE {same} OFFSET 0) AS f))"
        ),
        Engine::Citus | Engine::Cockroach | Engine::Yugabyte => format!("DELETE FROM {table} t USING {keys} WHERE {same}"),
    }
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

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;
    use std::sync::Arc;

    use gatepost_cluster::Cluster;
    use gatepost_rows::tables::{TABLES, accounts};

    use crate::Options;
    use crate::connect::Database;
    use crate::load::{lookups, parked, scouts};
    use crate::profile::Engine;
    use crate::transaction::{Access, Fence};
    use crate::{fate, retain, roots, sealing, touch};

    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/statements.sql");

    /// Every statement of a verb that writes, by name.
    fn statements() -> Vec<(String, String)> {
        let mut all = vec![
            (String::from("lock"), super::lock(&accounts::ACCOUNTS)),
            (String::from("lock those that are free"), super::lock_free(&accounts::ACCOUNTS)),
            (String::from("read"), super::read(&accounts::ACCOUNTS)),
            (String::from("lease"), sealing::LEASE.to_owned()),
            (String::from("touch"), touch::TOUCH.to_owned()),
            (String::from("identity"), fate::IDENTITY.to_owned()),
            (String::from("fate"), fate::FATE.to_owned()),
            (String::from("noted"), roots::NOTED.to_owned()),
            (String::from("note"), roots::NOTE.to_owned()),
        ];
        all.extend(scouts::ALL.iter().map(|scout| (format!("scout: {}", scout.name), scout.text.to_owned())));
        all.extend(lookups::ALL.iter().map(|lookup| (format!("lookup: {}", lookup.name), lookup.text())));
        for table in TABLES.iter().filter(|table| !matches!(table.name, "retention" | "roots" | "sealing")) {
            all.push((format!("insert: {}", table.name), super::insert(table)));
            all.push((format!("upsert: {}", table.name), super::upsert(table)));
            all.push((format!("delete: {}", table.name), super::delete(table, Engine::Postgres)));
        }
        all.extend(parked::PARK.iter().map(|text| (String::from("park"), (*text).to_owned())));
        all.extend(retain::statements());
        all
    }

    /// Run with `GATEPOST_WRITE_GOLDEN=1` to write it anew.
    #[test]
    fn the_text_of_every_statement_is_as_it_was_reviewed() {
        let mut text = String::new();
        for (name, statement) in statements() {
            let lines: Vec<&str> = statement.lines().map(str::trim).collect();
            writeln!(text, "-- {name}\n{};\n", lines.join("\n")).expect("a string");
        }
        if std::env::var_os("GATEPOST_WRITE_GOLDEN").is_some() {
            std::fs::write(GOLDEN, &text).expect("the file is written");
        }
        assert_eq!(std::fs::read_to_string(GOLDEN).expect("the file"), text);
    }

    #[test]
    fn no_two_lookups_have_one_name() {
        let names: BTreeMap<&str, ()> = lookups::ALL.iter().map(|lookup| (lookup.name, ())).collect();
        assert_eq!(names.len(), lookups::ALL.len());
    }

    #[test]
    fn every_lookup_begins_with_the_account() {
        for lookup in lookups::ALL.iter().filter(|lookup| lookup.name != "KEY") {
            assert!(lookup.tail.contains("= k.k1"), "{} names no account", lookup.name);
        }
    }

    #[test]
    fn the_server_understands_every_statement() {
        let Some(cluster) = Cluster::shared() else { return };
        let database = cluster.create().expect("a database");
        let open = Arc::new(Database::open(&database.url(), &Options::default()).expect("it opens"));
        let runs = {
            let open = Arc::clone(&open);
            async move {
                let (transaction, _) = open.begin(&Fence::finding(), Access::Read).await.expect("it begins");
                for (name, statement) in statements() {
                    assert!(transaction.prepare(&[&statement]).await.is_ok(), "{name} is not understood");
                }
                transaction.roll_back().await;
            }
        };
        open.runtime().wait(runs).expect("no panic");
    }
}
