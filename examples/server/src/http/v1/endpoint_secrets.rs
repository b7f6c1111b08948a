//! Secrets of an endpoint: rotated, switched, and joined by a key of Ed25519. A secret is shown when it is made, and never again.

use axum::extract::State;
use gatepost::{EndpointId, Overlap};
use serde::Deserialize;
use utoipa::ToSchema;

use super::challenge::{endpoints, problem};
use super::endpoint_shape::{EndpointShape, NewEndpointShape};
use super::endpoints::find;
use super::guard::{Item, OnAccount};
use crate::http::json::{Json, OptionalJson};
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;

/// How a signing secret is rotated.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"overlap_seconds": 3600}))]
pub(super) struct RotateSecret {
    /// How long the former secrets go on signing, up to seven days: a day where nothing is said. 0 ends them at once.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 604_800, default = 86_400)]
    overlap_seconds: Option<u64>,
}

/// Whether a key signs too.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ed25519": true}))]
pub(super) struct ChangeSigningKey {
    /// Whether events are signed with an Ed25519 key too. For another key, say `false` and then `true`.
    ed25519: bool,
}

/// Rotate the signing secret
///
/// The answer shows the new secret, this one time. During the overlap `webhook-signature` carries a signature of every live secret, and
/// `X-WhatsApp-Gateway-Signature` that of the oldest, until that ends or the switch is called.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/secret/rotate", tag = "Endpoints",
    request_body(content = Option<RotateSecret>), responses(
    (status = 200, description = "The endpoint, with its new secret.", body = NewEndpointShape),
    (status = 409, description = "`too_many_secrets`: four former secrets still sign.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn rotate_secret(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
    OptionalJson(asked): OptionalJson<RotateSecret>,
) -> Result<Json<NewEndpointShape>, Problem> {
    let overlap = asked.overlap_seconds.map_or(Ok(Overlap::default()), Overlap::from_seconds);
    let overlap = overlap.map_err(|error| Problem::of_field("overlap_seconds", error.to_string()))?;
    find(&app, on, id).await?;
    let rotated = endpoints(&app, on)?.rotate(id, overlap).await.map_err(problem)?;
    let overlap_seconds = overlap.as_seconds();
    tracing::info!(account = %on.account, endpoint = %id, overlap_seconds, by = %on.actor(), "a signing secret was rotated");
    Ok(Json(EndpointShape::of(rotated.endpoint, &app, on).revealing(&rotated.secret)))
}

/// Switch to the new signing secret
///
/// From now on it signs `X-WhatsApp-Gateway-Signature`. The former ones go on signing `webhook-signature` until they end.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/secret/switch", tag = "Endpoints",
    responses((status = 200, description = "The endpoint.", body = EndpointShape)))]
pub(super) async fn switch_secret(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
) -> Result<Json<EndpointShape>, Problem> {
    find(&app, on, id).await?;
    let endpoint = endpoints(&app, on)?.switch(id).await.map_err(problem)?;
    tracing::info!(account = %on.account, endpoint = %id, by = %on.actor(), "an endpoint was switched to its new signing secret");
    Ok(Json(EndpointShape::of(endpoint, &app, on)))
}

/// Sign with a key, or no longer
///
/// Adds a signature of an Ed25519 key (`v1a`) to `webhook-signature`, which whoever has the public half can check.
#[utoipa::path(put, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/signing-key", tag = "Endpoints",
    responses((status = 200, description = "The endpoint, with its public key.", body = EndpointShape)))]
pub(super) async fn change_signing_key(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
    Json(asked): Json<ChangeSigningKey>,
) -> Result<Json<EndpointShape>, Problem> {
    let (endpoints, endpoint) = (endpoints(&app, on)?, find(&app, on, id).await?);
    // Asked twice, it is the same key.
    if endpoints.signing(&endpoint).map_err(problem)?.verifying_key.is_some() == asked.ed25519 {
        return Ok(Json(EndpointShape::of(endpoint, &app, on)));
    }
    let endpoint = endpoints.sign_with_key(id, asked.ed25519).await.map_err(problem)?;
    let ed25519 = asked.ed25519;
    tracing::info!(account = %on.account, endpoint = %id, ed25519, by = %on.actor(), "the signing key of an endpoint was changed");
    Ok(Json(EndpointShape::of(endpoint, &app, on)))
}
