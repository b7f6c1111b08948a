//! Keys at the door: how long they are believed, from where, and when they were last used.

use std::time::Duration;

use axum::http::Method;
use gatepost::{Host, KeyTerms, Mode, PresentedKey, Scopes};
use gatepost_server::http::{CheckError, HttpSettings, Identity};
use serde_json::json;

use crate::world::{Terms, World, asking, from, id_of, key_terms, with_header};

#[tokio::test]
async fn a_revocation_holds_within_a_second() {
    let world = World::new().await;
    let messages = "/v1/accounts/me/messages";
    assert_eq!(world.get(messages, &world.shop.key).await.status, 200);
    world.store.account(world.shop.id).revoke_key(id_of(&world.shop.key), world.host.now()).await.unwrap();
    assert_eq!(world.get(messages, &world.shop.key).await.status, 200);
    world.host.advance(Duration::from_secs(1));
    world.get(messages, &world.shop.key).await.is_problem(401, "invalid_api_key");
}

#[tokio::test]
async fn a_revocation_made_here_holds_at_once() {
    let world = World::new().await;
    let key = world.key_with(Scopes::all().iter()).await;
    assert_eq!(world.get("/v1/accounts/me/usage", &key).await.status, 200);
    world.done(Method::DELETE, &world.shop_path(&format!("/api-keys/{}", id_of(&key))), None).await;
    world.get("/v1/accounts/me/usage", &key).await.is_problem(401, "invalid_api_key");
}

#[tokio::test]
async fn an_expiry_holds_at_once() {
    let world = World::new().await;
    let terms = KeyTerms { expires_at: Some(world.host.now().plus(Duration::from_millis(500))), ..key_terms(Scopes::all()) };
    let key = world.key_on(Mode::Live, terms).await;
    assert_eq!(world.get("/v1/accounts/me/usage", &key).await.status, 200);
    world.host.advance(Duration::from_millis(500));
    world.get("/v1/accounts/me/usage", &key).await.is_problem(401, "invalid_api_key");
}

#[tokio::test]
async fn one_401_for_every_key_that_is_not_accepted() {
    let world = World::new().await;
    let revoked = world.key_with(Scopes::all().iter()).await;
    world.done(Method::DELETE, &world.shop_path(&format!("/api-keys/{}", id_of(&revoked))), None).await;
    let mut bodies = Vec::new();
    for key in ["", "junk", &revoked] {
        let request = with_header(asking(Method::GET, "/v1/accounts", key, None), "x-request-id", "same");
        let answer = world.exchange(request).await;
        answer.is_problem(401, "invalid_api_key");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        bodies.push(answer.body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn a_key_in_the_url_is_refused_before_it_is_tried() {
    let world = World::new().await;
    let path = format!("/v1/accounts/me/usage?access_token={}", world.shop.key);
    world.get(&path, &world.shop.key).await.is_problem(400, "api_key_in_url");
}

#[tokio::test]
async fn a_key_may_be_used_from_its_networks_only() {
    let settings = HttpSettings { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..HttpSettings::default() };
    let world = World::with(Terms { settings, ..Terms::default() }).await;
    let terms = KeyTerms { allowed_from: vec!["203.0.113.0/24".parse().unwrap()], ..key_terms(Scopes::all()) };
    let key = world.key_on(Mode::Live, terms).await;
    let asked = || asking(Method::GET, "/v1/accounts/me/usage", &key, None);
    let forwarded = |request, hops| with_header(request, "x-forwarded-for", hops);
    for (request, status) in [
        (asked(), 401),
        (from(asked(), "198.51.100.1"), 401),
        (from(asked(), "203.0.113.9"), 200),
        (from(forwarded(asked(), "203.0.113.9"), "198.51.100.1"), 401),
        (from(forwarded(asked(), "203.0.113.9"), "10.0.0.1"), 200),
        (from(forwarded(asked(), "203.0.113.9, 198.51.100.1"), "10.0.0.1"), 401),
    ] {
        assert_eq!(world.exchange(request).await.status, status);
    }
}

#[tokio::test]
async fn the_last_use_is_written_down_when_it_is_flushed() {
    let world = World::new().await;
    assert_eq!(world.get("/v1/accounts/me/usage", &world.shop.key).await.status, 200);
    assert_eq!(world.row(&world.shop.key).await.last_used_at, None);
    world.app.flush_last_used().await.unwrap();
    assert_eq!(world.row(&world.shop.key).await.last_used_at, Some(world.host.now()));
    let path = world.shop_path(&format!("/api-keys/{}", id_of(&world.shop.key)));
    assert_eq!(world.get(&path, &world.operator).await.body["last_used_at"], world.host.now().to_string());
    world.get("/v1/accounts/me/usage", "junk").await.is_problem(401, "invalid_api_key");
    world.app.flush_last_used().await.unwrap();
    assert_eq!(world.row(&world.other.key).await.last_used_at, None);
}

#[tokio::test]
async fn a_cached_key_is_checked_as_strictly_as_one_that_is_looked_up() {
    let world = World::new().await;
    let presented = PresentedKey::parse(&world.shop.key, &world.app.brand).unwrap();
    let (id, other) = (presented.id, world.key_with([]).await);
    for _ in 0..2 {
        let identity = world.app.keys.check(&presented, None, world.host.now()).await.unwrap();
        assert!(matches!(identity, Identity::Account { account, key, .. } if account == world.shop.id && key == id));
    }
    // Another secret under the same id: the checksum is right, the digest is not.
    let head = world.shop.key.rsplit_once('_').unwrap().0;
    let forged = forge(&format!("{head}_{id}{}", &other.rsplit('_').next().unwrap()[12..55]));
    let presented = PresentedKey::parse(&forged, &world.app.brand).unwrap();
    let refused = world.app.keys.check(&presented, None, world.host.now()).await;
    assert_eq!(refused, Err(CheckError::Refused(gatepost::KeyRefusal::Unknown)));
}

/// The text with the checksum that makes it a key: CRC-32 (IEEE) in base 62.
fn forge(text: &str) -> String {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = !crc;
    let mut checksum = [0; 6];
    for digit in checksum.iter_mut().rev() {
        *digit = digits[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{text}{}", std::str::from_utf8(&checksum).unwrap())
}

#[tokio::test]
async fn what_this_process_asks_as_the_operator_needs_no_key() {
    let world = World::new().await;
    let mut request = asking(Method::POST, "/v1/accounts", "", Some(json!({"name": "Bakery"})));
    request.extensions_mut().insert(Identity::Operator { key: None });
    let answer = world.exchange(request).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}
