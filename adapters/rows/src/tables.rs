//! Tables: how a world is written as rows, and read back.
//!
//! Every table is a map of its own in the world, and every row of a map is one row of the table: what is put comes back as it was, whatever
//! else was put or not. The players: a `Codec` for each table (in a file for each subject), [`put`] and [`image`], and [`Changes`] (what
//! came of a verb).

use std::collections::BTreeMap;

use gatepost::AccountId;

use crate::cells::{BadRow, Key, Reader, Row, Table};
use crate::world::{AccountRows, World};

pub mod accounts;
pub mod contacts;
pub mod endpoints;
pub mod events;
pub mod inbound;
pub mod instances;
pub mod integrations;
pub mod keys;
pub mod messages;
pub mod outbox;
mod pauses;
pub mod policy_events;
pub mod retention;
pub mod seals;
pub mod traffic;

/// How the rows of one table are read and written.
struct Codec {
    table: &'static Table,
    /// Adds a row to a world.
    put: fn(&mut World, &mut Reader<'_>) -> Result<(), BadRow>,
    /// Adds the world's rows of this table.
    write: fn(&World, &mut Rows),
}

/// The subjects. Accounts come first: the rows of one can be put only where it is.
const SUBJECTS: &[&[Codec]] = &[
    accounts::CODECS,
    keys::CODECS,
    instances::CODECS,
    traffic::CODECS,
    contacts::CODECS,
    messages::CODECS,
    outbox::CODECS,
    policy_events::CODECS,
    integrations::CODECS,
    inbound::CODECS,
    seals::CODECS,
    endpoints::CODECS,
    events::CODECS,
    retention::CODECS,
];

fn codecs() -> impl Iterator<Item = &'static Codec> {
    SUBJECTS.iter().copied().flatten()
}

/// All tables, in the order in which their rows must be put: accounts first, the others in any.
pub const TABLES: &[&Table] = &[
    &accounts::ACCOUNTS,
    &accounts::USAGE,
    &accounts::VELOCITY,
    &keys::API_KEYS,
    &keys::ROOTS,
    &instances::INSTANCES,
    &traffic::TRAFFIC,
    &traffic::SAME_TEXTS,
    &contacts::CONTACTS,
    &contacts::CONVERSATIONS,
    &contacts::ADDRESSES,
    &contacts::SUPPRESSIONS,
    &messages::MESSAGES,
    &messages::EXTERNAL_IDS,
    &messages::IDEMPOTENCY_KEYS,
    &messages::ATTEMPTS,
    &messages::REVIEWS,
    &outbox::OUTBOX,
    &policy_events::POLICY_EVENTS,
    &integrations::INTEGRATIONS,
    &integrations::INTEGRATION_ENTRIES,
    &inbound::NOTIFICATIONS,
    &inbound::INBOUND,
    &inbound::INBOUND_KEYS,
    &seals::SEALS,
    &seals::SEALING,
    &endpoints::ENDPOINTS,
    &events::EVENTS,
    &events::EVENT_DELIVERIES,
    &events::DELIVERY_ATTEMPTS,
    &events::RECOVERIES,
    &retention::RETENTION,
];

/// The table with this name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.name == name)
}

/// Adds one stored row to a partial world.
///
/// # Errors
///
/// When the row cannot be right, or its account was not put before.
pub fn put(world: &mut World, table: &Table, row: &Row) -> Result<(), BadRow> {
    match codecs().find(|codec| codec.table.name == table.name) {
        Some(codec) => (codec.put)(world, &mut Reader::new(codec.table, row)?),
        None => Err(BadRow { table: "?", column: "?", problem: "there is no such table" }),
    }
}

/// All rows of a world.
pub fn image(world: &World) -> Image {
    let write = |codec: &Codec| {
        let mut rows = Rows { table: codec.table, rows: BTreeMap::new() };
        (codec.write)(world, &mut rows);
        rows.rows
    };
    Image(codecs().map(write).collect())
}

/// The rows of one table, as they are written.
struct Rows {
    table: &'static Table,
    rows: BTreeMap<Key, Row>,
}

impl Rows {
    /// Adds a row.
    fn add(&mut self, row: Row) {
        self.rows.insert(self.table.key_of(&row), row);
    }
}

/// A row as cells: what is given for each column, in the order of the table.
macro_rules! row {
    ($($cell:expr),* $(,)?) => {
        vec![$($crate::cells::Cell::from($cell)),*]
    };
}
use row;

/// The account whose id stands in the next column.
fn account<'a>(world: &'a mut World, row: &mut Reader<'_>) -> Result<&'a mut AccountRows, BadRow> {
    let id: AccountId = row.id()?;
    world.accounts.get_mut(&id).ok_or_else(|| row.bad("the account was not put before"))
}

/// The rows of a world, or of a store, as they stand at one time.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Image(Vec<BTreeMap<Key, Row>>);

/// What must be written to make one image another, table after table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Changes {
    /// Rows that are new or other than they were.
    pub upserts: Vec<(&'static Table, Vec<Row>)>,
    /// The keys of rows that are gone.
    pub deletes: Vec<(&'static Table, Vec<Key>)>,
}

impl Changes {
    /// Whether nothing has to be written.
    pub fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.deletes.is_empty()
    }
}

impl Image {
    /// Its rows, in the order of [`TABLES`].
    pub fn rows(&self) -> impl Iterator<Item = (&'static Table, &Row)> {
        TABLES.iter().zip(&self.0).flat_map(|(table, rows)| rows.values().map(|row| (*table, row)))
    }

    /// What became of the rows until `now`.
    pub fn changes(&self, now: &Self) -> Changes {
        let nothing = BTreeMap::new();
        let mut changes = Changes::default();
        for (place, table) in TABLES.iter().enumerate() {
            let (before, after) = (self.0.get(place).unwrap_or(&nothing), now.0.get(place).unwrap_or(&nothing));
            let upserts: Vec<Row> = after.iter().filter(|(key, row)| before.get(*key) != Some(row)).map(|(_, row)| row.clone()).collect();
            let deletes: Vec<Key> = before.keys().filter(|key| !after.contains_key(*key)).cloned().collect();
            if !upserts.is_empty() {
                changes.upserts.push((table, upserts));
            }
            if !deletes.is_empty() {
                changes.deletes.push((table, deletes));
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_codec_in_the_same_place() {
        let names = |table: &Table| table.name;
        assert_eq!(
            codecs().map(|codec| names(codec.table)).collect::<Vec<_>>(),
            TABLES.iter().map(|table| names(table)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn every_column_of_a_key_is_one_of_its_table() {
        for table in TABLES {
            assert!(table.key.iter().all(|column| table.place(column).is_some()), "{}", table.name);
        }
    }
}
