//! Endpoint: a customer's URL that receives events.
//!
//! The players: [`EventFilter`] (which events), [`CustomHeaders`] (what the customer wants sent along), [`EndpointState`] (whether
//! anything goes there now), [`Health`] (since when it fails, and what follows from that). An endpoint that is paused or not yet
//! verified holds its events; one that is disabled or removed skips them, and says so in the log.
//!
//! One *for the operator* stands in an account like any other, and is none of its: it gets the operational events of every account, and
//! nothing else, and whoever shows an account its rows leaves it out.

mod filter;
mod headers;
mod health;

pub use filter::{EventFilter, InvalidEventFilter};
pub use headers::{CustomHeaders, InvalidHeader};
pub use health::{Disabled, DisabledBy, Health};

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use sha2::{Digest, Sha256};

use crate::{
    Account, EndpointId, EventName, InstanceId, Integration, IntegrationId, Name, Outcome, Pause, Rate, Report, Sealed, Timestamp, Topic,
};

/// The most endpoints of an account.
pub const ENDPOINTS_MAX: usize = 50;
/// How many deliveries may be on their way to an endpoint at once, unless it says otherwise.
pub const IN_FLIGHT_DEFAULT: u16 = 8;
/// The most that an endpoint may ask for.
pub const IN_FLIGHT_MAX: u16 = 256;

/// A customer's URL that receives events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// What people call it.
    pub name: Name,
    /// Where events go. It is judged anew at each attempt.
    pub url: EndpointUrl,
    /// Whether it is for the operator. It is so from the beginning or never: what went there must not be shown to the account later.
    pub for_operator: bool,
    /// The integration whose phone system it is, where it is one: it is posted what customers write and how far its agents' messages get, each
    /// conversation in its order. Its URL is sealed ([`PhoneLine`](crate::PhoneLine)), and nobody lists it with the others.
    pub integration: Option<IntegrationId>,
    /// Only the events of this instance, and those that are of none.
    pub instance: Option<InstanceId>,
    /// Which events.
    pub filter: EventFilter,
    /// How many deliveries may be on their way to it at once.
    pub in_flight_max: u16,
    /// How fast it may be called.
    pub rate: Option<Rate>,
    /// Its signing secrets, sealed by the keyring.
    pub secrets: Sealed,
    /// What its owner wants sent along; none where they want nothing.
    pub headers: Option<SealedHeaders>,
    /// When its owner proved to receive there; none until then.
    pub verified_at: Option<Timestamp>,
    /// Set while its events are held until resumed.
    pub pause: Option<Pause>,
    /// Set while it gets no events.
    pub disabled: Option<Disabled>,
    /// Since when it fails.
    pub health: Health,
    /// When it was removed; the log still names it.
    pub removed_at: Option<Timestamp>,
    /// When its URL last became another: history from before is not sent there unasked.
    pub url_since: Timestamp,
    /// Raised by each change, so that two who change it do not undo each other.
    pub revision: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Custom headers as a store keeps them: the names to show, all of it sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedHeaders {
    /// Their names.
    pub names: Vec<String>,
    /// Names and values, as JSON.
    pub sealed: Sealed,
}

/// Whether anything goes to an endpoint now.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EndpointState {
    /// Events go out.
    Enabled,
    /// Its owner has not proved to receive there; events are held.
    Unverified,
    /// Events are held until it is resumed.
    Paused,
    /// Events are skipped until somebody enables it.
    Disabled,
    /// It is no more.
    Removed,
}

impl EndpointState {
    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Unverified => "unverified",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Removed => "removed",
        }
    }
}

impl Endpoint {
    /// Whether anything goes there now.
    pub const fn state(&self) -> EndpointState {
        if self.removed_at.is_some() {
            EndpointState::Removed
        } else if self.disabled.is_some() {
            EndpointState::Disabled
        } else if self.pause.is_some() {
            EndpointState::Paused
        } else if self.verified_at.is_none() {
            EndpointState::Unverified
        } else {
            EndpointState::Enabled
        }
    }

    /// Its health after an attempt that ended so at `now`, and what disables it, if that is over with it. An attempt that began before it
    /// had its present URL says nothing of the receiver that is there now.
    pub fn health_after(
        &self,
        began: Timestamp,
        outcome: &Outcome,
        report: Option<&Report>,
        now: Timestamp,
    ) -> (Health, Option<DisabledBy>) {
        if began < self.url_since { (self.health, None) } else { self.health.after(outcome, report, now) }
    }

    /// Whether it stands in the account's list: it is not for the operator, and no phone system.
    pub const fn is_listed(&self) -> bool {
        !self.for_operator && self.integration.is_none()
    }

    /// The name under which it gets an event of its account; none where it does not listen, or is for the operator.
    ///
    /// A change of a status is one event: it comes under its own name where the filter lists that, and otherwise as
    /// `message.status_updated` where it lists that; never twice.
    /// A phone system is told only what its agents can make something of.
    pub fn listens(&self, topic: &Topic<'_>) -> Option<EventName> {
        let is_concerned = self.instance.is_none() || topic.instance.is_none() || self.instance == topic.instance;
        if !is_concerned || self.for_operator || self.removed_at.is_some() {
            return None;
        }
        if self.integration.is_some_and(|integration| !topic.is_for_phone_system(integration)) {
            return None;
        }
        self.filter.name_for(topic.name)
    }

    /// Whether it counts: a phone system does only while its integration is there and on, and says that this is where it takes what it is
    /// posted, and the account may have phone systems.
    pub fn counts(&self, account: &Account, integration: Option<&Integration>) -> bool {
        let stands_for = |integration: &Integration| integration.is_on() && integration.endpoint == Some(self.id);
        self.integration.is_none() || (account.threecx_enabled && integration.is_some_and(stands_for))
    }

    /// What keeps its deliveries about this in line; none where it takes them in any order. A phone system is told in order what one customer
    /// writes; how far a message got is no part of that, so that one it does not want holds up no customer.
    pub fn order_key(&self, topic: &Topic<'_>) -> Option<i64> {
        self.integration.filter(|_| topic.name == EventName::MessageReceived)?;
        let digest = Sha256::new().chain_update(self.id.to_bytes()).chain_update(topic.person?.text()).finalize();
        let (first, _) = digest.split_first_chunk::<8>()?;
        Some(i64::from_be_bytes(*first))
    }

    /// The name under which it gets an event of whatever account; none where it does not listen, or is not for the operator.
    pub const fn watches(&self, event: EventName) -> Option<EventName> {
        if !event.is_operational() || !self.for_operator || self.removed_at.is_some() {
            return None;
        }
        self.filter.name_for(event)
    }
}

/// The URL of an endpoint as it was given. Its path and query may hold what its owner wants to keep to themselves.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct EndpointUrl(String);

impl EndpointUrl {
    /// A URL that the destination policy has read; whether it still may be called is asked at each attempt.
    pub fn new(destination: &crate::Destination) -> Self {
        Self(destination.as_str().into())
    }

    /// One whose path is a secret: where it is, and a mark by which it is told from others there.
    pub fn sealed(destination: &crate::Destination) -> Self {
        let digest = Sha256::digest(destination.as_str());
        let mark = crate::hex::encode(digest.split_at(4).0);
        Self(alloc::format!("{}/#{mark}", Self::new(destination).origin()))
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        let end_of_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let rest = self.0.get(end_of_scheme..).unwrap_or_default();
        let end = rest.find(['/', '?', '#']).map_or(self.0.len(), |at| end_of_scheme + at);
        self.0.get(..end).unwrap_or_default()
    }

    /// One that stands in a store, from whatever policy was in force then.
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The URL itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EndpointUrl {
    /// Without path and query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin())
    }
}
