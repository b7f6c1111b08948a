//! Waiters: callers who wait for a message to be settled.
//!
//! The map is split by message id, so that many callers seldom meet. A waiter that is dropped leaves no trace.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

use crate::{MessageId, MessageStatus, Settled};

const SHARDS: usize = 16;

type Shard = Mutex<HashMap<MessageId, Vec<oneshot::Sender<MessageStatus>>>>;

/// Everybody who waits.
#[derive(Clone, Default)]
pub(crate) struct Waiters(Arc<[Shard; SHARDS]>);

impl Waiters {
    /// Waits for the next change of this message.
    pub(crate) fn wait_for(&self, message: MessageId) -> Waiter {
        let (sender, receiver) = oneshot::channel();
        self.shard(message).entry(message).or_default().push(sender);
        Waiter { receiver, message, waiters: self.clone() }
    }

    /// Tells whoever waits for it.
    pub(crate) fn tell(&self, settled: Settled) {
        let waiting = self.shard(settled.message).remove(&settled.message);
        for sender in waiting.into_iter().flatten() {
            // Who no longer listens need not know.
            let _ = sender.send(settled.status);
        }
    }

    fn shard(&self, message: MessageId) -> MutexGuard<'_, HashMap<MessageId, Vec<oneshot::Sender<MessageStatus>>>> {
        let place = usize::from(message.to_bytes()[15]) % SHARDS;
        self.0[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One caller's wait.
pub(crate) struct Waiter {
    receiver: oneshot::Receiver<MessageStatus>,
    message: MessageId,
    waiters: Waiters,
}

impl Waiter {
    pub(crate) async fn settled(&mut self) -> Option<MessageStatus> {
        core::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<MessageStatus>> {
        Pin::new(&mut self.receiver).poll(context).map(Result::ok)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.receiver.close();
        let mut shard = self.waiters.shard(self.message);
        if let Some(senders) = shard.get_mut(&self.message) {
            senders.retain(|sender| !sender.is_canceled());
            if senders.is_empty() {
                shard.remove(&self.message);
            }
        }
    }
}
