//! Rows of worlds that the cases of the store suite have left: they come back as they were, all of them or any part, and what is spoiled
//! is named.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};

use gatepost_conformance::{CASES, Harness, Home};
use gatepost_memory::MemoryStore;
use gatepost_rows::cells::{BadRow, Cell, Kind, Row, Table};
use gatepost_rows::tables::{self, Image, TABLES};
use gatepost_rows::world::World;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};
use proptest::sample::select;

/// Gives each case a store, and keeps it.
#[derive(Default)]
struct Kept(Mutex<Vec<MemoryStore>>);

impl Harness for Kept {
    fn home(&self) -> Box<dyn Home> {
        let store = MemoryStore::new();
        self.0.lock().expect("no case has failed").push(store.clone());
        Box::new(Arc::new(store))
    }
}

/// What the cases have left.
static IMAGES: LazyLock<Vec<Image>> = LazyLock::new(|| {
    let kept = Kept::default();
    CASES.iter().for_each(|(_, case)| case(&kept));
    let stores = kept.0.into_inner().expect("no case has failed");
    stores.iter().map(MemoryStore::image).collect()
});

type Stored<'a> = (&'static Table, &'a Row);

fn read(rows: &[Stored<'_>]) -> Result<World, BadRow> {
    let mut world = World::default();
    rows.iter().try_for_each(|(table, row)| tables::put(&mut world, table, row)).map(|()| world)
}

fn assert_come_back(rows: &[Stored<'_>]) {
    let image = tables::image(&read(rows).expect("what was written can be read"));
    let named = |rows: &[Stored<'_>]| rows.iter().map(|(table, row)| (table.name, (*row).clone())).collect::<BTreeSet<_>>();
    let back: Vec<Stored<'_>> = image.rows().collect();
    assert!(named(rows) == named(&back), "{} rows came back as {} others", rows.len(), back.len());
}

/// The rows of the image that `is_in` chooses, with all accounts: nothing is read of an account that is not locked.
fn part(image: &Image, mut is_in: impl FnMut(&Table) -> bool) -> Vec<Stored<'_>> {
    image.rows().filter(|(table, _)| is_in(table) || table.name == "accounts").collect()
}

#[test]
fn the_cases_have_left_rows_of_every_table() {
    let written: BTreeSet<&str> = IMAGES.iter().flat_map(Image::rows).map(|(table, _)| table.name).collect();
    let left: Vec<&str> = TABLES.iter().map(|table| table.name).filter(|name| !written.contains(name)).collect();
    // How far retention came is a note of stores that look for what is old.
    assert_eq!(left, ["retention"]);
}

#[test]
fn a_world_comes_back_from_its_rows() {
    IMAGES.iter().for_each(|image| assert_come_back(&part(image, |_| true)));
}

#[test]
fn each_table_comes_back_alone() {
    for (image, alone) in IMAGES.iter().flat_map(|image| TABLES.iter().map(move |table| (image, table.name))) {
        assert_come_back(&part(image, |table| table.name == alone));
    }
}

#[test]
fn any_part_of_the_rows_comes_back_as_that_part() {
    let mut dice = 7_u64;
    let mut rolls_one_of = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33).is_multiple_of(sides)
    };
    for (image, sides) in IMAGES.iter().flat_map(|image| [2, 3, 7].map(|sides| (image, sides))) {
        assert_come_back(&part(image, |_| rolls_one_of(sides)));
    }
}

#[test]
fn what_was_read_and_left_alone_is_not_written() {
    for image in &*IMAGES {
        let read = tables::image(&read(&part(image, |_| true)).expect("what was written can be read"));
        assert!(image.changes(&read).is_empty());
    }
}

#[test]
fn the_changes_make_one_image_another() {
    for images in IMAGES.windows(2) {
        let [before, after] = images else { continue };
        let changes = before.changes(after);
        let gone = |(table, row): &Stored<'_>| {
            let keys = changes.deletes.iter().find(|(of, _)| of == table).map(|(_, keys)| keys);
            keys.is_some_and(|keys| keys.contains(&table.key_of(row)))
        };
        let renewed = |(table, row): &Stored<'_>| {
            let rows = changes.upserts.iter().find(|(of, _)| of == table).map(|(_, rows)| rows);
            rows.is_some_and(|rows| rows.iter().any(|new| table.key_of(new) == table.key_of(row)))
        };
        let kept = before.rows().filter(|row| !gone(row) && !renewed(row));
        let new = changes.upserts.iter().flat_map(|(table, rows)| rows.iter().map(|row| (*table, row)));
        let named = |(table, row): Stored<'_>| (table.name, row.clone());
        assert!(kept.chain(new).map(named).collect::<BTreeSet<_>>() == after.rows().map(named).collect());
    }
}

#[test]
fn a_spoiled_cell_is_named_or_can_be_read() {
    for table in TABLES {
        let rows = IMAGES.iter().filter_map(|image| Some((image, image.rows().find(|(of, _)| of.name == table.name)?.1)));
        for (image, row) in rows.take(12) {
            let mut world = read(&part(image, |_| false)).expect("what was written can be read");
            for place in 0..row.len() {
                spoilt().for_each(|cell| try_spoilt(&mut world, table, row, place, cell));
            }
            // Whatever was made of it can be written.
            tables::image(&world);
        }
    }
}

fn spoilt() -> impl Iterator<Item = Cell> {
    let texts = ["", "?", "{}", "[]", "null", "{\"outcome\":\"sent\"}", "+999", "live"].map(|text| Cell::Text(text.to_owned()));
    let numbers = [i64::MIN, -1, 0, 1, 4, 5, i64::MAX].map(Cell::Int);
    let bytes = [0, 15, 16, 17, 32].map(|length| Cell::from(vec![7; length]));
    [Cell::Null].into_iter().chain(texts).chain(numbers).chain(bytes)
}

fn try_spoilt(world: &mut World, table: &Table, row: &Row, place: usize, cell: Cell) {
    let is_wrong = cell.kind().is_some_and(|kind| kind != table.columns[place].kind);
    let mut spoilt = row.clone();
    spoilt[place] = cell;
    match tables::put(world, table, &spoilt) {
        // Another column may tell that the two do not fit.
        Err(bad) => assert!(bad.table == table.name && table.place(bad.column).is_some(), "{bad}"),
        Ok(()) => assert!(!is_wrong, "{} of {} was read as another kind", table.columns[place].name, table.name),
    }
}

#[test]
fn a_row_of_an_account_that_is_not_there_is_refused() {
    let (table, row) = IMAGES.iter().flat_map(Image::rows).find(|(table, _)| table.name == "messages").expect("a message");
    let refused = tables::put(&mut World::default(), table, row).expect_err("nobody's message");
    assert_eq!(refused.to_string(), "the column `account` of `messages` cannot be read: the account was not put before");
}

#[test]
fn a_cell_says_nothing_of_what_it_holds() {
    let row = [Cell::Null, Cell::Int(966_501_234_567), Cell::Text("+966501234567".into()), Cell::from(vec![7; 32])];
    assert_eq!(format!("{row:?}"), "[Null, Int(..), Text(..), Bytes(..)]");
}

fn any_cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Null),
        any::<i64>().prop_map(Cell::Int),
        (0_i64..6).prop_map(Cell::Int),
        any::<String>().prop_map(Cell::Text),
        vec(any::<u8>(), 0..40).prop_map(Cell::from),
        any::<[u8; 16]>().prop_map(Cell::from),
    ]
}

fn any_cell_of(kind: Kind) -> impl Strategy<Value = Cell> {
    any_cell().prop_filter("of the kind", move |cell| cell.kind().is_none_or(|found| found == kind))
}

fn any_row(table: &'static Table) -> impl Strategy<Value = Row> {
    let of_kinds: Vec<_> = table.columns.iter().map(|column| any_cell_of(column.kind)).collect();
    prop_oneof![of_kinds, vec(any_cell(), 0..30)]
}

proptest! {
    #[test]
    fn no_row_panics((table, row) in select(TABLES).prop_flat_map(|table| (Just(table), any_row(table)))) {
        let accounts = part(&IMAGES[0], |_| false);
        let mut world = read(&accounts).expect("what was written can be read");
        if let Err(bad) = tables::put(&mut world, table, &row) {
            prop_assert!(bad.table == table.name && table.place(bad.column).is_some(), "{bad}");
        }
        tables::image(&world);
    }
}
