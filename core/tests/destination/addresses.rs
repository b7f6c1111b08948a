//! Addresses: every row of the corpora, the forms that hide an IPv4 address, and the set as a whole.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gatepost::{CheckedTarget, Destination, DestinationPolicy, Refusal, RefusalClass};
use proptest::prelude::*;
use proptest::sample::select;

use crate::rows::{Row, rows};

fn destination() -> Destination {
    DestinationPolicy::production().parse("https://hooks.example.com/in").unwrap()
}

fn judge(answers: &[&str]) -> Result<CheckedTarget, Refusal> {
    let answers: Vec<IpAddr> = answers.iter().map(|answer| answer.parse().unwrap()).collect();
    DestinationPolicy::production().judge(&destination(), &answers)
}

fn is_open(policy: &DestinationPolicy, address: impl Into<IpAddr>) -> bool {
    policy.judge(&destination(), &[address.into()]).is_ok()
}

fn dialed(target: &CheckedTarget) -> Vec<String> {
    target.addresses().iter().map(|address| address.socket_addr().to_string()).collect()
}

#[test]
fn every_address_has_the_verdict_of_its_row() {
    for Row { first: address, second: verdict } in rows(include_str!("../data/ssrf/ip_verdicts.tsv")) {
        assert_eq!(judge(&[&address]).is_ok(), verdict == "allow", "{address}");
    }
}

#[test]
fn a_typed_address_has_the_verdict_of_an_answer() {
    let policy = DestinationPolicy::production();
    for Row { first: address, .. } in rows(include_str!("../data/ssrf/ip_verdicts.tsv")) {
        let text = if address.contains(':') { format!("https://[{address}]/") } else { format!("https://{address}/") };
        let (typed, answered) = (policy.parse(&text), judge(&[&address]));
        assert_eq!(typed.map(drop).map_err(|refusal| refusal.class()), answered.map(drop).map_err(|refusal| refusal.class()), "{address}");
    }
}

/// The addresses of the metadata services, and whether a cloud provider runs them.
fn metadata_addresses() -> Vec<(IpAddr, bool)> {
    let rows = include_str!("../data/ssrf/metadata_hosts.txt").lines().filter(|row| row.starts_with("ipv"));
    rows.map(|row| row.split('\t').collect::<Vec<_>>())
        .map(|columns| (columns[1].parse().unwrap(), !columns[2].starts_with("Docker") && !columns[2].starts_with("Kubernetes API")))
        .collect()
}

#[test]
fn metadata_addresses_are_closed_and_no_setting_opens_a_provider() {
    for (address, is_provider) in metadata_addresses() {
        assert!(!is_open(&DestinationPolicy::production(), address), "{address}");
        for allow in [format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 }), format!("{address}/16")] {
            let allow: ipnet::IpNet = allow.parse().unwrap();
            for policy in [DestinationPolicy::production(), DestinationPolicy::development()] {
                let policy = policy.with_allow([allow.trunc()]).unwrap();
                assert_eq!(is_open(&policy, address), !is_provider, "{address} with {allow}");
            }
        }
    }
}

#[test]
fn metadata_names_are_refused_but_for_the_one_that_only_a_search_domain_completes() {
    for row in include_str!("../data/ssrf/metadata_hosts.txt").lines().filter(|row| row.starts_with("name")) {
        let name = row.split('\t').nth(1).unwrap().replace('*', "a.b");
        assert!(DestinationPolicy::production().parse(&format!("https://{name}/")).is_err(), "{name}");
    }
    assert!(DestinationPolicy::production().parse("https://kubernetes.default/").is_ok());
}

#[test]
fn one_forbidden_address_refuses_the_answer_wherever_it_stands() {
    for at in [0, 1, 16, 199] {
        let mut answers: Vec<IpAddr> = (0..200).map(|last| Ipv4Addr::new(151, 101, 1, last).into()).collect();
        answers[at] = Ipv4Addr::new(10, 0, 0, 5).into();
        let refusal = DestinationPolicy::production().judge(&destination(), &answers).unwrap_err();
        assert_eq!(refusal.class(), RefusalClass::Mixed);
        assert!(refusal.operator_detail().contains("10.0.0.5"), "{}", refusal.operator_detail());
    }
}

#[test]
fn an_answer_that_is_forbidden_as_a_whole_has_the_class_of_its_first_address() {
    assert_eq!(judge(&["192.168.1.1", "::1"]).unwrap_err().class(), RefusalClass::Ipv4Private);
}

#[test]
fn addresses_are_dialed_in_their_order_each_once_and_sixteen_at_most() {
    let target = judge(&["93.184.215.14", "2606:4700::1", "93.184.215.14"]).unwrap();
    assert_eq!(dialed(&target), ["93.184.215.14:443", "[2606:4700::1]:443"]);

    let answers: Vec<IpAddr> = (0..40).map(|number| Ipv4Addr::new(151, 101, 1, number / 2).into()).collect();
    let target = DestinationPolicy::production().judge(&destination(), &answers).unwrap();
    let expected: Vec<String> = (0..16).map(|last| format!("151.101.1.{last}:443")).collect();
    assert_eq!(dialed(&target), expected);
}

#[test]
fn an_answer_without_addresses_may_have_some_later() {
    let refusal = judge(&[]).unwrap_err();
    assert_eq!(refusal.class(), RefusalClass::NoAddress);
    let retryable: Vec<_> = RefusalClass::ALL.iter().filter(|class| class.is_retryable()).collect();
    assert_eq!(retryable, [&RefusalClass::NoAddress]);
}

#[test]
fn a_typed_address_is_judged_and_never_what_stands_beside_it() {
    let policy = DestinationPolicy::production();
    let destination = policy.parse("https://93.184.215.14:8443/").unwrap();
    let target = policy.judge(&destination, &["127.0.0.1".parse().unwrap()]).unwrap();
    assert_eq!(dialed(&target), ["93.184.215.14:8443"]);
    assert_eq!(target.destination(), &destination);
}

#[test]
fn what_another_policy_parsed_is_judged_by_this_one() {
    let production = DestinationPolicy::production();
    for (text, class) in [
        ("http://hooks.example.com:443/", RefusalClass::SchemeHttp),
        ("https://hooks.example.com:3000/", RefusalClass::Port),
        ("https://127.0.0.1/", RefusalClass::Ipv4Loopback),
    ] {
        let destination = DestinationPolicy::development().parse(text).unwrap();
        let refusal = production.judge(&destination, &["93.184.215.14".parse().unwrap()]).unwrap_err();
        assert_eq!(refusal.class(), class, "{text}");
    }
}

#[test]
fn loopback_is_dialed_in_development_and_nothing_else_that_is_closed() {
    let policy = DestinationPolicy::development();
    for open in ["127.0.0.1", "127.255.255.255", "::1", "93.184.215.14"] {
        assert!(is_open(&policy, open.parse::<IpAddr>().unwrap()), "{open}");
    }
    for (closed, is_closed) in rows(include_str!("../data/ssrf/ip_verdicts.tsv")).iter().map(|row| (&row.first, row.second == "deny")) {
        let address: IpAddr = closed.parse().unwrap();
        assert_eq!(is_open(&policy, address), !is_closed || address.is_loopback(), "{closed}");
    }
}

#[test]
fn every_forbidden_address_has_the_same_text_typed_or_resolved() {
    let mut texts: Vec<String> = Vec::new();
    for answers in [&["127.0.0.1"][..], &["10.1.2.3"], &["169.254.169.254"], &["::ffff:7f00:1"], &["93.184.215.14", "fd00::1"]] {
        let refusal = judge(answers).unwrap_err();
        assert!(answers.iter().any(|answer| refusal.operator_detail().contains(answer) || answer.starts_with("::ffff")));
        texts.push(refusal.to_string());
    }
    texts.push(DestinationPolicy::production().parse("https://127.0.0.1/").unwrap_err().to_string());
    let deny = DestinationPolicy::production().with_deny(["93.184.0.0/16".parse().unwrap()]).unwrap();
    texts.push(deny.judge(&destination(), &["93.184.215.14".parse().unwrap()]).unwrap_err().to_string());
    texts.dedup();
    assert_eq!(texts, ["the host is, or resolves to, an address that is not allowed"]);
}

/// The forms that hold an IPv4 address: mapped, compatible, translated, ISATAP, 6to4, Teredo, and NAT64 with each length of prefix.
fn hiding(address: Ipv4Addr) -> Vec<Ipv6Addr> {
    let bits = u128::from(address.to_bits());
    let upside_down = u128::from(!address.to_bits());
    let mut forms = vec![
        bits,
        0xffff << 32 | bits,
        0xffff << 48 | bits,
        0x5efe << 32 | bits,
        0x0200_5efe << 32 | bits,
        0xfe80 << 112 | 0x5efe << 32 | bits,
        0xfe80 << 112 | 0x0200_5efe << 32 | bits,
        0x2002 << 112 | bits << 80 | 1,
        0x2001 << 112 | 0x4136_e378 << 64 | 0x8000_63bf << 32 | upside_down,
        0x0064_ff9b << 96 | bits,
    ];
    forms.extend([48, 56, 64, 96].map(|length| 0x0064_ff9b_0001 << 80 | nat64(bits, length)));
    forms.extend([32, 40].map(|length| 0x0064_ff9b << 96 | 1 << 80 | nat64(bits, length)));
    forms.into_iter().map(Ipv6Addr::from_bits).collect()
}

/// Where RFC 6052 places the address in a prefix of this length: around bits 64 to 71.
fn nat64(bits: u128, length: u32) -> u128 {
    if length == 96 {
        return bits;
    }
    let placed = bits << (96 - length);
    let (high, low) = (placed >> 64 << 64, placed & u128::from(u64::MAX));
    high | low >> 8
}

#[test]
fn the_forms_are_those_of_the_standards() {
    let forms: Vec<String> = hiding(Ipv4Addr::new(192, 0, 2, 33)).iter().map(ToString::to_string).collect();
    for known in [
        "::c000:221",
        "::ffff:192.0.2.33",
        "::ffff:0:c000:221",
        "::200:5efe:c000:221",
        "fe80::5efe:c000:221",
        "2002:c000:221::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdde",
        "64:ff9b::c000:221",
        "64:ff9b:1:c000:2:2100::",
        "64:ff9b:1:c0:0:221::",
        "64:ff9b:1:0:c0:2:2100:0",
    ] {
        assert!(forms.iter().any(|form| form == known), "{known} in {forms:#?}");
    }
}

/// A translator's prefix of this length, and an answer in it that holds the address.
fn translated(address: Ipv4Addr, length: u32) -> (DestinationPolicy, Ipv6Addr) {
    let prefix = 0x2a00_1450_00aa_00bb_u128 << 64;
    let prefix = prefix >> (128 - length) << (128 - length);
    let net = ipnet::Ipv6Net::new(prefix.into(), length as u8).unwrap();
    let policy = DestinationPolicy::production().with_nat64([net.into()]).unwrap();
    (policy, Ipv6Addr::from_bits(prefix | nat64(u128::from(address.to_bits()), length)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_outside_global_unicast_is_open(bits: u128) {
        let address = Ipv6Addr::from_bits(bits);
        let is_global = bits >> 125 == 1;
        prop_assert!(is_global || !is_open(&DestinationPolicy::production(), address), "{}", address);
    }

    #[test]
    fn no_form_of_an_ipv4_address_in_ipv6_is_open(bits: u32) {
        for form in hiding(Ipv4Addr::from_bits(bits)) {
            prop_assert!(!is_open(&DestinationPolicy::production(), form), "{}", form);
            let wide = ipnet::Ipv6Net::new(form, 16).unwrap().trunc();
            let policy = DestinationPolicy::production().with_allow([wide.into()]).unwrap();
            prop_assert!(!is_open(&policy, form), "{} with {}", form, wide);
        }
    }

    #[test]
    fn an_answer_of_a_translator_has_the_verdict_of_the_address_inside(bits: u32, length in select(vec![32, 40, 48, 56, 64, 96])) {
        let inside = Ipv4Addr::from_bits(bits);
        let (policy, answer) = translated(inside, length);
        prop_assert_eq!(is_open(&policy, answer), is_open(&policy, inside));
        let typed = format!("https://[{answer}]/");
        prop_assert!(policy.parse(&typed).is_err());
    }

    #[test]
    fn the_octet_that_a_translator_skips_is_zero(bits: u32, octet in 1_u128..=255, length in select(vec![32, 40, 48, 56, 64])) {
        let (policy, answer) = translated(Ipv4Addr::from_bits(bits), length);
        let odd = Ipv6Addr::from_bits(answer.to_bits() | octet << 56);
        prop_assert!(!is_open(&policy, odd), "{}", odd);
    }
}
