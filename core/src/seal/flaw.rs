//! Flaws: what an audit finds wrong, by name and place.

use core::fmt;

use serde::Serialize;

/// One thing that does not fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Flaw {
    /// What.
    pub kind: FlawKind,
    /// In which segment; none where it is behind the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<u64>,
    /// At which place of the log, of a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// How many in a row, from that place or that segment on.
    pub count: u64,
}

/// What does not fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlawKind {
    /// The account that a head names is not there.
    AccountMissing,
    /// The log's counter is behind its rows or its seals.
    CounterBehind,
    /// The seal that a head names is another one.
    HeadChanged,
    /// The chain ends before the seal that a head names.
    HeadMissing,
    /// The keyring lacks the root that the seal was made with.
    RootUnknown,
    /// The row is not what was sealed.
    RowChanged,
    /// The row was not there when its place was sealed, or stands where the log has not come.
    RowInserted,
    /// The row is not there.
    RowMissing,
    /// The row was sealed at another place of its segment.
    RowMoved,
    /// The seal is not one that the keyring made, or cannot be read.
    SealChanged,
    /// The seal is not there.
    SealMissing,
    /// The seal is genuine, and does not follow the one before.
    SealUnchained,
}

impl Flaw {
    pub(super) const fn of_row(kind: FlawKind, segment: Option<u64>, seq: u64) -> Self {
        Self { kind, segment, seq: Some(seq), count: 1 }
    }

    pub(super) const fn of_seal(kind: FlawKind, segment: u64) -> Self {
        Self { kind, segment: Some(segment), seq: None, count: 1 }
    }

    /// What is wrong with an account of which a head is kept and that is gone.
    pub const fn account_missing() -> Self {
        Self { kind: FlawKind::AccountMissing, segment: None, seq: None, count: 1 }
    }

    /// Takes `next` in where it is of the same kind and the place behind this; whether it did.
    pub(super) fn extend(&mut self, next: &Self) -> bool {
        let follows = self.seq.is_some_and(|seq| seq.checked_add(self.count) == next.seq);
        let is_same = self.kind == next.kind && self.segment == next.segment && follows;
        if is_same {
            self.count = self.count.saturating_add(next.count);
        }
        is_same
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.seq, self.segment) {
            (Some(first), _) if self.count > 1 => write!(f, "rows {first} to {}", first.saturating_add(self.count - 1))?,
            (Some(seq), _) => write!(f, "row {seq}")?,
            (None, Some(first)) if self.count > 1 => write!(f, "seals {first} to {}", first.saturating_add(self.count - 1))?,
            (None, Some(number)) => write!(f, "seal {number}")?,
            (None, None) => write!(f, "the account")?,
        }
        write!(f, ": {}", self.kind.text())?;
        match self.segment.filter(|_| self.seq.is_some()) {
            Some(segment) => write!(f, " (segment {segment})"),
            None => Ok(()),
        }
    }
}

impl FlawKind {
    /// The finding for people, in English.
    pub const fn text(self) -> &'static str {
        match self {
            Self::AccountMissing => "missing, and a head of it was kept",
            Self::CounterBehind => "behind this, the log's counter ends before its rows or its seals",
            Self::HeadChanged => "not the one that the kept head names",
            Self::HeadMissing => "missing, and the kept head names it: the end was cut",
            Self::RootUnknown => "made with a root that the keyring lacks",
            Self::RowChanged => "changed since it was sealed",
            Self::RowInserted => "inserted",
            Self::RowMissing => "missing",
            Self::RowMoved => "moved here from another place of the segment",
            Self::SealChanged => "changed, or not made with this keyring",
            Self::SealMissing => "missing",
            Self::SealUnchained => "does not follow the seal before",
        }
    }
}
