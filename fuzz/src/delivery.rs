//! Delivery: whatever happens to it in whatever order, its promises hold.

#[path = "../../core/tests/watch/mod.rs"]
mod watch;

use core::time::Duration;

use gatepost::{Delivery, ErrorClass, Input, Outcome, Purpose, Skip, Stale, Step, Timestamp, expiry};
use watch::Watch;

use super::bytes::Bytes;

/// The bytes are things that happen, one after another.
pub fn delivery(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let mut now = Timestamp::from_millis(1_795_348_800_000);
    let expires_at = expiry(bytes.one_of(&[Purpose::Support, Purpose::Authentication]), now);
    let beginnings = [Delivery::waiting(now, expires_at), Delivery::started(now, expires_at), Delivery::of_event(now)];
    let mut delivery = bytes.one_of(&beginnings);
    let mut watch = Watch::new(&delivery);
    while !bytes.is_empty() {
        now = now.plus(Duration::from_secs(bytes.one_of(&[0, 1, 10, 60, 1_000, 30_000, 80_000, 1_000_000])));
        match happen(&mut bytes, &mut watch, delivery, now) {
            Ok(Step::GoesOn(next)) => delivery = next,
            Ok(Step::Ends(_)) => return,
            Err(Stale) => {}
        }
    }
}

/// One thing that happens, and what follows.
fn happen(bytes: &mut Bytes<'_>, watch: &mut Watch, delivery: Delivery, now: Timestamp) -> Result<Step, Stale> {
    let fence = delivery.fence.wrapping_sub(bytes.one_of(&[0, 0, 0, 1, 2, u32::MAX]));
    let lease_until = now.plus(Duration::from_secs(u64::from(bytes.byte())));
    let input = match bytes.byte() % 9 {
        0 => Input::Claim { lease_until },
        1 => Input::Start { fence, lease_until },
        2 => Input::Finish { fence, outcome: outcome(bytes), jitter: bytes.number() },
        3 => Input::Tick,
        4 => Input::Release { fence, due: lease_until },
        5 => Input::Withdraw,
        6 => Input::Resolve { sent: bytes.flag() },
        7 => Input::Skip(bytes.one_of(&Skip::ALL)),
        _ => return watch.take(delivery, lease_until, now),
    };
    watch.step(delivery, &input, now)
}

fn outcome(bytes: &mut Bytes<'_>) -> Outcome {
    let class = bytes.one_of(&[
        ErrorClass::Unreachable,
        ErrorClass::Throttled,
        ErrorClass::Timeout,
        ErrorClass::Refused,
        ErrorClass::ErrorStatus,
        ErrorClass::Gone,
        ErrorClass::Interrupted,
        ErrorClass::Aborted,
        ErrorClass::Tls,
        ErrorClass::Broken,
    ]);
    let asked = Duration::from_secs(u64::from(bytes.number()));
    match bytes.byte() % 5 {
        0 | 1 => Outcome::Failed { class, retry_after: bytes.flag().then_some(asked) },
        2 => Outcome::Unknown { class },
        3 => Outcome::Sent { external_id: Some(String::from("x")) },
        _ => Outcome::Blocked { class: ErrorClass::Forbidden },
    }
}
