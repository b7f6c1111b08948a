//! Phone systems, and the log of what they said and were told.

use gatepost::{Integration, IntegrationEntry, IntegrationId, Phone, Sealed, Tat};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::{self, Codec, Rows, row};
use crate::world::{EntryRow, IntegrationRow, World};

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &INTEGRATIONS, put: put_integrations, write: write_integrations },
    Codec { table: &INTEGRATION_ENTRIES, put: put_integration_entries, write: write_integration_entries },
];

/// The table `integrations`.
pub static INTEGRATIONS: Table = Table {
    name: "integrations",
    columns: &[
        Column::bytes("account"),
        Column::int("id"),
        Column::text("name"),
        Column::int("enabled"),
        Column::bytes("instance"),
        Column::text("settings"),
        Column::bytes("secrets"),
        Column::int("secrets_root"),
        Column::bytes("endpoint"),
        Column::int("revision"),
        Column::int("removed_at"),
        Column::int("created_at"),
        Column::int("tat"),
    ],
    key: &["account", "id"],
};

fn put_integrations(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let integration = read_integration(row)?;
    let tat = Tat::from_micros(row.int()?);
    rows.integrations.insert(integration.id, IntegrationRow { integration, tat });
    Ok(())
}

/// The integration of a row, from its second column on, but for how fast it told of events.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_integration(row: &mut Reader<'_>) -> Result<Integration, BadRow> {
    Ok(Integration {
        id: read_id(row)?,
        name: row.word()?,
        enabled: row.flag()?,
        instance: row.id()?,
        settings: row.word()?,
        secrets: sealed_by(row)?,
        endpoint: row.id_or_none()?,
        revision: row.int()?,
        removed_at: row.time_or_none()?,
        created_at: row.time()?,
    })
}

/// What is sealed. The root, in the column behind it, it says itself.
pub(super) fn sealed_by(row: &mut Reader<'_>) -> Result<Sealed, BadRow> {
    let sealed = row.sealed()?;
    row.pass();
    Ok(sealed)
}

/// An id as it stands in a column.
pub(super) fn id_cell(id: IntegrationId) -> Cell {
    Cell::count(id.number())
}

fn read_id(row: &mut Reader<'_>) -> Result<IntegrationId, BadRow> {
    read_id_or_none(row)?.ok_or_else(|| row.bad("there is nothing"))
}

pub(super) fn read_id_or_none(row: &mut Reader<'_>) -> Result<Option<IntegrationId>, BadRow> {
    let Some(number) = row.int_or_none()? else { return Ok(None) };
    IntegrationId::from_number(number).map(Some).ok_or_else(|| row.bad("no id of an integration"))
}

fn write_integrations(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for IntegrationRow { integration, tat } in of_account.integrations.values() {
            rows.add(row![
                *account,
                id_cell(integration.id),
                integration.name.as_str(),
                integration.enabled,
                integration.instance,
                integration.settings.as_json(),
                &integration.secrets,
                integration.secrets.root(),
                integration.endpoint,
                integration.revision,
                integration.removed_at,
                integration.created_at,
                tat.as_micros(),
            ]);
        }
    }
}

/// The table `integration_entries`.
pub static INTEGRATION_ENTRIES: Table = Table {
    name: "integration_entries",
    columns: &[
        Column::bytes("account"),
        Column::int("id"),
        Column::int("integration"),
        Column::text("direction"),
        Column::text("kind"),
        Column::int("phone"),
        Column::text("details"),
        Column::text("outcome"),
        Column::text("reason"),
        Column::bytes("message"),
        Column::bytes("delivery"),
        Column::bytes("key"),
        Column::int("key_until"),
        Column::int("at"),
    ],
    key: &["account", "id"],
};

fn put_integration_entries(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let line = read_entry(row)?;
    rows.entries.insert(line.entry.id, line);
    Ok(())
}

/// The line of a row, from its second column on. How far its message or its delivery got stands elsewhere.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_entry(row: &mut Reader<'_>) -> Result<EntryRow, BadRow> {
    let (id, integration, direction, kind) = (row.int()?, read_id(row)?, row.word()?, row.text()?.to_owned());
    let (phone, details, outcome) = (read_phone(row)?, row.json()?, row.word()?);
    let (reason, message, delivery) = (row.text_or_none()?.map(str::to_owned), row.id_or_none()?, row.id_or_none()?);
    let (key, key_until) = (row.array_or_none()?, row.time_or_none()?);
    let (at, message_status, delivery_status) = (row.time()?, None, None);
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
    Ok(EntryRow { entry, key, key_until })
}

fn read_phone(row: &mut Reader<'_>) -> Result<Option<Phone>, BadRow> {
    let Some(digits) = row.int_or_none()? else { return Ok(None) };
    Phone::from_digits(digits).map(Some).map_err(|_| row.bad("no phone number"))
}

fn write_integration_entries(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for EntryRow { entry, key, key_until } in of_account.entries.values() {
            rows.add(row![
                *account,
                Cell::count(entry.id),
                id_cell(entry.integration),
                entry.direction.as_str(),
                &entry.kind,
                entry.phone.map(|phone| Cell::count(phone.digits())),
                Cell::json(&entry.details),
                entry.outcome.as_str(),
                entry.reason.as_ref(),
                entry.message,
                entry.delivery,
                *key,
                *key_until,
                entry.at,
            ]);
        }
    }
}
