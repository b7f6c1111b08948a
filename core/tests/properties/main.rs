//! Properties: what holds for every input, tried on random ones.
//!
//! A failure prints the smallest input that shows it.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]

#[path = "../naive/mod.rs"]
mod naive;
#[path = "../watch/mod.rs"]
mod watch;

mod delivery;
mod examine;
mod inbox;
mod policy;
mod texts;
mod windows;
mod world;
