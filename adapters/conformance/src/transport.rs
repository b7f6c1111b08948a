//! Transport: what every transport must do, whatever it carries and to whom.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use gatepost::{AccountId, InstanceId, MessageId, Outcome, Parcel, Provider, Purpose, Timestamp};

use crate::TransportHarness;
use crate::draft::{ALICE, address, text};
use crate::scene::SEND_TIMEOUT;
use crate::world::{Dice, block_on, together};

/// Parcels of one instance, each with a message of its own.
struct Parcels(Dice);

impl Parcels {
    fn next(&self) -> Parcel {
        let (message, instance) = (MessageId::new(Timestamp::default(), &self.0), InstanceId::new(Timestamp::default(), &Dice::new(7)));
        let content = text("hi").request("").content;
        let (account, recipient) = (AccountId::new(Timestamp::default(), &Dice::new(8)), address(ALICE));
        Parcel { account, message, instance, provider: Provider::Sandbox, recipient, purpose: Purpose::Support, content }
    }
}

fn external_id(outcome: Outcome) -> String {
    match outcome {
        Outcome::Sent { external_id: Some(external_id) } => external_id,
        other => panic!("expected the provider to take it, got {other:?}"),
    }
}

pub(crate) fn an_accepted_parcel_has_an_external_id(harness: &dyn TransportHarness) {
    let (transport, parcels) = (harness.open(), Parcels(Dice::new(1)));
    let outcome = block_on(transport.send(parcels.next(), harness.now().plus(SEND_TIMEOUT)));
    assert!(!external_id(outcome).is_empty());
}

pub(crate) fn two_parcels_have_two_external_ids(harness: &dyn TransportHarness) {
    let (transport, parcels) = (harness.open(), Parcels(Dice::new(2)));
    let ids = [(); 2].map(|()| external_id(block_on(transport.send(parcels.next(), harness.now().plus(SEND_TIMEOUT)))));
    assert_ne!(ids[0], ids[1]);
}

pub(crate) fn parcels_may_be_sent_side_by_side(harness: &dyn TransportHarness) {
    let (transport, parcels, deadline) = (harness.open(), Parcels(Dice::new(3)), harness.now().plus(SEND_TIMEOUT));
    let ids = together(8, |_| external_id(block_on(transport.send(parcels.next(), deadline))));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 8);
}

pub(crate) fn what_is_past_its_deadline_is_not_sent(harness: &dyn TransportHarness) {
    let (transport, parcels) = (harness.open(), Parcels(Dice::new(4)));
    let outcome = block_on(transport.send(parcels.next(), harness.now().minus(Duration::from_secs(60))));
    assert!(matches!(outcome, Outcome::Failed { .. } | Outcome::Unknown { .. }), "{outcome:?}");
}

pub(crate) fn a_send_that_was_given_up_spoils_no_other(harness: &dyn TransportHarness) {
    let (transport, parcels, deadline) = (harness.open(), Parcels(Dice::new(5)), harness.now().plus(SEND_TIMEOUT));
    {
        let mut given_up = pin!(transport.send(parcels.next(), deadline));
        let _ = given_up.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    assert!(!external_id(block_on(transport.send(parcels.next(), deadline))).is_empty());
}
