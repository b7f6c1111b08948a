//! Load: which rows a group of verbs may look at, and what was read of them.
//!
//! The players: [`Needs`] (what verbs ask for), [`Base`] (the rows as they stood when they were read, from which a world is made as often as it
//! takes), and [`follow`], which asks for what the rows that were read bring with them: whoever asks for a contact closely gets what they are
//! by now and what waits for them, and of a line its first rows.

use std::collections::{BTreeMap, BTreeSet};

use gatepost::{AccountId, ContactId};
use gatepost_rows::cells::{BadRow, Cell, Row, Table};
use gatepost_rows::tables::{self, Image, TABLES};
use gatepost_rows::world::World;

use crate::sql::Lookup;
use crate::transaction::Fence;

pub(crate) mod delivering;
pub(crate) mod lookups;
pub(crate) mod parked;
pub(crate) mod people;
pub(crate) mod scouts;
pub(crate) mod sending;
pub(crate) mod telling;

/// What verbs ask for.
#[derive(Clone, Default)]
pub(crate) struct Needs {
    accounts: BTreeSet<AccountId>,
    keys: BTreeMap<&'static str, (Ordered, BTreeSet<Vec<Cell>>)>,
    closely: BTreeSet<(AccountId, ContactId)>,
    addresses: BTreeSet<(AccountId, String)>,
    operator: bool,
}

/// A lookup among others.
#[derive(Clone, Copy)]
pub(crate) struct Ordered(pub(crate) &'static Lookup);

impl Needs {
    /// The account, locked, with its instances, endpoints and integrations.
    pub(crate) fn account(&mut self, account: AccountId) {
        self.locked(account);
        self.each([&lookups::ENDPOINTS, &lookups::INTEGRATIONS], &[account.into()]);
    }

    /// The account, locked, and nothing of it: for what is about its log alone.
    pub(crate) fn bare(&mut self, account: AccountId) {
        self.accounts.insert(account);
    }

    /// The account, locked, with its instances: for what no endpoint is told of.
    pub(crate) fn locked(&mut self, account: AccountId) {
        self.bare(account);
        self.key(&lookups::INSTANCES, [account.into()]);
    }

    /// What is the operator's own.
    pub(crate) const fn operator(&mut self) {
        self.operator = true;
    }

    /// Behind which fence that is.
    pub(crate) fn fence(&self) -> Fence {
        let fence = Fence::accounts(self.accounts.iter().copied());
        if self.operator { fence.and_operator() } else { fence }
    }

    /// Adds what was asked for elsewhere.
    pub(crate) fn add(&mut self, other: Self) {
        self.accounts.extend(other.accounts);
        self.closely.extend(other.closely);
        self.addresses.extend(other.addresses);
        self.operator |= other.operator;
        for (name, (lookup, keys)) in other.keys {
            self.keys.entry(name).or_insert_with(|| (lookup, BTreeSet::new())).1.extend(keys);
        }
    }

    /// How much and how fast the account sent.
    pub(crate) fn traffic(&mut self, account: AccountId) {
        self.key(&lookups::TRAFFIC, [account.into()]);
        self.key(&lookups::VELOCITY, [account.into()]);
    }

    /// What a lookup finds by a key.
    pub(crate) fn key(&mut self, lookup: &'static Lookup, key: impl Into<Vec<Cell>>) {
        self.keys.entry(lookup.name).or_insert_with(|| (Ordered(lookup), BTreeSet::new())).1.insert(key.into());
    }

    /// What several lookups find by the same key.
    pub(crate) fn each<const N: usize>(&mut self, lookups: [&'static Lookup; N], key: &[Cell]) {
        lookups.into_iter().for_each(|lookup| self.key(lookup, key));
    }

    /// A contact, with all that a suppression or a merger may change.
    pub(crate) fn closely(&mut self, account: AccountId, contact: ContactId) {
        if self.closely.insert((account, contact)) {
            self.key(&lookups::CONTACT, [account.into(), contact.into()]);
        }
    }

    /// The contact of an address in the same way.
    pub(crate) fn address_closely(&mut self, account: AccountId, address: &gatepost::Address) {
        let text = address.text();
        let key: [Cell; 2] = [account.into(), Cell::Text(text.clone())];
        self.each([&lookups::ADDRESS, &lookups::CONTACT_OF_ADDRESS, &lookups::CONVERSATIONS_OF_ADDRESS], &key);
        self.addresses.insert((account, text));
    }

    /// Takes over what is not known yet, and notes it as known; what is new.
    pub(crate) fn learn(&mut self, asked: Self) -> Self {
        let mut new = Self::default();
        new.accounts.extend(asked.accounts.difference(&self.accounts));
        self.accounts.extend(&new.accounts);
        for (name, (lookup, keys)) in asked.keys {
            let known = &mut self.keys.entry(name).or_insert_with(|| (lookup, BTreeSet::new())).1;
            let fresh: BTreeSet<Vec<Cell>> = keys.into_iter().filter(|key| known.insert(key.clone())).collect();
            if !fresh.is_empty() {
                new.keys.insert(name, (lookup, fresh));
            }
        }
        new.closely.extend(asked.closely.difference(&self.closely));
        self.closely.extend(&new.closely);
        self.addresses.extend(asked.addresses);
        self.operator |= asked.operator;
        new
    }

    /// Whether something is asked for that is not known.
    pub(crate) fn lacks(&self, asked: &Self) -> bool {
        !self.clone().learn(asked.clone()).is_empty()
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.keys.is_empty() && self.closely.is_empty()
    }

    /// The accounts.
    pub(crate) const fn accounts(&self) -> &BTreeSet<AccountId> {
        &self.accounts
    }

    /// The lookups, each with its keys.
    pub(crate) fn lookups(&self) -> impl Iterator<Item = (&'static Lookup, &BTreeSet<Vec<Cell>>)> {
        self.keys.values().map(|(lookup, keys)| (lookup.0, keys))
    }

    /// Whether this lookup was asked with this key.
    pub(crate) fn has(&self, lookup: &'static Lookup, key: &[Cell]) -> bool {
        self.keys.get(lookup.name).is_some_and(|(_, keys)| keys.contains(key))
    }
}

/// Rows as they were read, by table and key.
#[derive(Default)]
pub(crate) struct Base {
    rows: BTreeMap<usize, BTreeMap<Vec<Cell>, Row>>,
    /// Rows that cannot be right, until somebody has judged them.
    bad: Vec<Bad>,
    /// Contacts of whom a suppression cannot be read.
    unread: BTreeSet<(AccountId, ContactId)>,
    /// Accounts that are left out, since they cannot be read or another host holds them.
    left_out: BTreeSet<AccountId>,
}

/// A row that cannot be right.
pub(crate) struct Bad {
    /// The table that it is of.
    pub(crate) table: &'static Table,
    /// The row.
    pub(crate) row: Row,
    /// Why.
    pub(crate) error: BadRow,
}

/// Where a table stands in [`TABLES`].
fn place(table: &Table) -> usize {
    TABLES.iter().position(|known| known.name == table.name).unwrap_or(TABLES.len())
}

impl Base {
    /// Leaves these accounts out: nothing of them is in any world, and nothing of theirs is changed.
    pub(crate) fn leave_out(&mut self, accounts: impl IntoIterator<Item = AccountId>) {
        self.left_out.extend(accounts);
    }

    /// Whether an account is left out.
    pub(crate) fn leaves_out(&self, account: AccountId) -> bool {
        self.left_out.contains(&account)
    }

    /// Adds rows; one that is there already stays as it is.
    pub(crate) fn add(&mut self, table: &'static Table, rows: Vec<Row>) {
        let Self { rows: known, left_out, .. } = self;
        let known = known.entry(place(table)).or_default();
        for row in rows.into_iter().filter(|row| account_of(table, row).is_none_or(|account| !left_out.contains(&account))) {
            known.entry(table.key_of(&row)).or_insert(row);
        }
    }

    /// Rows of a table.
    pub(crate) fn of(&self, table: &Table) -> impl Iterator<Item = &Row> {
        self.rows.get(&place(table)).into_iter().flat_map(BTreeMap::values)
    }

    /// Rows of a table by their keys.
    pub(crate) fn by_key(&self, table: &Table) -> Option<&BTreeMap<Vec<Cell>, Row>> {
        self.rows.get(&place(table))
    }

    /// A world of these rows. One that cannot be right is not in it, and not touched.
    pub(crate) fn world(&mut self) -> World {
        let mut world = World::default();
        let Self { rows, bad, unread, left_out } = self;
        for (table, rows) in rows.iter_mut().filter_map(|(place, rows)| Some((*TABLES.get(*place)?, rows))) {
            rows.retain(|_, row| {
                if account_of(table, row).is_some_and(|account| left_out.contains(&account)) {
                    return false;
                }
                let put = tables::put(&mut world, table, row);
                // Whatever else is the account's could not be put either.
                left_out.extend(account_of(table, row).filter(|_| put.is_err() && table.name == "accounts"));
                if put.is_err() && table.name == tables::contacts::SUPPRESSIONS.name {
                    unread.extend(account_of(table, row).zip(id(cell(table, row, "contact")).map(ContactId::from_bytes)));
                }
                bad.extend(put.err().map(|error| Bad { table, row: row.clone(), error }));
                put.is_ok()
            });
        }
        for (account, contact) in unread.iter() {
            let Some(rows) = world.accounts.get_mut(account) else { continue };
            let whole = rows.contacts.get(contact).and_then(|row| row.merged_into);
            for one in [Some(*contact), whole].into_iter().flatten() {
                rows.contacts.get_mut(&one).into_iter().for_each(|row| row.has_unread = true);
            }
        }
        world
    }

    /// The rows that cannot be right and were not judged before.
    pub(crate) fn take_bad(&mut self) -> Vec<Bad> {
        std::mem::take(&mut self.bad)
    }

    /// Forgets a row.
    pub(crate) fn forget(&mut self, table: &Table, key: &[Cell]) {
        if let Some(rows) = self.rows.get_mut(&place(table)) {
            rows.remove(key);
        }
    }
}

/// The account of a row, where that can be read.
pub(crate) fn account_of(table: &Table, row: &Row) -> Option<AccountId> {
    let column = if table.name == "accounts" { "id" } else { "account" };
    id(cell(table, row, column)).map(AccountId::from_bytes)
}

/// A cell of a row.
pub(crate) fn cell<'a>(table: &Table, row: &'a Row, column: &str) -> &'a Cell {
    table.place(column).and_then(|place| row.get(place)).unwrap_or(&Cell::Null)
}

/// The sixteen bytes of an id.
pub(crate) fn id(cell: &Cell) -> Option<[u8; 16]> {
    match cell {
        Cell::Bytes(bytes) => bytes.as_slice().try_into().ok(),
        _ => None,
    }
}

/// A number.
pub(crate) const fn number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Int(number) => Some(*number),
        _ => None,
    }
}

/// Asks for what the rows that were read bring with them.
pub(crate) fn follow(base: &Base, known: &Needs, needs: &mut Needs) {
    follow_addresses(base, known, needs);
    follow_contacts(base, known, needs);
    follow_lines(base.of(&tables::outbox::OUTBOX), needs);
}

/// Of an address that is looked at closely, its contact is.
fn follow_addresses(base: &Base, known: &Needs, needs: &mut Needs) {
    let table = &tables::contacts::ADDRESSES;
    for row in base.of(table) {
        let (Some(account), Cell::Text(address)) = (account_of(table, row), cell(table, row, "address")) else { continue };
        if known.addresses.contains(&(account, address.clone()))
            && let Some(contact) = id(cell(table, row, "contact")).map(ContactId::from_bytes)
        {
            needs.closely(account, contact);
        }
    }
}

/// Of a contact that is looked at closely, what it is by now, what became a part of it, and what waits for all of them.
fn follow_contacts(base: &Base, known: &Needs, needs: &mut Needs) {
    let table = &tables::contacts::CONTACTS;
    let Some(rows) = base.by_key(table) else { return };
    for (account, contact) in known.closely.iter().chain(&needs.closely.clone()) {
        let Some(row) = rows.get(&vec![Cell::from(*account), Cell::from(*contact)]) else { continue };
        let present = id(cell(table, row, "merged_into")).map_or(*contact, ContactId::from_bytes);
        let key: [Cell; 2] = [(*account).into(), present.into()];
        needs.each([&lookups::CONTACT, &lookups::MERGED, &lookups::CONVERSATIONS, &lookups::ADDRESSES, &lookups::SUPPRESSIONS], &key);
        let parts = rows.values().filter(|row| account_of(table, row) == Some(*account) && *cell(table, row, "merged_into") == key[1]);
        let parts = parts.map(|row| cell(table, row, "id")).chain([&key[1]]);
        for part in parts {
            let key = [key[0].clone(), part.clone()];
            needs.each([&lookups::WAITING, &lookups::MESSAGES_WAITING, &lookups::REVIEWS_WAITING, &lookups::USAGE_WAITING], &key);
            // One that could not be read when they became one still names the part.
            needs.key(&lookups::SUPPRESSIONS, key);
        }
    }
}

/// The lines in which rows of the outbox stand.
fn follow_lines<'a>(outbox: impl Iterator<Item = &'a Row>, needs: &mut Needs) {
    let table = &tables::outbox::OUTBOX;
    for row in outbox {
        if let (Some(account), Some(line)) = (account_of(table, row), number(cell(table, row, "order_key"))) {
            needs.key(&lookups::LINE, [account.into(), line.into()]);
        }
    }
}

/// Asks for what the verbs turned out to need: contacts that one of them made one, or whose address another one looks at closely; lines that
/// something new stands in, and what was carried by deliveries that ended.
pub(crate) fn follow_up(base: &Base, now: &Image, known: &Needs, needs: &mut Needs) {
    follow_up_people(base, now, known, needs);
    let table = &tables::outbox::OUTBOX;
    let after: BTreeMap<Vec<Cell>, &Row> =
        now.rows().filter(|(of, _)| of.name == table.name).map(|(of, row)| (of.key_of(row), row)).collect();
    follow_lines(after.values().copied(), needs);
    follow_up_lines(base, &after, needs);
    for (key, row) in base.by_key(table).into_iter().flatten() {
        let Some(account) = account_of(table, row).filter(|_| !after.contains_key(key)) else { continue };
        match number(cell(table, row, "channel")) {
            Some(0) => needs_message(base, account, cell(table, row, "item"), needs),
            Some(1) => {
                let of_log = &tables::events::EVENT_DELIVERIES;
                if !base.by_key(of_log).is_some_and(|rows| rows.contains_key(key)) && !known.has(&lookups::EVENT_DELIVERY, key) {
                    needs.key(&lookups::EVENT_DELIVERY, key.clone());
                }
            }
            _ => {}
        }
    }
}

/// Behind the rows that were read of a line stand others, which one of is let go where all that were read have ended.
fn follow_up_lines(base: &Base, after: &BTreeMap<Vec<Cell>, &Row>, needs: &mut Needs) {
    let table = &tables::outbox::OUTBOX;
    let line_of = |row: &Row| account_of(table, row).zip(number(cell(table, row, "order_key")));
    let stand: BTreeSet<(AccountId, i64)> = after.values().filter_map(|row| line_of(row)).collect();
    let mut ended: BTreeMap<(AccountId, i64), (usize, i64)> = BTreeMap::new();
    for row in base.of(table) {
        if let (Some(line), Some(place)) = (line_of(row).filter(|line| !stand.contains(line)), number(cell(table, row, "log_id"))) {
            let (count, last) = ended.entry(line).or_insert((0, place));
            (*count, *last) = (*count + 1, place.max(*last));
        }
    }
    for ((account, line), (_, last)) in ended.into_iter().filter(|(_, (count, _))| *count >= lookups::LINE_MAX) {
        needs.key(&lookups::LINE_BEHIND, [account.into(), line.into(), last.into()]);
    }
}

/// What a verb does to people, others of its group see, and none of them may have asked for what that brings with it.
fn follow_up_people(base: &Base, now: &Image, known: &Needs, needs: &mut Needs) {
    let (contacts, addresses) = (&tables::contacts::CONTACTS, &tables::contacts::ADDRESSES);
    for (table, row) in now.rows().filter(|(table, _)| [contacts.name, addresses.name].contains(&table.name)) {
        let Some(account) = account_of(table, row) else { continue };
        let before = base.by_key(table).and_then(|rows| rows.get(&table.key_of(row)));
        let became = |column: &str| {
            let now = cell(table, row, column);
            let is_new = before.is_none_or(|before| cell(table, before, column) != now);
            id(now).filter(|_| is_new).map(ContactId::from_bytes)
        };
        if table.name == contacts.name {
            let of = id(cell(table, row, "id")).map(ContactId::from_bytes);
            if let Some(into) = became("merged_into") {
                // What waits for one of them may be withdrawn, and endpoints are told of that.
                needs.account(account);
                of.into_iter().chain([into]).for_each(|one| needs.closely(account, one));
            }
        } else if matches!(cell(table, row, "address"), Cell::Text(address) if known.addresses.contains(&(account, address.clone()))) {
            became("contact").into_iter().for_each(|contact| needs.closely(account, contact));
        }
    }
}

fn needs_message(base: &Base, account: AccountId, message: &Cell, needs: &mut Needs) {
    let key = vec![Cell::from(account), message.clone()];
    if !base.by_key(&tables::messages::MESSAGES).is_some_and(|rows| rows.contains_key(&key)) {
        needs.each([&lookups::MESSAGE, &lookups::REVIEW, &lookups::CONTACT_OF_MESSAGE, &lookups::USAGE_OF_MESSAGE], &key);
    }
}
