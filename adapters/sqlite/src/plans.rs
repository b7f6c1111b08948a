//! Plans: how SQLite finds what the hot path and the logs ask for. Each lookup has its index, whatever the tables hold: without one, its
//! work would grow with all there is, and a claim of messages would walk over events.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use rusqlite::Connection;

use crate::{
    accounts, contacts, deliver, deliveries, events, inbox, integrations, notices, outbox, policy_events, replays, retention, schema,
    seals, take, traffic,
};

fn empty() -> Connection {
    let mut connection = Connection::open_in_memory().expect("memory is there");
    schema::migrate(&mut connection).expect("an empty database can be migrated");
    connection
}

/// A database whose statistics speak for reading whole tables: all is of one account and in one place.
fn lopsided() -> Connection {
    const ROWS: &str = "
        CREATE TEMP TABLE numbers AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n;
        INSERT INTO outbox SELECT CAST(printf('%016d', i) AS BLOB), zeroblob(16), 0, NULL, i % 2, zeroblob(16), zeroblob(16), zeroblob(16), NULL, i,
                                  (i / 2) % 2 * 2, i, i, 0, 0, 0, NULL FROM numbers;
        INSERT INTO outbox SELECT CAST(printf('in%014d', i) AS BLOB), zeroblob(16), 0, NULL, 2, zeroblob(16), zeroblob(16), NULL, NULL, i,
                                  0, i, i, 0, 0, 0, NULL FROM numbers;
        INSERT INTO contacts SELECT zeroblob(16), CAST(printf('%016d', i) AS BLOB), NULL, NULL, iif(i % 3 = 0, zeroblob(16), NULL),
                                    iif(i % 3 = 0, i, NULL), NULL, printf('+999501%06d', i), NULL, NULL, NULL, iif(i % 2 = 0, zeroblob(16), NULL), 0, 0, NULL, NULL, NULL, NULL
                                    FROM numbers;
        INSERT INTO inbound_keys SELECT zeroblob(16), CAST(printf('%016d', i) AS BLOB), i FROM numbers;
        INSERT INTO event_deliveries SELECT zeroblob(16), CAST(printf('%016d', i) AS BLOB), zeroblob(16), 'message.sent', zeroblob(16),
                                            i % 5, NULL, NULL, 0, iif(i % 3 = 0, '{}', NULL), NULL, NULL, i, i FROM numbers;
        ANALYZE;";
    let connection = empty();
    connection.execute_batch(ROWS).expect("rows");
    connection
}

/// The steps by which SQLite runs a statement.
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement of this schema");
    statement.raw_query().mapped(|row| row.get("detail")).collect::<Result<_, _>>().expect("a plan")
}

#[track_caller]
fn check(sql: &str, expected: &[&str]) {
    for connection in [empty(), lopsided()] {
        assert_eq!(plan(&connection, sql), expected, "{sql}");
    }
}

#[test]
fn a_claim_walks_over_messages_that_are_due_and_over_nothing_else() {
    check(deliver::NEXT_ACCOUNT, &["SEARCH outbox USING COVERING INDEX outbox_messages_waiting (account>?)"]);
    check(deliver::NEXT_INSTANCE, &["SEARCH outbox USING COVERING INDEX outbox_messages_waiting (account=? AND place>?)"]);
    check(deliver::HAS_DUE, &["SEARCH outbox USING COVERING INDEX outbox_messages_waiting (account=? AND place=? AND due<?)"]);
    check(deliver::NEXT_DUE, &["SEARCH outbox USING COVERING INDEX outbox_messages_waiting (account=? AND place=? AND due>?)"]);
    check(
        deliver::DUE,
        &[
            "SEARCH o USING INDEX outbox_messages_waiting (account=? AND place=? AND due<?)",
            "CORRELATED SCALAR SUBQUERY 1",
            "SEARCH p USING INDEX outbox_messages_ordered (account=? AND order_key=? AND log_id<?)",
        ],
    );
}

#[test]
fn a_take_walks_over_events_that_are_due_and_over_nothing_else() {
    let endpoint = "SEARCH e USING PRIMARY KEY (account=? AND id=?) LEFT-JOIN";
    check(take::NEXT_QUEUE, &["SEARCH o USING COVERING INDEX outbox_events_waiting (account=? AND place>?)", endpoint]);
    check(take::NEXT_ACCOUNT, &["SEARCH o USING COVERING INDEX outbox_events_waiting (account>?)", endpoint]);
    check(
        take::DUE,
        &[
            "SEARCH o USING INDEX outbox_events_waiting (account=? AND place=? AND due<?)",
            "SEARCH e USING PRIMARY KEY (account=? AND id=?) LEFT-JOIN",
        ],
    );
}

#[test]
fn what_is_in_flight_at_an_endpoint_is_counted_in_its_index() {
    check(take::IN_FLIGHT_OF_ACCOUNT, &["SEARCH outbox USING COVERING INDEX outbox_events_in_flight (account=?)"]);
    check(take::IN_FLIGHT, &["SEARCH outbox USING COVERING INDEX outbox_events_in_flight (account=? AND place=?)"]);
}

#[test]
fn a_sweep_finds_what_is_overdue_without_looking_at_what_waits() {
    check(deliver::MESSAGES_LEASED, &["SEARCH o USING INDEX outbox_messages_leased (due<?)"]);
    check(deliver::MESSAGES_EXPIRED, &["SEARCH o USING INDEX outbox_messages_expiring (expires_at<?)"]);
    check(notices::LEASED, &["SCAN o USING INDEX outbox_events_in_flight"]);
    check(notices::EXPIRED, &["SEARCH o USING PRIMARY KEY (delivery<?)"]);
    check(notices::EXPIRED_IN_LINE, &["SEARCH o USING INDEX outbox_events_in_line_expiring (expires_at<?)"]);
}

#[test]
fn a_heed_walks_over_what_came_in_and_over_nothing_else() {
    check(inbox::NEXT_ACCOUNT, &["SEARCH outbox USING COVERING INDEX outbox_inbox_waiting (account>?)"]);
    check(inbox::NEXT, &["SEARCH outbox USING INDEX outbox_inbox_waiting (account=?)"]);
}

#[test]
fn policy_events_against_a_message_are_found_without_looking_at_the_others() {
    check(
        &policy_events::query(Some(gatepost::VerdictWord::Block)),
        &[
            "SEARCH policy_events USING INDEX policy_events_against (account=? AND verdict=? AND seq<?)",
            "CORRELATED SCALAR SUBQUERY 1",
            "SCAN r VIRTUAL TABLE INDEX 3:",
        ],
    );
}

#[test]
fn what_is_to_be_sealed_or_dropped_is_found_without_looking_at_what_was() {
    check(seals::OLD, &["SEARCH seals USING INDEX seals_kept (newest_at<?)"]);
    check(
        seals::UNSEALED,
        &[
            "SEARCH a USING PRIMARY KEY (id>?)",
            "SEARCH e USING PRIMARY KEY (account=? AND seq=?)",
            "CORRELATED SCALAR SUBQUERY 2",
            "SEARCH n USING PRIMARY KEY (account=? AND seq>?)",
            "CORRELATED SCALAR SUBQUERY 1",
            "SEARCH s USING PRIMARY KEY (account=?)",
        ],
    );
    check(
        seals::ROOTS,
        &[
            "CO-ROUTINE named",
            "SETUP",
            "SEARCH seals USING COVERING INDEX seals_by_root",
            "RECURSIVE STEP",
            "SCAN named",
            "CORRELATED SCALAR SUBQUERY 2",
            "SEARCH s USING COVERING INDEX seals_by_root (root>?)",
            "SCAN named",
        ],
    );
}

#[test]
fn what_waits_for_a_contact_is_found_without_looking_at_what_waits_for_others() {
    check(
        contacts::WAITING,
        &[
            "SEARCH o USING INDEX outbox_messages_of_contact (account=? AND contact=?)",
            "LIST SUBQUERY 2",
            "COMPOUND QUERY",
            "LEFT-MOST SUBQUERY",
            "SCAN CONSTANT ROW",
            "UNION ALL",
            "SEARCH contacts USING COVERING INDEX contacts_merged (account=? AND merged_into=?)",
        ],
    );
}

#[test]
fn contacts_without_a_doubt_are_not_looked_at() {
    check(contacts::SUSPECTED, &["SEARCH contacts USING INDEX contacts_suspected (account=? AND id>?)"]);
}

#[test]
fn the_keys_of_what_was_told_are_forgotten_by_their_age() {
    check(
        retention::OLD_INBOUND_KEYS,
        &[
            "SEARCH inbound_keys USING PRIMARY KEY (account=? AND key=?)",
            "LIST SUBQUERY 2",
            "SEARCH inbound_keys USING COVERING INDEX inbound_keys_by_age (told_at<?)",
        ],
    );
}

#[test]
fn counts_of_traffic_are_found_and_forgotten_by_their_day() {
    check(traffic::TEXT, &["SEARCH same_texts USING PRIMARY KEY (account=? AND mode=? AND day=? AND print=?)"]);
    check(traffic::DAYS, &["SEARCH traffic USING PRIMARY KEY (account=? AND mode=? AND day>?)"]);
    check(
        traffic::OLD_DAYS,
        &[
            "SEARCH traffic USING PRIMARY KEY (account=? AND mode=? AND day=?)",
            "LIST SUBQUERY 2",
            "SEARCH traffic USING PRIMARY KEY (account=? AND mode=? AND day<?)",
        ],
    );
    check(
        traffic::OLD_TEXTS,
        &[
            "SEARCH same_texts USING PRIMARY KEY (account=? AND mode=? AND day=? AND print=?)",
            "LIST SUBQUERY 2",
            "SEARCH same_texts USING PRIMARY KEY (account=? AND mode=? AND day<?)",
        ],
    );
}

/// How it is found whether an endpoint is for the operator.
const FOR_OPERATOR: [&str; 2] = ["CORRELATED SCALAR SUBQUERY 1", "SEARCH e USING PRIMARY KEY (account=? AND id=?)"];

#[test]
fn a_page_of_the_log_is_read_from_an_index() {
    let outbox = "SEARCH o USING PRIMARY KEY (delivery=?) LEFT-JOIN";
    let page = |sql, plan| check(sql, &[plan, FOR_OPERATOR[0], FOR_OPERATOR[1], outbox]);
    page(deliveries::PAGE, "SEARCH d USING PRIMARY KEY (account=? AND id<?)");
    page(deliveries::PAGE_OF_ENDPOINT, "SEARCH d USING INDEX event_deliveries_of_endpoint (account=? AND endpoint=? AND id<?)");
    page(deliveries::PAGE_NOT_TAKEN, "SEARCH d USING INDEX event_deliveries_not_taken (account=? AND id<?)");
    check(
        deliveries::OF_ENDPOINT,
        &["SEARCH d USING INDEX event_deliveries_of_endpoint (account=? AND endpoint=? AND id>? AND id<?)", outbox],
    );
}

#[test]
fn who_is_next_in_a_line_is_found_without_looking_at_who_is_not() {
    let line = "SEARCH outbox USING COVERING INDEX outbox_messages_ordered (account=? AND order_key=?)";
    check(outbox::IN_LINE, &["SCAN CONSTANT ROW", "SCALAR SUBQUERY 1", &line.replace("COVERING ", "")]);
    check(outbox::NEXT_IN_LINE, &["SEARCH outbox USING PRIMARY KEY (delivery=?)", "SCALAR SUBQUERY 1", &line.replace("COVERING ", "")]);
}

#[test]
fn the_log_of_phone_systems_is_read_from_its_newest_and_forgotten_from_its_oldest() {
    check(
        integrations::LOG,
        &[
            "SEARCH e USING PRIMARY KEY (account=? AND id<?)",
            "SEARCH m USING PRIMARY KEY (account=? AND id=?) LEFT-JOIN",
            "SEARCH d USING PRIMARY KEY (account=? AND id=?) LEFT-JOIN",
            "SEARCH o USING PRIMARY KEY (delivery=?) LEFT-JOIN",
        ],
    );
    check(
        integrations::FORGET,
        &[
            "SEARCH integration_entries USING PRIMARY KEY (account=? AND id=?)",
            "LIST SUBQUERY 2",
            "SEARCH integration_entries USING COVERING INDEX integration_entries_by_age (at<?)",
        ],
    );
}

#[test]
fn the_deliveries_of_an_event_are_found_without_an_index_of_events() {
    check(deliveries::FIRST_OF_EVENT, &["SEARCH event_deliveries USING PRIMARY KEY (account=? AND id>? AND id<?)"]);
    check(deliveries::REPEATS_OF_EVENT, &["SEARCH event_deliveries USING INDEX event_deliveries_repeated (account=? AND event=?)"]);
    check(
        retention::UNNAMED_EVENTS,
        &[
            "SEARCH e USING PRIMARY KEY (account=? AND id<?)",
            "CORRELATED SCALAR SUBQUERY 1",
            "SEARCH d USING PRIMARY KEY (account=? AND id>? AND id<?)",
            "CORRELATED SCALAR SUBQUERY 2",
            "SEARCH d USING INDEX event_deliveries_repeated (account=? AND event=?)",
        ],
    );
}

#[test]
fn what_is_pending_of_an_account_is_found_in_the_outbox() {
    let newest_first = "USE TEMP B-TREE FOR ORDER BY";
    let pending = |sql, plan| check(sql, &[plan, FOR_OPERATOR[0], FOR_OPERATOR[1], newest_first]);
    pending(deliveries::QUEUED, "SEARCH o USING COVERING INDEX outbox_events_waiting (account=?)");
    pending(deliveries::SENDING, "SEARCH o USING COVERING INDEX outbox_events_in_flight (account=?)");
}

#[test]
fn the_instance_that_a_provider_names_is_found_by_its_id() {
    check(accounts::INSTANCE_BY_ID, &["SEARCH instances USING INDEX instances_by_id (id=?)"]);
}

#[test]
fn recoveries_that_are_over_are_not_looked_at() {
    check(replays::NEXT, &["SEARCH recoveries USING INDEX recoveries_open (id>?)"]);
}

#[test]
fn where_the_operator_has_no_endpoint_one_look_shows_it() {
    check(events::OPERATORS_ACCOUNTS, &["SCAN endpoints USING INDEX endpoints_for_operator"]);
}
