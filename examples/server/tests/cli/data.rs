//! The command line over a data folder.

use std::fs;

use crate::support::{Place, mode};
use serde_json::{Value, json};

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

#[test]
fn the_nouns_of_an_account_from_its_making_on() {
    let place = Place::new();
    let account = place.json(&["account", "create", "--name", "Shop", "--messages-per-day", "7", "--messages-per-month", "70"]);
    assert_eq!((&account["plan"], &account["limits"]["messages_per_day"]), (&json!("custom"), &json!(7)));
    assert_eq!(mode(&place.data()), 0o700);
    for file in ["gatepost.db", "keys.toml"] {
        assert_eq!(mode(&place.data().join(file)), 0o600, "{file}");
    }

    let instance = place.json(&["instance", "create", "--name", "main", "--provider", "sandbox"]);
    assert_eq!(instance["connection"], "open");
    let closed = place.json(&["instance", "update", id(&instance), "--connection", "closed"]);
    assert_eq!(closed["connection"], "closed");
    let paused = place.json(&["instance", "pause", id(&instance), "--note", "moving"]);
    assert_eq!((&paused["pause"]["by"], &paused["pause"]["note"]), (&json!("app"), &json!("moving")));
    assert_eq!(place.json(&["instance", "resume", id(&instance)])["pause"], Value::Null);
    assert_eq!(place.json(&["instance", "list", "--account", id(&account)])["items"][0]["name"], "main");

    let updated = place.json(&["account", "update", id(&account), "--plan", "scale", "--supervised", "true"]);
    assert_eq!((&updated["plan"], &updated["supervised"], &updated["name"]), (&json!("scale"), &json!(true), &json!("Shop")));
    assert!(place.json(&["account", "suspend", id(&account)])["suspended_at"].is_string());
    assert_eq!(place.json(&["account", "reinstate", id(&account)])["suspended_at"], Value::Null);

    assert_eq!(place.json(&["usage"])["live"]["day"]["used"], 0);
    let traffic = place.json(&["account", "traffic", id(&account)]);
    assert_eq!((&traffic["live"]["sent"], &traffic["pauses_at"]["opt_outs"]), (&json!(0), &json!(10)));
    for list in [["message", "list"], ["review", "list"], ["policy-event", "list"]] {
        assert_eq!(place.json(&list), json!({"items": []}), "{list:?}");
    }
}

#[test]
fn a_key_is_made_rerolled_and_revoked() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    let key = place.json(&["key", "create", "--name", "shop", "--allowed-from", "203.0.113.0/24", "--expires-at", "never"]);
    assert!(key["api_key"].as_str().unwrap().starts_with("wg_live_"));
    assert_eq!((&key["scopes"], &key["expires_at"]), (&json!(["messages:send", "messages:read"]), &Value::Null));
    assert!(place.json(&["key", "create", "--name", "test", "--test"])["api_key"].as_str().unwrap().starts_with("wg_test_"));

    let new = place.json(&["key", "reroll", id(&key), "--grace-seconds", "0"]);
    assert_eq!(place.json(&["key", "show", id(&key)])["state"], "expired");
    assert_eq!(place.json(&["key", "revoke", id(&new)])["state"], "revoked");
    assert!(!place.run(&["key", "list"]).ok().contains("wg_live_shop"));

    let operator = place.json(&["key", "create", "--operator", "--name", "on-call"]);
    assert!(operator["api_key"].as_str().unwrap().starts_with("wg_op_"));
    assert_eq!(place.json(&["key", "revoke", "--operator", id(&operator)])["state"], "revoked");
    assert_eq!(place.json(&["key", "list", "--operator"])["items"].as_array().unwrap().len(), 1);
}

#[test]
fn numbers_are_suppressed_listed_and_lifted() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    let added = place.run_with(&["suppress", "add", "--cause", "complaint", "--json"], "+999 50 123 4567\n\n999501234568\n").ok();
    assert_eq!(added.lines().count(), 2);
    assert_eq!(place.json(&["suppress", "add", "+999501234569", "--note", "asked by phone"])["cause"], "manual");

    let list = place.run(&["suppress", "list", "--in-force"]).ok();
    assert_eq!(list.lines().count(), 4);
    assert!(list.starts_with("ID "), "{list}");
    assert!(list.lines().nth(1).unwrap().contains("+999501234569  manual"), "{list}");

    let found = place.json(&["suppress", "list", "--phone", "+999501234567"]);
    let suppression = &found["items"][0];
    assert_eq!(suppression["cause"], "complaint");
    assert_eq!(place.json(&["suppress", "lift", id(suppression)])["lifted"]["by"], "app");
    assert_eq!(place.json(&["suppress", "show", id(suppression)])["lifted"]["by"], "app");
    assert_eq!(place.json(&["suppress", "list", "--in-force"])["items"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    place.json(&["suppress", "add", "+999501234567", "--note", "=asked by phone"]);
    let lifted = place.json(&["suppress", "add", "+999501234568", "--cause", "complaint"]);
    place.json(&["suppress", "lift", id(&lifted)]);
    let table = place.run(&["suppress", "export", "-"]).ok();
    assert!(table.starts_with("address,cause,note,since,lifted_at\n"), "{table}");
    assert!(table.contains("+999501234567,manual,'=asked by phone,"), "{table}");

    let other = Place::new();
    other.json(&["account", "create", "--name", "Shop"]);
    let import = |arguments: &[&str], table: &str| -> Value {
        let said = other.run_with(&[&["suppress", "import", "-", "--json"], arguments].concat(), table).ok();
        serde_json::from_str(&said).unwrap()
    };
    let told = |answer: &Value| ["added", "known", "lifted", "bad"].map(|field| answer[field].as_u64().unwrap());
    assert_eq!(told(&import(&["--dry-run"], &table)), [1, 0, 1, 0]);
    assert_eq!(told(&import(&[], &table)), [1, 0, 1, 0]);
    let again = import(&[], &(table + "call me,manual,,,\n"));
    assert_eq!(told(&again), [0, 1, 1, 1]);
    assert_eq!(again["bad_lines"], json!([{"line": 4, "reason": "`address`: expected a phone number with its country code"}]));
    let kept = other.json(&["suppress", "list"]);
    assert_eq!((&kept["items"][0]["note"], &kept["items"][0]["cause"]), (&json!("=asked by phone"), &json!("manual")));
}

#[test]
fn of_many_numbers_a_bad_one_is_told_by_its_place() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    let said = place.run(&["suppress", "add", "+999501234567", "call me", "+999501234568"]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("2: refused:") && said.stderr.contains("phone: expected digits"), "{}", said.stderr);
    assert!(said.stderr.ends_with("refused: 1 of 3\n") && !said.stderr.contains("call me"), "{}", said.stderr);
    assert_eq!(place.json(&["suppress", "list"])["items"].as_array().unwrap().len(), 2);
}

#[test]
fn exit_codes_say_what_to_do_next() {
    let place = Place::new();
    let absent = place.run(&["account", "list"]);
    assert_eq!((absent.code, absent.stdout.as_str()), (3, ""));
    assert!(absent.stderr.contains("holds no database"), "{}", absent.stderr);
    assert!(!place.data().exists(), "a question makes nothing");

    place.json(&["account", "create", "--name", "Shop"]);
    let refused = place.run(&["account", "create", "--name", "", "--plan", "free"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.starts_with("refused: "), "{}", refused.stderr);
    assert!(refused.stderr.contains("\n  name: ") || refused.stderr.contains("\n  plan: "), "{}", refused.stderr);
    assert_eq!(place.run(&["account", "show", "../operator-keys"]).code, 1);

    place.json(&["account", "create", "--name", "Other"]);
    let unclear = place.run(&["instance", "list"]);
    assert_eq!(unclear.code, 2);
    assert!(unclear.stderr.contains("`--account`"), "{}", unclear.stderr);

    for arguments in
        [&["nonsense"][..], &["message", "resolve", "msg_1"], &["account", "list", "--url", "http://127.0.0.1:1", "--data", "x"]]
    {
        assert_eq!(place.run(arguments).code, 2, "{arguments:?}");
    }
    assert!(place.run(&["--help"]).ok().contains("Exit codes:"));
}

#[test]
fn messages_are_judged_from_standard_input() {
    let place = Place::new();
    let lines = "{\"purpose\":\"political\",\"text\":\"Vote\"}\nYour table is ready.\n";
    let said = place.run_with(&["inspect", "message"], lines).ok();
    let verdicts: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&verdicts[0]["decision"], &verdicts[0]["category"]), (&json!("block"), &json!("political")));
    assert_eq!((&verdicts[1]["decision"], &verdicts[1]["reasons"]), (&json!("allow"), &json!([])));
    assert!(!place.data().exists());
}

#[test]
fn urls_are_judged_from_standard_input() {
    let place = Place::new();
    let lines = "{\"url\":\"https://hooks.example.com/in\"}\nhttps://169.254.169.254/\n";
    let said = place.run_with(&["inspect", "url"], lines).ok();
    let verdicts: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts[0], json!({"url": "https://hooks.example.com/in", "verdict": "allow", "reason": "ok"}));
    assert_eq!(verdicts[1], json!({"url": "https://169.254.169.254/", "verdict": "block", "reason": "metadata-ip"}));
    assert!(!place.data().exists());
}

#[test]
fn replies_are_read_from_standard_input() {
    let place = Place::new();
    let said = place.run_with(&["inspect", "reply"], "{\"text\":\"STOP\"}\nwrong number\n").ok();
    let verdicts: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&verdicts[0]["intent"], &verdicts[0]["tier"]), (&json!("opt_out"), &json!("certain")));
    assert_eq!((&verdicts[1]["intent"], &verdicts[1]["suspected"]), (&json!("none"), &json!("opt_out")));
    assert!(!place.data().exists());
}

#[test]
fn webhooks_are_read_from_standard_input() {
    let place = Place::new();
    let body = "{\"event\":\"connection.update\",\"instance\":\"desk\",\"data\":{\"instance\":\"desk\",\"state\":\"open\"}}\nnot json\n";
    let said = place.run_with(&["inspect", "webhook", "--provider", "evolution"], body).ok();
    let verdicts: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&verdicts[0]["items"][0]["kind"], &verdicts[0]["quarantined"]), (&json!("connection.update"), &json!([])));
    assert_eq!(verdicts[1], json!({"error": "expected JSON"}));
    let said = place.run_with(&["inspect", "webhook", "--provider", "threecx"], "{\"event_type\":\"test\"}\n").ok();
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), json!({"items": [{"kind": "test"}], "quarantined": []}));
    assert_eq!(place.run(&["inspect", "webhook", "--provider", "fax"]).code, 2);
    assert!(!place.data().exists());
}

#[test]
fn a_backup_is_a_database_of_its_own_without_the_keyring() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    fs::create_dir(place.path("copy")).unwrap();
    let said = place.run(&["backup", "copy/gatepost.db"]).ok();
    assert!(said.contains("the keyring was left out"), "{said}");
    assert_eq!(mode(&place.path("copy/gatepost.db")), 0o600);
    let files: Vec<_> = fs::read_dir(place.path("copy")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["gatepost.db"]);

    let alone = place.run(&["account", "list", "--data", "copy"]);
    assert_eq!(alone.code, 2);
    assert!(alone.stderr.contains("the keyring is missing"), "{}", alone.stderr);
    fs::copy(place.data().join("keys.toml"), place.path("copy/keys.toml")).unwrap();
    assert_eq!(place.json(&["account", "list", "--data", "copy"])["items"][0]["name"], "Shop");

    let again = place.run(&["backup", "copy/gatepost.db"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("nothing is written over"), "{}", again.stderr);
}

#[test]
fn the_keyring_must_hold_every_root_that_the_database_names() {
    let place = Place::new();
    place.json(&["key", "create", "--operator", "--name", "first"]);
    assert!(place.run(&["keyring", "add"]).ok().starts_with("root 2 was added, and is not used yet"));
    assert!(place.run(&["keyring", "use", "2"]).ok().starts_with("root 2 is used from the next start on"));
    assert_eq!(place.run(&["keyring", "use", "3"]).code, 2);
    place.json(&["key", "create", "--operator", "--name", "second"]);

    let keys = place.data().join("keys.toml");
    let text = fs::read_to_string(&keys).unwrap();
    let second = text.rfind("[[root]]").unwrap();
    fs::write(&keys, &text[second..]).unwrap();
    let refused = place.run(&["account", "list"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("expected root 1, which the database knows"), "{}", refused.stderr);
}

#[test]
fn another_keyring_than_the_databases_is_refused_before_it_makes_anything() {
    let (place, other) = (Place::new(), Place::new());
    for place in [&place, &other] {
        place.json(&["account", "create", "--name", "Shop"]);
    }
    fs::copy(other.data().join("keys.toml"), place.data().join("keys.toml")).unwrap();
    let refused = place.run(&["key", "create", "--operator", "--name", "first"]);
    assert_eq!(refused.code, 2);
    let expected = "keys.toml: expected another root 1: this one is not that of the database; put the keyring of the database there";
    assert!(refused.stderr.contains(expected), "{}", refused.stderr);
}

#[test]
fn the_openapi_document_is_printed() {
    let document = Place::new().run(&["openapi"]).json();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/v1/accounts"]["post"].is_object());
}
