//! Confirmation: the one text that confirms an opt-out.

use super::Language;
use crate::{Name, Text};

/// The text that confirms an opt-out.
pub fn confirmation(language: Language, brand: &Name) -> Text {
    let _ = language;
    let text = alloc::format!("{brand}: you will get no more messages from us. Reply START to get them again.");
    text.parse().unwrap_or_else(|_| unreachable!())
}
