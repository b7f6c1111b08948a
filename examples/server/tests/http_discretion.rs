//! What must never be said: no text, phone number, key, signing secret, header or URL in any log line, whatever happens to a message or
//! to an event.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "http_api/receiver.rs"]
#[expect(dead_code, reason = "the other tests of the HTTP side use the rest")]
mod receiver;
#[path = "http_api/scene.rs"]
#[expect(dead_code, reason = "the other tests of the HTTP side use the rest")]
mod scene;
#[path = "http_api/world.rs"]
#[expect(dead_code, reason = "the other tests of the HTTP side use the rest")]
mod world;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use gatepost::Scopes;
use gatepost_memory::{Mishap, Sandbox};
use gatepost_server::config::Directives;
use gatepost_server::http::HttpSettings;
use gatepost_server::logging;
use gatepost_whatsapp::fake::{FakeEvolution, FakeGraph, Mishap as FakeMishap};
use receiver::{Receiver, hangs_up_once};
use scene::{ME, delivery, endpoint, text};
use serde_json::json;
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;
use world::{Terms, World, asking, id_of, message, with_header};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const TEXT: &str = "The code of the back door is 4711-0815.";
const SECRETS: [&str; 10] = [
    "back door",
    "4711-0815",
    "999501234567",
    "501234567",
    "999501234599",
    "kept between us",
    // Of endpoints: paths and queries of URLs, values of headers, what receivers answered.
    "/hooks",
    "t0ken",
    "h3ader",
    "whsec_",
];

async fn use_everything(world: &World) -> Vec<String> {
    let mut body = message();
    body["message"] = json!(TEXT);
    let send = |body: serde_json::Value| world.post("/api/send-message", &world.shop.key, body);
    send(body.clone()).await;
    let mut marketing = body.clone();
    marketing["message_purpose"] = json!("marketing");
    send(marketing).await;
    let mut wrong = body.clone();
    wrong["phone"] = json!("call 999501234567");
    send(wrong).await;
    world.exchange(with_header(world.sending("/api/send-message", |sent| *sent = body.clone()), "idempotency-key", "4711-0815")).await;
    world.post(&world.shop_path("/decisions/explain"), &world.shop.key, body.clone()).await;
    let suppression = json!({"phone": "+999501234599", "cause": "legal", "note": "kept between us"});
    let added = world.post(&world.shop_path("/suppressions"), &world.shop.key, suppression).await.body;
    let one = world.shop_path(&format!("/suppressions/{}", added["id"].as_str().unwrap()));
    world.ask(Method::DELETE, &one, &world.shop.key, None).await.is_problem(403, "insufficient_scope");
    world.ask(Method::DELETE, &one, &world.operator, None).await;
    world.post(&world.shop_path("/pause"), &world.operator, json!({"note": "kept between us"})).await;
    world.exchange(asking(Method::GET, &format!("/v1/accounts?api_key={}", world.shop.key), "", None)).await;
    let made = world.post(&world.shop_path("/api-keys"), &world.operator, json!({"name": "x", "scopes": ["messages:send"]})).await.body;
    let weak = world.key_with([]).await;
    world.get(&world.shop_path("/messages"), &weak).await.is_problem(403, "insufficient_scope");
    let revoked = world.key_with(Scopes::all().iter()).await;
    world.ask(Method::DELETE, &world.shop_path(&format!("/api-keys/{}", id_of(&revoked))), &world.operator, None).await;
    world.post("/api/send-message", &revoked, body).await.is_contract_error(401, "revoked_api_key");
    let made = made["api_key"].as_str().unwrap().to_owned();
    vec![made, weak, revoked, world.shop.key.clone(), world.operator.clone()]
}

/// Has an endpoint live its whole life; its signing secrets.
async fn use_an_endpoint(world: &World) -> Vec<String> {
    let (mut receiver, mut elsewhere) = (Receiver::start().await, Receiver::start().await);
    receiver.pass_challenges(false);
    let headers = json!({"authorization": "Bearer h3ader-value"});
    let made = world.add_endpoint_with(json!({"url": receiver.url(), "events": ["message.sent"], "headers": headers})).await;
    receiver.pass_challenges(true);
    world.act(&endpoint(&made, "/verify")).await;
    let refused = json!({"url": "https://10.47.11.1/hooks/t0ken", "events": ["*"]});
    world.post(&format!("{ME}/endpoints"), &world.shop.key, refused).await.is_problem_of("url");
    let rotated = world.act(&endpoint(&made, "/secret/rotate")).await;
    world.act(&endpoint(&made, "/secret/switch")).await;

    let mut body = message();
    body["message"] = json!(TEXT);
    receiver.answer_next(500, &[], "t0ken of the receiver");
    receiver.answer_next(410, &[], "t0ken of the receiver");
    world.post("/api/send-message", &world.shop.key, body).await;
    receiver.next().await;
    let [failed] = &world.deliveries("").await[..] else { panic!("one delivery") };
    world.until(&delivery(failed, ""), |seen| seen["status"] == "queued" && seen["tries"] == 1).await;
    world.pass(Duration::from_secs(6)).await;
    receiver.next().await;
    world.ended(failed).await;

    world.act(&endpoint(&made, "/enable")).await;
    world.act(&endpoint(&made, "/pause")).await;
    world.act(&endpoint(&made, "/resume")).await;
    world.did(Method::PATCH, &endpoint(&made, ""), Some(json!({"url": elsewhere.url()}))).await;
    let again = json!({"reason": "kept between us", "to_changed_url": true});
    world.did(Method::POST, &delivery(failed, "/replay"), Some(again)).await;
    elsewhere.next().await;
    let since = json!({"since": "2026-01-01T00:00:00Z", "reason": "kept between us"});
    let recovery = world.did(Method::POST, &endpoint(&made, "/recoveries"), Some(since)).await;
    world.act(&format!("{ME}/recoveries/{}/cancel", text(&recovery, "id"))).await;
    world.did(Method::DELETE, &endpoint(&made, ""), None).await;
    use_a_stale_connection(world).await;
    [made, rotated].iter().map(|made| text(made, "secret").trim_start_matches("whsec_").to_owned()).collect()
}

/// Has an event sent once more over a new connection.
async fn use_a_stale_connection(world: &World) {
    let body = json!({"url": hangs_up_once() + "hooks", "events": ["message.sent"], "verify": false});
    world.done(Method::POST, &world.shop_path("/endpoints"), Some(body)).await;
    for _ in 0..2 {
        world.host.advance(Duration::from_millis(1));
        world.post("/api/send-message", &world.shop.key, message()).await;
        world.ended(&world.deliveries("").await[0]).await;
    }
}

/// Has instances of both providers live their whole lives; what they were given, and what links a phone.
async fn use_the_providers() -> Vec<&'static str> {
    const GIVEN: [&str; 6] =
        ["EAAJ-s3aled-token", "s3aled-app-secret", "s3aled-newer-app-secret", "s3aled-verify-token", "s3aled-api-key", "s3aled-jwt-key"];
    let [token, app_secret, newer, verify_token, api_key, jwt_key] = GIVEN;
    let (graph, evolution) = (FakeGraph::start("8007", "9001").unwrap(), FakeEvolution::start("front-desk", api_key).unwrap());
    let terms = Terms { graph_url: Some(graph.url()), send_timeout: Duration::from_secs(20), ..Terms::default() };
    let settings = HttpSettings { public_url: Some("https://gateway.example.com".to_owned()), ..terms.settings };
    let world = World::with(Terms { settings, ..terms }).await;
    let instances = format!("{ME}/instances");
    let cloud = json!({"phone_number_id": "8007", "waba_id": "9001", "access_token": token, "app_secret": app_secret, "verify_token": verify_token});
    let cloud = world.did(Method::POST, &instances, Some(json!({"name": "cloud", "provider": "cloud_api", "cloud_api": cloud}))).await;
    let given = json!({"base_url": evolution.url(), "instance_name": "front-desk", "api_key": api_key, "jwt_key": jwt_key});
    let desk = world.did(Method::POST, &instances, Some(json!({"name": "desk", "provider": "evolution", "evolution": given}))).await;
    let path = |made: &serde_json::Value, rest: &str| format!("{instances}/{}{rest}", text(made, "id"));
    world.did(Method::POST, &path(&cloud, "/app-secret/rotate"), Some(json!({"app_secret": newer}))).await;
    for token in [verify_token, "another"] {
        let query = format!("hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}");
        let asked = Request::builder().uri(format!("/providers/whatsapp/{}?{query}", text(&cloud, "id"))).body(Body::empty()).unwrap();
        world.router.clone().oneshot(asked).await.unwrap();
    }
    world.act(&path(&desk, "/provision")).await;
    world.act(&path(&desk, "/connect")).await;
    evolution.set_state("open");
    world.did(Method::GET, &path(&desk, "/connection"), None).await;
    for code in [131_026, 190, 131_031] {
        evolution.misbehave(FakeMishap::Code(code));
        world.send(|message| (message["instance_id"], message["message"]) = (json!("desk"), json!(TEXT))).await;
    }
    let refused = json!({"cloud_api": {"access_token": "s3aled-token with a space", "app_secret": 4711}});
    world.ask(Method::PATCH, &path(&cloud, ""), &world.shop.key, Some(refused)).await.is_problem_of("cloud_api.app_secret");
    GIVEN.into_iter().chain(["s3aled", "FAKE1234", "2@fake"]).collect()
}

const SAID: [&str; 19] = [
    "an instance was made",
    "an app secret was rotated",
    "an instance is being linked",
    "a handshake was refused",
    "a provider refused a message",
    "an API key was made",
    "a caller failed to authenticate",
    "a caller was denied",
    "an API key stood in a URL",
    "an endpoint was made",
    "an endpoint was changed",
    "a receiver did not pass its challenge",
    "an endpoint was verified",
    "an endpoint was disabled",
    "a signing secret was rotated",
    "an event is delivered once more",
    "a recovery was started",
    "an endpoint was removed",
    "a kept connection was stale",
];

#[tokio::test]
async fn no_log_line_tells_what_was_sent_to_whom_or_with_which_key() {
    let log = Log::default();
    // With the words of the libraries, as the server has them.
    let everything = Directives::try_from("trace".to_owned()).unwrap();
    let subscriber = tracing_subscriber::fmt().with_env_filter(logging::filter(&everything)).with_ansi(false).with_writer(log.clone());
    // A time may look like anything.
    subscriber.without_time().finish().try_init().unwrap();

    let signing_secrets = use_an_endpoint(&World::new().await).await;
    let given = use_the_providers().await;
    let mut keys = use_everything(&World::new().await).await;
    let refusing = Terms { sandbox: Sandbox::new().with_mishap(Mishap::Refuse), ..Terms::default() };
    keys.extend(use_everything(&World::with(refusing).await).await);

    let log = log.text();
    for secret in signing_secrets {
        assert!(!log.contains(&secret), "{log}");
    }
    for secret in given {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    for expected in SAID {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    for key in keys {
        let secret = &key.rsplit('_').next().unwrap()[12..];
        assert!(!log.contains(secret), "{key}: {log}");
    }
}

#[tokio::test]
async fn what_requests_stand_on_shows_no_secret_when_it_is_printed() {
    let world = World::new().await;
    let shown = format!("{:?}", world.app);
    assert!(shown.starts_with("App"), "{shown}");
    assert!(!shown.contains(&world.shop.key) && !shown.contains("[7, 7"), "{shown}");
}
