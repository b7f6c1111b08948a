//! Worker: claims what is due, starts attempts, hands them to transports, records what became of them.
//!
//! [`Worker::turn`] does what can be done now and says when to come back; [`Worker::idle`] ends when there is something to do before
//! that. Neither needs a runtime or a clock: the server drives them from tokio, [`Gateway::run_blocking`] from a thread, a
//! simulator from its loop.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{poll_fn, ready};
use core::mem;
use core::panic::AssertUnwindSafe;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::thread;

use futures_util::future::join5;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use crate::gateway::{BoxFuture, Shared};
use crate::hands::{Hands, Slot};
use crate::{
    AccountId, Claim, ClaimAnswer, Claimed, DeliveryId, DisabledBy, EndpointId, ErrorClass, Finish, Finished, Gateway, Heed, HeedAnswer,
    Judged, Lease, Outcome, Recovered, RecoveryId, Report, StartAnswer, Started, StartedNotice, StoreError, Swept, Take, TakeAnswer,
    Timestamp, WorkerStore,
};

/// How long a claim lasts: as long as the start that follows it may take to commit.
const CLAIM_LEASE: Duration = Duration::from_secs(30);
/// How many messages a claim takes at most: enough to share a commit, few enough for the next turn to come soon. While it looks, it holds
/// that many places, and the others are left to what goes at once.
const CLAIM_MAX: usize = 256;
/// How many events a take takes at most.
const TAKE_MAX: usize = 512;
/// How much of what came in is heeded in a turn, and how much of one account.
const HEED_MAX: usize = 512;
const HEED_PER_ACCOUNT_MAX: usize = 256;
const SWEEP_MAX: usize = 256;
/// How many deliveries a recovery looks at in a turn.
const RECOVER_MAX: usize = 256;
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// What a turn did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Turn {
    /// Whether anything was done; then there may be more.
    pub did: bool,
    /// When to come back at the latest.
    pub next_due: Timestamp,
    /// What somebody should hear of.
    pub notes: Vec<Note>,
}

/// Something that whoever runs the gateway should hear of: the worker keeps no log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Note {
    /// The store could not read deliveries, and has put them aside.
    Parked {
        /// How many.
        count: usize,
    },
    /// A kept connection was stale, and an event was sent once more.
    Resent {
        /// Whose.
        account: AccountId,
        /// Which.
        delivery: DeliveryId,
    },
    /// An endpoint gets no events any more.
    EndpointDisabled {
        /// Whose.
        account: AccountId,
        /// Which.
        endpoint: EndpointId,
        /// Why.
        by: DisabledBy,
    },
    /// An account reached a rate: it was paused for it, or is half way there.
    Judged(Judged),
}

/// Delivers what was accepted.
pub struct Worker {
    shared: Arc<Shared>,
    in_flight: FuturesUnordered<InFlight>,
    /// What has ended and is not recorded yet.
    finishes: Vec<Finish>,
    /// What is being recorded.
    recording: Vec<Finish>,
    given_back: Vec<Claimed>,
    messages: Lane,
    events: Lane,
    inbox: Lane,
    /// Before this nothing is heeded, hints or not.
    heed_from: Timestamp,
    next_sweep: Timestamp,
    /// The recovery that a part was done of last.
    recovered: Option<RecoveryId>,
    notes: Vec<Note>,
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
    /// Whether to look now: it is time, or a place that was wanting is free again.
    fn is_due(&self, place_is_free: bool, now: Timestamp) -> bool {
        self.next <= now || (self.out_of_slots && place_is_free)
    }

    /// Takes what places there are for a look, at most `limit`. Without one there is nothing to look for until one is free.
    fn slots(&mut self, hands: &Arc<Hands>, limit: usize) -> Option<Vec<Slot>> {
        let slots: Vec<Slot> = (0..limit).map_while(|_| hands.slot()).collect();
        self.out_of_slots = slots.is_empty();
        (!self.out_of_slots).then_some(slots)
    }

    /// Notes what a look saw: where it ended, whether there is more, and when something is due.
    fn saw(&mut self, after: Option<AccountId>, more: bool, next_due: Option<Timestamp>, now: Timestamp) {
        // One that began behind an account has not looked at those before it.
        let is_partial = self.after.is_some() || after.is_some();
        self.after = after;
        self.next = if more || is_partial { now } else { next_due.map_or(self.next, |due| due.min(self.next)) };
    }
}

/// What a turn asks of the store, in one go, so that a store that groups what it writes needs one commit for it. What has ended comes
/// first: it frees the places that the rest fills.
#[derive(Default)]
struct Asked {
    finishes: Vec<Finish>,
    heed: Option<Heed>,
    given_back: Vec<Claimed>,
    claim: Option<(Claim, Vec<Slot>)>,
    take: Option<(Take, Vec<Slot>)>,
}

/// What the store answered.
struct Answered {
    finished: Result<Vec<Finished>, StoreError>,
    heeded: Result<Option<HeedAnswer>, StoreError>,
    released: Result<(), StoreError>,
    claimed: Result<Option<(ClaimAnswer, Vec<Slot>)>, StoreError>,
    taken: Result<Option<(TakeAnswer, Vec<Slot>)>, StoreError>,
}

impl Asked {
    async fn of(self, store: &dyn WorkerStore, now: Timestamp) -> Answered {
        let Self { finishes, heed, given_back, claim, take } = self;
        let finished = async { if finishes.is_empty() { Ok(Vec::new()) } else { store.finish(finishes).await } };
        let heeded = async {
            match heed {
                Some(heed) => Ok(Some(store.heed(heed).await?)),
                None => Ok(None),
            }
        };
        let released = async { if given_back.is_empty() { Ok(()) } else { store.release(given_back, now).await } };
        let claimed = async {
            match claim {
                Some((claim, slots)) => Ok(Some((store.claim(claim).await?, slots))),
                None => Ok(None),
            }
        };
        let taken = async {
            match take {
                Some((take, slots)) => Ok(Some((store.take(take).await?, slots))),
                None => Ok(None),
            }
        };
        // They are begun in this order: who asks to be left alone is heard before anything else is sent.
        let (finished, heeded, released, claimed, taken) = join5(finished, heeded, released, claimed, taken).await;
        Answered { finished, heeded, released, claimed, taken }
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
            recording: Vec::new(),
            given_back: Vec::new(),
            messages: Lane::default(),
            events: Lane::default(),
            inbox: Lane::default(),
            heed_from: past,
            next_sweep: past,
            recovered: None,
            notes: Vec::new(),
            closing: false,
        }
    }

    /// Does what can be done at `now`.
    ///
    /// # Errors
    ///
    /// Those of the store. Nothing is lost by one: what was not recorded is kept for the next turn.
    pub async fn turn(&mut self, now: Timestamp) -> Result<Turn, StoreError> {
        self.meanwhile(ready(())).await;
        let asked = self.ask(now);
        let store = self.shared.parts.store.worker();
        let Answered { finished, heeded, released, claimed, taken } = self.meanwhile(asked.of(&*store, now)).await;
        // What was taken is sent, whatever became of the rest.
        let took = taken.map(|taken| taken.is_some_and(|(answer, slots)| self.send_taken(answer, slots, now)));
        let recorded = self.note_recorded(finished);
        let heeded = heeded.and_then(|heeded| heeded.map_or(Ok(false), |answer| self.note_heeded(answer, now)));
        let released = released.map(|()| !mem::take(&mut self.given_back).is_empty());
        let started = match claimed {
            Ok(Some((answer, slots))) => self.start(answer, slots, now).await,
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        };
        let swept = if self.next_sweep <= now { self.sweep(now).await } else { Ok(false) };
        let mut did = false;
        for done in [recorded, heeded, released, took, started, swept] {
            did |= done?;
        }
        let next_look = if self.closing { self.next_sweep } else { self.messages.next.min(self.events.next).min(self.inbox.next) };
        Ok(Turn { did, next_due: next_look.min(self.next_sweep), notes: self.take_notes() })
    }

    /// What somebody should hear of after a turn that ended with an error, and so could not say it.
    pub fn take_notes(&mut self) -> Vec<Note> {
        mem::take(&mut self.notes)
    }

    /// Ends when an attempt ends, when one was started elsewhere in this process, or when the store may have something due.
    pub async fn idle(&mut self) {
        poll_fn(|context| {
            let is_woken = self.shared.hands.was_woken(context) || self.shared.hands.is_hinted();
            self.drive(context);
            if is_woken || !self.finishes.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Takes nothing new from now on; what is on its way is still recorded.
    pub fn close(&mut self) {
        self.closing = true;
        self.shared.hands.attend(false);
    }

    /// Whether nothing is on its way, nobody holds a permit to start more, and everything is recorded.
    pub fn is_drained(&self) -> bool {
        self.shared.hands.is_idle()
            && self.shared.event_hands.is_idle()
            && self.finishes.is_empty()
            && self.recording.is_empty()
            && self.given_back.is_empty()
    }

    /// Sends what was started elsewhere, and notes what has ended.
    fn drive(&mut self, context: &mut Context<'_>) {
        for (started, slot) in self.shared.hands.take_started() {
            self.send(started, slot);
        }
        while let Poll::Ready(Some(ended)) = self.in_flight.poll_next_unpin(context) {
            self.note_end(ended);
        }
    }

    /// Waits for the store while the sends go on.
    async fn meanwhile<T>(&mut self, store: impl Future<Output = T>) -> T {
        let mut store = pin!(store);
        poll_fn(|context| {
            // Has this woken for what is started meanwhile.
            self.shared.hands.was_woken(context);
            self.drive(context);
            store.as_mut().poll(context)
        })
        .await
    }

    fn send(&mut self, started: Started, slot: Slot) {
        let Started { claimed, attempt, lease, parcel } = started;
        let transport = self.shared.parts.transports.get(&parcel.provider).cloned();
        let send: BoxFuture<Seen> = match transport {
            None => Box::pin(ready((Outcome::Failed { class: ErrorClass::NoTransport, retry_after: None }, None))),
            Some(transport) => Box::pin(guarded(async move { (transport.send(parcel, lease.deadline).await, None) })),
        };
        self.in_flight.push(InFlight { send, claimed, attempt, lease, given_up: false, waker: None, slot: Some(slot) });
    }

    fn send_notice(&mut self, started: StartedNotice, slot: Slot) {
        let StartedNotice { claimed, attempt, lease, notice } = started;
        let (webhooks, phone_systems) = (self.shared.parts.webhooks.clone(), self.shared.parts.phone_systems.clone());
        let now = self.shared.parts.host.now();
        let send = Box::pin(guarded(async move {
            let seen = match (notice.endpoint.integration, webhooks, phone_systems) {
                (None, Some(webhooks), _) => webhooks.deliver(claimed.account, &notice, lease.deadline, now).await,
                (Some(_), _, Some(phone_systems)) => phone_systems.deliver(claimed.account, &notice, lease.deadline, now).await,
                // Another host can, or this one once it is set up for it.
                _ => (Outcome::Failed { class: ErrorClass::Interrupted, retry_after: None }, Report::default()),
            };
            (seen.0, Some(seen.1))
        }));
        self.in_flight.push(InFlight { send, claimed, attempt, lease, given_up: false, waker: None, slot: Some(slot) });
    }

    fn note_end(&mut self, (claimed, attempt, (outcome, report)): Ended) {
        let host = &self.shared.parts.host;
        let mut random = [0; 4];
        host.fill(&mut random);
        self.finishes.push(Finish { claimed, attempt, outcome, report, jitter: u32::from_be_bytes(random), now: host.now() });
    }

    fn ask(&mut self, now: Timestamp) -> Asked {
        self.recording.append(&mut self.finishes);
        let recorded = Asked { finishes: self.recording.clone(), given_back: self.given_back.clone(), ..Asked::default() };
        // A hint is taken in any case: one that stays would keep a closing worker from resting.
        let (hinted, place_is_free) = (self.shared.hands.was_hinted(), !self.recording.is_empty());
        if self.closing {
            return recorded;
        }
        let is_heeding = self.heed_from <= now && (hinted || self.inbox.is_due(false, now));
        let heed = is_heeding.then(|| self.ask_heed(now));
        let claim = (hinted || self.messages.is_due(place_is_free, now)).then(|| self.ask_claim(now)).flatten();
        // What has ended may be an event, which leaves a place at its endpoint, or be told in one, which is due when it ended.
        let last_end = self.recording.iter().map(|finish| finish.now).max();
        let take_at = last_end.map_or(now, |end| end.max(now));
        let take = (hinted || last_end.is_some() || self.events.next <= now).then(|| self.ask_take(take_at)).flatten();
        Asked { heed, claim, take, ..recorded }
    }

    fn ask_heed(&mut self, now: Timestamp) -> Heed {
        self.inbox.next = now.plus(self.shared.parts.delivering.poll_interval);
        let (limit, per_account, after) = (HEED_MAX, HEED_PER_ACCOUNT_MAX, self.inbox.after);
        Heed { limit, per_account, after, decider: self.shared.decider.clone(), now }
    }

    fn note_heeded(&mut self, answer: HeedAnswer, now: Timestamp) -> Result<bool, StoreError> {
        self.inbox.saw(answer.after, answer.more, None, now);
        for settled in answer.settled {
            self.shared.waiters.tell(settled);
        }
        if let Some(error) = answer.failed {
            // It fails again until somebody mends it: what that takes is left to everything else, too.
            let end = self.shared.parts.host.now().max(now);
            self.heed_from = end.plus(end.since(now).min(self.shared.parts.delivering.poll_interval));
            self.inbox.next = self.inbox.next.max(self.heed_from);
            return Err(error);
        }
        Ok(answer.heeded > 0)
    }

    fn ask_claim(&mut self, now: Timestamp) -> Option<(Claim, Vec<Slot>)> {
        let delivering = self.shared.parts.delivering;
        self.messages.next = now.plus(delivering.poll_interval);
        let slots = self.messages.slots(&self.shared.hands, CLAIM_MAX)?;
        let (limit, after, lease_until) = (slots.len(), self.messages.after, now.plus(CLAIM_LEASE));
        Some((Claim { limit, per_account: delivering.per_account_max, after, lease_until, now }, slots))
    }

    /// Events that are due are taken with their attempts open, as many as there are places.
    fn ask_take(&mut self, now: Timestamp) -> Option<(Take, Vec<Slot>)> {
        let delivering = self.shared.parts.delivering;
        self.events.next = now.plus(delivering.poll_interval);
        let parts = &self.shared.parts;
        (parts.webhooks.is_some() || parts.phone_systems.is_some()).then_some(())?;
        let slots = self.events.slots(&self.shared.event_hands, TAKE_MAX)?;
        let (limit, after, lease) = (slots.len(), self.events.after, Lease::new(now, delivering.event_timeout));
        // One account with slow receivers leaves half of the places to the others.
        let in_flight_per_account = delivering.events_in_flight_max.div_ceil(2);
        Some((Take { limit, per_account: delivering.per_account_max, in_flight_per_account, after, lease, now }, slots))
    }

    /// What could not be recorded is kept. It may have been committed all the same: then it is stale when it is repeated.
    fn note_recorded(&mut self, finished: Result<Vec<Finished>, StoreError>) -> Result<bool, StoreError> {
        let finished = finished?;
        let recorded = mem::take(&mut self.recording);
        for (finish, finished) in recorded.iter().zip(finished) {
            self.note_finished(finish, finished);
        }
        Ok(!recorded.is_empty())
    }

    fn note_finished(&mut self, finish: &Finish, finished: Finished) {
        let Claimed { account, delivery, .. } = finish.claimed;
        match finished {
            Finished::Stale => {}
            Finished::Message(settled) => self.shared.waiters.tell(settled),
            Finished::Event { disabled } => {
                let was_resent = finish.report.as_ref().is_some_and(|report| report.resent);
                self.notes.extend(was_resent.then_some(Note::Resent { account, delivery }));
                self.notes.extend(disabled.map(|(endpoint, by)| Note::EndpointDisabled { account, endpoint, by }));
            }
        }
    }

    fn send_taken(&mut self, answer: TakeAnswer, slots: Vec<Slot>, now: Timestamp) -> bool {
        self.events.saw(answer.after, answer.more, answer.next_due, now);
        let did = answer.more || !answer.started.is_empty();
        for (started, slot) in answer.started.into_iter().zip(slots) {
            self.send_notice(started, slot);
        }
        did
    }

    async fn sweep(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        self.give_up_overdue(now);
        self.next_sweep = now.plus(SWEEP_INTERVAL);
        let store = self.shared.parts.store.worker();
        // What cannot be swept keeps no recovery waiting.
        let swept = self.meanwhile(store.sweep(now, SWEEP_MAX)).await;
        let recovered = self.meanwhile(store.recover(self.recovered, RECOVER_MAX, now)).await;
        let more = [swept.map(|swept| self.note_swept(swept)), recovered.map(|recovered| self.note_recovered(recovered))];
        let is_more = more.contains(&Ok(true));
        if is_more {
            self.next_sweep = now;
        }
        more.into_iter().collect::<Result<Vec<bool>, _>>().map(|_| is_more)
    }

    fn note_swept(&mut self, swept: Swept) -> bool {
        for change in &swept.settled {
            self.shared.waiters.tell(*change);
        }
        self.notes.extend((swept.parked > 0).then_some(Note::Parked { count: swept.parked }));
        self.notes.extend(swept.judged.into_iter().map(Note::Judged));
        swept.more
    }

    const fn note_recovered(&mut self, recovered: Recovered) -> bool {
        self.recovered = recovered.at;
        recovered.more
    }

    /// Frees the place of a transport that outlived its lease; the sweep says what became of the attempt.
    fn give_up_overdue(&mut self, now: Timestamp) {
        for in_flight in &mut self.in_flight {
            in_flight.give_up_if_overdue(now);
        }
    }

    /// Opens the attempts of what was claimed.
    async fn start(&mut self, answer: ClaimAnswer, mut slots: Vec<Slot>, now: Timestamp) -> Result<bool, StoreError> {
        self.messages.saw(answer.after, answer.more, answer.next_due, now);
        if answer.claimed.is_empty() {
            return Ok(answer.more);
        }
        // The store may have taken its time: an attempt has all of its own from here.
        let now = self.shared.parts.host.now().max(now);
        let lease = Lease::new(now, self.shared.parts.delivering.send_timeout);
        let store = self.shared.parts.store.worker();
        let starts = match self.meanwhile(store.start(answer.claimed.clone(), lease, now)).await {
            Ok(starts) => starts,
            Err(error) => {
                self.given_back.extend(answer.claimed);
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
