//! What must never be said: no text, phone number or key in any log line, whatever happens to a message.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "http_api/world.rs"]
#[expect(dead_code, reason = "the other tests of the HTTP side use the rest")]
mod world;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::Method;
use gatepost::Scopes;
use gatepost_memory::{Mishap, Sandbox};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
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

const TEXT: &str = "The code of the back door is 4711.";
const SECRETS: [&str; 6] = ["back door", "4711", "999501234567", "501234567", "999501234599", "kept between us"];

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
    world.exchange(with_header(world.sending("/api/send-message", |sent| *sent = body.clone()), "idempotency-key", "4711")).await;
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

#[tokio::test]
async fn no_log_line_tells_what_was_sent_to_whom_or_with_which_key() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let mut keys = use_everything(&World::new().await).await;
    let refusing = Terms { sandbox: Sandbox::new().with_mishap(Mishap::Refuse), ..Terms::default() };
    keys.extend(use_everything(&World::with(refusing).await).await);

    let log = log.text();
    for expected in ["an API key was made", "a caller failed to authenticate", "a caller was denied", "an API key stood in a URL"] {
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
