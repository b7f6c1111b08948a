//! Suppression: the contacts an account must not write to.
//!
//! A suppression belongs to the contact, so it holds for every address of theirs. It blocks every purpose, with two exceptions
//! where the cause is their own wish ([`Cause::is_own_wish`]): the one confirmation, and a one-time code that they just asked for, if the
//! operator left that in place. The store reads it again in the step that starts an attempt, so a suppression
//! holds for every attempt that starts after it, on every host. A request already on the wire cannot be called back.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Actor, Address, ContactId, SuppressionId, Timestamp};

/// What put a contact on the list, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// They used the provider's own switch.
    UserPreference,
    /// They said in their own words that they want no more.
    NaturalLanguage,
    /// They sent STOP or the like.
    Keyword,
    /// The number belongs to somebody else now.
    NumberReassigned,
    /// The account or the operator blocked them.
    Manual,
    /// They complained.
    Complaint,
    /// A court, a regulator or a lawyer asked for it.
    Legal,
}

impl Cause {
    /// All of them, from the mildest to the strictest.
    pub const ALL: [Self; 7] =
        [Self::UserPreference, Self::NaturalLanguage, Self::Keyword, Self::NumberReassigned, Self::Manual, Self::Complaint, Self::Legal];

    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserPreference => "user_preference",
            Self::NaturalLanguage => "natural_language",
            Self::Keyword => "keyword",
            Self::NumberReassigned => "number_reassigned",
            Self::Manual => "manual",
            Self::Complaint => "complaint",
            Self::Legal => "legal",
        }
    }

    /// Whether it says that the recipient wants nothing more of this sender, so that it counts against whoever wrote to them.
    pub const fn is_opt_out(self) -> bool {
        self.is_own_wish() || matches!(self, Self::Complaint)
    }

    /// Whether the recipient asked for it. Then the one confirmation reaches them, and a code that they ask for: asking anew is a new
    /// consent for that one code.
    pub const fn is_own_wish(self) -> bool {
        matches!(self, Self::Keyword | Self::NaturalLanguage | Self::UserPreference)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Cause {
    type Err = InvalidCause;

    fn from_str(word: &str) -> Result<Self, InvalidCause> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word).ok_or(InvalidCause)
    }
}

/// The word is no cause of a suppression.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a cause: `manual`, `complaint`, `legal`, `keyword`, `natural_language`, `user_preference` or `number_reassigned`")]
pub struct InvalidCause;

/// A suppression as the list shows it. It is never deleted; lifting it adds the time and the person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suppression {
    /// Its id.
    pub id: SuppressionId,
    /// Whom it protects.
    pub contact: ContactId,
    /// The address it was asked for.
    pub address: Address,
    /// Why.
    pub cause: Cause,
    /// A remark for the account's own people.
    pub note: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Who put it there.
    pub by: Actor,
    /// Who lifted it, and when.
    pub lifted: Option<(Actor, Timestamp)>,
}
