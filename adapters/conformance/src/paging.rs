//! Paging: lists are newest first, and a page goes on where the last one ended, whatever came or went meanwhile.

use gatepost::{
    Cause, DeliveryFilter, DeliveryId, DeliveryStatus, ErrorClass, InboundClass, InboundFilter, Message, MessageFilter, MessageId,
    MessageStatus, Outcome, Page, PolicyEventFilter, Progress, RecoveryFilter, ReviewFilter, RuleId, SuppressionFilter, Timestamp,
    VerdictWord,
};

use crate::Harness;
use crate::draft::{ALICE, BOB, CAROL, text};
use crate::scene::{Scene, limits};
use crate::words::{TAKEN, UNKNOWN, failed, sent};
use crate::world::{hours, wait};

/// Reads a list to its end, two at a time.
fn read<P: Copy, T>(page: impl Fn(Page<P>) -> Vec<T>, position: impl Fn(&T) -> P) -> Vec<P> {
    let mut read = Vec::new();
    for _ in 0..9 {
        let rows = page(Page { after: read.last().copied(), limit: 2 });
        assert!(rows.len() <= 2, "a page is no longer than asked for");
        if rows.is_empty() {
            return read;
        }
        read.extend(rows.iter().map(&position));
    }
    panic!("the list has no end")
}

fn page_of_messages(scene: &Scene, after: Option<MessageId>) -> Vec<MessageId> {
    wait(scene.store().messages(MessageFilter::default(), Page { after, limit: 2 })).iter().map(|message| message.id).collect()
}

pub(crate) fn newest_first<T: Clone>(ids: &[T]) -> Vec<T> {
    ids.iter().rev().cloned().collect()
}

pub(crate) fn messages_are_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sent = ["1", "2", "3", "4", "5"].map(|words| scene.sent(text(words)));
    let read = read(|page| wait(scene.store().messages(MessageFilter::default(), page)), |message| message.id);
    assert_eq!(read, newest_first(&sent));
}

pub(crate) fn what_arrives_meanwhile_is_on_no_later_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second, third] = ["1", "2", "3"].map(|words| scene.sent(text(words)));
    assert_eq!(page_of_messages(&scene, None), [third, second]);
    scene.sent(text("4"));
    assert_eq!(page_of_messages(&scene, Some(second)), [first]);
}

pub(crate) fn a_page_goes_on_behind_what_is_gone(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let first = scene.sent(text("1"));
    let second = scene.sent(text("2"));
    scene.refuse(second);
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    assert_eq!((scene.find(second), page_of_messages(&scene, Some(second))), (None, vec![first]));
}

pub(crate) fn a_page_of_nothing_is_empty(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("1"));
    assert_eq!(page_of_messages(&scene, Some(message)), []);
    assert_eq!(wait(scene.store().messages(MessageFilter::default(), Page::first(0))), []);
}

pub(crate) fn a_page_may_be_longer_than_the_list(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("1"), text("2")]);
    assert_eq!(wait(scene.store().messages(MessageFilter::default(), Page::first(usize::MAX))).len(), 2);
    assert_eq!(wait(scene.store().policy_events(PolicyEventFilter::default(), Page::first(usize::MAX))).len(), 2);
}

pub(crate) fn messages_are_found_by_status(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let first = scene.sent(text("1"));
    scene.deliver(sent("x"));
    let others = ["2", "3", "4"].map(|words| scene.sent(text(words)));
    let with = |status| {
        read(|page| wait(scene.store().messages(MessageFilter { status: Some(status), instance: None }, page)), |message| message.id)
    };
    assert_eq!((with(MessageStatus::Sent), with(MessageStatus::Queued)), (vec![first], newest_first(&others)));
    assert_eq!(with(MessageStatus::Failed), []);
}

pub(crate) fn messages_are_found_by_instance(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    let at_till = ["1", "2", "3"].map(|words| {
        scene.sent(text(words));
        scene.sent(text(words).via(till))
    });
    let filter = MessageFilter { status: Some(MessageStatus::Queued), instance: Some(till) };
    assert_eq!(read(|page| wait(scene.store().messages(filter, page)), |message| message.id), newest_first(&at_till));
}

/// Messages of which each status has some, from two instances.
fn of_every_status(harness: &dyn Harness) -> Scene {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    let drafts = |words: &str| [text(words), text(words).via(till)];
    let send = |words: &str| drafts(words).map(|draft| scene.sent(draft));
    let deliver = |words: &str, outcome: Outcome| {
        let deliver = |draft| {
            let message = scene.sent(draft);
            scene.deliver(outcome.clone());
            message
        };
        drafts(words).map(deliver)
    };
    // What is in doubt is given up in the end, and what waits for too long expires.
    deliver("in doubt for too long", UNKNOWN);
    send("too late");
    scene.advance(hours(24));
    scene.sweep();
    deliver("in doubt", UNKNOWN);
    deliver("refused by the provider", failed(ErrorClass::Undeliverable));
    for progress in [Progress::Sent, Progress::Delivered, Progress::Read] {
        for message in deliver("taken", sent("x")) {
            scene.report(scene.reported_of(message, progress));
        }
    }
    for draft in drafts("unwanted") {
        scene.sent(draft.to(BOB));
    }
    scene.suppress(BOB, Cause::Manual);
    for draft in drafts("on its way") {
        scene.sent(draft);
        scene.started();
    }
    scene.supervise();
    for message in send("released") {
        scene.release(message);
    }
    for message in send("refused") {
        scene.refuse(message);
    }
    send("held");
    scene
}

pub(crate) fn whatever_status_a_message_has_it_is_found_by_it(harness: &dyn Harness) {
    let scene = of_every_status(harness);
    let all = scene.messages();
    let instances = wait(scene.store().instances());
    for status in MessageStatus::ALL {
        for instance in instances.iter().map(|instance| Some(instance.id)).chain([None]) {
            let is_meant = |message: &&Message| message.status == status && instance.is_none_or(|instance| message.instance == instance);
            let expected: Vec<MessageId> = all.iter().filter(is_meant).map(|message| message.id).collect();
            let filter = MessageFilter { status: Some(status), instance };
            let found = read(|page| wait(scene.store().messages(filter, page)), |message| message.id);
            assert_eq!(found, expected, "{status}");
            assert!(instance.is_some() || !found.is_empty(), "there is none that is {status}");
        }
    }
}

pub(crate) fn suppressions_are_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let ids = [ALICE, BOB, CAROL].map(|number| scene.suppress(number, Cause::Manual).id);
    let read = read(|page| wait(scene.store().suppressions(SuppressionFilter::default(), page)), |suppression| suppression.id);
    assert_eq!(read, newest_first(&ids));
}

pub(crate) fn reviews_are_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let held = ["1", "2", "3", "4"].map(|words| scene.sent(text(words)));
    scene.refuse(held[2]);
    let with = |filter| read(|page| wait(scene.store().reviews(filter, page)), |review| review.message);
    assert_eq!(with(ReviewFilter::default()), newest_first(&held));
    assert_eq!(with(ReviewFilter::OPEN), [held[3], held[1], held[0]]);
}

pub(crate) fn policy_events_are_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("1"), text("2").purpose("marketing"), text("3"), text("4").purpose("marketing"), text("5")]);
    let with = |filter| read(|page| wait(scene.store().policy_events(filter, page)), |event| event.seq);
    assert_eq!(with(PolicyEventFilter::default()), [5, 4, 3, 2, 1]);
    assert_eq!(with(PolicyEventFilter { refused: true, ..PolicyEventFilter::default() }), [4, 2]);
}

/// The places of the events that pass, page by page.
fn found(scene: &Scene, filter: PolicyEventFilter) -> Vec<u64> {
    read(|page| wait(scene.store().policy_events(filter, page)), |event| event.seq)
}

/// A log with two events of each verdict.
fn mixed(harness: &dyn Harness) -> Scene {
    let scene = Scene::limited(harness, limits(2, 9));
    scene.send_all([text("1"), text("2").purpose("marketing"), text("3"), text("4"), text("5").purpose("marketing"), text("6")]);
    scene.limit(limits(9, 9));
    scene.supervise();
    scene.send_all([text("7"), text("8")]);
    scene
}

pub(crate) fn policy_events_are_found_by_their_verdict(harness: &dyn Harness) {
    let scene = mixed(harness);
    let with = |verdict| found(&scene, PolicyEventFilter { verdict: Some(verdict), ..PolicyEventFilter::default() });
    let [allow, block] = [VerdictWord::Allow, VerdictWord::Block].map(with);
    let [hold, throttle] = [VerdictWord::Hold, VerdictWord::Throttle].map(with);
    assert_eq!((allow, block, hold, throttle), (vec![3, 1], vec![5, 2], vec![8, 7], vec![6, 4]));
    let message = scene.message(scene.messages()[0].id).id;
    let both = PolicyEventFilter { verdict: Some(VerdictWord::Hold), message: Some(message), ..PolicyEventFilter::default() };
    assert_eq!(found(&scene, both), [8], "all that is asked for must hold");
}

pub(crate) fn policy_events_are_found_by_a_rule(harness: &dyn Harness) {
    let scene = mixed(harness);
    let with = |rule| found(&scene, PolicyEventFilter { rule: Some(rule), ..PolicyEventFilter::default() });
    assert_eq!(with(RuleId::PurposeNotAllowed), [5, 2]);
    assert_eq!(with(RuleId::DailyLimit), [6, 5, 4], "also where it did not decide");
    assert!(with(RuleId::RecipientSuppressed).is_empty());
}

pub(crate) fn policy_events_are_found_by_their_time(harness: &dyn Harness) {
    let scene = mixed(harness);
    let at = |seq: u64| scene.events().iter().find(|event| event.seq == seq).expect("an event").at;
    let between = |since, until| found(&scene, PolicyEventFilter { since, until, ..PolicyEventFilter::default() });
    assert_eq!(between(Some(at(7)), None), [8, 7]);
    assert_eq!(between(None, Some(at(3))), [2, 1]);
    assert_eq!(between(Some(at(4)), Some(at(6))), [5, 4]);
}

pub(crate) fn accounts_are_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let ids = [scene.account, scene.neighbor().account, scene.neighbor().account];
    assert_eq!(read(|page| wait(scene.operator().accounts(page)), |account| account.id), newest_first(&ids));
}

fn read_deliveries(scene: &Scene, filter: DeliveryFilter) -> Vec<DeliveryId> {
    read(|page| wait(scene.store().deliveries(filter, page)), |delivery| delivery.id)
}

pub(crate) fn deliveries_are_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let ids = scene.notify_often(scene.listen_to_nothing(), 5);
    assert_eq!(read_deliveries(&scene, DeliveryFilter::default()), newest_first(&ids));
    assert_eq!(wait(scene.store().deliveries(DeliveryFilter::default(), Page::first(0))), []);
    assert_eq!(wait(scene.store().deliveries(DeliveryFilter::default(), Page::first(usize::MAX))).len(), 5);
}

pub(crate) fn what_is_told_meanwhile_is_on_no_later_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let ids = scene.notify_often(endpoint, 3);
    let page = |after| {
        let deliveries = wait(scene.store().deliveries(DeliveryFilter::default(), Page { after, limit: 2 }));
        deliveries.iter().map(|delivery| delivery.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None), [ids[2], ids[1]]);
    scene.notify(endpoint);
    scene.tell_all(&TAKEN);
    assert_eq!(page(Some(ids[1])), [ids[0]]);
}

pub(crate) fn deliveries_are_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second] = [(); 2].map(|()| scene.listen(&["account.*"]));
    let sent = scene.notify_often(first, 3);
    scene.tell_all(&TAKEN);
    let queued = scene.notify_often(first, 3);
    let elsewhere = scene.notify_often(second, 3);
    scene.advance(hours(1));
    scene.change_account(gatepost::AccountChange { pause: Some(Some(scene.a_pause())), at: scene.now(), ..Default::default() });
    let all = DeliveryFilter::default();
    let of_event = |id: DeliveryId| DeliveryFilter { event: Some(scene.delivery(id).event), ..all };
    let to_first = DeliveryFilter { endpoint: Some(first), ..all };
    assert_eq!(read_deliveries(&scene, DeliveryFilter { status: Some(DeliveryStatus::Sent), ..all }), newest_first(&sent));
    assert_eq!(read_deliveries(&scene, DeliveryFilter { endpoint: Some(second), ..all })[1..], newest_first(&elsewhere));
    assert_eq!(read_deliveries(&scene, DeliveryFilter { status: Some(DeliveryStatus::Queued), ..to_first })[1..], newest_first(&queued));
    assert_eq!(read_deliveries(&scene, of_event(queued[1])), [queued[1]]);
    let paused = read_deliveries(&scene, all);
    let mut of_one_event = read_deliveries(&scene, of_event(paused[0]));
    assert_eq!(of_one_event, paused[..2]);
    of_one_event.retain(|id| scene.delivery(*id).endpoint == first);
    assert_eq!(read_deliveries(&scene, DeliveryFilter { endpoint: Some(first), ..of_event(paused[0]) }), of_one_event);
    assert_eq!(read_deliveries(&scene, DeliveryFilter { status: Some(DeliveryStatus::Blocked), ..all }), []);
}

pub(crate) fn what_is_on_its_way_is_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let sending = scene.notify(endpoint).id;
    scene.take_one();
    let queued = scene.notify(endpoint).id;
    let with = |status| read_deliveries(&scene, DeliveryFilter { status: Some(status), ..DeliveryFilter::default() });
    assert_eq!((with(DeliveryStatus::Sending), with(DeliveryStatus::Queued)), (vec![sending], vec![queued]));
}

pub(crate) fn recoveries_are_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let ids = [(); 3].map(|()| scene.begin_recovery(scene.a_recovery(scene.listen_to_nothing(), Timestamp::default())));
    assert_eq!(read(|page| wait(scene.store().recoveries(RecoveryFilter::default(), page)), |recovery| recovery.id), newest_first(&ids));
}

pub(crate) fn what_came_in_is_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let posted = ["1", "2", "3"].map(|words| scene.post(vec![scene.said(&[ALICE], words), scene.said(&[BOB], words)]));
    let inbound: Vec<_> = posted.iter().flat_map(|posted| posted.inbound.clone()).collect();
    let notifications: Vec<_> = posted.iter().map(|posted| posted.id).collect();
    let filter = InboundFilter { class: Some(InboundClass::Message), ..InboundFilter::default() };
    let entries = read(|page| wait(scene.store().inbound(filter, page)), |entry| entry.id);
    let posts = read(|page| wait(scene.store().notifications(page)), |entry| entry.id);
    assert_eq!((entries, posts), (newest_first(&inbound), newest_first(&notifications)));
}
