//! Connection: how the link between a number and Evolution API stands.

use gatepost::{Connection, Secret, Words};

use crate::fields::Fields;
use crate::item::{Body, ConnectionUpdate, LinkCode};

/// Codes with which it does not link again by itself: payment, logged out, forbidden, not acceptable, too many QR codes.
const ENDS: [i64; 5] = [401, 402, 403, 406, 428];

/// The state of the link. Only the exact word `open` is open.
pub(super) fn update(data: &Fields<'_>) -> Body {
    let connection = match data.text("state").as_deref() {
        Some("open") => Connection::Open,
        Some("connecting") => Connection::Connecting,
        _ => Connection::Closed,
    };
    let reason = data.number("statusReason");
    let number = data.text("wuid").and_then(|jid| jid.split_once('@').map(|(user, _)| Words::new(user.to_owned())));
    Body::Connection(ConnectionUpdate { number, ..link(connection, reason) })
}

/// The end of a link.
pub(super) fn status(data: &Fields<'_>) -> Body {
    match data.text("status").as_deref() {
        Some("closed") => Body::Connection(link(Connection::Closed, data.number("disconnectionReasonCode"))),
        _ => Body::Unknown,
    }
}

/// Somebody ended it over there.
pub(super) fn ended() -> Body {
    Body::Connection(ConnectionUpdate { needs_person: true, ..link(Connection::Closed, None) })
}

/// A code to scan: there is no link while one is asked for.
pub(super) fn code(data: &Fields<'_>) -> Body {
    let code = data.fields("qrcode").and_then(|code| link_code(&code));
    let reason = data.number("statusCode");
    Body::Connection(ConnectionUpdate { needs_person: true, code, ..link(Connection::Connecting, reason) })
}

/// What links a phone.
pub(in crate::evolution) fn link_code(fields: &Fields<'_>) -> Option<LinkCode> {
    Some(LinkCode { code: Secret::from(fields.text("code")?), pairing_code: fields.text("pairingCode").map(Secret::from) })
}

fn link(connection: Connection, reason: Option<i64>) -> ConnectionUpdate {
    let needs_person = connection == Connection::Closed && reason.is_some_and(|reason| ENDS.contains(&reason));
    ConnectionUpdate { connection, reason, needs_person, number: None, code: None }
}
