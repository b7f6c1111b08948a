//! Destinations: the policy that says where events may go.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::state::App;

/// Where events may go.
#[derive(Serialize, ToSchema)]
#[schema(as = DestinationPolicy)]
pub(super) struct PolicyShape {
    /// What is permitted, for people.
    #[schema(
        example = "https; names and addresses; IPv4 and IPv6; ports 443, 8443; allow none; deny none; nat64 none; registries of 2025-10-09"
    )]
    policy: String,
    /// A number that changes with the policy; a text, as it is larger than what some readers of JSON can hold.
    #[schema(example = "14074904626401341155")]
    generation: String,
    /// What was allowed, and stays closed nevertheless.
    warnings: Vec<String>,
}

/// Read the destination policy
#[utoipa::path(get, path = "/v1/destinations/policy", tag = "Endpoints", responses((status = 200, description = "The policy in force.", body = PolicyShape)))]
pub(super) async fn get_destination_policy(State(app): State<App>) -> Result<Json<PolicyShape>, Problem> {
    let policy = &app.settings.destinations;
    let shape = PolicyShape { policy: policy.to_string(), generation: policy.generation().to_string(), warnings: policy.warnings() };
    Ok(Json(shape))
}
