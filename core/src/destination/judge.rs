//! Judging addresses: which of them may be dialed.
//!
//! The order: what nobody can open, what the operator closed, what the operator opened, the table. A typed address and an answer of a
//! resolver are judged by the same function; only an answer may lie in a NAT64 prefix of the operator's network, and then it is the
//! IPv4 address inside it that is judged (RFC 6052).

use alloc::format;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

use super::RefusalClass::{HardDeny, Ipv6Isatap, Ipv6Nat64, MetadataIp, Mixed, NoAddress, OperatorDeny};
use super::table::{Block, Tier, block_of};
use super::{Destination, DestinationPolicy, Refusal};

/// How many addresses are dialed at most.
const ADDRESSES_MAX: usize = 16;

/// Where an address comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// A resolver answered with it.
    Answer,
    /// It was typed.
    Literal,
}

/// The addresses to dial for a destination. One forbidden address refuses the whole set, wherever it stands.
pub(super) fn judge_all(policy: &DestinationPolicy, destination: &Destination, answers: &[IpAddr]) -> Result<Vec<IpAddr>, Refusal> {
    match destination.host().address() {
        Some(address) => judge_set(policy, &[address], Source::Literal),
        None => judge_set(policy, answers, Source::Answer),
    }
}

fn judge_set(policy: &DestinationPolicy, addresses: &[IpAddr], source: Source) -> Result<Vec<IpAddr>, Refusal> {
    let refusals: Vec<Refusal> = addresses.iter().filter_map(|address| judge_address(policy, *address, source).err()).collect();
    match refusals.first() {
        Some(first) if refusals.len() < addresses.len() => Err(Refusal::by_rule(Mixed, first.operator_detail())),
        Some(first) => Err(first.clone()),
        None => Some(select(policy, addresses))
            .filter(|dialed| !dialed.is_empty())
            .ok_or_else(|| Refusal::by_rule(NoAddress, format!("none of {} addresses can be dialed", addresses.len()))),
    }
}

/// The first addresses of the families in use, each once, in their order.
fn select(policy: &DestinationPolicy, addresses: &[IpAddr]) -> Vec<IpAddr> {
    let mut selected = Vec::new();
    for address in addresses {
        if selected.len() < ADDRESSES_MAX && policy.uses_family_of(*address) && !selected.contains(address) {
            selected.push(*address);
        }
    }
    selected
}

/// Judges one address.
pub(super) fn judge_address(policy: &DestinationPolicy, address: IpAddr, source: Source) -> Result<(), Refusal> {
    let block = block_of(address);
    // A provider's service stays closed even where its address lies in a NAT64 prefix.
    let is_platform = block.is_some_and(|block| block.class == MetadataIp);
    match address {
        IpAddr::V6(address) if policy.is_nat64(address) && !is_platform => judge_nat64(policy, address, source),
        _ => judge_plain(policy, address, block),
    }
}

fn judge_plain(policy: &DestinationPolicy, address: IpAddr, block: Option<&Block>) -> Result<(), Refusal> {
    let block = block.filter(|block| !(block.tier == Tier::Loopback && policy.is_development()));
    let allow = policy.allow_entry(address);
    if let Some(block) = block.filter(|block| block.tier != Tier::Soft) {
        return Err(closed(block, address, allow));
    }
    if let Some(deny) = policy.deny_entry(address) {
        return Err(Refusal::by_rule(OperatorDeny, format!("{address} is in {deny}, which the operator closed")));
    }
    match (block, allow) {
        (Some(block), None) => Err(closed(block, address, None)),
        (Some(_), Some(_)) if is_isatap(address) => Err(Refusal::by_rule(Ipv6Isatap, format!("{address} holds an IPv4 address"))),
        _ => Ok(()),
    }
}

fn closed(block: &Block, address: IpAddr, allow: Option<&IpNet>) -> Refusal {
    let rule = format!("{address} is in {} ({})", block.net, block.what);
    match allow {
        Some(allow) => Refusal::by_rule(HardDeny, format!("{rule}, which {allow} does not open")),
        None => Refusal::by_rule(block.class, rule),
    }
}

/// An interface identifier that holds an IPv4 address (RFC 5214). Under a global prefix it is an ordinary one; in space that only the
/// operator opened it would lead to where the IPv4 address does.
fn is_isatap(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _]),
    }
}

/// Judges the IPv4 address that the translator would dial; where prefixes overlap, every one of them.
fn judge_nat64(policy: &DestinationPolicy, address: Ipv6Addr, source: Source) -> Result<(), Refusal> {
    if source == Source::Literal {
        return Err(Refusal::by_rule(Ipv6Nat64, format!("{address} is a translator's, and was typed")));
    }
    if let Some(deny) = policy.deny_entry(address.into()) {
        return Err(Refusal::by_rule(OperatorDeny, format!("{address} is in {deny}, which the operator closed")));
    }
    policy.nat64_prefixes(address).try_for_each(|prefix| match embedded_v4(address, *prefix) {
        Some(embedded) => judge_plain(policy, embedded.into(), block_of(embedded.into())),
        None => Err(Refusal::by_rule(Ipv6Nat64, format!("{address} is in {prefix}, but bits 64 to 71 are not zero"))),
    })
}

/// The IPv4 address inside, as RFC 6052 places it in a prefix of each length; bits 64 to 71 must be zero, and are no part of it.
fn embedded_v4(address: Ipv6Addr, prefix: Ipv6Net) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    let low = (1 << 56) - 1;
    let has_zero_octet = (bits >> 56) & 0xff == 0;
    let without_octet = if prefix.prefix_len() == 96 { bits } else { (bits >> 64 << 64) | ((bits & low) << 8) };
    let embedded = u32::try_from((without_octet << prefix.prefix_len()) >> 96).ok()?;
    has_zero_octet.then_some(Ipv4Addr::from_bits(embedded))
}
