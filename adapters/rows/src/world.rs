//! World: every row there is, in plain maps.
//!
//! The players: [`World`] (all of it, or the part that a verb looks at), [`AccountRows`] (what one account has, and the only way to it),
//! [`Effects`] (what happens once everything is written).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::Arc;

use gatepost::{
    Account, AccountId, Address, ApiKey, Attempt, Cause, Charge, ContactId, ContactState, ConversationWindow, Delivery, DeliveryId,
    DeliveryStatus, Endpoint, EndpointId, ErrorClass, Event, EventId, EventName, Fingerprint, IdempotencyKey, InboundEntry, InboundId,
    InboundKey, Instance, InstanceId, InstanceRef, Integration, IntegrationEntry, IntegrationId, Judged, KeyId, LastSent, Message,
    MessageId, Mode, NotificationEntry, NotificationId, Origin, Page, Permit, PolicyEvent, Recovery, RecoveryId, Replayed, Report, Review,
    Segment, Settled, Skip, Started, State, Suppression, SuppressionId, Tat, TextPrint, Timestamp, TrafficLog, Usage, WindowId, Windows,
    Words,
};

use crate::cells::Row;
use crate::seals::SealingLease;

/// Everything that is kept.
#[derive(Default)]
pub struct World {
    /// What each account has.
    pub accounts: BTreeMap<AccountId, AccountRows>,
    /// Of accounts and of operators: a caller shows an id before anybody knows whose it is.
    pub keys: BTreeMap<KeyId, ApiKey>,
    /// The print of each root of the keyring, by its number.
    pub roots: BTreeMap<u32, [u8; 32]>,
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

/// Everything of one account: a map for each table, and in it a value for each row, so that a part of it is whole in itself.
#[derive(Clone)]
pub struct AccountRows {
    /// The account itself.
    pub account: Account,
    /// The account's last place in its log; the next event is one further.
    pub last_seq: u64,
    /// The place of what came in last.
    pub last_inbound: u64,
    /// The place of what a phone system said or was told last.
    pub last_entry: u64,
    /// How often it was paused or resumed and its instances connected or disconnected: what tells the events of one moment apart.
    pub changes: u32,
    /// How much was charged, by the window.
    pub usage: BTreeMap<(Mode, WindowId), u64>,
    /// How fast the account and its instances went, by the bytes of their ids.
    pub velocity: BTreeMap<([u8; 16], Mode), Tat>,
    /// What the account did, in each mode.
    pub traffic: BTreeMap<Mode, TrafficLog>,
    /// How many contacts were sent a text, by the day.
    pub same_texts: BTreeMap<(Mode, u32, TextPrint), u64>,
    /// What it sends from.
    pub instances: BTreeMap<InstanceId, Instance>,
    /// Whom it writes to.
    pub contacts: BTreeMap<ContactId, ContactRow>,
    /// Until when a free reply may be sent, by the instance they wrote to.
    pub conversations: BTreeMap<(ContactId, InstanceId), Timestamp>,
    /// Whose each address is.
    pub contact_of: BTreeMap<Address, ContactId>,
    /// Whom it must not write to, and since when.
    pub suppressions: BTreeMap<SuppressionId, Suppression>,
    /// What it sent or wanted to send.
    pub messages: BTreeMap<MessageId, MessageRow>,
    /// Messages by the ids that providers gave them; the sandbox reports by ours.
    pub external_ids: BTreeMap<(InstanceId, String), MessageId>,
    /// What its idempotency keys stand for.
    pub bindings: BTreeMap<IdempotencyKey, Binding>,
    /// Attempts that did not send their message; the one that did stands in the message, an open one in the outbox.
    pub attempts: BTreeMap<(MessageId, u16), Attempt>,
    /// What a person is to look at, or has.
    pub reviews: BTreeMap<MessageId, Review>,
    /// What is accepted and not finished.
    pub outbox: BTreeMap<DeliveryId, OutboxRow>,
    /// What is set aside because it cannot be read, be it a message, an event or what came in: rows of the outbox as they stand there.
    pub parked: BTreeMap<DeliveryId, Row>,
    /// The policy event log, by the place in it.
    pub policy_events: BTreeMap<u64, PolicyEventRow>,
    /// What they were sealed in, by number.
    pub segments: BTreeMap<u64, Segment>,
    /// Where its events go.
    pub endpoints: BTreeMap<EndpointId, EndpointRow>,
    /// What they are told of.
    pub events: BTreeMap<EventId, ToldEvent>,
    /// What went, goes or was to go to endpoints.
    pub deliveries: BTreeMap<DeliveryId, DeliveryRow>,
    /// Attempts that did not send their event; the one that did stands in the delivery, an open one in the outbox.
    pub delivery_attempts: BTreeMap<(DeliveryId, u16), Attempt>,
    /// What is on its way to endpoints.
    pub notices: BTreeMap<DeliveryId, NoticeRow>,
    /// What sends an endpoint's events again.
    pub recoveries: BTreeMap<RecoveryId, Recovery>,
    /// Its phone systems.
    pub integrations: BTreeMap<IntegrationId, IntegrationRow>,
    /// What phone systems said and were told, by its place in their log.
    pub entries: BTreeMap<u64, EntryRow>,
    /// What providers posted.
    pub notifications: BTreeMap<NotificationId, NotificationEntry>,
    /// The things of these that were new.
    pub inbound: BTreeMap<InboundId, InboundRow>,
    /// When each thing was told, by what tells it from all others.
    pub inbound_keys: BTreeMap<InboundKey, Timestamp>,
    /// What waits to be heeded, by its place: in the order in which it came.
    pub inbox: BTreeMap<u64, InboxRow>,
    /// How far retention came, where a store notes that.
    pub retained: Option<Retained>,
}

/// How fast somebody went, in each mode.
#[derive(Clone, Default)]
pub struct Tats(BTreeMap<Mode, Tat>);

/// What is known of a contact.
#[derive(Clone)]
pub struct ContactRow {
    /// The strictest suppression in force, so that a send need not look through the list.
    pub suppressed: Option<(Cause, Timestamp)>,
    /// What they wrote that may have been an opt-out, and when, until a person says.
    pub suspected: Option<(InboundId, Timestamp)>,
    /// The end of the conversation that lasts longest, at whichever instance.
    pub window_until: Option<Timestamp>,
    /// The address by which they were met.
    pub address: Address,
    /// Their other addresses, as they became known.
    pub others: Vec<Address>,
    /// What they called themself last, and when.
    pub name: Option<(Timestamp, Words)>,
    /// The contact that they turned out to be. It has what is known of them; here only its state is kept up.
    pub merged_into: Option<ContactId>,
    /// Whether a suppression of theirs cannot be read: then nothing lifts what they have. It is not stored.
    pub has_unread: bool,
    /// How fast they were written to.
    pub tats: Tats,
    /// What they were sent last, in each mode.
    pub last_sent: BTreeMap<Mode, LastSent>,
}

/// A message.
#[derive(Clone)]
pub struct MessageRow {
    /// The message itself.
    pub message: Message,
    /// Who it is to.
    pub contact: ContactId,
    /// What asked for it.
    pub origin: Origin,
    /// Whether it waits for earlier ones to the same contact.
    pub ordered: bool,
    /// The attempt that sent it.
    pub sent: Option<SentBy>,
    /// Under which it stands in the outbox, stood there last, or is to stand there.
    pub delivery: DeliveryId,
    /// From which windows it was charged; none while it is held.
    pub charge: Option<Charge>,
}

/// An attempt that sent its message.
#[derive(Clone, Copy)]
pub struct SentBy {
    /// Its number.
    pub number: u16,
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub at: Timestamp,
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
    /// The contact that it goes to.
    pub contact: ContactId,
    /// The message's place in the log.
    pub log_id: u64,
    /// Set where it waits for earlier ones with the same key.
    pub order_key: Option<i64>,
    /// How far it is.
    pub delivery: Delivery,
    /// When its last attempt began.
    pub started_at: Option<Timestamp>,
}

/// A policy event, and its body where it was read from a store: what is sealed stays as it was written.
#[derive(Clone)]
pub struct PolicyEventRow {
    /// The event itself.
    pub event: PolicyEvent,
    /// Its body as it stands there.
    pub body: Option<String>,
}

/// An endpoint, and how fast it was called.
#[derive(Clone)]
pub struct EndpointRow {
    /// Shared with the attempts that were taken while it was so.
    pub endpoint: Arc<Endpoint>,
    /// How fast it was called.
    pub tat: Tat,
}

/// An event. What it says is forgotten before it is.
#[derive(Clone)]
pub struct ToldEvent {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub name: EventName,
    /// At which instance.
    pub instance: Option<InstanceId>,
    /// When.
    pub occurred_at: Timestamp,
    /// What it says, as the inside of a JSON object; none once that is forgotten.
    pub fields: Option<String>,
}

/// An event's delivery, as the log has it. Of one that has not ended, its notice says how far it got.
#[derive(Clone)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// What is delivered.
    pub event: EventId,
    /// The name under which it goes.
    pub as_name: EventName,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// How it ended; queued until then.
    pub status: DeliveryStatus,
    /// Why it was not taken.
    pub error: Option<ErrorClass>,
    /// Why it was not tried, or not again.
    pub skip: Option<Skip>,
    /// How many attempts it took.
    pub tries: u16,
    /// Who asked for it, where it is a repetition.
    pub replay: Option<Replayed>,
    /// The attempt that sent it, the last one.
    pub sent: Option<SentNotice>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// An attempt that sent its event. It ended when the delivery changed last.
#[derive(Clone)]
pub struct SentNotice {
    /// When it began.
    pub from: Timestamp,
    /// What it saw.
    pub saw: Option<Report>,
}

/// An event's delivery that has not ended.
#[derive(Clone, Copy)]
pub struct NoticeRow {
    /// The delivery's id.
    pub id: DeliveryId,
    /// What is delivered.
    pub event: EventId,
    /// The name under which it goes, where that is not the event's own.
    pub as_name: Option<EventName>,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// The line in which it stands, and its place there.
    pub line: Option<(i64, u64)>,
    /// How far it is.
    pub delivery: Delivery,
    /// When its last attempt began.
    pub started_at: Option<Timestamp>,
}

/// A phone system, and how fast it told of events.
#[derive(Clone)]
pub struct IntegrationRow {
    /// The integration itself.
    pub integration: Integration,
    /// How fast it told.
    pub tat: Tat,
}

/// A line of the log of phone systems, as it was written, and what tells it from all others of its integration.
#[derive(Clone)]
pub struct EntryRow {
    /// The line itself.
    pub entry: IntegrationEntry,
    /// What tells it from all else, where something does.
    pub key: Option<[u8; 32]>,
    /// Until when that holds, where it is not for good.
    pub key_until: Option<Timestamp>,
}

/// A thing that a provider told.
#[derive(Clone)]
pub struct InboundRow {
    /// The thing itself, with the contact of then. Whether it waits is not kept here: the inbox says it.
    pub entry: InboundEntry,
    /// Under which it waits to be heeded, or waited.
    pub delivery: Option<DeliveryId>,
}

/// What waits to be heeded.
#[derive(Clone, Copy)]
pub struct InboxRow {
    /// Under which it stands in the outbox.
    pub delivery: DeliveryId,
    /// What it is.
    pub inbound: InboundId,
    /// At which instance it came in.
    pub instance: InstanceId,
    /// Since when it waits.
    pub due: Timestamp,
}

/// How far retention came: what everything up to these ids said is forgotten.
#[derive(Clone, Copy, Default)]
pub struct Retained {
    /// Messages.
    pub message: Option<[u8; 16]>,
    /// Events.
    pub event: Option<[u8; 16]>,
    /// Things that came in.
    pub inbound: Option<[u8; 16]>,
    /// Raw notifications.
    pub raw: Option<[u8; 16]>,
}

impl AccountRows {
    /// An account that has nothing yet.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            last_seq: 0,
            last_inbound: 0,
            last_entry: 0,
            changes: 0,
            usage: BTreeMap::new(),
            velocity: BTreeMap::new(),
            traffic: BTreeMap::new(),
            same_texts: BTreeMap::new(),
            instances: BTreeMap::new(),
            contacts: BTreeMap::new(),
            conversations: BTreeMap::new(),
            contact_of: BTreeMap::new(),
            suppressions: BTreeMap::new(),
            messages: BTreeMap::new(),
            external_ids: BTreeMap::new(),
            bindings: BTreeMap::new(),
            attempts: BTreeMap::new(),
            reviews: BTreeMap::new(),
            outbox: BTreeMap::new(),
            parked: BTreeMap::new(),
            policy_events: BTreeMap::new(),
            segments: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            events: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            delivery_attempts: BTreeMap::new(),
            notices: BTreeMap::new(),
            recoveries: BTreeMap::new(),
            integrations: BTreeMap::new(),
            entries: BTreeMap::new(),
            notifications: BTreeMap::new(),
            inbound: BTreeMap::new(),
            inbound_keys: BTreeMap::new(),
            inbox: BTreeMap::new(),
            retained: None,
        }
    }

    /// The next place in the account's log.
    pub const fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// The next place of what comes in.
    pub const fn next_inbound(&mut self) -> u64 {
        self.last_inbound += 1;
        self.last_inbound
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
    pub fn instance(&self, which: &InstanceRef) -> Option<&Instance> {
        match which {
            InstanceRef::Id(id) => self.instances.get(id),
            InstanceRef::Name(name) => self.instances.values().find(|instance| instance.name.as_str() == name),
        }
    }

    /// How fast the account, or one of its instances, went in a mode.
    pub fn tat(&self, subject: [u8; 16], mode: Mode) -> Tat {
        self.velocity.get(&(subject, mode)).copied().unwrap_or_default()
    }

    /// Writes how fast it went.
    pub fn set_tat(&mut self, subject: [u8; 16], mode: Mode, tat: Tat) {
        if self.tat(subject, mode) != tat {
            self.velocity.insert((subject, mode), tat);
        }
    }

    /// Until when a free reply may be sent to a contact from an instance.
    pub fn conversation(&self, contact: ContactId, instance: InstanceId) -> ConversationWindow {
        self.conversations.get(&(contact, instance)).map_or(ConversationWindow::Never, |end| ConversationWindow::Until(*end))
    }

    /// What was charged in the windows of `now`.
    pub fn usage(&self, mode: Mode, now: Timestamp) -> Usage {
        let windows = Windows::at(now, self.account.calendar.zone_at(now));
        let charged = |window: WindowId| self.usage.get(&(mode, window)).copied().unwrap_or(0);
        Usage { windows, day: charged(windows.day.id), month: charged(windows.month.id) }
    }

    /// Makes this an address of the contact, who may be new, unless it is somebody's.
    pub fn meet(&mut self, contact: ContactId, address: &Address) {
        if self.contact_of.contains_key(address) {
            return;
        }
        self.contact_of.insert(address.clone(), contact);
        match self.contacts.entry(contact) {
            Entry::Occupied(known) => known.into_mut().others.push(address.clone()),
            Entry::Vacant(place) => _ = place.insert(ContactRow::new(address.clone())),
        }
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
    /// A contact of whom nothing is known but this address.
    pub const fn new(address: Address) -> Self {
        Self {
            suppressed: None,
            suspected: None,
            window_until: None,
            address,
            others: Vec::new(),
            name: None,
            merged_into: None,
            has_unread: false,
            tats: Tats(BTreeMap::new()),
            last_sent: BTreeMap::new(),
        }
    }

    /// Their addresses: the phone number first, where it is known.
    pub fn addresses(&self) -> Vec<Address> {
        let mut addresses: Vec<Address> = [&self.address].into_iter().chain(&self.others).cloned().collect();
        addresses.sort_unstable();
        addresses
    }

    /// Whether they may be written to.
    pub fn state(&self) -> ContactState {
        match (self.suppressed, self.suspected) {
            (Some((cause, since)), _) => ContactState::Suppressed { cause, since },
            (None, Some((_, since))) => ContactState::Suspected { since },
            (None, None) => ContactState::Reachable,
        }
    }

    /// Whether they ever wrote what may be answered.
    pub const fn wrote(&self) -> bool {
        self.window_until.is_some()
    }

    /// Notes what they called themself, unless a newer name is known.
    pub fn call(&mut self, name: Words, at: Timestamp) {
        if self.name.as_ref().is_none_or(|(since, _)| *since <= at) {
            self.name = Some((at, name));
        }
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

    /// Whether an attempt is open.
    pub const fn is_started(&self) -> bool {
        matches!(self.delivery.state, State::Started { .. })
    }
}

impl ToldEvent {
    /// The event; none once what it says is forgotten.
    pub fn event(&self) -> Option<Event> {
        let Self { id, name, instance, occurred_at, ref fields } = *self;
        Some(Event { id, name, instance, occurred_at, fields: fields.clone()? })
    }
}

impl From<Event> for ToldEvent {
    fn from(event: Event) -> Self {
        let Event { id, name, instance, occurred_at, fields } = event;
        Self { id, name, instance, occurred_at, fields: Some(fields) }
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
