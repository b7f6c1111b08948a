//! Providers: whatever is posted as a webhook of WhatsApp's providers is read or put aside, and one bad item spoils no other.

use gatepost_whatsapp::{cloud, evolution};

/// The bytes are what was posted.
pub fn providers(bytes: &[u8]) {
    for batch in [cloud::webhook(bytes), evolution::webhook(bytes)].into_iter().flatten() {
        for item in &batch.items {
            let told = item.told();
            assert!(!told.key.is_empty(), "what is told is told apart");
            assert!(!told.kind.is_empty(), "and is of some kind");
        }
    }
}
