//! CRM: who calls, how calls went, and that chats are over.

use axum::http::Method;
use gatepost::Words;
use gatepost_threecx::Settings;
use serde_json::{Value, json};

use super::{ALICE, Office, body_of, everything_on};
use crate::world::Answer;

macro_rules! sample {
    ($file:literal) => {
        body_of(include_str!(concat!("../../../../../adapters/threecx/tests/data/", $file)))
    };
}

impl Office {
    async fn crm(&self, method: Method, rest: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/3cx/{}/crm/{rest}", self.integration.id);
        self.call(method, &path, &[("x-gateway-key", self.secrets.crm.expose())], &body).await
    }

    async fn look_up(&self, number: &str) -> Value {
        let answer = self.crm(Method::GET, &format!("contacts?number={number}"), &Value::Null).await;
        assert_eq!(answer.status.as_u16(), 200);
        answer.body["contacts"].clone()
    }

    async fn report(&self, what: &str, body: &Value) -> Answer {
        self.crm(Method::POST, what, body).await
    }
}

#[tokio::test]
async fn who_wrote_before_is_found_by_their_number() {
    let office = Office::new().await;
    assert_eq!(office.look_up("%2B999501234567").await, json!([]));
    office.writes(ALICE, "hi", |said| said.sender_name = Some(Words::new("Pat Example".to_owned()))).await;
    for form in ["%2B999501234567", "+999501234567", "00999501234567", "999501234567", "%2B999%20501%20234567"] {
        let found = office.look_up(form).await;
        assert_eq!((&found[0]["firstname"], &found[0]["lastname"]), (&json!("Pat"), &json!("Example")), "{form}");
        let id = found[0]["id"].as_str().unwrap();
        assert!(id.starts_with("con_") && found[0]["url"].as_str().unwrap().ends_with(&format!("/contacts/{id}")));
    }
    for nobody in ["anonymous", "", "101", "%2B999501234568"] {
        assert_eq!(office.look_up(nobody).await, json!([]), "{nobody}");
    }
}

#[tokio::test]
async fn reports_are_logged_once_and_without_what_was_said() {
    let office = Office::new().await;
    let calls = [
        sample!("report_call/report_call__inbound_answered.json"),
        sample!("report_call/report_call__inbound_transferred_second_leg.json"),
        sample!("report_call/report_call__outbound.json"),
        sample!("report_call/report_call__notanswered.json"),
    ];
    for call in &calls {
        let first = office.report("calls", call).await;
        assert_eq!((first.status.as_u16(), &first.body["status"]), (200, &json!("logged")), "{}", first.body);
        let again = office.report("calls", call).await;
        assert_eq!((&again.body["log_id"], &again.body["reason"]), (&first.body["log_id"], &json!("repeated")));
    }
    for chat in [sample!("report_chat/report_chat__two_lines.json"), sample!("report_chat/report_chat__quotes_and_newlines.json")] {
        let answer = office.report("chats", &chat).await;
        assert_eq!((answer.status.as_u16(), &answer.body["status"]), (200, &json!("logged")), "{}", answer.body);
    }
    let log = office.log().await;
    assert_eq!(log.iter().filter(|entry| entry.kind == "report_call").count(), 4);
    let details = serde_json::to_string(&log.iter().map(|entry| &entry.details).collect::<Vec<_>>()).unwrap();
    assert!(details.contains(r#""duration_seconds":133"#) && details.contains(r#""lines":"#), "{details}");
    assert!(!details.contains("Hello") && !details.contains("line1"), "{details}");
}

#[tokio::test]
async fn a_missed_call_that_is_reported_becomes_its_message_once() {
    let office = Office::new().await;
    office.writes("+447700900123", "hi", |_| ()).await;
    let missed = office.report("calls", &sample!("report_call/report_call__missed.json")).await;
    let status = missed.body["status"].as_str();
    assert!(missed.status.as_u16() == 200 && matches!(status, Some("queued" | "sent")), "nobody waits for the provider: {}", missed.body);
    let leg = office.report("calls", &sample!("report_call/report_call__missed_queue.json")).await;
    assert_eq!((&leg.body["status"], &leg.body["reason"]), (&json!("skipped"), &json!("cooldown")), "the other leg of the same call");
    assert_eq!(office.messages().await.len(), 1);
}

#[tokio::test]
async fn a_missed_call_that_may_become_no_message_is_taken_all_the_same() {
    let office = Office::new().await;
    let missed = office.report("calls", &sample!("report_call/report_call__missed.json")).await;
    assert_eq!((missed.status.as_u16(), &missed.body["reason"]), (200, &json!("conversation_window_closed")));
    assert_eq!(office.outcomes().await, ["report_call refused: conversation_window_closed"]);
}

#[tokio::test]
async fn the_log_says_why_a_missed_call_becomes_no_message() {
    let office = Office::new().await;
    let hidden = office.report("calls", &json!({"call_type": "Missed", "number": "anonymous"})).await;
    assert_eq!((&hidden.body["status"], &hidden.body["reason"]), (&json!("logged"), &json!("missing_phone")));
    assert_eq!(office.outcomes().await, ["report_call logged: missing_phone"]);
    let office = Office::set(Settings { call_event_enabled: false, ..everything_on() }).await;
    let missed = office.report("calls", &sample!("report_call/report_call__missed.json")).await;
    assert_eq!((&missed.body["status"], &missed.body["reason"]), (&json!("logged"), &json!("call_events_disabled")));
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let office = Office::new().await;
    let refused = |answer: &Answer| (answer.status.as_u16(), answer.body["errors"][0]["code"].as_str().unwrap_or_default().to_owned());
    assert_eq!(refused(&office.report("calls", &json!([])).await), (400, "invalid_json".to_owned()));
    assert_eq!(refused(&office.report("calls", &json!({"call_type": "nonsense"})).await), (422, "validation_error".to_owned()));
    assert_eq!(refused(&office.report("chats", &json!("x")).await), (400, "invalid_json".to_owned()));
    office.switch_module_off().await;
    assert_eq!(refused(&office.report("chats", &json!({})).await), (403, "module_not_enabled".to_owned()));
}

#[tokio::test]
async fn who_does_not_show_the_key_learns_nothing() {
    let office = Office::new().await;
    let id = office.integration.id;
    for (method, rest) in [(Method::GET, "contacts?number=1"), (Method::POST, "calls"), (Method::POST, "chats")] {
        for (id, key) in
            [(id.to_string(), "wrong"), (id.to_string(), office.secrets.trunk.expose()), ("7".to_owned(), office.secrets.crm.expose())]
        {
            let answer = office.call(method.clone(), &format!("/3cx/{id}/crm/{rest}"), &[("x-gateway-key", key)], "{}").await;
            assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["title"]), (401, &json!("Invalid API key")), "{rest}");
        }
    }
}
