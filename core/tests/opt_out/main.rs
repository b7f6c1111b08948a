//! Opt-out: what replies ask for, in every language, and what must not be taken for it.
//!
//! The rows are in `data/replies`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be read fails its test")]

mod bounds;
mod corpus;
mod guards;
mod keywords;
mod rules;
mod spellings;
