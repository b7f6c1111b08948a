//! The server as a process: its first start, its bootstrap file, its modes.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Place, http, mode, send, shown};
use serde_json::Value;

#[test]
fn the_first_start_shows_keys_that_work_and_no_later_one_does() {
    let place = Place::new();
    let first = place.serve(&[]);
    let url = first.url.clone();
    let said = first.stop();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let (api_key, operator_key) = (shown(&said.stdout, "API key"), shown(&said.stdout, "operator key"));
    assert!(said.stdout.contains(&format!("curl -X POST {url}/api/send-message")), "{}", said.stdout);
    assert!(!said.stderr.contains(api_key) && !said.stderr.contains(operator_key));
    assert_eq!(mode(&place.data()), 0o700);
    assert_eq!(mode(&place.data().join("keys.toml")), 0o600);

    let second = place.serve(&[]);
    let (status, sent) = send(&second.url, api_key, 30, "+999501234567");
    assert_eq!((status, sent["status"].as_str()), (200, Some("sent")));
    let (status, accounts) = http("GET", &format!("{}/v1/accounts", second.url), operator_key, None);
    assert_eq!((status, accounts["items"][0]["name"].as_str()), (200, Some("Demo")));
    assert_eq!((accounts["items"][0]["plan"].as_str(), accounts["items"].as_array().unwrap().len()), (Some("starter"), 1));
    assert_eq!(second.stop().stdout, "");
}

#[test]
fn a_bootstrap_file_holds_new_keys_and_ends_those_before() {
    let place = Place::new();
    let file = place.path("bootstrap.json");
    let read = || -> Value { serde_json::from_slice(&fs::read(&file).unwrap()).unwrap() };
    let key = |keys: &Value, name: &str| keys[name].as_str().unwrap().to_owned();

    let first = place.serve(&["--bootstrap", "bootstrap.json"]);
    let old = read();
    assert_eq!(mode(&file), 0o600);
    assert_eq!(send(&first.url, &key(&old, "api_key"), 30, "+999501234567").0, 200);
    let on_first_start = shown(&first.stop().stdout, "API key").to_owned();

    let second = place.serve(&["--bootstrap", "bootstrap.json"]);
    let new = read();
    assert_eq!((&new["account_id"], &new["instance_id"]), (&old["account_id"], &old["instance_id"]));
    assert_eq!(send(&second.url, &key(&old, "api_key"), 0, "+999501234568").0, 401);
    assert_eq!(http("GET", &format!("{}/v1/accounts", second.url), &key(&old, "operator_key"), None).0, 401);
    assert_eq!(send(&second.url, &key(&new, "api_key"), 30, "+999501234568").0, 200);
    assert_eq!(http("GET", &format!("{}/v1/accounts", second.url), &key(&new, "operator_key"), None).0, 200);
    assert_eq!(send(&second.url, &on_first_start, 30, "+999501234569").0, 200, "the keys of the first start stay");
    assert_eq!(second.stop().stdout, "");
}

#[test]
fn the_sandbox_does_as_it_is_told() {
    let place = Place::new();
    let served = place.serve(&["--sandbox-fail", "refuse", "--sandbox-latency-ms", "1", "--bootstrap", "bootstrap.json"]);
    let keys: Value = serde_json::from_slice(&fs::read(place.path("bootstrap.json")).unwrap()).unwrap();
    let (status, answer) = send(&served.url, keys["api_key"].as_str().unwrap(), 30, "+999501234567");
    assert_eq!((status, answer["error"].as_str()), (502, Some("gateway_send_failed")));
    served.stop();

    let unknown = place.run(&["serve", "--sandbox-fail", "sometimes"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("`sandbox.fail` from --sandbox-fail: expected `refuse`"), "{}", unknown.stderr);
}

#[test]
fn production_makes_nothing_for_show() {
    let place = Place::new();
    fs::write(place.path("gatepost.toml"), "mode = \"production\"\n").unwrap();
    let said = place.serve(&[]).stop();
    assert!(said.stdout.contains("gatepost-server key create --operator --name first --data 'data'"), "{}", said.stdout);
    assert_eq!(place.json(&["account", "list"])["items"].as_array().unwrap().len(), 0);

    place.json(&["key", "create", "--operator", "--name", "first"]);
    assert_eq!(place.serve(&[]).stop().stdout, "", "who has a key needs no advice");

    let bootstrap = place.run(&["serve", "--listen", "127.0.0.1:0", "--bootstrap", "x.json"]);
    assert_eq!(bootstrap.code, 2);
    assert!(!place.path("x.json").exists());
}

#[test]
fn production_refuses_a_keyring_that_others_can_read() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    fs::set_permissions(place.data().join("keys.toml"), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(place.run(&["account", "list"]).code, 0);

    fs::write(place.path("gatepost.toml"), "mode = \"production\"\n").unwrap();
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("expected a file that only its owner can read"), "{}", refused.stderr);
}

#[test]
fn a_keyring_elsewhere_is_used() {
    let place = Place::new();
    fs::create_dir(place.path("secrets")).unwrap();
    fs::write(place.path("gatepost.toml"), "keys_file = \"secrets/keys.toml\"\n").unwrap();
    place.json(&["account", "create", "--name", "Shop"]);
    assert_eq!(mode(&place.path("secrets/keys.toml")), 0o600);
    assert!(!place.data().join("keys.toml").exists());
}

#[test]
fn a_port_that_is_taken_is_told() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let said = place.run(&["serve", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!((said.code, said.stdout.as_str()), (3, ""));
    assert!(said.stderr.contains("cannot listen on 127.0.0.1:"), "{}", said.stderr);
}

#[test]
fn one_connection_more_than_there_may_be_is_closed() {
    let place = Place::new();
    fs::write(place.path("gatepost.toml"), "[http]\nconnections_max = 1\n").unwrap();
    let served = place.serve(&[]);
    let connect = || TcpStream::connect(served.url.strip_prefix("http://").unwrap()).unwrap();
    let answer = |mut stream: &TcpStream| {
        let mut first = [0; 12];
        // A connection that was closed may say so as an error.
        let read = stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").and_then(|()| stream.read(&mut first));
        String::from_utf8_lossy(&first[..read.unwrap_or(0)]).into_owned()
    };
    let only = connect();
    assert_eq!(answer(&only), "HTTP/1.1 200");
    assert_eq!(answer(&connect()), "");
    assert!(served.stop().stderr.contains("`http.connections_max` is reached"));
    drop(only);
}

#[test]
fn the_log_is_json_where_that_is_asked_for() {
    let place = Place::new();
    fs::write(place.path("gatepost.toml"), "[log]\nformat = \"json\"\n").unwrap();
    let said = place.serve(&[]).stop();
    let (_, log) = said.stderr.split_once('\n').unwrap();
    let stopped = said.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).any(|line| line["message"] == "stopped");
    assert!(stopped, "{log}");
}
