//! World: a store, two hosts, callers, a recipient, an endpoint and a clock, small enough to try everything that can happen.
//!
//! The players: [`World`] (everything that makes a difference), [`Rows`] (what is durable), [`Hand`] (what a host knows and loses when
//! it dies), [`Truth`] (what really happened, which no part of the gateway can see), and [`Bounds`] (how large the world is).

use std::fmt::{self, Display, Formatter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use gatepost::{
    Channel, Delivery, Endpoint, EndpointId, EndpointUrl, EventFilter, EventId, Health, IN_FLIGHT_DEFAULT, Sealed, State, Step, Timestamp,
    WindowId,
};

use crate::action::Fate;

/// When it begins.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_795_348_800_000);

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How many callers have something to send.
    pub(crate) callers: usize,
    /// How often each asks.
    pub(crate) asks: u8,
    /// Whether all of them ask under the same idempotency key, for the same.
    pub(crate) keyed: bool,
    /// How many messages the account has in a day.
    pub(crate) per_day: u64,
    /// How far the second host's clock is ahead.
    pub(crate) ahead: Duration,
    /// What may become of a send.
    pub(crate) fates: &'static [Fate],
    /// What may happen so many times.
    pub(crate) left: Left,
}

/// What may still happen, and how often.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Left {
    /// A host dies or dawdles, or nobody hears how a commit ended.
    pub(crate) faults: u8,
    /// The other side asks for time.
    pub(crate) throttles: u8,
    /// Something happens that the endpoint is told.
    pub(crate) events: u8,
    /// The endpoint's owner asks for a repetition.
    pub(crate) replays: u8,
    /// The provider reports what became of a message.
    pub(crate) reports: u8,
    /// Somebody opts out, pauses the account, or pauses, disables, moves or removes the endpoint.
    pub(crate) people: u8,
}

/// Everything that makes a difference.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) ahead: Duration,
    pub(crate) rows: Rows,
    pub(crate) hosts: [Hand; 2],
    pub(crate) callers: Vec<Caller>,
    pub(crate) left: Left,
}

/// What is durable.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Rows {
    pub(crate) deliveries: Vec<Row>,
    pub(crate) suppressed: bool,
    pub(crate) paused: bool,
    pub(crate) per_day: u64,
    /// How many messages were charged in each day.
    pub(crate) charged: Vec<(WindowId, u64)>,
    /// The message that the idempotency key stands for, and since when.
    pub(crate) bound: Option<(usize, Timestamp)>,
    pub(crate) site: Site,
}

/// A delivery.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Row {
    /// What the state machine said last.
    pub(crate) step: Step,
    pub(crate) cargo: Cargo,
    /// When it was written.
    pub(crate) since: Timestamp,
    pub(crate) attempts: Attempts,
    pub(crate) truth: Truth,
}

/// What a delivery carries.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Cargo {
    Message { keyed: bool, charge: Option<WindowId> },
    Event { id: EventId, occurred_at: Timestamp },
}

/// The log of a delivery's attempts: which were written down, and which have no outcome yet. The bits are their numbers.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Attempts {
    written: u32,
    open: u32,
}

/// What really happened.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Truth {
    /// How many attempts were begun.
    pub(crate) started: u8,
    /// How many of them the receiver put off.
    pub(crate) put_off: u8,
    /// How often it arrived; two stands for more.
    pub(crate) arrived: u8,
    /// When the schedule allows the next attempt.
    pub(crate) not_before: Timestamp,
    /// The event's id as it was first sent.
    pub(crate) id: Option<EventId>,
}

/// What a host holds of a delivery: gone when it dies.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Hand {
    Empty,
    /// It claimed it.
    Claimed(Grip),
    /// It asked to start and does not know whether that was done: it gives back what it has not.
    Unsure(Grip),
    /// It may send.
    Started {
        grip: Grip,
        attempt: u16,
        deadline: Timestamp,
        id: Option<EventId>,
    },
    /// It knows how the attempt ended, and must write that down.
    Answered {
        grip: Grip,
        attempt: u16,
        fate: Fate,
    },
}

/// Which delivery, and under which fence.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Grip {
    pub(crate) row: usize,
    pub(crate) fence: u32,
}

/// Somebody who wants a message sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Caller {
    /// How often they may ask.
    pub(crate) asks: u8,
    /// The message that they were told of last.
    pub(crate) told: Option<usize>,
    /// The usage that was read for them, where reading and writing are apart.
    pub(crate) looked: Option<u64>,
}

/// The endpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Site(pub(crate) Arc<Endpoint>);

impl Hash for Site {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Endpoint { revision, health, url_since, .. } = &*self.0;
        (self.0.state(), *revision, *health, *url_since).hash(hasher);
    }
}

impl Site {
    /// A verified endpoint.
    fn new() -> Self {
        let sealed_bytes = [[1].as_slice(), &[0; 64]].concat();
        Self(Arc::new(Endpoint {
            id: EndpointId::from_bytes([7; 16]),
            name: "shop".parse().expect("a name"),
            url: EndpointUrl::stored("https://receiver.example/".into()),
            for_operator: false,
            integration: None,
            instance: None,
            filter: EventFilter::new(["*"]).expect("a filter"),
            in_flight_max: IN_FLIGHT_DEFAULT,
            rate: None,
            secrets: Sealed::from_bytes(&sealed_bytes).expect("sealed bytes"),
            headers: None,
            verified_at: Some(NOON),
            pause: None,
            disabled: None,
            health: Health::default(),
            removed_at: None,
            url_since: NOON,
            revision: 0,
            created_at: NOON,
        }))
    }
}

impl World {
    /// Nothing has happened yet.
    pub(crate) fn new(bounds: &Bounds) -> Self {
        let caller = Caller { asks: bounds.asks, told: None, looked: None };
        Self {
            now: NOON,
            ahead: bounds.ahead,
            rows: Rows {
                deliveries: Vec::new(),
                suppressed: false,
                paused: false,
                per_day: bounds.per_day,
                charged: Vec::new(),
                bound: None,
                site: Site::new(),
            },
            hosts: [Hand::Empty; 2],
            callers: vec![caller; bounds.callers],
            left: bounds.left,
        }
    }

    /// The time that a host believes it is.
    pub(crate) fn clock(&self, host: usize) -> Timestamp {
        if host == 0 { self.now } else { self.now.plus(self.ahead) }
    }

    /// Whether there is anything left that could happen to anybody.
    pub(crate) fn is_alive(&self) -> bool {
        let may_ask = self.callers.iter().any(|caller| caller.asks > 0);
        may_ask || self.left.events > 0 || self.left.replays > 0 || self.rows.open().next().is_some()
    }

    /// Whether every host is idle.
    pub(crate) fn is_idle(&self) -> bool {
        self.hosts.iter().all(|hand| *hand == Hand::Empty)
    }
}

impl Rows {
    /// The deliveries that have not ended.
    pub(crate) fn open(&self) -> impl Iterator<Item = (usize, Delivery)> {
        self.deliveries.iter().enumerate().filter_map(|(at, row)| Some((at, row.open()?)))
    }
}

impl Row {
    pub(crate) fn new(delivery: Delivery, cargo: Cargo, now: Timestamp) -> Self {
        let truth = Truth { started: 0, put_off: 0, arrived: 0, not_before: now, id: None };
        Self { step: Step::GoesOn(delivery), cargo, since: now, attempts: Attempts::default(), truth }
    }

    /// The delivery, until it ends.
    pub(crate) const fn open(&self) -> Option<Delivery> {
        match self.step {
            Step::GoesOn(delivery) => Some(delivery),
            Step::Ends(_) => None,
        }
    }

    pub(crate) const fn channel(&self) -> Channel {
        match self.cargo {
            Cargo::Message { .. } => Channel::Message,
            Cargo::Event { .. } => Channel::Event,
        }
    }

    /// Whether an attempt is open, by its state.
    pub(crate) const fn is_started(&self) -> bool {
        matches!(self.step, Step::GoesOn(Delivery { state: State::Started { .. }, .. }))
    }
}

impl Attempts {
    pub(crate) const fn open(&mut self, number: u16) {
        self.written |= 1 << number;
        self.open |= 1 << number;
    }

    pub(crate) const fn close(&mut self, number: u16) {
        self.open &= !(1 << number);
    }

    pub(crate) const fn is_written(self, number: u16) -> bool {
        self.written & 1 << number != 0
    }

    pub(crate) const fn open_count(self) -> u32 {
        self.open.count_ones()
    }
}

impl Truth {
    /// How many tries were used up.
    pub(crate) const fn counted(self) -> u8 {
        self.started - self.put_off
    }
}

impl Hand {
    pub(crate) const fn grip(self) -> Option<Grip> {
        match self {
            Self::Empty => None,
            Self::Claimed(grip) | Self::Unsure(grip) | Self::Started { grip, .. } | Self::Answered { grip, .. } => Some(grip),
        }
    }
}

/// Month, day and time.
pub(crate) fn shown(at: Timestamp) -> String {
    at.to_string().trim_end_matches('Z').get(5..).unwrap_or_default().replace('T', " ")
}

impl Display for World {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", shown(self.now))?;
        for (at, row) in self.rows.deliveries.iter().enumerate() {
            write!(f, "; {} {row}", name_of(row.channel(), at))?;
        }
        for (host, hand) in self.hosts.iter().enumerate() {
            write!(f, "{}", shown_hand(host, hand))?;
        }
        let marks = [(self.rows.suppressed, "suppressed"), (self.rows.paused, "paused")];
        marks.iter().filter(|(is, _)| *is).try_for_each(|(_, word)| write!(f, "; {word}"))?;
        match self.rows.site.0.state() {
            gatepost::EndpointState::Enabled => Ok(()),
            state => write!(f, "; endpoint {}", state.as_str()),
        }
    }
}

/// What the traces call a delivery.
pub(crate) fn name_of(channel: Channel, at: usize) -> String {
    format!("{} {}", channel.as_str(), at + 1)
}

fn shown_hand(host: usize, hand: &Hand) -> String {
    let word = match hand {
        Hand::Empty => return String::new(),
        Hand::Claimed(_) => "has claimed",
        Hand::Unsure(_) => "is unsure about",
        Hand::Started { .. } => "may send",
        Hand::Answered { .. } => "has an answer for",
    };
    let grip = hand.grip().map(|Grip { row, fence }| format!("{} under fence {fence}", row + 1)).unwrap_or_default();
    format!("; host {} {word} {grip}", host + 1)
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Delivery { state, fence, tries, put_off, .. } = match self.step {
            Step::Ends(ending) => return write!(f, "has ended: {ending:?}"),
            Step::GoesOn(delivery) => delivery,
        };
        let word = match state {
            State::Waiting { .. } => "waits",
            State::Claimed { .. } => "is claimed",
            State::Started { .. } => "is started",
            State::InDoubt { .. } => "is in doubt",
        };
        write!(f, "{word} until {} (fence {fence}, tries {tries}, put off {put_off})", shown(state.due()))
    }
}
