//! Courier: takes one request to its destination.
//!
//! The order never changes: resolve, judge every answer, take a kept connection to a judged address or open one, exchange. Where a
//! kept connection fails before any byte of an answer, a repeatable request is redone once on a new connection, to the addresses judged
//! already. Any other request is not, once a byte of it has left: whoever sends it hears that it may have arrived.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use gatepost::{
    CheckedTarget, Destination, DestinationHost, DestinationPolicy, Host, HttpAnswer, HttpFailure, HttpFailureClass, HttpRequest,
    HttpTrace, RefusalClass,
};

use crate::connection::{Connection, Doors, NotOpened};
use crate::exchange::{Answered, Exchanged, Exchanger, Unanswered};
use crate::kept::{BRIEF_REST_MAX, IDLE_MAX, Kept};
use crate::lookup::{Addresses, LookupError, Lookups};

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
    pub(crate) fn judge(&self, destination: &Destination, until: Instant) -> Result<CheckedTarget, HttpFailure> {
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

    fn verdict(&self, destination: &Destination, answers: &[IpAddr]) -> Result<CheckedTarget, HttpFailure> {
        self.policy().judge(destination, answers).map_err(|refusal| {
            let detail = refusal.operator_detail().to_string();
            let is_absent = refusal.class() == RefusalClass::NoAddress;
            let class = if is_absent { HttpFailureClass::NoAddress } else { HttpFailureClass::Blocked(Box::new(refusal)) };
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
    pub(crate) fn send(&self, request: &HttpRequest, exchanger: &Exchanger, until: Instant) -> Result<HttpAnswer, HttpFailure> {
        if Instant::now() >= until {
            return Err(not_sent(HttpFailureClass::Timeout, "no time was left to send it".to_owned()));
        }
        let target = self.judge(&request.destination, until)?;
        let mut trip = Trip { courier: self, request, exchanger, until, target: &target, trace: HttpTrace::default(), sent: false };
        trip.run()
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
    fn run(&mut self) -> Result<HttpAnswer, HttpFailure> {
        let rest_max = if self.request.repeatable { IDLE_MAX } else { BRIEF_REST_MAX };
        if let Some(connection) = self.courier.kept.take(self.target, rest_max, self.courier.host.now()) {
            self.trace.kept = true;
            let exchanged = self.exchange(connection);
            if !may_be_redone(&exchanged, self.request.repeatable) {
                return self.end(exchanged);
            }
            (self.trace.kept, self.trace.resent) = (false, exchanged.sent);
        }
        let opened = self.courier.doors.open(self.target, self.until);
        let connection = opened.map_err(|not_opened| self.not_opened(not_opened))?;
        let exchanged = self.exchange(connection);
        self.end(exchanged)
    }

    fn exchange(&mut self, connection: Connection) -> Exchanged {
        self.trace.peer = Some(connection.peer().socket_addr());
        let exchanged = self.exchanger.exchange(self.request, connection, self.until);
        self.sent |= exchanged.sent;
        exchanged
    }

    fn end(&self, exchanged: Exchanged) -> Result<HttpAnswer, HttpFailure> {
        if let Some(connection) = exchanged.connection {
            self.courier.kept.put(connection, self.target, self.courier.host.now());
        }
        match exchanged.result {
            Ok(answered) => Ok(answer(answered, self.trace)),
            Err(Unanswered { class, detail }) => Err(self.failure(class, detail, self.trace.peer)),
        }
    }

    fn not_opened(&self, NotOpened { class, detail, peer }: NotOpened) -> HttpFailure {
        self.failure(class, detail, peer)
    }

    fn failure(&self, class: HttpFailureClass, detail: String, peer: Option<SocketAddr>) -> HttpFailure {
        HttpFailure { class, may_have_arrived: self.sent, detail, trace: HttpTrace { peer, ..self.trace } }
    }
}

/// Whether the other side had closed the kept connection already, as far as can be told, and the request may go out on a new one.
fn may_be_redone(exchanged: &Exchanged, repeatable: bool) -> bool {
    let is_stale = !exchanged.heard && matches!(&exchanged.result, Err(unanswered) if unanswered.class == HttpFailureClass::Broken);
    is_stale && (repeatable || !exchanged.sent)
}

fn answer(answered: Answered, trace: HttpTrace) -> HttpAnswer {
    let Answered { status, headers, body, body_cut } = answered;
    HttpAnswer { status, headers, body, body_cut, trace }
}

fn unresolved(error: &LookupError) -> HttpFailure {
    let class = if *error == LookupError::TooMany { HttpFailureClass::Overloaded } else { HttpFailureClass::NoAddress };
    not_sent(class, error.to_string())
}

/// A failure before there was a connection.
pub(crate) fn not_sent(class: HttpFailureClass, detail: String) -> HttpFailure {
    HttpFailure { class, may_have_arrived: false, detail, trace: HttpTrace::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What became of a request on a kept connection.
    fn exchanged(class: HttpFailureClass, sent: bool, heard: bool) -> Exchanged {
        Exchanged { result: Err(Unanswered { class, detail: String::new() }), sent, heard, connection: None }
    }

    #[test]
    fn what_must_not_arrive_twice_is_redone_only_where_no_byte_of_it_left() {
        for (sent, repeatable, may) in [(true, true, true), (true, false, false), (false, true, true), (false, false, true)] {
            assert_eq!(may_be_redone(&exchanged(HttpFailureClass::Broken, sent, false), repeatable), may, "{sent} {repeatable}");
        }
    }

    #[test]
    fn nothing_is_redone_after_a_byte_of_an_answer_or_for_any_other_failure() {
        assert!(!may_be_redone(&exchanged(HttpFailureClass::Broken, true, true), true));
        for class in [HttpFailureClass::Timeout, HttpFailureClass::Protocol, HttpFailureClass::Tls] {
            assert!(!may_be_redone(&exchanged(class, true, false), true));
        }
    }
}
