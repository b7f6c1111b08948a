//! What the README says of several hosts on Postgres works as it is written, by a role that is no superuser and makes no other.

use std::fs;
use std::process::Command;

use gatepost_cluster::{Cluster, Settings};
use serde_json::json;

use crate::support::{Place, http, run};

const README: &str = include_str!("../../../../README.md");

/// The first block of this kind in the section.
fn block(kind: &str) -> &'static str {
    let (_, section) = README.split_once("## Several hosts on Postgres").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let (_, block) = section.split_once(&format!("```{kind}\n")).unwrap();
    block.split_once("```").unwrap().0
}

/// A host with the settings of the README: another folder and another address are all that a test needs.
fn command(place: &Place, database: &str, arguments: &[&str]) -> Command {
    fs::write(place.path("gatepost.toml"), block("toml")).unwrap();
    let mut command = place.command(arguments);
    command.env("GATEPOST_CONFIG", "gatepost.toml").env("GATEPOST_DATABASE_URL_FILE", "database-url");
    command.env("GATEPOST_DATA", "data").env("GATEPOST_KEYS_FILE", "keys.toml").env("GATEPOST_LISTEN", "127.0.0.1:0");
    fs::write(place.path("database-url"), database).unwrap();
    command
}

/// A server of its own: roles belong to all of its databases.
fn prepared() -> Option<(Cluster, String)> {
    Cluster::shared()?;
    let cluster = Cluster::start(&Settings::default()).unwrap();
    for statement in block("sql").replace("'...'", "'open'").split_inclusive(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        cluster.run("postgres", statement).unwrap();
    }
    let url = cluster.url_as("gatepost", "open", "gatepost");
    Some((cluster, url))
}

#[test]
fn two_hosts_work_as_the_readme_sets_them_up() {
    let Some((cluster, url)) = prepared() else { return };
    let (first, second) = (Place::new(), Place::new());
    let key = run(command(&first, &url, &["key", "create", "--operator", "--name", "first", "--json"]), "").json();
    fs::copy(first.path("keys.toml"), second.path("keys.toml")).unwrap();
    let hosts = [&first, &second].map(|place| place.serve_by(command(place, &url, &["serve"])));
    let key = key["api_key"].as_str().unwrap();
    let (status, made) = http("POST", &format!("{}/v1/accounts", hosts[0].url), key, Some(&json!({"name": "Shop", "plan": "starter"})));
    assert_eq!(status, 201, "{made}");
    let (status, listed) = http("GET", &format!("{}/v1/accounts", hosts[1].url), key, None);
    assert_eq!((status, listed["items"].as_array().unwrap().len()), (200, 1), "nothing was made for show");
    for host in hosts {
        assert_eq!(http("GET", &format!("{}/readyz", host.url), "", None).0, 200);
        assert_eq!(host.stop().code, 0);
    }
    let is_strong = "SELECT rolsuper OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname = 'gatepost'";
    assert_eq!(cluster.run("postgres", is_strong).unwrap().concat(), [Some("f".to_owned())]);
}

#[test]
fn a_gateway_moves_as_the_readme_says() {
    let Some((_cluster, url)) = prepared() else { return };
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    fs::copy(place.data().join("keys.toml"), place.path("keys.toml")).unwrap();
    run(command(&place, &url, &["store", "copy", "--from", "sqlite:data/gatepost.db"]), "").ok();
    let host = place.serve_by(command(&place, &url, &["serve"]));
    let accounts = run(command(&place, &url, &["account", "list", "--json"]), "").json();
    assert_eq!(accounts["items"][0]["name"], "Shop");
    assert_eq!(host.stop().code, 0);
}
