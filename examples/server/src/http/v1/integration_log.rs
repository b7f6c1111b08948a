//! The log of phone systems: what they said and were told, and what became of it, without the words.
//!
//! A phone number is never part of a URL, where logs on the way would keep it: a search takes it in its body.

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{CallDetails, DeliveryId, IntegrationEntry, IntegrationEntryFilter, IntegrationId, MessageId, Phone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::OnAccount;
use crate::http::json::{Json, Params};
use crate::http::paging::{List, PageSize, Paging};
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::{DeliveryStatusWord, DirectionWord, EntryOutcomeWord, StatusWord, Time};

/// Something that a phone system said or was told.
#[derive(Serialize, ToSchema)]
#[schema(as = IntegrationEntry)]
pub(super) struct EntryShape {
    /// Its place in the account's log of phone systems.
    #[schema(example = 7)]
    log_id: u64,
    /// Which phone system.
    #[schema(value_type = String, example = "4503599627370497")]
    integration_id: IntegrationId,
    /// Which way it went.
    direction: DirectionWord,
    /// What kind of thing: the type of a webhook's event, `sms`, a look-up or a report of the CRM, or the event that it was posted.
    #[schema(example = "missed_call")]
    kind: String,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+999501234567")]
    phone: Option<String>,
    /// What else is known of it.
    details: DetailsShape,
    /// What became of it.
    outcome: EntryOutcomeWord,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "conversation_window_closed")]
    reason: Option<String>,
    /// The message that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "msg_01kanqh5s0e8t9v2xw3yz4abcd")]
    message_id: Option<MessageId>,
    /// How far that message got.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_status: Option<StatusWord>,
    /// The delivery that takes it to the phone system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "dlv_01kanqh5s0e8t9v2xw3yz4abcd")]
    delivery_id: Option<DeliveryId>,
    /// How far that got.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_status: Option<DeliveryStatusWord>,
    /// When.
    at: Time,
}

/// What is known of what a phone system said, but for the words.
#[derive(Serialize, ToSchema)]
#[schema(as = CallDetails)]
struct DetailsShape {
    /// The extension of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "101")]
    agent_extension: Option<String>,
    /// The queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sales")]
    queue: Option<String>,
    /// What the phone system calls the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "3cx-chat-123")]
    conversation_id: Option<String>,
    /// When the call was, as the phone system wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "10:31")]
    call_time: Option<String>,
    /// Which way the call went, and whether it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "missed")]
    call_type: Option<String>,
    /// How long the call was, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<u64>,
    /// How many lines the chat had.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<usize>,
}

/// Which entries, and which part of their list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LogQuery {
    /// Only those of the integration with this id, also of a removed one.
    #[param(value_type = Option<String>)]
    integration_id: Option<IntegrationId>,
    /// Only those that went this way.
    #[param(inline)]
    direction: Option<DirectionWord>,
    /// Only those of this kind.
    kind: Option<String>,
    /// Only those of which this became.
    #[param(inline)]
    outcome: Option<EntryOutcomeWord>,
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// Which entries about a number, and which part of their list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone": "+999501234567"}))]
pub(super) struct SearchIntegrationLog {
    /// The number, with its country code.
    #[schema(value_type = String, example = "+999501234567")]
    phone: Phone,
    /// Only those of the integration with this id, also of a removed one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    integration_id: Option<IntegrationId>,
    /// Only those that went this way.
    #[serde(default)]
    direction: Option<DirectionWord>,
    /// Only those of this kind.
    #[serde(default)]
    kind: Option<String>,
    /// Only those of which this became.
    #[serde(default)]
    outcome: Option<EntryOutcomeWord>,
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    #[serde(default)]
    cursor: Option<String>,
}

/// List what phone systems said and were told
#[utoipa::path(get, path = "/v1/accounts/{account_id}/integrations/log", tag = "Integrations", params(LogQuery),
    responses((status = 200, description = "Entries, newest first.", body = List<EntryShape>)))]
pub(super) async fn list_integration_log(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<LogQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let LogQuery { integration_id, direction, kind, outcome, limit, cursor } = query;
    let asked = Asked { phone: None, integration_id, direction, kind, outcome, limit, cursor };
    Ok(asked.list(&app, on).await?.linked(&uri))
}

/// Find what phone systems said and were told about a number
#[utoipa::path(post, path = "/v1/accounts/{account_id}/integrations/log/search", tag = "Integrations",
    responses((status = 200, description = "Entries about the number, newest first.", body = List<EntryShape>)))]
pub(super) async fn search_integration_log(
    State(app): State<App>,
    on: OnAccount,
    Json(asked): Json<SearchIntegrationLog>,
) -> Result<Json<List<EntryShape>>, Problem> {
    let SearchIntegrationLog { phone, integration_id, direction, kind, outcome, limit, cursor } = asked;
    let asked = Asked { phone: Some(phone), integration_id, direction, kind, outcome, limit, cursor };
    Ok(Json(asked.list(&app, on).await?))
}

/// Which entries are asked for, in one of the two ways.
struct Asked {
    phone: Option<Phone>,
    integration_id: Option<IntegrationId>,
    direction: Option<DirectionWord>,
    kind: Option<String>,
    outcome: Option<EntryOutcomeWord>,
    limit: Option<PageSize>,
    cursor: Option<String>,
}

impl Asked {
    async fn list(self, app: &App, on: OnAccount) -> Result<List<EntryShape>, Problem> {
        let paging = Paging::read(self.limit, self.cursor.as_deref())?;
        let filter = IntegrationEntryFilter {
            integration: self.integration_id,
            direction: self.direction.map(|word| word.0),
            kind: self.kind,
            outcome: self.outcome.map(|word| word.0),
            phone: self.phone,
        };
        let entries = on.store(app).integration_log(filter, paging.page()).await?;
        Ok(paging.list(entries, |entry| entry.id, EntryShape::of))
    }
}

impl EntryShape {
    fn of(entry: IntegrationEntry) -> Self {
        Self {
            log_id: entry.id,
            integration_id: entry.integration,
            direction: DirectionWord(entry.direction),
            kind: entry.kind,
            phone: entry.phone.map(|phone| phone.e164()),
            details: DetailsShape::of(entry.details),
            outcome: EntryOutcomeWord(entry.outcome),
            reason: entry.reason,
            message_id: entry.message,
            message_status: entry.message_status.map(StatusWord),
            delivery_id: entry.delivery,
            delivery_status: entry.delivery_status.map(DeliveryStatusWord),
            at: entry.at.into(),
        }
    }
}

impl DetailsShape {
    fn of(details: CallDetails) -> Self {
        let CallDetails { agent_extension, queue, conversation_id, call_time, call_type, duration_seconds, lines } = details;
        Self { agent_extension, queue, conversation_id, call_time, call_type, duration_seconds, lines }
    }
}
