//! Recipient: the addresses of a person, each parsed once, and the contact they belong to.
//!
//! An [`Address`] exists only if its text was well formed. Its `Debug` shows no more than a log may keep; the full form is asked for by
//! name ([`Phone::e164`], [`Address::text`]).

mod address;
mod phone;
mod user_id;

pub use address::{Address, Addresses, InvalidAddress};
pub use phone::{InvalidPhone, Phone};
pub use user_id::{InvalidLid, InvalidUserId, Lid, UserId};

use crate::{Cause, ContactId, Timestamp};

/// A person an account writes to: a set of addresses, and what is known of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// The strictest suppression in force, and since when.
    pub suppressed: Option<(Cause, Timestamp)>,
}
