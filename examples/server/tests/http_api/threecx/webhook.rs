//! Webhook: each row of the contract on events and on errors.

use std::time::Duration;

use axum::http::Method;
use futures_util::FutureExt;
use gatepost::{Cause, IntegrationChange, Secret};
use gatepost_memory::{Mishap, Sandbox};
use gatepost_threecx::Settings;
use gatepost_threecx::webhook::sign;
use serde_json::{Value, json};

use super::{ALICE, Office, body_of, everything_on};
use crate::world::{Answer, Terms};

const SECRET: &str = "X-WhatsApp-Gateway-3CX-Secret";
const TIMESTAMP: &str = "X-WhatsApp-Gateway-Timestamp";
const SIGNATURE: &str = "X-WhatsApp-Gateway-Signature";

impl Office {
    fn path(&self) -> String {
        format!("/integrations/3cx/webhook/{}", self.integration.id)
    }

    /// The phone system posts an event.
    async fn post(&self, event: &Value) -> Answer {
        self.show(self.secrets.webhook.expose(), &[], &event.to_string()).await
    }

    async fn show(&self, secret: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers: Vec<_> = [(SECRET, secret)].into_iter().chain(headers.iter().copied()).collect();
        self.call(Method::POST, &self.path(), &headers, body).await
    }
}

fn message() -> Value {
    json!({"event_type": "outbound_message", "to": ALICE, "message_text": "On our way.", "message_purpose": "support",
           "conversation_id": "3cx-chat-123", "agent_extension": "101"})
}

fn missed_call() -> Value {
    json!({"event_type": "missed_call", "caller": ALICE, "queue": "sales"})
}

/// It was taken, and this became of it.
#[track_caller]
fn check(answer: &Answer, status: &str, reason: Option<&str>) {
    let body = &answer.body;
    assert_eq!((answer.status.as_u16(), body["status"].as_str(), body["reason"].as_str()), (200, Some(status), reason), "{body}");
    assert_eq!((&body["success"], body["log_id"].is_u64()), (&json!(true), true));
}

#[tokio::test]
async fn a_message_in_the_window_is_sent() {
    let office = Office::new().await;
    office.alice_writes("is anyone there?").await;
    let answer = office.post(&message()).await;
    check(&answer, "sent", None);
    assert!(answer.body["message_id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(office.messages().await, [("support".to_owned(), "On our way.".to_owned())]);
    let log = office.log().await;
    assert_eq!((log[0].details.conversation_id.as_deref(), log[0].details.agent_extension.as_deref()), (Some("3cx-chat-123"), Some("101")));
    assert_eq!(log[0].message_status.map(gatepost::MessageStatus::as_str), Some("sent"));
}

#[tokio::test]
async fn every_alias_of_number_and_text_is_read() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    for (phone, text) in
        [("to", "message"), ("from", "message_text"), ("customer_phone", "message"), ("caller", "message"), ("phone", "message")]
    {
        let event = json!({"event_type": "outbound_message", phone: ALICE, text: format!("by {phone}"), "message_purpose": "support"});
        check(&office.post(&event).await, "sent", None);
    }
}

#[tokio::test]
async fn test_inbound_reply_call_started_and_queue_event_are_logged_only() {
    let office = Office::new().await;
    for event_type in ["test", "inbound_reply", "call_started", "queue_event"] {
        let event = json!({"event_type": event_type, "to": ALICE, "message_text": "not to be sent", "message_purpose": "support"});
        check(&office.post(&event).await, "logged", None);
    }
    assert_eq!(office.messages().await, []);
    assert_eq!(office.outcomes().await, ["test logged", "inbound_reply logged", "call_started logged", "queue_event logged"]);
}

#[tokio::test]
async fn each_kind_of_call_becomes_its_template_where_that_is_on() {
    let mut settings = everything_on();
    for template in [
        &mut settings.templates.missed_call,
        &mut settings.templates.voicemail,
        &mut settings.templates.call_ended,
        &mut settings.templates.queue_callback,
        &mut settings.templates.after_hours,
    ] {
        template.enabled = true;
        template.text = "{{business_name}}, {{customer_phone}}, {{agent_extension}}, {{queue}}, {{call_time}}".parse().unwrap();
    }
    let office = Office::set(settings).await;
    office.alice_writes("hi").await;
    for event_type in ["missed_call", "voicemail", "call_ended", "queue_callback", "after_hours"] {
        let event = json!({"event_type": event_type, "caller": ALICE, "queue": event_type, "agent_extension": 101, "call_time": "10:31"});
        check(&office.post(&event).await, "sent", None);
    }
    let texts: Vec<_> = office.messages().await.into_iter().map(|(_, text)| text).collect();
    let expected = |event_type: &str| format!("Shop, {ALICE}, 101, {event_type}, 10:31");
    assert_eq!(texts, ["missed_call", "voicemail", "call_ended", "queue_callback", "after_hours"].map(expected));
}

#[tokio::test]
async fn a_template_that_is_off_or_lacks_a_variable_is_skipped() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    check(&office.post(&json!({"event_type": "call_ended", "caller": ALICE})).await, "skipped", Some("template_disabled"));
    check(&office.post(&json!({"event_type": "voicemail", "caller": ALICE})).await, "skipped", Some("template_variable_missing"));
    assert_eq!(office.messages().await, []);
}

#[tokio::test]
async fn a_call_is_one_message_in_fifteen_minutes() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    let first = office.post(&missed_call()).await;
    check(&first, "sent", None);
    let second = office.post(&missed_call()).await;
    check(&second, "skipped", Some("cooldown"));
    assert_eq!(second.body["message_id"], first.body["message_id"]);
    office.world.pass(Duration::from_secs(15 * 60)).await;
    check(&office.post(&missed_call()).await, "sent", None);
    assert_eq!(office.messages().await.len(), 2);
}

#[tokio::test]
async fn many_tellings_of_a_call_at_once_are_one_message() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    let event = missed_call();
    let answers = futures_util::future::join_all((0..60).map(|_| office.post(&event))).await;
    let count = |status: &str| answers.iter().filter(|answer| answer.body["status"] == status).count();
    assert_eq!((count("sent") + count("queued"), count("skipped")), (1, 59));
    assert_eq!(office.messages().await.len(), 1);
}

/// What nobody who is not known may tell apart.
async fn refused(office: &Office, secret: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let answer = office.show(secret, headers, body).await;
    (answer.status.as_u16(), String::from_utf8(answer.bytes.to_vec()).unwrap())
}

const GENERIC: &str = r#"{"success":false,"error":"invalid_3cx_webhook","message":"Invalid 3CX webhook request."}"#;

#[tokio::test]
async fn before_it_is_known_every_call_is_answered_alike() {
    let settings = Settings { allowed_ips: vec!["192.0.2.0/24".parse().unwrap()], ..everything_on() };
    let mut office = Office::set(settings).await;
    let secret = office.secrets.webhook.expose().to_owned();
    let (body, now) = (message().to_string(), office.world.app.gateway.host().now());
    let signature = sign(&Secret::from("another"), &now.to_string(), body.as_bytes());
    let generic = (401, GENERIC.to_owned());
    let now = now.to_string();
    assert_eq!(refused(&office, "wrong", &[], &body).await, generic);
    assert_eq!(refused(&office, "", &[], &body).await, generic);
    assert_eq!(refused(&office, &secret, &[(TIMESTAMP, "2020-01-01T00:00:00Z")], &body).await, generic);
    assert_eq!(refused(&office, &secret, &[(TIMESTAMP, &now), (SIGNATURE, &signature)], &body).await, generic);
    assert_eq!(refused(&office, "wrong", &[], &"x".repeat(256 * 1024 + 1)).await, generic, "not even that it is too long");
    let answer = office.call(Method::POST, &office.path(), &[], &body).await;
    assert_eq!((answer.status.as_u16(), &answer.bytes[..]), (401, GENERIC.as_bytes()));
    for id in ["1", "0", "9007199254740993", "abc", "-1"] {
        let answer = office.call(Method::POST, &format!("/integrations/3cx/webhook/{id}"), &[(SECRET, &secret)], &body).await;
        assert_eq!((answer.status.as_u16(), &answer.bytes[..]), (401, GENERIC.as_bytes()), "{id}");
    }
    let elsewhere = Settings { allowed_ips: vec!["198.51.100.0/24".parse().unwrap()], ..everything_on() };
    let change = IntegrationChange { settings: Some(elsewhere.kept().unwrap()), ..IntegrationChange::default() };
    office.integration = office.integrations().change(office.integration.id, change).await.unwrap();
    assert_eq!(refused(&office, &secret, &[], &body).await, generic);
    let disabled =
        IntegrationChange { enabled: Some(false), settings: Some(everything_on().kept().unwrap()), ..IntegrationChange::default() };
    office.integrations().change(office.integration.id, disabled).await.unwrap();
    assert_eq!(refused(&office, &secret, &[], &body).await, generic);
    office.integrations().remove(office.integration.id).await.unwrap();
    assert_eq!(refused(&office, &secret, &[], &body).await, generic);
    assert_eq!(office.log().await.len(), 0, "who is not known writes nothing into the log");
}

#[tokio::test]
async fn a_signature_is_taken_in_both_forms_and_asked_for_where_it_must_be() {
    let office = Office::set(Settings { must_be_signed: true, ..everything_on() }).await;
    let (body, secret) = (json!({"event_type": "test"}).to_string(), office.secrets.webhook.expose().to_owned());
    assert_eq!(refused(&office, &secret, &[], &body).await, (401, GENERIC.to_owned()));
    let now = office.world.app.gateway.host().now();
    for time in [now.to_string(), (now.as_millis() / 1_000).to_string()] {
        let signature = sign(&Secret::from(secret.as_str()), &time, body.as_bytes());
        for form in [signature.as_str(), signature.trim_start_matches("sha256=")] {
            check(&office.show(&secret, &[(TIMESTAMP, &time), (SIGNATURE, form)], &body).await, "logged", None);
        }
    }
}

#[tokio::test]
async fn a_rotated_secret_counts_at_once() {
    let mut office = Office::new().await;
    let event = json!({"event_type": "test"});
    let (_, secret) = office.integrations().rotate(office.integration.id, gatepost::IntegrationSecret::Webhook).await.unwrap();
    assert_eq!(office.post(&event).await.status.as_u16(), 401);
    office.secrets.webhook = secret;
    check(&office.post(&event).await, "logged", None);
}

#[tokio::test]
async fn payload_too_large() {
    let office = Office::new().await;
    let padded = |length: usize| {
        let frame = json!({"event_type": "test", "pad": ""}).to_string().len();
        json!({"event_type": "test", "pad": "x".repeat(length - frame)}).to_string()
    };
    let secret = office.secrets.webhook.expose().to_owned();
    check(&office.show(&secret, &[], &padded(256 * 1024)).await, "logged", None);
    office.show(&secret, &[], &padded(256 * 1024 + 1)).await.is_contract_error(413, "payload_too_large");
    assert_eq!(office.outcomes().await, ["test logged", "unknown refused: payload_too_large"]);
}

#[tokio::test]
async fn webhook_rate_limited() {
    let office = Office::new().await;
    let event = json!({"event_type": "test"});
    for _ in 0..60 {
        check(&office.post(&event).await, "logged", None);
    }
    let answer = office.post(&event).await;
    answer.is_contract_error(429, "webhook_rate_limited");
    assert_eq!(answer.header("retry-after"), "1");
    office.world.host.advance(Duration::from_secs(1));
    check(&office.post(&event).await, "logged", None);
    assert_eq!(office.log().await.len(), 61);
}

#[tokio::test]
async fn invalid_json() {
    let office = Office::new().await;
    let secret = office.secrets.webhook.expose().to_owned();
    for body in ["", "x", "[]", "{\"event_type\":"] {
        office.show(&secret, &[], body).await.is_contract_error(400, "invalid_json");
    }
    assert_eq!(office.outcomes().await, ["unknown refused: invalid_json"; 4]);
}

#[tokio::test]
async fn module_not_enabled() {
    let office = Office::new().await;
    office.switch_module_off().await;
    office.post(&json!({"event_type": "test"})).await.is_contract_error(403, "module_not_enabled");
    assert_eq!(office.outcomes().await, ["test refused: module_not_enabled"]);
}

#[tokio::test]
async fn conversation_window_closed() {
    let office = Office::new().await;
    office.post(&message()).await.is_contract_error(409, "conversation_window_closed");
    office.post(&missed_call()).await.is_contract_error(409, "conversation_window_closed");
    office.alice_writes("hi").await;
    office.world.host.advance(Duration::from_secs(24 * 3_600));
    office.post(&message()).await.is_contract_error(409, "conversation_window_closed");
    assert_eq!(office.messages().await, []);
}

#[tokio::test]
async fn without_the_strict_window_the_provider_decides() {
    let office = Office::set(Settings { strict_conversation_window: false, ..everything_on() }).await;
    check(&office.post(&message()).await, "sent", None);
}

#[tokio::test]
async fn outbound_disabled() {
    let office = Office::set(Settings { outbound_enabled: false, ..everything_on() }).await;
    office.post(&message()).await.is_contract_error(403, "outbound_disabled");
}

#[tokio::test]
async fn call_events_disabled() {
    let office = Office::set(Settings { call_event_enabled: false, ..everything_on() }).await;
    for event_type in ["missed_call", "voicemail", "call_ended", "queue_callback", "after_hours"] {
        office.post(&json!({"event_type": event_type, "caller": ALICE})).await.is_contract_error(403, "call_events_disabled");
    }
}

#[tokio::test]
async fn missing_phone() {
    let office = Office::new().await;
    office
        .post(&json!({"event_type": "outbound_message", "message_text": "hi", "message_purpose": "support"}))
        .await
        .is_contract_error(422, "missing_phone");
    office.post(&json!({"event_type": "missed_call"})).await.is_contract_error(422, "missing_phone");
}

#[tokio::test]
async fn missing_message_text() {
    let office = Office::new().await;
    let event = json!({"event_type": "outbound_message", "to": ALICE, "message_purpose": "support"});
    office.post(&event).await.is_contract_error(422, "missing_message_text");
}

#[tokio::test]
async fn message_purpose_not_allowed() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    for purpose in [Value::Null, json!("marketing"), json!("promotion"), json!("nonsense"), json!("")] {
        let mut event = message();
        event["message_purpose"] = purpose.clone();
        office.post(&event).await.is_contract_error(422, "message_purpose_not_allowed");
    }
}

#[tokio::test]
async fn validation_error() {
    let office = Office::new().await;
    office.post(&json!({"event_type": "nonsense"})).await.is_contract_error(422, "validation_error");
    let mut event = message();
    event["to"] = json!("12");
    office.post(&event).await.is_contract_error(422, "validation_error");
    event["to"] = json!(ALICE);
    event["message_text"] = json!("x".repeat(4_097));
    office.post(&event).await.is_contract_error(422, "validation_error");
}

#[tokio::test]
async fn recipient_suppressed() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    office.alice_writes("STOP").await;
    office.post(&message()).await.is_contract_error(403, "recipient_suppressed");
    // Not even a code that she asked for.
    let code =
        json!({"event_type": "outbound_message", "to": ALICE, "message_text": "Your code is 482913.", "message_purpose": "authentication"});
    office.post(&code).await.is_contract_error(403, "recipient_suppressed");
    let blocked = office.world.app.gateway.account(office.world.shop.id);
    blocked.suppress("+999501234568".parse().unwrap(), Cause::Manual, None, gatepost::Actor::App).await.unwrap();
    office.writes("+999501234568", "hi", |_| ()).await;
    office.post(&json!({"event_type": "missed_call", "caller": "+999501234568"})).await.is_contract_error(403, "recipient_suppressed");
}

#[tokio::test]
async fn sending_throttled() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    let plan = gatepost::Plan::Custom(gatepost::Limits {
        recipient_rate: Some(gatepost::Rate { count: 1, period_seconds: 60, burst: 1 }),
        ..gatepost::Plan::Starter.limits()
    });
    office.change_account(gatepost::AccountChange { plan: Some(plan), ..gatepost::AccountChange::default() }).await;
    check(&office.post(&message()).await, "sent", None);
    office.post(&message()).await.is_contract_error(429, "sending_throttled");
}

#[tokio::test]
async fn what_the_policy_wants_a_person_to_see_is_held() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    office.change_account(gatepost::AccountChange { supervised: Some(true), ..gatepost::AccountChange::default() }).await;
    let held = office.post(&message()).await;
    check(&held, "held", Some("account_supervised"));
    let message_id = held.body["message_id"].as_str().unwrap().parse().unwrap();
    let gateway = office.world.app.gateway.account(office.world.shop.id);
    gateway.refuse(message_id, gatepost::Actor::App, None).await.unwrap();
    assert_eq!(office.log().await[0].message_status.map(gatepost::MessageStatus::as_str), Some("refused"));
}

#[tokio::test]
async fn gateway_send_failed() {
    let terms = Terms { sandbox: Sandbox::new().with_mishap(Mishap::Refuse), ..Terms::default() };
    let office = Office::with(terms, everything_on()).await;
    office.alice_writes("hi").await;
    office.post(&message()).await.is_contract_error(502, "gateway_send_failed");
}

#[tokio::test]
async fn in_the_cooldown_a_call_is_skipped_whatever_became_of_the_first() {
    let terms = Terms { sandbox: Sandbox::new().with_mishap(Mishap::Refuse), ..Terms::default() };
    let office = Office::with(terms, everything_on()).await;
    office.alice_writes("hi").await;
    office.post(&missed_call()).await.is_contract_error(502, "gateway_send_failed");
    check(&office.post(&missed_call()).await, "skipped", Some("cooldown"));
    assert_eq!(office.outcomes().await, ["missed_call accepted", "missed_call skipped: cooldown"]);
}

#[tokio::test]
async fn what_a_caller_broke_off_is_done_and_written_down() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    let (path, secret, body) = (office.path(), office.secrets.webhook.expose().to_owned(), message().to_string());
    let headers = [(SECRET, secret.as_str())];
    let mut call = Box::pin(office.call(Method::POST, &path, &headers, &body));
    while office.log().await.is_empty() {
        assert!((&mut call).now_or_never().is_none(), "it is broken off before it is answered");
        tokio::task::yield_now().await;
    }
    // Entered, and handed over to be followed.
    drop((&mut call).now_or_never());
    drop(call);
    for _ in 0..super::LOOKS_MAX {
        if office.outcomes().await == ["outbound_message accepted"] {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{:?}", office.outcomes().await);
}

#[tokio::test]
async fn a_paused_account_sends_nothing() {
    let office = Office::new().await;
    office.alice_writes("hi").await;
    let pause = gatepost::Pause::by(gatepost::Actor::App, None, office.world.app.gateway.host().now());
    office.change_account(gatepost::AccountChange { pause: Some(Some(pause)), ..gatepost::AccountChange::default() }).await;
    office.post(&message()).await.is_contract_error(403, "account_paused");
}

#[tokio::test]
async fn the_relay_of_another_gateway_is_taken_as_it_is() {
    let office = Office::new().await;
    let mut event = body_of(include_str!("../../../../../adapters/threecx/tests/data/relay/signed_relay__outbound_message.json"));
    event["to"] = json!(ALICE);
    office.alice_writes("hi").await;
    let (body, secret) = (event.to_string(), office.secrets.webhook.expose().to_owned());
    let time = (office.world.app.gateway.host().now().as_millis() / 1_000).to_string();
    let signature = sign(&Secret::from(secret.as_str()), &time, body.as_bytes());
    check(&office.show(&secret, &[(TIMESTAMP, &time), (SIGNATURE, &signature)], &body).await, "sent", None);
}

#[tokio::test]
async fn a_wait_that_is_none_is_refused_and_no_wait_answers_at_once() {
    let office =
        Office::with(Terms { has_worker: false, ..Terms::default() }, Settings { strict_conversation_window: false, ..everything_on() })
            .await;
    let secret = office.secrets.webhook.expose().to_owned();
    let call = async |query: &str, event: Value| {
        office.call(Method::POST, &(office.path() + query), &[(SECRET, &secret)], &event.to_string()).await
    };
    check(&call("?wait=0", message()).await, "queued", None);
    call("?wait=soon", message()).await.is_contract_error(422, "validation_error");
}
