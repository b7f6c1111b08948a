//! Delivery: whatever happens in whatever order, no message is sent twice blindly, and no try is bought by a crash.

use core::time::Duration;

use gatepost::{Delivery, Ending, ErrorClass, Input, Lease, Outcome, Purpose, Schedule, Stale, State, Step, Timestamp, expiry};
use proptest::prelude::*;
use proptest::sample::select;

use crate::watch::Watch;
use crate::world::NOON;

const WAITS_SECONDS: [u32; 5] = [5, 30, 120, 600, 1_800];

/// Something that happens `after_millis` after what happened before.
#[derive(Clone, Debug)]
struct Happening {
    after_millis: i64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Claim { lease_millis: i64 },
    Start { fence_behind: u32, lease_millis: i64 },
    Release { fence_behind: u32 },
    Finish { fence_behind: u32, outcome: Outcome, jitter: u32 },
    Tick,
    Withdraw,
    Resolve { sent: bool },
}

impl What {
    fn input(&self, fence: u32, now: Timestamp) -> Input {
        let later = |millis: i64| Timestamp::from_millis(now.as_millis() + millis);
        match self {
            Self::Claim { lease_millis } => Input::Claim { lease_until: later(*lease_millis) },
            Self::Start { fence_behind, lease_millis } => {
                Input::Start { fence: fence.wrapping_sub(*fence_behind), lease_until: later(*lease_millis) }
            }
            Self::Release { fence_behind } => Input::Release { fence: fence.wrapping_sub(*fence_behind), due: now },
            Self::Finish { fence_behind, outcome, jitter } => {
                Input::Finish { fence: fence.wrapping_sub(*fence_behind), outcome: outcome.clone(), jitter: *jitter }
            }
            Self::Tick => Input::Tick,
            Self::Withdraw => Input::Withdraw,
            Self::Resolve { sent } => Input::Resolve { sent: *sent },
        }
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let class = || select(vec![ErrorClass::Unreachable, ErrorClass::Throttled, ErrorClass::Timeout, ErrorClass::Refused]);
    let retry_after = proptest::option::of((0..10_000u64).prop_map(Duration::from_secs));
    prop_oneof![
        1 => Just(Outcome::Sent { external_id: "wamid.1".to_owned() }),
        6 => (class(), retry_after).prop_map(|(class, retry_after)| Outcome::Failed { class, retry_after }),
        1 => class().prop_map(|class| Outcome::Unknown { class }),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let fence_behind = || prop_oneof![9 => Just(0u32), 1 => 1..4u32];
    let lease_millis = || 0..60_000i64;
    let what = prop_oneof![
        6 => lease_millis().prop_map(|lease_millis| What::Claim { lease_millis }),
        6 => (fence_behind(), lease_millis()).prop_map(|(fence_behind, lease_millis)| What::Start { fence_behind, lease_millis }),
        1 => fence_behind().prop_map(|fence_behind| What::Release { fence_behind }),
        6 => (fence_behind(), outcome(), any::<u32>())
            .prop_map(|(fence_behind, outcome, jitter)| What::Finish { fence_behind, outcome, jitter }),
        3 => Just(What::Tick),
        1 => Just(What::Withdraw),
        1 => any::<bool>().prop_map(|sent| What::Resolve { sent }),
    ];
    // Seconds mostly, sometimes hours: schedules pass and messages expire.
    let after_millis = prop_oneof![4 => 0..10_000i64, 2 => 0..4_000_000i64, 1 => 0..40_000_000i64];
    (after_millis, what).prop_map(|(after_millis, what)| Happening { after_millis, what })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_order_of_events_breaks_the_delivery(at_once in any::<bool>(), happenings in proptest::collection::vec(happening(), 1..80)) {
        let mut now = Timestamp::from_millis(NOON);
        let expires_at = expiry(Purpose::Support, now);
        let mut delivery = if at_once { Delivery::started(now, expires_at) } else { Delivery::waiting(now, expires_at) };
        let mut watch = Watch::new(&delivery);
        for Happening { after_millis, what } in happenings {
            now = Timestamp::from_millis(now.as_millis() + after_millis);
            let input = what.input(delivery.fence, now);
            let answer = delivery.step(&input, now);
            watch.see(&delivery, &input, &answer);
            match answer {
                Ok(Step::GoesOn(next)) => delivery = next,
                // The step consumed the state, so nothing can happen to what ended.
                Ok(Step::Ends(_)) => break,
                Err(Stale) => {}
            }
        }
    }

    #[test]
    fn time_alone_ends_every_delivery(happenings in proptest::collection::vec(happening(), 0..40)) {
        let mut now = Timestamp::from_millis(NOON);
        let mut delivery = Delivery::waiting(now, expiry(Purpose::Support, now));
        for Happening { after_millis, what } in happenings {
            now = Timestamp::from_millis(now.as_millis() + after_millis);
            match delivery.step(&what.input(delivery.fence, now), now) {
                Ok(Step::GoesOn(next)) => delivery = next,
                Ok(Step::Ends(_)) => return Ok(()),
                Err(Stale) => {}
            }
        }
        for _ in 0..3 {
            now = delivery.state.due().max(delivery.expires_at).max(now);
            match delivery.step(&Input::Tick, now) {
                Ok(Step::GoesOn(next)) => delivery = next,
                Ok(Step::Ends(_)) => return Ok(()),
                Err(Stale) => return Err(TestCaseError::fail(format!("time does nothing to {delivery:?}"))),
            }
        }
        prop_assert!(false, "still on its way: {:?}", delivery);
    }

    #[test]
    fn a_wait_is_the_schedule_and_at_most_a_tenth_more(tried in 0..9u16, jitter in any::<u32>()) {
        let now = Timestamp::from_millis(NOON);
        let next = Schedule::WHATSAPP.next(tried, now, jitter, None).map(|due| due.since(now).as_millis());
        match usize::from(tried).checked_sub(1).and_then(|place| WAITS_SECONDS.get(place)) {
            None => prop_assert_eq!(next, None),
            Some(seconds) => {
                let least = u128::from(*seconds) * 1_000;
                prop_assert!(next.is_some_and(|wait| (least..=least + least / 10).contains(&wait)), "{next:?} after {tried} tries");
            }
        }
    }

    #[test]
    fn each_wait_is_longer_than_the_one_before(tried in 1..5u16, earlier in any::<u32>(), later in any::<u32>()) {
        let now = Timestamp::from_millis(NOON);
        prop_assert!(Schedule::WHATSAPP.next(tried, now, earlier, None) < Schedule::WHATSAPP.next(tried + 1, now, later, None));
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_up_to_an_hour(tried in 1..6u16, jitter in any::<u32>(), asked_seconds in any::<u64>()) {
        let now = Timestamp::from_millis(NOON);
        let asked = Duration::from_secs(asked_seconds);
        let wait = |at_least| Schedule::WHATSAPP.next(tried, now, jitter, at_least).map(|due| due.since(now));
        prop_assert_eq!(wait(Some(asked)), wait(None).max(Some(asked.min(Duration::from_secs(3_600)))));
    }
}

#[test]
fn nothing_is_claimed_before_it_is_due() {
    let [now, due] = [NOON, NOON + 1].map(Timestamp::from_millis);
    let delivery = Delivery::waiting(due, expiry(Purpose::Support, now));
    let claim = Input::Claim { lease_until: due };
    assert_eq!(delivery.step(&claim, now), Err(Stale));
    assert!(matches!(delivery.step(&claim, due), Ok(Step::GoesOn(Delivery { state: State::Claimed { .. }, .. }))));
}

#[test]
fn a_try_that_would_come_too_late_is_not_waited_for() {
    let [now, expires_at] = [NOON, NOON + 5_000].map(Timestamp::from_millis);
    let outcome = Outcome::Failed { class: ErrorClass::Unreachable, retry_after: None };
    let finish = Input::Finish { fence: 1, outcome, jitter: 0 };
    assert_eq!(Delivery::started(now, expires_at).step(&finish, now), Ok(Step::Ends(Ending::Expired)));
    let (in_time, later) = (expires_at.plus(Duration::from_millis(1)), Timestamp::from_millis(NOON + 5_000));
    let waits = Delivery { state: State::Waiting { due: later }, ..Delivery::started(now, in_time) };
    assert_eq!(Delivery::started(now, in_time).step(&finish, now), Ok(Step::GoesOn(waits)));
}

#[test]
fn a_lease_outlives_its_deadline_by_the_margin() {
    let now = Timestamp::from_millis(NOON);
    let lease = Lease::new(now, Duration::from_secs(15));
    assert_eq!((lease.deadline.since(now), lease.until.since(lease.deadline)), (Duration::from_secs(15), Lease::MARGIN));
    assert!(Lease::MARGIN > Duration::ZERO);
}

#[test]
fn a_code_is_worth_sending_for_ten_minutes_and_anything_else_for_a_day() {
    let now = Timestamp::from_millis(NOON);
    for purpose in Purpose::ALL {
        let worth = if *purpose == Purpose::Authentication { 600 } else { 24 * 3_600 };
        assert_eq!(expiry(*purpose, now).since(now).as_secs(), worth, "{purpose}");
    }
}

#[test]
fn a_charge_is_returned_only_if_the_message_never_reached_the_provider() {
    for ending in [Ending::Sent, Ending::Unknown, Ending::Failed(ErrorClass::Refused)] {
        assert!(!ending.returns_charge(), "{ending:?}");
    }
    for ending in [Ending::Expired, Ending::Canceled(ErrorClass::Suppressed), Ending::Failed(ErrorClass::Unreachable)] {
        assert!(ending.returns_charge(), "{ending:?}");
    }
}

#[test]
fn there_is_one_try_more_than_there_are_waits() {
    assert_eq!(Schedule::WHATSAPP.tries(), WAITS_SECONDS.len() + 1);
}
