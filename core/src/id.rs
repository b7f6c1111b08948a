//! Ids: 128 bits made by the host, with a prefix that says what they name.
//!
//! The bits are a UUIDv7 (RFC 9562): 48 bits of time, then randomness, so that rows written together lie together. The text is
//! a TypeID: the prefix, an underscore, and 26 characters of Crockford's base 32 in lower case.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Host, Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LENGTH: usize = 26;

/// The text is not an id of the kind asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected an id that starts with `{prefix}_`")]
pub struct InvalidId {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(u128);

        impl $name {
            /// A new id: ordered by `now`, otherwise random.
            pub fn new(now: Timestamp, host: &dyn Host) -> Self {
                Self(uuid_v7(now, host))
            }

            /// The id with these sixteen bytes, as a store keeps it.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }

            /// Sixteen bytes whose order is the order of the ids.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = encode(self.0);
                write!(f, "{}_{}", $prefix, core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let digits = text.strip_prefix($prefix).and_then(|rest| rest.strip_prefix('_'));
                digits.and_then(decode).map(Self).ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                alloc::string::String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// Names an [`Account`](crate::Account).
    AccountId = "acc";
    /// Names a [`Contact`](crate::Contact).
    ContactId = "con";
    /// Names a [`Delivery`](crate::Delivery).
    DeliveryId = "dlv";
    /// Names an [`Endpoint`](crate::Endpoint).
    EndpointId = "ep";
    /// Names an [`Event`](crate::Event).
    EventId = "evt";
    /// Names an [`Inbound`](crate::Inbound).
    InboundId = "inb";
    /// Names an [`Instance`](crate::Instance).
    InstanceId = "inst";
    /// Names a [`Message`](crate::Message).
    MessageId = "msg";
    /// Names a [`Notification`](crate::Notification).
    NotificationId = "ntf";
    /// Names a [`Recovery`](crate::Recovery).
    RecoveryId = "rcv";
    /// Names a [`Suppression`](crate::Suppression).
    SuppressionId = "sup";
}

impl EventId {
    /// The id of the event that `cause` has at `now`: the same causes always give the same id, so that a store needs no randomness.
    /// `step` tells the events of one cause apart.
    pub fn of(cause: [u8; 16], step: u32, now: Timestamp) -> Self {
        Self(layout(now, mixed(u128::from_be_bytes(cause), u128::from(step))))
    }
}

impl InboundId {
    /// The id of the `nth` thing of a notification that came at `now`: ids of one notification are in its order.
    pub fn nth(notification: NotificationId, nth: usize, now: Timestamp) -> Self {
        // The bits of a UUIDv7 that are free: twelve behind the version, then those behind the variant.
        let (high, low) = ((nth as u128 >> 8) & 0xfff, nth as u128 & 0xff);
        let random = mixed(notification.0, nth as u128) & ((1 << 54) - 1);
        Self(layout(now, (high << 64) | (low << 54) | random))
    }
}

impl ContactId {
    /// The id of the contact that `cause` is about, where nobody chose one; the same each time.
    pub fn of(cause: [u8; 16], now: Timestamp) -> Self {
        Self(layout(now, mixed(u128::from_be_bytes(cause), 5)))
    }
}

impl MessageId {
    /// The id of the message that `cause` leads to at `now`; the same each time.
    pub fn of(cause: InboundId, now: Timestamp) -> Self {
        Self(layout(now, mixed(cause.0, 1)))
    }
}

impl SuppressionId {
    /// The id of the suppression that `cause` leads to at `now`; the same each time.
    pub fn of(cause: [u8; 16], now: Timestamp) -> Self {
        Self(layout(now, mixed(u128::from_be_bytes(cause), 2)))
    }
}

impl DeliveryId {
    /// The id of the delivery of `message`, where nobody chose one.
    pub fn of_message(message: MessageId, now: Timestamp) -> Self {
        Self(layout(now, mixed(message.0, 3)))
    }

    /// The id under which `inbound` waits to be heeded.
    pub fn of_inbound(inbound: InboundId, now: Timestamp) -> Self {
        Self(layout(now, mixed(inbound.0, 4)))
    }

    /// The id of the delivery that takes `event` to `endpoint`. `round` tells repetitions apart that somebody asked for.
    pub fn of(event: EventId, endpoint: EndpointId, round: u128, now: Timestamp) -> Self {
        Self(layout(now, mixed(mixed(event.0, endpoint.0), round)))
    }
}

/// Spreads what tells two causes apart over all bits.
fn mixed(left: u128, right: u128) -> u128 {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let folded = (left ^ right.wrapping_mul(ODD).rotate_left(61)).wrapping_mul(ODD);
    (folded ^ (folded >> 59)).wrapping_mul(ODD) ^ (folded >> 83)
}

fn uuid_v7(now: Timestamp, host: &dyn Host) -> u128 {
    let mut random = [0; 16];
    host.fill(&mut random);
    layout(now, u128::from_be_bytes(random))
}

/// A UUIDv7 of this time and the low bits of `random`.
fn layout(now: Timestamp, random: u128) -> u128 {
    let time = u128::from(now.as_millis().max(0).unsigned_abs()) << 80;
    let random = random & ((1 << 80) - 1);
    let version_and_variant_cleared = (time | random) & !(0xf << 76) & !(0b11 << 62);
    version_and_variant_cleared | (7 << 76) | (0b10 << 62)
}

fn encode(bits: u128) -> [u8; TEXT_LENGTH] {
    core::array::from_fn(|place| {
        let digit = (bits >> (5 * (TEXT_LENGTH - 1 - place))) & 31;
        ALPHABET.get(digit as usize).copied().unwrap_or(b'0')
    })
}

fn decode(text: &str) -> Option<u128> {
    let digits = text.as_bytes();
    // 26 digits hold 130 bits; the first one may use three of its five.
    if digits.len() != TEXT_LENGTH || digits.first().is_none_or(|first| *first > b'7') {
        return None;
    }
    digits.iter().try_fold(0, |bits: u128, digit| {
        let value = ALPHABET.iter().position(|known| known == digit)?;
        Some((bits << 5) | value as u128)
    })
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        for bits in [0, 1, u128::MAX, 0x0193_5a1c_7e00_7abc_8def_0123_4567_89ab] {
            let id = MessageId(bits);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused_by_name() {
        let account = AccountId(7).to_string();
        let refusal = account.parse::<MessageId>().map_err(|error| error.to_string());
        assert_eq!(refusal, Err("expected an id that starts with `msg_`".to_string()));
    }

    #[test]
    fn what_a_notification_tells_is_in_its_order() {
        let (notification, now) = (NotificationId(7), Timestamp::from_millis(1_795_348_800_000));
        let ids: alloc::vec::Vec<InboundId> = (0..5_000).map(|nth| InboundId::nth(notification, nth, now)).collect();
        assert!(ids.is_sorted_by(|before, after| before < after));
    }

    #[test]
    fn more_than_128_bits_are_refused() {
        assert!("msg_80000000000000000000000000".parse::<MessageId>().is_err());
    }
}
