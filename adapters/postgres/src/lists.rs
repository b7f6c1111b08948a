//! Lists: what is only read, straight from SQL.
//!
//! The rows of a page are put into a world of their own, and what a store in memory says of that world is the answer: so both say the same.
//! The players: a [`List`] (a statement that finds rows of one table, in `statements`), [`list`] (asks several of them at one moment),
//! [`of_any`] (the same for what is named by an id that says no account), and a file for each subject.
//!
//! A row that cannot be right fails its list, which names the table and the column, rather than being left out.

use std::sync::Arc;

use bytes::BytesMut;
use futures_util::future::{try_join, try_join_all};
use gatepost::{Account, AccountId, Name, Page, Plan, StoreError, Timestamp};
use gatepost_rows::cells::{BadRow, Cell, Kind, Row, Table};
use gatepost_rows::tables;
use gatepost_rows::world::{AccountRows, World};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::connect::Database;
use crate::error::Failure;
use crate::group::cells;
use crate::transaction::{Access, Fence, Transaction, Tries};

pub(crate) mod accounts;
pub(crate) mod contacts;
pub(crate) mod events;
pub(crate) mod inbox;
pub(crate) mod integrations;
pub(crate) mod messages;
pub(crate) mod seals;
pub(crate) mod statements;

/// A statement that finds rows of one table. Whose, is the first value that it is given.
pub(crate) struct List {
    /// What it finds.
    pub(crate) name: &'static str,
    /// The table.
    pub(crate) table: &'static Table,
    /// Everything behind the columns; the rows are called `t`.
    pub(crate) tail: &'static str,
}

impl List {
    /// The statement.
    pub(crate) fn text(&self) -> String {
        let columns: Vec<String> = self.table.columns.iter().map(|column| format!("t.\"{}\"", column.name)).collect();
        format!("SELECT {} {}", columns.join(", "), self.tail)
    }

    fn kinds(&self) -> Vec<Kind> {
        self.table.columns.iter().map(|column| column.kind).collect()
    }

    /// It, with what it is given behind the account.
    const fn with(&'static self, given: Vec<Cell>) -> Query {
        Query { list: self, given }
    }
}

/// A statement that finds what an id or a time means in whatever account: few columns, by which the rows are then read.
pub(crate) struct Seek {
    /// What it finds.
    pub(crate) name: &'static str,
    /// The columns of what it finds.
    pub(crate) found: &'static [Kind],
    /// The statement.
    pub(crate) text: &'static str,
}

/// A list with what it is given.
struct Query {
    list: &'static List,
    given: Vec<Cell>,
}

/// Values as the cells that a statement is given.
macro_rules! given {
    ($($value:expr),* $(,)?) => {
        vec![$(gatepost_rows::cells::Cell::from($value)),*]
    };
}
use given;

/// What lies behind the end of the last page, where pages go from the newest on: every id is below this.
fn before<I: Into<Cell>>(after: Option<I>) -> Cell {
    after.map_or_else(|| Cell::Bytes(vec![0xff; 16]), Into::into)
}

/// How many rows a page has at most.
fn limit<I>(page: &Page<I>) -> Cell {
    Cell::count(page.limit as u64)
}

/// What a list answers, to a caller of any executor.
pub(crate) async fn ask<T, F>(database: &Arc<Database>, list: impl FnOnce(Arc<Database>) -> F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    database.runtime().answer(list(Arc::clone(database))).await
}

/// What the account's rows say that these queries find; the default where it has none.
async fn list<T: Default>(
    database: &Database,
    account: AccountId,
    queries: Vec<Query>,
    look: impl FnOnce(&AccountRows) -> T,
) -> Result<T, StoreError> {
    let world = world_of(database, account, queries).await?;
    Ok(world.accounts.get(&account).map(look).unwrap_or_default())
}

/// The rows of an account that these queries find, all as they were at one moment.
async fn world_of(database: &Database, account: AccountId, queries: Vec<Query>) -> Result<World, StoreError> {
    let rows = rows_of(database, &Whose::Account(account), &queries).await?;
    world(account, &queries, &rows)
}

/// Whose rows are read.
enum Whose {
    Account(AccountId),
    Operator,
}

impl Whose {
    fn fence(&self) -> Fence {
        match self {
            Self::Account(account) => Fence::accounts([*account]),
            Self::Operator => Fence::accounts([]).and_operator(),
        }
    }

    fn cell(&self) -> Cell {
        match self {
            Self::Account(account) => (*account).into(),
            Self::Operator => Cell::Null,
        }
    }
}

/// A world of rows of one account. Where the account itself is not among them, it is one that says nothing.
fn world(account: AccountId, queries: &[Query], rows: &[Vec<Row>]) -> Result<World, StoreError> {
    let mut world = World::default();
    if !queries.iter().any(|query| query.list.table.name == "accounts") {
        world.accounts.insert(account, AccountRows::new(nobody(account)?));
    }
    for (query, rows) in queries.iter().zip(rows) {
        for row in rows {
            tables::put(&mut world, query.list.table, row).map_err(corrupt)?;
        }
    }
    Ok(world)
}

fn nobody(account: AccountId) -> Result<Account, StoreError> {
    let name: Name = "nobody".parse().map_err(|_| StoreError::Conflict)?;
    Ok(Account::new(account, name, Plan::Starter, Timestamp::from_millis(0)))
}

/// A row that cannot be right.
fn corrupt(error: BadRow) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// What the queries find, again where a connection broke.
async fn rows_of(database: &Database, whose: &Whose, queries: &[Query]) -> Result<Vec<Vec<Row>>, StoreError> {
    let mut tries = Tries::default();
    loop {
        match rows_once(database, whose, queries).await {
            Err(failure) if failure.may_pass() && tries.again().await => {}
            ended => return ended.map_err(StoreError::from),
        }
    }
}

async fn rows_once(database: &Database, whose: &Whose, queries: &[Query]) -> Result<Vec<Vec<Row>>, Failure> {
    let transaction = Transaction::new(database).await?;
    let read = async {
        let asks: Vec<Ask> = queries.iter().map(|query| Ask::new(query, whose)).collect();
        transaction.prepare(&asks.iter().map(|ask| ask.text.as_str()).collect::<Vec<_>>()).await?;
        let fence = whose.fence();
        let answers = try_join_all(asks.iter().map(|ask| ask.rows(&transaction)));
        try_join(transaction.open(&fence, Access::Read), answers).await
    };
    match read.await {
        Ok((_, rows)) => transaction.commit().await.map(|()| rows),
        Err(failure) => {
            transaction.roll_back().await;
            Err(failure)
        }
    }
}

/// What is named by an id that says no account: whose it is, and the rows of them that the list finds by the same id.
///
/// Only the first statement looks at all accounts, and it says nothing but whose.
async fn of_any(database: &Database, seek: &Seek, list: &'static List, id: Cell) -> Result<Option<(Whose, Vec<Row>)>, StoreError> {
    let mut tries = Tries::default();
    loop {
        match of_any_once(database, seek, list, &id).await {
            Err(failure) if failure.may_pass() && tries.again().await => {}
            ended => return ended.map_err(StoreError::from),
        }
    }
}

async fn of_any_once(database: &Database, seek: &Seek, list: &'static List, id: &Cell) -> Result<Option<(Whose, Vec<Row>)>, Failure> {
    let transaction = Transaction::new(database).await?;
    match of_any_in(&transaction, seek, list, id).await {
        Ok(found) => transaction.commit().await.map(|()| found),
        Err(failure) => {
            transaction.roll_back().await;
            Err(failure)
        }
    }
}

async fn of_any_in(transaction: &Transaction, seek: &Seek, list: &'static List, id: &Cell) -> Result<Option<(Whose, Vec<Row>)>, Failure> {
    let text = list.text();
    transaction.prepare(&[seek.text, &text]).await?;
    let (fence, ask) = (Fence::finding(), Ask { text: seek.text.to_owned(), kinds: seek.found.to_vec(), values: vec![Value(id.clone())] });
    let (_, found) = try_join(transaction.open(&fence, Access::Read), ask.rows(transaction)).await?;
    let Some(whose) = found.first().map(|row| whose(row)).transpose()? else { return Ok(None) };
    let (fence, ask) = (whose.fence(), Ask::new(&list.with(vec![id.clone()]), &whose));
    let ((), rows) = try_join(transaction.fence(&fence), ask.rows(transaction)).await?;
    Ok(Some((whose, rows)))
}

/// What statements about all accounts find, few columns of each.
async fn seek(database: &Database, seek: &Seek, given: Vec<Cell>) -> Result<Vec<Row>, StoreError> {
    let mut tries = Tries::default();
    loop {
        match seek_once(database, seek, &given).await {
            Err(failure) if failure.may_pass() && tries.again().await => {}
            ended => return ended.map_err(StoreError::from),
        }
    }
}

async fn seek_once(database: &Database, seek: &Seek, given: &[Cell]) -> Result<Vec<Row>, Failure> {
    let transaction = Transaction::new(database).await?;
    let values = given.iter().cloned().map(Value).collect();
    let (fence, ask) = (Fence::finding(), Ask { text: seek.text.to_owned(), kinds: seek.found.to_vec(), values });
    let read = async {
        transaction.prepare(&[seek.text]).await?;
        try_join(transaction.open(&fence, Access::Read), ask.rows(&transaction)).await
    };
    match read.await {
        Ok((_, rows)) => transaction.commit().await.map(|()| rows),
        Err(failure) => {
            transaction.roll_back().await;
            Err(failure)
        }
    }
}

/// Whose the row is whose first cell says it.
fn whose(row: &Row) -> Result<Whose, Failure> {
    match row.first() {
        None | Some(Cell::Null) => Ok(Whose::Operator),
        Some(Cell::Bytes(bytes)) => match bytes.as_slice().try_into() {
            Ok(bytes) => Ok(Whose::Account(AccountId::from_bytes(bytes))),
            Err(_) => Err(Failure::Refused(StoreError::Corrupt(String::from("the id of an account has another length")))),
        },
        Some(Cell::Int(_) | Cell::Text(_)) => Err(Failure::Refused(StoreError::Corrupt(String::from("expected the id of an account")))),
    }
}

/// A statement on its way.
struct Ask {
    text: String,
    kinds: Vec<Kind>,
    values: Vec<Value>,
}

impl Ask {
    fn new(query: &Query, whose: &Whose) -> Self {
        let values = [whose.cell()].into_iter().chain(query.given.iter().cloned()).map(Value).collect();
        Self { text: query.list.text(), kinds: query.list.kinds(), values }
    }

    async fn rows(&self, transaction: &Transaction) -> Result<Vec<Row>, Failure> {
        let values: Vec<&(dyn ToSql + Sync)> = self.values.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect();
        cells(transaction.query(&self.text, &values).await?, &self.kinds)
    }
}

/// A cell as what a statement is given.
#[derive(Debug)]
struct Value(Cell);

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match &self.0 {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Int(number) => number.to_sql(kind, out),
            Cell::Text(text) => text.to_sql(kind, out),
            Cell::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::fmt::Write;

    use gatepost_cluster::Cluster;

    use super::statements::{LISTS, SEEKS};
    use super::*;
    use crate::Options;

    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lists/statements.sql");

    /// Run with `GATEPOST_WRITE_GOLDEN=1` to write it anew.
    #[test]
    fn the_text_of_every_statement_is_as_it_was_reviewed() {
        let mut text = String::new();
        let lists = LISTS.iter().map(|list| (list.name, list.text()));
        for (name, statement) in lists.chain(SEEKS.iter().map(|seek| (seek.name, seek.text.to_owned()))) {
            let lines: Vec<&str> = statement.lines().map(str::trim).collect();
            writeln!(text, "-- {name}\n{};\n", lines.join("\n")).expect("a string");
        }
        if std::env::var_os("GATEPOST_WRITE_GOLDEN").is_some() {
            std::fs::write(GOLDEN, &text).expect("the file is written");
        }
        assert_eq!(std::fs::read_to_string(GOLDEN).expect("the file"), text);
    }

    #[test]
    fn every_list_says_whose_rows_it_reads_of_each_table() {
        for list in LISTS {
            let text = list.text();
            let names_it = ["= $1", "DISTINCT FROM $1", "$1::bytea IS NULL"].iter().any(|said| text.contains(said));
            assert!(names_it, "{} names no account", list.name);
        }
    }

    #[test]
    fn the_server_understands_every_statement() {
        let Some(cluster) = Cluster::shared() else { return };
        let database = cluster.create().expect("a database");
        let open = Arc::new(Database::open(&database.url(), &Options::default()).expect("it opens"));
        let runs = {
            let open = Arc::clone(&open);
            async move {
                let (transaction, _) = open.begin(&Fence::finding(), Access::Read).await.expect("it begins");
                for list in LISTS {
                    assert!(transaction.prepare(&[&list.text()]).await.is_ok(), "{} is not understood", list.name);
                }
                for seek in SEEKS {
                    assert!(transaction.prepare(&[seek.text]).await.is_ok(), "{} is not understood", seek.name);
                }
                transaction.roll_back().await;
            }
        };
        open.runtime().wait(runs).expect("no panic");
    }
}
