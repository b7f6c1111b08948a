//! Cells: what one place of a table can hold, for whatever database.
//!
//! The players: [`Cell`] and [`Row`] (what is stored), [`Table`] (what it is stored as), [`Reader`] (reads a row from its first column to
//! its last), and [`BadRow`] (what cannot be right). To write a row is [`Cell::from`] for each of its columns.

use std::fmt;
use std::str::FromStr;

use gatepost::{
    AccountId, Address, ContactId, DeliveryId, EndpointId, EventId, InboundId, InstanceId, MessageId, NotificationId, RecoveryId, Sealed,
    SuppressionId, Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

/// Bytes as they stand in a cell. Most are ids, and those take no room of their own.
pub type Blob = SmallVec<[u8; 16]>;

/// What stands in one column of one row.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number, a time or a truth.
    Int(i64),
    /// A word, a name or JSON.
    Text(String),
    /// An id, a digest or what is sealed.
    Bytes(Blob),
}

/// What a column holds where it holds something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// [`Cell::Int`].
    Int,
    /// [`Cell::Text`].
    Text,
    /// [`Cell::Bytes`].
    Bytes,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Column {
    /// Its name in SQL.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

impl Column {
    /// A column of numbers.
    pub const fn int(name: &'static str) -> Self {
        Self { name, kind: Kind::Int }
    }

    /// A column of texts.
    pub const fn text(name: &'static str) -> Self {
        Self { name, kind: Kind::Text }
    }

    /// A column of bytes.
    pub const fn bytes(name: &'static str) -> Self {
        Self { name, kind: Kind::Bytes }
    }
}

/// A table: its columns, and which of them tell its rows apart.
#[derive(Debug, Eq, PartialEq)]
pub struct Table {
    /// Its name in SQL.
    pub name: &'static str,
    /// Its columns, in the order of the cells of a row.
    pub columns: &'static [Column],
    /// The columns of its primary key.
    pub key: &'static [&'static str],
}

/// A row of a table: a cell for each column, in their order.
pub type Row = Vec<Cell>;

/// The cells of a row's key, in the order of the key.
pub type Key = Vec<Cell>;

impl Table {
    /// Where a column stands in a row.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// The key of a row. What a short row lacks is [`Cell::Null`].
    pub fn key_of(&self, row: &Row) -> Key {
        let cell = |column: &&str| self.place(column).and_then(|place| row.get(place)).cloned().unwrap_or(Cell::Null);
        self.key.iter().map(cell).collect()
    }
}

impl Cell {
    /// The kind of what it holds; none where that is nothing.
    pub const fn kind(&self) -> Option<Kind> {
        match self {
            Self::Null => None,
            Self::Int(_) => Some(Kind::Int),
            Self::Text(_) => Some(Kind::Text),
            Self::Bytes(_) => Some(Kind::Bytes),
        }
    }

    /// No bytes at all: less than any id.
    pub fn no_bytes() -> Self {
        Self::Bytes(Blob::new())
    }

    /// A value as the JSON to keep. What no JSON can say is [`Cell::Null`], which a column that must have it refuses.
    pub fn json<T: Serialize>(value: &T) -> Self {
        serde_json::to_string(value).map_or(Self::Null, Self::Text)
    }

    /// A value as the JSON to keep, where there is one.
    pub fn json_or_null<T: Serialize>(value: Option<&T>) -> Self {
        value.map_or(Self::Null, Self::json)
    }

    /// What is written as a word.
    pub fn word<T: fmt::Display>(value: T) -> Self {
        Self::Text(value.to_string())
    }

    /// A count, which databases keep as a signed number; what does not fit stays at the top.
    pub fn count(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// Says of which kind it is, and never what it holds.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            None => f.write_str("Null"),
            Some(kind) => write!(f, "{kind:?}(..)"),
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! cells {
    ($($type:ty: $value:ident => $cell:expr;)*) => {$(
        impl From<$type> for Cell {
            fn from($value: $type) -> Self {
                $cell
            }
        }
    )*};
}

cells! {
    i64: number => Self::Int(number);
    u32: number => Self::Int(number.into());
    u16: number => Self::Int(number.into());
    u8: number => Self::Int(number.into());
    bool: truth => Self::Int(truth.into());
    Timestamp: time => Self::Int(time.as_millis());
    String: text => Self::Text(text);
    &String: text => Self::Text(text.clone());
    &str: text => Self::Text(text.to_owned());
    &Address: address => Self::Text(address.text());
    Vec<u8>: bytes => Self::Bytes(Blob::from_vec(bytes));
    &[u8]: bytes => Self::Bytes(Blob::from_slice(bytes));
    [u8; 16]: bytes => Self::Bytes(Blob::from_buf(bytes));
    [u8; 32]: bytes => Self::Bytes(Blob::from_slice(&bytes));
    &Sealed: sealed => Self::from(sealed.to_bytes());
}

/// What is named by sixteen bytes.
pub trait Id {
    /// The id with these bytes.
    fn from_id_bytes(bytes: [u8; 16]) -> Self;
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl From<$id> for Cell {
            fn from(id: $id) -> Self {
                Self::from(id.to_bytes())
            }
        }

        impl Id for $id {
            fn from_id_bytes(bytes: [u8; 16]) -> Self {
                Self::from_bytes(bytes)
            }
        }
    )*};
}

ids! {
    AccountId ContactId DeliveryId EndpointId EventId InboundId InstanceId MessageId NotificationId RecoveryId SuppressionId
}

/// What stands in a row cannot be what it says. It names the place, and never what stands there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the column `{column}` of `{table}` cannot be read: {problem}")]
pub struct BadRow {
    /// The table.
    pub table: &'static str,
    /// The column; the first one of the key where the row as a whole is not right.
    pub column: &'static str,
    /// What is wrong.
    pub problem: &'static str,
}

/// Reads a row, column after column in the order of its table.
#[derive(Debug)]
pub struct Reader<'a> {
    table: &'static Table,
    row: &'a [Cell],
    next: usize,
}

impl<'a> Reader<'a> {
    /// Begins with the first column.
    ///
    /// # Errors
    ///
    /// When the row has more or fewer cells than its table has columns, or a cell of another kind than its column.
    pub fn new(table: &'static Table, row: &'a Row) -> Result<Self, BadRow> {
        let reader = Self { table, row, next: 0 };
        if row.len() != table.columns.len() {
            return Err(reader.bad("the row has another number of columns"));
        }
        let is_wrong = |(column, cell): &(&Column, &Cell)| cell.kind().is_some_and(|kind| kind != column.kind);
        match table.columns.iter().zip(row).find(is_wrong) {
            Some((column, _)) => Err(BadRow { table: table.name, column: column.name, problem: "it is of another kind" }),
            None => Ok(reader),
        }
    }

    /// The row as it stands.
    pub fn row(&self) -> Row {
        self.row.to_vec()
    }

    /// An error about the column that was read last.
    pub fn bad(&self, problem: &'static str) -> BadRow {
        let column = self.table.columns.get(self.next.saturating_sub(1)).map_or("", |column| column.name);
        BadRow { table: self.table.name, column, problem }
    }

    /// The next cell as it is.
    pub fn cell(&mut self) -> &'a Cell {
        let cell = self.row.get(self.next).unwrap_or(&Cell::Null);
        self.next += 1;
        cell
    }

    /// Leaves the next column out.
    pub fn pass(&mut self) {
        self.next += 1;
    }

    fn required<T>(&self, value: Option<T>) -> Result<T, BadRow> {
        value.ok_or_else(|| self.bad("there is nothing"))
    }

    /// A number, where there is one.
    ///
    /// # Errors
    ///
    /// When it is none, or does not fit.
    pub fn int_or_none<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, BadRow> {
        match self.cell() {
            Cell::Null => Ok(None),
            Cell::Int(number) => T::try_from(*number).map(Some).map_err(|_| self.bad("the number is out of range")),
            Cell::Text(_) | Cell::Bytes(_) => Err(self.bad("expected a number")),
        }
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// When it is none, or does not fit.
    pub fn int<T: TryFrom<i64>>(&mut self) -> Result<T, BadRow> {
        let number = self.int_or_none()?;
        self.required(number)
    }

    /// A truth.
    ///
    /// # Errors
    ///
    /// When it is neither 0 nor 1.
    pub fn flag(&mut self) -> Result<bool, BadRow> {
        match self.int::<i64>()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.bad("expected 0 or 1")),
        }
    }

    /// A time, where there is one.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn time_or_none(&mut self) -> Result<Option<Timestamp>, BadRow> {
        Ok(self.int_or_none()?.map(Timestamp::from_millis))
    }

    /// A time.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn time(&mut self) -> Result<Timestamp, BadRow> {
        self.int().map(Timestamp::from_millis)
    }

    /// A text, where there is one.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn text_or_none(&mut self) -> Result<Option<&'a str>, BadRow> {
        match self.cell() {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            Cell::Int(_) | Cell::Bytes(_) => Err(self.bad("expected a text")),
        }
    }

    /// A text.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn text(&mut self) -> Result<&'a str, BadRow> {
        let text = self.text_or_none()?;
        self.required(text)
    }

    /// Bytes, where there are any.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn bytes_or_none(&mut self) -> Result<Option<&'a [u8]>, BadRow> {
        match self.cell() {
            Cell::Null => Ok(None),
            Cell::Bytes(bytes) => Ok(Some(bytes)),
            Cell::Int(_) | Cell::Text(_) => Err(self.bad("expected bytes")),
        }
    }

    /// Bytes.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn bytes(&mut self) -> Result<&'a [u8], BadRow> {
        let bytes = self.bytes_or_none()?;
        self.required(bytes)
    }

    /// So many bytes, where there are any.
    ///
    /// # Errors
    ///
    /// When they are more or fewer.
    pub fn array_or_none<const N: usize>(&mut self) -> Result<Option<[u8; N]>, BadRow> {
        let Some(bytes) = self.bytes_or_none()? else { return Ok(None) };
        bytes.try_into().map(Some).map_err(|_| self.bad("there are more bytes or fewer"))
    }

    /// So many bytes.
    ///
    /// # Errors
    ///
    /// When they are more or fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], BadRow> {
        let bytes = self.array_or_none()?;
        self.required(bytes)
    }

    /// An id, where there is one.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn id_or_none<T: Id>(&mut self) -> Result<Option<T>, BadRow> {
        Ok(self.array_or_none()?.map(T::from_id_bytes))
    }

    /// An id.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn id<T: Id>(&mut self) -> Result<T, BadRow> {
        self.array().map(T::from_id_bytes)
    }

    /// A word or a name, where there is one.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn word_or_none<T: FromStr>(&mut self) -> Result<Option<T>, BadRow> {
        let Some(text) = self.text_or_none()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.bad("no such word"))
    }

    /// A word or a name.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn word<T: FromStr>(&mut self) -> Result<T, BadRow> {
        let word = self.word_or_none()?;
        self.required(word)
    }

    /// A plain enum that serde knows by one word, where there is one.
    ///
    /// # Errors
    ///
    /// When it is no such word.
    pub fn plain_or_none<T: DeserializeOwned>(&mut self) -> Result<Option<T>, BadRow> {
        let Some(word) = self.text_or_none()? else { return Ok(None) };
        let named: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = serde::de::IntoDeserializer::into_deserializer(word);
        T::deserialize(named).map(Some).map_err(|_| self.bad("no such word"))
    }

    /// A plain enum that serde knows by one word.
    ///
    /// # Errors
    ///
    /// When it is no such word.
    pub fn plain<T: DeserializeOwned>(&mut self) -> Result<T, BadRow> {
        let plain = self.plain_or_none()?;
        self.required(plain)
    }

    /// A value kept as JSON, where there is one.
    ///
    /// # Errors
    ///
    /// When it is no JSON, or JSON of another shape.
    pub fn json_or_none<T: DeserializeOwned>(&mut self) -> Result<Option<T>, BadRow> {
        let text = self.text_or_none()?;
        text.map(|text| self.json_of(text)).transpose()
    }

    /// The value of the JSON text that was read last.
    ///
    /// # Errors
    ///
    /// When it is no JSON, or JSON of another shape.
    pub fn json_of<T: DeserializeOwned>(&self, text: &str) -> Result<T, BadRow> {
        serde_json::from_str(text).map_err(|error| self.bad(category(&error)))
    }

    /// A value kept as JSON.
    ///
    /// # Errors
    ///
    /// When it is no JSON, or JSON of another shape.
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T, BadRow> {
        let value = self.json_or_none()?;
        self.required(value)
    }

    /// A sealed value, where there is one.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn sealed_or_none(&mut self) -> Result<Option<Sealed>, BadRow> {
        let Some(bytes) = self.bytes_or_none()? else { return Ok(None) };
        Sealed::from_bytes(bytes).map(Some).map_err(|_| self.bad("expected a sealed value"))
    }

    /// A sealed value.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn sealed(&mut self) -> Result<Sealed, BadRow> {
        let sealed = self.sealed_or_none()?;
        self.required(sealed)
    }
}

/// What is wrong with a JSON text; more could quote what it says.
fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io | serde_json::error::Category::Syntax | serde_json::error::Category::Eof => "no JSON",
        serde_json::error::Category::Data => "JSON of another shape",
    }
}
