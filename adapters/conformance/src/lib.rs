//! Conformance: what every store and every transport of Gatepost must do, as cases that an adapter runs in its own tests.
//!
//! An adapter is done when its suite is green. [`store_suite!`] expands to one named test per case, so that none can be forgotten or
//! hide behind the failure of another; [`transport_suite!`] does the same for transports. A store brings a [`Home`] for its data;
//! one in memory is its own:
//!
//! ```
//! use std::sync::Arc;
//!
//! use gatepost_memory::MemoryStore;
//!
//! gatepost_conformance::store_suite!(|| Arc::new(MemoryStore::new()));
//! # fn main() {}
//! ```
//!
//! A store on disk says how to open it, and the suite opens it again over the same data:
//!
//! ```
//! use std::sync::Arc;
//!
//! use gatepost::Store;
//! use gatepost_conformance::{Home, store_suite};
//! # struct Folder;
//! # impl Folder { fn new() -> Self { Folder } fn store(&self) -> impl Store + 'static { gatepost_memory::MemoryStore::new() } }
//!
//! impl Home for Folder {
//!     fn open(&self) -> Arc<dyn Store> {
//!         Arc::new(self.store())
//!     }
//! }
//!
//! store_suite!(Folder::new);
//! # fn main() {}
//! ```
//!
//! The cases of a store stand in groups:
//!
//! | of | groups |
//! | --- | --- |
//! | a message's way | `accept`, `idempotency`, `quota`, `velocity`, `suppression`, `review`, `two_people`, `deliver`, `fence`, `fairness`, `order` |
//! | who sends | `keys`, `accounts`, `traffic` |
//! | an event's way | `endpoints`, `events`, `operator`, `take`, `deliveries`, `health`, `replays`, `recoveries` |
//! | what comes in | `inbox`, `said`, `opt_out`, `contacts`, `reports` |
//! | phone systems | `integrations` |
//! | the log of decisions | `seals` |
//! | all of it | `apart`, `paging`, `retention`, `reopen`, `races` |
//!
//! A store whose rows can be changed from outside runs [`unreadable_suite!`] as well: what it does with rows that it cannot read or write.
//!
//! A decorator runs the suite over the store that it decorates.
//!
//! Time and chance are the suite's: what a store is told stands in the calls, and a case runs the same each time.

#![allow(clippy::expect_used, reason = "a case fails by panicking")]

mod accept;
mod accounts;
mod apart;
mod cases;
mod contacts;
mod deliver;
mod deliveries;
mod draft;
mod endpoints;
mod events;
mod fairness;
mod fence;
pub mod fixture;
mod health;
mod idempotency;
mod inbox;
mod instances;
mod integrations;
mod keys;
mod operator;
mod opt_out;
mod order;
mod paging;
mod quota;
mod races;
mod recoveries;
mod reopen;
mod replays;
mod reports;
mod retention;
mod review;
mod said;
mod scene;
mod seals;
mod suppression;
mod take;
mod traffic;
mod transport;
mod two_people;
mod unreadable;
mod velocity;
mod words;
mod world;

use std::sync::Arc;

use gatepost::{Store, Timestamp, Transport};

use crate::cases::table;
pub use crate::unreadable::{SpoilHarness, Spoilable};

/// Where the data of one store lives: as long as this does.
pub trait Home: Send + Sync {
    /// Opens a store over the data; at first there is none. When it is opened again, everything that held the former one is gone,
    /// and what the former one answered must be there.
    fn open(&self) -> Arc<dyn Store>;
}

/// A store whose data lives as long as the store itself.
impl<S: Store + 'static> Home for Arc<S> {
    fn open(&self) -> Arc<dyn Store> {
        self.clone()
    }
}

/// Gives each case a home of its own.
///
/// Whatever makes a [`Home`] is one, for example `|| Arc::new(InMemory::new())`.
pub trait Harness {
    /// A home without data.
    fn home(&self) -> Box<dyn Home>;

    /// Whether the machine has what it takes; otherwise whoever gives this says so, and the case is skipped.
    fn is_here(&self) -> bool {
        true
    }
}

impl<F: Fn() -> H, H: Home + 'static> Harness for F {
    fn home(&self) -> Box<dyn Home> {
        Box::new(self())
    }
}

/// Gives each case a transport.
pub trait TransportHarness {
    /// A transport to a provider that takes whatever it is sent.
    fn open(&self) -> Arc<dyn Transport>;

    /// The present time by the clock that the transport reads.
    fn now(&self) -> Timestamp;
}

/// A case of a store: its name, `subject::behavior`, and a function that panics if the store fails it.
pub type Case = (&'static str, fn(&dyn Harness));

/// A case of a transport.
pub type TransportCase = (&'static str, fn(&dyn TransportHarness));

/// A case of a store whose rows can be changed from outside.
pub type UnreadableCase = (&'static str, fn(&dyn SpoilHarness));

/// What every store must do.
pub const CASES: &[Case] = __store_cases!(table[]);

/// What every transport must do.
pub const TRANSPORT_CASES: &[TransportCase] = __transport_cases!(table[]);

/// What every store must do with rows that it cannot read.
pub const UNREADABLE_CASES: &[UnreadableCase] = __unreadable_cases!(table[unreadable]);

/// Runs one store case.
///
/// # Panics
///
/// If the store fails it, or if there is no case of this name.
pub fn run(name: &str, harness: &dyn Harness) {
    let (_, case) = CASES.iter().find(|(listed, _)| *listed == name).expect("a case of this name");
    if harness.is_here() {
        case(harness);
    }
}

/// Runs one transport case.
///
/// # Panics
///
/// If the transport fails it, or if there is no case of this name.
pub fn run_transport(name: &str, harness: &dyn TransportHarness) {
    let (_, case) = TRANSPORT_CASES.iter().find(|(listed, _)| *listed == name).expect("a case of this name");
    case(harness);
}

/// Runs one case of rows that cannot be read.
///
/// # Panics
///
/// If the store fails it, or if there is no case of this name.
pub fn run_unreadable(name: &str, harness: &dyn SpoilHarness) {
    let (_, case) = UNREADABLE_CASES.iter().find(|(listed, _)| *listed == name).expect("a case of this name");
    if harness.is_here() {
        case(harness);
    }
}

/// Expands to one test per store case, for the [`Harness`] that the expression gives.
///
/// The tests stand in modules named after their subjects; where there are two suites, give each a module of its own.
#[macro_export]
macro_rules! store_suite {
    ($harness:expr) => {
        $crate::__store_cases!(__tests [run $harness]);
    };
}

/// Expands to one test per transport case, for the [`TransportHarness`] that the expression gives.
#[macro_export]
macro_rules! transport_suite {
    ($harness:expr) => {
        $crate::__transport_cases!(__tests [run_transport $harness]);
    };
}

/// Expands to one test per case of rows that cannot be read, for the [`SpoilHarness`] that the expression gives.
#[macro_export]
macro_rules! unreadable_suite {
    ($harness:expr) => {
        $crate::__unreadable_cases!(__tests [run_unreadable $harness]);
    };
}
