//! The store itself: each verb of the core's traits, sent to the writer or to a reader.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

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
use gatepost_rows::apart::{self, Rest};

use crate::connection::{CacheKib, open_reader, open_writer};
use crate::copying::moved;
use crate::reader::Readers;
use crate::txn::{Care, Txn, find_instance, find_key};
use crate::writer::{Alone, Hooks, Writer};
use crate::{
    OpenError, accept, accounts, contacts, deliver, deliveries, endpoints, error, events, inbox, integrations, keys, messages,
    policy_events, replays, retention, reviews, schema, seals, suppressions, take,
};

/// How a database is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    /// How much of the file the writer keeps in memory, in KiB. More is not faster: SQLite walks the whole cache after most commits,
    /// and what is not in it comes from the system's page cache.
    pub writer_cache_kib: u32,
    /// How much of the file each reader keeps in memory, in KiB.
    pub reader_cache_kib: u32,
    /// How many threads read.
    pub readers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { writer_cache_kib: 4 * 1024, reader_cache_kib: 2 * 1024, readers: 2 }
    }
}

/// A store in one SQLite file. It is cheap to clone; the file is closed with the last clone, once what waits is written.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

/// The writer ends last: only the last connection to close can put the write-ahead log away.
struct Inner {
    readers: Readers,
    writer: Writer,
    hooks: Hooks,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the database at `path`, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened or written, where it cannot keep a write-ahead log, where a newer release wrote it, or where its rows
    /// were copied to another database ([`Leaving::mark_moved`](crate::Leaving::mark_moved)).
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let mut connection = open_writer(path, CacheKib(options.writer_cache_kib))?;
        if let Some(moved) = moved(&connection)? {
            return Err(OpenError::Moved(moved));
        }
        schema::migrate(&mut connection)?;
        let readers =
            (0..options.readers.max(1)).map(|_| open_reader(path, CacheKib(options.reader_cache_kib))).collect::<Result<_, _>>()?;
        let hooks = Hooks::default();
        let writer = Writer::start(connection, hooks.clone())?;
        Ok(Self(Arc::new(Inner { writer, readers: Readers::start(readers)?, hooks, path: path.to_path_buf() })))
    }

    /// Copies the database as it is now into a new file, while it is in use.
    ///
    /// # Errors
    ///
    /// Where `to` exists or cannot be written.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Err(StoreError::Unavailable(format!("`{}` exists", to.display())));
        }
        let target = to.to_string_lossy().into_owned();
        let path = self.0.path.clone();
        // VACUUM INTO reads one snapshot and writes a whole, compact database; it does so outside any transaction.
        let copied = open_reader(&path, CacheKib(1024)).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        copied.execute("VACUUM INTO ?1", [target]).map_err(|error| error::of_statement(&error))?;
        Ok(())
    }

    async fn write<T, F>(&self, verb: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Txn<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.0.writer.write(Alone::Yes, verb).await
    }

    async fn write_hot<T, F>(&self, verb: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Txn<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.0.writer.write(Alone::No, verb).await
    }

    async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.0.readers.read(query).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn account(&self, id: AccountId) -> Arc<dyn AccountStore> {
        Arc::new(OfAccount { store: self.clone(), id })
    }

    fn worker(&self) -> Arc<dyn WorkerStore> {
        Arc::new(OfWorker(self.clone()))
    }

    fn operator(&self) -> Arc<dyn OperatorStore> {
        Arc::new(OfOperator(self.clone()))
    }

    fn on_change(&self, hook: Arc<dyn Fn() + Send + Sync>) {
        self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.write(|_| Ok(())).await
    }
}

/// Everything of one account.
struct OfAccount {
    store: SqliteStore,
    id: AccountId,
}

#[async_trait]
impl AccountStore for OfAccount {
    async fn accept(&self, mut submissions: Vec<Submission>, decider: Arc<dyn Decider>) -> Result<Vec<Answer>, StoreError> {
        let id = self.id;
        self.store
            .write_hot(move |txn| submissions.iter_mut().map(|submission| accept::accept(txn, id, submission, &*decider)).collect())
            .await
    }

    async fn facts(&self, request: Request, findings: Fact<Findings>, now: Timestamp) -> Result<Option<Facts>, StoreError> {
        let id = self.id;
        self.store
            .read(move |connection| {
                let nobody = ContactId::from_bytes([0; 16]);
                let content = (findings, text_print(&request.content));
                let scene = accept::look(&mut Txn::new(connection, Care::Quick), id, &request, content, nobody, now)?;
                Ok(scene.map(|scene| scene.facts))
            })
            .await
    }

    async fn account(&self) -> Result<Option<Account>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| accounts::find(connection, id)).await
    }

    async fn usage(&self, mode: Mode, now: Timestamp) -> Result<Option<Usage>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| accounts::usage(connection, id, mode, now)).await
    }

    async fn traffic(&self, mode: Mode, now: Timestamp) -> Result<Option<Traffic>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| accounts::traffic(connection, id, mode, now)).await
    }

    async fn add_instance(&self, instance: Instance) -> Result<bool, StoreError> {
        let id = self.id;
        self.store.write(move |txn| accounts::add_instance(txn.connection, id, &instance)).await
    }

    async fn instances(&self) -> Result<Vec<Instance>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| accounts::instances(connection, id)).await
    }

    async fn instance(&self, which: InstanceRef) -> Result<Option<Instance>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| find_instance(connection, id, &which)).await
    }

    async fn change_instance(&self, instance: InstanceId, change: InstanceChange) -> Result<Option<Instance>, StoreError> {
        let id = self.id;
        self.store.write(move |txn| accounts::change_instance(txn, id, instance, change.clone())).await?
    }

    async fn add_integration(&self, integration: Integration) -> Result<bool, StoreError> {
        let id = self.id;
        self.store.write(move |txn| integrations::add(txn.connection, id, &integration)).await
    }

    async fn integrations(&self) -> Result<Vec<Integration>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| integrations::list(connection, id)).await
    }

    async fn integration(&self, integration: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| integrations::find(connection, id, integration)).await
    }

    async fn change_integration(&self, integration: IntegrationId, change: IntegrationChange) -> Result<Option<Integration>, StoreError> {
        let id = self.id;
        self.store.write(move |txn| integrations::change(txn.connection, id, integration, change.clone())).await?
    }

    async fn enter(&self, entry: NewIntegrationEntry) -> Result<Entered, StoreError> {
        let id = self.id;
        self.store.write(move |txn| integrations::enter(txn, id, &entry)).await
    }

    async fn conclude(&self, entry: u64, conclusion: Conclusion) -> Result<bool, StoreError> {
        let id = self.id;
        self.store.write(move |txn| integrations::conclude(txn.connection, id, entry, &conclusion)).await
    }

    async fn integration_log(&self, filter: IntegrationEntryFilter, page: Page<u64>) -> Result<Vec<IntegrationEntry>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| integrations::log(connection, id, &filter, page)).await
    }

    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError> {
        let id = self.id;
        self.store.write(move |txn| keys::add(txn.connection, Some(id), &key)).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| keys::list(connection, Some(id))).await
    }

    async fn revoke_key(&self, key: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        let id = self.id;
        self.store.write(move |txn| keys::revoke(txn.connection, Some(id), key, now)).await
    }

    async fn reroll_key(&self, old: KeyId, new: ApiKey, old_ends_at: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let id = self.id;
        self.store.write(move |txn| keys::reroll(txn.connection, Some(id), old, &new, old_ends_at, now)).await
    }

    async fn receive(&self, notification: Notification) -> Result<Received, StoreError> {
        let id = self.id;
        let received = self.store.write_hot(move |txn| inbox::receive(txn, id, &notification)).await?;
        received.ok_or_else(|| StoreError::Unavailable(String::from("there is no such account")))
    }

    async fn inbound(&self, filter: InboundFilter, page: Page<InboundId>) -> Result<Vec<InboundEntry>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| inbox::list(connection, id, filter, page)).await
    }

    async fn inbound_entry(&self, entry: InboundId) -> Result<Option<InboundEntry>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| inbox::find(connection, id, entry)).await
    }

    async fn notifications(&self, page: Page<NotificationId>) -> Result<Vec<NotificationEntry>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| inbox::notifications(connection, id, page)).await
    }

    async fn notification(&self, notification: NotificationId) -> Result<Option<NotificationEntry>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| inbox::notification(connection, id, notification)).await
    }

    async fn know(&self, addresses: Addresses, contact: ContactId, now: Timestamp) -> Result<(), StoreError> {
        let id = self.id;
        self.store.write(move |txn| contacts::know(txn, id, &addresses, contact, now).map(drop)).await
    }

    async fn contact_card(&self, address: Address) -> Result<Option<ContactCard>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| contacts::card(connection, id, &address)).await
    }

    async fn suspicions(&self, page: Page<ContactId>) -> Result<Vec<Suspicion>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| contacts::suspicions(connection, id, page)).await
    }

    async fn answer_suspicion(
        &self,
        contact: ContactId,
        seen: InboundId,
        opted_out: bool,
        by: Actor,
        now: Timestamp,
    ) -> Result<Option<Suspicion>, StoreError> {
        let id = self.id;
        let answered = self.store.write(move |txn| contacts::answer(txn, id, (contact, seen), opted_out, by, now)).await?;
        answered.map_err(|contacts::NewerWord| StoreError::Conflict)
    }

    async fn suppress(&self, suppression: NewSuppression) -> Result<Suppression, StoreError> {
        let id = self.id;
        self.store.write(move |txn| suppressions::suppress(txn, id, suppression.clone())).await
    }

    async fn lift(&self, suppression: SuppressionId, by: Actor, now: Timestamp) -> Result<Option<Suppression>, StoreError> {
        let id = self.id;
        self.store.write(move |txn| suppressions::lift(txn.connection, id, suppression, by, now)).await
    }

    async fn suppressions(&self, filter: SuppressionFilter, page: Page<SuppressionId>) -> Result<Vec<Suppression>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| suppressions::list(connection, id, filter, page)).await
    }

    async fn message(&self, message: MessageId) -> Result<Option<Message>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| messages::find(connection, id, message)).await
    }

    async fn messages(&self, filter: MessageFilter, page: Page<MessageId>) -> Result<Vec<Message>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| messages::list(connection, id, filter, page)).await
    }

    async fn attempts(&self, message: MessageId) -> Result<Vec<Attempt>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| messages::attempts(connection, id, message)).await
    }

    async fn reviews(&self, filter: ReviewFilter, page: Page<MessageId>) -> Result<Vec<Review>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| reviews::list(connection, id, filter, page)).await
    }

    async fn release(&self, release: Release, decider: Arc<dyn Decider>) -> Result<ReviewAnswer, StoreError> {
        let id = self.id;
        self.store.write(move |txn| reviews::release(txn, id, &release, &*decider)).await
    }

    async fn refuse(&self, message: MessageId, by: Actor, note: Option<String>, now: Timestamp) -> Result<ReviewAnswer, StoreError> {
        let id = self.id;
        self.store.write(move |txn| reviews::refuse(txn, id, message, by, note.as_deref(), now)).await
    }

    async fn resolve(&self, message: MessageId, sent: bool, now: Timestamp) -> Result<Option<MessageStatus>, StoreError> {
        let id = self.id;
        self.store.write(move |txn| deliver::resolve(txn, id, message, sent, now)).await
    }

    async fn policy_events(&self, filter: PolicyEventFilter, page: Page<u64>) -> Result<Vec<PolicyEvent>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| policy_events::list(connection, id, filter, page)).await
    }

    async fn event_rows(&self, page: Page<u64>) -> Result<Vec<EventRow>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| policy_events::rows_of(connection, id, page)).await
    }

    async fn last_seq(&self) -> Result<u64, StoreError> {
        let id = self.id;
        self.store.read(move |connection| policy_events::last_seq(connection, id)).await
    }

    async fn seals(&self, page: Page<u64>) -> Result<Vec<StoredSeal>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| seals::list(connection, id, page)).await
    }

    async fn last_seal(&self) -> Result<Option<StoredSeal>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| seals::last(connection, id)).await
    }

    async fn addresses(&self, contact: ContactId) -> Result<Vec<Address>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| contacts::addresses(connection, id, contact)).await
    }

    async fn add_endpoint(&self, endpoint: Endpoint) -> Result<bool, StoreError> {
        let id = self.id;
        self.store.write(move |txn| endpoints::add(txn.connection, id, &endpoint)).await
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| endpoints::list(connection, id)).await
    }

    async fn endpoint(&self, endpoint: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| endpoints::find(connection, id, endpoint)).await
    }

    async fn change_endpoint(&self, endpoint: EndpointId, change: EndpointChange) -> Result<Option<Endpoint>, StoreError> {
        let id = self.id;
        self.store.write(move |txn| endpoints::change(txn, id, endpoint, change.clone())).await?
    }

    async fn notify(&self, endpoint: EndpointId, event: Event) -> Result<Option<EventDelivery>, StoreError> {
        let id = self.id;
        self.store.write(move |txn| events::notify(txn, id, endpoint, &event)).await
    }

    async fn event(&self, event: EventId) -> Result<Option<Event>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| events::find(connection, id, event)).await
    }

    async fn deliveries(&self, filter: DeliveryFilter, page: Page<DeliveryId>) -> Result<Vec<EventDelivery>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| deliveries::list(connection, id, filter, page)).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<EventDelivery>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| deliveries::find(connection, id, delivery)).await
    }

    async fn delivery_attempts(&self, delivery: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| deliveries::attempts(connection, id, delivery)).await
    }

    async fn replay(&self, replay: Replay) -> Result<ReplayAnswer, StoreError> {
        let id = self.id;
        self.store.write(move |txn| replays::replay(txn, id, &replay)).await
    }

    async fn add_recovery(&self, recovery: Recovery) -> Result<bool, StoreError> {
        let id = self.id;
        self.store.write(move |txn| replays::add_recovery(txn.connection, id, &recovery)).await
    }

    async fn recoveries(&self, filter: RecoveryFilter, page: Page<RecoveryId>) -> Result<Vec<Recovery>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| replays::list(connection, id, filter, page)).await
    }

    async fn recovery(&self, recovery: RecoveryId) -> Result<Option<Recovery>, StoreError> {
        let id = self.id;
        self.store.read(move |connection| replays::find(connection, id, recovery)).await
    }

    async fn cancel_recovery(&self, recovery: RecoveryId, now: Timestamp) -> Result<Option<Recovery>, StoreError> {
        let id = self.id;
        self.store.write(move |txn| replays::cancel(txn.connection, id, recovery, now)).await
    }
}

/// Delivering.
struct OfWorker(SqliteStore);

impl OfWorker {
    async fn start_together(&self, claimed: Arc<[Claimed]>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        self.0.write_hot(move |txn| claimed.iter().map(|claimed| deliver::start(txn, *claimed, lease, now)).collect()).await
    }

    async fn finish_together(&self, finishes: Arc<[Finish]>) -> Result<Vec<Finished>, StoreError> {
        self.0.write_hot(move |txn| finishes.iter().map(|finish| deliver::finish(txn, finish)).collect()).await
    }

    async fn heed_one(&self, heed: Heed, account: AccountId, passed: usize) -> Result<HeedAnswer, StoreError> {
        self.0.write(move |txn| inbox::heed_one_behind(txn, account, passed, &heed)).await
    }
}

#[async_trait]
impl WorkerStore for OfWorker {
    async fn claim(&self, claim: Claim) -> Result<ClaimAnswer, StoreError> {
        self.0.write_hot(move |txn| deliver::claim(txn, &claim)).await
    }

    async fn heed(&self, heed: Heed) -> Result<HeedAnswer, StoreError> {
        let asked = heed.clone();
        match self.0.write(move |txn| inbox::heed(txn, &asked)).await {
            Err(error) if error.is_of_one() => {
                let asked = heed.clone();
                let inboxes = self.0.read(move |connection| inbox::inboxes(connection, &asked)).await?;
                Ok(apart::inboxes(inboxes, &heed, |account, passed| self.heed_one(heed.clone(), account, passed), error).await)
            }
            heeded => heeded,
        }
    }

    async fn take(&self, request: Take) -> Result<TakeAnswer, StoreError> {
        self.0.write_hot(move |txn| take::take(txn, &request)).await
    }

    async fn recover(&self, after: Option<RecoveryId>, limit: usize, now: Timestamp) -> Result<Recovered, StoreError> {
        self.0.write(move |txn| replays::recover(txn, after, limit, now)).await
    }

    async fn start(&self, claimed: Vec<Claimed>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        let claimed: Arc<[Claimed]> = claimed.into();
        match self.start_together(Arc::clone(&claimed), lease, now).await {
            Err(error) if error.is_of_one() => {
                apart::each(&claimed, Rest::Stale, |alone| self.start_together([alone].into(), lease, now), StartAnswer::Stale).await
            }
            started => started,
        }
    }

    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<Finished>, StoreError> {
        let finishes: Arc<[Finish]> = finishes.into();
        match self.finish_together(Arc::clone(&finishes)).await {
            Err(error) if error.is_of_one() => {
                apart::each(&finishes, Rest::AskedAgain, |alone| self.finish_together([alone].into()), Finished::Stale).await
            }
            finished => finished,
        }
    }

    async fn release(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError> {
        self.0.write_hot(move |txn| claimed.iter().try_for_each(|claimed| deliver::release(txn, *claimed, now))).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        let swept = self.0.write_hot(move |txn| deliver::sweep(txn, now, limit)).await?;
        Ok(Swept { parked: self.0.0.writer.take_parked(), judged: self.0.0.writer.take_judged(), ..swept })
    }

    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        self.0.read(move |connection| find_key(connection, id)).await
    }

    async fn instance(&self, id: InstanceId) -> Result<Option<(AccountId, Instance)>, StoreError> {
        self.0.read(move |connection| accounts::instance_of_anybody(connection, id)).await
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<(AccountId, Integration)>, StoreError> {
        self.0.read(move |connection| integrations::of_any(connection, id)).await
    }

    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError> {
        self.0.write(move |txn| keys::touch(txn.connection, &used)).await
    }

    async fn lease_sealing(&self, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.0.write(move |txn| seals::lease(txn.connection, holder, until, now)).await
    }

    async fn unsealed(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<Unsealed>, StoreError> {
        self.0.read(move |connection| seals::unsealed(connection, after, limit)).await
    }

    async fn seal(&self, segment: Segment) -> Result<bool, StoreError> {
        self.0.write(move |txn| seals::seal(txn.connection, &segment)).await
    }

    async fn old_segments(&self, before: Timestamp, skip: usize, limit: usize) -> Result<Vec<(AccountId, StoredSeal)>, StoreError> {
        self.0.read(move |connection| seals::old(connection, before, skip, limit)).await
    }

    async fn drop_segment(&self, account: AccountId, number: u64, dropped: Dropped) -> Result<usize, StoreError> {
        self.0.write(move |txn| seals::drop_segment(txn.connection, account, number, dropped)).await
    }

    async fn retain(&self, retention: Retention, limit: usize) -> Result<usize, StoreError> {
        self.0.write(move |txn| retention::retain(txn.connection, retention, limit)).await
    }
}

/// Running the gateway.
struct OfOperator(SqliteStore);

#[async_trait]
impl OperatorStore for OfOperator {
    async fn add_account(&self, account: Account) -> Result<(), StoreError> {
        self.0.write(move |txn| accounts::add(txn.connection, &account)).await
    }

    async fn accounts(&self, page: Page<AccountId>) -> Result<Vec<Account>, StoreError> {
        self.0.read(move |connection| accounts::list(connection, page)).await
    }

    async fn change_account(&self, id: AccountId, change: AccountChange) -> Result<Option<Account>, StoreError> {
        self.0.write(move |txn| accounts::change(txn, id, change.clone())).await?
    }

    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.0.write(move |txn| keys::add(txn.connection, None, &key)).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.0.read(|connection| keys::list(connection, None)).await
    }

    async fn revoke_key(&self, id: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        self.0.write(move |txn| keys::revoke(txn.connection, None, id, now)).await
    }

    async fn roots(&self) -> Result<Vec<u32>, StoreError> {
        self.0.read(keys::roots).await
    }

    async fn note_roots(&self, roots: Vec<RootPrint>) -> Result<Vec<RootPrint>, StoreError> {
        self.0.write(move |txn| keys::note_roots(txn.connection, &roots)).await
    }
}
