//! Action: one thing that can happen.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use gatepost::{Channel, ErrorClass, Outcome, Timestamp};

use crate::world::shown;

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
    /// The provider reports of a message that it has: it went on, or failed after all.
    Report { row: usize, failed: bool },
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
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
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
    pub(crate) const fn is_of(self, channel: Channel) -> bool {
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
            Self::Report { row, failed: false } => write!(f, "the provider reports that {} was sent", row + 1),
            Self::Report { row, failed: true } => write!(f, "the provider reports that {} failed", row + 1),
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
