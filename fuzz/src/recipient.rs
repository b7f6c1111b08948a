//! Recipient: what is read as a phone number prints as one, reads back the same, and is masked where it is shown.

use gatepost::Phone;

/// The bytes are a text that somebody pasted.
pub fn recipient(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(phone) = text.parse::<Phone>() else { return };
    let printed = phone.e164();
    assert_eq!(printed.parse(), Ok(phone), "{text:?}");
    assert_eq!(Phone::from_digits(phone.digits()), Ok(phone));
    assert!((8..=16).contains(&printed.len()));
    let masked = format!("{phone:?}");
    assert!(!masked.contains(&printed[4..]), "{masked}");
    assert_eq!(masked.chars().count(), printed.len());
}
