//! Roots: the prints of the keyring's roots, by which a host with another keyring is found out. They belong to no account.
//!
//! A host notes its keyring before it does anything else, so that this is also where it is kept out of a database to which the rows of
//! another one are just being copied.

use async_trait::async_trait;
use gatepost::{RootPrint, StoreError, Timestamp};
use tokio_postgres::Row;

use crate::connect::Database;
use crate::error::Failure;
use crate::profile::Profile;
use crate::transaction::{Access, Fence, Transaction, Work};

/// All that are noted.
pub(crate) const NOTED: &str = "SELECT number, print FROM roots ORDER BY number";

/// Notes more. It waits for another host that notes the same number at this moment.
pub(crate) const NOTE: &str = "INSERT INTO roots (number, print) SELECT * FROM UNNEST($1::bigint[], $2::bytea[]) ON CONFLICT DO NOTHING";

/// What tells the lock of a copy from all other advisory locks: "copy" in ASCII.
const COPY: i64 = 0x636f_7079;
/// And that of noting: "note".
const NOTING: i64 = 0x6e6f_7465;

/// Takes the database for a copy until the transaction ends; `false` while hosts note their keyrings in it, or another one copies.
pub(crate) async fn may_copy(transaction: &Transaction, profile: Profile) -> Result<bool, Failure> {
    is_taken(transaction, profile, "SELECT pg_try_advisory_xact_lock($1) AS taken").await
}

/// Keeps copies out until the transaction ends; `false` while one is being made.
async fn may_note(transaction: &Transaction, profile: Profile) -> Result<bool, Failure> {
    is_taken(transaction, profile, "SELECT pg_try_advisory_xact_lock_shared($1) AS taken").await
}

/// Lets hosts note their keyrings one after the other, so that each sees what the one before it has noted.
async fn one_by_one(transaction: &Transaction, profile: Profile) -> Result<(), Failure> {
    if profile.advisory_locks {
        transaction.query("SELECT pg_advisory_xact_lock($1)", &[&NOTING]).await?;
    }
    Ok(())
}

/// Where there are no such locks, what a host notes while the same is copied conflicts.
async fn is_taken(transaction: &Transaction, profile: Profile, take: &str) -> Result<bool, Failure> {
    if !profile.advisory_locks {
        return Ok(true);
    }
    match transaction.query(take, &[&COPY]).await?.first() {
        Some(row) => Ok(row.try_get("taken")?),
        None => Ok(false),
    }
}

/// Notes the roots of a keyring, unless another one was noted before; what is noted then.
pub(crate) async fn note(database: &Database, roots: Vec<RootPrint>) -> Result<Vec<RootPrint>, StoreError> {
    database.run(&Fence::accounts([]), Access::Write, &mut Note { roots, profile: database.profile() }).await
}

struct Note {
    roots: Vec<RootPrint>,
    profile: Profile,
}

#[async_trait]
impl Work for Note {
    type Answer = Vec<RootPrint>;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<Vec<RootPrint>, Failure> {
        if !may_note(transaction, self.profile).await? {
            let copied = "the rows of another database are just being copied to it: wait until that has ended";
            return Err(Failure::Refused(StoreError::Unavailable(copied.to_owned())));
        }
        one_by_one(transaction, self.profile).await?;
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
