//! World: the clock, the randomness and the store that a case stands on.
//!
//! Nothing here reads the machine's clock or its randomness, so a case runs the same each time.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use gatepost::{Host, Store, StoreError, Timestamp};

use crate::{Harness, Home};

/// A store in its home, and the time there.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) store: Arc<dyn Store>,
    home: Box<dyn Home>,
}

impl World {
    /// A world with nothing in it, on a Sunday at noon.
    pub(crate) fn new(harness: &dyn Harness) -> Self {
        let home = harness.home();
        Self { clock: Clock::new("2026-11-22T12:00:00Z"), store: home.open(), home }
    }

    /// The same world after the store was closed and opened again.
    pub(crate) fn reopen(self) -> Self {
        let Self { clock, store, home } = self;
        drop(store);
        Self { clock, store: home.open(), home }
    }
}

/// A time that moves when it is told to.
pub(crate) struct Clock(AtomicI64);

impl Clock {
    fn new(time: &str) -> Self {
        Self(AtomicI64::new(time.parse::<Timestamp>().expect("a time").as_millis()))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// The present time, which is over then: whatever is made next is newer.
    pub(crate) fn tick(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::SeqCst))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.set(self.now().plus(span));
    }
}

/// Randomness from a seed (SplitMix64).
pub(crate) struct Dice(Mutex<u64>);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    fn roll(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Host for Dice {
    /// Ids take their time as an argument, so nobody asks.
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(self.roll().to_be_bytes().split_at(chunk.len()).0);
        }
    }
}

/// What a store answers, which must not be an error.
#[track_caller]
pub(crate) fn wait<T>(verb: impl Future<Output = Result<T, StoreError>>) -> T {
    block_on(verb).expect("the store answers")
}

/// Runs a future on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// What so many threads got that did the same thing at the same moment. Each is told its number, from 0 on.
pub(crate) fn together<T: Send>(threads: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads);
    let (barrier, act) = (&barrier, &act);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|number| {
                scope.spawn(move || {
                    barrier.wait();
                    act(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

/// So many seconds.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// So many hours.
pub(crate) const fn hours(count: u64) -> Duration {
    seconds(count * 3_600)
}

/// How long a case waits for what a store does after it has answered, before it fails.
pub(crate) const PATIENCE: Duration = seconds(30);

/// The shortest time there is.
pub(crate) const MOMENT: Duration = Duration::from_millis(1);
