//! Account: what changed about our business account, our templates, our numbers and their links.

use std::fmt;

use gatepost::{Connection, Secret, Timestamp, Words};
use serde::Serialize;

/// What our business account may do changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AccountUpdate {
    /// The provider's name of it, for example `ACCOUNT_RESTRICTION`.
    pub event: String,
    /// What follows from it.
    pub effect: AccountEffect,
}

/// What follows from a change of our business account.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum AccountEffect {
    /// Some messages must not be sent.
    Stops {
        /// Which.
        what: Vec<Stopped>,
        /// Until when, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// The provider warns; nothing is stopped yet.
    Warns,
    /// What was stopped may go on.
    Restores,
    /// Nothing follows that is known here.
    Informs,
}

/// Which messages are stopped.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// All of them.
    All,
    /// Those that begin a conversation: templates.
    BusinessInitiated,
    /// Answers to people who wrote first.
    CustomerInitiated,
    /// Utility templates.
    UtilityTemplates,
}

impl Stopped {
    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::BusinessInitiated => "business_initiated",
            Self::CustomerInitiated => "customer_initiated",
            Self::UtilityTemplates => "utility_templates",
        }
    }
}

/// A template changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct TemplateUpdate {
    /// The provider's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What changed.
    pub change: TemplateChange,
}

/// What changed about a template.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum TemplateChange {
    /// Its category, or soon will: what may be sent by it depends on that.
    Category {
        /// The present one.
        current: Option<String>,
        /// The one it will have.
        #[serde(skip_serializing_if = "Option::is_none")]
        future: Option<String>,
        /// When it changes, or changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// What it says.
    Components,
    /// What its recipients think of it.
    Quality {
        /// The score now, for example `RED`.
        score: String,
    },
    /// Whether it may be sent.
    Status {
        /// The provider's name of it, for example `PAUSED`.
        event: String,
        /// Whether it may; none where the word is not known here.
        #[serde(skip_serializing_if = "Option::is_none")]
        is_sendable: Option<bool>,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Its category.
        #[serde(skip_serializing_if = "Option::is_none")]
        category: Option<String>,
    },
}

/// A fact about our account or number.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Notice {
    /// The provider's name of it, for example `THROUGHPUT_UPGRADE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Whether somebody should look.
    pub is_warning: bool,
    /// How many people the business may begin a conversation with in 24 hours, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
}

/// How many people a business may begin a conversation with in 24 hours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// So many.
    People(u64),
    /// Any number.
    Unlimited,
}

/// The link between our number and Evolution API changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionUpdate {
    /// How it stands. Only `open` sends.
    pub connection: Connection,
    /// The provider's code for why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<i64>,
    /// Whether a person must link the number again.
    pub needs_person: bool,
    /// Our number, where it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<Words>,
    /// What links a phone, while it waits for one. It is not stored.
    #[serde(skip)]
    pub code: Option<LinkCode>,
}

/// What links a phone to an instance: whoever has it can read and send everything.
#[derive(Clone)]
pub struct LinkCode {
    /// What the QR code says.
    pub code: Secret,
    /// Eight characters to type in place of it.
    pub pairing_code: Option<Secret>,
}

impl PartialEq for LinkCode {
    fn eq(&self, other: &Self) -> bool {
        let shown = |code: &Self| (code.code.expose().to_owned(), code.pairing_code.as_ref().map(|code| code.expose().to_owned()));
        shown(self) == shown(other)
    }
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCode")
    }
}
