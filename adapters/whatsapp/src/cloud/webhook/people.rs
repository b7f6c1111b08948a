//! People: whom a value names, what they wish, and when their ids change.

use gatepost::{Address, Addresses, Wish, Words};
use serde_json::value::RawValue;

use super::number::Scene;
use crate::batch::{Told, digest};
use crate::fields::Fields;
use crate::ids;
use crate::item::{Body, IdentityChange, Preference, Profile};

/// A person that a value names beside its messages.
pub(super) struct Person<'a> {
    addresses: Addresses,
    profile: Fields<'a>,
}

/// The people that a value names. They do not line up with its messages: who is who is told by their addresses, never by their place.
pub(super) fn named<'a>(value: &Fields<'a>) -> Vec<Person<'a>> {
    let person = |fields: Fields<'a>| {
        let addresses = addresses(&fields, "wa_id", "user_id", "parent_user_id");
        Person { addresses, profile: fields.fields("profile").unwrap_or_default() }
    };
    value.objects("contacts").into_iter().map(person).collect()
}

/// The addresses in three fields. A business-scoped user id may stand where a number is expected.
pub(in crate::cloud) fn addresses(fields: &Fields<'_>, phone: &str, user_id: &str, parent: &str) -> Addresses {
    let number = |text: String| ids::phone(&text).or_else(|| ids::user_id(&text));
    let phone = fields.id(phone).and_then(number);
    let user_id = fields.text(user_id).and_then(|text| ids::user_id(&text));
    let parent = fields.text(parent).and_then(|text| ids::user_id(&text));
    [phone, user_id, parent].into_iter().flatten().collect()
}

impl Scene<'_> {
    /// All that is known of the person with one of these addresses.
    pub(super) fn person(&self, mut addresses: Addresses) -> (Addresses, Profile) {
        let Some(person) = self.people.iter().find(|person| person.addresses.meet(&addresses)) else {
            return (addresses, Profile::default());
        };
        addresses.extend(person.addresses.clone());
        let words = |name| person.profile.text(name).map(Words::new);
        (addresses, Profile { name: words("name"), username: words("username") })
    }
}

/// A wish about marketing messages. A word that is not known is no wish to get them again.
pub(super) fn preference(scene: &Scene<'_>, fields: &Fields<'_>, raw: &RawValue) -> Result<Told, &'static str> {
    let (people, _) = scene.person(addresses(fields, "wa_id", "user_id", "parent_user_id"));
    if people.is_empty() {
        return Err("expected `wa_id` or `user_id`");
    }
    let wish = match fields.text("value").as_deref() {
        Some("stop") => Some(Wish::Stop),
        Some("resume") => Some(Wish::Resume),
        _ => None,
    };
    let category = fields.text("category").unwrap_or_default();
    let body = wish.map_or(Body::Unknown, |wish| Body::Preference(Preference { category, wish }));
    let key = format!("{}:user_preferences:{}", scene.number, digest(raw));
    Ok(Told { people, at: fields.seconds("timestamp"), ..Told::new("user_preferences", key, body) })
}

/// A business-scoped user id that is another one now.
pub(super) fn id_update(scene: &Scene<'_>, fields: &Fields<'_>, raw: &RawValue) -> Result<Told, &'static str> {
    let id = |name: &str, made: fn(&str) -> Option<Address>, when| fields.fields(name).and_then(|change| made(&change.text(when)?));
    let all = |when| {
        let own = id("user_id", ids::user_id, when);
        own.into_iter().chain(id("parent_user_id", ids::user_id, when)).collect::<Addresses>()
    };
    let (mut people, now) = (addresses(fields, "wa_id", "", ""), all("current"));
    people.extend(all("previous"));
    if people.is_empty() || now.is_empty() {
        return Err("expected the former and the present `user_id`");
    }
    let key = format!("{}:user_id_update:{}", scene.number, digest(raw));
    Ok(Told { people, at: fields.seconds("timestamp"), ..Told::new("user_id_update", key, Body::Identity(IdentityChange { now })) })
}
