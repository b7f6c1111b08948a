//! Fairness: every account gets its turn, however much another one has waiting.

use gatepost::{AccountId, Claim};

use crate::Harness;
use crate::draft::text;
use crate::scene::Scene;

fn accounts(scene: &Scene, claim: Claim) -> Vec<AccountId> {
    scene.answer_claim(claim).claimed.iter().map(|claimed| claimed.account).collect()
}

fn send(scene: &Scene, count: usize) {
    scene.send_all((0..count).map(|_| text("hi")));
}

/// Three accounts with so many messages waiting, in the order of their ids.
fn three(harness: &dyn Harness, waiting: [usize; 3]) -> [Scene; 3] {
    let first = Scene::new(harness);
    let mut scenes = [first.neighbor(), first.neighbor(), first];
    scenes.sort_by_key(|scene| scene.account);
    scenes.iter().zip(waiting).for_each(|(scene, count)| send(scene, count));
    scenes
}

pub(crate) fn an_account_with_a_backlog_leaves_room_for_others(harness: &dyn Harness) {
    let [busy, calm, calmer] = three(harness, [9, 1, 1]);
    let claimed = accounts(&busy, Claim { limit: 6, per_account: 4, ..busy.a_claim() });
    let of = |scene: &Scene| claimed.iter().filter(|account| **account == scene.account).count();
    assert_eq!([of(&busy), of(&calm), of(&calmer)], [4, 1, 1]);
}

pub(crate) fn an_account_that_had_its_share_may_have_more(harness: &dyn Harness) {
    let [busy, _, _] = three(harness, [9, 1, 1]);
    let claim = Claim { limit: 100, per_account: 6, ..busy.a_claim() };
    let answer = busy.answer_claim(claim);
    assert_eq!((answer.claimed.len(), answer.after, answer.more), (8, None, true));
    let answer = busy.answer_claim(claim);
    assert_eq!((answer.claimed.len(), answer.after, answer.more), (3, None, false));
}

pub(crate) fn a_claim_goes_on_behind_the_last_account(harness: &dyn Harness) {
    let [first, second, third] = three(harness, [2, 2, 2]);
    let claim = Claim { limit: 2, per_account: 1, ..first.a_claim() };
    let answer = first.answer_claim(claim);
    assert_eq!(answer.claimed.iter().map(|claimed| claimed.account).collect::<Vec<_>>(), [first.account, second.account]);
    assert_eq!(answer.after, Some(second.account));
    assert_eq!(accounts(&first, Claim { after: answer.after, ..claim }).first(), Some(&third.account));
}

pub(crate) fn a_claim_that_saw_every_account_begins_anew(harness: &dyn Harness) {
    let [first, _, third] = three(harness, [1, 1, 1]);
    let answer = first.answer_claim(Claim { limit: 9, per_account: 1, ..first.a_claim() });
    assert_eq!((answer.claimed.len(), answer.after), (3, None));
    send(&third, 1);
    send(&first, 1);
    assert_eq!(accounts(&first, Claim { limit: 1, after: answer.after, ..first.a_claim() }), [first.account]);
}

pub(crate) fn every_backlog_is_claimed_in_the_end(harness: &dyn Harness) {
    let [first, _, third] = three(harness, [7, 1, 4]);
    let (mut after, mut claimed) = (None, Vec::new());
    for _ in 0..12 {
        let answer = first.answer_claim(Claim { limit: 2, per_account: 1, after, ..first.a_claim() });
        after = answer.after;
        claimed.extend(answer.claimed.iter().map(|claimed| claimed.account));
    }
    assert_eq!(claimed.len(), 12);
    let last_of_third = claimed.iter().rposition(|account| *account == third.account);
    assert!(last_of_third < claimed.iter().rposition(|account| *account == first.account), "{claimed:?}");
}

pub(crate) fn a_paused_account_takes_no_room(harness: &dyn Harness) {
    let [first, second, third] = three(harness, [5, 1, 1]);
    first.pause();
    assert_eq!(accounts(&first, Claim { limit: 2, ..first.a_claim() }), [second.account, third.account]);
}

pub(crate) fn what_was_due_first_goes_first_whatever_it_goes_by(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    let sent: Vec<_> = (0..6).map(|nth| scene.sent(if nth % 3 == 0 { text("hi").via(till) } else { text("hi") })).collect();
    let claim = || scene.answer_claim(Claim { limit: 2, ..scene.a_claim() }).claimed;
    let claimed: Vec<_> = [claim(), claim(), claim()].concat();
    let order: Vec<_> = claimed.into_iter().map(|claimed| scene.start_now(claimed).parcel.message).collect();
    assert_eq!(order, sent);
}
