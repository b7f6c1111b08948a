//! Names: the hosts that no public receiver has.
//!
//! A name that passes is still only a name: what decides is the address that it resolves to. These tables say no early, and they keep
//! search domains and resolvers of other networks out of it. The sources: the special-use domain names of IANA (RFC 6761 and its
//! successors), the top-level domains that ICANN keeps free for internal use (`internal`, and `corp`, `home`, `mail` for collisions) and
//! those of RFC 6762, appendix G; the names of peer-to-peer networks; the documentation of cloud providers and container hosts.

use super::RefusalClass::{self, *};

/// Names that stand alone.
const WHOLE_NAMES: &[(&str, RefusalClass)] = &[
    ("data-server", MetadataName),
    ("example", NameReservedTld),
    ("instance-data", MetadataName),
    ("internal", NameInternal),
    ("invalid", NameReservedTld),
    ("ip6-localhost", NameLocalhost),
    ("ip6-loopback", NameLocalhost),
    ("kubernetes", NameK8s),
    ("local", NameLocal),
    ("localhost", NameLocalhost),
    ("localhost.localdomain", NameLocalhost),
    ("localhost4", NameLocalhost),
    ("localhost4.localdomain4", NameLocalhost),
    ("localhost6", NameLocalhost),
    ("localhost6.localdomain6", NameLocalhost),
    ("loopback", NameLocalhost),
    ("metadata", MetadataName),
    ("onion", NameOnion),
    ("rancher-metadata", MetadataName),
    ("test", NameReservedTld),
];

/// Names with everything below them; the first that fits names the class.
const DOMAINS: &[(&str, RefusalClass)] = &[
    ("api.metadata.cloud.ibm.com", MetadataName),
    ("compute.internal", MetadataName),
    ("ec2.internal", MetadataName),
    ("metadata.amazonaws.com", MetadataName),
    ("metadata.azure.com", MetadataName),
    ("metadata.azure.internal", MetadataName),
    ("metadata.goog", MetadataName),
    ("metadata.google.internal", MetadataName),
    ("metadata.oraclecloud.com", MetadataName),
    ("metadata.packet.net", MetadataName),
    ("metadata.platformequinix.com", MetadataName),
    ("metadata.tencentyun.com", MetadataName),
    ("cluster.local", NameK8s),
    ("svc", NameK8s),
    ("containers.internal", NameDocker),
    ("docker", NameDocker),
    ("docker.for.mac.host.internal", NameDocker),
    ("docker.for.mac.localhost", NameDocker),
    ("docker.for.win.host.internal", NameDocker),
    ("docker.for.win.localhost", NameDocker),
    ("docker.internal", NameDocker),
    ("k3d.internal", NameDocker),
    ("lima.internal", NameDocker),
    ("minikube.internal", NameDocker),
    ("orb.internal", NameDocker),
    ("rancher-desktop.internal", NameDocker),
    ("localhost", NameLocalhost),
    ("local", NameLocal),
    ("localdomain", NameLocal),
    ("home.arpa", NameInternal),
    ("arpa", NameArpa),
    ("consul", NameInternal),
    ("corp", NameInternal),
    ("home", NameInternal),
    ("internal", NameInternal),
    ("intranet", NameInternal),
    ("lan", NameInternal),
    ("mail", NameInternal),
    ("private", NameInternal),
    ("alt", NameOnion),
    ("bit", NameOnion),
    ("exit", NameOnion),
    ("gnu", NameOnion),
    ("i2p", NameOnion),
    ("onion", NameOnion),
    ("zkey", NameOnion),
    ("example", NameReservedTld),
    ("invalid", NameReservedTld),
    ("test", NameReservedTld),
];

const LABEL_BYTES_MAX: usize = 63;
const NAME_BYTES_MAX: usize = 253;

/// What speaks against a name, which is in lower case and A-labels.
pub(super) fn find_fault(name: &str) -> Option<RefusalClass> {
    let special = find_special(name.strip_suffix('.').unwrap_or(name));
    if special == Some(MetadataName) {
        return special;
    }
    find_malformed(name).or(special).or_else(|| find_incomplete(name))
}

/// Whether an operator may open the name, which is in lower case and A-labels: any that a host can have, but those of a cloud's metadata
/// and of this machine.
pub(super) fn may_be_opened(name: &str) -> bool {
    let is_written_so = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte));
    let is_closed_for_good = matches!(find_special(name), Some(MetadataName | NameLocalhost));
    is_written_so && !is_closed_for_good && find_malformed(name).is_none() && !super::ipv4::is_meant(name)
}

fn find_malformed(name: &str) -> Option<RefusalClass> {
    if name.split('.').any(str::is_empty) {
        Some(NameTrailingDot)
    } else if name.len() > NAME_BYTES_MAX || name.split('.').any(|label| label.len() > LABEL_BYTES_MAX) {
        Some(NameLength)
    } else {
        name.split('.').any(|label| label.starts_with('-') || label.ends_with('-')).then_some(LabelHyphen)
    }
}

fn find_special(name: &str) -> Option<RefusalClass> {
    let whole = WHOLE_NAMES.iter().find(|(known, _)| *known == name);
    let below = || DOMAINS.iter().find(|(domain, _)| name.contains('.') && is_in(name, domain));
    whole.or_else(below).map(|(_, class)| *class)
}

/// Whether the name is the domain, or lies below it: suffixes count on the boundary of a label only.
fn is_in(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn find_incomplete(name: &str) -> Option<RefusalClass> {
    let Some((_, last)) = name.rsplit_once('.') else { return Some(NameSingleLabel) };
    let is_alphabetic = last.len() >= 2 && last.bytes().all(|letter| letter.is_ascii_alphabetic());
    (!is_alphabetic && !last.starts_with("xn--")).then_some(NameTldForm)
}
