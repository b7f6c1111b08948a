//! Sandbox: a provider that writes to nobody and accepts everything, unless it is told to fail.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use gatepost::{ErrorClass, Host, MessageId, Outcome, Parcel, Timestamp, Transport};

use crate::host::mix;
use crate::timer::Timer;

/// What reached the sandbox, in order, for a test to look at.
pub type Ledger = Arc<Mutex<Vec<MessageId>>>;

/// Takes parcels and writes to nobody.
///
/// A message is called `sandbox-` and its own id. Deadlines are judged by the machine's clock, or by the clock of
/// [`Sandbox::with_host`]; what it waits for takes real time in either case.
///
/// ```
/// use std::time::Duration;
///
/// use gatepost_memory::{Mishap, Sandbox};
///
/// let sandbox = Sandbox::new().with_latency(Duration::from_millis(40)).with_mishap("flaky:10".parse()?);
/// # let _ = sandbox;
/// # Ok::<(), gatepost_memory::InvalidMishap>(())
/// ```
#[derive(Default)]
pub struct Sandbox {
    latency: Duration,
    mishap: Option<Mishap>,
    ledger: Option<Ledger>,
    host: Option<Arc<dyn Host>>,
    sends: AtomicU64,
    timer: Timer,
}

impl Sandbox {
    /// A sandbox that accepts at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers only after `latency`; what would answer after its deadline does not answer.
    #[must_use]
    pub const fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Fails in this way.
    #[must_use]
    pub const fn with_mishap(mut self, mishap: Mishap) -> Self {
        self.mishap = Some(mishap);
        self
    }

    /// Writes down what arrives.
    #[must_use]
    pub fn with_ledger(mut self, ledger: Ledger) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Judges deadlines by the clock of `host`: needed where that is not the machine's.
    #[must_use]
    pub fn with_host(mut self, host: Arc<dyn Host>) -> Self {
        self.host = Some(host);
        self
    }

    fn now(&self) -> Timestamp {
        let machine = || Timestamp::default().plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
        self.host.as_ref().map_or_else(machine, |host| host.now())
    }

    /// How long an answer takes.
    const fn pause(&self) -> Duration {
        match self.mishap {
            Some(Mishap::Timeout) => Duration::MAX,
            _ => self.latency,
        }
    }

    /// What becomes of a message, before anybody is told.
    fn receive(&self, message: MessageId) -> Outcome {
        match self.mishap {
            Some(Mishap::Refuse) => failed(ErrorClass::Refused),
            Some(Mishap::Flaky { percent }) if self.is_unlucky(message, percent) => failed(ErrorClass::Unreachable),
            _ => self.take(message),
        }
    }

    fn take(&self, message: MessageId) -> Outcome {
        if let Some(ledger) = &self.ledger {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        }
        Outcome::Sent { external_id: Some(format!("sandbox-{message}")) }
    }

    fn is_unlucky(&self, message: MessageId, percent: u8) -> bool {
        let bits = u128::from_be_bytes(message.to_bytes());
        let send = self.sends.fetch_add(1, Ordering::Relaxed);
        mix(mix((bits ^ (bits >> 64)) as u64).wrapping_add(send)) % 100 < u64::from(percent)
    }
}

#[async_trait]
impl Transport for Sandbox {
    async fn send(&self, parcel: Parcel, deadline: Timestamp) -> Outcome {
        let left = deadline.since(self.now());
        if left.is_zero() {
            return failed(ErrorClass::Unreachable);
        }
        let outcome = self.receive(parcel.message);
        if self.pause() > left {
            self.timer.wait(left).await;
            return Outcome::Unknown { class: ErrorClass::Timeout };
        }
        self.timer.wait(self.pause()).await;
        if self.mishap == Some(Mishap::Die) {
            std::process::abort();
        }
        outcome
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("latency", &self.latency).field("mishap", &self.mishap).finish_non_exhaustive()
    }
}

const fn failed(class: ErrorClass) -> Outcome {
    Outcome::Failed { class, retry_after: None }
}

/// What goes wrong in the sandbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mishap {
    /// The process aborts in the middle of a send: for crash tests.
    Die,
    /// So many of a hundred sends do not reach it. The same sends in the same order fare the same.
    Flaky {
        /// 0 to 100.
        percent: u8,
    },
    /// It refuses every message for good.
    Refuse,
    /// Messages reach it, and no answer comes before the deadline.
    Timeout,
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Die => f.write_str("die"),
            Self::Flaky { percent } => write!(f, "flaky:{percent}"),
            Self::Refuse => f.write_str("refuse"),
            Self::Timeout => f.write_str("timeout"),
        }
    }
}

impl FromStr for Mishap {
    type Err = InvalidMishap;

    fn from_str(text: &str) -> Result<Self, InvalidMishap> {
        match text {
            "die" => Ok(Self::Die),
            "refuse" => Ok(Self::Refuse),
            "timeout" => Ok(Self::Timeout),
            _ => flaky(text).ok_or(InvalidMishap),
        }
    }
}

fn flaky(text: &str) -> Option<Mishap> {
    let percent = text.strip_prefix("flaky:")?.parse().ok()?;
    (percent <= 100).then_some(Mishap::Flaky { percent })
}

/// The text names no mishap.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `refuse`, `timeout`, `die`, or `flaky:` and a percentage from 0 to 100, for example `flaky:10`")]
pub struct InvalidMishap;

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread::{self, Thread};

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use gatepost::{AccountId, InstanceId, Provider, Purpose};

    use super::*;
    use crate::TestHost;

    const MINUTE: Duration = Duration::from_secs(60);

    struct Bench {
        host: Arc<TestHost>,
        ledger: Ledger,
        sandbox: Sandbox,
    }

    fn bench(steer: impl FnOnce(Sandbox) -> Sandbox) -> Bench {
        let (host, ledger) = (Arc::new(TestHost::new(7)), Ledger::default());
        let sandbox = steer(Sandbox::new().with_host(host.clone()).with_ledger(ledger.clone()));
        Bench { host, ledger, sandbox }
    }

    fn failing(mishap: &str) -> Bench {
        let mishap = mishap.parse().unwrap_or_else(|error| panic!("{mishap}: {error}"));
        bench(|sandbox| sandbox.with_mishap(mishap))
    }

    impl Bench {
        fn parcel(&self) -> Parcel {
            let now = self.host.now();
            Parcel {
                account: AccountId::new(now, &*self.host),
                message: MessageId::new(now, &*self.host),
                instance: InstanceId::new(now, &*self.host),
                provider: Provider::Sandbox,
                recipient: "+999501234567".parse::<gatepost::Phone>().expect("a phone").into(),
                purpose: Purpose::Support,
                content: "Your table is ready.".parse::<gatepost::Text>().expect("a text").into(),
            }
        }

        /// Sends where no wait is expected: a send that waits is a failure.
        fn send_at_once(&self, parcel: Parcel) -> Outcome {
            let sent = self.sandbox.send(parcel, self.host.now().plus(MINUTE)).now_or_never();
            sent.expect("an answer at once")
        }

        fn send_waiting(&self, deadline: Timestamp) -> Outcome {
            block_on(self.sandbox.send(self.parcel(), deadline))
        }

        fn arrived(&self) -> usize {
            self.ledger.lock().expect("the ledger").len()
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => return value,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn unreachable() -> Outcome {
        failed(ErrorClass::Unreachable)
    }

    #[test]
    fn a_parcel_is_taken_at_once_and_named_after_its_message() {
        let bench = bench(|sandbox| sandbox);
        let parcel = bench.parcel();
        let message = parcel.message;
        assert_eq!(bench.send_at_once(parcel), Outcome::Sent { external_id: Some(format!("sandbox-{message}")) });
        assert_eq!(*bench.ledger.lock().expect("the ledger"), [message]);
    }

    #[test]
    fn nothing_is_sent_once_the_deadline_is_past() {
        let bench = bench(|sandbox| sandbox);
        let outcome = bench.sandbox.send(bench.parcel(), bench.host.now()).now_or_never();
        assert_eq!((outcome, bench.arrived()), (Some(unreachable()), 0));
    }

    #[test]
    fn without_a_host_the_deadline_is_the_machines() {
        let sandbox = Sandbox::new();
        let parcel = || bench(|sandbox| sandbox).parcel();
        assert_eq!(sandbox.send(parcel(), Timestamp::default()).now_or_never(), Some(unreachable()));
        assert!(matches!(sandbox.send(parcel(), Timestamp::MAX).now_or_never(), Some(Outcome::Sent { .. })));
    }

    #[test]
    fn a_refusal_is_final_and_nothing_arrives() {
        let bench = failing("refuse");
        assert_eq!((bench.send_at_once(bench.parcel()), bench.arrived()), (failed(ErrorClass::Refused), 0));
    }

    #[test]
    fn an_answer_waits_for_the_latency() {
        let bench = bench(|sandbox| sandbox.with_latency(MINUTE));
        let deadline = bench.host.now().plus(2 * MINUTE);
        assert!(bench.sandbox.send(bench.parcel(), deadline).now_or_never().is_none());
    }

    #[test]
    fn an_answer_comes_after_the_latency() {
        let bench = bench(|sandbox| sandbox.with_latency(Duration::from_millis(2)));
        assert!(matches!(bench.send_waiting(bench.host.now().plus(MINUTE)), Outcome::Sent { .. }));
    }

    #[test]
    fn many_sends_wait_together() {
        let bench = bench(|sandbox| sandbox.with_latency(Duration::from_millis(5)));
        let deadline = bench.host.now().plus(MINUTE);
        let sends = (0..200).map(|_| bench.sandbox.send(bench.parcel(), deadline));
        let outcomes = block_on(join_all(sends));
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Sent { .. })));
        assert_eq!(bench.arrived(), 200);
    }

    #[test]
    fn a_short_wait_does_not_stand_behind_a_long_one() {
        let bench = failing("timeout");
        let mut long = bench.sandbox.send(bench.parcel(), bench.host.now().plus(MINUTE));
        assert!((&mut long).now_or_never().is_none());
        let short = bench.send_waiting(bench.host.now().plus(Duration::from_millis(2)));
        assert_eq!(short, Outcome::Unknown { class: ErrorClass::Timeout });
        assert!((&mut long).now_or_never().is_none());
    }

    #[test]
    fn a_timeout_leaves_the_outcome_unknown() {
        let bench = failing("timeout");
        let outcome = bench.send_waiting(bench.host.now().plus(Duration::from_millis(2)));
        assert_eq!((outcome, bench.arrived()), (Outcome::Unknown { class: ErrorClass::Timeout }, 1));
    }

    #[test]
    fn an_answer_after_the_deadline_is_no_answer() {
        let bench = bench(|sandbox| sandbox.with_latency(MINUTE));
        let outcome = bench.send_waiting(bench.host.now().plus(Duration::from_millis(2)));
        assert_eq!(outcome, Outcome::Unknown { class: ErrorClass::Timeout });
    }

    #[test]
    fn a_flaky_sandbox_fails_about_so_many_and_the_same_ones_again() {
        let outcomes = || {
            let bench = failing("flaky:30");
            (0..1_000).map(|_| bench.send_at_once(bench.parcel())).collect::<Vec<_>>()
        };
        let first = outcomes();
        let lost = first.iter().filter(|outcome| **outcome == unreachable()).count();
        assert!((250..350).contains(&lost), "{lost} of 1000 were lost");
        assert_eq!(first, outcomes());
    }

    #[test]
    fn a_message_that_was_unlucky_may_pass_when_it_is_sent_again() {
        let bench = failing("flaky:50");
        let parcel = bench.parcel();
        let passed = (0..100).filter(|_| bench.send_at_once(parcel.clone()) != unreachable()).count();
        assert_eq!(passed, bench.arrived());
        assert!((25..75).contains(&passed), "{passed} of 100 passed");
    }

    #[test]
    fn dying_ends_the_process() {
        let this = std::env::current_exe().expect("the test's own program");
        let child = std::process::Command::new(this).args(["--ignored", "--exact", "sandbox::tests::die_here"]).output();
        let status = child.expect("a child").status;
        // A test that fails or is not found ends with a code; only a signal or an abnormal end is none of these.
        assert!(!matches!(status.code(), Some(0 | 1 | 101)), "{status}");
    }

    #[test]
    #[ignore = "it ends the process: `dying_ends_the_process` runs it in another one"]
    fn die_here() {
        let bench = failing("die");
        bench.send_at_once(bench.parcel());
    }

    #[test]
    fn mishaps_are_read_as_they_are_written() {
        for text in ["refuse", "timeout", "die", "flaky:0", "flaky:7", "flaky:100"] {
            assert_eq!(text.parse().map(|mishap: Mishap| mishap.to_string()), Ok(text.to_string()));
        }
    }

    #[test]
    fn other_words_are_refused_with_what_was_expected() {
        for text in ["", "Refuse", "flaky", "flaky:", "flaky:101", "flaky:-1", "flaky:ten", "die:1"] {
            assert_eq!(text.parse::<Mishap>(), Err(InvalidMishap), "{text:?}");
        }
        let expected = "expected `refuse`, `timeout`, `die`, or `flaky:` and a percentage from 0 to 100, for example `flaky:10`";
        assert_eq!(InvalidMishap.to_string(), expected);
    }
}
