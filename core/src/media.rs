//! Media: the files that people send, fetched from their provider.
//!
//! The players: [`MediaSource`] (who fetches), [`MediaRef`] (which file), [`Media`] (the file), [`MediaFailure`] (why there is none).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;

use crate::{AccountId, InstanceId, Timestamp};

/// The longest file that is fetched, in bytes.
pub const MEDIA_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a file is whose type nobody said, or whose type nobody may be told.
const ANY_FILE: &str = "application/octet-stream";
/// The parameters of a type that are passed on.
const PARAMETERS: [&str; 2] = ["charset=utf-8", "codecs=opus"];
/// The kinds of text that a browser only shows.
const PLAIN_TEXTS: [&str; 5] = ["calendar", "csv", "plain", "vcard", "x-vcard"];

/// Fetches the files that people sent, from one provider.
///
/// The contract: a file is fetched whole or not at all, and never more than [`MEDIA_BYTES_MAX`] bytes of it; no credential leaves for a
/// host that is not the provider's; nothing is changed by it, so it may be repeated.
#[async_trait]
pub trait MediaSource: Send + Sync {
    /// Fetches one file that was sent to an instance of the account.
    async fn fetch(&self, account: AccountId, instance: InstanceId, file: &MediaRef, deadline: Timestamp) -> Result<Media, MediaFailure>;
}

/// A source that an app goes on to use for more than fetching.
#[async_trait]
impl<T: MediaSource + ?Sized> MediaSource for Arc<T> {
    async fn fetch(&self, account: AccountId, instance: InstanceId, file: &MediaRef, deadline: Timestamp) -> Result<Media, MediaFailure> {
        (**self).fetch(account, instance, file, deadline).await
    }
}

/// Which file.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct MediaRef {
    /// What its provider knows it by: the [id of the file](crate::SaidFile::id), or the [id of the message](crate::Said::external_id) that it
    /// came with. Which of them is for the provider's adapter to say.
    pub id: String,
    /// Its type, as the message stated it: it counts where the provider says nothing.
    pub mime_type: Option<String>,
}

/// A file. Its `Debug` does not show what is in it.
#[derive(Clone, Eq, PartialEq)]
pub struct Media {
    /// Its type, which a browser may be told: see [`safe_mime_type`].
    pub mime_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Media {
    /// The file with these bytes, whose type somebody stated.
    pub fn new(stated: &str, bytes: Vec<u8>) -> Self {
        Self { mime_type: safe_mime_type(stated), bytes }
    }
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("mime_type", &self.mime_type).field("bytes", &self.bytes.len()).finish()
    }
}

/// The type of a file, as it may stand in a header: what a browser would run, and what is no type, becomes `application/octet-stream`.
///
/// ```
/// use gatepost::safe_mime_type;
///
/// assert_eq!(safe_mime_type("Image/JPEG"), "image/jpeg");
/// assert_eq!(safe_mime_type("audio/ogg; codecs=opus; x=1"), "audio/ogg; codecs=opus");
/// assert_eq!(safe_mime_type("text/html; charset=utf-8"), "application/octet-stream");
/// ```
pub fn safe_mime_type(stated: &str) -> String {
    let mut parts = stated.split(';').map(|part| part.trim().to_ascii_lowercase());
    let Some(mut safe) = parts.next().filter(|bare| is_harmless(bare)) else { return ANY_FILE.to_owned() };
    for parameter in PARAMETERS {
        if parts.clone().any(|part| part == parameter) {
            safe = safe + "; " + parameter;
        }
    }
    safe
}

fn is_harmless(bare: &str) -> bool {
    let Some((kind, below)) = bare.split_once('/') else { return false };
    let is_name = |name: &str| {
        (1..=100).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_'))
    };
    let is_markup = below == "xml" || below.ends_with("+xml") || below.contains("html");
    let is_run = is_markup || below.contains("script") || below.contains("flash");
    let is_known = match kind {
        "application" | "audio" | "image" | "video" => !is_run,
        "text" => PLAIN_TEXTS.contains(&below),
        _ => false,
    };
    is_known && is_name(below)
}

/// Why there is no file. What it says holds no link and no secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MediaFailure {
    /// The provider does not have it any more, or never had it.
    #[error("the provider does not have the file any more")]
    Gone,
    /// The instance is not set up for this provider.
    #[error("the instance is not set up for this provider")]
    NotSetUp,
    /// It is longer than [`MEDIA_BYTES_MAX`].
    #[error("expected a file of at most {MEDIA_BYTES_MAX} bytes")]
    TooLarge,
    /// Asking again will not help: the provider refuses, or it says what may not be followed.
    #[error("the file cannot be fetched: {0}")]
    Refused(String),
    /// Asking later may help.
    #[error("the file cannot be fetched now: {0}")]
    Unavailable(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_run_is_any_file() {
        for stated in [
            "text/html",
            "TEXT/HTML;charset=utf-8",
            " image/svg+xml",
            "application/javascript",
            "text/javascript",
            "text/ecmascript",
            "application/xhtml+xml",
            "application/xml",
            "text/xml",
            "text/css",
            "application/x-shockwave-flash",
            "multipart/x-mixed-replace",
            "message/rfc822",
        ] {
            assert_eq!(safe_mime_type(stated), ANY_FILE, "{stated}");
        }
    }

    #[test]
    fn what_is_no_type_is_any_file() {
        for stated in
            ["", "image", "image/", "/png", "image/png\r\nx: y", "image/pñg", "image/a/b", "image/png,text/html", "javascript:alert(1)"]
        {
            assert_eq!(safe_mime_type(stated), ANY_FILE, "{stated}");
        }
        assert_eq!(safe_mime_type(&alloc::format!("image/{}", "x".repeat(101))), ANY_FILE);
    }

    #[test]
    fn what_people_send_keeps_its_type() {
        for stated in [
            "image/webp",
            "video/mp4",
            "audio/ogg; codecs=opus",
            "application/pdf",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "text/plain; charset=utf-8",
            "text/x-vcard",
        ] {
            assert_eq!(safe_mime_type(stated), stated);
        }
        assert_eq!(safe_mime_type("text/plain;charset=UTF-8;boundary=\"x\""), "text/plain; charset=utf-8");
    }

    #[test]
    fn what_is_in_a_file_is_not_shown() {
        let shown = alloc::format!("{:?}", Media::new("text/plain", b"blue door".to_vec()));
        assert_eq!(shown, "Media { mime_type: \"text/plain\", bytes: 9 }");
    }
}
