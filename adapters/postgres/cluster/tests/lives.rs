//! A cluster lives as long as it should: databases are apart, a killed server comes back, and nothing is left behind.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;

use gatepost_cluster::{Cluster, Settings};

#[test]
fn a_database_is_made_like_another_and_goes_with_its_handle() {
    let Some(cluster) = Cluster::shared() else { return };
    let prepare = |url: &str| assert!(url.contains("@127.0.0.1:"), "on the loopback");
    let first = cluster.create_like("pattern", prepare).expect("a database");
    let second = cluster.create_like("pattern", |_| unreachable!("it is prepared once")).expect("a database");
    first.run("CREATE TABLE t (x BIGINT); INSERT INTO t VALUES (7)").expect("statements");
    assert_eq!(first.run("SELECT x FROM t").expect("a row"), vec![vec![Some(String::from("7"))]]);
    second.run("SELECT x FROM t").expect_err("databases are apart");
    let name = second.name().to_owned();
    drop(second);
    let left = cluster.run("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")).expect("an answer");
    assert!(left.is_empty());
}

#[test]
fn a_killed_server_comes_back_and_a_dropped_one_leaves_nothing() {
    if Cluster::shared().is_none() {
        return;
    }
    let cluster = Cluster::start(&Settings { durable: true, ..Settings::default() }).expect("a cluster");
    let folder = cluster.run("postgres", "SHOW data_directory").expect("a folder").remove(0).remove(0).expect("a folder");
    cluster.run("postgres", "CREATE TABLE t (x BIGINT)").expect("a table");
    cluster.kill().expect("a process to kill");
    cluster.run("postgres", "SELECT 1").expect_err("nobody answers");
    cluster.resume().expect("it starts again");
    cluster.run("postgres", "SELECT x FROM t").expect("the table is there");
    drop(cluster);
    assert!(!Path::new(&folder).exists());
}

#[test]
fn a_lent_database_comes_back_without_its_rows() {
    let Some(cluster) = Cluster::shared() else { return };
    let prepare = |url: &str| {
        let database = url.rsplit('/').next().expect("a name");
        cluster.run(database, "CREATE TABLE t (x BIGINT)").map(drop).expect("a table");
    };
    let lend = || cluster.lend_like("lendable", prepare, "DELETE FROM t").expect("a database");
    let first = lend();
    let name = first.name().to_owned();
    first.run("INSERT INTO t VALUES (7)").expect("a row");
    drop(first);
    let second = lend();
    assert_eq!((second.name(), second.run("SELECT x FROM t").expect("rows")), (name.as_str(), Vec::new()));
}
