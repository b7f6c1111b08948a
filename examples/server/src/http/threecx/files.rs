//! Files: what somebody sent to an account, for a phone system that was posted a link to it.

/// Where the file of a link is.
pub fn file_path(link: &str) -> String {
    format!("/media/{link}")
}
