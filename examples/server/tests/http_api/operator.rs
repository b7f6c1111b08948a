//! Operator: an endpoint that hears how every account runs, and that no account sees.

use std::time::Duration;

use axum::http::Method;
use gatepost::Host;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::scene::{ME, delivery, endpoint, items, text};
use crate::world::World;

/// A gateway whose operator has an endpoint in the account of the shop.
struct Watched {
    world: World,
    receiver: Receiver,
    made: Value,
}

impl Watched {
    async fn new(events: &[&str]) -> Self {
        let (world, receiver) = (World::new().await, Receiver::start().await);
        let asked = json!({"url": receiver.url(), "events": events, "for_operator": true});
        let made = world.done(Method::POST, &world.shop_path("/endpoints"), Some(asked)).await;
        Self { world, receiver, made }
    }

    async fn pause_other(&self) {
        self.world.done(Method::POST, &format!("/v1/accounts/{}/pause", self.world.other.id), None).await;
    }

    /// What the operator reads of the shop.
    async fn read(&self, rest: &str) -> Value {
        self.world.done(Method::GET, &self.world.shop_path(rest), None).await
    }

    /// The operator's deliveries, newest first.
    async fn deliveries(&self) -> Vec<Value> {
        self.read(&format!("/deliveries?endpoint_id={}", text(&self.made, "id"))).await["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn the_operator_hears_of_every_account() {
    let mut watched = Watched::new(&["*"]).await;
    assert_eq!((text(&watched.made, "state"), &watched.made["for_operator"]), ("enabled", &json!(true)));
    watched.pause_other().await;
    let paused = watched.receiver.next().await;
    paused.verify(text(&watched.made, "secret"), watched.world.host.now()).unwrap();
    let body = paused.json();
    assert_eq!((text(&body, "event"), text(&body, "account_id")), ("account.paused", &*watched.world.other.id.to_string()));

    // What happens in one millisecond has no order in the log.
    watched.world.host.advance(Duration::from_millis(1));
    let theirs = json!({"url": watched.receiver.url(), "events": ["message.sent"]});
    let theirs = watched.world.post(&format!("{ME}/endpoints"), &watched.world.other.key, theirs).await;
    watched.world.post(&endpoint(&theirs.body, "/disable"), &watched.world.other.key, json!({})).await;
    let disabled = watched.receiver.next().await.json();
    assert_eq!((text(&disabled, "event"), text(&disabled, "endpoint_id")), ("endpoint.disabled", text(&theirs.body, "id")));

    // Neither its own account's messages nor anybody else's.
    watched.world.send(|_| ()).await;
    watched.receiver.got_nothing();
    let listed = watched.deliveries().await;
    assert_eq!(listed.iter().map(|delivery| text(delivery, "event")).collect::<Vec<_>>(), ["endpoint.disabled", "account.paused"]);
    assert_eq!(text(&listed[1], "event_id"), paused.header("webhook-id"));
}

#[tokio::test]
async fn only_an_operator_makes_one_and_nobody_later() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let asked = json!({"url": receiver.url(), "events": ["*"], "for_operator": true});
    let refused = world.post(&format!("{ME}/endpoints"), &world.shop.key, asked).await;
    assert_eq!(refused.is_problem(403, "insufficient_scope")["detail"], "only an operator can make an endpoint for the operator");

    let made = world.add_endpoint(&receiver, &["*"]).await;
    assert_eq!(made.get("for_operator"), None);
    let path = world.shop_path(&format!("/endpoints/{}", text(&made, "id")));
    let change = Some(json!({"for_operator": true}));
    world.ask(Method::PATCH, &path, &world.operator, change).await.is_problem_of("for_operator");
}

#[tokio::test]
async fn what_one_cannot_hear_names_the_field() {
    let (watched, receiver) = (Watched::new(&["endpoint.disabled"]).await, Receiver::start().await);
    let path = watched.world.shop_path("/endpoints");
    for (field, value) in [("events", json!(["message.*"])), ("instance_id", json!("support"))] {
        let mut body = json!({"url": receiver.url(), "events": ["*"], "for_operator": true});
        body[field] = value.clone();
        watched.world.post(&path, &watched.world.operator, body).await.is_problem_of(field);
        let change = Some(json!({field: value}));
        let path = format!("{path}/{}", text(&watched.made, "id"));
        watched.world.ask(Method::PATCH, &path, &watched.world.operator, change).await.is_problem_of(field);
    }
}

#[tokio::test]
async fn no_account_sees_it() {
    let mut watched = Watched::new(&["*"]).await;
    watched.pause_other().await;
    let event = watched.receiver.next().await.header("webhook-id").to_owned();
    let delivered = watched.world.until_by_operator(&watched.deliveries().await[0]).await;
    let operators = watched.world.shop_path(&format!("/endpoints/{}", text(&watched.made, "id")));
    let since = Some(json!({"since": "2026-01-01T00:00:00Z"}));
    let recovery = watched.world.done(Method::POST, &format!("{operators}/recoveries"), since.clone()).await;

    let (world, key) = (&watched.world, &watched.world.shop.key);
    let of_endpoint = |rest: &str| endpoint(&watched.made, rest);
    for rest in ["/verify", "/test", "/pause", "/resume", "/enable", "/disable", "/secret/rotate", "/secret/switch"] {
        world.ask(Method::POST, &of_endpoint(rest), key, None).await.is_problem(404, "not_found");
    }
    let of_recovery = format!("{ME}/recoveries/{}", text(&recovery, "id"));
    let of_event = format!("{ME}/events/{event}");
    for (method, path, body) in [
        (Method::GET, of_endpoint(""), None),
        (Method::DELETE, of_endpoint(""), None),
        (Method::PATCH, of_endpoint(""), Some(json!({"name": "mine"}))),
        (Method::PUT, of_endpoint("/signing-key"), Some(json!({"ed25519": true}))),
        (Method::POST, of_endpoint("/recoveries"), since),
        (Method::GET, delivery(&delivered, ""), None),
        (Method::GET, delivery(&delivered, "/attempts"), None),
        (Method::POST, delivery(&delivered, "/replay"), None),
        (Method::GET, of_event.clone(), None),
        (Method::GET, of_recovery.clone(), None),
        (Method::POST, format!("{of_recovery}/cancel"), None),
    ] {
        world.ask(method, &path, key, body).await.is_problem(404, "not_found");
    }
    for list in ["/endpoints", "/deliveries", "/deliveries?status=sent", "/recoveries"] {
        assert_eq!(items(&world.get(&format!("{ME}{list}"), key).await).len(), 0, "{list}");
        assert_eq!(items(&world.get(&world.shop_path(list), &world.operator).await).len(), 1, "{list}");
    }
    for path in [of_endpoint(""), delivery(&delivered, "/attempts"), of_event, of_recovery] {
        let path = path.replace("/me/", &format!("/{}/", world.shop.id));
        assert_eq!(world.get(&path, &world.operator).await.status, 200, "{path}");
    }
    assert_eq!(world.done(Method::GET, &operators, None).await["state"], "enabled");
}

#[tokio::test]
async fn what_an_account_is_told_itself_it_still_reads() {
    let watched = Watched::new(&["*"]).await;
    let (world, mut own) = (&watched.world, Receiver::start().await);
    world.add_endpoint(&own, &["account.*"]).await;
    world.done(Method::POST, &world.shop_path("/pause"), None).await;
    let told = own.next().await;
    let event = world.get(&format!("{ME}/events/{}", told.header("webhook-id")), &world.shop.key).await;
    assert_eq!(event.bytes, told.bytes);
}
