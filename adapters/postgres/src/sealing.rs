//! Sealing, and forgetting: whose turn it is. A row says it for all hosts, and belongs to no account.

use std::time::Duration;

use async_trait::async_trait;
use gatepost::{StoreError, Timestamp};

use crate::connect::Database;
use crate::error::Failure;
use crate::transaction::{Access, Fence, Transaction, Work};

/// Takes the row of a job, or goes on with it: changes nothing while it is another one's.
pub(crate) const LEASE: &str =
    "INSERT INTO sealing (id, holder, until) VALUES ($1::bigint, $2::bytea, $3::bigint) ON CONFLICT (id) DO UPDATE
     SET holder = EXCLUDED.holder, until = EXCLUDED.until WHERE sealing.holder = EXCLUDED.holder OR sealing.until <= $4::bigint";

/// The rows.
const SEALING: i64 = 1;
const FORGETTING: i64 = 2;

/// Takes the sealing of all logs for this holder until then; `false` while it is another one's.
pub(crate) async fn lease(database: &Database, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    let mut lease = Lease { job: SEALING, holder, times: move |_| (until, now) };
    database.run(&Fence::accounts([]), Access::Write, &mut lease).await
}

/// Takes the forgetting for this holder, for so long by the database's clock; `false` while it is another one's.
pub(crate) async fn lease_forgetting(database: &Database, holder: [u8; 16], span: Duration) -> Result<bool, StoreError> {
    let mut lease = Lease { job: FORGETTING, holder, times: move |now: Timestamp| (now.plus(span), now) };
    database.run(&Fence::accounts([]), Access::Write, &mut lease).await
}

struct Lease<T> {
    job: i64,
    holder: [u8; 16],
    /// Until when, and what time it is.
    times: T,
}

#[async_trait]
impl<T: Fn(Timestamp) -> (Timestamp, Timestamp) + Send> Work for Lease<T> {
    type Answer = bool;

    async fn run(&mut self, transaction: &Transaction, now: Timestamp) -> Result<bool, Failure> {
        let (until, now) = (self.times)(now);
        let (holder, until, now) = (self.holder.as_slice(), until.as_millis(), now.as_millis());
        Ok(transaction.execute(LEASE, &[&self.job, &holder, &until, &now]).await? > 0)
    }
}
