//! Detail: what somebody said otherwise than in words.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::Words;

/// What somebody said otherwise than in words. Its `Debug` shows only its kind.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SaidDetail {
    /// Cards that name people.
    Contacts(Vec<SaidCard>),
    /// A place, in millionths of a degree.
    Location {
        /// North is positive.
        latitude_e6: i32,
        /// East is positive.
        longitude_e6: i32,
        /// What it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Words>,
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Words>,
    },
    /// An order from a catalog.
    Order {
        /// How many lines it has.
        lines: u32,
    },
    /// An emoji on the message that it answers to.
    Reaction {
        /// The emoji; none where it was taken away.
        emoji: Option<Words>,
    },
}

impl fmt::Debug for SaidDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contacts(cards) => write!(f, "Contacts({})", cards.len()),
            Self::Location { .. } => f.write_str("Location"),
            Self::Order { .. } => f.write_str("Order"),
            Self::Reaction { .. } => f.write_str("Reaction"),
        }
    }
}

/// A card that names a person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SaidCard {
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Words>,
    /// Their numbers, as they were written.
    pub phones: Vec<Words>,
}
