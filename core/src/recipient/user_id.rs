//! User id: the ways in which a provider names a person without their number.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

/// A business-scoped user id: two letters of a country, a dot, `ENT.` for that of a parent portfolio, and up to 128 letters and digits.
///
/// ```
/// use gatepost::UserId;
///
/// let id: UserId = "US.13491208650000000001".parse()?;
/// assert_eq!(id.as_str(), "US.13491208650000000001");
/// assert_eq!(format!("{id:?}"), "US.•••01");
/// assert!("13491208650000000001".parse::<UserId>().is_err());
/// # Ok::<(), gatepost::InvalidUserId>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct UserId(String);

impl UserId {
    /// The id in full.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is valid in all the portfolios that one parent links.
    pub fn is_parent(&self) -> bool {
        self.0.get(3..).is_some_and(|rest| rest.starts_with(PARENT))
    }
}

const PARENT: &str = "ENT.";

impl FromStr for UserId {
    type Err = InvalidUserId;

    fn from_str(text: &str) -> Result<Self, InvalidUserId> {
        let (country, rest) = text.split_once('.').ok_or(InvalidUserId)?;
        let id = rest.strip_prefix(PARENT).unwrap_or(rest);
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_id = (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_country && is_id { Ok(Self(text.to_owned())) } else { Err(InvalidUserId) }
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
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

/// The id of a linked device's network, which carries no number: 1 to 32 digits.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Lid(String);

impl Lid {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Lid {
    type Err = InvalidLid;

    fn from_str(text: &str) -> Result<Self, InvalidLid> {
        let is_lid = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_lid { Ok(Self(text.to_owned())) } else { Err(InvalidLid) }
    }
}

impl<'de> Deserialize<'de> for Lid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Debug for Lid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lid:•••{}", tail(&self.0))
    }
}

/// The text is not a linked id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a linked id of 1 to 32 digits")]
pub struct InvalidLid;

/// The last two characters of a longer text.
fn tail(text: &str) -> &str {
    text.len().checked_sub(2).filter(|start| *start >= 4).and_then(|start| text.get(start..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_has_a_country() {
        for text in ["US.1", "GB.7Qk2mZ0000000000002", "US.ENT.11815799210000000001"] {
            assert_eq!(text.parse::<UserId>().map(|id| id.is_parent()), Ok(text.contains("ENT")), "{text}");
        }
        for text in ["", "US.", "us.1", "USA.1", "US.ENT.", "US.1-2", "US.é", &alloc::format!("US.{}", "1".repeat(129))] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidUserId), "{text}");
        }
    }
}
