//! Keys: of accounts and of operators, in one map.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use gatepost::{AccountId, ApiKey, KeyId, KeyOwner, KeyState, RootPrint, StoreError, Timestamp};

use crate::world::World;
use crate::{accounts, endpoints, integrations, seals};

/// Whose keys are meant: an account's, or the operators'.
pub type Whose = Option<AccountId>;

fn is_of(key: &ApiKey, whose: Whose) -> bool {
    match key.owner {
        KeyOwner::Account(account, _) => whose == Some(account),
        KeyOwner::Operator => whose.is_none(),
    }
}

/// The key, if it is theirs.
pub fn find(world: &World, whose: Whose, id: KeyId) -> Option<&ApiKey> {
    world.keys.get(&id).filter(|key| is_of(key, whose))
}

fn find_mut(world: &mut World, whose: Whose, id: KeyId) -> Option<&mut ApiKey> {
    world.keys.get_mut(&id).filter(|key| is_of(key, whose))
}

/// Adds a key.
pub fn add(world: &mut World, whose: Whose, key: ApiKey) -> Result<(), StoreError> {
    if !is_of(&key, whose) {
        return Err(StoreError::Unavailable(String::from("the key has another owner")));
    }
    match world.keys.entry(key.id) {
        Entry::Occupied(_) => Err(StoreError::Unavailable(String::from("the key's id is taken"))),
        Entry::Vacant(place) => {
            place.insert(key);
            Ok(())
        }
    }
}

/// Their keys, newest first.
pub fn list(world: &World, whose: Whose) -> Vec<ApiKey> {
    let mut keys: Vec<ApiKey> = world.keys.values().filter(|key| is_of(key, whose)).cloned().collect();
    keys.sort_by_key(|key| Reverse(key.created_at));
    keys
}

/// Revokes a key, unless it was revoked before; the key as it is then.
pub fn revoke(world: &mut World, whose: Whose, id: KeyId, now: Timestamp) -> Option<ApiKey> {
    let key = find_mut(world, whose, id)?;
    key.revoked_at.get_or_insert(now);
    Some(key.clone())
}

/// Adds `new` and ends `old`; `false` where `old` is not in force.
pub fn reroll(
    world: &mut World,
    whose: Whose,
    old: KeyId,
    new: ApiKey,
    old_ends_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if find(world, whose, old).is_none_or(|key| key.state_at(now) != KeyState::Active) {
        return Ok(false);
    }
    add(world, whose, new)?;
    if let Some(key) = find_mut(world, whose, old) {
        key.expires_at = Some(key.expires_at.map_or(old_ends_at, |expiry| expiry.min(old_ends_at)));
    }
    Ok(true)
}

/// Notes when keys were last used; never earlier than noted before.
pub fn touch(world: &mut World, used: &[(KeyId, Timestamp)]) {
    for (id, at) in used {
        if let Some(key) = world.keys.get_mut(id) {
            key.last_used_at = key.last_used_at.max(Some(*at));
        }
    }
}

/// The numbers of the keyring's roots that sealed what may still be read.
pub fn roots(world: &World) -> Vec<u32> {
    let of_keys = world.keys.values().map(|key| key.root);
    let of_endpoints = world.accounts.values().flat_map(endpoints::roots);
    let of_instances = world.accounts.values().flat_map(accounts::roots);
    let of_integrations = world.accounts.values().flat_map(integrations::roots);
    let of_seals = world.accounts.values().flat_map(seals::roots);
    of_keys.chain(of_endpoints).chain(of_instances).chain(of_integrations).chain(of_seals).collect::<BTreeSet<u32>>().into_iter().collect()
}

/// Notes the roots of a keyring, unless another one was noted before; what is noted then, by number.
pub fn note_roots(world: &mut World, roots: &[RootPrint]) -> Vec<RootPrint> {
    if RootPrint::are_of_one_keyring(&noted(world), roots) {
        world.roots.extend(roots.iter().map(|root| (root.number, root.print)));
    }
    noted(world)
}

fn noted(world: &World) -> Vec<RootPrint> {
    world.roots.iter().map(|(number, print)| RootPrint { number: *number, print: *print }).collect()
}
