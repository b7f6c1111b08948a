//! Edge: what is done for every request but a send: its id, a panic caught, problems written down, and headers that keep answers safe.

use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::code::Code;
use super::problem::Problem;
use super::request_id::RequestId;
use super::state::App;

/// Answers one request through the routes behind it.
pub(super) async fn edge(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let request_id = RequestId::of(request.headers(), &**app.gateway.host());
    request.extensions_mut().insert(request_id.clone());
    let path = request.uri().path().to_owned();
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| Problem::of(Code::InternalError).into_response());
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = write_down(problem, &request_id, &path, response.headers());
    }
    put_headers(response.headers_mut(), request_id);
    response
}

/// Refuses a method that a path does not know.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::of(Code::MethodNotAllowed)
}

/// Refuses a path that nobody answers.
pub(super) async fn not_found() -> Problem {
    Problem::not_found()
}

/// The shape is the one that callers of this path know; headers set before stay, `Allow` above all.
fn write_down(problem: Problem, request_id: &RequestId, path: &str, headers: &HeaderMap) -> Response {
    let is_contract = path == "/api" || path.starts_with("/api/") || path.starts_with("/integrations/");
    let mut response =
        if is_contract { problem.into_contract_error().into_response(request_id.clone()) } else { problem.render(request_id, path) };
    for (name, value) in headers {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}

fn put_headers(headers: &mut HeaderMap, request_id: RequestId) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    request_id.put_on(headers);
}
