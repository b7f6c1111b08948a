//! Logging: what the server tells about itself, on standard error.
//!
//! Nothing above `debug` is said per request. Message text, phone numbers, keys and secrets cannot be logged: their types print
//! themselves masked. What sends events knows no such types, and at `debug` it would say whatever it sends: it says nothing at all.

use std::io::{IsTerminal, stderr};

use gatepost::{Judged, Note};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Directives, Log, LogFormat};

/// The libraries whose words are URLs, headers and bodies.
const SILENT: [&str; 2] = ["ureq", "ureq_proto"];

/// Starts logging. Where a log was started before, as in a test that runs two servers, that one stays.
pub fn start(log: &Log) {
    let builder = fmt().with_env_filter(filter(&log.level)).with_writer(stderr).with_ansi(stderr().is_terminal());
    // It would say so on standard error, which is what cannot be written to.
    let builder = builder.log_internal_errors(false);
    let started = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
        LogFormat::Text => builder.finish().try_init(),
    };
    if started.is_err() {
        tracing::debug!("a log was started before");
    }
}

/// What is said of what these directives ask for.
pub fn filter(directives: &Directives) -> EnvFilter {
    let silent = SILENT.iter().filter_map(|library| format!("{library}={}", LevelFilter::OFF).parse().ok());
    silent.fold(directives.filter(), EnvFilter::add_directive)
}

/// Tells the log what a worker noted.
pub fn note(note: &Note) {
    match note {
        Note::Parked { count } => tracing::error!(
            count,
            "deliveries could not be read and were put aside; their messages are `unknown` until an operator resolves them"
        ),
        Note::Resent { account, delivery } => {
            tracing::info!(%account, %delivery, "a kept connection was stale, and the event was sent once more");
        }
        Note::EndpointDisabled { account, endpoint, by } => {
            tracing::warn!(%account, %endpoint, reason = by.as_str(), "an endpoint was disabled");
        }
        Note::Judged(Judged { account, breach, paused: true }) => {
            tracing::error!(%account, rate = %breach.rate, %breach, "an account was paused for what it does; an operator must resume it");
        }
        Note::Judged(Judged { account, breach, paused: false }) => {
            tracing::warn!(%account, rate = %breach.rate, %breach, "an account is half way to being paused for what it does");
        }
    }
}
