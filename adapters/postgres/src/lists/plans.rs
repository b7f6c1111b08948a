//! Plans: that a list costs as much as its page, however long the log is, also behind row level security.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gatepost_cluster::Cluster;

use super::statements::LISTS;
use crate::Options;
use crate::connect::{Database, ONE_PLAN, PLANNING};

const MINE: &str = "decode(repeat('07', 16), 'hex')";
const OTHERS: &str = "decode(repeat('08', 16), 'hex')";

/// An id that was made so many milliseconds behind a time.
fn id(millis: &str) -> String {
    format!("decode(lpad(to_hex(1700000000000 + {millis}), 12, '0') || repeat('a1', 10), 'hex')")
}

/// Rows of an account, as many as tell a plan that reads a page from one that reads them all. Of what the filters below ask for there is
/// little, and far behind.
fn fill(account: &str) -> String {
    let (id, of) = (id("n"), "FROM generate_series(1, 4000) AS n");
    format!(
        "INSERT INTO event_deliveries
             SELECT {account}, {id}, {id}, 'message.sent', {account}, CASE WHEN n % 50 = 0 THEN 2 ELSE 1 END, NULL, NULL, 1,
                 CASE WHEN n % 500 = 0 THEN '{{}}' END, NULL, NULL, n, n {of};
         INSERT INTO events SELECT {account}, {id}, 'message.sent', NULL, 1700000000000 + n, '' {of};
         INSERT INTO outbox (delivery, account, shard, channel, place, item, log_id, state, due, expires_at, fence, tries, put_off)
             SELECT {id}, {account}, 1, 1, {account}, {id}, 0, CASE WHEN n % 20 = 0 THEN 2 ELSE 0 END, n, n, 0, 0, 0 {of};
         INSERT INTO policy_events
             SELECT {account}, n, n, NULL, {account}, {account}, CASE WHEN n % 100 = 0 THEN 'block' ELSE 'allow' END, '{{}}' {of};
         INSERT INTO inbound
             SELECT {account}, {id}, {id}, CASE WHEN n % 800 = 1 THEN {RARE} ELSE {account} END, {id}, {id}, NULL, 'k',
                 CASE n % 800 WHEN 2 THEN 'other' WHEN 3 THEN 'status' ELSE 'message' END, NULL, n, NULL, NULL, '{{}}' {of};
         INSERT INTO messages
             SELECT {account}, {id}, n, CASE WHEN n % 800 = 1 THEN {RARE} ELSE {account} END, {id}, 'a', 'support', NULL, 'live', '{{}}', 0,
                 CASE n % 800 WHEN 2 THEN 'failed' WHEN 3 THEN 'held' WHEN 4 THEN 'refused' WHEN 5 THEN 'queued' WHEN 6 THEN 'sending'
                     WHEN 7 THEN 'unknown' ELSE 'read' END,
                 CASE WHEN n % 800 = 2 THEN 'refused' END, NULL, NULL, NULL, NULL, {id}, NULL, NULL, n, n {of};
         INSERT INTO reviews
             SELECT {account}, {id}, CASE WHEN n % 800 = 3 THEN 'rare' ELSE 'often' END, n, n, n, NULL, NULL, NULL,
                 CASE WHEN n % 800 = 3 THEN NULL ELSE n END, NULL, NULL, NULL {of};
         INSERT INTO attempts SELECT {account}, {id}, 1, n, n, '{{}}' {of} WHERE n % 800 IN (2, 7);
         INSERT INTO outbox (delivery, account, shard, channel, place, item, log_id, state, due, expires_at, fence, tries, put_off)
             SELECT {in_doubt}, {account}, 1, CASE WHEN n % 800 = 3 THEN 2 ELSE 0 END, {account}, {id}, 0,
                 CASE n % 800 WHEN 6 THEN 2 WHEN 7 THEN 4 ELSE 0 END, n, n, 0, 0, 0 {of} WHERE n % 800 IN (3, 5, 6, 7);
         INSERT INTO suppressions SELECT {account}, {id}, {id}, 'x', 'opt_out', NULL, n, 'app', NULL, NULL {of};
         INSERT INTO addresses SELECT {account}, 'a' || n, {id} {of};",
        in_doubt = self::id("n + 10000"),
    )
}

/// An instance from which little was sent.
const RARE: &str = "decode(repeat('09', 16), 'hex')";

/// How many rows a page may cost that are not on it.
const PASSED_MAX: usize = 150;

#[test]
fn a_list_is_answered_from_an_index_whatever_lies_behind_its_page() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = cluster.create().expect("a database");
    let _open = Database::open(&database.url(), &Options::default()).expect("it opens");
    database.run(&format!("{}{}ANALYZE", fill(MINE), fill(OTHERS))).expect("rows");
    let page = id("2000");
    let messages = |status: &str, instance: &str| format!("{MINE}, {page}, {status}, {instance}, 50");
    let inbound = |instance: &str, class: &str| format!("{MINE}, {page}, {instance}, {class}, 50");
    let cases = [
        ("DELIVERIES", format!("{MINE}, {page}, NULL, NULL, 0, 50"), "((account = $1) AND (id < $2))"),
        ("OUTBOX_OF_DELIVERIES", format!("{MINE}, {page}, NULL, NULL, 0, 50"), "(delivery = ANY ("),
        ("DELIVERIES_TO_ENDPOINT", format!("{MINE}, {page}, {MINE}, NULL, 0, 50"), "(endpoint = $3) AND (id < $2))"),
        ("DELIVERIES_NOT_TAKEN", format!("{MINE}, {page}, NULL, 2, 0, 50"), "event_deliveries_not_taken"),
        ("QUEUED", format!("{MINE}, {page}, NULL, 0, 50"), "(id = ANY ("),
        ("DELIVERIES_OF_EVENT", format!("{MINE}, {page}, 0"), "((account = $1) AND (id >= $"),
        ("DELIVERIES_OF_EVENT", format!("{MINE}, {page}, 0"), "((account = $1) AND (event = $2))"),
        ("OUTBOX_OF_EVENT", format!("{MINE}, {page}, 0"), "(delivery = ANY ("),
        ("POLICY_EVENTS", format!("{MINE}, 2000, NULL, 0, NULL, NULL, NULL, NULL, 50"), "((account = $1) AND (seq < $2))"),
        ("POLICY_EVENTS_AGAINST", format!("{MINE}, 2000, NULL, 0, NULL, NULL, NULL, 'block', 50"), "policy_events_against"),
        ("MESSAGES", messages("NULL", "NULL"), "((account = $1) AND (id < $2))"),
        ("MESSAGES", messages("'read'", "NULL"), "((account = $1) AND (id < $2))"),
        ("MESSAGES_FROM_INSTANCE", messages("NULL", RARE), "messages_of_instance"),
        ("MESSAGES_NOT_SENT", messages("'failed'", "NULL"), "messages_with_error"),
        ("MESSAGES_QUEUED", messages("'queued'", "NULL"), "outbox_messages_of_contact"),
        ("MESSAGES_SENDING", messages("'sending'", "NULL"), "outbox_messages_leased"),
        ("MESSAGES_HELD", messages("'held'", "NULL"), "reviews_open_of_account"),
        ("MESSAGES_IN_DOUBT", messages("'unknown'", "NULL"), "attempts_pkey"),
        ("MESSAGES_IN_DOUBT", messages("'unknown'", "NULL"), "outbox_parked"),
        ("REVIEWS", format!("{MINE}, {page}, NULL, NULL, 50"), "((account = $1) AND (message < $2))"),
        ("REVIEWS", format!("{MINE}, {page}, 0, NULL, 50"), "((account = $1) AND (message < $2))"),
        ("REVIEWS_OPEN", format!("{MINE}, {page}, 1, 'often', 50"), "reviews_open_of_account"),
        ("REVIEWS_OF_RULE", format!("{MINE}, {page}, 0, 'rare', 50"), "reviews_of_rule"),
        ("INBOUND", inbound("NULL", "NULL"), "((account = $1) AND (id < $2))"),
        ("INBOUND", inbound("NULL", "'message'"), "((account = $1) AND (id < $2))"),
        ("OUTBOX_OF_INBOUND", inbound("NULL", "NULL"), "(delivery = ANY ("),
        ("INBOUND_AT_INSTANCE", inbound(RARE, "NULL"), "inbound_of_instance"),
        ("INBOUND_AT_INSTANCE", inbound(RARE, "'message'"), "inbound_of_instance"),
        ("CONTACTS_OF_INBOUND_AT_INSTANCE", inbound(RARE, "NULL"), "inbound_of_instance"),
        ("INBOUND_APART", inbound("NULL", "'other'"), "inbound_apart"),
        ("INBOUND_APART", inbound(RARE, "'quarantined'"), "inbound_apart"),
        ("STATUSES", inbound("NULL", "'status'"), "outbox_inbox_waiting"),
        ("SUPPRESSIONS", format!("{MINE}, {page}, 1, 50"), "((account = $1) AND (id < $2))"),
        ("SUPPRESSIONS_OF_ADDRESS", format!("{MINE}, 'a77', {page}, 1, 50"), "suppressions_of_contact"),
        ("EVENT_ROWS", format!("{MINE}, 300, 50"), "((account = $1) AND (seq > $2))"),
    ];
    for (name, values, expected) in cases {
        let text = LISTS.iter().find(|list| list.name == name).expect("a list").text();
        let explain = format!(
            "SET ROLE gatepost_app; {ONE_PLAN} {PLANNING}
             SET gatepost.accounts = '{{\"\\\\x07070707070707070707070707070707\"}}';
             PREPARE list AS {text}; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE list({values})"
        );
        let plan: Vec<String> = database.run(&explain).expect("a plan").into_iter().flatten().flatten().collect();
        assert!(plan.iter().any(|line| line.contains(expected)), "{name} is not read by `{expected}`: {plan:#?}");
        let passed: usize = plan.iter().filter_map(|line| line.split("Removed by Filter: ").nth(1)?.parse::<usize>().ok()).sum();
        assert!(passed <= PASSED_MAX, "{name} passes {passed} rows over: {plan:#?}");
    }
}
