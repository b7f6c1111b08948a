//! Lookup: from a name to its addresses, within bounds of time and number.
//!
//! The players: [`Resolver`] (who is asked), [`SystemResolver`] (the operating system), [`Lookups`] (asks in threads of its own, so
//! that a resolver that hangs holds nobody up, and lets an answer serve for five seconds). What is answered here is not trusted: the
//! destination policy judges it for every attempt.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gatepost::Timestamp;

/// For how long an answer serves the same name.
pub(crate) const ANSWER_SERVES: Duration = Duration::from_secs(5);
/// How long is waited for an answer.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);
/// For how long after that no second lookup of the name is begun while the first one hangs.
const HANGS_MAX: Duration = Duration::from_secs(300);
/// How many names are remembered: then the old ones are forgotten, or all of them.
const NAMES_MAX: usize = 4_096;

/// Who knows the addresses of names.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of `name`, which is absolute: lower case, A-labels, with a dot at its end.
    ///
    /// It may block. Nobody waits for it after `deadline`.
    fn lookup(&self, name: &str, deadline: Instant) -> Result<Vec<IpAddr>, LookupError>;
}

impl<F> Resolver for F
where
    F: Fn(&str, Instant) -> Result<Vec<IpAddr>, LookupError> + Send + Sync + 'static,
{
    fn lookup(&self, name: &str, deadline: Instant) -> Result<Vec<IpAddr>, LookupError> {
        self(name, deadline)
    }
}

/// Why a name has no usable answer now. It may have one later.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LookupError {
    /// There is no such name, or it has no address.
    #[error("no-address: the name has none")]
    NoAddress,
    /// The resolver failed, with its own words.
    #[error("dns: {0}")]
    Failed(String),
    /// No answer came in time.
    #[error("timeout: the resolver took too long")]
    TimedOut,
    /// Too many lookups are on their way here.
    #[error("overloaded: too many lookups at once")]
    TooMany,
    /// An address came with a zone, which no public address has. All the addresses of the answer, without zones.
    #[error("zone: an address came with one")]
    Zone(Vec<IpAddr>),
}

/// The operating system's resolver: what its name servers say.
///
/// Names are absolute, so no search domain is tried; nor does an entry of `/etc/hosts` match on most systems.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup(&self, name: &str, _: Instant) -> Result<Vec<IpAddr>, LookupError> {
        // Some systems do not know the absolute form of this one name. What it means is fixed (RFC 6761, 6.3).
        if name == "localhost." {
            return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        }
        let answer = (name, 0).to_socket_addrs().map_err(|error| LookupError::Failed(error.to_string()))?;
        without_zones(answer)
    }
}

/// An address with a zone is not the address without it, so none may be dropped silently.
fn without_zones(answer: impl Iterator<Item = SocketAddr>) -> Result<Vec<IpAddr>, LookupError> {
    let mut has_zone = false;
    let addresses = answer.inspect(|address| has_zone |= matches!(address, SocketAddr::V6(v6) if v6.scope_id() != 0));
    let addresses = addresses.map(|address| address.ip()).collect();
    if has_zone { Err(LookupError::Zone(addresses)) } else { Ok(addresses) }
}

/// What a name was answered. Shared, as many attempts may be served by it.
pub(crate) type Addresses = Arc<[IpAddr]>;

/// Asks a resolver, a bounded number of times at once.
pub(crate) struct Lookups {
    resolver: Arc<dyn Resolver>,
    at_once_max: usize,
    limit: Duration,
    running: Arc<AtomicUsize>,
    questions: Mutex<HashMap<Box<str>, Arc<Question>>>,
}

impl Lookups {
    pub(crate) fn new(resolver: Arc<dyn Resolver>, at_once_max: usize) -> Self {
        Self { resolver, at_once_max, limit: LOOKUP_LIMIT, running: Arc::default(), questions: Mutex::default() }
    }

    /// The addresses of an absolute name: a fresh answer, or one that is younger than five seconds. All who ask for a name at the
    /// same time wait for one lookup; while one hangs, no second one is begun, so that a name whose server is silent has one place.
    pub(crate) fn addresses(&self, name: &str, now: Timestamp, until: Instant) -> Result<Addresses, LookupError> {
        self.question(name, now)?.answer(until)
    }

    fn question(&self, name: &str, now: Timestamp) -> Result<Arc<Question>, LookupError> {
        let mut questions = lock(&self.questions);
        if let Some(known) = questions.get(name).filter(|known| known.serves(now)) {
            return Ok(known.clone());
        }
        if questions.len() >= NAMES_MAX {
            questions.retain(|_, known| known.serves(now));
        }
        if questions.len() >= NAMES_MAX {
            questions.clear();
        }
        let question = Arc::new(Question::new(now, self.limit));
        self.ask(name, &question)?;
        questions.insert(name.into(), question.clone());
        Ok(question)
    }

    fn ask(&self, name: &str, question: &Arc<Question>) -> Result<(), LookupError> {
        let place = self.place().ok_or(LookupError::TooMany)?;
        let (resolver, question, name) = (self.resolver.clone(), question.clone(), name.to_owned());
        let asking = Asking { question, _place: place };
        let lookup = move || asking.question.set(resolver.lookup(&name, asking.question.cut));
        let started = thread::Builder::new().name("gatepost-lookup".to_owned()).spawn(lookup);
        started.map(drop).map_err(|_| LookupError::TooMany)
    }

    fn place(&self) -> Option<Place> {
        let one_more = |running| (running < self.at_once_max).then_some(running + 1);
        self.running.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
        Some(Place(self.running.clone()))
    }
}

/// One of the lookups that may run at once; free again when dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A lookup that runs. However it ends, those who wait get an answer.
struct Asking {
    question: Arc<Question>,
    _place: Place,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.question.set(Err(LookupError::Failed("the resolver gave up".to_owned())));
    }
}

/// A name that was asked for, and its answer once there is one.
struct Question {
    asked_at: Timestamp,
    cut: Instant,
    answer: Mutex<Option<Result<Addresses, LookupError>>>,
    answered: Condvar,
}

impl Question {
    fn new(now: Timestamp, limit: Duration) -> Self {
        Self { asked_at: now, cut: Instant::now() + limit, answer: Mutex::default(), answered: Condvar::new() }
    }

    /// Whether it serves who asks now: still under way, or answered, and neither too old nor failed. A clock that was set back makes it
    /// old.
    fn serves(&self, now: Timestamp) -> bool {
        let is_young = self.asked_at <= now && now.since(self.asked_at) < ANSWER_SERVES;
        match &*lock(&self.answer) {
            Some(answer) => is_young && answer.is_ok(),
            None => Instant::now() < self.cut + HANGS_MAX,
        }
    }

    /// The first answer stands.
    fn set(&self, answer: Result<Vec<IpAddr>, LookupError>) {
        lock(&self.answer).get_or_insert_with(|| answer.map(Addresses::from));
        self.answered.notify_all();
    }

    fn answer(&self, until: Instant) -> Result<Addresses, LookupError> {
        let wait = until.min(self.cut).saturating_duration_since(Instant::now());
        let waited = self.answered.wait_timeout_while(lock(&self.answer), wait, |answer| answer.is_none());
        let (answer, _) = waited.unwrap_or_else(PoisonError::into_inner);
        answer.clone().unwrap_or(Err(LookupError::TimedOut))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_loopback_without_asking() {
        let answer = SystemResolver.lookup("localhost.", Instant::now());
        assert_eq!(answer, Ok(vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()]));
    }

    #[test]
    fn a_name_whose_server_is_silent_has_one_place() {
        let (_silent, hangs) = std::sync::mpsc::channel::<()>();
        let hangs = Mutex::new(hangs);
        let resolver = move |_: &str, _: Instant| {
            // Until the test is over.
            let _ = lock(&hangs).recv();
            Err(LookupError::NoAddress)
        };
        let lookups = Lookups { limit: Duration::ZERO, ..Lookups::new(Arc::new(resolver), 2) };
        let ask = |second: u64| lookups.addresses("silent.example.", Timestamp::from_millis(second as i64 * 1_000), Instant::now());
        // Also when its answer would be old by now.
        assert_eq!([0, 1, 60].map(ask), [const { Err(LookupError::TimedOut) }; 3]);
        assert_eq!(lookups.running.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn the_port_of_an_answer_is_ignored() {
        let answer = ["93.184.215.14:22", "[2606:4700:4700::1111]:22"].map(|text| text.parse().unwrap());
        let addresses = vec!["93.184.215.14".parse().unwrap(), "2606:4700:4700::1111".parse().unwrap()];
        assert_eq!(without_zones(answer.into_iter()), Ok(addresses));
    }

    #[test]
    fn an_address_with_a_zone_spoils_the_answer() {
        let answer = ["93.184.215.14:0", "[fe80::1%2]:0"].map(|text| text.parse().unwrap());
        let addresses = vec!["93.184.215.14".parse().unwrap(), "fe80::1".parse().unwrap()];
        assert_eq!(without_zones(answer.into_iter()), Err(LookupError::Zone(addresses)));
    }
}
