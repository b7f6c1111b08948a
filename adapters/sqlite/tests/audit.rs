//! Audit: what somebody does to the log behind the store's back, and what an audit says of it.
//!
//! Each case makes a log of eleven events: three segments of three, and two that are not sealed. It changes the database by hand, as
//! whoever has the file but not the keyring can, and compares what the audit names.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use gatepost::{
    AccountId, AuditReport, Flaw, Gateway, Head, Keyring, Purpose, Request, Sealer, SealerTurn, Store, StoreError, Timestamp, audit, head,
};
use gatepost_conformance::fixture::add_account;
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;
use tempfile::TempDir;

const SEGMENT: usize = 3;
const UNSEALED: usize = 2;

struct Scene {
    folder: TempDir,
    gateway: Gateway,
    sealer: Sealer,
    account: AccountId,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("gatepost.db"), Options::default()).expect("a database");
        let gateway = Gateway::builder(Arc::new(store.clone()), Arc::new(System)).build();
        let account = add_account(&gateway);
        let sealer = Sealer::new(Arc::new(store), keyring(), &System).sealing_after(Duration::ZERO);
        let scene = Self { folder, gateway, sealer, account };
        (0..3).for_each(|_| scene.seal(SEGMENT));
        scene.send(UNSEALED);
        scene
    }

    fn send(&self, count: usize) {
        for _ in 0..count {
            let phone = "+999501234567".parse().expect("a phone number");
            let request = Request::text("desk", phone, Purpose::Support, "hi".parse().expect("a text"));
            block_on(self.gateway.account(self.account).submit(request)).expect("an answer");
        }
    }

    fn seal(&self, count: usize) {
        self.send(count);
        assert_eq!(block_on(self.sealer.turn(self.now())).expect("a turn").sealed, 1);
    }

    fn now(&self) -> Timestamp {
        self.gateway.host().now()
    }

    /// A sealer that remembers nothing.
    fn restarted(&self) -> Sealer {
        Sealer::new(self.gateway.store().clone(), keyring(), &System).sealing_after(Duration::ZERO)
    }

    /// What a sealer does once no other has the lease.
    fn turn_of(&self, sealer: &Sealer) -> SealerTurn {
        block_on(sealer.turn(self.now().plus(Duration::from_secs(60)))).expect("a turn")
    }

    /// Changes rows behind the store's back.
    fn edit(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.folder.path().join("gatepost.db")).expect("the database");
        connection.execute_batch(sql).expect("a change");
    }

    fn audit(&self, kept: Option<&Head>) -> AuditReport {
        block_on(audit(&**self.gateway.store(), &keyring(), self.account, kept)).expect("whatever stands there, an audit has an answer")
    }

    fn flaws(&self) -> Vec<String> {
        self.audit(None).flaws.iter().map(Flaw::to_string).collect()
    }

    fn head(&self) -> Head {
        block_on(head(&**self.gateway.store(), &keyring(), self.account)).expect("an answer").expect("a head")
    }
}

fn keyring() -> Keyring {
    Keyring::new([(1, [7; 32].into())]).expect("a root")
}

/// After this edit, the audit says this.
#[track_caller]
fn check(edit: &str, expected: &[&str]) {
    let scene = Scene::new();
    scene.edit(edit);
    assert_eq!(scene.flaws(), expected, "{edit}");
}

#[test]
fn a_log_that_nobody_touched_is_sound() {
    let scene = Scene::new();
    let report = scene.audit(Some(&scene.head()));
    assert_eq!((report.is_sound(), report.segments, report.sealed, report.unsealed), (true, 3, 9, 2));
}

#[test]
fn a_changed_row_is_named() {
    let changed = ["row 5: changed since it was sealed (segment 2)"];
    for column in [
        "body = replace(body, 'allow', 'block')",
        "body = body || ' '",
        "body = 'junk'",
        "body = CAST(x'ff00' AS TEXT)",
        "at = at + 1",
        "message = NULL",
        "message = x'00'",
        "contact = zeroblob(16)",
        "instance = x''",
        "verdict = 'block'",
    ] {
        check(&format!("UPDATE policy_events SET {column} WHERE seq = 5"), &changed);
    }
    let later = "row 8: changed since it was sealed (segment 3)";
    check("UPDATE policy_events SET at = 0 WHERE seq IN (5, 8)", &[changed[0], later]);
}

#[test]
fn a_missing_row_is_named() {
    check("DELETE FROM policy_events WHERE seq = 5", &["row 5: missing (segment 2)"]);
    check("DELETE FROM policy_events WHERE seq IN (1, 9)", &["row 1: missing (segment 1)", "row 9: missing (segment 3)"]);
    check("DELETE FROM policy_events WHERE seq BETWEEN 3 AND 5", &["row 3: missing (segment 1)", "rows 4 to 5: missing (segment 2)"]);
    check(
        "DELETE FROM policy_events",
        &[
            "rows 1 to 3: missing (segment 1)",
            "rows 4 to 6: missing (segment 2)",
            "rows 7 to 9: missing (segment 3)",
            "rows 10 to 11: missing",
        ],
    );
}

#[test]
fn rows_that_changed_places_are_named() {
    check(
        "UPDATE policy_events SET seq = -seq WHERE seq IN (4, 5); UPDATE policy_events SET seq = 9 + seq WHERE seq < 0",
        &["rows 4 to 5: moved here from another place of the segment (segment 2)"],
    );
    check(
        "DELETE FROM policy_events WHERE seq = 4; UPDATE policy_events SET seq = 4 WHERE seq = 5",
        &["row 4: moved here from another place of the segment (segment 2)", "row 5: missing (segment 2)"],
    );
}

#[test]
fn an_inserted_row_is_named() {
    let copy = |seq: i64| {
        format!(
            "INSERT INTO policy_events SELECT account, {seq}, at, message, instance, contact, verdict, body FROM policy_events WHERE seq = 5"
        )
    };
    check(&copy(-3), &["row 0: inserted (segment 1)"]);
    check(&copy(40), &["rows 12 to 39: missing", "row 40: inserted"]);
    check(
        "UPDATE seals SET dropped_at = 1, dropped_digest = zeroblob(32) WHERE number = 2",
        &["seal 2: changed, or not made with this keyring"],
    );
}

#[test]
fn a_cut_tail_is_named() {
    check("DELETE FROM policy_events WHERE seq > 9", &["rows 10 to 11: missing"]);
    check("DELETE FROM policy_events WHERE seq > 8", &["row 9: missing (segment 3)", "rows 10 to 11: missing"]);
    check("DELETE FROM policy_events WHERE seq > 6; DELETE FROM seals WHERE number > 2", &["rows 7 to 11: missing"]);
    check(
        "DELETE FROM policy_events WHERE seq > 6; UPDATE accounts SET last_seq = 6",
        &["rows 7 to 9: missing (segment 3)", "row 6: behind this, the log's counter ends before its rows or its seals"],
    );
}

const CUT: &str = "DELETE FROM policy_events WHERE seq > 6; DELETE FROM seals WHERE number > 2; UPDATE accounts SET last_seq = 6";

#[test]
fn a_tail_that_was_cut_with_all_that_tells_of_it_is_shown_by_a_kept_head() {
    let scene = Scene::new();
    let kept = scene.head();
    scene.edit(CUT);
    assert_eq!(scene.flaws(), [""; 0], "nothing here tells of it");
    let flaws: Vec<_> = scene.audit(Some(&kept)).flaws.iter().map(Flaw::to_string).collect();
    assert_eq!(flaws, ["seal 3: missing, and the kept head names it: the end was cut"]);
    // Nor does it help to have a gateway that was restarted write another end.
    scene.send(SEGMENT);
    assert_eq!(scene.turn_of(&scene.restarted()).sealed, 1);
    let flaws: Vec<_> = scene.audit(Some(&kept)).flaws.iter().map(Flaw::to_string).collect();
    assert_eq!(flaws, ["seal 3: not the one that the kept head names"]);
}

#[test]
fn what_was_changed_under_seals_that_were_taken_away_is_not_sealed_anew() {
    for taken in ["number > 2", "number > 0"] {
        let scene = Scene::new();
        let kept = scene.head();
        scene.edit(&format!("DELETE FROM seals WHERE {taken}; UPDATE policy_events SET body = body || ' ' WHERE seq = 8"));
        let turn = block_on(scene.sealer.turn(scene.now())).expect("a turn");
        assert_eq!((turn.sealed, turn.cut, scene.sealer.lost_heads()), (0, 1, vec![kept]), "{taken}");
        // Another one, which knows nothing, seals it; the first one still does not go on.
        assert_eq!(scene.turn_of(&scene.restarted()).sealed, 1);
        assert!(scene.audit(None).is_sound(), "the limit that the promise tells of");
        assert!(!scene.audit(Some(&kept)).is_sound());
        scene.send(1);
        let turn = block_on(scene.sealer.turn(scene.now().plus(Duration::from_secs(120)))).expect("a turn");
        assert_eq!((turn.sealed, turn.cut), (0, 1), "{taken}");
    }
}

#[test]
fn a_sealer_that_learned_the_heads_misses_what_it_never_sealed() {
    let scene = Scene::new();
    let learned = scene.restarted();
    block_on(learned.learn()).expect("a store that works");
    let kept = scene.head();
    scene.edit("DELETE FROM seals WHERE number > 2; UPDATE policy_events SET body = body || ' ' WHERE seq = 8");
    let turn = scene.turn_of(&learned);
    assert_eq!((turn.sealed, turn.cut, learned.lost_heads()), (0, 1, vec![kept]));
}

#[test]
fn a_segment_that_was_sealed_late_is_remarked_on() {
    let scene = Scene::new();
    assert_eq!((scene.audit(None).late, scene.audit(None).first_late), (0, None));
    let later = scene.now().plus(gatepost::SEALED_LATE).plus(Duration::from_secs(1));
    assert_eq!(block_on(scene.sealer.turn(later)).expect("a turn").sealed, 1);
    let report = scene.audit(None);
    assert_eq!((report.is_sound(), report.late, report.first_late), (true, 1, Some(4)));
}

#[test]
fn a_changed_seal_is_named() {
    for column in [
        "digest = zeroblob(32)",
        "digest = x'00'",
        "previous = zeroblob(32)",
        "rows = zeroblob(32)",
        "row_digests = x''",
        "row_digests = zeroblob(72)",
        "newest_at = 0",
        "sealed_at = 0",
        "last = 5",
        "first = -1",
        "root = -1",
    ] {
        check(&format!("UPDATE seals SET {column} WHERE number = 2"), &["seal 2: changed, or not made with this keyring"]);
    }
    check("UPDATE seals SET root = 2 WHERE number = 3", &["seal 3: made with a root that the keyring lacks"]);
}

#[test]
fn a_missing_seal_is_named() {
    check("DELETE FROM seals WHERE number = 1", &["seal 1: missing"]);
    check("DELETE FROM seals WHERE number < 3", &["seals 1 to 2: missing"]);
    check("UPDATE seals SET number = -number WHERE number = 2", &["seal 0: changed, or not made with this keyring", "seal 2: missing"]);
}

#[test]
fn a_segment_that_retention_did_not_drop_is_missed() {
    let drop = "DELETE FROM policy_events WHERE seq < 4; UPDATE seals SET row_digests = x'', dropped_at = 9, dropped_digest = zeroblob(32)";
    check(&format!("{drop} WHERE number = 1"), &["seal 1: changed, or not made with this keyring"]);
}

#[test]
fn the_sealer_goes_on_behind_what_is_missing_and_not_behind_a_seal_that_is_none() {
    let scene = Scene::new();
    scene.edit("DELETE FROM policy_events WHERE seq = 10");
    assert_eq!(block_on(scene.sealer.turn(scene.now())).expect("a turn").sealed, 1);
    assert_eq!(scene.flaws(), ["row 10: missing (segment 4)"], "a seal makes nothing whole");
    scene.edit("UPDATE seals SET digest = zeroblob(32) WHERE number = 4");
    scene.send(1);
    assert_eq!(block_on(scene.sealer.turn(scene.now())).expect("a turn").stuck, 1);
    let report = scene.audit(None);
    let changed = "seal 4: changed, or not made with this keyring";
    assert_eq!((scene.flaws(), report.unsealed), (vec![changed.to_owned()], 2), "what only that one covers counts as unsealed");
}

#[test]
fn retention_deletes_nothing_on_the_word_of_a_seal_that_is_none() {
    let scene = Scene::new();
    scene.edit("UPDATE seals SET newest_at = 0");
    let forgotten = block_on(scene.sealer.forget(Timestamp::from_millis(1), 9, scene.now())).expect("an answer");
    assert_eq!((forgotten.segments, forgotten.kept, scene.audit(None).flaw_count), (0, 3, 3));
    let rows = block_on(scene.gateway.store().account(scene.account).event_rows(gatepost::Page::first(99))).expect("rows");
    assert_eq!(rows.len(), 11);
}

#[test]
fn two_hosts_seal_each_segment_once() {
    let scene = Scene::new();
    let second = SqliteStore::open(&scene.folder.path().join("gatepost.db"), Options::default()).expect("the database opens again");
    let second: Arc<dyn Store> = Arc::new(second);
    let now = scene.now();
    std::thread::scope(|scope| {
        for store in [scene.gateway.store(), &second] {
            scope.spawn(move || {
                // Each has its lease for no time, so that only the chain keeps them apart.
                let sealer = Sealer::new(store.clone(), keyring(), &System).sealing_after(Duration::ZERO);
                (1..=20_u64).for_each(|turn| {
                    let at = now.plus(Duration::from_secs(60 * turn));
                    block_on(sealer.turn(at)).expect("a turn");
                });
            });
        }
        scope.spawn(|| scene.send(40));
    });
    block_on(scene.sealer.turn(now.plus(Duration::from_secs(3_600)))).expect("a last turn");
    let report = scene.audit(None);
    assert_eq!((report.flaws, report.sealed, report.unsealed), (vec![], 51, 0));
}

/// Reading the log as events still says that something cannot be read.
#[test]
fn a_list_does_not_hide_what_cannot_be_read() {
    let scene = Scene::new();
    scene.edit("UPDATE policy_events SET body = 'junk' WHERE seq = 5");
    let by_rule = gatepost::PolicyEventFilter { rule: Some(gatepost::RuleId::DailyLimit), ..gatepost::PolicyEventFilter::default() };
    let listed = block_on(scene.gateway.store().account(scene.account).policy_events(by_rule, gatepost::Page::first(9)));
    assert!(matches!(listed, Err(StoreError::Corrupt(_))), "{listed:?}");
}
