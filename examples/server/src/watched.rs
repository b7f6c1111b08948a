//! Watched: a store that tells the log what deliveries did to endpoints.
//!
//! The worker keeps no log. Whoever runs the gateway must see when an endpoint was disabled and why, and when a kept connection was stale
//! so that an event was sent twice; both follow from what the worker takes and finishes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gatepost::{
    AccountId, AccountStore, ApiKey, Claim, ClaimAnswer, Claimed, DeliveryId, Endpoint, EndpointId, Finish, KeyId, Lease, OperatorStore,
    Retention, Settled, StartAnswer, Store, StoreError, Swept, Take, TakeAnswer, Timestamp, WorkerStore,
};

/// The endpoints of the attempts under way, as they were when those began.
type UnderWay = Arc<Mutex<HashMap<DeliveryId, Arc<Endpoint>>>>;

/// A store that tells the log.
pub struct Watched {
    store: Arc<dyn Store>,
    under_way: UnderWay,
}

impl Watched {
    /// Watches the deliveries over this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, under_way: UnderWay::default() }
    }
}

#[async_trait]
impl Store for Watched {
    fn account(&self, id: AccountId) -> Arc<dyn AccountStore> {
        self.store.account(id)
    }

    fn worker(&self) -> Arc<dyn WorkerStore> {
        Arc::new(Watcher { store: self.store.clone(), worker: self.store.worker(), under_way: self.under_way.clone() })
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

struct Watcher {
    store: Arc<dyn Store>,
    worker: Arc<dyn WorkerStore>,
    under_way: UnderWay,
}

/// An attempt of which there is something to tell, once it is recorded.
struct Notable {
    claimed: Claimed,
    endpoint: EndpointId,
    was_resent: bool,
    may_disable: bool,
    at: Timestamp,
}

impl Watcher {
    fn under_way(&self) -> MutexGuard<'_, HashMap<DeliveryId, Arc<Endpoint>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, deliveries: &[DeliveryId]) {
        let mut under_way = self.under_way();
        for delivery in deliveries {
            under_way.remove(delivery);
        }
    }

    fn notable(&self, finish: &Finish) -> Option<Notable> {
        let report = finish.report.as_ref()?;
        let under_way = self.under_way();
        let endpoint = under_way.get(&finish.claimed.delivery)?;
        let (_, disables) = endpoint.health.after(&finish.outcome, Some(report), finish.now);
        let (was_resent, may_disable) = (report.resent, disables.is_some());
        let notable = Notable { claimed: finish.claimed, endpoint: endpoint.id, was_resent, may_disable, at: finish.now };
        (was_resent || may_disable).then_some(notable)
    }

    async fn tell(&self, notable: Notable) {
        let Notable { claimed: Claimed { account, delivery, .. }, endpoint, was_resent, may_disable, at } = notable;
        if was_resent {
            tracing::info!(%account, %endpoint, %delivery, "a kept connection was stale, and the event was sent once more");
        }
        if may_disable {
            self.tell_if_disabled(account, endpoint, at).await;
        }
    }

    /// Tells what the endpoint is now: other attempts may have ended at the same time.
    async fn tell_if_disabled(&self, account: AccountId, endpoint: EndpointId, at: Timestamp) {
        let found = match self.store.account(account).endpoint(endpoint).await {
            Ok(found) => found,
            Err(error) => return tracing::warn!(%account, %endpoint, %error, "an endpoint was disabled, perhaps"),
        };
        let disabled = found.and_then(|endpoint| endpoint.disabled).filter(|disabled| disabled.since == at);
        if let Some(disabled) = disabled {
            tracing::warn!(%account, %endpoint, reason = disabled.by.as_str(), "an endpoint was disabled");
        }
    }
}

#[async_trait]
impl WorkerStore for Watcher {
    async fn take(&self, take: Take) -> Result<TakeAnswer, StoreError> {
        let answer = self.worker.take(take).await?;
        let started = answer.started.iter().map(|started| (started.claimed.delivery, started.notice.endpoint.clone()));
        self.under_way().extend(started);
        Ok(answer)
    }

    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<Option<Settled>>, StoreError> {
        let deliveries: Vec<DeliveryId> = finishes.iter().map(|finish| finish.claimed.delivery).collect();
        let notable: Vec<Notable> = finishes.iter().filter_map(|finish| self.notable(finish)).collect();
        // What was not recorded comes again, so it stays under way until it is.
        let settled = self.worker.finish(finishes).await?;
        self.forget(&deliveries);
        for notable in notable {
            self.tell(notable).await;
        }
        Ok(settled)
    }

    async fn claim(&self, claim: Claim) -> Result<ClaimAnswer, StoreError> {
        self.worker.claim(claim).await
    }

    async fn recover(&self, now: Timestamp, limit: usize) -> Result<bool, StoreError> {
        self.worker.recover(now, limit).await
    }

    async fn start(&self, claimed: Vec<Claimed>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        self.worker.start(claimed, lease, now).await
    }

    async fn release(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError> {
        self.worker.release(claimed, now).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        self.worker.sweep(now, limit).await
    }

    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        self.worker.key(id).await
    }

    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError> {
        self.worker.touch_keys(used).await
    }

    async fn retain(&self, retention: Retention, limit: usize) -> Result<usize, StoreError> {
        self.worker.retain(retention, limit).await
    }
}
