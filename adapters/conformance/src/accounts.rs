//! Accounts: who sends, from which instances, and what the operator makes of them.

use gatepost::{
    Account, AccountChange, Calendar, Connection, Instance, InstanceChange, InstanceRef, Limits, Page, Pause, Plan, Provider, Rate, Sender,
    StoreError, Zone,
};

use crate::Harness;
use crate::draft::text;
use crate::scene::{Scene, limits, name};
use crate::world::{block_on, seconds, wait};

fn zone(name: &str) -> Zone {
    name.parse().expect("a zone")
}

fn add(scene: &Scene, account: &Account) {
    wait(scene.operator().add_account(account.clone()));
}

fn of_account(scene: &Scene, account: &Account) -> Option<Account> {
    wait(scene.world().store.account(account.id).account())
}

pub(crate) fn an_account_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let rate = Some(Rate { count: 3, period_seconds: 7, burst: 2 });
    let account = Account {
        name: name("Café \u{1f35d} & 'Söhne'"),
        plan: Plan::Custom(Limits { account_rate: rate, recipient_rate: rate, ..limits(12, 345) }),
        calendar: Calendar { zone: zone("Asia/Riyadh"), next: Some((zone("Europe/Berlin"), scene.now())) },
        pause: Some(scene.a_pause()),
        suspended_at: Some(scene.now()),
        one_time_codes_pass: false,
        supervised: true,
        two_person_review: true,
        sender: sender(),
        ..scene.an_account()
    };
    add(&scene, &account);
    assert_eq!(of_account(&scene, &account), Some(account));
}

pub(crate) fn every_plan_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for plan in [Plan::Starter, Plan::Growth, Plan::Scale, Plan::Custom(limits(u64::from(u32::MAX), 1 << 40))] {
        let account = Account { plan, ..scene.an_account() };
        add(&scene, &account);
        assert_eq!(of_account(&scene, &account), Some(account));
    }
}

pub(crate) fn an_account_that_nobody_made_is_not_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let nobody = scene.nobody();
    assert_eq!(wait(nobody.store().account()), None);
    assert_eq!(wait(scene.operator().change_account(nobody.account, AccountChange::default())), None);
}

pub(crate) fn accounts_are_listed_newest_first(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [second, third] = [scene.neighbor(), scene.neighbor()];
    let ids: Vec<_> = wait(scene.operator().accounts(Page::first(9))).iter().map(|account| account.id).collect();
    assert_eq!(ids, [third.account, second.account, scene.account]);
}

pub(crate) fn a_change_changes_what_it_names(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let account = scene.an_account();
    add(&scene, &account);
    let (pause, none) = (scene.a_pause(), AccountChange::default());
    let change = |change| wait(scene.operator().change_account(account.id, change)).expect("the account is there");
    let mut expected = Account { name: name("Globex"), ..account.clone() };
    assert_eq!(change(AccountChange { name: Some(name("Globex")), ..none.clone() }), expected);
    expected.plan = Plan::Scale;
    assert_eq!(change(AccountChange { plan: Some(Plan::Scale), ..none.clone() }), expected);
    expected.pause = Some(pause.clone());
    assert_eq!(change(AccountChange { pause: Some(Some(pause)), ..none.clone() }), expected);
    expected.suspended_at = Some(scene.now());
    assert_eq!(change(AccountChange { suspended_at: Some(Some(scene.now())), ..none.clone() }), expected);
    expected.sender = sender();
    assert_eq!(change(AccountChange { sender: Some(sender()), ..none.clone() }), expected);
    expected.two_person_review = true;
    assert_eq!(change(AccountChange { two_person_review: Some(true), ..none.clone() }), expected);
    (expected.supervised, expected.one_time_codes_pass) = (true, false);
    assert_eq!(change(AccountChange { supervised: Some(true), one_time_codes_pass: Some(false), ..none }), expected);
    assert_eq!(of_account(&scene, &account), Some(expected));
}

fn sender() -> Sender {
    Sender { domains: vec!["fernhill.example".parse().expect("it is a domain")] }
}

pub(crate) fn an_empty_change_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let account = Account { pause: Some(scene.a_pause()), suspended_at: Some(scene.now()), supervised: true, ..scene.an_account() };
    add(&scene, &account);
    assert_eq!(wait(scene.operator().change_account(account.id, AccountChange::default())), Some(account));
}

pub(crate) fn what_was_set_can_be_unset(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let plain = scene.an_account();
    add(&scene, &Account { pause: Some(scene.a_pause()), suspended_at: Some(scene.now()), ..plain.clone() });
    let change = AccountChange { pause: Some(None), suspended_at: Some(None), ..AccountChange::default() };
    assert_eq!(wait(scene.operator().change_account(plain.id, change)), Some(plain));
}

pub(crate) fn a_paused_account_sends_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.pause();
    assert_eq!(scene.send(text("hi")), "blocked by account_paused");
    scene.resume();
    assert_eq!(scene.send(text("hi")), "queued");
}

pub(crate) fn a_suspended_account_sends_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.suspend();
    assert_eq!(scene.send(text("hi")), "blocked by account_suspended");
}

pub(crate) fn a_supervised_account_has_its_messages_held(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    assert_eq!(scene.send(text("hi")), "held");
}

pub(crate) fn an_instance_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for (provider, connection) in
        [(Provider::CloudApi, Connection::Closed), (Provider::Sandbox, Connection::Connecting), (Provider::Evolution, Connection::Open)]
    {
        let plain = scene.an_instance(provider.as_str());
        let instance = Instance { provider, connection, pause: Some(scene.a_pause()), ..plain };
        assert!(wait(scene.store().add_instance(instance.clone())));
        for which in [InstanceRef::Id(instance.id), InstanceRef::Name(instance.name.to_string())] {
            assert_eq!(wait(scene.store().instance(which)), Some(instance.clone()));
        }
    }
}

pub(crate) fn an_instance_that_nobody_made_is_not_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let unknown = scene.an_instance("till");
    for which in [InstanceRef::Id(unknown.id), InstanceRef::Name("till".to_string()), InstanceRef::Name("DESK".to_string())] {
        assert_eq!(wait(scene.store().instance(which)), None);
    }
    assert_eq!(wait(scene.store().change_instance(unknown.id, InstanceChange::default())), None);
}

pub(crate) fn the_name_of_an_instance_is_taken_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let other = scene.an_instance("desk");
    assert!(!wait(scene.store().add_instance(other.clone())));
    assert_eq!(wait(scene.store().instance(other.id.into())), None);
    assert!(wait(scene.store().add_instance(Instance { name: name("till"), ..other })));
}

pub(crate) fn instances_are_listed_by_name(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for name in ["till", "apron", "van"] {
        scene.add_instance(name);
    }
    let names: Vec<_> = wait(scene.store().instances()).iter().map(|instance| instance.name.to_string()).collect();
    assert_eq!(names, ["apron", "desk", "till", "van"]);
}

pub(crate) fn a_changed_instance_keeps_what_was_not_named(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let pause = scene.a_pause();
    let paused = scene.change_instance(InstanceChange { pause: Some(Some(pause.clone())), ..InstanceChange::default() });
    assert_eq!((paused.pause, paused.connection), (Some(pause.clone()), Connection::Open));
    scene.advance(seconds(1));
    let closed = scene.change_instance(InstanceChange { connection: Some(Connection::Closed), ..InstanceChange::default() });
    assert_eq!((closed.pause.clone(), closed.connection), (Some(pause), Connection::Closed));
    assert_eq!(wait(scene.store().instance(scene.instance.into())), Some(closed));
}

pub(crate) fn an_instance_is_changed_while_its_pause_is_the_expected_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let pause = Some(scene.a_pause());
    let other = Pause { note: None, ..scene.a_pause() };
    let change = |pause: Option<Pause>, expected: Option<Pause>| {
        let change = InstanceChange { pause: Some(pause), expected_pause: Some(expected), ..InstanceChange::default() };
        block_on(scene.store().change_instance(scene.instance, change)).map(|instance| instance.map(|instance| instance.pause))
    };
    assert_eq!(change(None, pause.clone()), Err(StoreError::Conflict));
    assert_eq!(change(pause.clone(), None), Ok(Some(pause.clone())));
    for expected in [None, Some(other)] {
        assert_eq!(change(None, expected), Err(StoreError::Conflict));
    }
    assert_eq!(wait(scene.store().instance(scene.instance.into())).map(|instance| instance.pause), Some(pause.clone()));
    assert_eq!(change(None, pause), Ok(Some(None)));
}

pub(crate) fn an_account_is_changed_while_its_pause_is_the_expected_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let pause = Some(scene.a_pause());
    let other = Pause { since: scene.now().plus(seconds(1)), ..scene.a_pause() };
    let change = |pause: Option<Pause>, expected: Option<Pause>| {
        let change = AccountChange { pause: Some(pause), expected_pause: Some(expected), ..AccountChange::default() };
        block_on(scene.operator().change_account(scene.account, change)).map(|account| account.map(|account| account.pause))
    };
    assert_eq!(change(None, pause.clone()), Err(StoreError::Conflict));
    assert_eq!(change(pause.clone(), None), Ok(Some(pause.clone())));
    for expected in [None, Some(other)] {
        assert_eq!(change(None, expected), Err(StoreError::Conflict));
    }
    assert_eq!(wait(scene.store().account()).map(|account| account.pause), Some(pause.clone()));
    assert_eq!(change(None, pause), Ok(Some(None)));
}

pub(crate) fn a_paused_instance_sends_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.change_instance(InstanceChange { pause: Some(Some(scene.a_pause())), ..InstanceChange::default() });
    assert_eq!(scene.send(text("hi")), "blocked by instance_paused");
    assert_eq!(scene.send(text("hi").via(scene.add_instance("till"))), "queued");
}

pub(crate) fn an_unconnected_instance_sends_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.change_instance(InstanceChange { connection: Some(Connection::Connecting), ..InstanceChange::default() });
    assert_eq!(scene.send(text("hi")), "blocked by instance_not_connected");
}
