//! Outgoing: where events may go, and how they go.

use std::path::PathBuf;

use gatepost::{Delivering, DestinationPolicy, InvalidDestinationPolicy};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Bounded, Mode, values};

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
        // Nothing sets names.
        InvalidDestinationPolicy::Names => "destinations",
        InvalidDestinationPolicy::Ports => "destinations.ports",
    };
    let text = error.to_string();
    let problem = text.split_once("`: ").map_or(text.as_str(), |(_, problem)| problem);
    (key, problem.to_owned())
}
