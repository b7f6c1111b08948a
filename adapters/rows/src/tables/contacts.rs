//! Contacts, their addresses, and what they said of us.

use std::collections::BTreeMap;

use gatepost::{Actor, Address, LastSent, Mode, Suppression, Tat, TextPrint, Timestamp, Words};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::{Codec, Rows, account, row};
use crate::world::{ContactRow, Tats, World};

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &CONTACTS, put: put_contacts, write: write_contacts },
    Codec { table: &CONVERSATIONS, put: put_conversations, write: write_conversations },
    Codec { table: &ADDRESSES, put: put_addresses, write: write_addresses },
    Codec { table: &SUPPRESSIONS, put: put_suppressions, write: write_suppressions },
];

/// The table `contacts`.
pub static CONTACTS: Table = Table {
    name: "contacts",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::text("suppressed_by"),
        Column::int("suppressed_at"),
        Column::bytes("suspected_by"),
        Column::int("suspected_at"),
        Column::int("window_until"),
        Column::text("address"),
        Column::text("others"),
        Column::text("name"),
        Column::int("named_at"),
        Column::bytes("merged_into"),
        Column::int("live_tat"),
        Column::int("test_tat"),
        Column::int("live_hour"),
        Column::int("live_print"),
        Column::int("test_hour"),
        Column::int("test_print"),
    ],
    key: &["account", "id"],
};

fn put_contacts(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let id = row.id()?;
    let (suppressed_by, suppressed_at) = (row.word_or_none()?, row.time_or_none()?);
    let (suspected_by, suspected_at) = (row.id_or_none()?, row.time_or_none()?);
    let (window_until, address, others) = (row.time_or_none()?, row.word()?, others(row)?);
    let (name, named_at) = (row.text_or_none()?.map(|name| Words::new(name.to_owned())), row.time_or_none()?);
    let merged_into = row.id_or_none()?;
    let mut tats = Tats::default();
    for mode in [Mode::Live, Mode::Test] {
        tats.set(mode, Tat::from_micros(row.int()?));
    }
    let mut last_sent = BTreeMap::new();
    for mode in [Mode::Live, Mode::Test] {
        let (hour, print) = (row.int_or_none()?, row.int_or_none()?.map(TextPrint::from_number));
        last_sent.extend(hour.map(|hour| (mode, LastSent { hour, print })));
    }
    let (suppressed, suspected) = (suppressed_by.zip(suppressed_at), suspected_by.zip(suspected_at));
    let name = named_at.zip(name);
    rows.contacts.insert(
        id,
        ContactRow { suppressed, suspected, window_until, address, others, name, merged_into, has_unread: false, tats, last_sent },
    );
    Ok(())
}

fn others(row: &mut Reader<'_>) -> Result<Vec<Address>, BadRow> {
    let others: Vec<String> = row.json_or_none()?.unwrap_or_default();
    others.iter().map(|other| other.parse().map_err(|_| row.bad("no address"))).collect()
}

fn write_contacts(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for (id, contact) in &of.contacts {
            let others: Vec<String> = contact.others.iter().map(Address::text).collect();
            let [live, test] = [Mode::Live, Mode::Test].map(|mode| contact.last_sent.get(&mode).copied());
            let print = |sent: Option<LastSent>| sent.and_then(|sent| sent.print).map(TextPrint::number);
            rows.add(row![
                *account,
                *id,
                contact.suppressed.map(|(cause, _)| cause.as_str()),
                contact.suppressed.map(|(_, since)| since),
                contact.suspected.map(|(by, _)| by),
                contact.suspected.map(|(_, since)| since),
                contact.window_until,
                &contact.address,
                Cell::json_or_null(Some(&others).filter(|others| !others.is_empty())),
                contact.name.as_ref().map(|(_, name)| name.as_str()),
                contact.name.as_ref().map(|(at, _)| *at),
                contact.merged_into,
                contact.tats.get(Mode::Live).as_micros(),
                contact.tats.get(Mode::Test).as_micros(),
                live.map(|sent| sent.hour),
                print(live),
                test.map(|sent| sent.hour),
                print(test),
            ]);
        }
    }
}

/// The table `conversations`.
pub static CONVERSATIONS: Table = Table {
    name: "conversations",
    columns: &[Column::bytes("account"), Column::bytes("contact"), Column::bytes("instance"), Column::int("until")],
    key: &["account", "contact", "instance"],
};

fn put_conversations(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let (contact, instance, until) = (row.id()?, row.id()?, row.time()?);
    rows.conversations.insert((contact, instance), until);
    Ok(())
}

fn write_conversations(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for ((contact, instance), until) in &of.conversations {
            rows.add(row![*account, *contact, *instance, *until]);
        }
    }
}

/// The table `addresses`.
pub static ADDRESSES: Table = Table {
    name: "addresses",
    columns: &[Column::bytes("account"), Column::text("address"), Column::bytes("contact")],
    key: &["account", "address"],
};

fn put_addresses(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let (address, contact) = (row.word()?, row.id()?);
    rows.contact_of.insert(address, contact);
    Ok(())
}

fn write_addresses(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for (address, contact) in &of.contact_of {
            rows.add(row![*account, address, *contact]);
        }
    }
}

/// The table `suppressions`.
pub static SUPPRESSIONS: Table = Table {
    name: "suppressions",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::bytes("contact"),
        Column::text("address"),
        Column::text("cause"),
        Column::text("note"),
        Column::int("since"),
        Column::text("by"),
        Column::int("lifted_at"),
        Column::text("lifted_by"),
    ],
    key: &["account", "id"],
};

fn put_suppressions(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let suppression = Suppression {
        id: row.id()?,
        contact: row.id()?,
        address: row.word()?,
        cause: row.word()?,
        note: row.text_or_none()?.map(str::to_owned),
        since: row.time()?,
        by: row.word()?,
        lifted: lifted(row)?,
    };
    rows.suppressions.insert(suppression.id, suppression);
    Ok(())
}

fn lifted(row: &mut Reader<'_>) -> Result<Option<(Actor, Timestamp)>, BadRow> {
    let at = row.time_or_none()?;
    Ok(row.word_or_none()?.zip(at))
}

fn write_suppressions(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for suppression in of.suppressions.values() {
            rows.add(row![
                *account,
                suppression.id,
                suppression.contact,
                &suppression.address,
                suppression.cause.as_str(),
                suppression.note.as_ref(),
                suppression.since,
                Cell::word(suppression.by),
                suppression.lifted.map(|(_, at)| at),
                suppression.lifted.map(|(by, _)| Cell::word(by)),
            ]);
        }
    }
}
