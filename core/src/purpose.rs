//! Purpose: why a message is sent.
//!
//! Five purposes may be sent for, six are refused by name, and any other text is an error. A refused purpose is still parsed,
//! so that the refusal can name it and be recorded. To add a purpose, add it here and nowhere else.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! purposes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word used in requests and rows.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|purpose| purpose.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

purposes! {
    /// A purpose that may be sent for.
    Purpose {
        /// About something the recipient did: an order, a payment, an appointment.
        Transactional = "transactional",
        /// About a service the recipient uses: an outage, a change of hours.
        Operational = "operational",
        /// An answer in a conversation that the recipient began.
        Support = "support",
        /// To the account's own people.
        InternalTeam = "internal_team",
        /// A one-time code or a sign-in notice.
        Authentication = "authentication",
    }
}

purposes! {
    /// A purpose that is refused by name.
    RefusedPurpose {
        /// Advertising.
        Marketing = "marketing",
        /// An offer or a discount.
        Promotion = "promotion",
        /// A first message to somebody who did not ask for it.
        ColdOutreach = "cold_outreach",
        /// The same message to many.
        BulkCampaign = "bulk_campaign",
        /// Canvassing.
        Political = "political",
        /// The sender could not say.
        Unknown = "unknown",
    }
}

/// What the sender said the message is for.
///
/// ```
/// use gatepost::{DeclaredPurpose, Purpose, RefusedPurpose};
///
/// assert_eq!("support".parse(), Ok(DeclaredPurpose::Allowed(Purpose::Support)));
/// assert_eq!("marketing".parse(), Ok(DeclaredPurpose::Refused(RefusedPurpose::Marketing)));
/// assert!("newsletter".parse::<DeclaredPurpose>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DeclaredPurpose {
    /// One of the five.
    Allowed(Purpose),
    /// One of the six.
    Refused(RefusedPurpose),
}

impl DeclaredPurpose {
    /// The word used in requests and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed(purpose) => purpose.as_str(),
            Self::Refused(purpose) => purpose.as_str(),
        }
    }

    /// The purpose, where it is one that may be sent for.
    pub const fn allowed(self) -> Option<Purpose> {
        match self {
            Self::Allowed(purpose) => Some(purpose),
            Self::Refused(_) => None,
        }
    }
}

impl From<Purpose> for DeclaredPurpose {
    fn from(purpose: Purpose) -> Self {
        Self::Allowed(purpose)
    }
}

impl fmt::Display for DeclaredPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeclaredPurpose {
    type Err = InvalidPurpose;

    fn from_str(word: &str) -> Result<Self, InvalidPurpose> {
        Purpose::from_word(word).map(Self::Allowed).or_else(|| RefusedPurpose::from_word(word).map(Self::Refused)).ok_or(InvalidPurpose)
    }
}

/// The text names no purpose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidPurpose;

impl fmt::Display for InvalidPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected one of {}", allowed_words())
    }
}

impl core::error::Error for InvalidPurpose {}

/// The five words that may be sent for, as a sentence lists them.
pub fn allowed_words() -> String {
    let words: alloc::vec::Vec<_> = Purpose::ALL.iter().map(|purpose| alloc::format!("`{purpose}`")).collect();
    words.join(", ")
}
