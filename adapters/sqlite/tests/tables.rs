//! The schema has the tables that all stores share, so that a row of this store is a row of another.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "the rows themselves are looked at after each case of the suite")]
mod stored;

use gatepost_rows::cells::{Kind, Table};
use gatepost_rows::tables::TABLES;
use gatepost_sqlite::{Options, SqliteStore};
use rusqlite::Connection;

fn migrated() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gatepost.db");
    drop(SqliteStore::open(&path, Options::default()).expect("a database"));
    let connection = Connection::open(&path).expect("the same database");
    (folder, connection)
}

fn names(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).expect("a statement");
    let names = statement.query_map([], |row| row.get(0)).expect("rows");
    names.collect::<Result<_, _>>().expect("names")
}

/// The names and types of its columns.
fn columns(connection: &Connection, table: &Table) -> Vec<(String, String)> {
    let sql = "SELECT name, type FROM pragma_table_info(?1) ORDER BY cid";
    let mut statement = connection.prepare(sql).expect("a statement");
    let columns = statement.query_map([table.name], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    columns.collect::<Result<_, _>>().expect("columns")
}

#[test]
fn the_schema_has_these_tables_and_no_others() {
    let (_folder, connection) = migrated();
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut expected: Vec<&str> = TABLES.iter().map(|table| table.name).chain(["schema_migrations"]).collect();
    expected.sort_unstable();
    assert_eq!(names(&connection, sql), expected);
}

#[test]
fn every_table_has_these_columns_in_this_order() {
    let (_folder, connection) = migrated();
    for table in TABLES {
        let kind = |kind: Kind| match kind {
            Kind::Int => "INTEGER",
            Kind::Text => "TEXT",
            Kind::Bytes => "BLOB",
        };
        let expected: Vec<(String, String)> =
            table.columns.iter().map(|column| (column.name.to_owned(), kind(column.kind).to_owned())).collect();
        assert_eq!(columns(&connection, table), expected, "{}", table.name);
    }
}

#[test]
fn every_table_has_this_key() {
    let (_folder, connection) = migrated();
    // What is accepted and not finished is found here by the id alone, which no two accounts share.
    for table in TABLES.iter().filter(|table| table.name != "outbox") {
        let sql = format!("SELECT name FROM pragma_table_info('{}') WHERE pk > 0 ORDER BY pk", table.name);
        assert_eq!(names(&connection, &sql), table.key, "{}", table.name);
    }
}
