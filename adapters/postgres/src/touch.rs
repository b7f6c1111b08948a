//! Touch: when keys were last used, and nothing else of them: whoever revokes one meanwhile has not read what is written here.

use async_trait::async_trait;
use gatepost::{KeyId, StoreError, Timestamp};
use gatepost_rows::cells::{Cell, Kind};

use crate::connect::Database;
use crate::error::Failure;
use crate::group::cells;
use crate::load::scouts::{self, KEYS_AMONG};
use crate::transaction::{Access, Fence, Transaction, Work};

/// Notes the times of use, never earlier ones than before; in the order of ids, so that two hosts do not wait for each other.
pub(crate) const TOUCH: &str = "WITH used AS MATERIALIZED (
         SELECT t.id, k.at FROM UNNEST($1::text[], $2::bigint[]) AS k (id, at) JOIN api_keys t ON t.id = k.id
         ORDER BY t.id FOR NO KEY UPDATE OF t
     )
     UPDATE api_keys t SET last_used_at = greatest(t.last_used_at, used.at) FROM used WHERE t.id = used.id";

/// Notes when keys were last used.
pub(crate) async fn touch(database: &Database, used: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError> {
    let (ids, times) = used.into_iter().map(|(id, at)| (id.to_string(), at.as_millis())).unzip();
    database.run(&Fence::finding(), Access::Write, &mut Touch { ids, times }).await
}

struct Touch {
    ids: Vec<String>,
    times: Vec<i64>,
}

#[async_trait]
impl Work for Touch {
    type Answer = ();

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<(), Failure> {
        let Cell::Text(among) = Cell::json(&self.ids) else { return Ok(()) };
        let found = cells(transaction.query(KEYS_AMONG.text, &[&among]).await?, &[Kind::Bytes])?;
        let accounts = Fence::accounts(found.iter().filter_map(|row| scouts::account(row, 0)));
        let of_operator = found.iter().any(|row| scouts::account(row, 0).is_none());
        transaction.fence(&if of_operator { accounts.and_operator() } else { accounts }).await?;
        transaction.execute(TOUCH, &[&self.ids, &self.times]).await.map(drop)
    }
}
