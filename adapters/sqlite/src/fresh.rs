//! Fresh: deliveries of events that a group has logged, and not put into the outbox yet.
//!
//! Most events are taken in the very group in which they happened: the worker records what has ended and takes what is due in one go.
//! Such a delivery would be written as waiting only to be written as started a moment later. So it stays here until a take opens its
//! attempt; what no take opens is written as waiting by [`Txn::flush`](crate::txn::Txn::flush), before the commit and before any verb
//! that looks at the outbox.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

use gatepost::{AccountId, Delivery, EndpointId, Event, EventName};

use crate::outbox::{NewRow, OutboxEntry};

/// A delivery that nobody has taken, and its event.
pub(crate) struct FreshDelivery {
    pub(crate) row: NewRow,
    pub(crate) state: Delivery,
    pub(crate) event: Event,
    pub(crate) as_name: EventName,
}

impl FreshDelivery {
    /// It as it would be found in the outbox.
    pub(crate) const fn entry(&self) -> OutboxEntry {
        self.row.entry(self.state)
    }
}

/// What is fresh, endpoint by endpoint.
#[derive(Default)]
pub(crate) struct Fresh(BTreeMap<(AccountId, EndpointId), VecDeque<FreshDelivery>>);

impl Fresh {
    /// Adds one behind those for the same endpoint.
    pub(crate) fn add(&mut self, account: AccountId, endpoint: EndpointId, delivery: FreshDelivery) {
        self.0.entry((account, endpoint)).or_default().push_back(delivery);
    }

    /// The first account behind this one for whose endpoints there is something.
    pub(crate) fn account_behind(&self, account: Option<AccountId>) -> Option<AccountId> {
        let behind = account.map_or(Unbounded, |account| Excluded((account, EndpointId::from_bytes([0xff; 16]))));
        self.0.range((behind, Unbounded)).next().map(|((account, _), _)| *account)
    }

    /// The endpoints of an account for which there is something.
    pub(crate) fn endpoints(&self, account: AccountId) -> impl Iterator<Item = EndpointId> {
        let all = (account, EndpointId::from_bytes([0; 16]))..=(account, EndpointId::from_bytes([0xff; 16]));
        self.0.range(all).map(|((_, endpoint), _)| *endpoint)
    }

    /// Takes out the first `limit` of those that go to an endpoint.
    pub(crate) fn take(&mut self, account: AccountId, endpoint: EndpointId, limit: usize) -> VecDeque<FreshDelivery> {
        let Entry::Occupied(mut waiting) = self.0.entry((account, endpoint)) else { return VecDeque::new() };
        if waiting.get().len() <= limit {
            return waiting.remove();
        }
        waiting.get_mut().drain(..limit).collect()
    }

    /// Takes out all.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = FreshDelivery> + use<> {
        std::mem::take(&mut self.0).into_values().flatten()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
