//! Failures: how often an address may fail to authenticate.
//!
//! Each failure takes one place of the address it comes from; whoever has none left is told to slow down. Keys that are in force are
//! let through all the same, so nobody can lock out those who share an address with them.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use gatepost::Host;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// More addresses than this are not told apart until the old ones are forgotten.
const ADDRESSES_MAX: usize = 16_384;

/// Where requests without a known address are counted, and all of them while too many addresses fail at once.
const COMMON: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// The failures of each address.
pub(super) struct Failures(RateLimiter<IpAddr, HashMapStateStore<IpAddr>, HostClock, NoOpMiddleware<Duration>>);

impl Failures {
    /// Lets each address fail so often a minute.
    pub(super) fn new(per_minute: NonZeroU32, host: Arc<dyn Host>) -> Self {
        Self(RateLimiter::hashmap_with_clock(Quota::per_minute(per_minute), HostClock(host)))
    }

    /// Notes a failure; how long the address must wait where it had too many.
    pub(super) fn note(&self, from: Option<IpAddr>) -> Result<(), Duration> {
        let key = if self.0.len() >= ADDRESSES_MAX { COMMON } else { from.map_or(COMMON, subscriber) };
        self.0.check_key(&key).map_err(|refusal| refusal.wait_time_from(self.0.clock().now()))
    }

    /// Forgets the addresses that have all their places back.
    pub(super) fn forget_old(&self) {
        self.0.retain_recent();
    }
}

/// Who has an IPv6 address has at least the 64 bits after its network's.
fn subscriber(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

/// The host's clock, as the limiter reads it.
struct HostClock(Arc<dyn Host>);

impl Clock for HostClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now().since(gatepost::Timestamp::default())
    }
}
