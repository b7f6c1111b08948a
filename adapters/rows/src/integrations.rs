//! Integrations: phone systems, and the log of what they said and were told.

use std::collections::btree_map;

use gatepost::{
    AccountId, Address, CallDetails, Conclusion, DeliveryId, Direction, Entered, EntryKey, EntryOutcome, EventName, INTEGRATION_RATE,
    INTEGRATIONS_MAX, Integration, IntegrationChange, IntegrationEntry, IntegrationEntryFilter, IntegrationId, NewIntegrationEntry, Page,
    Phone, REPEAT_TIME, StoreError, Tat, Timestamp, Topic,
};

use crate::world::{AccountRows, Effects, EntryRow, IntegrationRow, World, newest};
use crate::{events, notices};

fn present(rows: &AccountRows) -> impl Iterator<Item = &Integration> {
    rows.integrations.values().map(|row| &row.integration).filter(|integration| integration.removed_at.is_none())
}

/// Adds an integration; `false` where the account has as many as it may have, or the id is taken, be it in another account.
pub fn add(world: &mut World, account: AccountId, integration: Integration) -> Option<bool> {
    let is_taken = world.accounts.values().any(|rows| rows.integrations.contains_key(&integration.id));
    let rows = world.accounts.get_mut(&account)?;
    if is_taken || present(rows).count() >= INTEGRATIONS_MAX {
        return Some(false);
    }
    rows.integrations.insert(integration.id, IntegrationRow { integration, tat: Tat::default() });
    Some(true)
}

/// All that are not removed, oldest first.
pub fn list(rows: &AccountRows) -> Vec<Integration> {
    let mut list: Vec<Integration> = present(rows).cloned().collect();
    list.sort_by_key(|integration| (integration.created_at, integration.id));
    list
}

/// The integration with this id.
pub fn find(rows: &AccountRows, id: IntegrationId) -> Option<Integration> {
    rows.integrations.get(&id).map(|row| row.integration.clone())
}

/// One of whatever account.
pub fn of_any(world: &World, id: IntegrationId) -> Option<(AccountId, Integration)> {
    world.accounts.iter().find_map(|(account, rows)| Some((*account, find(rows, id)?)))
}

/// Changes an integration; `None` where there is none.
pub fn change(rows: &mut AccountRows, id: IntegrationId, change: IntegrationChange) -> Result<Option<Integration>, StoreError> {
    let found = rows.integrations.get_mut(&id).map(|row| &mut row.integration).filter(|integration| integration.removed_at.is_none());
    let Some(integration) = found else { return Ok(None) };
    change.apply(integration)?;
    Ok(Some(integration.clone()))
}

/// The numbers of the keyring's roots that sealed what may still be read.
pub fn roots(rows: &AccountRows) -> impl Iterator<Item = u32> {
    present(rows).map(|integration| integration.secrets.root())
}

/// Writes down what a phone system said.
pub fn enter(rows: &mut AccountRows, effects: &mut Effects, new: &NewIntegrationEntry) -> Entered {
    let Some(row) = rows.integrations.get_mut(&new.integration).filter(|row| row.integration.removed_at.is_none()) else {
        return Entered::Unknown;
    };
    if let Some(known) = rows.entries.values_mut().find(|known| is_same(known, new)) {
        if known.key_until.is_none_or(|until| new.at < until) {
            known.key_until = known.key_until.map(|until| until.max(new.at.plus(REPEAT_TIME)));
            return Entered::Repeated(known.entry.id);
        }
        (known.key, known.key_until) = (None, None);
    }
    if new.is_limited {
        match INTEGRATION_RATE.take(row.tat, new.at) {
            Ok(tat) => row.tat = tat,
            Err(retry_at) => return Entered::TooOften(retry_at),
        }
    }
    let instance = row.integration.instance;
    let NewIntegrationEntry { integration, kind, phone, details, key, at, .. } = new.clone();
    let id = write(rows, Entry { integration, direction: Direction::In, kind, phone, details, delivery: None, at }, key.as_ref());
    if let Some(instance) = rows.instances.get(&instance).filter(|_| new.is_told) {
        let topic = Topic::new(EventName::ThreecxEventReceived, Some(instance.id));
        let event = events::is_heard(rows, &topic).then(|| new.event(id, (instance.id, &instance.name)));
        event.into_iter().for_each(|event| events::tell(rows, effects, event));
    }
    Entered::New(id)
}

/// Writes down what a phone system is told; its place in the log.
pub fn enter_post(
    rows: &mut AccountRows,
    integration: IntegrationId,
    name: EventName,
    person: Option<&Address>,
    delivery: DeliveryId,
    at: Timestamp,
) -> u64 {
    let (kind, phone, details) = (name.as_str().to_owned(), person.and_then(Address::phone), CallDetails::default());
    write(rows, Entry { integration, direction: Direction::Out, kind, phone, details, delivery: Some(delivery), at }, None)
}

/// What of a new line never changes.
struct Entry {
    integration: IntegrationId,
    direction: Direction,
    kind: String,
    phone: Option<Phone>,
    details: CallDetails,
    delivery: Option<DeliveryId>,
    at: Timestamp,
}

fn is_same(known: &EntryRow, new: &NewIntegrationEntry) -> bool {
    known.key.is_some() && known.key.as_ref() == new.key.as_ref().map(EntryKey::bytes) && known.entry.integration == new.integration
}

fn write(rows: &mut AccountRows, line: Entry, key: Option<&EntryKey>) -> u64 {
    let Entry { integration, direction, kind, phone, details, delivery, at } = line;
    let (id, outcome) = (rows.next_entry(), if delivery.is_some() { EntryOutcome::Posted } else { EntryOutcome::Received });
    let (reason, message, message_status, delivery_status) = (None, None, None, None);
    let entry = IntegrationEntry {
        id,
        integration,
        direction,
        kind,
        phone,
        details,
        outcome,
        reason,
        message,
        message_status,
        delivery,
        delivery_status,
        at,
    };
    let key_until = key.and_then(|key| key.holds_until(at));
    rows.entries.insert(id, EntryRow { entry, key: key.map(|key| *key.bytes()), key_until });
    id
}

/// Writes down what became of an entry; `false` where that was done before, and it is not told again.
pub fn conclude(rows: &mut AccountRows, entry: u64, conclusion: Conclusion) -> bool {
    let btree_map::Entry::Occupied(mut found) = rows.entries.entry(entry) else { return false };
    let EntryRow { entry, key, key_until } = found.get_mut();
    if entry.outcome != EntryOutcome::Received && key_until.is_none() {
        return false;
    }
    let Conclusion { outcome, reason, message, is_answered, at } = conclusion;
    if entry.outcome != EntryOutcome::Accepted {
        (entry.outcome, entry.reason, entry.message) = (outcome, reason, message);
    }
    match key_until {
        Some(_) if is_answered => (*key, *key_until) = (None, None),
        Some(until) => *until = at.plus(REPEAT_TIME),
        None => {}
    }
    true
}

/// The log, newest first.
pub fn log(rows: &AccountRows, filter: &IntegrationEntryFilter, page: Page<u64>) -> Vec<IntegrationEntry> {
    let is_wanted = |entry: &&IntegrationEntry| {
        filter.integration.is_none_or(|integration| entry.integration == integration)
            && filter.direction.is_none_or(|direction| entry.direction == direction)
            && filter.kind.as_ref().is_none_or(|kind| entry.kind == *kind)
            && filter.outcome.is_none_or(|outcome| entry.outcome == outcome)
            && filter.phone.is_none_or(|phone| entry.phone == Some(phone))
    };
    let wanted = newest(&rows.entries, page).map(|row| &row.entry).filter(is_wanted);
    wanted.take(page.limit).map(|entry| with_statuses(rows, entry)).collect()
}

/// The entry with how far its message or its delivery got.
fn with_statuses(rows: &AccountRows, entry: &IntegrationEntry) -> IntegrationEntry {
    let message_status = entry.message.and_then(|id| rows.messages.get(&id)).map(|row| row.message.status);
    let delivery_status = entry.delivery.and_then(|id| notices::find(rows, id)).map(|delivery| delivery.status);
    IntegrationEntry { message_status, delivery_status, ..entry.clone() }
}

/// Forgets what was said and told before this, at most so much; how much it was.
pub fn forget(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let old: Vec<u64> = rows.entries.values().filter(|row| row.entry.at < before).take(limit).map(|row| row.entry.id).collect();
    old.iter().for_each(|id| _ = rows.entries.remove(id));
    old.len()
}
