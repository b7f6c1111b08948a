//! Health: whether the process lives, and whether it can do its work.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::json::Json;
use super::problem::Problem;
use super::state::App;

/// That the gateway answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `gatepost`.
    #[schema(value_type = String, example = "gatepost")]
    service: &'static str,
    /// Always `ok`.
    #[schema(value_type = String, example = "ok")]
    status: &'static str,
}

const OK: Json<Health> = Json(Health { service: "gatepost", status: "ok" });

/// Smoke test
///
/// Says that the gateway can be reached.
#[utoipa::path(get, path = "/", tag = "Health", operation_id = "smoke_test", responses((status = 200, description = "It answers.", body = Health)))]
pub(super) async fn root() -> Json<Health> {
    OK
}

/// Liveness
///
/// Says that the process runs; it asks nothing else.
#[utoipa::path(get, path = "/livez", tag = "Health", operation_id = "liveness", responses((status = 200, description = "It runs.", body = Health)))]
pub(super) async fn livez() -> Json<Health> {
    OK
}

/// Readiness
///
/// Says whether the store can be written to and the worker turns, and the gateway is not about to stop.
#[utoipa::path(get, path = "/readyz", tag = "Health", operation_id = "readiness", responses((status = 200, description = "It is ready.", body = Health)))]
pub(super) async fn readyz(State(app): State<App>) -> Result<Json<Health>, Problem> {
    if app.is_draining() {
        return Err(Problem::of(Code::Unavailable).saying("the gateway is about to stop"));
    }
    app.gateway.store().probe().await?;
    if app.is_worker_alive() { Ok(OK) } else { Err(Problem::of(Code::Unavailable).saying("the worker is silent")) }
}

/// Readiness, under its older name
///
/// The same as `/readyz`.
#[utoipa::path(get, path = "/healthz", tag = "Health", operation_id = "health", responses((status = 200, description = "It is ready.", body = Health)))]
pub(super) async fn healthz(state: State<App>) -> Result<Json<Health>, Problem> {
    readyz(state).await
}
