//! Address: one way to reach a person, and all the ways that are known.
//!
//! A person may come as a phone number, as a business-scoped user id, as both, or as a linked id that carries no number. They are one
//! contact: whatever holds for one address holds for the set.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Lid, Phone, UserId};

/// One way to reach a person.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// A phone number, or the `wa_id` that WhatsApp made of it.
    Phone(Phone),
    /// A business-scoped user id: valid for one business portfolio.
    UserId(UserId),
    /// The business-scoped user id of the portfolio above that one.
    ParentUserId(UserId),
    /// The id of a linked device's network, which carries no number.
    Lid(Lid),
}

impl Address {
    /// In full, as a store keeps it and as it is parsed: `+999501234567`, `US.1349`, `US.ENT.1181`, `lid:9876`.
    ///
    /// ```
    /// use gatepost::Address;
    ///
    /// for text in ["+999501234567", "US.13491208650000000001", "US.ENT.11815799210000000001", "lid:98765432101234"] {
    ///     assert_eq!(text.parse::<Address>()?.text(), text);
    /// }
    /// # Ok::<(), gatepost::InvalidAddress>(())
    /// ```
    pub fn text(&self) -> String {
        match self {
            Self::Phone(phone) => phone.e164(),
            Self::UserId(id) | Self::ParentUserId(id) => id.as_str().to_owned(),
            Self::Lid(lid) => alloc::format!("{LID}{}", lid.as_str()),
        }
    }

    /// How a log or a screen may show it.
    pub fn masked(&self) -> String {
        match self {
            Self::Phone(phone) => phone.masked(),
            Self::UserId(id) | Self::ParentUserId(id) => alloc::format!("{id:?}"),
            Self::Lid(lid) => alloc::format!("{lid:?}"),
        }
    }

    /// The phone number, where it is one.
    pub const fn phone(&self) -> Option<Phone> {
        match self {
            Self::Phone(phone) => Some(*phone),
            _ => None,
        }
    }

    /// The business-scoped user id, where it is one.
    pub const fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::UserId(id) | Self::ParentUserId(id) => Some(id),
            _ => None,
        }
    }
}

const LID: &str = "lid:";

impl From<Phone> for Address {
    fn from(phone: Phone) -> Self {
        Self::Phone(phone)
    }
}

impl From<UserId> for Address {
    fn from(id: UserId) -> Self {
        if id.is_parent() { Self::ParentUserId(id) } else { Self::UserId(id) }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    /// Reads what [`Address::text`] wrote, and numbers as people write them.
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if let Some(digits) = text.strip_prefix(LID) {
            return digits.parse().map(Self::Lid).map_err(|_| InvalidAddress);
        }
        let id = text.parse::<UserId>().map(Self::from);
        id.or_else(|_| text.parse().map(Self::Phone)).map_err(|_| InvalidAddress)
    }
}

/// The text is no address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a phone number such as `+999501234567`, a business-scoped user id such as `US.1349`, or `lid:` and a linked id")]
pub struct InvalidAddress;

/// The addresses of one person, each once.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Addresses(BTreeSet<Address>);

impl Addresses {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One after the other: the phone number first, where there is one.
    pub fn iter(&self) -> impl Iterator<Item = &Address> {
        self.0.iter()
    }

    /// The one to show and to write to: the phone number, where it is known.
    pub fn first(&self) -> Option<&Address> {
        self.0.first()
    }

    /// The phone number, where it is known.
    pub fn phone(&self) -> Option<Phone> {
        self.0.iter().find_map(Address::phone)
    }

    /// The business-scoped user id, where it is known; that of a parent portfolio only where there is no other.
    pub fn user_id(&self) -> Option<&UserId> {
        self.0.iter().find_map(Address::user_id)
    }

    /// Whether one address is in both.
    pub fn meet(&self, other: &Self) -> bool {
        !self.0.is_disjoint(&other.0)
    }
}

impl From<Address> for Addresses {
    fn from(address: Address) -> Self {
        Self(BTreeSet::from([address]))
    }
}

impl FromIterator<Address> for Addresses {
    fn from_iter<I: IntoIterator<Item = Address>>(addresses: I) -> Self {
        Self(addresses.into_iter().collect())
    }
}

impl Extend<Address> for Addresses {
    fn extend<I: IntoIterator<Item = Address>>(&mut self, addresses: I) {
        self.0.extend(addresses);
    }
}

impl IntoIterator for Addresses {
    type Item = Address;
    type IntoIter = alloc::collections::btree_set::IntoIter<Address>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_says_what_is_one() {
        for text in ["", "lid:", "lid:12a", "US.", "call me", "+12"] {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress), "{text:?}");
        }
    }

    #[test]
    fn a_set_shows_nothing_in_full() {
        let texts = ["+9995501234567", "US.13491208650000000001", "lid:98765432101234"];
        let set: Addresses = texts.into_iter().flat_map(str::parse).collect();
        assert_eq!(alloc::format!("{set:?}"), "Addresses({Phone(+999••••••••67), UserId(US.•••01), Lid(lid:•••34)})");
    }
}
