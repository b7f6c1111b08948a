//! Deliveries of events: the customer webhook log, and events sent once more.
//!
//! An account sees when an attempt was made and how it ended. Which address answered, and what, is for who runs the gateway: it would let
//! a customer look around inside the network.

use std::slice;

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{
    AccountStore, Attempt, DeliveryFilter, DeliveryId, DeliveryStatus, EndpointId, EndpointState, EventDelivery, EventId, InvalidId,
    Outcome, ReplayAnswer, Replayed, Report, Scope, StoreError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::created;
use super::challenge::endpoints;
use super::endpoints::may_see_history;
use super::guard::{Item, OnAccount};
use super::pauses::{hide_remarks, remark};
use crate::http::code::Code;
use crate::http::json::{Json, OptionalJson, Params};
use crate::http::paging::{List, PageSize, Paging};
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;
use crate::http::words::{DeliveryStatusWord, ErrorWord, EventWord, Time};

/// An event on its way to an endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryShape {
    /// Its id.
    #[schema(value_type = String, example = "dlv_01kanqh5s0e8t9v2xw3yz4abcd")]
    id: DeliveryId,
    /// The event; the receiver sees this id as `webhook-id` and `event_id`.
    #[schema(value_type = String, example = "evt_01kanqh5s0e8t9v2xw3yz4abcd")]
    event_id: EventId,
    /// The name it goes under.
    event: EventWord,
    /// To which endpoint.
    #[schema(value_type = String, example = "ep_01kanqh5s0e8t9v2xw3yz4abcd")]
    endpoint_id: EndpointId,
    /// How far it got.
    status: DeliveryStatusWord,
    /// What holds it, while it is `queued`: its endpoint is `paused` or `unverified`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "paused")]
    held: Option<&'static str>,
    /// Why it ended without being taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorWord>,
    /// Why it was not tried, or not again: `endpoint_disabled`, `endpoint_removed` or `body_forgotten`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "endpoint_disabled")]
    skip: Option<&'static str>,
    /// How many attempts were started.
    tries: u16,
    /// When it is tried next; absent while it stands behind others.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<Time>,
    /// Who asked for it, where it repeats another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<ReplayShape>,
    /// When it was written.
    created_at: Time,
    /// When its status last changed.
    updated_at: Time,
}

/// Who asked for a repetition, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Replay)]
struct ReplayShape {
    /// The delivery that it repeats.
    #[schema(value_type = String, example = "dlv_01kanqh5s0e8t9v2xw3yz4abcd")]
    of: DeliveryId,
    /// Who: `app`, or `key:` and the id of a key.
    #[schema(example = "key:0aZ3kQ9fLm2X")]
    by: String,
    /// Why; an operator's reason is shown to operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether it may go to a URL that the endpoint got after the event.
    to_changed_url: bool,
}

/// One try to deliver an event.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub(super) struct DeliveryAttemptShape {
    /// Which try it was, from 1 on.
    number: u16,
    /// When it was written down, before the first byte left.
    started_at: Time,
    /// When its outcome was written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Time>,
    /// `sent`, `failed`, `blocked` (nothing was sent: the destination is not allowed) or `unknown` (no answer says whether it arrived); absent
    /// while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "sent")]
    outcome: Option<&'static str>,
    /// The status code of the answer, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 200)]
    status_code: Option<u16>,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorWord>,
    /// What was seen of the other side; shown to who runs the gateway only.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<ReportShape>,
}

/// What an attempt saw of the other side.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryReport)]
struct ReportShape {
    /// Who answered, or was dialed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "203.0.113.7:443")]
    peer: Option<String>,
    /// How long the request took, in milliseconds.
    took_ms: u64,
    /// Whether a kept connection was stale, so that the request was sent once more.
    resent: bool,
    /// How the answer began.
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<String>,
    /// More about a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Which deliveries, and which part of their list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveryQuery {
    /// Only those to the endpoint with this id.
    endpoint_id: Option<String>,
    /// Only those with this status. What is held is found among the `queued`.
    #[param(inline)]
    status: Option<DeliveryStatusWord>,
    /// Only those of the event with this id.
    event_id: Option<String>,
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// How something is delivered once more.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the receiver lost its data"}))]
pub(super) struct ReplayDelivery {
    /// Why, for people: at most 500 characters. Required with `to_changed_url`.
    #[serde(default)]
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Whether it may go to a URL that the endpoint got after the event. It takes the scope `logs:read` too.
    #[serde(default)]
    to_changed_url: bool,
}

/// List deliveries of events
#[utoipa::path(get, path = "/v1/accounts/{account_id}/deliveries", tag = "Deliveries", params(DeliveryQuery),
    responses((status = 200, description = "Deliveries, newest first.", body = List<DeliveryShape>)))]
pub(super) async fn list_deliveries(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<DeliveryQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let endpoint = query.endpoint_id.as_deref().map(str::parse).transpose();
    let endpoint = endpoint.map_err(|error: InvalidId| Problem::of_field("endpoint_id", error.to_string()))?;
    let event = query.event_id.as_deref().map(str::parse).transpose();
    let event = event.map_err(|error: InvalidId| Problem::of_field("event_id", error.to_string()))?;
    let filter = DeliveryFilter { endpoint, status: query.status.map(|word| word.0), event, for_operator: on.is_operator() };
    let store = on.store(&app);
    let mut deliveries = store.deliveries(filter, paging.page()).await?;
    hide_reasons(&app, on, &mut deliveries).await?;
    let holds = Holds::over(&*store, &deliveries).await?;
    Ok(paging.list(deliveries, |delivery| delivery.id, |delivery| DeliveryShape::of(delivery, &holds)).linked(&uri))
}

/// Read a delivery
#[utoipa::path(get, path = "/v1/accounts/{account_id}/deliveries/{delivery_id}", tag = "Deliveries",
    responses((status = 200, description = "The delivery.", body = DeliveryShape)))]
pub(super) async fn get_delivery(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<DeliveryId>,
) -> Result<Json<DeliveryShape>, Problem> {
    let delivery = find(&app, on, id).await?;
    Ok(Json(DeliveryShape::show(&app, on, delivery).await?))
}

/// List the attempts of a delivery
#[utoipa::path(get, path = "/v1/accounts/{account_id}/deliveries/{delivery_id}/attempts", tag = "Deliveries",
    responses((status = 200, description = "All attempts, oldest first.", body = List<DeliveryAttemptShape>)))]
pub(super) async fn list_delivery_attempts(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<DeliveryId>,
) -> Result<Json<List<DeliveryAttemptShape>>, Problem> {
    find(&app, on, id).await?;
    let attempts = on.store(&app).delivery_attempts(id).await?;
    Ok(Json(List::whole(attempts.into_iter().map(|attempt| DeliveryAttemptShape::of(attempt, on)).collect())))
}

/// Deliver an event once more
///
/// The same event with the same id goes to the endpoint again, as a new delivery: judged and signed anew. What happened before the
/// endpoint got its present URL goes there only where `to_changed_url` says so; that is recorded with who asked and why.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/deliveries/{delivery_id}/replay", tag = "Deliveries",
    request_body(content = Option<ReplayDelivery>), responses(
    (status = 201, description = "The new delivery.", body = DeliveryShape),
    (status = 409, description = "`delivery_pending`: it is still being tried. `endpoint_removed`, `endpoint_disabled`: nothing goes there. \
`url_changed`: the endpoint got its URL after the event.", body = ProblemShape, content_type = "application/problem+json"),
    (status = 410, description = "`body_forgotten`: the event is older than what is kept.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn replay_delivery(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<DeliveryId>,
    OptionalJson(asked): OptionalJson<ReplayDelivery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let reason = remark("reason", asked.reason)?;
    may_redirect_history(on, asked.to_changed_url, reason.as_deref())?;
    find(&app, on, id).await?;
    let to_changed_url = asked.to_changed_url;
    let delivery = queued(endpoints(&app, on)?.replay(id, on.actor(), reason, to_changed_url).await?)?;
    tracing::info!(account = %on.account, of = %id, delivery = %delivery.id, to_changed_url, by = %on.actor(), "an event is delivered once more");
    let location = format!("/v1/accounts/{}/deliveries/{}", on.account, delivery.id);
    Ok(created(location, DeliveryShape::show(&app, on, delivery).await?))
}

fn queued(answer: ReplayAnswer) -> Result<EventDelivery, Problem> {
    Err(Problem::of(match answer {
        ReplayAnswer::Queued(delivery) => return Ok(delivery),
        ReplayAnswer::Unknown => Code::NotFound,
        ReplayAnswer::Pending => Code::DeliveryPending,
        ReplayAnswer::EndpointRemoved => Code::EndpointRemoved,
        ReplayAnswer::EndpointDisabled => Code::EndpointDisabled,
        ReplayAnswer::UrlChanged => Code::UrlChanged,
        ReplayAnswer::BodyForgotten => Code::BodyForgotten,
    }))
}

/// Refuses to send history to a URL that was not meant for it, unless who asks may read that history, and says why.
pub(super) fn may_redirect_history(on: OnAccount, to_changed_url: bool, reason: Option<&str>) -> Result<(), Problem> {
    if !to_changed_url {
        return Ok(());
    }
    if !on.identity.may(Scope::LogsRead) {
        return Err(Problem::of(Code::InsufficientScope).saying("`to_changed_url` needs the scope `logs:read` too"));
    }
    match reason {
        Some(_) => Ok(()),
        None => Err(Problem::of_field("reason", "expected a reason, because `to_changed_url` is `true`")),
    }
}

/// A delivery to an endpoint that the caller may know of.
async fn find(app: &App, on: OnAccount, id: DeliveryId) -> Result<EventDelivery, Problem> {
    let delivery = on.store(app).delivery(id).await?.ok_or(Problem::not_found())?;
    may_see_history(app, on, delivery.endpoint).await?;
    Ok(delivery)
}

async fn hide_reasons(app: &App, on: OnAccount, deliveries: &mut [EventDelivery]) -> Result<(), Problem> {
    let replays = deliveries.iter_mut().filter_map(|delivery| delivery.replay.as_mut());
    hide_remarks(app, on, replays.map(|replay| (replay.by, &mut replay.reason))).await
}

/// The endpoints that hold their events. They are read only where something waits.
struct Holds(Vec<(EndpointId, &'static str)>);

impl Holds {
    async fn over(store: &dyn AccountStore, deliveries: &[EventDelivery]) -> Result<Self, StoreError> {
        if deliveries.iter().all(|delivery| delivery.status != DeliveryStatus::Queued) {
            return Ok(Self(Vec::new()));
        }
        let holding = |state| matches!(state, EndpointState::Paused | EndpointState::Unverified);
        let endpoints = store.endpoints().await?.into_iter().map(|endpoint| (endpoint.id, endpoint.state()));
        Ok(Self(endpoints.filter(|(_, state)| holding(*state)).map(|(id, state)| (id, state.as_str())).collect()))
    }

    fn of(&self, delivery: &EventDelivery) -> Option<&'static str> {
        let holds = self.0.iter().find(|(endpoint, _)| *endpoint == delivery.endpoint);
        holds.filter(|_| delivery.status == DeliveryStatus::Queued).map(|(_, state)| *state)
    }
}

impl DeliveryShape {
    /// A delivery as this caller may see it.
    pub(super) async fn show(app: &App, on: OnAccount, mut delivery: EventDelivery) -> Result<Self, Problem> {
        hide_reasons(app, on, slice::from_mut(&mut delivery)).await?;
        let holds = Holds::over(&*on.store(app), slice::from_ref(&delivery)).await?;
        Ok(Self::of(delivery, &holds))
    }

    fn of(delivery: EventDelivery, holds: &Holds) -> Self {
        let held = holds.of(&delivery);
        Self {
            id: delivery.id,
            event_id: delivery.event,
            event: EventWord(delivery.as_name),
            endpoint_id: delivery.endpoint,
            status: DeliveryStatusWord(delivery.status),
            held,
            error: delivery.error.map(ErrorWord),
            skip: delivery.skip.map(gatepost::Skip::as_str),
            tries: delivery.tries,
            next_at: delivery.next_at.map(Time::from),
            replay: delivery.replay.map(ReplayShape::of),
            created_at: delivery.created_at.into(),
            updated_at: delivery.updated_at.into(),
        }
    }
}

impl ReplayShape {
    fn of(replay: Replayed) -> Self {
        Self { of: replay.of, by: replay.by.to_string(), reason: replay.reason, to_changed_url: replay.to_changed_url }
    }
}

impl DeliveryAttemptShape {
    fn of(attempt: Attempt, on: OnAccount) -> Self {
        let outcome = attempt.outcome.as_ref();
        Self {
            number: attempt.number,
            started_at: attempt.started_at.into(),
            finished_at: attempt.finished_at.map(Time::from),
            outcome: outcome.map(Outcome::as_str),
            status_code: attempt.report.as_ref().and_then(|report| report.status),
            error: outcome.and_then(Outcome::class).map(ErrorWord),
            report: attempt.report.filter(|_| on.is_operator()).map(ReportShape::of),
        }
    }
}

impl ReportShape {
    fn of(report: Report) -> Self {
        Self {
            peer: report.peer.map(|peer| peer.to_string()),
            took_ms: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
            resent: report.resent,
            excerpt: report.excerpt,
            detail: report.detail,
        }
    }
}
