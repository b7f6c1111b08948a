//! What people do with an endpoint: verify, test, pause, resume, enable and disable it.

use axum::extract::State;
use axum::response::IntoResponse;
use gatepost::{Actor, Disabled, DisabledBy, Endpoint, EndpointChange, EndpointId, Pause, StoreError};

use super::accounts::created;
use super::challenge::{self, challenge, endpoints};
use super::deliveries::DeliveryShape;
use super::endpoint_shape::EndpointShape;
use super::endpoints::find;
use super::guard::{Item, OnAccount};
use super::pauses::Remark;
use crate::http::json::{Json, OptionalJson};
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;

/// Challenge an endpoint
///
/// Asks its receiver to answer with a challenge. The answer tells what came of it; once it passed, events that were held go out.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/verify", tag = "Endpoints", responses(
    (status = 200, description = "The endpoint as it is then, with what came of the challenge.", body = EndpointShape),
    (status = 409, description = "`challenge_under_way`: too many challenges of the account are under way.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn verify_endpoint(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
) -> Result<Json<EndpointShape>, Problem> {
    let endpoint = find(&app, on, id).await?;
    let (endpoint, outcome) = challenge(&app, on, endpoint).await?;
    Ok(Json(EndpointShape::of(endpoint, &app, on).challenged(Some(outcome))))
}

/// Test an endpoint
///
/// Sends the event `endpoint.test`, whatever its filter, by the way of every event.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/test", tag = "Endpoints",
    responses((status = 201, description = "The delivery, on its way.", body = DeliveryShape)))]
pub(super) async fn test_endpoint(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
) -> Result<impl IntoResponse + use<>, Problem> {
    find(&app, on, id).await?;
    let delivery = endpoints(&app, on)?.test(id).await.map_err(challenge::problem)?;
    let location = format!("/v1/accounts/{}/deliveries/{}", on.account, delivery.id);
    Ok(created(location, DeliveryShape::show(&app, on, delivery).await?))
}

/// Pause an endpoint
///
/// Its events are held until it is resumed, for thirty days at most.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/pause", tag = "Endpoints", request_body(content = Option<Remark>),
    responses((status = 200, description = "The endpoint as it is then.", body = EndpointShape)))]
pub(super) async fn pause_endpoint(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
    OptionalJson(remark): OptionalJson<Remark>,
) -> Result<Json<EndpointShape>, Problem> {
    let pause = Pause::by(on.actor(), remark.note()?, app.now());
    let change = EndpointChange { pause: Some(Some(pause)), ..EndpointChange::default() };
    apply(&app, on, id, change, Undoes { of: paused_by, why: "the operator paused it" }).await
}

/// Resume an endpoint
///
/// What was held goes out. An account cannot lift a pause that the operator made.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/resume", tag = "Endpoints",
    responses((status = 200, description = "The endpoint as it is then.", body = EndpointShape)))]
pub(super) async fn resume_endpoint(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
) -> Result<Json<EndpointShape>, Problem> {
    let change = EndpointChange { pause: Some(None), ..EndpointChange::default() };
    apply(&app, on, id, change, Undoes { of: paused_by, why: "the operator paused it, and only they can resume it" }).await
}

/// Enable an endpoint
///
/// It gets events again, those that happen from now on; a recovery sends what was skipped. An account cannot enable what the operator
/// disabled.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/enable", tag = "Endpoints",
    responses((status = 200, description = "The endpoint as it is then.", body = EndpointShape)))]
pub(super) async fn enable_endpoint(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
) -> Result<Json<EndpointShape>, Problem> {
    let change = EndpointChange { disabled: Some(None), ..EndpointChange::default() };
    apply(&app, on, id, change, Undoes { of: disabled_by, why: "the operator disabled it, and only they can enable it" }).await
}

/// Disable an endpoint
///
/// Its events are skipped until it is enabled.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/disable", tag = "Endpoints", request_body(content = Option<Remark>),
    responses((status = 200, description = "The endpoint as it is then.", body = EndpointShape)))]
pub(super) async fn disable_endpoint(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
    OptionalJson(remark): OptionalJson<Remark>,
) -> Result<Json<EndpointShape>, Problem> {
    let by = DisabledBy::Person { by: on.actor(), note: remark.note()? };
    let disabled = Disabled { since: app.now(), by };
    let change = EndpointChange { disabled: Some(Some(disabled)), ..EndpointChange::default() };
    apply(&app, on, id, change, Undoes { of: disabled_by, why: "the operator disabled it" }).await
}

/// Whose doing a change undoes, and what an account is told that may not.
#[derive(Clone, Copy)]
struct Undoes {
    of: fn(&Endpoint) -> Option<Actor>,
    why: &'static str,
}

fn paused_by(endpoint: &Endpoint) -> Option<Actor> {
    endpoint.pause.as_ref().map(|pause| pause.by)
}

fn disabled_by(endpoint: &Endpoint) -> Option<Actor> {
    match endpoint.disabled.as_ref()?.by {
        DisabledBy::Person { by, .. } => Some(by),
        DisabledBy::Failing | DisabledBy::Gone | DisabledBy::Asked | DisabledBy::Forbidden => None,
    }
}

/// Changes an endpoint. Who may do that depends on whose doing it undoes, so it is done only while that stands.
async fn apply(app: &App, on: OnAccount, id: EndpointId, change: EndpointChange, undoes: Undoes) -> Result<Json<EndpointShape>, Problem> {
    loop {
        let present = find(app, on, id).await?;
        on.refuse_undoing(app, (undoes.of)(&present), undoes.why).await?;
        let change = EndpointChange { if_revision: Some(present.revision), at: app.now(), ..change.clone() };
        match on.store(app).change_endpoint(id, change).await {
            // Somebody was faster: look again whose doing it is.
            Err(StoreError::Conflict) => {}
            changed => return shown(app, on, changed?),
        }
    }
}

fn shown(app: &App, on: OnAccount, changed: Option<Endpoint>) -> Result<Json<EndpointShape>, Problem> {
    let endpoint = changed.ok_or(Problem::not_found())?;
    let (state, reason) = (endpoint.state().as_str(), endpoint.disabled.as_ref().map(|disabled| disabled.by.as_str()));
    tracing::info!(account = %on.account, endpoint = %endpoint.id, state, reason, by = %on.actor(), "the state of an endpoint was changed");
    Ok(Json(EndpointShape::of(endpoint, app, on)))
}
