//! Host: the clock and the randomness, handed in.

use crate::Timestamp;

/// What the core asks of the machine it runs on.
///
/// `gatepost-system` has the real one; tests and the simulator drive their own, so that a run can be repeated from a seed.
pub trait Host: Send + Sync {
    /// The present time. Hosts that share a store keep their clocks within a second of each other.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` with randomness that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}
