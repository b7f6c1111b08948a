//! Item: one thing that a provider told us, read from its webhook, in one vocabulary for all providers.
//!
//! The players: [`Batch`] (what one webhook said), [`Item`] (one thing of it), [`Body`] (what kind of thing), [`Line`] (which of our
//! numbers it is about), [`Addresses`] (which person). Items are plain data that can be stored as JSON. What a person said is [`Words`],
//! whose `Debug` shows only a length.

mod account;
mod message;
mod raw;
mod status;
mod told;

use std::collections::BTreeMap;

use gatepost::{Addresses, Timestamp, Words};
use serde::Serialize;

pub use account::{AccountEffect, AccountUpdate, ConnectionUpdate, Limit, LinkCode, Notice, Stopped, TemplateChange, TemplateUpdate};
pub use message::{Card, IdentityChange, Inbound, MediaFile, Preference, Profile, Quoted, Said, SaidMedia};
pub use raw::RawJson;
pub use status::StatusUpdate;

use crate::errors::ProviderError;

/// What one webhook said, in its order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Batch {
    /// One by one. What could not be read is among them.
    pub items: Vec<Item>,
}

impl Batch {
    /// How many items of each kind there are.
    pub fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        self.items.iter().for_each(|item| *counts.entry(item.kind.as_str()).or_default() += 1);
        counts
    }

    /// The items that a person must look at, because they could not be read.
    pub fn malformed(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.is_malformed())
    }
}

/// One thing that a provider told us.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// What kind of thing, in the provider's words, for example `message.text` or `status.read`.
    pub kind: String,
    /// The same each time the provider tells it, and different from all others: for at least eight days, a key that was seen means that
    /// there is nothing to do.
    pub key: String,
    /// When it happened, by the provider's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Which of our numbers it is about.
    pub line: Line,
    /// Which person it is about: all addresses that the provider gave.
    #[serde(skip_serializing_if = "Addresses::is_empty")]
    pub people: Addresses,
    /// Where it was said.
    pub chat: Chat,
    /// Whether it was said from our own number: by an employee with the phone, or by us.
    pub is_echo: bool,
    /// What it says.
    pub body: Body,
    /// The item as the provider wrote it, with all that is not read here; none where it holds a secret.
    #[serde(skip)]
    pub raw: Option<RawJson>,
}

impl Item {
    /// Whether a person said it to us, and to us alone: then it counts as an inbound message, and what it says is to be heeded.
    pub fn is_inbound(&self) -> bool {
        let says_something = self.said().is_some_and(|said| !matches!(said, Said::Revoke { .. }));
        says_something && self.chat == Chat::Direct && !self.is_echo
    }

    /// Whether it opens the conversation window. To correct what was said before is to say something, but nobody promises that it counts.
    pub fn opens_window(&self) -> bool {
        self.is_inbound() && !matches!(self.said(), Some(Said::Edit { .. }))
    }

    const fn said(&self) -> Option<&Said> {
        match &self.body {
            Body::Message(inbound) => Some(&inbound.said),
            _ => None,
        }
    }

    /// Whether it could not be read, so that a person must look at it.
    pub const fn is_malformed(&self) -> bool {
        matches!(self.body, Body::Malformed { .. })
    }
}

/// Which of our numbers an item is about, as the provider names it. Whoever receives compares it with the instance whose URL was called.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "provider")]
pub enum Line {
    /// Meta's Cloud API.
    CloudApi {
        /// The WhatsApp Business Account.
        account: String,
        /// The id of the phone number, where the item is about one number.
        #[serde(skip_serializing_if = "Option::is_none")]
        number: Option<String>,
    },
    /// Evolution API.
    Evolution {
        /// The name that the instance has there.
        instance: String,
    },
    /// It could not be read.
    #[default]
    Unknown,
}

/// Where something was said.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "in")]
pub enum Chat {
    /// Between one person and us, or nowhere in particular.
    #[default]
    Direct,
    /// In a group.
    Group {
        /// The provider's id of the group; old ones begin with the number of whoever made it.
        id: Words,
    },
    /// To many at once, for example as a story.
    Broadcast,
    /// In a channel that anybody may follow.
    Newsletter,
}

/// What kind of thing a provider told us.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Body {
    /// Somebody said something.
    Message(Inbound),
    /// A message of ours got further, or failed.
    Status(StatusUpdate),
    /// A person asked WhatsApp for no more marketing messages from us, or for them again.
    Preference(Preference),
    /// A person's number or user id changed.
    Identity(IdentityChange),
    /// What a person is called.
    Profile(Profile),
    /// What our business account may do changed.
    Account(AccountUpdate),
    /// A template changed.
    Template(TemplateUpdate),
    /// Another fact about our account or number.
    Notice(Notice),
    /// The link between our number and Evolution API changed.
    Connection(ConnectionUpdate),
    /// Errors that belong to no message.
    Errors {
        /// Which.
        errors: Vec<ProviderError>,
    },
    /// Something that is not known here. It is kept and counted.
    Unknown,
    /// Something that cannot be what it says it is. It is kept for a person to look at.
    Malformed {
        /// What was expected.
        why: &'static str,
    },
}
