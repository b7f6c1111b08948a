//! Signature: any headers are refused or genuine; an event that was changed after it was signed is not accepted.

use core::time::Duration;

use gatepost::{EndpointSecrets, EventHead, NotGenuine, SigningKey, SigningSecret, Timestamp, Verifier, sign};

use super::bytes::Bytes;

const NOON: Timestamp = Timestamp::from_millis(1_795_348_800_000);
/// The headers of both schemes, in the order in which lines are read as their values.
const HEADERS: [&str; 5] =
    ["webhook-id", "webhook-timestamp", "webhook-signature", "X-WhatsApp-Gateway-Timestamp", "X-WhatsApp-Gateway-Signature"];

/// The bytes are five lines of headers and a body, and also a list of changes to a signed event: which part, where, and to what.
pub fn signature(bytes: &[u8]) {
    read(bytes);
    change(Bytes(bytes));
}

fn secret() -> SigningSecret {
    "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".parse().expect("a signing secret")
}

fn key() -> SigningKey {
    "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=".parse().expect("a signing key")
}

fn verifier() -> Verifier {
    Verifier::new([secret()]).with_keys([key().verifying_key()])
}

fn read(bytes: &[u8]) {
    let mut lines = bytes.splitn(HEADERS.len() + 1, |byte| *byte == b'\n');
    let headers: Vec<(&str, &[u8])> = HEADERS.into_iter().zip(lines.by_ref()).collect();
    let body = lines.next().unwrap_or_default();
    let verifier = verifier().with_tolerance(Duration::MAX);
    if let Ok(genuine) = verifier.verify(headers.iter().copied(), body, NOON) {
        let ours = signed(&genuine.id, genuine.sent_at, body);
        assert!(contains(headers[2].1, &ours.v1) || contains(headers[2].1, &ours.v1a), "{genuine:?}");
    }
    if let Ok(sent_at) = verifier.verify_contract(headers.iter().copied(), body, NOON) {
        assert_eq!(headers[4].1, signed("", sent_at, body).contract.as_bytes());
    }
}

fn contains(list: &[u8], signature: &str) -> bool {
    list.split(|byte| *byte == b' ').any(|listed| listed == signature.as_bytes())
}

/// What an event's headers say, the signatures apart.
struct Signed {
    unix: String,
    rfc3339: String,
    v1: String,
    v1a: String,
    contract: String,
}

fn signed(id: &str, now: Timestamp, body: &[u8]) -> Signed {
    let secrets = EndpointSecrets::new(secret()).with_key(key());
    let [_, (_, rfc3339), (_, contract), _, (_, unix), (_, standard)] = sign(&EventHead { id, event: "fuzz", now }, body, &secrets);
    let (v1, v1a) = standard.split_once(' ').expect("two signatures");
    Signed { unix, rfc3339, v1: v1.to_owned(), v1a: v1a.to_owned(), contract }
}

fn change(mut bytes: Bytes<'_>) {
    let (id, body) = ("evt_1", br#"{"event":"fuzz"}"#);
    let Signed { unix, rfc3339, v1, v1a, contract } = signed(id, NOON, body);
    let (is_contract, headers) = bytes.one_of(&[(false, [id, &unix, &v1]), (false, [id, &unix, &v1a]), (true, [&rfc3339, &contract, ""])]);
    let parts = [headers[0].as_bytes(), headers[1].as_bytes(), headers[2].as_bytes(), body];
    let mut changed = parts.map(<[u8]>::to_vec);
    while !bytes.is_empty() {
        let (part, place, to) = (usize::from(bytes.byte()) % parts.len(), usize::from(bytes.byte()), bytes.byte());
        let length = changed[part].len().max(1);
        if let Some(byte) = changed[part].get_mut(place % length) {
            *byte = to;
        }
    }
    assert_eq!(is_accepted(is_contract, &changed), changed == parts.map(<[u8]>::to_vec), "{changed:?}");
}

fn is_accepted(is_contract: bool, [first, second, third, body]: &[Vec<u8>; 4]) -> bool {
    let checked: Result<(), NotGenuine> = if is_contract {
        verifier().verify_contract([(HEADERS[3], first), (HEADERS[4], second)], body, NOON).map(drop)
    } else {
        verifier().verify([(HEADERS[0], first), (HEADERS[1], second), (HEADERS[2], third)], body, NOON).map(drop)
    };
    checked.is_ok()
}
