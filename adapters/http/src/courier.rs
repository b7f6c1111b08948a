//! Courier: takes one request to its destination.
//!
//! The order never changes: resolve, judge every answer, take a kept connection to a judged address or open one, exchange. A kept
//! connection that fails before any byte of an answer is redone once on a new connection, to the addresses judged already.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use gatepost::{
    CheckedTarget, Destination, DestinationHost, DestinationPolicy, Host, HttpAnswer, HttpFailure, HttpFailureClass, HttpRequest,
    HttpTrace, RefusalClass, Timestamp,
};

use crate::connection::{Connection, Doors, NotOpened};
use crate::exchange::{Answered, Exchanged, Exchanger, Unanswered};
use crate::kept::Kept;
use crate::lookup::{Addresses, LookupError, Lookups};

/// A failure is rare and large, so it travels in a box.
pub(crate) type Failed = Box<HttpFailure>;

/// What all threads share.
pub(crate) struct Courier {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) policy: RwLock<Arc<DestinationPolicy>>,
    pub(crate) lookups: Lookups,
    pub(crate) kept: Kept,
    pub(crate) doors: Doors,
}

impl Courier {
    /// Judges the addresses that the destination has now. Every attempt, and every look before one, comes through here.
    pub(crate) fn judge(&self, destination: &Destination, until: Instant) -> Result<CheckedTarget, Failed> {
        let answer = match destination.host() {
            DestinationHost::V4(address) => Ok(Addresses::from([IpAddr::V4(*address)])),
            DestinationHost::V6(address) => Ok(Addresses::from([IpAddr::V6(*address)])),
            DestinationHost::Name(name) => self.lookups.addresses(&name.absolute(), self.host.now(), until),
        };
        match answer {
            Ok(addresses) => self.verdict(destination, &addresses),
            Err(LookupError::Zone(addresses)) => self.verdict(destination, &addresses).and(Err(unresolved(&LookupError::Zone(addresses)))),
            Err(error) => Err(unresolved(&error)),
        }
    }

    fn verdict(&self, destination: &Destination, answers: &[IpAddr]) -> Result<CheckedTarget, Failed> {
        self.policy().judge(destination, answers).map_err(|refusal| {
            let detail = refusal.operator_detail().to_string();
            let is_absent = refusal.class() == RefusalClass::NoAddress;
            let class = if is_absent { HttpFailureClass::NoAddress } else { HttpFailureClass::Blocked(refusal) };
            not_sent(class, detail)
        })
    }

    /// The policy that judges from now on.
    pub(crate) fn policy(&self) -> Arc<DestinationPolicy> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has another policy judge from now on. Connections made under the former one serve no longer, and grow old.
    pub(crate) fn set_policy(&self, policy: DestinationPolicy) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    /// Sends a request and takes its answer.
    pub(crate) fn send(&self, request: &HttpRequest, exchanger: &Exchanger, until: Instant) -> Result<HttpAnswer, Failed> {
        if Instant::now() >= until {
            return Err(not_sent(HttpFailureClass::Timeout, "no time was left to send it".to_owned()));
        }
        let target = self.judge(&request.destination, until)?;
        let mut trip = Trip { courier: self, request, exchanger, until, target: &target, trace: HttpTrace::default(), sent: false };
        trip.run(self.host.now())
    }
}

/// One request on its way.
struct Trip<'a> {
    courier: &'a Courier,
    request: &'a HttpRequest,
    exchanger: &'a Exchanger,
    until: Instant,
    target: &'a CheckedTarget,
    trace: HttpTrace,
    sent: bool,
}

impl Trip<'_> {
    fn run(&mut self, now: Timestamp) -> Result<HttpAnswer, Failed> {
        if let Some(connection) = self.courier.kept.take(self.target, now) {
            self.trace.kept = true;
            let exchanged = self.exchange(connection);
            if !is_stale(&exchanged) {
                return self.end(exchanged, now);
            }
            (self.trace.kept, self.trace.resent) = (false, true);
        }
        let opened = self.courier.doors.open(self.target, self.until);
        let connection = opened.map_err(|not_opened| self.not_opened(not_opened))?;
        let exchanged = self.exchange(connection);
        self.end(exchanged, now)
    }

    fn exchange(&mut self, connection: Connection) -> Exchanged {
        self.trace.peer = Some(connection.peer().socket_addr());
        let exchanged = self.exchanger.exchange(self.request, connection, self.until);
        self.sent |= exchanged.sent;
        exchanged
    }

    fn end(&self, exchanged: Exchanged, now: Timestamp) -> Result<HttpAnswer, Failed> {
        if let Some(connection) = exchanged.connection {
            self.courier.kept.put(connection, self.target, now);
        }
        match exchanged.result {
            Ok(answered) => Ok(answer(answered, self.trace)),
            Err(Unanswered { class, detail }) => Err(self.failure(class, detail, self.trace.peer)),
        }
    }

    fn not_opened(&self, NotOpened { class, detail, peer }: NotOpened) -> Failed {
        self.failure(class, detail, peer)
    }

    fn failure(&self, class: HttpFailureClass, detail: String, peer: Option<SocketAddr>) -> Failed {
        Box::new(HttpFailure { class, may_have_arrived: self.sent, detail, trace: HttpTrace { peer, ..self.trace } })
    }
}

/// Whether the other side had closed the connection already, as far as can be told.
fn is_stale(exchanged: &Exchanged) -> bool {
    !exchanged.heard && matches!(&exchanged.result, Err(unanswered) if unanswered.class == HttpFailureClass::Broken)
}

fn answer(answered: Answered, trace: HttpTrace) -> HttpAnswer {
    let Answered { status, headers, body, body_cut } = answered;
    HttpAnswer { status, headers, body, body_cut, trace }
}

fn unresolved(error: &LookupError) -> Failed {
    let class = if *error == LookupError::TooMany { HttpFailureClass::Overloaded } else { HttpFailureClass::NoAddress };
    not_sent(class, error.to_string())
}

/// A failure before there was a connection.
pub(crate) fn not_sent(class: HttpFailureClass, detail: String) -> Failed {
    Box::new(HttpFailure { class, may_have_arrived: false, detail, trace: HttpTrace::default() })
}
