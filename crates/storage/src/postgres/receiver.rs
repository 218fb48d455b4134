//! An empty PostgreSQL database that receives all rows of another one, in one transaction.

use std::io::Cursor;
use std::pin::Pin;

use futures_util::{SinkExt, TryStreamExt};
use grantor_jose::hash::Sha256;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::{Client, CopyInSink, Error};

use super::address::Address;
use super::{PATIENCE, migrate, open};
use crate::copy::{CopyError, Table};
use crate::database::DatabaseSettings;
use crate::events;
use crate::open_error::OpenError;
use crate::schema::TABLES;

/// The tables in which an empty database has a row, made by the migrations or by the first opening: it gives way to the one
/// that is received.
const MADE: [&str; 2] = ["directory_revision", "root_secret"];

/// What holds for the connection: the work may take long, and somebody else who is at it is not waited for for long.
const SETTINGS: &str = "
    SET statement_timeout = 0;
    SET idle_in_transaction_session_timeout = 0;
    SET lock_timeout = '10s';
    SET synchronous_commit = on;";

/// A server that is started meanwhile waits for the root secret. The trigger would give each refusal another slot.
const BEGIN: &str = "
    BEGIN;
    LOCK TABLE root_secret IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE refusals DISABLE TRIGGER next_refusal;";

const SETTLE: &str = "
    ALTER TABLE refusals ENABLE TRIGGER next_refusal;
    ANALYZE;";

/// What drops each reference between tables, and what makes it again. Rows that are checked all together take a small part of
/// the time that each of them would take.
const REFERENCES: &str = "
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE contype = 'f'";

/// The transaction. Where the value goes without `keep`, nothing was received.
pub(crate) struct Receiver<'a> {
    runtime: &'a Runtime,
    client: Client,
    /// What makes the references between tables again, and of which table each is.
    references: Vec<(&'static str, String)>,
}

/// One table on its way.
pub(crate) struct Receiving<'a> {
    runtime: &'a Runtime,
    table: &'static str,
    sink: Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>,
}

impl<'a> Receiver<'a> {
    /// Opens the database, makes its layout, and begins. One that holds rows is not touched.
    pub(crate) fn open(runtime: &'a Runtime, settings: &DatabaseSettings) -> Result<Self, CopyError> {
        let address = Address::parse(&settings.url, settings.certificates.as_deref())?;
        let client = runtime.block_on(connect(&address))?;
        let mut receiver = Self { runtime, client, references: Vec::new() };
        receiver.check_empty()?;
        migrate::migrate(runtime.block_on(open::connect(&address))?.connection)?;
        receiver.run("root_secret", &format!("{SETTINGS}{BEGIN}"))?;
        receiver.check_empty()?;
        receiver.run("root_secret", &MADE.map(|table| format!("DELETE FROM {table};")).concat())?;
        receiver.drop_references()?;
        Ok(receiver)
    }

    fn drop_references(&mut self) -> Result<(), CopyError> {
        for table in TABLES {
            let of = format!("{REFERENCES} AND conrelid = '{table}'::regclass");
            let found = self.runtime.block_on(self.client.query(&of, &[]));
            for row in found.map_err(|error| refused(table, &error))? {
                let (drop, make): (String, String) = row
                    .try_get(0)
                    .and_then(|drop| Ok((drop, row.try_get(1)?)))
                    .map_err(|error| refused(table, &error))?;
                self.run(table, &drop)?;
                self.references.push((table, make));
            }
        }
        Ok(())
    }

    fn check_empty(&self) -> Result<(), CopyError> {
        for table in TABLES.iter().filter(|table| !MADE.contains(table)) {
            let is_there = format!("SELECT to_regclass('{table}') IS NOT NULL");
            if self.ask(table, &is_there)? && self.ask(table, &format!("SELECT EXISTS (SELECT FROM {table})"))? {
                return Err(CopyError::Filled(table));
            }
        }
        Ok(())
    }

    fn ask(&self, table: &'static str, question: &str) -> Result<bool, CopyError> {
        let row = self.runtime.block_on(self.client.query_one(question, &[]));
        row.and_then(|row| row.try_get(0)).map_err(|error| refused(table, &error))
    }

    fn run(&self, table: &'static str, statements: &str) -> Result<(), CopyError> {
        self.runtime.block_on(self.client.batch_execute(statements)).map_err(|error| refused(table, &error))
    }

    /// Begins to receive a table.
    pub(crate) fn receive(&mut self, table: &Table) -> Result<Receiving<'a>, CopyError> {
        let sink = self.runtime.block_on(self.client.copy_in(&table.copy_in()));
        let sink = Box::pin(sink.map_err(|error| refused(table.name, &error))?);
        Ok(Receiving { runtime: self.runtime, table: table.name, sink })
    }

    /// Puts right what does not follow from the rows by itself.
    pub(crate) fn settle(&self) -> Result<(), CopyError> {
        for (table, make) in &self.references {
            self.run(table, make)?;
        }
        self.run("refusals", &(events::resume_rings() + SETTLE))
    }

    /// How many rows a table has, and SHA-256 over them as they are kept.
    pub(crate) fn read_back(&self, table: &Table) -> Result<(u64, [u8; 32]), CopyError> {
        let read = async {
            let count = self.client.query_one(&format!("SELECT count(*) FROM {}", table.name), &[]).await?;
            let rows: i64 = count.try_get(0)?;
            let mut pieces = Box::pin(self.client.copy_out(&table.copy_out()).await?);
            let mut hash = Sha256::new();
            while let Some(piece) = pieces.try_next().await? {
                hash.update(&piece);
            }
            Ok((rows.unsigned_abs(), hash.finish()))
        };
        self.runtime.block_on(read).map_err(|error: Error| refused(table.name, &error))
    }

    /// Keeps what was received. It is on the disk then.
    pub(crate) fn keep(self) -> Result<(), CopyError> {
        let kept = self.runtime.block_on(self.client.batch_execute("COMMIT"));
        kept.map_err(|error| CopyError::Unknown(open::in_full(&error)))
    }
}

impl Receiving<'_> {
    /// Receives a piece.
    pub(crate) fn take(&mut self, piece: Vec<u8>) -> Result<(), CopyError> {
        match self.runtime.block_on(self.sink.send(Cursor::new(piece))) {
            Ok(()) => Ok(()),
            // Why it takes no more is what it says in the end.
            Err(error) => Err(self.runtime.block_on(self.sink.as_mut().finish()).err().unwrap_or(error)),
        }
        .map_err(|error| refused(self.table, &error))
    }

    /// The table is whole.
    pub(crate) fn finish(mut self) -> Result<(), CopyError> {
        let finished = self.runtime.block_on(self.sink.as_mut().finish());
        finished.map(drop).map_err(|error| refused(self.table, &error))
    }
}

async fn connect(address: &Address) -> Result<Client, OpenError> {
    let connected = timeout(PATIENCE, address.config.connect(address.tls.clone())).await;
    let connected = connected.map_err(|_| OpenError::Unreachable(format!("no answer within {PATIENCE:?}")))?;
    let (client, driver) = connected.map_err(|error| OpenError::Unreachable(open::in_full(&error)))?;
    // Whatever it ends with is told to whoever asks then.
    tokio::spawn(async move { drop(driver.await) });
    Ok(client)
}

fn refused(table: &'static str, error: &Error) -> CopyError {
    CopyError::Target(table, error.as_db_error().map_or_else(|| open::in_full(error), |said| said.message().to_owned()))
}
