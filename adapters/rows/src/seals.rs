//! Seals: the rows of the policy event log as they are sealed, and the segments that were closed.

use std::collections::BTreeMap;
use std::ops::Bound;

use gatepost::{AccountId, Dropped, EventRow, Page, RowDigest, SealDigest, Segment, StoredSeal, Timestamp, Unsealed};

use crate::world::{AccountRows, PolicyEventRow, World};

/// Who seals, and until when it is theirs.
#[derive(Clone, Copy)]
pub struct SealingLease {
    /// Who seals.
    pub holder: [u8; 16],
    /// Until when it is theirs.
    pub until: Timestamp,
}

/// A page of the policy event log as it is sealed, oldest first.
pub fn event_rows(rows: &AccountRows, page: Page<u64>) -> Vec<EventRow> {
    oldest(&rows.policy_events, page).map(event_row).collect()
}

/// A row as it stands in the log: as it was read, where it was.
fn event_row(row: &PolicyEventRow) -> EventRow {
    match &row.body {
        Some(body) => EventRow { body: body.clone().into_bytes(), ..EventRow::of(&row.event) },
        None => EventRow::of(&row.event),
    }
}

/// A page of the seals, oldest first.
pub fn list(rows: &AccountRows, page: Page<u64>) -> Vec<StoredSeal> {
    oldest(&rows.segments, page).map(stored).collect()
}

/// The newest seal.
pub fn last(rows: &AccountRows) -> Option<StoredSeal> {
    rows.segments.values().next_back().map(stored)
}

fn stored(segment: &Segment) -> StoredSeal {
    StoredSeal { number: segment.seal.number, seal: Some(segment.seal.clone()), row_digests: RowDigest::to_bytes(&segment.rows) }
}

/// The rows behind where the last page ended, oldest first.
fn oldest<V>(rows: &BTreeMap<u64, V>, page: Page<u64>) -> impl Iterator<Item = &V> {
    let start = page.after.map_or(Bound::Unbounded, Bound::Excluded);
    rows.range((start, Bound::Unbounded)).map(|(_, row)| row).take(page.limit)
}

/// Gives sealing to `holder`; `false` while it is another's.
pub fn lease(world: &mut World, holder: [u8; 16], until: Timestamp, now: Timestamp) -> bool {
    let is_free = world.sealing.is_none_or(|lease| lease.holder == holder || lease.until <= now);
    if is_free {
        world.sealing = Some(SealingLease { holder, until });
    }
    is_free
}

/// The accounts, behind `after`, whose log is not sealed to its end.
pub fn unsealed(world: &World, after: Option<AccountId>, limit: usize) -> Vec<Unsealed> {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    world.accounts.range((start, Bound::Unbounded)).filter_map(|(id, rows)| unsealed_of(*id, rows)).take(limit).collect()
}

fn unsealed_of(account: AccountId, rows: &AccountRows) -> Option<Unsealed> {
    let (_, first) = rows.policy_events.range(next_place(rows)..).next()?;
    Some(Unsealed { account, first: first.event.seq, since: first.event.at, last: rows.last_seq })
}

/// The first place behind the last segment.
fn next_place(rows: &AccountRows) -> u64 {
    rows.segments.values().next_back().map_or(1, |segment| segment.seal.last + 1)
}

/// Adds a segment behind the last one; `false` where it does not follow it.
pub fn seal(world: &mut World, segment: Segment) -> bool {
    let seal = &segment.seal;
    let Some(rows) = world.accounts.get_mut(&seal.account) else { return false };
    let (number, digest) = rows.segments.values().next_back().map_or((0, SealDigest::NONE), |last| (last.seal.number, last.seal.digest));
    let follows = seal.number == number + 1 && seal.first == next_place(rows) && seal.previous == digest;
    if follows {
        rows.segments.insert(seal.number, segment);
    }
    follows
}

/// Segments of all accounts that were closed before a time and still have their rows.
pub fn old(world: &World, before: Timestamp, skip: usize, limit: usize) -> Vec<(AccountId, StoredSeal)> {
    let all = world.accounts.iter().flat_map(|(id, rows)| rows.segments.values().map(|segment| (*id, segment)));
    let mut old: Vec<_> = all.filter(|(_, segment)| segment.seal.dropped.is_none() && segment.seal.newest_at < before).collect();
    old.sort_by_key(|(account, segment)| (segment.seal.newest_at, *account, segment.seal.number));
    old.into_iter().skip(skip).take(limit).map(|(account, segment)| (account, stored(segment))).collect()
}

/// Deletes the events of a segment; how many.
pub fn drop_segment(rows: &mut AccountRows, number: u64, dropped: Dropped) -> usize {
    let Some(segment) = rows.segments.get_mut(&number).filter(|segment| segment.seal.dropped.is_none()) else { return 0 };
    segment.seal.dropped = Some(dropped);
    segment.rows.clear();
    let places = segment.seal.first..=segment.seal.last;
    let before = rows.policy_events.len();
    rows.policy_events.retain(|seq, _| !places.contains(seq));
    before - rows.policy_events.len()
}

/// The numbers of the keyring's roots that made seals.
pub fn roots(rows: &AccountRows) -> impl Iterator<Item = u32> {
    rows.segments.values().map(|segment| segment.seal.root)
}
