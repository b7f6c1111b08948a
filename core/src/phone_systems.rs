//! Phone systems: how an event goes to the phone system of an integration, and what its answer means.
//!
//! It goes the way of every event: judged anew at each attempt, bounded in time, repeated under the same id until it is taken. But it is put into the
//! phone system's words ([`PhoneWords`]) and not signed: its URL is the secret. 2xx is success. An answer that says the body cannot be taken
//! (400, 413, 415, 422) ends it, so that it holds up nothing of its conversation; everything else is tried again.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::opened::OpenedEndpoints;
use crate::webhook::Unsent;
use crate::{
    AccountId, BODY_BYTES_MAX, Destination, DestinationPolicy, Endpoint, ErrorClass, Event, EventName, HttpAnswer, HttpMethod, HttpRequest,
    HttpSend, HttpTrace, Keyring, Notice, Outcome, Phone, PhoneLine, Report, Timestamp,
};

/// Puts events into the words of a phone system.
pub trait PhoneWords: Send + Sync {
    /// The body of an event that goes under this name to the trunk of this number.
    ///
    /// # Errors
    ///
    /// Where it cannot be said there; why, for the operator's log, without what was said.
    fn body(&self, account: AccountId, event: &Event, as_name: EventName, number: Phone, now: Timestamp) -> Result<Vec<u8>, &'static str>;
}

/// Everything it takes to post to phone systems.
pub struct PhoneSystems {
    http: Arc<dyn HttpSend>,
    policy: DestinationPolicy,
    keyring: Keyring,
    words: Arc<dyn PhoneWords>,
    opened: OpenedEndpoints<Opened>,
}

/// What an endpoint's sealed line says.
struct Opened {
    destination: Destination,
    number: Phone,
}

impl PhoneSystems {
    /// Posts by `http`, to destinations that `policy` allows, at URLs that `keyring` opens, in these words.
    ///
    /// `http` judges addresses by a policy of its own; give it the same one. It may be a wider one than that of customers' endpoints: phone
    /// systems often stand in a network of the operator's own.
    pub fn new(http: Arc<dyn HttpSend>, policy: DestinationPolicy, keyring: Keyring, words: Arc<dyn PhoneWords>) -> Self {
        Self { http, policy, keyring, words, opened: OpenedEndpoints::default() }
    }

    /// The policy that phone systems are judged by.
    pub const fn policy(&self) -> &DestinationPolicy {
        &self.policy
    }

    /// The keyring that lines are sealed with.
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Posts one event: what became of it, and what was seen.
    pub async fn deliver(&self, account: AccountId, notice: &Notice, deadline: Timestamp, now: Timestamp) -> (Outcome, Report) {
        let Notice { event, as_name, endpoint } = notice;
        let opened = match self.open(account, endpoint) {
            Ok(opened) => opened,
            Err(unsent) => return unsent.read(),
        };
        let body = match self.words.body(account, event, *as_name, opened.number, now) {
            Ok(body) => body,
            Err(why) => {
                let report = Report { detail: Some(String::from(why)), ..Report::default() };
                return (Outcome::Failed { class: ErrorClass::Unsupported, retry_after: None }, report);
            }
        };
        let (destination, headers) =
            (opened.destination.clone(), [(Cow::Borrowed("content-type"), String::from("application/json"))].into());
        let body = body.into();
        let (method, answer_bytes_max) = (HttpMethod::Post, BODY_BYTES_MAX);
        let request = HttpRequest { method, destination, headers, body, deadline, repeatable: true, answer_bytes_max };
        match self.http.send(request).await {
            Ok(answer) => read(&answer),
            Err(failure) => Unsent::Http(failure).read(),
        }
    }

    fn open(&self, account: AccountId, endpoint: &Endpoint) -> Result<Arc<Opened>, Unsent> {
        self.opened.get_or_open(endpoint, || {
            let line = PhoneLine::open(account, endpoint.id, &endpoint.secrets, &self.keyring).map_err(Unsent::Sealed)?;
            let destination = self.policy.parse(line.url.expose()).map_err(|refusal| Unsent::Url(refusal.operator_detail()))?;
            Ok(Opened { destination, number: line.number })
        })
    }
}

/// What an answer means. Its body may repeat what was said, so nothing of it is kept.
fn read(answer: &HttpAnswer) -> (Outcome, Report) {
    let failed = |class| Outcome::Failed { class, retry_after: answer.retry_after() };
    let outcome = match answer.status {
        200..300 => Outcome::Sent { external_id: None },
        400 | 413 | 415 | 422 => failed(ErrorClass::Refused),
        _ => failed(ErrorClass::ErrorStatus),
    };
    let HttpTrace { peer, took, resent, .. } = answer.trace;
    (outcome, Report { status: Some(answer.status), peer, took, resent, ..Report::default() })
}

impl fmt::Debug for PhoneSystems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneSystems").field("policy", &self.policy).finish_non_exhaustive()
    }
}
