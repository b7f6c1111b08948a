//! Fate: what became of a commit whose answer did not come. Postgres remembers that for each transaction that wrote something.
//!
//! It is asked only of the very server that was told to commit: another one, to which a standby was promoted meanwhile, may have given the
//! same number to a transaction of its own. So may the same one after a crash, which restarts it without a new start time; but no crash is
//! recovered from without a checkpoint, and where there was one since, nothing is believed.

use std::time::{Duration, Instant};

use tokio_postgres::Row;

use crate::connect::Database;
use crate::error::Failure;
use crate::runtime::jittered;
use crate::transaction::Access;

/// The number of a transaction and the server that gave it, as [`IDENTITY`] tells them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    number: i64,
    server: String,
    /// When, in whole seconds of Unix time by the server's clock.
    seconds: i64,
}

/// Gives the transaction its number, which it gets by its first change anyway.
pub(crate) const IDENTITY: &str =
    "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT),
        CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)";

/// What became of one of that number.
pub(crate) const FATE: &str =
    "SELECT pg_xact_status(CAST(CAST($1::bigint AS TEXT) AS xid8)), CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT),
        CAST(extract(epoch FROM checkpoint_time) AS BIGINT) FROM pg_control_checkpoint()";

/// How long it is asked for, in all and between two times.
const ASKING: (Duration, Duration) = (Duration::from_secs(5), Duration::from_millis(100));

impl Identity {
    pub(crate) fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { number: row.try_get(0)?, server: row.try_get(1)?, seconds: row.try_get(2)? })
    }

    /// What became of the commit, where that can be found out in time; otherwise it is as unknown as it `was`.
    pub(crate) async fn find_out(&self, database: &Database, was: Failure) -> Result<(), Failure> {
        let (asking, pause) = ASKING;
        let begun = Instant::now();
        while begun.elapsed() < asking {
            match self.ask(database).await {
                Some(Fate::Committed) => return Ok(()),
                Some(Fate::Undone) => return Err(Failure::Lost(String::from("the connection broke, and the commit was undone"))),
                Some(Fate::Forgotten) => return Err(was),
                Some(Fate::Open) | None => tokio::time::sleep(jittered(pause)).await,
            }
        }
        Err(was)
    }

    async fn ask(&self, database: &Database) -> Option<Fate> {
        let (client, _) = database.client(Access::Write).await.ok()?;
        let asked = tokio::time::timeout(database.answer_max(Access::Write), client.query_one(FATE, &[&self.number])).await.ok()?;
        let row = asked.ok()?;
        let (status, server): (Option<String>, String) = (row.try_get(0).ok()?, row.try_get(1).ok()?);
        let checkpoint_seconds: i64 = row.try_get(2).ok()?;
        Some(match status.as_deref() {
            _ if server != self.server || checkpoint_seconds >= self.seconds => Fate::Forgotten,
            Some("committed") => Fate::Committed,
            Some("aborted") => Fate::Undone,
            Some(_) => Fate::Open,
            None => Fate::Forgotten,
        })
    }
}

enum Fate {
    Committed,
    /// Nobody who could tell knows it.
    Forgotten,
    /// It has not ended yet.
    Open,
    Undone,
}
