//! Repeats: an agent's message that 3CX sends again because it did not get our answer.
//!
//! 3CX gives its messages no id, so that a repetition and a second "ok" look the same. One thing tells them apart: only what was not answered
//! with success is repeated. So a message that ended without such an answer, be it that the caller broke off, is remembered for a few
//! seconds with the idempotency key that it went under, and the same words then go under the same key: the store sends nothing twice. This
//! host remembers, and forgets when it ends: a repetition that goes to another one is a second message.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost::{Host, IdempotencyKey, IntegrationId, Timestamp};
use gatepost_threecx::trunk::AgentMessage;
use sha2::{Digest, Sha256};

/// How long an unanswered message is remembered.
const TIME: Duration = Duration::from_secs(10);
/// How many are remembered.
const MAX: usize = 10_000;

type Print = [u8; 32];

/// The messages that ended without an answer.
#[derive(Clone)]
pub(crate) struct Repeats {
    unanswered: Arc<Mutex<HashMap<Print, Unanswered>>>,
    host: Arc<dyn Host>,
}

/// A message without an answer.
struct Unanswered {
    key: IdempotencyKey,
    since: Timestamp,
}

/// A message on its way. Unless it is [answered](Self::answered), the same words within a few seconds from its end are the same message.
pub(super) struct Try {
    repeats: Repeats,
    print: Print,
    is_answered: bool,
    /// The key it goes under.
    pub(super) key: IdempotencyKey,
}

impl Repeats {
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        Self { unanswered: Arc::default(), host }
    }

    /// Begins to send a message, under the key of the one that it repeats, or under a new one.
    pub(super) fn begin(&self, integration: IntegrationId, message: &AgentMessage) -> Try {
        let (print, now) = (print(integration, message), self.host.now());
        let repeated = self.lock().remove(&print).filter(|known| now.since(known.since) < TIME);
        let key = repeated.map_or_else(|| new_key(&*self.host), |known| known.key);
        Try { repeats: self.clone(), print, is_answered: false, key }
    }

    fn remember(&self, print: Print, key: IdempotencyKey) {
        let now = self.host.now();
        let mut unanswered = self.lock();
        if unanswered.len() >= MAX {
            unanswered.retain(|_, known| now.since(known.since) < TIME);
        }
        // Beyond that, nothing more is remembered: a message may then come twice, but none is lost.
        if unanswered.len() < MAX {
            unanswered.insert(print, Unanswered { key, since: now });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Print, Unanswered>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeats").finish_non_exhaustive()
    }
}

impl Try {
    /// The caller gets its answer: the same words from now on are another message.
    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        if !self.is_answered {
            self.repeats.remember(self.print, self.key.clone());
        }
    }
}

fn print(integration: IntegrationId, message: &AgentMessage) -> Print {
    let AgentMessage { from, to, text, files, .. } = message;
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(&integration.to_bytes());
    part(&from.digits().to_be_bytes());
    part(&to.digits().to_be_bytes());
    part(text.as_ref().map_or("", |text| text.as_str()).as_bytes());
    files.iter().for_each(|file| part(file.as_bytes()));
    hash.finalize().into()
}

#[expect(clippy::expect_used, reason = "these are visible characters")]
fn new_key(host: &dyn Host) -> IdempotencyKey {
    let mut random = [0; 16];
    host.fill(&mut random);
    format!("3cx-{:032x}", u128::from_be_bytes(random)).parse().expect("these are visible characters")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use gatepost_memory::TestHost;

    use super::*;

    fn message(text: &str) -> AgentMessage {
        let body = format!(r#"{{"from":"+999220000001","to":"+999501234567","text":"{text}"}}"#);
        AgentMessage::read(body.as_bytes()).unwrap()
    }

    fn integration() -> IntegrationId {
        IntegrationId::from_number(7).unwrap()
    }

    fn repeats() -> (Repeats, Arc<TestHost>) {
        let host = Arc::new(TestHost::new(1));
        (Repeats::new(host.clone()), host)
    }

    #[test]
    fn what_had_no_answer_is_the_same_message_for_ten_seconds() {
        let (repeats, host) = repeats();
        let broken_off = |text| repeats.begin(integration(), &message(text)).key.clone();
        let first = broken_off("ok");
        assert_eq!(broken_off("ok"), first);
        assert_ne!(broken_off("ok!"), first);
        assert_ne!(repeats.begin(IntegrationId::from_number(8).unwrap(), &message("ok")).key, first);
        host.advance(TIME);
        assert_ne!(broken_off("ok"), first);
    }

    #[test]
    fn a_second_ok_is_a_second_message_after_an_answer_and_beside_the_first() {
        let (repeats, _) = repeats();
        let first = repeats.begin(integration(), &message("ok"));
        let (key, beside) = (first.key.clone(), repeats.begin(integration(), &message("ok")));
        assert_ne!(beside.key, key);
        first.answered();
        beside.answered();
        assert_ne!(repeats.begin(integration(), &message("ok")).key, key);
    }
}
