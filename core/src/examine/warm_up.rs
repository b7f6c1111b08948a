//! Warm-up: what is built once in a process, before anybody waits for it.

use alloc::string::String;

use super::{Sender, examine};
use crate::{Content, Text};

/// Builds what [`examine()`] looks all texts through with, if nobody has: it takes some tens of milliseconds, which the first text to be
/// examined would have to wait for. That one may be examined inside a transaction, where all others would wait too. Building a gateway does
/// it.
pub fn warm_up() {
    let content = Content::Text { text: Text::known(String::from("Your table is ready.")) };
    examine(&content, &Sender::default());
}
