//! Open: the attempts that this store has opened, so that a finish need not read them again.
//!
//! Another process may have closed one meanwhile, and what it wrote counts: a finish that begins with what is known here takes the row
//! out under its fence, and one that finds no such row comes too late. What is missing here is read. After a group that failed nothing
//! is known.

use std::collections::HashMap;

use gatepost::{Address, Claimed, DeliveryId, InstanceId, Origin, Purpose};

use crate::outbox::OutboxEntry;

/// More than any worker has on its way. Attempts whose finish never comes are forgotten with all others.
const KNOWN_MAX: usize = 8_192;

/// An attempt that nobody has closed, as far as this process knows.
pub(crate) struct OpenAttempt {
    pub(crate) entry: OutboxEntry,
    /// What customers are told of its message, where that is at hand.
    pub(crate) told: Option<Told>,
}

impl From<OutboxEntry> for OpenAttempt {
    fn from(entry: OutboxEntry) -> Self {
        Self { entry, told: None }
    }
}

/// What customers are told of a message.
pub(crate) struct Told {
    pub(crate) instance: InstanceId,
    pub(crate) recipient: Address,
    pub(crate) purpose: Purpose,
    pub(crate) origin: Origin,
}

/// The attempts that are open.
#[derive(Default)]
pub(crate) struct OpenAttempts(HashMap<DeliveryId, OpenAttempt>);

impl OpenAttempts {
    /// Notes an attempt that was just written as started.
    pub(crate) fn add(&mut self, attempt: OpenAttempt) {
        if self.0.len() >= KNOWN_MAX {
            self.0.clear();
        }
        self.0.insert(attempt.entry.delivery, attempt);
    }

    /// Takes out the attempt that somebody has claimed.
    pub(crate) fn take(&mut self, claimed: Claimed) -> Option<OpenAttempt> {
        self.0.remove(&claimed.delivery).filter(|known| known.entry.claimed() == claimed)
    }
}
