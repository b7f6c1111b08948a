//! Take: events that are due, with their attempts opened in the same step.
//!
//! The players: [`Queues`] (what waits, endpoint by endpoint), a [`Lane`] for each endpoint that gets events now, and [`Taking`] (what is
//! taken of one account). What waits for later costs a take one look at its queue.

use std::sync::Arc;

use gatepost::{
    AccountId, Endpoint, EndpointId, EndpointState, Event, EventName, Input, Notice, Skip, StartedNotice, Step, Take, TakeAnswer, Tat,
    Timestamp,
};
use rusqlite::{OptionalExtension, Row, params};

use crate::endpoints::EndpointEntry;
use crate::events;
use crate::fresh::FreshDelivery;
use crate::notices::follow;
use crate::outbox::{self, ENTRY_WIDTH, NewRow, OutboxEntry, Read, entry_columns, readable};
use crate::rows;
use crate::txn::Txn;

/// How many deliveries a take ends at most, so that a long backlog is not written in one go.
const ENDS_MAX: usize = 64;

/// Takes what is due, account after account.
pub(crate) fn take(txn: &mut Txn<'_>, request: &Take) -> rusqlite::Result<TakeAnswer> {
    let mut answer = TakeAnswer::default();
    let mut queues = Queues::behind(request.after);
    let mut ends_left = ENDS_MAX;
    while let Some((account, waiting)) = queues.of_next_account(txn)? {
        let places = request.in_flight_per_account.saturating_sub(in_flight_of_account(txn, account)?);
        let room = request.per_account.min(request.limit - answer.started.len());
        // An account that cannot be read keeps its own events waiting, and nobody else's.
        let taking = |txn: &mut Txn<'_>| Taking::new(account, request, ends_left).take(txn, &waiting, room.min(places));
        let share = txn.part(taking)?.unwrap_or_default();
        ends_left -= share.ended;
        answer.more |= share.ended > 0 || (share.started.len() == room && room <= places);
        answer.next_due = answer.next_due.into_iter().chain(share.next_due).min();
        answer.started.extend(share.started);
        if answer.started.len() >= request.limit {
            answer.after = Some(account);
            return Ok(answer);
        }
    }
    Ok(answer)
}

/// What waits for one endpoint.
struct Queue {
    account: AccountId,
    endpoint: EndpointId,
    /// When the first of it is due.
    due: Timestamp,
    gate: Gate,
}

/// Whether events leave a queue: [`Endpoint::state`], as far as a take must know it before it reads the endpoint.
#[derive(Clone, Copy)]
enum Gate {
    /// They go out.
    Open,
    /// They wait until the endpoint is resumed or verified.
    Held,
    /// They are skipped.
    Closed(Skip),
}

macro_rules! next_queue {
    ($behind:literal, $order:literal) => {
        concat!(
            "SELECT o.account, o.place, o.due,
                e.id IS NULL OR e.removed_at IS NOT NULL, e.disabled IS NOT NULL, e.pause IS NOT NULL OR e.verified_at IS NULL
            FROM outbox o INDEXED BY outbox_events_waiting LEFT JOIN endpoints e ON e.account = o.account AND e.id = o.place
            WHERE o.channel = 1 AND o.state = 0 AND ",
            $behind,
            " AND length(o.account) = 16 AND length(o.place) = 16 ORDER BY ",
            $order,
            " LIMIT 1"
        )
    };
}

// Two statements: for `(account, place) > (?, ?)` SQLite begins at the rows that are equal, and walks over a whole queue.
pub(crate) const NEXT_QUEUE: &str = next_queue!("o.account = ?1 AND o.place > ?2", "o.place, o.due");
pub(crate) const NEXT_ACCOUNT: &str = next_queue!("o.account > ?1", "o.account, o.place, o.due");

fn queue(row: &Row<'_>) -> rusqlite::Result<Queue> {
    let gate = match (row.get(3)?, row.get(4)?, row.get(5)?) {
        (true, _, _) => Gate::Closed(Skip::EndpointRemoved),
        (false, true, _) => Gate::Closed(Skip::EndpointDisabled),
        (false, false, true) => Gate::Held,
        (false, false, false) => Gate::Open,
    };
    Ok(Queue { account: rows::account_id(row, 0)?, endpoint: rows::endpoint_id(row, 1)?, due: rows::time(row, 2)?, gate })
}

/// What waits, endpoint by endpoint, in the order of the accounts.
struct Queues {
    /// Where the next one is looked for: behind this account and endpoint.
    behind: (Vec<u8>, Vec<u8>),
    /// The first one of the account that comes next, as far as the outbox says.
    next: Option<Queue>,
    /// The last account that had its turn.
    done: Option<AccountId>,
}

impl Queues {
    fn behind(account: Option<AccountId>) -> Self {
        let behind = account.map_or_else(Default::default, |account| (account.to_bytes().to_vec(), vec![0xff; 17]));
        Self { behind, next: None, done: account }
    }

    /// The next account for which there is something, be it only fresh, and what waits of it in the outbox.
    fn of_next_account(&mut self, txn: &mut Txn<'_>) -> rusqlite::Result<Option<(AccountId, Vec<Queue>)>> {
        if self.next.is_none() {
            self.next = self.look(txn)?;
        }
        let (waiting, fresh) = (self.next.as_ref().map(|queue| queue.account), txn.fresh().account_behind(self.done));
        let Some(account) = waiting.into_iter().chain(fresh).min() else { return Ok(None) };
        let mut queues = Vec::new();
        while let Some(queue) = self.next.take_if(|queue| queue.account == account) {
            queues.push(queue);
            self.next = self.look(txn)?;
        }
        self.done = Some(account);
        Ok(Some((account, queues)))
    }

    fn look(&mut self, txn: &mut Txn<'_>) -> rusqlite::Result<Option<Queue>> {
        let mut found = txn.statement(NEXT_QUEUE)?.query_row(params![self.behind.0, self.behind.1], queue).optional()?;
        if found.is_none() {
            found = txn.statement(NEXT_ACCOUNT)?.query_row([&self.behind.0], queue).optional()?;
        }
        if let Some(queue) = &found {
            self.behind = (queue.account.to_bytes().to_vec(), queue.endpoint.to_bytes().to_vec());
        }
        Ok(found)
    }
}

/// An endpoint that gets events now, and has some that are due.
struct Lane {
    endpoint: Arc<Endpoint>,
    in_flight: usize,
    /// When the first of them was due.
    due: Timestamp,
    /// Whether some of them stand in the outbox; others may be fresh.
    waits: bool,
    /// How many it gets next.
    share: usize,
    /// Whether nothing more goes there now.
    is_done: bool,
}

impl Lane {
    fn has_room(&self) -> bool {
        !self.is_done && self.in_flight + self.share < usize::from(self.endpoint.in_flight_max)
    }
}

/// Shares `room` between the lanes: each place goes to the one with the fewest on their way, so that a busy endpoint leaves room for
/// the others. Whether there was anything to share.
fn share(lanes: &mut [Lane], room: usize) -> bool {
    lanes.iter_mut().for_each(|lane| lane.share = 0);
    for _ in 0..room {
        let next = lanes.iter_mut().filter(|lane| lane.has_room()).min_by_key(|lane| (lane.in_flight + lane.share, lane.due));
        match next {
            Some(lane) => lane.share += 1,
            None => break,
        }
    }
    lanes.iter().any(|lane| lane.share > 0)
}

/// What is taken of one account.
struct Taking<'a> {
    account: AccountId,
    request: &'a Take,
    ends_left: usize,
    taken: Share,
}

/// An account's part of the answer.
#[derive(Default)]
struct Share {
    started: Vec<StartedNotice>,
    next_due: Option<Timestamp>,
    ended: usize,
}

/// A delivery that is due, with its event, unless that is forgotten.
struct Due {
    entry: OutboxEntry,
    event: Option<(Event, EventName)>,
    /// What is to be put into the outbox, where it does not stand there yet.
    fresh: Option<NewRow>,
}

impl From<FreshDelivery> for Due {
    fn from(fresh: FreshDelivery) -> Self {
        let entry = fresh.entry();
        Self { entry, event: Some((fresh.event, fresh.as_name)), fresh: Some(fresh.row) }
    }
}

/// What came of trying to start a delivery.
enum Tried {
    /// It has an attempt.
    Started,
    /// It has ended.
    Ended,
    /// It waits, and with it whatever else goes to its endpoint.
    Waits,
}

impl<'a> Taking<'a> {
    fn new(account: AccountId, request: &'a Take, ends_left: usize) -> Self {
        Self { account, request, ends_left, taken: Share::default() }
    }

    fn take(mut self, txn: &mut Txn<'_>, queues: &[Queue], room: usize) -> rusqlite::Result<Share> {
        let mut lanes = self.lanes(txn, queues)?;
        while share(&mut lanes, room - self.taken.started.len()) {
            for lane in lanes.iter_mut().filter(|lane| lane.share > 0) {
                self.take_lane(txn, lane)?;
            }
        }
        Ok(self.taken)
    }

    /// A lane for each endpoint that gets events now. What waits for one that takes no more is skipped.
    fn lanes(&mut self, txn: &mut Txn<'_>, queues: &[Queue]) -> rusqlite::Result<Vec<Lane>> {
        let mut lanes = Vec::new();
        for queue in queues {
            match queue.gate {
                Gate::Held => {}
                Gate::Open | Gate::Closed(_) if queue.due > self.request.now => self.note_due(queue.due),
                Gate::Open => match txn.endpoint(self.account, queue.endpoint)?.map(|entry| (entry.counts, entry.endpoint.clone())) {
                    Some((true, endpoint)) => lanes.push(self.lane(txn, endpoint, queue.due, true)?),
                    Some((false, _)) => self.skip_queue(txn, queue, Skip::EndpointDisabled)?,
                    None => {}
                },
                Gate::Closed(why) => self.skip_queue(txn, queue, why)?,
            }
        }
        self.add_fresh_lanes(txn, &mut lanes)?;
        Ok(lanes)
    }

    /// Lanes for those endpoints for which nothing is due but what is fresh. What must wait, waits in the outbox.
    fn add_fresh_lanes(&self, txn: &mut Txn<'_>, lanes: &mut Vec<Lane>) -> rusqlite::Result<()> {
        let fresh: Vec<EndpointId> = txn.fresh().endpoints(self.account).collect();
        for id in fresh {
            let gets_events = |entry: &EndpointEntry| entry.counts && entry.endpoint.state() == EndpointState::Enabled;
            if lanes.iter().all(|lane| lane.endpoint.id != id)
                && let Some(entry) = txn.endpoint(self.account, id)?.filter(|entry| gets_events(entry))
            {
                let endpoint = entry.endpoint.clone();
                lanes.push(self.lane(txn, endpoint, self.request.now, false)?);
            }
        }
        Ok(())
    }

    fn lane(&self, txn: &mut Txn<'_>, endpoint: Arc<Endpoint>, due: Timestamp, waits: bool) -> rusqlite::Result<Lane> {
        let in_flight = in_flight(txn, self.account, endpoint.id)?;
        Ok(Lane { endpoint, in_flight, due, waits, share: 0, is_done: false })
    }

    fn note_due(&mut self, due: Timestamp) {
        self.taken.next_due = Some(self.taken.next_due.map_or(due, |known| known.min(due)));
    }

    fn skip_queue(&mut self, txn: &mut Txn<'_>, queue: &Queue, why: Skip) -> rusqlite::Result<()> {
        // Each that ends makes what stood behind it in its line due.
        let mut before = usize::MAX;
        while self.ends_left > 0 && self.ends_left < before {
            before = self.ends_left;
            for due in self.waiting(txn, queue.endpoint, self.ends_left)? {
                self.skip(txn, &due.entry, why)?;
            }
        }
        Ok(())
    }

    fn skip(&mut self, txn: &mut Txn<'_>, entry: &OutboxEntry, why: Skip) -> rusqlite::Result<Tried> {
        match entry.state.step(&Input::Skip(why), self.request.now) {
            Ok(step) => self.end(txn, entry, step),
            Err(_) => Ok(Tried::Waits),
        }
    }

    /// Ends a delivery untried, unless enough have ended.
    fn end(&mut self, txn: &mut Txn<'_>, entry: &OutboxEntry, step: Step) -> rusqlite::Result<Tried> {
        if self.ends_left == 0 {
            return Ok(Tried::Waits);
        }
        follow(txn, entry, step, self.request.now)?;
        self.ends_left -= 1;
        self.taken.ended += 1;
        Ok(Tried::Ended)
    }

    /// Starts a lane's share.
    fn take_lane(&mut self, txn: &mut Txn<'_>, lane: &mut Lane) -> rusqlite::Result<()> {
        // One more than its rate lets through, to know whether there is one that must wait.
        let remaining = txn.endpoint(self.account, lane.endpoint.id)?.map_or(0, |entry| entry.remaining(self.request.now));
        let count = lane.share.min(remaining.saturating_add(1));
        let due = self.due(txn, lane, count)?;
        lane.is_done = due.len() < count;
        let mut is_held_up = false;
        for due in due {
            let tried =
                if is_held_up { leave_waiting(txn, &due.entry, due.fresh.as_ref())? } else { self.try_start(txn, due, &lane.endpoint)? };
            match tried {
                Tried::Started => lane.in_flight += 1,
                Tried::Ended => {}
                Tried::Waits => is_held_up = true,
            }
        }
        lane.is_done |= is_held_up;
        Ok(())
    }

    /// What is due of a lane: first what waits, then what is fresh.
    fn due(&self, txn: &mut Txn<'_>, lane: &Lane, limit: usize) -> rusqlite::Result<Vec<Due>> {
        let mut due = if lane.waits { self.waiting(txn, lane.endpoint.id, limit)? } else { Vec::new() };
        let fresh = txn.fresh().take(self.account, lane.endpoint.id, limit - due.len());
        due.extend(fresh.into_iter().map(Due::from));
        Ok(due)
    }

    fn waiting(&self, txn: &mut Txn<'_>, endpoint: EndpointId, limit: usize) -> rusqlite::Result<Vec<Due>> {
        let now = self.request.now;
        let params = params![self.account.to_bytes(), endpoint.to_bytes(), now.as_millis(), limit as i64];
        let found: Vec<Read<Due>> = rows::all(txn.statement(DUE)?, params, |row| outbox::read_with(row, due))?;
        readable(txn, found, now)
    }

    fn try_start(&mut self, txn: &mut Txn<'_>, due: Due, endpoint: &Arc<Endpoint>) -> rusqlite::Result<Tried> {
        let Due { entry, event, fresh } = due;
        let Take { lease, now, .. } = *self.request;
        let Some((event, as_name)) = event else { return self.skip(txn, &entry, Skip::BodyForgotten) };
        let tat = match next_tat(txn, &entry, now)? {
            Ok(tat) => tat,
            Err(retry_at) => {
                self.note_due(retry_at);
                return leave_waiting(txn, &entry, fresh.as_ref());
            }
        };
        match entry.state.take(lease.until, now) {
            Ok(Step::GoesOn(next)) => {
                match fresh {
                    Some(row) => row.insert(txn, &next, Some(now))?,
                    None => outbox::write_state(txn, entry.delivery, &next, Some(now))?,
                }
                txn.endpoint(entry.account, entry.endpoint())?.into_iter().for_each(|entry| entry.set_tat(tat));
                let started = entry.started(next, now);
                let claimed = started.claimed();
                txn.open_attempts().add(started.into());
                let notice = Notice { event, as_name, endpoint: endpoint.clone() };
                self.taken.started.push(StartedNotice { claimed, attempt: next.tries, lease, notice });
                Ok(Tried::Started)
            }
            Ok(step @ Step::Ends(_)) => match self.end(txn, &entry, step)? {
                Tried::Waits => leave_waiting(txn, &entry, fresh.as_ref()),
                tried => Ok(tried),
            },
            Err(_) => leave_waiting(txn, &entry, fresh.as_ref()),
        }
    }
}

/// Leaves a delivery to a later take.
fn leave_waiting(txn: &mut Txn<'_>, entry: &OutboxEntry, fresh: Option<&NewRow>) -> rusqlite::Result<Tried> {
    if let Some(row) = fresh {
        row.insert(txn, &entry.state, None)?;
    }
    Ok(Tried::Waits)
}

/// The endpoint's time after one more call, or when it may be called again.
fn next_tat(txn: &mut Txn<'_>, to: &OutboxEntry, now: Timestamp) -> rusqlite::Result<Result<Tat, Timestamp>> {
    Ok(txn.endpoint(to.account, to.endpoint())?.map_or(Ok(Tat::default()), |entry| entry.next_tat(now)))
}

pub(crate) const DUE: &str = concat!(
    "SELECT ",
    entry_columns!(),
    ", e.id, e.name, e.instance, e.occurred_at, e.fields, o.as_name
     FROM outbox o INDEXED BY outbox_events_waiting LEFT JOIN events e ON e.account = o.account AND e.id = o.item
     WHERE o.channel = 1 AND o.state = 0 AND o.account = ?1 AND o.place = ?2 AND o.due <= ?3 ORDER BY o.due LIMIT ?4"
);

fn due(row: &Row<'_>, entry: OutboxEntry) -> rusqlite::Result<Due> {
    if row.get_ref(ENTRY_WIDTH + 4)? == rusqlite::types::ValueRef::Null {
        return Ok(Due { entry, event: None, fresh: None });
    }
    let event = events::event(row, ENTRY_WIDTH)?;
    let as_name = rows::word_or_none(row, ENTRY_WIDTH + 5)?.unwrap_or(event.name);
    Ok(Due { entry, event: Some((event, as_name)), fresh: None })
}

pub(crate) const IN_FLIGHT_OF_ACCOUNT: &str =
    "SELECT count(*) FROM outbox INDEXED BY outbox_events_in_flight WHERE channel = 1 AND state = 2 AND account = ?1";

fn in_flight_of_account(txn: &mut Txn<'_>, account: AccountId) -> rusqlite::Result<usize> {
    txn.statement(IN_FLIGHT_OF_ACCOUNT)?.query_row([account.to_bytes()], |row| rows::count(row, 0)).map(|count| count as usize)
}

pub(crate) const IN_FLIGHT: &str =
    "SELECT count(*) FROM outbox INDEXED BY outbox_events_in_flight WHERE channel = 1 AND state = 2 AND account = ?1 AND place = ?2";

fn in_flight(txn: &mut Txn<'_>, account: AccountId, endpoint: EndpointId) -> rusqlite::Result<usize> {
    let key = params![account.to_bytes(), endpoint.to_bytes()];
    txn.statement(IN_FLIGHT)?.query_row(key, |row| rows::count(row, 0)).map(|count| count as usize)
}
