//! Profile: what the engine behind the URL can do. Engines that speak Postgres's language differ in what they leave out.

use tokio_postgres::Client;

/// An engine.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Engine {
    /// Postgres with Citus.
    Citus,
    /// CockroachDB.
    Cockroach,
    /// Postgres itself.
    Postgres,
    /// YugabyteDB.
    Yugabyte,
}

/// What an engine can do. Only Postgres is run by our tests; the others are set by what their documents say.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Profile {
    /// Which it is.
    pub engine: Engine,
    /// Locks that belong to no row, for migrations. Otherwise a row is the lock.
    pub advisory_locks: bool,
    /// `LISTEN` and `NOTIFY`. Otherwise hosts only poll.
    pub notify: bool,
    /// Row level security that binds the owner too. Otherwise only each statement keeps accounts apart.
    pub row_security: bool,
    /// `SKIP LOCKED`. Otherwise whoever looks for what is due waits for the accounts that another host works at.
    pub skip_locked: bool,
}

impl Profile {
    /// What `engine` can do.
    pub const fn of(engine: Engine) -> Self {
        let all = Self { engine, advisory_locks: true, notify: true, row_security: true, skip_locked: true };
        match engine {
            Engine::Postgres | Engine::Citus => all,
            Engine::Yugabyte => Self { advisory_locks: false, notify: false, ..all },
            // Its policies know no subqueries, as which ours read the fence.
            Engine::Cockroach => Self { engine, advisory_locks: false, notify: false, row_security: false, skip_locked: true },
        }
    }

    pub(crate) async fn detect(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let version: String = client.query_one("SELECT version()", &[]).await?.try_get(0)?;
        let engine = match engine_of(&version) {
            Engine::Postgres if has_citus(client).await? => Engine::Citus,
            engine => engine,
        };
        Ok(Self::of(engine))
    }
}

/// Which engine says this of itself.
fn engine_of(version: &str) -> Engine {
    match version {
        _ if version.contains("CockroachDB") => Engine::Cockroach,
        _ if version.contains("-YB-") => Engine::Yugabyte,
        _ => Engine::Postgres,
    }
}

async fn has_citus(client: &Client) -> Result<bool, tokio_postgres::Error> {
    Ok(client.query_opt("SELECT 1 FROM pg_extension WHERE extname = 'citus'", &[]).await?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_say_who_they_are() {
        let of = |version: &str| engine_of(version);
        assert_eq!(of("PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc"), Engine::Postgres);
        assert_eq!(of("PostgreSQL 15.12-YB-2025.2.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang"), Engine::Yugabyte);
        assert_eq!(of("CockroachDB CCL v26.3.0 (x86_64-pc-linux-gnu, built 2026/08/03, go1.25)"), Engine::Cockroach);
    }
}
