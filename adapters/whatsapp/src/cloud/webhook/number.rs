//! Number: the value of a change that is about one of our numbers, and the lists in it.

use serde_json::value::RawValue;

use super::people::{self, Person};
use super::{Change, messages, statuses};
use crate::batch::{ITEMS_MAX, Told, digest, malformed};
use crate::errors::ProviderError;
use crate::fields::Fields;
use crate::item::{Body, Item, Line};

/// What reads one element of a list, with what stands beside the list.
type Read = fn(&Scene<'_>, &Fields<'_>, &RawValue) -> Result<Told, &'static str>;

/// The lists that such a value may have, and who reads them.
const LISTS: &[(&str, Read)] = &[
    ("messages", messages::message),
    ("message_echoes", messages::echo),
    ("statuses", statuses::status),
    ("user_preferences", people::preference),
    ("user_id_update", people::id_update),
    ("errors", errors),
];

/// What stands beside a list.
pub(super) struct Scene<'a> {
    /// The id of our number.
    pub(super) number: String,
    /// The people that the value names.
    pub(super) people: Vec<Person<'a>>,
}

pub(super) fn items(change: &Change<'_>) -> Vec<Item> {
    let number = change.value.fields("metadata").and_then(|metadata| metadata.id("phone_number_id"));
    let line = change.line(number.as_deref());
    let scene = number.map(|number| Scene { number, people: people::named(&change.value) });
    let items: Vec<Item> = LISTS
        .iter()
        .filter_map(|list| Some((list, change.value.raw(list.0)?)))
        .flat_map(|(list, raw)| all_of(list, scene.as_ref(), &line, raw))
        .collect();
    if items.is_empty() { vec![malformed("expected messages, statuses or errors in `value`", line, change.raw)] } else { items }
}

fn all_of((_, read): &(&str, Read), scene: Option<&Scene<'_>>, line: &Line, raw: &RawValue) -> Vec<Item> {
    let Some(elements) = crate::fields::elements(raw) else { return vec![malformed("expected an array", line.clone(), raw)] };
    elements.into_iter().take(ITEMS_MAX).map(|raw| one_of(*read, scene, line.clone(), raw)).collect()
}

fn one_of(read: Read, scene: Option<&Scene<'_>>, line: Line, raw: &RawValue) -> Item {
    let told = match (scene, Fields::read(raw)) {
        (None, _) => Err("expected `phone_number_id` in `metadata`"),
        (_, None) => Err("expected an object"),
        (Some(scene), Some(fields)) => read(scene, &fields, raw),
    };
    match told {
        Ok(told) => told.on(line, raw),
        Err(why) => malformed(why, line, raw),
    }
}

/// An error that belongs to no message.
fn errors(scene: &Scene<'_>, fields: &Fields<'_>, raw: &RawValue) -> Result<Told, &'static str> {
    let key = format!("{}:errors:{}", scene.number, digest(raw));
    Ok(Told::new("errors", key, Body::Errors { errors: vec![ProviderError::read(fields)] }))
}
