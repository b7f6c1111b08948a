//! The store itself: each verb of the core's traits, as what it needs and what it does. What it does is what a store in memory does, on the
//! rows that it needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::{join_all, try_join_all};
use gatepost::{
    Account, AccountChange, AccountId, AccountStore, Actor, Address, Addresses, Answer, ApiKey, AtOnce, Attempt, Claim, ClaimAnswer,
    Claimed, Conclusion, ContactCard, ContactId, Decider, DeliveryFilter, DeliveryId, Dropped, Endpoint, EndpointChange, EndpointId,
    Entered, Event, EventDelivery, EventId, EventRow, Fact, Facts, Findings, Finish, Finished, Heed, HeedAnswer, InboundEntry,
    InboundFilter, InboundId, Instance, InstanceChange, InstanceId, InstanceRef, Integration, IntegrationChange, IntegrationEntry,
    IntegrationEntryFilter, IntegrationId, KeyId, Lease, Message, MessageFilter, MessageId, MessageStatus, Mode, NewIntegrationEntry,
    NewSuppression, Notification, NotificationEntry, NotificationId, OperatorStore, Page, Permit, PolicyEvent, PolicyEventFilter, Received,
    Recovered, Recovery, RecoveryFilter, RecoveryId, Release, Replay, ReplayAnswer, Request, Retention, Review, ReviewAnswer, ReviewFilter,
    RootPrint, Segment, StartAnswer, Store, StoreError, StoredSeal, Submission, Suppression, SuppressionFilter, SuppressionId, Suspicion,
    Swept, Take, TakeAnswer, Timestamp, Traffic, Unsealed, Usage, WorkerStore, text_print,
};
use gatepost_rows::cells::Cell;
use gatepost_rows::world::{AccountRows, Effects, World};
use gatepost_rows::{
    accept, accounts, contacts, deliver, endpoints, events, inbox, integrations, keys, replays, reviews, seals, suppressions, take,
};

use crate::OpenError;
use crate::connect::{Database, Options};
use crate::engine::{Engine, Hook, USUAL_WEIGHT, Way, is_of_one};
use crate::group::{Found, Search};
use crate::lists;
use crate::load::lookups::{ENTRY, ENTRY_OF_KEY, EVENTS_OF_SEAL, KEY, LAST_SEAL, RECOVERY, SEAL};
use crate::load::{Needs, delivering, people, scouts, sending, telling};
use crate::retain::Turn;
use crate::{probe, roots, sealing, touch};

/// How many lanes write for accounts side by side.
const LANES: usize = 2;
/// The lanes of what looks through all accounts.
const MESSAGES: Way = Way::Wide(0);
const EVENTS: Way = Way::Wide(1);
const REST: Way = Way::Wide(2);

/// A store in Postgres. It is cheap to clone; the last clone closes it.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    engine: Engine,
    database: Arc<Database>,
    forgetting: Arc<Turn>,
}

impl PostgresStore {
    /// Opens the database at `url`, and makes its tables where they are not. This thread waits for it; it may be one of any runtime.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, is of a newer release, or its role passes the fence between accounts by.
    pub fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        let database = Arc::new(Database::open(url, options)?);
        let engine = Engine::start(Arc::clone(&database), LANES);
        Ok(Self(Arc::new(Inner { engine, database, forgetting: Arc::new(Turn::new()) })))
    }

    /// How many statements the database was sent, those that begin and end transactions included.
    pub fn statements(&self) -> u64 {
        self.0.database.statements()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn database(&self) -> &Arc<Database> {
        &self.0.database
    }

    /// What a list answers.
    async fn list<T, F>(&self, list: impl FnOnce(Arc<Database>) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.database().runtime().answer(list(Arc::clone(self.database()))).await
    }
}

#[async_trait]
impl Store for PostgresStore {
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
        self.engine().on_change(hook);
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.list(|database| async move { probe::probe(&database).await }).await
    }
}

/// Everything of one account.
struct OfAccount {
    store: PostgresStore,
    id: AccountId,
}

impl OfAccount {
    /// Writes to the account's rows; `None` where there is no such account.
    async fn write<T: Send + 'static>(
        &self,
        needs: impl Fn(&World, &mut Needs) + Send + 'static,
        verb: impl Fn(&mut AccountRows, &mut Effects) -> T + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let id = self.id;
        let run = move |world: &mut World| world.accounts.get_mut(&id).map(|rows| verb(rows, &mut world.effects));
        self.write_world(needs, move |world| Ok(run(world))).await
    }

    async fn write_world<T: Send + 'static>(
        &self,
        needs: impl Fn(&World, &mut Needs) + Send + 'static,
        mut verb: impl FnMut(&mut World) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let id = self.id;
        let ask = move |_: &[Found], world: &World, to: &mut Needs| {
            to.account(id);
            needs(world, to);
        };
        self.store.engine().write(Way::Of(id), Vec::new(), ask, move |_, world| verb(world)).await
    }

    /// Reads.
    async fn read_world<T: Send + 'static>(
        &self,
        needs: impl Fn(&World, &mut Needs) + Send + 'static,
        query: impl Fn(&World) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let id = self.id;
        let ask = move |_: &[Found], world: &World, to: &mut Needs| {
            to.account(id);
            needs(world, to);
        };
        self.store.engine().read(Vec::new(), ask, move |_, world| Ok(query(world))).await
    }
}

fn no_account() -> StoreError {
    StoreError::Unavailable(String::from("there is no such account"))
}

/// A submission whose permit can be handed out once, however often it is decided about.
struct Kept {
    submission: Submission,
    permit: Arc<Mutex<Option<Permit>>>,
    lease: Option<Lease>,
}

impl Kept {
    fn new(mut submission: Submission) -> Self {
        let at_once = submission.at_once.take();
        let lease = at_once.as_ref().map(|at_once| at_once.lease);
        Self { submission, permit: Arc::new(Mutex::new(at_once.map(|at_once| at_once.permit))), lease }
    }

    fn again(&self) -> Submission {
        let Submission { message, delivery, contact, request, fingerprint, findings, text_print, now, at_once: _ } = &self.submission;
        let permit = || {
            let kept = Arc::clone(&self.permit);
            Permit::new(move |started| {
                let permit = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(permit) = permit {
                    permit.start(started);
                }
            })
        };
        Submission {
            message: *message,
            delivery: *delivery,
            contact: *contact,
            request: request.clone(),
            fingerprint: *fingerprint,
            findings: findings.clone(),
            text_print: *text_print,
            now: *now,
            at_once: self.lease.map(|lease| AtOnce { permit: permit(), lease }),
        }
    }
}

#[async_trait]
impl AccountStore for OfAccount {
    async fn accept(&self, submissions: Vec<Submission>, decider: Arc<dyn Decider>) -> Result<Vec<Answer>, StoreError> {
        let id = self.id;
        let mut asked = Needs::default();
        for Submission { request, text_print, now, .. } in &submissions {
            sending::request(&mut asked, id, request, *text_print, *now);
        }
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
            needs.account(id);
            needs.add(asked.clone());
        };
        let kept: Vec<Kept> = submissions.into_iter().map(Kept::new).collect();
        let weight = kept.len().saturating_mul(USUAL_WEIGHT);
        let accept =
            move |_: &[Found], world: &mut World| Ok(kept.iter().map(|kept| accept::accept(world, id, kept.again(), &*decider)).collect());
        self.store.engine().write_heavy(id, weight, needs, accept).await
    }

    async fn facts(&self, request: Request, findings: Fact<Findings>, now: Timestamp) -> Result<Option<Facts>, StoreError> {
        let (id, nobody) = (self.id, ContactId::from_bytes([0; 16]));
        let print = text_print(&request.content);
        let asked = request.clone();
        let needs = move |_: &World, needs: &mut Needs| sending::request(needs, id, &asked, print, now);
        let look = move |world: &World| accept::look(world, id, &request, (findings.clone(), print), nobody, now);
        self.read_world(needs, move |world| look(world).map(|scene| scene.facts)).await
    }

    async fn account(&self) -> Result<Option<Account>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::accounts::account(&database, account).await }).await
    }

    async fn usage(&self, mode: Mode, now: Timestamp) -> Result<Option<Usage>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::accounts::usage(&database, account, mode, now).await }).await
    }

    async fn traffic(&self, mode: Mode, now: Timestamp) -> Result<Option<Traffic>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::accounts::traffic(&database, account, mode, now).await }).await
    }

    async fn add_instance(&self, instance: Instance) -> Result<bool, StoreError> {
        self.write(|_, _| {}, move |rows, _| accounts::add_instance(rows, instance.clone())).await?.ok_or_else(no_account)?
    }

    async fn instances(&self) -> Result<Vec<Instance>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::accounts::instances(&database, account).await }).await
    }

    async fn instance(&self, which: InstanceRef) -> Result<Option<Instance>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::accounts::instance(&database, account, which).await }).await
    }

    async fn change_instance(&self, instance: InstanceId, change: InstanceChange) -> Result<Option<Instance>, StoreError> {
        let verb = move |rows: &mut AccountRows, effects: &mut Effects| accounts::change_instance(rows, effects, instance, change.clone());
        self.write(|_, _| {}, verb).await?.unwrap_or(Ok(None))
    }

    async fn add_integration(&self, integration: Integration) -> Result<bool, StoreError> {
        let account = self.id;
        let search: Vec<Search> = vec![(&scouts::INTEGRATION, vec![Cell::count(integration.id.number())])];
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| needs.account(account);
        let run = move |found: &[Found], world: &mut World| {
            if found.first().is_some_and(|found| !found.is_empty()) {
                return Ok(world.accounts.contains_key(&account).then_some(false));
            }
            Ok(integrations::add(world, account, integration.clone()))
        };
        self.store.engine().write(Way::Once, search, needs, run).await?.ok_or_else(no_account)
    }

    async fn integrations(&self) -> Result<Vec<Integration>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::integrations::integrations(&database, account).await }).await
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::integrations::integration(&database, account, id).await }).await
    }

    async fn change_integration(&self, id: IntegrationId, change: IntegrationChange) -> Result<Option<Integration>, StoreError> {
        self.write(|_, _| {}, move |rows, _| integrations::change(rows, id, change.clone())).await?.unwrap_or(Ok(None))
    }

    async fn enter(&self, entry: NewIntegrationEntry) -> Result<Entered, StoreError> {
        let (id, key, integration) = (self.id, entry.key, entry.integration);
        let needs = move |_: &World, needs: &mut Needs| {
            if let Some(key) = key {
                needs.key(&ENTRY_OF_KEY, [id.into(), Cell::count(integration.number()), (*key.bytes()).into()]);
            }
        };
        let entered = self.write(needs, move |rows, effects| integrations::enter(rows, effects, &entry)).await?;
        Ok(entered.unwrap_or(Entered::Unknown))
    }

    async fn conclude(&self, entry: u64, conclusion: Conclusion) -> Result<bool, StoreError> {
        let id = self.id;
        let needs = move |_: &World, needs: &mut Needs| needs.key(&ENTRY, [id.into(), Cell::count(entry)]);
        Ok(self.write(needs, move |rows, _| integrations::conclude(rows, entry, conclusion.clone())).await?.unwrap_or(false))
    }

    async fn integration_log(&self, filter: IntegrationEntryFilter, page: Page<u64>) -> Result<Vec<IntegrationEntry>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::integrations::log(&database, account, filter, page).await }).await
    }

    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.store.add_key(Some(self.id), key).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::accounts::keys(&database, account).await }).await
    }

    async fn revoke_key(&self, key: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        let id = self.id;
        let needs = move |_: &World, needs: &mut Needs| needs.key(&KEY, [Cell::word(key)]);
        self.write_world(needs, move |world| Ok(keys::revoke(world, Some(id), key, now))).await
    }

    async fn reroll_key(&self, old: KeyId, new: ApiKey, old_ends_at: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let (id, new_id) = (self.id, new.id);
        let needs = move |_: &World, needs: &mut Needs| [old, new_id].iter().for_each(|key| needs.key(&KEY, [Cell::word(key)]));
        self.write_world(needs, move |world| keys::reroll(world, Some(id), old, new.clone(), old_ends_at, now)).await
    }

    async fn receive(&self, notification: Notification) -> Result<Received, StoreError> {
        let (id, asked) = (self.id, notification.inbound.clone());
        // Each thing of it is kept once more, apart.
        let weight = notification.body.len().saturating_mul(2).saturating_add(USUAL_WEIGHT);
        let needs = move |_: &[Found], world: &World, needs: &mut Needs| people::received(needs, world, id, &asked);
        let receive = move |_: &[Found], world: &mut World| {
            let World { accounts, effects, .. } = world;
            Ok(accounts.get_mut(&id).map(|rows| inbox::receive(rows, effects, notification.clone())))
        };
        self.store.engine().write_heavy(id, weight, needs, receive).await?.ok_or_else(no_account)
    }

    async fn inbound(&self, filter: InboundFilter, page: Page<InboundId>) -> Result<Vec<InboundEntry>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::inbox::inbound(&database, account, filter, page).await }).await
    }

    async fn inbound_entry(&self, id: InboundId) -> Result<Option<InboundEntry>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::inbox::entry(&database, account, id).await }).await
    }

    async fn notifications(&self, page: Page<NotificationId>) -> Result<Vec<NotificationEntry>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::inbox::notifications(&database, account, page).await }).await
    }

    async fn notification(&self, id: NotificationId) -> Result<Option<NotificationEntry>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::inbox::notification(&database, account, id).await }).await
    }

    async fn know(&self, addresses: Addresses, contact: ContactId, now: Timestamp) -> Result<(), StoreError> {
        let (id, asked) = (self.id, addresses.clone());
        let needs = move |world: &World, needs: &mut Needs| people::known(needs, world, id, &asked);
        let known = self.write(needs, move |rows, effects| contacts::know(rows, effects, &addresses, contact, now)).await?;
        known.map(drop).ok_or_else(no_account)
    }

    async fn contact_card(&self, address: Address) -> Result<Option<ContactCard>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::contacts::card(&database, account, address).await }).await
    }

    async fn suspicions(&self, page: Page<ContactId>) -> Result<Vec<Suspicion>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::contacts::suspicions(&database, account, page).await }).await
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
        let needs = move |_: &World, needs: &mut Needs| people::answered(needs, id, contact);
        let answer =
            move |rows: &mut AccountRows, effects: &mut Effects| contacts::answer(rows, effects, (contact, seen), opted_out, by, now);
        self.write(needs, answer).await?.unwrap_or(Ok(None))
    }

    async fn suppress(&self, suppression: NewSuppression) -> Result<Suppression, StoreError> {
        let (id, asked) = (self.id, suppression.clone());
        let needs = move |_: &World, needs: &mut Needs| people::suppressed(needs, id, &asked);
        let suppress = move |rows: &mut AccountRows, effects: &mut Effects| suppressions::suppress(rows, effects, suppression.clone());
        self.write(needs, suppress).await?.ok_or_else(no_account)
    }

    async fn lift(&self, suppression: SuppressionId, by: Actor, now: Timestamp) -> Result<Option<Suppression>, StoreError> {
        let id = self.id;
        let needs = move |world: &World, needs: &mut Needs| people::lifted(needs, world, id, suppression);
        Ok(self.write(needs, move |rows, _| suppressions::lift(rows, suppression, by, now)).await?.flatten())
    }

    async fn suppressions(&self, filter: SuppressionFilter, page: Page<SuppressionId>) -> Result<Vec<Suppression>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::contacts::suppressions(&database, account, filter, page).await }).await
    }

    async fn message(&self, message: MessageId) -> Result<Option<Message>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::messages::message(&database, account, message).await }).await
    }

    async fn messages(&self, filter: MessageFilter, page: Page<MessageId>) -> Result<Vec<Message>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::messages::messages(&database, account, filter, page).await }).await
    }

    async fn attempts(&self, message: MessageId) -> Result<Vec<Attempt>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::messages::attempts(&database, account, message).await }).await
    }

    async fn reviews(&self, filter: ReviewFilter, page: Page<MessageId>) -> Result<Vec<Review>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::messages::reviews(&database, account, filter, page).await }).await
    }

    async fn release(&self, release: Release, decider: Arc<dyn Decider>) -> Result<ReviewAnswer, StoreError> {
        let (id, message, now) = (self.id, release.message, release.now);
        let needs = move |world: &World, needs: &mut Needs| sending::held(needs, world, id, message, now);
        self.write_world(needs, move |world| reviews::release(world, id, release.clone(), &*decider)).await
    }

    async fn refuse(&self, message: MessageId, by: Actor, note: Option<String>, now: Timestamp) -> Result<ReviewAnswer, StoreError> {
        let id = self.id;
        let needs = move |_: &World, needs: &mut Needs| sending::message(needs, id, message);
        let refuse = move |rows: &mut AccountRows, effects: &mut Effects| reviews::refuse(rows, effects, message, by, note.clone(), now);
        Ok(self.write(needs, refuse).await?.unwrap_or(ReviewAnswer::NotFound))
    }

    async fn resolve(&self, message: MessageId, sent: bool, now: Timestamp) -> Result<Option<MessageStatus>, StoreError> {
        let id = self.id;
        let needs = move |_: &World, needs: &mut Needs| sending::message(needs, id, message);
        Ok(self.write(needs, move |rows, effects| deliver::resolve(rows, effects, message, sent, now)).await?.flatten())
    }

    async fn policy_events(&self, filter: PolicyEventFilter, page: Page<u64>) -> Result<Vec<PolicyEvent>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::messages::policy_events(&database, account, filter, page).await }).await
    }

    async fn event_rows(&self, page: Page<u64>) -> Result<Vec<EventRow>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::seals::event_rows(&database, account, page).await }).await
    }

    async fn last_seq(&self) -> Result<u64, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::accounts::last_seq(&database, account).await }).await
    }

    async fn seals(&self, page: Page<u64>) -> Result<Vec<StoredSeal>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::seals::list(&database, account, page).await }).await
    }

    async fn last_seal(&self) -> Result<Option<StoredSeal>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::seals::last(&database, account).await }).await
    }

    async fn addresses(&self, contact: ContactId) -> Result<Vec<Address>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::contacts::addresses(&database, account, contact).await }).await
    }

    async fn add_endpoint(&self, endpoint: Endpoint) -> Result<bool, StoreError> {
        let (account, id) = (self.id, endpoint.id);
        let needs = move |_: &World, needs: &mut Needs| telling::endpoint(needs, account, id);
        self.write(needs, move |rows, _| endpoints::add(rows, endpoint.clone())).await?.ok_or_else(no_account)?
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::events::endpoints(&database, account).await }).await
    }

    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::events::endpoint(&database, account, id).await }).await
    }

    async fn change_endpoint(&self, id: EndpointId, change: EndpointChange) -> Result<Option<Endpoint>, StoreError> {
        let verb = move |rows: &mut AccountRows, effects: &mut Effects| endpoints::change(rows, effects, id, change.clone());
        self.write(|_, _| {}, verb).await?.unwrap_or(Ok(None))
    }

    async fn notify(&self, endpoint: EndpointId, event: Event) -> Result<Option<EventDelivery>, StoreError> {
        let (id, asked) = (self.id, event.clone());
        let needs = move |_: &World, needs: &mut Needs| telling::notified(needs, id, endpoint, &asked);
        Ok(self.write(needs, move |rows, effects| events::notify(rows, effects, endpoint, &event)).await?.flatten())
    }

    async fn event(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::events::event(&database, account, id).await }).await
    }

    async fn deliveries(&self, filter: DeliveryFilter, page: Page<DeliveryId>) -> Result<Vec<EventDelivery>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::events::deliveries(&database, account, filter, page).await }).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<EventDelivery>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::events::delivery(&database, account, id).await }).await
    }

    async fn delivery_attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::events::attempts(&database, account, id).await }).await
    }

    async fn replay(&self, replay: Replay) -> Result<ReplayAnswer, StoreError> {
        let (id, of) = (self.id, replay.of);
        let needs = move |world: &World, needs: &mut Needs| telling::replayed(needs, world, id, of);
        let replay = move |rows: &mut AccountRows, effects: &mut Effects| replays::replay(rows, effects, replay.clone());
        Ok(self.write(needs, replay).await?.unwrap_or(ReplayAnswer::Unknown))
    }

    async fn add_recovery(&self, recovery: Recovery) -> Result<bool, StoreError> {
        let (id, endpoint) = (self.id, recovery.endpoint);
        let needs = move |_: &World, needs: &mut Needs| telling::begun(needs, id, endpoint);
        Ok(self.write(needs, move |rows, _| replays::add_recovery(rows, recovery.clone())).await?.unwrap_or(false))
    }

    async fn recoveries(&self, filter: RecoveryFilter, page: Page<RecoveryId>) -> Result<Vec<Recovery>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::events::recoveries(&database, account, filter, page).await }).await
    }

    async fn recovery(&self, id: RecoveryId) -> Result<Option<Recovery>, StoreError> {
        let account = self.id;
        self.store.list(move |database| async move { lists::events::recovery(&database, account, id).await }).await
    }

    async fn cancel_recovery(&self, id: RecoveryId, now: Timestamp) -> Result<Option<Recovery>, StoreError> {
        let account = self.id;
        let needs = move |_: &World, needs: &mut Needs| needs.key(&RECOVERY, [account.into(), id.into()]);
        Ok(self.write(needs, move |rows, _| replays::cancel(rows, id, now)).await?.flatten())
    }
}

impl PostgresStore {
    async fn add_key(&self, whose: keys::Whose, key: ApiKey) -> Result<(), StoreError> {
        let id = key.id;
        let search: Vec<Search> = vec![(&scouts::KEY, vec![Cell::word(id)])];
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| match whose {
            Some(account) => needs.account(account),
            None => needs.operator(),
        };
        let run = move |found: &[Found], world: &mut World| {
            if found.first().is_some_and(|found| !found.is_empty()) {
                return Err(StoreError::Unavailable(String::from("the key's id is taken")));
            }
            keys::add(world, whose, key.clone())
        };
        self.engine().write(Way::Once, search, needs, run).await
    }
}

/// Delivering.
struct OfWorker(PostgresStore);

impl OfWorker {
    fn engine(&self) -> &Engine {
        self.0.engine()
    }

    async fn start_part(&self, claimed: Vec<Claimed>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        let Some(way) = lane_of(&claimed) else { return Ok(Vec::new()) };
        let asked = claimed.clone();
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| asked.iter().for_each(|claimed| delivering::claimed(needs, claimed));
        let run =
            move |_: &[Found], world: &mut World| Ok(claimed.iter().map(|claimed| deliver::start(world, *claimed, lease, now)).collect());
        self.engine().write(way, Vec::new(), needs, run).await
    }

    /// What the database does not take is left to the end of its lease: nobody could write down what became of it.
    async fn finish_part(&self, finishes: &[Finish]) -> Result<Vec<Finished>, StoreError> {
        match self.finish_together(finishes.to_vec()).await {
            Err(error) if is_of_one(&error) => {
                let mut all = Vec::new();
                for finish in finishes {
                    match self.finish_together(vec![finish.clone()]).await {
                        Err(error) if is_of_one(&error) => all.push(Finished::Stale),
                        finished => all.extend(finished?),
                    }
                }
                Ok(all)
            }
            finished => finished,
        }
    }

    async fn finish_together(&self, finishes: Vec<Finish>) -> Result<Vec<Finished>, StoreError> {
        let Some(way) = finishes.first().map(|finish| Way::Delivering(finish.claimed.account)) else { return Ok(Vec::new()) };
        let finishes = Arc::new(finishes);
        let asked = Arc::clone(&finishes);
        let needs = move |_: &[Found], world: &World, needs: &mut Needs| {
            asked.iter().for_each(|finish| delivering::finished(needs, world, finish));
        };
        let run = move |_: &[Found], world: &mut World| Ok(finishes.iter().map(|finish| deliver::finish(world, finish.clone())).collect());
        self.engine().write(way, Vec::new(), needs, run).await
    }

    async fn release_part(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError> {
        let Some(way) = lane_of(&claimed) else { return Ok(()) };
        let asked = claimed.clone();
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| asked.iter().for_each(|claimed| delivering::claimed(needs, claimed));
        let run = move |_: &[Found], world: &mut World| {
            claimed.iter().for_each(|claimed| deliver::release(world, *claimed, now));
            Ok(())
        };
        self.engine().write(way, Vec::new(), needs, run).await
    }
}

/// The lane of claims of one account.
fn lane_of(claimed: &[Claimed]) -> Option<Way> {
    claimed.first().map(|claimed| Way::Delivering(claimed.account))
}

/// Things of one account, among those of others.
struct Part<T> {
    things: Vec<T>,
    /// Where each of them stands.
    places: Vec<usize>,
}

/// The parts of what is about many accounts: each goes to the lane of its account, and none spoils another.
fn by_account<T>(things: Vec<T>, claimed: impl Fn(&T) -> Claimed) -> BTreeMap<AccountId, Part<T>> {
    let mut parts = BTreeMap::new();
    for (place, thing) in things.into_iter().enumerate() {
        let part = parts.entry(claimed(&thing).account).or_insert_with(|| Part { things: Vec::new(), places: Vec::new() });
        part.things.push(thing);
        part.places.push(place);
    }
    parts
}

/// The answers for parts, in the order of the whole.
fn in_order<'a, T: 'a, A>(answers: impl Iterator<Item = (&'a Part<T>, Vec<A>)>) -> Vec<A> {
    let mut all: Vec<(usize, A)> = answers.flat_map(|(part, answers)| part.places.iter().copied().zip(answers)).collect();
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, answer)| answer).collect()
}

#[async_trait]
impl WorkerStore for OfWorker {
    async fn claim(&self, claim: Claim) -> Result<ClaimAnswer, StoreError> {
        let search: Vec<Search> = vec![(&scouts::MESSAGES, vec![scouts::behind(claim.after), Cell::from(claim.now)])];
        let found_of = delivering::sorted;
        let needs = move |found: &[Found], _: &World, needs: &mut Needs| delivering::due_messages(needs, &found_of(found), &claim);
        let run = move |found: &[Found], world: &mut World| {
            let found = found_of(found);
            let (queues, last) = delivering::queues(&found, claim.now);
            let is_part = delivering::has_full_queue(world, delivering::room_of_claim(&claim, queues.len()));
            let mut answer = deliver::claim(world, &claim);
            answer.next_due = answer.next_due.into_iter().chain(delivering::later(&found, claim.now)).min();
            answer.more |= is_part && !answer.claimed.is_empty();
            if let (None, Some(last)) = (answer.after, last) {
                (answer.after, answer.more) = (Some(last), true);
            }
            Ok(answer)
        };
        self.engine().write(MESSAGES, search, needs, run).await
    }

    async fn take(&self, request: Take) -> Result<TakeAnswer, StoreError> {
        let search: Vec<Search> = vec![(&scouts::EVENTS, vec![scouts::behind(request.after), Cell::from(request.now)])];
        let found_of = delivering::sorted;
        let needs = move |found: &[Found], _: &World, needs: &mut Needs| delivering::due_events(needs, &found_of(found), &request);
        let run = move |found: &[Found], world: &mut World| {
            let found = found_of(found);
            let (queues, last) = delivering::queues(&found, request.now);
            let is_part = delivering::has_full_queue(world, delivering::room_of_take(&request, queues.len()));
            let mut answer = take::take(world, &request);
            answer.next_due = answer.next_due.into_iter().chain(delivering::later(&found, request.now)).min();
            answer.more |= is_part && !answer.started.is_empty();
            if let (None, Some(last)) = (answer.after, last) {
                (answer.after, answer.more) = (Some(last), true);
            }
            Ok(answer)
        };
        self.engine().write(EVENTS, search, needs, run).await
    }

    async fn recover(&self, after: Option<RecoveryId>, limit: usize, now: Timestamp) -> Result<Recovered, StoreError> {
        let behind = Cell::Bytes(after.map_or_else(Vec::new, |after| after.to_bytes().to_vec()));
        let search: Vec<Search> = vec![(&scouts::RECOVERIES, vec![behind])];
        let whole = move |found: &[Found], world: &World, needs: &mut Needs| {
            telling::recovered(needs, world, found.first().map_or(&[], Vec::as_slice), limit);
        };
        let recover = move |_: &[Found], world: &mut World| Ok(replays::recover(world, after, limit, now));
        match self.engine().write(Way::Once, search.clone(), whole, recover).await {
            Err(StoreError::Corrupt(_)) => {
                // It would meet what it cannot read again and again.
                let alone = |found: &[Found], _: &World, needs: &mut Needs| {
                    telling::unfinished(needs, found.first().map_or(&[], Vec::as_slice));
                };
                let end = move |found: &[Found], world: &mut World| Ok(telling::end(world, found.first().map_or(&[], Vec::as_slice), now));
                self.engine().write(Way::Once, search, alone, end).await
            }
            recovered => recovered,
        }
    }

    async fn start(&self, claimed: Vec<Claimed>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        let parts = by_account(claimed, |claimed| *claimed);
        let started = join_all(parts.values().map(|part| self.start_part(part.things.clone(), lease, now))).await;
        if let Some(Err(error)) = started.iter().find(|started| started.is_err()).filter(|_| started.iter().all(Result::is_err)) {
            return Err(error.clone());
        }
        // What was started elsewhere is on its way. These wait again once the lease of their claim has ended.
        let stale = |part: &Part<Claimed>| part.things.iter().map(|_| StartAnswer::Stale).collect();
        Ok(in_order(parts.values().zip(started).map(|(part, started)| (part, started.unwrap_or_else(|_| stale(part))))))
    }

    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<Finished>, StoreError> {
        let parts = by_account(finishes, |finish| finish.claimed);
        let finished = try_join_all(parts.values().map(|part| self.finish_part(&part.things))).await?;
        Ok(in_order(parts.values().zip(finished)))
    }

    async fn release(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError> {
        let parts = by_account(claimed, |claimed| *claimed);
        try_join_all(parts.into_values().map(|part| self.release_part(part.things, now))).await.map(drop)
    }

    async fn heed(&self, heed: Heed) -> Result<HeedAnswer, StoreError> {
        let most = heed.limit.clamp(1, delivering::ACCOUNTS_MAX);
        let search: Vec<Search> = vec![(&scouts::INBOXES, vec![scouts::behind(heed.after), delivering::limit(most)])];
        let (per_account, now) = (heed.per_account, heed.now);
        let needs = move |found: &[Found], world: &World, needs: &mut Needs| {
            people::heeded(needs, world, found.first().map_or(&[], Vec::as_slice), per_account, now);
        };
        let run = move |found: &[Found], world: &mut World| {
            let mut answer = inbox::heed(world, &heed);
            let found = found.first().map_or(&[][..], Vec::as_slice);
            if answer.after.is_none() && found.len() >= most {
                answer.after = found.last().and_then(|row| scouts::account(row, 0));
            }
            Ok(answer)
        };
        self.engine().write(REST, search, needs, run).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        let values = || vec![Cell::from(now), delivering::limit(limit)];
        let bound_before = Cell::from(now.minus(gatepost::IDEMPOTENCY_TIME));
        let search: Vec<Search> = vec![
            (&scouts::MESSAGES_LEASED, values()),
            (&scouts::MESSAGES_EXPIRED, values()),
            (&scouts::EVENTS_LEASED, values()),
            (&scouts::EVENTS_EXPIRED, values()),
            (&scouts::REVIEWS_EXPIRED, values()),
            (&scouts::BINDINGS_OVER, vec![bound_before, delivering::limit(limit)]),
        ];
        let needs = |found: &[Found], _: &World, needs: &mut Needs| delivering::overdue(needs, found);
        let swept = self.engine().write(REST, search, needs, move |_, world| Ok(deliver::sweep(world, now, limit))).await?;
        Ok(Swept { judged: self.engine().take_judged(), parked: self.engine().take_parked(), ..swept })
    }

    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        self.0.list(move |database| async move { lists::accounts::key(&database, id).await }).await
    }

    async fn instance(&self, id: InstanceId) -> Result<Option<(AccountId, Instance)>, StoreError> {
        self.0.list(move |database| async move { lists::accounts::any_instance(&database, id).await }).await
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<(AccountId, Integration)>, StoreError> {
        self.0.list(move |database| async move { lists::integrations::any_integration(&database, id).await }).await
    }

    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError> {
        self.0.list(move |database| async move { touch::touch(&database, used).await }).await
    }

    async fn lease_sealing(&self, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.0.list(move |database| async move { sealing::lease(&database, holder, until, now).await }).await
    }

    async fn unsealed(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<Unsealed>, StoreError> {
        self.0.list(move |database| async move { lists::seals::unsealed(&database, after, limit).await }).await
    }

    async fn seal(&self, segment: Segment) -> Result<bool, StoreError> {
        let account = segment.seal.account;
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
            needs.account(account);
            needs.key(&LAST_SEAL, [account.into()]);
        };
        self.engine().write(Way::Once, Vec::new(), needs, move |_, world| Ok(seals::seal(world, segment.clone()))).await
    }

    async fn old_segments(&self, before: Timestamp, skip: usize, limit: usize) -> Result<Vec<(AccountId, StoredSeal)>, StoreError> {
        self.0.list(move |database| async move { lists::seals::old(&database, before, skip, limit).await }).await
    }

    async fn drop_segment(&self, account: AccountId, number: u64, dropped: Dropped) -> Result<usize, StoreError> {
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
            needs.account(account);
            needs.each([&SEAL, &EVENTS_OF_SEAL], &[account.into(), Cell::count(number)]);
        };
        let run = move |_: &[Found], world: &mut World| {
            Ok(world.accounts.get_mut(&account).map_or(0, |rows| seals::drop_segment(rows, number, dropped)))
        };
        self.engine().write(REST, Vec::new(), needs, run).await
    }

    async fn retain(&self, retention: Retention, limit: usize) -> Result<usize, StoreError> {
        let turn = Arc::clone(&self.0.0.forgetting);
        self.0.list(move |database| async move { turn.retain(&database, retention, limit).await }).await
    }
}

/// Running the gateway.
struct OfOperator(PostgresStore);

#[async_trait]
impl OperatorStore for OfOperator {
    async fn add_account(&self, account: Account) -> Result<(), StoreError> {
        let id = account.id;
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| needs.account(id);
        self.0.engine().write(Way::Of(id), Vec::new(), needs, move |_, world| accounts::add(world, account.clone())).await
    }

    async fn accounts(&self, page: Page<AccountId>) -> Result<Vec<Account>, StoreError> {
        self.0.list(move |database| async move { lists::accounts::all(&database, page).await }).await
    }

    async fn change_account(&self, id: AccountId, change: AccountChange) -> Result<Option<Account>, StoreError> {
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
            needs.account(id);
            needs.traffic(id);
        };
        self.0.engine().write(Way::Of(id), Vec::new(), needs, move |_, world| accounts::change(world, id, change.clone())).await
    }

    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.0.add_key(None, key).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.0.list(move |database| async move { lists::accounts::operators_keys(&database).await }).await
    }

    async fn revoke_key(&self, id: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
            needs.operator();
            needs.key(&KEY, [Cell::word(id)]);
        };
        self.0.engine().write(Way::Once, Vec::new(), needs, move |_, world| Ok(keys::revoke(world, None, id, now))).await
    }

    async fn roots(&self) -> Result<Vec<u32>, StoreError> {
        self.0.list(move |database| async move { lists::accounts::roots(&database).await }).await
    }

    async fn note_roots(&self, roots: Vec<RootPrint>) -> Result<Vec<RootPrint>, StoreError> {
        self.0.list(move |database| async move { roots::note(&database, roots).await }).await
    }
}
