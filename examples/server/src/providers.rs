//! Providers: what it takes to send by WhatsApp's providers, put together as it is set.
//!
//! The players: [`Providers`] (the transports, each of which the worker sends with and the routes manage), [`StoredAccounts`] (where the
//! transports ask for what an instance needs), [`Credentials`] (how that is kept in the store).

mod accounts;
mod credentials;
mod evolution_hosts;
mod observer;

use std::fs;
use std::sync::Arc;

use gatepost::{AccountId, DestinationPolicy, Host, HttpSend, InstanceId, Keyring, WorkerStore};
use gatepost_http::Http;
use gatepost_whatsapp::cloud::CloudApi;
use gatepost_whatsapp::evolution::Evolution;

pub use accounts::StoredAccounts;
pub use credentials::{Account, Credentials, Unreadable};
pub use evolution_hosts::EvolutionHosts;

use crate::Failure;
use crate::config::Settings;
use observer::Logged;

/// How many calls that send nothing may be under way: making, linking and looking at instances.
pub const CALLS_MAX: usize = 32;
/// How many idle connections are kept, where fewer may be in use.
const KEPT_MIN: usize = 64;

/// The providers of WhatsApp. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Providers {
    /// Meta's Cloud API.
    pub cloud: Arc<CloudApi>,
    /// Evolution API.
    pub evolution: Arc<Evolution>,
    /// What each instance needs.
    pub accounts: Arc<StoredAccounts>,
    /// Where Evolution API may be.
    pub evolution_hosts: EvolutionHosts,
    /// Where providers may be.
    pub policy: DestinationPolicy,
}

/// Where providers are.
#[derive(Clone, Debug)]
pub struct Whereabouts {
    /// Where they may be.
    pub policy: DestinationPolicy,
    /// The hosts where Evolution API may be.
    pub evolution_hosts: Vec<String>,
    /// Where Meta is; where it really is if none is given.
    pub graph_url: Option<String>,
}

impl Providers {
    /// Sends by `http`, with what `store` keeps and `keyring` opens.
    pub fn new(
        http: Arc<dyn HttpSend>,
        whereabouts: Whereabouts,
        store: Arc<dyn WorkerStore>,
        keyring: Keyring,
        host: Arc<dyn Host>,
    ) -> Self {
        let Whereabouts { policy, evolution_hosts, graph_url } = whereabouts;
        let evolution_hosts = EvolutionHosts::new(policy.clone(), evolution_hosts);
        let credentials = Credentials::new(keyring, host.clone());
        let accounts = Arc::new(StoredAccounts::new(store, credentials, evolution_hosts.clone(), host.clone()));
        let cloud = CloudApi::new(http.clone(), policy.clone(), accounts.clone(), host.clone()).with_observer(Arc::new(Logged));
        let cloud = graph_url.into_iter().fold(cloud, CloudApi::with_graph_url);
        let evolution = Evolution::new(http, policy.clone(), accounts.clone(), host).with_observer(Arc::new(Logged));
        Self { cloud: Arc::new(cloud), evolution: Arc::new(evolution), accounts, evolution_hosts, policy }
    }

    /// As it is set. No thread is started before the first message.
    pub fn of(settings: &Settings, store: Arc<dyn WorkerStore>, keyring: Keyring, host: Arc<dyn Host>) -> Result<Self, Failure> {
        let policy = settings.provider_policy().map_err(|error| Failure::Usage(format!("`providers`: {error}")))?;
        let threads = settings.delivering().in_flight_max + CALLS_MAX;
        let mut http = Http::builder(policy.clone(), host.clone()).threads(threads).kept_connections(threads, threads.max(KEPT_MIN));
        if let Some(path) = &settings.providers.root_certificates {
            let pem =
                fs::read(path).map_err(|error| Failure::Usage(format!("`providers.root_certificates`: {}: {error}", path.display())))?;
            http = http.root_certificates(pem);
        }
        let http = http.build().map_err(|error| Failure::Usage(error.to_string().replace("`root_", "`providers.root_")))?;
        let graph_url = settings.providers.graph_url.as_ref().map(|url| url.join(""));
        let whereabouts = Whereabouts { policy, evolution_hosts: settings.providers.evolution_hosts.clone(), graph_url };
        Ok(Self::new(Arc::new(http), whereabouts, store, keyring, host))
    }

    /// Has what an instance was given now count at once: what stopped because of what it had before goes on.
    pub fn heed_new_account(&self, owner: AccountId, id: InstanceId, account: &Account) {
        match account {
            Account::Cloud(account) => self.cloud.heed_new_token(owner, account),
            Account::Evolution(_) => self.evolution.heed_new_account(id),
        }
    }
}
