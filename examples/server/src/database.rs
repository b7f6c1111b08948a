//! Database: the SQLite file of one host, or the Postgres that several share.

use std::path::Path;
use std::sync::Arc;

use gatepost::{Store, StoreError};
use gatepost_postgres::{OpenError, PostgresStore};
use gatepost_sqlite::SqliteStore;

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
    opened.map_err(|error| Failure::Unavailable(format!("{}: {error}", path.display())))
}

/// Opens the Postgres at `url`, and migrates it where that is needed.
pub fn open_server(url: &DatabaseUrl, settings: &DatabaseSettings) -> Result<PostgresStore, Failure> {
    PostgresStore::open(url.reveal(), &settings.options()).map_err(|error| refused(url, &error))
}

/// What is wrong with the settings, or with the server.
fn refused(url: &DatabaseUrl, error: &OpenError) -> Failure {
    let problem = format!("{url}: {error}");
    match error {
        OpenError::InvalidOption(_) | OpenError::Unfenced { .. } => Failure::Usage(problem),
        _ => Failure::Unavailable(problem),
    }
}
