//! The audit of a data folder: what was done to the database while the gateway was away.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use crate::support::{Place, send};
use gatepost::Host;
use gatepost_server::config::Settings;
use gatepost_server::data_folder::DataFolder;
use gatepost_server::serve::{Extras, Server};
use gatepost_system::System;
use serde_json::{Value, json};

/// A data folder with three decisions in it, which are sealed, and the account that they are of.
async fn sealed(place: &Place) -> String {
    let settings = Settings { data: place.data(), listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Settings::default() };
    let file = place.path("bootstrap.json");
    let (server, _) = Server::start(&settings, &Extras { bootstrap: Some(&file), demo: false }).await.unwrap();
    let keys: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let url = format!("http://{}", server.address());
    for _ in 0..3 {
        assert_eq!(send(&url, keys["api_key"].as_str().unwrap(), 30, "+999501234567").0, 200);
    }
    server.stop().await;
    let opened = DataFolder::of(&settings).open().await.unwrap();
    // By then the lease of the server is over.
    let turn = opened.sealer().sealing_after(Duration::ZERO).turn(System.now().plus(Duration::from_secs(60))).await.unwrap();
    assert_eq!((turn.sealed, turn.is_leased), (1, false));
    keys["account_id"].as_str().unwrap().to_owned()
}

fn edit(place: &Place, sql: &str) {
    rusqlite::Connection::open(place.data().join("gatepost.db")).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_did_to_the_log_is_named() {
    let place = Place::new();
    let account = sealed(&place).await;
    let heads = place.run(&["audit", "head"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&heads).unwrap()["seq"], 3);
    fs::write(place.path("heads.jsonl"), &heads).unwrap();
    let verify = ["audit", "verify", "--head", "heads.jsonl"];
    let report = place.json(&verify);
    assert_eq!((&report["is_sound"], &report["sealed_events"], &report["unsealed_events"]), (&json!(true), &json!(3), &json!(0)));
    assert_eq!(place.json(&["audit", "head", "--account", &account]), serde_json::from_str::<Value>(&heads).unwrap());

    edit(&place, "UPDATE policy_events SET body = replace(body, 'allow', 'block') WHERE seq = 2; DELETE FROM policy_events WHERE seq = 3");
    let said = place.run(&verify);
    assert_eq!((said.code, said.stderr.as_str()), (1, "refused: the log is not what was sealed, in 1 of 1 accounts\n"));
    assert!(said.stdout.contains("row 2: changed since it was sealed (segment 1)"), "{}", said.stdout);
    assert!(said.stdout.ends_with(&format!("{account}: row 3: missing (segment 1)\n")), "{}", said.stdout);

    edit(&place, "DELETE FROM policy_events; DELETE FROM seals; UPDATE accounts SET last_seq = 0");
    assert_eq!(place.run(&["audit", "verify"]).code, 0, "nothing there tells of it");
    let said = place.run(&verify);
    assert_eq!(said.code, 1);
    assert!(said.stdout.contains("seal 1: missing, and the kept head names it: the end was cut"), "{}", said.stdout);
}

#[test]
fn an_account_that_is_gone_is_missed_by_its_head() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    let kept = place.run(&["audit", "head"]).ok();
    let gone = json!({"account_id": "acc_01kanqh5s0e8t9v2xw3yz4abcd", "segment": 1, "seq": 1, "digest": "0".repeat(64)});
    let said = place.run_with(&["audit", "verify", "--head", "-"], &format!("{kept}{gone}\n"));
    assert_eq!(said.code, 1);
    assert!(said.stdout.contains("the account: missing, and a head of it was kept"), "{}", said.stdout);
}

#[test]
fn a_file_without_heads_is_refused() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    for written in ["junk", "[]", "{}"] {
        let said = place.run_with(&["audit", "verify", "--head", "-"], written);
        assert_eq!(said.code, 2, "{written}");
        assert!(said.stderr.contains("as `audit head` prints"), "{}", said.stderr);
    }
}
