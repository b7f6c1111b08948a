//! Repeats: an agent's message that 3CX sends again because it did not get our answer.
//!
//! 3CX gives its messages no id, so that a repetition and a second "ok" look the same. One thing tells them apart: only what was not answered
//! with success is repeated. So until a message is answered, the same words within a few seconds are the same entry of the log
//! ([`EntryKey::UntilAnswered`]), whichever host takes them, and go out under the same idempotency key: the store sends nothing twice. What is
//! kept of the words is an HMAC under the key of the trunk, which tells them to nobody who does not have that.

use gatepost::{EntryKey, IdempotencyKey, Secret};
use gatepost_threecx::trunk::AgentMessage;
use sha2::{Digest, Sha256};

/// What tells a message from all others of its phone system.
pub(super) fn entry_key(trunk: &Secret, message: &AgentMessage) -> EntryKey {
    let AgentMessage { from, to, text, files, .. } = message;
    let mut said = Vec::new();
    let mut part = |bytes: &[u8]| {
        said.extend((bytes.len() as u64).to_be_bytes());
        said.extend(bytes);
    };
    part(&from.digits().to_be_bytes());
    part(&to.digits().to_be_bytes());
    part(text.as_ref().map_or("", |text| text.as_str()).as_bytes());
    files.iter().for_each(|file| part(file.as_bytes()));
    EntryKey::UntilAnswered(Sha256::digest(trunk.hmac_hex(&[&said])).into())
}

/// What a part of it is sent under, once the message has its place in the log. Nobody who does not know its words can take that key before.
pub(super) fn idempotency_key(key: &EntryKey, entry: u64, part: usize) -> Option<IdempotencyKey> {
    let hash = Sha256::new().chain_update(key.bytes()).chain_update(entry.to_be_bytes()).finalize();
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("3cx-{digits}.{part}").parse().ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn message(to: &str, text: &str, file: &str) -> AgentMessage {
        let body = format!(r#"{{"from":"+999220000001","to":"{to}","text":"{text}","media_urls":["https://files.example/{file}"]}}"#);
        AgentMessage::read(body.as_bytes()).unwrap()
    }

    fn trunk(nth: u8) -> Secret {
        Secret::from(format!("gw3cx_test_{nth:016x}"))
    }

    #[test]
    fn messages_of_other_words_are_told_apart() {
        let key = |to, text, file| *entry_key(&trunk(1), &message(to, text, file)).bytes();
        let ok = key("+999501234567", "ok", "a.png");
        assert_eq!(key("+999501234567", "ok", "a.png"), ok);
        for other in [key("+999501234568", "ok", "a.png"), key("+999501234567", "ok!", "a.png"), key("+999501234567", "ok", "b.png")] {
            assert_ne!(other, ok);
        }
        assert_ne!(*entry_key(&trunk(2), &message("+999501234567", "ok", "a.png")).bytes(), ok);
    }

    #[test]
    fn each_part_of_each_entry_has_its_own_idempotency_key() {
        let key = entry_key(&trunk(1), &message("+999501234567", "ok", "a.png"));
        let of = |entry, part| idempotency_key(&key, entry, part).unwrap();
        assert_eq!(of(7, 0), of(7, 0));
        assert_ne!(of(7, 1), of(7, 0));
        assert_ne!(of(8, 0), of(7, 0));
    }
}
