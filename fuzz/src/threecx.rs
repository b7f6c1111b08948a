//! 3CX: whatever a phone system posts is read or refused, and what is posted to one is JSON.

use gatepost::{Phone, Secret, Timestamp};
use gatepost_threecx::crm::{CallReport, ChatReport, Searched};
use gatepost_threecx::trunk::{AgentMessage, post_body};
use gatepost_threecx::webhook::{Body, Gate, SECRET_HEADER, Shown, read};
use gatepost_threecx::{KeyGate, Plan, Settings, bearer};

/// The bytes are what was posted.
pub fn threecx(bytes: &[u8]) {
    gates(bytes);
    let mut settings = Settings { outbound_enabled: true, call_event_enabled: true, ..Settings::default() };
    settings.templates.missed_call.enabled = true;
    if let Ok(event) = read(bytes)
        && let Plan::Send(outgoing) = settings.plan(&event, "Acme")
    {
        assert!(event.phone().is_ok_and(|phone| phone == outgoing.to), "a message goes to whom the event is about");
        assert!(outgoing.call.is_some() || event.text().is_ok_and(|text| text == outgoing.text), "and says what it says");
    }
    if let Ok(message) = AgentMessage::read(bytes) {
        assert!(message.text.is_some() || !message.files.is_empty(), "a message has something to say");
    }
    drop((CallReport::read(bytes), ChatReport::read(bytes)));
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(Searched::read(text));
        posts(text);
    }
}

/// Nobody is let in who does not show the secret.
fn gates(bytes: &[u8]) {
    let (peer, now) = ([192, 0, 2, 7].into(), Timestamp::from_millis(1_795_500_000_000));
    let secret = "3cxwhs_0b54-the-secret-of-an-integration";
    let headers = [(SECRET_HEADER, bytes)];
    let shown = Shown { headers: &headers, peer, body: Body::Whole(bytes) };
    assert!(Gate::new(Secret::from(secret)).admit(&shown, now).is_err());
    assert!(KeyGate::new(Secret::from(secret)).admit(bearer(bytes), peer).is_err());
}

fn posts(fields: &str) {
    let Ok(number) = Phone::from_digits(999_220_000_001) else { return };
    let at = Timestamp::from_millis(1_795_500_000_000);
    for event in ["message.received", "message.sent", "message.failed"] {
        if let Ok(body) = post_body(event, "evt-1", at, fields, number, &|_| None) {
            assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok(), "what is posted is JSON");
        }
    }
}
