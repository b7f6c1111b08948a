//! Refusing: what is said of a request that was not answered, and to whom.

use std::thread;
use std::time::Duration;

use gatepost::{DestinationPolicy, HttpFailure, HttpFailureClass};

use super::receiver::Receiver;
use super::stage::{NAME, ONE, SHORT, Stage, URL};

fn refused(addresses: &[&str]) -> (Stage, HttpFailure) {
    let stage = Stage::new();
    stage.script.says(NAME, addresses);
    let failure = stage.post(URL).unwrap_err();
    (stage, failure)
}

fn told_to_the_customer(failure: &HttpFailure) -> String {
    match &failure.class {
        HttpFailureClass::Blocked(refusal) => refusal.to_string(),
        class => panic!("not refused: {class:?}"),
    }
}

#[test]
fn every_forbidden_address_looks_the_same_from_outside() {
    let addresses = ["10.0.0.1", "10.0.0.2", "127.0.0.1", "169.254.169.254", "fd00:ec2::254", "::1"];
    let told: Vec<String> = addresses.iter().map(|address| told_to_the_customer(&refused(&[address]).1)).collect();
    assert!(told.iter().all(|text| *text == told[0]), "{told:?}");
}

#[test]
fn the_customer_learns_no_address_and_the_operator_does() {
    let (stage, failure) = refused(&["10.1.2.3"]);
    assert!(!told_to_the_customer(&failure).contains("10.1.2.3"));
    assert!(failure.detail.contains("10.1.2.3"), "{}", failure.detail);
    assert!(stage.map.dialed().is_empty());
}

#[test]
fn what_was_refused_or_never_connected_cannot_have_arrived() {
    let (_, blocked) = refused(&["10.0.0.1"]);
    let (_, unreachable) = refused(&[ONE]);
    let (_, absent) = refused(&[]);
    assert!(matches!(blocked.class, HttpFailureClass::Blocked(_)));
    assert_eq!((unreachable.class, absent.class), (HttpFailureClass::Unreachable, HttpFailureClass::NoAddress));
    assert!(!blocked.may_have_arrived && !unreachable.may_have_arrived && !absent.may_have_arrived);
    assert_eq!((blocked.trace.peer, unreachable.trace.peer), (None, Some(format!("{ONE}:443").parse().unwrap())));
}

#[test]
fn what_was_written_and_not_answered_may_have_arrived() {
    let receiver = Receiver::new(|talk| {
        talk.byte();
        thread::sleep(Duration::from_millis(1));
        talk.close();
    });
    let failure = Stage::leading_to(&receiver).post(URL).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived), (HttpFailureClass::Broken, true));
}

#[test]
fn a_destination_that_was_judged_under_a_former_policy_is_judged_again() {
    let stage = Stage::with(DestinationPolicy::development(), |builder| builder);
    let request = stage.request("http://93.184.215.14:9999/", SHORT);
    stage.http.set_policy(DestinationPolicy::production());
    let failure = stage.send(request).unwrap_err();
    assert!(matches!(failure.class, HttpFailureClass::Blocked(_)), "{failure:?}");
    assert!(stage.map.dialed().is_empty());
}

#[test]
fn what_was_sent_is_not_shown_by_debug() {
    let receiver = Receiver::saying("HTTP/1.1 200 OK\r\nX-Secret: tulip\r\nContent-Length: 5\r\n\r\ntulip");
    let stage = Stage::leading_to(&receiver);
    let answer = stage.post(URL).unwrap();
    let shown = format!("{answer:?} {:?}", stage.http);
    assert!(!shown.contains("tulip") && shown.contains("200"), "{shown}");
}
