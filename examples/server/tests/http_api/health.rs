//! Health, and what every answer has.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use crate::broken::{Broken, Fault};
use crate::world::{Terms, World, with_header};

#[tokio::test]
async fn the_smoke_test_says_that_it_is_gatepost() {
    let world = World::new().await;
    let answer = world.get("/", "").await;
    assert_eq!((answer.status.as_u16(), answer.body.clone()), (200, json!({"service": "gatepost", "status": "ok"})));
    assert!(answer.header("x-request-id").starts_with("req_"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_gateway_whose_worker_turns_is_ready() {
    let world = World::new().await;
    for path in ["/livez", "/readyz", "/healthz"] {
        assert_eq!(world.get(path, "").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_silent_worker_makes_it_unready_but_not_dead() {
    let world = World::new().await;
    world.host.advance(Duration::from_secs(11));
    assert_eq!(world.get("/livez", "").await.status, 200);
    world.get("/readyz", "").await.is_problem(503, "unavailable");
    world.app.heartbeat();
    assert_eq!(world.get("/readyz", "").await.status, 200);
}

#[tokio::test]
async fn a_gateway_that_is_about_to_stop_is_not_ready_but_alive() {
    let world = World::new().await;
    world.app.drain();
    for path in ["/readyz", "/healthz"] {
        world.get(path, "").await.is_problem(503, "unavailable");
    }
    assert_eq!(world.get("/livez", "").await.status, 200);
}

#[tokio::test]
async fn a_store_that_cannot_write_makes_it_unready() {
    let world = World::with(Terms { store: Broken::by(Fault::Fail), has_worker: false, ..Terms::default() }).await;
    let answer = world.get("/healthz", "").await;
    answer.is_problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn a_panic_is_a_problem_and_not_the_end() {
    let world = World::with(Terms { store: Broken::by(Fault::Panic), has_worker: false, ..Terms::default() }).await;
    world.get("/v1/accounts", &world.operator).await.is_problem(500, "internal_error");
    assert_eq!(world.get("/livez", "").await.status, 200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_with_a_request_id() {
    let world = World::new().await;
    let answer = world.exchange(with_header(crate::world::asking(Method::GET, "/v2", "", None), "x-request-id", "abc")).await;
    assert_eq!(answer.is_problem(404, "not_found")["request_id"], "abc");
    let answer = world.ask(Method::PUT, "/v1/accounts", &world.operator, None).await;
    answer.is_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST,GET,HEAD");
}
