//! Instances.

use gatepost::{Instance, Sealed};

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows, account, pauses, row};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[Codec { table: &INSTANCES, put: put_instances, write: write_instances }];

/// The table `instances`.
pub static INSTANCES: Table = Table {
    name: "instances",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::text("name"),
        Column::text("provider"),
        Column::text("connection"),
        Column::text("pause"),
        Column::text("settings"),
        Column::bytes("credentials"),
        Column::int("credentials_root"),
        Column::int("revision"),
        Column::int("created_at"),
    ],
    key: &["account", "id"],
};

fn put_instances(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let instance = Instance {
        id: row.id()?,
        name: row.word()?,
        provider: row.word()?,
        connection: row.word()?,
        pause: pauses::read(row)?,
        settings: row.word()?,
        credentials: credentials(row)?,
        revision: row.int()?,
        created_at: row.time()?,
    };
    rows.instances.insert(instance.id, instance);
    Ok(())
}

/// What is sealed names its root itself.
fn credentials(row: &mut Reader<'_>) -> Result<Option<Sealed>, BadRow> {
    let credentials = row.sealed_or_none()?;
    row.pass();
    Ok(credentials)
}

fn write_instances(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for instance in of.instances.values() {
            let credentials = instance.credentials.as_ref();
            rows.add(row![
                *account,
                instance.id,
                instance.name.as_str(),
                instance.provider.as_str(),
                instance.connection.as_str(),
                pauses::cell(instance.pause.as_ref()),
                instance.settings.as_json(),
                credentials,
                credentials.map(Sealed::root),
                instance.revision,
                instance.created_at,
            ]);
        }
    }
}
