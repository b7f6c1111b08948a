//! Apart: no account sees, changes or affects another's rows.

use std::fmt::Debug;

use gatepost::{
    Cause, Claimed, DeliveryFilter, EndpointChange, EndpointId, ErrorClass, InstanceChange, KeyId, MessageFilter, Mode, Page,
    PolicyEventFilter, ReviewFilter, StartedNotice, SuppressionFilter, Timestamp,
};

use crate::Harness;
use crate::draft::{ALICE, BOB, code, text};
use crate::scene::{EVERYTHING, Scene};
use crate::words::{TAKEN, UNKNOWN, failed, sent};
use crate::world::{seconds, wait};

pub(crate) fn another_accounts_message_is_not_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let message = scene.sent(text("hi"));
    scene.deliver(sent("x"));
    assert_eq!((neighbor.find(message), neighbor.attempts(message)), (None, String::new()));
    assert_eq!((neighbor.messages(), neighbor.events()), (vec![], vec![]));
}

pub(crate) fn another_accounts_lists_are_not_seen(harness: &dyn Harness) {
    let (scene, neighbor) = lived_in(harness);
    let about = PolicyEventFilter { message: scene.messages().first().map(|message| message.id), ..PolicyEventFilter::default() };
    let at = MessageFilter { instance: Some(scene.instance), ..MessageFilter::default() };
    assert_eq!(wait(neighbor.store().policy_events(about, Page::first(9))), []);
    assert_eq!(wait(neighbor.store().messages(at, Page::first(9))), []);
    assert_eq!(neighbor.suppressions(SuppressionFilter::default()), []);
    assert_eq!((neighbor.reviews(ReviewFilter::default()), wait(neighbor.store().keys())), (vec![], vec![]));
    assert_eq!(wait(neighbor.store().instance(scene.instance.into())), None);
    assert_eq!(wait(neighbor.store().instances()).len(), 1);
    assert_eq!(wait(neighbor.store().addresses(scene.last_event().contact)), []);
    assert_eq!(neighbor.used(), (0, 0));
}

/// An account with something of everything, and a neighbor with nothing.
fn lived_in(harness: &dyn Harness) -> (Scene, Scene) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    scene.send_all([text("hi"), text("ho").under("k")]);
    scene.add_key();
    scene.suppress(BOB, Cause::Keyword);
    scene.deliver_all();
    scene.send(text("in doubt"));
    scene.deliver(UNKNOWN);
    scene.supervise();
    scene.send(text("held"));
    (scene, neighbor)
}

pub(crate) fn another_accounts_rows_cannot_be_changed(harness: &dyn Harness) {
    let (scene, neighbor) = lived_in(harness);
    let before = [portrait(&scene), portrait(&neighbor)];
    intrude(&neighbor, &scene);
    assert_eq!([portrait(&scene), portrait(&neighbor)], before);
}

/// Everything that the neighbor can try with what it should not even know.
fn intrude(neighbor: &Scene, scene: &Scene) {
    let store = neighbor.store();
    for message in scene.messages() {
        assert_eq!([neighbor.release(message.id), neighbor.refuse(message.id)], ["not found", "not found"]);
        assert_eq!(neighbor.resolve(message.id, true), "not in doubt");
    }
    for suppression in scene.suppressions(SuppressionFilter::default()) {
        assert_eq!(neighbor.lift(suppression.id), None);
    }
    for key in wait(scene.store().keys()) {
        assert_eq!(neighbor.revoke(key.id), None);
        assert!(!wait(store.reroll_key(key.id, neighbor.a_key(), neighbor.now(), neighbor.now())));
    }
    for endpoint in wait(scene.store().endpoints()) {
        let removed = EndpointChange { removed_at: Some(neighbor.now()), ..EndpointChange::default() };
        assert_eq!(wait(store.change_endpoint(endpoint.id, removed)), None);
        assert_eq!(wait(store.notify(endpoint.id, neighbor.a_test_event())), None);
        assert!(!wait(store.add_recovery(neighbor.a_recovery(endpoint.id, Timestamp::default()))));
    }
    for delivery in scene.deliveries() {
        assert_eq!(neighbor.replay(delivery.id), "unknown");
    }
    for recovery in scene.recoveries() {
        assert_eq!(wait(store.cancel_recovery(recovery.id, neighbor.now())), None);
    }
    let pause = InstanceChange { pause: Some(Some(neighbor.a_pause())), ..InstanceChange::default() };
    assert_eq!(wait(store.change_instance(scene.instance, pause)), None);
    assert_eq!(neighbor.send(text("hi").via(scene.instance)), "unknown instance");
}

/// All that an account can see of itself.
type Portrait = [String; 7];

fn portrait(scene: &Scene) -> Portrait {
    let messages = scene.messages();
    let attempts: Vec<_> = messages.iter().map(|message| wait(scene.store().attempts(message.id))).collect();
    // In full: `Debug` shows no more of a content than its length, and no more of an address than a log may keep.
    let contents: Vec<_> = messages.iter().map(|message| serde_json::to_string(&(&message.content, &message.recipient)).ok()).collect();
    let usage = [Mode::Live, Mode::Test].map(|mode| scene.used_at(mode, scene.now()));
    let deliveries = scene.deliveries();
    let bodies: Vec<_> = deliveries.iter().map(|delivery| scene.event(delivery.event).map(|event| event.fields)).collect();
    let tries: Vec<_> = deliveries.iter().map(|delivery| scene.delivery_attempts(delivery.id)).collect();
    [
        seen(&(wait(scene.store().account()), wait(scene.store().keys()), usage)),
        seen(&messages),
        seen(&(attempts, contents)),
        seen(&scene.events()),
        seen(&(scene.suppressions(SuppressionFilter::default()), scene.reviews(ReviewFilter::default()))),
        seen(&(wait(scene.store().endpoints()), scene.recoveries())),
        seen(&(deliveries, bodies, tries)),
    ]
}

fn seen(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// An account with endpoints, an event on its way, one that was not taken, and a recovery that is not over; and a neighbor with none.
fn listening(harness: &dyn Harness) -> (Scene, Scene, EndpointId) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let endpoint = scene.listen(EVERYTHING);
    scene.send(text("hi"));
    scene.tell(failed(ErrorClass::Aborted));
    scene.notify(endpoint);
    scene.begin_recovery(scene.a_recovery(endpoint, Timestamp::default()));
    (scene, neighbor, endpoint)
}

pub(crate) fn another_accounts_endpoints_are_not_found(harness: &dyn Harness) {
    let (scene, neighbor, endpoint) = listening(harness);
    let store = neighbor.store();
    assert_eq!((wait(store.endpoint(endpoint)), wait(store.endpoints())), (None, vec![]));
    let of_endpoint = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
    for delivery in scene.deliveries() {
        let of_event = DeliveryFilter { event: Some(delivery.event), ..DeliveryFilter::default() };
        assert_eq!((neighbor.find_delivery(delivery.id), neighbor.tries(delivery.id)), (None, String::new()));
        assert_eq!((neighbor.event(delivery.event), wait(store.deliveries(of_event, Page::first(9)))), (None, vec![]));
    }
    assert_eq!((neighbor.deliveries(), wait(store.deliveries(of_endpoint, Page::first(9)))), (vec![], vec![]));
    let recoveries = scene.recoveries();
    assert_eq!((recoveries.len(), neighbor.recoveries()), (1, vec![]));
    assert_eq!(wait(store.recovery(recoveries[0].id)), None);
}

pub(crate) fn another_accounts_endpoints_cannot_be_changed(harness: &dyn Harness) {
    let (scene, neighbor, endpoint) = listening(harness);
    let before = [portrait(&scene), portrait(&neighbor)];
    intrude(&neighbor, &scene);
    assert_eq!([portrait(&scene), portrait(&neighbor)], before);
    let started = scene.take_one();
    let disguised = Claimed { account: neighbor.account, ..started.claimed };
    scene.close(&StartedNotice { claimed: disguised, ..started.clone() }, TAKEN);
    assert_eq!((started.notice.endpoint.id, scene.fate(started.claimed.delivery)), (endpoint, "sending".to_string()));
}

pub(crate) fn events_are_told_in_their_account_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let [ours, theirs] = [&scene, &neighbor].map(|scene| scene.listen(EVERYTHING));
    neighbor.send(text("hi"));
    assert_eq!((scene.told(ours).len(), neighbor.told(theirs)), (0, vec!["message.queued"]));
    scene.disable_endpoint(ours);
    let started = scene.take_one();
    assert_eq!((started.claimed.account, started.notice.endpoint.id), (neighbor.account, theirs));
}

pub(crate) fn accounts_use_the_same_names_apart(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let message = neighbor.sent(text("hi").via("desk"));
    assert_eq!(neighbor.message(message).instance, neighbor.instance);
    scene.add_instance("till");
    assert_eq!(neighbor.send(text("hi").via("till")), "unknown instance");
}

pub(crate) fn a_suppression_holds_in_its_account_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    scene.suppress(ALICE, Cause::Legal);
    assert_eq!(neighbor.send(text("hi")), "queued");
    assert_eq!(scene.start(scene.claim_one()), "started");
}

pub(crate) fn a_pause_holds_in_its_account_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    scene.pause();
    assert_eq!((neighbor.send(text("hi")), neighbor.deliver(sent("x"))), ("queued".to_string(), "sent".to_string()));
}

pub(crate) fn usage_is_counted_apart(harness: &dyn Harness) {
    let scene = Scene::limited(harness, crate::scene::limits(1, 1));
    let neighbor = scene.neighbor();
    neighbor.send_all([text("1"), text("2")]);
    assert_eq!((scene.used(), scene.send(text("hi"))), ((0, 0), "queued".to_string()));
    assert_eq!(neighbor.used(), (2, 2));
}

pub(crate) fn a_delivery_is_worked_on_under_its_own_account_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let message = scene.sent(text("hi"));
    let claimed = scene.claim_one();
    let disguised = Claimed { account: neighbor.account, ..claimed };
    assert_eq!(scene.start(disguised), "stale");
    let started = scene.start_now(claimed);
    assert_eq!(scene.finish(&gatepost::Started { claimed: disguised, ..started.clone() }, sent("x")), "stale");
    assert_eq!((scene.status(message), scene.finish(&started, sent("y"))), ("sending".to_string(), "sent".to_string()));
}

type Step = fn(&Scene) -> String;

/// What an account does in its day; each step is a view of what it got.
const DAY: &[Step] = &[
    |scene| seen(&scene.listen(EVERYTHING)),
    |scene| seen(&scene.listen(&["message.status_updated"])),
    |scene| seen(&scene.accept(text("hi").under("k"))),
    |scene| seen(&scene.accept(text("hi").under("k"))),
    |scene| seen(&scene.accept(text("ho").under("k"))),
    |scene| seen(&scene.accept(text("hi").via("desk").to(BOB).ordered())),
    |scene| seen(&scene.accept(text("hi").via("nowhere"))),
    |scene| seen(&scene.suppress(BOB, Cause::Keyword)),
    |scene| seen(&scene.send_all([text("hi").to(BOB), code().to(BOB).test()])),
    |scene| seen(&scene.add_key()),
    |scene| seen(&scene.accept(text("by a key").by(newest_key(scene)))),
    |scene| seen(&scene.revoke(newest_key(scene))),
    |scene| seen(&scene.accept(text("by a key").by(newest_key(scene)))),
    |scene| seen(&scene.supervise()),
    |scene| seen(&[scene.accept(text("one")), scene.accept(text("two"))]),
    |scene| seen(&scene.answer_release(scene.reviews(ReviewFilter::OPEN)[0].message)),
    |scene| scene.refuse(scene.reviews(ReviewFilter::OPEN)[0].message),
    |scene| seen(&scene.lift(scene.suppressions(SuppressionFilter::default())[0].id)),
    |scene| seen(&scene.lift(scene.new_suppression(ALICE, Cause::Manual).id)),
    |scene| seen(&scene.find(scene.submission(text("unsent")).message)),
    |scene| seen(&wait(scene.store().instances())),
    |scene| seen(&scene.notify(first_endpoint(scene))),
    |scene| seen(&scene.replay(scene.deliveries()[0].id)),
    |scene| seen(&scene.begin_recovery(scene.a_recovery(first_endpoint(scene), Timestamp::default()))),
    |scene| seen(&scene.remove_endpoint(first_endpoint(scene))),
    |scene| seen(&scene.accept(text("bye"))),
];

fn first_endpoint(scene: &Scene) -> EndpointId {
    wait(scene.store().endpoints())[0].id
}

fn newest_key(scene: &Scene) -> KeyId {
    wait(scene.store().keys())[0].id
}

pub(crate) fn what_an_account_sees_does_not_depend_on_others(harness: &dyn Harness) {
    let alone = live(&Scene::new(harness), |_| {});
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let among_others = live(&scene, |step| {
        step(&neighbor);
        intrude(&neighbor, &scene);
    });
    assert_eq!(alone.len(), DAY.len());
    for (number, (alone, among_others)) in alone.iter().zip(&among_others).enumerate() {
        assert_eq!(alone, among_others, "step {number}");
    }
}

/// Lives through the day, with something else before each step and the worker behind it; what was seen.
fn live(scene: &Scene, disturb: impl Fn(Step)) -> Vec<(String, Portrait)> {
    let morning: Timestamp = "2026-11-22T13:00:00Z".parse().expect("a time");
    let day = DAY.iter().zip(1_u64..).map(|(step, hour)| {
        scene.at(morning.plus(seconds(hour * 600)));
        disturb(*step);
        scene.at(morning.plus(seconds(hour * 600 + 60)));
        let seen = step(scene);
        scene.at(morning.plus(seconds(hour * 600 + 120)));
        scene.deliver_all();
        scene.tell_all(&failed(ErrorClass::Aborted));
        scene.recover();
        (seen, portrait(scene))
    });
    day.collect()
}

pub(crate) fn what_came_in_is_seen_by_its_account_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let waiting = neighbor.sent(text("hi"));
    let endpoint = neighbor.listen(EVERYTHING);
    let posted = scene.post(vec![scene.said(&[ALICE], "STOP"), scene.said(&[BOB], crate::opt_out::DOUBTFUL)]);
    scene.heed();
    let id = posted.inbound[0];
    assert_eq!((neighbor.inbound(), wait(neighbor.store().inbound_entry(id)), neighbor.suspicions()), (vec![], None, vec![]));
    assert_eq!((wait(neighbor.store().notifications(Page::first(9))), neighbor.notification(posted.id)), (vec![], None));
    assert_eq!((neighbor.status(waiting).as_str(), neighbor.told(endpoint)), ("queued", vec![]));
    assert_eq!([neighbor.send(text("ho")), neighbor.send(text("ho").to(BOB))], ["queued", "queued"]);
    let doubted = scene.suspicions()[0].contact;
    assert_eq!((neighbor.answer_suspicion(doubted, true), scene.suspicions().len()), (None, 1));
    assert_eq!(neighbor.suppressions(SuppressionFilter::default()), []);
}

/// What tells one thing from all others does so in one account.
pub(crate) fn another_account_is_told_the_same_apart(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let said = scene.said(&[ALICE], "hi");
    let new = [&scene, &neighbor].map(|scene| scene.post_to(scene.instance, vec![said.clone()]).received.new);
    let here = neighbor.post_to(scene.instance, vec![said]).received.new;
    assert_eq!((new, here), ([1, 1], 1));
}
