//! API key: any text is refused or well formed; a key that was changed is not let in.

use core::sync::atomic::{AtomicU64, Ordering};

use gatepost::{
    AccountId, ApiKey, Brand, Host, KeyKind, KeyOwner, KeyRefusal, KeyTerms, Keyring, Mode, NewKey, PresentedKey, Scopes, Timestamp,
};

use super::bytes::Bytes;

/// The bytes are a text to read as a key, and also a list of changes to a key: pairs of place and character.
pub fn api_key(bytes: &[u8]) {
    read(&String::from_utf8_lossy(bytes));
    change(Bytes(bytes));
}

fn brand() -> Brand {
    "fuzz".parse().expect("a brand")
}

fn read(text: &str) {
    if let Ok(presented) = PresentedKey::parse(text, &brand()) {
        assert!(text.starts_with("fuzz_") && text.contains(presented.id.as_str()));
        assert_eq!(text.rsplit('_').next().map(str::len), Some(61));
        assert!(!format!("{presented:?}").contains(&text[text.len() - 12..]));
    }
}

fn change(mut bytes: Bytes<'_>) {
    let key = NewKey::generate(&brand(), KeyKind::Account(Mode::Live), &Seeded(AtomicU64::new(u64::from(bytes.number()))));
    let mut text = key.reveal().as_bytes().to_vec();
    while !bytes.is_empty() {
        let place = usize::from(bytes.byte()) % text.len();
        text[place] = b' ' + bytes.byte() % 95;
    }
    let text = String::from_utf8(text).expect("ASCII");
    assert_eq!(is_let_in(&key, &text), text == key.reveal(), "{key:?}");
}

fn is_let_in(key: &NewKey, text: &str) -> bool {
    let keyring = Keyring::new([(1, [7; 32].into())]).expect("a root");
    let (root, pepper) = keyring.present();
    let terms = KeyTerms { name: "fuzz".parse().expect("a name"), scopes: Scopes::all(), allowed_from: vec![], expires_at: None };
    let row = ApiKey::new(key, KeyOwner::Account(AccountId::from_bytes([1; 16]), Mode::Live), terms, root, pepper, Timestamp::default());
    let Ok(presented) = PresentedKey::parse(text, &brand()) else { return false };
    let checked = row.check(&presented, pepper, None, Timestamp::default());
    assert!(matches!(checked, Ok(()) | Err(KeyRefusal::Unknown)));
    checked.is_ok()
}

/// A host whose randomness follows from a number.
struct Seeded(AtomicU64);

impl Host for Seeded {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (state.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56) as u8;
        }
    }
}
