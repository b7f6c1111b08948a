//! Settings: what an operator can open and close, and what is refused as a setting.

use std::net::IpAddr;

use gatepost::{AddressFamilies, DestinationPolicy, InvalidDestinationPolicy, RefusalClass};
use ipnet::IpNet;

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn class_of(policy: &DestinationPolicy, answers: &[&str]) -> Option<RefusalClass> {
    let destination = policy.parse("https://hooks.example.com/").unwrap();
    let answers: Vec<IpAddr> = answers.iter().map(|answer| answer.parse().unwrap()).collect();
    policy.judge(&destination, &answers).err().map(|refusal| refusal.class())
}

#[test]
fn what_the_operator_allows_is_open_and_what_lies_beside_it_is_not() {
    let policy = DestinationPolicy::production().with_allow(nets(&["10.20.0.0/16", "fd12:3456::/32"])).unwrap();
    assert_eq!(class_of(&policy, &["10.20.0.7"]), None);
    assert_eq!(class_of(&policy, &["fd12:3456::1"]), None);
    assert_eq!(class_of(&policy, &["10.20.0.7", "93.184.215.14"]), None);
    assert_eq!(class_of(&policy, &["10.21.0.7"]), Some(RefusalClass::Ipv4Private));
    assert_eq!(class_of(&policy, &["::ffff:10.20.0.7"]), Some(RefusalClass::Ipv6V4mapped));
    assert_eq!(class_of(&policy, &["fd12:3456::5efe:10.20.0.7"]), Some(RefusalClass::Ipv6Isatap));
    assert!(policy.parse("https://10.20.0.7/").is_ok());
    assert!(policy.warnings().is_empty());
}

#[test]
fn what_the_operator_denies_is_closed_though_it_is_public_or_allowed() {
    let policy = DestinationPolicy::production().with_allow(nets(&["10.20.0.0/16"])).unwrap();
    let policy = policy.with_deny(nets(&["151.101.0.0/16", "10.20.0.9/32", "2a04:4e42::/32"])).unwrap();
    for answer in ["151.101.1.140", "10.20.0.9", "2a04:4e42::396"] {
        assert_eq!(class_of(&policy, &[answer]), Some(RefusalClass::OperatorDeny), "{answer}");
    }
    assert_eq!(policy.parse("https://151.101.1.140/").unwrap_err().class(), RefusalClass::OperatorDeny);
    assert_eq!(class_of(&policy, &["10.20.0.8"]), None);
}

#[test]
fn a_name_that_the_operator_opens_is_a_host_and_its_answers_are_judged() {
    let plain = DestinationPolicy::production();
    let names = || ["evolution.internal", "evolution"].map(str::to_owned);
    let policy = plain.clone().with_allow(nets(&["10.20.0.0/16"])).unwrap().with_names(names()).unwrap();
    let judged = |host: &str, answer: &str| {
        let destination = policy.parse(&format!("https://{host}/")).map_err(|refusal| refusal.class())?;
        policy.judge(&destination, &[answer.parse().unwrap()]).map(drop).map_err(|refusal| refusal.class())
    };
    for host in ["evolution.internal", "Evolution.Internal", "evolution"] {
        assert!(plain.parse(&format!("https://{host}/")).is_err(), "{host}");
        assert_eq!((judged(host, "10.20.0.7"), judged(host, "10.21.0.7")), (Ok(()), Err(RefusalClass::Ipv4Private)), "{host}");
    }
    assert_eq!(judged("other.internal", "10.20.0.7"), Err(RefusalClass::NameInternal));
    assert_eq!(judged("a.evolution.internal", "10.20.0.7"), Err(RefusalClass::NameInternal));
    assert_ne!(policy.generation(), plain.with_allow(nets(&["10.20.0.0/16"])).unwrap().generation());
}

#[test]
fn names_of_this_machine_and_of_metadata_cannot_be_opened() {
    for name in
        ["localhost", "a.localhost", "metadata.google.internal", "metadata", "10.0.0.1", "UPPER.internal", "a..b", "-a.b", "a b", ""]
    {
        let refused = DestinationPolicy::production().with_names([name.to_owned()]);
        assert_eq!(refused, Err(InvalidDestinationPolicy::Names), "{name}");
    }
}

#[test]
fn what_nobody_can_open_stays_closed_and_the_start_says_so() {
    let allow = ["127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/8", "fd00:ec2::/32", "fe80::/16", "::/16", "64:ff9b::/96"];
    let policy = DestinationPolicy::production().with_allow(nets(&allow)).unwrap();
    for answer in ["127.0.0.1", "169.254.1.1", "224.0.0.251", "fd00:ec2::254", "fe80::1", "::1", "::ffff:10.0.0.1", "64:ff9b::808:808"] {
        assert_eq!(class_of(&policy, &[answer]), Some(RefusalClass::HardDeny), "{answer}");
    }
    let warnings = policy.warnings();
    for closed in ["127.0.0.0/8", "169.254.169.254/32", "fd00:ec2::254/128", "fe80::/10", "::ffff:0.0.0.0/96"] {
        assert!(warnings.iter().any(|warning| warning.contains(closed)), "{closed} in {warnings:#?}");
    }
    let loopback = DestinationPolicy::development().with_allow(nets(&["127.0.0.0/8"])).unwrap();
    assert!(loopback.warnings().is_empty());
}

#[test]
fn a_setting_that_cannot_be_meant_is_refused() {
    let policy = DestinationPolicy::production;
    let said = [
        policy().with_allow(nets(&["0.0.0.0/0"])),
        policy().with_allow(nets(&["10.0.0.0/7"])),
        policy().with_allow(nets(&["fc00::/15"])),
        policy().with_allow(nets(&["10.1.2.3/8"])),
        policy().with_deny(nets(&["151.101.1.140/16"])),
        policy().with_nat64(nets(&["10.0.0.0/32"])),
        policy().with_nat64(nets(&["64:ff9b::/80"])),
        policy().with_nat64(nets(&["64:ff9b::1/96"])),
        policy().with_nat64(nets(&["2a00:0:0:0:ff00::/96"])),
        policy().with_nat64(nets(&["fe80::/96"])),
        policy().with_nat64(nets(&["::ffff:0:0/96"])),
        policy().with_nat64(nets(&["2002::/32"])),
        policy().with_ports([]),
        policy().with_ports([443, 0]),
    ];
    let said: Vec<String> = said.into_iter().map(|built| built.unwrap_err().to_string()).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    `allow`: expected a prefix of at least 8 bits in place of `0.0.0.0/0`
    `allow`: expected a prefix of at least 8 bits in place of `10.0.0.0/7`
    `allow`: expected a prefix of at least 16 bits in place of `fc00::/15`
    `allow`: expected `10.0.0.0/8` in place of `10.1.2.3/8`, whose address goes beyond its prefix
    `deny`: expected `151.101.0.0/16` in place of `151.101.1.140/16`, whose address goes beyond its prefix
    `nat64`: expected an IPv6 prefix of a translator, 32, 40, 48, 56, 64 or 96 bits long, for example `64:ff9b::/96`, in place of `10.0.0.0/32`
    `nat64`: expected an IPv6 prefix of a translator, 32, 40, 48, 56, 64 or 96 bits long, for example `64:ff9b::/96`, in place of `64:ff9b::/80`
    `nat64`: expected `64:ff9b::/96` in place of `64:ff9b::1/96`, whose address goes beyond its prefix
    `nat64`: expected an IPv6 prefix of a translator, 32, 40, 48, 56, 64 or 96 bits long, for example `64:ff9b::/96`, in place of `2a00::ff00:0:0:0/96`
    `nat64`: expected an IPv6 prefix of a translator, 32, 40, 48, 56, 64 or 96 bits long, for example `64:ff9b::/96`, in place of `fe80::/96`
    `nat64`: expected an IPv6 prefix of a translator, 32, 40, 48, 56, 64 or 96 bits long, for example `64:ff9b::/96`, in place of `::ffff:0.0.0.0/96`
    `nat64`: expected an IPv6 prefix of a translator, 32, 40, 48, 56, 64 or 96 bits long, for example `64:ff9b::/96`, in place of `2002::/32`
    `ports`: expected ports from 1 to 65535, at least one
    `ports`: expected ports from 1 to 65535, at least one
    ");
    assert!(policy().with_allow(nets(&["10.0.0.0/8", "fd00::/16"])).is_ok());
    assert!(policy().with_deny(nets(&["0.0.0.0/0"])).is_ok());
}

#[test]
fn every_length_of_a_translators_prefix_but_the_six_is_refused() {
    for length in 0..=128 {
        let prefix = IpNet::new("2a00:1450::".parse().unwrap(), length).unwrap().trunc();
        let built = DestinationPolicy::production().with_nat64([prefix]);
        assert_eq!(built.is_ok(), [32, 40, 48, 56, 64, 96].contains(&length), "{prefix}");
    }
}

#[test]
fn an_answer_of_a_translator_is_judged_by_the_address_inside() {
    let policy = DestinationPolicy::production().with_nat64(nets(&["64:ff9b::/96"])).unwrap();
    assert_eq!(class_of(&policy, &["64:ff9b::5db8:d70e"]), None);
    assert_eq!(class_of(&policy, &["64:ff9b::7f00:1"]), Some(RefusalClass::Ipv4Loopback));
    assert_eq!(class_of(&policy, &["64:ff9b::a9fe:a9fe"]), Some(RefusalClass::MetadataIp));
    assert_eq!(class_of(&policy, &["64:ff9b:1::5db8:d70e"]), Some(RefusalClass::Ipv6Nat64Local));
    assert_eq!(policy.parse("https://[64:ff9b::5db8:d70e]/").unwrap_err().class(), RefusalClass::Ipv6Nat64);

    let policy = policy.with_allow(nets(&["10.20.0.0/16"])).unwrap().with_deny(nets(&["93.184.0.0/16", "64:ff9b::101:101/128"])).unwrap();
    assert_eq!(class_of(&policy, &["64:ff9b::a14:7"]), None);
    assert_eq!(class_of(&policy, &["64:ff9b::5db8:d70e"]), Some(RefusalClass::OperatorDeny));
    assert_eq!(class_of(&policy, &["64:ff9b::101:101"]), Some(RefusalClass::OperatorDeny));
}

#[test]
fn a_providers_address_stays_closed_in_a_translators_prefix() {
    let policy = DestinationPolicy::production().with_nat64(nets(&["fd00:100::/96"])).unwrap();
    assert_eq!(class_of(&policy, &["fd00:100::0808:0808"]), None);
    assert_eq!(class_of(&policy, &["fd00:100::100:200"]), Some(RefusalClass::MetadataIp));
}

#[test]
fn ports_are_those_of_the_setting() {
    let policy = DestinationPolicy::production().with_ports([9443, 443]).unwrap();
    assert!(policy.parse("https://example.com:9443/").is_ok());
    let refusal = policy.parse("https://example.com:8443/").unwrap_err();
    assert_eq!((refusal.class(), refusal.to_string().as_str()), (RefusalClass::Port, "expected a port that is allowed: 443, 9443"));
    let development = DestinationPolicy::development().with_ports([3000]).unwrap();
    assert!(development.parse("http://localhost:3000/").is_ok() && development.parse("http://localhost:3001/").is_err());
}

#[test]
fn addresses_of_the_other_version_of_ip_are_judged_and_not_dialed() {
    let policy = DestinationPolicy::production().with_families(AddressFamilies::V4);
    assert_eq!(class_of(&policy, &["2606:2800:21f:cb07:6820:80da:af6b:8b2c"]), Some(RefusalClass::NoAddress));
    assert_eq!(class_of(&policy, &["93.184.215.14", "::1"]), Some(RefusalClass::Mixed));
    let destination = policy.parse("https://hooks.example.com/").unwrap();
    let target = policy.judge(&destination, &["2606:4700::1".parse().unwrap(), "93.184.215.14".parse().unwrap()]).unwrap();
    assert_eq!(target.addresses().len(), 1);
    assert!(target.addresses()[0].socket_addr().is_ipv4());
    assert_eq!(
        class_of(&DestinationPolicy::production().with_families(AddressFamilies::V6), &["93.184.215.14"]),
        Some(RefusalClass::NoAddress)
    );
}

#[test]
fn addresses_in_place_of_names_can_be_refused() {
    let policy = DestinationPolicy::production().without_address_literals();
    for text in ["https://93.184.215.14/", "https://[2606:4700::1]/", "https://127.0.0.1/"] {
        assert_eq!(policy.parse(text).unwrap_err().class(), RefusalClass::AddressLiteral, "{text}");
    }
    assert_eq!(class_of(&policy, &["93.184.215.14"]), None);
}

#[test]
fn the_generation_follows_from_the_contents_and_from_nothing_else() {
    let production = DestinationPolicy::production;
    let policies = [
        production(),
        DestinationPolicy::development(),
        production().with_ports([443]).unwrap(),
        production().with_allow(nets(&["10.0.0.0/8"])).unwrap(),
        production().with_deny(nets(&["10.0.0.0/8"])).unwrap(),
        production().with_nat64(nets(&["64:ff9b::/96"])).unwrap(),
        production().with_families(AddressFamilies::V4),
        production().without_address_literals(),
    ];
    for (index, policy) in policies.iter().enumerate() {
        assert!(policies[..index].iter().all(|other| other.generation() != policy.generation()), "{policy}");
    }
    let twice = |blocks: &[&str]| production().with_allow(nets(blocks)).unwrap();
    assert_eq!(twice(&["10.0.0.0/8", "172.16.0.0/12"]), twice(&["172.16.0.0/12", "10.0.0.0/8", "10.0.0.0/8"]));
    let reset = production().with_ports([443]).unwrap().with_ports([8443, 443]).unwrap();
    assert_eq!(reset.generation(), production().generation());
}

#[test]
fn the_start_can_say_what_holds() {
    let policy = DestinationPolicy::production().with_allow(nets(&["10.20.0.0/16", "fd12::/16"])).unwrap();
    let policy = policy.with_deny(nets(&["151.101.0.0/16"])).unwrap().with_nat64(nets(&["64:ff9b::/96"])).unwrap();
    let said = [DestinationPolicy::production(), DestinationPolicy::development(), policy].map(|policy| policy.to_string());
    insta::assert_snapshot!(said.join("\n"), @r"
    https; names and addresses; IPv4 and IPv6; ports 443, 8443; allow none; deny none; nat64 none; registries of 2025-10-09
    http and https, loopback open; names and addresses; IPv4 and IPv6; ports 1 to 65535; allow none; deny none; nat64 none; registries of 2025-10-09
    https; names and addresses; IPv4 and IPv6; ports 443, 8443; allow 10.20.0.0/16, fd12::/16; deny 151.101.0.0/16; nat64 64:ff9b::/96; registries of 2025-10-09
    ");
}

#[test]
fn a_refused_setting_says_which_one_it_is() {
    let built = DestinationPolicy::production().with_allow(nets(&["10.1.0.0/8"]));
    let (block, meant) = ("10.1.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap());
    assert_eq!(built, Err(InvalidDestinationPolicy::HostBits { field: "allow", block, meant }));
}
