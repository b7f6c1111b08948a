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
//! [`Delivery::step`] consumes a state and answers with the next one; the stores keep what it says and decide nothing. What happens
//! after an attempt depends on the [`Channel`]. A WhatsApp send is started again only if the last attempt is known not to have reached
//! the provider. An event may be repeated, always under the same id: it is tried until its schedule is spent, and is never in doubt.
//! Each claim raises the fence, and a start or finish with an old fence is [`Stale`]. Tries are counted when they start, and
//! the budget is checked when they start, so a crash cannot buy one.

mod attempt;
mod schedule;

pub use attempt::{Attempt, EXTERNAL_ID_BYTES_MAX, Outcome, Report};
pub use schedule::{EVENT_TIME, ORDERED_EVENT_TIME, Schedule, expiry};

use core::time::Duration;

use crate::{Channel, ErrorClass, MessageStatus, Timestamp};

/// The state of a delivery that has not ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Delivery {
    /// What it carries.
    pub channel: Channel,
    /// Whether it is an event behind which the later ones of its conversation wait. Of messages the store keeps that.
    pub ordered: bool,
    /// Where it is.
    pub state: State,
    /// Raised by each claim; whoever holds an older one is too late.
    pub fence: u32,
    /// How many attempts were started.
    pub tries: u16,
    /// How many of them the other side put off, so that they do not count against the schedule.
    pub put_off: u16,
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
    /// A person must look before it goes out.
    Hold,
    /// The provider reports that it has the message.
    Arrived,
    /// The provider reports that the message failed.
    Bounced {
        /// Why.
        class: ErrorClass,
    },
    /// The endpoint takes nothing any more.
    Skip(Skip),
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

/// Why an event was not tried, or not tried again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Skip {
    /// The endpoint is disabled.
    EndpointDisabled,
    /// The endpoint was removed.
    EndpointRemoved,
    /// Its body is older than what is kept.
    BodyForgotten,
}

impl Skip {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EndpointDisabled, Self::EndpointRemoved, Self::BodyForgotten];

    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndpointDisabled => "endpoint_disabled",
            Self::EndpointRemoved => "endpoint_removed",
            Self::BodyForgotten => "body_forgotten",
        }
    }
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
    /// It was taken back before it was sent, for a person to look at.
    Held,
    /// Nobody found out whether it was sent.
    Unknown,
    /// The policy forbade it.
    Blocked(ErrorClass),
    /// It was not to be tried any more.
    Skipped(Skip),
}

impl Ending {
    /// The status of the message.
    pub const fn status(self) -> MessageStatus {
        match self {
            Self::Sent => MessageStatus::Sent,
            Self::Failed(_) | Self::Blocked(_) | Self::Skipped(_) => MessageStatus::Failed,
            Self::Expired => MessageStatus::Expired,
            Self::Canceled(_) => MessageStatus::Canceled,
            Self::Held => MessageStatus::Held,
            Self::Unknown => MessageStatus::Unknown,
        }
    }

    /// Why it was not sent.
    pub const fn class(self) -> Option<ErrorClass> {
        match self {
            Self::Sent | Self::Held | Self::Unknown | Self::Skipped(_) => None,
            Self::Failed(class) | Self::Canceled(class) | Self::Blocked(class) => Some(class),
            Self::Expired => Some(ErrorClass::Expired),
        }
    }

    /// Whether the message never reached the provider, so that its charge is returned.
    pub const fn returns_charge(self) -> bool {
        match self {
            Self::Sent | Self::Unknown => false,
            Self::Failed(class) => !class.is_of_provider(),
            Self::Expired | Self::Canceled(_) | Self::Held | Self::Blocked(_) | Self::Skipped(_) => true,
        }
    }

    /// The status of an event's delivery.
    pub const fn delivery_status(self) -> DeliveryStatus {
        match self {
            Self::Sent => DeliveryStatus::Sent,
            Self::Failed(_) | Self::Expired | Self::Canceled(_) | Self::Held | Self::Unknown => DeliveryStatus::Failed,
            Self::Blocked(_) => DeliveryStatus::Blocked,
            Self::Skipped(_) => DeliveryStatus::Skipped,
        }
    }

    /// Why an event was skipped.
    pub const fn skip(self) -> Option<Skip> {
        match self {
            Self::Skipped(skip) => Some(skip),
            _ => None,
        }
    }
}

/// The input comes too late, or does not fit the state; nothing changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the delivery has moved on")]
pub struct Stale;

impl Delivery {
    /// A message that may be claimed from `due` on.
    pub const fn waiting(due: Timestamp, expires_at: Timestamp) -> Self {
        Self { channel: Channel::Message, ordered: false, state: State::Waiting { due }, fence: 0, tries: 0, put_off: 0, expires_at }
    }

    /// A message whose first attempt starts in the transaction that accepts it.
    pub const fn started(lease_until: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            channel: Channel::Message,
            ordered: false,
            state: State::Started { lease_until },
            fence: 1,
            tries: 1,
            put_off: 0,
            expires_at,
        }
    }

    /// A message that was taken back after attempts that ended so, and may be claimed again from `due` on: what was tried counts.
    pub fn again<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>, due: Timestamp, expires_at: Timestamp) -> Self {
        outcomes.into_iter().fold(Self::waiting(due, expires_at), |delivery, outcome| {
            let was_put_off = matches!(outcome, Outcome::Failed { class, .. } if class.is_held_back());
            Self { tries: delivery.tries + 1, put_off: delivery.put_off + u16::from(was_put_off), ..delivery }
        })
    }

    /// The delivery of an event that happened at `now`.
    pub const fn of_event(now: Timestamp) -> Self {
        Self { channel: Channel::Event, ..Self::waiting(now, now.plus(EVENT_TIME)) }
    }

    /// The delivery of an event that happened at `now` and has a place in a line; one behind others is not due before they have ended.
    pub const fn in_line(now: Timestamp, is_first: bool) -> Self {
        let expires_at = now.plus(ORDERED_EVENT_TIME);
        let due = if is_first { now } else { expires_at };
        Self { channel: Channel::Event, ordered: true, ..Self::waiting(due, expires_at) }
    }

    /// When it is tried next, as far as one can say: not while it is tried, and not while it stands behind others.
    pub fn next_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Waiting { due } => (due < self.expires_at).then_some(due),
            State::Claimed { .. } | State::Started { .. } | State::InDoubt { .. } => None,
        }
    }

    /// When it is tried again.
    pub const fn schedule(&self) -> Schedule {
        match (self.channel, self.ordered) {
            (Channel::Message, _) => Schedule::WHATSAPP,
            (Channel::Event, false) => Schedule::EVENT,
            (Channel::Event, true) => Schedule::ORDERED_EVENT,
        }
    }

    /// The status of its message meanwhile.
    pub const fn status(&self) -> MessageStatus {
        match self.state {
            State::Waiting { .. } | State::Claimed { .. } => MessageStatus::Queued,
            State::Started { .. } => MessageStatus::Sending,
            State::InDoubt { .. } => MessageStatus::Unknown,
        }
    }

    /// The status of its event meanwhile.
    pub const fn delivery_status(&self) -> DeliveryStatus {
        match self.state {
            State::Waiting { .. } | State::Claimed { .. } => DeliveryStatus::Queued,
            State::Started { .. } | State::InDoubt { .. } => DeliveryStatus::Sending,
        }
    }

    /// What follows when a worker takes it and opens an attempt in one step, as events are.
    pub fn take(self, lease_until: Timestamp, now: Timestamp) -> Result<Step, Stale> {
        match self.step(&Input::Claim { lease_until }, now)? {
            Step::GoesOn(claimed) => claimed.step(&Input::Start { fence: claimed.fence, lease_until }, now),
            Step::Ends(ending) => Ok(Step::Ends(ending)),
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
            (State::Waiting { .. } | State::Claimed { .. }, Input::Hold) => Ok(Step::Ends(Ending::Held)),
            (_, Input::Arrived) if self.tries > 0 => Ok(Step::Ends(Ending::Sent)),
            (State::Started { .. } | State::InDoubt { .. }, Input::Bounced { class }) => Ok(Step::Ends(Ending::Failed(*class))),
            (State::Waiting { .. } | State::Claimed { .. }, Input::Skip(skip)) => Ok(Step::Ends(Ending::Skipped(*skip))),
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
        if usize::from(self.counted()) >= self.schedule().tries() {
            return Step::Ends(Ending::Failed(ErrorClass::Interrupted));
        }
        Step::GoesOn(Self { state: State::Started { lease_until }, tries: self.tries + 1, ..self })
    }

    fn finish(self, outcome: &Outcome, jitter: u32, now: Timestamp) -> Step {
        match (outcome, self.channel) {
            (Outcome::Sent { .. }, _) => Step::Ends(Ending::Sent),
            (Outcome::Blocked { class }, _) => Step::Ends(Ending::Blocked(*class)),
            (Outcome::Failed { class, .. }, _) if class.is_final() => Step::Ends(Ending::Failed(*class)),
            (Outcome::Unknown { .. }, Channel::Message) => self.doubt(now),
            (Outcome::Unknown { class }, Channel::Event) => self.retry(*class, None, jitter, now),
            (Outcome::Failed { class: ErrorClass::Throttled, retry_after }, Channel::Event) => {
                self.put_off(Schedule::put_off(self.put_off, now, jitter, *retry_after))
            }
            (Outcome::Failed { class, retry_after }, _) if class.is_held_back() => {
                self.put_off(Schedule::hold_back(self.put_off, now, jitter, *retry_after))
            }
            (Outcome::Failed { class, retry_after }, _) => self.retry(*class, *retry_after, jitter, now),
        }
    }

    fn retry(self, class: ErrorClass, at_least: Option<Duration>, jitter: u32, now: Timestamp) -> Step {
        match self.schedule().next(self.counted(), now, jitter, at_least) {
            None => Step::Ends(Ending::Failed(class)),
            Some(due) if due >= self.expires_at => Step::Ends(Ending::Expired),
            Some(due) => self.wait_until(due),
        }
    }

    /// The other side asked for time, or it was held back here: the try does not count, but the delivery's own time goes on.
    fn put_off(self, due: Timestamp) -> Step {
        if due >= self.expires_at {
            return Step::Ends(Ending::Expired);
        }
        Step::GoesOn(Self { state: State::Waiting { due }, put_off: self.put_off.saturating_add(1), ..self })
    }

    const fn counted(&self) -> u16 {
        self.tries.saturating_sub(self.put_off)
    }

    fn doubt(self, now: Timestamp) -> Step {
        Step::GoesOn(Self { state: State::InDoubt { until: self.expires_at.max(now) }, ..self })
    }

    fn tick(self, now: Timestamp) -> Result<Step, Stale> {
        match self.state {
            State::Waiting { .. } if self.expires_at <= now => Ok(Step::Ends(Ending::Expired)),
            State::Claimed { lease_until } if lease_until <= now => Ok(self.wait_until(now)),
            // The worker that held it may still be writing: its fence is gone.
            State::Started { lease_until } if lease_until <= now => {
                let fenced = Self { fence: self.fence + 1, ..self };
                Ok(match self.channel {
                    Channel::Message => fenced.doubt(now),
                    Channel::Event => fenced.retry(ErrorClass::Interrupted, None, 0, now),
                })
            }
            State::InDoubt { until } if until <= now => Ok(Step::Ends(Ending::Unknown)),
            _ => Err(Stale),
        }
    }

    const fn wait_until(self, due: Timestamp) -> Step {
        Step::GoesOn(Self { state: State::Waiting { due }, ..self })
    }
}

/// How far an event's delivery got, as the log shows it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DeliveryStatus {
    /// It waits for its first or its next attempt.
    Queued,
    /// An attempt is open.
    Sending,
    /// The receiver took it.
    Sent,
    /// The receiver did not take it, and it will not be tried again.
    Failed,
    /// The destination policy forbade it.
    Blocked,
    /// It was not to be tried any more; the log says why.
    Skipped,
}

impl DeliveryStatus {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Queued, Self::Sending, Self::Sent, Self::Failed, Self::Blocked, Self::Skipped];

    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Skipped => "skipped",
        }
    }

    /// Whether the gateway still has something to do.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Sending)
    }
}

impl core::fmt::Display for DeliveryStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::str::FromStr for DeliveryStatus {
    type Err = InvalidDeliveryStatus;

    fn from_str(word: &str) -> Result<Self, InvalidDeliveryStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(InvalidDeliveryStatus)
    }
}

/// The word is no status of a delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `queued`, `sending`, `sent`, `failed`, `blocked` or `skipped`")]
pub struct InvalidDeliveryStatus;
