//! Inbound: what providers told of an account's numbers, and what they posted.

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{InboundClass, InboundEntry, InboundFilter, InboundId, InstanceId, NotificationEntry, NotificationId, Told};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::{Item, OnAccount};
use super::said::SaidShape;
use crate::http::json::{Json, Params};
use crate::http::paging::{List, PageSize, Paging};
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::{InboundClassWord, Time};

/// One thing that a provider told.
#[derive(Serialize, ToSchema)]
#[schema(as = Inbound)]
pub(super) struct InboundShape {
    /// Its id.
    #[schema(value_type = String, example = "inb_01kanqh5s0e8t9v2xw3yz4abcd")]
    id: InboundId,
    /// At which instance.
    #[schema(value_type = String, example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")]
    instance_id: InstanceId,
    /// The notification that told it, which who runs the gateway can read as it came.
    #[schema(value_type = String, example = "ntf_01kanqh5s0e8t9v2xw3yz4abcd")]
    notification_id: NotificationId,
    /// What kind of thing it is.
    class: InboundClassWord,
    /// The same in the provider's words.
    #[schema(example = "message.text")]
    kind: String,
    /// Whom it is about: a phone number, a business-scoped user id, or `lid:` and a linked id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+999501234567")]
    from: Option<String>,
    /// When it happened, by the provider's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Time>,
    /// When it came.
    received_at: Time,
    /// Whether it waits to be heeded.
    waits: bool,
    /// What somebody wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<SaidShape>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantined: Option<String>,
}

/// Which of what came in, and which part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InboundQuery {
    /// Only what came in at this instance.
    #[param(value_type = Option<String>)]
    instance_id: Option<InstanceId>,
    /// Only this kind of thing. Statuses are not kept: the messages have them.
    class: Option<InboundClassWord>,
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// List what came in
#[utoipa::path(get, path = "/v1/accounts/{account_id}/inbound", tag = "Inbound", params(InboundQuery),
    responses((status = 200, description = "What came in, newest first.", body = List<InboundShape>)))]
pub(super) async fn list_inbound(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<InboundQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let filter = InboundFilter { instance: query.instance_id, class: query.class.map(|word| word.0) };
    let entries = on.store(&app).inbound(filter, paging.page()).await?;
    Ok(paging.list(entries, |entry| entry.id, InboundShape::of).linked(&uri))
}

/// Read one thing that came in
#[utoipa::path(get, path = "/v1/accounts/{account_id}/inbound/{inbound_id}", tag = "Inbound",
    responses((status = 200, description = "It.", body = InboundShape)))]
pub(super) async fn get_inbound(State(app): State<App>, on: OnAccount, Item(id): Item<InboundId>) -> Result<Json<InboundShape>, Problem> {
    let entry = on.store(&app).inbound_entry(id).await?.ok_or(Problem::not_found())?;
    Ok(Json(InboundShape::of(entry)))
}

impl InboundShape {
    fn of(entry: InboundEntry) -> Self {
        let class: InboundClass = entry.told.class();
        let (message, quarantined) = match entry.told {
            Told::Said(said) => (Some(SaidShape::of(said)), None),
            Told::Quarantined { why } => (None, Some(why)),
            _ => (None, None),
        };
        Self {
            id: entry.id,
            instance_id: entry.instance,
            notification_id: entry.notification,
            class: InboundClassWord(class),
            kind: entry.kind,
            from: entry.from.map(|address| address.text()),
            at: entry.at.map(Time::from),
            received_at: entry.received_at.into(),
            waits: entry.waits,
            message,
            quarantined,
        }
    }
}

/// What a provider posted.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification)]
pub(super) struct NotificationShape {
    /// Its id.
    #[schema(value_type = String, example = "ntf_01kanqh5s0e8t9v2xw3yz4abcd")]
    id: NotificationId,
    /// To which instance.
    #[schema(value_type = String, example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")]
    instance_id: InstanceId,
    /// When it came.
    received_at: Time,
    /// How many things it told that were new.
    new: usize,
    /// How many it told again, so that nothing followed.
    repeated: usize,
    /// How many of the new ones could not be read.
    quarantined: usize,
    /// The bytes as they came, as text; absent in lists, and once their retention is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

/// Which part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NotificationQuery {
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// List what providers posted
#[utoipa::path(get, path = "/v1/accounts/{account_id}/notifications", tag = "Inbound", params(NotificationQuery),
    responses((status = 200, description = "Notifications, newest first, without their bodies.", body = List<NotificationShape>)))]
pub(super) async fn list_notifications(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<NotificationQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let notifications = on.store(&app).notifications(paging.page()).await?;
    Ok(paging.list(notifications, |entry| entry.id, NotificationShape::of).linked(&uri))
}

/// Read what a provider posted
#[utoipa::path(get, path = "/v1/accounts/{account_id}/notifications/{notification_id}", tag = "Inbound",
    responses((status = 200, description = "The notification, with its body while that is kept.", body = NotificationShape)))]
pub(super) async fn get_notification(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<NotificationId>,
) -> Result<Json<NotificationShape>, Problem> {
    let entry = on.store(&app).notification(id).await?.ok_or(Problem::not_found())?;
    Ok(Json(NotificationShape::of(entry)))
}

impl NotificationShape {
    fn of(entry: NotificationEntry) -> Self {
        Self {
            id: entry.id,
            instance_id: entry.instance,
            received_at: entry.received_at.into(),
            new: entry.received.new,
            repeated: entry.received.repeated,
            quarantined: entry.received.quarantined,
            body: entry.body.map(|body| String::from_utf8_lossy(&body).into_owned()),
        }
    }
}
