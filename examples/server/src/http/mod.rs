//! HTTP: what the gateway looks like from outside.
//!
//! The players: [`App`] (what every request stands on), [`Identity`] (who calls), [`KeyCache`] (how that is known so quickly),
//! `send` (the public contract's route, and the hot path), `v1` (the gateway's own API: one table of routes with who may use each),
//! `edge` (what is done for every other request), [`openapi()`] (the document, made from the same routes).

mod auth;
mod body;
mod client;
mod code;
mod complaint;
mod contract_error;
mod draft;
mod edge;
mod event_schemas;
mod failures;
mod health;
mod identity;
mod json;
mod keys;
mod openapi;
mod paging;
mod places;
mod problem;
mod problems;
mod provider_routes;
mod rate_headers;
mod request_id;
mod send;
mod standing;
mod state;
mod threecx;
mod v1;
mod words;

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use tower::ServiceExt;

pub use identity::Identity;
pub use keys::{CheckError, KeyCache};
pub use places::CHALLENGES_MAX;
pub use state::{App, HttpSettings, Shared};
pub use threecx::file_path;

/// Everything: the contract's route, `/v1`, health, and the document that describes them.
pub fn router(app: App) -> Router {
    let edge = from_fn_with_state(app.clone(), edge::edge);
    let routes = v1::routes().into_iter().fold(openapi::open_routes(), |router, route| router.routes(route.guarded(&app)));
    let (routes, _) = routes.split_for_parts();
    let routes = routes
        .route("/openapi.json", get(document))
        .fallback(edge::not_found)
        .method_not_allowed_fallback(edge::method_not_allowed)
        .layer(edge.clone());
    // No layer around the hot path itself, only around the other methods of its path.
    let others = MethodRouter::new().fallback(edge::method_not_allowed).layer(edge);
    routes.route(send::PATH, post(send::send).merge(others)).with_state(app)
}

/// The [`router`] with the hot path before it: a send needs nothing of what a router finds out about a request.
#[derive(Clone)]
pub struct Surface {
    app: App,
    router: Router,
}

impl Surface {
    /// What `app` looks like from outside.
    pub fn new(app: App) -> Self {
        Self { router: router(app.clone()), app }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response {
        if request.method() == Method::POST && request.uri().path() == send::PATH {
            return send::send(State(self.app.clone()), request).await;
        }
        self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
    }
}

/// The OpenAPI 3.1 document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi::document()
}

async fn document() -> impl IntoResponse {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| serde_json::to_string(&openapi()).unwrap_or_default());
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "max-age=300")], DOCUMENT.as_str())
}
