//! Account: the verbs of one account.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gatepost::{
    Account, AccountId, AccountStore, Actor, Address, Addresses, Answer, ApiKey, AtOnce, Attempt, Conclusion, ContactCard, ContactId,
    Decider, DeliveryFilter, DeliveryId, Endpoint, EndpointChange, EndpointId, Entered, Event, EventDelivery, EventId, EventRow, Fact,
    Facts, Findings, InboundEntry, InboundFilter, InboundId, Instance, InstanceChange, InstanceId, InstanceRef, Integration,
    IntegrationChange, IntegrationEntry, IntegrationEntryFilter, IntegrationId, KeyId, Lease, Message, MessageFilter, MessageId,
    MessageStatus, Mode, NewIntegrationEntry, NewSuppression, Notification, NotificationEntry, NotificationId, Page, Permit, PolicyEvent,
    PolicyEventFilter, Received, Recovery, RecoveryFilter, RecoveryId, Release, Replay, ReplayAnswer, Request, Review, ReviewAnswer,
    ReviewFilter, StoreError, StoredSeal, Submission, Suppression, SuppressionFilter, SuppressionId, Suspicion, Timestamp, Traffic, Usage,
    text_print,
};
use gatepost_rows::cells::Cell;
use gatepost_rows::world::{AccountRows, Effects, World};
use gatepost_rows::{accept, accounts, contacts, deliver, endpoints, events, inbox, integrations, keys, replays, reviews, suppressions};

use super::PostgresStore;
use crate::engine::{USUAL_WEIGHT, Way};
use crate::group::{Found, Search};
use crate::lists;
use crate::load::lookups::{ENTRY, ENTRY_OF_KEY, KEY, RECOVERY};
use crate::load::{Needs, people, scouts, sending, telling};

/// Everything of one account.
pub(super) struct OfAccount {
    pub(super) store: PostgresStore,
    pub(super) id: AccountId,
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
        let needs = move |_: &[Found], world: &World, needs: &mut Needs| {
            // What it needs can be said at once: it is not said again once the account was read.
            if !world.accounts.contains_key(&id) {
                needs.account(id);
                needs.add(asked.clone());
            }
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
        self.store.on_threads(move |database| async move { lists::accounts::account(&database, account).await }).await
    }

    async fn usage(&self, mode: Mode, now: Timestamp) -> Result<Option<Usage>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::accounts::usage(&database, account, mode, now).await }).await
    }

    async fn traffic(&self, mode: Mode, now: Timestamp) -> Result<Option<Traffic>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::accounts::traffic(&database, account, mode, now).await }).await
    }

    async fn add_instance(&self, instance: Instance) -> Result<bool, StoreError> {
        self.write(|_, _| {}, move |rows, _| accounts::add_instance(rows, instance.clone())).await?.ok_or_else(no_account)?
    }

    async fn instances(&self) -> Result<Vec<Instance>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::accounts::instances(&database, account).await }).await
    }

    async fn instance(&self, which: InstanceRef) -> Result<Option<Instance>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::accounts::instance(&database, account, which).await }).await
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
        self.store.on_threads(move |database| async move { lists::integrations::integrations(&database, account).await }).await
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::integrations::integration(&database, account, id).await }).await
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
        self.store.on_threads(move |database| async move { lists::integrations::log(&database, account, filter, page).await }).await
    }

    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.store.add_key(Some(self.id), key).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::accounts::keys(&database, account).await }).await
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
        self.store.on_threads(move |database| async move { lists::inbox::inbound(&database, account, filter, page).await }).await
    }

    async fn inbound_entry(&self, id: InboundId) -> Result<Option<InboundEntry>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::inbox::entry(&database, account, id).await }).await
    }

    async fn notifications(&self, page: Page<NotificationId>) -> Result<Vec<NotificationEntry>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::inbox::notifications(&database, account, page).await }).await
    }

    async fn notification(&self, id: NotificationId) -> Result<Option<NotificationEntry>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::inbox::notification(&database, account, id).await }).await
    }

    async fn know(&self, addresses: Addresses, contact: ContactId, now: Timestamp) -> Result<(), StoreError> {
        let (id, asked) = (self.id, addresses.clone());
        let needs = move |world: &World, needs: &mut Needs| people::known(needs, world, id, &asked);
        let known = self.write(needs, move |rows, effects| contacts::know(rows, effects, &addresses, contact, now)).await?;
        known.map(drop).ok_or_else(no_account)
    }

    async fn contact_card(&self, address: Address) -> Result<Option<ContactCard>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::contacts::card(&database, account, address).await }).await
    }

    async fn suspicions(&self, page: Page<ContactId>) -> Result<Vec<Suspicion>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::contacts::suspicions(&database, account, page).await }).await
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
        self.store.on_threads(move |database| async move { lists::contacts::suppressions(&database, account, filter, page).await }).await
    }

    async fn message(&self, message: MessageId) -> Result<Option<Message>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::messages::message(&database, account, message).await }).await
    }

    async fn messages(&self, filter: MessageFilter, page: Page<MessageId>) -> Result<Vec<Message>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::messages::messages(&database, account, filter, page).await }).await
    }

    async fn attempts(&self, message: MessageId) -> Result<Vec<Attempt>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::messages::attempts(&database, account, message).await }).await
    }

    async fn reviews(&self, filter: ReviewFilter, page: Page<MessageId>) -> Result<Vec<Review>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::messages::reviews(&database, account, filter, page).await }).await
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
        self.store.on_threads(move |database| async move { lists::messages::policy_events(&database, account, filter, page).await }).await
    }

    async fn event_rows(&self, page: Page<u64>) -> Result<Vec<EventRow>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::seals::event_rows(&database, account, page).await }).await
    }

    async fn last_seq(&self) -> Result<u64, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::accounts::last_seq(&database, account).await }).await
    }

    async fn seals(&self, page: Page<u64>) -> Result<Vec<StoredSeal>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::seals::list(&database, account, page).await }).await
    }

    async fn last_seal(&self) -> Result<Option<StoredSeal>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::seals::last(&database, account).await }).await
    }

    async fn addresses(&self, contact: ContactId) -> Result<Vec<Address>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::contacts::addresses(&database, account, contact).await }).await
    }

    async fn add_endpoint(&self, endpoint: Endpoint) -> Result<bool, StoreError> {
        let (account, id) = (self.id, endpoint.id);
        let needs = move |_: &World, needs: &mut Needs| telling::endpoint(needs, account, id);
        self.write(needs, move |rows, _| endpoints::add(rows, endpoint.clone())).await?.ok_or_else(no_account)?
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::events::endpoints(&database, account).await }).await
    }

    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::events::endpoint(&database, account, id).await }).await
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
        self.store.on_threads(move |database| async move { lists::events::event(&database, account, id).await }).await
    }

    async fn deliveries(&self, filter: DeliveryFilter, page: Page<DeliveryId>) -> Result<Vec<EventDelivery>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::events::deliveries(&database, account, filter, page).await }).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<EventDelivery>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::events::delivery(&database, account, id).await }).await
    }

    async fn delivery_attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::events::attempts(&database, account, id).await }).await
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
        self.store.on_threads(move |database| async move { lists::events::recoveries(&database, account, filter, page).await }).await
    }

    async fn recovery(&self, id: RecoveryId) -> Result<Option<Recovery>, StoreError> {
        let account = self.id;
        self.store.on_threads(move |database| async move { lists::events::recovery(&database, account, id).await }).await
    }

    async fn cancel_recovery(&self, id: RecoveryId, now: Timestamp) -> Result<Option<Recovery>, StoreError> {
        let account = self.id;
        let needs = move |_: &World, needs: &mut Needs| needs.key(&RECOVERY, [account.into(), id.into()]);
        Ok(self.write(needs, move |rows, _| replays::cancel(rows, id, now)).await?.flatten())
    }
}
