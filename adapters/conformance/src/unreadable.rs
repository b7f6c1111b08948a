//! Rows that cannot be read, and such that cannot be written: what fails because of them, and what does not. The suite of stores whose
//! tables can be changed from outside.
//!
//! The players: a [`SpoilHarness`] (opens a store for each case), [`Spoilable`] (a store, and the way behind its back), [`Ground`] (what the
//! scenes of all files stand on).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use gatepost::{AccountId, AccountStore, Gateway, Store, Timestamp};
use gatepost_system::System;

use crate::fixture::add_account;

pub(crate) mod events;
pub(crate) mod inbox;
pub(crate) mod messages;

/// A store whose rows can be changed behind its back. Statements are in the words that all databases share; bytes stand as `x'00ff'`.
pub trait Spoilable {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Runs a statement; how many rows it changed.
    fn execute(&self, sql: &str) -> usize;

    /// Runs a statement that changes a table.
    fn alter(&self, sql: &str);

    /// The one cell that a statement answers, as text.
    fn one(&self, sql: &str) -> String;
}

/// Opens an empty store, each time that it is asked.
pub trait SpoilHarness {
    /// Opens one.
    fn open(&self) -> Box<dyn Spoilable>;

    /// Whether the machine has what it takes; otherwise whoever gives this says so, and the case is skipped.
    fn is_here(&self) -> bool {
        true
    }
}

impl<S: Spoilable + 'static, F: Fn() -> S> SpoilHarness for F {
    fn open(&self) -> Box<dyn Spoilable> {
        Box::new(self())
    }
}

/// What every scene stands on: a store, a gateway over it, and two accounts with an instance each.
struct Ground {
    database: Box<dyn Spoilable>,
    gateway: Gateway,
    accounts: [AccountId; 2],
    narrowed: RefCell<BTreeSet<&'static str>>,
}

impl Drop for Ground {
    /// The next case may get the same database.
    fn drop(&mut self) {
        std::mem::take(&mut *self.narrowed.borrow_mut()).into_iter().for_each(|table| self.take_all(table));
    }
}

impl Ground {
    fn new(harness: &dyn SpoilHarness) -> Self {
        let database = harness.open();
        let gateway = Gateway::builder(database.store(), Arc::new(System)).build();
        let accounts = [(); 2].map(|()| add_account(&gateway));
        Self { database, gateway, accounts, narrowed: RefCell::default() }
    }

    fn now(&self) -> Timestamp {
        self.gateway.host().now()
    }

    fn store_of(&self, account: AccountId) -> Arc<dyn AccountStore> {
        self.gateway.store().account(account)
    }

    /// Changes a row behind the store's back.
    fn corrupt(&self, sql: &str, id: [u8; 16]) {
        assert_eq!(self.database.execute(&sql.replace("?1", &bytes(id))), 1);
    }

    /// Has the database take only such rows of the table.
    fn narrow(&self, table: &'static str, check: &str) {
        self.narrowed.borrow_mut().insert(table);
        self.database.alter(&format!("ALTER TABLE {table} ADD COLUMN narrow INTEGER NOT NULL DEFAULT 1 CHECK (narrow = 1 AND ({check}))"));
    }

    /// Has it take all rows again.
    fn widen(&self, table: &'static str) {
        self.narrowed.borrow_mut().remove(table);
        self.take_all(table);
    }

    fn take_all(&self, table: &str) {
        self.database.alter(&format!("ALTER TABLE {table} DROP COLUMN narrow"));
    }
}

/// Bytes in a statement.
fn bytes(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x'{hex}'")
}
