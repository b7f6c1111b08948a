//! `config check`: the settings in force, and what is wrong with those that cannot be.

use std::fs;

use crate::support::{Place, run};
use serde_json::{Value, json};

fn row<'a>(answer: &'a Value, key: &str) -> &'a Value {
    answer["items"].as_array().unwrap().iter().find(|row| row["key"] == key).unwrap()
}

#[test]
fn every_setting_is_shown_with_its_source_and_secrets_masked() {
    let place = Place::new();
    fs::write(place.path("gatepost.toml"), "data = \"elsewhere\"\n[delivering]\nin_flight_max = 7\n").unwrap();
    let mut command = place.command(&["config", "check", "--json", "--data", "here"]);
    command.env("GATEPOST_KEY", "wg_op_secret").env("GATEPOST_LOG_FORMAT", "json");
    let said = run(command, "");
    assert!(!said.stdout.contains("wg_op_secret"));

    let answer = said.json();
    assert_eq!(row(&answer, "data"), &json!({"key": "data", "value": "here", "source": "--data"}));
    assert_eq!(row(&answer, "delivering.in_flight_max")["value"], 7);
    assert_eq!(row(&answer, "delivering.in_flight_max")["source"], "gatepost.toml");
    assert_eq!(row(&answer, "log.format")["source"], "GATEPOST_LOG_FORMAT");
    assert_eq!(row(&answer, "key")["value"], "***");
    assert_eq!(row(&answer, "mode")["source"], "default");
    assert!(!place.path("here").exists(), "a check makes nothing");

    let text = place.run(&["config", "check"]).ok();
    assert!(text.starts_with("KEY "), "{text}");
}

#[test]
fn what_cannot_be_is_told_with_its_key_and_source() {
    let place = Place::new();
    fs::write(place.path("other.toml"), "listen = \"0.0.0.0:80\"\n").unwrap();
    let said = place.run(&["config", "check", "--config", "other.toml"]);
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    assert!(said.stderr.starts_with("error: `listen` from other.toml: expected a loopback address"), "{}", said.stderr);

    let mut command = place.command(&["config", "check"]);
    command.env("GATEPOST_DELIVERING_POLL_INTERVAL_MS", "soon");
    let said = run(command, "");
    assert_eq!(said.code, 2);
    let expected = "`delivering.poll_interval_ms` from GATEPOST_DELIVERING_POLL_INTERVAL_MS: expected a whole number from 10 to 5000";
    assert!(said.stderr.contains(expected), "{}", said.stderr);
}
