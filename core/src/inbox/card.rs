//! Card: what an account knows of a person.

use super::Words;
use crate::{Addresses, ContactId};

/// What an account knows of a contact. Its `Debug` shows neither name nor number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContactCard {
    /// Which contact.
    pub id: ContactId,
    /// What they called themself last.
    pub name: Option<Words>,
    /// All their addresses.
    pub addresses: Addresses,
}
