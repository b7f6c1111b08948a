//! Webhooks: what it takes to deliver events, put together as it is set.

use std::fs;
use std::sync::Arc;

use gatepost::{DestinationPolicy, Host, Keyring, Webhooks};
use gatepost_http::Http;

use crate::Failure;
use crate::config::Settings;
use crate::http::CHALLENGES_MAX;

/// How many idle connections are kept, where fewer may be in use.
const KEPT_MIN: usize = 512;

/// Delivers events as it is set, with secrets that `keyring` opens. No thread is started before the first event.
pub fn of(settings: &Settings, keyring: Keyring, host: Arc<dyn Host>) -> Result<Webhooks, Failure> {
    let policy = policy(settings)?;
    // Challenges have threads of their own, so that they take none from events.
    let threads = settings.delivering().events_in_flight_max + CHALLENGES_MAX;
    let mut http = Http::builder(policy.clone(), host).threads(threads).kept_connections(threads, threads.max(KEPT_MIN));
    if let Some(path) = &settings.webhooks.root_certificates {
        let pem = fs::read(path).map_err(|error| Failure::Usage(format!("`webhooks.root_certificates`: {}: {error}", path.display())))?;
        http = http.root_certificates(pem);
    }
    let http = http.build().map_err(|error| Failure::Usage(error.to_string().replace("`root_", "`webhooks.root_")))?;
    Ok(Webhooks::new(Arc::new(http), policy, keyring))
}

/// Where events may go, as it is set.
pub fn policy(settings: &Settings) -> Result<DestinationPolicy, Failure> {
    settings.destination_policy().map_err(|error| Failure::Usage(format!("`destinations`: {error}")))
}
