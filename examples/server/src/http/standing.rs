//! Standing: how messages show while their account or their instance is paused.
//!
//! A pause rewrites no row: what waits is stored as queued, and shows as held. Pauses are read only where something waits.

use gatepost::{AccountStore, InstanceId, Message, MessageStatus, Standing, StoreError};

/// What of an account is paused.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    account: bool,
    instances: Vec<InstanceId>,
}

impl Pauses {
    /// The pauses that may hold one of these messages.
    pub(super) async fn over(store: &dyn AccountStore, messages: &[Message]) -> Result<Self, StoreError> {
        if messages.iter().all(|message| message.status != MessageStatus::Queued) {
            return Ok(Self::default());
        }
        let account = store.account().await?.is_some_and(|account| account.pause.is_some());
        let instances = store.instances().await?.into_iter().filter(|instance| instance.pause.is_some());
        Ok(Self { account, instances: instances.map(|instance| instance.id).collect() })
    }

    /// How this message stands.
    pub(super) fn standing(&self, message: &Message) -> Standing {
        message.status.standing(self.account || self.instances.contains(&message.instance))
    }
}
