//! What accounts did, by the day.

use gatepost::{Mode, TextPrint, TrafficDay, TrafficLog};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::{Codec, Rows, account, row};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &TRAFFIC, put: put_traffic, write: write_traffic },
    Codec { table: &SAME_TEXTS, put: put_same_texts, write: write_same_texts },
];

/// The table `traffic`.
pub static TRAFFIC: Table = Table {
    name: "traffic",
    columns: &[
        Column::bytes("account"),
        Column::text("mode"),
        Column::int("day"),
        Column::int("sent"),
        Column::int("recipients"),
        Column::int("first_contacts"),
        Column::int("failed"),
        Column::int("opted_out"),
        Column::int("blocked"),
        Column::int("hour"),
        Column::int("hour_recipients"),
        Column::int("recipients_before"),
        Column::int("warned"),
    ],
    key: &["account", "mode", "day"],
};

fn put_traffic(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let mode: Mode = row.plain()?;
    let day = TrafficDay {
        day: row.int()?,
        sent: row.int()?,
        recipients: row.int()?,
        first_contacts: row.int()?,
        failed: row.int()?,
        opted_out: row.int()?,
        blocked: row.int()?,
        hour: row.int()?,
        hour_recipients: row.int()?,
        recipients_before: row.int()?,
        warned: row.flag()?,
    };
    let log = rows.traffic.entry(mode).or_default();
    let others = log.days().iter().filter(|known| known.day != day.day).copied();
    *log = TrafficLog::new(others.chain([day]).collect());
    Ok(())
}

fn write_traffic(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for (mode, day) in of.traffic.iter().flat_map(|(mode, log)| log.days().iter().map(move |day| (mode, day))) {
            rows.add(row![
                *account,
                mode.as_str(),
                day.day,
                Cell::count(day.sent),
                Cell::count(day.recipients),
                Cell::count(day.first_contacts),
                Cell::count(day.failed),
                Cell::count(day.opted_out),
                Cell::count(day.blocked),
                day.hour,
                Cell::count(day.hour_recipients),
                Cell::count(day.recipients_before),
                day.warned,
            ]);
        }
    }
}

/// The table `same_texts`.
pub static SAME_TEXTS: Table = Table {
    name: "same_texts",
    columns: &[Column::bytes("account"), Column::text("mode"), Column::int("day"), Column::int("print"), Column::int("contacts")],
    key: &["account", "mode", "day", "print"],
};

fn put_same_texts(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let (mode, day, print, contacts) = (row.plain()?, row.int()?, row.int()?, row.int()?);
    rows.same_texts.insert((mode, day, TextPrint::from_number(print)), contacts);
    Ok(())
}

fn write_same_texts(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for ((mode, day, print), contacts) in &of.same_texts {
            rows.add(row![*account, mode.as_str(), *day, print.number(), Cell::count(*contacts)]);
        }
    }
}
