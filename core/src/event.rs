//! Event: something that happened, as a customer's endpoints are told of it.
//!
//! An event is written in the transaction that made it true, with one delivery for each endpoint that listens. Its body is put
//! together from what was written then, so that every attempt sends the same bytes: flat JSON that begins with `event`, `event_id`
//! and `occurred_at`. One that is operational is written for the operator's endpoints too, whichever account they stand in.

mod change;

mod heard;

pub use change::{
    BlockedSend, Crossing, StatusChange, connection_event, crossings, disabled_event, endpoint_pause_event, instance_pause_event,
    pause_event, warning_event,
};
pub use heard::{MessageReceived, OptChange};

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::Serialize;

use crate::{Address, EventId, InstanceId, IntegrationId, Name, Origin, Timestamp};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What happened, by the name that customers see.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum EventName {
            $($(#[$doc])* $name,)*
        }

        impl EventName {
            /// All of them, in the order in which the documentation lists them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name used in filters, headers, bodies and rows.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

events! {
    /// A contact wrote.
    MessageReceived = "message.received",
    /// A message was accepted.
    MessageQueued = "message.queued",
    /// A message waits for a person.
    MessageHeld = "message.held",
    /// The provider took a message.
    MessageSent = "message.sent",
    /// A message reached the recipient's phone.
    MessageDelivered = "message.delivered",
    /// The recipient read a message.
    MessageRead = "message.read",
    /// A message will not be sent; `status` says how it ended.
    MessageFailed = "message.failed",
    /// Nobody knows whether a message was sent.
    MessageUnknown = "message.unknown",
    /// A send was refused and became no message.
    MessageBlocked = "message.blocked",
    /// Any of the changes of a message, for endpoints that list this name instead of theirs.
    MessageStatusUpdated = "message.status_updated",
    /// A contact asked to be left alone.
    RecipientOptedOut = "recipient.opted_out",
    /// A contact wants messages again.
    RecipientOptedIn = "recipient.opted_in",
    /// An instance was connected.
    InstanceConnected = "instance.connected",
    /// An instance is connected no more.
    InstanceDisconnected = "instance.disconnected",
    /// Nothing of the instance goes out until it is resumed.
    InstancePaused = "instance.paused",
    /// The instance was resumed.
    InstanceResumed = "instance.resumed",
    /// Nothing of the account goes out until it is resumed.
    AccountPaused = "account.paused",
    /// The account was resumed.
    AccountResumed = "account.resumed",
    /// The account has reached half of what pauses it.
    AccountWarned = "account.warned",
    /// 80 % or all of a day's or a month's messages were used.
    LimitThresholdReached = "limit.threshold_reached",
    /// Another endpoint of the account gets no events any more.
    EndpointDisabled = "endpoint.disabled",
    /// The events of another endpoint of the account are held until it is resumed.
    EndpointPaused = "endpoint.paused",
    /// Another endpoint of the account was resumed.
    EndpointResumed = "endpoint.resumed",
    /// Somebody pressed the test button of the endpoint.
    EndpointTest = "endpoint.test",
    /// The 3CX webhook of the account was called.
    ThreecxEventReceived = "threecx.event_received",
}

impl EventName {
    /// Whether it is a change of a message's status, which an endpoint may also get as `message.status_updated`.
    pub const fn is_status_change(self) -> bool {
        matches!(
            self,
            Self::MessageQueued
                | Self::MessageHeld
                | Self::MessageSent
                | Self::MessageDelivered
                | Self::MessageRead
                | Self::MessageFailed
                | Self::MessageUnknown
        )
    }

    /// Whether it is about how an account runs, and not about a message or a contact. The operator's endpoints hear of it too, whichever
    /// account it is of, so that its body says which.
    pub const fn is_operational(self) -> bool {
        matches!(
            self,
            Self::InstanceConnected
                | Self::InstanceDisconnected
                | Self::InstancePaused
                | Self::InstanceResumed
                | Self::AccountPaused
                | Self::AccountResumed
                | Self::AccountWarned
                | Self::LimitThresholdReached
                | Self::EndpointDisabled
                | Self::EndpointPaused
                | Self::EndpointResumed
        )
    }

    /// Its place in [`EventName::ALL`] as a bit.
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventName {
    type Err = InvalidEventName;

    fn from_str(word: &str) -> Result<Self, InvalidEventName> {
        Self::ALL.iter().copied().find(|name| name.as_str() == word).ok_or(InvalidEventName)
    }
}

/// The word is no event's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the name of an event, for example `message.sent`")]
pub struct InvalidEventName;

/// What an event is about, as far as it decides who is told.
#[derive(Clone, Copy, Debug)]
pub struct Topic<'a> {
    /// What happened.
    pub name: EventName,
    /// At which instance, where it was at one.
    pub instance: Option<InstanceId>,
    /// Who wrote, or was written to.
    pub person: Option<&'a Address>,
    /// Who asked for the message, where it is about one.
    pub origin: Option<Origin>,
}

impl Topic<'_> {
    /// An event about no person.
    pub const fn new(name: EventName, instance: Option<InstanceId>) -> Self {
        Self { name, instance, person: None, origin: None }
    }

    /// Whether a phone system can tell its agents: a customer wrote who has a number, or a message that an agent typed got further.
    pub fn is_for_phone_system(&self, integration: IntegrationId) -> bool {
        let has_number = self.person.is_some_and(|person| person.phone().is_some());
        let is_of_agent = self.origin.and_then(Origin::trunk) == Some(integration);
        has_number && (self.name == EventName::MessageReceived || (self.name.is_status_change() && is_of_agent))
    }
}

/// Something that happened.
#[derive(Clone, Eq, PartialEq)]
pub struct Event {
    /// Its id, the same in every repetition: the receiver's means to tell them.
    pub id: EventId,
    /// What happened.
    pub name: EventName,
    /// At which instance, where it was at one.
    pub instance: Option<InstanceId>,
    /// When.
    pub occurred_at: Timestamp,
    /// The rest of its body: the fields that only this kind of event has, as the inside of a JSON object.
    pub fields: String,
}

impl Event {
    /// An event with the fields of `about`, which serializes as a JSON object.
    pub fn new(id: EventId, name: EventName, about: Option<(InstanceId, &Name)>, occurred_at: Timestamp, fields: &impl Serialize) -> Self {
        let instance = about.map(|(id, _)| id);
        let place = about.map(|(instance_id, instance_name)| Place { instance_id, instance_name });
        // Writing plain data into memory cannot fail.
        let json = serde_json::to_string(&Fields { place, rest: fields }).unwrap_or_default();
        let inside = json.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
        Self { id, name, instance, occurred_at, fields: inside.into() }
    }

    /// The body of its deliveries under the name `as_name`: these bytes are signed and sent.
    pub fn body(&self, as_name: EventName) -> Vec<u8> {
        let Self { id, occurred_at, fields, .. } = self;
        let comma = if fields.is_empty() { "" } else { "," };
        alloc::format!(r#"{{"event":"{as_name}","event_id":"{id}","occurred_at":"{occurred_at}"{comma}{fields}}}"#).into_bytes()
    }
}

impl fmt::Debug for Event {
    /// Without its fields, which hold phone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, instance, occurred_at, .. } = self;
        let mut shown = f.debug_struct("Event");
        shown.field("id", id).field("name", name).field("instance", instance).field("occurred_at", occurred_at).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Fields<'a, T> {
    #[serde(flatten)]
    place: Option<Place<'a>>,
    #[serde(flatten)]
    rest: &'a T,
}

#[derive(Serialize)]
struct Place<'a> {
    instance_id: InstanceId,
    instance_name: &'a Name,
}
