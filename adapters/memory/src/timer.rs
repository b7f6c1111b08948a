//! Timer: wakes whoever waits, from one thread and without any async runtime.
//!
//! The thread is started by the first wait, sleeps until the earliest alarm, and ends with the timer.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use futures_channel::oneshot;

/// No wait is longer, so that adding it to the clock cannot overflow.
const WAIT_MAX: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Wakes whoever waits.
#[derive(Default)]
pub(crate) struct Timer {
    alarms: Arc<Alarms>,
    thread: OnceLock<()>,
}

impl Timer {
    /// Ends when `span` has passed; at once, and without the thread, where it is zero.
    pub(crate) async fn wait(&self, span: Duration) {
        if span.is_zero() {
            return;
        }
        let rung = self.alarms.set(Instant::now() + span.min(WAIT_MAX));
        self.thread.get_or_init(|| self.start());
        // A bell that is gone has no thread behind it: then there is nothing to wait for.
        let _ = rung.await;
    }

    fn start(&self) {
        let alarms = self.alarms.clone();
        if thread::Builder::new().name(String::from("sandbox-timer")).spawn(move || alarms.ring()).is_err() {
            self.alarms.close();
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.alarms.close();
    }
}

/// The alarms that are set, between who waits and the thread.
#[derive(Default)]
struct Alarms {
    set: Mutex<AlarmSet>,
    changed: Condvar,
}

#[derive(Default)]
struct AlarmSet {
    alarms: BinaryHeap<Reverse<Alarm>>,
    is_closed: bool,
}

impl Alarms {
    fn lock(&self) -> MutexGuard<'_, AlarmSet> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, at: Instant) -> oneshot::Receiver<()> {
        let (bell, rung) = oneshot::channel();
        let mut set = self.lock();
        if !set.is_closed {
            set.alarms.push(Reverse(Alarm { at, bell }));
            self.changed.notify_one();
        }
        rung
    }

    fn close(&self) {
        let mut set = self.lock();
        set.is_closed = true;
        set.alarms.clear();
        self.changed.notify_one();
    }

    /// What the thread does: rings what is due, then sleeps until the next is.
    fn ring(&self) {
        let mut set = self.lock();
        while !set.is_closed {
            let now = Instant::now();
            set = match set.next_at() {
                None => self.changed.wait(set).unwrap_or_else(PoisonError::into_inner),
                Some(at) if at <= now => {
                    set.ring_first();
                    set
                }
                Some(at) => self.changed.wait_timeout(set, at - now).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }
}

impl AlarmSet {
    fn next_at(&self) -> Option<Instant> {
        self.alarms.peek().map(|Reverse(alarm)| alarm.at)
    }

    fn ring_first(&mut self) {
        if let Some(Reverse(alarm)) = self.alarms.pop() {
            // Whoever waited may have gone.
            let _ = alarm.bell.send(());
        }
    }
}

/// A time, and whom to wake then.
struct Alarm {
    at: Instant,
    bell: oneshot::Sender<()>,
}

impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Alarm {}
