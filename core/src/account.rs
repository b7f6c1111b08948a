//! Account: whose data this is, what it may send, and whether it may send at all.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Breach, KeyId, Plan, Sender, Timestamp, Zone};

/// A customer of the gateway.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What people call it.
    pub name: Name,
    /// What it may send.
    pub plan: Plan,
    /// Its calendar.
    pub calendar: Calendar,
    /// Set while nothing of it goes out until resumed.
    pub pause: Option<Pause>,
    /// Set while the operator closed it.
    pub suspended_at: Option<Timestamp>,
    /// Whether a one-time code may reach a recipient who opted out; the operator can withdraw it.
    pub one_time_codes_pass: bool,
    /// Whether a person must release each of its messages.
    pub supervised: bool,
    /// Whether two people must release a message that is held.
    pub two_person_review: bool,
    /// Whether a contact who opts out gets the one confirmation of it.
    pub confirms_opt_out: bool,
    /// Whether its phone systems may be connected: the module "3CX".
    pub threecx_enabled: bool,
    /// The names that it sends under, which the operator vouches for.
    pub sender: Sender,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Account {
    /// An account in good standing, with days and months in UTC.
    pub fn new(id: AccountId, name: Name, plan: Plan, now: Timestamp) -> Self {
        Self {
            id,
            name,
            plan,
            calendar: Calendar::new(Zone::utc()),
            pause: None,
            suspended_at: None,
            one_time_codes_pass: true,
            supervised: false,
            two_person_review: false,
            confirms_opt_out: true,
            threecx_enabled: false,
            sender: Sender::default(),
            created_at: now,
        }
    }
}

/// The time zone of an account's days and months, and the one that follows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Calendar {
    /// The zone in force.
    pub zone: Zone,
    /// The zone that takes over, and from when: a change counts from the next month.
    pub next: Option<(Zone, Timestamp)>,
}

impl Calendar {
    /// A calendar in `zone`.
    pub const fn new(zone: Zone) -> Self {
        Self { zone, next: None }
    }

    /// The zone that counts at `now`.
    pub fn zone_at(&self, now: Timestamp) -> &Zone {
        match &self.next {
            Some((zone, from)) if *from <= now => zone,
            _ => &self.zone,
        }
    }

    /// The calendar after somebody asked at `now` for `zone`: it takes over when the present month ends.
    pub fn change(&self, zone: Zone, now: Timestamp) -> Self {
        let present = self.zone_at(now).clone();
        if present == zone {
            return Self::new(present);
        }
        let from = crate::Windows::at(now, &present).month.ends_at;
        Self { zone: present, next: Some((zone, from)) }
    }
}

/// What people call an account, an instance or a key: 1 to 100 characters without control characters.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let name = text.trim();
        let length = name.chars().count();
        if !(1..=100).contains(&length) || name.chars().any(char::is_control) { Err(InvalidName) } else { Ok(Self(name.to_string())) }
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text cannot be a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected 1 to 100 characters without control characters")]
pub struct InvalidName;

/// Nothing goes out until somebody resumes it: no pause lifts itself, whatever caused it. Inbound messages and opt-outs go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// Who paused it.
    pub by: Actor,
    /// What for.
    pub cause: PauseCause,
    /// Why, for people.
    pub note: Option<String>,
}

impl Pause {
    /// A pause by somebody.
    pub const fn by(by: Actor, note: Option<String>, since: Timestamp) -> Self {
        Self { since, by, cause: PauseCause::Manual, note }
    }

    /// The gateway's own pause of an account that reached a rate.
    pub fn by_rate(breach: Breach, since: Timestamp) -> Self {
        Self { since, by: Actor::Gateway, cause: PauseCause::Rate(breach), note: Some(breach.to_string()) }
    }
}

/// What a pause is for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// Somebody wanted it.
    #[default]
    Manual,
    /// The account reached a rate that pauses.
    Rate(Breach),
}

impl PauseCause {
    /// The word used in answers and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Rate(_) => "rate",
        }
    }

    /// The rate that was reached, where it was one.
    pub const fn breach(self) -> Option<Breach> {
        match self {
            Self::Manual => None,
            Self::Rate(breach) => Some(breach),
        }
    }
}

/// Who did something that is worth a record.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The app that embeds the gateway, or a person at its command line.
    App,
    /// The gateway itself, by a rule.
    Gateway,
    /// A caller with this API key or operator key.
    Key(KeyId),
    /// The recipient.
    Recipient,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App => f.write_str("app"),
            Self::Gateway => f.write_str("gateway"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Recipient => f.write_str("recipient"),
        }
    }
}

impl FromStr for Actor {
    type Err = InvalidActor;

    fn from_str(text: &str) -> Result<Self, InvalidActor> {
        match text {
            "app" => Ok(Self::App),
            "gateway" => Ok(Self::Gateway),
            "recipient" => Ok(Self::Recipient),
            _ => text.strip_prefix("key:").and_then(|id| id.parse().ok()).map(Self::Key).ok_or(InvalidActor),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = InvalidActor;

    fn try_from(text: String) -> Result<Self, InvalidActor> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

/// The text names no actor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `app`, `gateway`, `recipient` or `key:` and a key id")]
pub struct InvalidActor;

/// Whether a message is real.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It goes to the instance's provider.
    #[default]
    Live,
    /// It goes to the sandbox: the same guard, its own usage, nobody is written to.
    Test,
}

impl Mode {
    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}
