//! Accounts: what each instance needs, read from the store and kept for a second, so that a send costs no look-up.
//!
//! A change holds at once where this process made it ([`StoredAccounts::forget`]), and within that second elsewhere.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gatepost::{Host, InstanceId, Timestamp, WorkerStore};
use gatepost_whatsapp::{Accounts, CloudAccount, EvolutionAccount, NoAccount};

use super::credentials::{Account, Credentials};
use super::evolution_hosts::EvolutionHosts;

/// How long what was read is believed.
const FRESH: Duration = Duration::from_secs(1);
/// How many instances are kept.
const KEPT_MAX: usize = 16_384;

/// Knows what each instance needs.
pub struct StoredAccounts {
    store: Arc<dyn WorkerStore>,
    credentials: Credentials,
    evolution_hosts: EvolutionHosts,
    host: Arc<dyn Host>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    accounts: HashMap<InstanceId, (Account, Timestamp)>,
    /// How often something was forgotten: what was read before that may be old.
    forgotten: u64,
}

impl StoredAccounts {
    /// Knows nothing yet.
    pub fn new(store: Arc<dyn WorkerStore>, credentials: Credentials, evolution_hosts: EvolutionHosts, host: Arc<dyn Host>) -> Self {
        Self { store, credentials, evolution_hosts, host, known: Mutex::default() }
    }

    /// How accounts are kept.
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Reads the instance anew next time: it was changed here.
    pub fn forget(&self, id: InstanceId) {
        let mut known = self.known();
        known.accounts.remove(&id);
        known.forgotten += 1;
    }

    async fn account(&self, id: InstanceId) -> Result<Account, NoAccount> {
        let now = self.host.now();
        let forgotten = match self.known().fresh(id, now) {
            Ok(account) => return Ok(account),
            Err(forgotten) => forgotten,
        };
        let account = self.read(id).await?;
        let mut known = self.known();
        if known.forgotten == forgotten {
            known.keep(id, account.clone(), now);
        }
        Ok(account)
    }

    async fn read(&self, id: InstanceId) -> Result<Account, NoAccount> {
        let unavailable = |error: &dyn fmt::Display| {
            tracing::error!(instance = %id, %error, "what the instance needs for its provider cannot be read");
            NoAccount::Unavailable
        };
        let (owner, instance) = self.store.instance(id).await.map_err(|error| unavailable(&error))?.ok_or(NoAccount::NotSetUp)?;
        // The keyring of this host may lack a root: another host, or this one mended, can send.
        self.credentials.read(owner, &instance).map_err(|error| unavailable(&error))?.ok_or(NoAccount::NotSetUp)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// What is known and fresh, or how often something was forgotten up to now.
    fn fresh(&self, id: InstanceId, now: Timestamp) -> Result<Account, u64> {
        let fresh = self.accounts.get(&id).filter(|(_, read_at)| is_fresh(*read_at, now));
        fresh.map(|(account, _)| account.clone()).ok_or(self.forgotten)
    }

    fn keep(&mut self, id: InstanceId, account: Account, now: Timestamp) {
        if self.accounts.len() >= KEPT_MAX {
            self.accounts.retain(|_, (_, read_at)| is_fresh(*read_at, now));
        }
        if self.accounts.len() < KEPT_MAX {
            self.accounts.insert(id, (account, now));
        }
    }
}

fn is_fresh(read_at: Timestamp, now: Timestamp) -> bool {
    read_at <= now && now.since(read_at) < FRESH
}

#[async_trait]
impl Accounts for StoredAccounts {
    async fn cloud(&self, instance: InstanceId) -> Result<Arc<CloudAccount>, NoAccount> {
        match self.account(instance).await? {
            Account::Cloud(account) => Ok(account),
            Account::Evolution(_) => Err(NoAccount::NotSetUp),
        }
    }

    async fn evolution(&self, instance: InstanceId) -> Result<Arc<EvolutionAccount>, NoAccount> {
        match self.account(instance).await? {
            // The settings may have changed since it was given its URL.
            Account::Evolution(account) if self.evolution_hosts.permit(&account.base_url).is_ok() => Ok(account),
            Account::Evolution(_) | Account::Cloud(_) => Err(NoAccount::NotSetUp),
        }
    }
}

impl fmt::Debug for StoredAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAccounts").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use futures_executor::block_on;
    use gatepost::{AccountId, DestinationPolicy, Instance, Keyring, Plan, Provider, Store};
    use gatepost_memory::{MemoryStore, TestHost};

    use super::*;

    /// An account with an instance, and two hosts that know what it was given.
    struct Scene {
        host: Arc<TestHost>,
        store: MemoryStore,
        owner: AccountId,
        here: StoredAccounts,
        elsewhere: StoredAccounts,
    }

    fn keyring(root: u32) -> Keyring {
        Keyring::new([(root, [7; 32].into())]).unwrap()
    }

    fn known(store: &MemoryStore, host: &Arc<TestHost>, keyring: Keyring, hosts: &[&str]) -> StoredAccounts {
        let hosts = EvolutionHosts::new(DestinationPolicy::production(), hosts.iter().map(|host| (*host).to_owned()).collect());
        StoredAccounts::new(store.worker(), Credentials::new(keyring, host.clone()), hosts, host.clone())
    }

    impl Scene {
        fn new() -> Self {
            let (host, store) = (Arc::new(TestHost::new(7)), MemoryStore::new());
            let now = host.now();
            let account = gatepost::Account::new(AccountId::new(now, &*host), "Shop".parse().unwrap(), Plan::Starter, now);
            let owner = account.id;
            block_on(store.operator().add_account(account)).unwrap();
            let [here, elsewhere] = [(); 2].map(|()| known(&store, &host, keyring(1), &[]));
            Self { host, store, owner, here, elsewhere }
        }

        fn add(&self, name: &str, provider: Provider) -> InstanceId {
            let now = self.host.now();
            let instance = Instance::new(InstanceId::new(now, &*self.host), name.parse().unwrap(), provider, now);
            let id = instance.id;
            assert!(block_on(self.store.account(self.owner).add_instance(instance)).unwrap());
            id
        }

        fn give(&self, id: InstanceId, account: &Account) {
            let change = self.here.credentials().change(self.owner, id, account);
            block_on(self.store.account(self.owner).change_instance(id, change)).unwrap().unwrap();
        }

        fn give_token(&self, id: InstanceId, token: &str) {
            self.give(id, &Account::Cloud(Arc::new(CloudAccount::new("8007", "9001", token))));
        }
    }

    fn token(accounts: &StoredAccounts, id: InstanceId) -> String {
        block_on(accounts.cloud(id)).unwrap().access_token.expose().to_owned()
    }

    #[test]
    fn a_change_counts_at_once_where_it_was_made_and_within_a_second_elsewhere() {
        let scene = Scene::new();
        let id = scene.add("desk", Provider::CloudApi);
        scene.give_token(id, "first");
        let tokens = || (token(&scene.here, id), token(&scene.elsewhere, id));
        assert_eq!(tokens(), ("first".to_owned(), "first".to_owned()));
        scene.give_token(id, "second");
        scene.here.forget(id);
        assert_eq!(tokens(), ("second".to_owned(), "first".to_owned()));
        scene.host.advance(FRESH);
        assert_eq!(tokens(), ("second".to_owned(), "second".to_owned()));
    }

    #[test]
    fn what_was_not_given_or_is_anothers_is_not_set_up() {
        let scene = Scene::new();
        let (bare, cloud) = (scene.add("bare", Provider::CloudApi), scene.add("cloud", Provider::CloudApi));
        scene.give_token(cloud, "token");
        let refused = |found: Result<Arc<CloudAccount>, NoAccount>| found.map(drop);
        assert_eq!(refused(block_on(scene.here.cloud(bare))), Err(NoAccount::NotSetUp));
        assert_eq!(refused(block_on(scene.here.cloud(InstanceId::from_bytes([9; 16])))), Err(NoAccount::NotSetUp));
        assert_eq!(block_on(scene.here.evolution(cloud)).map(drop), Err(NoAccount::NotSetUp));
        // Given later, it is there at once: what is not there is not kept.
        scene.give_token(bare, "token");
        assert_eq!(token(&scene.here, bare), "token");
    }

    #[test]
    fn what_this_host_cannot_open_is_not_available_here() {
        let scene = Scene::new();
        let id = scene.add("desk", Provider::CloudApi);
        scene.give_token(id, "token");
        let without_root = known(&scene.store, &scene.host, keyring(2), &[]);
        assert_eq!(block_on(without_root.cloud(id)).map(drop), Err(NoAccount::Unavailable));
    }

    #[test]
    fn a_host_that_is_no_longer_listed_is_not_called() {
        let scene = Scene::new();
        let id = scene.add("desk", Provider::Evolution);
        let account = EvolutionAccount {
            base_url: "https://evolution.example.com".to_owned(),
            api_key: "key".into(),
            instance_name: "desk".to_owned(),
            jwt_key: "jwt".into(),
        };
        scene.give(id, &Account::Evolution(Arc::new(account)));
        for (listed, expected) in
            [(&[][..], Ok(())), (&["evolution.example.com"], Ok(())), (&["other.example.com"], Err(NoAccount::NotSetUp))]
        {
            let accounts = known(&scene.store, &scene.host, keyring(1), listed);
            assert_eq!(block_on(accounts.evolution(id)).map(drop), expected, "{listed:?}");
        }
    }
}
