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
pub(crate) struct World {
    pub(crate) accounts: BTreeMap<AccountId, AccountRows>,
    /// Of accounts and of operators: a caller shows an id before anybody knows whose it is.
    pub(crate) keys: BTreeMap<KeyId, ApiKey>,
    pub(crate) sealing: Option<SealingLease>,
    pub(crate) effects: Effects,
    /// Accounts that reached a rate, for the next sweep to answer with.
    pub(crate) judged: Vec<Judged>,
}

/// What a verb leaves to do once everything is written.
#[derive(Default)]
pub(crate) struct Effects {
    /// Attempts to hand to a worker.
    pub(crate) started: Vec<(Permit, Started)>,
    /// Whether something may be due for a claim or a take.
    pub(crate) left_due: bool,
    /// What was called back because of what its contact said, for a heed to answer with.
    pub(crate) called_back: Vec<Settled>,
    /// What the operator is told at the end of the verb, before anybody else sees what it did: a verb has the rows of one account only.
    pub(crate) operational: Vec<Operational>,
    /// Accounts that reached a rate.
    pub(crate) judged: Vec<Judged>,
}

/// An event that the operator's endpoints are told of.
pub(crate) struct Operational {
    pub(crate) event: Event,
    /// The one that it is about, which is not told.
    pub(crate) concerned: Option<EndpointId>,
}

/// Everything of one account.
pub(crate) struct AccountRows {
    pub(crate) account: Account,
    /// The account's last place in its log; the next event is one further.
    pub(crate) last_seq: u64,
    /// How often it was paused or resumed and its instances connected or disconnected: what tells the events of one moment apart.
    pub(crate) changes: u32,
    pub(crate) tats: Tats,
    pub(crate) usage: BTreeMap<(Mode, WindowId), u64>,
    pub(crate) traffic: BTreeMap<Mode, TrafficLog>,
    /// How many contacts were sent a text, by the day.
    pub(crate) same_texts: BTreeMap<(Mode, u32, TextPrint), u64>,
    pub(crate) instances: BTreeMap<InstanceId, InstanceRow>,
    pub(crate) contacts: BTreeMap<ContactId, ContactRow>,
    pub(crate) contact_of: BTreeMap<Address, ContactId>,
    /// Contacts that turned out to be another one.
    pub(crate) merged: BTreeMap<ContactId, ContactId>,
    pub(crate) suppressions: BTreeMap<SuppressionId, Suppression>,
    pub(crate) messages: BTreeMap<MessageId, MessageRow>,
    pub(crate) bindings: BTreeMap<IdempotencyKey, Binding>,
    /// What is accepted and not finished.
    pub(crate) outbox: BTreeMap<DeliveryId, OutboxRow>,
    pub(crate) policy_events: BTreeMap<u64, PolicyEvent>,
    /// What they were sealed in, by number.
    pub(crate) segments: BTreeMap<u64, Segment>,
    pub(crate) endpoints: BTreeMap<EndpointId, EndpointRow>,
    /// Those whose fields are not forgotten.
    pub(crate) events: BTreeMap<EventId, Event>,
    /// What went, goes or was to go to endpoints.
    pub(crate) deliveries: BTreeMap<DeliveryId, DeliveryRow>,
    /// What is on its way to endpoints.
    pub(crate) notices: BTreeMap<DeliveryId, NoticeRow>,
    pub(crate) recoveries: BTreeMap<RecoveryId, Recovery>,
    pub(crate) integrations: BTreeMap<IntegrationId, IntegrationRow>,
    /// What phone systems said and were told, by its place in their log.
    pub(crate) entries: BTreeMap<u64, EntryRow>,
    /// The place of the last one.
    pub(crate) last_entry: u64,
    pub(crate) notifications: BTreeMap<NotificationId, NotificationEntry>,
    pub(crate) inbound: BTreeMap<InboundId, InboundEntry>,
    /// When each thing was told, by what tells it from all others.
    pub(crate) inbound_keys: BTreeMap<InboundKey, Timestamp>,
    /// What waits to be heeded, in the order in which it came.
    pub(crate) inbox: VecDeque<InboundId>,
}

/// How fast somebody went, in each mode.
#[derive(Default)]
pub(crate) struct Tats(BTreeMap<Mode, Tat>);

/// An instance, and how fast it went.
pub(crate) struct InstanceRow {
    pub(crate) instance: Instance,
    pub(crate) tats: Tats,
}

/// What is known of a contact.
#[derive(Default)]
pub(crate) struct ContactRow {
    /// The strictest suppression in force, so that a send need not look through the list.
    pub(crate) suppressed: Option<(Cause, Timestamp)>,
    /// What they wrote that may have been an opt-out, and when, until a person says.
    pub(crate) suspected: Option<(InboundId, Timestamp)>,
    /// Until when a free reply may be sent, by the instance they wrote to.
    pub(crate) conversations: BTreeMap<InstanceId, Timestamp>,
    /// What they called themself last, and when.
    pub(crate) name: Option<(Timestamp, Words)>,
    pub(crate) tats: Tats,
    /// What they were sent last, in each mode.
    pub(crate) last_sent: BTreeMap<Mode, LastSent>,
}

/// A message with all that belongs to it.
pub(crate) struct MessageRow {
    pub(crate) message: Message,
    pub(crate) contact: ContactId,
    pub(crate) origin: Origin,
    pub(crate) ordered: bool,
    /// From which windows it was charged; none while it is held.
    pub(crate) charge: Option<Charge>,
    /// Oldest first.
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) review: Option<Review>,
}

/// What an idempotency key stands for.
#[derive(Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) message: MessageId,
    pub(crate) bound_at: Timestamp,
}

/// A delivery that has not ended.
#[derive(Clone, Copy)]
pub(crate) struct OutboxRow {
    pub(crate) id: DeliveryId,
    pub(crate) message: MessageId,
    pub(crate) instance: InstanceId,
    pub(crate) log_id: u64,
    /// Set where it waits for earlier ones with the same key.
    pub(crate) order_key: Option<i64>,
    pub(crate) delivery: Delivery,
}

/// An endpoint, and how fast it was called.
pub(crate) struct EndpointRow {
    /// Shared with the attempts that were taken while it was so.
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) tat: Tat,
}

/// An event's delivery with its attempts, as the log shows it.
pub(crate) struct DeliveryRow {
    pub(crate) delivery: EventDelivery,
    /// Oldest first.
    pub(crate) attempts: Vec<Attempt>,
}

/// An event's delivery that has not ended.
#[derive(Clone, Copy)]
pub(crate) struct NoticeRow {
    pub(crate) id: DeliveryId,
    pub(crate) event: EventId,
    pub(crate) as_name: EventName,
    pub(crate) endpoint: EndpointId,
    /// The line in which it stands, and its place there.
    pub(crate) line: Option<(i64, u64)>,
    pub(crate) delivery: Delivery,
}

/// A phone system, and how fast it told of events.
pub(crate) struct IntegrationRow {
    pub(crate) integration: Integration,
    pub(crate) tat: Tat,
}

/// A line of the log of phone systems, as it was written, and what tells it from all others of its integration.
pub(crate) struct EntryRow {
    pub(crate) entry: IntegrationEntry,
    pub(crate) key: Option<[u8; 32]>,
}

impl AccountRows {
    pub(crate) fn new(account: Account) -> Self {
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
    pub(crate) const fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// The next place in the log of phone systems.
    pub(crate) const fn next_entry(&mut self) -> u64 {
        self.last_entry += 1;
        self.last_entry
    }

    /// The number of a change that is told.
    pub(crate) const fn next_change(&mut self) -> u32 {
        self.changes = self.changes.wrapping_add(1);
        self.changes
    }

    /// The instance that is meant.
    pub(crate) fn instance(&self, which: &InstanceRef) -> Option<&InstanceRow> {
        match which {
            InstanceRef::Id(id) => self.instances.get(id),
            InstanceRef::Name(name) => self.instances.values().find(|row| row.instance.name.as_str() == name),
        }
    }

    /// What was charged in the windows of `now`.
    pub(crate) fn usage(&self, mode: Mode, now: Timestamp) -> Usage {
        let windows = Windows::at(now, self.account.calendar.zone_at(now));
        let charged = |window: WindowId| self.usage.get(&(mode, window)).copied().unwrap_or(0);
        Usage { windows, day: charged(windows.day.id), month: charged(windows.month.id) }
    }

    /// Adds the contact, with its first address, unless it is known.
    pub(crate) fn meet(&mut self, contact: ContactId, address: Address) {
        self.contact_of.entry(address).or_insert(contact);
        self.contacts.entry(contact).or_default();
    }
}

impl Tats {
    pub(crate) fn get(&self, mode: Mode) -> Tat {
        self.0.get(&mode).copied().unwrap_or_default()
    }

    pub(crate) fn set(&mut self, mode: Mode, tat: Tat) {
        self.0.insert(mode, tat);
    }

    /// Goes on where the later of the two is.
    pub(crate) fn take_later(&mut self, other: &Self) {
        for (mode, tat) in &other.0 {
            self.set(*mode, self.get(*mode).max(*tat));
        }
    }
}

impl ContactRow {
    /// Whether they may be written to.
    pub(crate) fn state(&self) -> ContactState {
        match (self.suppressed, self.suspected) {
            (Some((cause, since)), _) => ContactState::Suppressed { cause, since },
            (None, Some((_, since))) => ContactState::Suspected { since },
            (None, None) => ContactState::Reachable,
        }
    }

    /// Whether they ever wrote what may be answered.
    pub(crate) fn wrote(&self) -> bool {
        !self.conversations.is_empty()
    }

    /// Notes what they called themself, unless a newer name is known.
    pub(crate) fn call(&mut self, name: Words, at: Timestamp) {
        if self.name.as_ref().is_none_or(|(since, _)| *since <= at) {
            self.name = Some((at, name));
        }
    }

    /// Until when a free reply may be sent from this instance.
    pub(crate) fn conversation(&self, instance: InstanceId) -> ConversationWindow {
        self.conversations.get(&instance).map_or(ConversationWindow::Never, |end| ConversationWindow::Until(*end))
    }
}

impl OutboxRow {
    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self.delivery.state, State::Waiting { .. })
    }
}

impl NoticeRow {
    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self.delivery.state, State::Waiting { .. })
    }
}

/// When time closes a delivery, if nobody does before.
pub(crate) const fn closes_at(delivery: &Delivery) -> Timestamp {
    match delivery.state {
        State::Waiting { .. } => delivery.expires_at,
        State::Claimed { .. } | State::Started { .. } | State::InDoubt { .. } => delivery.state.due(),
    }
}

/// The rows behind where the last page ended, newest first. Keys grow with time.
pub(crate) fn newest<K: Copy + Ord, V>(rows: &BTreeMap<K, V>, page: Page<K>) -> impl Iterator<Item = &V> {
    let end = page.after.map_or(Bound::Unbounded, Bound::Excluded);
    rows.range((Bound::Unbounded, end)).rev().map(|(_, row)| row)
}
