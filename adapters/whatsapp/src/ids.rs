//! Ids: how a provider's fields become addresses.
//!
//! Ids of WhatsApp are not judged as phone numbers are: a `wa_id` of Mexico or Brazil need not be a number that could be dialed.

use gatepost::{Address, Phone, UserId};

/// Reads digits, with or without a plus sign.
pub(crate) fn phone(text: &str) -> Option<Address> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| digits.parse().ok()).flatten()?;
    Phone::from_digits(number).ok().map(Address::Phone)
}

pub(crate) fn user_id(text: &str) -> Option<Address> {
    text.parse::<UserId>().ok().map(Address::from)
}

pub(crate) fn lid(text: &str) -> Option<Address> {
    text.parse().ok().map(Address::Lid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_whatsapp_calls_a_number_is_not_judged() {
        for digits in ["9995501000010", "+9995501000010", "99955010"] {
            assert!(matches!(phone(digits), Some(Address::Phone(_))), "{digits}");
        }
        for other in ["", "+", "999 550", "99955010000100999", "US.1", "９９９５５０１０"] {
            assert_eq!(phone(other), None, "{other}");
        }
    }
}
