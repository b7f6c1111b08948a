//! Addresses: the ways in which a provider names one person.
//!
//! A person may come as a phone number, as a business-scoped user id, as both, or as a linked id that carries no number. They are one
//! contact: whatever holds for one address holds for the set. Ids of WhatsApp are not judged as phone numbers are: a `wa_id` of Mexico or
//! Brazil need not be a number that could be dialed.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use gatepost::Phone;
use serde::{Serialize, Serializer};

/// One way in which a provider names a person. Its `Debug` shows no more than a log may keep.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderAddress {
    /// A phone number, or the `wa_id` that WhatsApp made of it.
    Phone(Phone),
    /// A business-scoped user id: valid for one business portfolio.
    UserId(UserId),
    /// The business-scoped user id of the portfolio above that one.
    ParentUserId(UserId),
    /// The id of a linked device's network, which carries no number.
    Lid(Lid),
}

impl ProviderAddress {
    /// Reads digits, with or without a plus sign.
    pub(crate) fn phone(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| digits.parse().ok()).flatten()?;
        Phone::from_digits(number).ok().map(Self::Phone)
    }

    pub(crate) fn user_id(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::UserId)
    }

    pub(crate) fn parent_user_id(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::ParentUserId)
    }

    pub(crate) fn lid(text: &str) -> Option<Self> {
        let is_lid = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_lid.then(|| Self::Lid(Lid(text.to_owned())))
    }
}

/// The addresses of one person, each once.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Addresses(BTreeSet<ProviderAddress>);

impl Addresses {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other: the phone number first, where there is one.
    pub fn iter(&self) -> impl Iterator<Item = &ProviderAddress> {
        self.0.iter()
    }

    /// The phone number, where it is known.
    pub fn phone(&self) -> Option<Phone> {
        self.0.iter().find_map(|address| match address {
            ProviderAddress::Phone(phone) => Some(*phone),
            _ => None,
        })
    }

    /// The business-scoped user id, where it is known.
    pub fn user_id(&self) -> Option<&UserId> {
        self.0.iter().find_map(|address| match address {
            ProviderAddress::UserId(id) => Some(id),
            _ => None,
        })
    }

    /// Whether one address is in both.
    pub(crate) fn meet(&self, other: &Self) -> bool {
        self.0.iter().any(|address| other.0.contains(address))
    }
}

impl FromIterator<ProviderAddress> for Addresses {
    fn from_iter<I: IntoIterator<Item = ProviderAddress>>(addresses: I) -> Self {
        Self(addresses.into_iter().collect())
    }
}

impl Extend<ProviderAddress> for Addresses {
    fn extend<I: IntoIterator<Item = ProviderAddress>>(&mut self, addresses: I) {
        self.0.extend(addresses);
    }
}

impl IntoIterator for Addresses {
    type Item = ProviderAddress;
    type IntoIter = std::collections::btree_set::IntoIter<ProviderAddress>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A business-scoped user id: two letters of a country, a dot, `ENT.` for a parent's, and up to 128 letters and digits.
///
/// ```
/// use gatepost_whatsapp::UserId;
///
/// let id: UserId = "US.13491208650000000001".parse()?;
/// assert_eq!(id.as_str(), "US.13491208650000000001");
/// assert_eq!(format!("{id:?}"), "US.•••01");
/// assert!("13491208650000000001".parse::<UserId>().is_err());
/// # Ok::<(), gatepost_whatsapp::InvalidUserId>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UserId(String);

impl UserId {
    /// The id in full.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = InvalidUserId;

    fn from_str(text: &str) -> Result<Self, InvalidUserId> {
        let (country, rest) = text.split_once('.').ok_or(InvalidUserId)?;
        let digits = rest.strip_prefix("ENT.").unwrap_or(rest);
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_id = (1..=128).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_country && is_id { Ok(Self(text.to_owned())) } else { Err(InvalidUserId) }
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (country, rest) = self.0.split_once('.').unwrap_or_default();
        write!(f, "{country}.•••{}", tail(rest))
    }
}

/// The text is not a business-scoped user id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a business-scoped user id, for example `US.13491208650000000001`")]
pub struct InvalidUserId;

/// The id of a linked device's network.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Lid(String);

impl Lid {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Lid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lid:•••{}", tail(&self.0))
    }
}

/// The last two characters of a longer text.
fn tail(text: &str) -> &str {
    text.len().checked_sub(2).filter(|start| *start >= 4).and_then(|start| text.get(start..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_whatsapp_calls_a_number_is_not_judged() {
        for digits in ["9995501000010", "+9995501000010", "99955010"] {
            assert!(matches!(ProviderAddress::phone(digits), Some(ProviderAddress::Phone(_))), "{digits}");
        }
        for other in ["", "+", "999 550", "99955010000100999", "US.1", "９９９５５０１０"] {
            assert_eq!(ProviderAddress::phone(other), None, "{other}");
        }
    }

    #[test]
    fn a_user_id_has_a_country() {
        for text in ["US.1", "GB.7Qk2mZ0000000000002", "US.ENT.11815799210000000001"] {
            assert!(text.parse::<UserId>().is_ok(), "{text}");
        }
        for text in ["", "US.", "us.1", "USA.1", "US.ENT.", "US.1-2", "US.é", &format!("US.{}", "1".repeat(129))] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidUserId), "{text}");
        }
    }

    #[test]
    fn a_set_shows_nothing_in_full() {
        let set: Addresses = [
            ProviderAddress::phone("9995501234567"),
            ProviderAddress::user_id("US.13491208650000000001"),
            ProviderAddress::lid("98765432101234"),
        ]
        .into_iter()
        .flatten()
        .collect();
        assert_eq!(format!("{set:?}"), "Addresses({Phone(+999••••••••67), UserId(US.•••01), Lid(lid:•••34)})");
    }
}
