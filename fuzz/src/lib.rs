//! Fuzz: functions that take any bytes and panic when a promise is broken.
//!
//! The fuzzer calls them with what it thinks of; `core/tests/corpus.rs` includes this file, and calls them with the corpora on a stable
//! compiler.

mod api_key;
mod bytes;
mod decide;
mod delivery;
mod destination;
mod examine;
mod recipient;
mod signature;

pub use api_key::api_key;
pub use decide::decide;
pub use delivery::delivery;
pub use destination::destination;
pub use examine::examine;
pub use recipient::recipient;
pub use signature::signature;
