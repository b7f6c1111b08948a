//! Statuses: how far messages of ours got.

use gatepost::{Progress, Words};
use serde_json::value::RawValue;

use super::number::Scene;
use super::{people, said};
use crate::batch::{Told, hashed};
use crate::fields::Fields;
use crate::item::{Body, Chat, StatusUpdate};

/// A status. One of a group comes once for each of its people.
pub(super) fn status(scene: &Scene<'_>, fields: &Fields<'_>, _: &RawValue) -> Result<Told, &'static str> {
    let external_id = fields.id("id").ok_or("expected `id`")?;
    let word = fields.text("status").ok_or("expected `status`")?;
    let is_group = fields.text("recipient_type").as_deref() == Some("group");
    let recipient = if is_group {
        people::addresses(fields, "recipient_participant_id", "recipient_participant_user_id", "")
    } else {
        people::addresses(fields, "recipient_id", "recipient_user_id", "recipient_parent_user_id")
    };
    let participant = fields.id("recipient_participant_id").or_else(|| fields.id("recipient_participant_user_id"));
    let key = format!("{}:status:{external_id}:{word}:{}", scene.number, participant.as_deref().map(hashed).unwrap_or_default());
    let chat = fields.id("recipient_id").filter(|_| is_group).map_or(Chat::Direct, |id| Chat::Group { id: Words::new(id) });
    let callback_data = fields.text("biz_opaque_callback_data");
    let update = |progress| StatusUpdate { external_id, callback_data, progress, errors: said::errors(fields) };
    let body = progress(&word).map_or(Body::Unknown, |progress| Body::Status(update(progress)));
    let (people, _) = scene.person(recipient);
    Ok(Told { people, chat, at: fields.seconds("timestamp"), ..Told::new(format!("status.{word}"), key, body) })
}

fn progress(word: &str) -> Option<Progress> {
    match word {
        "sent" => Some(Progress::Sent),
        "delivered" => Some(Progress::Delivered),
        "read" => Some(Progress::Read),
        "played" => Some(Progress::Played),
        "deleted" => Some(Progress::Deleted),
        "failed" => Some(Progress::Failed),
        _ => None,
    }
}
