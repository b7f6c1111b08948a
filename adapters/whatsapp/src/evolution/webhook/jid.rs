//! JID: how WhatsApp Web names people, groups and channels.

use crate::fields::Fields;
use gatepost::{Address, Addresses, Words};

use crate::ids;
use crate::item::Chat;

/// The chat that this JID names, and the person, where it is one.
pub(super) fn chat(jid: &str) -> Option<(Chat, Option<Address>)> {
    let (user, server) = jid.split_once('@')?;
    match server {
        "s.whatsapp.net" | "c.us" | "lid" | "hosted" | "hosted.lid" => Some((Chat::Direct, address(jid))),
        "g.us" => Some((Chat::Group { id: Words::new(user.to_owned()) }, None)),
        "broadcast" => Some((Chat::Broadcast, None)),
        "newsletter" => Some((Chat::Newsletter, None)),
        _ => None,
    }
}

/// The person that this JID names. A device's number behind a colon is not part of who they are.
pub(super) fn address(jid: &str) -> Option<Address> {
    let (user, server) = jid.split_once('@')?;
    let user = user.split([':', '_']).next().unwrap_or(user);
    match server {
        "s.whatsapp.net" | "c.us" | "hosted" => ids::phone(user),
        "lid" | "hosted.lid" => ids::lid(user),
        _ => None,
    }
}

/// The addresses of the person in this field and in its twin: one has the number where the other has the linked id.
pub(super) fn person(fields: &Fields<'_>, name: &str) -> Addresses {
    let twin = format!("{name}Alt");
    [name, twin.as_str()].into_iter().filter_map(|name| address(&fields.text(name)?)).collect()
}
