//! Transport: sends by Evolution API, from numbers that are linked.
//!
//! A number that is used by an unofficial client may be banned for it: this is for answers and few messages, and never a way around the
//! Cloud API's refusals.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gatepost::{
    BODY_BYTES_MAX, Connection, DestinationPolicy, ErrorClass, Host, HttpAnswer, HttpMethod, HttpRequest, HttpSend, InstanceId, Outcome,
    Parcel, Timestamp, Transport,
};

use super::answer::{self, Read};
use super::body;
use crate::accounts::{Accounts, EvolutionAccount};
use crate::circuits::{ASK_AGAIN, CircuitKey, CircuitReason, Circuits, Pass, Traffic};
use crate::errors::failed;
use crate::item::Stopped;
use crate::observer::{Nobody, Observer};
use crate::percent::segment;

/// Sends by Evolution API, and manages its instances.
///
/// Only a number that is said to be `open` sends. The state is asked for before the first message and once in a minute, and an answer that
/// the connection is closed stops the number until it is open again.
pub struct Evolution {
    http: Arc<dyn HttpSend>,
    policy: DestinationPolicy,
    pub(super) accounts: Arc<dyn Accounts>,
    host: Arc<dyn Host>,
    observer: Arc<dyn Observer>,
    circuits: Arc<Circuits>,
    open_until: Mutex<HashMap<InstanceId, Timestamp>>,
}

impl Evolution {
    /// Sends by `http`, to where `policy` allows, with the settings that `accounts` knows.
    pub fn new(http: Arc<dyn HttpSend>, policy: DestinationPolicy, accounts: Arc<dyn Accounts>, host: Arc<dyn Host>) -> Self {
        let (observer, circuits, open_until) = (Arc::new(Nobody), Arc::default(), Mutex::default());
        Self { http, policy, accounts, host, observer, circuits, open_until }
    }

    /// Tells `observer` what is learned beside the outcomes.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// The circuits of this transport, for whoever receives, and for operators.
    pub fn circuits(&self) -> Arc<Circuits> {
        self.circuits.clone()
    }

    /// Has new settings count at once: what was found out with those before says nothing of these.
    pub fn heed_new_account(&self, instance: InstanceId) {
        self.known().remove(&instance);
        let key = CircuitKey::Instance { id: instance };
        self.circuits.let_go(&key, Stopped::All, |reason| reason == CircuitReason::NotConnected);
    }

    /// Heeds how the link of an instance stands, as its Evolution API has just said.
    pub(super) fn heed_connection(&self, instance: InstanceId, connection: Connection) {
        match connection {
            Connection::Open => {
                self.heed_new_account(instance);
                self.known().insert(instance, self.host.now().plus(ASK_AGAIN));
            }
            Connection::Closed | Connection::Connecting => self.stop(instance),
        }
    }

    pub(super) async fn account(&self, instance: InstanceId) -> Result<Arc<EvolutionAccount>, Outcome> {
        self.accounts.evolution(instance).await.map_err(Outcome::from)
    }

    /// Calls Evolution API. What only reads may be repeated.
    pub(super) async fn call(
        &self,
        account: &EvolutionAccount,
        call: (HttpMethod, String),
        body: Vec<u8>,
        deadline: Timestamp,
    ) -> Result<HttpAnswer, Outcome> {
        self.call_for(BODY_BYTES_MAX, account, call, body, deadline).await
    }

    /// Calls Evolution API for an answer of so many bytes.
    pub(super) async fn call_for(
        &self,
        answer_bytes_max: usize,
        account: &EvolutionAccount,
        (method, path): (HttpMethod, String),
        body: Vec<u8>,
        deadline: Timestamp,
    ) -> Result<HttpAnswer, Outcome> {
        let destination = self.policy.parse(&format!("{}/{path}", account.base_url.trim_end_matches('/')));
        let destination = destination.map_err(|_| Outcome::Blocked { class: ErrorClass::Forbidden })?;
        let headers =
            vec![("apikey".into(), account.api_key.expose().to_owned()), ("content-type".into(), String::from("application/json"))];
        let repeatable = method == HttpMethod::Get;
        let request = HttpRequest { method, destination, headers, body: body.into(), deadline, repeatable, answer_bytes_max };
        self.http.send(request).await.map_err(|failure| failure.outcome())
    }

    async fn try_send(&self, parcel: &Parcel, deadline: Timestamp) -> Result<Outcome, Outcome> {
        let account = self.account(parcel.instance).await?;
        let (call, body) = body::message(&parcel.recipient, &parcel.content).ok_or(failed(ErrorClass::Unsupported, None))?;
        let key = CircuitKey::Instance { id: parcel.instance };
        let pass = self.circuits.pass(&[key], Traffic::of(&parcel.content), self.host.now());
        let pass = pass.map_err(|wait| failed(ErrorClass::CircuitOpen, Some(wait)))?;
        self.make_sure_it_is_open(parcel.instance, &account, deadline).await?;
        let path = format!("message/{call}/{}", segment(&account.instance_name));
        let answer = self.call(&account, (HttpMethod::Post, path), body, deadline).await?;
        Ok(self.conclude(parcel, pass, &answer))
    }

    /// Nothing of the message is sent here, so nothing is in doubt.
    async fn make_sure_it_is_open(&self, instance: InstanceId, account: &EvolutionAccount, deadline: Timestamp) -> Result<(), Outcome> {
        if self.known().get(&instance).is_some_and(|until| *until > self.host.now()) {
            return Ok(());
        }
        let connection = self.connection_of(account, deadline).await.map_err(unsent)?;
        self.heed_connection(instance, connection);
        if connection == Connection::Open { Ok(()) } else { Err(failed(ErrorClass::CircuitOpen, Some(ASK_AGAIN))) }
    }

    fn conclude(&self, parcel: &Parcel, pass: Pass<'_>, answer: &HttpAnswer) -> Outcome {
        let read = answer::read(answer);
        if let Read::Accepted { recipient, .. } = &read {
            pass.was_taken();
            self.observer.accepted(parcel.instance, parcel.message, recipient);
        }
        if let Read::Closed { .. } = read {
            self.stop(parcel.instance);
        }
        if let Some(error) = read.error() {
            self.observer.refused(parcel.instance, parcel.message, &error);
        }
        read.outcome(answer)
    }

    /// Stops a number that is not linked, and has its state asked for before the next message.
    fn stop(&self, instance: InstanceId) {
        self.known().remove(&instance);
        let now = self.host.now();
        let key = CircuitKey::Instance { id: instance };
        self.circuits.trip(key, Stopped::All, Some(now.plus(ASK_AGAIN)), CircuitReason::NotConnected, now);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<InstanceId, Timestamp>> {
        self.open_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of a question that was asked before sending.
fn unsent(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Unknown { class } => failed(class, None),
        other => other,
    }
}

#[async_trait]
impl Transport for Evolution {
    async fn send(&self, parcel: Parcel, deadline: Timestamp) -> Outcome {
        self.try_send(&parcel, deadline).await.unwrap_or_else(|outcome| outcome)
    }
}

impl fmt::Debug for Evolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evolution").field("circuits", &self.circuits).finish_non_exhaustive()
    }
}
