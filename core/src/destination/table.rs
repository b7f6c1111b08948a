//! Tables: the address blocks that are closed, and how firmly.
//!
//! The sources: the IANA special-purpose address registries for IPv4 and IPv6 as last updated on [`REGISTRY_DATE`] (RFC 6890 and its
//! successors), the IPv6 address space (RFC 4291, section 4: what is global lies in `2000::/3`), IPv4 multicast (RFC 5771), and the
//! metadata addresses that cloud providers document. A block that the registries call globally reachable has its own row where we
//! close it nevertheless: such blocks are infrastructure or identifiers, and nobody receives a webhook there.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::RefusalClass::{self, *};
use Tier::{Hard, Loopback, Soft};

/// The date of the registries that the tables follow.
pub(super) const REGISTRY_DATE: &str = "2025-10-09";

/// A closed block.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) net: IpNet,
    pub(super) tier: Tier,
    pub(super) class: RefusalClass,
    pub(super) what: &'static str,
}

/// How firmly a block is closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tier {
    /// Nothing opens it.
    Hard,
    /// Only development opens it.
    Loopback,
    /// The operator may open it.
    Soft,
}

/// The innermost closed block that holds the address; none where it is open.
pub(super) fn block_of(address: IpAddr) -> Option<&'static Block> {
    let blocks = if address.is_ipv4() { V4 } else { V6 };
    blocks.iter().filter(|block| block.net.contains(&address)).max_by_key(|block| block.net.prefix_len())
}

const fn v4([a, b, c, d]: [u8; 4], length: u8, tier: Tier, class: RefusalClass, what: &'static str) -> Block {
    Block { net: IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), length), tier, class, what }
}

/// The groups that are not given are zero.
const fn v6(groups: &[u16], length: u8, tier: Tier, class: RefusalClass, what: &'static str) -> Block {
    let (mut bits, mut left, mut rest) = (0, 128, groups);
    while let Some((group, tail)) = rest.split_first() {
        left -= 16;
        bits |= (*group as u128) << left;
        rest = tail;
    }
    Block { net: IpNet::new_assert(IpAddr::V6(Ipv6Addr::from_bits(bits)), length), tier, class, what }
}

#[rustfmt::skip]
pub(super) const V4: &[Block] = &[
    v4([0, 0, 0, 0], 8, Hard, Ipv4ThisNetwork, "this network"),
    v4([10, 0, 0, 0], 8, Soft, Ipv4Private, "private use"),
    v4([100, 64, 0, 0], 10, Soft, Ipv4Cgnat, "shared address space"),
    v4([100, 88, 222, 5], 32, Hard, Ipv4Cgnat, "Tencent Cloud platform"),
    v4([100, 100, 2, 136], 32, Hard, MetadataIp, "Alibaba Cloud DNS"),
    v4([100, 100, 2, 138], 32, Hard, MetadataIp, "Alibaba Cloud DNS"),
    v4([100, 100, 100, 200], 32, Hard, MetadataIp, "Alibaba Cloud metadata"),
    v4([127, 0, 0, 0], 8, Loopback, Ipv4Loopback, "loopback"),
    v4([168, 63, 129, 16], 32, Hard, MetadataPublicIp, "Azure platform channel"),
    v4([169, 254, 0, 0], 16, Hard, Ipv4LinkLocal, "link-local"),
    v4([169, 254, 0, 23], 32, Hard, MetadataIp, "Tencent Cloud metadata"),
    v4([169, 254, 10, 10], 32, Hard, MetadataIp, "Tencent Cloud metadata"),
    v4([169, 254, 42, 42], 32, Hard, MetadataIp, "Scaleway metadata"),
    v4([169, 254, 169, 123], 32, Hard, MetadataIp, "AWS time"),
    v4([169, 254, 169, 250], 32, Hard, MetadataIp, "AWS license activation"),
    v4([169, 254, 169, 251], 32, Hard, MetadataIp, "AWS license activation"),
    v4([169, 254, 169, 253], 32, Hard, MetadataIp, "AWS DNS"),
    v4([169, 254, 169, 254], 32, Hard, MetadataIp, "metadata of most clouds"),
    v4([169, 254, 170, 2], 32, Hard, MetadataIp, "AWS container credentials"),
    v4([169, 254, 170, 23], 32, Hard, MetadataIp, "AWS pod identity"),
    v4([172, 16, 0, 0], 12, Soft, Ipv4Private, "private use"),
    v4([192, 0, 0, 0], 24, Soft, Ipv4Ietf, "IETF protocol assignments"),
    v4([192, 0, 0, 9], 32, Soft, Ipv4Ietf, "port control anycast"),
    v4([192, 0, 0, 10], 32, Soft, Ipv4Ietf, "TURN anycast"),
    v4([192, 0, 0, 192], 32, Hard, MetadataIp, "Oracle Cloud Classic metadata"),
    v4([192, 0, 2, 0], 24, Soft, Ipv4Documentation, "documentation"),
    v4([192, 31, 196, 0], 24, Soft, Ipv4Infra, "AS112"),
    v4([192, 52, 193, 0], 24, Soft, Ipv4Infra, "AMT"),
    v4([192, 80, 8, 124], 32, Hard, MetadataPublicIp, "Equinix Metal metadata"),
    v4([192, 88, 99, 0], 24, Soft, Ipv46to4Relay, "6to4 relay anycast"),
    v4([192, 168, 0, 0], 16, Soft, Ipv4Private, "private use"),
    v4([192, 175, 48, 0], 24, Soft, Ipv4Infra, "AS112"),
    v4([198, 18, 0, 0], 15, Soft, Ipv4Benchmark, "benchmarking"),
    v4([198, 51, 100, 0], 24, Soft, Ipv4Documentation, "documentation"),
    v4([203, 0, 113, 0], 24, Soft, Ipv4Documentation, "documentation"),
    v4([224, 0, 0, 0], 4, Hard, Ipv4Multicast, "multicast"),
    v4([240, 0, 0, 0], 4, Hard, Ipv4Reserved, "reserved"),
];

/// Whatever lies outside `2000::/3` is in one of the first and last wide blocks, so that no address is open for want of a row.
#[rustfmt::skip]
pub(super) const V6: &[Block] = &[
    v6(&[], 3, Soft, Ipv6Outside2000, "outside global unicast"),
    v6(&[], 8, Hard, Ipv6Outside2000, "reserved, and IPv4 in many forms"),
    v6(&[], 96, Hard, Ipv6V4compat, "IPv4-compatible"),
    v6(&[], 128, Hard, Ipv6Unspecified, "unspecified"),
    v6(&[0, 0, 0, 0, 0, 0, 0, 1], 128, Loopback, Ipv6Loopback, "loopback"),
    v6(&[0, 0, 0, 0, 0, 0x5efe], 96, Hard, Ipv6Isatap, "ISATAP"),
    v6(&[0, 0, 0, 0, 0, 0xffff], 96, Hard, Ipv6V4mapped, "IPv4-mapped"),
    v6(&[0, 0, 0, 0, 0x200, 0x5efe], 96, Hard, Ipv6Isatap, "ISATAP"),
    v6(&[0, 0, 0, 0, 0xffff], 96, Hard, Ipv6V4translated, "IPv4-translated"),
    v6(&[0x64, 0xff9b], 32, Hard, Ipv6Nat64Local, "NAT64"),
    v6(&[0x64, 0xff9b], 96, Hard, Ipv6Nat64, "NAT64"),
    v6(&[0x64, 0xff9b, 1], 48, Hard, Ipv6Nat64Local, "NAT64 of a local network"),
    v6(&[0x100], 64, Soft, Ipv6Special, "discard only"),
    v6(&[0x100, 0, 0, 1], 64, Soft, Ipv6Special, "dummy prefix"),
    v6(&[0x2001], 23, Soft, Ipv6Special, "IETF protocol assignments"),
    v6(&[0x2001], 32, Hard, Ipv6Teredo, "Teredo"),
    v6(&[0x2001, 1, 0, 0, 0, 0, 0, 1], 128, Soft, Ipv6Special, "port control anycast"),
    v6(&[0x2001, 1, 0, 0, 0, 0, 0, 2], 128, Soft, Ipv6Special, "TURN anycast"),
    v6(&[0x2001, 1, 0, 0, 0, 0, 0, 3], 128, Soft, Ipv6Special, "service registration anycast"),
    v6(&[0x2001, 2], 48, Soft, Ipv6Special, "benchmarking"),
    v6(&[0x2001, 3], 32, Soft, Ipv6Special, "AMT"),
    v6(&[0x2001, 4, 0x112], 48, Soft, Ipv6Special, "AS112"),
    v6(&[0x2001, 0x10], 28, Soft, Ipv6Special, "ORCHID"),
    v6(&[0x2001, 0x20], 28, Soft, Ipv6Special, "ORCHIDv2"),
    v6(&[0x2001, 0x30], 28, Soft, Ipv6Special, "drone identifiers"),
    v6(&[0x2001, 0xdb8], 32, Soft, Ipv6Documentation, "documentation"),
    v6(&[0x2002], 16, Hard, Ipv66to4, "6to4"),
    v6(&[0x2620, 0x4f, 0x8000], 48, Soft, Ipv6Special, "AS112"),
    v6(&[0x3fff], 20, Soft, Ipv6Documentation, "documentation"),
    v6(&[0x4000], 2, Soft, Ipv6Outside2000, "outside global unicast"),
    v6(&[0x5f00], 16, Soft, Ipv6Special, "segment routing identifiers"),
    v6(&[0x8000], 1, Soft, Ipv6Outside2000, "outside global unicast"),
    v6(&[0xfc00], 7, Soft, Ipv6Ula, "unique local"),
    v6(&[0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128, Hard, MetadataIp, "Scaleway metadata"),
    v6(&[0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128, Hard, MetadataIp, "Oracle Cloud metadata"),
    v6(&[0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200], 128, Hard, MetadataIp, "Alibaba Cloud metadata"),
    v6(&[0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128, Hard, MetadataIp, "AWS pod identity"),
    v6(&[0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x123], 128, Hard, MetadataIp, "AWS time"),
    v6(&[0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x240], 128, Hard, MetadataIp, "AWS license activation"),
    v6(&[0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253], 128, Hard, MetadataIp, "AWS DNS"),
    v6(&[0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, Hard, MetadataIp, "AWS metadata"),
    v6(&[0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1], 128, Hard, MetadataIp, "Akamai metadata"),
    v6(&[0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, Hard, MetadataIp, "Google Cloud metadata"),
    v6(&[0xfe80], 10, Hard, Ipv6LinkLocal, "link-local"),
    v6(&[0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128, Hard, MetadataIp, "OpenStack metadata"),
    v6(&[0xfe80, 0, 0, 0, 0, 0x5efe], 96, Hard, Ipv6Isatap, "ISATAP"),
    v6(&[0xfe80, 0, 0, 0, 0x200, 0x5efe], 96, Hard, Ipv6Isatap, "ISATAP"),
    v6(&[0xfec0], 10, Soft, Ipv6SiteLocal, "site-local"),
    v6(&[0xff00], 8, Hard, Ipv6Multicast, "multicast"),
];

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn all() -> impl Iterator<Item = &'static Block> {
        V4.iter().chain(V6)
    }

    /// Blocks, whether the registry calls them globally reachable, and the whole row.
    fn registry(table: &'static str) -> Vec<(IpNet, bool, &'static str)> {
        let rows = table.lines().filter(|row| row.starts_with(|first: char| first.is_ascii_hexdigit() || "\":".contains(first)));
        let blocks = rows.filter(|row| !row.starts_with("Address")).flat_map(|row| {
            let quoted = row.strip_prefix('"').and_then(|row| row.split_once('"'));
            let column = quoted.map_or_else(|| row.split(',').next().unwrap(), |(column, _)| column);
            column.split(", ").map(move |block| (block.split(' ').next().unwrap().parse().unwrap(), row.contains(",true,"), row))
        });
        blocks.collect()
    }

    fn registries() -> Vec<(IpNet, bool, &'static str)> {
        let v4 = registry(include_str!("../../tests/data/ssrf/special_v4.csv"));
        let v6 = registry(include_str!("../../tests/data/ssrf/special_v6.csv"));
        assert_eq!((v4.len(), v6.len()), (26, 25));
        [v4, v6].concat()
    }

    #[test]
    fn the_date_is_that_of_the_registries() {
        let tables = [include_str!("../../tests/data/ssrf/special_v4.csv"), include_str!("../../tests/data/ssrf/special_v6.csv")];
        assert!(tables.iter().all(|table| table.lines().next().unwrap().contains(REGISTRY_DATE)));
    }

    #[test]
    fn what_the_registries_do_not_call_reachable_is_closed_from_end_to_end() {
        for (block, _, row) in registries().into_iter().filter(|(_, reachable, _)| !reachable) {
            assert!(block_of(block.network()).is_some() && block_of(block.broadcast()).is_some(), "{row}");
            assert!(all().any(|closed| closed.net.contains(&block)), "{row}");
        }
    }

    #[test]
    fn what_the_registries_call_reachable_is_closed_by_a_row_of_its_own() {
        let reachable: Vec<_> = registries().into_iter().filter(|(_, reachable, _)| *reachable).collect();
        assert!(reachable.len() > 10);
        for (block, _, row) in reachable {
            assert!(all().any(|closed| closed.net == block), "{row}");
        }
    }

    #[test]
    fn what_is_closed_beside_the_registries_is_in_the_tables() {
        for row in include_str!("../../tests/data/ssrf/extra_denied.csv").lines().filter(|row| !row.starts_with(['#', 'b'])) {
            let block: IpNet = row.split(',').next().unwrap().parse().unwrap();
            assert!(all().any(|closed| closed.net == block), "{row}");
        }
    }

    #[test]
    fn rows_are_in_order_and_their_addresses_end_with_their_prefix() {
        for table in [V4, V6] {
            let disorder = table.windows(2).find(|pair| pair[0].net >= pair[1].net);
            assert!(disorder.is_none(), "{disorder:#?}");
        }
        assert!(all().all(|block| block.net == block.net.trunc()));
    }

    #[test]
    fn nothing_inside_a_block_that_nobody_opens_can_be_opened() {
        for hard in all().filter(|block| block.tier == Hard) {
            let softer = all().find(|block| hard.net.contains(&block.net) && block.tier == Soft);
            assert!(softer.is_none(), "{softer:?} in {hard:?}");
        }
    }
}
