//! Sender: who sends, as far as that tells whose a link is.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::hosts;

/// The names that an account sends under. Who runs the gateway vouches for them: a link to one of its domains is no reason for doubt,
/// unless it leads to a program.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sender {
    /// Its domains; each stands for every name under it.
    #[serde(default)]
    pub domains: Vec<SenderDomain>,
}

impl Sender {
    /// The most domains of one sender.
    pub const DOMAINS_MAX: usize = 50;

    /// Whether a host is the sender's.
    pub(super) fn owns(&self, host: &str) -> bool {
        // A domain is kept in Punycode, a host as it was written.
        let ascii = if host.is_ascii() { Cow::Borrowed(host) } else { idna::domain_to_ascii(host).map_or(Cow::Borrowed(host), Cow::Owned) };
        self.domains.iter().any(|domain| hosts::is_under(&ascii, &domain.0))
    }

    /// Whether a host is meant to be read as the sender's.
    pub(super) fn is_imitated_by(&self, host: &str) -> bool {
        let own = hosts::own_label(host);
        self.domains.iter().any(|domain| {
            let name = hosts::own_label(&domain.0);
            name == own && name.len() >= 5 || hosts::imitates(own, name)
        })
    }
}

/// A domain of a sender: a name with at least two labels, in small letters, Punycode for what is not ASCII.
///
/// Refused are addresses, the listed shorteners, pages of links and dynamic DNS, and the best-known names under which anybody can have their
/// own, such as `github.io`, `blogspot.com` and `me.uk`. The lists are short: whoever enters a domain still has to know that it is one sender's.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct SenderDomain(String);

impl SenderDomain {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SenderDomain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let name = idna::domain_to_ascii_strict(text.trim()).map_err(|_| InvalidDomain)?;
        let has_host = hosts::own_label(&name).len() >= 2 && !hosts::is_numeric(&name) && name.len() <= 253;
        // Whoever vouches for a shortener vouches for everybody.
        let is_shared =
            hosts::is_shared(&name) || hosts::is_shortener(&name) || hosts::is_link_in_bio(&name) || hosts::is_dynamic_dns(&name);
        if has_host && !is_shared { Ok(Self(name)) } else { Err(InvalidDomain) }
    }
}

impl TryFrom<String> for SenderDomain {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, InvalidDomain> {
        text.parse()
    }
}

impl From<SenderDomain> for String {
    fn from(domain: SenderDomain) -> Self {
        domain.0
    }
}

/// The text is no domain of one sender.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected a domain of the sender's own, for example `fernhill.example`: no address, no shortener, none of the known hosts that many share"
)]
pub struct InvalidDomain;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn a_domain_is_one_senders_own() {
        for (text, expected) in [
            ("fernhill.example", Some("fernhill.example")),
            (" Fernhill.Example ", Some("fernhill.example")),
            ("größe.example", Some("xn--gre-6ka8i.example")),
            ("example", None),
            ("co.uk", None),
            ("203.0.113.7", None),
            ("bit.ly", None),
            ("x.duckdns.org", None),
            ("github.io", None),
            ("WEB.app", None),
            ("blogspot.com", None),
            ("me.uk", None),
            ("fernhill.github.io", Some("fernhill.github.io")),
            ("a b.example", None),
            ("", None),
        ] {
            let domain = text.parse::<SenderDomain>();
            assert_eq!(domain.as_ref().ok().map(SenderDomain::as_str), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_near_a_domain_and_not_under_it_imitates_it() {
        let sender = Sender { domains: vec!["kestrelbank.example".parse().expect("a domain")] };
        assert!(sender.owns("kestrelbank.example") && sender.owns("pay.kestrelbank.example"));
        assert!(!sender.owns("evilkestrelbank.example"));
        let abroad = Sender { domains: vec!["größe.example".parse().expect("a domain")] };
        assert!(abroad.owns("größe.example") && abroad.owns("xn--gre-6ka8i.example") && !abroad.owns("grösse.example"));
        for host in ["kestre1bank.example", "kestrelbank.test", "kestrelbank-login.example"] {
            assert!(sender.is_imitated_by(host), "{host}");
        }
        assert!(!sender.is_imitated_by("lantern.example"));
    }
}
