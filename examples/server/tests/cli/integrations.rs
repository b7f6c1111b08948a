//! Integrations at the prompt: a phone system is set up, changed and removed, and what it must not show it does not.

use std::fs;
use std::thread;

use serde_json::{Value, json};

use crate::support::{Place, http, run};

/// The line of a trunk, whose path nobody is told.
const PBX: &str = "http://127.0.0.1:1/sms/generic/s3cret-path\n";

fn with_instance() -> Place {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    place.json(&["instance", "create", "--name", "desk", "--provider", "sandbox"]);
    place
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn the_life_of_an_integration() {
    let place = with_instance();
    fs::write(place.path("url"), PBX).unwrap();
    let create = ["integration", "create", "--name", "office", "--instance", "desk", "--number", "+999220000001", "--pbx-url-file", "url"];
    let more = ["--inbound", "true", "--call-events", "true", "--allowed-ip", "203.0.113.7", "--template", "missed_call=true"];
    let made = place.json(&[&create[..], &more, &["--text", "missed_call=Sorry. a=b"]].concat());
    let office = id(&made);
    assert_eq!((&made["pbx"]["origin"], &made["pbx"]["state"]), (&json!("http://127.0.0.1:1"), &json!("enabled")));
    assert_eq!((&made["allowed_ips"], &made["call_event_enabled"]), (&json!(["203.0.113.7/32"]), &json!(true)));
    assert_eq!(made["templates"]["missed_call"], json!({"enabled": true, "text": "Sorry. a=b"}));
    assert!(made["secrets"]["webhook_secret"].as_str().unwrap().starts_with("3cxwhs_"));

    let listed = place.run(&["integration", "list"]).ok();
    assert!(listed.contains("office") && !listed.contains("s3cret") && !listed.contains("3cxwhs_"), "{listed}");
    let shown = place.run(&["integration", "show", office]).ok();
    assert!(shown.contains("127.0.0.1:1") && !shown.contains("s3cret") && !shown.contains("3cxwhs_"), "{shown}");
    let rotated = place.json(&["integration", "rotate", office, "trunk"]);
    assert_ne!(rotated["secret"], made["secrets"]["trunk_key"]);

    let changed = place.json(&["integration", "update", office, "--name", "front", "--any-ip", "--template", "missed_call=false"]);
    assert_eq!((&changed["name"], &changed["allowed_ips"], &changed["number"]), (&json!("front"), &json!([]), &json!("+999220000001")));
    assert_eq!(changed["templates"]["missed_call"], json!({"enabled": false, "text": "Sorry. a=b"}));
    let ended = place.json(&["integration", "update", office, "--no-pbx-url"]);
    assert_eq!(ended["pbx"], Value::Null);
    let mut command = place.command(&["integration", "update", office, "--pbx-url-file", "-", "--json"]);
    command.env("GATEPOST_LOG_LEVEL", "error");
    assert_eq!(run(command, PBX).json()["pbx"]["state"], "enabled");

    place.run(&["integration", "template", office, "crm.xml"]).ok();
    let template = fs::read_to_string(place.path("crm.xml")).unwrap();
    assert!(template.contains(changed["crm_url"].as_str().unwrap()), "{template}");
    assert_eq!(place.run(&["integration", "template", office, "-"]).ok(), template);
    assert_eq!(place.run(&["integration", "template", office, "crm.xml"]).code, 2, "it is there already");
    let unknown = place.run(&["integration", "template", "7", "other.xml"]);
    assert_eq!((unknown.code, place.path("other.xml").exists()), (1, false), "{}", unknown.stderr);

    assert_eq!(place.json(&["integration", "log", "--direction", "in", "--integration", office]), json!({"items": []}));
    assert_eq!(place.json(&["integration", "log", "--phone", "+999501234567"]), json!({"items": []}));
    assert!(place.json(&["integration", "remove", office])["removed_at"].is_string());
    assert_eq!(place.run(&["integration", "show", office]).code, 1);
}

#[test]
fn changes_at_once_do_not_undo_each_other() {
    let place = Place::new();
    let served = place.serve(&["--bootstrap", "bootstrap.json"]);
    let keys: Value = serde_json::from_slice(&fs::read(place.path("bootstrap.json")).unwrap()).unwrap();
    let ask = |method: &str, path: &str, body: Option<Value>| {
        let url = format!("{}/v1/accounts/me/integrations{path}", served.url);
        let (status, answer) = http(method, &url, keys["api_key"].as_str().unwrap(), body.as_ref());
        assert!(status < 300, "{answer}");
        answer
    };
    let body = json!({"name": "office", "instance_id": "demo", "number": "+999220000001", "pbx_url": PBX.trim()});
    let made = ask("POST", "", Some(body));
    let (path, templates) = (format!("/{}", id(&made)), ["missed_call", "voicemail", "call_ended", "queue_callback", "after_hours"]);
    for is_on in [true, false, true] {
        let settings = ["inbound_enabled", "outbound_enabled", "call_event_enabled", "must_be_signed"];
        let changes = settings.map(|setting| json!({setting: is_on})).into_iter();
        let changes = changes.chain(templates.map(|kind| json!({"templates": {kind: {"enabled": is_on}}})));
        thread::scope(|scope| changes.for_each(|change| _ = scope.spawn(|| ask("PATCH", &path, Some(change)))));
        let now = ask("GET", &path, None);
        assert!(settings.iter().all(|setting| now[*setting] == is_on), "{now}");
        assert!(templates.iter().all(|kind| now["templates"][*kind]["enabled"] == is_on), "{now}");
        assert_eq!(now["pbx"]["state"], if is_on { "enabled" } else { "disabled" });
    }
    assert_eq!(served.stop().code, 0);
}

#[test]
fn what_is_wrong_is_told_without_the_url() {
    let place = with_instance();
    let create = ["integration", "create", "--name", "office", "--instance", "desk"];
    let refused = |more: &[&str]| {
        let said = place.run(&[&create[..], more].concat());
        assert!(!said.stderr.contains("s3cret"), "{}", said.stderr);
        (said.code, said.stderr)
    };
    fs::write(place.path("url"), PBX).unwrap();
    fs::write(place.path("other"), "http://127.0.0.1:1/s3cret-path").unwrap();
    let (code, said) = refused(&["--pbx-url-file", "url"]);
    assert!(code == 1 && said.contains("number: expected the number of the trunk"), "{said}");
    let (code, said) = refused(&["--pbx-url-file", "other", "--number", "+999220000001"]);
    assert!(code == 1 && said.contains("pbx_url: expected the Webhook URL that 3CX shows"), "{said}");
    assert_eq!(refused(&["--pbx-url-file", "absent"]).0, 2);
    assert_eq!(refused(&["--template", "missed_call"]).0, 2);
    assert_eq!(refused(&["--template", "missed_call=maybe"]).0, 2);
    let (code, said) = refused(&["--template", "lunch=true"]);
    assert!(code == 1 && said.contains("templates.lunch"), "{said}");
}

#[test]
fn the_log_of_the_server_does_not_have_the_url() {
    let place = Place::new();
    fs::write(place.path("gatepost.toml"), "[log]\nlevel = \"debug\"\n").unwrap();
    let served = place.serve(&["--bootstrap", "bootstrap.json"]);
    let keys: Value = serde_json::from_slice(&fs::read(place.path("bootstrap.json")).unwrap()).unwrap();
    fs::write(place.path("url"), PBX).unwrap();
    let ask = |arguments: &[&str]| {
        let mut command = place.command(&[arguments, &["--url", &served.url, "--json"]].concat());
        command.env("GATEPOST_KEY", keys["api_key"].as_str().unwrap());
        run(command, "").json()
    };
    let create = ["integration", "create", "--name", "office", "--instance", "demo", "--number", "+999220000001", "--pbx-url-file", "url"];
    let made = ask(&create);
    ask(&["integration", "update", id(&made), "--inbound", "true", "--pbx-url-file", "url"]);
    let rotated = ask(&["integration", "rotate", id(&made), "webhook"]);
    ask(&["integration", "remove", id(&made)]);
    let said = served.stop();
    assert!(said.stderr.contains("an integration was made"), "{}", said.stderr);
    for secret in ["s3cret", rotated["secret"].as_str().unwrap(), made["secrets"]["crm_key"].as_str().unwrap()] {
        assert!(!said.stderr.contains(secret) && !said.stdout.contains(secret), "{}", said.stderr);
    }
}
