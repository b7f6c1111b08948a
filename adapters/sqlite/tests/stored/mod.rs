//! What stands in a database, as the cells of the tables that all stores share.

use std::path::Path;

use gatepost_rows::cells::{Cell, Row, Table};
use gatepost_rows::tables::{self, TABLES};
use gatepost_rows::world::World;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Its rows, table after table.
pub(crate) fn rows(database: &Path) -> Vec<(&'static Table, Vec<Row>)> {
    let connection = Connection::open(database).expect("the database that was just written");
    TABLES.iter().map(|table| (*table, rows_of(&connection, table))).collect()
}

fn rows_of(connection: &Connection, table: &Table) -> Vec<Row> {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let sql = format!("SELECT {} FROM {}", columns.join(", "), table.name);
    let mut statement = connection.prepare(&sql).expect("a table with these columns");
    let row = |row: &rusqlite::Row<'_>| (0..columns.len()).map(|place| row.get_ref(place).map(cell)).collect();
    let rows = statement.query_map([], row).expect("its rows");
    rows.collect::<Result<_, _>>().expect("readable rows")
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::from(bytes),
        ValueRef::Real(_) => panic!("no column holds fractions"),
    }
}

/// Fails where a row is another one once it is read into a world and written again.
pub(crate) fn assert_same_in_a_world(stored: &[(&'static Table, Vec<Row>)]) {
    let mut world = World::default();
    for (table, row) in stored.iter().flat_map(|(table, rows)| rows.iter().map(move |row| (table, row))) {
        tables::put(&mut world, table, row).expect("what was written can be read");
    }
    let image = tables::image(&world);
    let mut written: Vec<(&str, &Row)> = image.rows().map(|(table, row)| (table.name, row)).collect();
    let mut stored: Vec<(&str, &Row)> = stored.iter().flat_map(|(table, rows)| rows.iter().map(|row| (table.name, row))).collect();
    written.sort();
    stored.sort();
    let other: Vec<_> = stored.iter().filter(|row| written.binary_search(row).is_err()).map(|(table, row)| told(table, row)).collect();
    assert!(other.is_empty() && stored.len() == written.len(), "{} rows became {}: {other:#?}", stored.len(), written.len());
}

/// A row in a test's own words: the data of cases is made up.
fn told(table: &str, row: &Row) -> String {
    let cells = row.iter().map(|cell| match cell {
        Cell::Null => String::from("-"),
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Bytes(bytes) => format!("{} bytes", bytes.len()),
    });
    format!("{table}: {}", cells.collect::<Vec<_>>().join(" | "))
}
