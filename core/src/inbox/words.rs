//! Words: what a person said.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::is_invisible;

/// The longest name of a person, in characters.
const NAME_CHARACTERS_MAX: usize = 100;

/// What a person said or is called. Its `Debug` shows only its length.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Words(String);

impl Words {
    /// These words. A NUL character, which some stores cannot keep, becomes U+FFFD.
    pub fn new(text: String) -> Self {
        Self(if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text })
    }

    /// The words themselves.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// These words as a person's name: at most 100 characters, none of them a control character or invisible. None where nothing is left.
    ///
    /// ```
    /// use gatepost::Words;
    ///
    /// let name = Words::new("\u{202e}Ann\u{200b} Lee\n".into()).to_name();
    /// assert_eq!(name.as_ref().map(Words::as_str), Some("Ann Lee"));
    /// ```
    pub fn to_name(&self) -> Option<Self> {
        let shown: String = self.0.chars().filter(|character| !character.is_control() && !is_invisible(*character)).collect();
        let name: String = shown.trim().chars().take(NAME_CHARACTERS_MAX).collect();
        Some(name.trim_end()).filter(|name| !name.is_empty()).map(|name| Self(name.into()))
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, name: Option<&str>) {
        assert_eq!(Words::new(words.into()).to_name().as_ref().map(Words::as_str), name);
    }

    #[test]
    fn a_name_is_what_can_be_seen_of_it() {
        check("Ann Lee", Some("Ann Lee"));
        check(" \u{feff}\u{202e}A\0n\u{7}n\u{e0041} ", Some("A\u{fffd}nn"));
        check("\u{627}\u{646}", Some("\u{627}\u{646}"));
        check(" \u{200b}\n", None);
        check("", None);
    }

    #[test]
    fn a_name_is_no_longer_than_a_hundred_characters() {
        check(&"\u{1f600}".repeat(101), Some(&"\u{1f600}".repeat(100)));
        check(&alloc::format!("{} {}", "a".repeat(99), "b"), Some(&"a".repeat(99)));
    }
}
