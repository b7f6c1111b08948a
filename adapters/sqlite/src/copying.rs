//! Copying: the rows of every table as they stand at one moment, for another store.

use gatepost::StoreError;
use gatepost_rows::cells::{Cell, Row, Table};
use gatepost_rows::copying;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::connection::{CacheKib, open_reader};
use crate::error::of_statement;
use crate::{OpenError, SqliteStore};

/// The database as it was at one moment, while others write on.
pub struct Snapshot {
    connection: Connection,
    version: i64,
}

impl SqliteStore {
    /// Holds on to the database as it is now, so that all of its rows can be copied.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, OpenError> {
        let connection = open_reader(self.path(), CacheKib(2 * 1024))?;
        let version = data_version(&connection)?;
        connection.execute_batch("BEGIN")?;
        // A transaction begins with what it reads first.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(Snapshot { connection, version })
    }
}

impl Snapshot {
    /// All rows of a table, so many at a time, in the order of [`copying::order`].
    ///
    /// # Errors
    ///
    /// Where a row cannot be read, or cannot be taken.
    pub fn rows<E: From<StoreError>>(
        &self,
        table: &Table,
        at_once: usize,
        mut take: impl FnMut(Vec<Row>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: rusqlite::Error| E::from(of_statement(&error));
        let mut statement = self.connection.prepare(&select(table)).map_err(failed)?;
        let mut found = statement.query([]).map_err(failed)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(failed)? {
            rows.push(cells(row, table.columns.len()).map_err(failed)?);
            if rows.len() >= at_once {
                take(std::mem::take(&mut rows))?;
            }
        }
        if rows.is_empty() { Ok(()) } else { take(rows) }
    }

    /// Lets go of it; whether somebody wrote meanwhile, so that the database is another now.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn is_outdated(self) -> Result<bool, StoreError> {
        let ended = self.connection.execute_batch("ROLLBACK").and_then(|()| data_version(&self.connection));
        ended.map(|version| version != self.version).map_err(|error| of_statement(&error))
    }
}

/// Differs once another connection has written.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0))
}

fn select(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let order: Vec<String> = copying::order(table).iter().map(|column| format!("\"{column}\"")).collect();
    format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), table.name, order.join(", "))
}

fn cells(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<Row> {
    (0..columns).map(|column| cell(row, column)).collect()
}

fn cell(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Cell> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(number) => Ok(Cell::Int(number)),
        ValueRef::Blob(bytes) => Ok(Cell::from(bytes)),
        // No table has a column of fractions.
        ValueRef::Text(_) | ValueRef::Real(_) => row.get(column).map(Cell::Text),
    }
}
