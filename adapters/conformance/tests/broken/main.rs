//! Broken: the suite is tried on stores with one fault each, which the case that is named must catch.

mod faulty;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use faulty::{Fault, Faulty};
use gatepost_conformance::run;
use gatepost_memory::MemoryStore;

/// The case passes on the good store and fails on the one with the fault.
#[track_caller]
fn check(fault: Fault, case: &str) {
    run(case, &|| Arc::new(MemoryStore::new()));
    let broken = catch_unwind(AssertUnwindSafe(|| run(case, &|| Arc::new(Faulty::new(MemoryStore::new(), fault)))));
    assert!(broken.is_err(), "`{case}` does not see that a store {fault:?}");
}

#[test]
fn a_store_that_charges_repeats_is_caught() {
    check(Fault::ChargesRepeats, "idempotency::a_repeat_gets_the_same_message");
    check(Fault::ChargesRepeats, "races::the_same_key_from_many_is_one_message");
}

#[test]
fn a_store_that_double_charges_is_caught() {
    check(Fault::DoubleCharges, "quota::an_allowed_message_is_charged_once");
}

#[test]
fn a_store_that_drops_what_is_held_is_caught() {
    check(Fault::DropsWhatIsHeld, "take::a_paused_endpoint_holds_its_events");
}

#[test]
fn a_store_that_forgets_is_caught() {
    check(Fault::Forgets, "accept::an_accepted_message_is_found");
    check(Fault::Forgets, "deliver::a_message_goes_out");
    check(Fault::Forgets, "deliveries::a_delivered_event_is_sent");
}

#[test]
fn a_store_that_loses_an_event_of_its_log_is_caught() {
    check(Fault::ForgetsEvents, "seals::what_was_sealed_fits");
    check(Fault::ForgetsEvents, "seals::a_chain_outlives_the_store");
}

#[test]
fn a_store_that_heeds_backwards_is_caught() {
    check(Fault::HeedsBackwards, "inbox::what_one_notification_tells_is_heeded_in_its_order");
    check(Fault::HeedsBackwards, "inbox::what_came_in_is_heeded_part_by_part");
}

#[test]
fn a_store_that_hurries_endpoints_is_caught() {
    check(Fault::HurriesEndpoints, "take::an_endpoint_is_called_no_faster_than_it_wants");
}

#[test]
fn a_store_that_ignores_a_fence_is_caught() {
    check(Fault::IgnoresFence, "fence::a_finish_with_an_old_fence_changes_nothing");
    check(Fault::IgnoresFence, "deliveries::an_old_finish_changes_nothing");
}

#[test]
fn a_store_that_ignores_repetitions_is_caught() {
    check(Fault::IgnoresRepetitions, "inbox::a_repetition_in_a_notification_changes_nothing");
    check(Fault::IgnoresRepetitions, "inbox::a_repetition_in_another_notification_changes_nothing");
    check(Fault::IgnoresRepetitions, "races::the_same_told_by_many_is_one_thing");
}

#[test]
fn a_store_that_ignores_a_revision_is_caught() {
    check(Fault::IgnoresRevisions, "endpoints::a_change_for_an_old_revision_meets_a_conflict");
    check(Fault::IgnoresRevisions, "instances::a_change_for_an_old_revision_meets_a_conflict");
    check(Fault::IgnoresRevisions, "races::an_endpoint_is_changed_by_one");
}

#[test]
fn a_store_that_ignores_whose_turn_it_is_to_seal_is_caught() {
    check(Fault::IgnoresSealing, "seals::sealing_is_one_hosts_at_a_time");
}

#[test]
fn a_store_that_ignores_a_suppression_is_caught() {
    check(Fault::IgnoresSuppression, "suppression::a_start_after_a_suppression_is_canceled");
}

#[test]
fn a_store_that_keeps_dead_endpoints_is_caught() {
    check(Fault::KeepsDeadEndpoints, "health::an_endpoint_that_is_gone_is_disabled");
    check(Fault::KeepsDeadEndpoints, "health::an_endpoint_that_asks_for_it_is_disabled");
}

#[test]
fn a_store_that_leaks_is_caught() {
    check(Fault::Leaks, "apart::another_accounts_message_is_not_found");
    check(Fault::Leaks, "apart::another_accounts_endpoints_are_not_found");
}

#[test]
fn a_store_that_lifts_pauses_is_caught() {
    check(Fault::LiftsPauses, "traffic::nothing_lifts_a_pause_by_itself");
}

#[test]
fn a_store_that_moves_a_message_back_is_caught() {
    check(Fault::MovesBack, "reports::a_report_never_leads_back");
    check(Fault::MovesBack, "reports::reports_of_one_notification_count_in_any_order");
}

#[test]
fn a_store_that_overfills_endpoints_is_caught() {
    check(Fault::OverfillsEndpoints, "take::no_more_are_on_their_way_than_the_endpoint_wants");
    check(Fault::OverfillsEndpoints, "take::the_places_hold_over_many_workers");
}

#[test]
fn a_store_that_replays_to_changed_urls_is_caught() {
    check(Fault::ReplaysToChangedUrls, "replays::history_does_not_go_to_a_changed_url");
    check(Fault::ReplaysToChangedUrls, "recoveries::a_changed_url_is_left");
}

#[test]
fn a_store_that_shows_what_is_the_operators_is_caught() {
    check(Fault::ShowsOperators, "operator::no_account_sees_what_the_operator_is_told");
    check(Fault::ShowsOperators, "operator::no_account_sees_a_recovery_of_the_operator");
}

#[test]
fn a_store_that_starts_twice_is_caught() {
    check(Fault::StartsTwice, "deliver::a_claimed_delivery_is_not_claimed_again");
    check(Fault::StartsTwice, "take::what_was_taken_is_not_taken_again");
    check(Fault::StartsTwice, "races::an_event_is_taken_by_one");
}

#[test]
fn a_store_that_starves_accounts_is_caught() {
    check(Fault::StarvesAccounts, "take::an_account_with_a_backlog_leaves_room_for_others");
}

#[test]
fn a_store_that_starves_recoveries_is_caught() {
    check(Fault::StarvesRecoveries, "recoveries::a_long_recovery_holds_up_no_other");
}

#[test]
fn a_store_that_tells_everybody_is_caught() {
    check(Fault::TellsEverybody, "events::nothing_is_written_where_nobody_listens");
}
