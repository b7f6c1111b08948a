//! What came in: the verbs.

use clap::Subcommand;

use super::client::Client;
use super::question::{OnAccount, Paging, Question, encode};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List what came in, newest first
    List {
        #[command(flatten)]
        on: OnAccount,
        /// Only what came in at this instance
        #[arg(long, value_name = "ID")]
        instance: Option<String>,
        /// Only this kind of thing: message, preference, identity, connection, other or quarantined
        #[arg(long)]
        class: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Read one thing that came in
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// Its id
        id: String,
    },
    /// List what providers posted, newest first
    Notifications {
        #[command(flatten)]
        on: OnAccount,
        #[command(flatten)]
        paging: Paging,
    },
    /// Read what a provider posted, as it came
    Notification {
        #[command(flatten)]
        on: OnAccount,
        /// Its id
        id: String,
    },
}

const COLUMNS: &[&str] = &["id", "class", "kind", "from", "message.message_type", "message.intent", "message.tier", "received_at"];
const NOTIFICATION_COLUMNS: &[&str] = &["id", "instance_id", "received_at", "new", "repeated", "quarantined"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        Ok(match self {
            Self::List { on, instance, class, paging } => {
                let asked =
                    Question::get(on.path(client, "inbound")?).with("instance_id", instance.as_deref()).with("class", class.as_deref());
                paging.of(asked).listed(COLUMNS)
            }
            Self::Show { on, id } => Question::get(on.path(client, &format!("inbound/{}", encode(&id)))?),
            Self::Notifications { on, paging } => paging.of(Question::get(on.path(client, "notifications")?)).listed(NOTIFICATION_COLUMNS),
            Self::Notification { on, id } => Question::get(on.path(client, &format!("notifications/{}", encode(&id)))?),
        })
    }
}
