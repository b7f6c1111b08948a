//! Rotation: which secret signs what at which moment, told by receivers that know one secret each.
//!
//! A scenario is a list of what is done when; the answer has a line for each moment, with the receivers that accept the event then, by
//! Standard Webhooks and by the public contract's header.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]

use gatepost::{
    EndpointSecrets, EventHead, MalformedSecrets, Overlap, PREVIOUS_SECRETS_MAX, RotationRefusal, SigningSecret, Timestamp, Verifier, sign,
};

#[test]
fn during_an_overlap_both_sign_and_the_contract_header_waits_for_its_end() {
    let answer = told("0 h: rotate to B, overlap 24 h", "-1 ms, 0 h, 12 h, 24 h - 1 ms, 24 h, 999 h");
    insta::assert_snapshot!(answer, @r"
    -1 ms: standard A B, contract A
    0 h: standard A B, contract A
    12 h: standard A B, contract A
    24 h - 1 ms: standard A B, contract A
    24 h: standard B, contract B
    999 h: standard B, contract B
    ");
}

#[test]
fn a_switch_moves_the_contract_header_at_once_and_nothing_else() {
    let answer = told("0 h: rotate to B, overlap 24 h; 6 h: switch", "5 h, 6 h - 1 ms, 6 h, 24 h - 1 ms, 24 h");
    insta::assert_snapshot!(answer, @r"
    5 h: standard A B, contract A
    6 h - 1 ms: standard A B, contract A
    6 h: standard A B, contract B
    24 h - 1 ms: standard A B, contract B
    24 h: standard B, contract B
    ");
}

#[test]
fn without_overlap_the_former_secret_ends_at_once() {
    insta::assert_snapshot!(told("0 h: rotate to B, overlap 0 h", "0 h, 1 h"), @r"
    0 h: standard B, contract B
    1 h: standard B, contract B
    ");
}

#[test]
fn seven_days_is_the_longest_overlap() {
    insta::assert_snapshot!(told("0 h: rotate to B, overlap 168 h", "168 h - 1 ms, 168 h"), @r"
    168 h - 1 ms: standard A B, contract A
    168 h: standard B, contract B
    ");
    assert_eq!(Overlap::from_seconds(7 * 24 * 3_600), Ok(Overlap::MAX));
    assert!(Overlap::from_seconds(7 * 24 * 3_600 + 1).is_err());
    assert!(Overlap::from_seconds(u64::MAX).is_err());
    assert_eq!(Overlap::from_seconds(0), Ok(Overlap::NONE));
    assert_eq!(Overlap::default().as_seconds(), 24 * 3_600);
}

#[test]
fn a_second_rotation_leaves_nobody_behind_who_was_promised_time() {
    let answer =
        told("0 h: rotate to B, overlap 24 h; 6 h: rotate to C, overlap 24 h", "6 h - 1 ms, 6 h, 24 h - 1 ms, 24 h, 30 h - 1 ms, 30 h");
    insta::assert_snapshot!(answer, @r"
    6 h - 1 ms: standard A B C, contract A
    6 h: standard A B C, contract A
    24 h - 1 ms: standard A B C, contract A
    24 h: standard B C, contract B
    30 h - 1 ms: standard B C, contract B
    30 h: standard C, contract C
    ");
}

#[test]
fn a_second_rotation_with_a_shorter_overlap_shortens_the_first() {
    let answer = told("0 h: rotate to B, overlap 24 h; 6 h: rotate to C, overlap 1 h", "6 h, 7 h - 1 ms, 7 h");
    insta::assert_snapshot!(answer, @r"
    6 h: standard A B C, contract A
    7 h - 1 ms: standard A B C, contract A
    7 h: standard C, contract C
    ");
}

#[test]
fn a_rotation_without_overlap_ends_all_that_came_before() {
    let answer = told("0 h: rotate to B, overlap 24 h; 6 h: rotate to C, overlap 0 h", "6 h");
    insta::assert_snapshot!(answer, @"6 h: standard C, contract C");
}

#[test]
fn a_switch_holds_for_what_was_rotated_before_it_only() {
    let answer = told(
        "0 h: rotate to B, overlap 24 h; 6 h: switch; 8 h: rotate to C, overlap 24 h; 30 h: switch",
        "7 h, 8 h, 24 h - 1 ms, 24 h, 30 h - 1 ms, 30 h, 32 h - 1 ms, 32 h",
    );
    insta::assert_snapshot!(answer, @r"
    7 h: standard A B C, contract B
    8 h: standard A B C, contract B
    24 h - 1 ms: standard A B C, contract B
    24 h: standard B C, contract B
    30 h - 1 ms: standard B C, contract B
    30 h: standard B C, contract C
    32 h - 1 ms: standard B C, contract C
    32 h: standard C, contract C
    ");
}

#[test]
fn a_switch_that_is_called_twice_holds_from_the_first_call() {
    let answer = told("0 h: rotate to B, overlap 24 h; 6 h: switch; 9 h: switch", "6 h - 1 ms, 6 h, 9 h");
    insta::assert_snapshot!(answer, @r"
    6 h - 1 ms: standard A B, contract A
    6 h: standard A B, contract B
    9 h: standard A B, contract B
    ");
}

#[test]
fn a_switch_without_an_overlap_changes_nothing() {
    let secrets = EndpointSecrets::new(secret("A"));
    assert_eq!(secrets.clone().switch(at("0 h")), secrets);
}

#[test]
fn a_rotation_never_changes_who_signs_the_contract_header_at_that_moment_unless_it_ends_them() {
    for scenario in ["", "0 h: rotate to B, overlap 24 h", "0 h: rotate to B, overlap 24 h; 6 h: switch", "0 h: rotate to B, overlap 7 h"] {
        let before = after(scenario);
        for moment in ["6 h", "7 h", "23 h", "24 h"].map(at) {
            let rotated = before.clone().rotate(secret("C"), Overlap::default(), moment).unwrap();
            assert_eq!(rotated.contract_signer(moment), before.contract_signer(moment), "{scenario}");
            assert!(before.live(moment).all(|secret| rotated.live(moment).any(|live| live == secret)), "{scenario}");
        }
    }
}

#[test]
fn a_secret_that_is_live_cannot_be_rotated_to() {
    let secrets = after("0 h: rotate to B, overlap 24 h");
    let to = |name, hours| secrets.clone().rotate(secret(name), Overlap::NONE, at(hours)).map(drop);
    assert_eq!(to("B", "1 h"), Err(RotationRefusal::StillLive));
    assert_eq!(to("A", "1 h"), Err(RotationRefusal::StillLive));
    assert_eq!(to("A", "24 h"), Ok(()));
    assert_eq!(RotationRefusal::StillLive.to_string(), "expected a signing secret that the endpoint does not have already");
}

#[test]
fn so_many_previous_secrets_may_live_and_no_more() {
    let mut secrets = EndpointSecrets::new(secret("A"));
    for name in ["B", "C", "D", "E"] {
        secrets = secrets.rotate(secret(name), Overlap::default(), at("0 h")).unwrap();
    }
    assert_eq!(secrets.previous().len(), PREVIOUS_SECRETS_MAX);
    let rotate = |overlap, moment| secrets.clone().rotate(secret("F"), overlap, at(moment));
    assert_eq!(rotate(Overlap::default(), "1 h"), Err(RotationRefusal::TooMany));
    assert_eq!(rotate(Overlap::NONE, "1 h").map(|secrets| secrets.previous().len()), Ok(0));
    assert_eq!(rotate(Overlap::default(), "24 h").map(|secrets| secrets.previous().len()), Ok(1));
    assert_eq!(
        RotationRefusal::TooMany.to_string(),
        "expected at most 4 previous signing secrets: wait until one ends, or rotate without overlap"
    );
}

#[test]
fn a_secret_that_has_ended_is_not_kept() {
    let secrets = after("0 h: rotate to B, overlap 24 h");
    assert_eq!(secrets.clone().without_ended(at("23 h")), secrets);
    assert_eq!(secrets.without_ended(at("24 h")), EndpointSecrets::new(secret("B")));
}

#[test]
fn the_bytes_that_are_sealed_read_back() {
    let key = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=".parse().unwrap();
    let rotated = after("0 h: rotate to B, overlap 24 h; 6 h: switch; 8 h: rotate to C, overlap 24 h");
    let keyed = rotated.clone().with_key(key);
    assert_eq!(keyed.clone().without_key(), rotated);
    for secrets in [EndpointSecrets::new(secret("A")), rotated, keyed] {
        let bytes = secrets.to_bytes();
        assert_eq!(EndpointSecrets::from_bytes(&bytes), Ok(secrets));
    }
}

#[test]
fn the_bytes_that_are_sealed_keep_their_form() {
    let key = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=".parse().unwrap();
    let bytes = after("0 h: rotate to B, overlap 24 h; 6 h: switch").with_key(key).to_bytes();
    // A release that reads other bytes than these cannot sign for the endpoints of this one.
    insta::assert_snapshot!(bytes.escape_ascii().to_string(), @"\\x01\\x18BBBBBBBBBBBBBBBBBBBBBBBB\\x01TESTSIGNINGKEYDONOTUSETHISFORANY\\x18AAAAAAAAAAAAAAAAAAAAAAAA\\x00\\x00\\x01\\xa2\\x08F\\xfe\\x00\\x00\\x00\\x01\\xa2\\x04j9\\x00");
}

#[test]
fn bytes_that_are_damaged_are_refused() {
    let bytes = after("0 h: rotate to B, overlap 24 h").to_bytes();
    let whole = [bytes.len(), 1 + 25 + 1];
    for length in (0..bytes.len()).filter(|length| !whole.contains(length)) {
        assert_eq!(EndpointSecrets::from_bytes(&bytes[..length]), Err(MalformedSecrets), "{length} bytes");
    }
    for (place, byte) in [(0, 2), (1, 23), (1, 65), (26, 2)] {
        let mut damaged = bytes.to_vec();
        damaged[place] = byte;
        assert_eq!(EndpointSecrets::from_bytes(&damaged), Err(MalformedSecrets), "byte {place}");
    }
}

const NAMES: [&str; 3] = ["A", "B", "C"];

/// Who accepts the event at each of these moments.
fn told(scenario: &str, moments: &str) -> String {
    let secrets = after(scenario);
    let line = |moment: &str| {
        let (standard, contract) = (accepting(&secrets, at(moment), Scheme::Standard), accepting(&secrets, at(moment), Scheme::Contract));
        format!("{moment}: standard {standard}, contract {contract}")
    };
    moments.split(", ").map(line).collect::<Vec<_>>().join("\n")
}

#[derive(Clone, Copy)]
enum Scheme {
    Standard,
    Contract,
}

fn accepting(secrets: &EndpointSecrets, now: Timestamp, scheme: Scheme) -> String {
    let headers = sign(&EventHead { id: "evt_1", event: "message.received", now }, b"{}", secrets);
    let accepts = |name: &&str| {
        let verifier = Verifier::new([secret(name)]);
        let headers = headers.iter().map(|(name, value)| (name, value));
        match scheme {
            Scheme::Standard => verifier.verify(headers, b"{}", now).is_ok(),
            Scheme::Contract => verifier.verify_contract(headers, b"{}", now).is_ok(),
        }
    };
    NAMES.into_iter().filter(accepts).collect::<Vec<_>>().join(" ")
}

/// An endpoint that began with secret A, and what was done to it since.
fn after(scenario: &str) -> EndpointSecrets {
    scenario.split("; ").filter(|step| !step.is_empty()).fold(EndpointSecrets::new(secret("A")), |secrets, step| {
        let (moment, done) = step.split_once(": ").unwrap();
        match *done.split([' ', ',']).collect::<Vec<_>>().as_slice() {
            ["rotate", "to", name, "", "overlap", hours, "h"] => {
                let overlap = Overlap::from_seconds(hours.parse::<u64>().unwrap() * 3_600).unwrap();
                secrets.rotate(secret(name), overlap, at(moment)).unwrap()
            }
            ["switch"] => secrets.switch(at(moment)),
            _ => panic!("a scenario does not know `{done}`"),
        }
    })
}

/// A moment as hours after noon, less a number of milliseconds.
fn at(moment: &str) -> Timestamp {
    let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let after_noon: i64 = match *moment.split(' ').collect::<Vec<_>>().as_slice() {
        [hours, "h"] => hours.parse::<i64>().unwrap() * 3_600_000,
        [hours, "h", "-", millis, "ms"] => hours.parse::<i64>().unwrap() * 3_600_000 - millis.parse::<i64>().unwrap(),
        [millis, "ms"] => millis.parse().unwrap(),
        _ => panic!("no moment: `{moment}`"),
    };
    Timestamp::from_millis(noon.as_millis() + after_noon)
}

/// The secret of this name: the letter 24 times.
fn secret(name: &str) -> SigningSecret {
    let text = match name {
        "A" => "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB",
        "B" => "whsec_QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC",
        "C" => "whsec_Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0ND",
        "D" => "whsec_REREREREREREREREREREREREREREREREREQ=",
        "E" => "whsec_RUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVF",
        _ => "whsec_RkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZG",
    };
    text.parse().unwrap()
}
