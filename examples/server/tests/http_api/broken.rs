//! Broken: a store that cannot look up keys, for what is answered then.

use std::sync::Arc;

use async_trait::async_trait;
use gatepost::{
    AccountId, AccountStore, ApiKey, Claim, ClaimAnswer, Claimed, Dropped, Finish, Finished, Heed, HeedAnswer, Instance, InstanceId,
    Integration, IntegrationId, KeyId, Lease, OperatorStore, Recovered, RecoveryId, Retention, Segment, StartAnswer, Store, StoreError,
    StoredSeal, Swept, Take, TakeAnswer, Timestamp, Unsealed, WorkerStore,
};
use gatepost_memory::MemoryStore;

/// What happens where a key is looked up.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    Fail,
    Panic,
}

/// A store that is whole but for its worker's side.
pub(crate) struct Broken {
    inner: MemoryStore,
    fault: Fault,
}

impl Broken {
    pub(crate) fn by(fault: Fault) -> Arc<dyn Store> {
        Arc::new(Self { inner: MemoryStore::new(), fault })
    }
}

fn down<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("the disk is full".to_owned()))
}

#[async_trait]
impl Store for Broken {
    fn account(&self, id: AccountId) -> Arc<dyn AccountStore> {
        self.inner.account(id)
    }

    fn worker(&self) -> Arc<dyn WorkerStore> {
        Arc::new(BrokenWorker(self.fault))
    }

    fn operator(&self) -> Arc<dyn OperatorStore> {
        self.inner.operator()
    }

    fn on_change(&self, hook: Arc<dyn Fn() + Send + Sync>) {
        self.inner.on_change(hook);
    }

    async fn probe(&self) -> Result<(), StoreError> {
        down()
    }
}

struct BrokenWorker(Fault);

#[async_trait]
impl WorkerStore for BrokenWorker {
    async fn claim(&self, _: Claim) -> Result<ClaimAnswer, StoreError> {
        down()
    }

    async fn start(&self, _: Vec<Claimed>, _: Lease, _: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        down()
    }

    async fn finish(&self, _: Vec<Finish>) -> Result<Vec<Finished>, StoreError> {
        down()
    }

    async fn release(&self, _: Vec<Claimed>, _: Timestamp) -> Result<(), StoreError> {
        down()
    }

    async fn sweep(&self, _: Timestamp, _: usize) -> Result<Swept, StoreError> {
        down()
    }

    async fn heed(&self, _: Heed) -> Result<HeedAnswer, StoreError> {
        down()
    }

    async fn take(&self, _: Take) -> Result<TakeAnswer, StoreError> {
        down()
    }

    async fn recover(&self, _: Option<RecoveryId>, _: usize, _: Timestamp) -> Result<Recovered, StoreError> {
        down()
    }

    async fn key(&self, _: KeyId) -> Result<Option<ApiKey>, StoreError> {
        match self.0 {
            Fault::Fail => down(),
            Fault::Panic => panic!("a bug"),
        }
    }

    async fn instance(&self, _: InstanceId) -> Result<Option<(AccountId, Instance)>, StoreError> {
        down()
    }

    async fn integration(&self, _: IntegrationId) -> Result<Option<(AccountId, Integration)>, StoreError> {
        down()
    }

    async fn touch_keys(&self, _: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError> {
        down()
    }

    async fn lease_sealing(&self, _: [u8; 16], _: Timestamp, _: Timestamp) -> Result<bool, StoreError> {
        down()
    }

    async fn unsealed(&self, _: Option<AccountId>, _: usize) -> Result<Vec<Unsealed>, StoreError> {
        down()
    }

    async fn seal(&self, _: Segment) -> Result<bool, StoreError> {
        down()
    }

    async fn old_segments(&self, _: Timestamp, _: usize, _: usize) -> Result<Vec<(AccountId, StoredSeal)>, StoreError> {
        down()
    }

    async fn drop_segment(&self, _: AccountId, _: u64, _: Dropped) -> Result<usize, StoreError> {
        down()
    }

    async fn retain(&self, _: Retention, _: usize) -> Result<usize, StoreError> {
        down()
    }
}
