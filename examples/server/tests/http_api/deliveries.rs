//! Deliveries: what a receiver gets, what becomes of it, and events sent once more.

use std::time::Duration;

use axum::http::Method;
use gatepost::{Host, Retention, Scope};
use gatepost_memory::{Mishap, Sandbox};
use gatepost_server::http::openapi;
use serde_json::{Value, json};

use crate::receiver::{Got, Receiver, hangs_up_once};
use crate::scene::{ME, delivery, endpoint, items, text};
use crate::world::{Terms, World};

/// Expects that an event is as the document describes it.
#[track_caller]
fn is_documented(event: &Got) {
    let document = serde_json::to_value(openapi()).unwrap();
    let body = event.json();
    let operation = &document["webhooks"][text(&body, "event")]["post"];
    let reference = text(&operation["requestBody"]["content"]["application/json"]["schema"], "$ref");
    let schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
    let names: Vec<_> = body.as_object().unwrap().keys().collect();
    let unknown: Vec<_> = names.iter().filter(|name| schema["properties"].get(name.as_str()).is_none()).collect();
    let required = schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    let missing: Vec<_> = required.filter(|name| body.get(name).is_none()).collect();
    assert!(unknown.is_empty() && missing.is_empty(), "{unknown:?} {missing:?} {body}");
    let headers = operation["parameters"].as_array().unwrap().iter().map(|header| text(header, "$ref").rsplit('/').next().unwrap());
    for header in headers {
        assert_ne!(event.header(&header.to_lowercase()), "", "{header}");
    }
}

#[tokio::test]
async fn every_event_is_signed_in_both_ways_and_as_documented() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["*"]).await;
    let secret = text(&made, "secret");
    world.send(|_| ()).await;
    world.send(|body| body["message_purpose"] = json!("marketing")).await;
    world.done(Method::POST, &world.shop_path("/pause"), None).await;
    world.done(Method::POST, &world.shop_path("/resume"), None).await;
    let instance = format!("{ME}/instances/{}", world.shop.instance);
    world.did(Method::PATCH, &instance, Some(json!({"connection": "closed"}))).await;
    world.act(&endpoint(&made, "/test")).await;

    let mut names = Vec::new();
    for _ in 0..7 {
        let event = receiver.next().await;
        is_documented(&event);
        event.verify_contract(secret, world.host.now()).unwrap();
        let genuine = event.verify(secret, world.host.now()).unwrap();
        assert_eq!((genuine.id.as_str(), event.header("content-type")), (text(&event.json(), "event_id"), "application/json"));
        names.push(event.header("x-whatsapp-gateway-event").to_owned());

        let read = world.get(&format!("{ME}/events/{}", genuine.id), &world.shop.key).await;
        assert_eq!((read.header("content-type"), &read.bytes), ("application/json", &event.bytes));
        // One changed bit is enough.
        let mut changed = event.clone();
        changed.bytes = [&event.bytes[..event.bytes.len() - 1], b"|"].concat().into();
        assert!(changed.verify(secret, world.host.now()).is_err() && changed.verify_contract(secret, world.host.now()).is_err());
    }
    names.sort();
    let expected = [
        "account.paused",
        "account.resumed",
        "endpoint.test",
        "instance.disconnected",
        "message.blocked",
        "message.queued",
        "message.sent",
    ];
    assert_eq!(names, expected);
    receiver.got_nothing();
}

#[tokio::test]
async fn a_change_of_status_goes_under_the_name_that_is_listed() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    world.add_endpoint(&receiver, &["message.status_updated"]).await;
    world.send(|_| ()).await;
    for _ in 0..2 {
        let event = receiver.next().await;
        is_documented(&event);
        assert_eq!(event.header("x-whatsapp-gateway-event"), "message.status_updated");
        let path = format!("{ME}/events/{}", event.header("webhook-id"));
        let read = world.get(&format!("{path}?name=message.status_updated"), &world.shop.key).await;
        assert_eq!(read.bytes, event.bytes);
        assert!(text(&world.read(&path).await, "event") != "message.status_updated");
        world.get(&format!("{path}?name=message.blocked"), &world.shop.key).await.is_problem_of("name");
        world.get(&format!("{path}?name=message.snet"), &world.shop.key).await.is_problem_of("name");
    }
    assert!(world.deliveries("").await.iter().all(|delivery| delivery["event"] == "message.status_updated"));
}

#[tokio::test]
async fn a_customer_sees_how_an_attempt_ended_and_an_operator_what_was_seen() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    world.add_endpoint(&receiver, &["message.sent"]).await;
    receiver.answer_next(500, &[], "internal: db01.corp refused");
    world.send(|_| ()).await;
    receiver.next().await;
    let [failed] = &world.deliveries("").await[..] else { panic!("one delivery") };
    let waiting = world.until(&delivery(failed, ""), |seen| seen["status"] == "queued" && seen["tries"] == 1).await;
    assert!(waiting["next_at"].is_string() && waiting.get("held").is_none());

    let path = delivery(failed, "/attempts");
    let seen = world.read(&path).await;
    let attempt = &seen["items"][0];
    assert_eq!((&attempt["number"], &attempt["outcome"], &attempt["status_code"]), (&json!(1), &json!("failed"), &json!(500)));
    assert_eq!(attempt["error"], "error_status");
    assert!(!seen.to_string().contains("db01") && !seen.to_string().contains("127.0.0.1"), "{seen}");

    let seen = world.get(&path.replace("/me/", &format!("/{}/", world.shop.id)), &world.operator).await;
    let report = &items(&seen)[0]["report"];
    assert_eq!((&report["excerpt"], &report["resent"]), (&json!("internal: db01.corp refused"), &json!(false)));
    assert!(text(report, "peer").starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn what_failed_is_tried_again_under_the_same_id() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    receiver.answer_next(503, &[], "");
    world.send(|_| ()).await;
    let first = receiver.next().await;
    let [tried] = &world.deliveries("").await[..] else { panic!("one delivery") };
    world.until(&delivery(tried, ""), |seen| seen["status"] == "queued" && seen["tries"] == 1).await;
    assert_eq!(world.read(&endpoint(&made, "")).await["failing_since"], world.host.now().to_string());

    world.pass(Duration::from_secs(6)).await;
    let second = receiver.next().await;
    assert_eq!((second.header("webhook-id"), &second.bytes), (first.header("webhook-id"), &first.bytes));
    assert_ne!(second.header("webhook-timestamp"), first.header("webhook-timestamp"));
    second.verify(text(&made, "secret"), world.host.now()).unwrap();
    let ended = world.ended(tried).await;
    assert_eq!((&ended["status"], &ended["tries"]), (&json!("sent"), &json!(2)));
    assert_eq!(world.read(&endpoint(&made, "")).await.get("failing_since"), None);
    let outcomes = world.read(&delivery(tried, "/attempts")).await;
    assert_eq!((&outcomes["items"][0]["outcome"], &outcomes["items"][1]["outcome"]), (&json!("failed"), &json!("sent")));
}

#[tokio::test]
async fn gone_and_asked_disable_and_tell_the_others() {
    for (status, headers, reason, ended) in [(410, &[][..], "gone", "failed"), (200, &[("webhook-delivery", "disable")], "asked", "sent")] {
        let (world, mut receiver, mut other) = (World::new().await, Receiver::start().await, Receiver::start().await);
        let made = world.add_endpoint(&receiver, &["message.sent"]).await;
        world.add_endpoint(&other, &["endpoint.disabled"]).await;
        receiver.answer_next(status, headers, "");
        world.send(|_| ()).await;
        receiver.next().await;
        let told = other.next().await;
        is_documented(&told);
        assert_eq!((&told.json()["endpoint_id"], &told.json()["reason"]), (&made["id"], &json!(reason)));
        let seen = world.read(&endpoint(&made, "")).await;
        assert_eq!((text(&seen, "state"), &seen["disabled"]["reason"]), ("disabled", &json!(reason)));
        let deliveries = world.deliveries(&format!("?endpoint_id={}", text(&made, "id"))).await;
        assert_eq!(deliveries[0]["status"], ended);
        // What nobody asked for may be undone by the account.
        assert_eq!(world.act(&endpoint(&made, "/enable")).await["state"], "enabled");
    }
}

#[tokio::test]
async fn a_receiver_may_want_no_more_of_one_event() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    world.add_endpoint(&receiver, &["message.sent"]).await;
    receiver.answer_next(422, &[("webhook-delivery", "abort-message")], "");
    world.send(|_| ()).await;
    receiver.next().await;
    let [aborted] = &world.deliveries("").await[..] else { panic!("one delivery") };
    let ended = world.ended(aborted).await;
    assert_eq!((&ended["status"], &ended["error"], &ended["tries"]), (&json!("failed"), &json!("aborted"), &json!(1)));
}

#[tokio::test]
async fn the_test_button_takes_the_way_of_every_event() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    let tested = world.ask(Method::POST, &endpoint(&made, "/test"), &world.shop.key, None).await;
    assert_eq!((tested.status.as_u16(), &tested.body["event"]), (201, &json!("endpoint.test")));
    assert_eq!(tested.header("location"), world.shop_path(&format!("/deliveries/{}", text(&tested.body, "id"))));
    let event = receiver.next().await;
    event.verify(text(&made, "secret"), world.host.now()).unwrap();
    assert_eq!((event.header("webhook-id"), &event.json()["endpoint_id"]), (text(&tested.body, "event_id"), &made["id"]));
    assert_eq!(world.ended(&tested.body).await["status"], "sent");
}

/// A world with a receiver that took one event.
async fn with_one_delivery() -> (World, Receiver, Value, Value, Got) {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    world.send(|_| ()).await;
    let event = receiver.next().await;
    let [sent] = &world.deliveries("").await[..] else { panic!("one delivery") };
    let sent = world.ended(sent).await;
    world.host.advance(Duration::from_secs(1));
    (world, receiver, made, sent, event)
}

#[tokio::test]
async fn a_replay_keeps_the_event_and_says_who_asked_and_why() {
    let (world, mut receiver, made, sent, event) = with_one_delivery().await;
    let asked = json!({"reason": "the receiver lost its data"});
    let replayed = world.post(&delivery(&sent, "/replay"), &world.shop.key, asked).await;
    assert_eq!(replayed.status, 201, "{}", replayed.body);
    assert_eq!(replayed.header("location"), world.shop_path(&format!("/deliveries/{}", text(&replayed.body, "id"))));
    let replay = &replayed.body["replay"];
    assert_eq!(
        (&replay["of"], text(replay, "reason"), &replay["to_changed_url"]),
        (&sent["id"], "the receiver lost its data", &json!(false))
    );
    assert!(text(replay, "by").starts_with("key:"));

    let again = receiver.next().await;
    assert_eq!((again.header("webhook-id"), &again.bytes), (event.header("webhook-id"), &event.bytes));
    again.verify(text(&made, "secret"), world.host.now()).unwrap();
    assert_eq!(world.ended(&replayed.body).await["status"], "sent");
    let of_event = world.deliveries(&format!("?event_id={}", event.header("webhook-id"))).await;
    assert_eq!(of_event.iter().map(|delivery| &delivery["id"]).collect::<Vec<_>>(), [&replayed.body["id"], &sent["id"]]);
}

#[tokio::test]
async fn an_operators_reason_is_for_operators() {
    let (world, mut receiver, _, sent, _) = with_one_delivery().await;
    let path = world.shop_path(&format!("/deliveries/{}/replay", text(&sent, "id")));
    let replayed = world.done(Method::POST, &path, Some(json!({"reason": "ticket 4711"}))).await;
    assert_eq!(replayed["replay"]["reason"], "ticket 4711");
    receiver.next().await;
    let seen = world.read(&delivery(&replayed, "")).await;
    assert_eq!((seen["replay"].get("reason"), &seen["replay"]["by"]), (None, &replayed["replay"]["by"]));
    assert!(world.deliveries("").await.iter().all(|delivery| !delivery.to_string().contains("ticket")));
}

#[tokio::test]
async fn what_is_still_tried_is_not_replayed() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    world.add_endpoint(&receiver, &["message.sent"]).await;
    receiver.answer_next(500, &[], "");
    world.send(|_| ()).await;
    receiver.next().await;
    let [tried] = &world.deliveries("").await[..] else { panic!("one delivery") };
    world.post(&delivery(tried, "/replay"), &world.shop.key, json!({})).await.is_problem(409, "delivery_pending");
}

#[tokio::test]
async fn history_goes_to_a_changed_url_only_where_that_is_said_with_a_reason() {
    let (world, mut old, made, sent, event) = with_one_delivery().await;
    let mut new = Receiver::start().await;
    world.did(Method::PATCH, &endpoint(&made, ""), Some(json!({"url": new.url()}))).await;
    let replay = async |body: Value| world.post(&delivery(&sent, "/replay"), &world.shop.key, body).await;
    replay(json!({})).await.is_problem(409, "url_changed");
    replay(json!({"to_changed_url": true})).await.is_problem_of("reason");
    let narrow = world.key_with([Scope::EndpointsWrite]).await;
    let body = json!({"to_changed_url": true, "reason": "moved"});
    world.post(&delivery(&sent, "/replay"), &narrow, body.clone()).await.is_problem(403, "insufficient_scope");
    let recovery = json!({"since": "2026-01-01T00:00:00Z", "to_changed_url": true, "reason": "moved"});
    world.post(&endpoint(&made, "/recoveries"), &narrow, recovery).await.is_problem(403, "insufficient_scope");

    let replayed = replay(body).await;
    assert_eq!((&replayed.body["replay"]["to_changed_url"], &replayed.body["replay"]["reason"]), (&json!(true), &json!("moved")));
    assert_eq!(new.next().await.header("webhook-id"), event.header("webhook-id"));
    old.got_nothing();
}

#[tokio::test]
async fn what_is_forgotten_cannot_be_replayed() {
    let (world, _receiver, _, sent, event) = with_one_delivery().await;
    let never = gatepost::Timestamp::default();
    let retention = Retention { content_before: world.host.now(), logs_before: never, raw_before: never, now: never };
    while world.store.worker().retain(retention, 100).await.unwrap() > 0 {}
    world.post(&delivery(&sent, "/replay"), &world.shop.key, json!({})).await.is_problem(410, "body_forgotten");
    let path = format!("{ME}/events/{}", event.header("webhook-id"));
    world.get(&path, &world.shop.key).await.is_problem(404, "not_found");
    assert_eq!(world.read(&delivery(&sent, "")).await["status"], "sent", "the log still names it");
}

#[tokio::test]
async fn a_recovery_delivers_again_what_was_not_taken() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    let since = world.host.now().to_string();
    world.send(|_| ()).await;
    let taken = receiver.next().await;
    world.act(&endpoint(&made, "/disable")).await;
    for _ in 0..3 {
        world.send(|_| ()).await;
    }
    let mut skipped: Vec<_> =
        world.deliveries("?status=skipped").await.iter().map(|delivery| text(delivery, "event_id").to_owned()).collect();
    assert_eq!(skipped.len(), 3);
    world.act(&endpoint(&made, "/enable")).await;
    world.host.advance(Duration::from_secs(1));

    let asked = json!({"since": since, "reason": "we were down"});
    let begun = world.post(&endpoint(&made, "/recoveries"), &world.shop.key, asked.clone()).await;
    assert_eq!((begun.status.as_u16(), &begun.body["state"]), (201, &json!("running")), "{}", begun.body);
    assert_eq!(begun.header("location"), world.shop_path(&format!("/recoveries/{}", text(&begun.body, "id"))));
    world.post(&endpoint(&made, "/recoveries"), &world.shop.key, asked).await.is_problem(409, "recovery_under_way");
    world.pass(Duration::from_secs(2)).await;

    let mut got = Vec::new();
    for _ in 0..3 {
        got.push(receiver.next().await.header("webhook-id").to_owned());
    }
    got.sort();
    skipped.sort();
    assert_eq!(got, skipped);
    assert!(!got.contains(&taken.header("webhook-id").to_owned()));
    let path = format!("{ME}/recoveries/{}", text(&begun.body, "id"));
    let done = world.until(&path, |seen| seen["state"] == "done").await;
    assert_eq!((&done["queued"], &done["left"], &done["reason"]), (&json!(3), &json!(0), &json!("we were down")));
    let listed = world.get(&format!("{ME}/recoveries"), &world.shop.key).await;
    assert_eq!(items(&listed), &[done]);
    let deliveries = world.deliveries("").await;
    let replayed: Vec<_> = deliveries.iter().filter(|delivery| delivery["replay"]["reason"] == "we were down").collect();
    assert_eq!(replayed.len(), 3);
    for replayed in replayed {
        assert_eq!(world.ended(replayed).await["status"], "sent");
    }
}

#[tokio::test]
async fn a_recovery_is_canceled_once() {
    let world = World::with(Terms { has_worker: false, ..Terms::default() }).await;
    let receiver = Receiver::start().await;
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    let begun = world.did(Method::POST, &endpoint(&made, "/recoveries"), Some(json!({"since": "2026-01-01T00:00:00Z"}))).await;
    let path = format!("{ME}/recoveries/{}", text(&begun, "id"));
    let canceled = world.act(&format!("{path}/cancel")).await;
    assert_eq!((&canceled["state"], &canceled["canceled_at"]), (&json!("canceled"), &json!(world.host.now().to_string())));
    world.host.advance(Duration::from_secs(1));
    assert_eq!(world.act(&format!("{path}/cancel")).await, canceled);
    assert_eq!(world.read(&path).await, canceled);
}

#[tokio::test]
async fn deliveries_are_listed_by_endpoint_status_and_event_in_parts() {
    let (world, mut one, two) = (World::new().await, Receiver::start().await, Receiver::start().await);
    let first = world.add_endpoint(&one, &["message.sent"]).await;
    let second = world.add_endpoint(&two, &["message.sent"]).await;
    world.act(&endpoint(&second, "/pause")).await;
    for _ in 0..3 {
        world.host.advance(Duration::from_millis(1));
        world.send(|_| ()).await;
        one.next().await;
    }
    for sent in world.deliveries(&format!("?endpoint_id={}", text(&first, "id"))).await {
        world.ended(&sent).await;
    }
    assert_eq!(world.deliveries("?status=sent").await.len(), 3);
    let held = world.deliveries("?status=queued").await;
    assert!(held.iter().all(|delivery| delivery["endpoint_id"] == second["id"] && delivery["held"] == "paused"));
    let event = text(&held[0], "event_id");
    assert_eq!(world.deliveries(&format!("?event_id={event}")).await.len(), 2);

    let mut seen = Vec::new();
    let mut path = format!("{ME}/deliveries?limit=4");
    loop {
        let page = world.get(&path, &world.shop.key).await;
        seen.extend(items(&page).iter().map(|delivery| text(delivery, "id").to_owned()));
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        path = format!("{ME}/deliveries?limit=4&cursor={cursor}");
    }
    let mut sorted = seen.clone();
    sorted.sort_by(|left, right| right.cmp(left));
    assert_eq!((seen.len(), &seen), (6, &sorted));
    for (query, field) in [
        ("endpoint_id=7", "endpoint_id"),
        ("event_id=7", "event_id"),
        ("status=held", "status"),
        ("cursor=7", "cursor"),
        ("page=2", "page"),
    ] {
        world.get(&format!("{ME}/deliveries?{query}"), &world.shop.key).await.is_problem_of(field);
    }
}

#[tokio::test]
async fn a_stale_connection_is_no_failure_and_is_told_to_the_operator() {
    let world = World::new().await;
    let body = json!({"url": hangs_up_once(), "events": ["message.sent"], "verify": false});
    world.done(Method::POST, &world.shop_path("/endpoints"), Some(body)).await;
    world.send(|_| ()).await;
    let [first] = &world.deliveries("").await[..] else { panic!("one delivery") };
    assert_eq!(world.ended(first).await["status"], "sent");
    world.host.advance(Duration::from_millis(1));
    world.send(|_| ()).await;
    let second = world.deliveries("").await[0].clone();
    let ended = world.ended(&second).await;
    assert_eq!((&ended["status"], &ended["tries"]), (&json!("sent"), &json!(1)));
    let attempts = world.get(&world.shop_path(&format!("/deliveries/{}/attempts", text(&second, "id"))), &world.operator).await;
    assert_eq!(items(&attempts)[0]["report"]["resent"], true);
}

#[tokio::test]
async fn events_tell_of_messages_that_failed() {
    let refusing = Terms { sandbox: Sandbox::new().with_mishap(Mishap::Refuse), ..Terms::default() };
    let (world, mut receiver) = (World::with(refusing).await, Receiver::start().await);
    world.add_endpoint(&receiver, &["message.failed"]).await;
    world.send(|_| ()).await;
    let event = receiver.next().await;
    is_documented(&event);
    assert_eq!((&event.json()["status"], &event.json()["error_code"]), (&json!("failed"), &json!("refused")));
}
