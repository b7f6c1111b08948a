//! Accounts: the verbs of who runs the gateway.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::question::{Paging, Question, encode, given};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make an account
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// List accounts, newest first
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Read an account
    Show {
        /// The account
        id: String,
    },
    /// Change an account; what is not given stays
    Update {
        /// The account
        id: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        terms: Terms,
        /// Whether a one-time code may reach a recipient who opted out
        #[arg(long, value_name = "BOOL")]
        one_time_codes_pass: Option<bool>,
        /// Whether a person must release each of its messages
        #[arg(long, value_name = "BOOL")]
        supervised: Option<bool>,
        /// Whether two people must release a message that is held
        #[arg(long, value_name = "BOOL")]
        two_person_review: Option<bool>,
        /// Whether a recipient who opts out gets the one confirmation of it
        #[arg(long, value_name = "BOOL")]
        confirms_opt_out: Option<bool>,
        /// Whether its 3CX phone systems may be connected
        #[arg(long, value_name = "BOOL")]
        threecx_enabled: Option<bool>,
        /// A domain that it sends under; given once for each, and all of them, for what was there before goes
        #[arg(long = "sender-domain", value_name = "DOMAIN")]
        sender_domains: Option<Vec<String>>,
    },
    /// What it did in the last seven days, and what would pause it
    Traffic {
        /// The account
        id: String,
    },
    /// Let nothing of it go out until it is resumed
    Pause {
        /// The account
        id: String,
        /// Why, for people
        #[arg(long)]
        note: Option<String>,
    },
    /// End a pause
    Resume {
        /// The account
        id: String,
    },
    /// Close an account
    Suspend {
        /// The account
        id: String,
    },
    /// Open an account that was closed
    Reinstate {
        /// The account
        id: String,
    },
}

/// What an account may send, and on which calendar.
#[derive(Args, Debug)]
pub(super) struct Terms {
    /// starter, growth, scale, or custom with the limits below
    #[arg(long)]
    plan: Option<String>,
    /// A limit of its own for a day
    #[arg(long, requires = "messages_per_month", value_name = "COUNT")]
    messages_per_day: Option<u64>,
    /// A limit of its own for a month
    #[arg(long, requires = "messages_per_day", value_name = "COUNT")]
    messages_per_month: Option<u64>,
    /// The time zone of its days and months, for example Asia/Riyadh
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

impl Terms {
    fn limits(&self) -> Option<Value> {
        let (per_day, per_month) = (self.messages_per_day?, self.messages_per_month?);
        Some(json!({"messages_per_day": per_day, "messages_per_month": per_month}))
    }
}

const COLUMNS: &[&str] =
    &["id", "name", "plan", "limits.messages_per_day", "limits.messages_per_month", "pause.since", "pause.cause", "suspended_at"];

impl Verb {
    pub(super) fn question(self) -> Question {
        match self {
            Self::Create { name, terms } => {
                let body = json!({"name": name, "plan": terms.plan, "limits": terms.limits(), "time_zone": terms.time_zone});
                Question::post("/v1/accounts", given(body))
            }
            Self::List { paging } => paging.of(Question::get("/v1/accounts")).listed(COLUMNS),
            Self::Show { id } => Question::get(path(&id)),
            Self::Update {
                id,
                name,
                terms,
                one_time_codes_pass,
                supervised,
                two_person_review,
                confirms_opt_out,
                threecx_enabled,
                sender_domains,
            } => {
                let body = json!({
                    "name": name, "plan": terms.plan, "limits": terms.limits(), "time_zone": terms.time_zone,
                    "one_time_codes_pass": one_time_codes_pass, "supervised": supervised, "two_person_review": two_person_review,
                    "confirms_opt_out": confirms_opt_out, "threecx_enabled": threecx_enabled, "sender_domains": sender_domains,
                });
                Question::patch(path(&id), given(body))
            }
            Self::Traffic { id } => Question::get(path(&id) + "/traffic"),
            Self::Pause { id, note } => Question::post(path(&id) + "/pause", given(json!({"note": note}))),
            Self::Resume { id } => Question::act(path(&id) + "/resume"),
            Self::Suspend { id } => Question::act(path(&id) + "/suspend"),
            Self::Reinstate { id } => Question::act(path(&id) + "/reinstate"),
        }
    }
}

fn path(id: &str) -> String {
    format!("/v1/accounts/{}", encode(id))
}
