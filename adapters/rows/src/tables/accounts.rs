//! Accounts, and how much and how fast they and their instances sent.

use std::collections::btree_map::Entry;

use gatepost::{Account, Calendar, Mode, Tat, WindowId};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::{Codec, Rows, account, pauses, row};
use crate::world::{AccountRows, World};

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &ACCOUNTS, put: put_accounts, write: write_accounts },
    Codec { table: &USAGE, put: put_usage, write: write_usage },
    Codec { table: &VELOCITY, put: put_velocity, write: write_velocity },
];

/// The table `accounts`.
pub static ACCOUNTS: Table = Table {
    name: "accounts",
    columns: &[
        Column::bytes("id"),
        Column::text("name"),
        Column::text("plan"),
        Column::text("zone"),
        Column::text("next_zone"),
        Column::int("next_zone_from"),
        Column::text("pause"),
        Column::int("suspended_at"),
        Column::int("one_time_codes_pass"),
        Column::int("supervised"),
        Column::int("two_person_review"),
        Column::int("confirms_opt_out"),
        Column::int("threecx_enabled"),
        Column::text("sender"),
        Column::int("created_at"),
        Column::int("last_seq"),
        Column::int("last_inbound"),
        Column::int("last_entry"),
        Column::int("changes"),
    ],
    key: &["id"],
};

fn put_accounts(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let account = Account {
        id: row.id()?,
        name: row.word()?,
        plan: row.json()?,
        calendar: calendar(row)?,
        pause: pauses::read(row)?,
        suspended_at: row.time_or_none()?,
        one_time_codes_pass: row.flag()?,
        supervised: row.flag()?,
        two_person_review: row.flag()?,
        confirms_opt_out: row.flag()?,
        threecx_enabled: row.flag()?,
        sender: row.json()?,
        created_at: row.time()?,
    };
    let (last_seq, last_inbound, last_entry, changes) = (row.int()?, row.int()?, row.int()?, row.int()?);
    let rows = match world.accounts.entry(account.id) {
        Entry::Occupied(known) => {
            let known = known.into_mut();
            known.account = account;
            known
        }
        Entry::Vacant(place) => place.insert(AccountRows::new(account)),
    };
    (rows.last_seq, rows.last_inbound, rows.last_entry, rows.changes) = (last_seq, last_inbound, last_entry, changes);
    Ok(())
}

fn calendar(row: &mut Reader<'_>) -> Result<Calendar, BadRow> {
    let zone = row.word()?;
    let (next, from) = (row.word_or_none()?, row.time_or_none()?);
    Ok(Calendar { zone, next: next.zip(from) })
}

fn write_accounts(world: &World, rows: &mut Rows) {
    for of in world.accounts.values() {
        let Account { calendar, pause, .. } = &of.account;
        let next = calendar.next.as_ref();
        rows.add(row![
            of.account.id,
            of.account.name.as_str(),
            Cell::json(&of.account.plan),
            calendar.zone.name(),
            next.map(|(zone, _)| zone.name()),
            next.map(|(_, from)| *from),
            pauses::cell(pause.as_ref()),
            of.account.suspended_at,
            of.account.one_time_codes_pass,
            of.account.supervised,
            of.account.two_person_review,
            of.account.confirms_opt_out,
            of.account.threecx_enabled,
            Cell::json(&of.account.sender),
            of.account.created_at,
            Cell::count(of.last_seq),
            Cell::count(of.last_inbound),
            Cell::count(of.last_entry),
            of.changes,
        ]);
    }
}

/// The table `usage`.
pub static USAGE: Table = Table {
    name: "usage",
    columns: &[Column::bytes("account"), Column::text("mode"), Column::int("window"), Column::int("charged")],
    key: &["account", "mode", "window"],
};

fn put_usage(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let (mode, window, charged): (Mode, u32, u64) = (row.plain()?, row.int()?, row.int()?);
    rows.usage.insert((mode, WindowId::from_number(window)), charged);
    Ok(())
}

fn write_usage(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for ((mode, window), charged) in &of.usage {
            rows.add(row![*account, mode.as_str(), window.number(), Cell::count(*charged)]);
        }
    }
}

/// The table `velocity`.
pub static VELOCITY: Table = Table {
    name: "velocity",
    columns: &[Column::bytes("account"), Column::bytes("subject"), Column::text("mode"), Column::int("tat")],
    key: &["account", "subject", "mode"],
};

fn put_velocity(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let (subject, mode, tat) = (row.array()?, row.plain()?, row.int()?);
    rows.velocity.insert((subject, mode), Tat::from_micros(tat));
    Ok(())
}

fn write_velocity(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for ((subject, mode), tat) in &of.velocity {
            rows.add(row![*account, *subject, mode.as_str(), tat.as_micros()]);
        }
    }
}
