//! Once: which messages have had their one further try.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use gatepost::MessageId;

/// How many are remembered. Beyond that the schedule of tries is the only bound.
const MESSAGES_MAX: usize = 10_000;

/// The messages that failed once in a way that may be tried once more.
#[derive(Default)]
pub(crate) struct Once(Mutex<HashSet<MessageId>>);

impl Once {
    /// Whether this message was here before.
    pub(crate) fn was_there(&self, message: MessageId) -> bool {
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if messages.len() >= MESSAGES_MAX {
            messages.clear();
        }
        !messages.insert(message)
    }
}
