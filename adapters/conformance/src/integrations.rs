//! Integrations: phone systems, the log of what they say and are told, and what keeps each conversation in its order.

use gatepost::{
    AccountChange, COOLDOWN_TIME, Cause, Conclusion, Direction, EndpointChange, Entered, EntryKey, EntryOutcome, ErrorClass, IN_FLIGHT_MAX,
    INTEGRATIONS_MAX, Integration, IntegrationChange, IntegrationEntryFilter, IntegrationId, MessageId, NewIntegrationEntry, Page,
    Progress, REPEAT_TIME, Schedule, StoreError, TRY_TIME, Take, Timestamp,
};

use crate::Harness;
use crate::draft::{ALICE, ALICE_ID, BOB, Draft, phone, text};
use crate::scene::{EVERYTHING, Scene, agent, call};
use crate::words::{TAKEN, UNKNOWN, failed, sent};
use crate::world::{MOMENT, block_on, hours, seconds, wait};

pub(crate) fn an_integration_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let integration = scene.an_integration();
    let id = integration.id;
    assert!(wait(scene.store().add_integration(integration.clone())));
    assert_eq!(wait(scene.store().integration(id)), Some(integration.clone()));
    assert_eq!(wait(scene.worker().integration(id)), Some((scene.account, integration.clone())));
    let integration = Integration { endpoint: Some(scene.listen(EVERYTHING)), enabled: false, revision: 1, ..integration };
    let change = IntegrationChange { endpoint: Some(integration.endpoint), enabled: Some(false), ..IntegrationChange::default() };
    assert_eq!(scene.change_integration(id, change), integration);
    assert_eq!(wait(scene.store().integrations()), [integration]);
}

pub(crate) fn integrations_are_listed_oldest_first_until_they_are_removed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second, third] = [(); 3].map(|()| scene.add_integration());
    let removed = IntegrationChange { removed_at: Some(scene.now()), ..IntegrationChange::default() };
    scene.change_integration(second, removed.clone());
    let listed: Vec<_> = wait(scene.store().integrations()).iter().map(|integration| integration.id).collect();
    assert_eq!(listed, [first, third]);
    assert!(wait(scene.store().integration(second)).is_some_and(|integration| integration.removed_at.is_some()));
    assert_eq!(wait(scene.store().change_integration(second, removed)), None);
    assert_eq!(scene.enter(scene.an_entry(second, "test")), Entered::Unknown);
}

pub(crate) fn an_integration_is_changed_only_at_its_revision(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.add_integration();
    let at = |revision| IntegrationChange { if_revision: Some(revision), enabled: Some(false), ..IntegrationChange::default() };
    scene.change_integration(id, at(0));
    assert_eq!(block_on(scene.store().change_integration(id, at(0))), Err(StoreError::Conflict));
    assert_eq!(scene.change_integration(id, at(1)).revision, 2);
}

pub(crate) fn an_account_has_only_so_many_integrations(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let ids: Vec<IntegrationId> = (0..INTEGRATIONS_MAX).map(|_| scene.add_integration()).collect();
    assert!(!wait(scene.store().add_integration(scene.an_integration())));
    scene.change_integration(ids[0], IntegrationChange { removed_at: Some(scene.now()), ..IntegrationChange::default() });
    scene.add_integration();
}

pub(crate) fn the_id_of_an_integration_is_taken_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let id = scene.add_integration();
    assert!(!wait(neighbor.store().add_integration(Integration { id, ..neighbor.an_integration() })));
    assert_eq!((wait(neighbor.store().integration(id)), wait(neighbor.store().integrations())), (None, vec![]));
    assert_eq!(wait(scene.worker().integration(id)).map(|(account, _)| account), Some(scene.account));
}

pub(crate) fn a_neighbor_neither_enters_nor_reads(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let id = scene.add_integration();
    let entry = scene.entered(scene.an_entry(id, "test"));
    assert_eq!(neighbor.enter(neighbor.an_entry(id, "test")), Entered::Unknown);
    assert!(!neighbor.conclude(entry, EntryOutcome::Logged, None));
    assert_eq!(neighbor.log(IntegrationEntryFilter::default()), []);
    assert_eq!(wait(neighbor.store().change_integration(id, IntegrationChange::default())), None);
    assert_eq!(scene.log(IntegrationEntryFilter::default()).len(), 1);
}

pub(crate) fn what_a_phone_system_says_is_written_down_before_and_after(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.add_integration();
    let entry = scene.an_entry(id, "missed_call");
    let place = scene.entered(entry.clone());
    let [before] = &scene.log(IntegrationEntryFilter::default())[..] else { panic!("one entry") };
    assert_eq!((before.id, before.kind.as_str(), before.outcome, before.at), (place, "missed_call", EntryOutcome::Received, entry.at));
    assert_eq!((before.direction, before.phone, &before.details), (Direction::In, Some(phone(ALICE)), &entry.details));
    assert!(scene.conclude(place, EntryOutcome::Skipped, Some("cooldown")));
    assert!(!scene.conclude(place, EntryOutcome::Logged, None), "it is concluded once");
    let [after] = &scene.log(IntegrationEntryFilter::default())[..] else { panic!("one entry") };
    assert_eq!((after.outcome, after.reason.as_deref()), (EntryOutcome::Skipped, Some("cooldown")));
    assert!(!scene.conclude(place + 1, EntryOutcome::Logged, None));
}

pub(crate) fn an_entry_tells_how_far_its_message_got(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.add_integration();
    let place = scene.entered(scene.an_entry(id, "sms"));
    let message = scene.sent(text("hi").from(agent(id)));
    let conclusion =
        Conclusion { outcome: EntryOutcome::Accepted, reason: None, message: Some(message), is_answered: true, at: scene.tick() };
    assert!(wait(scene.store().conclude(place, conclusion)));
    let status = || scene.log(IntegrationEntryFilter::default())[0].message_status.map(gatepost::MessageStatus::as_str);
    assert_eq!(status(), Some("queued"));
    scene.deliver(sent("x"));
    assert_eq!(status(), Some("sent"));
}

pub(crate) fn the_log_is_read_in_pages_and_by_filters(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (one, other) = (scene.add_integration(), scene.add_integration());
    let places: Vec<u64> = (0..5).map(|_| scene.entered(scene.an_entry(one, "test"))).collect();
    assert_eq!(places, [1, 2, 3, 4, 5], "places count up");
    let to_bob = scene.entered(NewIntegrationEntry { phone: Some(phone(BOB)), ..scene.an_entry(other, "sms") });
    scene.conclude(places[2], EntryOutcome::Logged, None);
    let ids = |filter: IntegrationEntryFilter| scene.log(filter).iter().map(|entry| entry.id).collect::<Vec<_>>();
    let all = IntegrationEntryFilter::default;
    assert_eq!(ids(IntegrationEntryFilter { integration: Some(other), ..all() }), [to_bob]);
    assert_eq!(ids(IntegrationEntryFilter { kind: Some("sms".to_string()), ..all() }), [to_bob]);
    assert_eq!(ids(IntegrationEntryFilter { phone: Some(phone(BOB)), ..all() }), [to_bob]);
    assert_eq!(ids(IntegrationEntryFilter { outcome: Some(EntryOutcome::Logged), ..all() }), [3]);
    assert_eq!(ids(IntegrationEntryFilter { direction: Some(Direction::Out), ..all() }), [0; 0]);
    let page =
        |after| wait(scene.store().integration_log(all(), Page { after, limit: 4 })).iter().map(|entry| entry.id).collect::<Vec<_>>();
    assert_eq!((page(None), page(Some(3))), (vec![6, 5, 4, 3], vec![2, 1]));
}

pub(crate) fn what_is_said_twice_is_written_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (one, other) = (scene.add_integration(), scene.add_integration());
    let report = |id| NewIntegrationEntry { key: Some(EntryKey::Lasting([7; 32])), ..scene.an_entry(id, "report_call") };
    let place = scene.entered(report(one));
    assert_eq!(scene.enter(report(one)), Entered::Repeated(place));
    assert_ne!(scene.entered(report(other)), place, "another phone system has its own");
    scene.entered(NewIntegrationEntry { key: Some(EntryKey::Lasting([8; 32])), ..report(one) });
    assert_eq!(scene.log(IntegrationEntryFilter::default()).len(), 3);
}

/// The words of an agent, said at a time.
fn ok(scene: &Scene, integration: IntegrationId, at: Timestamp) -> NewIntegrationEntry {
    NewIntegrationEntry { key: Some(EntryKey::UntilAnswered([7; 32])), at, ..scene.an_entry(integration, "sms") }
}

fn concluded(scene: &Scene, entry: u64, outcome: EntryOutcome, is_answered: bool, at: Timestamp) -> bool {
    let message = (outcome == EntryOutcome::Accepted).then(|| MessageId::from_bytes([1; 16]));
    wait(scene.store().conclude(entry, Conclusion { outcome, reason: None, message, is_answered, at }))
}

pub(crate) fn what_is_not_answered_is_the_same_for_ten_seconds_after_each_try(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (one, other) = (scene.add_integration(), scene.add_integration());
    let start = scene.tick();
    let after = |count| start.plus(REPEAT_TIME * count / 10);
    let first = scene.entered(ok(&scene, one, start));
    assert_ne!(scene.entered(ok(&scene, other, start)), first, "another phone system has its own");
    assert!(concluded(&scene, first, EntryOutcome::Refused, false, after(1)));
    assert_eq!(scene.enter(ok(&scene, one, after(10))), Entered::Repeated(first));
    assert_eq!(scene.enter(ok(&scene, one, after(19))), Entered::Repeated(first), "it was told once more, and nobody could conclude that");
    assert!(concluded(&scene, first, EntryOutcome::Accepted, true, after(20)));
    assert!(!concluded(&scene, first, EntryOutcome::Refused, true, after(20)), "it is answered");
    let second = scene.entered(ok(&scene, one, after(20)));
    assert_ne!(second, first, "what was answered is not told again");
    assert!(concluded(&scene, second, EntryOutcome::Refused, false, after(20)));
    assert_ne!(scene.entered(ok(&scene, one, after(30))), second, "after that time it is something else");
    let log = scene.log(IntegrationEntryFilter { integration: Some(one), ..IntegrationEntryFilter::default() });
    assert_eq!(log.iter().map(|entry| entry.outcome.as_str()).collect::<Vec<_>>(), ["accepted", "refused", "received"]);
}

pub(crate) fn what_nobody_concludes_is_the_same_for_a_minute(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (one, start) = (scene.add_integration(), scene.tick());
    let first = scene.entered(ok(&scene, one, start));
    assert_eq!(scene.enter(ok(&scene, one, start.plus(TRY_TIME - REPEAT_TIME * 2))), Entered::Repeated(first));
    assert_ne!(scene.entered(ok(&scene, one, start.plus(TRY_TIME))), first);
}

pub(crate) fn what_was_accepted_stays_so_whatever_becomes_of_the_same_words(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (one, start) = (scene.add_integration(), scene.tick());
    let first = scene.entered(ok(&scene, one, start));
    assert!(concluded(&scene, first, EntryOutcome::Accepted, false, start));
    assert_eq!(scene.enter(ok(&scene, one, start)), Entered::Repeated(first));
    assert!(concluded(&scene, first, EntryOutcome::Refused, false, start));
    let [entry] = &scene.log(IntegrationEntryFilter::default())[..] else { panic!("expected one entry") };
    assert_eq!((entry.outcome, entry.message), (EntryOutcome::Accepted, Some(MessageId::from_bytes([1; 16]))));
}

pub(crate) fn a_phone_system_tells_of_sixty_events_a_minute(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (one, other) = (scene.add_integration(), scene.add_integration());
    let now = scene.tick();
    let event = |id, at| NewIntegrationEntry { is_limited: true, at, ..scene.an_entry(id, "test") };
    (0..60).for_each(|_| _ = scene.entered(event(one, now)));
    let second = now.plus(seconds(1));
    assert_eq!(scene.enter(event(one, now)), Entered::TooOften(second));
    assert_eq!(scene.log(IntegrationEntryFilter::default()).len(), 60, "what is too much leaves nothing behind");
    scene.entered(event(other, now));
    scene.entered(NewIntegrationEntry { at: now, ..scene.an_entry(one, "sms") });
    scene.entered(event(one, second));
    assert_eq!(scene.enter(event(one, second)), Entered::TooOften(now.plus(seconds(2))));
}

pub(crate) fn customers_are_told_that_a_phone_system_said_something(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.add_integration();
    let endpoint = scene.listen(&["threecx.*"]);
    scene.entered(scene.an_entry(id, "sms"));
    assert_eq!(scene.told(endpoint), [""; 0], "not of what they are not to be told");
    let entry = NewIntegrationEntry { is_told: true, ..scene.an_entry(id, "missed_call") };
    let (place, at) = (scene.entered(entry.clone()), entry.at);
    let body = &scene.bodies(endpoint)[0];
    let says = format!(
        r#""integration_id":"{id}","log_id":{place},"event_type":"missed_call","phone":"{ALICE}","queue":"800","received_at":"{at}"}}"#
    );
    assert!(body.starts_with(r#"{"event":"threecx.event_received""#) && body.ends_with(&says), "{body}");
}

pub(crate) fn old_entries_are_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.add_integration();
    let old = scene.an_entry(id, "test");
    let at = old.at;
    scene.entered(old);
    scene.entered(scene.an_entry(id, "sms"));
    assert_eq!(scene.retain(Timestamp::from_millis(0), at), 0);
    assert_eq!(scene.retain(Timestamp::from_millis(0), at.plus(MOMENT)), 1);
    assert_eq!(scene.logged(IntegrationEntryFilter::default()), ["sms"]);
}

pub(crate) fn the_log_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.add_integration();
    scene.entered(scene.an_entry(id, "test"));
    let scene = scene.reopen();
    assert_eq!(scene.entered(scene.an_entry(id, "sms")), 2);
    assert_eq!(scene.logged(IntegrationEntryFilter::default()), ["test", "sms"]);
}

pub(crate) fn a_phone_system_is_told_what_customers_write(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (id, endpoint) = scene.add_phone_system();
    let elsewhere = scene.add_instance("elsewhere");
    scene.post_to(elsewhere, vec![scene.said(&[ALICE], "to another instance")]);
    scene.heed();
    scene.say(ALICE_ID, "from nobody whom an agent could call");
    assert_eq!(scene.told(endpoint), [""; 0]);
    scene.say(ALICE, "is anyone there?");
    assert_eq!(scene.told(endpoint), ["message.received"]);
    let [entry] = &scene.log(IntegrationEntryFilter::default())[..] else { panic!("one entry") };
    assert_eq!((entry.integration, entry.direction, entry.kind.as_str()), (id, Direction::Out, "message.received"));
    assert_eq!((entry.phone, entry.outcome), (Some(phone(ALICE)), EntryOutcome::Posted));
    assert_eq!(entry.delivery_status.map(gatepost::DeliveryStatus::as_str), Some("queued"));
    let notice = scene.take_one();
    let status = || scene.log(IntegrationEntryFilter::default())[0].delivery_status.map(gatepost::DeliveryStatus::as_str);
    assert_eq!((notice.notice.endpoint.integration, status()), (Some(id), Some("sending")));
    scene.close(&notice, TAKEN);
    assert_eq!(status(), Some("sent"));
}

pub(crate) fn a_phone_system_is_told_how_far_its_agents_messages_get(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (id, endpoint) = scene.add_phone_system();
    let other = scene.add_integration();
    for origin in [agent(id), agent(other), call(id), gatepost::Origin::App] {
        scene.sent(text("hi").from(origin));
    }
    scene.deliver_all();
    assert_eq!(scene.told(endpoint), ["message.sent"]);
    let of_agent = scene.messages().last().expect("a message").id;
    scene.report(scene.reported_of(of_agent, Progress::Delivered));
    scene.report(scene.reported_of(of_agent, Progress::Read));
    assert_eq!(scene.told(endpoint), ["message.sent", "message.delivered"]);
}

/// Alice writes twice and Bob once; what is due is finished as it is told.
fn three_letters(scene: &Scene) {
    scene.say(ALICE, "1");
    scene.say(ALICE, "2");
    scene.say(BOB, "3");
}

/// Takes what is due; who wrote it, by their own order.
fn taken(scene: &Scene) -> Vec<(gatepost::StartedNotice, String)> {
    let words = |notice: gatepost::StartedNotice| {
        let fields = notice.notice.event.fields.clone();
        let text = fields.split(r#""message_text":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        (notice, text.to_string())
    };
    let mut taken: Vec<_> = scene.take().into_iter().map(words).collect();
    taken.sort_by(|one, other| one.1.cmp(&other.1));
    taken
}

fn said(taken: &[(gatepost::StartedNotice, String)]) -> Vec<&str> {
    taken.iter().map(|(_, text)| text.as_str()).collect()
}

pub(crate) fn each_conversation_goes_in_its_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.add_phone_system();
    three_letters(&scene);
    let first = taken(&scene);
    assert_eq!(said(&first), ["1", "3"], "the second waits for the first");
    assert_eq!(said(&taken(&scene)), [""; 0]);
    scene.close(&first[0].0, TAKEN);
    let second = taken(&scene);
    assert_eq!(said(&second), ["2"]);
    scene.say(ALICE, "4");
    assert_eq!(said(&taken(&scene)), [""; 0]);
    scene.close(&second[0].0, TAKEN);
    assert_eq!(said(&taken(&scene)), ["4"]);
}

pub(crate) fn what_failed_holds_up_its_conversation_and_no_other(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.add_phone_system();
    three_letters(&scene);
    for (notice, _) in taken(&scene) {
        scene.close(&notice, failed(ErrorClass::ErrorStatus));
    }
    scene.say(BOB, "5");
    assert_eq!(said(&taken(&scene)), [""; 0]);
    scene.advance(seconds(5));
    let again = taken(&scene);
    assert_eq!(said(&again), ["1", "3"]);
    scene.close(&again[1].0, TAKEN);
    assert_eq!(said(&taken(&scene)), ["5"], "only what is Bob's");
    scene.close(&again[0].0, UNKNOWN);
    scene.advance(seconds(30));
    assert_eq!(said(&taken(&scene)), ["1"]);
}

pub(crate) fn what_ends_lets_go_what_stood_behind_it(harness: &dyn Harness) {
    for outcome in [failed(ErrorClass::Refused), gatepost::Outcome::Blocked { class: ErrorClass::Forbidden }] {
        let scene = Scene::new(harness);
        let (_, endpoint) = scene.add_phone_system();
        three_letters(&scene);
        let second = scene.deliveries_to(endpoint)[1].id;
        let first = taken(&scene);
        assert_eq!(scene.delivery(second).next_at, None, "nobody can say when its turn comes");
        scene.close(&first[0].0, outcome);
        assert_eq!(scene.delivery(second).next_at, Some(scene.now()));
        assert_eq!(said(&taken(&scene)), ["2"]);
    }
}

pub(crate) fn what_is_interrupted_goes_first_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.add_phone_system();
    three_letters(&scene);
    taken(&scene);
    scene.advance(seconds(60));
    scene.sweep();
    assert_eq!(said(&taken(&scene)), [""; 0], "it waits for its next try");
    scene.advance(seconds(5));
    assert_eq!(said(&taken(&scene)), ["1", "3"]);
}

pub(crate) fn a_post_is_tried_for_three_days_and_every_five_minutes(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (_, endpoint) = scene.add_phone_system();
    scene.say(ALICE, "1");
    scene.say(ALICE, "2");
    let [first, second] = scene.deliveries_to(endpoint).try_into().expect("two deliveries");
    let (mut tries, began) = (0, scene.now());
    while scene.fate(first.id) == "queued" {
        taken(&scene).iter().for_each(|(notice, _)| scene.close(notice, failed(ErrorClass::Unreachable)));
        tries += 1;
        assert!(tries <= Schedule::ORDERED_EVENT.tries(), "it comes to an end");
        scene.advance(seconds(300));
    }
    let took = scene.now().since(began);
    assert!(took > hours(71) && took <= hours(72).saturating_add(seconds(300)), "{took:?}");
    assert_eq!(scene.delivery(second.id).tries, 0, "the one behind it had no turn before");
}

pub(crate) fn a_phone_system_is_told_only_while_it_counts(harness: &dyn Harness) {
    let ends: [fn(&Scene, IntegrationId); 4] = [
        |scene, id| remove(scene, id),
        |scene, id| drop(scene.change_integration(id, IntegrationChange { enabled: Some(false), ..IntegrationChange::default() })),
        |scene, id| drop(scene.change_integration(id, IntegrationChange { endpoint: Some(None), ..IntegrationChange::default() })),
        |scene, _| drop(scene.change_account(AccountChange { threecx_enabled: Some(false), ..AccountChange::default() })),
    ];
    for end in ends {
        let scene = Scene::new(harness);
        let (id, endpoint) = scene.add_phone_system();
        let customer = scene.listen(&["message.received"]);
        scene.say(ALICE, "1");
        end(&scene, id);
        scene.say(ALICE, "2");
        assert_eq!((scene.told(endpoint).len(), scene.told(customer).len()), (1, 2));
        assert!(scene.take().iter().all(|notice| notice.notice.endpoint.id == customer), "what waits does not go out either");
        let [waited] = scene.deliveries_to(endpoint).try_into().expect("one delivery");
        assert_eq!(scene.fate(waited.id), "skipped: endpoint_disabled");
    }
}

fn remove(scene: &Scene, id: IntegrationId) {
    scene.change_integration(id, IntegrationChange { removed_at: Some(scene.now()), ..IntegrationChange::default() });
}

pub(crate) fn what_waits_for_a_phone_system_that_is_removed_ends_at_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (id, endpoint) = scene.add_phone_system();
    for words in ["1", "2", "3"] {
        scene.say(ALICE, words);
    }
    remove(&scene, id);
    scene.change_endpoint(endpoint, EndpointChange { removed_at: Some(scene.now()), ..EndpointChange::default() });
    while !scene.take().is_empty() {}
    let fates: Vec<String> = scene.deliveries_to(endpoint).iter().map(|delivery| scene.fate(delivery.id)).collect();
    assert_eq!(fates, ["skipped: endpoint_removed"; 3]);
}

pub(crate) fn an_endpoint_that_no_integration_names_is_told_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (id, _) = scene.add_phone_system();
    let left_behind = scene.add_endpoint(scene.a_phone_system(id));
    scene.say(ALICE, "1");
    assert_eq!(scene.told(left_behind), [""; 0]);
}

pub(crate) fn how_far_a_message_got_holds_up_no_customer(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (id, _) = scene.add_phone_system();
    scene.sent(text("hi").from(agent(id)));
    scene.deliver_all();
    let receipt = scene.take_one();
    scene.close(&receipt, failed(ErrorClass::ErrorStatus));
    scene.say(ALICE, "1");
    assert_eq!(said(&taken(&scene)), ["1"]);
}

pub(crate) fn who_is_known_by_a_number_is_told_by_it(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (_, endpoint) = scene.add_phone_system();
    scene.hear(scene.said(&[ALICE, ALICE_ID], "1"));
    scene.say(ALICE_ID, "2");
    assert_eq!(scene.told(endpoint), ["message.received"; 2]);
    assert!(scene.bodies(endpoint)[1].contains(&format!(r#""from":"{ALICE}""#)));
    assert_eq!(said(&taken(&scene)), ["1"], "it is one conversation");
}

pub(crate) fn a_disabled_phone_system_is_told_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (_, endpoint) = scene.add_phone_system();
    scene.say(ALICE, "1");
    scene.disable_endpoint(endpoint);
    scene.say(ALICE, "2");
    assert_eq!(taken(&scene).len(), 0);
    let fates: Vec<_> = scene.deliveries_to(endpoint).iter().map(|delivery| scene.fate(delivery.id)).collect();
    assert_eq!(fates, ["skipped: endpoint_disabled", "skipped: endpoint_disabled"]);
    scene.enable_endpoint(endpoint);
    scene.say(ALICE, "3");
    assert_eq!(said(&taken(&scene)), ["3"]);
}

pub(crate) fn a_paused_phone_system_gets_everything_in_order_later(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (_, endpoint) = scene.add_phone_system();
    scene.pause_endpoint(endpoint);
    three_letters(&scene);
    assert_eq!(taken(&scene).len(), 0);
    scene.resume_endpoint(endpoint);
    let mut order = Vec::new();
    loop {
        let some = taken(&scene);
        if some.is_empty() {
            break;
        }
        order.extend(said(&some).iter().map(ToString::to_string));
        some.iter().for_each(|(notice, _)| scene.close(notice, TAKEN));
    }
    assert_eq!(order, ["1", "3", "2"]);
}

pub(crate) fn a_long_conversation_that_expires_lets_go_what_stands_behind_it(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.add_phone_system();
    scene.post((0..100).map(|_| scene.said(&[ALICE], "hello?")).collect());
    scene.heed();
    scene.advance(hours(1));
    scene.say(ALICE, "at last");
    scene.advance(hours(71) + seconds(60));
    scene.sweep();
    assert_eq!(said(&taken(&scene)), ["at last"]);
}

pub(crate) fn the_order_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.add_phone_system();
    three_letters(&scene);
    let scene = scene.reopen();
    let first = taken(&scene);
    assert_eq!(said(&first), ["1", "3"]);
    scene.close(&first[0].0, TAKEN);
    assert_eq!(said(&taken(&scene)), ["2"]);
}

pub(crate) fn phone_systems_take_no_room_from_endpoints(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    (0..gatepost::ENDPOINTS_MAX).for_each(|_| _ = scene.listen(EVERYTHING));
    let (_, endpoint) = scene.add_phone_system();
    assert!(scene.endpoint(endpoint).integration.is_some());
    scene.change_endpoint(endpoint, EndpointChange::default());
    assert!(scene.endpoint(endpoint).integration.is_some(), "a change keeps whose it is");
}

fn missed_call(scene: &Scene, integration: IntegrationId, number: &str) -> Draft {
    call_of(scene, integration, "missed_call", number)
}

fn call_of(scene: &Scene, integration: IntegrationId, event: &str, number: &str) -> Draft {
    // What is said of it differs: the time of the call stands in it.
    text(&format!("sorry, {}", scene.tick())).to(number).from(call(integration)).of_call(integration, event, phone(number))
}

pub(crate) fn a_call_is_one_message_for_fifteen_minutes(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.add_integration();
    let first: MessageId = scene.sent(missed_call(&scene, id, ALICE));
    assert_eq!(scene.send(missed_call(&scene, id, ALICE)), "repeated, queued");
    let free_at = scene.message(first).created_at.plus(COOLDOWN_TIME);
    scene.at(free_at.minus(seconds(1)));
    assert_eq!(scene.send(missed_call(&scene, id, ALICE)), "repeated, queued");
    scene.at(free_at);
    assert_eq!(scene.send(missed_call(&scene, id, ALICE)), "queued");
}

pub(crate) fn other_calls_are_other_messages(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (id, other) = (scene.add_integration(), scene.add_integration());
    scene.sent(missed_call(&scene, id, ALICE));
    assert_eq!(scene.send(missed_call(&scene, id, BOB)), "queued");
    assert_eq!(scene.send(missed_call(&scene, other, ALICE)), "queued");
    assert_eq!(scene.send(call_of(&scene, id, "voicemail", ALICE)), "queued");
}

pub(crate) fn a_refused_call_begins_no_cooldown(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.add_integration();
    let suppression = scene.suppress(ALICE, Cause::Manual);
    assert_eq!(scene.send(missed_call(&scene, id, ALICE)), "blocked by recipient_suppressed");
    scene.lift(suppression.id);
    assert_eq!(scene.send(missed_call(&scene, id, ALICE)), "queued");
}

pub(crate) fn a_cooldown_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.add_integration();
    scene.sent(missed_call(&scene, id, ALICE));
    let scene = scene.reopen();
    assert_eq!(scene.send(missed_call(&scene, id, ALICE)), "repeated, queued");
}

pub(crate) fn a_backlog_leaves_nothing_of_a_conversation_out(harness: &dyn Harness) {
    const PEOPLE: usize = 30;
    let scene = Scene::new(harness);
    let (_, endpoint) = scene.add_phone_system();
    scene.change_endpoint(endpoint, EndpointChange { in_flight_max: Some(IN_FLIGHT_MAX), ..EndpointChange::default() });
    // Others share the places, so that few of the phone system's conversations are looked at in one go.
    let others = [(); 5].map(|()| scene.listen_to_nothing());
    others.iter().for_each(|other| _ = scene.notify(*other));
    (0..PEOPLE).for_each(|nth| _ = scene.say(&format!("+9995010009{nth:02}"), "hi"));
    ["one", "two"].iter().for_each(|words| _ = scene.say(ALICE, words));
    let take = || scene.answer_take(Take { limit: 40, ..scene.a_take() }).started;
    while let started @ [_, ..] = &take()[..] {
        started.iter().for_each(|notice| scene.close(notice, TAKEN));
    }
    let fates: Vec<String> = scene.deliveries_to(endpoint).iter().map(|delivery| scene.fate(delivery.id)).collect();
    assert_eq!(fates, vec!["sent"; PEOPLE + 2]);
}
