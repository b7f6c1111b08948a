//! Cases: the one list of what a store and a transport must do.
//!
//! A case is a function of the same name in the module of its subject. The list is handed to another macro, so that the suites and
//! [`CASES`](crate::CASES) cannot differ; a case that is missing here is dead code, which the compiler reports.

/// Hands all store cases to `$then`, behind what was given.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($then:ident $given:tt) => {
        $crate::$then! {
            $given
            accept {
                an_allowed_message_is_queued
                an_accepted_message_is_found
                a_message_nobody_sent_is_not_found
                a_message_keeps_what_it_was_given
                every_kind_of_content_comes_back_as_it_was
                an_instance_may_be_called_by_its_name
                a_submission_for_an_unknown_instance_leaves_nothing_behind
                an_account_that_nobody_made_has_no_instance
                a_blocked_message_is_no_message
                a_refusal_is_a_policy_event_without_a_message
                a_policy_event_says_what_it_is_about
                the_events_of_a_message_are_found
                deciding_again_gives_the_same_answer
                a_policy_event_holds_no_text_and_no_address
                log_ids_count_up_without_gaps
                a_batch_is_answered_in_order
                an_empty_batch_has_no_answers
                the_decider_sees_what_the_batch_has_charged
                a_panicking_decider_fails_its_request_only
                a_panicking_decider_leaves_nothing_behind
                a_contact_is_made_by_the_first_message_and_kept
                a_refused_message_makes_its_contact_too
                what_was_not_examined_is_held
                what_goes_at_once_is_started
                a_permit_is_given_the_attempt_only_after_commit
                an_unused_permit_is_dropped
                what_is_queued_is_told
                the_facts_shown_are_those_decided_from
                there_are_no_facts_without_an_instance
                asking_for_facts_writes_nothing
                a_store_that_works_says_so
            }
            idempotency {
                a_repeat_gets_the_same_message
                a_repeat_is_charged_once
                a_repeat_tells_the_present_status
                a_repeat_is_not_decided_again
                another_request_under_the_same_key_is_turned_away
                a_test_message_does_not_stand_for_a_live_one
                the_key_is_looked_at_before_the_instance
                a_key_that_is_no_longer_in_force_gets_no_repeat
                a_key_is_bound_for_a_day
                a_sweep_forgets_only_keys_that_are_free
                a_refused_message_binds_no_key
                a_throttled_message_binds_no_key
                a_held_message_binds_its_key
                a_key_twice_in_a_batch_is_one_message
                without_a_key_every_request_is_a_message
                keys_are_told_apart_to_the_letter
                accounts_do_not_share_keys
                a_repeat_drops_its_permit
            }
            quota {
                an_allowed_message_is_charged_once
                a_batch_is_charged_message_by_message
                a_used_up_day_ends_at_midnight
                a_used_up_month_ends_with_it
                a_day_begins_in_the_zone_of_the_account
                a_change_of_zone_counts_from_the_next_month
                other_limits_count_at_once
                test_messages_have_a_usage_of_their_own
                an_account_that_nobody_made_has_no_usage
                a_refused_message_is_not_charged
                a_held_message_is_charged_when_released
                a_released_message_that_is_canceled_is_returned
                a_held_message_that_is_refused_is_never_charged
                a_second_try_is_not_charged
                a_canceled_message_is_returned
                an_expired_message_is_returned
                a_message_that_failed_on_every_try_is_returned
                a_message_without_a_transport_is_returned
                what_the_provider_refused_stays_charged
                what_is_in_doubt_stays_charged
                a_doubt_resolved_as_not_sent_is_returned
                what_never_reached_the_provider_is_returned_to_the_window_it_was_charged_in
                a_charge_is_returned_over_midnight_within_the_month
                a_test_message_is_returned_to_the_usage_of_tests
                a_charge_is_returned_once
                what_was_returned_may_be_used_again
                the_answer_to_a_throttled_message_says_what_is_left
            }
            velocity {
                an_account_goes_no_faster_than_its_rate
                each_instance_has_a_rate_of_its_own
                each_recipient_has_a_rate_of_their_own
                each_account_has_a_rate_of_its_own
                a_batch_is_as_fast_as_its_messages
                a_refused_message_takes_no_time
                a_held_message_takes_its_time_when_released
            }
            suppression {
                a_suppressed_contact_is_not_written_to
                other_contacts_may_be_written_to
                a_start_after_a_suppression_is_canceled
                a_queued_message_is_canceled_too
                a_second_try_after_a_suppression_is_canceled
                what_was_started_before_is_recorded
                who_is_suppressed_is_not_written_to_at_once
                a_lifted_suppression_lets_through
                suppressing_twice_for_the_same_cause_keeps_the_first
                the_strictest_cause_in_force_counts
                the_facts_tell_since_when
                after_a_lift_the_same_cause_is_a_new_suppression
                lifting_twice_keeps_the_first_time
                what_is_not_there_cannot_be_lifted
                a_suppression_keeps_what_it_was_given
                a_suppression_makes_its_contact
                a_suppression_is_of_the_contact_that_was_written_to
                a_code_reaches_who_opted_out
                a_code_does_not_reach_who_complained
                a_code_stays_away_where_the_operator_said_so
                suppressions_are_found_by_address
                suppressions_in_force_are_found
            }
            deliver {
                a_message_goes_out
                an_attempt_is_written_before_it_is_sent
                an_attempt_keeps_its_times_and_its_outcome
                each_attempt_has_an_outcome_of_its_own
                a_parcel_holds_what_was_accepted
                what_goes_at_once_has_the_same_parcel
                a_test_message_goes_to_the_sandbox
                a_claimed_delivery_is_not_claimed_again
                a_claim_takes_no_more_than_its_limit
                what_is_due_first_is_claimed_first
                a_paused_account_is_not_claimed
                a_suspended_account_is_not_claimed
                a_paused_instance_is_not_claimed
                an_unconnected_instance_is_not_claimed
                what_was_paused_after_the_claim_waits
                every_hindrance_is_read_again_at_the_start
                what_is_given_back_is_due_again
                a_refusal_by_the_provider_is_final
                what_was_not_sent_is_tried_again_when_its_wait_is_over
                the_wait_that_the_provider_asked_for_is_kept
                there_is_an_end_to_trying
                what_may_have_been_sent_is_not_sent_again
                a_doubt_is_resolved_as_sent
                a_doubt_is_resolved_as_not_sent
                only_a_doubt_can_be_resolved
                an_expired_lease_leaves_a_started_attempt_in_doubt
                what_went_at_once_is_swept_too
                an_expired_lease_makes_an_unstarted_delivery_due
                a_doubt_ends_when_the_message_would_expire
                a_doubt_can_be_resolved_to_the_last_moment
                what_waits_too_long_expires
                what_has_expired_is_not_claimed
                what_expires_after_the_claim_is_not_started
                a_wait_that_outlasts_the_message_ends_it
                a_sweep_tells_only_of_what_changed
                a_sweep_closes_no_more_than_its_limit
                the_next_due_is_never_told_too_late
                a_batch_of_starts_is_answered_in_order
                a_batch_of_finishes_is_answered_in_order
                every_kind_of_content_is_delivered_as_it_was
                jitter_lengthens_the_wait
            }
            fence {
                a_claim_raises_the_fence
                a_start_with_an_old_fence_is_stale
                a_finish_with_an_old_fence_changes_nothing
                a_second_start_is_stale
                the_same_claim_twice_in_a_batch_starts_once
                a_second_finish_is_stale
                a_finish_after_the_sweep_is_stale
                a_late_finish_counts_until_the_sweep
                what_was_not_claimed_cannot_be_started
                what_was_not_started_cannot_be_finished
                giving_back_with_an_old_fence_changes_nothing
                a_started_attempt_is_not_given_back
            }
            fairness {
                an_account_with_a_backlog_leaves_room_for_others
                a_claim_goes_on_behind_the_last_account
                a_claim_that_saw_every_account_begins_anew
                every_backlog_is_claimed_in_the_end
                a_paused_account_takes_no_room
            }
            order {
                an_ordered_message_waits_for_the_one_before
                an_ordered_message_waits_while_the_one_before_is_tried_again
                an_ordered_message_waits_for_a_doubt
                a_failed_message_lets_the_next_one_go
                conversations_do_not_wait_for_each_other
                what_is_not_ordered_waits_for_nothing
                an_ordered_message_does_not_go_at_once_behind_another
                an_ordered_message_goes_at_once_when_it_is_the_first
                a_batch_that_goes_at_once_keeps_its_order
                released_messages_keep_their_order
                what_is_given_back_keeps_its_place
            }
            review {
                a_held_message_waits_for_a_person
                a_released_message_goes_out
                a_release_is_told
                a_refused_message_stays
                what_is_not_held_cannot_be_reviewed
                a_review_is_closed_once
                a_closed_review_is_shown_as_it_is
                a_release_is_decided_again
                a_release_is_a_policy_event_of_its_own
                a_release_beyond_the_quota_stays_open
                a_release_with_a_fact_missing_stays_open
                a_review_that_nobody_answers_expires
                open_reviews_are_found
            }
            keys {
                a_key_comes_back_as_it_was
                a_key_is_found_whoever_it_belongs_to
                keys_are_listed_newest_first
                a_revoked_key_stays_revoked_since_the_first_time
                what_is_not_there_cannot_be_revoked
                a_reroll_adds_a_key_and_ends_the_old_one
                a_reroll_never_lengthens_a_life
                only_a_key_in_force_is_rerolled
                a_key_was_last_used_at_the_latest_time
                a_message_by_a_key_in_force_is_queued
                a_message_by_a_revoked_key_is_blocked
                a_message_by_an_expired_key_is_blocked
                a_message_by_an_unknown_key_is_held
                operator_keys_are_a_list_of_their_own
                an_operator_key_is_revoked_by_the_operator_only
                the_roots_that_keys_name_are_known
            }
            accounts {
                an_account_comes_back_as_it_was
                every_plan_comes_back_as_it_was
                an_account_that_nobody_made_is_not_found
                accounts_are_listed_newest_first
                a_change_changes_what_it_names
                an_empty_change_changes_nothing
                what_was_set_can_be_unset
                a_paused_account_sends_nothing
                a_suspended_account_sends_nothing
                a_supervised_account_has_its_messages_held
                an_instance_comes_back_as_it_was
                an_instance_that_nobody_made_is_not_found
                the_name_of_an_instance_is_taken_once
                instances_are_listed_by_name
                a_changed_instance_keeps_what_was_not_named
                an_instance_is_changed_while_its_pause_is_the_expected_one
                an_account_is_changed_while_its_pause_is_the_expected_one
                a_paused_instance_sends_nothing
                an_unconnected_instance_sends_nothing
            }
            endpoints {
                an_endpoint_comes_back_as_it_was
                every_cause_of_being_disabled_comes_back_as_it_was
                an_endpoint_that_nobody_made_is_not_found
                endpoints_are_listed_oldest_first
                there_is_an_end_to_endpoints
                a_change_changes_what_it_names
                a_change_for_an_old_revision_meets_a_conflict
                another_url_must_be_verified_again
                enabling_an_endpoint_clears_its_failures
                a_removed_endpoint_stays_for_the_log
                the_roots_that_endpoints_name_are_known
            }
            events {
                an_accepted_message_is_told
                a_change_of_status_is_told
                what_goes_at_once_is_told_as_queued
                a_message_that_goes_out_is_told_twice
                a_withdrawn_message_is_told
                an_expired_message_is_told
                a_doubt_and_its_end_are_told
                an_interrupted_attempt_is_told
                a_held_message_and_its_release_are_told
                a_refused_message_is_told
                a_review_that_nobody_answers_is_told
                a_blocked_send_is_told
                a_throttled_send_is_not_told
                a_repeated_send_is_not_told_again
                a_limit_that_is_reached_is_told
                a_limit_reached_by_a_release_is_told
                a_pause_and_its_end_are_told
                a_connection_that_changes_is_told
                nothing_is_written_where_nobody_listens
                an_event_comes_back_as_it_was
                an_endpoint_of_an_instance_hears_of_no_other
                a_change_of_status_comes_once_under_the_name_that_is_listed
                one_event_for_two_endpoints_is_two_deliveries
                a_delivery_is_written_with_its_event
                each_message_of_a_batch_is_told
                an_endpoint_hears_only_of_what_comes_after_it
                a_new_filter_counts_at_once
                a_test_is_told_whatever_the_filter
                a_disabled_endpoint_skips_what_is_told
                the_same_event_twice_is_written_once
                what_is_told_is_due
            }
            take {
                an_event_that_is_due_is_started
                an_attempt_is_written_before_the_event_is_sent
                messages_and_events_are_taken_apart
                what_was_taken_is_not_taken_again
                an_event_goes_to_the_endpoint_as_it_is_now
                a_batch_shares_its_endpoint
                a_take_takes_no_more_than_its_limit
                what_is_due_first_is_taken_first
                no_more_are_on_their_way_than_the_endpoint_wants
                each_endpoint_has_places_of_its_own
                a_failed_attempt_frees_its_place
                the_places_hold_over_many_workers
                an_endpoint_is_called_no_faster_than_it_wants
                a_rate_slows_its_endpoint_only
                a_paused_endpoint_holds_its_events
                an_unverified_endpoint_holds_its_events
                a_paused_account_still_gets_its_events
                what_waits_for_a_disabled_endpoint_is_skipped
                what_waits_for_a_removed_endpoint_is_skipped
                an_event_whose_body_is_forgotten_is_skipped
                what_was_started_before_is_recorded
                a_long_backlog_is_skipped_in_parts
                a_busy_endpoint_leaves_room_for_others
                every_endpoint_gets_its_turn
                an_account_with_a_backlog_leaves_room_for_others
                a_take_goes_on_behind_the_last_account
                a_take_that_saw_every_account_begins_anew
                every_backlog_is_taken_in_the_end
                the_next_due_is_told
                a_place_that_gets_free_is_told
                what_has_expired_is_not_taken
                messages_do_not_wait_for_events
            }
            deliveries {
                a_delivered_event_is_sent
                an_attempt_keeps_what_was_seen
                what_was_not_taken_is_tried_again
                an_event_that_may_have_arrived_is_sent_again
                there_is_an_end_to_trying
                what_the_receiver_puts_off_burns_no_try
                the_wait_that_the_receiver_asked_for_is_kept
                jitter_lengthens_the_wait_of_an_event
                what_the_receiver_wants_no_more_of_ends
                a_blocked_event_ends_as_blocked
                a_lease_that_is_over_is_tried_again
                a_crash_buys_no_try
                an_old_finish_changes_nothing
                a_second_finish_of_an_event_changes_nothing
                a_late_finish_of_an_event_counts_until_the_sweep
                what_waits_too_long_is_given_up
                a_sweep_closes_no_more_events_than_its_limit
                a_batch_of_messages_and_events_is_answered_in_order
                an_event_told_by_a_finish_goes_out_next
            }
            health {
                an_endpoint_that_is_gone_is_disabled
                an_endpoint_that_asks_for_it_is_disabled
                an_endpoint_whose_url_is_forbidden_is_disabled
                five_days_of_failure_disable
                a_success_clears_the_failures
                what_the_gateway_did_is_no_failure_of_the_endpoint
                an_endpoint_is_disabled_once
                who_does_not_listen_is_not_told_of_a_disabled_endpoint
                an_endpoint_that_was_enabled_gets_events_again
            }
            replays {
                a_replay_goes_out_again
                every_actor_of_a_replay_is_kept
                whatever_is_over_may_be_replayed
                a_replay_is_replayed_too
                what_is_not_there_is_not_replayed
                what_is_still_tried_is_not_replayed
                what_is_replayed_already_is_not_replayed
                another_endpoint_does_not_stand_in_the_way_of_a_replay
                nothing_is_replayed_to_a_removed_endpoint
                nothing_is_replayed_to_a_disabled_endpoint
                a_replay_to_a_paused_endpoint_waits
                history_does_not_go_to_a_changed_url
                what_came_after_the_url_is_replayed_to_it
                a_forgotten_body_is_not_replayed
            }
            recoveries {
                a_recovery_comes_back_as_it_was
                a_recovery_repeats_what_was_not_taken
                a_recovery_says_who_asked
                a_recovery_is_of_its_time_and_its_endpoint
                a_recovery_goes_on_part_by_part
                a_recovery_passes_over_what_was_taken
                a_canceled_recovery_does_no_more
                a_recovery_that_is_done_cannot_be_canceled
                an_endpoint_has_one_recovery_at_a_time
                a_recovery_needs_an_endpoint
                what_was_taken_since_is_left_alone
                what_was_missed_twice_is_repeated_once
                what_was_taken_once_and_missed_then_is_repeated
                what_a_recovery_wrote_it_does_not_repeat
                a_changed_url_is_left
                a_forgotten_body_is_left
                a_recovery_ends_with_its_endpoint
                a_recovery_of_a_paused_endpoint_waits_to_go_out
                the_oldest_recovery_goes_first
                a_crash_in_the_middle_repeats_nothing
            }
            apart {
                another_accounts_message_is_not_found
                another_accounts_lists_are_not_seen
                another_accounts_rows_cannot_be_changed
                another_accounts_endpoints_are_not_found
                another_accounts_endpoints_cannot_be_changed
                events_are_told_in_their_account_only
                accounts_use_the_same_names_apart
                a_suppression_holds_in_its_account_only
                a_pause_holds_in_its_account_only
                usage_is_counted_apart
                a_delivery_is_worked_on_under_its_own_account_only
                what_an_account_sees_does_not_depend_on_others
            }
            paging {
                messages_are_read_page_by_page
                what_arrives_meanwhile_is_on_no_later_page
                a_page_goes_on_behind_what_is_gone
                a_page_of_nothing_is_empty
                a_page_may_be_longer_than_the_list
                messages_are_found_by_status
                messages_are_found_by_instance
                suppressions_are_read_page_by_page
                reviews_are_read_page_by_page
                policy_events_are_read_page_by_page
                accounts_are_read_page_by_page
                deliveries_are_read_page_by_page
                what_is_told_meanwhile_is_on_no_later_page
                deliveries_are_found
                what_is_on_its_way_is_found
                recoveries_are_read_page_by_page
            }
            retention {
                the_content_of_a_finished_message_is_forgotten
                what_is_not_old_enough_is_kept
                what_is_not_finished_is_kept
                old_logs_are_removed
                young_logs_are_kept
                the_log_goes_on_counting
                no_more_is_forgotten_than_the_limit
                what_is_not_finished_stands_in_nobodys_way
                what_was_used_is_not_forgotten
                what_an_event_said_is_forgotten
                old_deliveries_are_removed
                an_event_on_its_way_stays_in_the_log
                old_recoveries_are_removed
                no_more_events_are_forgotten_than_the_limit
                endpoints_are_not_forgotten
            }
            reopen {
                an_accepted_message_outlives_the_store
                an_idempotency_key_outlives_the_store
                a_suppression_outlives_the_store
                a_quota_outlives_the_store
                an_open_attempt_outlives_the_store
                what_was_in_flight_is_in_doubt_and_not_sent_again
                a_claim_outlives_the_store
                a_held_message_outlives_the_store
                a_doubt_outlives_the_store
                a_key_outlives_the_store
                the_order_of_a_conversation_outlives_the_store
                the_log_counts_on
                an_endpoint_outlives_the_store
                an_event_outlives_the_store
                an_event_on_its_way_outlives_the_store
                an_event_whose_worker_is_gone_is_sent_again
                the_rate_of_an_endpoint_outlives_the_store
            }
            races {
                one_of_many_passes_where_one_is_left
                each_of_many_has_a_place_in_the_log
                the_same_key_from_many_is_one_message
                a_new_recipient_of_many_is_one_contact
                a_delivery_is_claimed_by_one
                an_attempt_is_started_by_one
                an_attempt_is_finished_by_one
                a_finish_and_a_sweep_do_not_both_count
                a_review_is_answered_by_one
                a_suppression_by_many_is_one
                no_attempt_starts_after_a_suppression_was_answered
                nothing_goes_at_once_after_a_suppression_was_answered
                a_start_held_across_a_suppression_does_not_pass_it
                the_name_of_an_instance_is_taken_by_one
                an_event_is_taken_by_one
                an_event_is_finished_by_one
                the_last_place_for_an_endpoint_is_taken_by_one
                an_endpoint_is_changed_by_one
                a_delivery_is_replayed_by_one
                a_recovery_is_begun_by_one
                a_recovery_by_many_repeats_each_once
                an_endpoint_is_disabled_by_one
            }
        }
    };
}

/// Hands all transport cases to `$then`, behind what was given.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_cases {
    ($then:ident $given:tt) => {
        $crate::$then! {
            $given
            transport {
                an_accepted_parcel_has_an_external_id
                two_parcels_have_two_external_ids
                parcels_may_be_sent_side_by_side
                what_is_past_its_deadline_is_not_sent
                a_send_that_was_given_up_spoils_no_other
            }
        }
    };
}

/// The cases as a table of names and functions.
macro_rules! table {
    ([] $($subject:ident { $($case:ident)* })*) => {
        &[$($((concat!(stringify!($subject), "::", stringify!($case)), $crate::$subject::$case),)*)*]
    };
}
pub(crate) use table;

/// The cases as tests, each with a name of its own.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ([$run:ident $harness:expr] $($subject:ident { $($case:ident)* })*) => {$(
        mod $subject {
            #[allow(unused_imports, reason = "the harness may need nothing of its surroundings")]
            use super::*;

            $(
                #[test]
                fn $case() {
                    $crate::$run(concat!(stringify!($subject), "::", stringify!($case)), &$harness);
                }
            )*
        }
    )*};
}
