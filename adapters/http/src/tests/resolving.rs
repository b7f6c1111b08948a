//! Resolving: every attempt asks once, judges all, and dials only what was judged (R22 to R29, R41).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use gatepost::{AddressFamilies, DestinationPolicy, HttpFailure, HttpFailureClass, Refusal};
use ipnet::IpNet;
use serde::Deserialize;

use super::authorities::trusted;
use super::receiver::{OK, Receiver};
use super::stage::{NAME, ONE, OTHER, PATIENCE, SHORT, Said, Stage, URL};
use crate::LookupError;

#[test]
fn r22_every_row_of_dns_cases_ends_as_stated() {
    let table: Table = serde_json::from_str(include_str!("../../tests/data/dns_cases.json")).unwrap();
    assert_eq!(table.cases.len(), table.count);
    let hosts: Vec<&str> = table.cases.iter().map(|case| case.host.trim_matches(['[', ']'])).collect();
    let names: Vec<String> = hosts.iter().filter(|host| !host.contains(':')).map(|host| host.to_lowercase()).collect();
    let receiver = Receiver::as_whom(trusted().vouch(&names), |talk| talk.answer_all(OK.as_bytes()));
    let wrong: Vec<_> = table.cases.iter().filter_map(|case| case.play(&receiver).err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn r23_one_forbidden_address_refuses_the_answer_wherever_it_stands() {
    let public: Vec<String> = (0..199).map(|number| format!("151.101.{number}.1")).collect();
    for at in [0, 1, 16, 17, 199] {
        let mut answer: Vec<&str> = public.iter().map(String::as_str).collect();
        answer.insert(at, "10.0.0.5");
        let stage = Stage::new();
        stage.script.says(NAME, &answer);
        assert_eq!(class(&stage.post(URL).unwrap_err()), "mixed", "at {at}");
        assert!(stage.map.dialed().is_empty(), "at {at}");
    }
}

#[test]
fn r24_an_attempt_asks_once_for_the_absolute_name_in_lower_case() {
    let receiver = Receiver::as_whom(trusted().vouch(&["xn--bcher-kva.example.com"]), |talk| talk.answer_all(OK.as_bytes()));
    let stage = Stage::new();
    stage.script.says("xn--bcher-kva.example.com", &[OTHER, ONE]);
    stage.map.lead(ONE, &receiver);
    let answer = stage.post("https://BÜCHER.example.com/hook").unwrap();
    assert_eq!((answer.status, stage.script.asked()), (200, vec!["xn--bcher-kva.example.com.".to_owned()]));
}

#[test]
fn r24_an_address_is_never_looked_up() {
    let receiver = Receiver::as_whom(trusted().vouch(&[ONE]), |talk| talk.answer_all(OK.as_bytes()));
    let stage = Stage::new();
    stage.map.lead(ONE, &receiver);
    assert_eq!(stage.post("https://93.184.215.14/hook").unwrap().status, 200);
    assert!(stage.script.asked().is_empty());
}

#[test]
fn r24_an_answer_younger_than_five_seconds_serves_again_and_is_judged_again() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);

    stage.clock.advance(Duration::from_millis(4_999));
    stage.http.set_policy(DestinationPolicy::production().with_deny(["93.184.0.0/16".parse().unwrap()]).unwrap());
    assert_eq!(class(&stage.post(URL).unwrap_err()), "operator-deny");
    assert_eq!((stage.script.asked().len(), receiver.connections()), (1, 1));
}

#[test]
fn r25_each_attempt_after_five_seconds_resolves_anew() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);

    stage.script.says(NAME, &["10.0.0.5"]);
    stage.outlast_answers();
    assert_eq!(class(&stage.post(URL).unwrap_err()), "ipv4-private");
    assert_eq!((stage.script.asked().len(), receiver.connections()), (2, 1));
}

#[test]
fn r25_an_answer_from_before_the_clock_was_set_back_does_not_serve() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    stage.outlast_answers();
    assert_eq!(stage.post(URL).unwrap().status, 200);
    stage.clock.set_back(Duration::from_secs(4));
    assert_eq!(stage.post(URL).unwrap().status, 200);
    assert_eq!(stage.script.asked().len(), 2);
}

#[test]
fn r27_what_a_second_question_would_be_answered_cannot_matter() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    stage.script.follow(NAME, vec![said(&[ONE]), said(&["127.0.0.1"])]);
    assert_eq!(stage.post(URL).unwrap().status, 200);
    assert_eq!((stage.map.dialed(), stage.script.asked().len()), (vec![format!("{ONE}:443")], 1));
}

#[test]
fn r28_a_resolver_that_hangs_is_cut_and_the_next_to_many_fails_at_once() {
    let stage = Stage::with(DestinationPolicy::production(), |builder| builder.lookups(2));
    for name in ["a.example.com", "b.example.com", "c.example.com"] {
        stage.script.follow(name, vec![Said::Nothing]);
    }
    let hanging = ["a", "b"].map(|label| stage.post_aside(&format!("https://{label}.example.com/"), SHORT));
    stage.script.await_asked(2);

    let refused = stage.post("https://c.example.com/").unwrap_err();
    assert_eq!((refused.class, refused.may_have_arrived), (HttpFailureClass::Overloaded, false));
    assert_eq!(stage.script.asked().len(), 2);
    for sending in hanging {
        let cut = sending.join().unwrap().unwrap_err();
        assert_eq!((cut.class, cut.may_have_arrived), (HttpFailureClass::NoAddress, false));
        assert!(cut.detail.starts_with("timeout"), "{}", cut.detail);
    }
    assert!(stage.map.dialed().is_empty());
}

#[test]
fn r28_all_who_ask_for_a_name_at_once_wait_for_one_lookup() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    let sending: Vec<_> = (0..20).map(|_| stage.post_aside(URL, PATIENCE)).collect();
    assert!(sending.into_iter().all(|sending| sending.join().unwrap().unwrap().status == 200));
    assert_eq!(stage.script.asked().len(), 1);
}

#[test]
fn a_lookup_that_failed_serves_nobody_else() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    stage.script.follow(NAME, vec![Said::Error(LookupError::Failed("server failure".to_owned())), said(&[ONE])]);
    assert_eq!(stage.post(URL).unwrap_err().class, HttpFailureClass::NoAddress);
    assert_eq!(stage.post(URL).unwrap().status, 200);
}

#[test]
fn a_resolver_that_panics_fails_one_attempt() {
    let stage = Stage::with(DestinationPolicy::production(), |builder| {
        builder.resolver(|_: &str, _| -> Result<Vec<IpAddr>, LookupError> { panic!("as the test wants") })
    });
    for _ in 0..2 {
        let failure = stage.post(URL).unwrap_err();
        assert_eq!((failure.class, failure.detail.as_str()), (HttpFailureClass::NoAddress, "dns: the resolver gave up"));
    }
}

#[test]
fn r41_registration_and_delivery_come_through_the_same_judge() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    stage.script.follow(NAME, vec![said(&["10.0.0.5"]), said(&[ONE]), said(&["10.0.0.5"])]);
    assert_eq!(class(&stage.check(URL).unwrap_err()), "ipv4-private");

    stage.outlast_answers();
    assert_eq!(stage.check(URL), Ok(()));
    assert_eq!(receiver.connections(), 0);

    // What was said then is worth nothing later.
    stage.outlast_answers();
    assert_eq!(class(&stage.post(URL).unwrap_err()), "ipv4-private");
    assert_eq!((stage.script.asked().len(), receiver.connections()), (3, 0));
}

fn said(addresses: &[&str]) -> Said {
    Said::Addresses(addresses.iter().map(|text| text.parse().unwrap()).collect())
}

/// The class of a refusal, or what the detail begins with.
fn class(failure: &HttpFailure) -> String {
    match &failure.class {
        HttpFailureClass::Blocked(refusal) => refusal.class().to_string(),
        _ => failure.detail.split(':').next().unwrap_or_default().to_owned(),
    }
}

#[derive(Deserialize)]
struct Table {
    count: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    host: String,
    url: String,
    config: Config,
    lookups: Vec<Lookup>,
    expect: Expected,
    #[serde(default)]
    connect_behaviour: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    nat64_prefixes: Vec<IpNet>,
    #[serde(default)]
    allow: Vec<IpNet>,
    #[serde(default)]
    deny: Vec<IpNet>,
    families: Option<String>,
}

#[derive(Deserialize)]
struct Lookup {
    at: String,
    rcode: String,
    answers: Vec<String>,
    #[serde(default)]
    delay_ms: u64,
}

#[derive(Deserialize)]
struct Expected {
    verdict: String,
    class: String,
    may_connect_to: Vec<String>,
    max_lookups_per_delivery: usize,
    query_name: Option<String>,
}

impl Case {
    fn play(&self, receiver: &Receiver) -> Result<(), String> {
        let wrong = |what: String| Err(format!("{}: {what}", self.id));
        let Some(policy) = self.config.policy() else {
            return if self.expect.verdict == "config_error" { Ok(()) } else { wrong("no policy".to_owned()) };
        };
        let stage = self.stage(policy, receiver);
        let (verdict, class) = self.deliver(&stage).unwrap_or_else(|refusal| ("refuse", refusal.class().to_string()));
        if verdict != self.expect.verdict || !is_class(&self.expect.class, &class) {
            return wrong(format!("{verdict} ({class})"));
        }
        let unexpected = stage.map.dialed().into_iter().find(|dialed| !self.may_connect(dialed));
        let asked = stage.script.asked();
        let meant = self.expect.query_name.clone().unwrap_or_else(|| format!("{}.", self.host.to_lowercase()));
        if unexpected.is_some() || asked.iter().any(|name| *name != meant) || asked.len() > self.questions_max() {
            return wrong(format!("dialed {unexpected:?}, asked {asked:?}"));
        }
        Ok(())
    }

    fn stage(&self, policy: DestinationPolicy, receiver: &Receiver) -> Stage {
        let stage = Stage::with(policy, |builder| builder);
        stage.script.follow(&self.host.to_lowercase(), self.lookups.iter().map(Lookup::line).collect());
        for peer in &self.expect.may_connect_to {
            let address = peer.parse::<SocketAddr>().unwrap().ip().to_string();
            if self.connect_behaviour.get(&address).is_none_or(|behaviour| behaviour == "accept") {
                stage.map.lead(&address, receiver);
            }
        }
        // Where two deliveries are described, the first may connect, though the second may not.
        if self.lookups.iter().any(|lookup| lookup.at == "delivery-1") {
            stage.map.lead(ONE, receiver);
        }
        stage
    }

    /// What the last delivery came to.
    fn deliver(&self, stage: &Stage) -> Result<(&'static str, String), Refusal> {
        let destination = stage.http.policy().parse(&self.url)?;
        let hangs = self.lookups.iter().any(|lookup| lookup.delay_ms > 0);
        let request = stage.request(destination.as_str(), if hangs { SHORT } else { PATIENCE });
        match self.lookups.first().map(|lookup| lookup.at.as_str()) {
            Some("registration") => assert_eq!(stage.check(&self.url), Ok(()), "{}", self.id),
            Some("delivery-1") => assert_eq!(stage.send(request.clone()).map(|answer| answer.status), Ok(200), "{}", self.id),
            _ => {}
        }
        if self.deliveries() > 1 {
            stage.outlast_answers();
        }
        match stage.send(request) {
            Ok(_) => Ok(("connect", "ok".to_owned())),
            Err(HttpFailure { class: HttpFailureClass::Blocked(refusal), .. }) => Err(*refusal),
            Err(failure) if failure.class == HttpFailureClass::NoAddress => Ok(("dns_error", class(&failure))),
            Err(failure) => Ok(("connect_error", format!("{failure:?}"))),
        }
    }

    fn deliveries(&self) -> usize {
        if self.lookups.first().is_some_and(|lookup| lookup.at != "delivery") { 2 } else { 1 }
    }

    fn questions_max(&self) -> usize {
        self.expect.max_lookups_per_delivery * self.deliveries()
    }

    fn may_connect(&self, dialed: &str) -> bool {
        let in_first = self.lookups.first().is_some_and(|lookup| lookup.at == "delivery-1") && dialed == format!("{ONE}:443");
        in_first || self.expect.may_connect_to.iter().any(|peer| peer == dialed)
    }
}

impl Config {
    fn policy(&self) -> Option<DestinationPolicy> {
        let policy = DestinationPolicy::production().with_nat64(self.nat64_prefixes.clone()).ok()?;
        let policy = policy.with_allow(self.allow.clone()).ok()?.with_deny(self.deny.clone()).ok()?;
        Some(match self.families.as_deref() {
            Some("ipv4") => policy.with_families(AddressFamilies::V4),
            _ => policy,
        })
    }
}

impl Lookup {
    fn line(&self) -> Said {
        let addresses = self.answers.iter().map(|text| text.split('%').next().unwrap().parse().unwrap()).collect();
        match self.rcode.as_str() {
            _ if self.delay_ms > 0 => Said::Nothing,
            "SERVFAIL" => Said::Error(LookupError::Failed("server failure".to_owned())),
            "NXDOMAIN" => Said::Error(LookupError::NoAddress),
            _ if self.answers.iter().any(|text| text.contains('%')) => Said::Error(LookupError::Zone(addresses)),
            _ => Said::Addresses(addresses),
        }
    }
}

/// Whether a class of the table means a class of the policy, which says the family in full.
///
/// Where an address has two defects, as the metadata addresses inside a closed block have, the policy names the narrower one.
fn is_class(stated: &str, found: &str) -> bool {
    let bare = stated.strip_prefix("v6-").unwrap_or(stated);
    match stated {
        "metadata" => found.starts_with("metadata-"),
        "link-local" | "v6-ula" | "cgnat" | "ietf" if found == "metadata-ip" => true,
        "v6-doc" => found == "ipv6-documentation",
        "ipv4-noncanonical" => ["ipv4-octal", "ipv4-hex", "ipv4-dword", "ipv4-short", "ipv4-mixed"].contains(&found),
        _ => [stated.to_owned(), format!("ipv4-{stated}"), format!("ipv6-{bare}")].iter().any(|class| class == found),
    }
}
