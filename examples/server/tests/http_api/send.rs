//! `POST /api/send-message`: a test for each code of the contract, named by it, and what a success looks like.

use std::num::NonZeroU32;

use axum::body::Body;
use axum::http::{Method, Request};
use gatepost::{Cause, Claim, InstanceChange, KeyTerms, Lease, MessageFilter, MessageStatus, Mode, Page, Scope, Scopes};
use gatepost_memory::{Mishap, Sandbox};
use gatepost_server::http::HttpSettings;
use serde_json::{Value, json};

use crate::broken::{Broken, Fault};
use crate::world::{Answer, Terms, World, asking, from, id_of, key_terms, message, with_header};

const SEND: &str = "/api/send-message";

impl World {
    async fn send_with_key(&self, key: &str) -> Answer {
        self.post(SEND, key, message()).await
    }

    /// Sends a body as it is.
    async fn send_raw(&self, body: impl Into<Body>) -> Answer {
        let request = asking(Method::POST, SEND, &self.shop.key, Some(Value::Null)).map(|_| body.into());
        self.exchange(request).await
    }

    async fn limit_shop(&self, limits: Value) {
        self.done(Method::PATCH, &self.shop_path(""), Some(json!({"limits": limits}))).await;
    }
}

fn without(field: &'static str) -> impl FnOnce(&mut Value) {
    move |body| drop(body.as_object_mut().unwrap().remove(field))
}

fn set(field: &'static str, value: impl Into<Value>) -> impl FnOnce(&mut Value) {
    let value = value.into();
    move |body| body[field] = value
}

#[tokio::test]
async fn sent() {
    let world = World::new().await;
    let answer = world.send(|_| ()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!((&answer.body["success"], &answer.body["status"], &answer.body["log_id"]), (&json!(true), &json!("sent"), &json!(1)));
    assert!(answer.body["message_id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(answer.body.as_object().unwrap().len(), 4);
    assert_eq!(world.send(|_| ()).await.body["log_id"], 2);
}

#[tokio::test]
async fn sent_from_an_instance_by_its_id() {
    let world = World::new().await;
    let answer = world.send(set("instance_id", world.shop.instance.to_string())).await;
    assert_eq!(answer.body["status"], "sent");
}

#[tokio::test]
async fn sent_in_every_form_that_the_contract_tolerates() {
    let world = World::new().await;
    for phone in ["999501234567", "+999 50 123-4567", "٩٩٩٥٠١٢٣٤٥٦٧"] {
        assert_eq!(world.send(set("phone", phone)).await.body["status"], "sent", "{phone}");
    }
    assert_eq!(world.send(set("newer_field", json!({"a": [1]}))).await.body["status"], "sent");
    let request = with_header(world.sending(SEND, |_| ()), "content-type", "application/json; charset=utf-8");
    assert_eq!(world.exchange(request).await.body["status"], "sent");
}

#[tokio::test]
async fn queued_where_nobody_waits() {
    let world = World::new().await;
    let answer = world.exchange(world.sending("/api/send-message?wait=0", |_| ())).await;
    assert_eq!((answer.status.as_u16(), &answer.body["success"], &answer.body["status"]), (202, &json!(true), &json!("queued")));
}

#[tokio::test]
async fn queued_where_the_provider_cannot_be_reached_yet() {
    let world = World::with(Terms { sandbox: Sandbox::new().with_mishap(Mishap::Flaky { percent: 100 }), ..Terms::default() }).await;
    let answer = world.exchange(world.sending("/api/send-message?wait=1", |_| ())).await;
    assert_eq!((answer.status.as_u16(), &answer.body["status"]), (202, &json!("queued")));
}

#[tokio::test(start_paused = true)]
async fn who_waits_hears_of_what_another_host_has_sent() {
    let world = World::with(Terms { has_worker: false, has_other_host: true, ..Terms::default() }).await;
    let begun = tokio::time::Instant::now();
    let answer = world.exchange(world.sending("/api/send-message?wait=30", |_| ())).await;
    assert_eq!((answer.status.as_u16(), &answer.body["status"]), (200, &json!("sent")), "{}", answer.body);
    assert_eq!(begun.elapsed(), std::time::Duration::from_millis(500), "by the clock of the test");
}

#[tokio::test]
async fn sent_on_the_second_try_within_the_wait() {
    let world = World::with(Terms { failures: 1, ..Terms::default() }).await;
    let account = world.store.account(world.shop.id);
    let second_try = async {
        let first_failed = || async {
            let messages = account.messages(MessageFilter::default(), Page::first(1)).await.unwrap();
            matches!(&messages[..], [message] if message.status == MessageStatus::Queued && message.error.is_some())
        };
        while !first_failed().await {
            tokio::task::yield_now().await;
        }
        world.host.advance(std::time::Duration::from_secs(60));
        // A change has the worker look for what is due.
        account.change_instance(world.shop.instance, InstanceChange::default()).await.unwrap();
    };
    let (answer, ()) = tokio::join!(world.send(|_| ()), second_try);
    assert_eq!((answer.status.as_u16(), &answer.body["status"]), (200, &json!("sent")), "{}", answer.body);
}

/// A gateway that only stores, so that a test does what its worker would.
async fn without_a_worker() -> World {
    World::with(Terms { has_worker: false, ..Terms::default() }).await
}

fn under_key(request: Request<Body>) -> Request<Body> {
    with_header(request, "idempotency-key", "order-7")
}

#[tokio::test]
async fn held_while_it_is_paused() {
    let world = without_a_worker().await;
    let send = |path| world.exchange(under_key(world.sending(path, |_| ())));
    assert_eq!(send("/api/send-message?wait=0").await.body["status"], "queued");
    let instance = format!("/instances/{}", world.shop.instance);
    for paused in ["", &instance] {
        world.done(Method::POST, &world.shop_path(&format!("{paused}/pause")), None).await;
        // Nobody waits for what a pause holds.
        for path in ["/api/send-message?wait=0", SEND] {
            let answer = send(path).await;
            assert_eq!((answer.status.as_u16(), &answer.body["status"]), (202, &json!("held")), "{paused}");
            assert_eq!(answer.body["details"], json!({"action": "pause", "reasons": ["paused"]}));
            assert_eq!(answer.header("idempotency-replayed"), "true");
        }
        world.done(Method::POST, &world.shop_path(&format!("{paused}/resume")), None).await;
        assert_eq!(send("/api/send-message?wait=0").await.body["status"], "queued");
    }
}

/// The repeat of a message that was not sent, once `end` has ended it.
async fn repeat_of_unsent(world: &World, with: impl Fn(&mut Value), end: impl Future<Output = ()>) -> Answer {
    let first = world.exchange(under_key(world.sending("/api/send-message?wait=0", &with))).await;
    assert_eq!(first.body["status"], "queued", "{}", first.body);
    end.await;
    let repeat = world.exchange(under_key(world.sending(SEND, &with))).await;
    assert_eq!((repeat.header("idempotency-replayed"), &repeat.body["details"]["message_id"]), ("true", &first.body["message_id"]));
    repeat
}

#[tokio::test]
async fn unavailable_where_it_expired() {
    let world = without_a_worker().await;
    let code = |body: &mut Value| {
        body["message"] = json!("Your code is 482913.");
        body["message_purpose"] = json!("authentication");
    };
    let expire = async {
        world.host.advance(std::time::Duration::from_secs(601));
        world.store.worker().sweep(gatepost::Host::now(&*world.host), 9).await.unwrap();
    };
    let answer = repeat_of_unsent(&world, code, expire).await;
    let details = answer.is_contract_error(503, "unavailable");
    assert_eq!((&details["status"], &details["error"]), (&json!("expired"), &json!("expired")));
}

#[tokio::test]
async fn recipient_suppressed_where_it_was_canceled() {
    let world = without_a_worker().await;
    let cancel = async {
        let now = gatepost::Host::now(&*world.host);
        let lease = Lease::new(now, std::time::Duration::from_secs(15));
        let claim = Claim { limit: 9, per_account: 9, after: None, lease_until: lease.until, now };
        let claimed = world.store.worker().claim(claim).await.unwrap().claimed;
        let phone: gatepost::Phone = "+999501234567".parse().unwrap();
        let account = world.app.gateway.account(world.shop.id);
        account.suppress(phone.into(), Cause::Keyword, None, gatepost::Actor::Recipient).await.unwrap();
        world.store.worker().start(claimed, lease, now).await.unwrap();
    };
    let answer = repeat_of_unsent(&world, |_| (), cancel).await;
    let details = answer.is_contract_error(403, "recipient_suppressed");
    assert_eq!((&details["status"], &details["error"], &details["action"]), (&json!("canceled"), &json!("suppressed"), &json!("block")));
}

#[tokio::test]
async fn unavailable_where_the_provider_is_not_set_up() {
    let world = World::new().await;
    let evolution = json!({"name": "evolution", "provider": "evolution", "connection": "open"});
    world.done(Method::POST, &world.shop_path("/instances"), Some(evolution)).await;
    for replayed in ["", "true"] {
        let answer = world.exchange(under_key(world.sending(SEND, set("instance_id", "evolution")))).await;
        let details = answer.is_contract_error(503, "unavailable");
        assert_eq!((&details["status"], &details["error"]), (&json!("failed"), &json!("no_transport")));
        assert_eq!(answer.header("idempotency-replayed"), replayed);
    }
}

#[tokio::test]
async fn held_for_a_person() {
    let world = World::new().await;
    world.done(Method::PATCH, &world.shop_path(""), Some(json!({"supervised": true}))).await;
    let answer = world.send(|_| ()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["success"], &answer.body["status"]), (202, &json!(true), &json!("held")));
    assert_eq!(answer.body["details"], json!({"action": "hold", "risk_score": 50, "reasons": ["account_supervised"]}));
}

#[tokio::test]
async fn unknown_where_no_answer_came() {
    let world = World::with(Terms { sandbox: Sandbox::new().with_mishap(Mishap::Timeout), ..Terms::default() }).await;
    let answer = world.send(|_| ()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["status"]), (202, &json!("unknown")));
}

#[tokio::test]
async fn gateway_send_failed() {
    let world = World::with(Terms { sandbox: Sandbox::new().with_mishap(Mishap::Refuse), ..Terms::default() }).await;
    let answer = world.send(|_| ()).await;
    let details = answer.is_contract_error(502, "gateway_send_failed");
    assert_eq!((&details["log_id"], &details["status"]), (&json!(1), &json!("failed")));
    assert!(details["message_id"].as_str().unwrap().starts_with("msg_"));
}

#[tokio::test]
async fn invalid_api_key() {
    let world = World::new().await;
    let mut junk = world.shop.key.clone();
    junk.replace_range(30..31, if &junk[30..31] == "a" { "b" } else { "a" });
    let expired = KeyTerms { expires_at: Some(gatepost_memory::TestHost::START), ..key_terms(Scopes::all()) };
    let elsewhere = KeyTerms { allowed_from: vec!["203.0.113.0/24".parse().unwrap()], ..key_terms(Scopes::all()) };
    let unknown = World::with(Terms::default()).await.key_on(Mode::Test, key_terms(Scopes::all())).await;
    for (why, key) in [
        ("none", String::new()),
        ("no key", "secret".to_owned()),
        ("a wrong letter", junk),
        ("unknown", unknown),
        ("expired", world.key_on(Mode::Live, expired).await),
        ("from elsewhere", world.key_on(Mode::Live, elsewhere).await),
    ] {
        let answer = world.send_with_key(&key).await;
        assert!(answer.is_contract_error(401, "invalid_api_key").is_null(), "{why}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn revoked_api_key() {
    let world = World::new().await;
    assert_eq!(world.send(|_| ()).await.body["status"], "sent");
    world.done(Method::DELETE, &world.shop_path(&format!("/api-keys/{}", id_of(&world.shop.key))), None).await;
    world.send(|_| ()).await.is_contract_error(401, "revoked_api_key");
}

#[tokio::test]
async fn revoked_api_key_that_is_still_believed_here() {
    let world = World::new().await;
    assert_eq!(world.send(|_| ()).await.body["status"], "sent");
    let now = gatepost::Host::now(&*world.host);
    world.store.account(world.shop.id).revoke_key(id_of(&world.shop.key), now).await.unwrap();
    let answer = world.send(|_| ()).await;
    let details = answer.is_contract_error(401, "revoked_api_key");
    assert_eq!((&details["action"], &details["reasons"]), (&json!("block"), &json!(["key_not_in_force"])));
}

#[tokio::test]
async fn a_key_that_is_still_believed_here_learns_nothing_of_what_it_sent() {
    let world = World::new().await;
    let send = || world.exchange(under_key(world.sending(SEND, |_| ())));
    assert_eq!(send().await.body["status"], "sent");
    let now = gatepost::Host::now(&*world.host);
    world.store.account(world.shop.id).revoke_key(id_of(&world.shop.key), now).await.unwrap();
    let answer = send().await;
    answer.is_contract_error(401, "revoked_api_key");
    assert_eq!(answer.header("idempotency-replayed"), "");
}

#[tokio::test]
async fn invalid_api_key_where_it_ended_while_it_was_believed_here() {
    let world = World::new().await;
    assert_eq!(world.send(|_| ()).await.body["status"], "sent");
    let now = gatepost::Host::now(&*world.host);
    let spare = world.row(&world.key_with([]).await).await;
    let new = gatepost::ApiKey { id: "0aZ3kQ9fLm2X".parse().unwrap(), ..spare };
    assert!(world.store.account(world.shop.id).reroll_key(id_of(&world.shop.key), new, now, now).await.unwrap());
    let answer = world.send(|_| ()).await;
    assert_eq!(answer.is_contract_error(401, "invalid_api_key")["reasons"], json!(["key_not_in_force"]));
}

#[tokio::test]
async fn insufficient_scope() {
    let world = World::new().await;
    let key = world.key_with(Scopes::all().iter().filter(|scope| *scope != Scope::MessagesSend)).await;
    world.send_with_key(&key).await.is_contract_error(403, "insufficient_scope");
    world.send_with_key(&world.operator).await.is_contract_error(403, "insufficient_scope");
    let key = world.key_with([Scope::MessagesSend]).await;
    assert_eq!(world.send_with_key(&key).await.status, 200);
}

#[tokio::test]
async fn api_key_in_url() {
    let world = World::new().await;
    for query in [format!("api_key={}", world.shop.key), format!("x={}", world.shop.key)] {
        let request = asking(Method::POST, &format!("{SEND}?{query}"), &world.shop.key, Some(message()));
        world.exchange(request).await.is_contract_error(400, "api_key_in_url");
    }
}

#[tokio::test]
async fn invalid_json() {
    let world = World::new().await;
    for body in
        ["", "{", "[]", "\"text\"", "null", "{\"phone\":\"+999501234567\",\"phone\":\"+999501234568\"}", "{\"a\":1,\"a\":1}", "{} {}"]
    {
        let answer = world.send_raw(body).await;
        assert!(answer.is_contract_error(400, "invalid_json").is_null(), "{body}");
    }
    world.send_raw(&b"{\"message\":\"\xff\"}"[..]).await.is_contract_error(400, "invalid_json");
    world.send_raw("[".repeat(50_000)).await.is_contract_error(400, "invalid_json");
}

#[tokio::test]
async fn payload_too_large() {
    let world = World::new().await;
    world.send(set("message", "x".repeat(64 * 1024))).await.is_contract_error(413, "payload_too_large");
    let announced = with_header(world.sending(SEND, |_| ()), "content-length", "65537");
    world.exchange(announced).await.is_contract_error(413, "payload_too_large");
}

#[tokio::test]
async fn unsupported_media_type() {
    let world = World::new().await;
    for media in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"] {
        let request = with_header(world.sending(SEND, |_| ()), "content-type", media);
        world.exchange(request).await.is_contract_error(415, "unsupported_media_type");
    }
    let mut request = world.sending(SEND, |_| ());
    request.headers_mut().remove("content-type");
    world.exchange(request).await.is_contract_error(415, "unsupported_media_type");
}

#[tokio::test]
async fn validation_error() {
    let world = World::new().await;
    for (field, wrong) in [
        ("instance_id", vec![Value::Null, json!(7), json!(""), json!("x".repeat(101))]),
        ("phone", vec![Value::Null, json!(999_501_234_567_u64), json!("0501234567"), json!("12345"), json!("call me")]),
        ("message", vec![Value::Null, json!({"text": "hi"}), json!("   "), json!("a\u{0}b"), json!("é".repeat(4097))]),
        ("message_purpose", vec![json!(["support"])]),
    ] {
        for value in wrong {
            let answer = world.send(set(field, value.clone())).await;
            let details = answer.is_contract_error(422, "validation_error");
            assert_eq!(details["fields"].as_array().unwrap().len(), 1, "{field} {value}");
            assert_eq!(details["fields"][0]["field"], field);
            assert!(answer.body["message"].as_str().unwrap().starts_with(&format!("`{field}`: expected")), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn validation_error_names_the_first_field_and_lists_all() {
    let world = World::new().await;
    let answer = world.send_raw(r#"{"phone":"+999501234567","extra":1}"#).await;
    let details = answer.is_contract_error(422, "validation_error");
    let fields: Vec<_> = details["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["instance_id", "message", "message_purpose"]);
    assert!(answer.body["message"].as_str().unwrap().starts_with("`instance_id`"));
}

#[tokio::test]
async fn validation_error_of_headers_and_parameters() {
    let world = World::new().await;
    for key in ["", "two words", "\"\"", &"k".repeat(256)] {
        let answer = world.exchange(with_header(world.sending(SEND, |_| ()), "idempotency-key", key)).await;
        assert_eq!(answer.is_contract_error(422, "validation_error")["fields"][0]["field"], "Idempotency-Key", "{key}");
    }
    for wait in ["31", "-1", "soon", ""] {
        let answer = world.exchange(world.sending(&format!("{SEND}?wait={wait}"), |_| ())).await;
        assert_eq!(answer.is_contract_error(422, "validation_error")["fields"][0]["field"], "wait", "{wait}");
    }
}

#[tokio::test]
async fn nothing_is_stored_of_what_is_refused_at_the_door() {
    let world = World::new().await;
    world.send(set("phone", "12345")).await.is_contract_error(422, "validation_error");
    world.send(without("message_purpose")).await.is_contract_error(422, "message_purpose_required");
    world.send(set("message_purpose", "newsletter")).await.is_contract_error(422, "message_purpose_not_allowed");
    assert_eq!(world.get(&world.shop_path("/policy-events"), &world.operator).await.body["items"], json!([]));
    assert_eq!(world.send(|_| ()).await.body["log_id"], 1);
}

#[tokio::test]
async fn invalid_instance() {
    let world = World::new().await;
    world.send(set("instance_id", "reception")).await.is_contract_error(404, "invalid_instance");
    world.send(set("instance_id", world.other.instance.to_string())).await.is_contract_error(404, "invalid_instance");
}

#[tokio::test]
async fn message_purpose_required() {
    let world = World::new().await;
    for change in [Box::new(without("message_purpose")) as Box<dyn FnOnce(&mut Value)>, Box::new(set("message_purpose", ""))] {
        let answer = world.send(change).await;
        answer.is_contract_error(422, "message_purpose_required");
        for purpose in ["transactional", "operational", "support", "internal_team", "authentication"] {
            assert!(answer.body["message"].as_str().unwrap().contains(purpose), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn message_purpose_not_allowed() {
    let world = World::new().await;
    world.send(set("message_purpose", "newsletter")).await.is_contract_error(422, "message_purpose_not_allowed");
    for purpose in ["marketing", "promotion", "cold_outreach", "bulk_campaign", "political", "unknown"] {
        let answer = world.send(set("message_purpose", purpose)).await;
        let details = answer.is_contract_error(422, "message_purpose_not_allowed");
        assert_eq!((&details["action"], &details["risk_score"]), (&json!("block"), &json!(90)), "{purpose}");
        assert!(details["log_id"].is_u64());
    }
}

#[tokio::test]
async fn recipient_suppressed() {
    let world = World::new().await;
    let phone: gatepost::Phone = "+999501234567".parse().unwrap();
    let account = world.app.gateway.account(world.shop.id);
    account.suppress(phone.into(), Cause::Keyword, None, gatepost::Actor::Recipient).await.unwrap();
    let answer = world.send(|_| ()).await;
    let details = answer.is_contract_error(403, "recipient_suppressed");
    assert_eq!((&details["action"], &details["risk_score"]), (&json!("block"), &json!(90)));
    assert!(answer.header("retry-after").is_empty());
    assert_eq!(world.send(set("phone", "+999501234568")).await.status, 200);
}

#[tokio::test]
async fn account_suspended() {
    let world = World::new().await;
    world.done(Method::POST, &world.shop_path("/suspend"), None).await;
    assert_eq!(world.send(|_| ()).await.is_contract_error(403, "account_suspended")["action"], "block");
    world.done(Method::POST, &world.shop_path("/reinstate"), None).await;
    assert_eq!(world.send(|_| ()).await.status, 200);
}

#[tokio::test]
async fn account_paused() {
    let world = World::new().await;
    world.done(Method::POST, &world.shop_path("/pause"), Some(json!({"note": "audit"}))).await;
    assert_eq!(world.send(|_| ()).await.is_contract_error(403, "account_paused")["action"], "pause");
    world.done(Method::POST, &world.shop_path("/resume"), None).await;
    assert_eq!(world.send(|_| ()).await.status, 200);
}

#[tokio::test]
async fn instance_paused() {
    let world = World::new().await;
    world.done(Method::POST, &world.shop_path(&format!("/instances/{}/pause", world.shop.instance)), None).await;
    assert_eq!(world.send(|_| ()).await.is_contract_error(403, "instance_paused")["action"], "pause");
}

#[tokio::test]
async fn instance_not_connected() {
    let world = World::new().await;
    let path = world.shop_path(&format!("/instances/{}", world.shop.instance));
    world.done(Method::PATCH, &path, Some(json!({"connection": "closed"}))).await;
    assert_eq!(world.send(|_| ()).await.is_contract_error(409, "instance_not_connected")["action"], "block");
}

#[tokio::test]
async fn conversation_window_closed() {
    let world = World::new().await;
    let cloud = json!({"name": "cloud", "provider": "cloud_api", "connection": "open"});
    world.done(Method::POST, &world.shop_path("/instances"), Some(cloud)).await;
    let answer = world.send(set("instance_id", "cloud")).await;
    assert_eq!(answer.is_contract_error(409, "conversation_window_closed")["action"], "block");
}

#[tokio::test]
async fn daily_limit_exceeded() {
    let world = World::new().await;
    world.limit_shop(json!({"messages_per_day": 1, "messages_per_month": 5})).await;
    assert_eq!(world.send(|_| ()).await.status, 200);
    let answer = world.send(|_| ()).await;
    let details = answer.is_contract_error(429, "daily_limit_exceeded");
    assert_eq!((&details["action"], &details["limit"], &details["used"]), (&json!("throttle"), &json!(1), &json!(1)));
    // The clock stands one millisecond after noon: what is left of the day is rounded up.
    assert_eq!(answer.header("retry-after"), "43200");
    assert_eq!(answer.header("ratelimit"), r#""day";r=0;t=43200, "month";r=4;t=734400"#);
}

#[tokio::test]
async fn monthly_limit_exceeded() {
    let world = World::new().await;
    world.limit_shop(json!({"messages_per_day": 5, "messages_per_month": 1})).await;
    assert_eq!(world.send(|_| ()).await.status, 200);
    let answer = world.send(|_| ()).await;
    let details = answer.is_contract_error(429, "monthly_limit_exceeded");
    assert_eq!((&details["limit"], &details["used"]), (&json!(1), &json!(1)));
    assert_eq!(answer.header("retry-after"), "734400");
}

#[tokio::test]
async fn sending_throttled() {
    let world = World::new().await;
    for rate in ["account_rate", "instance_rate", "recipient_rate"] {
        let limits = json!({"messages_per_day": 50, "messages_per_month": 50, rate: {"count": 1, "period_seconds": 90, "burst": 1}});
        world.limit_shop(limits).await;
        world.host.advance(std::time::Duration::from_secs(100));
        assert_eq!(world.send(|_| ()).await.status, 200, "{rate}");
        let answer = world.send(|_| ()).await;
        let details = answer.is_contract_error(429, "sending_throttled");
        assert_eq!((&details["action"], answer.header("retry-after")), (&json!("throttle"), "90"), "{rate}");
    }
}

#[tokio::test]
async fn idempotency_key_reused() {
    let world = World::new().await;
    let under_key = |request| with_header(request, "idempotency-key", "order-7");
    assert_eq!(world.exchange(under_key(world.sending(SEND, |_| ()))).await.status, 200);
    let other = under_key(world.sending(SEND, set("message", "Your table is gone.")));
    world.exchange(other).await.is_contract_error(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_repeat_answers_the_same_message_with_its_present_status() {
    let world = World::new().await;
    let under_key = |path: &str, key: &str| with_header(world.sending(path, |_| ()), "idempotency-key", key);
    let first = world.exchange(under_key("/api/send-message?wait=0", "order-7")).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (202, ""));
    // The header may also quote the key.
    let second = world.exchange(under_key(SEND, "\"order-7\"")).await;
    assert_eq!((second.status.as_u16(), second.header("idempotency-replayed")), (200, "true"));
    assert_eq!((&second.body["message_id"], &second.body["log_id"]), (&first.body["message_id"], &first.body["log_id"]));
    assert_eq!(second.body["status"], "sent");
    let messages = world.get(&world.shop_path("/messages"), &world.operator).await;
    assert_eq!(messages.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_repeat_of_what_failed_fails_the_same_way() {
    let world = World::with(Terms { sandbox: Sandbox::new().with_mishap(Mishap::Refuse), ..Terms::default() }).await;
    let under_key = || with_header(world.sending(SEND, |_| ()), "idempotency-key", "order-7");
    let first = world.exchange(under_key()).await;
    let second = world.exchange(under_key()).await;
    first.is_contract_error(502, "gateway_send_failed");
    let details = second.is_contract_error(502, "gateway_send_failed");
    assert_eq!(details["message_id"], first.body["details"]["message_id"]);
    assert_eq!((first.header("idempotency-replayed"), second.header("idempotency-replayed")), ("", "true"));
}

#[tokio::test]
async fn two_at_once_under_one_key_are_one_message() {
    let world = World::new().await;
    let under_key = || world.exchange(with_header(world.sending(SEND, |_| ()), "idempotency-key", "order-7"));
    let (first, second) = tokio::join!(under_key(), under_key());
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200));
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn method_not_allowed() {
    let world = World::new().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE] {
        let answer = world.ask(method.clone(), SEND, &world.shop.key, None).await;
        answer.is_contract_error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "POST", "{method}");
    }
}

#[tokio::test]
async fn not_found() {
    let world = World::new().await;
    for path in ["/api", "/api/", "/api/send-messages", "/api/send-message/"] {
        world.get(path, &world.shop.key).await.is_contract_error(404, "not_found");
    }
}

#[tokio::test]
async fn rate_limited() {
    let settings = HttpSettings { failures_per_minute: NonZeroU32::new(3).unwrap(), ..HttpSettings::default() };
    let world = World::with(Terms { settings, ..Terms::default() }).await;
    let guess = |address: &str| world.exchange(from(asking(Method::POST, SEND, "wg_live_guess", Some(message())), address));
    for _ in 0..3 {
        guess("203.0.113.7").await.is_contract_error(401, "invalid_api_key");
    }
    let answer = guess("203.0.113.7").await;
    answer.is_contract_error(429, "rate_limited");
    assert_eq!(answer.header("retry-after"), "20");
    guess("203.0.113.8").await.is_contract_error(401, "invalid_api_key");
    // Whoever shares the address and has a key is let through.
    assert_eq!(world.exchange(from(world.sending(SEND, |_| ()), "203.0.113.7")).await.status, 200);
    world.host.advance(std::time::Duration::from_secs(20));
    guess("203.0.113.7").await.is_contract_error(401, "invalid_api_key");
}

#[tokio::test]
async fn unavailable() {
    let world = World::with(Terms { store: Broken::by(Fault::Fail), has_worker: false, ..Terms::default() }).await;
    let answer = world.send(|_| ()).await;
    answer.is_contract_error(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    assert!(!answer.body.to_string().contains("disk"));
}

#[tokio::test]
async fn internal_error() {
    let world = World::with(Terms { store: Broken::by(Fault::Panic), has_worker: false, ..Terms::default() }).await;
    world.send(|_| ()).await.is_contract_error(500, "internal_error");
}

#[tokio::test]
async fn request_ids_are_echoed_where_they_are_harmless() {
    let world = World::new().await;
    for (sent, is_echoed) in [("order-7:1", true), ("~", true), (&*"x".repeat(128), true), (&*"x".repeat(129), false), ("two words", false)]
    {
        let answer = world.exchange(with_header(world.sending(SEND, |_| ()), "x-request-id", sent)).await;
        assert_eq!(answer.header("x-request-id") == sent, is_echoed, "{sent}");
        assert!(!answer.header("x-request-id").is_empty());
    }
    let (first, second) = (world.send(|_| ()).await, world.send(|_| ()).await);
    assert!(first.header("x-request-id").starts_with("req_"));
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    let refused = world.exchange(with_header(world.sending(SEND, without("phone")), "x-request-id", "order-8")).await;
    assert_eq!(refused.body["request_id"], "order-8");
}

#[tokio::test]
async fn rate_headers_tell_what_is_left() {
    let world = World::new().await;
    let answer = world.send(|_| ()).await;
    assert_eq!(answer.header("ratelimit-policy"), r#""day";q=100;w=86400, "month";q=2000;w=2592000"#);
    assert_eq!(answer.header("ratelimit"), r#""day";r=99;t=43200, "month";r=1999;t=734400"#);
    let refused = world.send(set("message_purpose", "marketing")).await;
    assert_eq!(refused.header("ratelimit"), r#""day";r=99;t=43200, "month";r=1999;t=734400"#);
    assert_eq!(world.send(without("phone")).await.header("ratelimit"), "");
}

#[tokio::test]
async fn a_test_key_sends_to_the_sandbox_on_its_own_usage() {
    let world = World::new().await;
    let key = world.key_on(Mode::Test, key_terms(Scopes::all())).await;
    assert_eq!(world.send_with_key(&key).await.status, 200);
    let usage = world.get(&world.shop_path("/usage"), &world.operator).await.body;
    assert_eq!((&usage["live"]["day"]["used"], &usage["test"]["day"]["used"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn nothing_tells_which_version_this_is() {
    let world = World::new().await;
    let answer = world.send(|_| ()).await;
    assert!(answer.headers.keys().all(|name| name != "server" && name != "x-powered-by"));
}
