//! Raw: JSON that holds what a person said. It does not show itself.

use std::fmt;

use serde_json::value::RawValue;

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
