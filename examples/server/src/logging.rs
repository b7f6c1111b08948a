//! Logging: what the server tells about itself, on standard error.
//!
//! Nothing above `debug` is said per request. Message text, phone numbers, keys and secrets cannot be logged: their types print
//! themselves masked.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

/// Starts logging. Where a log was started before, as in a test that runs two servers, that one stays.
pub fn start(log: &Log) {
    let builder = fmt().with_env_filter(log.level.filter()).with_writer(stderr).with_ansi(stderr().is_terminal());
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
