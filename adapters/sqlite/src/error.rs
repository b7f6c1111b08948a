//! Errors: what SQLite says, in the words of the store.

use gatepost::StoreError;
use rusqlite::ErrorCode;

use crate::copying::Moved;

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A migration that it has run is not the one of that number in this release.
    #[error("the database has run another migration {version} than this release has: it was made by a build that was never released")]
    ChangedMigration {
        /// Its number.
        version: usize,
    },
    /// Somebody else has it open.
    #[error("somebody else has the database open")]
    InUse,
    /// Its rows were copied to another database, where the gateway works now.
    #[error("its rows were copied to {} at {}", .0.to, .0.at)]
    Moved(Moved),
    /// A newer release wrote it.
    #[error("the database has schema version {found}, and this release knows versions up to {newest}: use a newer release")]
    NewerSchema {
        /// Its version.
        found: usize,
        /// The newest version this release knows.
        newest: usize,
    },
    /// It cannot keep a write-ahead log, as on some network file systems.
    #[error("the database cannot keep a write-ahead log here (journal mode `{found}`): use a local disk")]
    NoWal {
        /// The journal mode it has instead.
        found: String,
    },
    /// The SQLite library linked is too old to be trusted.
    #[error("the SQLite library is version {found}; 3.51.3 or later is needed")]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
    /// SQLite or the operating system refused.
    #[error("the database cannot be opened: {0}")]
    Refused(String),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<std::io::Error> for OpenError {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Whether a row was read that holds what it cannot.
pub(crate) const fn is_unreadable(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    matches!(error, FromSqlConversionFailure(..) | InvalidColumnType(..) | IntegralValueOutOfRange(..))
}

/// What an error of a statement means: nothing was written.
pub(crate) fn of_statement(error: &rusqlite::Error) -> StoreError {
    match error {
        _ if is_unreadable(error) => StoreError::Corrupt(error.to_string()),
        rusqlite::Error::UnwindingPanic => StoreError::Unwritable(String::from("the verb panicked")),
        _ => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(error.to_string()),
            Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => StoreError::Unwritable(error.to_string()),
            _ => StoreError::Unavailable(error.to_string()),
        },
    }
}

/// What an error of a commit means. After a failed write or sync nobody knows what reached the disk.
pub(crate) fn of_commit(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => StoreError::OutcomeUnknown(error.to_string()),
        _ => of_statement(error),
    }
}
