//! Pauses, as answers show them, and the remark that may come with what people do.

use gatepost::{Actor, Pause};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::OnAccount;
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::Time;

const NOTE_CHARACTERS_MAX: usize = 500;

/// Nothing goes out until somebody resumes it.
#[derive(Serialize, ToSchema)]
#[schema(as = Pause)]
pub(super) struct PauseShape {
    /// Since when.
    since: Time,
    /// Who paused it: `app`, `gateway`, or `key:` and the id of a key.
    #[schema(example = "key:0aZ3kQ9fLm2X")]
    by: String,
    /// What for: `manual` (somebody wanted it), or `rate` (the account reached a rate, and only who runs the gateway can resume it).
    #[schema(value_type = String, example = "manual")]
    cause: &'static str,
    /// Of what there was too much, where the cause is a rate: `opt_outs`, `blocks` or `failures`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "opt_outs")]
    rate: Option<&'static str>,
    /// Why, for who runs the gateway; not shown to accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl PauseShape {
    /// What a caller may see of it.
    pub(super) fn of(pause: Pause, to_operator: bool) -> Self {
        Self {
            since: pause.since.into(),
            by: pause.by.to_string(),
            cause: pause.cause.as_str(),
            rate: pause.cause.breach().map(|breach| breach.rate.as_str()),
            note: pause.note.filter(|_| to_operator),
        }
    }
}

/// A remark.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Remark, example = json!({"note": "as agreed by phone"}))]
pub(super) struct Remark {
    /// Why, for people: at most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: Option<String>,
}

impl Remark {
    /// The note, if there is one.
    pub(super) fn note(self) -> Result<Option<String>, Problem> {
        note(self.note)
    }
}

/// A note that is not too long. An empty one is none.
pub(super) fn note(text: Option<String>) -> Result<Option<String>, Problem> {
    remark("note", text)
}

/// A remark in this field that is not too long. An empty one is none.
pub(super) fn remark(field: &'static str, text: Option<String>) -> Result<Option<String>, Problem> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_deref().is_some_and(|text| text.chars().nth(NOTE_CHARACTERS_MAX).is_some() || text.contains('\0')) {
        return Err(Problem::of_field(field, "expected at most 500 characters, and no NUL character"));
    }
    Ok(text)
}

/// Takes out the remarks that are not for this caller: an operator's are for operators.
pub(super) async fn hide_remarks<'a>(
    app: &App,
    on: OnAccount,
    remarks: impl Iterator<Item = (Actor, &'a mut Option<String>)> + Send,
) -> Result<(), Problem> {
    if on.is_operator() {
        return Ok(());
    }
    let mut own = None;
    for (by, remark) in remarks.filter(|(_, remark)| remark.is_some()) {
        let keys = match own.take() {
            Some(keys) => keys,
            None => on.store(app).keys().await?,
        };
        if !keys.iter().any(|key| by == Actor::Key(key.id)) {
            *remark = None;
        }
        own = Some(keys);
    }
    Ok(())
}
