//! Schema: the migrations, in order, and the version that a database says it has.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::OpenError;

/// Each migration runs once, in a transaction of its own. One that was released is never changed.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_start.sql")];

/// What migrations have run: the version says how many, and this that they were those of this release.
const REGISTER: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, checksum BLOB NOT NULL) STRICT";

/// Brings the database to the newest version; refuses one that a newer release wrote, and one that ran something else.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let newest = MIGRATIONS.len();
    let found: usize = version(connection)?.try_into().unwrap_or(usize::MAX);
    if found > newest {
        return Err(OpenError::NewerSchema { found, newest });
    }
    for (place, migration) in MIGRATIONS.iter().enumerate() {
        if place >= found {
            run(connection, place, migration)?;
        }
        if noted(connection, place)? != Some(checksum(migration)) {
            return Err(OpenError::ChangedMigration { version: place + 1 });
        }
    }
    Ok(())
}

fn run(connection: &mut Connection, place: usize, migration: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    if version(&transaction)? == place as i64 {
        transaction.execute_batch(migration)?;
        transaction.execute_batch(REGISTER)?;
        let note = "INSERT INTO schema_migrations (version, checksum) VALUES (?1, ?2)";
        transaction.execute(note, params![place as i64 + 1, checksum(migration)])?;
        transaction.pragma_update(None, "user_version", place as i64 + 1)?;
    }
    transaction.commit()
}

/// The checksum of the migration that ran in this place; none where none was noted, as early builds did not.
fn noted(connection: &Connection, place: usize) -> rusqlite::Result<Option<[u8; 32]>> {
    if !connection.table_exists(None, "schema_migrations")? {
        return Ok(None);
    }
    let sql = "SELECT checksum FROM schema_migrations WHERE version = ?1";
    connection.query_row(sql, [place as i64 + 1], |row| row.get(0)).optional()
}

fn checksum(migration: &str) -> [u8; 32] {
    Sha256::digest(migration.as_bytes()).into()
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn migrated() -> Connection {
        let mut connection = Connection::open_in_memory().expect("memory is there");
        migrate(&mut connection).expect("an empty database can be migrated");
        connection
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = migrated();
        let before = version(&connection);
        migrate(&mut connection).expect("a database of this version");
        assert_eq!((version(&connection), before), (Ok(MIGRATIONS.len() as i64), Ok(MIGRATIONS.len() as i64)));
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = migrated();
        connection.pragma_update(None, "user_version", 99).expect("a version can be set");
        let refusal = migrate(&mut connection).expect_err("99 is newer");
        assert_eq!(
            refusal.to_string(),
            format!("the database has schema version 99, and this release knows versions up to {}: use a newer release", MIGRATIONS.len())
        );
    }

    #[test]
    fn a_migration_that_was_changed_is_refused() {
        let other_build = "UPDATE schema_migrations SET checksum = zeroblob(32)";
        for made_by in [other_build, "DELETE FROM schema_migrations", "DROP TABLE schema_migrations"] {
            let mut connection = migrated();
            connection.execute_batch(made_by).expect("a statement");
            let refusal = migrate(&mut connection).expect_err("it is another schema");
            assert!(matches!(refusal, OpenError::ChangedMigration { version: 1 }), "{refusal}");
        }
    }

    #[test]
    fn every_table_is_strict() {
        let connection = migrated();
        let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'";
        let mut statement = connection.prepare(sql).expect("the list of tables");
        let lax: Vec<String> = statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("names");
        assert_eq!(lax, Vec::<String>::new());
    }
}
