//! Errors: what a provider's error code means, and what follows from it for the message and for its way.
//!
//! The meaning is data: `table.rs` has a row for each code. The code decides, as Meta says, and neither the HTTP status nor the wording;
//! a status counts only where there is no code to read. A code without a row is kept as the number it is, and never retried by itself.

mod table;

use std::time::Duration;

use gatepost::{ErrorClass, Outcome};
use serde::Serialize;

use crate::fields::Fields;

/// An error that a provider reported.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ProviderError {
    /// The provider's code for it, known here or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// The code below that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subcode: Option<i64>,
    /// What the provider calls it; it names no person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// By what the provider finds the request in its own logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What kind of problem it is.
    pub problem: Problem,
    /// What it holds up.
    pub scope: Scope,
    /// Whether the same may be sent again.
    pub retry: Retry,
}

impl ProviderError {
    /// The error with this code, where no status stands beside it.
    pub fn of_code(code: Option<i64>, subcode: Option<i64>) -> Self {
        let meaning = code.and_then(|code| table::of_code(code, subcode)).unwrap_or(table::UNKNOWN);
        Self::new(code, subcode, meaning)
    }

    /// The error that an answer with this status means, whose body cannot be read as one.
    pub fn of_status(status: u16) -> Self {
        Self::new(None, None, table::of_status(status))
    }

    const fn new(code: Option<i64>, subcode: Option<i64>, meaning: Meaning) -> Self {
        let Meaning { problem, scope, retry } = meaning;
        Self { code, subcode, title: None, trace: None, problem, scope, retry }
    }

    /// Reads an error as it stands in an answer or in a webhook.
    pub(crate) fn read(fields: &Fields<'_>) -> Self {
        let mut error = Self::of_code(fields.number("code"), fields.number("error_subcode"));
        error.title = fields.text("title").or_else(|| fields.text("type"));
        error.trace = fields.text("fbtrace_id");
        error
    }

    /// Reads the error of an answer with this status. What is not known and comes from a server in trouble may have been sent.
    pub(crate) fn read_answer(fields: &Fields<'_>, status: u16) -> Self {
        let error = Self::read(fields);
        let is_in_doubt = error.problem == Problem::Unknown && status >= 500;
        let meaning = if is_in_doubt { table::of_status(status) } else { return error };
        Self { title: error.title, trace: error.trace, ..Self::new(error.code, error.subcode, meaning) }
    }

    /// Whether we were too fast; a service in trouble is slow for everybody.
    fn is_throttling(&self) -> bool {
        matches!(self.problem, Problem::RetryBackoff | Problem::RetryPair) && self.scope != Scope::Service
    }

    /// What became of a message that was answered with this error.
    pub fn outcome(&self, retry_after: Option<Duration>) -> Outcome {
        match self.retry {
            Retry::IfUnsent => Outcome::Unknown { class: ErrorClass::ErrorStatus },
            Retry::Backoff | Retry::Pair if self.is_throttling() => failed(ErrorClass::Throttled, retry_after),
            Retry::Backoff | Retry::Once | Retry::Pair => failed(ErrorClass::ErrorStatus, retry_after),
            Retry::AfterHours { .. } | Retry::Never => failed(self.problem.class(), None),
        }
    }
}

pub(crate) const fn failed(class: ErrorClass, retry_after: Option<Duration>) -> Outcome {
    Outcome::Failed { class, retry_after }
}

/// What an error means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Meaning {
    pub(crate) problem: Problem,
    pub(crate) scope: Scope,
    pub(crate) retry: Retry,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// The word used in answers and rows.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

words! {
    /// What kind of problem an error is.
    Problem {
        /// Token, permission, registration or payment: somebody must set the account up.
        AccountConfig = "account_config",
        /// The provider has restricted the account or the number.
        AccountRestricted = "account_restricted",
        /// There is no answer to go by: it may have been sent.
        Ambiguous = "ambiguous",
        /// The number is not linked to Evolution API.
        ChannelDown = "channel_down",
        /// The provider spares this person today.
        Hold24h = "hold_24h",
        /// The account is being moved or upgraded.
        MaintenanceRetry = "maintenance_retry",
        /// A file cannot be fetched or is not acceptable.
        MediaProblem = "media_problem",
        /// The person stopped marketing messages of ours.
        OptedOut = "opted_out",
        /// This person cannot be reached.
        PermanentRecipient = "permanent_recipient",
        /// The request is wrong.
        RequestBug = "request_bug",
        /// Too much at once, or a service in trouble.
        RetryBackoff = "retry_backoff",
        /// Something went wrong that may go right.
        RetryOnce = "retry_once",
        /// Too much to one person.
        RetryPair = "retry_pair",
        /// The template is not as it was used, or stopped.
        TemplateProblem = "template_problem",
        /// Not known here.
        Unknown = "unknown",
        /// More than 24 hours have passed since the person wrote.
        WindowClosed = "window_closed",
    }
}

impl Problem {
    /// Why a message failed for good.
    pub(crate) const fn class(self) -> ErrorClass {
        match self {
            Self::AccountConfig => ErrorClass::Misconfigured,
            Self::AccountRestricted => ErrorClass::Restricted,
            Self::MediaProblem => ErrorClass::MediaProblem,
            Self::OptedOut => ErrorClass::OptedOut,
            Self::PermanentRecipient => ErrorClass::Undeliverable,
            Self::TemplateProblem => ErrorClass::TemplateProblem,
            Self::WindowClosed => ErrorClass::WindowClosed,
            Self::Ambiguous
            | Self::ChannelDown
            | Self::Hold24h
            | Self::MaintenanceRetry
            | Self::RequestBug
            | Self::RetryBackoff
            | Self::RetryOnce
            | Self::RetryPair
            | Self::Unknown => ErrorClass::Refused,
        }
    }
}

words! {
    /// What an error holds up.
    Scope {
        /// Everything of the business account, or of its token.
        Account = "account",
        /// Everything of the app.
        App = "app",
        /// This message only.
        Message = "message",
        /// This number and this person.
        Pair = "pair",
        /// This number.
        PhoneNumber = "phone_number",
        /// This person.
        Recipient = "recipient",
        /// All people of this person's country.
        RecipientCountry = "recipient_country",
        /// The provider's own service.
        Service = "service",
        /// This template.
        Template = "template",
        /// Calls to manage the WhatsApp Business Account.
        Waba = "waba",
    }
}

/// Whether the same may be sent again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Not before so many hours.
    AfterHours {
        /// How many.
        hours: u32,
    },
    /// After a wait that grows.
    Backoff,
    /// Only once it is known that it was not sent.
    IfUnsent,
    /// Never by itself.
    Never,
    /// Once, and then never by itself.
    Once,
    /// After a wait that grows for this person: 4 to the power of the tries, in seconds.
    Pair,
}
