//! Copying: the rows of every table, as they come from another store and as they stand here, in one transaction: there is all of it at its
//! end, or nothing.
//!
//! Rows are put in behind the fence of their accounts, like everything else. To compare them, the rows of all accounts are read as they
//! stand, one after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use gatepost::{AccountId, StoreError, Timestamp};
use gatepost_rows::cells::{Cell, Kind, Row, Table};
use gatepost_rows::copying::{Sum, Summary};
use gatepost_rows::tables::TABLES;

use crate::error::Failure;
use crate::group::cells;
use crate::roots::may_copy;
use crate::sql;
use crate::store::PostgresStore;
use crate::transaction::{Access, Fence, Transaction, Work};
use crate::write::Arrays;

/// How long the host that copies may be silent before the server undoes what it has copied; how long a table may take to be read from its
/// beginning to its end; and that this is how it is read.
const SETTINGS: [&str; 3] =
    ["SET LOCAL idle_in_transaction_session_timeout = '5min'", "SET LOCAL statement_timeout = 0", "SET LOCAL enable_seqscan = on"];

/// Rows that arrive from another store. Dropped before it is committed, nothing of it has happened.
pub struct Arriving {
    store: PostgresStore,
    transaction: Arc<Transaction>,
    begun_at: Timestamp,
}

impl PostgresStore {
    /// Begins to take all the rows of another store. Until it has ended, no host begins to work here: none can note its keyring
    /// ([`note_roots`](gatepost::OperatorStore::note_roots)). A host that has done so before has left a row, so that this is not empty.
    ///
    /// # Errors
    ///
    /// Where somebody else copies to it or begins to work in it at this moment, or it cannot be reached.
    pub async fn begin_copy(&self) -> Result<Arriving, StoreError> {
        let database = Arc::clone(self.database());
        let begin = async move {
            let (transaction, begun_at) = database.begin(&Fence::finding(), Access::Write).await?;
            for setting in SETTINGS {
                transaction.execute(setting, &[]).await?;
            }
            if !may_copy(&transaction, database.profile()).await? {
                return Err(StoreError::Unavailable(String::from("somebody else copies to the database, or begins to work in it")));
            }
            Ok((Arc::new(transaction), begun_at))
        };
        let (transaction, begun_at) = self.database().runtime().answer(begin).await?;
        Ok(Arriving { store: self.clone(), transaction, begun_at })
    }
}

impl Arriving {
    /// Whether no table holds a row.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        self.run(Fence::finding(), IsEmpty).await
    }

    /// Puts rows of another store in. Those of `accounts` come before all others.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] where one of them is there already. After an error nothing can be committed.
    pub async fn put_rows(&self, table: &'static Table, rows: Vec<Row>) -> Result<(), StoreError> {
        self.run(fence(table, &rows)?, Put { table, rows }).await
    }

    /// What stands in a table, whosever it is.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn summary(&self, table: &'static Table) -> Result<Summary, StoreError> {
        self.run(Fence::finding(), Summarize(table)).await
    }

    async fn run<W: Work + 'static>(&self, fence: Fence, mut work: W) -> Result<W::Answer, StoreError> {
        let (transaction, begun_at) = (Arc::clone(&self.transaction), self.begun_at);
        let run = async move {
            transaction.fence(&fence).await?;
            Ok(work.run(&transaction, begun_at).await?)
        };
        self.store.database().runtime().answer(run).await
    }

    /// Has everything happened, at once.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutcomeUnknown`] where it may have happened all the same; after every other one nothing has.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { store, transaction, .. } = self;
        let transaction =
            Arc::into_inner(transaction).ok_or_else(|| StoreError::Unavailable(String::from("rows are still being put in")))?;
        store.database().runtime().answer(async move { Ok(transaction.commit().await?) }).await
    }
}

/// The accounts of these rows.
fn fence(table: &Table, rows: &[Row]) -> Result<Fence, StoreError> {
    let Some(place) = table.place(if table.name == "accounts" { "id" } else { "account" }) else { return Ok(Fence::accounts([])) };
    let (mut accounts, mut is_operators) = (BTreeSet::new(), false);
    for row in rows {
        match row.get(place) {
            Some(Cell::Bytes(bytes)) => {
                let bytes = bytes.as_slice().try_into().map_err(|_| StoreError::Corrupt(format!("an account of `{}`", table.name)))?;
                accounts.insert(AccountId::from_bytes(bytes));
            }
            _ => is_operators = true,
        }
    }
    let fence = Fence::accounts(accounts);
    Ok(if is_operators { fence.and_operator() } else { fence })
}

/// Rows that are new.
struct Put {
    table: &'static Table,
    rows: Vec<Row>,
}

#[async_trait]
impl Work for Put {
    type Answer = ();

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<(), Failure> {
        let arrays = Arrays::of(self.table.columns.iter().map(|column| column.kind), self.rows.iter());
        transaction.execute(&sql::put(self.table), &arrays.params()).await.map(drop)
    }
}

/// Reads a table from its beginning to its end, row by row.
struct Summarize(&'static Table);

#[async_trait]
impl Work for Summarize {
    type Answer = Summary;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<Summary, Failure> {
        let Self(table) = self;
        let columns: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let kinds: Vec<Kind> = table.columns.iter().map(|column| column.kind).collect();
        let mut sum = Sum::default();
        let add = |row| -> Result<(), Failure> {
            cells(vec![row], &kinds)?.iter().for_each(|row| sum.add(row));
            Ok(())
        };
        transaction.each(&format!("SELECT {} FROM {}", columns.join(", "), table.name), add).await?;
        Ok(sum.finish())
    }
}

/// Whether no table holds a row.
struct IsEmpty;

#[async_trait]
impl Work for IsEmpty {
    type Answer = bool;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<bool, Failure> {
        let each: Vec<String> = TABLES.iter().map(|table| format!("NOT EXISTS (SELECT 1 FROM {})", table.name)).collect();
        let found = transaction.query(&format!("SELECT {}", each.join(" AND ")), &[]).await?;
        Ok(found.first().map_or(Ok(true), |row| row.try_get(0))?)
    }
}
