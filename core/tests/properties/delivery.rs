//! Delivery: whatever happens in whatever order, no message is sent twice blindly, no event is given up too early, and no try is bought
//! by a crash.

use core::time::Duration;
use std::collections::BTreeSet;

use gatepost::{
    Delivery, EVENT_TIME, Ending, ErrorClass, Input, Lease, Outcome, Purpose, Schedule, Skip, Stale, State, Step, Timestamp, expiry,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::watch::Watch;
use crate::world::NOON;

/// The schedules once more, each with its waits in seconds.
const SCHEDULES: [(Schedule, &[u32]); 2] =
    [(Schedule::WHATSAPP, &[5, 30, 120, 600, 1_800]), (Schedule::EVENT, &[5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000])];

/// Something that happens to a delivery.
#[derive(Clone, Debug)]
struct Happening {
    when: When,
    what: What,
}

#[derive(Clone, Debug)]
enum When {
    /// So long after what happened before.
    AfterMillis(i64),
    /// As soon as the delivery is to be looked at.
    Due,
}

/// A take is a claim and a start in one, as events have it.
#[derive(Clone, Debug)]
enum What {
    Claim { lease_millis: i64 },
    Start { fence_behind: u32, lease_millis: i64 },
    Take { lease_millis: i64 },
    Release { fence_behind: u32 },
    Finish { fence_behind: u32, outcome: Outcome, jitter: u32 },
    Tick,
    Withdraw,
    Hold,
    Arrived,
    Bounced { class: ErrorClass },
    Skip(Skip),
    Resolve { sent: bool },
}

impl When {
    fn after(&self, delivery: &Delivery, now: Timestamp) -> Timestamp {
        match self {
            Self::AfterMillis(millis) => Timestamp::from_millis(now.as_millis() + millis),
            Self::Due => now.max(delivery.state.due()),
        }
    }
}

impl What {
    fn happen(&self, watch: &mut Watch, delivery: Delivery, now: Timestamp) -> Result<Step, Stale> {
        let later = |millis: i64| Timestamp::from_millis(now.as_millis() + millis);
        let behind = |fences: u32| delivery.fence.wrapping_sub(fences);
        let input = match self {
            Self::Claim { lease_millis } => Input::Claim { lease_until: later(*lease_millis) },
            Self::Start { fence_behind, lease_millis } => Input::Start { fence: behind(*fence_behind), lease_until: later(*lease_millis) },
            Self::Take { lease_millis } => return watch.take(delivery, later(*lease_millis), now),
            Self::Release { fence_behind } => Input::Release { fence: behind(*fence_behind), due: now },
            Self::Finish { fence_behind, outcome, jitter } => {
                Input::Finish { fence: behind(*fence_behind), outcome: outcome.clone(), jitter: *jitter }
            }
            Self::Tick => Input::Tick,
            Self::Withdraw => Input::Withdraw,
            Self::Hold => Input::Hold,
            Self::Arrived => Input::Arrived,
            Self::Bounced { class } => Input::Bounced { class: *class },
            Self::Skip(why) => Input::Skip(*why),
            Self::Resolve { sent } => Input::Resolve { sent: *sent },
        };
        watch.step(delivery, &input, now)
    }
}

/// Has everything happen, one thing after another: the delivery as it is then and the time, or how it ended.
fn live(mut delivery: Delivery, happenings: &[Happening]) -> Result<(Delivery, Timestamp), Ending> {
    let (mut now, mut watch) = (Timestamp::from_millis(NOON), Watch::new(&delivery));
    for Happening { when, what } in happenings {
        now = when.after(&delivery, now);
        match what.happen(&mut watch, delivery, now) {
            Ok(Step::GoesOn(next)) => delivery = next,
            // The step consumed the state, so nothing can happen to what ended.
            Ok(Step::Ends(ending)) => return Err(ending),
            Err(Stale) => {}
        }
    }
    Ok((delivery, now))
}

/// How an attempt ends that may be followed by another.
fn failure() -> impl Strategy<Value = Outcome> {
    use ErrorClass::{Broken, CircuitOpen, ErrorStatus, Interrupted, Paced, Throttled, Timeout, Tls, Unreachable};
    let class = || select(vec![Unreachable, Throttled, Timeout, ErrorStatus, Tls, Broken, Interrupted, Paced, CircuitOpen]);
    let retry_after = proptest::option::of((0..10_000u64).prop_map(Duration::from_secs));
    prop_oneof![
        6 => (class(), retry_after).prop_map(|(class, retry_after)| Outcome::Failed { class, retry_after }),
        1 => class().prop_map(|class| Outcome::Unknown { class }),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    use ErrorClass::{Aborted, Gone, NoTransport, Refused};
    let last_word = select(vec![Refused, Gone, Aborted, NoTransport]);
    prop_oneof![
        7 => failure(),
        1 => last_word.prop_map(|class| Outcome::Failed { class, retry_after: None }),
        1 => Just(Outcome::Sent { external_id: Some("wamid.1".to_owned()) }),
        1 => Just(Outcome::Blocked { class: ErrorClass::Forbidden }),
    ]
}

/// A delivery as it begins: a message that waits or goes at once, or an event.
fn beginning() -> impl Strategy<Value = Delivery> {
    let now = Timestamp::from_millis(NOON);
    let expires_at = expiry(Purpose::Support, now);
    select(vec![Delivery::waiting(now, expires_at), Delivery::started(now, expires_at), Delivery::of_event(now)])
}

/// All that happens to a delivery: anything, or one failed try after another, so that tries and times are spent too.
fn life() -> impl Strategy<Value = Vec<Happening>> {
    use proptest::collection::vec;
    prop_oneof![vec(happening(anything()), 1..80), vec(happening(hardship()), 1..80)]
}

fn happening(what: impl Strategy<Value = What>) -> impl Strategy<Value = Happening> {
    // Seconds mostly, sometimes hours or days: schedules pass, messages and events expire.
    let after_millis = prop_oneof![8 => 0..10_000i64, 4 => 0..4_000_000i64, 2 => 0..80_000_000i64, 2 => 0..800_000_000i64];
    let when = prop_oneof![after_millis.prop_map(When::AfterMillis), Just(When::Due)];
    (when, what).prop_map(|(when, what)| Happening { when, what })
}

fn anything() -> impl Strategy<Value = What> {
    let fence_behind = || prop_oneof![9 => Just(0u32), 1 => 1..4u32];
    prop_oneof![
        6 => lease_millis().prop_map(|lease_millis| What::Claim { lease_millis }),
        6 => lease_millis().prop_map(|lease_millis| What::Take { lease_millis }),
        6 => (fence_behind(), lease_millis()).prop_map(|(fence_behind, lease_millis)| What::Start { fence_behind, lease_millis }),
        1 => fence_behind().prop_map(|fence_behind| What::Release { fence_behind }),
        6 => (fence_behind(), outcome(), any::<u32>())
            .prop_map(|(fence_behind, outcome, jitter)| What::Finish { fence_behind, outcome, jitter }),
        3 => Just(What::Tick),
        1 => prop_oneof![Just(What::Withdraw), Just(What::Hold), select(&Skip::ALL[..]).prop_map(What::Skip)],
        1 => prop_oneof![Just(What::Arrived), Just(What::Bounced { class: ErrorClass::Undeliverable })],
        1 => any::<bool>().prop_map(|sent| What::Resolve { sent }),
    ]
}

fn hardship() -> impl Strategy<Value = What> {
    prop_oneof![
        4 => lease_millis().prop_map(|lease_millis| What::Take { lease_millis }),
        4 => (failure(), any::<u32>()).prop_map(|(outcome, jitter)| What::Finish { fence_behind: 0, outcome, jitter }),
        1 => Just(What::Tick),
    ]
}

fn lease_millis() -> impl Strategy<Value = i64> {
    0..60_000i64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_order_of_events_breaks_the_delivery(beginning in beginning(), happenings in life()) {
        // The watch looks on.
        let _ = live(beginning, &happenings);
    }

    #[test]
    fn time_alone_ends_every_delivery(beginning in beginning(), happenings in life()) {
        let Ok((mut delivery, mut now)) = live(beginning, &happenings) else { return Ok(()) };
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
    fn what_the_receiver_puts_off_costs_no_try_and_a_crash_costs_one(
        fates in proptest::collection::vec(select(&FATES[..]), 0..40), jitter in any::<u32>()
    ) {
        let (last, ending) = deliver(fates.into_iter().chain(core::iter::repeat(Fate::Dies)), jitter);
        prop_assert_eq!(last.tries - last.put_off, 9);
        prop_assert!(matches!(ending, Ending::Failed(ErrorClass::ErrorStatus | ErrorClass::Timeout | ErrorClass::Interrupted)), "{ending:?}");
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
        let wait = |asked: Option<Duration>| Schedule::put_off(0, now, jitter, asked).since(now);
        prop_assert!((60_000..=66_000).contains(&wait(None).as_millis()));
        let asked = Duration::from_secs(asked_seconds);
        prop_assert_eq!(wait(Some(asked)), wait(None).max(asked.min(Duration::from_secs(3_600))));
    }

    #[test]
    fn what_is_put_off_again_and_again_is_tried_less_and_less_often(times in any::<u16>(), jitter in any::<u32>()) {
        let now = Timestamp::from_millis(NOON);
        let put_off = |times| Schedule::put_off(times, now, 0, None).since(now).as_secs();
        let held_back = |times| Schedule::hold_back(times, now, 0, None).since(now).as_secs();
        let next = times.saturating_add(1);
        prop_assert_eq!(put_off(next), (2 * put_off(times)).min(3_600));
        prop_assert_eq!(held_back(next), (2 * held_back(times)).min(60));
        prop_assert!(Schedule::hold_back(times, now, jitter, None).since(now) <= Duration::from_secs(66));
    }
}

/// Nothing must hold only because nothing happens.
#[test]
fn lives_end_in_every_way() {
    let mut runner = TestRunner::deterministic();
    let mut ways = BTreeSet::new();
    for _ in 0..1_000 {
        let (beginning, happenings) = (beginning(), life()).new_tree(&mut runner).unwrap().current();
        ways.extend(live(beginning, &happenings).err().map(|ending| (beginning.channel.as_str(), way(ending))));
    }
    let of = |channel| ways.iter().filter(|(known, _)| *known == channel).map(|(_, way)| *way).collect::<Vec<_>>().join(", ");
    assert_eq!(of("event"), "blocked, canceled, expired, failed, held, sent, skipped, spent");
    assert_eq!(of("message"), "blocked, canceled, expired, failed, held, sent, skipped, spent, unknown");
}

const fn way(ending: Ending) -> &'static str {
    match ending {
        Ending::Blocked(_) => "blocked",
        Ending::Canceled(_) => "canceled",
        Ending::Expired => "expired",
        Ending::Failed(class) if class.is_final() => "failed",
        Ending::Failed(_) => "spent",
        Ending::Held => "held",
        Ending::Sent => "sent",
        Ending::Skipped(_) => "skipped",
        Ending::Unknown => "unknown",
    }
}

/// What becomes of an attempt to deliver an event.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The receiver asks for time.
    PutOff,
    /// The receiver answers that it failed.
    Fails,
    /// Nobody answers.
    Silence,
    /// The worker dies, and its lease runs out.
    Dies,
}

const FATES: [Fate; 4] = [Fate::PutOff, Fate::Fails, Fate::Silence, Fate::Dies];

impl Fate {
    const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::PutOff => Some(Outcome::Failed { class: ErrorClass::Throttled, retry_after: None }),
            Self::Fails => Some(Outcome::Failed { class: ErrorClass::ErrorStatus, retry_after: None }),
            Self::Silence => Some(Outcome::Unknown { class: ErrorClass::Timeout }),
            Self::Dies => None,
        }
    }
}

/// Tries to deliver an event whenever it is due: the last attempt, and how it ended.
fn deliver(fates: impl Iterator<Item = Fate>, jitter: u32) -> (Delivery, Ending) {
    let mut now = Timestamp::from_millis(NOON);
    let mut waiting = Delivery::of_event(now);
    for fate in fates {
        now = now.max(waiting.state.due());
        let lease = Lease::new(now, Duration::from_secs(15));
        let Ok(Step::GoesOn(started)) = waiting.take(lease.until, now) else { break };
        let input = match fate.outcome() {
            Some(outcome) => Input::Finish { fence: started.fence, outcome, jitter },
            None => Input::Tick,
        };
        now = if input == Input::Tick { lease.until } else { now };
        match started.step(&input, now) {
            Ok(Step::GoesOn(next)) => waiting = next,
            Ok(Step::Ends(ending)) => return (started, ending),
            Err(Stale) => break,
        }
    }
    panic!("still on its way: {waiting:?}");
}

#[test]
fn an_event_that_is_put_off_for_ever_ends_with_its_time() {
    let (last, ending) = deliver(core::iter::repeat(Fate::PutOff), 0);
    // Six waits that double up to an hour, 63 minutes in all, and then one an hour.
    assert_eq!((u64::from(last.tries), ending), (6 + (EVENT_TIME.as_secs() - 63 * 60).div_ceil(3_600), Ending::Expired));
}

#[test]
fn an_event_is_tried_as_often_as_the_schedule_says_whatever_its_receiver_or_its_workers_do() {
    let classes = [(Fate::Silence, ErrorClass::Timeout), (Fate::Fails, ErrorClass::ErrorStatus), (Fate::Dies, ErrorClass::Interrupted)];
    for (fate, class) in classes {
        let (last, ending) = deliver(core::iter::repeat(fate), u32::MAX);
        assert_eq!((last.tries, ending), (9, Ending::Failed(class)));
    }
}

#[test]
fn an_event_is_taken_once_at_a_time_and_finished_by_whoever_took_it_last() {
    let now = Timestamp::from_millis(NOON);
    let lease_until = now.plus(Duration::from_secs(20));
    let taken = |waiting: Delivery, now| match waiting.take(lease_until, now) {
        Ok(Step::GoesOn(started)) => started,
        other => panic!("{other:?}"),
    };
    let sent = |fence| Input::Finish { fence, outcome: Outcome::Sent { external_id: None }, jitter: 0 };
    let first = taken(Delivery::of_event(now), now);
    assert_eq!(first.take(lease_until, now), Err(Stale));

    let Ok(Step::GoesOn(waiting)) = first.step(&Input::Tick, lease_until) else { panic!("its lease is over") };
    assert_eq!((waiting.take(lease_until, lease_until), waiting.step(&sent(first.fence), lease_until)), (Err(Stale), Err(Stale)));
    let second = taken(waiting, waiting.state.due());
    assert_eq!(second.step(&sent(first.fence), lease_until), Err(Stale));
    assert_eq!(second.step(&sent(second.fence), lease_until), Ok(Step::Ends(Ending::Sent)));
}

#[test]
fn an_event_is_skipped_while_no_attempt_is_open() {
    let now = Timestamp::from_millis(NOON);
    let waiting = Delivery::of_event(now);
    let Ok(Step::GoesOn(started)) = waiting.take(now, now) else { panic!("it is due") };
    for why in Skip::ALL {
        assert_eq!(waiting.step(&Input::Skip(why), now), Ok(Step::Ends(Ending::Skipped(why))));
        assert_eq!(started.step(&Input::Skip(why), now), Err(Stale));
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
    for (schedule, waits) in SCHEDULES {
        assert_eq!(schedule.tries(), waits.len() + 1);
    }
}
