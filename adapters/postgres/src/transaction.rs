//! Transaction: from the fence at its beginning to a commit whose fate is known, or is said not to be.
//!
//! The players: [`Fence`] (whose rows it may see), [`Transaction`] (an open one on a connection of its own), [`Work`] (what runs in one,
//! again where others were in the way), [`Tries`] (how often).

use std::fmt::Write;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Client, Object};
use futures_util::future::{try_join, try_join_all};
use gatepost::{AccountId, StoreError, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::connect::Database;
use crate::error::Failure;
use crate::runtime::jittered;

/// The values of a statement.
pub(crate) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Sets the fence for this transaction alone, and asks for the database's clock with it.
const OPEN: &str =
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
    /// Each statement sees what is committed when it begins; locks on the accounts keep writers apart.
    Write,
}

impl Access {
    const fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }
}

/// An open transaction. Dropped before its commit it is undone, and its connection closed.
///
/// Statements whose futures are polled together, for example by `futures_util::try_join!`, are sent together and run in that order.
pub(crate) struct Transaction {
    client: Option<Client>,
    statements: Arc<AtomicU64>,
    answer_max: Duration,
    failed: AtomicBool,
}

impl Transaction {
    /// A connection that knows the statements of every transaction, before anything is sent.
    pub(crate) async fn new(database: &Database) -> Result<Self, Failure> {
        let client = database.client().await?;
        let transaction = Self {
            client: Some(client),
            statements: Arc::clone(database.counter()),
            answer_max: database.answer_max(),
            failed: AtomicBool::new(false),
        };
        transaction.prepare(&[OPEN]).await?;
        Ok(transaction)
    }

    /// Has the connection know `statements`, those that it does not know yet, so that each is sent at the first poll of its future and in
    /// the order of polls.
    pub(crate) async fn prepare(&self, statements: &[&str]) -> Result<(), Failure> {
        let client = self.client()?;
        self.within(try_join_all(statements.iter().map(|sql| client.prepare_cached(sql)))).await.map(drop)
    }

    /// Begins behind `fence`; the answer is the database's clock. The first statements may be polled together with it, after it.
    pub(crate) async fn open(&self, fence: &Fence, access: Access) -> Result<Timestamp, Failure> {
        let client = self.client()?;
        let begun = async {
            self.count();
            client.batch_execute(access.begin()).await
        };
        let fenced = async {
            let open = client.prepare_cached(OPEN).await?;
            self.count();
            client.query_one(&open, &[&fence.0]).await
        };
        let ((), row) = self.within(try_join(begun, fenced)).await?;
        Ok(Timestamp::from_millis(row.try_get("now")?))
    }

    /// Moves the fence, for example once it is found whose rows something is about.
    pub(crate) async fn fence(&self, fence: &Fence) -> Result<(), Failure> {
        self.query(OPEN, &[&fence.0]).await.map(drop)
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
        committed
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
        let transaction = Transaction::new(self).await?;
        match transaction.open(fence, access).await {
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
