//! Delivery: one thing on its way to one place, as a state machine.
//!
//! ```text
//!            claim            start               finish: sent, or failed for good
//!  Waiting ---------> Claimed -------> Started ------------------------------------> ended
//!     ^   lease over /  release  |        |  finish: known unsent, tries left
//!     +-----------------------------------+
//!                                         |  finish: unknown, or lease over
//!                                         +-----------------> InDoubt --- resolved, or its time is over ---> ended
//! ```
//!
//! [`Delivery::step`] consumes a state and answers with the next one; the stores keep what it says and decide nothing. A WhatsApp
//! send is started again only if the last attempt is known not to have reached the provider. Each claim raises the fence, and a
//! start or finish with an old fence is [`Stale`]. Tries are counted when they start, so a crash cannot buy one.

mod attempt;
mod schedule;

pub use attempt::{Attempt, Outcome};
pub use schedule::{Schedule, expiry};

use crate::{ErrorClass, MessageStatus, Timestamp};

/// The state of a delivery that has not ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Delivery {
    /// Where it is.
    pub state: State,
    /// Raised by each claim; whoever holds an older one is too late.
    pub fence: u32,
    /// How many attempts were started.
    pub tries: u16,
    /// When it is no longer worth sending.
    pub expires_at: Timestamp,
}

/// Where a delivery is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum State {
    /// Nobody works on it; it may be claimed from `due` on.
    Waiting {
        /// When.
        due: Timestamp,
    },
    /// A worker has it, and has not started.
    Claimed {
        /// When the worker's lease ends.
        lease_until: Timestamp,
    },
    /// An attempt is open.
    Started {
        /// When the worker's lease ends.
        lease_until: Timestamp,
    },
    /// The last attempt may or may not have reached the other side.
    InDoubt {
        /// When that is left as it is.
        until: Timestamp,
    },
}

impl State {
    /// When the gateway must look at it next, whatever the state.
    pub const fn due(self) -> Timestamp {
        match self {
            Self::Waiting { due } => due,
            Self::Claimed { lease_until } | Self::Started { lease_until } => lease_until,
            Self::InDoubt { until } => until,
        }
    }
}

/// What can happen to a delivery.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Input {
    /// A worker takes it.
    Claim {
        /// Until when it is theirs.
        lease_until: Timestamp,
    },
    /// The worker opens an attempt.
    Start {
        /// The fence of the claim.
        fence: u32,
        /// Until when it is theirs.
        lease_until: Timestamp,
    },
    /// The worker gives it back unstarted.
    Release {
        /// The fence of the claim.
        fence: u32,
        /// When it may be claimed again.
        due: Timestamp,
    },
    /// The attempt ended.
    Finish {
        /// The fence of the claim.
        fence: u32,
        /// How.
        outcome: Outcome,
        /// Any random number.
        jitter: u32,
    },
    /// Time passed: a lease, a doubt or the worth of sending may be over.
    Tick,
    /// The recipient must not be written to any more.
    Withdraw,
    /// Somebody knows how the attempt in doubt ended: whether it was sent.
    Resolve {
        /// Whether it was sent.
        sent: bool,
    },
}

/// The answer to an input.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Step {
    /// It goes on in this state.
    GoesOn(Delivery),
    /// It is over.
    Ends(Ending),
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Ending {
    /// The other side took it.
    Sent,
    /// It will not be sent, for this reason.
    Failed(ErrorClass),
    /// Its time was over before it could be sent.
    Expired,
    /// It was withdrawn before it was sent.
    Canceled(ErrorClass),
    /// Nobody found out whether it was sent.
    Unknown,
}

impl Ending {
    /// The status of the message.
    pub const fn status(self) -> MessageStatus {
        match self {
            Self::Sent => MessageStatus::Sent,
            Self::Failed(_) => MessageStatus::Failed,
            Self::Expired => MessageStatus::Expired,
            Self::Canceled(_) => MessageStatus::Canceled,
            Self::Unknown => MessageStatus::Unknown,
        }
    }

    /// Why it was not sent.
    pub const fn class(self) -> Option<ErrorClass> {
        match self {
            Self::Sent | Self::Unknown => None,
            Self::Failed(class) | Self::Canceled(class) => Some(class),
            Self::Expired => Some(ErrorClass::Expired),
        }
    }

    /// Whether the message never reached the provider, so that its charge is returned.
    pub const fn returns_charge(self) -> bool {
        match self {
            Self::Sent | Self::Unknown | Self::Failed(ErrorClass::Refused) => false,
            Self::Failed(_) | Self::Expired | Self::Canceled(_) => true,
        }
    }
}

/// The input comes too late, or does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the delivery has moved on")]
pub struct Stale;

impl Delivery {
    /// A delivery that may be claimed from `due` on.
    pub const fn waiting(due: Timestamp, expires_at: Timestamp) -> Self {
        Self { state: State::Waiting { due }, fence: 0, tries: 0, expires_at }
    }

    /// A delivery whose first attempt starts in the transaction that accepts it.
    pub const fn started(lease_until: Timestamp, expires_at: Timestamp) -> Self {
        Self { state: State::Started { lease_until }, fence: 1, tries: 1, expires_at }
    }

    /// The status of its message meanwhile.
    pub const fn status(&self) -> MessageStatus {
        match self.state {
            State::Waiting { .. } | State::Claimed { .. } => MessageStatus::Queued,
            State::Started { .. } => MessageStatus::Sending,
            State::InDoubt { .. } => MessageStatus::Unknown,
        }
    }

    /// What follows when `input` happens at `now`.
    pub fn step(self, input: &Input, now: Timestamp) -> Result<Step, Stale> {
        match (self.state, input) {
            (State::Waiting { due }, Input::Claim { lease_until }) if due <= now => Ok(self.claim(*lease_until, now)),
            (State::Claimed { .. }, Input::Start { fence, lease_until }) if *fence == self.fence => Ok(self.start(*lease_until, now)),
            (State::Claimed { .. }, Input::Release { fence, due }) if *fence == self.fence => Ok(self.wait_until(*due)),
            (State::Started { .. }, Input::Finish { fence, outcome, jitter }) if *fence == self.fence => {
                Ok(self.finish(outcome, *jitter, now))
            }
            (State::Waiting { .. } | State::Claimed { .. }, Input::Withdraw) => Ok(Step::Ends(Ending::Canceled(ErrorClass::Suppressed))),
            (State::InDoubt { .. }, Input::Resolve { sent: true }) => Ok(Step::Ends(Ending::Sent)),
            (State::InDoubt { .. }, Input::Resolve { sent: false }) => Ok(Step::Ends(Ending::Failed(ErrorClass::Unreachable))),
            (_, Input::Tick) => self.tick(now),
            _ => Err(Stale),
        }
    }

    fn claim(self, lease_until: Timestamp, now: Timestamp) -> Step {
        if self.expires_at <= now {
            return Step::Ends(Ending::Expired);
        }
        Step::GoesOn(Self { state: State::Claimed { lease_until }, fence: self.fence + 1, ..self })
    }

    fn start(self, lease_until: Timestamp, now: Timestamp) -> Step {
        if self.expires_at <= now {
            return Step::Ends(Ending::Expired);
        }
        Step::GoesOn(Self { state: State::Started { lease_until }, tries: self.tries + 1, ..self })
    }

    fn finish(self, outcome: &Outcome, jitter: u32, now: Timestamp) -> Step {
        match outcome {
            Outcome::Sent { .. } => Step::Ends(Ending::Sent),
            Outcome::Unknown { .. } => Step::GoesOn(Self { state: State::InDoubt { until: self.expires_at.max(now) }, ..self }),
            Outcome::Failed { class, .. } if class.is_final() => Step::Ends(Ending::Failed(*class)),
            Outcome::Failed { class, retry_after } => match Schedule::WHATSAPP.next(self.tries, now, jitter, *retry_after) {
                None => Step::Ends(Ending::Failed(*class)),
                Some(due) if due >= self.expires_at => Step::Ends(Ending::Expired),
                Some(due) => self.wait_until(due),
            },
        }
    }

    fn tick(self, now: Timestamp) -> Result<Step, Stale> {
        match self.state {
            State::Waiting { .. } if self.expires_at <= now => Ok(Step::Ends(Ending::Expired)),
            State::Claimed { lease_until } if lease_until <= now => Ok(self.wait_until(now)),
            // The worker that held it may still be writing: only its fence is gone.
            State::Started { lease_until } if lease_until <= now => {
                Ok(Step::GoesOn(Self { state: State::InDoubt { until: self.expires_at.max(now) }, fence: self.fence + 1, ..self }))
            }
            State::InDoubt { until } if until <= now => Ok(Step::Ends(Ending::Unknown)),
            _ => Err(Stale),
        }
    }

    const fn wait_until(self, due: Timestamp) -> Step {
        Step::GoesOn(Self { state: State::Waiting { due }, ..self })
    }
}
