//! Contract error: a refusal in the shape of the public contract.
//!
//! `{"success":false,"error":"...","message":"...","details":{...},"request_id":"..."}`. The table that maps what the policy decided to
//! a code is [`of_rule`].

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use gatepost::{
    Decision, ErrorClass, Evidence, Fact, Hindrance, KeyRefusal, KeyState, MessageId, MessageStatus, QuotaState, RuleId, StoreError,
    Timestamp, Verdict,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Unauthenticated;
use super::code::Code;
use super::complaint::{Complaint, Complaints};
use super::rate_headers;
use super::request_id::RequestId;
use super::words::{ErrorWord, StatusWord};

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A refusal under `/api`.
#[derive(Debug)]
pub(super) struct ContractError {
    code: Code,
    message: Cow<'static, str>,
    details: Option<Box<Details>>,
    retry_after: Option<Duration>,
    quota: Option<Box<(QuotaState, Timestamp)>>,
    is_repeated: bool,
    cause: Option<StoreError>,
}

/// What more is known of a refusal, or of a message that is held.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ContractDetails)]
pub(super) struct Details {
    /// What the policy does with the message: `block`, `throttle`, `pause` or `hold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "block")]
    action: Option<&'static str>,
    /// How risky the message looks, from 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk_score: Option<u8>,
    /// How much the plan allows in the window that is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// How much of it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
    /// The names of all rules that found something; `paused` where a pause holds the message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    reasons: Vec<&'static str>,
    /// All fields that are missing or wrong, in the order of the contract.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Complaint>,
    /// The message that was accepted before it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    message_id: Option<MessageId>,
    /// The place in the account's send log.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_id: Option<u64>,
    /// How far the message got.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusWord>,
    /// Why it got no further.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorWord>,
}

/// An error under `/api`.
#[derive(Serialize, ToSchema)]
#[schema(as = ContractError, example = json!({
    "success": false, "error": "daily_limit_exceeded", "message": "the limit of the day is reached",
    "details": {"action": "throttle", "risk_score": 0, "limit": 100, "used": 100, "reasons": ["daily_limit"], "log_id": 101},
    "request_id": "req_0193c5a1f2e84b7d9a6c3e5f70812b4d"
}))]
pub(super) struct ErrorShape<'a> {
    /// Always `false`.
    success: bool,
    /// The code of the error, for programs.
    error: &'a str,
    /// The error, for people.
    message: &'a str,
    /// What more is known; absent where there is nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a Details>,
    /// The name of the request, to quote when you ask about it.
    request_id: &'a str,
}

impl Details {
    /// Why a message is held.
    pub(super) fn of_hold(decision: &Decision) -> Self {
        Self { action: Some("hold"), ..Self::of_decision(decision) }
    }

    /// That a message waits until its account or its instance is resumed.
    pub(super) fn of_pause() -> Self {
        Self { action: Some("pause"), reasons: vec![Hindrance::Paused.as_str()], ..Self::default() }
    }

    /// The first of the reasons.
    pub(super) fn first_reason(&self) -> Option<&'static str> {
        self.reasons.first().copied()
    }

    fn of_decision(decision: &Decision) -> Self {
        let reasons = decision.reasons.iter().map(|reason| reason.rule.as_str()).collect();
        Self { risk_score: Some(decision.risk_score), reasons, ..Self::default() }
    }
}

impl ContractError {
    /// An error of which its code says all.
    pub(super) fn of(code: Code) -> Self {
        Self { code, message: Cow::Borrowed(code.text()), details: None, retry_after: None, quota: None, is_repeated: false, cause: None }
    }

    /// The same error in other words.
    pub(super) fn saying(self, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// Which error it is.
    pub(super) const fn code(&self) -> Code {
        self.code
    }

    /// It in words.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether it says nothing of what was asked, but that the gateway cannot answer now.
    pub(super) fn is_ours(&self) -> bool {
        self.code.status().is_server_error() && self.details.is_none()
    }

    /// The same error, to be tried again after so long.
    pub(super) fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// In how many seconds to try again, where that is known.
    pub(super) fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(seconds_up).or((self.code == Code::Unavailable).then_some(1))
    }

    /// The same error, for a request that was made before.
    pub(super) fn repeated(self, is_repeated: bool) -> Self {
        Self { is_repeated, ..self }
    }

    /// What is wrong with the fields of a request; the first of them gives it its name.
    pub(super) fn of_complaints(complaints: Complaints) -> Self {
        let Some((code, message)) = complaints.iter().next().map(|first| (first.code(), first.sentence())) else {
            return Self::of(Code::ValidationError);
        };
        let details = Details { fields: complaints.into_vec(), ..Details::default() };
        Self { details: Some(Box::new(details)), ..Self::of(code).saying(message) }
    }

    /// What the policy decided against.
    pub(super) fn of_refusal(log_id: u64, decision: &Decision, quota: QuotaState, now: Timestamp) -> Self {
        let deciding = decision.deciding();
        let (code, action) = deciding.map_or((Code::PolicyViolation, "block"), |reason| of_rule(reason.rule));
        let (limit, used) = match deciding.map(|reason| reason.evidence) {
            Some(Evidence::Limit { limit, used, .. }) => (Some(limit), Some(used)),
            _ => (None, None),
        };
        let retry_after = match decision.verdict {
            Verdict::Throttle { retry_at } => Some(retry_at.since(now)),
            Verdict::Allow | Verdict::Hold | Verdict::Block => None,
        };
        let details = Details { action: Some(action), limit, used, log_id: Some(log_id), ..Details::of_decision(decision) };
        let text = deciding.map_or(code.text(), |reason| reason.rule.text());
        Self { details: Some(Box::new(details)), retry_after, quota: Some(Box::new((quota, now))), ..Self::of(code).saying(text) }
    }

    /// The same refusal, where it is one of the key: a key that ended by itself was not revoked.
    pub(super) fn by_key(self, key: Fact<KeyState>) -> Self {
        let has_expired = self.code == Code::RevokedApiKey && key.known() == Some(&KeyState::Expired);
        Self { code: if has_expired { Code::InvalidApiKey } else { self.code }, ..self }
    }

    /// What became of a message that was accepted, but will not be sent.
    pub(super) fn of_ending(message: MessageId, log_id: u64, status: MessageStatus, error: Option<ErrorClass>) -> Self {
        let (code, text) = match (status, error) {
            (MessageStatus::Canceled, _) => (Code::RecipientSuppressed, Code::RecipientSuppressed.text()),
            (MessageStatus::Refused, _) => (Code::PolicyViolation, "a person refused the message"),
            (MessageStatus::Failed, Some(ErrorClass::WindowClosed)) => {
                (Code::ConversationWindowClosed, Code::ConversationWindowClosed.text())
            }
            (MessageStatus::Failed, Some(ErrorClass::OptedOut)) => (Code::RecipientSuppressed, Code::RecipientSuppressed.text()),
            (MessageStatus::Failed, Some(ErrorClass::Misconfigured)) => {
                (Code::Unavailable, "the instance is not set up as its provider wants it, and the message was not sent")
            }
            (MessageStatus::Failed, Some(ErrorClass::Unsupported)) => {
                (Code::GatewaySendFailed, "the instance's provider carries no such content, or not to such an address")
            }
            (MessageStatus::Failed, Some(class)) if class.is_of_provider() => (Code::GatewaySendFailed, Code::GatewaySendFailed.text()),
            (MessageStatus::Expired, _) => (Code::Unavailable, "the message could not be sent in time, and was not sent"),
            (_, Some(ErrorClass::NoTransport)) => {
                (Code::Unavailable, "the instance's provider is not set up, and the message was not sent")
            }
            _ => (Code::Unavailable, "the provider could not be reached, and the message was not sent"),
        };
        let action = matches!(status, MessageStatus::Canceled | MessageStatus::Refused).then_some("block");
        let (status, error) = (Some(StatusWord(status)), error.map(ErrorWord));
        let details = Details { action, message_id: Some(message), log_id: Some(log_id), status, error, ..Details::default() };
        Self { details: Some(Box::new(details)), ..Self::of(code).saying(text) }
    }

    /// The answer.
    pub(super) fn into_response(self, request_id: RequestId) -> Response {
        if self.code.status().is_server_error() {
            tracing::error!(request_id = request_id.as_str(), code = self.code.name(), cause = ?self.cause, "a request failed");
        }
        let shape = ErrorShape {
            success: false,
            error: self.code.name(),
            message: &self.message,
            details: self.details.as_deref(),
            request_id: request_id.as_str(),
        };
        let body = serde_json::to_vec(&shape).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.code.status();
        self.put_headers(response.headers_mut());
        request_id.put_on(response.headers_mut());
        response
    }

    fn put_headers(&self, headers: &mut HeaderMap) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        put_retry_after(headers, self.code, self.retry_after);
        if self.is_repeated {
            put_replayed(headers);
        }
        if let Some((quota, now)) = self.quota.as_deref() {
            rate_headers::put_on(headers, quota, *now);
        }
    }
}

/// Says that nothing new was sent.
pub(super) fn put_replayed(headers: &mut HeaderMap) {
    headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
}

/// What a caller who is refused must know before the next try: how long to wait, or how to authenticate.
pub(super) fn put_retry_after(headers: &mut HeaderMap, code: Code, wait: Option<Duration>) {
    if let Some(wait) = wait {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds_up(wait)));
    } else if code == Code::Unavailable {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if matches!(code, Code::InvalidApiKey | Code::RevokedApiKey) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}

/// Whole seconds, rounded up and at least one: who comes back then is not sent away again.
fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// The code and the action of a refusal by this rule. Whatever judges the content or its risk is a `policy_violation`.
const fn of_rule(rule: RuleId) -> (Code, &'static str) {
    match rule {
        RuleId::KeyNotInForce => (Code::RevokedApiKey, "block"),
        RuleId::AccountSuspended => (Code::AccountSuspended, "block"),
        RuleId::AccountPaused => (Code::AccountPaused, "pause"),
        RuleId::InstancePaused => (Code::InstancePaused, "pause"),
        RuleId::InstanceNotConnected => (Code::InstanceNotConnected, "block"),
        RuleId::RecipientSuppressed => (Code::RecipientSuppressed, "block"),
        RuleId::PurposeNotAllowed => (Code::MessagePurposeNotAllowed, "block"),
        RuleId::ConversationWindowClosed => (Code::ConversationWindowClosed, "block"),
        RuleId::MonthlyLimit => (Code::MonthlyLimitExceeded, "throttle"),
        RuleId::DailyLimit => (Code::DailyLimitExceeded, "throttle"),
        RuleId::AccountVelocity | RuleId::InstanceVelocity | RuleId::RecipientVelocity => (Code::SendingThrottled, "throttle"),
        _ => (Code::PolicyViolation, "block"),
    }
}

impl From<Code> for ContractError {
    fn from(code: Code) -> Self {
        Self::of(code)
    }
}

impl From<Unauthenticated> for ContractError {
    fn from(reason: Unauthenticated) -> Self {
        match reason {
            Unauthenticated::InUrl => Self::of(Code::ApiKeyInUrl),
            Unauthenticated::Refused(KeyRefusal::Revoked) => Self::of(Code::RevokedApiKey),
            Unauthenticated::Refused(_) => Self::of(Code::InvalidApiKey),
            Unauthenticated::TooOften(wait) => Self { retry_after: Some(wait), ..Self::of(Code::RateLimited) },
            Unauthenticated::Store(error) => Self::from(error),
        }
    }
}

impl From<StoreError> for ContractError {
    fn from(error: StoreError) -> Self {
        let (code, text) = of_store_error(&error);
        Self { cause: Some(error), ..Self::of(code).saying(text) }
    }
}

/// What a caller is told of the store: whether to try again, and whether that is safe.
pub(super) const fn of_store_error(error: &StoreError) -> (Code, &'static str) {
    match error {
        StoreError::Conflict | StoreError::Unavailable(_) => (Code::Unavailable, Code::Unavailable.text()),
        StoreError::OutcomeUnknown(_) => (
            Code::Unavailable,
            "it is not known whether this was written; look before you try again, or repeat it under its `Idempotency-Key`",
        ),
        StoreError::Corrupt(_) | StoreError::Unwritable(_) => (Code::InternalError, Code::InternalError.text()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use gatepost::{Effect, Group, Plan, Reason, Usage, Windows, Zone};

    fn blocked_by(rule: Option<RuleId>) -> ContractError {
        let now = Timestamp::default();
        let reason = |rule| Reason { rule, effect: Effect::Block, points: 85, evidence: Evidence::None, decides: true };
        let decision = Decision { verdict: Verdict::Block, risk_score: 85, reasons: rule.map(reason).into_iter().collect() };
        let usage = Usage { windows: Windows::at(now, &Zone::utc()), day: 0, month: 0 };
        ContractError::of_refusal(7, &decision, QuotaState { limits: Plan::Starter.limits(), usage }, now)
    }

    #[test]
    fn every_rule_has_its_status_code_and_action() {
        let (of_state, of_content): (Vec<RuleId>, Vec<RuleId>) = RuleId::ALL.iter().partition(|rule| rule.group() == Group::State);
        assert!(of_content.into_iter().all(|rule| of_rule(rule) == (Code::PolicyViolation, "block")));
        let rows: Vec<String> = of_state
            .iter()
            .map(|rule| {
                let (code, action) = of_rule(*rule);
                format!("{rule}: {} {} {action}", code.status().as_u16(), code.name())
            })
            .collect();
        assert_eq!(
            rows,
            [
                "key_not_in_force: 401 revoked_api_key block",
                "account_suspended: 403 account_suspended block",
                "account_paused: 403 account_paused pause",
                "instance_paused: 403 instance_paused pause",
                "instance_not_connected: 409 instance_not_connected block",
                "recipient_suppressed: 403 recipient_suppressed block",
                "purpose_not_allowed: 422 message_purpose_not_allowed block",
                "conversation_window_closed: 409 conversation_window_closed block",
                "monthly_limit: 429 monthly_limit_exceeded throttle",
                "daily_limit: 429 daily_limit_exceeded throttle",
                "account_velocity: 429 sending_throttled throttle",
                "instance_velocity: 429 sending_throttled throttle",
                "recipient_velocity: 429 sending_throttled throttle",
                "opt_out_suspected: 403 policy_violation block",
                "account_supervised: 403 policy_violation block",
                "risk_review: 403 policy_violation block",
                "risk_block: 403 policy_violation block",
                "fact_missing: 403 policy_violation block",
            ]
        );
    }

    #[test]
    fn policy_violation() {
        for (rule, reasons) in [(Some(RuleId::FactMissing), vec!["fact_missing"]), (None, vec![])] {
            let error = blocked_by(rule);
            let details = error.details.as_deref().unwrap();
            assert_eq!((error.code, details.action, details.risk_score), (Code::PolicyViolation, Some("block"), Some(85)));
            assert_eq!((&details.reasons, details.log_id), (&reasons, Some(7)));
        }
    }

    #[test]
    fn a_store_that_may_have_written_does_not_say_that_it_has_not() {
        for (error, code) in [
            (StoreError::Conflict, Code::Unavailable),
            (StoreError::Unavailable("full".to_owned()), Code::Unavailable),
            (StoreError::OutcomeUnknown("cut off".to_owned()), Code::Unavailable),
            (StoreError::Corrupt("a row".to_owned()), Code::InternalError),
            (StoreError::Unwritable("a value".to_owned()), Code::InternalError),
        ] {
            let claims_nothing_written = ContractError::from(error.clone()).message.contains("nothing was written");
            assert_eq!(ContractError::from(error.clone()).code, code);
            assert_eq!(claims_nothing_written, matches!(error, StoreError::Conflict | StoreError::Unavailable(_)));
        }
    }

    #[test]
    fn an_ending_that_is_no_success_says_why() {
        let message = MessageId::from_bytes([1; 16]);
        for (status, class, code) in [
            (MessageStatus::Failed, Some(ErrorClass::Refused), Code::GatewaySendFailed),
            (MessageStatus::Failed, Some(ErrorClass::Undeliverable), Code::GatewaySendFailed),
            (MessageStatus::Failed, Some(ErrorClass::WindowClosed), Code::ConversationWindowClosed),
            (MessageStatus::Failed, Some(ErrorClass::OptedOut), Code::RecipientSuppressed),
            (MessageStatus::Failed, Some(ErrorClass::Unsupported), Code::GatewaySendFailed),
            (MessageStatus::Failed, Some(ErrorClass::Misconfigured), Code::Unavailable),
            (MessageStatus::Failed, Some(ErrorClass::NoTransport), Code::Unavailable),
            (MessageStatus::Failed, Some(ErrorClass::Unreachable), Code::Unavailable),
            (MessageStatus::Failed, None, Code::Unavailable),
            (MessageStatus::Expired, Some(ErrorClass::Expired), Code::Unavailable),
            (MessageStatus::Canceled, Some(ErrorClass::Suppressed), Code::RecipientSuppressed),
            (MessageStatus::Refused, None, Code::PolicyViolation),
        ] {
            let error = ContractError::of_ending(message, 7, status, class);
            assert!(!error.message.contains("nothing was written"), "{}", error.message);
            let details = error.details.as_deref().unwrap();
            assert_eq!((error.code, details.message_id, details.status), (code, Some(message), Some(StatusWord(status))));
        }
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_rounded_up() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            assert_eq!(seconds_up(Duration::from_millis(millis)), seconds);
        }
    }
}
