//! Settings: what is in force, and where it comes from.

use std::io;

use clap::Subcommand;
use serde_json::json;

use super::print::{self, Form};
use crate::config::Effective;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check the settings, and show those in force with where each comes from; secrets are masked
    Check,
}

impl Verb {
    pub(super) fn run(self, effective: &Effective, form: Form) -> io::Result<()> {
        let Self::Check = self;
        let answer = json!({"items": effective.rows()});
        print::answer(&answer, &["key", "value", "source"], form)
    }
}
