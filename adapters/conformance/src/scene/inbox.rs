//! What comes in in a scene: what providers tell, and what a worker does with it.

use std::sync::Arc;

use gatepost::{
    Actor, Address, Addresses, ContactCard, ContactId, ConversationWindow, Fact, Heed, HeedAnswer, InboundEntry, InboundFilter, InboundId,
    InstanceId, Message, MessageId, NewInbound, Notification, NotificationEntry, NotificationId, Origin, Page, Policy, Progress, Received,
    Said, Sender, Settled, StatusReport, StoreError, Suspicion, Timestamp, Told, examine_with,
};

use super::Scene;
use super::account::ALL;
use crate::draft::text;
use crate::fixture;
use crate::world::{PATIENCE, wait};

/// The bytes that a provider posted, whatever they say.
pub(crate) const BODY: &[u8] = b"{\"object\":\"\xff\"}";

/// What a provider posted, once it is kept.
pub(crate) struct Posted {
    pub(crate) id: NotificationId,
    /// Each thing of it, in its order.
    pub(crate) inbound: Vec<InboundId>,
    pub(crate) at: Timestamp,
    pub(crate) received: Received,
}

/// The addresses of one person.
pub(crate) fn person(addresses: &[&str]) -> Addresses {
    addresses.iter().map(|address| address.parse::<Address>().expect("an address")).collect()
}

impl Scene {
    /// Something that a provider tells of a person, and has not told before.
    pub(crate) fn told_of(&self, people: &[&str], kind: &str, told: Told) -> NewInbound {
        NewInbound { key: format!("key.{}", self.tick()), kind: kind.to_string(), at: None, people: person(people), told }
    }

    /// A person wrote this.
    pub(crate) fn said(&self, people: &[&str], words: &str) -> NewInbound {
        let said = Said { external_id: format!("wamid.{}", self.tick().as_millis()), ..fixture::said(words) };
        self.told_of(people, "message.text", Told::Said(said))
    }

    /// The provider says how far the message got that it calls so.
    pub(crate) fn reported(&self, external_id: &str, progress: Progress) -> NewInbound {
        self.told_of(&[], "status", Told::Status(report(None, external_id, progress)))
    }

    /// The provider says how far a message got, by our id of it.
    pub(crate) fn reported_of(&self, message: MessageId, progress: Progress) -> NewInbound {
        self.told_of(&[], "status", Told::Status(report(Some(message), "wamid.1", progress)))
    }

    /// All of this as a provider posts it to an instance at this time.
    pub(crate) fn a_notification(&self, instance: InstanceId, told: Vec<NewInbound>, now: Timestamp) -> Notification {
        let id = NotificationId::new(now, &self.dice);
        let inbound = told.into_iter().enumerate().map(|(nth, new)| new.at(instance, InboundId::nth(id, nth, now), now, &self.dice));
        Notification { id, instance, body: BODY.to_vec(), inbound: inbound.collect(), now }
    }

    /// A provider posts all of this to an instance.
    pub(crate) fn post_to(&self, instance: InstanceId, told: Vec<NewInbound>) -> Posted {
        self.post_at(instance, told, self.tick())
    }

    pub(crate) fn post_at(&self, instance: InstanceId, told: Vec<NewInbound>, at: Timestamp) -> Posted {
        let notification = self.a_notification(instance, told, at);
        let (id, inbound) = (notification.id, notification.inbound.iter().map(|inbound| inbound.id).collect());
        Posted { id, inbound, at, received: wait(self.store().receive(notification)) }
    }

    /// A provider posts all of this to the scene's instance.
    pub(crate) fn post(&self, told: Vec<NewInbound>) -> Posted {
        self.post_to(self.instance, told)
    }

    /// A provider tells this, and it is heeded.
    pub(crate) fn hear(&self, told: NewInbound) -> InboundId {
        let posted = self.post(vec![told]);
        self.heed();
        posted.inbound[0]
    }

    /// A person with this number writes this, and it is heeded.
    pub(crate) fn say(&self, number: &str, words: &str) -> InboundId {
        self.hear(self.said(&[number], words))
    }

    /// The provider says how far a message got, and it is heeded; what changed, in words.
    pub(crate) fn report(&self, told: NewInbound) -> String {
        self.post(vec![told]);
        match self.heed()[..] {
            [] => "nothing".to_string(),
            [settled, ..] => settled.status.to_string(),
        }
    }

    /// A heed of all that waits.
    pub(crate) fn a_heed(&self) -> Heed {
        Heed { limit: ALL, per_account: ALL, after: None, decider: Arc::new(Policy::default()), now: self.tick() }
    }

    #[track_caller]
    pub(crate) fn answer_heed(&self, heed: Heed) -> HeedAnswer {
        let answer = wait(self.worker().heed(heed));
        assert_eq!(answer.failed, None);
        answer
    }

    /// Heeds all that waits; the messages whose status changed.
    pub(crate) fn heed(&self) -> Vec<Settled> {
        self.answer_heed(self.a_heed()).settled
    }

    /// Heeds what came in, however often an account at which others are working is passed over.
    pub(crate) fn heed_at_last(&self) -> Vec<Settled> {
        let begun = std::time::Instant::now();
        loop {
            let answer = self.answer_heed(self.a_heed());
            if answer.heeded > 0 {
                return answer.settled;
            }
            assert!(begun.elapsed() < PATIENCE, "nothing is heeded");
        }
    }

    #[track_caller]
    pub(crate) fn inbound_entry(&self, id: InboundId) -> InboundEntry {
        wait(self.store().inbound_entry(id)).expect("it came in")
    }

    /// All that came in, newest first.
    pub(crate) fn inbound(&self) -> Vec<InboundEntry> {
        wait(self.store().inbound(InboundFilter::default(), Page::first(ALL)))
    }

    pub(crate) fn notification(&self, id: NotificationId) -> Option<NotificationEntry> {
        wait(self.store().notification(id))
    }

    /// Notes that these are the addresses of one person.
    pub(crate) fn know(&self, addresses: &[&str]) {
        wait(self.store().know(person(addresses), self.id(ContactId::new), self.now()));
    }

    pub(crate) fn addresses(&self, contact: ContactId) -> Vec<String> {
        wait(self.store().addresses(contact)).iter().map(Address::text).collect()
    }

    /// What the account knows of the contact with this address.
    pub(crate) fn card(&self, address: &str) -> Option<ContactCard> {
        wait(self.store().contact_card(address.parse().expect("an address")))
    }

    /// What the contact with this address is called.
    pub(crate) fn called(&self, address: &str) -> Option<String> {
        self.card(address)?.name.map(|name| name.as_str().to_string())
    }

    pub(crate) fn suspicions(&self) -> Vec<Suspicion> {
        wait(self.store().suspicions(Page::first(ALL)))
    }

    /// A person who has seen what there is to see says whether a contact opted out.
    pub(crate) fn answer_suspicion(&self, contact: ContactId, opted_out: bool) -> Option<Suspicion> {
        let seen = self.suspicions().into_iter().find(|suspicion| suspicion.contact == contact).map(|suspicion| suspicion.inbound);
        self.answer_seen(contact, seen.unwrap_or(InboundId::from_bytes([7; 16])), opted_out).expect("they have seen the newest word")
    }

    /// The same by one who has seen this.
    pub(crate) fn answer_seen(&self, contact: ContactId, seen: InboundId, opted_out: bool) -> Result<Option<Suspicion>, StoreError> {
        crate::world::block_on(self.store().answer_suspicion(contact, seen, opted_out, Actor::App, self.tick()))
    }

    /// Until when a person may be answered freely from an instance.
    pub(crate) fn window_at(&self, instance: InstanceId, address: &str) -> ConversationWindow {
        let mut request = text("hi").request(instance);
        request.recipient = address.parse().expect("an address");
        let findings = Fact::Known(examine_with(&request.content, &Sender::default(), None));
        let facts = wait(self.store().facts(request, findings, self.now())).expect("the instance is there");
        *facts.conversation.known().expect("the window is known")
    }

    /// Until when a person may be answered freely.
    pub(crate) fn window(&self, address: &str) -> ConversationWindow {
        self.window_at(self.instance, address)
    }

    /// The confirmations of opt-outs that were accepted, newest first.
    pub(crate) fn confirmations(&self) -> Vec<Message> {
        let events = self.events().into_iter().filter(|event| event.subject.origin == Origin::Confirmation);
        events.filter_map(|event| event.message).map(|message| self.message(message)).collect()
    }
}

/// How far a message got.
pub(crate) fn report(message: Option<MessageId>, external_id: &str, progress: Progress) -> StatusReport {
    StatusReport { message, external_id: external_id.to_string(), progress, error: None }
}
