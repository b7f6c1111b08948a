//! Transaction: from the fence at its beginning to a commit whose fate is known, or is said not to be.
//!
//! The players: [`Fence`] (whose rows it may see), [`Transaction`] (an open one on a connection of its own), [`Work`] (what runs in one,
//! again where others were in the way), [`Tries`] (how often).

use std::fmt::Write;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Client, Object};
use futures_util::TryStreamExt;
use futures_util::future::{try_join, try_join_all};
use gatepost::{AccountId, StoreError, Timestamp};
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::clock::{Skew, host_now};
use crate::connect::Database;
use crate::error::Failure;
use crate::runtime::jittered;

/// The values of a statement.
pub(crate) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Sets the fence for this transaction alone, and asks for the database's clock with it.
const FENCE: &str =
    "SELECT set_config('gatepost.accounts', $1, true), CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT) AS now";

/// How often what others were in the way of is tried.
const TRIES_MAX: u32 = 8;

/// How long the first pause between two tries is at most; each later one may be twice as long.
const PAUSE: Duration = Duration::from_millis(4);

/// Whose rows a transaction may see and change. Row level security holds every statement to it.
///
/// The operator's own rows, which belong to no account, are fenced as those of an account whose id is empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fence(String);

impl Fence {
    /// The rows of these accounts.
    pub(crate) fn accounts(accounts: impl IntoIterator<Item = AccountId>) -> Self {
        let mut list = String::from("{");
        for account in accounts {
            if list.len() > 1 {
                list.push(',');
            }
            list.push_str("\"\\\\x");
            for byte in account.to_bytes() {
                // Writing to a string does not fail.
                let _ = write!(list, "{byte:02x}");
            }
            list.push('"');
        }
        list.push('}');
        Self(list)
    }

    /// And the operator's own rows.
    pub(crate) fn and_operator(mut self) -> Self {
        self.0.pop();
        self.0.push_str(if self.0.len() > 1 { ",\"\\\\x\"}" } else { "\"\\\\x\"}" });
        self
    }

    /// All rows, to read only: for finding which account has something due, or is meant by an id that names none. The rows that are
    /// found so are read again inside the fence of their accounts before anything is done with them.
    pub(crate) fn finding() -> Self {
        Self(String::from("*"))
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// Statements that all see the same moment.
    Read,
    /// Each statement sees what is committed when it begins; locks on the accounts keep those apart who write
    /// for the same one.
    Write,
    /// As that, but a lock that another host holds for long is not waited for: the transaction fails with [`Failure::Held`].
    WriteSoon,
    /// As that, but accounts that another host holds are passed over.
    WriteFree,
}

impl Access {
    /// Begins such a transaction.
    const fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::Write | Self::WriteSoon | Self::WriteFree => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Sets the fence for this transaction alone, asks for the database's clock with it, and sets what else holds until its end.
    fn open(self, database: &Database) -> String {
        match self {
            Self::Read => {
                let limit = database.statement_timeout(self).as_millis();
                format!("{FENCE}, set_config('statement_timeout', '{limit}', true)")
            }
            Self::WriteSoon => format!("{FENCE}, set_config('lock_timeout', '200', true)"),
            Self::Write | Self::WriteFree => FENCE.to_owned(),
        }
    }
}

/// An open transaction. Dropped before its commit it is undone, and its connection closed.
///
/// Statements whose futures are polled together, for example by `futures_util::future::try_join`, are sent together and run in that order.
pub(crate) struct Transaction {
    client: Option<Client>,
    access: Access,
    open: String,
    statements: Arc<AtomicU64>,
    skew: Arc<Skew>,
    /// As it was when this one was opened: what was read by it is written by it.
    own_skew: AtomicI64,
    answer_max: Duration,
    failed: AtomicBool,
    /// Among those that read; given back after the connection.
    _room: Option<OwnedSemaphorePermit>,
}

impl Transaction {
    /// A connection that knows the statements of every transaction, before anything is sent.
    pub(crate) async fn new(database: &Database, access: Access) -> Result<Self, Failure> {
        let (client, room) = database.client(access).await?;
        let transaction = Self {
            client: Some(client),
            access,
            open: access.open(database),
            statements: Arc::clone(database.counter()),
            skew: Arc::clone(database.skew()),
            own_skew: AtomicI64::new(database.skew().millis()),
            answer_max: database.answer_max(access),
            failed: AtomicBool::new(false),
            _room: room,
        };
        transaction.prepare(&[&transaction.open, FENCE]).await?;
        Ok(transaction)
    }

    /// Has the connection know `statements`, those that it does not know yet, so that each is sent at the first poll of its future and in
    /// the order of polls.
    pub(crate) async fn prepare(&self, statements: &[&str]) -> Result<(), Failure> {
        let client = self.client()?;
        self.within(try_join_all(statements.iter().map(|sql| client.prepare_cached(sql)))).await.map(drop)
    }

    /// Begins behind `fence`; the answer is the database's clock. The first statements may be polled together with it, after it.
    pub(crate) async fn open(&self, fence: &Fence) -> Result<Timestamp, Failure> {
        let client = self.client()?;
        let begun = async {
            self.count();
            client.batch_execute(self.access.begin()).await
        };
        let fenced = async {
            let open = client.prepare_cached(&self.open).await?;
            self.count();
            client.query_one(&open, &[&fence.0]).await
        };
        let ((), row) = self.within(try_join(begun, fenced)).await?;
        let now = Timestamp::from_millis(row.try_get("now")?);
        self.own_skew.store(self.skew.note(now, host_now()), Ordering::Relaxed);
        Ok(now)
    }

    /// Moves the fence, for example once it is found whose rows something is about.
    pub(crate) async fn fence(&self, fence: &Fence) -> Result<(), Failure> {
        self.query(FENCE, &[&fence.0]).await.map(drop)
    }

    /// How far the database's clock is ahead of this host's, in milliseconds, when the transaction was opened.
    pub(crate) fn skew_millis(&self) -> i64 {
        self.own_skew.load(Ordering::Relaxed)
    }

    /// The rows that a statement answers.
    pub(crate) async fn query(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, Failure> {
        let client = self.client()?;
        self.within(async {
            let statement = client.prepare_cached(sql).await?;
            self.count();
            client.query(&statement, values).await
        })
        .await
    }

    /// Hands over the rows that a statement answers, each as it comes, so that there may be any number of them.
    pub(crate) async fn each(&self, sql: &str, mut take: impl FnMut(Row) -> Result<(), Failure>) -> Result<(), Failure> {
        let client = self.client()?;
        let rows = self.within(async {
            let statement = client.prepare_cached(sql).await?;
            self.count();
            client.query_raw(&statement, std::iter::empty::<i64>()).await
        });
        let mut rows = pin!(rows.await?);
        while let Some(row) = self.within(rows.try_next()).await? {
            take(row)?;
        }
        Ok(())
    }

    /// How many rows a statement changed.
    pub(crate) async fn execute(&self, sql: &str, values: Values<'_>) -> Result<u64, Failure> {
        let client = self.client()?;
        self.within(async {
            let statement = client.prepare_cached(sql).await?;
            self.count();
            client.execute(&statement, values).await
        })
        .await
    }

    /// Commits. An error says whether anything can have been written.
    pub(crate) async fn commit(mut self) -> Result<(), Failure> {
        let client = self.client()?;
        if self.failed.load(Ordering::Relaxed) {
            // The server would answer such a commit by undoing it, and call that a success.
            return Err(Failure::Refused(StoreError::Unavailable(String::from("a statement of the transaction failed"))));
        }
        if client.is_closed() {
            return Err(Failure::Lost(String::from("the connection broke before the commit")));
        }
        self.count();
        let committed = match tokio::time::timeout(self.answer_max, client.batch_execute("COMMIT")).await {
            Ok(answered) => answered.map_err(|error| Failure::of_commit(&error)),
            Err(_) => Err(Failure::Unknown(String::from("no answer to the commit in time"))),
        };
        if committed.is_ok() {
            // Back to the pool, not closed.
            drop(self.client.take());
        }
        committed.map_err(|failure| match failure {
            // Whatever became of it, nothing was written.
            Failure::Unknown(text) if self.access == Access::Read => Failure::Lost(text),
            failure => failure,
        })
    }

    /// Undoes it and keeps the connection, where that still answers.
    pub(crate) async fn roll_back(mut self) {
        let Ok(client) = self.client() else { return };
        self.count();
        if let Ok(Ok(())) = tokio::time::timeout(self.answer_max, client.batch_execute("ROLLBACK")).await {
            drop(self.client.take());
        }
    }

    fn client(&self) -> Result<&Client, Failure> {
        self.client.as_ref().ok_or_else(|| Failure::Lost(String::from("the transaction has ended")))
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    async fn within<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failure> {
        let answered = match tokio::time::timeout(self.answer_max, answer).await {
            Ok(answered) => answered.map_err(Failure::from),
            Err(_) => Err(Failure::Lost(String::from("the database did not answer in time"))),
        };
        if answered.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        answered
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // Nobody knows what its connection is in the middle of.
            drop(Object::take(client));
        }
    }
}

/// What runs in a transaction. It runs again where others were in the way, so it must not use up what it was given.
#[async_trait]
pub(crate) trait Work: Send {
    /// What it answers.
    type Answer: Send;

    /// Runs in `transaction`, which has begun at `now` of the database's clock.
    async fn run(&mut self, transaction: &Transaction, now: Timestamp) -> Result<Self::Answer, Failure>;
}

impl Database {
    /// Begins a transaction behind `fence`; the second answer is the database's clock.
    pub(crate) async fn begin(&self, fence: &Fence, access: Access) -> Result<(Transaction, Timestamp), Failure> {
        let transaction = Transaction::new(self, access).await?;
        match transaction.open(fence).await {
            Ok(now) => Ok((transaction, now)),
            Err(failure) => {
                transaction.roll_back().await;
                Err(failure)
            }
        }
    }

    /// Runs `work` and commits it, again for a while where others are in the way.
    pub(crate) async fn run<W: Work>(&self, fence: &Fence, access: Access, work: &mut W) -> Result<W::Answer, StoreError> {
        let mut tries = Tries::default();
        loop {
            match self.run_once(fence, access, work).await {
                Err(failure) if failure.may_pass() && tries.again().await => {}
                ended => return ended.map_err(StoreError::from),
            }
        }
    }

    async fn run_once<W: Work>(&self, fence: &Fence, access: Access, work: &mut W) -> Result<W::Answer, Failure> {
        let (transaction, now) = self.begin(fence, access).await?;
        match work.run(&transaction, now).await {
            Ok(answer) => transaction.commit().await.map(|()| answer),
            Err(failure) => {
                transaction.roll_back().await;
                Err(failure)
            }
        }
    }
}

/// How often something was tried.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// Waits for a moment that chance gives and time lengthens, then says to try again; or at once not to.
    pub(crate) async fn again(&mut self) -> bool {
        self.0 += 1;
        if self.0 >= TRIES_MAX {
            return false;
        }
        tokio::time::sleep(jittered(PAUSE.saturating_mul(1 << self.0))).await;
        true
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use gatepost_cluster::{Cluster, Settings};
    use tokio::sync::Barrier;

    use super::*;
    use crate::{OpenError, Options};

    fn account(last: u8) -> AccountId {
        AccountId::from_bytes([last; 16])
    }

    /// A database of its own, opened; the handle of the cluster's keeps it.
    fn opened(options: &Options) -> Option<(gatepost_cluster::Database<'static>, Arc<Database>)> {
        let database = Cluster::shared()?.create().expect("a database");
        let open = Database::open(&database.url(), options).expect("it opens");
        database.run("CREATE TABLE numbers (n BIGINT PRIMARY KEY); GRANT ALL ON numbers TO gatepost_app").expect("a table");
        Some((database, Arc::new(open)))
    }

    /// Runs a test on the store's own threads.
    fn on<T, F>(database: &Arc<Database>, test: impl FnOnce(Arc<Database>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        database.runtime().wait(test(Arc::clone(database))).expect("no panic")
    }

    fn numbers(database: &gatepost_cluster::Database<'_>) -> Vec<String> {
        database.run("SELECT n FROM numbers ORDER BY n").expect("rows").into_iter().flatten().flatten().collect()
    }

    #[test]
    fn a_fence_lists_accounts_as_an_array_of_bytes() {
        let one = "\"\\\\x01010101010101010101010101010101\"";
        let two = "\"\\\\x02020202020202020202020202020202\"";
        assert_eq!(Fence::accounts([account(1), account(2)]).0, format!("{{{one},{two}}}"));
        assert_eq!(Fence::accounts([account(1)]).and_operator().0, format!("{{{one},\"\\\\x\"}}"));
        assert_eq!(Fence::accounts([]).and_operator().0, "{\"\\\\x\"}");
        assert_eq!(Fence::accounts([]).0, "{}");
    }

    #[test]
    fn every_connection_waits_for_the_disk_and_has_stepped_down() {
        let Some((_database, open)) = opened(&Options::default()) else { return };
        let (settings, list) = on(&open, |open| async move {
            let (transaction, now) = open.begin(&Fence::accounts([account(1)]), Access::Write).await.expect("it begins");
            assert!(now.as_millis() > 1_700_000_000_000);
            let sql = "SELECT current_setting('synchronous_commit'), CAST(current_user AS TEXT), current_setting('statement_timeout'),
                current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout'),
                current_setting('transaction_isolation'), current_setting('gatepost.accounts')";
            let row = transaction.query(sql, &[]).await.expect("settings").remove(0);
            transaction.commit().await.expect("a commit");
            ([0, 1, 2, 3, 4, 5].map(|column| row.get::<_, String>(column)), row.get::<_, String>(6))
        });
        assert_eq!(settings, ["on", "gatepost_app", "20s", "3s", "0", "read committed"]);
        assert_eq!(list, Fence::accounts([account(1)]).0);
    }

    #[test]
    fn statements_polled_together_run_in_their_order_and_are_counted() {
        let Some((database, open)) = opened(&Options::default()) else { return };
        on(&open, |open| async move {
            let insert = "INSERT INTO numbers VALUES ($1)";
            let fence = "SELECT current_setting('gatepost.accounts') <> '' AS is_set";
            let transaction = Transaction::new(&open, Access::Write).await.expect("a connection");
            transaction.prepare(&[insert, fence]).await.expect("they are known");
            let before = open.statements();
            let (_, one, rows) = futures_util::future::try_join3(
                transaction.open(&Fence::accounts([account(1)])),
                transaction.execute(insert, &[&7_i64]),
                transaction.query(fence, &[]),
            )
            .await
            .expect("all of them");
            assert!(one == 1 && rows.first().is_some_and(|row| row.get::<_, bool>("is_set")));
            transaction.commit().await.expect("a commit");
            assert_eq!(open.statements() - before, 5);
        });
        assert_eq!(numbers(&database), ["7"]);
    }

    #[test]
    fn however_many_read_those_who_write_find_a_connection() {
        let options = Options { connections: 4, connect_timeout: Duration::from_secs(3), ..Options::default() };
        let Some((_database, open)) = opened(&options) else { return };
        on(&open, |open| async move {
            let nobody = Fence::accounts([]);
            let begin = |access| open.begin(&nobody, access);
            let readers = [begin(Access::Read).await.expect("one reads"), begin(Access::Read).await.expect("another reads")];
            let refused = begin(Access::Read).await.map(drop).expect_err("two of four are for those who write");
            assert_eq!(refused, StoreError::Unavailable(String::from("too many lists are being read from the database")).into());
            let writers = [begin(Access::Write).await.expect("one writes"), begin(Access::Write).await.expect("another writes")];
            drop((readers, writers));
            begin(Access::Read).await.map(drop).expect("they have ended");
        });
    }

    #[test]
    fn what_only_reads_is_stopped_sooner_and_says_why() {
        let options = Options { list_timeout: Duration::from_millis(20), ..Options::default() };
        let Some((_database, open)) = opened(&options) else { return };
        let said = on(&open, |open| async move {
            let (transaction, _) = open.begin(&Fence::accounts([]), Access::Read).await.expect("it begins");
            transaction.query("SELECT pg_sleep(60)", &[]).await.map(drop)
        });
        assert_eq!(said, Err(StoreError::Unavailable(String::from("a statement took longer than it may")).into()));
    }

    #[test]
    fn what_is_dropped_or_fails_leaves_nothing_and_gives_its_connection_back() {
        let Some((database, open)) = opened(&Options { connections: 2, ..Options::default() }) else { return };
        on(&open, |open| async move {
            for _ in 0..5 {
                let (transaction, _) = open.begin(&Fence::accounts([]), Access::Write).await.expect("it begins");
                transaction.execute("INSERT INTO numbers VALUES (1)", &[]).await.expect("a row");
                drop(transaction);
                let (transaction, _) = open.begin(&Fence::accounts([]), Access::Write).await.expect("it begins");
                transaction.execute("INSERT INTO numbers VALUES (2)", &[]).await.expect("a row");
                transaction.query("SELECT 1 / n FROM (VALUES (0)) AS zero (n)", &[]).await.expect_err("a division by zero");
                transaction.commit().await.expect_err("a statement failed");
                let (transaction, _) = open.begin(&Fence::accounts([]), Access::Read).await.expect("it begins");
                transaction.execute("INSERT INTO numbers VALUES (3)", &[]).await.expect_err("it only reads");
                transaction.roll_back().await;
            }
        });
        assert_eq!(numbers(&database), Vec::<String>::new());
    }

    /// Adds the next number. All of those who begin together have read before one of them adds: so they are in each other's way.
    struct Append {
        begun: Arc<Barrier>,
        has_met: bool,
    }

    #[async_trait]
    impl Work for Append {
        type Answer = i64;

        async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<i64, Failure> {
            let next: i64 = transaction.query("SELECT coalesce(max(n), 0) + 1 FROM numbers", &[]).await?.remove(0).get(0);
            if !std::mem::replace(&mut self.has_met, true) {
                self.begun.wait().await;
            }
            transaction.execute("INSERT INTO numbers VALUES ($1)", &[&next]).await?;
            Ok(next)
        }
    }

    #[test]
    fn those_who_are_in_each_others_way_run_again() {
        let Some((database, open)) = opened(&Options::default()) else { return };
        let answers = on(&open, |open| async move {
            let begun = Arc::new(Barrier::new(3));
            let append = || async {
                let mut work = Append { begun: Arc::clone(&begun), has_met: false };
                open.run(&Fence::accounts([]), Access::Write, &mut work).await
            };
            let (a, b, c) = futures_util::future::join3(append(), append(), append()).await;
            let mut answers = [a, b, c].map(|answer| answer.expect("it passes"));
            answers.sort_unstable();
            answers
        });
        assert_eq!((answers, numbers(&database).len()), ([1, 2, 3], 3));
    }

    /// Is always in the way of itself.
    struct Hopeless(u32);

    #[async_trait]
    impl Work for Hopeless {
        type Answer = ();

        async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<(), Failure> {
            self.0 += 1;
            let sql = "SELECT * FROM numbers WHERE n = 1 / (SELECT count(*) FROM numbers)";
            drop(transaction.query(sql, &[]).await);
            Err(Failure::Again)
        }
    }

    #[test]
    fn what_never_passes_is_a_conflict_in_the_end() {
        let Some((_database, open)) = opened(&Options::default()) else { return };
        let (answer, tried) = on(&open, |open| async move {
            let mut work = Hopeless(0);
            (open.run(&Fence::accounts([]), Access::Write, &mut work).await, work.0)
        });
        assert_eq!((answer, tried), (Err(StoreError::Conflict), TRIES_MAX));
    }

    /// Has its connection cut before it commits, the first time.
    struct Cut(Option<&'static Cluster>);

    #[async_trait]
    impl Work for Cut {
        type Answer = ();

        async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<(), Failure> {
            transaction.execute("INSERT INTO numbers VALUES (1)", &[]).await?;
            let pid: i32 = transaction.query("SELECT pg_backend_pid()", &[]).await?.remove(0).get(0);
            if let Some(cluster) = self.0.take() {
                cluster.run("postgres", &format!("SELECT pg_terminate_backend({pid}, 10000)")).expect("it is cut");
            }
            transaction.query("SELECT 1", &[]).await.map(drop)
        }
    }

    #[test]
    fn a_connection_that_breaks_before_the_commit_is_replaced() {
        let Some((database, open)) = opened(&Options::default()) else { return };
        let answer = on(&open, |open| async move { open.run(&Fence::accounts([]), Access::Write, &mut Cut(Cluster::shared())).await });
        assert_eq!((answer, numbers(&database)), (Ok(()), vec![String::from("1")]));
    }

    #[test]
    fn a_host_that_falls_silent_within_a_transaction_loses_it_and_its_locks() {
        let Some((database, open)) = opened(&Options::default()) else { return };
        let failure = on(&open, |open| async move {
            let (transaction, _) = open.begin(&Fence::accounts([]), Access::Write).await.expect("it begins");
            transaction.execute("INSERT INTO numbers VALUES (1)", &[]).await.expect("a row");
            // Sooner than usual, and only here: whoever waits for it has all the time there is.
            transaction.execute("SET LOCAL idle_in_transaction_session_timeout = 50", &[]).await.expect("a setting");
            let (other, _) = open.begin(&Fence::accounts([]), Access::Write).await.expect("it begins");
            other.execute("INSERT INTO numbers VALUES (1)", &[]).await.expect("it waits until the first is gone");
            other.commit().await.expect("a commit");
            while !transaction.client().expect("a connection").is_closed() {
                tokio::task::yield_now().await;
            }
            transaction.commit().await.expect_err("it is lost")
        });
        assert!(failure.may_pass() && numbers(&database) == ["1"], "{failure:?}");
    }

    #[test]
    fn what_only_read_is_read_again_where_its_commit_is_lost() {
        let Some((database, open)) = opened(&Options::default()) else { return };
        for _ in 0..30 {
            let (transaction, pid) = on(&open, |open| async move {
                let (transaction, _) = open.begin(&Fence::accounts([]), Access::Read).await.expect("it begins");
                let pid: i32 = transaction.query("SELECT pg_backend_pid()", &[]).await.expect("a row").remove(0).get(0);
                (transaction, pid)
            });
            database.run(&format!("SELECT pg_terminate_backend({pid})")).expect("it is cut");
            let ended = on(&open, |_| transaction.commit());
            assert!(ended.as_ref().err().is_none_or(Failure::may_pass), "{ended:?}");
        }
    }

    #[test]
    fn a_commit_without_an_answer_is_unknown() {
        if Cluster::shared().is_none() {
            return;
        }
        // A deferred check is where a commit can be held up.
        let cluster = Cluster::start(&Settings::default()).expect("a cluster");
        let open = Arc::new(Database::open(&cluster.url("postgres"), &Options::default()).expect("it opens"));
        let slow = "CREATE TABLE numbers (n BIGINT); GRANT ALL ON numbers TO gatepost_app;
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON numbers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()";
        cluster.run("postgres", slow).expect("a slow commit");
        let (sender, begun) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn({
            let open = Arc::clone(&open);
            move || {
                on(&open, |open| async move {
                    let (transaction, _) = open.begin(&Fence::accounts([]), Access::Write).await.expect("it begins");
                    transaction.execute("INSERT INTO numbers VALUES (1)", &[]).await.expect("a row");
                    sender.send(()).expect("somebody waits");
                    transaction.commit().await
                })
            }
        });
        begun.recv().expect("it begins");
        while cluster
            .run("postgres", "SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'")
            .expect("rows")
            .is_empty()
        {
            std::thread::yield_now();
        }
        cluster.kill().expect("it dies");
        let failure = waiting.join().expect("no panic").expect_err("nobody answered");
        assert!(matches!(failure, Failure::Unknown(_)), "{failure:?}");
        let next = on(&open, |open| async move { open.begin(&Fence::accounts([]), Access::Write).await.map(drop) });
        assert!(matches!(next, Err(Failure::Refused(StoreError::Unavailable(_)))), "{next:?}");
        cluster.resume().expect("it starts again");
        on(&open, |open| async move { open.begin(&Fence::accounts([]), Access::Write).await.map(drop) }).expect("it answers again");
    }

    #[test]
    fn an_error_says_no_value() {
        let Some((_database, open)) = opened(&Options::default()) else { return };
        let said = on(&open, |open| async move {
            let (transaction, _) = open.begin(&Fence::accounts([]), Access::Write).await.expect("it begins");
            let sql = "INSERT INTO numbers SELECT CAST($1::text AS BIGINT)";
            transaction.execute(sql, &[&"+999501234567 hush"]).await.expect_err("no number")
        });
        let expected = "the server said 22P02, routine `pg_strtoint64`";
        assert!(matches!(&said, Failure::Refused(StoreError::Unwritable(text)) if text == expected), "{said:?}");
    }

    #[test]
    fn a_server_that_says_nothing_is_not_waited_for() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("postgres://gate@{}/post", silent.local_addr().expect("an address"));
        let options = Options { connect_timeout: Duration::from_millis(20), ..Options::default() };
        let refusal = Database::open(&url, &options).expect_err("it takes the call and says nothing");
        assert_eq!(refusal.to_string(), "the database cannot be opened: the server does not answer");
    }

    #[test]
    fn a_server_that_is_not_there_is_said_to_be_so_without_its_password() {
        let refusal = Database::open("postgres://gate:hush@127.0.0.1:1/post", &Options::default()).expect_err("nobody listens");
        assert!(matches!(refusal, OpenError::Refused(_)) && !refusal.to_string().contains("hush"), "{refusal}");
    }
}
