//! The machine behind [`Host`]: its clock and its randomness.
//!
//! ```
//! use gatepost::Host;
//! use gatepost_system::System;
//!
//! assert!(System.now() > "2026-01-01T00:00:00Z".parse()?);
//! # Ok::<(), gatepost::InvalidTimestamp>(())
//! ```

use std::time::{SystemTime, UNIX_EPOCH};

use gatepost::{Host, Timestamp};
use rand::Rng as _;

/// The machine that the program runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Host for System {
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::default().plus(since_1970)
    }

    /// From a generator in this thread (ChaCha), which the operating system seeds and reseeds.
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
