//! Lists: what is only read, straight from SQL.
//!
//! The rows of a page are put into a world of their own, and what a store in memory says of that world is the answer: so both say the same.
//! The players: a [`List`] (a statement that finds rows of one table, in `statements`), [`list`] (asks several of them at one moment),
//! [`of_any`] and [`of_all`] (the same for what is named by no account), and a file for each subject.
//!
//! A row that cannot be right fails its list, which names the table and the column, rather than being left out.

use std::collections::BTreeSet;

use futures_util::future::{try_join, try_join_all};
use gatepost::{Account, AccountId, Name, Page, Plan, StoreError, Timestamp};
use gatepost_rows::cells::{BadRow, Cell, Kind, Row, Table};
use gatepost_rows::tables;
use gatepost_rows::world::{AccountRows, World};

use crate::connect::Database;
use crate::error::Failure;
use crate::group::cells;
use crate::sql::Lookup;
use crate::transaction::{Access, Fence, Transaction, Tries};
use crate::value::Value;
use crate::write::Arrays;

pub(crate) mod accounts;
pub(crate) mod contacts;
pub(crate) mod events;
pub(crate) mod inbox;
pub(crate) mod integrations;
pub(crate) mod messages;
#[cfg(test)]
mod plans;
pub(crate) mod seals;
pub(crate) mod statements;

/// A statement that finds rows of one table. Whose, is the first value that it is given.
pub(crate) struct List {
    /// What it finds.
    #[cfg(test)]
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

    /// It, with what it is given behind the account.
    const fn with(&'static self, given: Vec<Cell>) -> Query {
        Query { list: self, given }
    }
}

/// A statement that finds what an id or a time means in whatever account: few columns, by which the rows are then read.
pub(crate) struct Seek {
    /// What it finds.
    #[cfg(test)]
    pub(crate) name: &'static str,
    /// The columns of what it finds.
    pub(crate) found: &'static [Kind],
    /// The statement.
    pub(crate) text: &'static str,
}

fn kinds(table: &Table) -> Vec<Kind> {
    table.columns.iter().map(|column| column.kind).collect()
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
    after.map_or_else(|| Cell::from([0xff; 16]), Into::into)
}

/// How many rows a page has at most.
fn limit<I>(page: &Page<I>) -> Cell {
    Cell::count(page.limit as u64)
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

/// Runs what only reads, again where a connection broke or others were in the way.
macro_rules! again {
    ($once:expr) => {{
        let mut tries = Tries::default();
        loop {
            match $once.await {
                Err(failure) if failure.may_pass() && tries.again().await => {}
                ended => break ended.map_err(StoreError::from),
            }
        }
    }};
}

/// Ends a transaction that only read.
async fn ended<T>(transaction: Transaction, read: Result<T, Failure>) -> Result<T, Failure> {
    match read {
        Ok(found) => transaction.commit().await.map(|()| found),
        Err(failure) => {
            transaction.roll_back().await;
            Err(failure)
        }
    }
}

/// What the queries find.
async fn rows_of(database: &Database, whose: &Whose, queries: &[Query]) -> Result<Vec<Vec<Row>>, StoreError> {
    again!(rows_once(database, whose, queries))
}

async fn rows_once(database: &Database, whose: &Whose, queries: &[Query]) -> Result<Vec<Vec<Row>>, Failure> {
    let transaction = Transaction::new(database, Access::Read).await?;
    let asks: Vec<Ask> = queries.iter().map(|query| Ask::list(query, whose)).collect();
    let read = opened(&transaction, &whose.fence(), &asks).await;
    ended(transaction, read).await
}

/// Opens a transaction and asks in the same breath.
async fn opened(transaction: &Transaction, fence: &Fence, asks: &[Ask]) -> Result<Vec<Vec<Row>>, Failure> {
    transaction.prepare(&asks.iter().map(|ask| ask.text.as_str()).collect::<Vec<_>>()).await?;
    let answers = try_join_all(asks.iter().map(|ask| ask.rows(transaction)));
    let (_, rows) = try_join(transaction.open(fence), answers).await?;
    Ok(rows)
}

/// What a statement about all accounts finds: few columns of each.
async fn seek(database: &Database, seek: &Seek, given: Vec<Cell>) -> Result<Vec<Row>, StoreError> {
    again!(seek_once(database, seek, &given))
}

async fn seek_once(database: &Database, seek: &Seek, given: &[Cell]) -> Result<Vec<Row>, Failure> {
    let transaction = Transaction::new(database, Access::Read).await?;
    let read = sought(&transaction, seek, given).await;
    ended(transaction, read).await
}

async fn sought(transaction: &Transaction, seek: &Seek, given: &[Cell]) -> Result<Vec<Row>, Failure> {
    Ok(opened(transaction, &Fence::finding(), &[Ask::seek(seek, given)]).await?.concat())
}

/// What is named by an id that says no account: whose it is, and the rows of them that the list finds by the same id.
///
/// Only the first statement looks at all accounts, and it says nothing but whose.
async fn of_any(database: &Database, seek: &Seek, list: &'static List, id: Cell) -> Result<Option<(Whose, Vec<Row>)>, StoreError> {
    again!(of_any_once(database, seek, list, &id))
}

async fn of_any_once(database: &Database, seek: &Seek, list: &'static List, id: &Cell) -> Result<Option<(Whose, Vec<Row>)>, Failure> {
    let transaction = Transaction::new(database, Access::Read).await?;
    let read = of_any_in(&transaction, seek, list, id).await;
    ended(transaction, read).await
}

async fn of_any_in(transaction: &Transaction, seek: &Seek, list: &'static List, id: &Cell) -> Result<Option<(Whose, Vec<Row>)>, Failure> {
    let found = sought(transaction, seek, std::slice::from_ref(id)).await?;
    let Some(whose) = found.first().map(whose).transpose()? else { return Ok(None) };
    let (fence, ask) = (whose.fence(), Ask::list(&list.with(vec![id.clone()]), &whose));
    transaction.prepare(&[&ask.text]).await?;
    let ((), rows) = try_join(transaction.fence(&fence), ask.rows(transaction)).await?;
    Ok(Some((whose, rows)))
}

/// What a statement about all accounts finds, and the rows that a lookup finds by that, both as they were at one moment.
async fn of_all(database: &Database, seek: &Seek, given: Vec<Cell>, lookup: &Lookup) -> Result<(Vec<Row>, Vec<Row>), StoreError> {
    again!(of_all_once(database, seek, &given, lookup))
}

async fn of_all_once(database: &Database, seek: &Seek, given: &[Cell], lookup: &Lookup) -> Result<(Vec<Row>, Vec<Row>), Failure> {
    let transaction = Transaction::new(database, Access::Read).await?;
    let read = of_all_in(&transaction, seek, given, lookup).await;
    ended(transaction, read).await
}

async fn of_all_in(transaction: &Transaction, seek: &Seek, given: &[Cell], lookup: &Lookup) -> Result<(Vec<Row>, Vec<Row>), Failure> {
    let found = sought(transaction, seek, given).await?;
    let mut accounts = BTreeSet::new();
    for row in &found {
        if let Whose::Account(account) = whose(row)? {
            accounts.insert(account);
        }
    }
    let (text, kinds) = (lookup.text(), kinds(lookup.table));
    let (fence, keys) = (Fence::accounts(accounts), Arrays::of(lookup.keys.iter().copied(), found.iter()));
    transaction.prepare(&[&text]).await?;
    let values = keys.params();
    let ((), rows) = try_join(transaction.fence(&fence), transaction.query(&text, &values)).await?;
    Ok((found, cells(rows, &kinds)?))
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
    fn list(query: &Query, whose: &Whose) -> Self {
        let values = Value::of([&whose.cell()].into_iter().chain(&query.given));
        Self { text: query.list.text(), kinds: kinds(query.list.table), values }
    }

    fn seek(seek: &Seek, given: &[Cell]) -> Self {
        Self { text: seek.text.to_owned(), kinds: seek.found.to_vec(), values: Value::of(given) }
    }

    async fn rows(&self, transaction: &Transaction) -> Result<Vec<Row>, Failure> {
        cells(transaction.query(&self.text, &Value::params(&self.values)).await?, &self.kinds)
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::fmt::Write;
    use std::sync::Arc;

    use gatepost_cluster::Cluster;

    use super::statements::{LISTS, LOOKUPS, SEEKS};
    use super::*;
    use crate::Options;

    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lists/statements.sql");

    /// Run with `GATEPOST_WRITE_GOLDEN=1` to write it anew.
    #[test]
    fn the_text_of_every_statement_is_as_it_was_reviewed() {
        let mut text = String::new();
        let lists = LISTS.iter().map(|list| (list.name, list.text()));
        let seeks = SEEKS.iter().map(|seek| (seek.name, seek.text.to_owned()));
        let lookups = LOOKUPS.iter().map(|lookup| (lookup.name, lookup.text()));
        for (name, statement) in lists.chain(seeks).chain(lookups) {
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

    /// A store's database, and the handle that keeps it.
    fn opened() -> Option<(gatepost_cluster::Database<'static>, Arc<Database>)> {
        let database = Cluster::shared()?.create().expect("a database");
        let open = Arc::new(Database::open(&database.url(), &Options::default()).expect("it opens"));
        Some((database, open))
    }

    /// Runs a test on the store's own threads.
    fn on<T, F>(open: &Arc<Database>, test: impl FnOnce(Arc<Database>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        open.runtime().wait(test(Arc::clone(open))).expect("no panic")
    }

    fn somebody() -> AccountId {
        AccountId::from_bytes([7; 16])
    }

    const SOMEBODY: &str = "decode(repeat('07', 16), 'hex')";

    #[test]
    fn the_server_understands_every_statement() {
        let Some((_database, open)) = opened() else { return };
        on(&open, |open| async move {
            let (transaction, _) = open.begin(&Fence::finding(), Access::Read).await.expect("it begins");
            let lists = LISTS.iter().map(|list| (list.name, list.text()));
            let lookups = LOOKUPS.iter().map(|lookup| (lookup.name, lookup.text()));
            let seeks = SEEKS.iter().map(|seek| (seek.name, seek.text.to_owned()));
            for (name, text) in lists.chain(lookups).chain(seeks) {
                assert!(transaction.prepare(&[&text]).await.is_ok(), "{name} is not understood");
            }
            transaction.roll_back().await;
        });
    }

    #[test]
    fn a_row_that_cannot_be_right_fails_its_list_and_says_where() {
        let Some((database, open)) = opened() else { return };
        let spoil = format!(
            "INSERT INTO notifications VALUES ({SOMEBODY}, decode(repeat('01', 16), 'hex'), '\\x0102', 1, 1, 0, 0, NULL);
             INSERT INTO inbound_keys VALUES ({SOMEBODY}, '\\x00', 1)"
        );
        database.run(&spoil).expect("rows");
        let page = Page { after: None, limit: 10 };
        let listed = on(&open, move |open| async move { inbox::notifications(&open, somebody(), page).await });
        let expected = "the column `instance` of `notifications` cannot be read: there are more bytes or fewer";
        assert_eq!(listed, Err(StoreError::Corrupt(expected.to_owned())));
    }

    #[test]
    fn an_event_that_cannot_be_read_is_not_hidden_by_a_filter() {
        let Some((database, open)) = opened() else { return };
        let spoil = format!(
            "INSERT INTO policy_events VALUES ({SOMEBODY}, 1, 1, NULL, {SOMEBODY}, {SOMEBODY}, 'block', 'no JSON'),
                                              ({SOMEBODY}, 2, 1, NULL, {SOMEBODY}, {SOMEBODY}, 'block', '{{}}')"
        );
        database.run(&spoil).expect("rows");
        let filter = gatepost::PolicyEventFilter { rule: Some(gatepost::RuleId::ALL[0]), ..Default::default() };
        let page = Page { after: None, limit: 10 };
        let (listed, sealed) = on(&open, move |open| async move {
            let listed = messages::policy_events(&open, somebody(), filter, page).await;
            (listed.map(|listed| listed.len()), seals::event_rows(&open, somebody(), page).await)
        });
        assert_eq!(listed, Err(StoreError::Corrupt("the column `body` of `policy_events` cannot be read: no JSON".to_owned())));
        let bodies: Vec<Vec<u8>> = sealed.expect("they are shown as they stand").into_iter().map(|row| row.body).collect();
        assert_eq!(bodies, [b"no JSON".to_vec(), b"{}".to_vec()]);
    }

    #[test]
    fn a_seal_that_cannot_be_read_is_shown_as_one() {
        let Some((database, open)) = opened() else { return };
        let spoil = format!("INSERT INTO seals VALUES ({SOMEBODY}, 1, 1, 3, 5, '\\x00', '\\x00', 1, 6, '\\x00', NULL, NULL, '\\xff')");
        database.run(&spoil).expect("a row");
        let stored = on(&open, |open| async move { seals::last(&open, somebody()).await }).expect("it is read").expect("it is there");
        assert_eq!((stored.number, stored.seal, stored.row_digests), (1, None, vec![0xff]));
        let before = Timestamp::from_millis(10);
        let old = on(&open, move |open| async move { seals::old(&open, before, 0, 5).await }).expect("they are read");
        assert_eq!(old.iter().map(|(account, seal)| (*account, seal.number)).collect::<Vec<_>>(), [(somebody(), 1)]);
    }

    #[test]
    fn what_nobody_has_is_nothing() {
        let Some((_database, open)) = opened() else { return };
        on(&open, |open| async move {
            assert_eq!(accounts::account(&open, somebody()).await, Ok(None));
            assert_eq!(accounts::last_seq(&open, somebody()).await, Ok(0));
            assert_eq!(accounts::all(&open, Page { after: None, limit: 3 }).await.map(|all| all.len()), Ok(0));
            assert_eq!(accounts::roots(&open).await, Ok(Vec::new()));
            let id = gatepost::InstanceId::from_bytes([1; 16]);
            assert!(matches!(accounts::any_instance(&open, id).await, Ok(None)));
        });
    }
}
