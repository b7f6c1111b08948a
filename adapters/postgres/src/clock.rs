//! Clock: leases go by the database's clock, which all hosts share, though every rule goes by the clock of its host.
//!
//! The `due` of a claimed or started row is a lease. It stands in the table by the database's clock and in a world by the host's, so that a
//! host whose clock is ahead takes nobody's delivery early, and one that is behind gives none up late.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use gatepost::Timestamp;
use gatepost_rows::cells::{Cell, Row, Table};

/// What clocks may differ by before it matters: leases are many times as long, and an answer takes some of it on its way.
const TOLERANCE_MILLIS: i64 = 250;

/// The states of a row whose `due` is a lease: claimed, started.
const LEASED: [Cell; 2] = [Cell::Int(1), Cell::Int(2)];

/// How far the database's clock was ahead of this host's when it was asked last, in milliseconds; nothing where that does not matter.
#[derive(Debug, Default)]
pub(crate) struct Skew(AtomicI64);

impl Skew {
    /// Notes what the database's clock said just now, when the host's said this; by how much it is ahead.
    pub(crate) fn note(&self, database: Timestamp, host: Timestamp) -> i64 {
        let ahead = database.as_millis().saturating_sub(host.as_millis());
        let ahead = if ahead.abs() > TOLERANCE_MILLIS { ahead } else { 0 };
        self.0.store(ahead, Ordering::Relaxed);
        ahead
    }

    /// By how much the database is ahead.
    pub(crate) fn millis(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What this host's clock says.
pub(crate) fn host_now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Moves the lease of a row, if it is one, by so many milliseconds: forward on its way into the table, back on its way out.
pub(crate) fn move_lease(table: &Table, row: &mut Row, millis: i64) {
    if millis == 0 || table.name != "outbox" {
        return;
    }
    let (Some(state), Some(due)) = (table.place("state"), table.place("due")) else { return };
    if row.get(state).is_some_and(|state| LEASED.contains(state))
        && let Some(Cell::Int(due)) = row.get_mut(due)
    {
        *due = due.saturating_add(millis);
    }
}

#[cfg(test)]
mod tests {
    use gatepost_rows::tables::outbox::OUTBOX;

    use super::*;

    fn moved(state: i64) -> Row {
        let mut row: Row = OUTBOX.columns.iter().map(|_| Cell::Null).collect();
        for (name, value) in [("state", state), ("due", 1_000)] {
            if let Some(cell) = OUTBOX.place(name).and_then(|place| row.get_mut(place)) {
                *cell = Cell::Int(value);
            }
        }
        move_lease(&OUTBOX, &mut row, 500);
        row
    }

    #[test]
    fn only_leases_are_moved() {
        let due = |state| OUTBOX.place("due").and_then(|place| moved(state).get(place).cloned());
        assert_eq!([0, 1, 2, 3, 4].map(due), [1_000, 1_500, 1_500, 1_000, 1_000].map(|due| Some(Cell::Int(due))));
    }

    #[test]
    fn clocks_that_nearly_agree_are_taken_to_agree() {
        let (skew, host) = (Skew::default(), Timestamp::from_millis(1_000_000));
        for (ahead, noted) in [(50, 0), (-250, 0), (60_000, 60_000), (-60_000, -60_000)] {
            let database = Timestamp::from_millis(host.as_millis() + ahead);
            assert_eq!((skew.note(database, host), skew.millis()), (noted, noted));
        }
    }
}
