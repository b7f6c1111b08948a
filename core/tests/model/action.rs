//! Action: one thing that can happen, and what can happen next.
//!
//! The gateway's own steps are always possible. What nobody wishes for ([`Left`](crate::world::Left)) is possible a number of times:
//! a host dies, it dawdles while time passes, nobody hears how a commit ended.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use gatepost::{Channel, Delivery, EndpointState, ErrorClass, IDEMPOTENCY_TIME, Outcome, State, Timestamp};

use crate::mutant::Mutant;
use crate::world::{Bounds, Caller, Hand, World, shown};

/// One thing that can happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// The usage is read for a caller: only where a bug keeps reading and writing apart.
    Look { caller: usize },
    /// A caller asks for their message, which a host may start at once.
    Ask { caller: usize, at_once: Option<usize>, commit: Commit },
    /// Something happens that the endpoint is told.
    Happen,
    /// A host claims a message.
    Claim { host: usize, row: usize },
    /// A host starts what it claimed.
    Start { host: usize, commit: Commit },
    /// A host takes an event, or finds that the endpoint takes no more.
    Take { host: usize, row: usize },
    /// A host sends what it started.
    Send { host: usize, fate: Fate },
    /// A host writes down how an attempt ended.
    Finish { host: usize, commit: Commit },
    /// A host gives back what it does not know to have started.
    GiveBack { host: usize },
    /// A host closes what time has closed.
    Sweep { host: usize, row: usize },
    /// A host dies and comes back with empty hands.
    Crash { host: usize },
    /// Time passes.
    Pass { to: Timestamp },
    /// The recipient opts out.
    Suppress,
    /// The account is paused.
    Pause,
    /// The account is resumed.
    Resume,
    /// The recipient is asked whether a message in doubt arrived.
    Resolve { row: usize },
    /// The endpoint's owner changes it.
    Change(Change),
    /// The endpoint's owner asks for an event once more.
    Replay { row: usize, to_changed_url: bool },
}

/// How a commit ends for who waits for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Commit {
    /// It is done, and they are told.
    Answered,
    /// It is done, and nobody is told.
    Lost,
    /// It is not done, and nobody is told.
    Undone,
}

/// What an endpoint's owner does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    Disable,
    Enable,
    Pause,
    Resume,
    Move,
    Verify,
    Remove,
}

impl Change {
    /// Whether it is one of those that happen a number of times; the others only undo them.
    pub(crate) const fn costs(self) -> bool {
        matches!(self, Self::Disable | Self::Pause | Self::Move | Self::Remove)
    }
}

/// What becomes of a send.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fate {
    /// The other side takes it and says so.
    Taken,
    /// Nobody is there.
    Unreachable,
    /// The provider will never take it.
    Refused,
    /// The endpoint answers 500.
    ErrorStatus,
    /// The endpoint answers 410.
    Gone,
    /// The other side asks for an hour.
    Throttled,
    /// The destination policy forbids it.
    Forbidden,
    /// Nobody answers.
    Silence { arrived: bool },
    /// The deadline was over before the first byte.
    TooLate,
}

impl Fate {
    /// All of them but for the last, which is nobody's choice.
    pub(crate) const ALL: &[Self] = &[
        Self::Taken,
        Self::Unreachable,
        Self::Refused,
        Self::ErrorStatus,
        Self::Gone,
        Self::Throttled,
        Self::Forbidden,
        Self::Silence { arrived: true },
        Self::Silence { arrived: false },
    ];

    /// Whether it is one of a channel. An event that did not arrive and is not answered is no other than one that failed.
    const fn is_of(self, channel: Channel) -> bool {
        match self {
            Self::Taken | Self::Throttled | Self::Silence { arrived: true } => true,
            Self::Unreachable | Self::Refused | Self::Silence { arrived: false } => matches!(channel, Channel::Message),
            Self::ErrorStatus | Self::Gone | Self::Forbidden => matches!(channel, Channel::Event),
            Self::TooLate => false,
        }
    }

    /// Whether it reached who it was for.
    pub(crate) const fn arrives(self) -> bool {
        matches!(self, Self::Taken | Self::Silence { arrived: true })
    }

    /// How long the other side asks us to wait.
    pub(crate) fn asks(self) -> Option<Duration> {
        (self == Self::Throttled).then_some(Duration::from_secs(3_600))
    }

    /// What the transport says.
    pub(crate) fn outcome(self) -> Outcome {
        let failed = |class| Outcome::Failed { class, retry_after: self.asks() };
        match self {
            Self::Taken => Outcome::Sent { external_id: None },
            Self::Unreachable => failed(ErrorClass::Unreachable),
            Self::Refused => failed(ErrorClass::Refused),
            Self::ErrorStatus => failed(ErrorClass::ErrorStatus),
            Self::Gone => failed(ErrorClass::Gone),
            Self::Throttled => failed(ErrorClass::Throttled),
            Self::Forbidden => Outcome::Blocked { class: ErrorClass::Forbidden },
            Self::Silence { .. } => Outcome::Unknown { class: ErrorClass::Timeout },
            Self::TooLate => failed(ErrorClass::Timeout),
        }
    }
}

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

impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Look { caller } => write!(f, "the usage is read for caller {}", caller + 1),
            Self::Ask { caller, at_once: None, commit } => write!(f, "caller {} asks{commit}", caller + 1),
            Self::Ask { caller, at_once: Some(host), commit } => {
                write!(f, "caller {} asks, and host {} is ready to send{commit}", caller + 1, host + 1)
            }
            Self::Happen => write!(f, "something happens"),
            Self::Claim { host, row } => write!(f, "host {} claims {}", host + 1, row + 1),
            Self::Start { host, commit } => write!(f, "host {} starts what it claimed{commit}", host + 1),
            Self::Take { host, row } => write!(f, "host {} takes {}", host + 1, row + 1),
            Self::Send { host, fate } => write!(f, "host {} sends; {fate}", host + 1),
            Self::Finish { host, commit } => write!(f, "host {} writes down what became of it{commit}", host + 1),
            Self::GiveBack { host } => write!(f, "host {} gives back what it has not started", host + 1),
            Self::Sweep { host, row } => write!(f, "host {} sweeps {}", host + 1, row + 1),
            Self::Crash { host } => write!(f, "host {} dies", host + 1),
            Self::Pass { to } => write!(f, "time passes until {}", shown(to)),
            Self::Suppress => write!(f, "the recipient opts out"),
            Self::Pause => write!(f, "the account is paused"),
            Self::Resume => write!(f, "the account is resumed"),
            Self::Resolve { row } => write!(f, "somebody finds out what became of {}", row + 1),
            Self::Change(change) => write!(f, "the endpoint's owner: {change:?}"),
            Self::Replay { row, to_changed_url } => {
                let where_to = if to_changed_url { ", wherever the endpoint is now" } else { "" };
                write!(f, "the endpoint's owner wants {} once more{where_to}", row + 1)
            }
        }
    }
}

impl Display for Commit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answered => "",
            Self::Lost => "; it is done, and nobody hears of it",
            Self::Undone => "; it is not done, and nobody hears of it",
        })
    }
}

impl Display for Fate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken => "it is taken",
            Self::Unreachable => "nobody is there",
            Self::Refused => "the provider will never take it",
            Self::ErrorStatus => "the answer is 500",
            Self::Gone => "the answer is 410",
            Self::Throttled => "the other side asks for an hour",
            Self::Forbidden => "the destination policy forbids it",
            Self::Silence { arrived: true } => "it arrives, and nobody answers",
            Self::Silence { arrived: false } => "it does not arrive, and nobody answers",
            Self::TooLate => "it is too late for the first byte",
        })
    }
}
