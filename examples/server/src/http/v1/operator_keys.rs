//! Operator keys: who may run the gateway.

use axum::extract::State;
use gatepost::{KeyId, KeyOwner, KeyTerms, LIFETIME_DEFAULT, Name, Scopes};
use ipnet::IpNet;
use serde::Deserialize;
use utoipa::ToSchema;

use super::guard::{Caller, Item};
use super::key_shape::{self, Expiry, KeyShape, NewKeyShape, Revealed};
use crate::http::json::Json;
use crate::http::paging::List;
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::Time;

/// An operator key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "on-call"}))]
pub(super) struct CreateOperatorKey {
    /// What people call it: 1 to 100 characters.
    #[schema(value_type = String, max_length = 100)]
    name: Name,
    /// The networks it may be used from, at most 50; from anywhere where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    allowed_from: Option<Vec<IpNet>>,
    /// When it ends by itself: in 365 days where nothing is said, never where it is `null`.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    expires_at: Expiry,
}

/// Make an operator key
///
/// The answer shows the key, this one time.
#[utoipa::path(post, path = "/v1/operator-keys", tag = "Operator keys", responses((status = 201, description = "The key.", body = NewKeyShape)))]
pub(super) async fn create_operator_key(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(asked): Json<CreateOperatorKey>,
) -> Result<Revealed, Problem> {
    let expires_at = match asked.expires_at {
        Expiry::Unsaid => Some(app.now().plus(LIFETIME_DEFAULT)),
        Expiry::Never => None,
        Expiry::At(at) => Some(key_shape::in_future(at, &app)?),
    };
    let allowed_from = key_shape::nets(asked.allowed_from)?.unwrap_or_default();
    let terms = KeyTerms { name: asked.name, scopes: Scopes::all(), allowed_from, expires_at };
    let (key, row) = key_shape::make(&app, KeyOwner::Operator, terms);
    app.gateway.store().operator().add_key(row.clone()).await?;
    tracing::info!(key = %key.id, by = %caller.actor(), "an operator key was made");
    Ok(Revealed::new(&key, row, format!("/v1/operator-keys/{}", key.id), &app))
}

/// List operator keys
#[utoipa::path(get, path = "/v1/operator-keys", tag = "Operator keys",
    responses((status = 200, description = "All operator keys, newest first.", body = List<KeyShape>)))]
pub(super) async fn list_operator_keys(State(app): State<App>) -> Result<Json<List<KeyShape>>, Problem> {
    let keys = app.gateway.store().operator().keys().await?;
    Ok(Json(List::whole(keys.into_iter().map(|key| KeyShape::of(key, &app)).collect())))
}

/// Revoke an operator key
#[utoipa::path(delete, path = "/v1/operator-keys/{key_id}", tag = "Operator keys",
    responses((status = 200, description = "The key as it is then.", body = KeyShape)))]
pub(super) async fn revoke_operator_key(
    State(app): State<App>,
    Caller(caller): Caller,
    Item(id): Item<KeyId>,
) -> Result<Json<KeyShape>, Problem> {
    let key = app.gateway.store().operator().revoke_key(id, app.now()).await?.ok_or(Problem::not_found())?;
    app.keys.forget(id);
    tracing::info!(key = %id, by = %caller.actor(), "an operator key was revoked");
    Ok(Json(KeyShape::of(key, &app)))
}
