//! Webhook: `POST /integrations/3cx/webhook/{integration_id}` of the public contract.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use gatepost::{CallDetails, EntryOutcome, MessageId, MessageStatus};
use gatepost_threecx::webhook::{self, Event, InvalidEvent, NotAdmitted, Shown};
use gatepost_threecx::{NotPlanned, Plan};
use serde::Serialize;
use utoipa::ToSchema;

use super::bodies::EventBody;
use super::entry::{Entry, Said, Written};
use super::sending::Sent;
use super::{Line, note_refusal, peer};
use crate::http::body;
use crate::http::code::Code;
use crate::http::contract_error::ContractError;
use crate::http::request_id::RequestId;
use crate::http::send::wait_of;
use crate::http::state::App;

/// Take what a 3CX phone system says
///
/// Shown to be genuine by the integration's secret, and by a signature over `timestamp + "." + body` where there is one. Whatever a call
/// lacks before that is known is answered alike. Events may come 60 times a minute. A message goes by the same guard as one sent by
/// `/api/send-message`, and a call becomes one message in 15 minutes.
#[utoipa::path(post, path = "/integrations/3cx/webhook/{integration_id}", tag = "3CX", operation_id = "hear_threecx",
    params(
        ("integration_id" = String, Path, description = "The integration's id.", example = "4503599627370497"),
        ("X-WhatsApp-Gateway-3CX-Secret" = String, Header, description = "The integration's webhook secret."),
        ("X-WhatsApp-Gateway-Timestamp" = Option<String>, Header, description = "When it was sent: RFC 3339, or seconds since 1970; within 5 minutes."),
        ("X-WhatsApp-Gateway-Signature" = Option<String>, Header, description = "HMAC-SHA-256 of the timestamp, a full stop and the body, with the webhook secret: 64 hexadecimal digits, with or without `sha256=`."),
        ("wait" = Option<u64>, Query, description = "How many seconds to wait for the provider.", minimum = 0, maximum = 30),
    ),
    request_body(content = EventBody, description = "`event_type` and what that type of event needs."),
    responses(
        (status = 200, description = "It was taken; `status` says what became of it.", body = ThreecxAnswer),
        (status = 400, description = "`invalid_json`", body = inline(crate::http::contract_error::ErrorShape<'_>)),
        (status = 401, description = "`invalid_3cx_webhook`: it is not shown to be genuine, or there is no such integration."),
        (status = 403, description = "`module_not_enabled`, `outbound_disabled`, `call_events_disabled`, `recipient_suppressed`, `policy_violation`, or a pause."),
        (status = 409, description = "`conversation_window_closed` or `instance_not_connected`."),
        (status = 413, description = "`payload_too_large`: more than 256 KiB."),
        (status = 422, description = "`missing_phone`, `missing_message_text`, `message_purpose_not_allowed` or `validation_error`."),
        (status = 429, description = "`webhook_rate_limited`, `sending_throttled`, or a limit that is used up."),
        (status = 502, description = "`gateway_send_failed`"),
        (status = 503, description = "The gateway cannot answer now."),
))]
pub(crate) async fn hear_threecx(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    request: Request<Body>,
) -> Response {
    match answer(&app, &id, request).await {
        Ok(answer) => (StatusCode::OK, Json(answer)).into_response(),
        Err(Refusal::NotGenuine) => (StatusCode::UNAUTHORIZED, Json(NotGenuine::default())).into_response(),
        Err(Refusal::Told(error)) => error.into_response(request_id),
    }
}

/// The answer to something that was taken.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"success": true, "status": "sent", "message_id": "msg_01kanqh5s0e8t9v2xw3yz4abcd", "log_id": 7}))]
pub(crate) struct ThreecxAnswer {
    /// Always `true`.
    success: bool,
    /// `sent` once the provider took the message, `queued` or `held` before; `skipped` where it becomes no message, as the settings want
    /// it or in the cooldown; `logged` where it asks for none.
    status: &'static str,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    message_id: Option<MessageId>,
    /// The place in the account's log of phone systems.
    log_id: u64,
    /// Why it is skipped or held.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl ThreecxAnswer {
    /// Written down, and nothing more.
    pub(super) const fn logged(log_id: u64, reason: Option<&'static str>) -> Self {
        Self { success: true, status: "logged", message_id: None, log_id, reason }
    }
}

/// The answer to whoever is not known: always the same, to the byte.
#[derive(Serialize)]
struct NotGenuine {
    success: bool,
    error: &'static str,
    message: &'static str,
}

impl Default for NotGenuine {
    fn default() -> Self {
        let code = Code::InvalidThreecxWebhook;
        Self { success: false, error: code.name(), message: code.text() }
    }
}

/// Why something was not taken.
enum Refusal {
    /// It was not let in, and may not know why.
    NotGenuine,
    /// It was let in.
    Told(ContractError),
}

impl<E: Into<ContractError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Told(error.into())
    }
}

async fn answer(app: &App, id: &str, request: Request<Body>) -> Result<ThreecxAnswer, Refusal> {
    let (parts, body) = request.into_parts();
    let body = match body::read_up_to(webhook::BODY_BYTES_MAX, &parts.headers, body).await {
        Err(Code::PayloadTooLarge) => None,
        read => Some(read?),
    };
    let (line, is_whole) = admit(app, id, &parts, body.as_deref()).await?;
    let wait = wait_of(parts.uri.query());
    let event = webhook::read(&body.unwrap_or_default());
    let entry = enter(app, &line, &event).await?;
    let told = match (event, wait) {
        _ if !is_whole => Err(ContractError::of(Code::PayloadTooLarge).saying("the body must not be larger than 262,144 bytes")),
        _ if !line.account.threecx_enabled => Err(ContractError::of(Code::ModuleNotEnabled)),
        (Ok(event), Ok(wait)) => return follow(line, app, entry, event, wait).await.map_err(Refusal::Told),
        (Err(invalid), _) => Err(of_invalid(invalid)),
        (Ok(_), Err(complaint)) => Err(complaint),
    };
    let told = told.map_err(Refusal::Told);
    if let Err(Refusal::Told(error)) = &told {
        entry.conclude(EntryOutcome::Refused, Some(error.code().name()), None).await;
    }
    told
}

/// The line, if the call is shown to be its phone system's, and whether its body was read whole.
async fn admit(app: &App, id: &str, parts: &Parts, body: Option<&[u8]>) -> Result<(Line, bool), Refusal> {
    let line = Line::find(app, id).await?;
    let (headers, peer) = (listed(&parts.headers), peer(app, parts));
    let shown = Shown { headers: &headers, peer, body: body.map_or(webhook::Body::TooLong, webhook::Body::Whole) };
    match line.webhook_gate().admit(&shown, app.now()) {
        Ok(()) => Ok((line, true)),
        Err(NotAdmitted::TooLong) => Ok((line, false)),
        Err(refusal) => {
            note_refusal(id, peer, "webhook", refusal);
            Err(Refusal::NotGenuine)
        }
    }
}

fn listed(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

/// Writes it down, whatever it says.
async fn enter(app: &App, line: &Line, event: &Result<Event, InvalidEvent>) -> Result<Entry, Refusal> {
    let event = event.as_ref().ok();
    let said = Said {
        kind: event.map_or("unknown", |event| event.event_type().as_str()).to_owned(),
        phone: event.and_then(|event| event.phone().ok()),
        details: event.map_or_else(CallDetails::default, Event::details),
        key: None,
        is_limited: true,
        is_told: event.is_some() && line.account.threecx_enabled,
    };
    let now = app.now();
    match said.write(app, line).await? {
        Written::New(entry) => Ok(entry),
        Written::TooOften(retry_at) => Err(ContractError::of(Code::WebhookRateLimited).after(retry_at.since(now)).into()),
        Written::Repeated(_) => Err(ContractError::of(Code::InternalError).into()),
    }
}

/// Does what an event asks for. A caller who breaks off stops nothing half-way.
pub(super) async fn follow(line: Line, app: &App, entry: Entry, event: Event, wait: Duration) -> Result<ThreecxAnswer, ContractError> {
    let app = app.clone();
    let following = tokio::spawn(async move { line.follow(&app, &entry, &event, wait).await });
    following.await.unwrap_or_else(|_| Err(ContractError::of(Code::InternalError)))
}

impl Line {
    /// Does what an event asks for, and writes down what became of it.
    async fn follow(&self, app: &App, entry: &Entry, event: &Event, wait: Duration) -> Result<ThreecxAnswer, ContractError> {
        let log_id = entry.id;
        match self.settings.plan(event, self.account.name.as_str()) {
            Plan::Log => {
                entry.conclude(EntryOutcome::Logged, None, None).await;
                Ok(ThreecxAnswer::logged(log_id, None))
            }
            Plan::Skip(skipped) => {
                entry.conclude(EntryOutcome::Skipped, Some(skipped.as_str()), None).await;
                Ok(ThreecxAnswer { status: "skipped", ..ThreecxAnswer::logged(log_id, Some(skipped.as_str())) })
            }
            Plan::Send(outgoing) => {
                let Sent { message, status, is_in_cooldown, reason } = self.send(app, entry, outgoing, wait).await?;
                let status = if is_in_cooldown { "skipped" } else { word(status) };
                Ok(ThreecxAnswer { status, message_id: Some(message), ..ThreecxAnswer::logged(log_id, reason) })
            }
            Plan::Refuse(why) => {
                let error = of_not_planned(why);
                entry.conclude(EntryOutcome::Refused, Some(error.code().name()), None).await;
                Err(error)
            }
        }
    }
}

/// The contract knows three words for a message: what nobody knows yet is on its way.
const fn word(status: MessageStatus) -> &'static str {
    match status {
        MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Read => "sent",
        MessageStatus::Held => "held",
        _ => "queued",
    }
}

fn of_not_planned(why: NotPlanned) -> ContractError {
    match why {
        NotPlanned::CallEventsDisabled => ContractError::of(Code::CallEventsDisabled),
        NotPlanned::OutboundDisabled => ContractError::of(Code::OutboundDisabled),
        NotPlanned::Invalid(invalid) => of_invalid(invalid),
    }
}

fn of_invalid(invalid: InvalidEvent) -> ContractError {
    let code = match invalid {
        InvalidEvent::Field { .. } => Code::ValidationError,
        InvalidEvent::MissingPhone => Code::MissingPhone,
        InvalidEvent::MissingText => Code::MissingMessageText,
        InvalidEvent::NotJson => Code::InvalidJson,
        InvalidEvent::PurposeNotAllowed => Code::MessagePurposeNotAllowed,
    };
    ContractError::of(code).saying(invalid.to_string())
}
