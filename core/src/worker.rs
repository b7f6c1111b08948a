//! Worker: claims what is due, starts attempts, hands them to transports, records what became of them.
//!
//! [`Worker::turn`] does what can be done now and says when to come back; [`Worker::idle`] ends when there is something to do before
//! that. Neither needs a runtime or a clock: the server drives them from tokio, [`Gateway::run_blocking`] from a thread, a
//! simulator from its loop.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::mem;
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::thread;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use crate::gateway::{BoxFuture, Shared};
use crate::hands::Slot;
use crate::{
    AccountId, Claim, Claimed, ErrorClass, Finish, Gateway, Lease, Outcome, Report, StartAnswer, Started, StartedNotice, StoreError, Take,
    Timestamp,
};

/// How long a claim lasts: as long as the start that follows it may take to commit.
const CLAIM_LEASE: Duration = Duration::from_secs(30);
/// How many deliveries a claim takes at most: enough to share a commit, few enough for the next turn to come soon.
const CLAIM_MAX: usize = 256;
const SWEEP_MAX: usize = 256;
/// How many deliveries a recovery looks at in a turn.
const RECOVER_MAX: usize = 256;
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// What a turn did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Turn {
    /// Whether anything was done; then there may be more.
    pub did: bool,
    /// When to come back at the latest.
    pub next_due: Timestamp,
    /// How many deliveries the store could not read and has put aside; somebody should look.
    pub parked: usize,
}

/// Delivers what was accepted.
pub struct Worker {
    shared: Arc<Shared>,
    in_flight: FuturesUnordered<InFlight>,
    finishes: Vec<Finish>,
    given_back: Vec<Claimed>,
    messages: Lane,
    events: Lane,
    next_sweep: Timestamp,
    parked: usize,
    closing: bool,
}

/// Where the worker is with one channel: each has its own places, so that slow endpoints hold up no message.
#[derive(Default)]
struct Lane {
    /// The account where the last look ended.
    after: Option<AccountId>,
    /// When to look again.
    next: Timestamp,
    /// Whether the last look found every place taken.
    out_of_slots: bool,
}

impl Lane {
    /// Looks again at once where the want of places was all that kept it from looking.
    fn place_is_free(&mut self, now: Timestamp) {
        if mem::take(&mut self.out_of_slots) {
            self.next = now;
        }
    }
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        shared.hands.attend(true);
        let past = Timestamp::default();
        Self {
            shared,
            in_flight: FuturesUnordered::new(),
            finishes: Vec::new(),
            given_back: Vec::new(),
            messages: Lane::default(),
            events: Lane::default(),
            next_sweep: past,
            parked: 0,
            closing: false,
        }
    }

    /// Does what can be done at `now`.
    ///
    /// # Errors
    ///
    /// Those of the store. Nothing is lost by one: what was not recorded is kept for the next turn.
    pub async fn turn(&mut self, now: Timestamp) -> Result<Turn, StoreError> {
        self.send_started();
        self.collect().await;
        let mut did = self.record(now).await?;
        did |= self.give_back(now).await?;
        if self.next_sweep <= now {
            did |= self.sweep(now).await?;
        }
        if !self.closing {
            let hinted = self.shared.hands.was_hinted();
            if hinted || self.messages.next <= now {
                did |= self.claim(now).await?;
            }
            if hinted || self.events.next <= now {
                did |= self.take(now).await?;
            }
        }
        Ok(Turn { did, next_due: self.messages.next.min(self.events.next).min(self.next_sweep), parked: mem::take(&mut self.parked) })
    }

    /// Ends when an attempt ends, when one was started elsewhere in this process, or when the store may have something due.
    pub async fn idle(&mut self) {
        let ended = poll_fn(|context| {
            if self.shared.hands.was_woken(context) {
                return Poll::Ready(None);
            }
            match self.in_flight.poll_next_unpin(context) {
                Poll::Ready(Some(ended)) => Poll::Ready(Some(ended)),
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        });
        if let Some(finish) = ended.await {
            self.note_end(finish);
        }
    }

    /// Takes nothing new from now on; what is on its way is still recorded.
    pub fn close(&mut self) {
        self.closing = true;
        self.shared.hands.attend(false);
    }

    /// Whether nothing is on its way, nobody holds a permit to start more, and everything is recorded.
    pub fn is_drained(&self) -> bool {
        self.shared.hands.is_idle() && self.shared.event_hands.is_idle() && self.finishes.is_empty() && self.given_back.is_empty()
    }

    fn send_started(&mut self) {
        for (started, slot) in self.shared.hands.take_started() {
            self.send(started, slot);
        }
    }

    fn send(&mut self, started: Started, slot: Slot) {
        let Started { claimed, attempt, lease, parcel } = started;
        let transport = self.shared.parts.transports.get(&parcel.provider).cloned();
        let send: BoxFuture<Seen> = match transport {
            None => Box::pin(core::future::ready((Outcome::Failed { class: ErrorClass::NoTransport, retry_after: None }, None))),
            Some(transport) => Box::pin(guarded(async move { (transport.send(parcel, lease.deadline).await, None) })),
        };
        self.in_flight.push(InFlight { send, claimed, attempt, lease, given_up: false, waker: None, slot: Some(slot) });
    }

    fn send_notice(&mut self, started: StartedNotice, slot: Slot) {
        let StartedNotice { claimed, attempt, lease, notice } = started;
        let Some(webhooks) = self.shared.parts.webhooks.clone() else { return };
        let now = self.shared.parts.host.now();
        let send = Box::pin(guarded(async move {
            let (outcome, report) = webhooks.deliver(claimed.account, &notice, lease.deadline, now).await;
            (outcome, Some(report))
        }));
        self.in_flight.push(InFlight { send, claimed, attempt, lease, given_up: false, waker: None, slot: Some(slot) });
    }

    async fn collect(&mut self) {
        while let Some(Some(ended)) = poll_fn(|context| {
            Poll::Ready(match self.in_flight.poll_next_unpin(context) {
                Poll::Ready(ended) => Some(ended),
                Poll::Pending => None,
            })
        })
        .await
        {
            self.note_end(ended);
        }
    }

    fn note_end(&mut self, (claimed, attempt, (outcome, report)): Ended) {
        let host = &self.shared.parts.host;
        let mut random = [0; 4];
        host.fill(&mut random);
        self.finishes.push(Finish { claimed, attempt, outcome, report, jitter: u32::from_be_bytes(random), now: host.now() });
    }

    async fn record(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        if self.finishes.is_empty() {
            return Ok(false);
        }
        // A finish that may have been committed is stale when it is repeated, so repeating is safe.
        let settled = self.shared.parts.store.worker().finish(self.finishes.clone()).await?;
        self.finishes.clear();
        for change in settled.into_iter().flatten() {
            self.shared.waiters.tell(change);
        }
        self.messages.place_is_free(now);
        self.events.place_is_free(now);
        Ok(true)
    }

    async fn give_back(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        if self.given_back.is_empty() {
            return Ok(false);
        }
        self.shared.parts.store.worker().release(self.given_back.clone(), now).await?;
        self.given_back.clear();
        Ok(true)
    }

    async fn sweep(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        self.give_up_overdue(now);
        let swept = self.shared.parts.store.worker().sweep(now, SWEEP_MAX).await?;
        for change in &swept.settled {
            self.shared.waiters.tell(*change);
        }
        self.parked += swept.parked;
        let more = self.shared.parts.store.worker().recover(now, RECOVER_MAX).await? || swept.more;
        if !more {
            self.next_sweep = now.plus(SWEEP_INTERVAL);
        }
        Ok(more)
    }

    /// Frees the place of a transport that outlived its lease; the sweep says what became of the attempt.
    fn give_up_overdue(&mut self, now: Timestamp) {
        for in_flight in &mut self.in_flight {
            in_flight.give_up_if_overdue(now);
        }
    }

    async fn claim(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let mut slots: Vec<Slot> = (0..CLAIM_MAX).map_while(|_| self.shared.hands.slot()).collect();
        let delivering = self.shared.parts.delivering;
        self.messages.next = now.plus(delivering.poll_interval);
        self.messages.out_of_slots = slots.is_empty();
        if self.messages.out_of_slots {
            return Ok(false);
        }
        let store = self.shared.parts.store.worker();
        let request = Claim {
            limit: slots.len(),
            per_account: delivering.per_account_max,
            after: self.messages.after,
            lease_until: now.plus(CLAIM_LEASE),
            now,
        };
        let answer = store.claim(request).await?;
        // One that began behind an account has not looked at those before it.
        let is_partial = request.after.is_some() || answer.after.is_some();
        self.messages.after = answer.after;
        // Where anything was taken there may be more: of accounts that had their share, or of those not looked at yet.
        let more = !answer.claimed.is_empty() || is_partial;
        self.messages.next = if more { now } else { answer.next_due.map_or(self.messages.next, |due| due.min(self.messages.next)) };
        if answer.claimed.is_empty() {
            return Ok(false);
        }
        let lease = Lease::new(now, delivering.send_timeout);
        let starts = match store.start(answer.claimed.clone(), lease, now).await {
            Ok(starts) => starts,
            Err(error) => {
                self.given_back = answer.claimed;
                return Err(error);
            }
        };
        for start in starts {
            match start {
                StartAnswer::Started(started) => slots.pop().into_iter().for_each(|slot| self.send(started.as_ref().clone(), slot)),
                StartAnswer::Ended(settled) => self.shared.waiters.tell(settled),
                StartAnswer::Waits | StartAnswer::Stale => {}
            }
        }
        Ok(true)
    }
}

impl Worker {
    /// Takes events that are due, as many as there are places, with their attempts open.
    async fn take(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let delivering = self.shared.parts.delivering;
        self.events.next = now.plus(delivering.poll_interval);
        if self.shared.parts.webhooks.is_none() {
            return Ok(false);
        }
        let slots: Vec<Slot> = (0..CLAIM_MAX).map_while(|_| self.shared.event_hands.slot()).collect();
        self.events.out_of_slots = slots.is_empty();
        if self.events.out_of_slots {
            return Ok(false);
        }
        let lease = Lease::new(now, delivering.event_timeout);
        let take = Take { limit: slots.len(), per_account: delivering.per_account_max, after: self.events.after, lease, now };
        let answer = self.shared.parts.store.worker().take(take).await?;
        let is_partial = take.after.is_some() || answer.after.is_some();
        self.events.after = answer.after;
        let did = !answer.started.is_empty() || answer.skipped;
        self.events.next = if did || is_partial { now } else { answer.next_due.map_or(self.events.next, |due| due.min(self.events.next)) };
        for (started, slot) in answer.started.into_iter().zip(slots) {
            self.send_notice(started, slot);
        }
        Ok(did)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.hands.attend(false);
    }
}

/// How a send ended, and what was seen of the other side.
type Seen = (Outcome, Option<Report>);

type Ended = (Claimed, u16, Seen);

/// A send that panicked may have sent.
async fn guarded(send: impl Future<Output = Seen> + Send) -> Seen {
    AssertUnwindSafe(send).catch_unwind().await.unwrap_or((Outcome::Unknown { class: ErrorClass::Interrupted }, None))
}

/// One send on its way, with its place.
struct InFlight {
    send: BoxFuture<Seen>,
    claimed: Claimed,
    attempt: u16,
    lease: Lease,
    given_up: bool,
    waker: Option<Waker>,
    slot: Option<Slot>,
}

impl InFlight {
    fn give_up_if_overdue(&mut self, now: Timestamp) {
        if self.lease.until <= now {
            self.given_up = true;
            self.waker.take().into_iter().for_each(Waker::wake);
        }
    }
}

impl Future for InFlight {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        let polled = match self.send.as_mut().poll(context) {
            Poll::Pending if self.given_up => Poll::Ready((Outcome::Unknown { class: ErrorClass::Timeout }, None)),
            polled => polled,
        };
        let Poll::Ready(seen) = polled else {
            self.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        drop(mem::take(&mut self.slot));
        Poll::Ready((self.claimed, self.attempt, seen))
    }
}

impl Gateway {
    /// Runs a worker on this thread for as long as `goes_on` says so, then lets what is on its way come to its end.
    ///
    /// `report` is told of each error of the store; the worker tries again after the poll interval.
    pub fn run_blocking(&self, goes_on: impl Fn() -> bool, mut report: impl FnMut(StoreError)) {
        let mut worker = self.worker();
        let poll_interval = self.shared.parts.delivering.poll_interval;
        loop {
            if !goes_on() {
                worker.close();
                if worker.is_drained() {
                    return;
                }
            }
            let now = self.host().now();
            let pause = match block_on(worker.turn(now), None) {
                Some(Ok(turn)) if turn.did => continue,
                Some(Ok(turn)) => turn.next_due.since(now).min(poll_interval),
                Some(Err(error)) => {
                    report(error);
                    poll_interval
                }
                None => poll_interval,
            };
            block_on(worker.idle(), Some(pause));
        }
    }
}

/// Runs a future on this thread, for at most so long.
fn block_on<T>(future: impl Future<Output = T>, at_most: Option<Duration>) -> Option<T> {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = core::pin::pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
        match at_most {
            None => thread::park(),
            Some(at_most) => {
                thread::park_timeout(at_most);
                return match future.as_mut().poll(&mut context) {
                    Poll::Ready(value) => Some(value),
                    Poll::Pending => None,
                };
            }
        }
    }
}
