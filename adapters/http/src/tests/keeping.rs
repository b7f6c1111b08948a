//! Keeping: which connection serves the next attempt, and what is done where it has gone (R37).

use std::sync::mpsc;
use std::time::Duration;

use gatepost::{DestinationPolicy, HttpFailureClass};

use super::receiver::{OK, Receiver};
use super::stage::{NAME, ONE, OTHER, PATIENCE, SHORT, Stage, URL};
use crate::buffers::INPUT_BYTES;

#[test]
fn r37_a_connection_is_kept_where_its_peer_is_in_the_set_judged_afresh() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    let first = stage.post(URL).unwrap();
    assert!(!first.trace.kept);

    stage.script.says(NAME, &[OTHER, ONE]);
    stage.outlast_answers();
    let second = stage.post(URL).unwrap();
    assert!(second.trace.kept && !second.trace.resent);
    assert_eq!(second.trace.peer, Some(format!("{ONE}:443").parse().unwrap()));
    assert_eq!((receiver.connections(), receiver.requests().len(), stage.script.asked().len()), (1, 2, 2));
}

#[test]
fn r37_a_connection_is_not_used_where_its_peer_is_not_in_that_set() {
    let (receiver, successor) = (Receiver::saying(OK), Receiver::saying(OK));
    let stage = Stage::leading_to(&receiver);
    stage.map.lead(OTHER, &successor);
    assert_eq!(stage.post(URL).unwrap().status, 200);

    stage.script.says(NAME, &[OTHER]);
    stage.outlast_answers();
    assert!(!stage.post(URL).unwrap().trace.kept);
    assert_eq!((receiver.requests().len(), successor.requests().len()), (1, 1));
}

#[test]
fn r37_a_connection_is_not_used_under_another_generation_of_the_policy() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);

    stage.http.set_policy(DestinationPolicy::production().with_ports([443]).unwrap());
    assert!(!stage.post(URL).unwrap().trace.kept);
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn another_port_or_name_at_the_same_address_has_connections_of_its_own() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);
    assert!(!stage.post("https://hooks.example.com:8443/hook").unwrap().trace.kept);
    assert!(stage.post("https://hooks.example.com/another").unwrap().trace.kept);
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn a_connection_grows_too_old_in_half_a_minute() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);
    stage.clock.advance(Duration::from_millis(29_999));
    assert!(stage.post(URL).unwrap().trace.kept);
    stage.clock.advance(Duration::from_secs(30));
    assert!(!stage.post(URL).unwrap().trace.kept);
}

#[test]
fn no_more_connections_are_kept_than_there_is_room_for() {
    for (per_origin, in_all, connections) in [(0, 8, 2), (8, 0, 2), (1, 1, 1)] {
        let receiver = Receiver::saying(OK);
        let stage = Stage::with(DestinationPolicy::production(), |builder| builder.kept_connections(per_origin, in_all));
        stage.script.says(NAME, &[ONE]);
        stage.map.lead(ONE, &receiver);
        assert!((0..2).all(|_| stage.post(URL).unwrap().status == 200));
        assert_eq!(receiver.connections(), connections, "{per_origin}, {in_all}");
    }
}

#[test]
fn the_connection_that_waited_longest_makes_room_for_another_origin() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::with(DestinationPolicy::production(), |builder| builder.kept_connections(8, 1));
    stage.script.says(NAME, &[ONE]);
    stage.map.lead(ONE, &receiver);
    let [one, other] = ["", ":8443"].map(|port| format!("https://hooks.example.com{port}/"));
    let kept: Vec<_> = [&one, &one, &other, &other, &one].iter().map(|url| stage.post(url).unwrap().trace.kept).collect();
    assert_eq!(kept, [false, true, false, true, false]);
}

#[test]
fn a_kept_connection_that_fails_before_an_answer_is_redone_once_on_a_new_one() {
    let receiver = Receiver::new(|talk| match talk.number {
        0 => {
            talk.answer(OK);
            talk.request();
        }
        _ => talk.answer_all(OK.as_bytes()),
    });
    let stage = Stage::leading_to(&receiver);
    assert!(!stage.post(URL).unwrap().trace.resent);

    let redone = stage.post(URL).unwrap();
    assert!(redone.trace.resent && !redone.trace.kept);
    assert_eq!((receiver.connections(), receiver.requests().len(), stage.script.asked().len()), (2, 3, 1));
}

#[test]
fn what_must_not_arrive_twice_is_not_redone() {
    let receiver = Receiver::new(|talk| match talk.number {
        0 => {
            talk.answer(OK);
            talk.request();
        }
        _ => talk.answer_all(OK.as_bytes()),
    });
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post_once(URL).unwrap().status, 200);

    let failure = stage.post_once(URL).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived), (HttpFailureClass::Broken, true));
    assert_eq!((failure.trace.kept, failure.trace.resent), (true, false));
    assert_eq!((receiver.connections(), receiver.requests().len()), (1, 2));
}

#[test]
fn what_must_not_arrive_twice_takes_no_connection_that_rested_for_two_seconds() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    assert!(!stage.post_once(URL).unwrap().trace.kept);
    stage.clock.advance(Duration::from_millis(1_999));
    assert!(stage.post_once(URL).unwrap().trace.kept);
    stage.clock.advance(Duration::from_secs(2));
    assert!(!stage.post_once(URL).unwrap().trace.kept);

    stage.clock.advance(Duration::from_secs(2));
    assert!((0..2).all(|_| stage.post(URL).unwrap().trace.kept));
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn what_was_redone_is_not_redone_again() {
    let receiver = Receiver::new(|talk| {
        if talk.number == 0 {
            talk.answer(OK);
        }
        talk.request();
    });
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);
    let failure = stage.post(URL).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived, failure.trace.resent), (HttpFailureClass::Broken, true, true));
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn a_redone_request_may_have_arrived_though_no_new_connection_was_to_be_had() {
    let receiver = Receiver::new(|talk| {
        talk.answer(OK);
        talk.request();
    });
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);
    stage.map.close(ONE);
    let failure = stage.post(URL).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived, failure.trace.resent), (HttpFailureClass::Unreachable, true, true));
}

#[test]
fn a_new_connection_that_fails_is_not_redone() {
    let receiver = Receiver::new(|talk| drop(talk.request()));
    let failure = Stage::leading_to(&receiver).post(URL).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived, failure.trace.resent), (HttpFailureClass::Broken, true, false));
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn a_kept_connection_that_fails_within_an_answer_is_not_redone() {
    let receiver = Receiver::new(|talk| {
        talk.answer(OK);
        talk.answer("HTTP/1.1 2");
    });
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);
    let failure = stage.post(URL).unwrap_err();
    assert_eq!((failure.class, failure.trace.kept, failure.trace.resent), (HttpFailureClass::Broken, true, false));
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn a_kept_connection_that_keeps_silent_is_not_redone() {
    let receiver = Receiver::new(|talk| {
        talk.answer(OK);
        talk.fall_silent();
    });
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);
    let failure = stage.send(stage.request(URL, SHORT)).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived, failure.trace.resent), (HttpFailureClass::Timeout, true, false));
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn a_connection_that_was_closed_while_it_was_kept_is_not_used() {
    let (closed, wait_for_closed) = mpsc::channel();
    let receiver = Receiver::plain(move |talk| {
        talk.answer(OK);
        if talk.number == 0 {
            talk.close();
            closed.send(()).unwrap();
        }
    });
    let stage = plain_stage(&receiver);
    assert_eq!(stage.post("http://93.184.215.14/").unwrap().status, 200);
    wait_for_closed.recv_timeout(PATIENCE).unwrap();
    let second = stage.post("http://93.184.215.14/").unwrap();
    assert!(!second.trace.kept && !second.trace.resent);
}

#[test]
fn an_answer_that_nobody_asked_for_is_not_taken_for_the_next() {
    let (said, wait_for_said) = mpsc::channel();
    let receiver = Receiver::plain(move |talk| {
        talk.answer(OK);
        if talk.number == 0 {
            // In one write with the first answer it would be seen at once; later it is seen before the next request.
            talk.say("HTTP/1.1 299 Forged\r\nContent-Length: 0\r\n\r\n").unwrap();
            said.send(()).unwrap();
            talk.fall_silent();
        }
    });
    let stage = plain_stage(&receiver);
    assert_eq!(stage.post("http://93.184.215.14/").unwrap().status, 200);
    wait_for_said.recv_timeout(PATIENCE).unwrap();
    assert_eq!(stage.post("http://93.184.215.14/").unwrap().status, 200);
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn nor_is_one_that_was_decrypted_together_with_the_first() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 8000\r\nX-Fill: ";
    let fill = "x".repeat(INPUT_BYTES - 8_000 - head.len() - 4);
    let forged = "HTTP/1.1 299 Forged\r\nContent-Length: 0\r\n\r\n";
    let receiver = Receiver::saying(format!("{head}{fill}\r\n\r\n{}{forged}", "x".repeat(8_000)));
    let stage = Stage::leading_to(&receiver);
    assert!((0..2).all(|_| stage.post(URL).unwrap().status == 200));
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn a_connection_that_either_side_wants_closed_is_not_kept() {
    for answer in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ] {
        let receiver = Receiver::saying(answer);
        let stage = Stage::leading_to(&receiver);
        assert!((0..2).all(|_| stage.post(URL).is_ok()), "{answer}");
        assert_eq!(receiver.connections(), 2, "{answer}");
    }
}

fn plain_stage(receiver: &Receiver) -> Stage {
    let stage = Stage::with(DestinationPolicy::development(), |builder| builder);
    stage.map.lead(ONE, receiver);
    stage
}
