//! Outgoing: where events may go, and how they go.

use std::net::IpAddr;
use std::path::PathBuf;

use gatepost::{Delivering, DestinationPolicy, InvalidDestinationPolicy};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{BaseUrl, Bounded, Mode, values};

/// How it delivers events.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// How many may be on their way at once.
    pub in_flight_max: Bounded<1, 1_024>,
    /// How long a receiver may take: short enough for a server that stops to wait for a challenge.
    pub timeout_seconds: Bounded<1, 30>,
    /// Whether a new endpoint must answer a challenge before it gets events.
    pub verify: bool,
    /// A file with certificates of authorities that are believed beside the usual ones.
    #[serde(with = "values::or_empty")]
    pub root_certificates: Option<PathBuf>,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        let Delivering { events_in_flight_max, event_timeout, .. } = Delivering::default();
        Self {
            in_flight_max: Bounded::nearest(events_in_flight_max as u64),
            timeout_seconds: Bounded::nearest(event_timeout.as_secs()),
            verify: true,
            root_certificates: None,
        }
    }
}

/// Where events may go: what differs from the policy of the mode.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DestinationSettings {
    /// The ports; those of the mode where it is empty.
    pub ports: Vec<u16>,
    /// Blocks that are open though they are special.
    pub allow: Vec<IpNet>,
    /// Blocks that are closed though they are public.
    pub deny: Vec<IpNet>,
    /// Prefixes of NAT64 translators.
    pub nat64: Vec<IpNet>,
}

/// Where the providers of WhatsApp are: what differs from the policy of the mode. What is closed to events is closed to them, too.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// Where Meta's Graph API is; none for where it really is.
    #[serde(with = "values::or_empty")]
    pub graph_url: Option<BaseUrl>,
    /// The hosts where Evolution API may be; any that is allowed where it is empty.
    pub evolution_hosts: Vec<String>,
    /// The ports; those of the mode where it is empty.
    pub ports: Vec<u16>,
    /// Blocks that are open though they are special.
    pub allow: Vec<IpNet>,
    /// A file with certificates of authorities that are believed beside the usual ones.
    #[serde(with = "values::or_empty")]
    pub root_certificates: Option<PathBuf>,
}

/// Where phone systems may be: what differs from the policy of the mode. What is closed to events is closed to them, too.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThreecxSettings {
    /// The ports; those of the mode, and 5001, where it is empty.
    pub ports: Vec<u16>,
    /// Blocks that are open though they are special: those of phone systems in a network of one's own. What nobody can open stays closed.
    pub allow: Vec<IpNet>,
    /// The names of phone systems in a network of one's own.
    pub hosts: Vec<String>,
    /// A file with certificates of authorities that are believed beside the usual ones.
    #[serde(with = "values::or_empty")]
    pub root_certificates: Option<PathBuf>,
}

/// Where 3CX listens unless it is told otherwise.
const THREECX_PORTS: [u16; 3] = [443, 5001, 8443];

impl ThreecxSettings {
    pub(super) fn policy(&self, mode: Mode, others: &DestinationSettings) -> Result<DestinationPolicy, InvalidDestinationPolicy> {
        let ports = match (self.ports.is_empty(), mode) {
            (true, Mode::Production) => THREECX_PORTS.to_vec(),
            _ => self.ports.clone(),
        };
        let settings = DestinationSettings { ports, allow: self.allow.clone(), ..others.clone() };
        settings.policy(mode)?.with_names(self.hosts.iter().cloned())
    }
}

impl ProviderSettings {
    pub(super) fn policy(&self, mode: Mode, others: &DestinationSettings) -> Result<DestinationPolicy, InvalidDestinationPolicy> {
        let settings = DestinationSettings { ports: self.ports.clone(), allow: self.allow.clone(), ..others.clone() };
        let is_name = |host: &&String| host.parse::<IpAddr>().is_err() && *host != "localhost";
        settings.policy(mode)?.with_names(self.evolution_hosts.iter().filter(is_name).cloned())
    }
}

impl DestinationSettings {
    pub(super) fn policy(&self, mode: Mode) -> Result<DestinationPolicy, InvalidDestinationPolicy> {
        let policy = match mode {
            Mode::Development => DestinationPolicy::development(),
            Mode::Production => DestinationPolicy::production(),
        };
        let policy = if self.ports.is_empty() { policy } else { policy.with_ports(self.ports.iter().copied())? };
        let (allow, deny, nat64) = (self.allow.iter().copied(), self.deny.iter().copied(), self.nat64.iter().copied());
        policy.with_allow(allow)?.with_deny(deny)?.with_nat64(nat64)
    }
}

/// The setting that the policy cannot be made of, and what was expected.
pub(super) fn broken_setting(error: InvalidDestinationPolicy) -> (&'static str, String) {
    let key = match error {
        InvalidDestinationPolicy::HostBits { field: "deny", .. } => "destinations.deny",
        InvalidDestinationPolicy::HostBits { field: "nat64", .. } | InvalidDestinationPolicy::Nat64Prefix { .. } => "destinations.nat64",
        InvalidDestinationPolicy::HostBits { .. } | InvalidDestinationPolicy::TooWide { .. } => "destinations.allow",
        InvalidDestinationPolicy::Ports => "destinations.ports",
        InvalidDestinationPolicy::Names => "providers.evolution_hosts",
    };
    (key, problem(error))
}

/// The same of the policy of providers. What they share with events was found before.
pub(super) fn broken_provider_setting(error: InvalidDestinationPolicy) -> (&'static str, String) {
    let key = match error {
        InvalidDestinationPolicy::Names => "providers.evolution_hosts",
        InvalidDestinationPolicy::Ports => "providers.ports",
        _ => "providers.allow",
    };
    (key, problem(error))
}

/// The same of the policy of phone systems.
pub(super) fn broken_threecx_setting(error: InvalidDestinationPolicy) -> (&'static str, String) {
    let key = match error {
        InvalidDestinationPolicy::Names => "threecx.hosts",
        InvalidDestinationPolicy::Ports => "threecx.ports",
        _ => "threecx.allow",
    };
    (key, problem(error))
}

/// What is wrong, without the name that the core has for the setting.
fn problem(error: InvalidDestinationPolicy) -> String {
    let text = error.to_string();
    text.split_once("`: ").map_or(text.as_str(), |(_, problem)| problem).to_owned()
}
