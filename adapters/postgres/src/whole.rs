//! Whole: what is read of whole accounts, for lists, until each has its statement.

use async_trait::async_trait;
use gatepost::{Account, AccountId, ApiKey, Page, Retention, StoreError, StoredSeal, Timestamp, Unsealed};
use gatepost_rows::cells::Kind::Bytes;
use gatepost_rows::tables::{contacts, events, inbound, integrations, messages, outbox, policy_events, retention, seals, traffic};
use gatepost_rows::world::World;
use gatepost_rows::{accounts, keys};

use crate::error::Failure;
use crate::group::{Found, Search, Way};
use crate::load::{Needs, scouts};
use crate::sql::Lookup;
use crate::store::PostgresStore;
use crate::transaction::{Access, Fence, Transaction, Work};

macro_rules! whole {
    ($($name:ident: $table:expr, $text:literal;)*) => {
        $(static $name: Lookup = Lookup {
            name: concat!("WHOLE_", stringify!($name)), table: &$table, keys: &[Bytes], tail: concat!("JOIN ", $text, " t ON t.account = k.k1"),
        };)*
        static ALL: &[&Lookup] = &[$(&$name),*];
    };
}

whole! {
    CONTACTS: contacts::CONTACTS, "contacts";
    CONVERSATIONS: contacts::CONVERSATIONS, "conversations";
    ADDRESSES: contacts::ADDRESSES, "addresses";
    SUPPRESSIONS: contacts::SUPPRESSIONS, "suppressions";
    MESSAGES: messages::MESSAGES, "messages";
    EXTERNAL: messages::EXTERNAL_IDS, "external_ids";
    REVIEWS: messages::REVIEWS, "reviews";
    ATTEMPTS: messages::ATTEMPTS, "attempts";
    OUTBOX: outbox::OUTBOX, "outbox";
    POLICY_EVENTS: policy_events::POLICY_EVENTS, "policy_events";
    ENTRIES: integrations::INTEGRATION_ENTRIES, "integration_entries";
    NOTIFICATIONS: inbound::NOTIFICATIONS, "notifications";
    INBOUND: inbound::INBOUND, "inbound";
    INBOUND_KEYS: inbound::INBOUND_KEYS, "inbound_keys";
    SEALS: seals::SEALS, "seals";
    EVENTS: events::EVENTS, "events";
    DELIVERIES: events::EVENT_DELIVERIES, "event_deliveries";
    EVENT_ATTEMPTS: events::DELIVERY_ATTEMPTS, "delivery_attempts";
    RECOVERIES: events::RECOVERIES, "recoveries";
    SAME_TEXTS: traffic::SAME_TEXTS, "same_texts";
    TRAFFIC: traffic::TRAFFIC, "traffic";
    RETENTION: retention::RETENTION, "retention";
}

/// Everything of an account.
pub(crate) fn whole(account: AccountId) -> impl Fn(&World, &mut Needs) + Send + 'static {
    move |_, needs| ALL.iter().for_each(|lookup| needs.key(lookup, [account.into()]))
}

fn everything(found: &[Found], world: &World, needs: &mut Needs) {
    for account in found.iter().flatten().filter_map(|row| scouts::account(row, 0)) {
        needs.account(account);
        whole(account)(world, needs);
    }
}

const REST: Way = Way::Wide(2);

impl PostgresStore {
    fn all() -> Vec<Search> {
        vec![(&scouts::ACCOUNTS, Vec::new())]
    }

    pub(crate) async fn unsealed(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<Unsealed>, StoreError> {
        self.engine().read(Self::all(), everything, move |_, world| Ok(gatepost_rows::seals::unsealed(world, after, limit))).await
    }

    pub(crate) async fn old_segments(
        &self,
        before: Timestamp,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<(AccountId, StoredSeal)>, StoreError> {
        self.engine().read(Self::all(), everything, move |_, world| Ok(gatepost_rows::seals::old(world, before, skip, limit))).await
    }

    pub(crate) async fn retain(&self, retention: Retention, limit: usize) -> Result<usize, StoreError> {
        let run = move |_: &[Found], world: &mut World| Ok(gatepost_rows::retention::retain(world, retention, limit));
        self.engine().write(REST, Self::all(), everything, run).await
    }

    pub(crate) async fn accounts(&self, page: Page<AccountId>) -> Result<Vec<Account>, StoreError> {
        self.engine().read(Self::all(), everything, move |_, world| Ok(accounts::list(world, page))).await
    }

    pub(crate) async fn operator_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.engine().read(vec![(&scouts::ALL_KEYS, Vec::new())], all_keys, move |_, world| Ok(keys::list(world, None))).await
    }

    pub(crate) async fn roots(&self) -> Result<Vec<u32>, StoreError> {
        let search = vec![(&scouts::ACCOUNTS, Vec::new()), (&scouts::ALL_KEYS, Vec::new())];
        let needs = |found: &[Found], world: &World, needs: &mut Needs| {
            everything(found.get(..1).unwrap_or_default(), world, needs);
            all_keys(found.get(1..).unwrap_or_default(), world, needs);
        };
        self.engine().read(search, needs, move |_, world| Ok(keys::roots(world))).await
    }

    pub(crate) async fn lease_sealing(&self, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let database = std::sync::Arc::clone(self.database());
        let mut lease = Lease { holder, until, now };
        let answer = async move { database.run(&Fence::accounts([]), Access::Write, &mut lease).await };
        self.database().runtime().answer(answer).await
    }
}

fn all_keys(found: &[Found], _: &World, needs: &mut Needs) {
    needs.operator();
    for key in found.iter().flatten().filter_map(|row| row.first()) {
        needs.key(&crate::load::lookups::KEY, [key.clone()]);
    }
}

/// Whose turn it is to seal.
struct Lease {
    holder: [u8; 16],
    until: Timestamp,
    now: Timestamp,
}

const LEASE: &str = "INSERT INTO sealing (id, holder, until) VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE
    SET holder = EXCLUDED.holder, until = EXCLUDED.until WHERE sealing.holder = EXCLUDED.holder OR sealing.until <= $3";

#[async_trait]
impl Work for Lease {
    type Answer = bool;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<bool, Failure> {
        let values = (self.holder.as_slice(), self.until.as_millis(), self.now.as_millis());
        Ok(transaction.execute(LEASE, &[&values.0, &values.1, &values.2]).await? > 0)
    }
}
