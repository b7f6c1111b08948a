//! Value: a cell as what a statement is given.

use std::borrow::Cow;

use bytes::BytesMut;
use gatepost_rows::cells::Cell;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// A cell on its way into a statement.
#[derive(Debug)]
pub(crate) struct Value(pub(crate) Cell);

impl Value {
    /// Cells as a statement's values.
    pub(crate) fn of<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Vec<Self> {
        cells.into_iter().cloned().map(Self).collect()
    }

    /// Values as a statement's parameters.
    pub(crate) fn params(values: &[Self]) -> Vec<&(dyn ToSql + Sync)> {
        values.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect()
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match &self.0 {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Int(number) => number.to_sql(kind, out),
            Cell::Text(text) => without_nul(text).to_sql(kind, out),
            Cell::Bytes(bytes) => bytes.as_slice().to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

/// A text as Postgres takes it: the one character that it does not know is told as unknown.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}
