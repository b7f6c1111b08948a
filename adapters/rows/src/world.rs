//! World: every row there is, in plain maps.
//!
//! The players: [`World`] (all of it, behind one mutex), [`AccountRows`] (what one account has, and the only way to it),
//! [`Effects`] (what happens once the mutex is free again).

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use gatepost::{
    Account, AccountId, Address, ApiKey, Attempt, Cause, Charge, ContactId, ContactState, ConversationWindow, Delivery, DeliveryId,
    Endpoint, EndpointId, Event, EventDelivery, EventId, EventName, Fingerprint, IdempotencyKey, InboundEntry, InboundId, InboundKey,
    Instance, InstanceId, InstanceRef, Integration, IntegrationEntry, IntegrationId, Judged, KeyId, LastSent, Message, MessageId, Mode,
    NotificationEntry, NotificationId, Origin, Page, Permit, PolicyEvent, Recovery, RecoveryId, Review, Segment, Settled, Started, State,
    Suppression, SuppressionId, Tat, TextPrint, Timestamp, TrafficLog, Usage, WindowId, Windows, Words,
};

use crate::seals::SealingLease;

/// Everything that is kept.
#[derive(Default)]
pub struct World {
    /// What each account has.
    pub accounts: BTreeMap<AccountId, AccountRows>,
    /// Of accounts and of operators: a caller shows an id before anybody knows whose it is.
    pub keys: BTreeMap<KeyId, ApiKey>,
    /// Who seals now.
    pub sealing: Option<SealingLease>,
    /// What the verb that runs leaves to do.
    pub effects: Effects,
    /// Accounts that reached a rate, for the next sweep to answer with.
    pub judged: Vec<Judged>,
}

/// What a verb leaves to do once everything is written.
#[derive(Default)]
pub struct Effects {
    /// Attempts to hand to a worker.
    pub started: Vec<(Permit, Started)>,
    /// Whether something may be due for a claim or a take.
    pub left_due: bool,
    /// What was called back because of what its contact said, for a heed to answer with.
    pub called_back: Vec<Settled>,
    /// What the operator is told at the end of the verb, before anybody else sees what it did: a verb has the rows of one account only.
    pub operational: Vec<Operational>,
    /// Accounts that reached a rate.
    pub judged: Vec<Judged>,
}

/// An event that the operator's endpoints are told of.
pub struct Operational {
    /// What happened.
    pub event: Event,
    /// The one that it is about, which is not told.
    pub concerned: Option<EndpointId>,
}

/// Everything of one account.
pub struct AccountRows {
    /// The account itself.
    pub account: Account,
    /// The account's last place in its log; the next event is one further.
    pub last_seq: u64,
    /// How often it was paused or resumed and its instances connected or disconnected: what tells the events of one moment apart.
    pub changes: u32,
    /// How fast the account went.
    pub tats: Tats,
    /// How much was charged, by the window.
    pub usage: BTreeMap<(Mode, WindowId), u64>,
    /// What the account did, in each mode.
    pub traffic: BTreeMap<Mode, TrafficLog>,
    /// How many contacts were sent a text, by the day.
    pub same_texts: BTreeMap<(Mode, u32, TextPrint), u64>,
    /// What it sends from.
    pub instances: BTreeMap<InstanceId, InstanceRow>,
    /// Whom it writes to.
    pub contacts: BTreeMap<ContactId, ContactRow>,
    /// Whose each address is.
    pub contact_of: BTreeMap<Address, ContactId>,
    /// Contacts that turned out to be another one.
    pub merged: BTreeMap<ContactId, ContactId>,
    /// Whom it must not write to, and since when.
    pub suppressions: BTreeMap<SuppressionId, Suppression>,
    /// What it sent or wanted to send.
    pub messages: BTreeMap<MessageId, MessageRow>,
    /// What its idempotency keys stand for.
    pub bindings: BTreeMap<IdempotencyKey, Binding>,
    /// What is accepted and not finished.
    pub outbox: BTreeMap<DeliveryId, OutboxRow>,
    /// The policy event log, by the place in it.
    pub policy_events: BTreeMap<u64, PolicyEvent>,
    /// What they were sealed in, by number.
    pub segments: BTreeMap<u64, Segment>,
    /// Where its events go.
    pub endpoints: BTreeMap<EndpointId, EndpointRow>,
    /// Those whose fields are not forgotten.
    pub events: BTreeMap<EventId, Event>,
    /// What went, goes or was to go to endpoints.
    pub deliveries: BTreeMap<DeliveryId, DeliveryRow>,
    /// What is on its way to endpoints.
    pub notices: BTreeMap<DeliveryId, NoticeRow>,
    /// What sends an endpoint's events again.
    pub recoveries: BTreeMap<RecoveryId, Recovery>,
    /// Its phone systems.
    pub integrations: BTreeMap<IntegrationId, IntegrationRow>,
    /// What phone systems said and were told, by its place in their log.
    pub entries: BTreeMap<u64, EntryRow>,
    /// The place of the last one.
    pub last_entry: u64,
    /// What providers posted.
    pub notifications: BTreeMap<NotificationId, NotificationEntry>,
    /// The things of these that were new.
    pub inbound: BTreeMap<InboundId, InboundEntry>,
    /// When each thing was told, by what tells it from all others.
    pub inbound_keys: BTreeMap<InboundKey, Timestamp>,
    /// What waits to be heeded, in the order in which it came.
    pub inbox: VecDeque<InboundId>,
}

/// How fast somebody went, in each mode.
#[derive(Default)]
pub struct Tats(BTreeMap<Mode, Tat>);

/// An instance, and how fast it went.
pub struct InstanceRow {
    /// The instance itself.
    pub instance: Instance,
    /// How fast it went.
    pub tats: Tats,
}

/// What is known of a contact.
#[derive(Default)]
pub struct ContactRow {
    /// The strictest suppression in force, so that a send need not look through the list.
    pub suppressed: Option<(Cause, Timestamp)>,
    /// What they wrote that may have been an opt-out, and when, until a person says.
    pub suspected: Option<(InboundId, Timestamp)>,
    /// Until when a free reply may be sent, by the instance they wrote to.
    pub conversations: BTreeMap<InstanceId, Timestamp>,
    /// What they called themself last, and when.
    pub name: Option<(Timestamp, Words)>,
    /// How fast they were written to.
    pub tats: Tats,
    /// What they were sent last, in each mode.
    pub last_sent: BTreeMap<Mode, LastSent>,
}

/// A message with all that belongs to it.
pub struct MessageRow {
    /// The message itself.
    pub message: Message,
    /// Who it is to.
    pub contact: ContactId,
    /// What asked for it.
    pub origin: Origin,
    /// Whether it waits for earlier ones to the same contact.
    pub ordered: bool,
    /// From which windows it was charged; none while it is held.
    pub charge: Option<Charge>,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// A person's look at it.
    pub review: Option<Review>,
}

/// What an idempotency key stands for.
#[derive(Clone, Copy)]
pub struct Binding {
    /// What was asked for with the key.
    pub fingerprint: Fingerprint,
    /// The message that came of it.
    pub message: MessageId,
    /// When it was.
    pub bound_at: Timestamp,
}

/// A delivery that has not ended.
#[derive(Clone, Copy)]
pub struct OutboxRow {
    /// The delivery's id.
    pub id: DeliveryId,
    /// What is delivered.
    pub message: MessageId,
    /// The instance that sends it.
    pub instance: InstanceId,
    /// The message's place in the log.
    pub log_id: u64,
    /// Set where it waits for earlier ones with the same key.
    pub order_key: Option<i64>,
    /// How far it is.
    pub delivery: Delivery,
}

/// An endpoint, and how fast it was called.
pub struct EndpointRow {
    /// Shared with the attempts that were taken while it was so.
    pub endpoint: Arc<Endpoint>,
    /// How fast it was called.
    pub tat: Tat,
}

/// An event's delivery with its attempts, as the log shows it.
pub struct DeliveryRow {
    /// The delivery itself.
    pub delivery: EventDelivery,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
}

/// An event's delivery that has not ended.
#[derive(Clone, Copy)]
pub struct NoticeRow {
    /// The delivery's id.
    pub id: DeliveryId,
    /// What is delivered.
    pub event: EventId,
    /// The name under which it goes.
    pub as_name: EventName,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// The line in which it stands, and its place there.
    pub line: Option<(i64, u64)>,
    /// How far it is.
    pub delivery: Delivery,
}

/// A phone system, and how fast it told of events.
pub struct IntegrationRow {
    /// The integration itself.
    pub integration: Integration,
    /// How fast it told.
    pub tat: Tat,
}

/// A line of the log of phone systems, as it was written, and what tells it from all others of its integration.
pub struct EntryRow {
    /// The line itself.
    pub entry: IntegrationEntry,
    /// What tells it from all others, where something does.
    pub key: Option<[u8; 32]>,
}

impl AccountRows {
    /// An account that has nothing yet.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            last_seq: 0,
            changes: 0,
            tats: Tats::default(),
            usage: BTreeMap::new(),
            traffic: BTreeMap::new(),
            same_texts: BTreeMap::new(),
            instances: BTreeMap::new(),
            contacts: BTreeMap::new(),
            contact_of: BTreeMap::new(),
            merged: BTreeMap::new(),
            suppressions: BTreeMap::new(),
            messages: BTreeMap::new(),
            bindings: BTreeMap::new(),
            outbox: BTreeMap::new(),
            policy_events: BTreeMap::new(),
            segments: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            events: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            notices: BTreeMap::new(),
            recoveries: BTreeMap::new(),
            integrations: BTreeMap::new(),
            entries: BTreeMap::new(),
            last_entry: 0,
            notifications: BTreeMap::new(),
            inbound: BTreeMap::new(),
            inbound_keys: BTreeMap::new(),
            inbox: VecDeque::new(),
        }
    }

    /// The next place in the account's log.
    pub const fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// The next place in the log of phone systems.
    pub const fn next_entry(&mut self) -> u64 {
        self.last_entry += 1;
        self.last_entry
    }

    /// The number of a change that is told.
    pub const fn next_change(&mut self) -> u32 {
        self.changes = self.changes.wrapping_add(1);
        self.changes
    }

    /// The instance that is meant.
    pub fn instance(&self, which: &InstanceRef) -> Option<&InstanceRow> {
        match which {
            InstanceRef::Id(id) => self.instances.get(id),
            InstanceRef::Name(name) => self.instances.values().find(|row| row.instance.name.as_str() == name),
        }
    }

    /// What was charged in the windows of `now`.
    pub fn usage(&self, mode: Mode, now: Timestamp) -> Usage {
        let windows = Windows::at(now, self.account.calendar.zone_at(now));
        let charged = |window: WindowId| self.usage.get(&(mode, window)).copied().unwrap_or(0);
        Usage { windows, day: charged(windows.day.id), month: charged(windows.month.id) }
    }

    /// Adds the contact, with its first address, unless it is known.
    pub fn meet(&mut self, contact: ContactId, address: Address) {
        self.contact_of.entry(address).or_insert(contact);
        self.contacts.entry(contact).or_default();
    }
}

impl Tats {
    /// How fast they went in a mode.
    pub fn get(&self, mode: Mode) -> Tat {
        self.0.get(&mode).copied().unwrap_or_default()
    }

    /// Writes how fast they went in a mode.
    pub fn set(&mut self, mode: Mode, tat: Tat) {
        self.0.insert(mode, tat);
    }

    /// Goes on where the later of the two is.
    pub fn take_later(&mut self, other: &Self) {
        for (mode, tat) in &other.0 {
            self.set(*mode, self.get(*mode).max(*tat));
        }
    }
}

impl ContactRow {
    /// Whether they may be written to.
    pub fn state(&self) -> ContactState {
        match (self.suppressed, self.suspected) {
            (Some((cause, since)), _) => ContactState::Suppressed { cause, since },
            (None, Some((_, since))) => ContactState::Suspected { since },
            (None, None) => ContactState::Reachable,
        }
    }

    /// Whether they ever wrote what may be answered.
    pub fn wrote(&self) -> bool {
        !self.conversations.is_empty()
    }

    /// Notes what they called themself, unless a newer name is known.
    pub fn call(&mut self, name: Words, at: Timestamp) {
        if self.name.as_ref().is_none_or(|(since, _)| *since <= at) {
            self.name = Some((at, name));
        }
    }

    /// Until when a free reply may be sent from this instance.
    pub fn conversation(&self, instance: InstanceId) -> ConversationWindow {
        self.conversations.get(&instance).map_or(ConversationWindow::Never, |end| ConversationWindow::Until(*end))
    }
}

impl OutboxRow {
    /// Whether nobody has claimed it.
    pub const fn is_waiting(&self) -> bool {
        matches!(self.delivery.state, State::Waiting { .. })
    }
}

impl NoticeRow {
    /// Whether nobody has claimed it.
    pub const fn is_waiting(&self) -> bool {
        matches!(self.delivery.state, State::Waiting { .. })
    }
}

/// When time closes a delivery, if nobody does before.
pub const fn closes_at(delivery: &Delivery) -> Timestamp {
    match delivery.state {
        State::Waiting { .. } => delivery.expires_at,
        State::Claimed { .. } | State::Started { .. } | State::InDoubt { .. } => delivery.state.due(),
    }
}

/// The rows behind where the last page ended, newest first. Keys grow with time.
pub fn newest<K: Copy + Ord, V>(rows: &BTreeMap<K, V>, page: Page<K>) -> impl Iterator<Item = &V> {
    let end = page.after.map_or(Bound::Unbounded, Bound::Excluded);
    rows.range((Bound::Unbounded, end)).rev().map(|(_, row)| row)
}
