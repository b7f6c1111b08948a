//! The suite that every store runs, over a database for each case that is closed and opened again.

#![allow(clippy::expect_used, reason = "a home that cannot be made fails its case")]

mod cluster;

use std::sync::Arc;

use gatepost::Store;
use gatepost_cluster::{Cluster, Database};
use gatepost_conformance::{Harness, Home, store_suite};
use gatepost_postgres::{Options, PostgresStore};

/// A database of its own for each case.
struct Place(Database<'static>);

struct Places;

impl Harness for Places {
    fn home(&self) -> Box<dyn Home> {
        Box::new(Place(cluster::migrated().expect("Postgres on this machine")))
    }

    fn is_here(&self) -> bool {
        Cluster::shared().is_some()
    }
}

impl Home for Place {
    fn open(&self) -> Arc<dyn Store> {
        let options = Options { connections: 8, ..Options::default() };
        Arc::new(PostgresStore::open(&self.0.url(), &options).expect("a database that can be opened"))
    }
}

store_suite!(Places);
