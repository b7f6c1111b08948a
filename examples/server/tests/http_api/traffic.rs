//! Traffic: what an account does as a whole, as it and the operator see it, and the pause that follows.

use axum::http::Method;
use gatepost::{Actor, Cause, ContactId, Host, NewSuppression, Scope, SuppressionId};
use serde_json::{Value, json};

use crate::world::World;

const ME: &str = "/v1/accounts/me";

/// Sends to so many people.
async fn send_to(world: &World, people: u32) {
    for person in 0..people {
        assert_eq!(world.send(|message| message["phone"] = json!(phone(person))).await.status, 200);
    }
}

fn phone(person: u32) -> String {
    format!("+9995012{person:05}")
}

/// Each of so many people asks to be left alone.
async fn opt_out(world: &World, people: u32) {
    let store = world.store.account(world.shop.id);
    for person in 0..people {
        let (now, host) = (world.host.now(), &*world.host);
        let (id, contact) = (SuppressionId::new(now, host), ContactId::new(now, host));
        let address = phone(person).parse().unwrap();
        let new = NewSuppression { id, contact, address, cause: Cause::Keyword, note: None, by: Actor::Recipient, now };
        store.suppress(new).await.unwrap();
    }
}

#[tokio::test]
async fn traffic_tells_what_the_account_does() {
    let world = World::new().await;
    send_to(&world, 4).await;
    world.send(|message| message["message_purpose"] = json!("marketing")).await;
    opt_out(&world, 1).await;
    let traffic = world.get(&format!("{ME}/traffic"), &world.shop.key).await.body;
    let live = &traffic["live"];
    assert_eq!([&live["sent"], &live["recipients"], &live["first_contacts"]], [4, 4, 4]);
    assert_eq!([&live["blocked"], &live["opted_out"], &live["failed"]], [1, 1, 0]);
    assert_eq!((&live["opted_out_percent"], &live["blocked_percent"]), (&json!(25.0), &json!(20.0)));
    assert_eq!((&traffic["test"]["sent"], &traffic["window_days"]), (&json!(0), &json!(7)));
    assert_eq!(traffic["test"].get("failed_percent"), None);
}

#[tokio::test]
async fn thresholds_are_for_the_operator() {
    let world = World::new().await;
    let to_account = world.get(&format!("{ME}/traffic"), &world.shop.key).await.body;
    assert_eq!((to_account.get("pauses_at"), to_account.get("warns_at")), (None, None));
    let to_operator = world.get(&world.shop_path("/traffic"), &world.operator).await.body;
    let expected = json!({"opted_out_percent": 5.0, "blocked_percent": 15.0, "failed_percent": 20.0, "volume": 200, "opt_outs": 10});
    assert_eq!(to_operator["pauses_at"], expected);
    assert_eq!(to_operator["warns_at"]["opted_out_percent"], 2.5);
    let key = world.key_with([Scope::MessagesSend]).await;
    world.get(&format!("{ME}/traffic"), &key).await.is_problem(403, "insufficient_scope");
}

#[tokio::test]
async fn only_the_operator_lifts_a_pause_by_rate() {
    let world = World::new().await;
    send_to(&world, 10).await;
    opt_out(&world, 10).await;
    assert_eq!(world.send(|_| ()).await.is_contract_error(403, "account_paused")["action"], "pause");
    let paused = &world.get(&world.shop_path(""), &world.operator).await.body["pause"];
    assert_eq!([&paused["by"], &paused["cause"], &paused["rate"]], ["gateway", "rate", "opt_outs"]);
    assert_eq!(paused["note"], "100.0 % of the recipients opted out: 10 of 10 in seven days");
    for method in ["pause", "resume"] {
        let answer = world.ask(Method::POST, &format!("{ME}/{method}"), &world.shop.key, None).await;
        answer.is_problem(403, "insufficient_scope");
    }
    let resumed = world.done(Method::POST, &world.shop_path("/resume"), None).await;
    assert_eq!(resumed.get("pause").unwrap_or(&Value::Null), &Value::Null);
    assert_eq!(world.send(|_| ()).await.status, 200);
    let traffic = world.get(&world.shop_path("/traffic"), &world.operator).await.body;
    assert_eq!((&traffic["live"]["sent"], &traffic["live"]["opted_out"]), (&json!(1), &json!(0)), "it is counted afresh");
}

#[tokio::test]
async fn a_pause_by_rate_shows_no_figures_to_the_account() {
    let world = World::new().await;
    let made = json!({"url": "https://hooks.example.com/x", "events": ["account.*"]});
    world.post(&format!("{ME}/endpoints"), &world.shop.key, made).await;
    send_to(&world, 10).await;
    opt_out(&world, 10).await;
    let deliveries = world.get(&format!("{ME}/deliveries"), &world.shop.key).await.body;
    let events: Vec<&Value> = deliveries["items"].as_array().unwrap().iter().map(|delivery| &delivery["event"]).collect();
    assert_eq!(events, ["account.paused", "account.warned"]);
    for delivery in deliveries["items"].as_array().unwrap() {
        let path = format!("{ME}/events/{}", delivery["event_id"].as_str().unwrap());
        let event = world.get(&path, &world.shop.key).await.body.to_string();
        assert!(event.contains("opt_outs") && !event.contains("100.0"), "{event}");
    }
}
