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
fn a_store_that_forgets_is_caught() {
    check(Fault::Forgets, "accept::an_accepted_message_is_found");
    check(Fault::Forgets, "deliver::a_message_goes_out");
}

#[test]
fn a_store_that_ignores_a_fence_is_caught() {
    check(Fault::IgnoresFence, "fence::a_finish_with_an_old_fence_changes_nothing");
}

#[test]
fn a_store_that_ignores_a_suppression_is_caught() {
    check(Fault::IgnoresSuppression, "suppression::a_start_after_a_suppression_is_canceled");
}

#[test]
fn a_store_that_leaks_is_caught() {
    check(Fault::Leaks, "apart::another_accounts_message_is_not_found");
}

#[test]
fn a_store_that_starts_twice_is_caught() {
    check(Fault::StartsTwice, "deliver::a_claimed_delivery_is_not_claimed_again");
}
