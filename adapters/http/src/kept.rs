//! Kept connections: those over which an answer came whole, until they are used again or grow old.
//!
//! A kept connection serves an attempt only if its peer is among the addresses that were judged for that attempt, and was itself
//! judged under the same generation of the policy. ureq's own pool knows neither, so it is off.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost::{CheckedTarget, Destination, Timestamp};

use crate::connection::Connection;

/// How long a connection is kept without being used.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(30);
/// How long one may have rested for a request that must not arrive twice. Servers close what rests, Node and Apache after five seconds
/// unless told otherwise, and a request that meets the closing leaves its sender in doubt.
pub(crate) const BRIEF_REST_MAX: Duration = Duration::from_secs(2);
/// How often what has grown old is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// The connections that nobody uses at present.
pub(crate) struct Kept {
    per_origin_max: usize,
    in_all_max: usize,
    shelves: Mutex<Shelves>,
}

#[derive(Default)]
struct Shelves {
    by_origin: HashMap<Box<str>, Vec<Idle>>,
    count: usize,
    swept_at: Timestamp,
}

/// A connection that waits, the oldest of an origin first.
struct Idle {
    connection: Connection,
    generation: u64,
    since: Timestamp,
}

impl Idle {
    fn rested_less_than(&self, rest_max: Duration, now: Timestamp) -> bool {
        now.since(self.since) < rest_max
    }

    fn fits(&self, target: &CheckedTarget) -> bool {
        self.generation == target.generation() && target.addresses().contains(&self.connection.peer())
    }
}

impl Kept {
    pub(crate) fn new(per_origin_max: usize, in_all_max: usize) -> Self {
        Self { per_origin_max, in_all_max, shelves: Mutex::default() }
    }

    /// A connection that may serve the target and has rested for less than `rest_max`.
    pub(crate) fn take(&self, target: &CheckedTarget, rest_max: Duration, now: Timestamp) -> Option<Connection> {
        loop {
            // One that is not quiet is closed here, after the lock is given back.
            let mut idle = self.lock().take(origin(target.destination()), target, rest_max, now)?;
            if idle.connection.is_quiet() {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection, and closes what there is no room for.
    pub(crate) fn put(&self, connection: Connection, target: &CheckedTarget, now: Timestamp) {
        let idle = Idle { connection, generation: target.generation(), since: now };
        let mut shelves = self.lock();
        let closed = shelves.put(origin(target.destination()), idle, self.per_origin_max, self.in_all_max);
        let swept = if now.since(shelves.swept_at) < SWEEP_EVERY { Vec::new() } else { shelves.sweep(now) };
        drop(shelves);
        drop((closed, swept));
    }

    /// Closes what has grown old.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let swept = self.lock().sweep(now);
        drop(swept);
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    /// The youngest that fits.
    fn take(&mut self, origin: &str, target: &CheckedTarget, rest_max: Duration, now: Timestamp) -> Option<Idle> {
        let shelf = self.by_origin.get_mut(origin)?;
        let at = shelf.iter().rposition(|idle| idle.fits(target) && idle.rested_less_than(rest_max, now))?;
        self.count -= 1;
        Some(shelf.remove(at))
    }

    fn put(&mut self, origin: &str, idle: Idle, per_origin_max: usize, in_all_max: usize) -> Option<Idle> {
        if per_origin_max == 0 || in_all_max == 0 {
            return Some(idle);
        }
        let surplus = if self.count >= in_all_max { self.take_oldest() } else { None };
        let shelf = match self.by_origin.get_mut(origin) {
            Some(shelf) => shelf,
            None => self.by_origin.entry(origin.into()).or_default(),
        };
        let crowded = (shelf.len() >= per_origin_max).then(|| shelf.remove(0));
        shelf.push(idle);
        self.count += usize::from(crowded.is_none());
        surplus.or(crowded)
    }

    fn take_oldest(&mut self) -> Option<Idle> {
        let shelves = self.by_origin.values_mut().filter(|shelf| !shelf.is_empty());
        let oldest = shelves.min_by_key(|shelf| shelf.first().map(|idle| idle.since))?;
        self.count -= 1;
        Some(oldest.remove(0))
    }

    fn sweep(&mut self, now: Timestamp) -> Vec<Idle> {
        self.swept_at = now;
        let mut old = Vec::new();
        for shelf in self.by_origin.values_mut() {
            old.extend(shelf.extract_if(.., |idle| !idle.rested_less_than(IDLE_MAX, now)));
        }
        self.by_origin.retain(|_, shelf| !shelf.is_empty());
        self.count -= old.len();
        old
    }
}

/// Scheme, host and port.
fn origin(destination: &Destination) -> &str {
    let text = destination.as_str();
    text.get(..text.len() - destination.path_and_query().len()).unwrap_or(text)
}
