//! The rows of a SQLite file as they are copied to PostgreSQL: all of one moment, in PostgreSQL's binary form of COPY.

use std::path::Path;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::deserialize::{self, QueryableByName};
use diesel::prelude::*;
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::{Sqlite, SqliteType};

use super::{connection, contents, moved, open};
use crate::copy::{CopyError, Copying, Table};
use crate::error::Failure;
use crate::open_error::OpenError;

/// How much is handed on in one go, in bytes.
const PIECE: usize = 128 * 1024;

/// What stands before the first row: the signature, and that there are neither flags nor extensions.
const HEAD: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What stands after the last row: a count of fields that none has.
const TAIL: [u8; 2] = (-1_i16).to_be_bytes();

/// A file in a transaction of its own.
pub(crate) struct Source {
    connection: SqliteConnection,
}

/// A row with its number of fields, and each field with its length; none has the length -1.
struct Encoded(Vec<u8>);

impl QueryableByName<Sqlite> for Encoded {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let mut bytes = i16::try_from(row.field_count())?.to_be_bytes().to_vec();
        for place in 0..row.field_count() {
            let field = Row::get(row, place).ok_or("a column is missing")?;
            let Some(mut value) = field.value() else {
                bytes.extend((-1_i32).to_be_bytes());
                continue;
            };
            match value.value_type() {
                // Text as it is, too: what is no UTF-8 is for PostgreSQL to refuse, not to be mended here.
                Some(SqliteType::Text | SqliteType::Binary) => put(&mut bytes, value.read_blob())?,
                Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
                    put(&mut bytes, &value.read_long().to_be_bytes())?;
                }
                other => return Err(format!("a column holds {other:?}").into()),
            }
        }
        Ok(Self(bytes))
    }
}

fn put(bytes: &mut Vec<u8>, value: &[u8]) -> deserialize::Result<()> {
    bytes.extend(i32::try_from(value.len())?.to_be_bytes());
    bytes.extend(value);
    Ok(())
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    /// Its place in the primary key, from 1; 0 where it is not in it.
    #[diesel(sql_type = BigInt)]
    pk: i64,
}

impl Source {
    /// Begins to read. For good, nobody else writes from now on; for a rehearsal, others go on and are not seen.
    pub(crate) fn open(path: &Path, copying: Copying) -> Result<Self, CopyError> {
        let refused =
            |error: diesel::ConnectionError| OpenError::Connect { path: path.into(), reason: error.to_string() };
        let mut connection = connection::patient(path, open::PATIENCE).map_err(refused)?;
        let begin = match copying {
            Copying::ForGood => "BEGIN IMMEDIATE",
            Copying::Rehearsal => "BEGIN",
        };
        connection.batch_execute(begin).map_err(OpenError::from)?;
        Ok(Self { connection })
    }

    /// A table's columns and key.
    pub(crate) fn table(&mut self, name: &'static str) -> Result<Table, CopyError> {
        let columns = format!("SELECT name, pk FROM pragma_table_info('{name}') ORDER BY cid");
        let columns: Vec<Column> =
            sql_query(columns).load(&mut self.connection).map_err(|error| refused(name, error))?;
        let mut key: Vec<&Column> = columns.iter().filter(|column| column.pk > 0).collect();
        key.sort_by_key(|column| column.pk);
        let names = |columns: &mut dyn Iterator<Item = &Column>| columns.map(|column| column.name.clone()).collect();
        Ok(Table { name, key: names(&mut key.into_iter()), columns: names(&mut columns.iter()) })
    }

    /// How many rows a table has.
    pub(crate) fn count(&mut self, table: &Table) -> Result<u64, CopyError> {
        let rows = contents::rows(&mut self.connection, table.name).map_err(|error| refused(table.name, error))?;
        Ok(rows.unsigned_abs())
    }

    /// Hands on all rows of a table in pieces, each with the number of rows so far; says how many there were.
    pub(crate) fn read(
        &mut self,
        table: &Table,
        take: &mut dyn FnMut(u64, Vec<u8>) -> Result<(), CopyError>,
    ) -> Result<u64, CopyError> {
        let refused = |error| refused(table.name, error);
        let select = sql_query(table.select());
        let rows = select.load_iter::<Encoded, DefaultLoadingMode>(&mut self.connection).map_err(refused)?;
        let (mut piece, mut number) = (HEAD.to_vec(), 0);
        for row in rows {
            piece.extend(row.map_err(refused)?.0);
            number += 1;
            if piece.len() >= PIECE {
                take(number, std::mem::take(&mut piece))?;
            }
        }
        piece.extend(TAIL);
        take(number, piece)?;
        Ok(number)
    }

    /// Makes ready to take no more writes.
    pub(crate) fn close(&mut self) -> Result<(), CopyError> {
        moved::close(&mut self.connection).map_err(|error| CopyError::Open(error.into()))
    }

    /// Takes no more writes: whoever waited to write is refused.
    pub(crate) fn keep_closed(mut self) -> Result<(), CopyError> {
        self.connection.batch_execute("COMMIT").map_err(|error| CopyError::NotClosed(error.to_string()))
    }
}

fn refused(table: &'static str, error: diesel::result::Error) -> CopyError {
    CopyError::Source(table, Failure::from(error).into())
}
