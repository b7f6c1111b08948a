//! The store itself: each verb of the core's traits, done under the mutex; its effects follow once the mutex is free.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gatepost::{
    Account, AccountChange, AccountId, AccountStore, Actor, Address, Addresses, Answer, ApiKey, Attempt, Claim, ClaimAnswer, Claimed,
    Conclusion, ContactCard, ContactId, Decider, DeliveryFilter, DeliveryId, Dropped, Endpoint, EndpointChange, EndpointId, Entered, Event,
    EventDelivery, EventId, EventRow, Fact, Facts, Findings, Finish, Finished, Heed, HeedAnswer, InboundEntry, InboundFilter, InboundId,
    Instance, InstanceChange, InstanceId, InstanceRef, Integration, IntegrationChange, IntegrationEntry, IntegrationEntryFilter,
    IntegrationId, KeyId, Lease, Message, MessageFilter, MessageId, MessageStatus, Mode, NewIntegrationEntry, NewSuppression, Notification,
    NotificationEntry, NotificationId, OperatorStore, Page, PolicyEvent, PolicyEventFilter, Received, Recovered, Recovery, RecoveryFilter,
    RecoveryId, Release, Replay, ReplayAnswer, Request, Retention, Review, ReviewAnswer, ReviewFilter, RootPrint, Segment, StartAnswer,
    Store, StoreError, StoredSeal, Submission, Suppression, SuppressionFilter, SuppressionId, Suspicion, Swept, Take, TakeAnswer,
    Timestamp, Traffic, Unsealed, Usage, WorkerStore, text_print,
};
use gatepost_rows::world::{AccountRows, Effects, World};
use gatepost_rows::{
    accept, accounts, contacts, deliver, endpoints, events, inbox, integrations, keys, messages, notices, replays, retention, reviews,
    seals, suppressions, tables, take, traffic,
};

type Hook = Arc<dyn Fn() + Send + Sync>;

/// A store in memory. It is cheap to clone, and gone with the last clone.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Inner>);

#[derive(Default)]
struct Inner {
    world: Mutex<World>,
    hooks: Mutex<Vec<Hook>>,
    /// Set where verbs begin with what rows say of the verbs before: how many may still begin without.
    on_rows: Option<AtomicUsize>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store whose world is written as rows and read back before each verb, as by a store that keeps its rows elsewhere: what is
    /// in no row is forgotten. The more rows there are, the more verbs pass before they are read again.
    #[must_use]
    pub fn on_rows() -> Self {
        Self(Arc::new(Inner { on_rows: Some(AtomicUsize::new(0)), ..Inner::default() }))
    }

    /// All it keeps, as the rows of a store that keeps them elsewhere.
    pub fn image(&self) -> tables::Image {
        tables::image(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, query: impl FnOnce(&World) -> T) -> T {
        query(&self.lock())
    }

    /// Runs a verb, and then what it left to do: whoever is told may call the store again.
    fn write<T>(&self, verb: impl FnOnce(&mut World) -> T) -> T {
        let (answer, effects) = {
            let mut world = self.lock();
            if let Some(left) = &self.0.on_rows
                && left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err()
            {
                let (read, rows) = reread(&mut world);
                *world = read;
                left.store(rows / ROWS_PER_VERB, Relaxed);
            }
            let answer = verb(&mut world);
            events::tell_operator(&mut world);
            let mut effects = mem::take(&mut world.effects);
            world.judged.append(&mut effects.judged);
            (answer, effects)
        };
        self.follow(effects);
        answer
    }

    fn follow(&self, effects: Effects) {
        for (permit, started) in effects.started {
            permit.start(started);
        }
        if effects.left_due {
            let hooks = self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone();
            hooks.iter().for_each(|hook| hook());
        }
    }
}

/// How many rows a world may have for each verb that begins without them.
const ROWS_PER_VERB: usize = 64;

/// The world as its rows say it is, and how many they are.
///
/// # Panics
///
/// When they do not say it, or say something else of it once they are read.
fn reread(world: &mut World) -> (World, usize) {
    let written = tables::image(world);
    let mut read = World { judged: mem::take(&mut world.judged), ..World::default() };
    for (table, row) in written.rows() {
        let put = tables::put(&mut read, table, row);
        assert!(put.is_ok(), "a row that was written cannot be read: {put:?}");
    }
    let changes = written.changes(&tables::image(&read));
    assert!(changes.is_empty(), "rows are others once they are read: {changes:?}");
    (read, written.rows().count())
}

#[async_trait]
impl Store for MemoryStore {
    fn account(&self, id: AccountId) -> Arc<dyn AccountStore> {
        Arc::new(OfAccount { store: self.clone(), id })
    }

    fn worker(&self) -> Arc<dyn WorkerStore> {
        Arc::new(OfWorker(self.clone()))
    }

    fn operator(&self) -> Arc<dyn OperatorStore> {
        Arc::new(OfOperator(self.clone()))
    }

    fn on_change(&self, hook: Hook) {
        self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Everything of one account.
struct OfAccount {
    store: MemoryStore,
    id: AccountId,
}

impl OfAccount {
    /// Reads the account's rows; the default where there is no such account.
    fn read<T: Default>(&self, query: impl FnOnce(&AccountRows) -> T) -> T {
        self.store.read(|world| world.accounts.get(&self.id).map(query).unwrap_or_default())
    }

    /// Writes to the account's rows; `None` where there is no such account.
    fn write<T>(&self, verb: impl FnOnce(&mut AccountRows, &mut Effects) -> T) -> Option<T> {
        self.store.write(|world| world.accounts.get_mut(&self.id).map(|rows| verb(rows, &mut world.effects)))
    }
}

fn no_account() -> StoreError {
    StoreError::Unavailable(String::from("there is no such account"))
}

#[async_trait]
impl AccountStore for OfAccount {
    async fn accept(&self, submissions: Vec<Submission>, decider: Arc<dyn Decider>) -> Result<Vec<Answer>, StoreError> {
        let accept = |world: &mut World, submission| accept::accept(world, self.id, submission, &*decider);
        Ok(self.store.write(|world| submissions.into_iter().map(|submission| accept(world, submission)).collect()))
    }

    async fn facts(&self, request: Request, findings: Fact<Findings>, now: Timestamp) -> Result<Option<Facts>, StoreError> {
        let nobody = ContactId::from_bytes([0; 16]);
        let content = (findings, text_print(&request.content));
        let look = |world: &World| accept::look(world, self.id, &request, content, nobody, now);
        Ok(self.store.read(look).map(|scene| scene.facts))
    }

    async fn account(&self) -> Result<Option<Account>, StoreError> {
        Ok(self.read(|rows| Some(rows.account.clone())))
    }

    async fn usage(&self, mode: Mode, now: Timestamp) -> Result<Option<Usage>, StoreError> {
        Ok(self.read(|rows| Some(rows.usage(mode, now))))
    }

    async fn traffic(&self, mode: Mode, now: Timestamp) -> Result<Option<Traffic>, StoreError> {
        Ok(self.read(|rows| Some(traffic::of_account(rows, mode, now))))
    }

    async fn add_instance(&self, instance: Instance) -> Result<bool, StoreError> {
        self.write(|rows, _| accounts::add_instance(rows, instance)).ok_or_else(no_account)?
    }

    async fn instances(&self) -> Result<Vec<Instance>, StoreError> {
        Ok(self.read(accounts::instances))
    }

    async fn instance(&self, which: InstanceRef) -> Result<Option<Instance>, StoreError> {
        Ok(self.read(|rows| rows.instance(&which).cloned()))
    }

    async fn change_instance(&self, instance: InstanceId, change: InstanceChange) -> Result<Option<Instance>, StoreError> {
        self.write(|rows, effects| accounts::change_instance(rows, effects, instance, change)).unwrap_or(Ok(None))
    }

    async fn add_integration(&self, integration: Integration) -> Result<bool, StoreError> {
        self.store.write(|world| integrations::add(world, self.id, integration)).ok_or_else(no_account)
    }

    async fn integrations(&self) -> Result<Vec<Integration>, StoreError> {
        Ok(self.read(integrations::list))
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        Ok(self.read(|rows| integrations::find(rows, id)))
    }

    async fn change_integration(&self, id: IntegrationId, change: IntegrationChange) -> Result<Option<Integration>, StoreError> {
        self.write(|rows, _| integrations::change(rows, id, change)).unwrap_or(Ok(None))
    }

    async fn enter(&self, entry: NewIntegrationEntry) -> Result<Entered, StoreError> {
        Ok(self.write(|rows, effects| integrations::enter(rows, effects, &entry)).unwrap_or(Entered::Unknown))
    }

    async fn conclude(&self, entry: u64, conclusion: Conclusion) -> Result<bool, StoreError> {
        Ok(self.write(|rows, _| integrations::conclude(rows, entry, conclusion)).unwrap_or(false))
    }

    async fn integration_log(&self, filter: IntegrationEntryFilter, page: Page<u64>) -> Result<Vec<IntegrationEntry>, StoreError> {
        Ok(self.read(|rows| integrations::log(rows, &filter, page)))
    }

    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.store.write(|world| keys::add(world, Some(self.id), key))
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.store.read(|world| keys::list(world, Some(self.id))))
    }

    async fn revoke_key(&self, key: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.store.write(|world| keys::revoke(world, Some(self.id), key, now)))
    }

    async fn reroll_key(&self, old: KeyId, new: ApiKey, old_ends_at: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.store.write(|world| keys::reroll(world, Some(self.id), old, new, old_ends_at, now))
    }

    async fn receive(&self, notification: Notification) -> Result<Received, StoreError> {
        self.write(|rows, effects| inbox::receive(rows, effects, notification)).ok_or_else(no_account)
    }

    async fn inbound(&self, filter: InboundFilter, page: Page<InboundId>) -> Result<Vec<InboundEntry>, StoreError> {
        Ok(self.read(|rows| inbox::list(rows, filter, page)))
    }

    async fn inbound_entry(&self, id: InboundId) -> Result<Option<InboundEntry>, StoreError> {
        Ok(self.read(|rows| inbox::find(rows, id)))
    }

    async fn notifications(&self, page: Page<NotificationId>) -> Result<Vec<NotificationEntry>, StoreError> {
        Ok(self.read(|rows| inbox::notifications(rows, page)))
    }

    async fn notification(&self, id: NotificationId) -> Result<Option<NotificationEntry>, StoreError> {
        Ok(self.read(|rows| inbox::notification(rows, id)))
    }

    async fn know(&self, addresses: Addresses, contact: ContactId, now: Timestamp) -> Result<(), StoreError> {
        self.write(|rows, effects| contacts::know(rows, effects, &addresses, contact, now)).map(drop).ok_or_else(no_account)
    }

    async fn contact_card(&self, address: Address) -> Result<Option<ContactCard>, StoreError> {
        Ok(self.read(|rows| contacts::card(rows, &address)))
    }

    async fn suspicions(&self, page: Page<ContactId>) -> Result<Vec<Suspicion>, StoreError> {
        Ok(self.read(|rows| contacts::suspicions(rows, page)))
    }

    async fn answer_suspicion(
        &self,
        contact: ContactId,
        seen: InboundId,
        opted_out: bool,
        by: Actor,
        now: Timestamp,
    ) -> Result<Option<Suspicion>, StoreError> {
        self.write(|rows, effects| contacts::answer(rows, effects, (contact, seen), opted_out, by, now)).unwrap_or(Ok(None))
    }

    async fn suppress(&self, suppression: NewSuppression) -> Result<Suppression, StoreError> {
        self.write(|rows, effects| suppressions::suppress(rows, effects, suppression)).ok_or_else(no_account)
    }

    async fn lift(&self, suppression: SuppressionId, by: Actor, now: Timestamp) -> Result<Option<Suppression>, StoreError> {
        Ok(self.write(|rows, _| suppressions::lift(rows, suppression, by, now)).flatten())
    }

    async fn suppressions(&self, filter: SuppressionFilter, page: Page<SuppressionId>) -> Result<Vec<Suppression>, StoreError> {
        Ok(self.read(|rows| suppressions::list(rows, &filter, page)))
    }

    async fn message(&self, message: MessageId) -> Result<Option<Message>, StoreError> {
        Ok(self.read(|rows| messages::find(rows, message)))
    }

    async fn messages(&self, filter: MessageFilter, page: Page<MessageId>) -> Result<Vec<Message>, StoreError> {
        Ok(self.read(|rows| messages::list(rows, filter, page)))
    }

    async fn attempts(&self, message: MessageId) -> Result<Vec<Attempt>, StoreError> {
        Ok(self.read(|rows| messages::attempts(rows, message)))
    }

    async fn reviews(&self, filter: ReviewFilter, page: Page<MessageId>) -> Result<Vec<Review>, StoreError> {
        Ok(self.read(|rows| reviews::list(rows, filter, page)))
    }

    async fn release(&self, release: Release, decider: Arc<dyn Decider>) -> Result<ReviewAnswer, StoreError> {
        self.store.write(|world| reviews::release(world, self.id, release, &*decider))
    }

    async fn refuse(&self, message: MessageId, by: Actor, note: Option<String>, now: Timestamp) -> Result<ReviewAnswer, StoreError> {
        Ok(self.write(|rows, effects| reviews::refuse(rows, effects, message, by, note, now)).unwrap_or(ReviewAnswer::NotFound))
    }

    async fn resolve(&self, message: MessageId, sent: bool, now: Timestamp) -> Result<Option<MessageStatus>, StoreError> {
        Ok(self.write(|rows, effects| deliver::resolve(rows, effects, message, sent, now)).flatten())
    }

    async fn policy_events(&self, filter: PolicyEventFilter, page: Page<u64>) -> Result<Vec<PolicyEvent>, StoreError> {
        Ok(self.read(|rows| messages::policy_events(rows, filter, page)))
    }

    async fn event_rows(&self, page: Page<u64>) -> Result<Vec<EventRow>, StoreError> {
        Ok(self.read(|rows| seals::event_rows(rows, page)))
    }

    async fn last_seq(&self) -> Result<u64, StoreError> {
        Ok(self.read(|rows| rows.last_seq))
    }

    async fn seals(&self, page: Page<u64>) -> Result<Vec<StoredSeal>, StoreError> {
        Ok(self.read(|rows| seals::list(rows, page)))
    }

    async fn last_seal(&self) -> Result<Option<StoredSeal>, StoreError> {
        Ok(self.read(seals::last))
    }

    async fn addresses(&self, contact: ContactId) -> Result<Vec<Address>, StoreError> {
        Ok(self.read(|rows| messages::addresses(rows, contact)))
    }

    async fn add_endpoint(&self, endpoint: Endpoint) -> Result<bool, StoreError> {
        self.write(|rows, _| endpoints::add(rows, endpoint)).ok_or_else(no_account)?
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        Ok(self.read(endpoints::list))
    }

    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        Ok(self.read(|rows| endpoints::find(rows, id)))
    }

    async fn change_endpoint(&self, id: EndpointId, change: EndpointChange) -> Result<Option<Endpoint>, StoreError> {
        self.write(|rows, effects| endpoints::change(rows, effects, id, change)).unwrap_or(Ok(None))
    }

    async fn notify(&self, endpoint: EndpointId, event: Event) -> Result<Option<EventDelivery>, StoreError> {
        Ok(self.write(|rows, effects| events::notify(rows, effects, endpoint, &event)).flatten())
    }

    async fn event(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        Ok(self.read(|rows| events::find(rows, id)))
    }

    async fn deliveries(&self, filter: DeliveryFilter, page: Page<DeliveryId>) -> Result<Vec<EventDelivery>, StoreError> {
        Ok(self.read(|rows| notices::list(rows, filter, page)))
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<EventDelivery>, StoreError> {
        Ok(self.read(|rows| notices::find(rows, id)))
    }

    async fn delivery_attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        Ok(self.read(|rows| notices::attempts(rows, id)))
    }

    async fn replay(&self, replay: Replay) -> Result<ReplayAnswer, StoreError> {
        Ok(self.write(|rows, effects| replays::replay(rows, effects, replay)).unwrap_or(ReplayAnswer::Unknown))
    }

    async fn add_recovery(&self, recovery: Recovery) -> Result<bool, StoreError> {
        Ok(self.write(|rows, _| replays::add_recovery(rows, recovery)).unwrap_or(false))
    }

    async fn recoveries(&self, filter: RecoveryFilter, page: Page<RecoveryId>) -> Result<Vec<Recovery>, StoreError> {
        Ok(self.read(|rows| replays::recoveries(rows, filter, page)))
    }

    async fn recovery(&self, id: RecoveryId) -> Result<Option<Recovery>, StoreError> {
        Ok(self.read(|rows| replays::recovery(rows, id)))
    }

    async fn cancel_recovery(&self, id: RecoveryId, now: Timestamp) -> Result<Option<Recovery>, StoreError> {
        Ok(self.write(|rows, _| replays::cancel(rows, id, now)).flatten())
    }
}

/// Delivering.
struct OfWorker(MemoryStore);

#[async_trait]
impl WorkerStore for OfWorker {
    async fn claim(&self, claim: Claim) -> Result<ClaimAnswer, StoreError> {
        Ok(self.0.write(|world| deliver::claim(world, &claim)))
    }

    async fn take(&self, request: Take) -> Result<TakeAnswer, StoreError> {
        Ok(self.0.write(|world| take::take(world, &request)))
    }

    async fn recover(&self, after: Option<RecoveryId>, limit: usize, now: Timestamp) -> Result<Recovered, StoreError> {
        Ok(self.0.write(|world| replays::recover(world, after, limit, now)))
    }

    async fn start(&self, claimed: Vec<Claimed>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        Ok(self.0.write(|world| claimed.into_iter().map(|claimed| deliver::start(world, claimed, lease, now)).collect()))
    }

    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<Finished>, StoreError> {
        Ok(self.0.write(|world| finishes.into_iter().map(|finish| deliver::finish(world, finish)).collect()))
    }

    async fn release(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError> {
        self.0.write(|world| claimed.into_iter().for_each(|claimed| deliver::release(world, claimed, now)));
        Ok(())
    }

    async fn heed(&self, heed: Heed) -> Result<HeedAnswer, StoreError> {
        Ok(self.0.write(|world| inbox::heed(world, &heed)))
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        Ok(self.0.write(|world| deliver::sweep(world, now, limit)))
    }

    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.0.read(|world| world.keys.get(&id).cloned()))
    }

    async fn instance(&self, id: InstanceId) -> Result<Option<(AccountId, Instance)>, StoreError> {
        Ok(self.0.read(|world| accounts::find_instance(world, id)))
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<(AccountId, Integration)>, StoreError> {
        Ok(self.0.read(|world| integrations::of_any(world, id)))
    }

    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError> {
        self.0.write(|world| keys::touch(world, &used));
        Ok(())
    }

    async fn lease_sealing(&self, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.0.write(|world| seals::lease(world, holder, until, now)))
    }

    async fn unsealed(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<Unsealed>, StoreError> {
        Ok(self.0.read(|world| seals::unsealed(world, after, limit)))
    }

    async fn seal(&self, segment: Segment) -> Result<bool, StoreError> {
        Ok(self.0.write(|world| seals::seal(world, segment)))
    }

    async fn old_segments(&self, before: Timestamp, skip: usize, limit: usize) -> Result<Vec<(AccountId, StoredSeal)>, StoreError> {
        Ok(self.0.read(|world| seals::old(world, before, skip, limit)))
    }

    async fn drop_segment(&self, account: AccountId, number: u64, dropped: Dropped) -> Result<usize, StoreError> {
        let drop = |world: &mut World| world.accounts.get_mut(&account).map(|rows| seals::drop_segment(rows, number, dropped));
        Ok(self.0.write(drop).unwrap_or(0))
    }

    async fn retain(&self, retention: Retention, limit: usize) -> Result<usize, StoreError> {
        Ok(self.0.write(|world| retention::retain(world, retention, limit)))
    }
}

/// Running the gateway.
struct OfOperator(MemoryStore);

#[async_trait]
impl OperatorStore for OfOperator {
    async fn add_account(&self, account: Account) -> Result<(), StoreError> {
        self.0.write(|world| accounts::add(world, account))
    }

    async fn accounts(&self, page: Page<AccountId>) -> Result<Vec<Account>, StoreError> {
        Ok(self.0.read(|world| accounts::list(world, page)))
    }

    async fn change_account(&self, id: AccountId, change: AccountChange) -> Result<Option<Account>, StoreError> {
        self.0.write(|world| accounts::change(world, id, change))
    }

    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.0.write(|world| keys::add(world, None, key))
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.0.read(|world| keys::list(world, None)))
    }

    async fn revoke_key(&self, id: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.0.write(|world| keys::revoke(world, None, id, now)))
    }

    async fn roots(&self) -> Result<Vec<u32>, StoreError> {
        Ok(self.0.read(keys::roots))
    }

    async fn note_roots(&self, roots: Vec<RootPrint>) -> Result<Vec<RootPrint>, StoreError> {
        Ok(self.0.write(|world| keys::note_roots(world, &roots)))
    }
}
