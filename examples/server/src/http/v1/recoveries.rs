//! Recoveries: jobs that deliver again what an endpoint did not take since a time.

use std::slice;

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{EndpointId, EndpointState, Recovery, RecoveryFilter, RecoveryId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::created;
use super::challenge::{endpoints, problem};
use super::deliveries::may_redirect_history;
use super::endpoints::{find as find_endpoint, may_see_history};
use super::guard::{Item, OnAccount};
use super::pauses::{hide_remarks, remark};
use crate::http::code::Code;
use crate::http::json::{Json, Params};
use crate::http::paging::{List, PageSize, Paging};
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;
use crate::http::words::Time;

/// A job that delivers again what an endpoint did not take.
#[derive(Serialize, ToSchema)]
#[schema(as = Recovery)]
pub(super) struct RecoveryShape {
    /// Its id.
    #[schema(value_type = String, example = "rcv_01kanqh5s0e8t9v2xw3yz4abcd")]
    id: RecoveryId,
    /// Whose deliveries.
    #[schema(value_type = String, example = "ep_01kanqh5s0e8t9v2xw3yz4abcd")]
    endpoint_id: EndpointId,
    /// `running`, `done` or `canceled`. It goes on after a restart.
    #[schema(value_type = String, example = "running")]
    state: &'static str,
    /// Deliveries that were written since then,
    since: Time,
    /// and before then: when it was asked for.
    until: Time,
    /// Who asked: `app`, or `key:` and the id of a key.
    #[schema(example = "key:0aZ3kQ9fLm2X")]
    by: String,
    /// Why; an operator's reason is shown to operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether they may go to a URL that the endpoint got after the event.
    to_changed_url: bool,
    /// How many are delivered again.
    queued: u64,
    /// How many were left: their events are forgotten, or older than the endpoint's URL.
    left: u64,
    /// When it came to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<Time>,
    /// When somebody canceled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    canceled_at: Option<Time>,
}

/// A recovery to start.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"since": "2026-11-21T00:00:00Z", "reason": "the receiver was down"}))]
pub(super) struct StartRecovery {
    /// Deliveries since then that failed, were blocked or were skipped.
    since: Time,
    /// Why, for people: at most 500 characters. Required with `to_changed_url`.
    #[serde(default)]
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Whether they may go to a URL that the endpoint got after the event. It takes the scope `logs:read` too.
    #[serde(default)]
    to_changed_url: bool,
}

/// Which part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RecoveryQuery {
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// Start a recovery
///
/// Delivers again whatever failed, was blocked or was skipped since a time, bit by bit, beside what is new.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}/recoveries", tag = "Deliveries", responses(
    (status = 201, description = "The recovery.", body = RecoveryShape),
    (status = 409, description = "`recovery_under_way`: the endpoint has one that is not over. `endpoint_disabled`: enable it first.",
        body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn start_recovery(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
    Json(asked): Json<StartRecovery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let reason = remark("reason", asked.reason)?;
    let (since, to_changed_url) = (asked.since.0, asked.to_changed_url);
    may_redirect_history(on, to_changed_url, reason.as_deref())?;
    if since > app.now() {
        return Err(Problem::of_field("since", "expected a time in the past"));
    }
    if find_endpoint(&app, on, id).await?.state() == EndpointState::Disabled {
        return Err(Problem::of(Code::EndpointDisabled));
    }
    let begun = endpoints(&app, on)?.recover(id, since, on.actor(), reason, to_changed_url).await.map_err(problem)?;
    let recovery = begun.ok_or(Problem::of(Code::RecoveryUnderWay))?;
    tracing::info!(account = %on.account, endpoint = %id, recovery = %recovery.id, %since, to_changed_url, by = %on.actor(), "a recovery was started");
    let location = format!("/v1/accounts/{}/recoveries/{}", on.account, recovery.id);
    Ok(created(location, RecoveryShape::of(recovery)))
}

/// List recoveries
#[utoipa::path(get, path = "/v1/accounts/{account_id}/recoveries", tag = "Deliveries", params(RecoveryQuery),
    responses((status = 200, description = "Recoveries, newest first.", body = List<RecoveryShape>)))]
pub(super) async fn list_recoveries(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<RecoveryQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let filter = RecoveryFilter { for_operator: on.is_operator() };
    let mut recoveries = on.store(&app).recoveries(filter, paging.page()).await?;
    hide_reasons(&app, on, &mut recoveries).await?;
    Ok(paging.list(recoveries, |recovery| recovery.id, RecoveryShape::of).linked(&uri))
}

/// Read a recovery
#[utoipa::path(get, path = "/v1/accounts/{account_id}/recoveries/{recovery_id}", tag = "Deliveries",
    responses((status = 200, description = "The recovery.", body = RecoveryShape)))]
pub(super) async fn get_recovery(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<RecoveryId>,
) -> Result<Json<RecoveryShape>, Problem> {
    let recovery = find(&app, on, id).await?;
    shown(&app, on, recovery).await
}

/// Cancel a recovery
///
/// What it has queued already goes out. One that is over stays as it is.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/recoveries/{recovery_id}/cancel", tag = "Deliveries",
    responses((status = 200, description = "The recovery as it is then.", body = RecoveryShape)))]
pub(super) async fn cancel_recovery(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<RecoveryId>,
) -> Result<Json<RecoveryShape>, Problem> {
    find(&app, on, id).await?;
    let recovery = on.store(&app).cancel_recovery(id, app.now()).await?.ok_or(Problem::not_found())?;
    tracing::info!(account = %on.account, recovery = %id, by = %on.actor(), "a recovery was canceled");
    shown(&app, on, recovery).await
}

/// A recovery of an endpoint that the caller may know of.
async fn find(app: &App, on: OnAccount, id: RecoveryId) -> Result<Recovery, Problem> {
    let recovery = on.store(app).recovery(id).await?.ok_or(Problem::not_found())?;
    may_see_history(app, on, recovery.endpoint).await?;
    Ok(recovery)
}

async fn shown(app: &App, on: OnAccount, mut recovery: Recovery) -> Result<Json<RecoveryShape>, Problem> {
    hide_reasons(app, on, slice::from_mut(&mut recovery)).await?;
    Ok(Json(RecoveryShape::of(recovery)))
}

async fn hide_reasons(app: &App, on: OnAccount, recoveries: &mut [Recovery]) -> Result<(), Problem> {
    hide_remarks(app, on, recoveries.iter_mut().map(|recovery| (recovery.by, &mut recovery.reason))).await
}

impl RecoveryShape {
    fn of(recovery: Recovery) -> Self {
        let progress = recovery.progress;
        let state = match (progress.canceled_at, progress.done_at) {
            (Some(_), _) => "canceled",
            (None, Some(_)) => "done",
            (None, None) => "running",
        };
        Self {
            id: recovery.id,
            endpoint_id: recovery.endpoint,
            state,
            since: recovery.since.into(),
            until: recovery.until.into(),
            by: recovery.by.to_string(),
            reason: recovery.reason,
            to_changed_url: recovery.to_changed_url,
            queued: progress.queued,
            left: progress.left,
            done_at: progress.done_at.map(Time::from),
            canceled_at: progress.canceled_at.map(Time::from),
        }
    }
}
