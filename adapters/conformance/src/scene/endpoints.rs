//! What the account of a scene does with its endpoints, and what a worker does for them.

use std::sync::Arc;
use std::time::Duration;

use gatepost::{
    Actor, Attempt, DeliveryFilter, DeliveryId, Disabled, DisabledBy, Endpoint, EndpointChange, EndpointId, EndpointSecrets, EndpointUrl,
    Event, EventDelivery, EventFilter, EventId, EventName, Finish, Finished, Health, IN_FLIGHT_DEFAULT, Keyring, Lease, NewSigningSecret,
    Outcome, Page, Recovered, Recovery, RecoveryFilter, RecoveryId, RecoveryProgress, Replay, ReplayAnswer, Report, Sealed, SealedFor,
    SealedHeaders, SealedKind, StartedNotice, Take, TakeAnswer, Timestamp,
};
use zeroize::Zeroizing;

use super::account::ALL;
use super::{Scene, name};
use crate::words;
use crate::world::{seconds, wait};

/// How long an attempt may take in the scenes.
pub(crate) const EVENT_TIMEOUT: Duration = seconds(15);

/// A filter of all events but tests.
pub(crate) const EVERYTHING: &[&str] = &["*"];

impl Scene {
    /// A value that is sealed for a row of this account.
    pub(crate) fn sealed(&self, root: u32, kind: SealedKind, row: EndpointId, plain: &[u8]) -> Sealed {
        self.keyring(root).seal(SealedFor { account: self.account, kind, row: row.to_bytes() }, plain, &self.dice)
    }

    /// A keyring with this one root.
    pub(crate) fn keyring(&self, root: u32) -> Keyring {
        Keyring::new([(root, Zeroizing::new([7; 32]))]).expect("a keyring with a root")
    }

    /// Custom headers that are sealed for an endpoint.
    pub(crate) fn sealed_headers(&self, root: u32, endpoint: EndpointId) -> SealedHeaders {
        let sealed = self.sealed(root, SealedKind::EndpointHeaders, endpoint, br#"[["authorization","Bearer abc"]]"#);
        SealedHeaders { names: vec!["authorization".to_string()], sealed }
    }

    /// An endpoint that listens to these events, verified, that is not added yet.
    pub(crate) fn an_endpoint(&self, filter: &[&str]) -> Endpoint {
        let now = self.tick();
        let id = EndpointId::new(now, &self.dice);
        let secrets = EndpointSecrets::new(NewSigningSecret::generate(&self.dice).secret().clone());
        Endpoint {
            id,
            name: name("ledger"),
            url: EndpointUrl::stored("https://receiver.test/events".to_string()),
            for_operator: false,
            integration: None,
            instance: None,
            filter: EventFilter::new(filter.iter().copied()).expect("a filter"),
            in_flight_max: IN_FLIGHT_DEFAULT,
            rate: None,
            secrets: self.sealed(1, SealedKind::EndpointSecrets, id, &secrets.to_bytes()),
            headers: None,
            verified_at: Some(now),
            pause: None,
            disabled: None,
            health: Health::default(),
            removed_at: None,
            url_since: now,
            revision: 0,
            created_at: now,
        }
    }

    /// Adds an endpoint.
    #[track_caller]
    pub(crate) fn add_endpoint(&self, endpoint: Endpoint) -> EndpointId {
        let id = endpoint.id;
        assert!(wait(self.store().add_endpoint(endpoint)), "there is room for an endpoint");
        id
    }

    /// Adds an endpoint that listens to these events.
    pub(crate) fn listen(&self, filter: &[&str]) -> EndpointId {
        self.add_endpoint(self.an_endpoint(filter))
    }

    /// Adds an endpoint for the operator that listens to these events.
    pub(crate) fn watch(&self, filter: &[&str]) -> EndpointId {
        self.add_endpoint(Endpoint { for_operator: true, ..self.an_endpoint(filter) })
    }

    /// Adds an endpoint that hears only of what it is told by hand.
    pub(crate) fn listen_to_nothing(&self) -> EndpointId {
        self.listen(&["endpoint.test"])
    }

    #[track_caller]
    pub(crate) fn endpoint(&self, id: EndpointId) -> Endpoint {
        wait(self.store().endpoint(id)).expect("the endpoint is there")
    }

    #[track_caller]
    pub(crate) fn change_endpoint(&self, id: EndpointId, change: EndpointChange) -> Endpoint {
        wait(self.store().change_endpoint(id, change)).expect("the endpoint is there")
    }

    pub(crate) fn pause_endpoint(&self, id: EndpointId) {
        self.change_endpoint(id, EndpointChange { pause: Some(Some(self.a_pause())), at: self.now(), ..EndpointChange::default() });
    }

    pub(crate) fn resume_endpoint(&self, id: EndpointId) {
        self.change_endpoint(id, EndpointChange { pause: Some(None), at: self.now(), ..EndpointChange::default() });
    }

    pub(crate) fn disable_endpoint(&self, id: EndpointId) {
        let by = DisabledBy::Person { by: Actor::App, note: None };
        let disabled = Some(Some(Disabled { since: self.now(), by }));
        self.change_endpoint(id, EndpointChange { disabled, ..EndpointChange::default() });
    }

    pub(crate) fn enable_endpoint(&self, id: EndpointId) {
        self.change_endpoint(id, EndpointChange { disabled: Some(None), ..EndpointChange::default() });
    }

    pub(crate) fn remove_endpoint(&self, id: EndpointId) {
        self.change_endpoint(id, EndpointChange { removed_at: Some(self.now()), ..EndpointChange::default() });
    }

    /// Gives an endpoint another URL, whose owner is verified at once.
    pub(crate) fn move_endpoint(&self, id: EndpointId, url: &str) {
        let now = self.tick();
        let url = Some((EndpointUrl::stored(url.to_string()), now));
        self.change_endpoint(id, EndpointChange { url, verified_at: Some(now), ..EndpointChange::default() });
    }

    /// A test event that is not written yet.
    pub(crate) fn a_test_event(&self) -> Event {
        let now = self.tick();
        Event::new(EventId::new(now, &self.dice), EventName::EndpointTest, None, now, &serde_json::json!({ "endpoint_id": "x" }))
    }

    /// Writes a test event for an endpoint.
    #[track_caller]
    pub(crate) fn notify(&self, endpoint: EndpointId) -> EventDelivery {
        wait(self.store().notify(endpoint, self.a_test_event())).expect("the endpoint is there")
    }

    /// Writes so many test events for an endpoint.
    pub(crate) fn notify_often(&self, endpoint: EndpointId, count: usize) -> Vec<DeliveryId> {
        (0..count).map(|_| self.notify(endpoint).id).collect()
    }

    pub(crate) fn event(&self, id: EventId) -> Option<Event> {
        wait(self.store().event(id))
    }

    pub(crate) fn find_delivery(&self, id: DeliveryId) -> Option<EventDelivery> {
        wait(self.store().delivery(id))
    }

    #[track_caller]
    pub(crate) fn delivery(&self, id: DeliveryId) -> EventDelivery {
        self.find_delivery(id).expect("the delivery is there")
    }

    /// How far a delivery got, in words.
    #[track_caller]
    pub(crate) fn fate(&self, id: DeliveryId) -> String {
        words::delivery(&self.delivery(id))
    }

    pub(crate) fn delivery_attempts(&self, id: DeliveryId) -> Vec<Attempt> {
        wait(self.store().delivery_attempts(id))
    }

    /// The attempts of a delivery, in words.
    pub(crate) fn tries(&self, id: DeliveryId) -> String {
        words::attempts(&self.delivery_attempts(id))
    }

    /// All deliveries that the account may see, newest first.
    pub(crate) fn deliveries(&self) -> Vec<EventDelivery> {
        wait(self.store().deliveries(DeliveryFilter::default(), Page::first(ALL)))
    }

    /// The deliveries to an endpoint, oldest first; those of the same moment by their events' names.
    pub(crate) fn deliveries_to(&self, endpoint: EndpointId) -> Vec<EventDelivery> {
        let filter = DeliveryFilter { endpoint: Some(endpoint), for_operator: true, ..DeliveryFilter::default() };
        let mut deliveries = wait(self.store().deliveries(filter, Page::first(ALL)));
        deliveries.sort_by_key(|delivery| (delivery.created_at, delivery.as_name, delivery.id));
        deliveries
    }

    /// What an endpoint was told, by the names that it sees.
    pub(crate) fn told(&self, endpoint: EndpointId) -> Vec<&'static str> {
        self.deliveries_to(endpoint).iter().map(|delivery| delivery.as_name.as_str()).collect()
    }

    /// The bodies that an endpoint gets, oldest first.
    #[track_caller]
    pub(crate) fn bodies(&self, endpoint: EndpointId) -> Vec<String> {
        let body = |delivery: &EventDelivery| self.event(delivery.event).expect("the event is there").body(delivery.as_name);
        self.deliveries_to(endpoint).iter().map(|delivery| String::from_utf8(body(delivery)).expect("a body is UTF-8")).collect()
    }

    /// A take of everything that is due.
    pub(crate) fn a_take(&self) -> Take {
        let now = self.now();
        Take { limit: ALL, per_account: ALL, in_flight_per_account: ALL, after: None, lease: Lease::new(now, EVENT_TIMEOUT), now }
    }

    pub(crate) fn answer_take(&self, take: Take) -> TakeAnswer {
        wait(self.worker().take(take))
    }

    /// Takes everything that is due.
    pub(crate) fn take(&self) -> Vec<StartedNotice> {
        self.answer_take(self.a_take()).started
    }

    /// Takes the one event that is due.
    #[track_caller]
    pub(crate) fn take_one(&self) -> StartedNotice {
        let mut started = self.take();
        assert_eq!(started.len(), 1, "expected one event, got {started:?}");
        started.remove(0)
    }

    pub(crate) fn a_report(&self, notice: &StartedNotice, outcome: Outcome) -> Finish {
        Finish { claimed: notice.claimed, attempt: notice.attempt, outcome, report: None, jitter: 0, now: self.now() }
    }

    /// Finishes the attempt to deliver an event.
    #[track_caller]
    pub(crate) fn close(&self, notice: &StartedNotice, outcome: Outcome) {
        drop(self.close_with(notice, outcome, None));
    }

    /// Finishes the attempt to deliver an event, unless it is too late; the endpoint that this disabled, and why.
    #[track_caller]
    pub(crate) fn close_with(&self, notice: &StartedNotice, outcome: Outcome, report: Option<Report>) -> Option<(EndpointId, DisabledBy)> {
        let finish = Finish { report, ..self.a_report(notice, outcome) };
        match wait(self.worker().finish(vec![finish])).as_slice() {
            [Finished::Event { disabled }] => disabled.clone(),
            [Finished::Stale] => None,
            other => panic!("expected one answer for an event, got {other:?}"),
        }
    }

    /// Takes the one event that is due, and finishes it so.
    #[track_caller]
    pub(crate) fn tell(&self, outcome: Outcome) {
        let notice = self.take_one();
        self.close(&notice, outcome);
    }

    /// Takes whatever is due until nothing is, and finishes all of it so; how many it were.
    pub(crate) fn tell_all(&self, outcome: &Outcome) -> usize {
        let mut told = 0;
        loop {
            let started = self.take();
            if started.is_empty() {
                return told;
            }
            told += started.len();
            wait(self.worker().finish(started.iter().map(|notice| self.a_report(notice, outcome.clone())).collect()));
        }
    }

    pub(crate) fn a_replay(&self, of: DeliveryId) -> Replay {
        let delivery = self.id(DeliveryId::new);
        Replay { of, delivery, by: Actor::App, reason: Some("their disk was full".to_string()), to_changed_url: false, now: self.now() }
    }

    pub(crate) fn answer_replay(&self, of: DeliveryId) -> ReplayAnswer {
        wait(self.store().replay(self.a_replay(of)))
    }

    /// Delivers an event once more; the answer in words.
    pub(crate) fn replay(&self, of: DeliveryId) -> String {
        words::replay(&self.answer_replay(of))
    }

    /// A recovery of everything since then that is not added yet.
    pub(crate) fn a_recovery(&self, endpoint: EndpointId, since: Timestamp) -> Recovery {
        let id = self.id(RecoveryId::new);
        let reason = Some("their disk was full".to_string());
        let progress = RecoveryProgress::default();
        Recovery { id, endpoint, since, until: self.now(), by: Actor::App, reason, to_changed_url: false, progress }
    }

    pub(crate) fn begin_recovery(&self, recovery: Recovery) -> RecoveryId {
        let id = recovery.id;
        assert!(wait(self.store().add_recovery(recovery)), "the recovery begins");
        id
    }

    /// Does a part of the recovery behind this one, or of the first.
    pub(crate) fn recover_behind(&self, after: Option<RecoveryId>, limit: usize) -> Recovered {
        wait(self.worker().recover(after, limit, self.now()))
    }

    /// Does a part of the first recovery; whether there is more to do.
    pub(crate) fn recover_some(&self, limit: usize) -> bool {
        self.recover_behind(None, limit).more
    }

    /// Does all of the recoveries.
    #[track_caller]
    pub(crate) fn recover(&self) {
        assert!((0..ALL).any(|_| !self.recover_some(ALL)), "recoveries come to an end");
    }

    /// All recoveries that the account may see, newest first.
    pub(crate) fn recoveries(&self) -> Vec<Recovery> {
        wait(self.store().recoveries(RecoveryFilter::default(), Page::first(ALL)))
    }

    #[track_caller]
    pub(crate) fn recovery(&self, id: RecoveryId) -> Recovery {
        wait(self.store().recovery(id)).expect("the recovery is there")
    }

    /// How far a recovery got, in words.
    #[track_caller]
    pub(crate) fn progress(&self, id: RecoveryId) -> String {
        words::progress(&self.recovery(id).progress)
    }
}

/// A batch's endpoints are shared.
pub(crate) fn is_shared(one: &StartedNotice, other: &StartedNotice) -> bool {
    Arc::ptr_eq(&one.notice.endpoint, &other.notice.endpoint)
}
