//! Report: what the reports of calls and of chats have in common.

use gatepost::{Phone, Timestamp};
use sha2::{Digest, Sha256};

use super::Searched;
use crate::fields::Fields;

/// The fields of a report.
pub(super) fn fields(body: &[u8]) -> Result<Fields<'_>, InvalidReport> {
    Fields::read(body).ok_or(InvalidReport::NotJson)
}

/// The customer's number; whoever hides it has none.
pub(super) fn phone(fields: &Fields<'_>) -> Option<Phone> {
    Searched::read(&fields.text("number")?).map(|searched| searched.phone())
}

/// A time that happened. What did not happen may be written as the first day there is.
pub(super) fn time(fields: &Fields<'_>, name: &str) -> Option<Timestamp> {
    let at: Timestamp = fields.word(name)?.parse().ok()?;
    (at.as_millis() > 0).then_some(at)
}

/// What tells a report from all others of one phone system. Numbers and times that can be read count whichever way they are written.
pub(super) fn key(kind: &str, call_type: &str, fields: &Fields<'_>, agent: &str) -> [u8; 32] {
    let word = |name| fields.word(name).unwrap_or_default();
    let number = phone(fields).map_or_else(|| word("number").to_lowercase(), |phone| phone.e164());
    let start = time(fields, "start_utc").map_or_else(|| word("start_utc"), |at| at.to_string());
    let parts = [kind.to_owned(), call_type.to_owned(), number, start, word(agent), word("queue")];
    // With its length before it, no part can pass for two.
    let digest = parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update((part.len() as u64).to_be_bytes()).chain_update(part));
    digest.finalize().into()
}

/// Why a body is no report. It repeats nothing of the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidReport {
    /// There is no kind of call, or one that is not known.
    #[error("`call_type`: expected `Inbound`, `Outbound`, `Missed` or `Notanswered`")]
    CallType,
    /// It is no JSON object.
    #[error("expected a JSON object")]
    NotJson,
}
