//! Probe: whether the database takes writes now. It waits behind nobody: whoever asks wants to know of the database, and not of a lane.

use async_trait::async_trait;
use gatepost::{StoreError, Timestamp};

use crate::connect::Database;
use crate::error::Failure;
use crate::transaction::{Access, Fence, Transaction, Work};

/// A standby, and a server that is set to it, begins every transaction as one that only reads, and commits it where nothing was written.
const READS_ONLY: &str = "SELECT current_setting('transaction_read_only') = 'on'";

/// Whether the database takes writes now.
pub(crate) async fn probe(database: &Database) -> Result<(), StoreError> {
    database.run(&Fence::accounts([]), Access::Write, &mut Probe).await
}

struct Probe;

#[async_trait]
impl Work for Probe {
    type Answer = ();

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<(), Failure> {
        match transaction.query(READS_ONLY, &[]).await?.first().map_or(Ok(false), |row| row.try_get(0))? {
            true => Err(StoreError::Unavailable(String::from("the database takes no writes: it is a standby, or set to read only")).into()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use futures_executor::block_on;
    use gatepost::Store;
    use gatepost_cluster::Cluster;
    use gatepost_rows::world::World;

    use super::*;
    use crate::engine::Way;
    use crate::group::Found;
    use crate::{Options, PostgresStore, migrate};

    #[test]
    fn a_database_that_takes_no_writes_is_not_ready() {
        let Some(cluster) = Cluster::shared() else { return };
        let database = cluster.create().expect("a database");
        migrate(&database.url(), &Options::default()).expect("tables");
        let set = |to| format!("ALTER DATABASE {} SET default_transaction_read_only = {to}", database.name());
        database.run(&set("on")).expect("it is set");
        let store = PostgresStore::open(&database.url(), &Options::default()).expect("it opens");
        assert!(matches!(block_on(store.probe()), Err(StoreError::Unavailable(_))));
        database.run(&format!("BEGIN READ WRITE; {}; COMMIT", set("off"))).expect("it is set");
        let store = PostgresStore::open(&database.url(), &Options::default()).expect("it opens");
        assert_eq!(block_on(store.probe()), Ok(()));
    }

    #[test]
    fn a_probe_does_not_wait_for_a_lane() {
        let Some(cluster) = Cluster::shared() else { return };
        let database = cluster.create().expect("a database");
        let patient = Options { idle_timeout: Duration::from_secs(300), ..Options::default() };
        let store = PostgresStore::open(&database.url(), &patient).expect("it opens");
        let ((begun, has_begun), (go_on, may_go_on)) = (channel(), channel());
        let held = move |_: &[Found], _: &mut World| {
            begun.send(()).expect("somebody waits");
            may_go_on.recv().map_err(|_| StoreError::Conflict)
        };
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| block_on(store.engine().write(Way::Once, Vec::new(), |_, _, _| {}, held)));
            has_begun.recv().expect("it begins");
            assert_eq!(block_on(store.probe()), Ok(()));
            go_on.send(()).expect("it waits");
            assert_eq!(writing.join().expect("no panic"), Ok(()));
        });
    }
}
