//! Outbox: what is accepted and not yet finished, and the words in which workers and stores speak of it.
//!
//! A submission goes in, a claim takes what is due, a start opens an attempt, a finish closes it. Events are taken and started in one
//! step. What came in waits in the
//! outbox too, but it is heeded in one transaction, which leaves no state between. What is posted to a phone system is an event like any other,
//! but each conversation goes in its order.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::{
    AccountId, Address, ContactId, Content, DeliveryId, DisabledBy, Endpoint, EndpointId, Event, EventName, Fact, Findings, Fingerprint,
    InstanceId, MessageId, MessageStatus, Outcome, Provider, Purpose, Report, Request, TextPrint, Timestamp,
};

/// What a delivery carries.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Channel {
    /// A message, to a recipient through an instance's provider; never sent again blindly.
    Message,
    /// An event, to a customer's endpoint; repeated until it is taken.
    Event,
}

impl Channel {
    /// The word used in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Event => "event",
        }
    }
}

/// A request on its way into a store, with all that chance and time must decide beforehand.
#[derive(Debug)]
pub struct Submission {
    /// The id of the message, if it becomes one.
    pub message: MessageId,
    /// The id of its delivery.
    pub delivery: DeliveryId,
    /// The id of the recipient's contact, if the account has none for the address.
    pub contact: ContactId,
    /// What is asked.
    pub request: Request,
    /// What makes it the same request when it is repeated; set where it has an idempotency key.
    pub fingerprint: Option<Fingerprint>,
    /// What was found in its content.
    pub findings: Fact<Findings>,
    /// What tells whether others are sent the same text; none where it says nothing in the sender's own words.
    pub text_print: Option<TextPrint>,
    /// The host's time.
    pub now: Timestamp,
    /// Set where a worker is ready to send it at once.
    pub at_once: Option<AtOnce>,
}

/// A worker's readiness to send a message the moment it is accepted.
#[derive(Debug)]
pub struct AtOnce {
    /// The worker's place for it.
    pub permit: Permit,
    /// The times of the attempt.
    pub lease: Lease,
}

/// A place in a worker's hands. A store that starts a message at once gives it the attempt after the commit; one that does not
/// drops it, and the place is free again.
pub struct Permit(Box<dyn FnOnce(Started) + Send>);

impl Permit {
    /// A permit that hands what was started to `take`.
    pub fn new(take: impl FnOnce(Started) + Send + 'static) -> Self {
        Self(Box::new(take))
    }

    /// Hands over an attempt whose start is committed.
    pub fn start(self, started: Started) {
        (self.0)(started);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}

/// How long an attempt may take, and how long it stays the worker's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Lease {
    /// No first byte is written after this, and no answer awaited.
    pub deadline: Timestamp,
    /// Later than the deadline by construction; then the attempt is in doubt.
    pub until: Timestamp,
}

impl Lease {
    /// The time that lies between the deadline and the lease's end: for a slow commit and for clocks that differ.
    pub const MARGIN: Duration = Duration::from_secs(5);

    /// A lease for an attempt that starts at `now` and may take `timeout`.
    pub fn new(now: Timestamp, timeout: Duration) -> Self {
        let deadline = now.plus(timeout);
        Self { deadline, until: deadline.plus(Self::MARGIN) }
    }
}

/// What a worker asks for.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// At most so many.
    pub limit: usize,
    /// At most so many of one account, so that a busy one leaves room for the others.
    pub per_account: usize,
    /// Start looking behind this account: where the last claim ended.
    pub after: Option<AccountId>,
    /// Until when they are the worker's.
    pub lease_until: Timestamp,
    /// The host's time.
    pub now: Timestamp,
}

/// What a worker got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClaimAnswer {
    /// The deliveries that are now the worker's.
    pub claimed: Vec<Claimed>,
    /// The last account that was looked at, where there may be more behind it.
    pub after: Option<AccountId>,
    /// When something is due next, as far as known.
    pub next_due: Option<Timestamp>,
    /// Whether more may be due now, of an account that has had its share.
    pub more: bool,
}

/// A delivery in a worker's hands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Claimed {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub delivery: DeliveryId,
    /// The fence to show.
    pub fence: u32,
}

/// The answer to a start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StartAnswer {
    /// The attempt is durable: send it.
    Started(Box<Started>),
    /// Not now: it went back to wait.
    Waits,
    /// It is over before it began.
    Ended(Settled),
    /// Somebody else has it.
    Stale,
}

/// An attempt that is durable as started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Started {
    /// The delivery and its fence.
    pub claimed: Claimed,
    /// Which try it is, from 1 on.
    pub attempt: u16,
    /// Its times.
    pub lease: Lease,
    /// What to send.
    pub parcel: Parcel,
}

/// An attempt to deliver an event, durable as started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StartedNotice {
    /// The delivery and its fence.
    pub claimed: Claimed,
    /// Which try it is, from 1 on.
    pub attempt: u16,
    /// Its times.
    pub lease: Lease,
    /// What to deliver.
    pub notice: Notice,
}

/// An event on its way to an endpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// The event.
    pub event: Event,
    /// The name it goes under.
    pub as_name: EventName,
    /// The endpoint as it is now; many deliveries of a batch share it.
    pub endpoint: Arc<Endpoint>,
}

/// What a worker asks for to deliver events: those that are due, each with its attempt already open.
#[derive(Clone, Copy, Debug)]
pub struct Take {
    /// At most so many.
    pub limit: usize,
    /// At most so many of one account, so that a busy one leaves room for the others.
    pub per_account: usize,
    /// At most so many of one account on their way at once, so that one with slow receivers leaves places to the others.
    pub in_flight_per_account: usize,
    /// Start looking behind this account: where the last one ended.
    pub after: Option<AccountId>,
    /// The times of the attempts.
    pub lease: Lease,
    /// The host's time.
    pub now: Timestamp,
}

/// What a worker got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TakeAnswer {
    /// The attempts that are now the worker's, durable as started.
    pub started: Vec<StartedNotice>,
    /// The last account that was looked at, where there may be more behind it.
    pub after: Option<AccountId>,
    /// When something is due next, as far as known.
    pub next_due: Option<Timestamp>,
    /// Whether more may be due now: of an account that has had its share, or of a long backlog that is skipped a part at a time.
    pub more: bool,
}

/// What a finish changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Finished {
    /// Nothing: it came too late.
    Stale,
    /// A message has this status now.
    Message(Settled),
    /// The attempt of an event is in the log.
    Event {
        /// The endpoint that it disabled, and why.
        disabled: Option<(EndpointId, DisabledBy)>,
    },
}

impl Finished {
    /// The message's new status.
    pub const fn settled(&self) -> Option<Settled> {
        match self {
            Self::Message(settled) => Some(*settled),
            Self::Stale | Self::Event { .. } => None,
        }
    }
}

/// What a transport is given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parcel {
    /// Whose message it is.
    pub account: AccountId,
    /// The message; its id goes along where the provider lets it.
    pub message: MessageId,
    /// From which instance.
    pub instance: InstanceId,
    /// By which provider; always the sandbox for a test message.
    pub provider: Provider,
    /// To which address.
    pub recipient: Address,
    /// Why.
    pub purpose: Purpose,
    /// What.
    pub content: Content,
}

/// How an attempt ended, on its way into the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finish {
    /// The delivery and its fence.
    pub claimed: Claimed,
    /// Which try it was.
    pub attempt: u16,
    /// What became of it.
    pub outcome: Outcome,
    /// What was seen of the other side.
    pub report: Option<Report>,
    /// Any random number, for the next wait.
    pub jitter: u32,
    /// The host's time.
    pub now: Timestamp,
}

/// A message whose status changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Settled {
    /// Which.
    pub message: MessageId,
    /// Its status now.
    pub status: MessageStatus,
}

/// The shard of an outbox row, 0 to 63, so that workers on many hosts can divide the rows between them.
pub fn shard(account: AccountId, order_key: Option<i64>) -> u8 {
    let bytes = account.to_bytes();
    let account_hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    let mixed = (account_hash ^ order_key.unwrap_or_default().cast_unsigned()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 58) as u8
}

/// What keeps ordered messages of one conversation in line: the instance and the contact, as one number.
pub fn order_key(instance: InstanceId, contact: ContactId) -> i64 {
    let bits = u128::from_be_bytes(instance.to_bytes()).rotate_left(17) ^ u128::from_be_bytes(contact.to_bytes());
    ((bits ^ (bits >> 64)) as u64).cast_signed()
}
