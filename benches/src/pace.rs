//! When the next request is due.
//!
//! In a *closed* loop each connection sends as soon as it was answered. In an *open* loop requests fall due at a fixed rate whether
//! or not the server keeps up, and a [`Ticket`] carries the moment it fell due: latency counted from there includes the time a
//! request waited for a free connection, so a slow server cannot hide by slowing its clients (coordinated omission).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// The shortest sleep of the metronome: finer than tokio's timer, coarse enough to cost nothing.
const TICK: Duration = Duration::from_micros(250);

/// Hands out tickets until the load ends.
#[derive(Debug)]
pub struct Pace {
    start: Instant,
    until: Instant,
    taken: AtomicU64,
    rate: Option<Rate>,
}

/// One request that is due.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    /// Counts up from zero over the whole load.
    pub number: u64,
    /// When it fell due.
    pub due: Instant,
}

#[derive(Debug)]
struct Rate {
    per_second: u32,
    due: Arc<Semaphore>,
}

impl Pace {
    /// A closed loop from `start` to `until`.
    pub fn closed(start: Instant, until: Instant) -> Self {
        Self { start, until, taken: AtomicU64::new(0), rate: None }
    }

    /// An open loop of `per_second` requests a second from `start` to `until`.
    pub fn open(start: Instant, until: Instant, per_second: u32) -> Self {
        let due = Arc::new(Semaphore::new(0));
        let rate = Rate { per_second, due: Arc::clone(&due) };
        thread::spawn(move || beat(&due, start, until, per_second));
        Self { rate: Some(rate), ..Self::closed(start, until) }
    }

    /// Waits for the next ticket; `None` once the load has ended.
    pub async fn next(&self) -> Option<Ticket> {
        if let Some(rate) = &self.rate {
            rate.due.acquire().await.ok()?.forget();
        }
        let now = Instant::now();
        if now >= self.until {
            return None;
        }
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let due = self.rate.as_ref().map_or(now, |rate| self.start + at(number, rate.per_second));
        Some(Ticket { number, due })
    }

    /// When the load began.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// When the load ends.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// How many requests had fallen due when the load ended, and found no free connection until then.
    pub fn unsent(&self) -> u64 {
        let length = self.until - self.start - Duration::from_nanos(1);
        let due = self.rate.as_ref().map_or(0, |rate| fallen_due(length, rate.per_second));
        due.saturating_sub(self.taken.load(Ordering::Relaxed))
    }
}

/// The metronome: its own thread, since a runtime's timer beats once a millisecond only.
fn beat(due: &Semaphore, start: Instant, until: Instant, per_second: u32) {
    let mut beaten = 0;
    while Instant::now() < until {
        let now_due = fallen_due(Instant::now().saturating_duration_since(start), per_second);
        due.add_permits((now_due - beaten) as usize);
        beaten = now_due;
        let next = start + at(beaten, per_second);
        thread::sleep(next.saturating_duration_since(Instant::now()).max(TICK));
    }
    due.close();
}

/// How many requests have fallen due after `elapsed`: the first at zero.
fn fallen_due(elapsed: Duration, per_second: u32) -> u64 {
    (elapsed.as_nanos() * u128::from(per_second) / 1_000_000_000) as u64 + 1
}

/// How long after the start request `number` falls due.
fn at(number: u64, per_second: u32) -> Duration {
    let nanoseconds = u128::from(number) * 1_000_000_000;
    Duration::from_nanos(nanoseconds.div_ceil(u128::from(per_second)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_due_exactly_when_it_is_counted() {
        for per_second in [1, 3, 7_000, 20_000] {
            for number in [0, 1, 2, 999_999] {
                assert_eq!(fallen_due(at(number, per_second), per_second), number + 1, "{number} at {per_second}");
            }
        }
    }

    #[test]
    fn an_open_loop_keeps_its_rate() {
        assert_eq!(at(20_000, 20_000), Duration::from_secs(1));
        assert_eq!(fallen_due(Duration::from_millis(500), 20_000), 10_001);
    }
}
