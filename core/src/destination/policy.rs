//! Destination policy: what the operator permits.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use sha2::{Digest, Sha256};

use super::judge::{Source, judge_address, judge_all};
use super::table::{self, Block, REGISTRY_DATE, Tier};
use super::{CheckedTarget, Destination, Refusal, RefusalClass, name, text};

/// What the operator permits: which texts are destinations, and which addresses may be dialed for them.
///
/// ```
/// use gatepost::{DestinationPolicy, RefusalClass};
///
/// let policy = DestinationPolicy::production();
/// let destination = policy.parse("https://Hooks.example.com/in?key=secret")?;
/// assert_eq!(destination.as_str(), "https://hooks.example.com/in?key=secret");
/// assert_eq!(format!("{destination:?}"), "https://hooks.example.com:443");
///
/// let target = policy.judge(&destination, &["93.184.215.14".parse().unwrap()])?;
/// assert_eq!(target.addresses().len(), 1);
///
/// // One address inside the network refuses the whole answer.
/// let refusal = policy.judge(&destination, &["93.184.215.14".parse().unwrap(), "10.0.0.5".parse().unwrap()]).unwrap_err();
/// assert_eq!(refusal.class(), RefusalClass::Mixed);
/// # Ok::<(), gatepost::Refusal>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DestinationPolicy {
    development: bool,
    literals: bool,
    families: AddressFamilies,
    ports: Ports,
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
    nat64: Vec<Ipv6Net>,
    names: Vec<String>,
    generation: u64,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Ports {
    Any,
    Only(Vec<u16>),
}

/// The versions of IP that this host can dial.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AddressFamilies {
    /// Both.
    Any,
    /// IPv4 only: other answers are judged, and not dialed.
    V4,
    /// IPv6 only: other answers are judged, and not dialed.
    V6,
}

impl DestinationPolicy {
    /// HTTPS on ports 443 and 8443, to public addresses.
    pub fn production() -> Self {
        Self::new(false, Ports::Only(vec![443, 8443]))
    }

    /// Also plain HTTP, any port, `localhost` and loopback addresses. Whatever else is closed in production is closed here too.
    pub fn development() -> Self {
        Self::new(true, Ports::Any)
    }

    fn new(development: bool, ports: Ports) -> Self {
        let (allow, deny, nat64, names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let families = AddressFamilies::Any;
        Self { development, literals: true, families, ports, allow, deny, nat64, names, generation: 0 }.sealed()
    }

    /// With these ports in place of the ones of the mode.
    pub fn with_ports(self, ports: impl IntoIterator<Item = u16>) -> Result<Self, InvalidDestinationPolicy> {
        let ports = sorted(ports);
        if ports.is_empty() || ports.contains(&0) {
            return Err(InvalidDestinationPolicy::Ports);
        }
        Ok(Self { ports: Ports::Only(ports), ..self }.sealed())
    }

    /// With these blocks open, though the table closes them. What nobody can open stays closed; see [`Self::warnings`].
    ///
    /// A block is opened for addresses, never for names: whoever owns a name decides what it resolves to.
    pub fn with_allow(self, blocks: impl IntoIterator<Item = IpNet>) -> Result<Self, InvalidDestinationPolicy> {
        let allow = sorted(blocks);
        allow.iter().try_for_each(|block| check_prefix("allow", *block).and_then(|()| check_width(*block)))?;
        Ok(Self { allow, ..self }.sealed())
    }

    /// With these blocks closed: the operator's own public addresses, for example, which may lead inside.
    pub fn with_deny(self, blocks: impl IntoIterator<Item = IpNet>) -> Result<Self, InvalidDestinationPolicy> {
        let deny = sorted(blocks);
        deny.iter().try_for_each(|block| check_prefix("deny", *block))?;
        Ok(Self { deny, ..self }.sealed())
    }

    /// With these prefixes of NAT64 translators: an answer inside one has the verdict of the IPv4 address that it holds. A typed
    /// address inside one stays refused.
    pub fn with_nat64(self, prefixes: impl IntoIterator<Item = IpNet>) -> Result<Self, InvalidDestinationPolicy> {
        let nat64: Result<Vec<Ipv6Net>, _> = prefixes.into_iter().map(nat64_prefix).collect();
        Ok(Self { nat64: sorted(nat64?), ..self }.sealed())
    }

    /// With these names as hosts, though the table of names closes them: those of a network of one's own, for example. What they resolve
    /// to is judged like any other answer.
    pub fn with_names(self, names: impl IntoIterator<Item = String>) -> Result<Self, InvalidDestinationPolicy> {
        let names = sorted(names);
        if !names.iter().all(|name| name::may_be_opened(name)) {
            return Err(InvalidDestinationPolicy::Names);
        }
        Ok(Self { names, ..self }.sealed())
    }

    /// With these versions of IP.
    #[must_use]
    pub fn with_families(self, families: AddressFamilies) -> Self {
        Self { families, ..self }.sealed()
    }

    /// With names only: an address in place of a name is refused.
    #[must_use]
    pub fn without_address_literals(self) -> Self {
        Self { literals: false, ..self }.sealed()
    }

    /// What an operator should know at the start: what was allowed, and stays closed nevertheless.
    pub fn warnings(&self) -> Vec<String> {
        let hard = || table::V4.iter().chain(table::V6).filter(|block| self.is_closed_for_good(block));
        let overlaps =
            self.allow.iter().flat_map(|allow| hard().filter(|block| overlap(allow, &block.net)).map(move |block| (allow, block)));
        overlaps.map(|(allow, block)| format!("`allow`: {allow} does not open {} ({})", block.net, block.what)).collect()
    }

    /// A number that changes with the contents. What was judged under another one is judged again.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Judges a text, as far as a text can be judged: everything but what its name resolves to.
    pub fn parse(&self, text: &str) -> Result<Destination, Refusal> {
        let destination = text::read(text, self.development, &self.names).map_err(Refusal::typed)?;
        self.permit(&destination)?;
        if let Some(address) = destination.host().address() {
            judge_address(self, address, Source::Literal)?;
        }
        Ok(destination)
    }

    /// Judges the addresses that the destination's name has now, for one attempt.
    ///
    /// One forbidden address refuses them all. Duplicates are dropped, the order is kept, and the first sixteen are dialed; without
    /// any, the class is [`RefusalClass::NoAddress`]. Where the destination is an address, that address is judged, and `answers` are
    /// not looked at.
    pub fn judge(&self, destination: &Destination, answers: &[IpAddr]) -> Result<CheckedTarget, Refusal> {
        self.permit(destination)?;
        let addresses = judge_all(self, destination, answers)?;
        Ok(CheckedTarget::new(destination, &addresses, self.generation))
    }

    /// Scheme, port and kind of host: a destination may have been parsed under another policy.
    fn permit(&self, destination: &Destination) -> Result<(), Refusal> {
        if !destination.is_https() && !self.development {
            return Err(Refusal::typed(RefusalClass::SchemeHttp));
        }
        if !self.literals && destination.host().address().is_some() {
            return Err(Refusal::typed(RefusalClass::AddressLiteral));
        }
        match &self.ports {
            Ports::Any if destination.port() != 0 => Ok(()),
            Ports::Only(ports) if ports.contains(&destination.port()) => Ok(()),
            ports => Err(Refusal::expecting(RefusalClass::Port, format!("expected a port that is allowed: {ports}"))),
        }
    }

    /// With the number that follows from the contents.
    fn sealed(self) -> Self {
        let digest: [u8; 32] = Sha256::digest(self.to_string()).into();
        let generation = digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        Self { generation, ..self }
    }

    fn is_closed_for_good(&self, block: &Block) -> bool {
        block.tier == Tier::Hard || (block.tier == Tier::Loopback && !self.development)
    }

    pub(super) const fn is_development(&self) -> bool {
        self.development
    }

    pub(super) const fn uses_family_of(&self, address: IpAddr) -> bool {
        match self.families {
            AddressFamilies::Any => true,
            AddressFamilies::V4 => address.is_ipv4(),
            AddressFamilies::V6 => address.is_ipv6(),
        }
    }

    pub(super) fn allow_entry(&self, address: IpAddr) -> Option<&IpNet> {
        self.allow.iter().find(|block| block.contains(&address))
    }

    pub(super) fn deny_entry(&self, address: IpAddr) -> Option<&IpNet> {
        self.deny.iter().find(|block| block.contains(&address))
    }

    pub(super) fn is_nat64(&self, address: Ipv6Addr) -> bool {
        self.nat64_prefixes(address).next().is_some()
    }

    pub(super) fn nat64_prefixes(&self, address: Ipv6Addr) -> impl Iterator<Item = &Ipv6Net> {
        self.nat64.iter().filter(move |prefix| prefix.contains(&address))
    }
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_unstable();
    items.dedup();
    items
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

fn check_prefix(field: &'static str, block: IpNet) -> Result<(), InvalidDestinationPolicy> {
    let meant = block.trunc();
    if block == meant { Ok(()) } else { Err(InvalidDestinationPolicy::HostBits { field, block, meant }) }
}

fn check_width(block: IpNet) -> Result<(), InvalidDestinationPolicy> {
    let shortest = if block.addr().is_ipv4() { 8 } else { 16 };
    if block.prefix_len() >= shortest { Ok(()) } else { Err(InvalidDestinationPolicy::TooWide { block, shortest }) }
}

/// RFC 6052 knows six lengths, and keeps bits 64 to 71 at zero. A prefix may not lie in space that means something else.
fn nat64_prefix(block: IpNet) -> Result<Ipv6Net, InvalidDestinationPolicy> {
    let IpNet::V6(prefix) = block else { return Err(InvalidDestinationPolicy::Nat64Prefix { block }) };
    check_prefix("nat64", block)?;
    let is_length = [32, 40, 48, 56, 64, 96].contains(&prefix.prefix_len());
    let has_zero_octet = (prefix.addr().to_bits() >> 56) & 0xff == 0;
    if is_length && has_zero_octet && is_translators(&block) { Ok(prefix) } else { Err(InvalidDestinationPolicy::Nat64Prefix { block }) }
}

/// Whether a translator may use the prefix: the space of NAT64, or any that is not closed for good.
fn is_translators(prefix: &IpNet) -> bool {
    let mut hard = table::V6.iter().filter(|block| block.tier != Tier::Soft && block.class != RefusalClass::MetadataIp);
    let of_nat64 =
        |block: &Block| matches!(block.class, RefusalClass::Ipv6Nat64 | RefusalClass::Ipv6Nat64Local) && block.net.contains(prefix);
    table::V6.iter().any(of_nat64) || !hard.any(|block| overlap(&block.net, prefix))
}

impl fmt::Display for DestinationPolicy {
    /// For the log of the start.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes = if self.development { "http and https, loopback open" } else { "https" };
        let literals = if self.literals { "names and addresses" } else { "names only" };
        let (ports, families) = (&self.ports, self.families);
        write!(f, "{schemes}; {literals}; {families}; ports {ports}; ")?;
        write!(f, "allow {}; deny {}; nat64 {}; ", List(&self.allow), List(&self.deny), List(&self.nat64))?;
        if !self.names.is_empty() {
            write!(f, "names {}; ", List(&self.names))?;
        }
        write!(f, "registries of {REGISTRY_DATE}")
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("1 to 65535"),
            Self::Only(ports) => List(ports).fmt(f),
        }
    }
}

impl fmt::Display for AddressFamilies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "IPv4 and IPv6",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// Items with commas between them.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("none"),
            [first, rest @ ..] => {
                first.fmt(f)?;
                rest.iter().try_for_each(|item| write!(f, ", {item}"))
            }
        }
    }
}

/// A setting of the destination policy that cannot be meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidDestinationPolicy {
    /// A block whose address has bits beyond its prefix.
    #[error("`{field}`: expected `{meant}` in place of `{block}`, whose address goes beyond its prefix")]
    HostBits {
        /// The setting.
        field: &'static str,
        /// What was given.
        block: IpNet,
        /// What was meant, perhaps.
        meant: IpNet,
    },
    /// A name that no host has, or that nobody can open.
    #[error("`names`: expected names of hosts in lower case, none of this machine and none of a cloud's metadata service")]
    Names,
    /// A prefix that no NAT64 translator uses.
    #[error(
        "`nat64`: expected an IPv6 prefix of a translator, 32, 40, 48, 56, 64 or 96 bits long, for example `64:ff9b::/96`, in place of `{block}`"
    )]
    Nat64Prefix {
        /// What was given.
        block: IpNet,
    },
    /// No port, or port 0.
    #[error("`ports`: expected ports from 1 to 65535, at least one")]
    Ports,
    /// A block that opens too much at once.
    #[error("`allow`: expected a prefix of at least {shortest} bits in place of `{block}`")]
    TooWide {
        /// What was given.
        block: IpNet,
        /// The shortest prefix.
        shortest: u8,
    },
}
