//! Gateway: the facade that an app embeds.
//!
//! The players: [`Gateway`] (store, host, policy and transports put together), [`AccountGateway`] (what one account does with it),
//! [`Sent`] (the answer to a send, and a way to wait for more), [`Worker`] (delivers).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::{
    AccountEndpoints, AccountId, AccountIntegrations, AccountStore, Actor, Address, Addresses, Answer, AtOnce, Cause, ContactId, Decider,
    Decision, DeliveryId, Fact, Host, InboundId, InstanceId, Lease, MessageId, MessageStatus, NewInbound, NewSuppression, Notification,
    NotificationId, PhoneSystems, Policy, Provider, Received, Release, Request, ReviewAnswer, Sender, Shadowed, Store, StoreError,
    Submission, Suppression, SuppressionId, Suspicion, Timestamp, Transport, Webhooks, Worker, decide, examine,
    hands::Hands,
    senders::Senders,
    text_print,
    waiters::{Waiter, Waiters},
    warm_up,
};

/// How the gateway delivers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Delivering {
    /// How many sends may be on their way at once.
    pub in_flight_max: usize,
    /// How many deliveries of one account a claim takes at most.
    pub per_account_max: usize,
    /// How long a send may take.
    pub send_timeout: Duration,
    /// How many events may be on their way at once.
    pub events_in_flight_max: usize,
    /// How long an endpoint has to take an event.
    pub event_timeout: Duration,
    /// How long the worker sleeps at most.
    pub poll_interval: Duration,
}

impl Default for Delivering {
    fn default() -> Self {
        Self {
            in_flight_max: 512,
            per_account_max: 256,
            send_timeout: Duration::from_secs(15),
            events_in_flight_max: 512,
            event_timeout: Duration::from_secs(15),
            poll_interval: Duration::from_millis(500),
        }
    }
}

/// Puts a [`Gateway`] together.
pub struct Builder {
    parts: Parts,
}

pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) policy: Policy,
    pub(crate) candidate: Option<Policy>,
    pub(crate) transports: BTreeMap<Provider, Arc<dyn Transport>>,
    pub(crate) delivering: Delivering,
    pub(crate) webhooks: Option<Arc<Webhooks>>,
    pub(crate) phone_systems: Option<Arc<PhoneSystems>>,
}

impl Builder {
    /// Carries the messages of this provider's instances.
    #[must_use]
    pub fn transport(mut self, provider: Provider, transport: impl Transport + 'static) -> Self {
        self.parts.transports.insert(provider, Arc::new(transport));
        self
    }

    /// Decides by this policy instead of the default one.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.parts.policy = policy;
        self
    }

    /// Runs a candidate beside the policy: what it would have decided is recorded in each policy event, and nothing else.
    #[must_use]
    pub fn candidate(mut self, candidate: Policy) -> Self {
        self.parts.candidate = Some(candidate);
        self
    }

    /// Delivers with these bounds instead of the default ones.
    #[must_use]
    pub fn delivering(mut self, delivering: Delivering) -> Self {
        self.parts.delivering = delivering;
        self
    }

    /// Delivers events to customers' endpoints. Without it they wait.
    #[must_use]
    pub fn webhooks(mut self, webhooks: Webhooks) -> Self {
        self.parts.webhooks = Some(Arc::new(webhooks));
        self
    }

    /// Posts to phone systems what their agents are to know, beside the events that [`webhooks`](Self::webhooks) delivers. Hosts that share a
    /// store should have both or neither: what a host takes and cannot send counts as a try.
    #[must_use]
    pub fn phone_systems(mut self, phone_systems: PhoneSystems) -> Self {
        self.parts.phone_systems = Some(Arc::new(phone_systems));
        self
    }

    /// The gateway. What texts are examined with is built here, where nobody waits for it ([`warm_up`]).
    pub fn build(self) -> Gateway {
        warm_up();
        let hands = Hands::new(self.parts.delivering.in_flight_max);
        let event_hands = Hands::new(self.parts.delivering.events_in_flight_max);
        let hinted = hands.clone();
        self.parts.store.on_change(Arc::new(move || hinted.hint()));
        let live = self.parts.policy.clone();
        let decider: Arc<dyn Decider> = match self.parts.candidate.clone() {
            Some(candidate) => Arc::new(Shadowed { live, candidate }),
            None => Arc::new(live),
        };
        Gateway {
            shared: Arc::new(Shared {
                parts: self.parts,
                decider,
                hands,
                event_hands,
                waiters: Waiters::default(),
                senders: Senders::default(),
            }),
        }
    }
}

pub(crate) struct Shared {
    pub(crate) parts: Parts,
    pub(crate) decider: Arc<dyn Decider>,
    pub(crate) hands: Arc<Hands>,
    pub(crate) event_hands: Arc<Hands>,
    pub(crate) waiters: Waiters,
    senders: Senders,
}

/// Decides which messages may go out, and delivers what may.
///
/// It is cheap to clone, and needs no async runtime: its futures run on any. Something must drive the [`Worker`]: a thread in
/// [`Gateway::run_blocking`], or a task that calls [`Worker::turn`].
#[derive(Clone)]
pub struct Gateway {
    pub(crate) shared: Arc<Shared>,
}

impl Gateway {
    /// Begins a gateway over `store`, with the clock and the randomness of `host`.
    pub fn builder(store: Arc<dyn Store>, host: Arc<dyn Host>) -> Builder {
        let parts = Parts {
            store,
            host,
            policy: Policy::default(),
            candidate: None,
            transports: BTreeMap::new(),
            delivering: Delivering::default(),
            webhooks: None,
            phone_systems: None,
        };
        Builder { parts }
    }

    /// What one account does.
    pub fn account(&self, id: AccountId) -> AccountGateway {
        AccountGateway { id, shared: self.shared.clone(), store: self.shared.parts.store.account(id) }
    }

    /// The store it stands on.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.parts.store
    }

    /// The host it lives on.
    pub fn host(&self) -> &Arc<dyn Host> {
        &self.shared.parts.host
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.shared.parts.policy
    }

    /// The policy that runs beside it, where one is tried.
    pub fn candidate(&self) -> Option<&Policy> {
        self.shared.parts.candidate.as_ref()
    }

    /// A worker. One a process is right; hosts that share a store have one each.
    pub fn worker(&self) -> Worker {
        Worker::new(self.shared.clone())
    }
}

/// What one account does with the gateway.
pub struct AccountGateway {
    id: AccountId,
    shared: Arc<Shared>,
    store: Arc<dyn AccountStore>,
}

impl AccountGateway {
    /// The account's rows.
    pub fn store(&self) -> &Arc<dyn AccountStore> {
        &self.store
    }

    /// What the account does with its endpoints; `None` where this gateway delivers no events.
    pub fn endpoints(&self) -> Option<AccountEndpoints> {
        AccountEndpoints::new(self.id, self.shared.clone(), self.store.clone())
    }

    /// What the account does with its phone systems; `None` where this gateway posts to none.
    pub fn integrations(&self) -> Option<AccountIntegrations> {
        AccountIntegrations::new(self.id, self.shared.clone(), self.store.clone())
    }

    /// Sends a message, if it may be sent.
    ///
    /// When this answers [`Answer::Accepted`], the message is durable and goes out, unless it was held. To wait for the provider,
    /// wait for [`Sent::settled`] as long as you like. Dropping the future does not call the message back.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::accept`].
    pub async fn send(&self, request: Request) -> Result<Sent, StoreError> {
        let submission = self.submission(request).await?;
        let waiter = self.shared.waiters.wait_for(submission.message);
        let answer = self.accept(submission).await?;
        Ok(self.follow(answer, waiter))
    }

    /// Sends a message, if it may be sent, for a caller who will not wait for the provider: as [`AccountGateway::send`], for less.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::accept`].
    pub async fn submit(&self, request: Request) -> Result<Answer, StoreError> {
        self.accept(self.submission(request).await?).await
    }

    async fn submission(&self, request: Request) -> Result<Submission, StoreError> {
        let parts = &self.shared.parts;
        let now = parts.host.now();
        let sender = self.sender(now).await?;
        let permit = self.shared.hands.permit();
        Ok(Submission {
            message: MessageId::new(now, &*parts.host),
            delivery: DeliveryId::new(now, &*parts.host),
            contact: ContactId::new(now, &*parts.host),
            fingerprint: request.idempotency_key.is_some().then(|| request.fingerprint()),
            findings: Fact::Known(examine(&request.content, &sender)),
            text_print: text_print(&request.content),
            request,
            now,
            at_once: permit.map(|permit| AtOnce { permit, lease: Lease::new(now, parts.delivering.send_timeout) }),
        })
    }

    async fn sender(&self, now: Timestamp) -> Result<Arc<Sender>, StoreError> {
        if let Some(sender) = self.shared.senders.get(self.id, now) {
            return Ok(sender);
        }
        let account = self.store.account().await?;
        Ok(self.shared.senders.put(self.id, account.map(|account| account.sender).unwrap_or_default(), now))
    }

    async fn accept(&self, submission: Submission) -> Result<Answer, StoreError> {
        let answers = self.store.accept(vec![submission], self.shared.decider.clone()).await?;
        Ok(answers.into_iter().next().unwrap_or(Answer::Undecided))
    }

    fn follow(&self, answer: Answer, waiter: Waiter) -> Sent {
        let waiter = match &answer {
            Answer::Accepted(accepted) if accepted.status.is_pending() => Some(waiter),
            Answer::Repeated { message, status, .. } if status.is_pending() => Some(self.shared.waiters.wait_for(*message)),
            _ => None,
        };
        // Whoever begins to wait late must look first: it may have changed before.
        let is_late = matches!(answer, Answer::Repeated { .. });
        Sent { answer, waiter, is_late, waiters: self.shared.waiters.clone(), store: self.store.clone() }
    }

    /// What would be decided about this message now, without sending it; `None` where there is no such instance.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::facts`].
    pub async fn explain(&self, request: Request) -> Result<Option<Decision>, StoreError> {
        let now = self.shared.parts.host.now();
        let subject = request.subject();
        let sender = self.sender(now).await?;
        let findings = Fact::Known(examine(&request.content, &sender));
        let facts = self.store.facts(request, findings, now).await?;
        Ok(facts.map(|facts| decide(&self.shared.parts.policy, &facts, &subject, now)))
    }

    /// Suppresses the contact of an address.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::suppress`].
    pub async fn suppress(&self, address: Address, cause: Cause, note: Option<String>, by: Actor) -> Result<Suppression, StoreError> {
        let host = &*self.shared.parts.host;
        let now = host.now();
        let suppression =
            NewSuppression { id: SuppressionId::new(now, host), contact: ContactId::new(now, host), address, cause, note, by, now };
        self.store.suppress(suppression).await
    }

    /// Keeps what a provider posted to an instance of this account: the bytes as they came, and what an adapter read of them. When this is
    /// answered the provider may be, for nothing of it is lost. The worker heeds it, what a contact asks for before all else.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::receive`].
    pub async fn receive(&self, instance: InstanceId, body: Vec<u8>, told: Vec<NewInbound>) -> Result<Received, StoreError> {
        let host = &*self.shared.parts.host;
        let now = host.now();
        let id = NotificationId::new(now, host);
        let inbound = told.into_iter().enumerate().map(|(nth, new)| new.at(instance, InboundId::nth(id, nth, now), now, host)).collect();
        self.store.receive(Notification { id, instance, body, inbound, now }).await
    }

    /// Notes that these addresses are of one person: an opt-out at one of them holds for all.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::know`].
    pub async fn know(&self, addresses: Addresses) -> Result<(), StoreError> {
        let host = &*self.shared.parts.host;
        let now = host.now();
        self.store.know(addresses, ContactId::new(now, host), now).await
    }

    /// A person who has `seen` what a contact wrote says whether they opted out.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::answer_suspicion`].
    pub async fn answer_suspicion(
        &self,
        contact: ContactId,
        seen: InboundId,
        opted_out: bool,
        by: Actor,
    ) -> Result<Option<Suspicion>, StoreError> {
        self.store.answer_suspicion(contact, seen, opted_out, by, self.shared.parts.host.now()).await
    }

    /// Releases a held message: it is decided again with present facts.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::release`].
    pub async fn release(&self, message: MessageId, by: Actor, note: Option<String>) -> Result<ReviewAnswer, StoreError> {
        let host = &*self.shared.parts.host;
        let now = host.now();
        let release = Release { message, delivery: DeliveryId::new(now, host), by, note, now };
        self.store.release(release, self.shared.decider.clone()).await
    }

    /// Refuses a held message.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::refuse`].
    pub async fn refuse(&self, message: MessageId, by: Actor, note: Option<String>) -> Result<ReviewAnswer, StoreError> {
        self.store.refuse(message, by, note, self.shared.parts.host.now()).await
    }
}

/// The answer to a send, and a way to wait for what comes of it.
pub struct Sent {
    /// What was decided, durable.
    pub answer: Answer,
    waiter: Option<Waiter>,
    is_late: bool,
    waiters: Waiters,
    store: Arc<dyn AccountStore>,
}

impl Sent {
    /// Waits until an attempt has an outcome, and answers with the message's status; at once where nothing is under way. Where that
    /// status is still pending, because the message waits for its next try, it can be called again, and waits on.
    ///
    /// It may wait for as long as the message waits: bound it with the timer of your runtime, then ask for [`Sent::status`]. It hears of
    /// what this process does; where several share a store, another one may send the message, so ask now and then, and call it again.
    pub async fn settled(&mut self) -> Option<MessageStatus> {
        let (Some(message), true) = (self.message(), self.waiter.is_some()) else { return self.decided_status() };
        let status = self.next_status(message).await;
        if status.is_some_and(MessageStatus::is_pending) {
            self.waiter = Some(self.waiters.wait_for(message));
            self.is_late = true;
        }
        status
    }

    async fn next_status(&mut self, message: MessageId) -> Option<MessageStatus> {
        // What was settled before the waiter stood is found in the store.
        if self.is_late
            && let Ok(found) = self.store.message(message).await
            && !found.as_ref().is_some_and(|message| message.status.is_pending())
        {
            return found.map(|message| message.status);
        }
        match &mut self.waiter {
            Some(waiter) => waiter.settled().await,
            None => None,
        }
    }

    /// The status of the message as the store has it now.
    ///
    /// # Errors
    ///
    /// Those of [`AccountStore::message`].
    pub async fn status(&self) -> Result<Option<MessageStatus>, StoreError> {
        let Some(message) = self.message() else { return Ok(None) };
        Ok(self.store.message(message).await?.map(|message| message.status))
    }

    const fn message(&self) -> Option<MessageId> {
        match &self.answer {
            Answer::Accepted(crate::Accepted { message, .. }) | Answer::Repeated { message, .. } => Some(*message),
            _ => None,
        }
    }

    fn decided_status(&self) -> Option<MessageStatus> {
        match &self.answer {
            Answer::Accepted(accepted) => Some(accepted.status),
            Answer::Repeated { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// A boxed future, as the worker keeps its sends.
pub(crate) type BoxFuture<T> = core::pin::Pin<Box<dyn Future<Output = T> + Send>>;
