//! Told: what a provider tells us, as far as it is acted upon.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{InboundClass, SaidDetail, StatusReport, Words};
use crate::{Addresses, Cause, Connection, Intent, Meaning, Reply};

/// What a provider tells us.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Somebody wrote to us.
    Said(Said),
    /// A message of ours got further, or failed.
    Status(StatusReport),
    /// Somebody asked the provider for no more marketing messages from us, or for them again.
    Preference(Wish),
    /// Somebody has these addresses from now on.
    Identity(Addresses),
    /// The instance's connection.
    Connection(Connection),
    /// Something else: it is kept and counted.
    Other,
    /// Something that cannot be what it says it is. It is kept for a person to look at.
    Quarantined {
        /// What was expected.
        why: String,
    },
}

impl Told {
    /// Which kind of thing it is.
    pub const fn class(&self) -> InboundClass {
        match self {
            Self::Said(_) => InboundClass::Message,
            Self::Status(_) => InboundClass::Status,
            Self::Preference(_) => InboundClass::Preference,
            Self::Identity(_) => InboundClass::Identity,
            Self::Connection(_) => InboundClass::Connection,
            Self::Other => InboundClass::Other,
            Self::Quarantined { .. } => InboundClass::Quarantined,
        }
    }

    /// Whether something follows from it; what is only kept need not be heeded.
    pub const fn is_heeded(&self) -> bool {
        !matches!(self, Self::Other | Self::Quarantined { .. })
    }
}

/// What somebody wrote to us.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Said {
    /// The provider's id of the message.
    pub external_id: String,
    /// In which form, for example `text` or `image`.
    pub form: String,
    /// What can be read as text: a text, a caption, the label of a button. A store keeps it apart, and forgets it before the rest.
    #[serde(skip)]
    pub text: Option<Words>,
    /// What is not said in words: a place, a reaction, cards, an order. It is kept and forgotten like the text.
    #[serde(skip)]
    pub detail: Option<SaidDetail>,
    /// What the person calls themself. It is kept and forgotten like the text.
    #[serde(skip)]
    pub sender_name: Option<Words>,
    /// The file that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<SaidFile>,
    /// The provider's id of the message it answers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Whether it opens the conversation window.
    pub opens_window: bool,
    /// What its text asks of those who write to them, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
}

/// A file that somebody sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SaidFile {
    /// The provider's id of it, by which it can be fetched for some days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its type, for example `image/jpeg`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

impl Said {
    /// Forgets what was said and who said it, but not that it was; whether there was something to forget.
    pub fn forget(&mut self) -> bool {
        let forgotten = (self.text.take(), self.detail.take(), self.sender_name.take());
        forgotten != (None, None, None)
    }

    /// What follows for the contact.
    pub fn response(&self) -> Response {
        let reply = Reply { meaning: self.meaning };
        match (reply.intent(), reply.cause()) {
            (Intent::OptOut, Some(cause)) => Response::OptOut(cause),
            (Intent::OptIn, _) => Response::OptIn,
            _ if reply.suspected() == Some(Intent::OptOut) => Response::Suspect,
            _ => Response::Nothing,
        }
    }
}

/// What somebody asked the provider for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// To get none.
    Stop,
    /// To get them again.
    Resume,
}

impl Wish {
    /// What follows for the contact.
    pub const fn response(self) -> Response {
        match self {
            Self::Stop => Response::OptOut(Cause::UserPreference),
            Self::Resume => Response::Resume,
        }
    }
}

/// What follows for a contact from what they said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Response {
    /// They are suppressed.
    OptOut(Cause),
    /// What they asked for by writing is lifted.
    OptIn,
    /// What they asked for by the provider's switch is lifted.
    Resume,
    /// A person must look at it.
    Suspect,
    /// Nothing.
    Nothing,
}

impl Response {
    /// Whether it is confirmed to a contact for whom these causes stood before: who has written it already knows.
    pub fn is_confirmed(self, stood: impl IntoIterator<Item = Cause>) -> bool {
        matches!(self, Self::OptOut(_)) && !stood.into_iter().any(|cause| Self::OptIn.lifts(cause))
    }

    /// Whether it lifts a suppression of this cause.
    pub const fn lifts(self, cause: Cause) -> bool {
        match self {
            Self::OptIn => matches!(cause, Cause::Keyword | Cause::NaturalLanguage),
            Self::Resume => matches!(cause, Cause::UserPreference),
            Self::OptOut(_) | Self::Suspect | Self::Nothing => false,
        }
    }
}
