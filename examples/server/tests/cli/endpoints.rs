//! Endpoints at the prompt: their whole life, against a server that runs as a process.

use std::fs;
use std::time::Duration;

use crate::receiving::Receiver;
use crate::support::{Place, Served, run, send};
use serde_json::{Value, json};

/// A server with a customer's receiver beside it, and its operator at the prompt.
struct Scene {
    place: Place,
    served: Served,
    receiver: Receiver,
    keys: Value,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let served = place.serve(&["--bootstrap", "bootstrap.json"]);
        let keys = serde_json::from_slice(&fs::read(place.path("bootstrap.json")).unwrap()).unwrap();
        Self { place, served, receiver: Receiver::start(), keys }
    }

    /// What the server answers at the prompt, for machines.
    #[track_caller]
    fn ask(&self, arguments: &[&str]) -> Value {
        let mut command = self.place.command(&[arguments, &["--url", &self.served.url, "--json"]].concat());
        command.env("GATEPOST_KEY", self.keys["api_key"].as_str().unwrap());
        run(command, "").json()
    }

    /// Sends a message, whose event the receiver gets.
    fn send(&self) {
        assert_eq!(send(&self.served.url, self.keys["api_key"].as_str().unwrap(), 30, "+999501234567").0, 200);
    }

    /// Waits until so many events have arrived, repeated ones too.
    fn wait_for(&self, count: usize) {
        while self.receiver.arrived().values().map(Vec::len).sum::<usize>() < count {
            self.receiver.wait(Duration::from_secs(1));
        }
    }

    /// The newest delivery, once it has ended.
    fn last_delivery(&self) -> Value {
        loop {
            let last = self.ask(&["deliveries", "list", "--limit", "1"])["items"][0].clone();
            if !matches!(last["status"].as_str(), Some("queued" | "sending")) {
                return last;
            }
        }
    }
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn the_life_of_an_endpoint() {
    let scene = Scene::new();
    fs::write(scene.place.path("headers"), "Authorization: Bearer s3cret\n\nx-tenant: 7\n").unwrap();
    let add = ["endpoint", "add", &scene.receiver.url, "--event", "message.sent", "--event", "recipient.*", "--headers", "headers"];
    let made = scene.ask(&[&add[..], &["--name", "shop", "--per-minute", "600", "--ed25519"]].concat());
    assert_eq!((&made["state"], &made["challenge"]["passed"]), (&json!("enabled"), &json!(true)));
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(made["header_names"], json!(["authorization", "x-tenant"]));
    assert_eq!(made["rate"], json!({"count": 600, "period_seconds": 60, "burst": 600}));
    let endpoint = id(&made);

    scene.send();
    scene.wait_for(1);
    let arrived = scene.receiver.arrived();
    let [event] = &arrived.values().next().unwrap()[..] else { panic!("one event") };
    assert_eq!((event.header("authorization"), event.header("x-whatsapp-gateway-event")), ("Bearer s3cret", "message.sent"));
    let body: Value = serde_json::from_slice(&event.body).unwrap();
    assert_eq!((&body["event"], body["event_id"].as_str()), (&json!("message.sent"), Some(event.header("webhook-id"))));
    let sent = scene.last_delivery();
    assert_eq!((&sent["status"], sent["event_id"].as_str()), (&json!("sent"), Some(event.header("webhook-id"))));
    assert_eq!(scene.ask(&["deliveries", "show", id(&sent)])["id"], sent["id"]);
    assert_eq!(scene.ask(&["deliveries", "attempts", id(&sent)])["items"][0]["status_code"], 200);

    let replayed = scene.ask(&["deliveries", "replay", id(&sent), "--reason", "lost"]);
    assert_eq!((&replayed["replay"]["reason"], &replayed["event_id"]), (&json!("lost"), &sent["event_id"]));
    scene.wait_for(2);
    assert_eq!(scene.receiver.arrived().len(), 1, "a repeat keeps its id");

    assert_eq!(scene.ask(&["endpoint", "pause", endpoint, "--note", "moving"])["state"], "paused");
    assert_eq!(scene.ask(&["endpoint", "resume", endpoint])["state"], "enabled");
    assert_ne!(scene.ask(&["endpoint", "rotate-secret", endpoint, "--overlap-seconds", "60"])["secret"], made["secret"]);
    assert_eq!(scene.ask(&["endpoint", "switch-secret", endpoint])["id"], made["id"]);
    assert_eq!(scene.ask(&["endpoint", "verify", endpoint])["challenge"]["passed"], true);
    assert_eq!(scene.ask(&["endpoint", "test", endpoint])["event"], "endpoint.test");
    scene.wait_for(3);

    assert_eq!(scene.ask(&["endpoint", "disable", endpoint])["disabled"]["reason"], "person");
    scene.send();
    assert_eq!(scene.last_delivery()["skip"], "endpoint_disabled");
    assert_eq!(scene.ask(&["endpoint", "enable", endpoint])["state"], "enabled");
    let recovery = scene.ask(&["recovery", "start", endpoint, "--since", "2026-01-01T00:00:00Z", "--reason", "was disabled"]);
    scene.wait_for(4);
    assert_eq!(scene.ask(&["recovery", "list"])["items"][0]["id"], recovery["id"]);
    assert_eq!(scene.ask(&["recovery", "show", id(&recovery)])["reason"], "was disabled");
    let is_over = scene.ask(&["recovery", "cancel", id(&recovery)])["state"].clone();
    assert!(is_over == "done" || is_over == "canceled", "{is_over}");

    let changed = scene.ask(&["endpoint", "change", endpoint, "--event", "*", "--in-flight-max", "4"]);
    assert_eq!((&changed["events"], &changed["in_flight_max"], &changed["name"]), (&json!(["*"]), &json!(4), &json!("shop")));
    assert!(changed["signing"]["ed25519_public_key"].is_string());
    assert!(scene.ask(&["endpoint", "change", endpoint, "--ed25519", "false"])["signing"]["ed25519_public_key"].is_null());
    assert_eq!(scene.ask(&["endpoint", "list"])["items"][0]["id"], made["id"]);
    assert_eq!(scene.ask(&["endpoint", "remove", endpoint])["state"], "removed");
    assert_eq!(scene.ask(&["endpoint", "show", endpoint])["state"], "removed");

    let said = scene.served.stop();
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stderr.contains("where events may go") && !said.stderr.contains("/hooks"), "{}", said.stderr);
}

#[test]
fn the_data_folder_answers_too() {
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    let made = place.json(&["endpoint", "add", "http://127.0.0.1:1/", "--event", "*"]);
    assert_eq!((&made["state"], &made["challenge"]["reason"]), (&json!("unverified"), &json!("the receiver cannot be reached")));
    let operators = place.json(&["endpoint", "add", "http://127.0.0.1:1/", "--event", "endpoint.disabled", "--for-operator"]);
    assert_eq!((&operators["for_operator"], made.get("for_operator")), (&json!(true), None));
    let listed = place.run(&["endpoint", "list"]).ok();
    assert!(listed.starts_with("ID ") && listed.contains("unverified") && !listed.contains("whsec_"), "{listed}");
    assert_eq!(place.json(&["deliveries", "list"]), json!({"items": []}));
    assert_eq!(place.json(&["recovery", "list"]), json!({"items": []}));

    let refused = place.run(&["endpoint", "add", "http://10.0.0.1/", "--event", "*"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("url: the host is, or resolves to, an address that is not allowed"), "{}", refused.stderr);
    let without_events = place.run(&["endpoint", "add", "http://127.0.0.1:1/"]);
    assert_eq!(without_events.code, 2);
    fs::write(place.path("headers"), "authorization s3cret\n").unwrap();
    let broken = place.run(&["endpoint", "add", "http://127.0.0.1:1/", "--event", "*", "--headers", "headers"]);
    assert_eq!(broken.code, 2);
    assert!(broken.stderr.contains("headers: line 1: expected `name: value`") && !broken.stderr.contains("s3cret"), "{}", broken.stderr);
}

#[test]
fn what_cannot_be_set_ends_the_start() {
    let place = Place::new();
    for (settings, expected) in [
        ("[webhooks]\nroot_certificates = \"absent.pem\"\n", "`webhooks.root_certificates`: absent.pem: "),
        (
            "[webhooks]\nroot_certificates = \"gatepost.toml\"\n",
            "`webhooks.root_certificates`: expected certificates of authorities in PEM",
        ),
        ("[destinations]\nallow = [\"10.0.0.1/8\"]\n", "`destinations.allow` from gatepost.toml: expected `10.0.0.0/8`"),
    ] {
        fs::write(place.path("gatepost.toml"), settings).unwrap();
        let said = place.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains(expected), "{}", said.stderr);
    }
}

#[test]
fn what_stays_closed_is_told_at_the_start() {
    let place = Place::new();
    fs::write(place.path("gatepost.toml"), "[destinations]\nallow = [\"169.254.0.0/16\"]\n").unwrap();
    let said = place.serve(&[]).stop();
    assert!(said.stderr.contains("`destinations.allow`: 169.254.0.0/16 does not open"), "{}", said.stderr);
}
