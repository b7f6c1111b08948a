//! Accounts and instances: the rows that change seldom.

use std::collections::btree_map::Entry;

use gatepost::{
    Account, AccountChange, AccountId, INSTANCES_MAX, Instance, InstanceChange, InstanceId, Page, Pause, StoreError, connection_event,
    instance_pause_event, pause_event,
};

use crate::world::{AccountRows, Effects, World, newest};
use crate::{events, traffic};

/// Adds an account.
pub fn add(world: &mut World, account: Account) -> Result<(), StoreError> {
    match world.accounts.entry(account.id) {
        Entry::Occupied(_) => Err(StoreError::Unavailable(String::from("the account's id is taken"))),
        Entry::Vacant(place) => {
            place.insert(AccountRows::new(account));
            Ok(())
        }
    }
}

/// A page of accounts, newest first.
pub fn list(world: &World, page: Page<AccountId>) -> Vec<Account> {
    newest(&world.accounts, page).map(|rows| rows.account.clone()).take(page.limit).collect()
}

/// Changes an account; `None` where there is none.
pub fn change(world: &mut World, id: AccountId, change: AccountChange) -> Result<Option<Account>, StoreError> {
    let World { accounts, effects, .. } = world;
    let Some(rows) = accounts.get_mut(&id) else { return Ok(None) };
    let account = &mut rows.account;
    let AccountChange {
        name,
        plan,
        calendar,
        pause,
        expected_pause,
        suspended_at,
        one_time_codes_pass,
        supervised,
        two_person_review,
        confirms_opt_out,
        threecx_enabled,
        sender,
        at,
    } = change;
    expect(&account.pause, expected_pause)?;
    let was_paused = account.pause.is_some();
    put(&mut account.name, name);
    put(&mut account.plan, plan);
    put(&mut account.calendar, calendar);
    put(&mut account.pause, pause);
    put(&mut account.suspended_at, suspended_at);
    put(&mut account.one_time_codes_pass, one_time_codes_pass);
    put(&mut account.supervised, supervised);
    put(&mut account.two_person_review, two_person_review);
    put(&mut account.confirms_opt_out, confirms_opt_out);
    put(&mut account.threecx_enabled, threecx_enabled);
    put(&mut account.sender, sender);
    // What waited while it was paused may be due now.
    effects.left_due = true;
    let is_paused = account.pause.is_some();
    if was_paused && !is_paused {
        traffic::begin_afresh(rows);
    }
    if was_paused != is_paused {
        let nth = rows.next_change();
        let event = pause_event(id, rows.account.pause.as_ref(), nth, at);
        events::tell(rows, effects, event);
    }
    Ok(Some(rows.account.clone()))
}

/// Refuses a change that was decided while the pause was another.
fn expect(pause: &Option<Pause>, expected: Option<Option<Pause>>) -> Result<(), StoreError> {
    if expected.is_none_or(|expected| expected == *pause) { Ok(()) } else { Err(StoreError::Conflict) }
}

fn put<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}

/// Adds an instance; `false` where its name is taken, or the account has as many as it may have.
pub fn add_instance(rows: &mut AccountRows, instance: Instance) -> Result<bool, StoreError> {
    if rows.instances.len() >= INSTANCES_MAX || rows.instances.values().any(|known| known.name == instance.name) {
        return Ok(false);
    }
    match rows.instances.entry(instance.id) {
        Entry::Occupied(_) => Err(StoreError::Unavailable(String::from("the instance's id is taken"))),
        Entry::Vacant(place) => {
            place.insert(instance);
            Ok(true)
        }
    }
}

/// The instance with this id, whoever's it is.
pub fn find_instance(world: &World, id: InstanceId) -> Option<(AccountId, Instance)> {
    world.accounts.iter().find_map(|(account, rows)| Some((*account, rows.instances.get(&id)?.clone())))
}

/// The numbers of the keyring's roots that sealed credentials.
pub fn roots(rows: &AccountRows) -> impl Iterator<Item = u32> {
    rows.instances.values().filter_map(|instance| instance.credentials.as_ref().map(gatepost::Sealed::root))
}

/// All instances, by name.
pub fn instances(rows: &AccountRows) -> Vec<Instance> {
    let mut instances: Vec<Instance> = rows.instances.values().cloned().collect();
    instances.sort_by(|left, right| left.name.cmp(&right.name));
    instances
}

/// Changes an instance; `None` where there is none.
pub fn change_instance(
    rows: &mut AccountRows,
    effects: &mut Effects,
    id: InstanceId,
    change: InstanceChange,
) -> Result<Option<Instance>, StoreError> {
    let Some(instance) = rows.instances.get_mut(&id) else { return Ok(None) };
    let (was, was_paused, at) = (instance.connection, instance.pause.is_some(), change.at);
    change.apply(instance)?;
    effects.left_due = true;
    let changed = instance.clone();
    if was != changed.connection
        && let Some(event) = connection_event(rows.account.id, &changed, rows.next_change(), at)
    {
        events::tell(rows, effects, event);
    }
    if was_paused != changed.pause.is_some() {
        let event = instance_pause_event(rows.account.id, &changed, rows.next_change(), at);
        events::tell(rows, effects, event);
    }
    Ok(Some(changed))
}
