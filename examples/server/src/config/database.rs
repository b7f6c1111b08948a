//! Database: the Postgres that several hosts share, where it is not the SQLite file of the data folder.

use serde::{Deserialize, Serialize};

use super::values::{self, Bounded, DatabaseUrl};

/// Where the database is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    /// The Postgres that the gateway works in; none: SQLite, in the data folder.
    #[serde(with = "values::or_empty")]
    pub url: Option<DatabaseUrl>,
    /// The same database for the role that owns the tables and migrates them; none: the role of `url` does.
    #[serde(with = "values::or_empty")]
    pub owner_url: Option<DatabaseUrl>,
    /// The role that connections step down to, where that of `url` owns the tables.
    pub role: String,
    /// How many connections are kept at most.
    pub connections: Bounded<2, 1_000>,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        let gatepost_postgres::Options { app_role, connections, .. } = gatepost_postgres::Options::default();
        Self { url: None, owner_url: None, role: app_role, connections: Bounded::nearest(connections as u64) }
    }
}

impl DatabaseSettings {
    /// How the Postgres is opened.
    pub fn options(&self) -> gatepost_postgres::Options {
        gatepost_postgres::Options {
            app_role: self.role.clone(),
            connections: self.connections.get() as usize,
            owner_url: self.owner_url.as_ref().map(|url| url.reveal().to_owned()),
            ..gatepost_postgres::Options::default()
        }
    }
}

/// What no single one of these settings can say.
pub(super) fn broken_setting(settings: &DatabaseSettings) -> Option<(&'static str, String)> {
    if settings.role.is_empty() {
        return Some(("database.role", "expected the name of a role".to_owned()));
    }
    if settings.owner_url.is_some() && settings.url.is_none() {
        return Some(("database.owner_url", "expected `database.url` beside it, whose role is another".to_owned()));
    }
    None
}
