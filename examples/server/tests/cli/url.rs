//! The command line against a server that runs in this process.

use std::fs;
use std::net::SocketAddr;

use crate::support::{Place, Said, http, run, send};
use gatepost_server::config::{Bounded, SandboxSettings, Settings};
use gatepost_server::serve::{Extras, Server};
use serde_json::{Value, json};

fn settings(place: &Place) -> Settings {
    Settings { data: place.data(), listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Settings::default() }
}

/// A server with the keys it leaves for scripts.
async fn serve(settings: &Settings, place: &Place) -> (Server, String, Value) {
    let file = place.path("bootstrap.json");
    let (server, _) = Server::start(settings, &Extras { bootstrap: Some(&file), demo: false }).await.unwrap();
    let url = format!("http://{}", server.address());
    (server, url, serde_json::from_slice(&fs::read(file).unwrap()).unwrap())
}

fn ask(place: &Place, url: &str, key: &Value, arguments: &[&str]) -> Said {
    let mut command = place.command(&[arguments, &["--url", url, "--json"]].concat());
    command.env("GATEPOST_KEY", key.as_str().unwrap());
    run(command, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_give_the_same_answers() {
    let place = Place::new();
    let (server, url, keys) = serve(&settings(&place), &place).await;

    for arguments in [&["account", "list"][..], &["instance", "list"], &["suppress", "list"], &["key", "list", "--operator"]] {
        let local = place.json(arguments);
        assert_eq!(ask(&place, &url, &keys["operator_key"], arguments).json(), local, "{arguments:?}");
        assert!(!local["items"].is_null());
    }
    let added = ask(&place, &url, &keys["operator_key"], &["suppress", "add", "+999501234567"]).json();
    assert!(added["by"].as_str().unwrap().starts_with("key:"));
    assert_eq!(place.json(&["suppress", "list"])["items"][0]["id"], added["id"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_key_speaks_for_its_account() {
    let place = Place::new();
    let (server, url, keys) = serve(&settings(&place), &place).await;
    let key = &keys["api_key"];

    let (status, sent) = send(&url, key.as_str().unwrap(), 30, "+999501234567");
    assert_eq!((status, &sent["status"]), (200, &json!("sent")));
    let message = sent["message_id"].as_str().unwrap();
    let list = ask(&place, &url, key, &["message", "list", "--status", "sent"]).json();
    assert_eq!(list["items"][0]["id"], *message);
    assert_eq!(ask(&place, &url, key, &["message", "show", message]).json()["text"], "Your table is ready.");
    assert_eq!(ask(&place, &url, key, &["message", "attempts", message]).json()["items"][0]["outcome"], "sent");
    assert_eq!(ask(&place, &url, key, &["policy-event", "list", "--message", message]).json()["items"][0]["decision"]["verdict"], "allow");
    assert_eq!(ask(&place, &url, key, &["usage"]).json()["live"]["day"]["used"], 1);

    let refused = ask(&place, &url, key, &["account", "list"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("this needs an operator key"), "{}", refused.stderr);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_message_is_released_at_the_prompt() {
    let place = Place::new();
    let (server, url, keys) = serve(&settings(&place), &place).await;
    let (key, account) = (keys["api_key"].as_str().unwrap(), keys["account_id"].as_str().unwrap());
    place.json(&["account", "update", account, "--supervised", "true"]);

    let (status, held) = send(&url, key, 0, "+999501234567");
    assert_eq!((status, &held["status"]), (202, &json!("held")));
    let message = held["message_id"].as_str().unwrap();
    assert_eq!(place.json(&["review", "list", "--open"])["items"][0]["message_id"], *message);
    assert_eq!(place.json(&["review", "list", "--rule", "account_supervised"])["items"][0]["opened_by"], "account_supervised");
    assert_eq!(place.json(&["review", "list", "--closed"])["items"], json!([]));
    place.json(&["review", "release", message, "--note", "fine"]);
    let review = place.json(&["review", "show", message]);
    assert_eq!((&review["closed"]["verdict"], &review["closed"]["note"]), (&json!("released"), &json!("fine")));

    assert_eq!(review["decision"]["reasons"][0]["rule"], "account_supervised");

    let (_, other) = send(&url, key, 0, "+999501234568");
    assert_eq!(place.json(&["review", "refuse", other["message_id"].as_str().unwrap()])["status"], "refused");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prompt_and_a_key_are_two_people() {
    let place = Place::new();
    let (server, url, keys) = serve(&settings(&place), &place).await;
    let (key, account) = (&keys["api_key"], keys["account_id"].as_str().unwrap());
    place.json(&["account", "update", account, "--supervised", "true", "--two-person-review", "true"]);
    let (_, held) = send(&url, key.as_str().unwrap(), 0, "+999501234567");
    let message = held["message_id"].as_str().unwrap();
    let first = place.json(&["review", "release", message]);
    assert_eq!((&first["status"], &first["awaits_second_release"]), (&json!("held"), &json!(true)));
    let again = place.run(&["review", "release", message]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("another person must release it too"), "{}", again.stderr);
    let second = ask(&place, &url, key, &["review", "release", message]);
    assert_eq!((second.code, place.json(&["review", "show", message])["closed"]["verdict"].as_str()), (0, Some("released")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_finishes_what_is_on_its_way() {
    let place = Place::new();
    let sandbox = SandboxSettings { latency_ms: Bounded::nearest(300), ..SandboxSettings::default() };
    let (server, url, keys) = serve(&Settings { sandbox, ..settings(&place) }, &place).await;
    let key = keys["api_key"].as_str().unwrap();

    assert_eq!(send(&url, key, 30, "+999501234567").0, 200);
    let (status, queued) = send(&url, key, 0, "+999501234568");
    assert_eq!((status, &queued["status"]), (202, &json!("queued")));
    server.stop().await;
    assert_eq!(place.json(&["message", "show", queued["message_id"].as_str().unwrap()])["status"], "sent");
    let used = place.json(&["key", "list"])["items"][0]["last_used_at"].clone();
    assert!(used.is_string(), "the last use of the key was noted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_told() {
    let place = Place::new();
    let (server, url, keys) = serve(&settings(&place), &place).await;

    let without_key = place.run(&["account", "list", "--url", &url]);
    assert_eq!(without_key.code, 2);
    assert!(without_key.stderr.contains("GATEPOST_KEY_FILE"), "{}", without_key.stderr);
    assert_eq!(ask(&place, &url, &json!("wg_op_nonsense"), &["account", "list"]).code, 1);
    let path = ask(&place, &format!("{url}/elsewhere"), &keys["operator_key"], &["account", "list"]);
    assert_eq!(path.code, 1);
    for here_only in [&["backup", "x.db"][..], &["keyring", "add"], &["keyring", "use", "1"], &["store", "reopen"], &["store", "copy"]] {
        let said = ask(&place, &url, &keys["operator_key"], here_only);
        assert_eq!(said.code, 2, "{here_only:?}");
        assert!(said.stderr.contains("give `--data`, not `--url`"), "{}", said.stderr);
        assert!(!said.stderr.contains(keys["operator_key"].as_str().unwrap()));
    }

    server.stop().await;
    let gone = ask(&place, &url, &keys["operator_key"], &["account", "list"]);
    assert_eq!((gone.code, gone.stdout.as_str()), (3, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_server_is_alive_and_ready() {
    let place = Place::new();
    let (server, url, keys) = serve(&settings(&place), &place).await;
    // The worker turned once it has sent.
    assert_eq!(send(&url, keys["api_key"].as_str().unwrap(), 30, "+999501234567").0, 200);
    for path in ["/", "/livez", "/readyz"] {
        assert_eq!(http("GET", &format!("{url}{path}"), "", None).0, 200, "{path}");
    }
    server.stop().await;
}
