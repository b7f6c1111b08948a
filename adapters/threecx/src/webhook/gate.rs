//! Gate: whether a webhook comes from the phone system that knows an integration's secret.
//!
//! Whoever is not admitted learns nothing: all reasons but one are answered alike, and every check is made whatever came before, so that
//! neither the answer nor its time tells an unknown integration from a wrong secret. The one exception is a body that is too long, which
//! only who shows the secret is told.

use std::net::IpAddr;
use std::time::Duration;

use gatepost::{SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER, Timestamp};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The header that holds the integration's secret.
pub const SECRET_HEADER: &str = "X-WhatsApp-Gateway-3CX-Secret";
/// The longest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// How far a request's time may be from the clock, either way.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
const PREFIX: &str = "sha256=";

/// Lets in what shows an integration's secret, comes from where it may, and is signed where it must be.
#[derive(Clone, Debug)]
pub struct Gate {
    secret: Secret,
    networks: Vec<IpNet>,
    must_be_signed: bool,
    closed: Option<NotAdmitted>,
}

/// What a request shows of itself.
#[derive(Clone, Copy)]
pub struct Shown<'a, N, V> {
    /// All its headers, in any order and case.
    pub headers: &'a [(N, V)],
    /// Where it comes from, as trusted proxies say.
    pub peer: IpAddr,
    /// Its body.
    pub body: Body<'a>,
}

/// A body, as far as it was read.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// It is longer than [`BODY_BYTES_MAX`].
    TooLong,
    /// The bytes as they came.
    Whole(&'a [u8]),
}

impl Gate {
    /// Lets in what shows this secret.
    pub const fn new(secret: Secret) -> Self {
        Self { secret, networks: Vec::new(), must_be_signed: false, closed: None }
    }

    /// Lets in only what comes from one of these networks; from anywhere where there is none.
    #[must_use]
    pub fn from_networks(self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self { networks: networks.into_iter().collect(), ..self }
    }

    /// Lets in only what is signed, if so. What has a signature or a time is always checked.
    #[must_use]
    pub fn signed(self, must_be_signed: bool) -> Self {
        Self { must_be_signed, ..self }
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

    /// Whether a request may enter.
    ///
    /// # Errors
    ///
    /// Says why not. Only [`NotAdmitted::TooLong`] may be told to the other side.
    pub fn admit<N: AsRef<str>, V: AsRef<[u8]>>(&self, shown: &Shown<'_, N, V>, now: Timestamp) -> Result<(), NotAdmitted> {
        let [secret, timestamp, signature] = [SECRET_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER].map(|name| header(shown.headers, name));
        let body = match shown.body {
            Body::TooLong => &[],
            Body::Whole(body) => body,
        };
        let is_too_long = matches!(shown.body, Body::TooLong) || body.len() > BODY_BYTES_MAX;
        // All of them are made before any is looked at.
        let checks = [
            self.closed.map_or(Ok(()), Err),
            self.check_secret(secret),
            if is_too_long { Err(NotAdmitted::TooLong) } else { Ok(()) },
            self.check_peer(shown.peer),
            check_time(timestamp, now),
            self.check_signature(timestamp, signature, body),
        ];
        checks.into_iter().collect()
    }

    fn check_secret(&self, shown: Header<'_>) -> Result<(), NotAdmitted> {
        let is_known = is_same(&self.secret, shown.unwrap_or_default().unwrap_or_default());
        match shown? {
            None => Err(NotAdmitted::SecretMissing),
            Some(_) if is_known => Ok(()),
            Some(_) => Err(NotAdmitted::SecretWrong),
        }
    }

    fn check_peer(&self, peer: IpAddr) -> Result<(), NotAdmitted> {
        if is_allowed(&self.networks, peer) { Ok(()) } else { Err(NotAdmitted::PeerNotAllowed) }
    }

    /// Without a time there is nothing that a signature could bind to its moment.
    fn check_signature(&self, timestamp: Header<'_>, signature: Header<'_>, body: &[u8]) -> Result<(), NotAdmitted> {
        let signed = [timestamp.unwrap_or_default().unwrap_or_default(), b".", body];
        let digits = signature.unwrap_or_default().unwrap_or_default();
        let is_genuine = self.secret.has_signed(&signed, digits.strip_prefix(PREFIX.as_bytes()).unwrap_or(digits));
        match (timestamp?, signature?, is_genuine) {
            (_, None, _) if self.must_be_signed => Err(NotAdmitted::SignatureMissing),
            (_, None, _) | (Some(_), Some(_), Some(true)) => Ok(()),
            (None, Some(_), _) => Err(NotAdmitted::TimestampMissing),
            (Some(_), Some(_), Some(false)) => Err(NotAdmitted::SignatureWrong),
            (Some(_), Some(_), None) => Err(NotAdmitted::SignatureMalformed),
        }
    }
}

/// Whether this is the secret; an empty one is nobody's. Digests have one length, so that comparing does not tell the secret's.
pub(crate) fn is_same(secret: &Secret, shown: &[u8]) -> bool {
    let [expected, found] = [secret.expose().as_bytes(), shown].map(Sha256::digest);
    bool::from(expected.ct_eq(&found)) & !secret.expose().is_empty()
}

/// Whether something may come from there.
pub(crate) fn is_allowed(networks: &[IpNet], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    networks.is_empty() || networks.iter().any(|network| network.contains(&peer))
}

/// The signature of a body at a time, as phone systems may send it: `sha256=` and the digits.
///
/// ```
/// use gatepost::Secret;
/// use gatepost_threecx::webhook::sign;
///
/// let signature = sign(&Secret::from("a-secret"), "1795500000", b"{}");
/// assert_eq!(signature.len(), "sha256=".len() + 64);
/// ```
pub fn sign(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    [PREFIX, &secret.hmac_hex(&[timestamp.as_bytes(), b".", body])].concat()
}

/// A header's value, where it is there; an error where it comes twice, since whoever reads the other one would be deceived.
type Header<'a> = Result<Option<&'a [u8]>, NotAdmitted>;

fn header<'a, N: AsRef<str>, V: AsRef<[u8]>>(headers: &'a [(N, V)], name: &str) -> Header<'a> {
    let mut found = headers.iter().filter(|(known, _)| known.as_ref().eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref());
    let first = found.next();
    if found.next().is_some() { Err(NotAdmitted::Repeated) } else { Ok(first) }
}

/// A time that is shown must be of now, signed or not: RFC 3339 or seconds since 1970.
fn check_time(shown: Header<'_>, now: Timestamp) -> Result<(), NotAdmitted> {
    let Some(text) = shown? else { return Ok(()) };
    let text = std::str::from_utf8(text).map_err(|_| NotAdmitted::TimestampMalformed)?;
    let seconds = text.parse().ok().map(|seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1_000)));
    let at = seconds.or_else(|| text.parse().ok()).ok_or(NotAdmitted::TimestampMalformed)?;
    // One of the two is zero.
    if now.since(at).max(at.since(now)) > TOLERANCE { Err(NotAdmitted::Stale) } else { Ok(()) }
}

/// Why a request is not let in. It repeats nothing of the request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum NotAdmitted {
    /// The integration is switched off.
    #[error("the integration is disabled")]
    Disabled,
    /// It comes from elsewhere.
    #[error("the address that it comes from is not allowed")]
    PeerNotAllowed,
    /// A header comes twice.
    #[error("expected each header of the webhook once")]
    Repeated,
    /// It is not signed, and must be.
    #[error("expected the header `X-WhatsApp-Gateway-Signature`")]
    SignatureMissing,
    /// The signature is none.
    #[error("expected 64 hexadecimal digits in `X-WhatsApp-Gateway-Signature`, with or without `sha256=`")]
    SignatureMalformed,
    /// The signature is of another secret, time or body.
    #[error("the signature was not made with the integration's secret for this time and body")]
    SignatureWrong,
    /// It shows no secret.
    #[error("expected the header `X-WhatsApp-Gateway-3CX-Secret`")]
    SecretMissing,
    /// It shows another secret.
    #[error("the secret is not the integration's")]
    SecretWrong,
    /// Its time is too far from the clock.
    #[error("expected a time within 5 minutes of the clock")]
    Stale,
    /// Its time cannot be read.
    #[error("expected RFC 3339 or seconds since 1970 in `X-WhatsApp-Gateway-Timestamp`")]
    TimestampMalformed,
    /// It is signed for no time.
    #[error("expected the header `X-WhatsApp-Gateway-Timestamp` beside the signature")]
    TimestampMissing,
    /// Its body is longer than [`BODY_BYTES_MAX`].
    #[error("expected a body of at most {BODY_BYTES_MAX} bytes")]
    TooLong,
    /// There is no such integration.
    #[error("there is no such integration")]
    UnknownIntegration,
    /// What the integration was given cannot be read here.
    #[error("what the integration was given cannot be read on this host")]
    Unreadable,
}

impl std::fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => f.write_str("TooLong"),
            Self::Whole(body) => write!(f, "Whole({} bytes)", body.len()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be made fails its test")]
mod tests {
    use super::*;

    const SECRET: &str = "0b54-the-secret-of-an-integration";
    const NOW: Timestamp = Timestamp::from_millis(1_795_500_000_000);
    const BODY: &[u8] = br#"{"event_type":"test"}"#;

    fn gate() -> Gate {
        Gate::new(Secret::from(SECRET))
    }

    fn admit(gate: &Gate, headers: &[(&str, &str)], body: Body<'_>) -> Result<(), NotAdmitted> {
        gate.admit(&Shown { headers, peer: "192.0.2.7".parse().unwrap(), body }, NOW)
    }

    fn shows(gate: &Gate, headers: &[(&str, &str)]) -> Result<(), NotAdmitted> {
        let headers: Vec<_> = [(SECRET_HEADER, SECRET)].into_iter().chain(headers.iter().copied()).collect();
        admit(gate, &headers, Body::Whole(BODY))
    }

    #[test]
    fn who_knows_the_secret_is_let_in() {
        assert_eq!(shows(&gate(), &[]), Ok(()));
        assert_eq!(admit(&gate(), &[("x-whatsapp-gateway-3cx-secret", SECRET)], Body::Whole(BODY)), Ok(()));
    }

    #[test]
    fn who_does_not_is_not() {
        let cases = [
            ("", NotAdmitted::SecretWrong),
            ("0b54", NotAdmitted::SecretWrong),
            ("0B54-the-secret-of-an-integration", NotAdmitted::SecretWrong),
        ];
        for (secret, expected) in cases {
            assert_eq!(admit(&gate(), &[(SECRET_HEADER, secret)], Body::Whole(BODY)), Err(expected), "{secret}");
        }
        assert_eq!(admit(&gate(), &[], Body::Whole(BODY)), Err(NotAdmitted::SecretMissing));
        assert_eq!(shows(&gate(), &[(SECRET_HEADER, SECRET)]), Err(NotAdmitted::Repeated));
    }

    #[test]
    fn a_closed_gate_and_one_that_is_nowhere_let_nobody_in() {
        assert_eq!(shows(&gate().closed(NotAdmitted::Disabled), &[]), Err(NotAdmitted::Disabled));
        assert_eq!(shows(&Gate::nowhere(), &[]), Err(NotAdmitted::UnknownIntegration));
        let without_secret = Gate::new(Secret::from(""));
        assert_eq!(admit(&without_secret, &[(SECRET_HEADER, "")], Body::Whole(BODY)), Err(NotAdmitted::SecretWrong));
    }

    #[test]
    fn only_who_shows_the_secret_learns_that_a_body_is_too_long() {
        assert_eq!(admit(&gate(), &[(SECRET_HEADER, SECRET)], Body::TooLong), Err(NotAdmitted::TooLong));
        assert_eq!(admit(&gate(), &[(SECRET_HEADER, SECRET)], Body::Whole(&vec![0; BODY_BYTES_MAX + 1])), Err(NotAdmitted::TooLong));
        assert_eq!(admit(&gate(), &[(SECRET_HEADER, "x")], Body::TooLong), Err(NotAdmitted::SecretWrong));
    }

    #[test]
    fn who_comes_from_elsewhere_is_not_let_in() {
        let gate = gate().from_networks(["192.0.2.0/29".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        for (peer, is_admitted) in
            [("192.0.2.7", true), ("::ffff:192.0.2.7", true), ("192.0.2.8", false), ("2001:db8::1", true), ("2001:db9::1", false)]
        {
            let shown = Shown { headers: &[(SECRET_HEADER, SECRET)], peer: peer.parse().unwrap(), body: Body::Whole(BODY) };
            let expected = if is_admitted { Ok(()) } else { Err(NotAdmitted::PeerNotAllowed) };
            assert_eq!(gate.admit(&shown, NOW), expected, "{peer}");
        }
    }

    #[test]
    fn a_time_must_be_of_now() {
        for (timestamp, expected) in [
            ("1795500000", Ok(())),
            ("1795499700", Ok(())),
            ("1795500300", Ok(())),
            ("1795499699", Err(NotAdmitted::Stale)),
            ("1795500301", Err(NotAdmitted::Stale)),
            (&NOW.to_string(), Ok(())),
            ("2020-05-08T10:00:00Z", Err(NotAdmitted::Stale)),
            ("9223372036854775807", Err(NotAdmitted::Stale)),
            ("yesterday", Err(NotAdmitted::TimestampMalformed)),
            ("", Err(NotAdmitted::TimestampMalformed)),
        ] {
            assert_eq!(shows(&gate(), &[(TIMESTAMP_HEADER, timestamp)]), expected, "{timestamp}");
        }
    }

    #[test]
    fn a_signature_is_checked_in_both_forms() {
        let time = "1795500000";
        let signature = sign(&Secret::from(SECRET), time, BODY);
        let bare = signature.strip_prefix("sha256=").unwrap();
        let gate = gate().signed(true);
        for form in [signature.clone(), bare.to_owned(), bare.to_uppercase()] {
            assert_eq!(shows(&gate, &[(TIMESTAMP_HEADER, time), (SIGNATURE_HEADER, &form)]), Ok(()), "{form}");
        }
        let other_time = [(TIMESTAMP_HEADER, "1795500001"), (SIGNATURE_HEADER, signature.as_str())];
        assert_eq!(shows(&gate, &other_time), Err(NotAdmitted::SignatureWrong));
        let other_secret = sign(&Secret::from("another"), time, BODY);
        assert_eq!(shows(&gate, &[(TIMESTAMP_HEADER, time), (SIGNATURE_HEADER, &other_secret)]), Err(NotAdmitted::SignatureWrong));
        for malformed in ["", "sha256=", "sha1=00", &bare[1..], &format!("sha256={bare}0")] {
            let shown = [(TIMESTAMP_HEADER, time), (SIGNATURE_HEADER, malformed)];
            assert_eq!(shows(&gate, &shown), Err(NotAdmitted::SignatureMalformed), "{malformed}");
        }
    }

    #[test]
    fn a_signature_is_asked_for_only_where_it_must_be_but_never_ignored() {
        assert_eq!(shows(&gate().signed(true), &[]), Err(NotAdmitted::SignatureMissing));
        let wrong = "0".repeat(64);
        assert_eq!(shows(&gate(), &[(TIMESTAMP_HEADER, "1795500000"), (SIGNATURE_HEADER, &wrong)]), Err(NotAdmitted::SignatureWrong));
        assert_eq!(shows(&gate(), &[(SIGNATURE_HEADER, &wrong)]), Err(NotAdmitted::TimestampMissing));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = Shown { headers: &[("a", "b")], peer: "192.0.2.7".parse().unwrap(), body: Body::Whole(b"words") };
        assert!(!format!("{:?}", gate()).contains("0b54"));
        assert!(format!("{:?}", shown.body).contains("5 bytes"));
    }
}
