//! Signing: a signature is right for its secret, body, id and time, and for nothing else.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use gatepost::{
    EVENT_BODY_BYTES_MAX, EndpointSecrets, EventHead, Genuine, Host, NewSigningSecret, NotGenuine, SigningKey, SigningSecret, Timestamp,
    Verifier, VerifyingKey, sign,
};
use proptest::prelude::*;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// A pair of keys that was made for tests of `v1a`: seed and public half.
const KEY: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;

#[test]
fn the_headers_are_those_of_the_contract_and_of_standard_webhooks() {
    let headers = sign(&head(), BODY, &secrets().with_key(KEY.parse().unwrap()));
    let shown: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    X-WhatsApp-Gateway-Event: message.received
    X-WhatsApp-Gateway-Timestamp: 2022-04-07T21:39:13Z
    X-WhatsApp-Gateway-Signature: sha256=307033adc1b387035dc7588abd24b1fe394275e23c75ffed57b27d3c13f27a78
    webhook-id: msg_27UH4WbU6Z5A5EzD8u03UvzRbpk
    webhook-timestamp: 1649367553
    webhook-signature: v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw= v1a,LFHB363YvoTm7xdMyZd/981dRSdVxW0u27ld7pRBYKa+E1Is4O8e+VFZlwtUB7muxeGaguMrB+8TDoJMHA5lCQ==
    ");
}

#[test]
fn the_vectors_of_others_come_out() {
    // The Rust library of Standard Webhooks, `test_sign`.
    assert_eq!(
        signatures(SECRET, None, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, BODY),
        ["v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="]
    );
    // Svix, with a secret and with a pair of keys; the Go library of Standard Webhooks, with a seed.
    let (id, seconds, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    let v1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let pair = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
    let seed = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(signatures(secret, Some(KEY), id, seconds, body), [v1, pair]);
    assert_eq!(signatures(secret, Some("whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="), id, seconds, body), [v1, seed]);
}

fn signatures(secret: &str, key: Option<&str>, id: &str, seconds: i64, body: &[u8]) -> Vec<String> {
    let secrets = EndpointSecrets::new(secret.parse().unwrap());
    let secrets = key.iter().fold(secrets, |secrets, key| secrets.with_key(key.parse().unwrap()));
    let head = EventHead { id, event: "message.received", now: Timestamp::from_millis(seconds * 1_000) };
    let [.., (_, signatures)] = sign(&head, body, &secrets);
    signatures.split(' ').map(str::to_owned).collect()
}

#[test]
fn the_time_that_is_signed_has_whole_seconds() {
    let at = |millis| {
        let [_, (_, rfc3339), _, _, (_, unix), _] = sign(&EventHead { now: Timestamp::from_millis(millis), ..head() }, BODY, &secrets());
        format!("{rfc3339} {unix}")
    };
    assert_eq!(at(1_795_348_800_000), "2026-11-22T12:00:00Z 1795348800");
    assert_eq!(at(1_795_348_800_999), "2026-11-22T12:00:00Z 1795348800");
    assert_eq!(at(-1), "1969-12-31T23:59:59Z -1");
    // No clock shows these, and none of them may end a worker.
    assert!([i64::MIN, i64::MAX].map(at).iter().all(|text| !text.is_empty()));
}

#[test]
fn what_was_signed_verifies_in_each_scheme() {
    for scheme in SCHEMES {
        assert_eq!(Request::signed(scheme).verify(), Ok(()), "{scheme:?}");
    }
}

#[test]
fn one_changed_bit_anywhere_is_refused_in_each_scheme() {
    for scheme in SCHEMES {
        let request = Request::signed(scheme);
        for part in 0..request.parts().len() {
            for bit in 0..request.parts()[part].len() * 8 {
                let mut changed = request.clone();
                changed.parts_mut()[part][bit / 8] ^= 1 << (bit % 8);
                assert!(changed.verify().is_err(), "{scheme:?}, part {part}, bit {bit}");
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_signed_verifies_and_whatever_was_changed_does_not(
        secret in proptest::collection::vec(any::<u8>(), 24..=64),
        body in proptest::collection::vec(any::<u8>(), 0..300),
        id in "[0-9a-zA-Z_]{1,40}",
        scheme in proptest::sample::select(&SCHEMES[..]),
        part in 0..4usize,
        place in any::<proptest::sample::Index>(),
        to in any::<u8>(),
    ) {
        let request = Request::new(scheme, &text_of(&secret), &id, &body);
        prop_assert_eq!(request.verify(), Ok(()));
        let mut changed = request.clone();
        let mut parts = changed.parts_mut();
        let part = part % parts.len();
        prop_assume!(!parts[part].is_empty());
        let place = place.index(parts[part].len());
        prop_assume!(parts[part][place] != to);
        parts[part][place] = to;
        prop_assert!(changed.verify().is_err());
    }

    #[test]
    fn a_body_that_is_longer_or_shorter_is_refused(cut in 0..BODY.len(), more in proptest::collection::vec(any::<u8>(), 1..9)) {
        for scheme in SCHEMES {
            let request = Request::signed(scheme);
            let shorter = Request { body: request.body[..cut].to_vec(), ..request.clone() };
            let longer = Request { body: [&request.body[..], &more].concat(), ..request };
            prop_assert!(shorter.verify().is_err() && longer.verify().is_err());
        }
    }

    #[test]
    fn no_headers_at_all_upset_the_verifier(
        values in proptest::collection::vec((0..5usize, proptest::collection::vec(any::<u8>(), 0..80)), 0..6),
        body in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature", "x-whatsapp-gateway-timestamp", "x-whatsapp-gateway-signature"];
        let headers = || values.iter().map(|(name, value)| (names[*name], value));
        let verifier = verifier().with_tolerance(Duration::MAX);
        prop_assert!(verifier.verify(headers(), &body, now()).is_err());
        prop_assert!(verifier.verify_contract(headers(), &body, now()).is_err());
    }
}

#[test]
fn another_secret_or_key_verifies_nothing() {
    let [one, two] = [1, 2].map(|seed| NewSigningSecret::generate(&Counting::from(seed)).keep());
    let stranger = Verifier::new([one, two]).with_keys([SigningKey::generate(&Counting::from(3)).verifying_key()]);
    for scheme in SCHEMES {
        assert_eq!(Request::signed(scheme).verify_with(&stranger), Err(NotGenuine::NoMatch { header: scheme.signature_header() }));
    }
}

#[test]
fn a_verifier_that_knows_nothing_accepts_nothing() {
    for scheme in SCHEMES {
        assert_eq!(Request::signed(scheme).verify_with(&Verifier::new([])), Err(NotGenuine::NoMatch { header: scheme.signature_header() }));
    }
}

#[test]
fn either_of_several_secrets_and_keys_is_enough() {
    let [one, two] = [1, 2].map(|seed| NewSigningSecret::generate(&Counting::from(seed)).keep());
    let key = SigningKey::generate(&Counting::from(3)).verifying_key();
    let known = Verifier::new([one, SECRET.parse().unwrap(), two]).with_keys([key, PUBLIC_KEY.parse().unwrap()]);
    for scheme in SCHEMES {
        assert_eq!(Request::signed(scheme).verify_with(&known), Ok(()));
    }
}

#[test]
fn a_signature_of_an_unknown_version_is_passed_over() {
    let mut request = Request::signed(Scheme::V1);
    let own = String::from_utf8(request.signature.clone()).unwrap();
    request.signature = format!("v2,bm9uZQ== nonsense v1, {own} v1a,AAAA").into_bytes();
    assert_eq!(request.verify(), Ok(()));
    request.signature = own.replace("v1,", "v2,").into_bytes();
    assert_eq!(request.verify(), Err(NotGenuine::NoMatch { header: "webhook-signature" }));
}

#[test]
fn one_signature_has_one_text() {
    // The last letter of base64 before the padding has two bits to spare.
    let own = String::from_utf8(Request::signed(Scheme::V1).signature).unwrap();
    for text in [own.replace("kw=", "kx="), own.replace('=', ""), own.replace('+', "-"), own.to_uppercase(), format!("{own}=")] {
        assert_ne!(text, own);
        assert!(Request { signature: text.into_bytes(), ..Request::signed(Scheme::V1) }.verify().is_err());
    }
    let hex = String::from_utf8(Request::signed(Scheme::Contract).signature).unwrap();
    for text in [hex.to_uppercase(), hex.replace("sha256=", ""), format!("{hex},{hex}")] {
        assert!(Request { signature: text.into_bytes(), ..Request::signed(Scheme::Contract) }.verify().is_err());
    }
}

#[test]
fn the_id_cannot_reach_into_the_time_nor_the_time_into_the_body() {
    // Both requests are the same bytes once they are joined by dots.
    let signed = Request::new(Scheme::V1, SECRET, "evt_1", b"1649367553.{}");
    let shifted = Request { id: b"evt_1.1649367553".to_vec(), body: b"{}".to_vec(), ..signed };
    assert_eq!(shifted.verify(), Err(NotGenuine::Malformed { header: "webhook-id" }));
    let signed = Request::new(Scheme::V1, SECRET, "evt_1", b"5.{}");
    let shifted = Request { timestamp: b"1649367553.5".to_vec(), body: b"{}".to_vec(), ..signed };
    assert_eq!(shifted.verify(), Err(NotGenuine::Malformed { header: "webhook-timestamp" }));
}

#[test]
fn names_of_headers_are_read_in_any_case_and_order() {
    let signed = sign(&head(), BODY, &secrets());
    let shouted = signed.iter().rev().map(|(name, value)| (name.to_uppercase(), value.clone()));
    assert_eq!(verifier().verify(shouted.clone(), BODY, now()), Ok(Genuine { id: head().id.to_owned(), sent_at: now() }));
    assert_eq!(verifier().verify_contract(shouted, BODY, now()), Ok(now()));
}

#[test]
fn what_is_wrong_is_named() {
    let check = |scheme, change: fn(&mut Vec<(String, Vec<u8>)>), expected: &str| {
        let request = Request::signed(scheme);
        let mut headers = request.headers();
        change(&mut headers);
        assert_eq!(request.verify_headers(&verifier(), headers).map_err(|error| error.to_string()), Err(expected.to_owned()));
    };
    check(Scheme::V1, Vec::clear, "expected the header `webhook-id`");
    check(Scheme::V1, |headers| drop(headers.remove(1)), "expected the header `webhook-timestamp`");
    check(Scheme::V1, |headers| drop(headers.remove(2)), "expected the header `webhook-signature`");
    check(Scheme::V1, |headers| headers.push(headers[0].clone()), "expected the header `webhook-id` once");
    check(Scheme::V1, |headers| headers[0].1.clear(), "the header `webhook-id` is not well formed");
    check(Scheme::V1, |headers| headers[1].1 = b"+1649367553".to_vec(), "the header `webhook-timestamp` is not well formed");
    check(Scheme::V1, |headers| headers[1].1 = b"1".repeat(30), "the header `webhook-timestamp` is not well formed");
    check(Scheme::V1, |headers| headers[2].1 = b"v1,\xff".to_vec(), "the header `webhook-signature` is not well formed");
    check(Scheme::V1, |headers| headers[2].1 = b"v1, ".repeat(1_025), "expected at most 4096 bytes in the header `webhook-signature`");
    check(
        Scheme::V1,
        |headers| headers[2].1 = b"v1, ".repeat(1_024),
        "no signature in `webhook-signature` was made for this event with a known signing secret",
    );
    check(Scheme::Contract, Vec::clear, "expected the header `X-WhatsApp-Gateway-Timestamp`");
    check(
        Scheme::Contract,
        |headers| headers[0].1 = b"2022-04-07T21:39:13+00:00".to_vec(),
        "the header `X-WhatsApp-Gateway-Timestamp` is not well formed",
    );
    check(
        Scheme::Contract,
        |headers| headers[0].1 = b"1649367553".to_vec(),
        "the header `X-WhatsApp-Gateway-Timestamp` is not well formed",
    );
    check(Scheme::Contract, |headers| headers[1].1.clear(), "the header `X-WhatsApp-Gateway-Signature` is not well formed");
}

#[test]
fn a_body_larger_than_any_event_is_refused() {
    let largest = vec![b' '; EVENT_BODY_BYTES_MAX];
    for scheme in SCHEMES {
        assert_eq!(Request::new(scheme, SECRET, "evt_1", &largest).verify(), Ok(()));
        assert_eq!(Request::new(scheme, SECRET, "evt_1", &[&largest[..], b" "].concat()).verify(), Err(NotGenuine::BodyTooLong));
    }
}

#[test]
fn an_event_is_fresh_for_five_minutes_either_way() {
    let at = |scheme, millis: i64, verifier: &Verifier| {
        let clock = Timestamp::from_millis(now().as_millis() + millis);
        match Request::signed(scheme).verify_at(verifier, clock) {
            Ok(()) => "fresh",
            Err(NotGenuine::Stale { .. }) => "stale",
            Err(NotGenuine::Early { .. }) => "early",
            Err(other) => panic!("{other}"),
        }
    };
    let strict = verifier().with_tolerance(Duration::ZERO);
    for scheme in SCHEMES {
        let answers = [-300_001, -300_000, 0, 300_000, 300_001].map(|millis| at(scheme, millis, &verifier()));
        assert_eq!(answers, ["early", "fresh", "fresh", "fresh", "stale"]);
        assert_eq!([-1, 0, 1].map(|millis| at(scheme, millis, &strict)), ["early", "fresh", "stale"]);
        assert_eq!(at(scheme, i64::MAX / 2, &verifier().with_tolerance(Duration::MAX)), "fresh");
    }
}

#[test]
fn a_secret_has_24_to_64_bytes_and_one_text() {
    let read = |text: &str| text.parse::<SigningSecret>().is_ok();
    let of_length = |length: usize| text_of(&vec![7; length]);
    assert_eq!([23, 24, 32, 64, 65].map(|length| read(&of_length(length))), [false, true, true, true, false]);
    assert!(!read(""));
    assert!(!read("whsec_"));
    assert!(!read(&SECRET.replace("whsec_", "")));
    assert!(!read(&SECRET.replace("whsec_", "WHSEC_")));
    assert!(!read(&format!("{SECRET}\n")));
    assert!(!read(&of_length(32).replace('=', "")));
    // These bits are to spare, and must be zero: the text is a key itself.
    assert!(read("whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="));
    assert!(!read("whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd="));
    assert_eq!(read(&"a".repeat(1_000_000)), read(&format!("whsec_{}", "a".repeat(1_000_000))));
}

#[test]
fn a_new_secret_has_32_bytes_of_the_host_and_is_the_one_that_is_shown() {
    let host = Counting::default();
    let [one, two] = [(); 2].map(|()| NewSigningSecret::generate(&host));
    assert_eq!(host.0.load(Ordering::Relaxed), 64);
    let shown = one.expose();
    assert_eq!(shown.len(), "whsec_".len() + 44);
    assert_ne!(*shown, *two.expose());
    let kept = one.keep();
    assert_eq!(shown.parse(), Ok(kept.clone()));
    assert_ne!(kept, two.keep());
}

#[test]
fn the_public_half_of_a_key_can_be_shown_and_read() {
    let key: SigningKey = KEY.parse().unwrap();
    assert_eq!(key.verifying_key().to_string(), PUBLIC_KEY);
    assert_eq!(PUBLIC_KEY.parse(), Ok(key.verifying_key()));
    let generated = SigningKey::generate(&Counting::default());
    assert_eq!(generated.verifying_key().to_string().parse(), Ok(generated.verifying_key()));
    assert_ne!(generated, key);
}

#[test]
fn a_key_that_is_none_is_refused() {
    let private = |text: &str| text.parse::<SigningKey>().is_ok();
    let public = |text: &str| text.parse::<VerifyingKey>().is_ok();
    assert!(private(KEY) && public(PUBLIC_KEY));
    assert!(!private(PUBLIC_KEY) && !public(KEY) && !private(SECRET) && !public(SECRET));
    assert!(!private("whsk_") && !public("whpk_") && !private("whsk_AAAA") && !public("whpk_AAAA"));
    // The public half belongs to another seed.
    assert!(!private(&KEY.replace("whsk_6", "whsk_7")));
    // Zero is a point of small order: anybody could sign for it.
    assert!(!public("whpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
}

#[test]
fn secrets_and_keys_are_not_seen_in_what_is_printed() {
    let new = NewSigningSecret::generate(&Counting::default());
    let secret: SigningSecret = SECRET.parse().unwrap();
    let secrets = secrets().with_key(KEY.parse().unwrap());
    let shown = format!("{new:?} {secret:?} {secrets:#?} {:?} {:?}", verifier(), secrets.key());
    let exposed = new.expose();
    for (text, prefix) in [(SECRET, "whsec_"), (KEY, "whsk_"), (exposed.as_str(), "whsec_")] {
        assert!(!shown.contains(prefix), "{shown}");
        // The second half of a private key's text is the public one.
        let private = &text[prefix.len()..prefix.len() + 32];
        let leaked = (0..private.len() - 5).map(|start| &private[start..start + 6]).find(|part| shown.contains(part));
        assert_eq!(leaked, None, "{shown}");
    }
    assert!(!shown.contains("11, 97, 85"), "{shown}");
    assert!(shown.contains(PUBLIC_KEY), "{shown}");
}

#[test]
fn an_error_repeats_nothing_of_what_could_not_be_read() {
    let said = [
        SECRET.replace("whsec_", "whsec-").parse::<SigningSecret>().unwrap_err().to_string(),
        PUBLIC_KEY.parse::<SigningKey>().unwrap_err().to_string(),
        KEY.parse::<VerifyingKey>().unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    expected `whsec_` and the base64 of 24 to 64 bytes
    expected `whsk_` and the base64 of an Ed25519 seed, or of a seed and its public key
    expected `whpk_` and the base64 of an Ed25519 public key
    ");
}

/// What can be checked by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scheme {
    V1,
    V1a,
    Contract,
}

const SCHEMES: [Scheme; 3] = [Scheme::V1, Scheme::V1a, Scheme::Contract];

impl Scheme {
    const fn signature_header(self) -> &'static str {
        match self {
            Self::V1 | Self::V1a => "webhook-signature",
            Self::Contract => "X-WhatsApp-Gateway-Signature",
        }
    }
}

/// A request with the signature of one scheme only, in parts that can be changed.
#[derive(Clone, Debug)]
struct Request {
    scheme: Scheme,
    verifier: Verifier,
    id: Vec<u8>,
    timestamp: Vec<u8>,
    signature: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    fn signed(scheme: Scheme) -> Self {
        Self::new(scheme, SECRET, head().id, BODY)
    }

    fn new(scheme: Scheme, secret: &str, id: &str, body: &[u8]) -> Self {
        let secret: SigningSecret = secret.parse().unwrap();
        let secrets = EndpointSecrets::new(secret.clone()).with_key(KEY.parse().unwrap());
        let [_, (_, rfc3339), (_, contract), _, (_, unix), (_, standard)] = sign(&EventHead { id, ..head() }, body, &secrets);
        let (v1, v1a) = standard.split_once(' ').unwrap();
        let (timestamp, signature) = match scheme {
            Scheme::V1 => (unix, v1.to_owned()),
            Scheme::V1a => (unix, v1a.to_owned()),
            Scheme::Contract => (rfc3339, contract),
        };
        let verifier = Verifier::new([secret]).with_keys([PUBLIC_KEY.parse().unwrap()]);
        Self { scheme, verifier, id: id.into(), timestamp: timestamp.into(), signature: signature.into(), body: body.into() }
    }

    /// What the signature binds, and itself.
    fn parts(&self) -> Vec<&Vec<u8>> {
        let bound = vec![&self.body, &self.timestamp, &self.signature];
        if self.scheme == Scheme::Contract { bound } else { [bound, vec![&self.id]].concat() }
    }

    fn parts_mut(&mut self) -> Vec<&mut Vec<u8>> {
        let mut bound = vec![&mut self.body, &mut self.timestamp, &mut self.signature];
        if self.scheme != Scheme::Contract {
            bound.push(&mut self.id);
        }
        bound
    }

    fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let named = |name: &str, value: &Vec<u8>| (name.to_owned(), value.clone());
        match self.scheme {
            Scheme::Contract => vec![
                named("X-WhatsApp-Gateway-Timestamp", &self.timestamp),
                named("X-WhatsApp-Gateway-Signature", &self.signature),
                named("webhook-id", &self.id),
            ],
            Scheme::V1 | Scheme::V1a => vec![
                named("webhook-id", &self.id),
                named("webhook-timestamp", &self.timestamp),
                named("webhook-signature", &self.signature),
            ],
        }
    }

    fn verify(&self) -> Result<(), NotGenuine> {
        self.verify_with(&self.verifier)
    }

    fn verify_with(&self, verifier: &Verifier) -> Result<(), NotGenuine> {
        self.verify_at(verifier, now())
    }

    fn verify_at(&self, verifier: &Verifier, now: Timestamp) -> Result<(), NotGenuine> {
        match self.scheme {
            Scheme::Contract => verifier.verify_contract(self.headers(), &self.body, now).map(drop),
            Scheme::V1 | Scheme::V1a => verifier.verify(self.headers(), &self.body, now).map(drop),
        }
    }

    fn verify_headers(&self, verifier: &Verifier, headers: Vec<(String, Vec<u8>)>) -> Result<(), NotGenuine> {
        match self.scheme {
            Scheme::Contract => verifier.verify_contract(headers, &self.body, now()).map(drop),
            Scheme::V1 | Scheme::V1a => verifier.verify(headers, &self.body, now()).map(drop),
        }
    }
}

fn now() -> Timestamp {
    "2022-04-07T21:39:13Z".parse().unwrap()
}

fn head() -> EventHead<'static> {
    EventHead { id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", event: "message.received", now: now() }
}

fn secrets() -> EndpointSecrets {
    EndpointSecrets::new(SECRET.parse().unwrap())
}

fn verifier() -> Verifier {
    Verifier::new([SECRET.parse().unwrap()]).with_keys([PUBLIC_KEY.parse().unwrap()])
}

/// The text of a secret of any length.
fn text_of(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("whsec_");
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        let digits = (0..4).map(|place| if place <= chunk.len() { char::from(ALPHABET[bits >> (18 - 6 * place) & 63]) } else { '=' });
        text.extend(digits);
    }
    text
}

/// A host whose bytes follow from how many were asked for.
#[derive(Default)]
struct Counting(AtomicU32);

impl From<u32> for Counting {
    fn from(seed: u32) -> Self {
        Self(AtomicU32::new(seed << 16))
    }
}

impl Host for Counting {
    fn now(&self) -> Timestamp {
        now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = (self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b1) >> 24) as u8;
        }
    }
}
