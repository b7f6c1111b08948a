//! Failure: why a command did not do what it was asked, and the exit code that says so.

use std::fmt;
use std::process::ExitCode;

use gatepost::StoreError;

use crate::config::ConfigError;
use crate::keys_file::KeysFileError;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The gateway answered, and its answer is no.
    Refused(Refusal),
    /// The gateway cannot be reached, or cannot do it now.
    Unavailable(String),
    /// The command or the configuration cannot be right.
    Usage(String),
}

impl Failure {
    /// 1 for refused, 2 for usage or configuration, 3 for not reachable or not available.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Unavailable(_) => ExitCode::from(3),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unavailable(problem) | Self::Usage(problem) => write!(f, "error: {problem}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<KeysFileError> for Failure {
    fn from(error: KeysFileError) -> Self {
        match error {
            KeysFileError::Io { .. } => Self::Unavailable(error.to_string()),
            KeysFileError::Absent { .. }
            | KeysFileError::Exposed { .. }
            | KeysFileError::Malformed { .. }
            | KeysFileError::Missing { .. }
            | KeysFileError::Other { .. } => Self::Usage(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// A problem as the gateway tells it (RFC 9457).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// What kind of problem.
    pub title: String,
    /// This time.
    pub detail: Option<String>,
    /// Field by field.
    pub errors: Vec<(String, String)>,
}

impl Refusal {
    /// A problem of which the title says all.
    pub fn of(title: String) -> Self {
        Self { title, detail: None, errors: Vec::new() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.title)?;
        if let Some(detail) = &self.detail {
            write!(f, "\n  {detail}")?;
        }
        self.errors.iter().try_for_each(|(field, problem)| write!(f, "\n  {field}: {problem}"))
    }
}
