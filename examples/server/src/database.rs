//! Database: the SQLite file of one host, or the Postgres that several share.

use std::path::Path;
use std::sync::Arc;

use gatepost::{Store, StoreError};
use gatepost_postgres::{OpenError, PostgresStore};
use gatepost_sqlite::{Leaving, SqliteStore};

use crate::Failure;
use crate::config::{DatabaseSettings, DatabaseUrl};

/// A database, opened. Cheap to clone.
#[derive(Clone)]
pub enum Database {
    /// Of several hosts.
    Postgres(PostgresStore),
    /// Of this host.
    Sqlite(SqliteStore),
}

impl Database {
    /// Everything that can be done with it.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// Whether somebody has opened it with a keyring, which is somewhere then.
    pub async fn is_used(&self) -> Result<bool, StoreError> {
        let operator = self.store().operator();
        Ok(!operator.note_roots(Vec::new()).await?.is_empty() || !operator.roots().await?.is_empty())
    }
}

/// Opens the SQLite file at `path`.
pub fn open_file(path: &Path) -> Result<SqliteStore, Failure> {
    let opened = SqliteStore::open(path, gatepost_sqlite::Options::default());
    opened.map_err(|error| closed(path, &error))
}

/// Holds the SQLite file at `path` alone, to copy it to another database.
pub fn hold_file(path: &Path) -> Result<Leaving, Failure> {
    Leaving::open(path).map_err(|error| closed(path, &error))
}

/// Why a file is not opened, and what to do.
fn closed(path: &Path, error: &gatepost_sqlite::OpenError) -> Failure {
    let path = path.display();
    let advice = match error {
        gatepost_sqlite::OpenError::InUse => String::from(": stop its server, and the commands that work in it"),
        gatepost_sqlite::OpenError::Moved(_) => format!(
            ", where the gateway works now: name that one by `database.url`; to work in this file all the same, without what happened there \
             since, `gatepost-server store reopen --from 'sqlite:{path}'`"
        ),
        _ => String::new(),
    };
    Failure::Unavailable(format!("{path}: {error}{advice}"))
}

/// Opens the Postgres at `url`, and migrates it where that is needed.
pub fn open_server(url: &DatabaseUrl, settings: &DatabaseSettings) -> Result<PostgresStore, Failure> {
    PostgresStore::open(url.reveal(), &settings.options()).map_err(|error| refused(url, &error))
}

/// The words of the store, which knows options, with the names of their settings.
fn in_settings(problem: &str) -> String {
    let named = problem.replace("`app_role`", "`database.role`");
    named.replace("`owner_url`", "`database.owner_url` (`--to-owner` of `store copy --to`)")
}

/// What is wrong with the settings, or with the server.
fn refused(url: &DatabaseUrl, error: &OpenError) -> Failure {
    let problem = format!("{url}: {}", in_settings(&error.to_string()));
    match error {
        OpenError::InvalidOption(_) | OpenError::Unfenced { .. } => Failure::Usage(problem),
        _ => Failure::Unavailable(problem),
    }
}
