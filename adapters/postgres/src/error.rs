//! Errors: what Postgres and the way to it say, in the words of the store.
//!
//! A server's messages and details quote the values that it was sent, and those are numbers and texts of people. So an error here says
//! the SQLSTATE and the names of the schema's parts, and never what the server said itself.

use std::fmt::{self, Write};

use deadpool_postgres::{HookError, PoolError};
use gatepost::StoreError;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// How CockroachDB says that it does not know the fate of a commit.
const COMPLETION_UNKNOWN: &str = "40003";

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A migration that it has run is not the one of that number in this release.
    #[error("the database has run another migration {version} than this release has: it was made by a build that was never released")]
    ChangedMigration {
        /// Its number.
        version: usize,
    },
    /// The URL or an option cannot be.
    #[error("{0}")]
    InvalidOption(String),
    /// A newer release wrote it.
    #[error("the database has schema version {found}, and this release knows versions up to {newest}: use a newer release")]
    NewerSchema {
        /// Its version.
        found: usize,
        /// The newest version this release knows.
        newest: usize,
    },
    /// The server, or the way to it, refused.
    #[error("the database cannot be opened: {0}")]
    Refused(String),
    /// The role that the store would work as passes row level security by, so that nothing but each statement keeps accounts apart.
    #[error("the role `{role}` {cause}, so that row level security does not bind it: name another with `app_role`, or give `owner_url`")]
    Unfenced {
        /// The role.
        role: String,
        /// What it is.
        cause: &'static str,
    },
}

impl From<std::io::Error> for OpenError {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<tokio_postgres::Error> for OpenError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Refused(said(&error))
    }
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        Self::Refused(StoreError::from(failure).to_string())
    }
}

/// Why a transaction came to nothing, and what to do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Failure {
    /// Others were in the way; nothing was written. The same again may pass.
    Again,
    /// Another host holds a lock, and this one was not to wait for it; nothing was written.
    Held,
    /// The connection broke before the commit was sent, so that nothing was written. The same again on another may pass.
    Lost(String),
    /// It would fail again.
    Refused(StoreError),
    /// The commit was sent and its answer did not come; nor could it be found out afterwards.
    Unknown(String),
}

impl Failure {
    /// Whether to run the transaction once more.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Again | Self::Held | Self::Lost(_))
    }

    /// What an error of a commit means.
    pub(crate) fn of_commit(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            // It waited for this commit in vain, and so has not seen it.
            Some(told) if *told.code() == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Self::Lost(said(error)),
            // An error of a commit undoes it, but not where the server ended rather than answered.
            Some(told) if !is_fatal(told) && told.code().code() != COMPLETION_UNKNOWN => of_code(told),
            _ => Self::Unknown(said(error)),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(told) if is_fatal(told) => Self::Lost(said(&error)),
            Some(told) => of_code(told),
            None if is_corrupt(&error) => Self::Refused(StoreError::Corrupt(said(&error))),
            None => Self::Lost(said(&error)),
        }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => match Self::from(error) {
                // Nobody was reached: trying at once again would only hold up the answer.
                Self::Lost(text) => Self::Refused(StoreError::Unavailable(text)),
                failure => failure,
            },
            PoolError::Timeout(_) => Self::Refused(StoreError::Unavailable(String::from("no connection to the database in time"))),
            _ => Self::Refused(StoreError::Unavailable(String::from("no connection to the database"))),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Failure> for StoreError {
    /// What the caller is told once nothing is tried any more.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Again | Failure::Held => Self::Conflict,
            Failure::Lost(text) => Self::Unavailable(text),
            Failure::Refused(error) => error,
            Failure::Unknown(text) => Self::OutcomeUnknown(text),
        }
    }
}

/// What an error says, without any value.
pub(crate) fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(told) => Told(told).to_string(),
        None => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(deeper) = cause {
                // Writing to a string does not fail.
                let _ = write!(text, ": {deeper}");
                cause = deeper.source();
            }
            text
        }
    }
}

/// An error of the server by its code and by what of the schema it names.
struct Told<'a>(&'a DbError);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(told) = self;
        write!(f, "the server said {}", told.code().code())?;
        if let Some(meaning) = meaning(told.code()) {
            write!(f, ", {meaning}")?;
        }
        let names = [("table", told.table()), ("column", told.column()), ("constraint", told.constraint()), ("routine", told.routine())];
        for (kind, name) in names {
            if let Some(name) = name {
                write!(f, ", {kind} `{name}`")?;
            }
        }
        Ok(())
    }
}

/// What those codes mean that somebody sees who has just set it up.
fn meaning(code: &SqlState) -> Option<&'static str> {
    Some(match *code {
        SqlState::INVALID_PASSWORD => "the password is wrong, or there is no such role",
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => "the role may not log in from here",
        SqlState::INVALID_CATALOG_NAME => "there is no such database",
        SqlState::INSUFFICIENT_PRIVILEGE => "the role may not do that",
        SqlState::DUPLICATE_TABLE => "tables of something else are in the way",
        SqlState::TOO_MANY_CONNECTIONS => "it has too many connections",
        SqlState::CANNOT_CONNECT_NOW => "it is starting or stopping",
        SqlState::READ_ONLY_SQL_TRANSACTION => "it takes no writes",
        _ => return None,
    })
}

fn of_code(told: &DbError) -> Failure {
    let code = told.code();
    let text = Told(told).to_string();
    match code.code().get(..2).unwrap_or_default() {
        _ if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED => Failure::Again,
        _ if *code == SqlState::LOCK_NOT_AVAILABLE => Failure::Held,
        // Statements go out together: this one came behind the one that failed, whose answer may be seen later.
        _ if *code == SqlState::IN_FAILED_SQL_TRANSACTION => Failure::Again,
        // The prepared plan is of another schema: a new connection prepares anew.
        _ if is_stale_plan(told) => Failure::Lost(text),
        "08" => Failure::Lost(text),
        // Two hosts put the same row in: the one that comes second finds it when it looks again.
        "23" if *code == SqlState::UNIQUE_VIOLATION => Failure::Again,
        "57" if *code == SqlState::QUERY_CANCELED => {
            Failure::Refused(StoreError::Unavailable(String::from("a statement took longer than it may")))
        }
        // Data exceptions, integrity constraints, limits of the program.
        "22" | "23" | "54" => Failure::Refused(StoreError::Unwritable(text)),
        "XX" if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED => Failure::Refused(StoreError::Corrupt(text)),
        _ => Failure::Refused(StoreError::Unavailable(text)),
    }
}

fn is_stale_plan(told: &DbError) -> bool {
    *told.code() == SqlState::FEATURE_NOT_SUPPORTED && told.routine() == Some("RevalidateCachedQuery")
}

fn is_fatal(told: &DbError) -> bool {
    matches!(told.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

/// Whether a column held what it cannot.
fn is_corrupt(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    text.starts_with("error deserializing column") || text.starts_with("invalid column")
}
