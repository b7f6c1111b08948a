//! Model: everything that can happen in a small world, tried.
//!
//! A [`Scene`] is a world with two hosts and a few things that may go wrong in it. [`explore`] looks at every state that it can reach,
//! by the functions that ship: `Delivery::step`, `decide`, `may_start`, `Health::after`, `EndpointChange::apply`. What must hold at
//! each step is in `promises.rs`; a step that breaks it fails the test, with the shortest way that leads there. Each bug in
//! `mutant.rs` must be found: that is how we know that the search bites.
//!
//! `GATEPOST_MODEL=large cargo test -p gatepost --test model -- --nocapture` lets one thing more go wrong in each world, takes minutes,
//! and shows how many states there are.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be made fails its test")]

#[path = "model/action.rs"]
mod action;
#[path = "model/explorer.rs"]
mod explorer;
#[path = "model/gateway.rs"]
mod gateway;
#[path = "model/mutant.rs"]
mod mutant;
#[path = "model/possible.rs"]
mod possible;
#[path = "model/promises.rs"]
mod promises;
#[path = "model/txn.rs"]
mod txn;
#[path = "model/world.rs"]
mod world;

use std::time::Duration;

use action::Fate;
use explorer::{Explored, NOT_STUCK, explore};
use gateway::SmallGateway;
use mutant::Mutant;
use promises::SOMETIMES;
use world::{Bounds, Left};

/// A world, and what must be possible in it.
struct Scene {
    bounds: Bounds,
    shows: &'static [&'static str],
}

/// A world in which nothing happens.
const NOTHING: Bounds = Bounds {
    callers: 0,
    asks: 0,
    keyed: false,
    per_day: 1,
    ahead: Duration::ZERO,
    fates: Fate::ALL,
    left: Left { faults: 0, throttles: 0, events: 0, replays: 0, reports: 0, people: 0 },
};

const SECOND: Duration = Duration::from_secs(1);

/// What becomes of a send where tries are not what is looked at.
const NO_RETRIES: &[Fate] = &[Fate::Taken, Fate::Refused, Fate::Gone, Fate::Silence { arrived: false }];

const MESSAGE: Scene = Scene {
    bounds: Bounds { callers: 1, asks: 1, left: Left { faults: 2, people: 1, ..NOTHING.left }, ..NOTHING },
    shows: &[
        "delivered",
        "failed for good",
        "expired",
        "suppressed",
        "unknown",
        "found out",
        "sent at once",
        "six tries",
        "charge returned",
        "too late for the first byte",
        "a finish too late",
        "in doubt",
    ],
};

/// The provider asks for time.
const PUT_OFF_MESSAGE: Scene = Scene {
    bounds: Bounds { callers: 1, asks: 1, left: Left { faults: 1, throttles: 2, ..NOTHING.left }, ..NOTHING },
    shows: &["delivered", "six tries", "expired"],
};

/// The provider reports what became of a message, whenever it likes.
const REPORT: Scene = Scene {
    bounds: Bounds { callers: 1, asks: 1, left: Left { faults: 1, reports: 1, people: 1, ..NOTHING.left }, ..NOTHING },
    shows: &["delivered", "failed for good", "unknown", "found out by a report", "reported before it was answered", "a finish too late"],
};

/// The same is asked three times under one key.
const KEY: Scene = Scene {
    bounds: Bounds { callers: 1, asks: 3, keyed: true, per_day: 2, fates: NO_RETRIES, left: Left { faults: 1, ..NOTHING.left }, ..NOTHING },
    shows: &["repeated", "a key used again the next day", "a charge in each of two days"],
};

/// Two callers, and one message a day.
const QUOTA: Scene = Scene {
    bounds: Bounds { callers: 2, asks: 1, fates: NO_RETRIES, left: Left { faults: 1, ..NOTHING.left }, ..NOTHING },
    shows: &["refused", "charge returned", "a charge in each of two days"],
};

const EVENT: Scene = Scene {
    bounds: Bounds { left: Left { faults: 2, throttles: 1, events: 1, ..NOTHING.left }, ..NOTHING },
    shows: &["taken", "nine tries", "an event out of time", "a duplicate webhook", "throttled", "blocked", "disabled by its answer"],
};

/// An event that fails and is put off, again and again.
const TRIES: Scene = Scene {
    bounds: Bounds {
        fates: &[Fate::ErrorStatus, Fate::Throttled],
        left: Left { faults: 1, throttles: 2, events: 1, ..NOTHING.left },
        ..NOTHING
    },
    shows: &["nine tries", "throttled", "an event out of time"],
};

/// An event whose endpoint is changed on its way.
const ENDPOINT: Scene = Scene {
    bounds: Bounds { left: Left { faults: 1, events: 1, people: 1, ..NOTHING.left }, ..NOTHING },
    shows: &["skipped", "moved", "disabled by five days of failure"],
};

const REPLAY: Scene = Scene {
    bounds: Bounds { fates: NO_RETRIES, left: Left { faults: 1, events: 1, people: 1, replays: 1, ..NOTHING.left }, ..NOTHING },
    shows: &["replayed", "history kept back", "a duplicate webhook"],
};

/// A message and hosts whose clocks differ.
const CLOCKS: Scene = Scene {
    bounds: Bounds { callers: 1, asks: 1, ahead: SECOND, fates: NO_RETRIES, left: Left { faults: 3, ..NOTHING.left }, ..NOTHING },
    shows: &["delivered", "a finish too late", "too late for the first byte"],
};

/// An event and hosts whose clocks differ.
const EVENT_CLOCKS: Scene = Scene {
    bounds: Bounds {
        ahead: SECOND,
        fates: &[Fate::Taken, Fate::ErrorStatus],
        left: Left { faults: 1, events: 1, ..NOTHING.left },
        ..NOTHING
    },
    shows: &["taken", "nine tries", "a finish too late"],
};

/// A message and an event, and hosts that have both to do.
const BOTH: Scene = Scene {
    bounds: Bounds { callers: 1, asks: 1, fates: NO_RETRIES, left: Left { faults: 1, events: 1, ..NOTHING.left }, ..NOTHING },
    shows: &["delivered", "taken"],
};

macro_rules! hold {
    ($($test:ident: $scene:ident;)*) => {
        $(#[test]
        fn $test() {
            hold(stringify!($scene), &$scene);
        })*

        #[test]
        fn everything_that_must_be_possible_is_looked_for() {
            let looked_for = [$($scene.shows),*].concat();
            let forgotten: Vec<_> = SOMETIMES.iter().map(|(name, _)| *name).filter(|name| !looked_for.contains(name)).collect();
            assert!(forgotten.is_empty(), "{forgotten:?}");
        }
    };
}

hold! {
    a_message_keeps_its_promises: MESSAGE;
    a_message_that_is_put_off_keeps_its_promises: PUT_OFF_MESSAGE;
    a_message_that_is_reported_keeps_its_promises: REPORT;
    a_key_keeps_its_promises: KEY;
    a_quota_keeps_its_promises: QUOTA;
    an_event_keeps_its_promises: EVENT;
    tries_keep_their_promises: TRIES;
    an_endpoint_keeps_its_promises: ENDPOINT;
    a_replay_keeps_its_promises: REPLAY;
    clocks_that_differ_break_no_promise_of_a_message: CLOCKS;
    clocks_that_differ_break_no_promise_of_an_event: EVENT_CLOCKS;
    a_message_and_an_event_keep_their_promises: BOTH;
}

fn hold(name: &str, scene: &Scene) {
    let Left { faults, .. } = scene.bounds.left;
    let left = Left { faults: faults + u8::from(is_large()), ..scene.bounds.left };
    let gateway = SmallGateway { bounds: Bounds { left, ..scene.bounds }, mutant: None };
    let Explored { states, steps, depth, shown } = explore(&gateway).unwrap_or_else(|broken| panic!("{name}: {broken}"));
    #[expect(clippy::disallowed_macros, reason = "how many states there are is worth knowing")]
    {
        println!("{name}: {states} states, {steps} steps, {depth} of them to the farthest");
    }
    let is_shown = |name: &str| SOMETIMES.iter().zip(0..).any(|((known, _), place)| *known == name && shown & 1 << place != 0);
    let impossible: Vec<_> = scene.shows.iter().filter(|name| !is_shown(name)).collect();
    assert!(impossible.is_empty(), "{name}: {impossible:?} is impossible");
}

fn is_large() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the command line of a test runner has no place for it")]
    let size = std::env::var("GATEPOST_MODEL");
    size.is_ok_and(|size| size == "large")
}

macro_rules! find {
    ($($test:ident: $mutant:ident in $scene:ident, by $promise:expr, within $steps:literal;)*) => {
        $(#[test]
        fn $test() {
            find(Mutant::$mutant, &$scene, $promise, $steps);
        })*
    };
}

find! {
    a_suppression_read_too_early_is_found: SuppressionReadAtClaim in MESSAGE, by "3 suppressed", within 4;
    a_pause_read_too_early_is_found: PauseReadAtClaim in MESSAGE, by "paused is held", within 4;
    a_quota_read_and_then_written_is_found: QuotaReadThenWritten in QUOTA, by "4 within quota", within 4;
    a_key_bound_too_late_is_found: KeyBoundLater in KEY, by "2 once", within 2;
    a_second_send_after_the_lease_is_found: ResentAfterTheLease in MESSAGE, by "6 no blind second send", within 4;
    a_second_send_after_silence_is_found: ResentAfterSilence in MESSAGE, by "6 no blind second send", within 3;
    a_finish_that_is_not_fenced_is_found: FinishNotFenced in EVENT, by "15 fenced", within 7;
    an_attempt_written_too_late_is_found: AttemptWrittenAfter in MESSAGE, by "5 logged before", within 2;
    an_attempt_left_open_is_found: OrphanLeftOpen in MESSAGE, by "5 logged after", within 3;
    an_attempt_of_an_event_written_too_late_is_found: AttemptWrittenAfter in EVENT, by "5 logged before", within 4;
    an_attempt_of_an_event_left_open_is_found: OrphanLeftOpen in EVENT, by "5 logged after", within 5;
    a_late_first_byte_of_an_event_is_found: DeadlineIgnored in EVENT, by "15 no byte without the lease", within 6;
    a_margin_too_small_for_an_event_is_found: MarginTooSmall in EVENT_CLOCKS, by "15 no byte without the lease", within 6;
    a_claim_that_nobody_sweeps_is_found: ClaimNotSwept in KEY, by NOT_STUCK, within 6;
    a_late_first_byte_is_found: DeadlineIgnored in MESSAGE, by "15 no byte without the lease", within 4;
    a_margin_too_small_is_found: MarginTooSmall in CLOCKS, by "15 no byte without the lease", within 4;
    a_budget_not_checked_at_start_is_found: BudgetCheckedWhenRecorded in TRIES, by "7 no try too many", within 37;
    a_try_bought_by_a_crash_is_found: TryCountedWhenRecorded in TRIES, by "7 no try too soon", within 11;
    a_wish_for_time_without_end_is_found: PutOffWithoutEnd in TRIES, by "7 no try too late", within 7;
    a_wish_for_time_that_costs_a_try_is_found: PutOffCounted in TRIES, by "6 at least once", within 12;
    a_try_at_once_after_an_interruption_is_found: InterruptedTriedAtOnce in EVENT, by "7 no try too soon", within 5;
    an_event_given_up_after_silence_is_found: SilenceGivenUp in EVENT, by "6 at least once", within 4;
    an_id_renewed_by_a_try_is_found: IdRenewedByTry in EVENT, by "6 same event id", within 7;
    an_id_renewed_by_a_replay_is_found: IdRenewedByReplay in REPLAY, by "6 same event id", within 7;
    an_endpoint_that_is_not_asked_is_found: EndpointNotAsked in ENDPOINT, by "an endpoint's state is kept", within 3;
    a_history_that_moves_is_found: HistoryToNewUrl in REPLAY, by "history stays where it was", within 5;
    a_report_before_the_answer_that_is_not_heeded_is_found: ReportIgnoredWhileOpen in REPORT, by "6 a report is the end", within 3;
    a_second_send_after_a_report_is_found: ResentAfterTheReport in REPORT, by "6 no blind second send", within 3;
    a_charge_returned_in_doubt_is_found: ChargeReturnedInDoubt in MESSAGE, by "4 no charge returned for what arrived", within 5;
}

#[track_caller]
fn find(mutant: Mutant, scene: &Scene, promise: &str, steps: usize) {
    let Err(broken) = explore(&SmallGateway { bounds: scene.bounds, mutant: Some(mutant) }) else { panic!("{mutant:?} is not found") };
    assert!(broken.promise == promise && broken.trace.len() <= steps, "{mutant:?}: {broken}");
}
