//! Accounts and instances: the rows that change seldom.

use std::collections::btree_map::Entry;

use gatepost::{Account, AccountChange, AccountId, Instance, InstanceChange, InstanceId, Page, StoreError};

use crate::world::{AccountRows, Effects, InstanceRow, Tats, World, newest};

pub(crate) fn add(world: &mut World, account: Account) -> Result<(), StoreError> {
    match world.accounts.entry(account.id) {
        Entry::Occupied(_) => Err(StoreError::Unavailable(String::from("the account's id is taken"))),
        Entry::Vacant(place) => {
            place.insert(AccountRows::new(account));
            Ok(())
        }
    }
}

pub(crate) fn list(world: &World, page: Page<AccountId>) -> Vec<Account> {
    newest(&world.accounts, page).map(|rows| rows.account.clone()).take(page.limit).collect()
}

pub(crate) fn change(world: &mut World, id: AccountId, change: AccountChange) -> Option<Account> {
    let account = &mut world.accounts.get_mut(&id)?.account;
    let AccountChange { name, plan, calendar, pause, suspended_at, one_time_codes_pass, supervised } = change;
    put(&mut account.name, name);
    put(&mut account.plan, plan);
    put(&mut account.calendar, calendar);
    put(&mut account.pause, pause);
    put(&mut account.suspended_at, suspended_at);
    put(&mut account.one_time_codes_pass, one_time_codes_pass);
    put(&mut account.supervised, supervised);
    // What waited while it was paused may be due now.
    world.effects.left_due = true;
    Some(account.clone())
}

fn put<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}

/// Adds an instance; `false` where its name is taken.
pub(crate) fn add_instance(rows: &mut AccountRows, instance: Instance) -> Result<bool, StoreError> {
    if rows.instances.values().any(|row| row.instance.name == instance.name) {
        return Ok(false);
    }
    match rows.instances.entry(instance.id) {
        Entry::Occupied(_) => Err(StoreError::Unavailable(String::from("the instance's id is taken"))),
        Entry::Vacant(place) => {
            place.insert(InstanceRow { instance, tats: Tats::default() });
            Ok(true)
        }
    }
}

/// All instances, by name.
pub(crate) fn instances(rows: &AccountRows) -> Vec<Instance> {
    let mut instances: Vec<Instance> = rows.instances.values().map(|row| row.instance.clone()).collect();
    instances.sort_by(|left, right| left.name.cmp(&right.name));
    instances
}

pub(crate) fn change_instance(rows: &mut AccountRows, effects: &mut Effects, id: InstanceId, change: InstanceChange) -> Option<Instance> {
    let instance = &mut rows.instances.get_mut(&id)?.instance;
    put(&mut instance.connection, change.connection);
    put(&mut instance.pause, change.pause);
    effects.left_due = true;
    Some(instance.clone())
}
