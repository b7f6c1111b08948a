//! Isolation: row level security keeps accounts apart even where a statement forgets to.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use gatepost_cluster::{ClusterError, Database};

const A: &str = "aa";
const B: &str = "bb";

/// A transaction as the store's role, behind the fence of `accounts`.
fn behind(database: &Database<'_>, accounts: &str, statement: &str) -> Result<Vec<String>, ClusterError> {
    let fenced = format!("SET ROLE gatepost_app; BEGIN; SELECT set_config('gatepost.accounts', '{accounts}', true); {statement}; COMMIT");
    let rows = database.run(&fenced)?;
    // The first row is the fence itself.
    Ok(rows.into_iter().skip(1).flatten().flatten().collect())
}

/// The fence of accounts whose ids are these bytes.
fn fence(accounts: &[&str]) -> String {
    let list: Vec<String> = accounts.iter().map(|account| format!("\"\\\\x{account}\"")).collect();
    format!("{{{}}}", list.join(","))
}

fn insert(account: &str, delivery: &str) -> String {
    format!(
        "INSERT INTO outbox (delivery, account, shard, channel, place, item, log_id, state, due, expires_at, fence, tries, put_off)
         VALUES ('\\x{delivery}', '\\x{account}', 0, 0, '\\x01', '\\x02', 1, 0, 0, 0, 0, 0, 0)"
    )
}

/// Two rows of A and one of B, and a key of A, of B and of the operator.
fn filled() -> Option<Database<'static>> {
    let database = cluster::migrated()?;
    let accounts = [A, B].map(|account| {
        format!(
            "INSERT INTO accounts VALUES ('\\x{account}', 'name', '{{}}', 'UTC', NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, '{{}}', 0, 0, 0, 0, 0);"
        )
    });
    let rows = [insert(A, "01"), insert(A, "02"), insert(B, "03")];
    let key = |id: &str, account: &str| {
        format!("INSERT INTO api_keys VALUES ('{id}', {account}, NULL, 'name', '\\x00', 1, 'abcd', '[]', '[]', 0, NULL, NULL, NULL)")
    };
    let keys = [key("a", "'\\xaa'"), key("b", "'\\xbb'"), key("operator", "NULL")];
    database.run(&format!("{} {}; {}", accounts.join(" "), rows.join("; "), keys.join("; "))).expect("rows");
    Some(database)
}

#[test]
fn a_statement_without_its_where_sees_the_accounts_of_the_transaction_only() {
    let Some(database) = filled() else { return };
    let counted = |accounts: &str| behind(&database, accounts, "SELECT count(*) FROM outbox").expect("an answer");
    assert_eq!(counted(&fence(&[A])), ["2"]);
    assert_eq!(counted(&fence(&[B])), ["1"]);
    assert_eq!(counted(&fence(&[A, B])), ["3"]);
    assert_eq!(counted(&fence(&[])), ["0"]);
    assert_eq!(counted(""), ["0"]);
    let unset = database.run("SET ROLE gatepost_app; SELECT count(*) FROM outbox").expect("an answer");
    assert_eq!(unset, [[Some(String::from("0"))]]);
}

#[test]
fn a_row_of_another_account_is_neither_written_nor_changed_nor_deleted() {
    let Some(database) = filled() else { return };
    let of_a = fence(&[A]);
    behind(&database, &of_a, &insert(A, "04")).expect("its own row");
    for refused in [insert(B, "05"), format!("UPDATE outbox SET account = '\\x{B}' WHERE account = '\\x{A}'")] {
        let refusal = behind(&database, &of_a, &refused).expect_err("not its own").to_string();
        assert!(refusal.contains("row-level security"), "{refusal}");
    }
    let upsert = format!("{} ON CONFLICT (account, delivery) DO UPDATE SET state = 4", insert(B, "03"));
    behind(&database, &of_a, &upsert).expect_err("not its own");
    behind(&database, &of_a, "UPDATE outbox SET state = 4; DELETE FROM outbox").expect("what it reaches is its own");
    assert_eq!(behind(&database, &fence(&[A, B]), "SELECT state FROM outbox").expect("an answer"), ["0"]);
}

#[test]
fn the_way_to_find_what_is_due_only_reads() {
    let Some(database) = filled() else { return };
    assert_eq!(behind(&database, "*", "SELECT count(*) FROM outbox").expect("an answer"), ["3"]);
    behind(&database, "*", &insert(A, "06")).expect_err("it writes nothing");
    behind(&database, "*", "UPDATE outbox SET state = 4; DELETE FROM outbox").expect("it reaches nothing");
    let locked = behind(&database, "*", "SELECT count(*) FROM (SELECT 1 FROM outbox FOR UPDATE) AS locked").expect("an answer");
    assert_eq!(locked, ["0"]);
    assert_eq!(behind(&database, &fence(&[A, B]), "SELECT count(*) FROM outbox WHERE state = 0").expect("an answer"), ["3"]);
}

#[test]
fn the_operators_keys_are_of_no_account() {
    let Some(database) = filled() else { return };
    let seen = |accounts: &str| behind(&database, accounts, "SELECT id FROM api_keys ORDER BY id").expect("an answer");
    assert_eq!(seen(&fence(&[A])), ["a"]);
    assert_eq!(seen(&fence(&[""])), ["operator"]);
    assert_eq!(seen(&fence(&[B, ""])), ["b", "operator"]);
    assert_eq!(seen("*"), ["a", "b", "operator"]);
}

#[test]
fn every_table_with_an_account_is_fenced_and_its_role_is_held_by_that() {
    let Some(database) = cluster::migrated() else { return };
    let open = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname";
    let open: Vec<_> = database.run(open).expect("tables").into_iter().flatten().flatten().collect();
    assert_eq!(open, ["roots", "schema_migrations", "sealing"]);
    let role = "SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, pg_has_role('gatepost_app', tableowner, 'MEMBER')
        FROM pg_roles, pg_tables WHERE rolname = 'gatepost_app' AND tablename = 'messages'";
    let no = || Some(String::from("f"));
    assert_eq!(database.run(role).expect("a role"), [[no(), no(), no(), no(), no()]]);
    for refused in
        ["TRUNCATE outbox", "DROP TABLE outbox", "ALTER TABLE outbox DISABLE ROW LEVEL SECURITY", "DELETE FROM schema_migrations"]
    {
        database.run(&format!("SET ROLE gatepost_app; {refused}")).expect_err(refused);
    }
}

#[test]
fn the_fence_costs_no_index() {
    let Some(database) = filled() else { return };
    let many =
        "INSERT INTO outbox SELECT decode(md5(n::text), 'hex'), decode(md5((n % 50)::text), 'hex'), 0, NULL, 0, '\\x01', '\\x02', NULL,
        NULL, 1, 0, 0, 0, 0, 0, 0, NULL FROM generate_series(1, 5000) AS n; ANALYZE outbox";
    database.run(many).expect("many rows");
    let select = "SELECT o.* FROM unnest(ARRAY['\\xaa'::bytea], ARRAY['\\x01'::bytea]) AS k (account, delivery)
        JOIN outbox AS o ON o.account = k.account AND o.delivery = k.delivery FOR UPDATE OF o";
    let plan = behind(&database, &fence(&[A]), &format!("EXPLAIN (COSTS OFF) {select}")).expect("a plan").join("\n");
    assert!(plan.contains("Index Cond: ((account = ") && plan.contains("AND (delivery = "), "{plan}");
    assert_eq!(plan.matches("ANY").count(), plan.matches("COALESCE").count(), "the list is a filter: {plan}");
}
