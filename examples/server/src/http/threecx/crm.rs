//! CRM: what the CRM template has 3CX ask and report: who calls, how a call went, and that a chat is over.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use gatepost::{CallDetails, ContactCard, EntryKey, EntryOutcome, Timestamp, Words};
use gatepost_threecx::crm::{CallReport, CallType, ChatReport, InvalidReport, KEY_HEADER, LookupAnswer, Searched};
use gatepost_threecx::webhook;
use serde::Deserialize;
use serde_json::json;

use super::bodies::{CallReportBody, ChatReportBody};
use super::entry::{Said, Written};
use super::not_taken::NotTaken;
use super::webhook::{ThreecxAnswer, follow};
use super::{Line, note_refusal, only, peer};
use crate::http::body;
use crate::http::code::Code;
use crate::http::contract_error::ContractError;
use crate::http::state::App;

/// How reports are called in the log.
const CALL: &str = "report_call";
const CHAT: &str = "report_chat";

/// Find the contact of a number
///
/// Asked by the CRM template when a call comes in. A number of nobody is answered with none.
#[utoipa::path(get, path = "/3cx/{integration_id}/crm/contacts", tag = "3CX", operation_id = "find_threecx_contact",
    params(
        ("integration_id" = String, Path, description = "The integration's id.", example = "4503599627370497"),
        ("number" = String, Query, description = "The number, as the phone system has it."),
        ("X-Gateway-Key" = String, Header, description = "The integration's CRM key."),
    ),
    responses(
        (status = 200, description = "The contacts: one, or none."),
        (status = 401, description = "`unauthorized`: the key is not the integration's, or there is no such integration."),
        (status = 403, description = "`module_not_enabled`"),
))]
pub(crate) async fn find_contact(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Json<LookupAnswer>, NotTaken> {
    let (parts, _) = request.into_parts();
    let line = admit(&app, &id, &parts).await?;
    let number = Query::<Lookup>::try_from_uri(&parts.uri).ok().and_then(|Query(lookup)| lookup.number);
    let Some(searched) = number.as_deref().and_then(Searched::read) else { return Ok(Json(LookupAnswer::nobody())) };
    let card = app.gateway.store().account(line.account.id).contact_card(searched.phone().into()).await?;
    let said = Said { phone: Some(searched.phone()), ..Said::of_kind("lookup") };
    if let Written::New(entry) = said.write(&app, &line).await? {
        entry.conclude(EntryOutcome::Logged, card.is_none().then_some("unknown_contact"), None).await;
    }
    Ok(Json(card.map_or_else(LookupAnswer::nobody, |card| of_card(&app, &searched, &card))))
}

#[derive(Deserialize)]
struct Lookup {
    number: Option<String>,
}

/// Where the contact's page is, once there is a dashboard, belongs to the answer: 3CX counts no contact without one.
fn of_card(app: &App, searched: &Searched, card: &ContactCard) -> LookupAnswer {
    let url = format!("{}/contacts/{}", app.settings.public_url.as_deref().unwrap_or_default(), card.id);
    LookupAnswer::one(searched, &card.id.to_string(), card.name.as_ref().map(Words::as_str), &url)
}

/// Take the report of a call
///
/// Posted by the CRM template when a call is over, leg by leg. One that is reported twice is taken once. A missed call may become a message,
/// as the event `missed_call` of the webhook does.
#[utoipa::path(post, path = "/3cx/{integration_id}/crm/calls", tag = "3CX", operation_id = "take_threecx_call",
    params(
        ("integration_id" = String, Path, description = "The integration's id.", example = "4503599627370497"),
        ("X-Gateway-Key" = String, Header, description = "The integration's CRM key."),
    ),
    request_body = CallReportBody,
    responses(
        (status = 200, description = "It is taken; `status` says what became of it.", body = ThreecxAnswer),
        (status = 400, description = "`invalid_json`"),
        (status = 401, description = "`unauthorized`: the key is not the integration's, or there is no such integration."),
        (status = 403, description = "`module_not_enabled`"),
        (status = 422, description = "`validation_error`: the kind of call is none that is known."),
))]
pub(crate) async fn take_call_report(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Json<ThreecxAnswer>, NotTaken> {
    let (line, report) = reported(&app, &id, request, CALL, CallReport::read).await?;
    let said = Said {
        phone: report.phone,
        details: details(&report),
        // What does not say when it was cannot be told from another call.
        key: report.started.map(|_| EntryKey::Lasting(report.key())),
        is_told: true,
        ..Said::of_kind(CALL)
    };
    let asked = asked_for(&line, &report);
    take_report(line, &app, said, asked).await
}

/// Take the report of a chat
///
/// Posted by the CRM template when a chat is over. Of what was said, only the number of lines is kept: the messages themselves went through
/// the gateway.
#[utoipa::path(post, path = "/3cx/{integration_id}/crm/chats", tag = "3CX", operation_id = "take_threecx_chat",
    params(
        ("integration_id" = String, Path, description = "The integration's id.", example = "4503599627370497"),
        ("X-Gateway-Key" = String, Header, description = "The integration's CRM key."),
    ),
    request_body = ChatReportBody,
    responses(
        (status = 200, description = "It is taken.", body = ThreecxAnswer),
        (status = 400, description = "`invalid_json`"),
        (status = 401, description = "`unauthorized`: the key is not the integration's, or there is no such integration."),
        (status = 403, description = "`module_not_enabled`"),
))]
pub(crate) async fn take_chat_report(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Json<ThreecxAnswer>, NotTaken> {
    let (line, report) = reported(&app, &id, request, CHAT, ChatReport::read).await?;
    let seconds = report.started.zip(report.ended).map(|(started, ended)| ended.since(started).as_secs());
    let details = CallDetails {
        queue: report.queue.clone(),
        call_time: report.started.map(|at| at.to_string()),
        duration_seconds: seconds,
        lines: Some(report.line_count),
        ..CallDetails::default()
    };
    let key = report.started.map(|_| EntryKey::Lasting(report.key()));
    let said = Said { phone: report.phone, details, key, is_told: true, ..Said::of_kind(CHAT) };
    take_report(line, &app, said, Err(None)).await
}

/// The line that reports something of this kind, and its report; one that cannot be read is written down.
async fn reported<R>(
    app: &App,
    id: &str,
    request: Request<Body>,
    kind: &str,
    read: fn(&[u8]) -> Result<R, InvalidReport>,
) -> Result<(Line, R), NotTaken> {
    let (parts, body) = request.into_parts();
    let line = admit(app, id, &parts).await?;
    let body = body::read_up_to(webhook::BODY_BYTES_MAX, &parts.headers, body).await;
    match body.map_err(NotTaken::from).and_then(|body| read(&body).map_err(of_invalid)) {
        Ok(report) => Ok((line, report)),
        Err(refusal) => Err(unread(&line, app, kind, refusal).await),
    }
}

/// The line, if the call shows its CRM key and its module is on.
async fn admit(app: &App, id: &str, parts: &Parts) -> Result<Line, NotTaken> {
    let line = Line::find(app, id).await?;
    let (shown, from) = (only(&parts.headers, KEY_HEADER), peer(app, parts));
    match line.key_gate(&line.secrets.crm).admit(shown, from) {
        Ok(()) if line.account.threecx_enabled => Ok(line),
        Ok(()) => Err(NotTaken::from(Code::ModuleNotEnabled)),
        Err(refusal) => {
            note_refusal(id, from, "crm", refusal);
            Err(NotTaken::unauthorized(shown.is_some()))
        }
    }
}

/// Writes a report down, once, and does what a missed call asks for. One that was told before goes on where the gateway was broken off.
async fn take_report(
    line: Line,
    app: &App,
    said: Said,
    asked: Result<webhook::Event, Option<Code>>,
) -> Result<Json<ThreecxAnswer>, NotTaken> {
    let entry = match said.write(app, &line).await? {
        Written::New(entry) => entry,
        Written::Repeated(entry) if entry.is_open().await? => entry,
        Written::Repeated(entry) => return Ok(Json(ThreecxAnswer::logged(entry.id, Some("repeated")))),
        Written::TooOften(_) => return Err(NotTaken::from(Code::InternalError)),
    };
    let id = entry.id;
    let event = match asked {
        Ok(event) => event,
        Err(why_not) => {
            let reason = why_not.map(Code::name);
            entry.conclude(EntryOutcome::Logged, reason, None).await;
            return Ok(Json(ThreecxAnswer::logged(id, reason)));
        }
    };
    match follow(line, app, entry, event, Duration::ZERO).await {
        Ok(answer) => Ok(Json(answer)),
        Err(error) if error.is_ours() => Err(NotTaken::from(error)),
        // What must not become a message is taken all the same: 3CX would report it for ever.
        Err(error) => Ok(Json(ThreecxAnswer::logged(id, Some(error.code().name())))),
    }
}

/// Writes down that a report could not be read.
async fn unread(line: &Line, app: &App, kind: &str, refusal: NotTaken) -> NotTaken {
    let said = Said::of_kind(kind);
    match said.write(app, line).await {
        Ok(Written::New(entry)) => entry.conclude(EntryOutcome::Refused, Some(refusal.code()), None).await,
        Ok(Written::Repeated(_) | Written::TooOften(_)) => {}
        Err(error) => return NotTaken::from(error),
    }
    refusal
}

fn details(report: &CallReport) -> CallDetails {
    CallDetails {
        agent_extension: report.agent.clone(),
        queue: report.queue.clone(),
        call_time: report.started.map(|at: Timestamp| at.to_string()),
        call_type: Some(report.call_type.as_str().to_owned()),
        duration_seconds: report.duration.map(|duration| duration.as_secs()),
        ..CallDetails::default()
    }
}

/// A missed call as the event that the webhook knows. Other calls ask for nothing; where a missed one does not, it says why.
fn asked_for(line: &Line, report: &CallReport) -> Result<webhook::Event, Option<Code>> {
    if report.call_type != CallType::Missed {
        return Err(None);
    }
    if !line.settings.call_event_enabled {
        return Err(Some(Code::CallEventsDisabled));
    }
    let phone = report.phone.ok_or(Code::MissingPhone)?;
    let body = json!({
        "event_type": "missed_call", "customer_phone": phone.e164(), "agent_extension": report.agent,
        "queue": report.queue, "call_time": report.started.map(|at| at.to_string()),
    });
    webhook::read(body.to_string().as_bytes()).map_err(|_| Some(Code::ValidationError))
}

fn of_invalid(invalid: InvalidReport) -> NotTaken {
    let code = match invalid {
        InvalidReport::NotJson => Code::InvalidJson,
        InvalidReport::CallType => Code::ValidationError,
    };
    NotTaken::from(ContractError::of(code).saying(invalid.to_string()))
}
