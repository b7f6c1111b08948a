//! Webhook: how an event goes to an endpoint, and what its answer means.
//!
//! Its addresses are judged anew at each attempt, the body is signed with the secrets that are live then, and the bytes signed are the
//! bytes sent. Whatever comes back is read here: 2xx is success and nothing else is; 410 disables the endpoint; 429, and 503 with a
//! `Retry-After`, put the event off; `webhook-delivery: disable` and `abort-message` are done. Everything else is tried again.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::opened::OpenedEndpoints;
use crate::{
    AccountId, BODY_BYTES_MAX, CustomHeaders, Destination, DestinationPolicy, DisabledBy, Endpoint, EndpointId, EndpointSecrets,
    ErrorClass, EventHead, HeaderName, HttpAnswer, HttpFailure, HttpFailureClass, HttpMethod, HttpRequest, HttpSend, Keyring, Notice,
    Outcome, Report, SealedFor, SealedKind, Timestamp, Unsealable, sign,
};

/// How much of an answer's body is kept for the operator's log.
const EXCERPT_CHARS_MAX: usize = 1_024;

/// Everything it takes to deliver events.
pub struct Webhooks {
    http: Arc<dyn HttpSend>,
    policy: DestinationPolicy,
    keyring: Keyring,
    opened: OpenedEndpoints<Opened>,
}

/// What an endpoint's text and sealed values say.
struct Opened {
    destination: Destination,
    secrets: EndpointSecrets,
    headers: CustomHeaders,
}

impl Webhooks {
    /// Delivers by `http`, to destinations that `policy` allows, with secrets that `keyring` opens.
    ///
    /// `http` judges addresses by a policy of its own; give it the same one.
    pub fn new(http: Arc<dyn HttpSend>, policy: DestinationPolicy, keyring: Keyring) -> Self {
        Self { http, policy, keyring, opened: OpenedEndpoints::default() }
    }

    /// The policy that destinations are judged by.
    pub const fn policy(&self) -> &DestinationPolicy {
        &self.policy
    }

    /// The keyring that secrets are sealed with.
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Delivers one event: what became of it, and what was seen.
    pub async fn deliver(&self, account: AccountId, notice: &Notice, deadline: Timestamp, now: Timestamp) -> (Outcome, Report) {
        let Notice { event, as_name, endpoint } = notice;
        let id = event.id.to_string();
        let head = EventHead { id: &id, event: as_name.as_str(), now };
        match self.post(account, endpoint, &head, event.body(*as_name), deadline).await {
            Ok(answer) => read_answer(&answer),
            Err(unsent) => unsent.read(),
        }
    }

    /// Posts a signed body to an endpoint, whatever its state.
    pub(crate) async fn post(
        &self,
        account: AccountId,
        endpoint: &Endpoint,
        head: &EventHead<'_>,
        body: Vec<u8>,
        deadline: Timestamp,
    ) -> Result<HttpAnswer, Unsent> {
        let opened = self.open(account, endpoint)?;
        let (destination, headers) = (opened.destination.clone(), headers(&opened, head, &body));
        let (body, answer_bytes_max) = (body.into(), BODY_BYTES_MAX);
        let request = HttpRequest { method: HttpMethod::Post, destination, headers, body, deadline, repeatable: true, answer_bytes_max };
        self.http.send(request).await.map_err(Unsent::Http)
    }

    fn open(&self, account: AccountId, endpoint: &Endpoint) -> Result<Arc<Opened>, Unsent> {
        self.opened.get_or_open(endpoint, || {
            Ok(Opened {
                destination: self.policy.parse(endpoint.url.as_str()).map_err(|refusal| Unsent::Url(refusal.operator_detail()))?,
                secrets: open_secrets(&self.keyring, account, endpoint).map_err(Unsent::Sealed)?,
                headers: open_headers(&self.keyring, account, endpoint).map_err(Unsent::Sealed)?,
            })
        })
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("policy", &self.policy).finish_non_exhaustive()
    }
}

pub(crate) fn sealed_for(account: AccountId, endpoint: EndpointId, kind: SealedKind) -> SealedFor {
    SealedFor { account, kind, row: endpoint.to_bytes() }
}

/// The signing secrets of an endpoint.
pub(crate) fn open_secrets(keyring: &Keyring, account: AccountId, endpoint: &Endpoint) -> Result<EndpointSecrets, Unsealable> {
    let plain = keyring.open(sealed_for(account, endpoint.id, SealedKind::EndpointSecrets), &endpoint.secrets)?;
    EndpointSecrets::from_bytes(&plain).map_err(|_| Unsealable::Malformed)
}

fn open_headers(keyring: &Keyring, account: AccountId, endpoint: &Endpoint) -> Result<CustomHeaders, Unsealable> {
    let Some(headers) = &endpoint.headers else { return Ok(CustomHeaders::default()) };
    let plain = keyring.open(sealed_for(account, endpoint.id, SealedKind::EndpointHeaders), &headers.sealed)?;
    serde_json::from_slice(&plain).map_err(|_| Unsealable::Malformed)
}

/// The customer's headers first, so that ours are the last word.
fn headers(opened: &Opened, head: &EventHead<'_>, body: &[u8]) -> Vec<(HeaderName, String)> {
    let own = opened.headers.iter().map(|(name, value)| (Cow::Owned(name.to_string()), value.to_string()));
    let content_type = (Cow::Borrowed("content-type"), String::from("application/json"));
    own.chain([content_type]).chain(sign(head, body, &opened.secrets)).collect()
}

/// Why nothing came back.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// The policy does not allow the URL any more.
    Url(String),
    /// The endpoint's secrets cannot be opened.
    Sealed(Unsealable),
    /// The request failed.
    Http(HttpFailure),
}

impl Unsent {
    pub(crate) fn read(self) -> (Outcome, Report) {
        match self {
            Self::Url(detail) => {
                let report = Report { detail: Some(detail), disables: Some(DisabledBy::Forbidden), ..Report::default() };
                (Outcome::Blocked { class: ErrorClass::Forbidden }, report)
            }
            Self::Sealed(error) => {
                // The keyring of this host lacks a root: another host, or this one mended, can deliver it.
                let report = Report { detail: Some(error.to_string()), ..Report::default() };
                (Outcome::Failed { class: ErrorClass::Interrupted, retry_after: None }, report)
            }
            Self::Http(failure) => read_failure(failure),
        }
    }
}

fn read_failure(failure: HttpFailure) -> (Outcome, Report) {
    let outcome = failure.outcome();
    let HttpFailure { class, detail, trace, .. } = failure;
    let detail = match class {
        HttpFailureClass::Blocked(refusal) => refusal.operator_detail(),
        _ => detail,
    };
    let report = Report { peer: trace.peer, took: trace.took, resent: trace.resent, detail: Some(detail), ..Report::default() };
    (outcome, report)
}

fn read_answer(answer: &HttpAnswer) -> (Outcome, Report) {
    let wish = answer.header("webhook-delivery").map(str::trim);
    let is_success = (200..300).contains(&answer.status);
    let retry_after = answer.retry_after();
    let outcome = match answer.status {
        _ if is_success => Outcome::Sent { external_id: None },
        _ if wish == Some("abort-message") => Outcome::Failed { class: ErrorClass::Aborted, retry_after: None },
        410 => Outcome::Failed { class: ErrorClass::Gone, retry_after: None },
        429 => Outcome::Failed { class: ErrorClass::Throttled, retry_after },
        503 if retry_after.is_some() => Outcome::Failed { class: ErrorClass::Throttled, retry_after },
        _ => Outcome::Failed { class: ErrorClass::ErrorStatus, retry_after },
    };
    let excerpt = (!is_success && !answer.body.is_empty()).then(|| excerpt(&answer.body));
    let report = Report {
        status: Some(answer.status),
        peer: answer.trace.peer,
        took: answer.trace.took,
        resent: answer.trace.resent,
        excerpt,
        detail: None,
        disables: (wish == Some("disable")).then_some(DisabledBy::Asked),
    };
    (outcome, report)
}

fn excerpt(body: &[u8]) -> String {
    let readable = |character: &char| !character.is_control() || character.is_whitespace();
    String::from_utf8_lossy(body).chars().filter(readable).take(EXCERPT_CHARS_MAX).collect()
}
