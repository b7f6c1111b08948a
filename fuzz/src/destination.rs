//! Destination: what is read as a URL reads back the same and shows no sign of a trick; what is dialed is open, each address of it.

use std::net::IpAddr;

use gatepost::{Destination, DestinationHost, DestinationPolicy, RefusalClass};

use super::bytes::Bytes;

/// The bytes are a text that somebody typed, and also the addresses that a resolver answers with.
pub fn destination(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for policy in [DestinationPolicy::production(), DestinationPolicy::development()] {
        if let Ok(destination) = policy.parse(&text) {
            assert_eq!(policy.parse(destination.as_str()).as_ref(), Ok(&destination), "{text:?}");
            is_well_formed(&destination);
        }
    }
    answer(Bytes(bytes));
}

fn is_well_formed(destination: &Destination) {
    let scheme = if destination.is_https() { "https" } else { "http" };
    let (authority, tail) = (destination.authority(), destination.path_and_query());
    assert_eq!(destination.as_str(), format!("{scheme}://{authority}{tail}"));
    assert!(tail.starts_with('/') && destination.as_str().is_ascii());
    assert!(!authority.contains(['@', '%', '\\']) && !destination.as_str().contains([' ', '\\', '#']));
    assert_eq!(format!("{destination:?}"), format!("{scheme}://{}:{}", destination.host(), destination.port()));
    if let DestinationHost::Name(name) = destination.host() {
        assert!(name.as_str() == "localhost" || name.as_str().contains('.'));
        assert!(!name.as_str().ends_with('.') && name.as_str() == name.as_str().to_ascii_lowercase());
    }
}

fn answer(mut bytes: Bytes<'_>) {
    let policy = DestinationPolicy::production();
    let destination = policy.parse("https://hooks.example.com/").expect("a destination");
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        answers.push(address(&mut bytes));
    }
    let is_open = |address: &IpAddr| policy.judge(&destination, &[*address]).is_ok();
    match policy.judge(&destination, &answers) {
        Ok(target) => {
            let dialed: Vec<IpAddr> = target.addresses().iter().map(|address| address.socket_addr().ip()).collect();
            assert!((1..=16).contains(&dialed.len()) && answers.iter().all(is_open));
            assert!(dialed.iter().all(|address| answers.contains(address) && looks_global(address)), "{dialed:?}");
        }
        Err(refusal) if refusal.class() == RefusalClass::NoAddress => assert!(answers.is_empty()),
        Err(refusal) => {
            assert!(!answers.iter().all(is_open));
            assert_eq!(refusal.class() == RefusalClass::Mixed, answers.iter().any(is_open));
        }
    }
}

/// Seldom one that is drawn evenly: those near the blocks that are closed say more.
fn address(bytes: &mut Bytes<'_>) -> IpAddr {
    let v4 = bytes.number().to_be_bytes();
    match bytes.byte() % 4 {
        0 | 1 => v4.into(),
        2 => [[0x20, 1, bytes.byte(), bytes.byte()], [0; 4], [0; 4], v4]
            .concat()
            .try_into()
            .map(|octets: [u8; 16]| octets.into())
            .expect("16"),
        _ => [v4, [0; 4], [0; 4], bytes.number().to_be_bytes()].concat().try_into().map(|octets: [u8; 16]| octets.into()).expect("16"),
    }
}

/// The roughest of rules, from other words than the policy's.
fn looks_global(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !matches!(address.octets(), [0 | 10 | 127 | 224.., ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..])
        }
        IpAddr::V6(address) => (0x2000..0x4000).contains(&address.segments()[0]),
    }
}
