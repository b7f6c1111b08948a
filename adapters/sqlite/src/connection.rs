//! Connection: one way into the database file, with the settings that the promises rest on.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::OpenError;

/// SQLite 3.51.3 mended a rare corruption when the write-ahead log is reset (sqlite.org/wal.html, "The WAL-Reset Bug").
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// How long one process waits for another's transaction, for example for that of a command line beside the server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements that stay prepared; more than there are.
const STATEMENTS_MAX: usize = 160;

/// How much of the file one connection keeps in memory.
#[derive(Clone, Copy)]
pub(crate) struct CacheKib(pub(crate) u32);

/// Opens the connection that writes: `synchronous=FULL`, so that a commit has reached the disk when it is answered.
pub(crate) fn open_writer(path: &Path, cache: CacheKib) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenError::OldSqlite { found: rusqlite::version() });
    }
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE, cache)?;
    let journal_mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if journal_mode != "wal" {
        return Err(OpenError::NoWal { found: journal_mode });
    }
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(connection)
}

/// Opens a connection that reads beside the writer.
pub(crate) fn open_reader(path: &Path, cache: CacheKib) -> Result<Connection, OpenError> {
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, cache)
}

/// Opens the connection of a database that nobody else has open, which is held from the first statement on.
pub(crate) fn open_alone(path: &Path, cache: CacheKib, patience: Duration) -> Result<Connection, OpenError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, cache)?;
    connection.busy_timeout(patience)?;
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags, cache: CacheKib) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Plans do not depend on the values bound; otherwise SQLite prepares a statement anew for each value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -i64::from(cache.0))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise 1 rests on this: with `synchronous=NORMAL` a power cut loses commits that were answered.
    #[test]
    fn the_writer_syncs_each_commit() -> Result<(), Box<dyn std::error::Error>> {
        const FULL: i64 = 2;
        let folder = tempfile::tempdir()?;
        let connection = open_writer(&folder.path().join("gatepost.db"), CacheKib(1024))?;
        let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        let journal_mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        assert_eq!((synchronous, journal_mode.as_str()), (FULL, "wal"));
        Ok(())
    }

    #[test]
    fn a_reader_cannot_write() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("gatepost.db");
        open_writer(&path, CacheKib(1024))?.execute_batch("CREATE TABLE t (x INTEGER) STRICT")?;
        assert!(open_reader(&path, CacheKib(1024))?.execute_batch("INSERT INTO t VALUES (1)").is_err());
        Ok(())
    }
}
