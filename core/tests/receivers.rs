//! Receivers: programs that we did not write accept our events, and refuse them once one bit was changed.
//!
//! They are the packages `standardwebhooks` for Rust, Python and JavaScript, and the Python sample of the public contract. The Python
//! one runs in the interpreter that `RECEIVERS_PYTHON` names, the JavaScript one finds its package in the folder that
//! `RECEIVERS_NODE_MODULES` names; `.ci/run` sets both. Without them their tests are skipped and say so, and fail where `CI` is
//! `true`.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]
#![expect(clippy::disallowed_methods, reason = "the receivers are programs of their own, and read the machine's clock")]

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Encoding};
use gatepost::{EndpointSecrets, EventHead, Overlap, SigningSecret, Timestamp, sign};

#[test]
fn the_rust_package_agrees() {
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.scheme == Scheme::Standard).collect();
    check("Rust", &cases, &cases.iter().map(rust_accepts).collect::<Vec<_>>());
}

#[test]
fn the_python_package_and_the_sample_of_the_contract_agree() {
    let Some(python) = at_hand("RECEIVERS_PYTHON") else { return };
    let cases = cases();
    check("Python", &cases, &ask(Command::new(python).arg(script("verify.py")), &cases));
}

#[test]
fn the_javascript_package_agrees() {
    let Some(modules) = at_hand("RECEIVERS_NODE_MODULES") else { return };
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.scheme == Scheme::Standard).collect();
    check("JavaScript", &cases, &ask(Command::new("node").arg(script("verify.mjs")).env("NODE_PATH", modules), &cases));
}

#[track_caller]
fn check(receiver: &str, cases: &[Case], accepted: &[bool]) {
    assert_eq!(cases.len(), accepted.len(), "{receiver} did not answer each case");
    let wrong: Vec<&str> =
        cases.iter().zip(accepted).filter(|(case, accepted)| case.genuine != **accepted).map(|(case, _)| &*case.name).collect();
    assert!(wrong.is_empty(), "{receiver} does not agree on {wrong:#?}");
}

/// The value of a variable that says where a receiver is.
fn at_hand(variable: &str) -> Option<String> {
    let found = env::var(variable).ok();
    if found.is_none() {
        let is = |variable| env::var(variable).as_deref() == Ok("true");
        let may_skip = !is("CI") || is("RECEIVERS_MAY_BE_SKIPPED");
        assert!(may_skip, "{variable} is not set, and CI must not skip the receivers; see .ci/run");
        // Past the test runner, which keeps what a passing test prints.
        let said = format!("skipped: {variable} is not set, so this receiver was not asked; .ci/run installs it\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    }
    found
}

fn script(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "receivers", name].iter().collect()
}

/// Gives the cases to a program, a line each, and reads its answers.
fn ask(program: &mut Command, cases: &[Case]) -> Vec<bool> {
    let mut running = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = running.stdin.take().unwrap();
    for case in cases {
        writeln!(input, "{}", case.to_json()).unwrap();
    }
    drop(input);
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "the receiver failed: {}", output.status);
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(|answer| answer == "accept").collect()
}

fn rust_accepts(case: &Case) -> bool {
    let headers = case.headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    standardwebhooks::Webhook::new(&case.secret).unwrap().verify(&case.body, &headers).is_ok()
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Scheme {
    Standard,
    Contract,
}

/// What a receiver is given, and whether it should accept it.
#[derive(Clone)]
struct Case {
    name: String,
    scheme: Scheme,
    genuine: bool,
    secret: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Case {
    /// An event that `secrets` sign, for a receiver that knows `secret`.
    fn signed(name: &str, scheme: Scheme, secrets: &EndpointSecrets, secret: &str, body: &[u8], now: Timestamp) -> Self {
        let head = EventHead { id: "evt_01kap6mzw0f5f9h2zv4d0zt4xj", event: "message.received", now };
        let headers = sign(&head, body, secrets).map(|(name, value)| (name.into_owned(), value)).into();
        Self { name: name.to_owned(), scheme, genuine: true, secret: secret.to_owned(), headers, body: body.to_vec() }
    }

    fn refused(self, why: &str) -> Self {
        Self { name: format!("{}, {why}", self.name), genuine: false, ..self }
    }

    fn with_header(&self, header: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.headers.iter_mut().filter(|(name, _)| name == header).for_each(|(_, old)| value.clone_into(old));
        changed
    }

    fn header(&self, header: &str) -> &str {
        self.headers.iter().find(|(name, _)| name == header).map(|(_, value)| value).unwrap()
    }

    fn to_json(&self) -> serde_json::Value {
        let scheme = if self.scheme == Scheme::Standard { "standard" } else { "contract" };
        let headers: serde_json::Map<_, _> = self.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        serde_json::json!({ "scheme": scheme, "secret": self.secret, "headers": headers, "body": Base64::encode_string(&self.body) })
    }
}

const OLD: &str = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";
const NEW: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const LONGEST: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==";
const BODY: &str = r#"{"event":"message.received","from":"+999501234567","message_text":"Hi"}"#;

fn cases() -> Vec<Case> {
    [genuine(), rotated(), ill_timed(), changed(Scheme::Standard), changed(Scheme::Contract)].concat()
}

fn genuine() -> Vec<Case> {
    let large = format!(r#"{{"message_text":"{}"}}"#, "a".repeat(60_000));
    let bodies = [BODY, "{}", r#"{ "message_text" : "مرحبا 👋\n\u0000" }"#, &large];
    let mut cases = Vec::new();
    for scheme in [Scheme::Standard, Scheme::Contract] {
        for (secret, body) in [OLD, NEW, LONGEST].into_iter().flat_map(|secret| bodies.map(|body| (secret, body))) {
            let name = format!("a body of {} bytes", body.len());
            cases.push(Case::signed(&name, scheme, &secrets(secret), secret, body.as_bytes(), now()));
            let stranger = if secret == OLD { NEW } else { OLD };
            cases.push(Case::signed(&name, scheme, &secrets(secret), stranger, body.as_bytes(), now()).refused("another secret"));
        }
        let keyed = secrets(NEW).with_key("whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=".parse().unwrap());
        cases.push(Case::signed("signed with a key too", scheme, &keyed, NEW, BODY.as_bytes(), now()));
    }
    cases
}

/// During an overlap Standard Webhooks reach who knows either secret, and the contract's header who knows the old one.
fn rotated() -> Vec<Case> {
    let overlapping = secrets(OLD).rotate(NEW.parse().unwrap(), Overlap::default(), now()).unwrap();
    let switched = overlapping.clone().switch(now());
    let case = |name, scheme, secrets, secret| Case::signed(name, scheme, secrets, secret, BODY.as_bytes(), now());
    vec![
        case("overlap, old secret", Scheme::Standard, &overlapping, OLD),
        case("overlap, new secret", Scheme::Standard, &overlapping, NEW),
        case("overlap, old secret, contract", Scheme::Contract, &overlapping, OLD),
        case("overlap, contract", Scheme::Contract, &overlapping, NEW).refused("new secret"),
        case("switched, new secret, contract", Scheme::Contract, &switched, NEW),
        case("switched, contract", Scheme::Contract, &switched, OLD).refused("old secret"),
    ]
}

/// The packages allow five minutes either way. The sample of the contract does not look at the time.
fn ill_timed() -> Vec<Case> {
    let minutes = |minutes: i64| Timestamp::from_millis(now().as_millis() + minutes * 60_000);
    let case = |name, at| Case::signed(name, Scheme::Standard, &secrets(NEW), NEW, BODY.as_bytes(), at);
    vec![
        case("four minutes old", minutes(-4)),
        case("four minutes ahead", minutes(4)),
        case("six minutes old", minutes(-6)).refused("stale"),
        case("six minutes ahead", minutes(6)).refused("early"),
    ]
}

/// One event, and the same once for each bit that is changed in what the signature binds, and in the signature.
fn changed(scheme: Scheme) -> Vec<Case> {
    let genuine = Case::signed("a changed event", scheme, &secrets(NEW), NEW, BODY.as_bytes(), now());
    let bound: &[&str] = match scheme {
        Scheme::Standard => &["webhook-id", "webhook-timestamp"],
        Scheme::Contract => &["X-WhatsApp-Gateway-Timestamp", "X-WhatsApp-Gateway-Signature"],
    };
    let mut cases = vec![genuine.clone()];
    for (bit, body) in one_bit_changed(&genuine.body) {
        cases.push(Case { body, ..genuine.clone() }.refused(&format!("bit {bit} of the body")));
    }
    for header in bound {
        for (bit, value) in one_bit_changed(genuine.header(header).as_bytes()) {
            // What HTTP cannot carry never comes to a receiver.
            let Some(value) = String::from_utf8(value).ok().filter(|value| value.bytes().all(|byte| byte.is_ascii_graphic())) else {
                continue;
            };
            cases.push(genuine.with_header(header, &value).refused(&format!("bit {bit} of {header}")));
        }
    }
    if scheme == Scheme::Standard {
        cases.extend(changed_signatures(&genuine));
    }
    cases
}

/// The bits of the signature itself: Python reads base64 so kindly that spare bits of its text do not count.
fn changed_signatures(genuine: &Case) -> Vec<Case> {
    let signature = Base64::decode_vec(genuine.header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
    let changed = one_bit_changed(&signature).map(|(bit, signature)| {
        let value = format!("v1,{}", Base64::encode_string(&signature));
        genuine.with_header("webhook-signature", &value).refused(&format!("bit {bit} of the signature"))
    });
    changed.collect()
}

fn one_bit_changed(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        (bit, changed)
    })
}

fn secrets(secret: &str) -> EndpointSecrets {
    EndpointSecrets::new(secret.parse::<SigningSecret>().unwrap())
}

/// The machine's time, because the packages allow no other.
fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap())
}
