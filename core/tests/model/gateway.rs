//! Gateway: the model itself: what follows when something happens in a small world.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use gatepost::{Actor, Delivering, Disabled, DisabledBy, EndpointChange, EndpointUrl, Lease, Pause, Timestamp};

use crate::action::{Action, Change, Commit, Fate};
use crate::explorer::Model;
use crate::mutant::Mutant;
use crate::possible::{actions, is_quiet};
use crate::promises::{ALWAYS, SOMETIMES, Seen};
use crate::txn::{Answer, Txn};
use crate::world::{Bounds, Caller, Grip, Hand, World};

/// How long a claim lasts.
const CLAIM_LEASE: Duration = Duration::from_secs(30);

const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// A gateway in a world of this size, perhaps with a bug.
pub(crate) struct SmallGateway {
    pub(crate) bounds: Bounds,
    pub(crate) mutant: Option<Mutant>,
}

impl Model for SmallGateway {
    type State = World;
    type Action = Action;

    fn start(&self) -> World {
        World::new(&self.bounds)
    }

    fn actions(&self, world: &World) -> Vec<Action> {
        actions(world, &self.bounds, self.mutant)
    }

    fn next(&self, before: &World, action: &Action) -> World {
        let mut world = before.clone();
        self.act(&mut world, *action);
        world
    }

    fn broken(&self, before: &World, action: &Action, after: &World) -> Option<&'static str> {
        let seen = Seen { before, action: *action, after };
        ALWAYS.iter().find(|(_, holds)| !holds(&seen)).map(|(promise, _)| *promise)
    }

    fn note(&self, before: &World, action: &Action, after: &World, shown: &mut u64) {
        let seen = Seen { before, action: *action, after };
        for (place, (_, is_so)) in SOMETIMES.iter().enumerate() {
            if *shown & 1 << place == 0 && is_so(&seen) {
                *shown |= 1 << place;
            }
        }
    }

    fn is_over(&self, world: &World) -> bool {
        world.rows.open().next().is_none()
    }
}

impl SmallGateway {
    fn act(&self, world: &mut World, action: Action) {
        match action {
            Action::Look { caller } => world.callers[caller].looked = Some(self.txn(world, 0).used()),
            Action::Ask { caller, at_once, commit } => self.ask(world, caller, at_once, commit),
            Action::Happen => self.happen(world),
            Action::Claim { host, row } => self.claim(world, host, row),
            Action::Start { host, commit } => self.start_attempt(world, host, commit),
            Action::Take { host, row } => self.take(world, host, row),
            Action::Send { host, fate } => self.send(world, host, fate),
            Action::Finish { host, commit } => self.finish(world, host, commit),
            Action::GiveBack { host } => self.give_back(world, host),
            Action::Sweep { host, row } => self.txn(world, host).sweep(row),
            Action::Crash { host } => self.crash(world, host),
            Action::Pass { to } => self.pass(world, to),
            Action::Suppress => (world.rows.suppressed, world.left.people) = (true, world.left.people - 1),
            Action::Pause => (world.rows.paused, world.left.people) = (true, world.left.people - 1),
            Action::Resume => world.rows.paused = false,
            Action::Resolve { row } => self.resolve(world, row),
            Action::Report { row, failed } => self.report(world, row, failed),
            Action::Change(change) => self.change(world, change),
            Action::Replay { row, to_changed_url } => self.replay(world, row, to_changed_url),
        }
    }

    fn txn<'a>(&self, world: &'a mut World, host: usize) -> Txn<'a> {
        let now = world.clock(host);
        Txn { rows: &mut world.rows, mutant: self.mutant, now }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn lease(&self, now: Timestamp, timeout: Duration) -> Lease {
        let lease = Lease::new(now, timeout);
        if self.is(Mutant::MarginTooSmall) { Lease { until: lease.deadline.plus(HALF_A_SECOND), ..lease } } else { lease }
    }

    fn ask(&self, world: &mut World, caller: usize, at_once: Option<usize>, commit: Commit) {
        let Caller { looked, .. } = world.callers[caller];
        world.callers[caller].asks -= 1;
        world.left.faults -= u8::from(commit != Commit::Answered);
        if commit == Commit::Undone {
            return;
        }
        let lease = at_once.map(|host| self.lease(world.clock(host), Delivering::default().send_timeout));
        let mut txn = self.txn(world, at_once.unwrap_or(0));
        let answer = txn.accept(self.bounds.keyed, lease, looked);
        if let Answer::Accepted(row) = answer
            && self.bounds.keyed
            && !(self.is(Mutant::KeyBoundLater) && commit == Commit::Lost)
        {
            txn.bind(row);
        }
        if commit == Commit::Answered {
            tell(world, caller, answer, at_once.zip(lease));
        }
    }

    fn happen(&self, world: &mut World) {
        world.left.events -= 1;
        self.txn(world, 0).happen();
    }

    fn claim(&self, world: &mut World, host: usize, row: usize) {
        let lease_until = world.clock(host).plus(CLAIM_LEASE);
        let grip = self.txn(world, host).claim(row, lease_until);
        world.hosts[host] = grip.map_or(Hand::Empty, Hand::Claimed);
    }

    fn start_attempt(&self, world: &mut World, host: usize, commit: Commit) {
        let Hand::Claimed(grip) = world.hosts[host] else { return };
        world.left.faults -= u8::from(commit != Commit::Answered);
        let lease = self.lease(world.clock(host), Delivering::default().send_timeout);
        let attempt = if commit == Commit::Undone { None } else { self.txn(world, host).start(grip, lease) };
        world.hosts[host] = match (commit, attempt) {
            (Commit::Lost | Commit::Undone, _) => Hand::Unsure(grip),
            (Commit::Answered, Some(attempt)) => Hand::Started { grip, attempt, deadline: lease.deadline, id: None },
            (Commit::Answered, None) => Hand::Empty,
        };
    }

    fn take(&self, world: &mut World, host: usize, row: usize) {
        let lease = self.lease(world.clock(host), Delivering::default().event_timeout);
        if let Some((grip, attempt, id)) = self.txn(world, host).take(row, lease) {
            world.hosts[host] = Hand::Started { grip, attempt, deadline: lease.deadline, id: Some(id) };
        }
    }

    fn send(&self, world: &mut World, host: usize, fate: Fate) {
        let Hand::Started { grip, attempt, id, .. } = world.hosts[host] else { return };
        world.left.throttles -= u8::from(fate == Fate::Throttled);
        let truth = &mut world.rows.deliveries[grip.row].truth;
        truth.arrived = (truth.arrived + u8::from(fate.arrives())).min(2);
        truth.id = truth.id.or(id);
        world.hosts[host] = Hand::Answered { grip, attempt, fate };
    }

    fn finish(&self, world: &mut World, host: usize, commit: Commit) {
        let Hand::Answered { grip, attempt, fate } = world.hosts[host] else { return };
        self.txn(world, host).finish(grip, attempt, fate);
        match commit {
            Commit::Answered => world.hosts[host] = Hand::Empty,
            // Whoever does not hear that it was recorded records it again.
            Commit::Lost | Commit::Undone => world.left.faults -= 1,
        }
    }

    fn give_back(&self, world: &mut World, host: usize) {
        let Some(grip) = mem::replace(&mut world.hosts[host], Hand::Empty).grip() else { return };
        self.txn(world, host).give_back(grip);
    }

    fn crash(&self, world: &mut World, host: usize) {
        world.left.faults -= 1;
        world.hosts[host] = Hand::Empty;
    }

    fn pass(&self, world: &mut World, to: Timestamp) {
        world.left.faults -= u8::from(!is_quiet(world, self.mutant));
        world.now = to;
    }

    fn resolve(&self, world: &mut World, row: usize) {
        let sent = world.rows.deliveries[row].truth.arrived > 0;
        self.txn(world, 0).resolve(row, sent);
    }

    fn report(&self, world: &mut World, row: usize, failed: bool) {
        world.left.reports -= 1;
        self.txn(world, 0).report(row, failed);
    }

    fn change(&self, world: &mut World, change: Change) {
        world.left.people -= u8::from(change.costs());
        let change = endpoint_change(change, world);
        change.apply(Arc::make_mut(&mut world.rows.site.0));
    }

    fn replay(&self, world: &mut World, row: usize, to_changed_url: bool) {
        if self.txn(world, 0).replay(row, to_changed_url) {
            world.left.replays -= 1;
        }
    }
}

/// Tells a caller what was answered; what goes at once is in the host's hands.
fn tell(world: &mut World, caller: usize, answer: Answer, at_once: Option<(usize, Lease)>) {
    if let Answer::Accepted(row) | Answer::Repeated(row) = answer {
        world.callers[caller].told = Some(row);
    }
    if let (Answer::Accepted(row), Some((host, lease))) = (answer, at_once) {
        world.hosts[host] = Hand::Started { grip: Grip { row, fence: 1 }, attempt: 1, deadline: lease.deadline, id: None };
    }
}

fn endpoint_change(change: Change, world: &World) -> EndpointChange {
    let (now, none) = (world.now, EndpointChange::default());
    match change {
        Change::Disable => {
            EndpointChange { disabled: Some(Some(Disabled { since: now, by: DisabledBy::Person { by: Actor::App, note: None } })), ..none }
        }
        Change::Enable => EndpointChange { disabled: Some(None), ..none },
        Change::Pause => EndpointChange { pause: Some(Some(Pause::by(Actor::App, None, now))), ..none },
        Change::Resume => EndpointChange { pause: Some(None), ..none },
        Change::Move => {
            let url = format!("https://receiver.example/{}", world.rows.site.0.revision + 1);
            EndpointChange { url: Some((EndpointUrl::stored(url), now)), ..none }
        }
        Change::Verify => EndpointChange { verified_at: Some(now), ..none },
        Change::Remove => EndpointChange { removed_at: Some(now), ..none },
    }
}
