//! Entry: a line of the log of phone systems: what one said or was told, and what became of it. It holds no text and no secret.
//!
//! What comes in is written down before anything is done about it ([`NewIntegrationEntry`]) and concluded after ([`Conclusion`]): a crash in
//! between leaves an entry that says `received`, and nothing unseen. What goes out is written with its delivery.

use alloc::string::{String, ToString as _};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    DeliveryId, DeliveryStatus, Event, EventId, EventName, InstanceId, IntegrationId, MessageId, MessageStatus, Name, Phone, Timestamp,
};

/// Which way something went.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The phone system said it.
    In,
    /// The phone system was told it.
    Out,
}

impl Direction {
    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

impl FromStr for Direction {
    type Err = InvalidDirection;

    fn from_str(word: &str) -> Result<Self, InvalidDirection> {
        [Self::In, Self::Out].into_iter().find(|direction| direction.as_str() == word).ok_or(InvalidDirection)
    }
}

/// The word is no direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `in` or `out`")]
pub struct InvalidDirection;

/// What became of an entry.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryOutcome {
    /// It was written down, and nobody said yet what became of it.
    Received,
    /// It was written down, and that is all that it asks for.
    Logged,
    /// It became no message, as the settings want it.
    Skipped,
    /// It was refused; the reason says why.
    Refused,
    /// It became a message, whose status says how far it got.
    Accepted,
    /// It is on its way out; the status of its delivery says how far it got.
    Posted,
}

impl EntryOutcome {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Received, Self::Logged, Self::Skipped, Self::Refused, Self::Accepted, Self::Posted];

    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Logged => "logged",
            Self::Skipped => "skipped",
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::Posted => "posted",
        }
    }
}

impl FromStr for EntryOutcome {
    type Err = InvalidEntryOutcome;

    fn from_str(word: &str) -> Result<Self, InvalidEntryOutcome> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word).ok_or(InvalidEntryOutcome)
    }
}

/// The word is no outcome of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `received`, `logged`, `skipped`, `refused`, `accepted` or `posted`")]
pub struct InvalidEntryOutcome;

/// What is known of what a phone system said, but for the words.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct CallDetails {
    /// The extension of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_extension: Option<String>,
    /// The queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// What the phone system calls the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// When the call was, as the phone system wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_time: Option<String>,
    /// Which way the call went, and whether it was answered, for example `missed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_type: Option<String>,
    /// How long the call was, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    /// How many lines the chat had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<usize>,
}

/// How long what was not answered is told again by a phone system: the same words within this time of the last try are the same thing.
pub const REPEAT_TIME: Duration = Duration::from_secs(10);

/// How long a try may take that nobody has concluded, be it that its host is gone.
pub const TRY_TIME: Duration = Duration::from_secs(60);

/// What tells something from all else that a phone system says.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum EntryKey {
    /// It is of the thing itself, for example of a call: told again at any time, it is the same.
    Lasting([u8; 32]),
    /// It is of the words, which may well be said twice: only what was not answered is told again. Until it is, the same words are the same
    /// thing, for [`REPEAT_TIME`] after each try, and for [`TRY_TIME`] where the first is not concluded.
    UntilAnswered([u8; 32]),
}

impl EntryKey {
    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        match self {
            Self::Lasting(bytes) | Self::UntilAnswered(bytes) => bytes,
        }
    }

    /// Until when it holds for something said at `at` that nobody concludes; none where it holds for good.
    pub fn holds_until(&self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Lasting(_) => None,
            Self::UntilAnswered(_) => Some(at.plus(TRY_TIME)),
        }
    }
}

/// Something that a phone system said, on its way into the log. Its `Debug` does not show whom it is about.
#[derive(Clone, Eq, PartialEq)]
pub struct NewIntegrationEntry {
    /// Which one said it.
    pub integration: IntegrationId,
    /// What kind of thing, for example `missed_call` or `sms`; `unknown` where it cannot be read.
    pub kind: String,
    /// Whom it is about.
    pub phone: Option<Phone>,
    /// What else is known of it.
    pub details: CallDetails,
    /// What tells it from all else, where a phone system may tell it twice.
    pub key: Option<EntryKey>,
    /// Whether it counts against [`INTEGRATION_RATE`](crate::INTEGRATION_RATE).
    pub is_limited: bool,
    /// Whether customers are told of it ([`EventName::ThreecxEventReceived`]).
    pub is_told: bool,
    /// The host's time.
    pub at: Timestamp,
}

impl fmt::Debug for NewIntegrationEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { integration, kind, at, .. } = self;
        f.debug_struct("NewIntegrationEntry").field("integration", integration).field("kind", kind).field("at", at).finish_non_exhaustive()
    }
}

/// The answer to an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entered {
    /// It stands at this place in the account's log of phone systems.
    New(u64),
    /// The same was said before: it stands at this place.
    Repeated(u64),
    /// The integration said too much; when it may say more. Nothing was written.
    TooOften(Timestamp),
    /// There is no such integration.
    Unknown,
}

/// What became of something that a phone system said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Conclusion {
    /// What became of it.
    pub outcome: EntryOutcome,
    /// Why, in the words of the contract.
    pub reason: Option<String>,
    /// The message that it became, or had become before. What was accepted stays so, whatever becomes of the same words later.
    pub message: Option<MessageId>,
    /// Whether the phone system was answered with success: the same words from now on are something else.
    pub is_answered: bool,
    /// The host's time.
    pub at: Timestamp,
}

/// A line of the log.
#[derive(Clone, Eq, PartialEq)]
pub struct IntegrationEntry {
    /// Its place in the account's log of phone systems.
    pub id: u64,
    /// Which phone system.
    pub integration: IntegrationId,
    /// Which way it went.
    pub direction: Direction,
    /// What kind of thing.
    pub kind: String,
    /// Whom it is about.
    pub phone: Option<Phone>,
    /// What else is known of it.
    pub details: CallDetails,
    /// What became of it.
    pub outcome: EntryOutcome,
    /// Why.
    pub reason: Option<String>,
    /// The message that it became.
    pub message: Option<MessageId>,
    /// How far that message got.
    pub message_status: Option<MessageStatus>,
    /// The delivery that takes it out.
    pub delivery: Option<DeliveryId>,
    /// How far that got.
    pub delivery_status: Option<DeliveryStatus>,
    /// When.
    pub at: Timestamp,
}

impl fmt::Debug for IntegrationEntry {
    /// Without whom it is about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, integration, direction, kind, outcome, reason, message, delivery, at, .. } = self;
        let mut shown = f.debug_struct("IntegrationEntry");
        shown.field("id", id).field("integration", integration).field("direction", direction).field("kind", kind);
        shown.field("outcome", outcome).field("reason", reason).field("message", message).field("delivery", delivery);
        shown.field("at", at).finish_non_exhaustive()
    }
}

/// Which entries of the log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IntegrationEntryFilter {
    /// Only those of this integration.
    pub integration: Option<IntegrationId>,
    /// Only those that went this way.
    pub direction: Option<Direction>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those of which this became.
    pub outcome: Option<EntryOutcome>,
    /// Only those about this number.
    pub phone: Option<Phone>,
}

#[derive(Serialize)]
struct ReceivedFields<'a> {
    integration_id: IntegrationId,
    log_id: u64,
    event_type: &'a str,
    phone: Option<String>,
    #[serde(flatten)]
    details: &'a CallDetails,
    received_at: String,
}

impl NewIntegrationEntry {
    /// The event that customers are told, once the entry has its place in the log.
    pub fn event(&self, log_id: u64, instance: (InstanceId, &Name)) -> Event {
        let name = EventName::ThreecxEventReceived;
        let cause = (u128::from(self.integration.number()) << 64 | u128::from(log_id)).to_be_bytes();
        let fields = ReceivedFields {
            integration_id: self.integration,
            log_id,
            event_type: &self.kind,
            phone: self.phone.as_ref().map(Phone::e164),
            details: &self.details,
            received_at: self.at.to_string(),
        };
        Event::new(EventId::of(cause, name as u32, self.at), name, Some(instance), self.at, &fields)
    }
}
