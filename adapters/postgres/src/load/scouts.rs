//! Scouts: what is due in whatever account. They run behind the fence that shows all rows and lets none be changed; what they find is read
//! again under the locks of its accounts before anything is done with it.
//!
//! What stands in queues is found by when it is due, where that is little, and else by skipping from queue to queue along an index: neither
//! queues that wait nor a backlog cost more than a first row each.

use gatepost::AccountId;
use gatepost_rows::cells::Kind::{Bytes, Int, Text};
use gatepost_rows::cells::{Cell, Row};

use crate::sql::Scout;

macro_rules! scouts {
    ($($name:ident: $found:expr, $text:expr;)*) => {
        $(pub(crate) static $name: Scout = Scout { #[cfg(test)] name: stringify!($name), text: $text, found: $found };)*

        /// All of them.
        #[cfg(test)]
        pub(crate) static ALL: &[&Scout] = &[$(&$name),*];
    };
}

/// Whether nothing stands before `o` in its line.
macro_rules! is_first {
    () => {
        "(o.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.account = o.account AND p.order_key = o.order_key
                                             AND p.log_id < o.log_id AND p.state <> 4))"
    };
}

/// Whether messages go out at the place of `q`.
macro_rules! sends {
    () => {
        "CROSS JOIN LATERAL
             (SELECT 1 FROM accounts a WHERE a.id = q.account AND a.pause IS NULL AND a.suspended_at IS NULL OFFSET 0) AS a
         CROSS JOIN LATERAL
             (SELECT 1 FROM instances i WHERE i.account = q.account AND i.id = q.place AND i.pause IS NULL AND i.connection = 'open'
              OFFSET 0) AS i"
    };
}

/// Whether events go out at the place of `q`, or are to be ended there. What is held at its endpoint is not due.
macro_rules! takes {
    () => {
        "CROSS JOIN LATERAL
             (SELECT 1 FROM endpoints e WHERE e.account = q.account AND e.id = q.place
              AND (e.removed_at IS NOT NULL OR e.disabled IS NOT NULL OR (e.pause IS NULL AND e.verified_at IS NOT NULL)) OFFSET 0) AS e"
    };
}

/// The queues of a channel, behind an account, in which something is due at a time; and when something is due later.
///
/// What is due is looked at by its time: so queues that wait cost nothing, however many they are. Where more is due than is looked at, it is
/// a crowd, which may be of one queue or of one that is held; then the queues are gone through, from one to the next along an index, until
/// there are as many as are looked at.
macro_rules! due {
    ($channel:literal, $goes_out:expr, $is_first:expr) => {
        concat!(
            "WITH RECURSIVE crowd AS (
             SELECT o.* FROM outbox o WHERE o.channel = ",
            $channel,
            " AND o.state = 0 AND o.due <= $2::bigint ORDER BY o.due LIMIT 1001
         ), size AS (
             SELECT count(*) AS rows FROM crowd
         ), queues (account, place) AS (
             (SELECT o.account, o.place FROM outbox o
              WHERE (SELECT rows FROM size) > 1000 AND o.channel = ",
            $channel,
            " AND o.state = 0 AND o.account > $1::bytea
              ORDER BY o.account, o.place LIMIT 1)
             UNION ALL
             SELECT n.account, n.place FROM queues q CROSS JOIN LATERAL
                 (SELECT o.account, o.place FROM outbox o
                  WHERE o.channel = ",
            $channel,
            " AND o.state = 0 AND (o.account, o.place) > (q.account, q.place)
                  ORDER BY o.account, o.place LIMIT 1) AS n
         )
         (SELECT q.account, q.place, q.due FROM
             (SELECT o.account, o.place, min(o.due) AS due FROM crowd o
              WHERE (SELECT rows FROM size) <= 1000 AND o.account > $1::bytea AND ",
            $is_first,
            " GROUP BY o.account, o.place) AS q
         ",
            $goes_out,
            ")
         UNION ALL
         (SELECT q.account, q.place, d.due FROM queues q
         ",
            $goes_out,
            "
         CROSS JOIN LATERAL
             (SELECT o.due FROM outbox o WHERE o.account = q.account AND o.place = q.place AND o.channel = ",
            $channel,
            " AND o.state = 0
              AND ",
            $is_first,
            " ORDER BY o.due LIMIT 1) AS d
         WHERE d.due <= $2::bigint LIMIT 1000)
         UNION ALL
         (SELECT NULL, NULL, q.due FROM
             (SELECT o.* FROM outbox o WHERE o.channel = ",
            $channel,
            " AND o.state = 0 AND o.due > $2::bigint ORDER BY o.due LIMIT 1000) AS q
         ",
            $goes_out,
            " LIMIT 1)"
        )
    };
}

/// How many queues are found at most.
pub(crate) const QUEUES_MAX: usize = 1_000;

scouts! {
    // Behind an account, at a time: account, instance, when the first is due that nothing stands before in its line; and when something is
    // due later.
    MESSAGES: &[Bytes, Bytes, Int], due!("0", sends!(), is_first!());
    // Behind an account, at a time: account, endpoint, when the first is due; and when something is due later.
    EVENTS: &[Bytes, Bytes, Int], due!("1", takes!(), "TRUE");
    // Behind an account, so many: accounts in which something waits to be heeded.
    INBOXES: &[Bytes],
        "WITH RECURSIVE boxes (account) AS (
             (SELECT o.account FROM outbox o WHERE o.channel = 2 AND o.state = 0 AND o.account > $1::bytea ORDER BY o.account LIMIT 1)
             UNION ALL
             SELECT n.account FROM boxes b CROSS JOIN LATERAL
                 (SELECT o.account FROM outbox o WHERE o.channel = 2 AND o.state = 0 AND o.account > b.account
                  ORDER BY o.account LIMIT 1) AS n
         )
         SELECT account FROM boxes LIMIT $2::bigint";

    // At a time, so many.
    MESSAGES_LEASED: &[Bytes, Bytes],
        "SELECT account, delivery FROM outbox WHERE channel = 0 AND state <> 0 AND state <> 4 AND due <= $1::bigint
         ORDER BY due LIMIT $2::bigint";
    MESSAGES_EXPIRED: &[Bytes, Bytes],
        "SELECT account, delivery FROM outbox WHERE channel = 0 AND state = 0 AND expires_at <= $1::bigint
         ORDER BY expires_at LIMIT $2::bigint";
    EVENTS_LEASED: &[Bytes, Bytes],
        "SELECT account, delivery FROM outbox WHERE channel = 1 AND state <> 0 AND state <> 4 AND due <= $1::bigint
         ORDER BY due LIMIT $2::bigint";
    EVENTS_EXPIRED: &[Bytes, Bytes],
        "SELECT account, delivery FROM outbox WHERE channel = 1 AND state = 0 AND expires_at <= $1::bigint
         ORDER BY expires_at LIMIT $2::bigint";
    REVIEWS_EXPIRED: &[Bytes, Bytes],
        "SELECT account, message FROM reviews WHERE closed_at IS NULL AND expires_at <= $1::bigint ORDER BY expires_at LIMIT $2::bigint";
    BINDINGS_OVER: &[Bytes, Text],
        "SELECT account, key FROM idempotency_keys WHERE bound_at <= $1::bigint ORDER BY bound_at LIMIT $2::bigint";

    // The accounts in which the operator has endpoints.
    OPERATORS: &[Bytes], "SELECT DISTINCT account FROM endpoints WHERE for_operator = 1 AND removed_at IS NULL";
    // Behind one: the recovery whose turn it is, and the one after it.
    RECOVERIES: &[Bytes, Bytes],
        "SELECT account, id FROM recoveries WHERE done_at IS NULL AND canceled_at IS NULL ORDER BY id <= $1::bytea, id LIMIT 2";

    // Whose something is.
    INTEGRATION: &[Bytes], "SELECT account FROM integrations WHERE id = $1::bigint";
    KEY: &[Bytes], "SELECT account FROM api_keys WHERE id = $1::text";
    ACCOUNTS: &[Bytes], "SELECT id FROM accounts";
    KEYS_AMONG: &[Bytes], "SELECT DISTINCT account FROM api_keys WHERE id IN (SELECT jsonb_array_elements_text($1::text::jsonb))";
}

/// The account that stands in a column of what was found.
pub(crate) fn account(row: &Row, column: usize) -> Option<AccountId> {
    super::id(row.get(column)?).map(AccountId::from_bytes)
}

/// What a search begins behind.
pub(crate) fn behind(account: Option<AccountId>) -> Cell {
    account.map_or_else(Cell::no_bytes, Cell::from)
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use gatepost_cluster::{Cluster, Database};

    use super::MESSAGES;
    use crate::connect::{ONE_PLAN, PLANNING};
    use crate::{Options, migrate};

    fn settings() -> String {
        format!("SET ROLE gatepost_app; SET gatepost.accounts = '*'; {ONE_PLAN} {PLANNING}")
    }

    /// The id of an account, and of its instance.
    fn id(nth: &str) -> String {
        format!("decode(lpad(to_hex({nth}), 32, '0'), 'hex')")
    }

    /// A database with accounts that have an instance each, and a message that waits for a minute.
    fn filled(accounts: usize) -> Option<Database<'static>> {
        let database = Cluster::shared()?.create().expect("a database");
        migrate(&database.url(), &Options::default()).expect("tables");
        let (n, of) = (id("n"), format!("FROM generate_series(1, {accounts}) AS n"));
        let rows = format!(
            "INSERT INTO accounts SELECT {n}, 'a', '{{}}', 'UTC', NULL, NULL, NULL, NULL, 1, 0, 0, 0, 0, '{{}}', 1, 0 {of};
             INSERT INTO instances SELECT {n}, {n}, 'i', 'sandbox', 'open', NULL, '{{}}', NULL, NULL, 1, 1 {of}; {} ANALYZE",
            wait(&n, "60000 + n", &of)
        );
        database.run(&rows).expect("rows");
        Some(database)
    }

    /// Messages that wait in a queue.
    fn wait(queue: &str, due: &str, of: &str) -> String {
        format!(
            "INSERT INTO outbox (delivery, account, shard, channel, place, item, log_id, state, due, expires_at, fence, tries, put_off)
             SELECT decode(md5(random()::text), 'hex'), {queue}, 1, 0, {queue}, {queue}, n, 0, {due}, 99, 0, 0, 0 {of};"
        )
    }

    /// What is found to be due after a second, behind no account: the last digits of the account, and when; the one without an account last.
    fn found(database: &Database<'_>) -> Vec<(Option<String>, String)> {
        let sql = format!("{} PREPARE scout AS {}; EXECUTE scout('', 1000)", settings(), MESSAGES.text);
        let cell = |cell: &Option<String>| cell.as_ref().map(|text| text.trim_start_matches(['\\', 'x', '0']).to_owned());
        let mut found: Vec<_> = database
            .run(&sql)
            .expect("rows")
            .iter()
            .filter(|row| row.len() == 3)
            .map(|row| (cell(&row[0]), cell(&row[2]).unwrap_or_default()))
            .collect();
        found.sort_by_key(|(account, _)| (account.is_none(), account.clone()));
        found
    }

    fn named(account: &str, due: &str) -> (Option<String>, String) {
        (Some(account.to_owned()), due.to_owned())
    }

    #[test]
    fn queues_that_wait_cost_nothing() {
        let Some(database) = filled(3_000) else { return };
        database
            .run(&format!(
                "{}{}",
                wait(&id("2"), "500", "FROM generate_series(1, 3) AS n"),
                wait(&id("7"), "900", "FROM generate_series(1, 1) AS n")
            ))
            .expect("rows");
        assert_eq!(found(&database), [named("2", "500"), named("7", "900"), (None, String::from("60001"))]);
        let explain =
            format!("{} PREPARE scout AS {}; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE scout('', 1000)", settings(), MESSAGES.text);
        let plan: Vec<String> = database.run(&explain).expect("a plan").into_iter().flatten().flatten().collect();
        let count = |line: &String, of: &str| line.split(of).nth(1)?.split([' ', ')']).next()?.parse::<u64>().ok();
        let most = plan.iter().filter_map(|line| Some(count(line, "actual rows=")? * count(line, "loops=")?)).max();
        assert!(most.is_some_and(|most| most < 10), "{plan:#?}");
    }

    #[test]
    fn a_crowd_hides_nobody() {
        for pause in ["'{}'", "NULL"] {
            let Some(database) = filled(20) else { return };
            let crowd = wait(&id("3"), "10", "FROM generate_series(1, 1500) AS n");
            let other = wait(&id("5"), "900", "FROM generate_series(1, 1) AS n");
            database.run(&format!("{crowd}{other} UPDATE accounts SET pause = {pause} WHERE id = {}", id("3"))).expect("rows");
            let crowd = (pause == "NULL").then(|| named("3", "10"));
            let expected: Vec<_> = crowd.into_iter().chain([named("5", "900"), (None, String::from("60001"))]).collect();
            assert_eq!(found(&database), expected);
        }
    }

    #[test]
    fn what_stands_behind_another_in_its_line_is_not_due() {
        let Some(database) = filled(5) else { return };
        let line = format!(
            "{} UPDATE outbox SET order_key = 7, due = CASE WHEN log_id = 1 THEN 5000 ELSE 20 END WHERE due = 20",
            wait(&id("3"), "20", "FROM generate_series(1, 9) AS n")
        );
        database.run(&line).expect("rows");
        assert_eq!(found(&database), [(None, String::from("5000"))]);
    }
}
