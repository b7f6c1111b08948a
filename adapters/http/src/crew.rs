//! Crew: the threads that take requests, and the queue before them.
//!
//! A few threads are started as there is work; quick receivers need no more, since a thread that finds the next job in the queue goes
//! on without a rest. For each thread that a slow receiver holds up a further one is started, so that slow receivers do not hold up the
//! others. A thread ends when it has rested for a while; the one that has rested the shortest is taken first, so that the others may
//! end. What waits in the queue past its deadline is answered on time, though every thread be busy.

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
/// How many threads there are for quick receivers.
const QUICK_THREADS: usize = 8;
/// How long a thread is at one job before it counts as held up.
const QUICK_MAX: Duration = Duration::from_millis(10);
/// How often the queue is looked through, while something waits.
const WATCH_EVERY: Duration = Duration::from_millis(4);
/// After how many looks at an empty queue the watch ends.
const IDLE_LOOKS_MAX: u32 = 250;

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
    seats: Vec<Arc<Seat>>,
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
        } else if state.seats.len() < self.threads_max.min(QUICK_THREADS) {
            state.waiting.push_back(job);
            self.start_thread(&mut state);
            self.refuse_all_without_threads(state);
        } else if state.waiting.len() < self.waiting_max + self.threads_max - state.seats.len() {
            state.waiting.push_back(job);
            self.start_watch(&mut state);
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

    /// Where no thread can be started, those that are there must do.
    fn start_thread(self: &Arc<Self>, state: &mut State) {
        let (crew, seat) = (self.clone(), Arc::new(Seat::default()));
        state.seats.push(seat.clone());
        if spawn("gatepost-http", move || crew.work(&seat)).is_err() {
            state.seats.pop();
            self.start_watch(state);
        }
    }

    fn refuse_all_without_threads(&self, mut state: MutexGuard<'_, State>) {
        if state.seats.is_empty() {
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(|job| job.refuse(HttpFailureClass::Overloaded, "no thread can be started"));
        }
    }

    fn start_watch(self: &Arc<Self>, state: &mut State) {
        let crew = self.clone();
        if !state.is_watched {
            state.is_watched = spawn("gatepost-http-watch", move || crew.watch()).is_ok();
        }
    }

    fn work(&self, seat: &Arc<Seat>) {
        let mut exchanger = Exchanger::new();
        while let Some(job) = self.next_job(seat) {
            seat.begin(Some(Instant::now()));
            // A job that panics is answered as it unwinds; what it may have left in disorder is thrown away.
            let ran = catch_unwind(AssertUnwindSafe(|| job.run(&self.courier, &exchanger)));
            if ran.is_err() {
                exchanger = Exchanger::new();
            }
            seat.begin(None);
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
            return state.leave(seat);
        }
        state.resting.push(seat.clone());
        drop(state);
        match seat.rest(REST_MAX) {
            Some(Given::Job(job)) => Some(job),
            Some(Given::Leave) => self.lock().leave(seat),
            None => self.rested(seat),
        }
    }

    /// A thread ends that has rested long enough, unless it was picked for a job in this very moment.
    fn rested(&self, seat: &Arc<Seat>) -> Option<Job> {
        let mut state = self.lock();
        let before = state.resting.len();
        state.resting.retain(|resting| !Arc::ptr_eq(resting, seat));
        if state.resting.len() < before {
            return state.leave(seat);
        }
        drop(state);
        match seat.rest(Duration::MAX) {
            Some(Given::Job(job)) => Some(job),
            Some(Given::Leave) | None => self.lock().leave(seat),
        }
    }

    fn watch(self: &Arc<Self>) {
        let mut idle_looks = 0;
        while idle_looks < IDLE_LOOKS_MAX {
            thread::sleep(WATCH_EVERY);
            idle_looks = if self.look_through(Instant::now()) { 0 } else { idle_looks + 1 };
        }
        let mut state = self.lock();
        state.is_watched = false;
        if !state.waiting.is_empty() {
            self.start_watch(&mut state);
        }
    }

    /// Answers what has waited past its deadline, and starts threads in place of those that are held up; whether anything waits.
    fn look_through(self: &Arc<Self>, now: Instant) -> bool {
        let mut state = self.lock();
        let (late, waiting): (VecDeque<Job>, VecDeque<Job>) =
            std::mem::take(&mut state.waiting).into_iter().partition(|job| job.until <= now);
        state.waiting = waiting;
        let held_up = state.seats.iter().filter(|seat| seat.is_held_up(now)).count();
        let wanted = self.threads_max.min(held_up + QUICK_THREADS.min(state.waiting.len()));
        for _ in state.seats.len()..wanted {
            self.start_thread(&mut state);
        }
        let is_waited = !state.waiting.is_empty();
        drop(state);
        late.into_iter().for_each(|job| job.refuse(HttpFailureClass::Timeout, "no thread was free in time"));
        is_waited
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn leave(&mut self, seat: &Arc<Seat>) -> Option<Job> {
        self.seats.retain(|other| !Arc::ptr_eq(other, seat));
        None
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// Where a thread rests until it is given something.
#[derive(Default)]
struct Seat {
    given: Mutex<Option<Given>>,
    arrived: Condvar,
    at_work_since: Mutex<Option<Instant>>,
}

enum Given {
    Job(Job),
    Leave,
}

impl Seat {
    /// Notes since when its thread is at one job.
    fn begin(&self, at_work_since: Option<Instant>) {
        *self.at_work_since.lock().unwrap_or_else(PoisonError::into_inner) = at_work_since;
    }

    fn is_held_up(&self, now: Instant) -> bool {
        let since = *self.at_work_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| now.saturating_duration_since(since) >= QUICK_MAX)
    }

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
