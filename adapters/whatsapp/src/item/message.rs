//! Message: what somebody said, and what is known of who said it.

use gatepost::{Addresses, Wish, Words};
use serde::Serialize;

use crate::errors::ProviderError;

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inbound {
    /// The provider's id of the message.
    pub id: String,
    /// What can be read as text: a text, a caption, the label of a button that was pressed, a comment to an order, the new text of an edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Words>,
    /// In which form it was said.
    pub said: Said,
    /// The message it answers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted: Option<Quoted>,
    /// What the person is called.
    #[serde(skip_serializing_if = "Profile::is_empty")]
    pub profile: Profile,
}

/// The message that another one answers to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Quoted {
    /// The provider's id of it.
    pub id: String,
}

/// What a person calls themself.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Profile {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Words>,
    /// The name by which they can be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<Words>,
}

impl Profile {
    pub(crate) const fn is_empty(&self) -> bool {
        self.name.is_none() && self.username.is_none()
    }
}

/// In which form something was said.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "form")]
pub enum Said {
    /// As a text.
    Text,
    /// With a file.
    Media(MediaFile),
    /// By a choice that we had offered: a button or a row of a list.
    Choice {
        /// What we called it.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// By a form that we had offered.
    Form {
        /// Its answers, as JSON.
        #[serde(skip_serializing_if = "Option::is_none")]
        answers: Option<Words>,
    },
    /// By an answer to the question whether we may call.
    CallPermission {
        /// Whether we may.
        is_granted: bool,
    },
    /// As an emoji on another message.
    Reaction {
        /// The provider's id of that message.
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// The emoji; none where it was taken away.
        #[serde(skip_serializing_if = "Option::is_none")]
        emoji: Option<Words>,
    },
    /// As a place, in millionths of a degree.
    Location {
        /// North is positive.
        latitude_e6: i32,
        /// East is positive.
        longitude_e6: i32,
        /// What it is called.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Words>,
        /// Where it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<Words>,
    },
    /// As cards of people.
    Contacts {
        /// The cards.
        cards: Vec<Card>,
    },
    /// As an order from a catalog.
    Order {
        /// Which catalog.
        #[serde(skip_serializing_if = "Option::is_none")]
        catalog: Option<String>,
        /// How many lines it has.
        lines: usize,
    },
    /// As a correction of what was said before.
    Edit {
        /// The provider's id of that message.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<String>,
    },
    /// By taking back what was said before.
    Revoke {
        /// The provider's id of that message.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<String>,
    },
    /// In a form that the provider does not pass on.
    Unsupported {
        /// Why.
        errors: Vec<ProviderError>,
    },
    /// In a form that is not known here.
    Unknown,
}

/// Which kind of file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SaidMedia {
    /// A sound or a voice note.
    Audio,
    /// A file with a name.
    Document,
    /// A picture.
    Image,
    /// A sticker.
    Sticker,
    /// A film.
    Video,
}

impl SaidMedia {
    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Image => "image",
            Self::Sticker => "sticker",
            Self::Video => "video",
        }
    }
}

/// A file that somebody sent. Its links are as good as keys while they live.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MediaFile {
    /// Which kind.
    pub media: SaidMedia,
    /// The provider's id of it. Evolution API gives none, and knows the file by the id of its message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it can be fetched, for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Words>,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<Words>,
    /// Whether it was recorded in the chat.
    pub is_voice_note: bool,
    /// Whether the provider sent the file itself along; it is in the raw item.
    pub is_inline: bool,
}

/// A card that names a person.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Card {
    /// What they are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Words>,
    /// Their numbers, as they were written.
    pub phones: Vec<Words>,
    /// Those that WhatsApp knows.
    pub addresses: Addresses,
}

/// A person's wish about messages of one category.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Preference {
    /// Which messages, for example `marketing_messages`.
    pub category: String,
    /// What they wish.
    pub wish: Wish,
}

/// A person whose number or user id changed. [`people`](super::Item::people) has the addresses of before.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct IdentityChange {
    /// The addresses they have now. One that is the same as before need not be among them.
    pub now: Addresses,
}
