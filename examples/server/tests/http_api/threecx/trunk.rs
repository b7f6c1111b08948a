//! Trunk: what agents type, in 3CX's own shape.

use std::time::Duration;

use axum::http::Method;
use futures_util::FutureExt;
use gatepost_memory::Sandbox;
use serde_json::{Value, json};

use super::{ALICE, NUMBER, Office, everything_on};
use crate::world::{Answer, Terms};

impl Office {
    fn sms_path(&self) -> String {
        format!("/3cx/{}/sms", self.integration.id)
    }

    /// An agent sends this, and what comes of it is written down.
    async fn type_in(&self, body: &Value) -> Answer {
        let authorization = format!("Bearer {}", self.secrets.trunk.expose());
        let answer = self.call(Method::POST, &self.sms_path(), &[("authorization", &authorization)], &body.to_string()).await;
        tokio::task::yield_now().await;
        answer
    }
}

fn hello() -> Value {
    json!({"from": NUMBER, "to": ALICE, "text": "Hello from the agent"})
}

#[track_caller]
fn is_taken(answer: &Answer) -> String {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let id = answer.body["data"]["payload"]["id"].as_str().unwrap();
    assert!(id.starts_with("msg_"));
    id.to_owned()
}

#[track_caller]
fn is_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.body["errors"][0]["code"].as_str()), (status, Some(code)), "{}", answer.body);
    assert!(answer.body["errors"][0]["title"].as_str().is_some_and(|title| !title.is_empty()));
}

/// Each sample of this project, sent as it is but for the numbers and the key, which are those of this office.
#[tokio::test]
async fn every_sample_is_answered_as_it_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../adapters/threecx/tests/data/sms_outbound");
    let (mut samples, office) = (0, Office::new().await);
    office.writes("+447700900123", "hi", |_| ()).await;
    office.writes("+966500000001", "hi", |_| ()).await;
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let sample: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let body = sample["body"].as_object().map_or_else(|| text(&sample["body_raw"]), |_| sample["body"].to_string());
        let body = body.replace("+442079460100", NUMBER);
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in sample["headers"].as_object().unwrap() {
            headers.push((name.clone(), text(value).replace("gw3cx_test_9f2c4a7e51b84d0a", office.secrets.trunk.expose())));
        }
        let headers: Vec<_> = headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type")).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = office.call(Method::POST, &office.sms_path(), &headers, &body).await;
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        match (&sample["response"]["status"], name.as_str()) {
            (Value::Null, "agent_send__duplicate_same_text" | "agent_send__media_urls") => drop(is_taken(&answer)),
            (Value::Null, _) => assert_eq!(answer.status.as_u16() / 100, 4, "{name}: {}", answer.body),
            (status, _) => {
                assert_eq!(json!(answer.status.as_u16()), *status, "{name}: {}", answer.body);
                match answer.status.as_u16() {
                    200 => drop(is_taken(&answer)),
                    _ => assert_eq!(answer.body, sample["response"]["body"], "{name}"),
                }
            }
        }
        samples += 1;
    }
    assert_eq!(samples, 12);
}

#[tokio::test]
async fn an_agent_answers_who_wrote() {
    let office = Office::new().await;
    office.alice_writes("is anyone there?").await;
    is_taken(&office.type_in(&hello()).await);
    assert_eq!(office.messages().await, [("support".to_owned(), "Hello from the agent".to_owned())]);
    assert_eq!(office.outcomes().await, ["sms accepted"]);
}

#[tokio::test]
async fn outside_the_window_the_agent_sees_that_it_failed() {
    let office = Office::new().await;
    is_refused(&office.type_in(&hello()).await, 422, "conversation_window_closed");
    assert_eq!(office.outcomes().await, ["sms refused: conversation_window_closed"]);
}

#[tokio::test]
async fn who_opted_out_is_not_written_to() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    office.alice_writes("STOP").await;
    is_refused(&office.type_in(&hello()).await, 403, "recipient_suppressed");
}

#[tokio::test]
async fn who_is_not_known_learns_nothing() {
    let mut office = Office::new().await;
    let answer = async |office: &Office, id: &str, key: &str| {
        let authorization = format!("Bearer {key}");
        let answer = office.call(Method::POST, &format!("/3cx/{id}/sms"), &[("authorization", &authorization)], &hello().to_string()).await;
        (answer.status.as_u16(), answer.body)
    };
    let (id, key) = (office.integration.id.to_string(), office.secrets.trunk.expose().to_owned());
    let generic = (401, json!({"errors": [{"code": "unauthorized", "title": "Invalid API key"}]}));
    assert_eq!(answer(&office, &id, "wrong").await, generic);
    for unknown in ["1", "abc", "0"] {
        assert_eq!(answer(&office, unknown, &key).await, generic, "{unknown}");
    }
    // The keys of an integration do not stand for each other.
    assert_eq!(answer(&office, &id, office.secrets.webhook.expose()).await, generic);
    assert_eq!(answer(&office, &id, office.secrets.crm.expose()).await, generic);
    let settings = gatepost_threecx::Settings { allowed_ips: vec!["198.51.100.7/32".parse().unwrap()], ..everything_on() };
    let change = gatepost::IntegrationChange { settings: Some(settings.kept().unwrap()), ..Default::default() };
    office.integration = office.integrations().change(office.integration.id, change).await.unwrap();
    assert_eq!(answer(&office, &id, &key).await, generic);
    let disabled =
        gatepost::IntegrationChange { settings: Some(everything_on().kept().unwrap()), enabled: Some(false), ..Default::default() };
    office.integrations().change(office.integration.id, disabled).await.unwrap();
    assert_eq!(answer(&office, &id, &key).await, generic);
    let without = office.call(Method::POST, &office.sms_path(), &[], &hello().to_string()).await;
    assert_eq!((without.status.as_u16(), &without.body["errors"][0]["title"]), (401, &json!("Missing API key")));
    assert_eq!(office.log().await.len(), 0);
}

#[tokio::test]
async fn another_number_module_off_and_outbound_off_are_refused() {
    let office = Office::new().await;
    let mut message = hello();
    message["from"] = json!("+999220000002");
    is_refused(&office.type_in(&message).await, 403, "unknown_sender");
    office.switch_module_off().await;
    is_refused(&office.type_in(&hello()).await, 403, "module_not_enabled");
    let office = Office::set(gatepost_threecx::Settings { outbound_enabled: false, ..everything_on() }).await;
    is_refused(&office.type_in(&hello()).await, 403, "outbound_disabled");
}

#[tokio::test]
async fn files_go_one_by_one_and_the_words_below_the_first() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    let files = json!(["https://pbx.example/a.jpg", {"url": "https://pbx.example/b.pdf?x=1"}]);
    is_taken(&office.type_in(&json!({"from": NUMBER, "to": ALICE, "text": "both", "media": files})).await);
    let sources: Vec<_> = office.messages().await.into_iter().map(|(_, source)| source).collect();
    assert_eq!(sources, ["https://pbx.example/a.jpg", "https://pbx.example/b.pdf?x=1"]);
    let plain = json!({"from": NUMBER, "to": ALICE, "media_urls": ["http://pbx.example/a.jpg"]});
    is_refused(&office.type_in(&plain).await, 422, "validation_error");
    let sound = json!({"from": NUMBER, "to": ALICE, "text": "listen", "media": ["https://pbx.example/a.mp3"]});
    is_taken(&office.type_in(&sound).await);
    let sources: Vec<_> = office.messages().await.into_iter().skip(2).map(|(_, source)| source).collect();
    assert_eq!(sources, ["listen", "https://pbx.example/a.mp3"]);
}

#[tokio::test]
async fn a_second_ok_is_a_second_message() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    let first = is_taken(&office.type_in(&hello()).await);
    assert_ne!(is_taken(&office.type_in(&hello()).await), first);
    assert_eq!(office.messages().await.len(), 2);
}

#[tokio::test]
async fn what_the_caller_broke_off_is_one_message_when_it_comes_again_be_it_at_another_host() {
    let mut office = Office::new().await;
    office.alice_writes("hi").await;
    let authorization = format!("Bearer {}", office.secrets.trunk.expose());
    let (path, headers, body) = (office.sms_path(), [("authorization", authorization.as_str())], hello().to_string());
    // Whatever point the call is broken off at, the words are there at most once; and once when it is made again.
    for polls in 1..24 {
        let mut call = Box::pin(office.call(Method::POST, &path, &headers, &body));
        let mut answered = None;
        for _ in 0..polls {
            answered = (&mut call).now_or_never();
            if answered.is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        let before = office.messages().await.len();
        if answered.is_some() {
            break;
        }
        office.world.move_to_another_host();
        is_taken(&office.type_in(&hello()).await);
        let after = office.messages().await.len();
        assert!(after <= before + 1 && after == polls, "broken off after {polls}: {before}, then {after}");
    }
}

#[tokio::test]
async fn an_agent_is_answered_before_the_provider_is() {
    let terms = Terms { sandbox: Sandbox::new().with_latency(Duration::from_secs(3_600)), ..Terms::default() };
    let office = Office::with(terms, everything_on()).await;
    office.alice_writes("hi").await;
    is_taken(&office.type_in(&hello()).await);
}
