//! Destination: which URLs are destinations, which addresses are dialed for them, and that nobody gets past it.
//!
//! The corpora under `data/ssrf` say what must be refused, what must be accepted, and under which class.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be read fails its test")]

mod addresses;
mod rows;
mod settings;
mod spellings;
mod texts;
mod types;
