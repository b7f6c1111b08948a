//! Endpoints: the verbs. Values of headers are secrets, so they come from a file or from standard input.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::lines;
use super::question::{OnAccount, Question, encode, given};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Add an endpoint, and challenge its receiver; the signing secret is shown this one time
    Add {
        #[command(flatten)]
        on: OnAccount,
        /// Where events go, for example `https://hooks.example.com/gatepost`
        destination: String,
        /// An event it gets: a name, prefix.* or *; repeat it for more
        #[arg(long = "event", required = true, value_name = "EVENT")]
        events: Vec<String>,
        #[command(flatten)]
        terms: Terms,
        /// Also sign with an Ed25519 key
        #[arg(long)]
        ed25519: bool,
        /// Tell it how every account runs, and show it to none; only operators can
        #[arg(long)]
        for_operator: bool,
    },
    /// List endpoints, oldest first
    List {
        #[command(flatten)]
        on: OnAccount,
    },
    /// Read an endpoint
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
    },
    /// Change an endpoint; what is not given stays
    Change {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
        /// Where events go from now on; its receiver is challenged
        #[arg(long, value_name = "URL")]
        destination: Option<String>,
        /// An event it gets, in place of those before; repeat it for more
        #[arg(long = "event", value_name = "EVENT")]
        events: Vec<String>,
        #[command(flatten)]
        terms: Terms,
        /// Whether to sign with an Ed25519 key too
        #[arg(long, value_name = "BOOL")]
        ed25519: Option<bool>,
    },
    /// Remove an endpoint; the logs still name it
    Remove {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
    },
    /// Ask its receiver to answer with a challenge
    Verify {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
    },
    /// Send it a test event
    Test {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
    },
    /// Hold its events until it is resumed
    Pause {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
        /// Why, for people
        #[arg(long)]
        note: Option<String>,
    },
    /// End a pause
    Resume {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
    },
    /// Let it get events again
    Enable {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
    },
    /// Skip its events until it is enabled
    Disable {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
        /// Why, for people
        #[arg(long)]
        note: Option<String>,
    },
    /// Make a new signing secret, which is shown this one time
    RotateSecret {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
        /// How long the former secrets go on signing, at most 604800 [default: a day]
        #[arg(long, value_name = "SECONDS")]
        overlap_seconds: Option<u64>,
    },
    /// Sign the contract's header with the new secret from now on
    SwitchSecret {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        id: String,
    },
}

/// What an endpoint is like.
#[derive(Args, Debug)]
pub(super) struct Terms {
    /// What people call it [default: its host]
    #[arg(long)]
    name: Option<String>,
    /// Only the events of this instance, and those of none: its id or its name
    #[arg(long, value_name = "INSTANCE")]
    instance: Option<String>,
    /// A file of headers to send along, `name: value` on each line; - for standard input
    #[arg(long, value_name = "FILE")]
    headers: Option<String>,
    /// How many events may be on their way to it at once: 1 to 256 [default: 8]
    #[arg(long, value_name = "COUNT")]
    in_flight_max: Option<u16>,
    /// How often it may be called in a minute [default: as fast as it answers]
    #[arg(long, value_name = "COUNT")]
    per_minute: Option<u32>,
    /// Whether its receiver must answer a challenge [default: as the gateway is set]
    #[arg(long, value_name = "BOOL")]
    verify: Option<bool>,
}

impl Terms {
    /// The fields that were given, with those of the verb.
    fn body(self, verb: Value) -> Result<Value, Failure> {
        let headers = self.headers.as_deref().map(lines::read).transpose()?;
        let rate = self.per_minute.map(|count| json!({"count": count, "period_seconds": 60, "burst": count}));
        let mut body = json!({
            "name": self.name, "instance_id": self.instance, "headers": headers, "in_flight_max": self.in_flight_max, "rate": rate,
            "verify": self.verify,
        });
        if let (Some(body), Value::Object(verb)) = (body.as_object_mut(), verb) {
            body.extend(verb);
        }
        Ok(given(body))
    }
}

const COLUMNS: &[&str] = &["id", "name", "url", "events", "state", "disabled.reason", "failing_since"];

impl Verb {
    pub(super) fn questions(self, client: &Client) -> Result<Vec<Question>, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("endpoints/{}", encode(id)));
        let question = match self {
            Self::Add { on, destination, events, terms, ed25519, for_operator } => {
                let for_operator = for_operator.then_some(true);
                let body = terms.body(json!({"url": destination, "events": events, "ed25519": ed25519, "for_operator": for_operator}))?;
                Question::post(on.path(client, "endpoints")?, body)
            }
            Self::List { on } => Question::get(on.path(client, "endpoints")?).listed(COLUMNS),
            Self::Show { on, id } => Question::get(path(&on, &id)?),
            Self::Change { on, id, destination, events, terms, ed25519 } => {
                let (path, events) = (path(&on, &id)?, (!events.is_empty()).then_some(events));
                let key = ed25519.map(|ed25519| Question::put(format!("{path}/signing-key"), json!({"ed25519": ed25519})));
                let body = terms.body(json!({"url": destination, "events": events}))?;
                let is_needed = key.is_none() || body != json!({});
                let change = is_needed.then(|| Question::patch(path, body));
                return Ok(change.into_iter().chain(key).collect());
            }
            Self::Remove { on, id } => Question::delete(path(&on, &id)?),
            Self::Verify { on, id } => Question::act(path(&on, &id)? + "/verify"),
            Self::Test { on, id } => Question::act(path(&on, &id)? + "/test"),
            Self::Pause { on, id, note } => Question::post(path(&on, &id)? + "/pause", given(json!({"note": note}))),
            Self::Resume { on, id } => Question::act(path(&on, &id)? + "/resume"),
            Self::Enable { on, id } => Question::act(path(&on, &id)? + "/enable"),
            Self::Disable { on, id, note } => Question::post(path(&on, &id)? + "/disable", given(json!({"note": note}))),
            Self::RotateSecret { on, id, overlap_seconds } => {
                Question::post(path(&on, &id)? + "/secret/rotate", given(json!({"overlap_seconds": overlap_seconds})))
            }
            Self::SwitchSecret { on, id } => Question::act(path(&on, &id)? + "/secret/switch"),
        };
        Ok(vec![question])
    }
}
