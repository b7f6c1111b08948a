//! Store: where everything is kept, behind a verb per business step.
//!
//! Three handles, by who speaks. [`Store::account`] is for whatever is done on behalf of a caller, and the only way to an account's
//! rows. [`Store::worker`] delivers: claim, start, finish, sweep, and keys and instances by id. [`Store::operator`] runs the gateway: accounts,
//! plans, pauses, operator keys. Each verb is atomic and its answer complete; when it is answered, it is durable. Dropping the
//! future of a verb does not undo it.
//!
//! Who decides and who writes: the store gathers [`Facts`] in its transaction, the [`Decider`] decides, the store writes what was
//! decided. The store never decides; the core never writes.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use async_trait::async_trait;

use crate::{
    Account, AccountId, Actor, AdapterSettings, Address, Addresses, ApiKey, Attempt, Breach, Calendar, Cause, Claim, ClaimAnswer, Claimed,
    Conclusion, Connection, ContactCard, ContactId, Decider, Decision, DeliveryId, DeliveryStatus, Disabled, Dropped, Endpoint, EndpointId,
    EndpointUrl, Entered, Event, EventDelivery, EventFilter, EventId, EventRow, Fact, Facts, Finish, Finished, Heed, HeedAnswer,
    InboundEntry, InboundFilter, InboundId, Instance, InstanceId, InstanceRef, Integration, IntegrationChange, IntegrationEntry,
    IntegrationEntryFilter, IntegrationId, KeyId, KeyState, Lease, Limits, Message, MessageId, MessageStatus, Mode, Name,
    NewIntegrationEntry, Notification, NotificationEntry, NotificationId, Pause, Plan, PolicyEvent, PolicyEventFilter, Rate, Received,
    Recovered, Recovery, RecoveryId, Replay, ReplayAnswer, Request, Review, ReviewAnswer, ReviewState, RootPrint, RuleId, Sealed,
    SealedHeaders, Segment, Sender, Settled, StartAnswer, StoredSeal, Submission, Suppression, SuppressionId, Suspicion, Take, TakeAnswer,
    Timestamp, Traffic, Unsealed, Usage,
};

/// Why a store did not answer: what the machine does next.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// Others changed the same rows: decide again.
    #[error("the store's rows changed meanwhile")]
    Conflict,
    /// It cannot be reached or is full; nothing was written: try later.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The commit may or may not have happened: look before you act.
    #[error("the store may or may not have written: {0}")]
    OutcomeUnknown(String),
    /// What was read cannot be right: stop.
    #[error("the store holds what it cannot: {0}")]
    Corrupt(String),
    /// What was to be written does not fit, or the verb broke over it; nothing was written, and trying again does not help: a fault.
    #[error("the store does not take this: {0}")]
    Unwritable(String),
}

impl StoreError {
    /// Whether one thing alone may have brought it, among others that were read or written with it: these are worth trying without it.
    #[must_use]
    pub const fn is_of_one(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Unwritable(_))
    }
}

/// Keeps everything.
#[async_trait]
pub trait Store: Send + Sync {
    /// Everything of one account, and nothing of another.
    fn account(&self, id: AccountId) -> Arc<dyn AccountStore>;

    /// What is done on behalf of nobody: delivering.
    fn worker(&self) -> Arc<dyn WorkerStore>;

    /// What is done by who runs the gateway.
    fn operator(&self) -> Arc<dyn OperatorStore>;

    /// Has `hook` called after a commit that may have left something due. It is a hint: one that is missed costs a poll interval. Of the
    /// places that a finish frees it does not tell: whoever finishes takes next.
    fn on_change(&self, hook: Arc<dyn Fn() + Send + Sync>);

    /// Whether the store can write now.
    async fn probe(&self) -> Result<(), StoreError>;
}

/// Everything of one account.
///
/// With it comes what stands there for the operator ([`Endpoint::for_operator`]) and is not for the account's eyes. Lists of deliveries and
/// of recoveries leave that out unless they are asked for it; of what is read by its id, the endpoint tells.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Accepts, holds or refuses each submission, in order, with one answer for each.
    ///
    /// One transaction reads the facts, lets `decider` decide, and writes contact, policy event, message, charge and outbox row together. Of what goes
    /// at once, the first attempt is written too, and given to its permit after the commit. A submission for an unknown instance,
    /// and a repeated one, leave nothing behind. The caller's key is read first: one that is no longer in force gets no answer of an
    /// earlier request, but a refusal.
    async fn accept(&self, submissions: Vec<Submission>, decider: Arc<dyn Decider>) -> Result<Vec<Answer>, StoreError>;

    /// The facts that [`AccountStore::accept`] would decide from; `None` where there is no such instance.
    async fn facts(&self, request: Request, findings: Fact<crate::Findings>, now: Timestamp) -> Result<Option<Facts>, StoreError>;

    /// The account itself.
    async fn account(&self) -> Result<Option<Account>, StoreError>;

    /// What was charged in the windows of `now`.
    async fn usage(&self, mode: Mode, now: Timestamp) -> Result<Option<Usage>, StoreError>;

    /// What the account did in the window that ends with `now`, without anything about one message.
    async fn traffic(&self, mode: Mode, now: Timestamp) -> Result<Option<Traffic>, StoreError>;

    /// Adds an instance; `false` where its name is taken, or the account has [`INSTANCES_MAX`](crate::INSTANCES_MAX).
    async fn add_instance(&self, instance: Instance) -> Result<bool, StoreError>;

    /// All instances, by name.
    async fn instances(&self) -> Result<Vec<Instance>, StoreError>;

    /// One instance.
    async fn instance(&self, which: InstanceRef) -> Result<Option<Instance>, StoreError>;

    /// Changes an instance; the instance as it is then. [`StoreError::Conflict`] where its pause is not the expected one, or it is not at
    /// the revision that the change was made for.
    async fn change_instance(&self, id: InstanceId, change: InstanceChange) -> Result<Option<Instance>, StoreError>;

    /// Adds an integration; `false` where the account has [`INTEGRATIONS_MAX`](crate::INTEGRATIONS_MAX) that are not removed, or its id is
    /// taken.
    async fn add_integration(&self, integration: Integration) -> Result<bool, StoreError>;

    /// All integrations that are not removed, oldest first.
    async fn integrations(&self) -> Result<Vec<Integration>, StoreError>;

    /// One integration, also a removed one.
    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError>;

    /// Changes an integration; the integration as it is then, or `None` where there is none or it was removed before.
    /// [`StoreError::Conflict`] where it is not at the revision that the change was made for.
    async fn change_integration(&self, id: IntegrationId, change: IntegrationChange) -> Result<Option<Integration>, StoreError>;

    /// Writes down what a phone system said, before anything is done about it, and tells customers of it.
    async fn enter(&self, entry: NewIntegrationEntry) -> Result<Entered, StoreError>;

    /// Writes down what became of it; `false` where there is no such entry, or that was written down before. What is told again because it
    /// was not answered ([`EntryKey::UntilAnswered`](crate::EntryKey::UntilAnswered)) is concluded once more.
    async fn conclude(&self, entry: u64, conclusion: Conclusion) -> Result<bool, StoreError>;

    /// The log of phone systems, newest first.
    async fn integration_log(&self, filter: IntegrationEntryFilter, page: Page<u64>) -> Result<Vec<IntegrationEntry>, StoreError>;

    /// Adds a key of this account.
    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError>;

    /// All keys, newest first.
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Revokes a key from `now` on; the key as it is then. Revoking twice keeps the first time.
    async fn revoke_key(&self, id: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError>;

    /// Adds `new` and ends the key `old` at `old_ends_at`, unless it ends before; `false` where `old` is not in force at `now`.
    async fn reroll_key(&self, old: KeyId, new: ApiKey, old_ends_at: Timestamp, now: Timestamp) -> Result<bool, StoreError>;

    /// Keeps what a provider posted, and each thing of it that was not told before. When this is answered, nothing of it is lost, and it
    /// will be heeded.
    async fn receive(&self, notification: Notification) -> Result<Received, StoreError>;

    /// What came in, newest first.
    async fn inbound(&self, filter: InboundFilter, page: Page<InboundId>) -> Result<Vec<InboundEntry>, StoreError>;

    /// One thing that came in.
    async fn inbound_entry(&self, id: InboundId) -> Result<Option<InboundEntry>, StoreError>;

    /// What providers posted, without the bytes, newest first.
    async fn notifications(&self, page: Page<NotificationId>) -> Result<Vec<NotificationEntry>, StoreError>;

    /// What a provider posted, with the bytes while they are kept.
    async fn notification(&self, id: NotificationId) -> Result<Option<NotificationEntry>, StoreError>;

    /// Notes that these addresses are of one person; whatever holds for one then holds for all.
    async fn know(&self, addresses: Addresses, contact: ContactId, now: Timestamp) -> Result<(), StoreError>;

    /// What the account knows of the contact with this address; `None` where it knows nobody with it. The name is what they called
    /// themself last, in whatever they wrote.
    async fn contact_card(&self, address: Address) -> Result<Option<ContactCard>, StoreError>;

    /// The contacts who may have opted out and wait for a person to say, by contact.
    async fn suspicions(&self, page: Page<ContactId>) -> Result<Vec<Suspicion>, StoreError>;

    /// A person who has `seen` what a contact wrote says whether they opted out; the suspicion that was answered, or `None` where there is
    /// none. What was held for it stays held until somebody releases or refuses it. [`StoreError::Conflict`] where the contact has written
    /// something newer that must be seen first.
    async fn answer_suspicion(
        &self,
        contact: ContactId,
        seen: InboundId,
        opted_out: bool,
        by: Actor,
        now: Timestamp,
    ) -> Result<Option<Suspicion>, StoreError>;

    /// Suppresses the contact of an address, and withdraws what waits for them. The suppression that is in force for the same cause is kept,
    /// and returned.
    async fn suppress(&self, suppression: NewSuppression) -> Result<Suppression, StoreError>;

    /// Lifts a suppression; the suppression as it is then. Lifting twice keeps the first time.
    async fn lift(&self, id: SuppressionId, by: Actor, now: Timestamp) -> Result<Option<Suppression>, StoreError>;

    /// Suppressions, newest first.
    async fn suppressions(&self, filter: SuppressionFilter, page: Page<SuppressionId>) -> Result<Vec<Suppression>, StoreError>;

    /// One message.
    async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError>;

    /// Messages, newest first.
    async fn messages(&self, filter: MessageFilter, page: Page<MessageId>) -> Result<Vec<Message>, StoreError>;

    /// The attempts of a message, oldest first.
    async fn attempts(&self, message: MessageId) -> Result<Vec<Attempt>, StoreError>;

    /// Reviews, newest first.
    async fn reviews(&self, filter: ReviewFilter, page: Page<MessageId>) -> Result<Vec<Review>, StoreError>;

    /// Releases a held message: decides again with present facts, charges and queues it where they allow. Where the account wants two
    /// people, the first release is only written down ([`Review::release_by`]).
    async fn release(&self, release: Release, decider: Arc<dyn Decider>) -> Result<ReviewAnswer, StoreError>;

    /// Refuses a held message.
    async fn refuse(&self, message: MessageId, by: Actor, note: Option<String>, now: Timestamp) -> Result<ReviewAnswer, StoreError>;

    /// Says how a message in doubt ended; its status then, or `None` where it is not in doubt. One whose delivery was parked is in doubt
    /// until its retention is over.
    async fn resolve(&self, message: MessageId, sent: bool, now: Timestamp) -> Result<Option<MessageStatus>, StoreError>;

    /// Policy events, newest first.
    async fn policy_events(&self, filter: PolicyEventFilter, page: Page<u64>) -> Result<Vec<PolicyEvent>, StoreError>;

    /// Policy events as they stand there, oldest first: what is sealed. Those below place 1, which nobody wrote, come first, and as place 0.
    ///
    /// The bytes of a row are the same each time, also for other hosts and later releases, and no row is left out because it cannot be
    /// read.
    async fn event_rows(&self, page: Page<u64>) -> Result<Vec<EventRow>, StoreError>;

    /// The last place that the log has given out: what the next event follows.
    async fn last_seq(&self) -> Result<u64, StoreError>;

    /// The seals of the log, by number. Those below 1, which nobody made, come first, and as number 0.
    async fn seals(&self, page: Page<u64>) -> Result<Vec<StoredSeal>, StoreError>;

    /// The seal with the highest number.
    async fn last_seal(&self) -> Result<Option<StoredSeal>, StoreError>;

    /// The addresses of a contact, so that a log can show whom an event was about.
    async fn addresses(&self, contact: ContactId) -> Result<Vec<Address>, StoreError>;

    /// Adds an endpoint; `false` where the account has [`ENDPOINTS_MAX`](crate::ENDPOINTS_MAX) that are not removed. Those for the operator
    /// are counted apart, so that nobody sees them by the room they take.
    async fn add_endpoint(&self, endpoint: Endpoint) -> Result<bool, StoreError>;

    /// All endpoints that are not removed, oldest first; those for the operator too.
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError>;

    /// One endpoint, also a removed one.
    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError>;

    /// Changes an endpoint; the endpoint as it is then, or `None` where there is none or it was removed before.
    ///
    /// [`StoreError::Conflict`] where it is not at the revision that the change was made for.
    async fn change_endpoint(&self, id: EndpointId, change: EndpointChange) -> Result<Option<Endpoint>, StoreError>;

    /// Writes an event for one endpoint, whatever its filter: a test. `None` where there is no such endpoint.
    async fn notify(&self, endpoint: EndpointId, event: Event) -> Result<Option<EventDelivery>, StoreError>;

    /// One event; `None` also where its fields are forgotten.
    async fn event(&self, id: EventId) -> Result<Option<Event>, StoreError>;

    /// Deliveries of events, newest first.
    async fn deliveries(&self, filter: DeliveryFilter, page: Page<DeliveryId>) -> Result<Vec<EventDelivery>, StoreError>;

    /// One delivery of an event.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<EventDelivery>, StoreError>;

    /// The attempts of a delivery, oldest first.
    async fn delivery_attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>, StoreError>;

    /// Delivers an event to its endpoint once more.
    async fn replay(&self, replay: Replay) -> Result<ReplayAnswer, StoreError>;

    /// Begins a recovery; `false` where there is no such endpoint, or one of its recoveries is not over.
    async fn add_recovery(&self, recovery: Recovery) -> Result<bool, StoreError>;

    /// Recoveries, newest first.
    async fn recoveries(&self, filter: RecoveryFilter, page: Page<RecoveryId>) -> Result<Vec<Recovery>, StoreError>;

    /// One recovery.
    async fn recovery(&self, id: RecoveryId) -> Result<Option<Recovery>, StoreError>;

    /// Ends a recovery early; the recovery as it is then. What it has queued goes out.
    async fn cancel_recovery(&self, id: RecoveryId, now: Timestamp) -> Result<Option<Recovery>, StoreError>;
}

/// Delivering: what is done on behalf of nobody. What it returns carries its account.
///
/// What looks through all accounts ([`claim`](Self::claim), [`take`](Self::take), [`heed`](Self::heed), [`sweep`](Self::sweep)) may pass over
/// one at which another host is working; it finds it the next time.
#[async_trait]
pub trait WorkerStore: Send + Sync {
    /// Takes what is due, fairly over the accounts: at most so many of each, beginning behind the account where the last claim
    /// ended; nothing of what is paused; nothing behind an unfinished row of the same order key.
    async fn claim(&self, claim: Claim) -> Result<ClaimAnswer, StoreError>;

    /// Takes events that are due, with their attempts open, fairly over the accounts and over the endpoints of each: never more on
    /// their way to an endpoint than it wants, never faster than it wants. What is paused or not verified stays; what is disabled or
    /// removed is skipped, a part of it at a time.
    async fn take(&self, take: Take) -> Result<TakeAnswer, StoreError>;

    /// Heeds what came in, account after account, in the order in which it came: at most so much of each, beginning behind the account
    /// where the last one ended. Each thing is heeded whole or not at all. What cannot be written is left, and said beside what was heeded.
    async fn heed(&self, heed: Heed) -> Result<HeedAnswer, StoreError>;

    /// Does a part of a recovery that is not over, at most `limit` deliveries of it: of the one behind `after`, where the last part was
    /// done, or else of the first. So each has its turn, and a long one holds up no other.
    async fn recover(&self, after: Option<RecoveryId>, limit: usize, now: Timestamp) -> Result<Recovered, StoreError>;

    /// Opens an attempt of each: reads pause, connection and suppression again, and writes the attempt. One answer for each.
    async fn start(&self, claimed: Vec<Claimed>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError>;

    /// Closes attempts, and says what each finish changed.
    ///
    /// With an event's attempt the endpoint's [`Health`](crate::Health) is written; where that disables it, the account's other
    /// endpoints that listen are told, and those for the operator.
    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<Finished>, StoreError>;

    /// Gives claimed deliveries back, unstarted.
    async fn release(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError>;

    /// Closes what time has closed, at most `limit` of it: leases, doubts, reviews, what expired, idempotency keys that are no longer bound.
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError>;

    /// A key by its id, whoever's it is.
    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError>;

    /// An instance by its id, with the account that it is of.
    async fn instance(&self, id: InstanceId) -> Result<Option<(AccountId, Instance)>, StoreError>;

    /// An integration by its id, with the account that it is of; also a removed one.
    async fn integration(&self, id: IntegrationId) -> Result<Option<(AccountId, Integration)>, StoreError>;

    /// Notes when keys were last used; never earlier than noted before.
    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError>;

    /// Takes the sealing of all accounts' logs for this holder until then, or goes on with it; `false` while it is another one's.
    async fn lease_sealing(&self, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError>;

    /// Accounts with policy events behind their last seal, by id, behind this one.
    async fn unsealed(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<Unsealed>, StoreError>;

    /// Keeps a segment; `false`, and nothing is written, where the account's last seal is not the one that it follows: number, place and
    /// digest must be the next ones.
    async fn seal(&self, segment: Segment) -> Result<bool, StoreError>;

    /// The seals whose events are kept and are all older than this, oldest first, with their accounts, without the first `skip`.
    async fn old_segments(&self, before: Timestamp, skip: usize, limit: usize) -> Result<Vec<(AccountId, StoredSeal)>, StoreError>;

    /// Deletes the events of a segment, and what is remembered of its rows; its seal stays, and says so. How many events; none where that
    /// was done before, or there is no such segment.
    async fn drop_segment(&self, account: AccountId, number: u64, dropped: Dropped) -> Result<usize, StoreError>;

    /// Forgets what is older than its retention, at most `limit` rows of each kind; how many were forgotten: none where nothing is left, or
    /// another host is at it for all. Of policy events it leaves the whole log to [`Sealer::forget`](crate::Sealer::forget).
    async fn retain(&self, retention: Retention, limit: usize) -> Result<usize, StoreError>;
}

/// Running the gateway.
#[async_trait]
pub trait OperatorStore: Send + Sync {
    /// Adds an account.
    async fn add_account(&self, account: Account) -> Result<(), StoreError>;

    /// Accounts, newest first.
    async fn accounts(&self, page: Page<AccountId>) -> Result<Vec<Account>, StoreError>;

    /// Changes an account; the account as it is then. [`StoreError::Conflict`] where its pause is not the expected one. One that is resumed
    /// is counted afresh ([`Traffic`]).
    async fn change_account(&self, id: AccountId, change: AccountChange) -> Result<Option<Account>, StoreError>;

    /// Adds an operator key.
    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError>;

    /// All operator keys, newest first.
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Revokes an operator key from `now` on; the key as it is then.
    async fn revoke_key(&self, id: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError>;

    /// The numbers of the keyring's roots that rows name.
    async fn roots(&self) -> Result<Vec<u32>, StoreError>;

    /// Notes the roots of a keyring, each once and for good; all that are noted then, by number. Where these cannot be of the keyring that
    /// was noted before ([`RootPrint::are_of_one_keyring`]), nothing is written: of two hosts that come first with keyrings of their own,
    /// one finds those of the other.
    async fn note_roots(&self, roots: Vec<RootPrint>) -> Result<Vec<RootPrint>, StoreError>;
}

/// The answer to a submission.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It is a message now: queued, sending or held.
    Accepted(Accepted),
    /// The same request was accepted under the same key before: this is the message, as it is now.
    Repeated {
        /// Which.
        message: MessageId,
        /// Its place in the send log.
        log_id: u64,
        /// Its present status.
        status: MessageStatus,
    },
    /// Another request was accepted under the same key before.
    KeyReused,
    /// It was decided that it must not go out, or not now.
    Refused {
        /// Its place in the send log.
        log_id: u64,
        /// Why.
        decision: Decision,
        /// What is left.
        quota: QuotaState,
        /// Whether the caller's key is in force, as it was decided from.
        key: Fact<KeyState>,
    },
    /// The account has no such instance.
    UnknownInstance,
    /// The decider panicked; nothing was written.
    Undecided,
}

/// A submission that became a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Accepted {
    /// Which.
    pub message: MessageId,
    /// Its place in the send log.
    pub log_id: u64,
    /// Queued, sending or held.
    pub status: MessageStatus,
    /// Why.
    pub decision: Decision,
    /// What is left.
    pub quota: QuotaState,
}

/// How much there is, and how much of it was used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QuotaState {
    /// What the plan allows.
    pub limits: Limits,
    /// What was charged, this message included.
    pub usage: Usage,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page<P> {
    /// Only what comes after this in the list: the position of the last one seen.
    pub after: Option<P>,
    /// At most so many.
    pub limit: usize,
}

impl<P> Page<P> {
    /// The first `limit`.
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }
}

/// Which messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MessageFilter {
    /// Only those with this status.
    pub status: Option<MessageStatus>,
    /// Only those of this instance.
    pub instance: Option<InstanceId>,
}

/// Which suppressions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SuppressionFilter {
    /// Only those of the contact with this address.
    pub address: Option<Address>,
    /// Only those in force.
    pub in_force: bool,
}

/// Which reviews.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReviewFilter {
    /// Only those in this state.
    pub state: Option<ReviewState>,
    /// Only those that this rule opened.
    pub rule: Option<RuleId>,
}

impl ReviewFilter {
    /// Those that wait for a person.
    pub const OPEN: Self = Self { state: Some(ReviewState::Open), rule: None };

    /// Whether a review is one of them.
    pub fn admits(&self, review: &Review) -> bool {
        self.state.is_none_or(|state| state == review.state()) && self.rule.is_none_or(|rule| review.opened_by == Some(rule))
    }
}

/// A change to an instance; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InstanceChange {
    /// Only if it is at this revision.
    pub if_revision: Option<u32>,
    /// A new connection state.
    pub connection: Option<Connection>,
    /// Pause it, or resume it with `Some(None)`.
    pub pause: Option<Option<Pause>>,
    /// Change it only while its pause is this one: who may lift a pause depends on who made it.
    pub expected_pause: Option<Option<Pause>>,
    /// New settings for its provider.
    pub settings: Option<AdapterSettings>,
    /// New credentials for its provider.
    pub credentials: Option<Sealed>,
    /// When.
    pub at: Timestamp,
}

impl InstanceChange {
    /// Makes the change, and raises the revision.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] where the instance is not as the change expects it; it stays as it is then.
    pub fn apply(self, instance: &mut Instance) -> Result<(), StoreError> {
        let is_expected = self.if_revision.is_none_or(|expected| expected == instance.revision)
            && self.expected_pause.is_none_or(|expected| expected == instance.pause);
        if !is_expected {
            return Err(StoreError::Conflict);
        }
        set(&mut instance.connection, self.connection);
        set(&mut instance.pause, self.pause);
        set(&mut instance.settings, self.settings);
        set(&mut instance.credentials, self.credentials.map(Some));
        instance.revision += 1;
        Ok(())
    }
}

/// A change to an account; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccountChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new plan.
    pub plan: Option<Plan>,
    /// A new calendar.
    pub calendar: Option<Calendar>,
    /// Pause it, or resume it with `Some(None)`.
    pub pause: Option<Option<Pause>>,
    /// Change it only while its pause is this one: who may lift a pause depends on who made it.
    pub expected_pause: Option<Option<Pause>>,
    /// Suspend it, or reinstate it with `Some(None)`.
    pub suspended_at: Option<Option<Timestamp>>,
    /// Whether one-time codes reach who opted out.
    pub one_time_codes_pass: Option<bool>,
    /// Whether a person must release each message.
    pub supervised: Option<bool>,
    /// Whether two people must release a message that is held.
    pub two_person_review: Option<bool>,
    /// Whether a contact who opts out gets the one confirmation of it.
    pub confirms_opt_out: Option<bool>,
    /// Whether its phone systems may be connected.
    pub threecx_enabled: Option<bool>,
    /// The names that it sends under.
    pub sender: Option<Sender>,
    /// When.
    pub at: Timestamp,
}

/// A suppression to add.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewSuppression {
    /// Its id.
    pub id: SuppressionId,
    /// The id of the contact, if the account has none for the address.
    pub contact: ContactId,
    /// Whom.
    pub address: Address,
    /// Why.
    pub cause: Cause,
    /// A remark.
    pub note: Option<String>,
    /// Who asks.
    pub by: Actor,
    /// The host's time.
    pub now: Timestamp,
}

/// A held message to release.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Release {
    /// Which.
    pub message: MessageId,
    /// The id of its delivery.
    pub delivery: DeliveryId,
    /// Who releases it.
    pub by: Actor,
    /// A remark.
    pub note: Option<String>,
    /// The host's time.
    pub now: Timestamp,
}

/// A change to an endpoint; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EndpointChange {
    /// Only if it is at this revision.
    pub if_revision: Option<u32>,
    /// A new name.
    pub name: Option<Name>,
    /// A new URL, and since when: it must be verified again, and takes headers and failures away.
    pub url: Option<(EndpointUrl, Timestamp)>,
    /// Only the events of this instance, or those of all with `Some(None)`.
    pub instance: Option<Option<InstanceId>>,
    /// A new filter.
    pub filter: Option<EventFilter>,
    /// How many may be on their way at once.
    pub in_flight_max: Option<u16>,
    /// How fast it may be called, or as fast as it answers with `Some(None)`.
    pub rate: Option<Option<Rate>>,
    /// New secrets; of a phone system, its line.
    pub secrets: Option<Sealed>,
    /// New headers, or none with `Some(None)`.
    pub headers: Option<Option<SealedHeaders>>,
    /// It is verified, since then.
    pub verified_at: Option<Timestamp>,
    /// Pause it, or resume it with `Some(None)`.
    pub pause: Option<Option<Pause>>,
    /// Disable it, or enable it with `Some(None)`; its failures before count no more.
    pub disabled: Option<Option<Disabled>>,
    /// Remove it.
    pub removed_at: Option<Timestamp>,
    /// When.
    pub at: Timestamp,
}

impl EndpointChange {
    /// Makes the change, and raises the revision.
    pub fn apply(self, endpoint: &mut Endpoint) {
        set(&mut endpoint.name, self.name);
        if let Some((url, since)) = self.url
            && url != endpoint.url
        {
            // The headers may hold what only the receiver before may know, and how that one did says nothing of this one.
            (endpoint.url, endpoint.url_since, endpoint.verified_at) = (url, since, None);
            (endpoint.headers, endpoint.health) = (None, crate::Health::default());
        }
        set(&mut endpoint.instance, self.instance);
        set(&mut endpoint.filter, self.filter);
        set(&mut endpoint.in_flight_max, self.in_flight_max);
        set(&mut endpoint.rate, self.rate);
        set(&mut endpoint.secrets, self.secrets);
        set(&mut endpoint.headers, self.headers);
        set(&mut endpoint.verified_at, self.verified_at.map(Some));
        set(&mut endpoint.pause, self.pause);
        if let Some(disabled) = self.disabled {
            (endpoint.disabled, endpoint.health) = (disabled, crate::Health::default());
        }
        set(&mut endpoint.removed_at, self.removed_at.map(Some));
        endpoint.revision += 1;
    }
}

/// Sets what is given.
pub(crate) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Which deliveries of events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DeliveryFilter {
    /// Only those to this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Only those with this status.
    pub status: Option<DeliveryStatus>,
    /// Only those of this event.
    pub event: Option<EventId>,
    /// Also those to endpoints for the operator, of which no account may know.
    pub for_operator: bool,
}

/// Which recoveries.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RecoveryFilter {
    /// Also those of endpoints for the operator, of which no account may know.
    pub for_operator: bool,
}

/// What a sweep did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Swept {
    /// The messages whose status changed.
    pub settled: Vec<Settled>,
    /// How many deliveries were found since the last sweep, by whatever verb, that cannot be read: they are set aside and never claimed
    /// again, and a person must look at them.
    pub parked: usize,
    /// What was found since the last sweep, by whatever verb, of how accounts behave.
    pub judged: Vec<Judged>,
    /// Whether there may be more to close.
    pub more: bool,
}

/// An account that reached a rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Judged {
    /// Which.
    pub account: AccountId,
    /// What it has too much of.
    pub breach: Breach,
    /// Whether it was paused; it was warned otherwise.
    pub paused: bool,
}

/// Until when what is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// The content of messages, the texts that came in, and the fields of events made before this are forgotten.
    pub content_before: Timestamp,
    /// Messages, attempts, reviews, events and their deliveries, and what came in, before this are forgotten.
    pub logs_before: Timestamp,
    /// The bytes that providers posted before this are forgotten, and the keys by which repetitions are told. Meta repeats for up to seven
    /// days: keep eight.
    pub raw_before: Timestamp,
    /// The host's time: counts of traffic that no window reaches any more are forgotten.
    pub now: Timestamp,
}
