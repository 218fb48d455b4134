//! Why a database cannot be opened, and what mends it.

use std::path::PathBuf;

use grantor_core::store::StoreError;
use grantor_jose::seal::SealError;

use crate::error::{Failure, is_locked};

/// Why the database cannot be opened, and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL of a PostgreSQL database is not one.
    #[error("it is no address: {0}; write `postgres://USER:PASSWORD@HOST:PORT/DATABASE`")]
    Address(String),
    /// The file of authorities for the database's certificate cannot be used.
    #[error(
        "the authorities in {path} cannot be used: {reason}; let database_ca_file name a file of certificates in PEM"
    )]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// SQLite does not open the file.
    #[error(
        "{path} cannot be opened as a database: {reason}; name a file that Grantor made, or one that is not there yet"
    )]
    Connect {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The system refuses the file or its folder.
    #[error(
        "{path}: {source}; the folder must be there or possible to make, and this user must be able to write to it"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process holds it.
    #[error("another process has held the database for a minute; end it, or wait until it is done")]
    Locked,
    /// A change of layout failed.
    #[error("the database's layout could not be changed, and is as it was: {0}; mend what it names, and start again")]
    Migration(String),
    /// Its rows are somewhere else now.
    #[error(
        "this database has moved to PostgreSQL and takes no more writes; set database_url to where it is now, or go back to this one with `grantor migrate --reopen`"
    )]
    Moved,
    /// A later version has changed it.
    #[error(
        "the database has layout {version}, which this version of Grantor does not know; start the version that was used last, or a newer one"
    )]
    Newer {
        /// The layout that is not known.
        version: String,
    },
    /// What it holds cannot be read.
    #[error("the database cannot be used: {0}; restore it from a backup")]
    Store(#[from] StoreError),
    /// The system gives no thread.
    #[error("no thread for the database: {0}")]
    Thread(std::io::Error),
    /// The database does not answer, or does not let us in.
    #[error("the database cannot be reached: {0}; check its address, and that PostgreSQL runs and lets this user in")]
    Unreachable(String),
    /// Not a URL that we know.
    #[error(
        "\"{0}:\" is no database; write `sqlite:PATH`, as in `sqlite:grantor.db`, or `postgres://USER@HOST/DATABASE`"
    )]
    Url(String),
    /// Sealed with another key.
    #[error(
        "the keys in the database were sealed with another key-encryption key; set `key_encryption_key` or `key_encryption_key_file` to the one it was made with"
    )]
    WrongKey,
}

impl From<diesel::result::Error> for OpenError {
    fn from(error: diesel::result::Error) -> Self {
        if is_locked(&error) { Self::Locked } else { Self::Migration(error.to_string()) }
    }
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sealed { source: SealError::WrongKey, .. } => Self::WrongKey,
            Failure::Database(error) => error.into(),
            other => Self::Store(other.into()),
        }
    }
}
