//! Secret: a text that is used and never shown: a token, an API key, an app secret.

use std::fmt;

use zeroize::Zeroizing;

/// A text that must not be seen. It is wiped from memory when it is dropped.
///
/// ```
/// use gatepost_whatsapp::Secret;
///
/// let token = Secret::from("EAAJ-example");
/// assert_eq!(token.expose(), "EAAJ-example");
/// assert_eq!(format!("{token:?}"), "Secret");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself, for whoever must write it down or send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
