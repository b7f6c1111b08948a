//! The table of routes, as the OpenAPI document tells it: who may use each, and that nobody reaches into another account.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::Method;
use gatepost::{Address, Heed, Host, NewInbound, Page, Phone, Policy, Said, Scope, Scopes, Told, Words};
use gatepost_server::http::{HttpSettings, openapi};
use serde_json::{Value, json};

use crate::world::{Answer, Terms, World, id_of, message};

/// A route of `/v1`, and who may use it.
#[derive(Clone)]
struct Route {
    method: Method,
    path: String,
    /// The scopes of which a key of an account needs one; none where only an operator may.
    scopes: Vec<Scope>,
}

fn routes() -> Vec<Route> {
    let document = serde_json::to_value(openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().filter(|(path, _)| path.starts_with("/v1/")).flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| Route {
            method: method.to_uppercase().parse().unwrap(),
            path: path.clone(),
            scopes: scopes(path, &operation["security"]),
        })
    });
    let routes: Vec<_> = operations.collect();
    assert!(routes.len() >= 80, "{}", routes.len());
    routes
}

/// Each operation names an operator key, and perhaps scopes of an account's key, any of which will do; nothing else is a permission.
fn scopes(path: &str, security: &Value) -> Vec<Scope> {
    match security.as_array().unwrap_or_else(|| panic!("{path} has no permission")).as_slice() {
        [accounts @ .., operator] if *operator == json!({"OperatorKey": []}) && accounts.len() <= 2 => {
            accounts.iter().map(|account| account["BearerAuth"][0].as_str().unwrap().parse().unwrap()).collect()
        }
        other => panic!("{path} has the permission {other:?}"),
    }
}

/// Things of an account, by the names that paths give them.
struct Things {
    account: String,
    instance: String,
    key: String,
    message: String,
    suppression: String,
    operator_key: String,
    endpoint: String,
    delivery: String,
    event: String,
    recovery: String,
    notification: String,
    inbound: String,
    contact: String,
    integration: String,
}

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1/";

impl Things {
    /// Makes one of each in the account of this key.
    async fn of(world: &World, account: String, key: &str) -> Self {
        let text = |answer: &Answer, field: &str| answer.body[field].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned();
        let instances = world.get("/v1/accounts/me/instances", key).await;
        let suppressed = world.post("/v1/accounts/me/suppressions", key, json!({"phone": "+999501234599", "cause": "manual"})).await;
        let sent = world.post("/api/send-message", key, message()).await;
        let operator = world.post("/v1/operator-keys", &world.operator, json!({"name": "night"})).await;
        let added = world.post("/v1/accounts/me/endpoints", key, json!({"url": NOWHERE, "events": ["message.read"]})).await;
        let endpoint = format!("/v1/accounts/me/endpoints/{}", text(&added, "id"));
        let tested = world.ask(Method::POST, &format!("{endpoint}/test"), key, None).await;
        let begun = world.post(&format!("{endpoint}/recoveries"), key, json!({"since": "2026-01-01T00:00:00Z"})).await;
        let phone_system = json!({"name": "office", "instance_id": "support"});
        let integration = world.post("/v1/accounts/me/integrations", key, phone_system).await;
        let [notification, inbound, contact] = doubtful_wish(world, key).await;
        Self {
            notification,
            inbound,
            contact,
            integration: text(&integration, "id"),
            endpoint: text(&added, "id"),
            delivery: text(&tested, "id"),
            event: text(&tested, "event_id"),
            recovery: text(&begun, "id"),
            account,
            instance: instances.body["items"][0]["id"].as_str().unwrap().to_owned(),
            key: id_of(key).to_string(),
            message: text(&sent, "message_id"),
            suppression: text(&suppressed, "id"),
            operator_key: text(&operator, "id"),
        }
    }

    fn path(&self, path: &str) -> String {
        let key = if path.contains("operator-keys") { &self.operator_key } else { &self.key };
        path.replace("{account_id}", &self.account)
            .replace("{instance_id}", &self.instance)
            .replace("{key_id}", key)
            .replace("{message_id}", &self.message)
            .replace("{suppression_id}", &self.suppression)
            .replace("{endpoint_id}", &self.endpoint)
            .replace("{delivery_id}", &self.delivery)
            .replace("{event_id}", &self.event)
            .replace("{recovery_id}", &self.recovery)
            .replace("{notification_id}", &self.notification)
            .replace("{inbound_id}", &self.inbound)
            .replace("{contact_id}", &self.contact)
            .replace("{integration_id}", &self.integration)
            .replace("{secret}", "webhook")
    }
}

/// Somebody writes what may be an opt-out: the notification, what came in by it, and who it was.
async fn doubtful_wish(world: &World, key: &str) -> [String; 3] {
    let customer = if key == world.other.key { &world.other } else { &world.shop };
    let said = Said {
        external_id: "wamid.1".to_owned(),
        form: "text".to_owned(),
        text: Some(Words::new("wrong number".to_owned())),
        detail: None,
        sender_name: None,
        file: None,
        reply_to: None,
        opens_window: true,
        meaning: None,
    };
    let people = Address::from("+999501234588".parse::<Phone>().unwrap()).into();
    let told = NewInbound { key: "1".to_owned(), kind: "message.text".to_owned(), at: None, people, told: Told::Said(said) };
    let (account, now) = (world.app.gateway.account(customer.id), world.host.now());
    account.receive(customer.instance, b"{}".to_vec(), vec![told]).await.unwrap();
    let heed = Heed { limit: 9, per_account: 9, after: None, decider: Arc::new(Policy::default()), now };
    // The worker may have been faster.
    world.store.worker().heed(heed).await.unwrap();
    let [suspicion] = &account.store().suspicions(Page::first(9)).await.unwrap()[..] else { panic!("somebody may have opted out") };
    let entry = account.store().inbound_entry(suspicion.inbound).await.unwrap().unwrap();
    [entry.notification.to_string(), entry.id.to_string(), suspicion.contact.to_string()]
}

/// A body that the route takes.
fn body(route: &Route) -> Option<Value> {
    let last = route.path.rsplit('/').next().unwrap();
    match (route.method.as_str(), last) {
        ("POST", "rotate") if route.path.contains("app-secret") => Some(json!({"app_secret": "an-app-secret"})),
        ("POST", "explain") => Some(message()),
        ("POST", "api-keys") => Some(json!({"name": "till", "scopes": ["messages:read"]})),
        ("POST", "operator-keys" | "accounts") => Some(json!({"name": "till"})),
        ("POST", "instances") => Some(json!({"name": "till", "provider": "sandbox"})),
        ("POST", "suppressions") => Some(json!({"phone": "+999501234590", "cause": "manual"})),
        ("POST", "integrations") => Some(json!({"name": "till", "instance_id": "support"})),
        ("POST", "search") => Some(json!({"phone": "+999501234590"})),
        ("POST", "answer") => Some(json!({"inbound_id": "inb_01kanqh5s0e8t9v2xw3yz4abcd", "opted_out": false})),
        ("POST", "resolve") => Some(json!({"outcome": "sent"})),
        ("POST", "endpoints") => Some(json!({"url": NOWHERE, "events": ["message.read"]})),
        ("POST", "recoveries") => Some(json!({"since": "2026-01-01T00:00:00Z"})),
        ("PUT", "signing-key") => Some(json!({"ed25519": true})),
        ("PATCH", "{instance_id}") => Some(json!({"connection": "open"})),
        ("PATCH", _) => Some(json!({"name": "Till"})),
        _ => None,
    }
}

async fn ask(world: &World, route: &Route, path: &str, key: &str) -> Answer {
    world.ask(route.method.clone(), path, key, body(route)).await
}

#[tokio::test]
async fn no_route_of_v1_is_open() {
    // More routes than an address may try in a minute.
    let terms = Terms::default();
    let settings = HttpSettings { failures_per_minute: NonZeroU32::MAX, ..terms.settings };
    let world = World::with(Terms { settings, ..terms }).await;
    let things = Things::of(&world, world.shop.id.to_string(), &world.shop.key).await;
    for route in routes() {
        ask(&world, &route, &things.path(&route.path), "").await.is_problem(401, "invalid_api_key");
    }
}

#[tokio::test]
async fn a_route_is_closed_to_a_key_that_lacks_only_its_scope() {
    let world = World::new().await;
    let things = Things::of(&world, "me".to_owned(), &world.shop.key).await;
    for route in routes() {
        let scopes = Scopes::all().iter().filter(|scope| !route.scopes.contains(scope));
        let key = world.key_with(scopes).await;
        ask(&world, &route, &things.path(&route.path), &key).await.is_problem(403, "insufficient_scope");
    }
}

#[tokio::test]
async fn a_route_is_open_to_a_key_with_only_its_scope() {
    let world = World::new().await;
    let mut things = Things::of(&world, "me".to_owned(), &world.shop.key).await;
    let each = routes().into_iter().flat_map(|route| route.scopes.clone().into_iter().map(move |scope| (route.clone(), scope)));
    for (route, scope) in each {
        let key = world.key_with([scope]).await;
        // A key may not replace one that can do more than itself.
        things.key = id_of(&world.key_with([scope]).await).to_string();
        let answer = ask(&world, &route, &things.path(&route.path), &key).await;
        let is_let_in = answer.status.is_success()
            || matches!(
                answer.body["code"].as_str(),
                Some(
                    "delivery_pending"
                        | "newer_reply"
                        | "not_found"
                        | "public_url_missing"
                        | "recovery_under_way"
                        | "review_closed"
                        | "unsupported_media_type"
                        | "wrong_provider"
                )
            );
        let grants_what_it_lacks = route.path.ends_with("/api-keys") && route.method == Method::POST;
        assert!(is_let_in || grants_what_it_lacks, "{} {}: {}", route.method, route.path, answer.body);
    }
}

#[tokio::test]
async fn another_account_looks_like_one_that_does_not_exist() {
    let world = World::new().await;
    let things = Things::of(&world, world.other.id.to_string(), &world.other.key).await;
    for route in routes().iter().filter(|route| route.path.contains("{account_id}")) {
        let answer = ask(&world, route, &things.path(&route.path), &world.shop.key).await;
        answer.is_problem(404, "not_found");
    }
}

#[tokio::test]
async fn what_belongs_to_another_account_is_not_found_in_ones_own() {
    let world = World::new().await;
    let mut things = Things::of(&world, world.other.id.to_string(), &world.other.key).await;
    things.account = "me".to_owned();
    let before = snapshot(&world).await;
    let of_things = routes().into_iter().filter(|route| route.path.contains("{account_id}/") && route.path.matches('{').count() == 2);
    let mut tried = 0;
    for route in of_things.filter(|route| !route.scopes.is_empty()) {
        let answer = ask(&world, &route, &things.path(&route.path), &world.shop.key).await;
        answer.is_problem(404, "not_found");
        tried += 1;
    }
    assert!(tried >= 32, "{tried}");
    assert_eq!(snapshot(&world).await, before);
}

/// Everything that the other account can see of itself.
async fn snapshot(world: &World) -> Vec<Value> {
    let mut seen = Vec::new();
    for list in [
        "instances",
        "integrations",
        "integrations/log",
        "api-keys",
        "suppressions",
        "messages",
        "reviews",
        "policy-events",
        "usage",
        "endpoints",
        "deliveries",
        "recoveries",
        "inbound",
        "suspicions",
    ] {
        seen.push(world.get(&format!("/v1/accounts/me/{list}"), &world.other.key).await.body);
    }
    seen
}

#[tokio::test]
async fn an_id_that_cannot_be_one_is_not_found() {
    let world = World::new().await;
    for path in [
        "/v1/accounts/nobody",
        "/v1/accounts/me",
        "/v1/accounts/me/usage",
        "/v1/accounts/acc_00000000000000000000000000",
        &world.shop_path("/messages/1"),
        &world.shop_path("/instances/support"),
        &world.shop_path("/api-keys/%00"),
        &world.shop_path("/suppressions/%ff"),
    ] {
        world.get(path, &world.operator).await.is_problem(404, "not_found");
    }
}
