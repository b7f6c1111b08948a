//! Filter: which events an endpoint listens to.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::EventName;

/// The most patterns of a filter.
const PATTERNS_MAX: usize = 64;

/// Patterns of event names: exact ones, `prefix.*`, or `*`.
///
/// ```
/// use gatepost::{EventFilter, EventName};
///
/// let filter = EventFilter::new(["message.status_updated", "recipient.*"])?;
/// assert_eq!(filter.name_for(EventName::MessageSent), Some(EventName::MessageStatusUpdated));
/// assert_eq!(filter.name_for(EventName::RecipientOptedOut), Some(EventName::RecipientOptedOut));
/// assert_eq!(filter.name_for(EventName::MessageReceived), None);
/// # Ok::<(), gatepost::InvalidEventFilter>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct EventFilter {
    patterns: Vec<String>,
    /// The bits of the events that a pattern matches by name.
    matched: u32,
}

impl EventFilter {
    /// A filter of these patterns; each must match an event there is.
    pub fn new<T: Into<String>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, InvalidEventFilter> {
        let patterns: Vec<String> = patterns.into_iter().map(Into::into).collect();
        if patterns.is_empty() || patterns.len() > PATTERNS_MAX {
            return Err(InvalidEventFilter::Count);
        }
        let mut matched = 0;
        for pattern in &patterns {
            match bits(pattern) {
                0 => return Err(InvalidEventFilter::Pattern(pattern.chars().take(64).collect())),
                bits => matched |= bits,
            }
        }
        Ok(Self { patterns, matched })
    }

    /// The patterns as they were given.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether an operational event passes.
    pub fn has_operational(&self) -> bool {
        EventName::ALL.iter().any(|name| name.is_operational() && self.name_for(*name).is_some())
    }

    /// The name under which the event passes; none where it does not.
    pub const fn name_for(&self, event: EventName) -> Option<EventName> {
        if self.matched & event.bit() != 0 {
            Some(event)
        } else if event.is_status_change() && self.matched & EventName::MessageStatusUpdated.bit() != 0 {
            Some(EventName::MessageStatusUpdated)
        } else {
            None
        }
    }
}

/// The events that a pattern matches.
fn bits(pattern: &str) -> u32 {
    let prefix = match pattern {
        "*" => Some(""),
        _ => pattern.strip_suffix('*').filter(|prefix| prefix.ends_with('.')),
    };
    let is_meant = |name: &&EventName| prefix.map_or(name.as_str() == pattern, |prefix| name.as_str().starts_with(prefix));
    EventName::ALL.iter().filter(is_meant).fold(0, |bits, name| bits | name.bit())
}

impl TryFrom<Vec<String>> for EventFilter {
    type Error = InvalidEventFilter;

    fn try_from(patterns: Vec<String>) -> Result<Self, InvalidEventFilter> {
        Self::new(patterns)
    }
}

impl From<EventFilter> for Vec<String> {
    fn from(filter: EventFilter) -> Self {
        filter.patterns
    }
}

/// The patterns make no filter.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidEventFilter {
    /// There are none, or too many.
    #[error("expected 1 to 64 event names")]
    Count,
    /// A pattern matches no event.
    #[error("`{0}` matches no event; expected an event's name, `prefix.*` or `*`")]
    Pattern(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(patterns: &[&str], event: EventName, expected: Option<EventName>) {
        assert_eq!(EventFilter::new(patterns.iter().copied()).map(|filter| filter.name_for(event)), Ok(expected));
    }

    #[test]
    fn a_status_change_comes_once_and_under_its_own_name_where_that_is_listed() {
        check(&["*"], EventName::MessageSent, Some(EventName::MessageSent));
        check(&["message.*"], EventName::MessageSent, Some(EventName::MessageSent));
        check(&["message.status_updated", "message.sent"], EventName::MessageSent, Some(EventName::MessageSent));
        check(&["message.status_updated", "message.sent"], EventName::MessageRead, Some(EventName::MessageStatusUpdated));
        check(&["message.status_updated"], EventName::MessageBlocked, None);
        check(&["recipient.*"], EventName::MessageSent, None);
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_refused_by_name() {
        for pattern in ["message.snet", "message*", "mess.*", "", "**", "*.sent", "."] {
            assert_eq!(EventFilter::new([pattern]), Err(InvalidEventFilter::Pattern(pattern.into())));
        }
        assert_eq!(EventFilter::new::<&str>([]), Err(InvalidEventFilter::Count));
    }
}
