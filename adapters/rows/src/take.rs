//! Take: events that are due, with their attempts opened in the same step.
//!
//! The players: `Taking` (what is taken of one account), and a `Lane` for each endpoint that gets events now. The next place always
//! goes to the lane with the fewest on their way, so that a busy endpoint leaves room for the others.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use gatepost::{
    Claimed, Delivery, DeliveryId, Endpoint, EndpointId, EndpointState, Input, Notice, Skip, StartedNotice, Step, Take, TakeAnswer, Tat,
    Timestamp,
};

use crate::notices::follow;
use crate::world::{AccountRows, NoticeRow, World};
use crate::{endpoints, events};

/// How many deliveries a take skips at most, so that a long backlog is not written in one go.
const SKIPS_MAX: usize = 64;

/// Takes what is due, account after account.
pub fn take(world: &mut World, request: &Take) -> TakeAnswer {
    let (mut answer, mut skips_left) = (TakeAnswer::default(), SKIPS_MAX);
    let behind = request.after.map_or(Bound::Unbounded, Bound::Excluded);
    for (id, rows) in world.accounts.range_mut((behind, Bound::Unbounded)) {
        Taking { rows, request, answer: &mut answer, skips_left: &mut skips_left }.take();
        if answer.started.len() >= request.limit {
            answer.after = Some(*id);
            return answer;
        }
    }
    answer
}

/// What is taken of one account.
struct Taking<'a> {
    rows: &'a mut AccountRows,
    request: &'a Take,
    answer: &'a mut TakeAnswer,
    skips_left: &'a mut usize,
}

/// What is due at an endpoint that gets events now.
struct Lane {
    endpoint: Arc<Endpoint>,
    in_flight: usize,
    /// What is due first comes first.
    due: VecDeque<NoticeRow>,
}

impl Taking<'_> {
    fn take(mut self) {
        let mut lanes = self.lanes();
        let share = self.request.per_account.min(self.request.limit - self.answer.started.len());
        let in_flight = self.rows.notices.values().filter(|row| row.is_started()).count();
        let places = self.request.in_flight_per_account.saturating_sub(in_flight);
        let mut room = share.min(places);
        while let Some(lane) = (room > 0).then(|| next_lane(&mut lanes)).flatten() {
            if self.take_one(lane) {
                room -= 1;
            }
        }
        self.answer.more |= room == 0 && share <= places;
    }

    /// A lane for each endpoint that gets events now. What waits for one that takes no more is skipped.
    fn lanes(&mut self) -> Vec<Lane> {
        let mut lanes = Vec::new();
        for (id, waiting) in waiting(self.rows) {
            let Some(endpoint) = self.rows.endpoints.get(&id).map(|row| row.endpoint.clone()) else { continue };
            match endpoint.state() {
                EndpointState::Unverified | EndpointState::Paused => {}
                EndpointState::Enabled if !endpoints::counts(self.rows, &endpoint) => self.skip_all(id, waiting, Skip::EndpointDisabled),
                EndpointState::Enabled => {
                    let in_flight = in_flight(self.rows, id);
                    lanes.push(Lane { endpoint, in_flight, due: self.due(waiting).into() });
                }
                EndpointState::Disabled => self.skip_all(id, waiting, Skip::EndpointDisabled),
                EndpointState::Removed => self.skip_all(id, waiting, Skip::EndpointRemoved),
            }
        }
        lanes
    }

    /// What is due of it, in order; when the rest is due is noted.
    fn due(&mut self, mut waiting: Vec<NoticeRow>) -> Vec<NoticeRow> {
        waiting.sort_by_key(|row| (row.delivery.state.due(), row.id));
        let later = waiting.split_off(waiting.partition_point(|row| row.delivery.state.due() <= self.request.now));
        self.note_due(later.first().map(|row| row.delivery.state.due()));
        waiting
    }

    fn note_due(&mut self, due: Option<Timestamp>) {
        self.answer.next_due = self.answer.next_due.into_iter().chain(due).min();
    }

    /// Skips what is due of an endpoint, and what that makes due: each that ends lets go what stood behind it in its line.
    fn skip_all(&mut self, endpoint: EndpointId, mut waiting: Vec<NoticeRow>, why: Skip) {
        while let due @ [_, ..] = &*self.due(waiting) {
            if !due.iter().all(|row| self.skip(row, why)) {
                return;
            }
            waiting = waiting_for(self.rows, endpoint);
        }
    }

    /// Ends a delivery untried; `false` where enough were skipped.
    fn skip(&mut self, row: &NoticeRow, why: Skip) -> bool {
        if *self.skips_left == 0 {
            return false;
        }
        if let Ok(step) = row.delivery.step(&Input::Skip(why), self.request.now) {
            follow(self.rows, row, step, self.request.now);
            *self.skips_left -= 1;
            self.answer.more = true;
        }
        true
    }

    /// Starts what is first in the lane; whether it did. A lane that must wait is emptied.
    fn take_one(&mut self, lane: &mut Lane) -> bool {
        let Some(row) = lane.due.pop_front() else { return false };
        match self.try_start(&row, &lane.endpoint) {
            Tried::Started(started) => {
                self.answer.started.push(started);
                lane.in_flight += 1;
                return true;
            }
            Tried::Ended | Tried::PassedOver => {}
            Tried::Waits => lane.due.clear(),
        }
        false
    }

    fn try_start(&mut self, row: &NoticeRow, endpoint: &Arc<Endpoint>) -> Tried {
        let now = self.request.now;
        if !self.rows.events.contains_key(&row.event) {
            // Whoever keeps rows elsewhere has not brought this one; it goes another time.
            return Tried::PassedOver;
        }
        let Some(event) = events::find(self.rows, row.event) else {
            return if self.skip(row, Skip::BodyForgotten) { Tried::Ended } else { Tried::Waits };
        };
        let tat = match self.next_tat(endpoint) {
            Ok(tat) => tat,
            Err(retry_at) => {
                self.note_due(Some(retry_at));
                return Tried::Waits;
            }
        };
        let Ok(step) = row.delivery.take(self.request.lease.until, now) else { return Tried::Ended };
        follow(self.rows, row, step, now);
        match step {
            Step::Ends(_) => Tried::Ended,
            Step::GoesOn(delivery) => {
                if let Some(row) = self.rows.endpoints.get_mut(&endpoint.id) {
                    row.tat = tat;
                }
                let as_name = row.as_name.unwrap_or(event.name);
                let notice = Notice { event, as_name, endpoint: endpoint.clone() };
                Tried::Started(self.started(row.id, delivery, notice))
            }
        }
    }

    /// The endpoint's time after one more call, or when it may be called again.
    fn next_tat(&self, endpoint: &Endpoint) -> Result<Tat, Timestamp> {
        let tat = self.rows.endpoints.get(&endpoint.id).map(|row| row.tat).unwrap_or_default();
        endpoint.rate.map_or(Ok(tat), |rate| rate.take(tat, self.request.now))
    }

    const fn started(&self, id: DeliveryId, delivery: Delivery, notice: Notice) -> StartedNotice {
        let claimed = Claimed { account: self.rows.account.id, delivery: id, fence: delivery.fence };
        StartedNotice { claimed, attempt: delivery.tries, lease: self.request.lease, notice }
    }
}

/// What came of trying to start a delivery.
enum Tried {
    /// It is on its way.
    Started(StartedNotice),
    /// It has ended.
    Ended,
    /// It is left as it is, and keeps nothing behind it waiting.
    PassedOver,
    /// It waits, and with it whatever else is in its lane.
    Waits,
}

/// The lane whose turn it is: of those with the fewest on their way, the one that was due first.
fn next_lane(lanes: &mut [Lane]) -> Option<&mut Lane> {
    let has_room = |lane: &&mut Lane| lane.in_flight < usize::from(lane.endpoint.in_flight_max);
    let first_due = |lane: &Lane| lane.due.front().map(|row| row.delivery.state.due());
    lanes.iter_mut().filter(|lane| !lane.due.is_empty()).filter(has_room).min_by_key(|lane| (lane.in_flight, first_due(lane)))
}

/// What waits, endpoint by endpoint.
fn waiting_for(rows: &AccountRows, endpoint: EndpointId) -> Vec<NoticeRow> {
    rows.notices.values().filter(|row| row.endpoint == endpoint && row.is_waiting()).copied().collect()
}

fn waiting(rows: &AccountRows) -> BTreeMap<EndpointId, Vec<NoticeRow>> {
    let mut waiting: BTreeMap<EndpointId, Vec<NoticeRow>> = BTreeMap::new();
    for row in rows.notices.values().filter(|row| row.is_waiting()) {
        waiting.entry(row.endpoint).or_default().push(*row);
    }
    waiting
}

fn in_flight(rows: &AccountRows, endpoint: EndpointId) -> usize {
    rows.notices.values().filter(|row| row.endpoint == endpoint && row.is_started()).count()
}
