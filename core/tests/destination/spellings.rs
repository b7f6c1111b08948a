//! Spellings: whatever is typed is read in one way, or refused.

use std::net::{Ipv4Addr, Ipv6Addr};

use gatepost::{Destination, DestinationHost, DestinationPolicy};
use proptest::prelude::*;
use proptest::sample::select;

fn parse(text: &str) -> Option<Destination> {
    DestinationPolicy::production().parse(text).ok()
}

/// Every way to write a part of an IPv4 address but the canonical one, and that last.
fn numbers(value: u32) -> Vec<String> {
    vec![
        format!("0{value:o}"),
        format!("000{value:o}"),
        format!("0x{value:x}"),
        format!("0x{value:X}"),
        format!("0X{value:x}"),
        format!("0x00{value:x}"),
        format!("00{value}"),
        value.to_string(),
    ]
}

/// Every other spelling of the address: each mixture of the ways to write its parts, short forms, and a dot at the end.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let bits = address.to_bits();
    let [a, b, c, d] = address.octets().map(u32::from);
    let forms: [&[u32]; 4] = [&[bits], &[a, bits & 0xff_ffff], &[a, b, bits & 0xffff], &[a, b, c, d]];
    let mut spellings: Vec<String> = forms.iter().flat_map(|parts| mixtures(parts)).collect();
    spellings.extend(spellings.clone().iter().map(|spelling| format!("{spelling}.")));
    spellings.retain(|spelling| *spelling != address.to_string());
    spellings
}

fn mixtures(parts: &[u32]) -> Vec<String> {
    let Some((first, rest)) = parts.split_first() else { return vec![String::new()] };
    let tails = mixtures(rest);
    let separator = if rest.is_empty() { "" } else { "." };
    numbers(*first).iter().flat_map(|number| tails.iter().map(move |tail| format!("{number}{separator}{tail}"))).collect()
}

/// Spellings of an IPv6 address that the WHATWG URL standard reads.
fn ipv6_spellings(address: Ipv6Addr) -> Vec<String> {
    let groups = address.segments();
    let [.., high, low] = groups;
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    let full = |format: fn(&u16) -> String| groups.iter().map(format).collect::<Vec<_>>();
    let dotted = [full(|group| format!("{group:x}"))[..6].join(":"), format!("{a}.{b}.{c}.{d}")].join(":");
    vec![
        address.to_string(),
        address.to_string().to_uppercase(),
        full(|group| format!("{group:x}")).join(":"),
        full(|group| format!("{group:04x}")).join(":"),
        full(|group| format!("{group:04X}")).join(":"),
        dotted,
    ]
}

/// Addresses of all kinds: any at all, and those near the blocks that are closed.
fn ipv6() -> impl Strategy<Value = Ipv6Addr> {
    let starts = select(vec![0, 0x64 << 112, 0x2001 << 112, 0x2002 << 112, 0x2606 << 112, 0x3fff << 112, 0xfc00 << 112, 0xfe80 << 112]);
    let near = (starts, any::<u64>()).prop_map(|(start, low): (u128, u64)| start | u128::from(low));
    prop_oneof![any::<u128>(), near].prop_map(Ipv6Addr::from_bits)
}

/// URLs, most of them almost good.
fn texts() -> impl Strategy<Value = String> {
    let hosts = prop_oneof![
        "[a-z0-9_-]{1,8}(\\.[a-zA-Z0-9_-]{1,8}){0,3}\\.(com|xn--p1ai|рф|c1)",
        "(xn--)?[a-z0-9-]{1,12}\\.com",
        "\\PC{1,6}\\.com",
        "([0-9]{1,3}\\.){3}[0-9]{1,3}",
        "\\[[0-9a-f:.]{2,39}\\]",
    ];
    let ports = prop_oneof![Just(String::new()), Just(":443".to_owned()), Just(":8443".to_owned()), ":[0-9]{0,5}"];
    let tails = prop_oneof![Just(String::new()), "/\\PC{0,20}", "\\?\\PC{0,20}", "/[ -~]{0,20}"];
    (hosts, ports, tails).prop_map(|(host, port, tail)| format!("https://{host}{port}{tail}"))
}

fn has_the_parts_of_the_uri(destination: &Destination) -> bool {
    let Ok(uri) = destination.as_str().parse::<http::Uri>() else { return false };
    let host = destination.host().to_string();
    let path_and_query = uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    uri.scheme_str() == Some("https")
        && uri.host() == Some(&host)
        && uri.port_u16().unwrap_or(443) == destination.port()
        && uri.authority().map(http::uri::Authority::as_str) == Some(destination.authority())
        && path_and_query == Some(destination.path_and_query())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}|(?s:.){0,60}") {
        let _ = parse(&text);
        let _ = parse(&format!("https://{text}"));
    }

    #[test]
    fn what_is_read_reads_back_the_same_and_is_the_same_to_an_http_client(text in texts()) {
        if let Some(destination) = parse(&text) {
            let again = parse(destination.as_str());
            prop_assert_eq!(again.as_ref(), Some(&destination));
            prop_assert!(has_the_parts_of_the_uri(&destination), "{}", destination.as_str());
        }
    }

    #[test]
    fn an_ipv6_address_has_one_verdict_in_all_spellings(address in ipv6()) {
        let verdicts: Vec<_> = ipv6_spellings(address).iter().map(|spelling| parse(&format!("https://[{spelling}]/"))).collect();
        prop_assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{:?}", verdicts);
        if let Some(destination) = &verdicts[0] {
            prop_assert_eq!(destination.host(), &DestinationHost::V6(address));
        }
        let zoned = format!("https://[{address}%25eth0]/");
        prop_assert!(parse(&zoned).is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn an_ipv4_address_is_read_in_its_canonical_spelling_alone(bits: u32) {
        let address = Ipv4Addr::from_bits(bits);
        for spelling in spellings(address) {
            prop_assert!(parse(&format!("https://{spelling}/")).is_none(), "{}", spelling);
        }
    }
}

#[test]
fn a_public_ipv4_address_is_read_in_its_canonical_spelling() {
    let address = Ipv4Addr::new(93, 184, 215, 14);
    assert_eq!(parse("https://93.184.215.14/").unwrap().host(), &DestinationHost::V4(address));
    assert_eq!(spellings(address).len(), 2 * (8 + 64 + 512 + 4096) - 1);
}

#[test]
fn every_accepted_row_is_the_same_to_an_http_client() {
    for row in crate::rows::rows(include_str!("../data/ssrf/allowed.tsv")) {
        let destination = parse(&row.first).unwrap();
        assert!(has_the_parts_of_the_uri(&destination), "{}", destination.as_str());
    }
}

#[test]
fn a_long_text_is_refused_before_it_is_read() {
    for text in ["a".repeat(1 << 20), format!("https://{}", "[".repeat(1 << 20)), format!("https://example.com/{}", "ü".repeat(1 << 20))] {
        assert_eq!(DestinationPolicy::production().parse(&text).unwrap_err().class().as_str(), "url-length");
    }
}
