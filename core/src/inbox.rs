//! Inbox: what providers tell us, kept before it is answered, and heeded in the order in which it came.
//!
//! The players: [`Notification`] (what a provider posted), [`Inbound`] (one thing of it), [`Told`] (what that is). A notification is
//! stored raw, together with each of its things that was not told before, and then answered. The worker heeds them one by one
//! ([`WorkerStore::heed`](crate::WorkerStore::heed)): a wish to be left alone before all else, then the conversation window, then how far our
//! messages got, then the events that customers are told. What was said by one contact is heeded in its order.

mod card;
mod confirm;
mod degrees;
mod detail;
mod progress;
mod told;
mod words;

pub use card::ContactCard;
pub use confirm::Confirmation;
pub use degrees::Degrees;
pub use detail::{SaidCard, SaidDetail};
pub use progress::{InvalidProgress, Progress, Reported, StatusReport};
pub use told::{Response, Said, SaidFile, Told, Wish};
pub use words::Words;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use sha2::{Digest, Sha256};

use crate::{
    AccountId, Address, Addresses, ContactId, Decider, Host, InboundId, InstanceId, NotificationId, Settled, StoreError, Timestamp,
    read_reply,
};

/// How long after a contact's last message a free reply may be sent.
pub const CONVERSATION_TIME: Duration = Duration::from_secs(24 * 3_600);

/// How far the clocks of a provider and of a host may be apart.
const CLOCKS_APART: Duration = Duration::from_secs(60);

/// What a provider posted, on its way into the store. Its `Debug` does not show what it says.
#[derive(Clone, Eq, PartialEq)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// To which instance.
    pub instance: InstanceId,
    /// The bytes as they came.
    pub body: Vec<u8>,
    /// What they say, in their order.
    pub inbound: Vec<Inbound>,
    /// The host's time.
    pub now: Timestamp,
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, instance, body, inbound, now } = self;
        let mut shown = f.debug_struct("Notification");
        shown
            .field("id", id)
            .field("instance", instance)
            .field("body_bytes", &body.len())
            .field("inbound", inbound)
            .field("now", now)
            .finish()
    }
}

/// One thing that a provider told, as an adapter read it. Its `Debug` does not show the key, which may name a person.
#[derive(Clone, Eq, PartialEq)]
pub struct NewInbound {
    /// The same each time the provider tells it, and different from all others of the instance.
    pub key: String,
    /// What kind of thing, in the provider's words, for example `message.text`.
    pub kind: String,
    /// When it happened, by the provider's clock.
    pub at: Option<Timestamp>,
    /// Whom it is about: all addresses that the provider gave.
    pub people: Addresses,
    /// What it says.
    pub told: Told,
}

impl NewInbound {
    /// It on its way into the store, with its text read: what it asks for must be known before anything is done. The sender's name is one
    /// that can be shown.
    pub fn at(mut self, instance: InstanceId, id: InboundId, now: Timestamp, host: &dyn Host) -> Inbound {
        if let Told::Said(said) = &mut self.told {
            said.meaning = said.text.as_ref().and_then(|text| read_reply(text.as_str()).meaning);
            said.sender_name = said.sender_name.as_ref().and_then(Words::to_name);
        }
        let Self { key, kind, at, people, told } = self;
        Inbound { id, contact: ContactId::new(now, host), key: InboundKey::new(instance, &key), kind, at, people, told }
    }
}

impl fmt::Debug for NewInbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, at, people, told, .. } = self;
        let mut shown = f.debug_struct("NewInbound");
        shown.field("kind", kind).field("at", at).field("people", people).field("told", told).finish_non_exhaustive()
    }
}

/// One thing that a provider told, on its way into the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inbound {
    /// Its id.
    pub id: InboundId,
    /// The id of the contact, if the account has none with one of the addresses.
    pub contact: ContactId,
    /// What tells it from all others of the instance.
    pub key: InboundKey,
    /// What kind of thing, in the provider's words.
    pub kind: String,
    /// When it happened, by the provider's clock.
    pub at: Option<Timestamp>,
    /// Whom it is about.
    pub people: Addresses,
    /// What it says.
    pub told: Told,
}

impl Inbound {
    /// Whether it is about a person whom the account is to know: who wrote, wished or changed, or was called by several addresses.
    pub fn introduces(&self) -> bool {
        match &self.told {
            Told::Said(_) | Told::Preference(_) | Told::Identity(_) => !self.people.is_empty(),
            // Two numbers are two people until one of them says that theirs has changed.
            _ => self.people.len() > 1 && self.people.iter().filter_map(Address::phone).count() <= 1,
        }
    }

    /// All addresses of the person, also those they have from now on.
    pub fn addresses(&self) -> Addresses {
        let mut addresses = self.people.clone();
        if let Told::Identity(now) = &self.told {
            addresses.extend(now.clone());
        }
        addresses
    }
}

/// What tells one thing from all others that an instance was told: the first 16 bytes of SHA-256 over the instance and the provider's own
/// key. It is stored, and the key is not, which may name a person.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct InboundKey([u8; 16]);

impl InboundKey {
    /// The key that the provider's key has at an instance.
    pub fn new(instance: InstanceId, key: &str) -> Self {
        let digest: [u8; 32] = Sha256::new().chain_update(instance.to_bytes()).chain_update(key).finalize().into();
        let mut first = [0; 16];
        first.copy_from_slice(digest.split_at(16).0);
        Self(first)
    }

    /// The key with these bytes, as a store keeps it.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key as a store keeps it.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// What became of a notification. It is durable.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Received {
    /// How much of it is new.
    pub new: usize,
    /// How much was told before, and changes nothing.
    pub repeated: usize,
    /// How much of the new could not be read, and is kept for a person to look at.
    pub quarantined: usize,
}

/// What a worker asks for to heed what came in.
#[derive(Clone)]
pub struct Heed {
    /// At most so much.
    pub limit: usize,
    /// At most so much of one account, so that a busy one leaves room for the others.
    pub per_account: usize,
    /// Start looking behind this account: where the last one ended.
    pub after: Option<AccountId>,
    /// Decides whether an opt-out is confirmed.
    pub decider: Arc<dyn Decider>,
    /// The host's time.
    pub now: Timestamp,
}

/// What a worker did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HeedAnswer {
    /// How much was heeded.
    pub heeded: usize,
    /// The messages whose status changed by it: those that were reported, withdrawn or held.
    pub settled: Vec<Settled>,
    /// The last account that was looked at, where there may be more behind it.
    pub after: Option<AccountId>,
    /// Whether there may be more, of an account that has had its share.
    pub more: bool,
    /// Why something is left, which is tried again.
    pub failed: Option<StoreError>,
}

/// One thing that a provider told, as the log shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InboundEntry {
    /// Its id.
    pub id: InboundId,
    /// The notification that told it.
    pub notification: NotificationId,
    /// At which instance.
    pub instance: InstanceId,
    /// Whom it is about, where it introduces somebody.
    pub contact: Option<ContactId>,
    /// The address to show: the phone number, where it is known.
    pub from: Option<Address>,
    /// What kind of thing, in the provider's words.
    pub kind: String,
    /// When it happened, by the provider's clock.
    pub at: Option<Timestamp>,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether it waits to be heeded.
    pub waits: bool,
    /// What it says; a text is gone once its retention is over.
    pub told: Told,
}

impl InboundEntry {
    /// When it was said: by the provider's clock, but never later than it came.
    pub fn said_at(&self) -> Timestamp {
        self.at.unwrap_or(self.received_at).min(self.received_at)
    }

    /// Whether it may have been said after something that stands since then. A provider repeats for days what was not taken, so that an
    /// older word may come later than a newer one; the clocks of the two may be a minute apart.
    pub fn may_follow(&self, since: Timestamp) -> bool {
        since <= self.said_at().plus(CLOCKS_APART)
    }
}

/// Which entries of the log. Statuses are not in it: the messages have them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InboundFilter {
    /// Only those at this instance.
    pub instance: Option<InstanceId>,
    /// Only those of this kind of thing.
    pub class: Option<InboundClass>,
}

/// A notification as the log shows it.
#[derive(Clone, Eq, PartialEq)]
pub struct NotificationEntry {
    /// Its id.
    pub id: NotificationId,
    /// To which instance.
    pub instance: InstanceId,
    /// When it came.
    pub received_at: Timestamp,
    /// What became of it.
    pub received: Received,
    /// The bytes as they came; gone once their retention is over.
    pub body: Option<Vec<u8>>,
}

impl fmt::Debug for NotificationEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, instance, received_at, received, .. } = self;
        let mut shown = f.debug_struct("NotificationEntry");
        shown
            .field("id", id)
            .field("instance", instance)
            .field("received_at", received_at)
            .field("received", received)
            .finish_non_exhaustive()
    }
}

/// What kinds of things providers tell, as far as they are alike.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum InboundClass {
    /// Somebody wrote.
    Message,
    /// A message of ours got further.
    Status,
    /// Somebody set the provider's own switch.
    Preference,
    /// Somebody has other addresses now.
    Identity,
    /// An instance was connected, or is not any more.
    Connection,
    /// Something else that is kept and counted.
    Other,
    /// Something that could not be read.
    Quarantined,
}

impl InboundClass {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Message, Self::Status, Self::Preference, Self::Identity, Self::Connection, Self::Other, Self::Quarantined];

    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Status => "status",
            Self::Preference => "preference",
            Self::Identity => "identity",
            Self::Connection => "connection",
            Self::Other => "other",
            Self::Quarantined => "quarantined",
        }
    }
}

impl fmt::Display for InboundClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::str::FromStr for InboundClass {
    type Err = InvalidInboundClass;

    fn from_str(word: &str) -> Result<Self, InvalidInboundClass> {
        Self::ALL.into_iter().find(|class| class.as_str() == word).ok_or(InvalidInboundClass)
    }
}

/// The word is none of those known.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `message`, `status`, `preference`, `identity`, `connection`, `other` or `quarantined`")]
pub struct InvalidInboundClass;

/// A contact who may have asked for no more messages: what waits for them is held until a person says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suspicion {
    /// Who.
    pub contact: ContactId,
    /// The address to show.
    pub address: Address,
    /// The newest of what they wrote that may mean it.
    pub inbound: InboundId,
    /// When that was understood so.
    pub since: Timestamp,
}
