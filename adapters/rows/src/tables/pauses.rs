//! Pauses, as they stand in a column of their own.

use gatepost::{Pause, PauseCause, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cells::{BadRow, Cell, Reader};

/// A pause as it stands in its column.
#[derive(Deserialize, Serialize)]
struct PauseColumn {
    since: Timestamp,
    by: String,
    #[serde(default)]
    cause: PauseCause,
    note: Option<String>,
}

pub(super) fn cell(pause: Option<&Pause>) -> Cell {
    let column =
        pause.map(|pause| PauseColumn { since: pause.since, by: pause.by.to_string(), cause: pause.cause, note: pause.note.clone() });
    Cell::json_or_null(column.as_ref())
}

pub(super) fn read(row: &mut Reader<'_>) -> Result<Option<Pause>, BadRow> {
    let Some(PauseColumn { since, by, cause, note }) = row.json_or_none()? else { return Ok(None) };
    Ok(Some(Pause { since, by: by.parse().map_err(|_| row.bad("nobody pauses so"))?, cause, note }))
}
