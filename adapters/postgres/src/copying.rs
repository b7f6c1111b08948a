//! Copying: the rows of every table, as they come from another store and as they stand here.
//!
//! Rows are put in behind the fence of their accounts, like everything else. To compare them, the rows of all accounts are read in their
//! order.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use gatepost::{AccountId, StoreError, Timestamp};
use gatepost_rows::cells::{Cell, Key, Kind, Row, Table};
use gatepost_rows::copying;
use gatepost_rows::tables::TABLES;

use crate::error::Failure;
use crate::group::cells;
use crate::sql;
use crate::store::PostgresStore;
use crate::transaction::{Access, Fence, Transaction, Work};
use crate::value::Value;
use crate::write::Arrays;

impl PostgresStore {
    /// Whether no table holds a row.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let counts: Vec<String> =
            TABLES.iter().map(|table| format!("(SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1) t)", table.name)).collect();
        let found = self.all(Read { text: format!("SELECT {}", counts.join(" + ")), kinds: vec![Kind::Int], after: Vec::new() }).await?;
        Ok(found == [[Cell::Int(0)]])
    }

    /// Puts rows of another store in, either all of them or none. Those of `accounts` come before all others.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] where one of them is there already.
    pub async fn put_rows(&self, table: &'static Table, rows: Vec<Row>) -> Result<(), StoreError> {
        let database = Arc::clone(self.database());
        let fence = fence(table, &rows)?;
        let mut put = Put { table, rows };
        self.database().runtime().answer(async move { database.run(&fence, Access::Write, &mut put).await }).await
    }

    /// So many rows of a table, whosever they are, in the order of [`copying::order`]; those that come after this place, if one is given.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn rows_after(&self, table: &'static Table, after: Option<Key>, at_once: usize) -> Result<Vec<Row>, StoreError> {
        let text = select(table, after.is_some(), at_once);
        let kinds = table.columns.iter().map(|column| column.kind).collect();
        self.all(Read { text, kinds, after: after.unwrap_or_default() }).await
    }

    async fn all(&self, mut read: Read) -> Result<Vec<Row>, StoreError> {
        let database = Arc::clone(self.database());
        self.database().runtime().answer(async move { database.run(&Fence::finding(), Access::Read, &mut read).await }).await
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
        let put = transaction.execute(&sql::insert(self.table), &arrays.params()).await?;
        if put == self.rows.len() as u64 { Ok(()) } else { Err(Failure::Refused(StoreError::Conflict)) }
    }
}

/// Rows of all accounts.
struct Read {
    text: String,
    kinds: Vec<Kind>,
    after: Key,
}

#[async_trait]
impl Work for Read {
    type Answer = Vec<Row>;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<Vec<Row>, Failure> {
        let values = Value::of(&self.after);
        cells(transaction.query(&self.text, &Value::params(&values)).await?, &self.kinds)
    }
}

/// Texts are ordered by their bytes, whatever the database's own order is.
fn select(table: &Table, is_after: bool, at_once: usize) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| format!("t.\"{}\"", column.name)).collect();
    let is_text = |name: &&str| table.columns.iter().any(|column| column.name == *name && column.kind == Kind::Text);
    let ordered = |name: &&str| format!("t.\"{name}\"{}", if is_text(name) { " COLLATE \"C\"" } else { "" });
    let order = copying::order(table).iter().map(ordered).collect::<Vec<_>>().join(", ");
    let values: Vec<String> = (1..=copying::order(table).len()).map(|nth| format!("${nth}")).collect();
    let after = if is_after { format!(" WHERE ({order}) > ({})", values.join(", ")) } else { String::new() };
    format!("SELECT {} FROM {} t{after} ORDER BY {order} LIMIT {at_once}", columns.join(", "), table.name)
}
