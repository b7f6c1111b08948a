//! Crew: the threads that take requests, and the queue before them.
//!
//! A thread is started when there is work and no thread rests, and ends when it has rested for a while. The thread that has rested
//! the shortest is taken first, so that the others may end. What waits in the queue past its deadline is answered on time, though
//! every thread be busy.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gatepost::HttpFailureClass;

use crate::courier::Courier;
use crate::exchange::Exchanger;
use crate::job::Job;

/// How long a thread rests before it ends.
const REST_MAX: Duration = Duration::from_secs(30);
/// How often the queue is looked through for what has waited too long.
const WATCH_EVERY: Duration = Duration::from_millis(100);

/// The threads and their queue.
pub(crate) struct Crew {
    courier: Arc<Courier>,
    threads_max: usize,
    waiting_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    resting: Vec<Arc<Seat>>,
    waiting: VecDeque<Job>,
    threads: usize,
    is_watched: bool,
    is_closed: bool,
}

impl Crew {
    pub(crate) fn new(courier: Arc<Courier>, threads_max: usize, waiting_max: usize) -> Arc<Self> {
        Arc::new(Self { courier, threads_max: threads_max.max(1), waiting_max, state: Mutex::default() })
    }

    /// Has a thread take the job, now or as soon as one is free.
    pub(crate) fn submit(self: &Arc<Self>, job: Job) {
        let mut state = self.lock();
        if let Some(seat) = state.resting.pop() {
            drop(state);
            seat.give(Given::Job(job));
        } else if state.threads < self.threads_max {
            state.waiting.push_back(job);
            self.start_thread(state);
        } else if state.waiting.len() < self.waiting_max {
            state.waiting.push_back(job);
            self.start_watch(state);
        } else {
            drop(state);
            job.refuse(HttpFailureClass::Overloaded, "the queue is full");
        }
    }

    /// Lets the threads end once nothing waits.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let resting = std::mem::take(&mut state.resting);
        drop(state);
        resting.iter().for_each(|seat| seat.give(Given::Leave));
    }

    pub(crate) fn courier(&self) -> &Courier {
        &self.courier
    }

    /// Where no thread can be started, those that are there must do, or the job is refused.
    fn start_thread(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let crew = self.clone();
        if spawn("gatepost-http", move || crew.work()).is_ok() {
            state.threads += 1;
        } else if state.threads == 0 {
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(|job| job.refuse(HttpFailureClass::Overloaded, "no thread can be started"));
        } else {
            self.start_watch(state);
        }
    }

    fn start_watch(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let crew = self.clone();
        if !state.is_watched {
            state.is_watched = spawn("gatepost-http-watch", move || crew.watch()).is_ok();
        }
    }

    fn work(&self) {
        let seat = Arc::new(Seat::default());
        let mut exchanger = Exchanger::new();
        while let Some(job) = self.next_job(&seat) {
            // A job that panics is answered as it unwinds; what it may have left in disorder is thrown away.
            let ran = catch_unwind(AssertUnwindSafe(|| job.run(&self.courier, &exchanger)));
            if ran.is_err() {
                exchanger = Exchanger::new();
            }
        }
        self.courier.kept.sweep(self.courier.host.now());
    }

    /// The next job, or none if it is time for the thread to end.
    fn next_job(&self, seat: &Arc<Seat>) -> Option<Job> {
        let mut state = self.lock();
        if let Some(job) = state.waiting.pop_front() {
            return Some(job);
        }
        if state.is_closed {
            return leave(&mut state);
        }
        state.resting.push(seat.clone());
        drop(state);
        match seat.rest(REST_MAX) {
            Some(Given::Job(job)) => Some(job),
            Some(Given::Leave) => leave(&mut self.lock()),
            None => self.rested(seat),
        }
    }

    /// A thread ends that has rested long enough, unless it was picked for a job in this very moment.
    fn rested(&self, seat: &Arc<Seat>) -> Option<Job> {
        let mut state = self.lock();
        let before = state.resting.len();
        state.resting.retain(|resting| !Arc::ptr_eq(resting, seat));
        if state.resting.len() < before {
            return leave(&mut state);
        }
        drop(state);
        match seat.rest(Duration::MAX) {
            Some(Given::Job(job)) => Some(job),
            Some(Given::Leave) | None => leave(&mut self.lock()),
        }
    }

    fn watch(&self) {
        loop {
            thread::sleep(WATCH_EVERY);
            let (late, is_done) = self.late_jobs();
            late.into_iter().for_each(|job| job.refuse(HttpFailureClass::Timeout, "no thread was free in time"));
            if is_done {
                return;
            }
        }
    }

    /// Those that have waited too long, and whether nothing else waits.
    fn late_jobs(&self) -> (VecDeque<Job>, bool) {
        let (mut state, now) = (self.lock(), Instant::now());
        let (late, waiting) = std::mem::take(&mut state.waiting).into_iter().partition(|job| job.until <= now);
        state.waiting = waiting;
        state.is_watched = !state.waiting.is_empty();
        (late, !state.is_watched)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn leave(state: &mut State) -> Option<Job> {
    state.threads -= 1;
    None
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// Where a thread rests until it is given something.
#[derive(Default)]
struct Seat {
    given: Mutex<Option<Given>>,
    arrived: Condvar,
}

enum Given {
    Job(Job),
    Leave,
}

impl Seat {
    fn give(&self, given: Given) {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
        self.arrived.notify_one();
    }

    fn rest(&self, at_most: Duration) -> Option<Given> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.arrived.wait_timeout_while(given, at_most, |given| given.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }
}
