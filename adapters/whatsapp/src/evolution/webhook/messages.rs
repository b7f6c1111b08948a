//! Messages: what was written to the linked number, and what was written from it.

use super::{jid, said};
use crate::batch::Told;
use crate::fields::Fields;
use crate::item::{Body, Chat, Inbound, Profile, Quoted};
use gatepost::{Addresses, Words};

/// A message, or the echo of one that was typed on the linked phone.
pub(super) fn message(instance: &str, data: &Fields<'_>) -> Result<Told, &'static str> {
    let key = data.fields("key").ok_or("expected `key`")?;
    let id = key.id("id").ok_or("expected `id` in `key`")?;
    let jid = key.text("remoteJid").ok_or("expected `remoteJid` in `key`")?;
    let (chat, _) = jid::chat(&jid).ok_or("expected a known kind of chat in `remoteJid`")?;
    let is_echo = key.flag("fromMe").unwrap_or_default();
    let people = people(&chat, &key);
    if people.is_empty() && chat == Chat::Direct {
        return Err("expected a phone number or a linked id in `remoteJid`");
    }
    let told = Told { people, chat, is_echo, at: data.seconds("messageTimestamp"), ..heard(instance, id, data) };
    Ok(if is_echo { Told { kind: format!("echo.{}", told.kind), ..told } } else { told })
}

/// A message that was sent through Evolution API: always an echo. It has the key of the echo that may follow it.
pub(super) fn sent(instance: &str, data: &Fields<'_>) -> Result<Told, &'static str> {
    message(instance, data).map(|told| Told { kind: String::from("send.message"), is_echo: true, ..told })
}

fn heard(instance: &str, id: String, data: &Fields<'_>) -> Told {
    let said::Heard { form, text, said, quoted } = said::hear(data);
    let quoted = quoted.or_else(|| data.fields("contextInfo")?.id("stanzaId")).map(|id| Quoted { id });
    let key = format!("{instance}:message:{id}");
    Told::new(format!("message.{form}"), key, Body::Message(Inbound { id, text, said, quoted, profile: profile(data) }))
}

/// In a group or a broadcast the one who wrote stands beside the chat.
fn people(chat: &Chat, key: &Fields<'_>) -> Addresses {
    match chat {
        Chat::Direct => jid::person(key, "remoteJid"),
        Chat::Group { .. } | Chat::Broadcast | Chat::Newsletter => jid::person(key, "participant"),
    }
}

/// What a person is called.
pub(super) fn profile(data: &Fields<'_>) -> Profile {
    Profile { name: data.text("pushName").filter(|name| !name.is_empty()).map(Words::new), username: None }
}
