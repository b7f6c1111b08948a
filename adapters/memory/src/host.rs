//! Test host: a clock that is set and advanced by hand, and randomness that repeats from a seed.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use gatepost::{Host, Timestamp};

/// The step and the two mixers of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const MIXERS: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// A host for tests and examples. Its randomness can be guessed: it must never make a key that counts.
///
/// ```
/// use std::time::Duration;
///
/// use gatepost::Host;
/// use gatepost_memory::TestHost;
///
/// let host = TestHost::new(7);
/// assert_eq!(host.now().to_string(), "2026-11-22T12:00:00Z");
/// host.advance(Duration::from_secs(60));
/// assert_eq!(host.now().to_string(), "2026-11-22T12:01:00Z");
/// ```
#[derive(Debug)]
pub struct TestHost {
    millis: AtomicI64,
    random: AtomicU64,
}

impl TestHost {
    /// Where the clock stands at first: noon of 22 November 2026.
    pub const START: Timestamp = Timestamp::from_millis(1_795_348_800_000);

    /// A host whose randomness is that of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { millis: AtomicI64::new(Self::START.as_millis()), random: AtomicU64::new(seed) }
    }

    /// Sets the clock, forward or back.
    pub fn at(&self, now: Timestamp) {
        self.millis.store(now.as_millis(), Ordering::Release);
    }

    /// Sets the clock forward.
    pub fn advance(&self, span: Duration) {
        let later = |millis| Some(Timestamp::from_millis(millis).plus(span).as_millis());
        // The closure always answers, so this cannot fail.
        let _ = self.millis.fetch_update(Ordering::AcqRel, Ordering::Acquire, later);
    }

    fn next_random(&self) -> u64 {
        mix(self.random.fetch_add(STEP, Ordering::AcqRel).wrapping_add(STEP))
    }
}

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::Acquire))
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next_random().to_le_bytes();
            chunk.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
        }
    }
}

/// The last step of splitmix64: each bit of the answer depends on every bit of `bits`.
pub(crate) const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(MIXERS[0]);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(MIXERS[1]);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(host: &TestHost) -> [u8; 20] {
        let mut bytes = [0; 20];
        host.fill(&mut bytes);
        bytes
    }

    #[test]
    fn the_clock_moves_only_by_hand() {
        let host = TestHost::new(1);
        assert_eq!(host.now(), TestHost::START);
        host.advance(Duration::from_millis(1_500));
        assert_eq!(host.now().since(TestHost::START), Duration::from_millis(1_500));
        host.at(Timestamp::from_millis(9));
        assert_eq!(host.now(), Timestamp::from_millis(9));
    }

    #[test]
    fn the_end_of_time_stops_the_clock() {
        let host = TestHost::new(1);
        host.advance(Duration::MAX);
        assert_eq!(host.now(), Timestamp::MAX);
    }

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let (host, twin, other) = (TestHost::new(7), TestHost::new(7), TestHost::new(8));
        let first = random(&host);
        assert_eq!(first, random(&twin));
        assert_ne!(first, random(&other));
        assert_ne!(first, random(&host));
    }

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let host = TestHost::new(1_234_567);
        assert_eq!([host.next_random(), host.next_random()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }
}
