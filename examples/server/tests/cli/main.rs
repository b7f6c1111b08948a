//! The command line and the server as a process, as who runs them sees them. No test leaves the machine, and none waits for a clock.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

mod audit;
mod config;
mod data;
mod endpoints;
mod instances;
mod integrations;
mod postgres;
#[path = "../receiving/mod.rs"]
mod receiving;
mod serve;
mod several_hosts;
mod support;
mod url;
