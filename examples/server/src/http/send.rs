//! Send: `POST /api/send-message`, the public contract's one endpoint.
//!
//! The hot path. It stands outside the layers of the other routes: what they do for a request (its id, a panic caught) is done here,
//! without a box more than the router needs.

use std::panic::AssertUnwindSafe;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request};
use axum::response::Response;
use futures_util::FutureExt;
use gatepost::{
    AccountId, AccountStore, Answer, ErrorClass, Hindrance, IdempotencyKey, KeyId, MessageId, MessageStatus, Mode, Origin, QuotaState,
    Scope, Sent, Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::authenticate;
use super::body;
use super::code::Code;
use super::complaint::{Complaint, Complaints};
use super::contract_error::{ContractError, Details, put_replayed};
use super::draft::{Asked, Draft};
use super::identity::Identity;
use super::rate_headers;
use super::request_id::RequestId;
use super::standing::Pauses;
use super::state::App;

/// Where it is.
pub(super) const PATH: &str = "/api/send-message";

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const WAIT_DEFAULT: Duration = Duration::from_secs(10);
const WAIT_SECONDS_MAX: u64 = 30;

/// Send a text message
///
/// The message passes the policy, is stored, and is handed to the provider. The answer waits for the provider for up to `wait` seconds:
/// 200 once it accepted the message, 202 where it did not yet (`queued`), where a person must release the message first (`held`), or
/// where nobody knows whether the provider has it (`unknown`). A repeated request whose message waits while its account or its instance is
/// paused is told `held`, with the reason `paused`.
///
/// A message that was accepted and will not be sent is an error, with `details.message_id` and `details.status`: 502 where the provider
/// refused it for good, 403 where the recipient opted out meanwhile or a person refused it, 503 where it could not be sent in time or its
/// provider could not be reached. None of them was sent, or will be: after a 503 try again as a new request.
#[utoipa::path(
    post,
    path = "/api/send-message",
    tag = "Messages",
    operation_id = "send_message",
    params(
        ("wait" = Option<u64>, Query, description = "How many seconds to wait for the provider.", minimum = 0, maximum = 30),
        ("Idempotency-Key" = Option<String>, Header, description = "A name for this request, so that repeating it within 24 hours sends \
            nothing twice: 1 to 255 visible ASCII characters.", max_length = 255, nullable = false),
        ("X-Request-Id" = Option<String>, Header, description = "A name for this try, echoed in the answer.", max_length = 128, nullable = false),
    ),
    request_body = Draft<'_>,
    security(("BearerAuth" = ["messages:send"])),
)]
pub(super) async fn send(State(app): State<App>, request: Request) -> Response {
    let request_id = RequestId::of(request.headers(), &**app.gateway.host());
    let answered = AssertUnwindSafe(answer(&app, request)).catch_unwind().await;
    match answered.unwrap_or_else(|_| Err(ContractError::of(Code::InternalError))) {
        Ok(success) => success.into_response(request_id),
        Err(error) => error.into_response(request_id),
    }
}

async fn answer(app: &App, request: Request) -> Result<Success, ContractError> {
    let (parts, body) = request.into_parts();
    let sender = Sender::of(authenticate(app, &parts).await?)?;
    let body = body::read_json(&parts.headers, body).await?;
    let (request, wait) = sender.read(&parts, &body)?;
    send_request(app, sender.account, request, wait).await
}

/// A message that was accepted, and a way to wait for what comes of it.
pub(super) struct Accepted {
    sent: Sent,
    receipt: Receipt,
    store: Arc<dyn AccountStore>,
}

/// Has a message of an account accepted.
pub(super) async fn accept(app: &App, account: AccountId, request: gatepost::Request) -> Result<Accepted, ContractError> {
    let account = app.gateway.account(account);
    let sent = account.send(request).await?;
    let receipt = Receipt::of(&sent.answer, app.now())?;
    Ok(Accepted { sent, receipt, store: account.store().clone() })
}

impl Accepted {
    /// The message.
    pub(super) const fn message(&self) -> MessageId {
        self.receipt.message
    }

    /// Whether it was accepted before.
    pub(super) const fn is_repeated(&self) -> bool {
        self.receipt.is_repeated
    }

    /// The rule that holds it, where a person must release it.
    pub(super) fn held_by(&self) -> Option<&'static str> {
        self.receipt.held.as_deref().and_then(Details::first_reason)
    }

    /// How far it got within so long; what will not be sent is an error.
    pub(super) async fn wait(self, wait: Duration) -> Result<MessageStatus, ContractError> {
        let Self { sent, receipt, store } = self;
        let status = settle(sent, receipt.status, wait).await;
        conclude(&*store, receipt, status).await.map(|success| success.status)
    }
}

async fn send_request(app: &App, account: AccountId, request: gatepost::Request, wait: Duration) -> Result<Success, ContractError> {
    let account = app.gateway.account(account);
    let store = &**account.store();
    if wait.is_zero() {
        let receipt = Receipt::of(&account.submit(request).await?, app.now())?;
        let status = receipt.status;
        return if receipt.is_repeated { conclude(store, receipt, status).await } else { receipt.conclude(status, None) };
    }
    let sent = account.send(request).await?;
    let receipt = Receipt::of(&sent.answer, app.now())?;
    let is_in_vain = receipt.is_repeated && is_held_by_a_pause(store, receipt.message).await;
    let status = if is_in_vain { receipt.status } else { settle(sent, receipt.status, wait).await };
    conclude(store, receipt, status).await
}

/// Waits until more is known than that the message is under way, for so long at most.
async fn settle(mut sent: Sent, known: MessageStatus, wait: Duration) -> MessageStatus {
    if !known.is_pending() {
        return known;
    }
    let settled = tokio::time::timeout(wait, settled(&mut sent)).await;
    match settled {
        Ok(Some(status)) => status,
        Ok(None) | Err(_) => sent.status().await.ok().flatten().unwrap_or(known),
    }
}

/// How often somebody who waits looks in the store: what another host has sent, nobody tells here.
const LOOK: Duration = Duration::from_millis(500);

/// Waits over all tries: a first one that failed may be followed by one that does not.
async fn settled(sent: &mut Sent) -> Option<MessageStatus> {
    loop {
        let told = tokio::time::timeout(LOOK, sent.settled()).await;
        let status = match told {
            Ok(status) => status,
            Err(_) => match sent.status().await {
                Ok(status) => status,
                Err(_) => continue,
            },
        };
        if !status.is_some_and(MessageStatus::is_pending) {
            return status;
        }
    }
}

/// The answer, where the status alone does not say it all: what a pause holds shows as held, and what was not sent has a reason.
async fn conclude(store: &dyn AccountStore, receipt: Receipt, status: MessageStatus) -> Result<Success, ContractError> {
    match status {
        MessageStatus::Queued if is_held_by_a_pause(store, receipt.message).await => {
            let held = Some(Box::new(Details::of_pause()));
            Receipt { held, ..receipt }.conclude(MessageStatus::Held, None)
        }
        MessageStatus::Canceled | MessageStatus::Expired | MessageStatus::Failed => {
            let message = store.message(receipt.message).await.ok().flatten();
            receipt.conclude(status, message.and_then(|message| message.error))
        }
        _ => receipt.conclude(status, None),
    }
}

/// Whether a pause is why a message waits. Where that cannot be read, the message just waits.
async fn is_held_by_a_pause(store: &dyn AccountStore, message: MessageId) -> bool {
    let Ok(Some(message)) = store.message(message).await else { return false };
    let pauses = Pauses::over(store, slice::from_ref(&message)).await.unwrap_or_default();
    pauses.standing(&message).held_by == Some(Hindrance::Paused)
}

/// An account's key that may send.
struct Sender {
    account: AccountId,
    mode: Mode,
    key: KeyId,
}

impl Sender {
    fn of(identity: Identity) -> Result<Self, ContractError> {
        match identity {
            Identity::Account { account, mode, key, .. } if identity.may(Scope::MessagesSend) => Ok(Self { account, mode, key }),
            Identity::Account { .. } => Err(ContractError::of(Code::InsufficientScope).saying("sending needs the scope `messages:send`")),
            Identity::Operator { .. } => Err(ContractError::of(Code::InsufficientScope).saying("sending needs the API key of an account")),
        }
    }

    /// Reads what is to be sent, and how long to wait for it.
    fn read(&self, parts: &request::Parts, body: &[u8]) -> Result<(gatepost::Request, Duration), ContractError> {
        let draft = Draft::parse(body).map_err(|place| ContractError::of(Code::InvalidJson).saying(place))?;
        let mut complaints = Complaints::default();
        let asked = draft.examine(&mut complaints);
        let key = complaints.note(idempotency_key(&parts.headers));
        let wait = complaints.note(wait(parts.uri.query()));
        match (asked, key, wait) {
            (Some(asked), Some(key), Some(wait)) => Ok((self.request(asked, key), wait)),
            _ => Err(ContractError::of_complaints(complaints)),
        }
    }

    fn request(&self, asked: Asked, idempotency_key: Option<IdempotencyKey>) -> gatepost::Request {
        let Asked { instance, recipient, content, purpose } = asked;
        let origin = Origin::Api(self.key);
        gatepost::Request { instance, recipient, purpose, content, idempotency_key, ordered: false, origin, mode: self.mode }
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Complaint> {
    let complain = |message| Complaint::new("Idempotency-Key", message);
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(complain("expected one header of this name".to_owned()));
    }
    let key = value.to_str().unwrap_or_default().parse::<IdempotencyKey>();
    key.map(Some).map_err(|error| complain(error.to_string()))
}

/// How long a caller wants to wait for the provider.
pub(super) fn wait_of(query: Option<&str>) -> Result<Duration, ContractError> {
    let mut complaints = Complaints::default();
    complaints.note(wait(query)).ok_or_else(|| ContractError::of_complaints(complaints))
}

fn wait(query: Option<&str>) -> Result<Duration, Complaint> {
    let mut values = query.into_iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.strip_prefix("wait="));
    let Some(text) = values.next() else { return Ok(WAIT_DEFAULT) };
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && values.next().is_none();
    let seconds = text.parse().ok().filter(|seconds| is_plain && *seconds <= WAIT_SECONDS_MAX);
    seconds.map(Duration::from_secs).ok_or_else(|| Complaint::new("wait", "expected one number of seconds from 0 to 30"))
}

/// What the caller holds once the message is stored.
pub(super) struct Receipt {
    message: MessageId,
    log_id: u64,
    status: MessageStatus,
    is_repeated: bool,
    quota: Option<(QuotaState, Timestamp)>,
    held: Option<Box<Details>>,
}

impl Receipt {
    /// The message.
    pub(super) const fn message(&self) -> MessageId {
        self.message
    }

    pub(super) fn of(answer: &Answer, now: Timestamp) -> Result<Self, ContractError> {
        match answer {
            Answer::Accepted(accepted) => Ok(Self {
                message: accepted.message,
                log_id: accepted.log_id,
                status: accepted.status,
                is_repeated: false,
                quota: Some((accepted.quota, now)),
                held: (accepted.status == MessageStatus::Held).then(|| Box::new(Details::of_hold(&accepted.decision))),
            }),
            Answer::Repeated { message, log_id, status } => {
                Ok(Self { message: *message, log_id: *log_id, status: *status, is_repeated: true, quota: None, held: None })
            }
            Answer::KeyReused => Err(ContractError::of(Code::IdempotencyKeyReused)),
            Answer::Refused { log_id, decision, quota, key } => Err(ContractError::of_refusal(*log_id, decision, *quota, now).by_key(*key)),
            Answer::UnknownInstance => Err(ContractError::of(Code::InvalidInstance)),
            Answer::Undecided => Err(ContractError::of(Code::InternalError)),
        }
    }

    fn conclude(self, status: MessageStatus, error: Option<ErrorClass>) -> Result<Success, ContractError> {
        let (code, word) = match status {
            MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Read => (StatusCode::OK, status.as_str()),
            MessageStatus::Held | MessageStatus::Unknown => (StatusCode::ACCEPTED, status.as_str()),
            // The contract has one word for all that is not with the provider yet.
            MessageStatus::Queued | MessageStatus::Sending => (StatusCode::ACCEPTED, MessageStatus::Queued.as_str()),
            MessageStatus::Canceled | MessageStatus::Expired | MessageStatus::Failed | MessageStatus::Refused => {
                return Err(ContractError::of_ending(self.message, self.log_id, status, error).repeated(self.is_repeated));
            }
        };
        Ok(Success { code, word, status, receipt: self })
    }
}

/// A message that was sent, or is on its way.
struct Success {
    code: StatusCode,
    word: &'static str,
    status: MessageStatus,
    receipt: Receipt,
}

/// The answer to a message that was accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = SendAnswer, example = json!({
    "success": true, "status": "sent", "message_id": "msg_01kanqh5s0e8t9v2xw3yz4abcd", "log_id": 1
}))]
pub(super) struct SuccessShape<'a> {
    /// Always `true`.
    success: bool,
    /// `sent` once the provider accepted it; `queued`, `held` or `unknown` before; a repeated request also learns of `delivered` and
    /// `read`.
    #[schema(value_type = String)]
    status: &'static str,
    /// The message's id.
    #[schema(value_type = String)]
    message_id: MessageId,
    /// The place in the account's send log.
    log_id: u64,
    /// Why a message is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a Details>,
}

impl Success {
    fn into_response(self, request_id: RequestId) -> Response {
        let Self { code, word, receipt, .. } = self;
        let Receipt { message, log_id, held, .. } = &receipt;
        let shape = SuccessShape { success: true, status: word, message_id: *message, log_id: *log_id, details: held.as_deref() };
        let mut response = Response::new(Body::from(serde_json::to_vec(&shape).unwrap_or_default()));
        *response.status_mut() = code;
        let headers = response.headers_mut();
        headers.reserve(6);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if receipt.is_repeated {
            put_replayed(headers);
        }
        if let Some((quota, now)) = &receipt.quota {
            rate_headers::put_on(headers, quota, *now);
        }
        request_id.put_on(headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_decided_is_our_fault() {
        let answered = Receipt::of(&Answer::Undecided, Timestamp::default());
        let response = answered.err().map(|error| error.into_response(RequestId::of(&HeaderMap::new(), &gatepost_system::System)));
        assert_eq!(response.map(|response| response.status()), Some(StatusCode::INTERNAL_SERVER_ERROR));
    }

    #[test]
    fn each_status_has_its_word() {
        for (status, expected) in [
            (MessageStatus::Queued, Some((202, "queued"))),
            (MessageStatus::Sending, Some((202, "queued"))),
            (MessageStatus::Held, Some((202, "held"))),
            (MessageStatus::Unknown, Some((202, "unknown"))),
            (MessageStatus::Sent, Some((200, "sent"))),
            (MessageStatus::Delivered, Some((200, "delivered"))),
            (MessageStatus::Read, Some((200, "read"))),
            (MessageStatus::Canceled, None),
            (MessageStatus::Expired, None),
            (MessageStatus::Failed, None),
            (MessageStatus::Refused, None),
        ] {
            let repeated = Answer::Repeated { message: MessageId::from_bytes([1; 16]), log_id: 7, status };
            let receipt = Receipt::of(&repeated, Timestamp::default()).unwrap_or_else(|_| panic!("{status}"));
            let concluded = receipt.conclude(status, None).ok().map(|success| (success.code.as_u16(), success.word));
            assert_eq!(concluded, expected, "{status}");
        }
    }

    #[test]
    fn a_wait_is_a_plain_number_of_seconds_up_to_thirty() {
        for (query, expected) in [
            (None, Some(10)),
            (Some("other=1"), Some(10)),
            (Some("wait=0"), Some(0)),
            (Some("a=b&wait=30"), Some(30)),
            (Some("wait=31"), None),
            (Some("wait=+5"), None),
            (Some("wait=-1"), None),
            (Some("wait="), None),
            (Some("wait=1.5"), None),
            (Some("wait=1&wait=2"), None),
        ] {
            assert_eq!(wait(query).ok(), expected.map(Duration::from_secs), "{query:?}");
        }
    }
}
