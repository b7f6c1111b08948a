//! Words: the core's words and times as requests and answers write them, with their schemas.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use gatepost::{
    Cause, Connection, DeliveryStatus, Direction, Effect, EntryOutcome, ErrorClass, EventName, Group, Hindrance, InboundClass, KeyState,
    MessageStatus, Mode, Provider, Purpose, ReviewState, RuleId, Scope, Timestamp, VerdictWord,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! words {
    ($($(#[doc = $doc:literal])* $name:ident as $schema:literal = $core:ty, [$($word:literal),* $(,)?];)*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
        #[serde(transparent)]
        pub(super) struct $name(pub(super) $core);

        impl $name {
            const WORDS: &[&str] = &[$($word),*];
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let description = [$($doc),*].concat();
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(description.trim()))
                    .enum_values(Some(Self::WORDS.iter().copied()))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($schema)
            }
        }
    )*};
}

words! {
    /// What put a contact on the list of suppressions.
    CauseWord as "Cause" = Cause,
        ["user_preference", "natural_language", "keyword", "number_reassigned", "manual", "complaint", "legal"];
    /// Whether the provider has the number connected; only `open` sends.
    ConnectionWord as "Connection" = Connection, ["open", "connecting", "closed"];
    /// Which way something went: the phone system said it (`in`), or was told it (`out`).
    DirectionWord as "Direction" = Direction, ["in", "out"];
    /// What a reason asks for, from the mildest to the strictest.
    EffectWord as "Effect" = Effect, ["note", "risk", "hold", "throttle", "block"];
    /// Why a message, a delivery or an attempt did not succeed.
    ErrorWord as "ErrorClass" = ErrorClass,
        [
            "refused", "unreachable", "throttled", "timeout", "interrupted", "suppressed", "no_transport", "expired", "error_status",
            "gone", "aborted", "forbidden", "tls", "broken", "undeliverable", "window_closed", "opted_out", "template_problem",
            "media_problem", "restricted", "misconfigured", "unsupported", "paced", "circuit_open",
        ];
    /// What holds a message: a person must release it, or its account or its instance is paused.
    HindranceWord as "Hindrance" = Hindrance, ["paused", "review"];
    /// Whether a key is in force.
    KeyStateWord as "KeyState" = KeyState, ["active", "expired", "revoked"];
    /// Whether messages are real: what is sent with a `test` key goes to the sandbox, through the same guard, on its own usage.
    ModeWord as "Mode" = Mode, ["live", "test"];
    /// Who carries the messages of an instance.
    ProviderWord as "Provider" = Provider, ["sandbox", "cloud_api", "evolution"];
    /// Why a message is sent.
    PurposeWord as "Purpose" = Purpose, ["transactional", "operational", "support", "internal_team", "authentication"];
    /// How far a message got.
    StatusWord as "MessageStatus" = MessageStatus,
        [
            "canceled", "delivered", "expired", "failed", "held", "queued", "read", "refused", "sending", "sent", "unknown",
        ];
}

/// Words of types that know how they are spelled.
macro_rules! spelled {
    ($($(#[doc = $doc:literal])* $name:ident as $schema:literal = $core:ty;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) struct $name(pub(super) $core);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word: Cow<'de, str> = Cow::deserialize(deserializer)?;
                word.parse().map(Self).map_err(de::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let description = [$($doc),*].concat();
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(description.trim()))
                    .enum_values(Some(<$core>::ALL.iter().map(|word| word.as_str())))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($schema)
            }
        }
    )*};
}

spelled! {
    /// What rules are about. The points of a group are added up as far as its cap; `state` adds nothing.
    GroupWord as "Group" = Group;
    /// The name of a rule. It never changes its meaning.
    RuleWord as "Rule" = RuleId;
    /// Whether a review waits for a person (`open`), or was closed.
    ReviewStateWord as "ReviewState" = ReviewState;
    /// How far the delivery of an event got.
    DeliveryStatusWord as "DeliveryStatus" = DeliveryStatus;
    /// What became of something that a phone system said or was told: it was written down, and nobody said yet what became of it (`received`),
    /// or nothing more was asked for (`logged`); it became no message, as the settings want it (`skipped`), or was `refused`; it became a
    /// message (`accepted`); or it is on its way to the phone system (`posted`).
    EntryOutcomeWord as "EntryOutcome" = EntryOutcome;
    /// What kinds of things providers tell: somebody wrote (`message`), a message of ours got further (`status`), somebody set the provider's
    /// own switch (`preference`) or has other addresses (`identity`), an instance was connected or not (`connection`), something else that
    /// is kept (`other`), and what could not be read (`quarantined`).
    InboundClassWord as "InboundClass" = InboundClass;
    /// What happened, by the name that receivers see.
    EventWord as "EventName" = EventName;
    /// One thing that a key may do.
    ScopeWord as "Scope" = Scope;
    /// What was decided about a message: it may go out (`allow`), a person must release it (`hold`), not now (`throttle`), or never (`block`).
    VerdictName as "Verdict" = VerdictWord;
}

/// A time as RFC 3339 writes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Time(pub(super) Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Cow<'de, str> = Cow::deserialize(deserializer)?;
        Timestamp::from_str(&text).map(Self).map_err(de::Error::custom)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A time as RFC 3339 writes it, in UTC."))
            .examples(["2026-11-22T12:00:00Z"])
            .into()
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Time")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: for<'a> Deserialize<'a>>(words: &[&str]) -> usize {
        words.iter().filter(|word| serde_json::from_value::<T>(serde_json::Value::from(**word)).is_ok()).count()
    }

    macro_rules! check {
        ($($name:ident: $all:expr),* $(,)?) => {$(
            assert_eq!((read::<$name>($name::WORDS), $name::WORDS.len()), ($all, $all), stringify!($name));
        )*};
    }

    #[test]
    fn every_word_that_is_documented_is_one_that_is_read() {
        check! {
            CauseWord: Cause::ALL.len(), ConnectionWord: 3, DirectionWord: 2, EffectWord: 5, ErrorWord: 24, KeyStateWord: 3, ModeWord: 2, ProviderWord: 3,
            PurposeWord: Purpose::ALL.len(), StatusWord: MessageStatus::ALL.len(),
        }
    }
}
