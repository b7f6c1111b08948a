//! Possible: what can happen next in a world.
//!
//! The gateway's own steps are always possible. What nobody wishes for ([`Left`](crate::world::Left)) is possible a number of times:
//! a host dies, it dawdles while time passes, nobody hears how a commit ended.

use std::time::Duration;

use gatepost::{Channel, Delivery, EndpointState, IDEMPOTENCY_TIME, State, Timestamp};

use crate::action::{Action, Change, Commit, Fate};
use crate::mutant::Mutant;
use crate::world::{Bounds, Caller, Hand, World};

/// What can happen next.
pub(crate) fn actions(world: &World, bounds: &Bounds, mutant: Option<Mutant>) -> Vec<Action> {
    let mut possible = Possible { world, bounds, mutant, actions: Vec::new() };
    (0..world.callers.len()).for_each(|caller| possible.asks(caller));
    (0..world.hosts.len()).for_each(|host| possible.works(host));
    possible.people();
    possible.owner();
    possible.time();
    possible.actions
}

struct Possible<'a> {
    world: &'a World,
    bounds: &'a Bounds,
    mutant: Option<Mutant>,
    actions: Vec<Action>,
}

/// Whether nobody has anything to do at this moment.
pub(crate) fn is_quiet(world: &World, mutant: Option<Mutant>) -> bool {
    let is_held = |delivery: &Delivery| match (delivery.state, delivery.channel) {
        (State::Waiting { .. }, Channel::Message) => world.rows.paused,
        (State::Waiting { .. }, Channel::Event) => !is_taken(world, mutant),
        _ => false,
    };
    let is_due = |delivery: &Delivery| delivery.state.due() <= world.now && !is_held(delivery);
    world.is_idle() && !world.rows.open().any(|(_, delivery)| is_due(&delivery) || closes_at(&delivery) <= world.now)
}

/// Whether the endpoint's events are taken, be it to be skipped.
fn is_taken(world: &World, mutant: Option<Mutant>) -> bool {
    let is_held = matches!(world.rows.site.0.state(), EndpointState::Paused | EndpointState::Unverified);
    !is_held || mutant == Some(Mutant::EndpointNotAsked)
}

impl Possible<'_> {
    fn add(&mut self, is_possible: bool, action: Action) {
        if is_possible {
            self.actions.push(action);
        }
    }

    fn may_fail(&self) -> bool {
        self.world.left.faults > 0
    }

    fn asks(&mut self, caller: usize) {
        let Caller { asks, looked, .. } = self.world.callers[caller];
        if asks == 0 {
            return;
        }
        if self.mutant == Some(Mutant::QuotaReadThenWritten) && looked.is_none() {
            return self.actions.push(Action::Look { caller });
        }
        let ready = (0..self.world.hosts.len()).find(|host| self.world.hosts[*host] == Hand::Empty);
        for at_once in std::iter::once(None).chain(ready.map(Some)) {
            self.actions.push(Action::Ask { caller, at_once, commit: Commit::Answered });
            self.add(self.may_fail(), Action::Ask { caller, at_once, commit: Commit::Lost });
        }
        self.add(self.may_fail(), Action::Ask { caller, at_once: None, commit: Commit::Undone });
    }

    fn works(&mut self, host: usize) {
        match self.world.hosts[host] {
            Hand::Empty if self.picks_up(host) => self.finds_work(host),
            Hand::Empty => {}
            Hand::Claimed(_) => {
                self.actions.push(Action::Start { host, commit: Commit::Answered });
                self.add(self.may_fail(), Action::Start { host, commit: Commit::Lost });
                self.add(self.may_fail(), Action::Start { host, commit: Commit::Undone });
            }
            Hand::Unsure(_) => self.actions.push(Action::GiveBack { host }),
            Hand::Started { deadline, .. } if self.world.clock(host) > deadline && self.mutant != Some(Mutant::DeadlineIgnored) => {
                self.actions.push(Action::Send { host, fate: Fate::TooLate });
            }
            Hand::Started { grip, .. } => self.sends(host, self.world.rows.deliveries[grip.row].channel()),
            Hand::Answered { .. } => {
                self.actions.push(Action::Finish { host, commit: Commit::Answered });
                self.add(self.may_fail(), Action::Finish { host, commit: Commit::Lost });
            }
        }
        self.add(self.may_fail() && self.world.hosts[host] != Hand::Empty, Action::Crash { host });
        self.sweeps(host);
    }

    /// Whether a host takes something new. Idle hosts whose clocks agree are alike, so the first of them does.
    fn picks_up(&self, host: usize) -> bool {
        let is_idle = |host: usize| self.world.hosts[host] == Hand::Empty;
        is_idle(host) && (!self.world.ahead.is_zero() || !(0..host).any(is_idle))
    }

    fn finds_work(&mut self, host: usize) {
        let now = self.world.clock(host);
        for (row, delivery) in self.world.rows.open() {
            let is_due = matches!(delivery.state, State::Waiting { due } if due <= now);
            match delivery.channel {
                Channel::Message => self.add(is_due && !self.world.rows.paused, Action::Claim { host, row }),
                Channel::Event => self.add(is_due && is_taken(self.world, self.mutant), Action::Take { host, row }),
            }
        }
    }

    fn sends(&mut self, host: usize, channel: Channel) {
        for fate in self.bounds.fates.iter().filter(|fate| fate.is_of(channel)) {
            let is_possible = *fate != Fate::Throttled || self.world.left.throttles > 0;
            self.add(is_possible, Action::Send { host, fate: *fate });
        }
    }

    /// The first host whose clock says so sweeps.
    fn sweeps(&mut self, host: usize) {
        for (row, delivery) in self.world.rows.open() {
            let at = closes_at(&delivery);
            let is_first = host == 0 || self.world.clock(0) < at;
            self.add(at <= self.world.clock(host) && is_first, Action::Sweep { host, row });
        }
    }

    fn people(&mut self) {
        let World { rows, left, callers, .. } = self.world;
        let may_act = left.people > 0 && !callers.is_empty() && self.world.is_alive();
        self.add(may_act && !rows.suppressed, Action::Suppress);
        self.add(may_act && !rows.paused, Action::Pause);
        self.add(rows.paused, Action::Resume);
        self.add(left.events > 0, Action::Happen);
        for (row, delivery) in rows.open() {
            self.add(matches!(delivery.state, State::InDoubt { .. }), Action::Resolve { row });
            let is_there = delivery.channel == Channel::Message && rows.deliveries[row].truth.arrived > 0;
            for failed in [false, true] {
                self.add(is_there && left.reports > 0, Action::Report { row, failed });
            }
        }
    }

    fn owner(&mut self) {
        let World { rows, left, .. } = self.world;
        let state = rows.site.0.state();
        let may_act = left.people > 0 && self.bounds.left.events > 0 && self.world.is_alive();
        for change in [Change::Disable, Change::Pause, Change::Move, Change::Remove] {
            self.add(may_act && state != EndpointState::Removed, Action::Change(change));
        }
        self.add(state == EndpointState::Disabled, Action::Change(Change::Enable));
        self.add(state == EndpointState::Paused, Action::Change(Change::Resume));
        self.add(state == EndpointState::Unverified, Action::Change(Change::Verify));
        for (row, delivery) in rows.deliveries.iter().enumerate() {
            let may_repeat = left.replays > 0 && delivery.channel() == Channel::Event && delivery.open().is_none();
            self.add(may_repeat, Action::Replay { row, to_changed_url: false });
            self.add(may_repeat, Action::Replay { row, to_changed_url: true });
        }
    }

    /// While nobody has anything to do, time passes to the next moment at which that changes. While somebody has, it passes only
    /// because hosts are slow, and then as far as it likes.
    fn time(&mut self) {
        let moments = moments(self.world, self.bounds);
        let reach = if is_quiet(self.world, self.mutant) { 1 } else { moments.len() * usize::from(self.may_fail()) };
        self.actions.extend(moments.into_iter().take(reach).map(|to| Action::Pass { to }));
    }
}

/// When the sweep closes it.
fn closes_at(delivery: &Delivery) -> Timestamp {
    match delivery.state {
        State::Waiting { .. } => delivery.expires_at,
        state => state.due(),
    }
}

/// The moments ahead at which something becomes possible or impossible.
fn moments(world: &World, bounds: &Bounds) -> Vec<Timestamp> {
    let mut moments = Vec::new();
    for (_, delivery) in world.rows.open() {
        moments.extend([delivery.state.due(), delivery.expires_at]);
        if let State::Started { lease_until } = delivery.state {
            moments.push(lease_until.minus(world.ahead));
        }
        if delivery.channel == Channel::Event && world.left.throttles > 0 {
            moments.push(delivery.expires_at.minus(Duration::from_secs(1_800)));
        }
    }
    for hand in &world.hosts {
        if let Hand::Started { deadline, .. } = hand {
            moments.push(*deadline);
        }
    }
    let may_ask = bounds.keyed && world.callers.iter().any(|caller| caller.asks > 0);
    moments.extend(world.rows.bound.filter(|_| may_ask).map(|(_, since)| since.plus(IDEMPOTENCY_TIME)));
    moments.retain(|moment| *moment > world.now);
    moments.sort_unstable();
    moments.dedup();
    moments
}
