//! TLS: the certificate is for the host that was asked for, whatever address it has (R35).

use gatepost::{DestinationPolicy, HttpFailureClass};

use super::authorities::{Authority, identity, self_signed, trusted};
use super::receiver::{OK, Receiver};
use super::stage::{NAME, ONE, Stage, URL};

fn end(receiver: &Receiver, url: &str) -> Result<u16, (HttpFailureClass, bool)> {
    let stage = Stage::leading_to(receiver);
    stage.post(url).map(|answer| answer.status).map_err(|failure| (failure.class, failure.may_have_arrived))
}

fn shown(config: std::sync::Arc<rustls::ServerConfig>) -> Receiver {
    Receiver::as_whom(config, |talk| talk.answer_all(OK.as_bytes()))
}

const REFUSED: Result<u16, (HttpFailureClass, bool)> = Err((HttpFailureClass::Tls, false));
const LITERAL: &str = "https://93.184.215.14/";

#[test]
fn r35_the_name_of_the_url_is_asked_for_and_proved() {
    let receiver = shown(identity());
    assert_eq!(end(&receiver, URL), Ok(200));
    assert_eq!(receiver.names(), [Some(NAME.to_owned())]);
}

#[test]
fn r35_a_certificate_that_proves_something_else_or_nothing_is_refused() {
    assert_eq!(end(&shown(trusted().vouch(&["other.example.com"])), URL), REFUSED);
    assert_eq!(end(&shown(trusted().vouch(&[ONE])), URL), REFUSED);
    assert_eq!(end(&shown(trusted().vouched(NAME)), URL), REFUSED);
    assert_eq!(end(&shown(self_signed(NAME)), URL), REFUSED);
    assert_eq!(end(&shown(Authority::new().vouch(&[NAME])), URL), REFUSED);
}

#[test]
fn r35_an_address_in_the_url_must_be_in_the_certificate_as_an_address() {
    assert_eq!(end(&shown(trusted().vouch(&[NAME])), LITERAL), REFUSED);
    let receiver = shown(trusted().vouch(&[ONE]));
    assert_eq!(end(&receiver, LITERAL), Ok(200));
    assert_eq!(receiver.names(), [None]);
}

#[test]
fn what_does_not_speak_tls_is_refused_before_anything_is_sent() {
    let receiver = Receiver::plain(|talk| {
        talk.byte();
        talk.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
        talk.fall_silent();
    });
    assert_eq!(end(&receiver, URL), REFUSED);
}

#[test]
fn the_authorities_of_an_operator_are_believed_beside_the_usual_ones() {
    let own = Authority::new();
    let receiver = shown(own.vouch(&[NAME]));
    let stage = Stage::with(DestinationPolicy::production(), |builder| builder.root_certificates(own.pem()));
    stage.script.says(NAME, &[ONE]);
    stage.map.lead(ONE, &receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);
}
