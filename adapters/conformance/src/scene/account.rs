//! What the account of a scene does: its verbs, with a case's defaults.

use std::sync::Arc;

use gatepost::{
    AccountStore, Actor, Answer, ApiKey, Cause, ContactId, Decider, DeliveryId, Fact, Instance, InstanceChange, InstanceId, KeyId, Message,
    MessageFilter, MessageId, Mode, NewSuppression, Page, Policy, PolicyEvent, PolicyEventFilter, Release, Review, ReviewAnswer,
    ReviewFilter, Sender, Submission, Suppression, SuppressionFilter, SuppressionId, Timestamp, Traffic, examine_with, text_print,
};

use super::{Place, Scene};
use crate::draft::{Draft, address};
use crate::words;
use crate::world::wait;

/// More than any case makes.
pub(crate) const ALL: usize = 1_000;

impl Scene {
    pub(crate) fn store(&self) -> Arc<dyn AccountStore> {
        self.world().store.account(self.account)
    }

    /// The draft with all that chance and time decide.
    pub(crate) fn submission(&self, draft: Draft) -> Submission {
        let request = draft.request(self.instance);
        let now = self.tick();
        Submission {
            message: MessageId::new(now, &self.dice),
            delivery: DeliveryId::new(now, &self.dice),
            contact: ContactId::new(now, &self.dice),
            fingerprint: request.idempotency_key.is_some().then(|| request.fingerprint()),
            findings: Fact::Known(examine_with(&request.content, &Sender::default(), None)),
            text_print: text_print(&request.content),
            request,
            now,
            at_once: None,
        }
    }

    /// The draft with a place to go to at once.
    pub(crate) fn submission_at_once(&self, draft: Draft, place: &Place) -> Submission {
        Submission { at_once: Some(place.at_once()), ..self.submission(draft) }
    }

    #[track_caller]
    pub(crate) fn accept(&self, draft: Draft) -> Answer {
        self.accept_one(self.submission(draft))
    }

    #[track_caller]
    pub(crate) fn accept_at_once(&self, draft: Draft, place: &Place) -> Answer {
        self.accept_one(self.submission_at_once(draft, place))
    }

    #[track_caller]
    pub(crate) fn accept_one(&self, submission: Submission) -> Answer {
        self.accept_all(vec![submission], Arc::new(Policy::default())).pop().expect("an answer")
    }

    #[track_caller]
    pub(crate) fn accept_all(&self, submissions: Vec<Submission>, decider: Arc<dyn Decider>) -> Vec<Answer> {
        let count = submissions.len();
        let answers = wait(self.store().accept(submissions, decider));
        assert_eq!(answers.len(), count, "each submission has an answer");
        answers
    }

    /// Sends the drafts together; the answers in words.
    #[track_caller]
    pub(crate) fn send_all(&self, drafts: impl IntoIterator<Item = Draft>) -> Vec<String> {
        let submissions = drafts.into_iter().map(|draft| self.submission(draft)).collect();
        self.accept_all(submissions, Arc::new(Policy::default())).iter().map(words::answer).collect()
    }

    /// Sends a draft; the answer in words.
    #[track_caller]
    pub(crate) fn send(&self, draft: Draft) -> String {
        words::answer(&self.accept(draft))
    }

    /// Sends a draft that must become a message.
    #[track_caller]
    pub(crate) fn sent(&self, draft: Draft) -> MessageId {
        match self.accept(draft) {
            Answer::Accepted(accepted) => accepted.message,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    pub(crate) fn find(&self, message: MessageId) -> Option<Message> {
        wait(self.store().message(message))
    }

    #[track_caller]
    pub(crate) fn message(&self, message: MessageId) -> Message {
        self.find(message).expect("the message is there")
    }

    /// The status of a message, and why it is not further.
    #[track_caller]
    pub(crate) fn status(&self, message: MessageId) -> String {
        words::status(&self.message(message))
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        wait(self.store().messages(MessageFilter::default(), Page::first(ALL)))
    }

    pub(crate) fn attempts(&self, message: MessageId) -> String {
        words::attempts(&wait(self.store().attempts(message)))
    }

    /// What was charged today and this month.
    #[track_caller]
    pub(crate) fn used(&self) -> (u64, u64) {
        self.used_at(Mode::Live, self.now())
    }

    #[track_caller]
    pub(crate) fn used_at(&self, mode: Mode, time: Timestamp) -> (u64, u64) {
        let usage = wait(self.store().usage(mode, time)).expect("the account has a usage");
        (usage.day, usage.month)
    }

    /// What the account did in the last seven days.
    #[track_caller]
    pub(crate) fn traffic(&self) -> Traffic {
        self.traffic_of(Mode::Live)
    }

    #[track_caller]
    pub(crate) fn traffic_of(&self, mode: Mode) -> Traffic {
        let did = wait(self.store().traffic(mode, self.now())).expect("the account has traffic");
        Traffic { account_since: None, ..did }
    }

    pub(crate) fn new_suppression(&self, number: &str, cause: Cause) -> NewSuppression {
        let now = self.tick();
        NewSuppression {
            id: SuppressionId::new(now, &self.dice),
            contact: ContactId::new(now, &self.dice),
            address: address(number),
            cause,
            note: None,
            by: Actor::App,
            now,
        }
    }

    pub(crate) fn suppress(&self, number: &str, cause: Cause) -> Suppression {
        wait(self.store().suppress(self.new_suppression(number, cause)))
    }

    pub(crate) fn lift(&self, suppression: SuppressionId) -> Option<Suppression> {
        wait(self.store().lift(suppression, Actor::App, self.now()))
    }

    pub(crate) fn suppressions(&self, filter: SuppressionFilter) -> Vec<Suppression> {
        wait(self.store().suppressions(filter, Page::first(ALL)))
    }

    pub(crate) fn reviews(&self, filter: ReviewFilter) -> Vec<Review> {
        wait(self.store().reviews(filter, Page::first(ALL)))
    }

    #[track_caller]
    pub(crate) fn review(&self, message: MessageId) -> Review {
        self.reviews(ReviewFilter::default()).into_iter().find(|review| review.message == message).expect("the message has a review")
    }

    pub(crate) fn a_release(&self, message: MessageId) -> Release {
        Release { message, delivery: self.id(DeliveryId::new), by: Actor::App, note: Some("looks fine".to_string()), now: self.now() }
    }

    pub(crate) fn answer_release(&self, message: MessageId) -> ReviewAnswer {
        wait(self.store().release(self.a_release(message), Arc::new(Policy::default())))
    }

    /// Releases a held message in somebody's name; the answer in words.
    pub(crate) fn release_by(&self, by: Actor, message: MessageId) -> String {
        words::review(&wait(self.store().release(Release { by, ..self.a_release(message) }, Arc::new(Policy::default()))))
    }

    /// Releases a held message; the answer in words.
    pub(crate) fn release(&self, message: MessageId) -> String {
        words::review(&self.answer_release(message))
    }

    /// Refuses a held message; the answer in words.
    pub(crate) fn refuse(&self, message: MessageId) -> String {
        words::review(&wait(self.store().refuse(message, Actor::App, None, self.now())))
    }

    /// Says whether a message in doubt was sent; its status in words.
    pub(crate) fn resolve(&self, message: MessageId, sent: bool) -> String {
        wait(self.store().resolve(message, sent, self.now())).map_or("not in doubt", |status| status.as_str()).to_string()
    }

    /// All policy events, newest first.
    pub(crate) fn events(&self) -> Vec<PolicyEvent> {
        wait(self.store().policy_events(PolicyEventFilter::default(), Page::first(ALL)))
    }

    #[track_caller]
    pub(crate) fn last_event(&self) -> PolicyEvent {
        self.events().into_iter().next().expect("a policy event")
    }

    pub(crate) fn add_instance(&self, name: &str) -> InstanceId {
        let instance = self.an_instance(name);
        assert!(wait(self.store().add_instance(instance.clone())), "the name is free");
        instance.id
    }

    pub(crate) fn change_instance(&self, change: InstanceChange) -> Instance {
        wait(self.store().change_instance(self.instance, change)).expect("the instance is there")
    }

    pub(crate) fn add_key(&self) -> ApiKey {
        let key = self.a_key();
        wait(self.store().add_key(key.clone()));
        key
    }

    pub(crate) fn revoke(&self, key: KeyId) -> Option<ApiKey> {
        wait(self.store().revoke_key(key, self.now()))
    }
}
