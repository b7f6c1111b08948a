//! Types: what cannot be made but by a policy, and what the policy must not lean on.

#![expect(clippy::disallowed_methods, reason = "this test reads the source")]

use std::fs;
use std::path::Path;

use gatepost::{CheckedAddress, CheckedTarget, Destination};

/// Does not compile where the type has one of the traits: then two items answer to the name.
macro_rules! assert_lacks {
    ($type:ty: $($trait:path),+ $(,)?) => {
        $(const _: fn() = || {
            trait Lacks<Marker> {
                fn item() {}
            }
            impl<T: ?Sized> Lacks<()> for T {}
            struct Has;
            impl<T: ?Sized + $trait> Lacks<Has> for T {}
            let _ = Has;
            let _ = <$type as Lacks<_>>::item;
        };)+
    };
}

assert_lacks!(CheckedAddress: Default, From<std::net::SocketAddr>, From<std::net::IpAddr>, serde::de::DeserializeOwned, std::str::FromStr);
assert_lacks!(CheckedTarget: Clone, Default, From<Destination>, serde::de::DeserializeOwned);
assert_lacks!(Destination: Default, From<String>, serde::de::DeserializeOwned, std::str::FromStr);

#[test]
fn nobody_but_a_policy_makes_what_is_dialed() {
    trybuild::TestCases::new().compile_fail("tests/destination/forbidden/*.rs");
}

#[test]
fn the_policy_has_its_own_table_and_asks_the_standard_library_for_no_verdict() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = vec![fs::read_to_string(folder.join("destination.rs")).unwrap()];
    for entry in fs::read_dir(folder.join("destination")).unwrap() {
        sources.push(fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    assert!(sources.len() > 5);
    let verdicts = [
        "benchmarking",
        "broadcast",
        "documentation",
        "global",
        "link_local",
        "loopback",
        "multicast",
        "private",
        "reserved",
        "shared",
        "unicast",
        "unicast_global",
        "unicast_link_local",
        "unique_local",
        "unspecified",
    ];
    for verdict in verdicts {
        let call = format!("is_{verdict}(");
        assert!(sources.iter().all(|source| !source.contains(&call)), "{call}");
    }
    let conversions = ["to_ipv4(", "to_ipv4_mapped(", "to_canonical("];
    assert!(conversions.iter().all(|call| sources.iter().all(|source| !source.contains(call))));
}
