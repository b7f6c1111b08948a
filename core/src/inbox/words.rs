//! Words: what a person said.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

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
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} bytes)", self.0.len())
    }
}
