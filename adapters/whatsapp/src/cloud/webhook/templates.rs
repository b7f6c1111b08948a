//! Templates: what Meta says about them.

use super::Change;
use crate::fields::Fields;
use crate::item::{Body, Item, TemplateChange, TemplateUpdate};

/// A change of a template. Meta's pages print the wrong field for some, so the shape decides.
pub(super) fn change(change: &Change<'_>) -> Item {
    let value = &change.value;
    let (kind, what) = if let Some(score) = value.text("new_quality_score") {
        ("message_template_quality_update", Some(TemplateChange::Quality { score }))
    } else if value.has("new_category") {
        ("template_category_update", Some(category(value)))
    } else if let Some(event) = value.text("event") {
        ("message_template_status_update", Some(status(value, event)))
    } else if change.field == "message_template_components_update" {
        (change.field.as_str(), Some(TemplateChange::Components))
    } else {
        (change.field.as_str(), None)
    };
    let body = what.map_or(Body::Unknown, |what| Body::Template(update(value, what)));
    change.one_of_kind(kind, body)
}

fn update(value: &Fields<'_>, change: TemplateChange) -> TemplateUpdate {
    TemplateUpdate {
        id: value.id("message_template_id"),
        name: value.text("message_template_name"),
        language: value.text("message_template_language"),
        change,
    }
}

/// Ahead of the change, `new_category` is still the present one; after it, it is the new one.
fn category(value: &Fields<'_>) -> TemplateChange {
    let (current, at) = (value.text("new_category"), value.seconds("category_update_timestamp"));
    TemplateChange::Category { current, future: value.text("correct_category"), at }
}

fn status(value: &Fields<'_>, event: String) -> TemplateChange {
    TemplateChange::Status {
        is_sendable: is_sendable(&event),
        event,
        reason: value.text("reason").filter(|reason| reason != "NONE"),
        category: value.text("message_template_category"),
    }
}

fn is_sendable(event: &str) -> Option<bool> {
    match event {
        "APPROVED" | "FLAGGED" | "REINSTATED" | "UNARCHIVED" => Some(true),
        "ARCHIVED" | "DELETED" | "DISABLED" | "IN_APPEAL" | "LIMIT_EXCEEDED" | "LOCKED" | "PAUSED" | "PENDING" | "PENDING_DELETION"
        | "REJECTED" => Some(false),
        _ => None,
    }
}
