//! Write: what became of the rows that were read, as few statements over many rows.
//!
//! The players: [`Writes`] (the difference between what was read and what is), [`Arrays`] (rows turned into one array for each column).

use std::collections::{BTreeMap, BTreeSet};

use gatepost_rows::cells::{Cell, Kind, Row, Table};
use gatepost_rows::tables::{Image, TABLES};
use tokio_postgres::types::ToSql;

use crate::clock::move_lease;
use crate::load::Base;
use crate::profile::Engine;
use crate::sql;
use crate::value::Value;

/// What must be written.
#[derive(Default)]
pub(crate) struct Writes(pub(crate) Vec<Write>);

/// One statement over many rows.
pub(crate) struct Write {
    /// The statement.
    pub(crate) text: String,
    /// The rows, or the keys of those that go.
    pub(crate) arrays: Arrays,
    /// The table.
    pub(crate) table: &'static Table,
    /// The rows where all of them must be new.
    pub(crate) new: Vec<Row>,
}

impl Writes {
    /// What makes the rows that were read those of `now`, in a database whose clock is ahead by so much.
    pub(crate) fn between(base: &Base, now: &Image, engine: Engine, skew_millis: i64) -> Self {
        let mut writes = Self::default();
        let mut rows = now.rows().peekable();
        for table in TABLES {
            let of_table = std::iter::from_fn(|| rows.next_if(|(of, _)| of.name == table.name)).map(|(_, row)| row);
            writes.table(table, base.by_key(table), &of_table.collect::<Vec<_>>(), engine, skew_millis);
        }
        writes
    }

    fn table(&mut self, table: &'static Table, before: Option<&BTreeMap<Vec<Cell>, Row>>, rows: &[&Row], engine: Engine, skew_millis: i64) {
        let (mut new, mut changed, mut kept) = (Vec::new(), Vec::new(), 0);
        for row in rows {
            match before.and_then(|before| before.get(&table.key_of(row))) {
                None => new.push(*row),
                Some(before) => {
                    kept += 1;
                    changed.extend(Some(*row).filter(|row| *before != **row));
                }
            }
        }
        if let Some(before) = before.filter(|before| before.len() > kept) {
            let after: BTreeSet<Vec<Cell>> = rows.iter().map(|row| table.key_of(row)).collect();
            self.delete(table, engine, before.keys().filter(|key| !after.contains(*key)));
        }
        if skew_millis == 0 || table.name != "outbox" {
            return self.put(table, new, changed);
        }
        let [new, changed] = [new, changed].map(|rows| moved(table, &rows, skew_millis));
        self.put(table, new.iter().collect(), changed.iter().collect());
    }

    fn delete<'a>(&mut self, table: &'static Table, engine: Engine, keys: impl Iterator<Item = &'a Vec<Cell>>) {
        let kinds = table.key.iter().filter_map(|name| table.columns.iter().find(|column| column.name == *name));
        let arrays = Arrays::of(kinds.map(|column| column.kind), keys);
        if !arrays.is_empty() {
            self.0.push(Write { text: sql::delete(table, engine), arrays, table, new: Vec::new() });
        }
    }

    /// An event that is told once more stays as it is. A delivery of it that is there already must be read before anything is done; and so
    /// must a count, or what nobody read would be written over. What changed goes first: it may let go of a key that something new has.
    fn put(&mut self, table: &'static Table, new: Vec<&Row>, changed: Vec<&Row>) {
        let must_be_new = matches!(table.name, "event_deliveries" | "traffic" | "usage");
        let is_inserted = must_be_new || table.name == "events";
        let (inserted, upserted) = if is_inserted { (new, changed) } else { (Vec::new(), [changed, new].concat()) };
        let kinds = || table.columns.iter().map(|column| column.kind);
        if !inserted.is_empty() {
            let arrays = Arrays::of(kinds(), inserted.iter().copied());
            let new = if must_be_new { inserted.into_iter().cloned().collect() } else { Vec::new() };
            self.0.push(Write { text: sql::insert(table), arrays, table, new });
        }
        if !upserted.is_empty() {
            self.0.push(Write { text: sql::upsert(table), arrays: Arrays::of(kinds(), upserted.into_iter()), table, new: Vec::new() });
        }
    }
}

/// Rows with their leases by the database's clock.
fn moved(table: &Table, rows: &[&Row], skew_millis: i64) -> Vec<Row> {
    let moved = |row: &&Row| {
        let mut row = (*row).clone();
        move_lease(table, &mut row, skew_millis);
        row
    };
    rows.iter().map(moved).collect()
}

/// An array for each column.
pub(crate) struct Arrays(Vec<Array>);

struct Array {
    kind: Kind,
    values: Vec<Value>,
}

impl Arrays {
    /// The columns of rows.
    pub(crate) fn of<'a>(kinds: impl Iterator<Item = Kind>, rows: impl Iterator<Item = &'a Vec<Cell>>) -> Self {
        let mut arrays: Vec<Array> = kinds.map(|kind| Array { kind, values: Vec::new() }).collect();
        for row in rows {
            arrays.iter_mut().zip(row).for_each(|(array, cell)| array.push(cell));
        }
        Self(arrays)
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.0.first().map_or(0, |array| array.values.len())
    }

    /// As a statement's parameters.
    pub(crate) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.0.iter().map(|array| -> &(dyn ToSql + Sync) { &array.values }).collect()
    }
}

impl Array {
    /// What is of another kind is nothing, which a column that must have something refuses.
    fn push(&mut self, cell: &Cell) {
        self.values.push(Value(if cell.kind() == Some(self.kind) { cell.clone() } else { Cell::Null }));
    }
}
