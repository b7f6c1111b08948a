//! Auditing: walks an account's chain of seals over its rows, and tells what does not fit.
//!
//! The players: [`audit`] (the walk), `Rows` (the rows, in their order, a part at a time), `compare` (a segment's rows with what was
//! sealed), [`AuditReport`] (what came out). Nothing that stands in the store stops the walk: what cannot be read is a flaw like another.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::{Authenticity, EventRow, Flaw, FlawKind, Head, RowDigest, SEGMENT_AGE_MAX, Seal, StoredSeal};
use crate::keyring::AuditKey;
use crate::{AccountId, AccountStore, Keyring, Page, Store, StoreError};

/// How long after the newest event of a segment its seal is remarkable: ten times as long as a segment stays open.
pub const SEALED_LATE: Duration = Duration::from_secs(10 * SEGMENT_AGE_MAX.as_secs());

/// How many flaws are told of an account at most.
const FLAWS_MAX: usize = 100;
const SEALS_AT_ONCE: usize = 32;
const ROWS_AT_ONCE: usize = 1_024;

/// What an audit of an account found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditReport {
    /// Whose log it is.
    pub account: AccountId,
    /// How many segments there are.
    pub segments: u64,
    /// Of how many of them the events were dropped because their retention was over.
    pub dropped: u64,
    /// How many events were compared with what was sealed.
    pub sealed: u64,
    /// How many of the newest events are not sealed yet: of them only one that is missing shows.
    pub unsealed: u64,
    /// How many segments were sealed much later than their newest event was decided ([`SEALED_LATE`]). After a time in which nothing was
    /// sealed that is as it should be; otherwise somebody may have taken seals away, changed the log, and waited for new ones.
    pub late: u64,
    /// The first of them.
    pub first_late: Option<u64>,
    /// The end of the chain; `None` where the last seal is none that the keyring made.
    pub head: Option<Head>,
    /// What does not fit, in the order of the log: at most the first 100.
    pub flaws: Vec<Flaw>,
    /// How many there are.
    pub flaw_count: u64,
}

impl AuditReport {
    /// Whether everything fits.
    pub const fn is_sound(&self) -> bool {
        self.flaw_count == 0
    }

    fn note(&mut self, flaw: Flaw) {
        if self.flaws.last_mut().is_some_and(|last| last.extend(&flaw)) {
            return;
        }
        self.flaw_count += 1;
        if self.flaws.len() < FLAWS_MAX {
            self.flaws.push(flaw);
        }
    }
}

/// Compares the log of an account with its seals, and its chain of seals with a head of it that was kept elsewhere.
///
/// The log may be written, sealed and dropped meanwhile. Without a kept head, a chain whose end was cut together with its rows and the
/// log's counter looks whole: whoever fears that keeps heads where the database cannot be written from.
///
/// # Errors
///
/// Those of the store. What stands in its rows is none of them: a row that cannot be read is a [`Flaw`].
pub async fn audit(store: &dyn Store, keyring: &Keyring, account: AccountId, kept: Option<&Head>) -> Result<AuditReport, StoreError> {
    let store = store.account(account);
    let counted = store.last_seq().await?;
    let mut walk = Walk::new(store, keyring, account);
    let mut page = Page::first(SEALS_AT_ONCE);
    loop {
        let seals = walk.store.seals(page).await?;
        let Some(last) = seals.last().map(|stored| stored.number) else { break };
        for stored in seals {
            walk.look_for_head(kept, &stored);
            walk.segment(stored).await?;
        }
        page.after = Some(last);
    }
    walk.end(counted).await?;
    walk.miss_head(kept);
    Ok(walk.report)
}

/// The end of an account's chain; `None` where its last seal is none that the keyring made.
///
/// # Errors
///
/// Those of the store.
pub async fn head(store: &dyn Store, keyring: &Keyring, account: AccountId) -> Result<Option<Head>, StoreError> {
    let Some(stored) = store.account(account).last_seal().await? else { return Ok(Some(Head::start(account))) };
    let seal = stored.seal.filter(|seal| seal.stands_at(account, stored.number) && seal.check(keyring) == Authenticity::Genuine);
    Ok(seal.map(|seal| seal.head()))
}

/// How far an audit came.
struct Walk<'a> {
    store: Arc<dyn AccountStore>,
    keyring: &'a Keyring,
    rows: Rows,
    /// The number of the last seal.
    number: u64,
    /// What the next seal must follow; `None` behind one that is missing or none of ours, where nobody can say.
    previous: Option<Head>,
    head_found: bool,
    report: AuditReport,
}

impl<'a> Walk<'a> {
    fn new(store: Arc<dyn AccountStore>, keyring: &'a Keyring, account: AccountId) -> Self {
        let rows = Rows { store: store.clone(), after: None, ahead: Vec::new(), is_over: false };
        let report = AuditReport {
            account,
            segments: 0,
            dropped: 0,
            sealed: 0,
            unsealed: 0,
            late: 0,
            first_late: None,
            head: None,
            flaws: Vec::new(),
            flaw_count: 0,
        };
        Self { store, keyring, rows, number: 0, previous: Some(Head::start(account)), head_found: false, report }
    }

    async fn segment(&mut self, stored: StoredSeal) -> Result<(), StoreError> {
        if stored.number <= self.number {
            self.report.note(Flaw::of_seal(FlawKind::SealChanged, stored.number));
            return Ok(());
        }
        let missing = stored.number - self.number - 1;
        if missing > 0 {
            self.report.note(Flaw { count: missing, ..Flaw::of_seal(FlawKind::SealMissing, self.number + 1) });
            self.previous = None;
        }
        self.number = stored.number;
        self.report.segments += 1;
        let Some(seal) = self.genuine(&stored) else {
            self.previous = None;
            return Ok(());
        };
        if seal.newest_at.plus(SEALED_LATE) < seal.sealed_at {
            self.report.late += 1;
            self.report.first_late.get_or_insert(seal.number);
        }
        if self.previous.is_some_and(|previous| !follows(&seal, &previous)) {
            self.report.note(Flaw::of_seal(FlawKind::SealUnchained, seal.number));
            self.previous = None;
        }
        self.rows_before(&seal).await?;
        let found = self.rows.up_to(seal.last).await?;
        self.rows_of(&stored, &seal, &found).await?;
        self.previous = Some(seal.head());
        Ok(())
    }

    /// The seal, if it is one and stands where it belongs.
    fn genuine(&mut self, stored: &StoredSeal) -> Option<Seal> {
        let seal = stored.seal.as_ref().filter(|seal| seal.stands_at(self.report.account, stored.number));
        let kind = match seal.map(|seal| seal.check(self.keyring)) {
            Some(Authenticity::Genuine) => return seal.cloned(),
            Some(Authenticity::UnknownRoot) => FlawKind::RootUnknown,
            Some(Authenticity::Forged) | None => FlawKind::SealChanged,
        };
        self.report.note(Flaw::of_seal(kind, stored.number));
        None
    }

    /// Rows between two segments: where the one before is lost they were its own, and nobody can say more of them.
    async fn rows_before(&mut self, seal: &Seal) -> Result<(), StoreError> {
        let strays = self.rows.up_to(seal.first.saturating_sub(1)).await?;
        if self.previous.is_some() {
            strays.iter().for_each(|row| self.report.note(Flaw::of_row(FlawKind::RowInserted, Some(seal.number), row.seq)));
        }
        Ok(())
    }

    async fn rows_of(&mut self, stored: &StoredSeal, seal: &Seal, found: &[EventRow]) -> Result<(), StoreError> {
        let inserted = |row: &EventRow| Flaw::of_row(FlawKind::RowInserted, Some(seal.number), row.seq);
        if seal.is_dropped(self.keyring) {
            self.report.dropped += 1;
            found.iter().map(inserted).for_each(|flaw| self.report.note(flaw));
            return Ok(());
        }
        let key = self.keyring.audit_key(seal.root);
        let (Some(key), Some(listed), None) = (key, stored.rows_of(seal), seal.dropped) else {
            self.report.note(Flaw::of_seal(FlawKind::SealChanged, seal.number));
            return Ok(());
        };
        let flaws = compare(key, seal, &listed, found);
        if !flaws.is_empty() && self.was_dropped_meanwhile(seal).await? {
            self.report.dropped += 1;
            return Ok(());
        }
        self.report.sealed += found.len() as u64;
        flaws.into_iter().for_each(|flaw| self.report.note(flaw));
        Ok(())
    }

    async fn was_dropped_meanwhile(&self, seal: &Seal) -> Result<bool, StoreError> {
        let page = Page { after: Some(seal.number - 1), limit: 1 };
        let now = self.store.seals(page).await?.pop().and_then(|stored| stored.seal);
        Ok(now.is_some_and(|now| now.digest == seal.digest && now.is_dropped(self.keyring)))
    }

    /// The rows behind the last segment: none may be missing up to where the counter was when the audit began.
    async fn end(&mut self, counted: u64) -> Result<(), StoreError> {
        self.report.head = self.previous;
        let mut expected = self.previous.and_then(|head| head.seq.checked_add(1));
        let mut strays = Vec::new();
        while let Some(row) = self.rows.next().await? {
            let place = expected.unwrap_or(row.seq);
            if row.seq < place || row.seq == 0 {
                self.report.note(Flaw::of_row(FlawKind::RowInserted, None, row.seq));
                continue;
            }
            self.miss(place, row.seq - place);
            self.report.unsealed += 1;
            expected = row.seq.checked_add(1);
            if row.seq > counted {
                strays.push(row.seq);
            }
        }
        if let Some(place) = expected {
            self.miss(place, (counted + 1).saturating_sub(place));
        }
        // Events may have been written and sealed meanwhile.
        let counted = self.store.last_seq().await?;
        if self.previous.is_some_and(|head| head.seq > counted) {
            self.report.note(Flaw::of_row(FlawKind::CounterBehind, None, counted));
        }
        let inserted = strays.into_iter().filter(|seq| *seq > counted);
        inserted.for_each(|seq| self.report.note(Flaw::of_row(FlawKind::RowInserted, None, seq)));
        Ok(())
    }

    fn miss(&mut self, seq: u64, count: u64) {
        if count > 0 {
            self.report.note(Flaw { count, ..Flaw::of_row(FlawKind::RowMissing, None, seq) });
        }
    }

    fn look_for_head(&mut self, kept: Option<&Head>, stored: &StoredSeal) {
        let Some(kept) = kept.filter(|kept| kept.segment == stored.number) else { return };
        self.head_found = true;
        if stored.seal.as_ref().is_none_or(|seal| seal.head() != *kept) {
            self.report.note(Flaw::of_seal(FlawKind::HeadChanged, kept.segment));
        }
    }

    fn miss_head(&mut self, kept: Option<&Head>) {
        if let Some(kept) = kept.filter(|kept| kept.segment > 0 && !self.head_found) {
            self.report.note(Flaw::of_seal(FlawKind::HeadMissing, kept.segment));
        }
    }
}

fn follows(seal: &Seal, previous: &Head) -> bool {
    seal.previous == previous.digest && previous.seq.checked_add(1) == Some(seal.first)
}

/// What of a segment's rows is not what was sealed. Both are in the order of their places.
fn compare(key: &AuditKey, seal: &Seal, listed: &[RowDigest], found: &[EventRow]) -> Vec<Flaw> {
    let flaw = |kind, seq| Flaw::of_row(kind, Some(seal.number), seq);
    let mut flaws = Vec::new();
    let mut rows = found.iter().peekable();
    let mut expected = seal.first;
    for sealed in listed {
        while let Some(row) = rows.next_if(|row| row.seq < sealed.seq) {
            flaws.push(flaw(FlawKind::RowInserted, row.seq));
        }
        // What was missing when the segment was closed is missing for ever.
        if sealed.seq > expected {
            flaws.push(Flaw { count: sealed.seq - expected, ..flaw(FlawKind::RowMissing, expected) });
        }
        let kind = match rows.next_if(|row| row.seq == sealed.seq) {
            None => Some(FlawKind::RowMissing),
            Some(row) => unlike(row.digest(key, seal.account), sealed, listed),
        };
        flaws.extend(kind.map(|kind| flaw(kind, sealed.seq)));
        expected = sealed.seq.saturating_add(1);
    }
    flaws.extend(rows.map(|row| flaw(FlawKind::RowInserted, row.seq)));
    flaws
}

/// In what a row with this digest differs from what was sealed at its place.
fn unlike(digest: [u8; super::ROW_DIGEST_LENGTH], sealed: &RowDigest, listed: &[RowDigest]) -> Option<FlawKind> {
    if digest == sealed.digest {
        return None;
    }
    let is_elsewhere = listed.iter().any(|other| other.digest == digest);
    Some(if is_elsewhere { FlawKind::RowMoved } else { FlawKind::RowChanged })
}

/// The rows of a log, from its beginning, each once.
struct Rows {
    store: Arc<dyn AccountStore>,
    after: Option<u64>,
    /// What was read and not handed out, the next one last.
    ahead: Vec<EventRow>,
    is_over: bool,
}

impl Rows {
    /// The rows up to this place.
    async fn up_to(&mut self, last: u64) -> Result<Vec<EventRow>, StoreError> {
        let mut rows = Vec::new();
        while self.read_ahead(last).await?.is_some_and(|next| next.seq <= last) {
            rows.extend(self.ahead.pop());
        }
        Ok(rows)
    }

    async fn next(&mut self) -> Result<Option<EventRow>, StoreError> {
        self.read_ahead(0).await?;
        Ok(self.ahead.pop())
    }

    /// Where the end was reached before this place, rows may have been written, and sealed, since.
    async fn read_ahead(&mut self, place: u64) -> Result<Option<&EventRow>, StoreError> {
        if self.ahead.is_empty() && (!self.is_over || self.after.is_none_or(|after| after < place) && place > 0) {
            let mut rows = self.store.event_rows(Page { after: self.after, limit: ROWS_AT_ONCE }).await?;
            self.is_over = rows.len() < ROWS_AT_ONCE;
            self.after = rows.last().map(|row| row.seq).or(self.after);
            rows.reverse();
            self.ahead = mem::take(&mut rows);
        }
        Ok(self.ahead.last())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::{format, vec};

    use super::*;
    use crate::Timestamp;
    use crate::seal::Segment;

    const ACCOUNT: AccountId = AccountId::from_bytes([1; 16]);

    fn keyring() -> Keyring {
        Keyring::new([(1, [7; 32].into())]).unwrap()
    }

    fn rows() -> Vec<EventRow> {
        let row = |seq: u64| EventRow {
            seq,
            at: Timestamp::from_millis(1_000 + seq as i64),
            message: (seq != 2).then(|| vec![seq as u8; 16]),
            instance: vec![2; 16],
            contact: vec![3; 16],
            verdict: b"allow".to_vec(),
            body: format!("{{\"n\":{seq}}}").into_bytes(),
        };
        (1..=4).map(row).collect()
    }

    /// What is found of these rows after four were sealed.
    fn flaws(found: &[EventRow]) -> Vec<String> {
        let keyring = keyring();
        let segment = Segment::close(&keyring, ACCOUNT, None, &rows(), Timestamp::from_millis(9)).unwrap();
        let flaws = compare(keyring.audit_key(1).unwrap(), &segment.seal, &segment.rows, found);
        flaws.iter().map(ToString::to_string).collect()
    }

    /// What is found once the row at this place is changed so.
    fn changed(place: usize, change: impl FnOnce(&mut EventRow)) -> Vec<String> {
        let mut rows = rows();
        change(&mut rows[place]);
        flaws(&rows)
    }

    #[test]
    fn what_nobody_touched_fits() {
        assert_eq!(flaws(&rows()), [""; 0]);
    }

    #[test]
    fn each_bit_of_a_row_counts() {
        let expected = ["row 3: changed since it was sealed (segment 1)"];
        let columns: [fn(&mut EventRow) -> &mut Vec<u8>; 5] = [
            |row| row.message.as_mut().unwrap(),
            |row| &mut row.instance,
            |row| &mut row.contact,
            |row| &mut row.verdict,
            |row| &mut row.body,
        ];
        for column in columns {
            let length = column(&mut rows()[2]).len();
            for bit in 0..length * 8 {
                assert_eq!(changed(2, |row| column(row)[bit / 8] ^= 1 << (bit % 8)), expected);
            }
        }
        for bit in 0..63 {
            assert_eq!(changed(2, |row| row.at = Timestamp::from_millis(row.at.as_millis() ^ (1 << bit))), expected);
        }
    }

    #[test]
    fn no_byte_passes_from_one_column_to_the_next() {
        let pass_on = |row: &mut EventRow| {
            let last = row.instance.pop().unwrap();
            row.contact.insert(0, last);
        };
        assert_eq!(changed(0, pass_on), ["row 1: changed since it was sealed (segment 1)"]);
        assert_eq!(changed(1, |row| row.message = Some(Vec::new())), ["row 2: changed since it was sealed (segment 1)"]);
    }

    #[test]
    fn a_row_of_another_account_does_not_fit() {
        let keyring = keyring();
        let other = Segment::close(&keyring, AccountId::from_bytes([9; 16]), None, &rows(), Timestamp::from_millis(9)).unwrap();
        let flaws = compare(keyring.audit_key(1).unwrap(), &Seal { account: ACCOUNT, ..other.seal }, &other.rows, &rows());
        assert_eq!(flaws.len(), 4);
    }

    #[test]
    fn whatever_is_done_to_places_is_named() {
        let at = |places: &[(u64, usize)]| -> Vec<EventRow> {
            let all = rows();
            places.iter().map(|(seq, place)| EventRow { seq: *seq, ..all[*place].clone() }).collect()
        };
        let moved = |seq: u64| format!("row {seq}: moved here from another place of the segment (segment 1)");
        let missing = |seq: u64| format!("row {seq}: missing (segment 1)");
        assert_eq!(flaws(&at(&[(1, 0), (2, 2), (3, 1), (4, 3)])), [moved(2), moved(3)]);
        assert_eq!(flaws(&at(&[(1, 0), (3, 2), (4, 3)])), [missing(2)]);
        assert_eq!(flaws(&at(&[(1, 0), (2, 2), (3, 3)])), [moved(2), moved(3), missing(4)]);
        assert_eq!(flaws(&at(&[(1, 0), (2, 1), (3, 2)])), [missing(4)], "the end");
        assert_eq!(flaws(&at(&[(0, 0), (1, 0), (2, 1), (3, 2), (4, 3)])), ["row 0: inserted (segment 1)"]);
        assert_eq!(flaws(&[]).len(), 4);
    }
}
