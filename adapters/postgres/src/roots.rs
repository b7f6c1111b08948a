//! Roots: the prints of the keyring's roots, by which a host with another keyring is found out. They belong to no account.

use async_trait::async_trait;
use gatepost::{RootPrint, StoreError, Timestamp};
use tokio_postgres::Row;

use crate::connect::Database;
use crate::error::Failure;
use crate::transaction::{Access, Fence, Transaction, Work};

/// All that are noted.
pub(crate) const NOTED: &str = "SELECT number, print FROM roots ORDER BY number";

/// Notes more. It waits for another host that notes the same number at this moment.
pub(crate) const NOTE: &str = "INSERT INTO roots (number, print) SELECT * FROM UNNEST($1::bigint[], $2::bytea[]) ON CONFLICT DO NOTHING";

/// Notes the roots of a keyring, unless another one was noted before; what is noted then.
pub(crate) async fn note(database: &Database, roots: Vec<RootPrint>) -> Result<Vec<RootPrint>, StoreError> {
    database.run(&Fence::accounts([]), Access::Write, &mut Note { roots }).await
}

struct Note {
    roots: Vec<RootPrint>,
}

#[async_trait]
impl Work for Note {
    type Answer = Vec<RootPrint>;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<Vec<RootPrint>, Failure> {
        let found = noted(transaction).await?;
        let is_known = self.roots.iter().all(|root| found.contains(root));
        if is_known || !RootPrint::are_of_one_keyring(&found, &self.roots) {
            return Ok(found);
        }
        let numbers: Vec<i64> = self.roots.iter().map(|root| root.number.into()).collect();
        let prints: Vec<&[u8]> = self.roots.iter().map(|root| root.print.as_slice()).collect();
        transaction.execute(NOTE, &[&numbers, &prints]).await?;
        let found = noted(transaction).await?;
        // Another host may have been faster with another keyring: then nothing of this one stays.
        if RootPrint::are_of_one_keyring(&found, &self.roots) { Ok(found) } else { Err(Failure::Again) }
    }
}

async fn noted(transaction: &Transaction) -> Result<Vec<RootPrint>, Failure> {
    transaction.query(NOTED, &[]).await?.iter().map(root).collect()
}

fn root(row: &Row) -> Result<RootPrint, Failure> {
    let (number, print) = (row.try_get::<_, i64>("number")?, row.try_get::<_, &[u8]>("print")?);
    let corrupt = |what: &str| StoreError::Corrupt(format!("the {what} of a root is none"));
    Ok(RootPrint { number: number.try_into().map_err(|_| corrupt("number"))?, print: print.try_into().map_err(|_| corrupt("print"))? })
}
