//! Content: what is sent, with the limits that providers set.
//!
//! A limit is part of the type, so that what is too long for a provider is refused where it is made and not when it is sent. No `Debug`
//! shows what is said.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest text, in characters, after trimming.
pub const TEXT_CHARACTERS_MAX: usize = 4096;

/// What is sent. Its `Debug` shows only its kind.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
#[non_exhaustive]
pub enum Content {
    /// A text with something to do about it.
    Interactive {
        /// What it says.
        text: Text<1024>,
        /// What stands above it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<Text<60>>,
        /// What stands below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<Text<60>>,
        /// What there is to do.
        action: Action,
    },
    /// A place, in millionths of a degree.
    Location {
        /// North is positive.
        latitude_e6: i32,
        /// East is positive.
        longitude_e6: i32,
        /// What the place is called.
        name: Option<Text>,
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Text>,
    },
    /// A picture, a document, a sound or a film.
    Media {
        /// Which of them.
        kind: MediaKind,
        /// Where the provider finds it: a link that begins with `https://`, or an id of its own.
        source: Text,
        /// What stands below it.
        caption: Option<Text<1024>>,
        /// What it is called on the recipient's phone, where it is a document.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file_name: Option<Text<240>>,
    },
    /// An emoji on a message of the conversation.
    Reaction {
        /// The provider's id of that message.
        to: Text,
        /// The emoji; none takes away what was there.
        emoji: Option<Text>,
    },
    /// A template that the provider approved.
    Template {
        /// Its name.
        name: Text,
        /// The language to send it in, for example `en_US`.
        language: Text,
        /// Whether the provider approved it for one-time codes; then its first parameter is the code.
        authentication: bool,
        /// What fills its header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<TemplateHeader>,
        /// What fills the gaps of its text, in order.
        parameters: Vec<TemplateParameter>,
        /// What fills its buttons; those that need nothing are left out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        buttons: Vec<TemplateButton>,
    },
    /// Plain text.
    Text {
        /// What it says.
        text: Text,
    },
}

impl Content {
    /// Its kind: what a decision and a log may know of it.
    pub const fn kind(&self) -> ContentKind {
        match self {
            Self::Interactive { .. } => ContentKind::Interactive,
            Self::Location { .. } => ContentKind::Location,
            Self::Media { .. } => ContentKind::Media,
            Self::Reaction { .. } => ContentKind::Reaction,
            Self::Template { .. } => ContentKind::Template,
            Self::Text { .. } => ContentKind::Text,
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({:?})", self.kind())
    }
}

impl From<Text> for Content {
    fn from(text: Text) -> Self {
        Self::Text { text }
    }
}

/// Which kind of media.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A sound.
    Audio,
    /// A file with a name.
    Document,
    /// A picture.
    Image,
    /// A sticker.
    Sticker,
    /// A film.
    Video,
    /// A sound that shows as if it were recorded in the chat.
    Voice,
}

/// [`Content`] without what it says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentKind {
    /// Buttons.
    Interactive,
    /// A place.
    Location,
    /// A file.
    Media,
    /// An emoji.
    Reaction,
    /// An approved template.
    Template,
    /// Plain text.
    Text,
}

/// What there is to do about an interactive message.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Action {
    /// To answer by a button.
    Buttons {
        /// One to three.
        buttons: Few<Button, 3>,
    },
    /// To open a link.
    Link {
        /// What the button says.
        label: Text<20>,
        /// Where it leads.
        url: Text<2000>,
    },
    /// To answer by a row of a list.
    List {
        /// What the button says that opens it.
        label: Text<20>,
        /// One to ten.
        rows: Few<Row, 10>,
    },
    /// To tell us the phone number.
    ShareNumber,
}

/// A button that answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Button {
    /// What we call it: it comes back with the answer.
    pub id: Text<256>,
    /// What it says.
    pub title: Text<20>,
}

/// A row of a list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Row {
    /// What stands above it and above those that follow with the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<Text<24>>,
    /// What we call it: it comes back with the answer.
    pub id: Text<200>,
    /// What it says.
    pub title: Text<24>,
    /// What stands below that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<72>>,
}

/// One to `MAX` things.
///
/// ```
/// use gatepost::{Few, InvalidCount};
///
/// assert_eq!(Few::<u8, 3>::try_from(vec![1, 2]).map(|few| few.as_slice().len()), Ok(2));
/// assert_eq!(Few::<u8, 3>::try_from(vec![]), Err(InvalidCount { count_max: 3 }));
/// assert_eq!(Few::<u8, 3>::try_from(vec![1, 2, 3, 4]), Err(InvalidCount { count_max: 3 }));
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(bound(serialize = "T: Clone + Serialize"), into = "Vec<T>", try_from = "Vec<T>")]
pub struct Few<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Few<T, MAX> {
    /// In their order.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T, const MAX: usize> TryFrom<Vec<T>> for Few<T, MAX> {
    type Error = InvalidCount;

    fn try_from(things: Vec<T>) -> Result<Self, InvalidCount> {
        if (1..=MAX).contains(&things.len()) { Ok(Self(things)) } else { Err(InvalidCount { count_max: MAX }) }
    }
}

impl<T, const MAX: usize> From<Few<T, MAX>> for Vec<T> {
    fn from(few: Few<T, MAX>) -> Self {
        few.0
    }
}

/// There are none, or too many.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected 1 to {count_max} of them")]
pub struct InvalidCount {
    /// How many there may be.
    pub count_max: usize,
}

/// What fills the header of a template.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum TemplateHeader {
    /// A file.
    Media {
        /// Of which kind.
        kind: MediaKind,
        /// Where the provider finds it: a link that begins with `https://`, or an id of its own.
        source: Text,
    },
    /// A text.
    Text {
        /// What it says.
        text: TemplateParameter,
    },
}

/// What fills a gap of a template.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TemplateParameter {
    /// The name of the gap, in templates whose gaps have names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<60>>,
    /// What it says.
    pub text: Text,
}

impl From<Text> for TemplateParameter {
    fn from(text: Text) -> Self {
        Self { name: None, text }
    }
}

/// What fills a button of a template.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TemplateButton {
    /// Which button, from 0 on.
    pub index: u8,
    /// With what.
    pub fill: TemplateButtonFill,
}

/// With what a button of a template is filled.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum TemplateButtonFill {
    /// What comes back with the answer.
    Payload {
        /// It.
        payload: Text<256>,
    },
    /// The end of the link that it opens.
    UrlSuffix {
        /// It.
        suffix: Text<2000>,
    },
}

/// What a message says, or a part of it: 1 to `MAX` characters after trimming, without NUL. Its `Debug` shows only its length.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize = TEXT_CHARACTERS_MAX>(String);

impl<const MAX: usize> Text<MAX> {
    /// Of words that are known to keep the bounds.
    pub(crate) const fn known(words: String) -> Self {
        Self(words)
    }

    /// The words themselves.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(InvalidText::Empty);
        }
        if trimmed.contains('\0') {
            return Err(InvalidText::Nul);
        }
        // A character takes at least one byte, so that most texts need no counting.
        if trimmed.len() > MAX && trimmed.chars().count() > MAX {
            return Err(InvalidText::TooLong { characters_max: MAX });
        }
        Ok(Self(trimmed.to_string()))
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        text.parse()
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

/// The text cannot be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing but white space.
    #[error("expected at least one character that is not white space")]
    Empty,
    /// A NUL character.
    #[error("expected no NUL character")]
    Nul,
    /// Too long.
    #[error("expected at most {characters_max} characters")]
    TooLong {
        /// How long it may be.
        characters_max: usize,
    },
}
