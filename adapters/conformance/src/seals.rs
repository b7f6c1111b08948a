//! Seals: the log of policy events is closed into segments that show each change, and whole old segments go.

use gatepost::{
    AuditReport, Dropped, EventRow, Flaw, FlawKind, Forgotten, Head, Keyring, Page, RowDigest, SEGMENT_AGE_MAX, SEGMENT_EVENTS_MAX, Seal,
    SealDigest, Sealer, SealerTurn, Segment, StoredSeal, Timestamp, audit, head,
};

use crate::Harness;
use crate::draft::text;
use crate::scene::{ALL, Scene};
use crate::world::{MOMENT, block_on, hours, seconds, together, wait};

const NEVER: Timestamp = Timestamp::from_millis(0);

fn keyring(roots: &[u32]) -> Keyring {
    Keyring::new(roots.iter().map(|root| (*root, zeroize::Zeroizing::new([*root as u8; 32])))).expect("a root")
}

impl Scene {
    fn sealer(&self) -> Sealer {
        Sealer::new(self.world().store.clone(), keyring(&[1]), &self.dice)
    }

    /// Has the sealer close all there is, full or not.
    fn seal_all(&self, sealer: &Sealer) -> usize {
        self.advance(SEGMENT_AGE_MAX);
        self.seal(sealer).sealed
    }

    fn seal(&self, sealer: &Sealer) -> SealerTurn {
        wait(sealer.turn(self.now()))
    }

    fn audit(&self, kept: Option<&Head>) -> AuditReport {
        wait(audit(&*self.world().store, &keyring(&[1]), self.account, kept))
    }

    fn head(&self) -> Head {
        wait(head(&*self.world().store, &keyring(&[1]), self.account)).expect("a seal of ours")
    }

    fn seals(&self) -> Vec<Seal> {
        let stored = wait(self.store().seals(Page::first(ALL)));
        stored.into_iter().map(|stored| stored.seal.expect("a seal that can be read")).collect()
    }

    fn rows(&self) -> Vec<EventRow> {
        wait(self.store().event_rows(Page::first(ALL)))
    }

    fn send_some(&self, count: usize) {
        self.send_all((0..count).map(|_| text("hi")));
    }

    /// A segment over nothing, by whoever has no keyring.
    fn a_segment(&self, number: u64, first: u64, previous: SealDigest) -> Segment {
        let rows = vec![RowDigest { seq: first, digest: [7; 16] }];
        let digest = SealDigest::from_bytes([number as u8; 32]);
        let (newest_at, sealed_at) = (self.now(), self.now());
        let seal = Seal {
            account: self.account,
            number,
            first,
            last: first,
            newest_at,
            rows: [9; 32],
            previous,
            root: 4,
            sealed_at,
            digest,
            dropped: None,
        };
        Segment { seal, rows }
    }
}

/// How many segments, of how many the events are gone, how many events are sealed and how many are not.
fn counts(report: &AuditReport) -> [u64; 4] {
    assert_eq!(report.flaws, []);
    [report.segments, report.dropped, report.sealed, report.unsealed]
}

pub(crate) fn what_was_sealed_fits(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("1"), text("2").purpose("marketing"), text("3")]);
    assert_eq!(scene.seal_all(&scene.sealer()), 1);
    scene.send_some(2);
    let report = scene.audit(None);
    assert_eq!((counts(&report), report.head), ([1, 0, 3, 2], Some(scene.head())));
}

pub(crate) fn an_empty_log_fits(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(scene.seal_all(&scene.sealer()), 0);
    assert_eq!(counts(&scene.audit(None)), [0, 0, 0, 0]);
    assert_eq!((counts(&scene.nobody().audit(None)), scene.head()), ([0, 0, 0, 0], Head::start(scene.account)));
    assert!(scene.audit(Some(&scene.head())).is_sound());
}

pub(crate) fn a_segment_is_closed_when_its_oldest_event_is_old(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sealer = scene.sealer();
    scene.send_some(1);
    let sent_at = scene.last_event().at;
    // A send takes a moment.
    scene.at(sent_at.plus(SEGMENT_AGE_MAX).minus(MOMENT).minus(MOMENT));
    scene.send_some(1);
    assert_eq!(scene.seal(&sealer), SealerTurn::default());
    scene.at(sent_at.plus(SEGMENT_AGE_MAX));
    assert_eq!(scene.seal(&sealer), SealerTurn { sealed: 1, ..SealerTurn::default() });
    assert_eq!((scene.seals()[0].first, scene.seals()[0].last), (1, 2), "what is younger goes along");
}

pub(crate) fn a_full_segment_is_closed_at_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sealer = scene.sealer();
    scene.send_some(SEGMENT_EVENTS_MAX - 1);
    scene.at("2026-11-22T12:00:30Z");
    assert_eq!(scene.seal(&sealer).sealed, 0);
    scene.send_some(2);
    assert_eq!(scene.seal(&sealer).sealed, 1);
    let full = SEGMENT_EVENTS_MAX as u64;
    assert_eq!((scene.head().seq, counts(&scene.audit(None))), (full, [1, 0, full, 1]));
}

pub(crate) fn seals_follow_each_other(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sealer = scene.sealer();
    for count in [2, 1, 3] {
        scene.send_some(count);
        assert_eq!(scene.seal_all(&sealer), 1);
    }
    let seals = scene.seals();
    let places: Vec<_> = seals.iter().map(|seal| (seal.number, seal.first, seal.last)).collect();
    assert_eq!(places, [(1, 1, 2), (2, 3, 3), (3, 4, 6)]);
    let previous: Vec<_> = seals.iter().map(|seal| seal.previous).collect();
    assert_eq!(previous, [SealDigest::NONE, seals[0].digest, seals[1].digest]);
    assert_eq!(wait(scene.store().last_seal()).and_then(|stored| stored.seal).as_ref(), seals.last());
    assert_eq!(counts(&scene.audit(Some(&scene.head()))), [3, 0, 6, 0]);
}

pub(crate) fn a_seal_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let segment = scene.a_segment(1, 1, SealDigest::NONE);
    assert!(wait(scene.worker().seal(segment.clone())));
    let stored = StoredSeal { number: 1, row_digests: RowDigest::to_bytes(&segment.rows), seal: Some(segment.seal) };
    assert_eq!(wait(scene.store().seals(Page::first(9))), std::slice::from_ref(&stored));
    let dropped = Dropped { at: scene.now(), digest: SealDigest::from_bytes([8; 32]) };
    wait(scene.worker().drop_segment(scene.account, 1, dropped));
    let seal = stored.seal.map(|seal| Seal { dropped: Some(dropped), ..seal });
    assert_eq!(wait(scene.store().last_seal()), Some(StoredSeal { seal, row_digests: Vec::new(), ..stored }));
}

pub(crate) fn a_seal_goes_only_behind_the_one_that_it_follows(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let seal = |number, first, previous| wait(scene.worker().seal(scene.a_segment(number, first, previous)));
    let first = scene.a_segment(1, 1, SealDigest::NONE).seal.digest;
    assert_eq!([seal(2, 1, SealDigest::NONE), seal(1, 2, SealDigest::NONE), seal(1, 1, first)], [false; 3]);
    assert!(seal(1, 1, SealDigest::NONE));
    assert_eq!([seal(1, 1, SealDigest::NONE), seal(2, 3, first), seal(2, 2, SealDigest::NONE), seal(3, 2, first)], [false; 4]);
    assert!(seal(2, 2, first));
    assert_eq!(scene.seals().len(), 2);
    let nobody = scene.nobody();
    assert!(!wait(nobody.worker().seal(nobody.a_segment(1, 1, SealDigest::NONE))), "an account that nobody made has no log");
}

pub(crate) fn sealing_is_one_hosts_at_a_time(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let lease = |holder: u8, seconds_on: u64| {
        let now = scene.now();
        wait(scene.worker().lease_sealing([holder; 16], now.plus(seconds(seconds_on)), now))
    };
    assert_eq!([lease(1, 10), lease(2, 10), lease(1, 20)], [true, false, true]);
    scene.advance(seconds(20).saturating_sub(MOMENT));
    assert!(!lease(2, 10));
    scene.advance(MOMENT);
    assert_eq!([lease(2, 10), lease(1, 10)], [true, false]);
    let [one, other] = [scene.sealer(), scene.sealer()].map(|sealer| sealer.sealing_after(seconds(0)));
    scene.advance(seconds(60));
    let turns = [&one, &other, &one].map(|sealer| {
        scene.send_some(1);
        scene.seal(sealer)
    });
    assert_eq!(turns.map(|turn| (turn.sealed, turn.is_leased)), [(1, false), (0, true), (1, false)]);
    assert_eq!(scene.seal(&other), SealerTurn::default(), "where nothing is due, nobody needs it");
}

pub(crate) fn a_segment_is_sealed_by_one_of_many(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sealed = together(8, |_| wait(scene.worker().seal(scene.a_segment(1, 1, SealDigest::NONE))));
    assert_eq!((sealed.iter().filter(|sealed| **sealed).count(), scene.seals().len()), (1, 1));
}

pub(crate) fn what_is_sent_meanwhile_spoils_no_seal(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sealer = scene.sealer().sealing_after(seconds(0));
    together(4, |number| match number {
        0 => (0..8).for_each(|_| drop(block_on(sealer.turn(scene.now().plus(seconds(1)))))),
        1 => (0..8).for_each(|_| assert!(scene.audit(None).is_sound())),
        _ => (0..16).for_each(|_| scene.send_some(1)),
    });
    scene.seal_all(&sealer);
    let [_, dropped, sealed, unsealed] = counts(&scene.audit(None));
    assert_eq!([dropped, sealed, unsealed], [0, 32, 0]);
}

pub(crate) fn each_account_has_a_chain_of_its_own(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    scene.send_some(2);
    neighbor.send_some(1);
    assert_eq!(scene.seal_all(&scene.sealer()), 2);
    assert_eq!((counts(&scene.audit(None)), counts(&neighbor.audit(None))), ([1, 0, 2, 0], [1, 0, 1, 0]));
    assert_eq!((scene.head().seq, neighbor.head().seq), (2, 1));
    let heads = neighbor.audit(Some(&Head { account: neighbor.account, ..scene.head() })).flaws;
    assert_eq!(heads, [Flaw { kind: FlawKind::HeadChanged, segment: Some(1), seq: None, count: 1 }]);
}

pub(crate) fn a_kept_head_shows_that_the_end_is_gone(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_some(1);
    scene.seal_all(&scene.sealer());
    let kept = scene.head();
    assert_eq!(counts(&scene.audit(Some(&kept))), [1, 0, 1, 0]);
    let missing = Flaw { kind: FlawKind::HeadMissing, segment: Some(2), seq: None, count: 1 };
    assert_eq!(scene.audit(Some(&Head { segment: 2, ..kept })).flaws, [missing]);
}

pub(crate) fn who_has_another_keyring_made_none_of_the_seals(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_some(1);
    let sealer = scene.sealer();
    scene.seal_all(&sealer);
    let with = |keyring: Keyring| wait(audit(&*scene.world().store, &keyring, scene.account, None)).flaws;
    let other = Keyring::new([(1, [9; 32].into())]).expect("a root");
    assert_eq!(with(other.clone()), [Flaw { kind: FlawKind::SealChanged, segment: Some(1), seq: None, count: 1 }]);
    assert_eq!(with(keyring(&[2])), [Flaw { kind: FlawKind::RootUnknown, segment: Some(1), seq: None, count: 1 }]);
    assert_eq!(with(keyring(&[1, 2])), []);
    assert_eq!(wait(head(&*scene.world().store, &other, scene.account)), None);
    scene.send_some(1);
    scene.advance(hours(1));
    let stuck = Sealer::new(scene.world().store.clone(), other, &scene.dice);
    assert_eq!(scene.seal(&stuck), SealerTurn { stuck: 1, ..SealerTurn::default() }, "it seals nothing behind what it did not make");
    assert_eq!(wait(stuck.forget(scene.now(), 9, scene.now())), Forgotten { kept: 1, ..Forgotten::default() }, "nor does it delete");
    assert_eq!(counts(&scene.audit(None)), [1, 0, 1, 1]);
}

pub(crate) fn the_roots_that_seals_name_are_known(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    wait(scene.worker().seal(scene.a_segment(1, 1, SealDigest::NONE)));
    assert_eq!(wait(scene.operator().roots()), [4]);
}

pub(crate) fn rows_and_seals_are_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sealer = scene.sealer();
    (0..3).for_each(|_| {
        scene.send_some(1);
        scene.seal_all(&sealer);
    });
    let after = |after, limit| Page { after, limit };
    let rows = |page| wait(scene.store().event_rows(page)).iter().map(|row| row.seq).collect::<Vec<_>>();
    assert_eq!([rows(after(None, 2)), rows(after(Some(2), 2)), rows(after(Some(3), 2))], [vec![1, 2], vec![3], vec![]]);
    let seals = |page| wait(scene.store().seals(page)).iter().map(|seal| seal.number).collect::<Vec<_>>();
    assert_eq!([seals(after(None, 2)), seals(after(Some(2), 2)), seals(after(Some(3), 2))], [vec![1, 2], vec![3], vec![]]);
    assert_eq!(wait(scene.store().last_seq()), 3);
}

pub(crate) fn accounts_with_unsealed_events_are_found_in_their_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let others = [scene.neighbor(), scene.neighbor(), scene.neighbor()];
    scene.send_some(1);
    scene.seal_all(&scene.sealer());
    others[0].send_some(2);
    others[2].send_some(1);
    let first_at = others[0].events()[1].at;
    let found = wait(scene.worker().unsealed(None, 9));
    assert_eq!(found.iter().map(|unsealed| unsealed.account).collect::<Vec<_>>(), [others[0].account, others[2].account]);
    assert_eq!((found[0].first, found[0].since, found[0].last), (1, first_at, 2));
    let limited = wait(scene.worker().unsealed(None, 1));
    assert_eq!((limited.len(), wait(scene.worker().unsealed(Some(others[0].account), 9))), (1, found[1..].to_vec()));
}

pub(crate) fn a_chain_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_some(3);
    let sealer = scene.sealer();
    scene.seal_all(&sealer);
    drop(sealer);
    let before = (scene.rows(), scene.seals(), scene.head());
    let scene = scene.reopen();
    assert_eq!((scene.rows(), scene.seals(), scene.head()), before);
    assert_eq!(counts(&scene.audit(Some(&before.2))), [1, 0, 3, 0]);
}

pub(crate) fn an_old_segment_goes_and_leaves_its_seal(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sealer = scene.sealer();
    scene.send_some(2);
    scene.seal_all(&sealer);
    let kept = scene.head();
    scene.send_some(1);
    scene.seal_all(&sealer);
    let newest_at = scene.seals()[0].newest_at;
    let forget = |before| wait(sealer.forget(before, 9, scene.now()));
    assert_eq!(forget(newest_at), Forgotten::default(), "its newest event is not old enough");
    assert_eq!(forget(newest_at.plus(MOMENT)), Forgotten { segments: 1, events: 2, kept: 0 });
    assert_eq!(forget(newest_at.plus(MOMENT)), Forgotten::default());
    assert_eq!(scene.events().iter().map(|event| event.seq).collect::<Vec<_>>(), [3]);
    let marks: Vec<_> = scene.seals().iter().map(|seal| seal.dropped.is_some()).collect();
    assert_eq!((marks, counts(&scene.audit(Some(&kept)))), (vec![true, false], [2, 1, 1, 0]));
    scene.send_some(1);
    assert_eq!((scene.seal_all(&sealer), scene.head().segment, scene.head().seq), (1, 3, 4), "the log goes on");
}

pub(crate) fn what_is_not_sealed_is_not_deleted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_some(1);
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    assert_eq!(wait(scene.sealer().forget(scene.now(), 9, scene.now())), Forgotten::default());
    assert_eq!(scene.events().len(), 1);
}

pub(crate) fn no_more_segments_go_than_the_limit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let sealer = scene.sealer();
    for scene in [&scene, &neighbor, &scene] {
        scene.send_some(1);
        scene.seal_all(&sealer);
    }
    let forgotten = [(); 3].map(|()| wait(sealer.forget(scene.now(), 2, scene.now())).segments);
    assert_eq!((forgotten, scene.events().len(), neighbor.events().len()), ([2, 1, 0], 0, 0));
    let old = wait(scene.worker().old_segments(scene.now(), 0, 9));
    assert_eq!((old, counts(&scene.audit(None))), (vec![], [2, 2, 0, 0]));
}

pub(crate) fn old_segments_are_found_oldest_first(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let sealer = scene.sealer();
    for scene in [&neighbor, &scene, &neighbor] {
        scene.send_some(1);
        scene.seal_all(&sealer);
    }
    let old = |before, skip, limit| {
        let old = wait(scene.worker().old_segments(before, skip, limit));
        old.iter().map(|(account, stored)| (*account, stored.number)).collect::<Vec<_>>()
    };
    let all = [(neighbor.account, 1), (scene.account, 1), (neighbor.account, 2)];
    assert_eq!(old(scene.now(), 0, 9), all);
    assert_eq!((old(scene.now(), 1, 1), old(NEVER, 0, 9), old(scene.seals()[0].newest_at, 0, 9)), (vec![all[1]], vec![], vec![all[0]]));
}

pub(crate) fn a_segment_is_dropped_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_some(2);
    scene.seal_all(&scene.sealer());
    let mark = |nth: u8| Dropped { at: scene.now(), digest: SealDigest::from_bytes([nth; 32]) };
    let drop = |number, nth| wait(scene.worker().drop_segment(scene.account, number, mark(nth)));
    assert_eq!([drop(2, 1), drop(1, 2), drop(1, 3)], [0, 2, 0]);
    assert_eq!(scene.seals()[0].dropped.map(|dropped| dropped.digest), Some(SealDigest::from_bytes([2; 32])));
    let forged = Flaw { kind: FlawKind::SealChanged, segment: Some(1), seq: None, count: 1 };
    assert_eq!(scene.audit(None).flaws, [forged], "who lacks the keyring cannot say that it was retention");
}
