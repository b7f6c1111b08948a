//! Instances at the prompt, with stand-ins of the providers of WhatsApp beside them.

use std::fs;
use std::time::{Duration, Instant};

use gatepost_whatsapp::fake::FakeEvolution;
use serde_json::{Value, json};

use crate::support::{Place, http, run};

/// Long enough for a person at a stand-in to write, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_demo_sends_to_stand_ins_and_nothing_of_it_leaves_the_machine_afterwards() {
    let place = Place::new();
    let served = place.serve(&["--demo", "--bootstrap", "bootstrap.json"]);
    let read = || -> Value { serde_json::from_slice(&fs::read(place.path("bootstrap.json")).unwrap()).unwrap() };
    let send = |url: &str, instance: &str| {
        let body = json!({"instance_id": instance, "phone": "+999501234567", "message": "Hello", "message_purpose": "support"});
        http("POST", &format!("{url}/api/send-message?wait=30"), read()["api_key"].as_str().unwrap(), Some(&body))
    };
    let send_once_open = |url: &str| {
        let begun = Instant::now();
        loop {
            let (_, answer) = send(url, "demo-cloud");
            if answer["error"] != "conversation_window_closed" || begun.elapsed() > PATIENCE {
                break answer;
            }
        }
    };
    for instance in ["demo", "demo-evolution"] {
        let (status, sent) = send(&served.url, instance);
        assert_eq!((status, sent["status"].as_str()), (200, Some("sent")), "{instance}: {sent}");
    }
    // Somebody lives at the stand-in, and writes first: then free text goes.
    assert_eq!(send_once_open(&served.url)["status"], "sent");
    assert_eq!(served.stop().code, 0);

    let without = place.serve(&["--bootstrap", "bootstrap.json"]);
    assert_eq!(send(&without.url, "demo").0, 200);
    for instance in ["demo-cloud", "demo-evolution"] {
        let (status, refused) = send(&without.url, instance);
        assert_eq!((status, refused["error"].as_str()), (409, Some("instance_not_connected")), "{instance}");
    }
    assert_eq!(without.stop().code, 0);

    let again = place.serve(&["--demo", "--bootstrap", "bootstrap.json"]);
    assert_eq!(send(&again.url, "demo-evolution").0, 200);
    assert_eq!(send_once_open(&again.url)["status"], "sent");
    assert_eq!(again.stop().code, 0);
}

#[test]
fn production_has_no_demo() {
    let place = Place::new();
    fs::write(place.path("gatepost.toml"), "mode = \"production\"\n").unwrap();
    let said = place.run(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("`--demo`: expected `mode` to be `development`"), "{}", said.stderr);
}

#[test]
fn an_instance_of_the_cloud_api_lives_at_the_prompt() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    fs::write(place.path("secrets"), "access_token: EAAJ-the-first-access-token-1\n\napp_secret: 5f1d-the-first-app-secret\n").unwrap();
    let create = ["instance", "create", "--name", "desk", "--provider", "cloud_api", "--phone-number-id", "8007", "--waba-id", "9001"];
    let made = place.json(&[&create[..], &["--credentials", "secrets"]].concat());
    let id = made["id"].as_str().unwrap();
    assert_eq!((&made["connection"], &made["cloud_api"]["access_token"]["last_four"]), (&json!("open"), &json!("en-1")));
    assert_eq!(made["cloud_api"]["webhook"]["url"], format!("http://127.0.0.1:8080/providers/whatsapp/{id}"));
    assert!(made["cloud_api"]["webhook"]["verify_token"].is_string());

    fs::write(place.path("secrets"), "app_secret: 77aa-the-second-app-secret\n").unwrap();
    let rotated = place.json(&["instance", "rotate-app-secret", id, "--credentials", "secrets"]);
    assert_eq!(rotated["cloud_api"]["app_secrets"].as_array().unwrap().len(), 2);
    let retired = place.json(&["instance", "retire-app-secret", id]);
    assert_eq!(retired["cloud_api"]["app_secrets"].as_array().unwrap().len(), 1);
    let mut command = place.command(&["instance", "update", id, "--throughput", "1000", "--credentials", "-", "--json"]);
    command.env("GATEPOST_LOG_LEVEL", "error");
    let changed = run(command, "access_token: EAAJ-the-second-access-token-2\n").json();
    assert_eq!((&changed["cloud_api"]["throughput"], &changed["cloud_api"]["access_token"]["last_four"]), (&json!(1000), &json!("en-2")));

    fs::write(place.path("secrets"), "access_token EAAJ-s3cret\n").unwrap();
    let broken = place.run(&["instance", "update", id, "--credentials", "secrets"]);
    assert_eq!(broken.code, 2);
    assert!(broken.stderr.contains("secrets: line 1: expected `name: value`") && !broken.stderr.contains("s3cret"), "{}", broken.stderr);
    let listed = place.run(&["instance", "list"]).ok();
    assert!(listed.contains("desk") && !listed.contains("EAAJ"), "{listed}");
}

#[test]
fn an_instance_of_evolution_api_lives_at_the_prompt() {
    let (place, evolution) = (Place::new(), FakeEvolution::start("front-desk", "the-key").unwrap());
    place.json(&["account", "create", "--name", "Shop"]);
    fs::write(place.path("secrets"), "api_key: the-key\n").unwrap();
    let create = ["instance", "create", "--name", "desk", "--provider", "evolution", "--instance-name", "front-desk"];
    let made = place.json(&[&create[..], &["--base-url", &evolution.url(), "--credentials", "secrets"]].concat());
    let id = made["id"].as_str().unwrap();
    assert_eq!(place.json(&["instance", "provision", id])["connection"], "closed");
    let linking = place.json(&["instance", "connect", id, "--phone", "+999501234567"]);
    assert_eq!((&linking["connection"], &linking["pairing_code"]), (&json!("connecting"), &json!("FAKE1234")));
    assert!(linking["qr_svg"].as_str().unwrap().contains("<svg"));
    evolution.set_state("open");
    assert_eq!(place.json(&["instance", "connection", id]), json!({"connection": "open"}));
    assert_eq!(place.json(&["instance", "restart", id]), json!({"connection": "open"}));
    assert_eq!(place.json(&["instance", "set-webhook", id])["connection"], "open");
    assert_eq!(place.json(&["instance", "logout", id]), json!({"connection": "closed"}));
}
