//! Replay: events that go to their endpoint once more because somebody asked.
//!
//! One delivery at a time ([`Replay`]), or everything that failed since a time ([`Recovery`]), as a job that is kept, goes on after a
//! restart, and can be canceled. A replay keeps the event's id and body. What happened before the endpoint got its present URL is not
//! sent there unless that is asked for by name: otherwise whoever may change a URL could have the whole history sent to it.

use alloc::string::String;

use crate::{Actor, DeliveryId, DeliveryStatus, EndpointId, ErrorClass, EventId, EventName, RecoveryId, Skip, Timestamp};

/// A delivery as the customer webhook log shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event; the receiver sees this id.
    pub event: EventId,
    /// The name it goes under.
    pub as_name: EventName,
    /// To which endpoint.
    pub endpoint: EndpointId,
    /// How far it got.
    pub status: DeliveryStatus,
    /// Why it ended without being taken.
    pub error: Option<ErrorClass>,
    /// Why it was not tried, or not again.
    pub skip: Option<Skip>,
    /// How many attempts were started.
    pub tries: u16,
    /// When it is tried next; not known while it stands behind others.
    pub next_at: Option<Timestamp>,
    /// Why it was asked for, where it is a repetition.
    pub replay: Option<Replayed>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
}

/// Who asked for a repetition, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Replayed {
    /// The delivery that it repeats.
    pub of: DeliveryId,
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: Option<String>,
    /// Whether it may go to a URL that the endpoint got after the event.
    pub to_changed_url: bool,
}

/// A wish to deliver something once more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Replay {
    /// The delivery to repeat.
    pub of: DeliveryId,
    /// The id of the new one.
    pub delivery: DeliveryId,
    /// Who asks.
    pub by: Actor,
    /// Why.
    pub reason: Option<String>,
    /// Whether it may go to a URL that the endpoint got after the event.
    pub to_changed_url: bool,
    /// The host's time.
    pub now: Timestamp,
}

/// The answer to a replay.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReplayAnswer {
    /// It is on its way as this delivery.
    Queued(EventDelivery),
    /// The account has no such delivery.
    Unknown,
    /// It is still being tried; that goes on.
    Pending,
    /// The endpoint was removed.
    EndpointRemoved,
    /// The endpoint is disabled: enable it first.
    EndpointDisabled,
    /// The endpoint got its URL after the event.
    UrlChanged,
    /// The event's body is older than what is kept.
    BodyForgotten,
}

/// A job that delivers again what an endpoint did not take since a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recovery {
    /// Its id.
    pub id: RecoveryId,
    /// Whose deliveries.
    pub endpoint: EndpointId,
    /// Those written since.
    pub since: Timestamp,
    /// Those written before: when the job was asked for.
    pub until: Timestamp,
    /// Who asked.
    pub by: Actor,
    /// Why.
    pub reason: Option<String>,
    /// Whether they may go to a URL that the endpoint got after the event.
    pub to_changed_url: bool,
    /// How far it got.
    pub progress: RecoveryProgress,
}

/// How far a recovery got.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RecoveryProgress {
    /// The last delivery that was looked at.
    pub at: Option<DeliveryId>,
    /// How many were delivered again.
    pub queued: u64,
    /// How many were left: their body is forgotten, or the endpoint's URL is newer than they are.
    pub left: u64,
    /// When it came to its end.
    pub done_at: Option<Timestamp>,
    /// When somebody canceled it.
    pub canceled_at: Option<Timestamp>,
}

impl RecoveryProgress {
    /// Whether there is nothing more to do.
    pub const fn is_over(&self) -> bool {
        self.done_at.is_some() || self.canceled_at.is_some()
    }
}

/// What was done of the recoveries.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Recovered {
    /// The one that a part was done of; none where all are over.
    pub at: Option<RecoveryId>,
    /// Whether there is more to do.
    pub more: bool,
}

/// Whether a delivery that ended so is one that a recovery repeats.
pub const fn is_recoverable(status: DeliveryStatus) -> bool {
    matches!(status, DeliveryStatus::Failed | DeliveryStatus::Blocked | DeliveryStatus::Skipped)
}
