//! CRM: the gateway as the address book and the diary of a phone system.
//!
//! An administrator uploads our template ([`template()`]) to 3CX. By it 3CX asks who calls ([`Searched`], [`LookupAnswer`]), and reports each
//! call and each chat once it is over ([`CallReport`], [`ChatReport`]). Nothing is signed and nothing has an id: 3CX shows a key in the
//! header [`KEY_HEADER`], and a report that comes again is known by its own key ([`CallReport::key`]).

mod call;
mod chat;
mod lookup;
mod report;
mod template;

pub use call::{CallReport, CallType};
pub use chat::ChatReport;
pub use lookup::{LookupAnswer, LookupContact, Searched};
pub use report::InvalidReport;
pub use template::{KEY_HEADER, template};
