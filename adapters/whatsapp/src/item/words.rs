//! Words: what a person said, and JSON that holds it. Neither shows itself.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

/// What a person said or is called. Its `Debug` shows only its length.
#[derive(Clone, Eq, PartialEq, Serialize)]
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
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} bytes)", self.0.len())
    }
}

/// JSON as it was received. Its `Debug` shows only its length.
#[derive(Clone, Eq, PartialEq)]
pub struct RawJson(Box<str>);

impl RawJson {
    /// The JSON itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&RawValue> for RawJson {
    fn from(raw: &RawValue) -> Self {
        Self(raw.get().into())
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.0.len())
    }
}
