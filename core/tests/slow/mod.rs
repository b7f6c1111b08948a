//! Slow: a store that answers one of its verbs only when something else has happened.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use gatepost::*;

/// What a slow store is slow at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verb {
    Claim,
    Finish,
}

/// Whether what the verb waits for has happened.
type Gate = Arc<dyn Fn() -> bool + Send + Sync>;

/// A store whose worker waits for one verb.
pub(crate) struct Slow {
    store: Arc<dyn Store>,
    verb: Verb,
    gate: Gate,
}

impl Slow {
    /// Answers this verb of `store` only when `gate` says so. It looks when it is polled, and wakes nobody.
    pub(crate) fn at(verb: Verb, store: impl Store + 'static, gate: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { store: Arc::new(store), verb, gate: Arc::new(gate) }
    }
}

#[async_trait]
impl Store for Slow {
    fn account(&self, id: AccountId) -> Arc<dyn AccountStore> {
        self.store.account(id)
    }

    fn worker(&self) -> Arc<dyn WorkerStore> {
        Arc::new(SlowWorker { inner: self.store.worker(), verb: self.verb, gate: self.gate.clone() })
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

struct SlowWorker {
    inner: Arc<dyn WorkerStore>,
    verb: Verb,
    gate: Gate,
}

impl SlowWorker {
    async fn wait_at(&self, verb: Verb) {
        let is_open = || self.verb != verb || (self.gate)();
        poll_fn(|_| if is_open() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

#[async_trait]
impl WorkerStore for SlowWorker {
    async fn claim(&self, claim: Claim) -> Result<ClaimAnswer, StoreError> {
        self.wait_at(Verb::Claim).await;
        self.inner.claim(claim).await
    }

    async fn heed(&self, heed: Heed) -> Result<HeedAnswer, StoreError> {
        self.inner.heed(heed).await
    }

    async fn take(&self, take: Take) -> Result<TakeAnswer, StoreError> {
        self.inner.take(take).await
    }

    async fn recover(&self, after: Option<RecoveryId>, limit: usize, now: Timestamp) -> Result<Recovered, StoreError> {
        self.inner.recover(after, limit, now).await
    }

    async fn start(&self, claimed: Vec<Claimed>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        self.inner.start(claimed, lease, now).await
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<(AccountId, Integration)>, StoreError> {
        self.inner.integration(id).await
    }

    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<Finished>, StoreError> {
        self.wait_at(Verb::Finish).await;
        self.inner.finish(finishes).await
    }

    async fn release(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError> {
        self.inner.release(claimed, now).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        self.inner.sweep(now, limit).await
    }

    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        self.inner.key(id).await
    }

    async fn instance(&self, id: InstanceId) -> Result<Option<(AccountId, Instance)>, StoreError> {
        self.inner.instance(id).await
    }

    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError> {
        self.inner.touch_keys(used).await
    }

    async fn lease_sealing(&self, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.lease_sealing(holder, until, now).await
    }

    async fn unsealed(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<Unsealed>, StoreError> {
        self.inner.unsealed(after, limit).await
    }

    async fn seal(&self, segment: Segment) -> Result<bool, StoreError> {
        self.inner.seal(segment).await
    }

    async fn old_segments(&self, before: Timestamp, skip: usize, limit: usize) -> Result<Vec<(AccountId, StoredSeal)>, StoreError> {
        self.inner.old_segments(before, skip, limit).await
    }

    async fn drop_segment(&self, account: AccountId, number: u64, dropped: Dropped) -> Result<usize, StoreError> {
        self.inner.drop_segment(account, number, dropped).await
    }

    async fn retain(&self, retention: Retention, limit: usize) -> Result<usize, StoreError> {
        self.inner.retain(retention, limit).await
    }
}
