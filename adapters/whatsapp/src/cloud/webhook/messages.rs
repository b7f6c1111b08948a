//! Messages: what people wrote to one of our numbers, and what was written from it by hand.

use gatepost::{Addresses, Words};
use serde_json::value::RawValue;

use super::number::Scene;
use super::{people, said};
use crate::batch::Told;
use crate::fields::Fields;
use crate::ids;
use crate::item::{Body, Chat, IdentityChange, Inbound, Quoted};

/// A message to us.
pub(super) fn message(scene: &Scene<'_>, fields: &Fields<'_>, _: &RawValue) -> Result<Told, &'static str> {
    let told = said_by(scene, fields, people::addresses(fields, "from", "from_user_id", "from_parent_user_id"))?;
    if told.people.is_empty() { Err("expected a phone number in `from` or a user id in `from_user_id`") } else { Ok(told) }
}

/// A message that an employee sent from the WhatsApp Business app.
pub(super) fn echo(scene: &Scene<'_>, fields: &Fields<'_>, _: &RawValue) -> Result<Told, &'static str> {
    let told = said_by(scene, fields, people::addresses(fields, "to", "to_user_id", "to_parent_user_id"))?;
    Ok(Told { is_echo: true, kind: format!("echo.{}", told.kind), ..told })
}

fn said_by(scene: &Scene<'_>, fields: &Fields<'_>, addresses: Addresses) -> Result<Told, &'static str> {
    let id = fields.id("id").ok_or("expected `id`")?;
    let key = format!("{}:message:{id}", scene.number);
    let (people, profile) = scene.person(addresses);
    let form = fields.text("type").unwrap_or_else(|| String::from("untyped"));
    let (kind, body) = if form == "system" {
        system(fields)
    } else {
        let said::Heard { kind, text, said } = said::hear(&form, fields);
        let quoted = fields.fields("context").and_then(|context| context.id("id")).map(|id| Quoted { id });
        (format!("message.{kind}"), Body::Message(Inbound { id, text, said, quoted, profile }))
    };
    let chat = fields.id("group_id").map_or(Chat::Direct, |id| Chat::Group { id: Words::new(id) });
    Ok(Told { people, chat, at: fields.seconds("timestamp"), ..Told::new(kind, key, body) })
}

/// What WhatsApp itself says in a conversation: mostly that somebody's number or id changed. Nobody wrote it, so it is no message.
fn system(fields: &Fields<'_>) -> (String, Body) {
    let system = fields.fields("system").unwrap_or_default();
    let kind = format!("message.system.{}", system.text("type").unwrap_or_else(|| String::from("untyped")));
    let mut now = people::addresses(&system, "wa_id", "user_id", "parent_user_id");
    // Older texts of Meta's call it so.
    now.extend(system.id("new_wa_id").and_then(|text| ids::phone(&text)));
    (kind, if now.is_empty() { Body::Unknown } else { Body::Identity(IdentityChange { now }) })
}
