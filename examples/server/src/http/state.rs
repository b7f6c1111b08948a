//! State: what every request stands on.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use gatepost::{Brand, DestinationPolicy, Gateway, Keyring, StoreError, Timestamp};
use ipnet::IpNet;

use super::failures::Failures;
use super::keys::KeyCache;
use super::places::Places;
use super::threecx::Decoy;
use super::threecx::files::{FETCHES_MAX, FETCHES_OF_ACCOUNT_MAX};
use crate::providers::Providers;

/// How long the worker may be silent before the process is not ready.
const HEARTBEAT_AGE_MAX: Duration = Duration::from_secs(10);

/// The gateway with all that its HTTP side needs. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What an [`App`] is made of.
pub struct Shared {
    /// The gateway itself.
    pub gateway: Gateway,
    /// What keys are hashed with.
    pub keyring: Keyring,
    /// The first letters of keys.
    pub brand: Brand,
    /// The keys that were used lately.
    pub keys: KeyCache,
    /// Who carries messages to WhatsApp.
    pub providers: Providers,
    /// What can be set.
    pub settings: HttpSettings,
    pub(super) challenges: Places,
    /// Calls of providers that send nothing.
    pub(super) calls: Places,
    /// Places for files that phone systems fetch.
    pub(super) fetches: Places,
    /// What stands for integrations that there are not.
    pub(super) decoy: Decoy,
    failures: Failures,
    heartbeat_at: AtomicI64,
    is_draining: AtomicBool,
}

/// What can be set on the HTTP side.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Vec<IpNet>,
    /// How often an address may fail to authenticate in a minute.
    pub failures_per_minute: NonZeroU32,
    /// Where events may go.
    pub destinations: DestinationPolicy,
    /// Where phone systems may be.
    pub phone_systems: DestinationPolicy,
    /// Where the gateway is reached from outside; without a slash at the end.
    pub public_url: Option<String>,
    /// How long a provider may take to answer a call that sends nothing.
    pub call_timeout: Duration,
    /// Whether a new endpoint must answer a challenge, unless an operator says otherwise.
    pub verifies_endpoints: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        const SIXTY: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
        Self {
            trusted_proxies: Vec::new(),
            failures_per_minute: SIXTY,
            destinations: DestinationPolicy::production(),
            phone_systems: DestinationPolicy::production(),
            public_url: None,
            call_timeout: Duration::from_secs(15),
            verifies_endpoints: true,
        }
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl App {
    /// Puts it together.
    pub fn new(gateway: Gateway, providers: Providers, keyring: Keyring, brand: Brand, settings: HttpSettings) -> Self {
        let keys = KeyCache::new(gateway.store().worker(), keyring.clone());
        let decoy = Decoy::new(&keyring, &**gateway.host());
        let failures = Failures::new(settings.failures_per_minute, gateway.host().clone());
        Self(Arc::new(Shared {
            gateway,
            keyring,
            brand,
            keys,
            providers,
            settings,
            challenges: Places::for_challenges(),
            calls: Places::for_challenges(),
            fetches: Places::new(FETCHES_MAX, FETCHES_OF_ACCOUNT_MAX),
            decoy,
            failures,
            heartbeat_at: AtomicI64::new(i64::MIN),
            is_draining: AtomicBool::new(false),
        }))
    }

    /// Says that the worker still turns: to be called by the loop that drives it.
    pub fn heartbeat(&self) {
        self.heartbeat_at.store(self.now().as_millis(), Ordering::Relaxed);
    }

    /// Says that the process is about to end, so that nobody sends it more.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Writes down when keys were last used, and forgets the failures that no longer count: to be called every half minute.
    ///
    /// # Errors
    ///
    /// Those of the store; nothing is lost by one.
    pub async fn flush_last_used(&self) -> Result<(), StoreError> {
        self.failures.forget_old();
        self.keys.flush_last_used().await
    }

    /// The host's time.
    pub(super) fn now(&self) -> Timestamp {
        self.gateway.host().now()
    }

    /// Whether the process is about to end.
    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Whether the worker turned lately.
    pub(super) fn is_worker_alive(&self) -> bool {
        let last = Timestamp::from_millis(self.heartbeat_at.load(Ordering::Relaxed));
        self.now().since(last) <= HEARTBEAT_AGE_MAX
    }

    /// Notes a failure to authenticate; how long the address must wait where it had too many.
    pub(super) fn note_failure(&self, from: Option<IpAddr>) -> Result<(), Duration> {
        self.failures.note(from)
    }
}
