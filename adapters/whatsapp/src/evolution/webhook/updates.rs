//! Updates: how far messages of ours got, and what was taken back.
//!
//! Evolution API tells of a message only while it has it in its database: an update that does not come proves nothing.

use super::jid;
use crate::batch::{Told, hashed};
use crate::fields::Fields;
use crate::item::{Body, Chat, Inbound, Profile, Said, StatusUpdate};
use gatepost::{Addresses, Progress};

/// A status. One about a message of somebody else says only that we read it.
pub(super) fn update(instance: &str, data: &Fields<'_>) -> Result<Told, &'static str> {
    let id = data.id("keyId").ok_or("expected `keyId`")?;
    let word = data.text("status").ok_or("expected `status`")?;
    let (chat, people) = scene(data)?;
    let participant = data.text("participant").filter(|_| chat != Chat::Direct).as_deref().map(hashed).unwrap_or_default();
    let is_ours = data.flag("fromMe").unwrap_or(true);
    let key = format!("{instance}:status:{id}:{word}:{participant}");
    let kind = format!("status.{}", progress(&word).map_or_else(|| word.to_ascii_lowercase(), |progress| progress.to_string()));
    let status = |progress| StatusUpdate { external_id: id, callback_data: None, progress, errors: Vec::new() };
    let body = progress(&word).filter(|_| is_ours).map_or(Body::Unknown, |progress| Body::Status(status(progress)));
    Ok(Told { people, chat, ..Told::new(kind, key, body) })
}

/// A message that was taken back: by us, which is a status, or by a person.
pub(super) fn deletion(instance: &str, data: &Fields<'_>) -> Result<Told, &'static str> {
    let key = data.fields("key").unwrap_or_else(|| data.clone());
    let id = key.id("id").ok_or("expected `id`")?;
    let (chat, people) = scene(&key)?;
    let is_ours = key.flag("fromMe").unwrap_or_default();
    let (dedupe, kind) = (format!("{instance}:deleted:{id}"), if is_ours { "status.deleted" } else { "message.deleted" });
    let body = if is_ours { deleted(id) } else { revoked(id) };
    Ok(Told { people, chat, ..Told::new(kind, dedupe, body) })
}

fn deleted(external_id: String) -> Body {
    Body::Status(StatusUpdate { external_id, callback_data: None, progress: Progress::Deleted, errors: Vec::new() })
}

fn revoked(id: String) -> Body {
    let said = Said::Revoke { of: Some(id.clone()) };
    Body::Message(Inbound { id, text: None, said, quoted: None, profile: Profile::default() })
}

/// Where it happened, and to whom.
fn scene(data: &Fields<'_>) -> Result<(Chat, Addresses), &'static str> {
    let chat = data.text("remoteJid").and_then(|jid| jid::chat(&jid)).map_or(Chat::Direct, |(chat, _)| chat);
    // In a chat of two the participant need not be the other one.
    let name = if chat == Chat::Direct { "remoteJid" } else { "participant" };
    Ok((chat, jid::person(data, name)))
}

/// The words of WhatsApp Web, and those of the Cloud API, which Evolution API writes in upper case.
fn progress(word: &str) -> Option<Progress> {
    match word {
        "PENDING" => Some(Progress::Accepted),
        "SENT" | "SERVER_ACK" => Some(Progress::Sent),
        "DELIVERED" | "DELIVERY_ACK" => Some(Progress::Delivered),
        "READ" => Some(Progress::Read),
        "PLAYED" => Some(Progress::Played),
        "DELETED" => Some(Progress::Deleted),
        "ERROR" | "FAILED" => Some(Progress::Failed),
        _ => None,
    }
}
