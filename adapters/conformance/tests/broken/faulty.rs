//! Faulty: a store with one fault, over a store without.
//!
//! The players: [`Fault`] (what it does wrong), [`Faulty`] and a handle for each who speaks. Each verb without a fault is passed on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gatepost::*;

/// What a store does wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Makes a second message of a repeat, and charges it.
    ChargesRepeats,
    /// Charges each message twice.
    DoubleCharges,
    /// Skips the events of a paused endpoint.
    DropsWhatIsHeld,
    /// Loses what it accepted.
    Forgets,
    /// Loses an event of its log.
    ForgetsEvents,
    /// Heeds what one notification tells from its end.
    HeedsBackwards,
    /// Calls an endpoint as fast as it answers.
    HurriesEndpoints,
    /// Lets whoever comes late finish what another worker has started.
    IgnoresFence,
    /// Takes whatever is told again for something new.
    IgnoresRepetitions,
    /// Lets a change undo another one.
    IgnoresRevisions,
    /// Lets every host seal.
    IgnoresSealing,
    /// Starts what must not be started any more.
    IgnoresSuppression,
    /// Goes on with an endpoint that is gone.
    KeepsDeadEndpoints,
    /// Answers an account with the messages and endpoints of others.
    Leaks,
    /// Resumes what the gateway paused, when it sweeps.
    LiftsPauses,
    /// Lets a report lead a message back.
    MovesBack,
    /// Has more on their way to an endpoint than it wants.
    OverfillsEndpoints,
    /// Sends history to whatever URL an endpoint has now.
    ReplaysToChangedUrls,
    /// Hands out again what a worker already has.
    StartsTwice,
    /// Shows an account what is the operator's.
    ShowsOperators,
    /// Lets one account take every place.
    StarvesAccounts,
    /// Goes on with one recovery until it is over.
    StarvesRecoveries,
    /// Tells every endpoint of everything.
    TellsEverybody,
}

/// A store with a fault.
pub(crate) struct Faulty {
    store: Arc<dyn Store>,
    fault: Fault,
    notes: Arc<Notes>,
}

/// What a fault needs to know.
#[derive(Default)]
struct Notes {
    accounts: Mutex<Vec<AccountId>>,
    claimed: Mutex<Vec<Claimed>>,
    taken: Mutex<Vec<StartedNotice>>,
    /// Held from what a worker is handed to its note, so that whoever comes later finds it noted.
    handing_out: tokio::sync::Mutex<()>,
    reports: Mutex<Vec<StatusReport>>,
}

impl Faulty {
    pub(crate) fn new(store: impl Store + 'static, fault: Fault) -> Self {
        Self { store: Arc::new(store), fault, notes: Arc::default() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for Faulty {
    fn account(&self, id: AccountId) -> Arc<dyn AccountStore> {
        lock(&self.notes.accounts).push(id);
        Arc::new(FaultyAccount { inner: self.store.account(id), store: self.store.clone(), fault: self.fault, notes: self.notes.clone() })
    }

    fn worker(&self) -> Arc<dyn WorkerStore> {
        Arc::new(FaultyWorker { inner: self.store.worker(), store: self.store.clone(), fault: self.fault, notes: self.notes.clone() })
    }

    fn operator(&self) -> Arc<dyn OperatorStore> {
        self.store.operator()
    }

    fn on_change(&self, hook: Arc<dyn Fn() + Send + Sync>) {
        self.store.on_change(hook);
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.store.probe().await
    }
}

/// An implementation of a handle: the verbs that are passed on as they are, and the others.
macro_rules! handle {
    (
        $trait:ident for $type:ident
        as it is { $(fn $verb:ident($($name:ident: $input:ty),*) -> $answer:ty;)* }
        with a fault { $($otherwise:tt)* }
    ) => {
        #[async_trait]
        impl $trait for $type {
            $(async fn $verb(&self, $($name: $input),*) -> Result<$answer, StoreError> {
                self.inner.$verb($($name),*).await
            })*

            $($otherwise)*
        }
    };
}

struct FaultyAccount {
    inner: Arc<dyn AccountStore>,
    store: Arc<dyn Store>,
    fault: Fault,
    notes: Arc<Notes>,
}

handle! {
    AccountStore for FaultyAccount
    as it is {
        fn traffic(mode: Mode, now: Timestamp) -> Option<Traffic>;
        fn facts(request: Request, findings: Fact<Findings>, now: Timestamp) -> Option<Facts>;
        fn account() -> Option<Account>;
        fn add_instance(instance: Instance) -> bool;
        fn instances() -> Vec<Instance>;
        fn instance(which: InstanceRef) -> Option<Instance>;
        fn add_integration(integration: Integration) -> bool;
        fn integrations() -> Vec<Integration>;
        fn integration(id: IntegrationId) -> Option<Integration>;
        fn change_integration(id: IntegrationId, change: IntegrationChange) -> Option<Integration>;
        fn enter(entry: NewIntegrationEntry) -> Entered;
        fn conclude(entry: u64, conclusion: Conclusion) -> bool;
        fn integration_log(filter: IntegrationEntryFilter, page: Page<u64>) -> Vec<IntegrationEntry>;
        fn add_key(key: ApiKey) -> ();
        fn keys() -> Vec<ApiKey>;
        fn revoke_key(id: KeyId, now: Timestamp) -> Option<ApiKey>;
        fn reroll_key(old: KeyId, new: ApiKey, old_ends_at: Timestamp, now: Timestamp) -> bool;
        fn inbound(filter: InboundFilter, page: Page<InboundId>) -> Vec<InboundEntry>;
        fn inbound_entry(id: InboundId) -> Option<InboundEntry>;
        fn notifications(page: Page<NotificationId>) -> Vec<NotificationEntry>;
        fn notification(id: NotificationId) -> Option<NotificationEntry>;
        fn know(addresses: Addresses, contact: ContactId, now: Timestamp) -> ();
        fn contact_card(address: Address) -> Option<ContactCard>;
        fn suspicions(page: Page<ContactId>) -> Vec<Suspicion>;
        fn answer_suspicion(contact: ContactId, seen: InboundId, opted_out: bool, by: Actor, now: Timestamp) -> Option<Suspicion>;
        fn suppress(suppression: NewSuppression) -> Suppression;
        fn lift(id: SuppressionId, by: Actor, now: Timestamp) -> Option<Suppression>;
        fn suppressions(filter: SuppressionFilter, page: Page<SuppressionId>) -> Vec<Suppression>;
        fn attempts(message: MessageId) -> Vec<Attempt>;
        fn reviews(filter: ReviewFilter, page: Page<MessageId>) -> Vec<Review>;
        fn release(release: Release, decider: Arc<dyn Decider>) -> ReviewAnswer;
        fn refuse(message: MessageId, by: Actor, note: Option<String>, now: Timestamp) -> ReviewAnswer;
        fn resolve(message: MessageId, sent: bool, now: Timestamp) -> Option<MessageStatus>;
        fn policy_events(filter: PolicyEventFilter, page: Page<u64>) -> Vec<PolicyEvent>;
        fn last_seq() -> u64;
        fn seals(page: Page<u64>) -> Vec<StoredSeal>;
        fn last_seal() -> Option<StoredSeal>;
        fn addresses(contact: ContactId) -> Vec<Address>;
        fn endpoints() -> Vec<Endpoint>;
        fn notify(endpoint: EndpointId, event: Event) -> Option<EventDelivery>;
        fn event(id: EventId) -> Option<Event>;
        fn delivery(id: DeliveryId) -> Option<EventDelivery>;
        fn delivery_attempts(id: DeliveryId) -> Vec<Attempt>;
        fn recovery(id: RecoveryId) -> Option<Recovery>;
        fn cancel_recovery(id: RecoveryId, now: Timestamp) -> Option<Recovery>;
    }
    with a fault {
        async fn accept(&self, mut submissions: Vec<Submission>, decider: Arc<dyn Decider>) -> Result<Vec<Answer>, StoreError> {
            if self.fault == Fault::ChargesRepeats {
                submissions.iter_mut().for_each(|submission| submission.request.idempotency_key = None);
            }
            if self.fault != Fault::DoubleCharges {
                return self.inner.accept(submissions, decider).await;
            }
            let answers = self.inner.accept(submissions, Arc::new(DoublyCharged(decider))).await?;
            Ok(answers.into_iter().map(doubly_charged).collect())
        }

        async fn usage(&self, mode: Mode, now: Timestamp) -> Result<Option<Usage>, StoreError> {
            let usage = self.inner.usage(mode, now).await?;
            Ok(if self.fault == Fault::DoubleCharges { usage.map(twice) } else { usage })
        }

        async fn receive(&self, mut notification: Notification) -> Result<Received, StoreError> {
            match self.fault {
                Fault::HeedsBackwards => notification.inbound.reverse(),
                Fault::IgnoresRepetitions => notification.inbound.iter_mut().for_each(forget_key),
                _ => lock(&self.notes.reports).extend(notification.inbound.iter().filter_map(report)),
            }
            self.inner.receive(notification).await
        }

        async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
            match self.fault {
                Fault::Forgets => Ok(None),
                Fault::Leaks => self.message_of_anybody(id).await,
                Fault::MovesBack => Ok(self.inner.message(id).await?.map(|message| self.moved_back(message))),
                _ => self.inner.message(id).await,
            }
        }

        async fn messages(&self, filter: MessageFilter, page: Page<MessageId>) -> Result<Vec<Message>, StoreError> {
            if self.fault == Fault::Forgets { Ok(Vec::new()) } else { self.inner.messages(filter, page).await }
        }

        async fn event_rows(&self, page: Page<u64>) -> Result<Vec<EventRow>, StoreError> {
            let mut rows = self.inner.event_rows(page).await?;
            rows.retain(|row| self.fault != Fault::ForgetsEvents || row.seq != 2);
            Ok(rows)
        }

        async fn add_endpoint(&self, mut endpoint: Endpoint) -> Result<bool, StoreError> {
            match self.fault {
                Fault::HurriesEndpoints => endpoint.rate = None,
                Fault::OverfillsEndpoints => endpoint.in_flight_max = IN_FLIGHT_MAX,
                Fault::TellsEverybody => endpoint.filter = EventFilter::new(["*"]).unwrap_or(endpoint.filter),
                _ => {}
            }
            self.inner.add_endpoint(endpoint).await
        }

        async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
            if self.fault == Fault::Leaks { self.endpoint_of_anybody(id).await } else { self.inner.endpoint(id).await }
        }

        async fn change_instance(&self, id: InstanceId, mut change: InstanceChange) -> Result<Option<Instance>, StoreError> {
            if self.fault == Fault::IgnoresRevisions {
                change.if_revision = None;
            }
            self.inner.change_instance(id, change).await
        }

        async fn change_endpoint(&self, id: EndpointId, mut change: EndpointChange) -> Result<Option<Endpoint>, StoreError> {
            match (self.fault, &change.pause) {
                (Fault::IgnoresRevisions, _) => change.if_revision = None,
                (Fault::DropsWhatIsHeld, Some(Some(pause))) => {
                    change.disabled = Some(Some(Disabled { since: pause.since, by: DisabledBy::Failing }));
                }
                (Fault::DropsWhatIsHeld, Some(None)) => change.disabled = Some(None),
                _ => {}
            }
            self.inner.change_endpoint(id, change).await
        }

        async fn deliveries(&self, mut filter: DeliveryFilter, page: Page<DeliveryId>) -> Result<Vec<EventDelivery>, StoreError> {
            filter.for_operator |= self.fault == Fault::ShowsOperators;
            self.inner.deliveries(filter, page).await
        }

        async fn recoveries(&self, mut filter: RecoveryFilter, page: Page<RecoveryId>) -> Result<Vec<Recovery>, StoreError> {
            filter.for_operator |= self.fault == Fault::ShowsOperators;
            self.inner.recoveries(filter, page).await
        }

        async fn replay(&self, mut replay: Replay) -> Result<ReplayAnswer, StoreError> {
            replay.to_changed_url |= self.fault == Fault::ReplaysToChangedUrls;
            self.inner.replay(replay).await
        }

        async fn add_recovery(&self, mut recovery: Recovery) -> Result<bool, StoreError> {
            recovery.to_changed_url |= self.fault == Fault::ReplaysToChangedUrls;
            self.inner.add_recovery(recovery).await
        }
    }
}

/// Tells it from everything, also from itself when it was told before.
fn forget_key(inbound: &mut Inbound) {
    inbound.key = InboundKey::new(InstanceId::from_bytes(inbound.id.to_bytes()), "");
}

fn report(inbound: &Inbound) -> Option<StatusReport> {
    match &inbound.told {
        Told::Status(report) => Some(report.clone()),
        _ => None,
    }
}

impl FaultyAccount {
    /// The message as its last report has it.
    fn moved_back(&self, message: Message) -> Message {
        let reports = lock(&self.notes.reports);
        let is_meant = |report: &&StatusReport| message.external_id.as_ref() == Some(&report.external_id);
        let told = reports.iter().rfind(is_meant).and_then(|report| MessageStatus::Unknown.after(report.progress));
        Message { status: told.unwrap_or(message.status), ..message }
    }

    async fn message_of_anybody(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let accounts = lock(&self.notes.accounts).clone();
        for account in accounts {
            if let Some(message) = self.store.account(account).message(id).await? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    async fn endpoint_of_anybody(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        let accounts = lock(&self.notes.accounts).clone();
        for account in accounts {
            if let Some(endpoint) = self.store.account(account).endpoint(id).await? {
                return Ok(Some(endpoint));
            }
        }
        Ok(None)
    }
}

/// Decides from facts in which everything was charged twice.
struct DoublyCharged(Arc<dyn Decider>);

impl Decider for DoublyCharged {
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
        let usage = facts.usage.known().map_or(Fact::Missing, |usage| Fact::Known(twice(*usage)));
        self.0.decide(&Facts { usage, ..facts.clone() }, subject, now)
    }

    fn policy(&self) -> &Policy {
        self.0.policy()
    }
}

fn twice(usage: Usage) -> Usage {
    Usage { day: usage.day * 2, month: usage.month * 2, ..usage }
}

fn doubly_charged(mut answer: Answer) -> Answer {
    if let Answer::Accepted(Accepted { quota, .. }) | Answer::Refused { quota, .. } = &mut answer {
        quota.usage = twice(quota.usage);
    }
    answer
}

struct FaultyWorker {
    inner: Arc<dyn WorkerStore>,
    store: Arc<dyn Store>,
    fault: Fault,
    notes: Arc<Notes>,
}

handle! {
    WorkerStore for FaultyWorker
    as it is {
        fn heed(heed: Heed) -> HeedAnswer;
        fn release(claimed: Vec<Claimed>, now: Timestamp) -> ();
        fn key(id: KeyId) -> Option<ApiKey>;
        fn integration(id: IntegrationId) -> Option<(AccountId, Integration)>;
        fn instance(id: InstanceId) -> Option<(AccountId, Instance)>;
        fn touch_keys(used: Vec<(KeyId, Timestamp)>) -> ();
        fn unsealed(after: Option<AccountId>, limit: usize) -> Vec<Unsealed>;
        fn seal(segment: Segment) -> bool;
        fn old_segments(before: Timestamp, skip: usize, limit: usize) -> Vec<(AccountId, StoredSeal)>;
        fn drop_segment(account: AccountId, number: u64, dropped: Dropped) -> usize;
        fn retain(retention: Retention, limit: usize) -> usize;
    }
    with a fault {
        async fn claim(&self, claim: Claim) -> Result<ClaimAnswer, StoreError> {
            let _turn = self.notes.handing_out.lock().await;
            let mut answer = self.inner.claim(claim).await?;
            let mut claimed = lock(&self.notes.claimed);
            claimed.extend(&answer.claimed);
            match self.fault {
                Fault::Forgets => answer.claimed.clear(),
                Fault::StartsTwice => answer.claimed.clone_from(&claimed),
                _ => {}
            }
            Ok(answer)
        }

        async fn lease_sealing(&self, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
            Ok(self.inner.lease_sealing(holder, until, now).await? || self.fault == Fault::IgnoresSealing)
        }

        async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
            if self.fault == Fault::LiftsPauses {
                let accounts = lock(&self.notes.accounts).clone();
                for account in accounts {
                    let change = AccountChange { pause: Some(None), at: now, ..AccountChange::default() };
                    self.store.operator().change_account(account, change).await?;
                }
            }
            self.inner.sweep(now, limit).await
        }

        async fn take(&self, mut take: Take) -> Result<TakeAnswer, StoreError> {
            if self.fault == Fault::StarvesAccounts {
                take.per_account = take.limit;
            }
            let _turn = self.notes.handing_out.lock().await;
            let mut answer = self.inner.take(take).await?;
            lock(&self.notes.claimed).extend(answer.started.iter().map(|started| started.claimed));
            let mut taken = lock(&self.notes.taken);
            taken.extend_from_slice(&answer.started);
            match self.fault {
                Fault::Forgets => answer.started.clear(),
                Fault::StartsTwice => answer.started.clone_from(&taken),
                _ => {}
            }
            Ok(answer)
        }

        async fn recover(&self, after: Option<RecoveryId>, limit: usize, now: Timestamp) -> Result<Recovered, StoreError> {
            let after = after.filter(|_| self.fault != Fault::StarvesRecoveries);
            self.inner.recover(after, limit, now).await
        }

        async fn start(&self, claimed: Vec<Claimed>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
            if self.fault != Fault::IgnoresSuppression {
                return self.inner.start(claimed, lease, now).await;
            }
            let lifted = self.lift_all(now).await?;
            let answers = self.inner.start(claimed, lease, now).await;
            self.suppress_again(lifted, now).await?;
            answers
        }

        async fn finish(&self, mut finishes: Vec<Finish>) -> Result<Vec<Finished>, StoreError> {
            match self.fault {
                Fault::IgnoresFence => finishes.iter_mut().for_each(|finish| self.renew(finish)),
                Fault::KeepsDeadEndpoints => finishes.iter_mut().for_each(excuse),
                _ => {}
            }
            self.inner.finish(finishes).await
        }
    }
}

/// Takes the other side's end for a failure like any other.
fn excuse(finish: &mut Finish) {
    if finish.outcome.class() == Some(ErrorClass::Gone) {
        finish.outcome = Outcome::Failed { class: ErrorClass::Aborted, retry_after: None };
    }
    finish.report = None;
}

impl FaultyWorker {
    /// Shows the newest fence instead of the worker's own.
    fn renew(&self, finish: &mut Finish) {
        let claimed = lock(&self.notes.claimed);
        let newest = claimed.iter().filter(|claimed| claimed.delivery == finish.claimed.delivery).max_by_key(|claimed| claimed.fence);
        finish.claimed = newest.copied().unwrap_or(finish.claimed);
    }

    async fn lift_all(&self, now: Timestamp) -> Result<Vec<(AccountId, Suppression)>, StoreError> {
        let accounts = lock(&self.notes.accounts).clone();
        let in_force = SuppressionFilter { in_force: true, ..SuppressionFilter::default() };
        let mut lifted = Vec::new();
        for account in accounts {
            let store = self.store.account(account);
            for suppression in store.suppressions(in_force.clone(), Page::first(100)).await? {
                store.lift(suppression.id, Actor::Gateway, now).await?;
                lifted.push((account, suppression));
            }
        }
        Ok(lifted)
    }

    async fn suppress_again(&self, lifted: Vec<(AccountId, Suppression)>, now: Timestamp) -> Result<(), StoreError> {
        for (account, Suppression { id, contact, address, cause, note, by, .. }) in lifted {
            let id = SuppressionId::from_bytes((u128::from_be_bytes(id.to_bytes()) + 1).to_be_bytes());
            self.store.account(account).suppress(NewSuppression { id, contact, address, cause, note, by, now }).await?;
        }
        Ok(())
    }
}
