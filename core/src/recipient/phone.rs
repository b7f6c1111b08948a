//! Phone: a phone number, parsed once.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A phone number as ITU-T E.164 writes it: a country code and a number, 7 to 15 digits.
///
/// Spaces and punctuation are tolerated, Arabic digits are read, and the plus sign is optional.
///
/// ```
/// use gatepost::Phone;
///
/// let phone: Phone = "+999 50 123-4567".parse()?;
/// assert_eq!(phone.e164(), "+999501234567");
/// assert_eq!(format!("{phone:?}"), "+999•••••••67");
/// assert_eq!("٩٩٩٥٠١٢٣٤٥٦٧".parse(), Ok(phone));
/// # Ok::<(), gatepost::InvalidPhone>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Phone(u64);

const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 15;

impl Phone {
    /// The number in full: a plus sign and the digits.
    pub fn e164(&self) -> String {
        alloc::format!("+{}", self.0)
    }

    /// The digits as one number, as a store keeps it.
    pub const fn digits(&self) -> u64 {
        self.0
    }

    /// The number with these digits.
    pub fn from_digits(digits: u64) -> Result<Self, InvalidPhone> {
        let length = digits.checked_ilog10().map_or(1, |power| power as usize + 1);
        if (DIGITS_MIN..=DIGITS_MAX).contains(&length) { Ok(Self(digits)) } else { Err(InvalidPhone::Length) }
    }

    /// The country's part and the last two digits; the rest as dots.
    pub fn masked(&self) -> String {
        let digits = alloc::format!("{}", self.0);
        let (head, rest) = digits.split_at(3);
        let (hidden, tail) = rest.split_at(rest.len() - 2);
        alloc::format!("+{head}{}{tail}", "•".repeat(hidden.len()))
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl FromStr for Phone {
    type Err = InvalidPhone;

    fn from_str(text: &str) -> Result<Self, InvalidPhone> {
        let mut digits: u64 = 0;
        let mut length = 0;
        let mut signed = false;
        for character in text.trim().chars() {
            match character {
                '+' if length == 0 && !signed => signed = true,
                ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '\u{2010}' | '\u{2011}' | '\u{2013}' => {}
                // Marks that a right-to-left editor leaves around a number.
                '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
                _ => {
                    let digit = digit_value(character).ok_or(InvalidPhone::Character)?;
                    length += 1;
                    if length > DIGITS_MAX {
                        return Err(InvalidPhone::Length);
                    }
                    if length == 1 && digit == 0 {
                        return Err(InvalidPhone::CountryCode);
                    }
                    digits = digits * 10 + digit;
                }
            }
        }
        Self::from_digits(digits)
    }
}

fn digit_value(character: char) -> Option<u64> {
    let zero = match character {
        '0'..='9' => '0',
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        _ => return None,
    };
    Some(u64::from(u32::from(character) - u32::from(zero)))
}

impl Serialize for Phone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("+{}", self.0))
    }
}

impl<'de> Deserialize<'de> for Phone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The text is not a phone number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidPhone {
    /// Something other than digits, spaces and punctuation.
    #[error("expected digits, spaces and punctuation only")]
    Character,
    /// It starts with a zero.
    #[error("expected the country code first, without a leading zero")]
    CountryCode,
    /// Too short or too long.
    #[error("expected {DIGITS_MIN} to {DIGITS_MAX} digits with the country code, for example `+999501234567`")]
    Length,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_is_read() {
        for text in ["999501234567", "+999 (50) 123.45.67", "\u{202a}+999501234567\u{202c}", "۹۹۹۵۰۱۲۳۴۵۶۷", " 999-50-1234567 "]
        {
            assert_eq!(text.parse(), Ok(Phone(999_501_234_567)), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (text, why) in [
            ("", InvalidPhone::Length),
            ("+", InvalidPhone::Length),
            ("123456", InvalidPhone::Length),
            ("1234567890123456", InvalidPhone::Length),
            ("0501234567", InvalidPhone::CountryCode),
            ("00999501234567", InvalidPhone::CountryCode),
            ("99950+1234567", InvalidPhone::Character),
            ("call me", InvalidPhone::Character),
            ("99950123456７", InvalidPhone::Character),
        ] {
            assert_eq!(text.parse::<Phone>(), Err(why), "{text:?}");
        }
    }
}
