//! Observer: what a transport learns beside the outcome of a send.

use gatepost::{Addresses, InstanceId, MessageId};

use crate::errors::ProviderError;

/// Is told what a transport learns. It must return at once, as the send waits for it.
pub trait Observer: Send + Sync {
    /// The provider took a message, and called its recipient by these addresses: they need not be those that were written to, and are the
    /// same person.
    fn accepted(&self, instance: InstanceId, message: MessageId, recipient: &Addresses);

    /// The provider refused a message, or a circuit was opened by that.
    fn refused(&self, instance: InstanceId, message: MessageId, error: &ProviderError);
}

/// Listens to nothing.
pub(crate) struct Nobody;

impl Observer for Nobody {
    fn accepted(&self, _: InstanceId, _: MessageId, _: &Addresses) {}

    fn refused(&self, _: InstanceId, _: MessageId, _: &ProviderError) {}
}
