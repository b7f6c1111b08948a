//! Store copy: a database that moves from a SQLite file to an empty Postgres, compared on both sides table by table.
//!
//! Nobody may go on in both. So the file is held alone while its rows are read, the rows arrive all at once or not at all, and between the
//! comparison and that moment the file is marked as moved: whatever dies in between, there are never two databases that a server would
//! open. What is compared is what stands in the target, not what was sent.

use gatepost::{StoreError, Timestamp};
use gatepost_postgres::{Arriving, PostgresStore};
use gatepost_rows::cells::Table;
use gatepost_rows::copying::{Sum, Summary};
use gatepost_rows::tables::TABLES;
use gatepost_sqlite::Leaving;
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

/// Moves everything from a file to the Postgres that `place` names, as of `now`; a target that holds anything is refused. Where a table is
/// not the same on both sides, nothing has happened.
pub fn run(from: &Leaving, to: &PostgresStore, place: &str, now: Timestamp, runtime: &Handle) -> Result<Vec<Compared>, Failure> {
    let arriving = runtime.block_on(to.begin_copy())?;
    if !runtime.block_on(arriving.is_empty())? {
        let problem = "the target holds rows: expected a new database, in which no server and no command has worked";
        return Err(Failure::Usage(problem.to_owned()));
    }
    let sums = TABLES.iter().map(|table| copy(from, &arriving, table, runtime)).collect::<Result<Vec<_>, _>>()?;
    let mut compared = Vec::new();
    for (table, from) in TABLES.iter().zip(sums) {
        let to = runtime.block_on(arriving.summary(table)).map_err(|error| of_table(table, &error))?;
        compared.push(Compared { table: table.name, from, to });
    }
    if compared.iter().all(Compared::is_same) {
        from.mark_moved(place, now)?;
        runtime.block_on(arriving.commit()).or_else(|error| stay(from, error))?;
    }
    Ok(compared)
}

/// Copies a table; what went.
fn copy(from: &Leaving, to: &Arriving, table: &'static Table, runtime: &Handle) -> Result<Summary, Failure> {
    let mut sum = Sum::default();
    let copied = from.rows(table, AT_ONCE, |rows| {
        rows.iter().for_each(|row| sum.add(row));
        runtime.block_on(to.put_rows(table, rows))
    });
    copied.map_err(|error: StoreError| of_table(table, &error))?;
    Ok(sum.finish())
}

/// Takes the mark from the file again, unless its rows may have arrived all the same.
fn stay(from: &Leaving, error: StoreError) -> Result<(), Failure> {
    if let StoreError::OutcomeUnknown(_) = error {
        let problem = format!("{error}; see whether the target holds rows: if it does not, `store reopen` and copy again");
        return Err(Failure::Unavailable(problem));
    }
    from.unmark_moved()?;
    Err(error.into())
}

fn of_table(table: &Table, error: &StoreError) -> Failure {
    Failure::Unavailable(format!("`{}`: {error}", table.name))
}
