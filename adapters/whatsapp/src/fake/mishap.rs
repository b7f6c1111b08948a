//! Mishap: what goes wrong with a request.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::server::Reply;

/// What goes wrong with the next request that sends a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mishap {
    /// The connection breaks after the request was read.
    Break,
    /// The request is refused with this code of Meta's.
    Code(i64),
    /// No answer comes.
    Hang,
    /// The answer has status 200 and names no message.
    Nameless,
    /// The answer has this status and is not JSON, as something in between would write it.
    NotJson(u16),
}

impl Mishap {
    /// The reply to the request, where that is the same for all providers.
    pub(super) fn reply(self) -> Option<Reply> {
        match self {
            Self::Break => Some(Reply::Break),
            Self::Hang => Some(Reply::Hang),
            Self::NotJson(status) => Some(Reply::bytes(status, "text/html", b"<html>Bad Gateway</html>".to_vec())),
            Self::Code(_) | Self::Nameless => None,
        }
    }
}

/// The mishaps to come, one for each message.
#[derive(Default)]
pub(super) struct Mishaps(Mutex<VecDeque<Mishap>>);

impl Mishaps {
    pub(super) fn push(&self, mishap: Mishap) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(mishap);
    }

    pub(super) fn pop(&self) -> Option<Mishap> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
