//! Delivery: whatever happens in whatever order, no message is sent twice blindly, and no try is bought by a crash.

use core::time::Duration;

use gatepost::{
    Delivery, EVENT_TIME, Ending, ErrorClass, Input, Lease, Outcome, Purpose, Schedule, Skip, Stale, State, Step, Timestamp, expiry,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::watch::Watch;
use crate::world::NOON;

/// The schedules once more, each with its waits in seconds.
const SCHEDULES: [(Schedule, &[u32]); 2] =
    [(Schedule::WHATSAPP, &[5, 30, 120, 600, 1_800]), (Schedule::EVENT, &[5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000])];

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
    Skip(Skip),
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
            Self::Skip(why) => Input::Skip(*why),
            Self::Resolve { sent } => Input::Resolve { sent: *sent },
        }
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    // Mostly what may be tried again.
    let class = || {
        use ErrorClass::{Aborted, Broken, ErrorStatus, Gone, Interrupted, NoTransport, Refused, Throttled, Timeout, Tls, Unreachable};
        prop_oneof![
            8 => select(vec![Unreachable, Throttled, Timeout, ErrorStatus, Tls, Broken, Interrupted]),
            1 => select(vec![Refused, Gone, Aborted, NoTransport]),
        ]
    };
    let retry_after = proptest::option::of((0..10_000u64).prop_map(Duration::from_secs));
    prop_oneof![
        1 => Just(Outcome::Sent { external_id: Some("wamid.1".to_owned()) }),
        6 => (class(), retry_after).prop_map(|(class, retry_after)| Outcome::Failed { class, retry_after }),
        1 => class().prop_map(|class| Outcome::Unknown { class }),
        1 => Just(Outcome::Blocked { class: ErrorClass::Forbidden }),
    ]
}

/// A delivery as it begins: a message that waits or goes at once, or an event.
fn beginning() -> impl Strategy<Value = Delivery> {
    let now = Timestamp::from_millis(NOON);
    let expires_at = expiry(Purpose::Support, now);
    select(vec![Delivery::waiting(now, expires_at), Delivery::started(now, expires_at), Delivery::of_event(now)])
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
        1 => prop_oneof![Just(What::Withdraw), select(&Skip::ALL[..]).prop_map(What::Skip)],
        1 => any::<bool>().prop_map(|sent| What::Resolve { sent }),
    ];
    // Seconds mostly, sometimes hours or days: schedules pass, messages and events expire.
    let after_millis = prop_oneof![8 => 0..10_000i64, 4 => 0..4_000_000i64, 2 => 0..80_000_000i64, 1 => 0..800_000_000i64];
    (after_millis, what).prop_map(|(after_millis, what)| Happening { after_millis, what })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_order_of_events_breaks_the_delivery(beginning in beginning(), happenings in proptest::collection::vec(happening(), 1..80)) {
        let (mut now, mut delivery) = (Timestamp::from_millis(NOON), beginning);
        let mut watch = Watch::new(&delivery);
        for Happening { after_millis, what } in happenings {
            now = Timestamp::from_millis(now.as_millis() + after_millis);
            let input = what.input(delivery.fence, now);
            let answer = delivery.step(&input, now);
            watch.see(&delivery, &input, &answer, now);
            match answer {
                Ok(Step::GoesOn(next)) => delivery = next,
                // The step consumed the state, so nothing can happen to what ended.
                Ok(Step::Ends(_)) => break,
                Err(Stale) => {}
            }
        }
    }

    #[test]
    fn time_alone_ends_every_delivery(beginning in beginning(), happenings in proptest::collection::vec(happening(), 0..40)) {
        let (mut now, mut delivery) = (Timestamp::from_millis(NOON), beginning);
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
    fn taking_is_claiming_and_starting(beginning in beginning(), lease_millis in 0..60_000i64, after_millis in 0..4_000_000_000i64) {
        let now = Timestamp::from_millis(NOON + after_millis);
        let lease_until = Timestamp::from_millis(now.as_millis() + lease_millis);
        let claimed = beginning.step(&Input::Claim { lease_until }, now);
        let started = match claimed {
            Ok(Step::GoesOn(claimed)) => claimed.step(&Input::Start { fence: claimed.fence, lease_until }, now),
            other => other,
        };
        prop_assert_eq!(beginning.take(lease_until, now), started);
    }

    #[test]
    fn what_the_receiver_puts_off_costs_no_try(puts_off in proptest::collection::vec(any::<bool>(), 0..40), jitter in any::<u32>()) {
        let failed = |class| Outcome::Failed { class, retry_after: None };
        let fates = puts_off.iter().map(|puts_off| if *puts_off { ErrorClass::Throttled } else { ErrorClass::ErrorStatus });
        let (tries, ending) = deliver(fates.chain(core::iter::repeat(ErrorClass::ErrorStatus)).map(failed), jitter);
        let mut failures_left = Schedule::EVENT.tries();
        let wished = puts_off.iter().take_while(|puts_off| { failures_left -= usize::from(!**puts_off); failures_left > 0 });
        prop_assert_eq!(tries, Schedule::EVENT.tries() + wished.filter(|puts_off| **puts_off).count());
        prop_assert_eq!(ending, Ending::Failed(ErrorClass::ErrorStatus));
    }

    #[test]
    fn a_wait_is_the_schedule_and_at_most_a_tenth_more((schedule, waits) in select(&SCHEDULES[..]), tried in 0..12u16, jitter in any::<u32>()) {
        let now = Timestamp::from_millis(NOON);
        let next = schedule.next(tried, now, jitter, None).map(|due| due.since(now).as_millis());
        match usize::from(tried).checked_sub(1).and_then(|place| waits.get(place)) {
            None => prop_assert_eq!(next, None),
            Some(seconds) => {
                let least = u128::from(*seconds) * 1_000;
                prop_assert!(next.is_some_and(|wait| (least..=least + least / 10).contains(&wait)), "{next:?} after {tried} tries");
            }
        }
    }

    #[test]
    fn each_wait_is_longer_than_the_one_before(
        (schedule, waits) in select(&SCHEDULES[..]), place in 0..7u16, earlier in any::<u32>(), later in any::<u32>()
    ) {
        let now = Timestamp::from_millis(NOON);
        let tried = place % (waits.len() as u16 - 1) + 1;
        prop_assert!(schedule.next(tried, now, earlier, None) < schedule.next(tried + 1, now, later, None));
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_up_to_an_hour(
        (schedule, waits) in select(&SCHEDULES[..]), place in 0..8u16, jitter in any::<u32>(), asked_seconds in any::<u64>()
    ) {
        let now = Timestamp::from_millis(NOON);
        let asked = Duration::from_secs(asked_seconds);
        let wait = |at_least| schedule.next(place % waits.len() as u16 + 1, now, jitter, at_least).map(|due| due.since(now));
        prop_assert_eq!(wait(Some(asked)), wait(None).max(Some(asked.min(Duration::from_secs(3_600)))));
    }

    #[test]
    fn a_receiver_gets_the_time_it_asks_for_a_minute_at_least_and_an_hour_at_most(jitter in any::<u32>(), asked_seconds in any::<u64>()) {
        let now = Timestamp::from_millis(NOON);
        let wait = |asked: Option<Duration>| Schedule::put_off(now, jitter, asked).since(now);
        prop_assert!((60_000..=66_000).contains(&wait(None).as_millis()));
        let asked = Duration::from_secs(asked_seconds);
        prop_assert_eq!(wait(Some(asked)), wait(None).max(asked.min(Duration::from_secs(3_600))));
    }
}

/// Tries to deliver an event whenever it is due: how many attempts that took, and how it ended.
fn deliver(outcomes: impl Iterator<Item = Outcome>, jitter: u32) -> (usize, Ending) {
    let mut now = Timestamp::from_millis(NOON);
    let mut delivery = Delivery::of_event(now);
    for (tries, outcome) in outcomes.enumerate() {
        now = now.max(delivery.state.due());
        let started = match delivery.take(Lease::new(now, Duration::from_secs(15)).until, now).unwrap() {
            Step::GoesOn(started) => started,
            Step::Ends(ending) => return (tries, ending),
        };
        match started.step(&Input::Finish { fence: started.fence, outcome, jitter }, now).unwrap() {
            Step::GoesOn(waiting) => delivery = waiting,
            Step::Ends(ending) => return (tries + 1, ending),
        }
    }
    panic!("still on its way: {delivery:?}");
}

#[test]
fn an_event_that_is_put_off_for_ever_ends_with_its_time() {
    let asks_for_time = Outcome::Failed { class: ErrorClass::Throttled, retry_after: None };
    let (tries, ending) = deliver(core::iter::repeat(asks_for_time), 0);
    assert_eq!((tries as u64, ending), (EVENT_TIME.as_secs() / 60, Ending::Expired));
}

#[test]
fn an_event_that_nobody_answers_is_tried_as_often_as_the_schedule_says() {
    let silence = Outcome::Unknown { class: ErrorClass::Timeout };
    assert_eq!(deliver(core::iter::repeat(silence), u32::MAX), (9, Ending::Failed(ErrorClass::Timeout)));
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
    for (schedule, waits) in SCHEDULES {
        assert_eq!(schedule.tries(), waits.len() + 1);
    }
}
