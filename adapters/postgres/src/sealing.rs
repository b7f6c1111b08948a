//! Sealing: whose turn it is. One row says it for all hosts, and belongs to no account.

use async_trait::async_trait;
use gatepost::{StoreError, Timestamp};

use crate::connect::Database;
use crate::error::Failure;
use crate::transaction::{Access, Fence, Transaction, Work};

/// Takes the row, or goes on with it: changes nothing while it is another one's.
pub(crate) const LEASE: &str = "INSERT INTO sealing (id, holder, until) VALUES (1, $1::bytea, $2::bigint) ON CONFLICT (id) DO UPDATE
     SET holder = EXCLUDED.holder, until = EXCLUDED.until WHERE sealing.holder = EXCLUDED.holder OR sealing.until <= $3::bigint";

/// Takes the sealing of all logs for this holder until then; `false` while it is another one's.
pub(crate) async fn lease(database: &Database, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    database.run(&Fence::accounts([]), Access::Write, &mut Lease { holder, until, now }).await
}

struct Lease {
    holder: [u8; 16],
    until: Timestamp,
    now: Timestamp,
}

#[async_trait]
impl Work for Lease {
    type Answer = bool;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<bool, Failure> {
        let (holder, until, now) = (self.holder.as_slice(), self.until.as_millis(), self.now.as_millis());
        Ok(transaction.execute(LEASE, &[&holder, &until, &now]).await? > 0)
    }
}
