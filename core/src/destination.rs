//! Destination: a URL that policy has judged, and the addresses that may be dialed for it.
//!
//! Customers name the URLs that this host calls, so a URL could lead inside: to this host, its network, or the metadata service of its
//! cloud. A text is judged when it is read; what its name resolves to is judged anew for each attempt, every address of it, and only a
//! judged address is dialed. The text cannot know where a name leads, so it is the second judgment that protects.
//!
//! The players: [`DestinationPolicy`] (what the operator permits), [`Destination`] (a text that passed it), [`CheckedTarget`] (the
//! addresses that passed it, for one attempt), [`Refusal`] (why something did not pass). Not protected is what an allowed public
//! address forwards inside: an operator closes such addresses with [`DestinationPolicy::with_deny`].

mod idn;
pub(crate) mod ipv4;
mod judge;
mod name;
mod policy;
mod refusal;
mod table;
mod target;
mod text;

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use idn::is_invisible;
pub use policy::{AddressFamilies, DestinationPolicy, InvalidDestinationPolicy};
pub use refusal::{Refusal, RefusalClass};
pub use target::{CheckedAddress, CheckedTarget};

/// A URL that policy has judged as far as its text says.
///
/// Only [`DestinationPolicy::parse`] makes one.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Destination {
    url: Arc<str>,
    host: DestinationHost,
    port: u16,
    authority_starts: usize,
    path_starts: usize,
}

impl Destination {
    /// `url` is normalized: scheme, `://`, host and port, then a path that starts with a slash.
    fn new(url: &str, host: DestinationHost, port: u16) -> Option<Self> {
        let authority_starts = url.find("://")? + 3;
        let path_starts = authority_starts + url.get(authority_starts..)?.find('/')?;
        Some(Self { url: url.into(), host, port, authority_starts, path_starts })
    }

    /// The whole of it, normalized.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Where it leads to: a name or an address.
    pub const fn host(&self) -> &DestinationHost {
        &self.host
    }

    /// The port, typed or implied.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is encrypted on its way.
    pub fn is_https(&self) -> bool {
        self.url.starts_with("https:")
    }

    /// Host and, where it is not the scheme's own, port: the `Host` header.
    pub fn authority(&self) -> &str {
        self.url.get(self.authority_starts..self.path_starts).unwrap_or_default()
    }

    /// Path and query, as they stand in a request line.
    pub fn path_and_query(&self) -> &str {
        self.url.get(self.path_starts..).unwrap_or_default()
    }
}

impl fmt::Debug for Destination {
    /// Without path and query, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https() { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// What a destination leads to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum DestinationHost {
    /// A name, to be resolved for each attempt.
    Name(HostName),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl DestinationHost {
    /// The address, where it is one and not a name.
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
        }
    }
}

impl fmt::Display for DestinationHost {
    /// As it stands in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// A name of the DNS: lower case, A-labels, without a dot at its end.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct HostName(Arc<str>);

impl HostName {
    /// As it stands in a URL and in a certificate.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a resolver must be asked for it, so that no search domain is tried: with a dot at its end.
    pub fn absolute(&self) -> String {
        alloc::format!("{}.", self.0)
    }
}
