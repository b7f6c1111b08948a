//! Key: whether a call of the trunk or of the CRM template may enter.
//!
//! As at the [gate of the webhook](crate::webhook::Gate), every check is made whatever came before, so that neither the answer nor its time
//! tells an unknown integration from a wrong key.

use std::net::IpAddr;

use gatepost::Secret;
use ipnet::IpNet;

use crate::webhook::{NotAdmitted, is_allowed, is_same};

/// Lets in what shows a key, and comes from where it may.
#[derive(Clone, Debug)]
pub struct KeyGate {
    key: Secret,
    networks: Vec<IpNet>,
    closed: Option<NotAdmitted>,
}

impl KeyGate {
    /// Lets in what shows this key.
    pub const fn new(key: Secret) -> Self {
        Self { key, networks: Vec::new(), closed: None }
    }

    /// Lets in only what comes from one of these networks; from anywhere where there is none.
    #[must_use]
    pub fn from_networks(self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self { networks: networks.into_iter().collect(), ..self }
    }

    /// Lets in nothing, for this reason, in the same time.
    #[must_use]
    pub fn closed(self, why: NotAdmitted) -> Self {
        Self { closed: Some(why), ..self }
    }

    /// The gate of an integration that does not exist.
    pub fn nowhere() -> Self {
        Self::new(Secret::from("")).closed(NotAdmitted::UnknownIntegration)
    }

    /// Whether a call that shows this key may enter.
    ///
    /// # Errors
    ///
    /// Says why not; nobody but the operator may be told.
    pub fn admit(&self, shown: Option<&[u8]>, peer: IpAddr) -> Result<(), NotAdmitted> {
        let is_known = is_same(&self.key, shown.unwrap_or_default());
        let is_allowed = is_allowed(&self.networks, peer);
        let checks = [
            self.closed.map_or(Ok(()), Err),
            shown.map(drop).ok_or(NotAdmitted::SecretMissing),
            if is_known { Ok(()) } else { Err(NotAdmitted::SecretWrong) },
            if is_allowed { Ok(()) } else { Err(NotAdmitted::PeerNotAllowed) },
        ];
        checks.into_iter().collect()
    }
}

/// The token of an `Authorization: Bearer` header, whose scheme is written in any case (RFC 9110, section 11.1).
///
/// ```
/// use gatepost_threecx::bearer;
///
/// assert_eq!(bearer(b"bearer 3cxsms_0a"), Some(b"3cxsms_0a".as_slice()));
/// assert_eq!(bearer(b"Basic 3cxsms_0a"), None);
/// ```
pub fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be made fails its test")]
mod tests {
    use super::*;

    const KEY: &str = "3cxsms_0b54";

    fn peer() -> IpAddr {
        "192.0.2.7".parse().unwrap()
    }

    #[test]
    fn who_shows_the_key_is_let_in_and_nobody_else() {
        let gate = KeyGate::new(Secret::from(KEY));
        assert_eq!(gate.admit(Some(KEY.as_bytes()), peer()), Ok(()));
        for wrong in ["", "3cxsms_0b5", "3cxsms_0b54 ", "3CXSMS_0B54"] {
            assert_eq!(gate.admit(Some(wrong.as_bytes()), peer()), Err(NotAdmitted::SecretWrong), "{wrong}");
        }
        assert_eq!(gate.admit(None, peer()), Err(NotAdmitted::SecretMissing));
    }

    #[test]
    fn a_closed_gate_one_that_is_nowhere_and_one_for_others_let_nobody_in() {
        let gate = KeyGate::new(Secret::from(KEY));
        let shown = Some(KEY.as_bytes());
        assert_eq!(gate.clone().closed(NotAdmitted::Disabled).admit(shown, peer()), Err(NotAdmitted::Disabled));
        assert_eq!(KeyGate::nowhere().admit(Some(b""), peer()), Err(NotAdmitted::UnknownIntegration));
        assert_eq!(KeyGate::new(Secret::from("")).admit(Some(b""), peer()), Err(NotAdmitted::SecretWrong));
        let elsewhere = gate.from_networks(["198.51.100.0/24".parse().unwrap()]);
        assert_eq!(elsewhere.admit(shown, peer()), Err(NotAdmitted::PeerNotAllowed));
    }
}
