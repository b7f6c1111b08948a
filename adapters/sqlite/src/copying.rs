//! Copying: a database that moves to another store. Nobody else has it open while its rows are copied, nor opens it afterwards.

use std::path::Path;
use std::time::Duration;

use gatepost::{StoreError, Timestamp};
use gatepost_rows::cells::{Cell, Row, Table};
use gatepost_rows::copying;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use crate::OpenError;
use crate::connection::{CacheKib, open_alone};
use crate::error::{of_commit, of_statement};

/// How long it waits for somebody who is just closing the file.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many bytes of rows are on their way at once, but for the last of them: what a provider posted may have four MiB.
const BYTES_AT_ONCE: usize = 8 * 1024 * 1024;

/// The rows of a database that moves, which nobody else has open as long as this lives.
pub struct Leaving {
    connection: Connection,
}

impl Leaving {
    /// Opens the database at `path`, which a store of this release has opened before.
    ///
    /// # Errors
    ///
    /// [`OpenError::InUse`] where anybody has it open, be it a server that has nothing to do; and where the file cannot be written.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = open_alone(path, CacheKib(2 * 1024), PATIENCE)?;
        // Every connection to a write-ahead log holds the file shared, from its first look at it to its end.
        let held = connection.execute_batch("BEGIN EXCLUSIVE; COMMIT");
        held.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => OpenError::InUse,
            _ => error.into(),
        })?;
        Ok(Self { connection })
    }

    /// All rows of a table, at most so many at a time, and fewer where they hold several MiB.
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
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(row) = found.next().map_err(failed)? {
            let row = cells(row, table.columns.len()).map_err(failed)?;
            bytes += copying::weight(&row);
            rows.push(row);
            if rows.len() >= at_once || bytes >= BYTES_AT_ONCE {
                bytes = 0;
                take(std::mem::take(&mut rows))?;
            }
        }
        if rows.is_empty() { Ok(()) } else { take(rows) }
    }

    /// Has nobody open it any more: its rows are at `to` since `at`.
    ///
    /// # Errors
    ///
    /// Where that cannot be written down.
    pub fn mark_moved(&self, to: &str, at: Timestamp) -> Result<(), StoreError> {
        let transaction = self.connection.unchecked_transaction().map_err(|error| of_statement(&error))?;
        let marked = transaction
            .execute_batch(MARK)
            .and_then(|()| transaction.execute("INSERT INTO moved VALUES (?1, ?2)", params![to, at.as_millis()]));
        marked.map_err(|error| of_statement(&error))?;
        transaction.commit().map_err(|error| of_commit(&error))
    }

    /// Has it opened again; where its rows were, if it had moved.
    ///
    /// # Errors
    ///
    /// Where that cannot be written down.
    pub fn unmark_moved(&self) -> Result<Option<Moved>, StoreError> {
        let was = moved(&self.connection).map_err(|error| of_statement(&error))?;
        self.connection.execute_batch("DROP TABLE IF EXISTS moved").map_err(|error| of_commit(&error))?;
        Ok(was)
    }
}

/// Where the rows of a database went.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Moved {
    /// To which database, as it may be shown to anybody.
    pub to: String,
    /// When.
    pub at: Timestamp,
}

/// The table is there only in a database that has moved.
const MARK: &str = "CREATE TABLE IF NOT EXISTS moved (place TEXT NOT NULL, at INTEGER NOT NULL) STRICT; DELETE FROM moved";

/// Where the rows of this database went, if they did.
pub(crate) fn moved(connection: &Connection) -> rusqlite::Result<Option<Moved>> {
    let is_marked = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'moved'";
    if connection.query_row(is_marked, [], |_| Ok(())).optional()?.is_none() {
        return Ok(None);
    }
    let moved = |row: &rusqlite::Row<'_>| Ok(Moved { to: row.get(0)?, at: Timestamp::from_millis(row.get(1)?) });
    connection.query_row("SELECT place, at FROM moved", [], moved).optional()
}
fn select(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    format!("SELECT {} FROM {}", columns.join(", "), table.name)
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
