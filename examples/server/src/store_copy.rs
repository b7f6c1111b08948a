//! Store copy: everything of a SQLite file into an empty Postgres, and then a comparison of both, table by table.
//!
//! The rows are those that the file held at one moment. Afterwards the target is read from its beginning: what is compared is what stands
//! there, not what was sent.

use gatepost::StoreError;
use gatepost_postgres::PostgresStore;
use gatepost_rows::cells::Table;
use gatepost_rows::copying::{Sum, Summary, place};
use gatepost_rows::tables::TABLES;
use gatepost_sqlite::SqliteStore;
use tokio::runtime::Handle;

use crate::Failure;

/// How many rows are on their way at once.
const AT_ONCE: usize = 1_000;

/// What a table holds on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Compared {
    /// Its name.
    pub table: &'static str,
    /// In the SQLite file.
    pub from: Summary,
    /// In Postgres.
    pub to: Summary,
}

impl Compared {
    /// Whether it is the same.
    pub fn is_same(&self) -> bool {
        self.from == self.to
    }
}

/// Copies, and compares. A target that holds anything is refused, and so is a source that somebody writes to.
pub fn run(from: &SqliteStore, to: &PostgresStore, runtime: &Handle) -> Result<Vec<Compared>, Failure> {
    if !runtime.block_on(to.is_empty())? {
        return Err(Failure::Usage("the target holds rows: expected a new database".to_owned()));
    }
    let snapshot = from.snapshot().map_err(|error| Failure::Unavailable(format!("the source: {error}")))?;
    let mut sums = Vec::new();
    for table in TABLES.iter().copied() {
        let mut sum = Sum::default();
        let copied = snapshot.rows(table, AT_ONCE, |rows| {
            rows.iter().for_each(|row| sum.add(row));
            runtime.block_on(to.put_rows(table, rows))
        });
        copied.map_err(|error: StoreError| of_table(table, &error))?;
        sums.push((table, sum.finish()));
    }
    let mut compared = Vec::new();
    for (table, from) in sums {
        let to = runtime.block_on(summary(to, table)).map_err(|error| of_table(table, &error))?;
        compared.push(Compared { table: table.name, from, to });
    }
    if snapshot.is_outdated()? {
        let problem = "somebody wrote to the source meanwhile: stop its server, and copy it again into a new database";
        return Err(Failure::Unavailable(problem.to_owned()));
    }
    Ok(compared)
}

/// What stands in a table of the target.
async fn summary(store: &PostgresStore, table: &'static Table) -> Result<Summary, StoreError> {
    let (mut sum, mut after) = (Sum::default(), None);
    loop {
        let rows = store.rows_after(table, after, AT_ONCE).await?;
        rows.iter().for_each(|row| sum.add(row));
        match rows.last() {
            Some(last) if rows.len() == AT_ONCE => after = Some(place(table, last)),
            _ => return Ok(sum.finish()),
        }
    }
}

fn of_table(table: &Table, error: &StoreError) -> Failure {
    Failure::Unavailable(format!("`{}`: {error}", table.name))
}
