//! Why a store could not be opened or written.

use std::{error::Error, path::PathBuf};

use sqlx::error::DatabaseError;

/// A store that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address names no database this build has.
    #[error("store address {url:?}: expected sqlite:PATH")]
    Address {
        /// The address as configured, without what may be a password.
        url: String,
    },
    /// Another process has the store open for writing.
    #[error("store {path} is in use by process {holder}: one writer at a time")]
    InUse {
        /// The database file.
        path: PathBuf,
        /// The process that holds it, as it said.
        holder: String,
    },
    /// The file or the lock beside it could not be opened.
    #[error("store {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Two migrations claim one version, or one was changed after it had been applied.
    #[error("migrating the store: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Two sets of migrations claim the same version.
    #[error("two migrations claim version {version}: {first} and {second}")]
    VersionTaken {
        /// The version.
        version: i64,
        /// The name of the one.
        first: &'static str,
        /// The name of the other.
        second: &'static str,
    },
    /// The database answered with an error.
    #[error("opening the store: {0}")]
    Database(#[from] sqlx::Error),
    /// The row that names the store is not what this build wrote.
    #[error("the store's identity is damaged: {0}")]
    Identity(#[from] rovuma_schemas::BadId),
}

/// A write that did not take effect.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The job itself said no; only its own work was taken back.
    #[error(transparent)]
    Job(E),
    /// There is no room left on the disk: nothing was written, nothing was lost.
    #[error("the store's disk is full")]
    Full,
    /// The database was locked by somebody else for longer than a writer waits.
    #[error("the store is busy")]
    Busy,
    /// The store was closed before the job was done.
    #[error("the store is closed")]
    Closed,
    /// The job panicked: its work was taken back. What it panicked with stays out of errors and logs, for
    /// it may quote what was being written.
    #[error("the write panicked and was taken back")]
    Panicked,
    /// The commit failed.
    #[error("writing to the store: {0}")]
    Database(String),
}

impl<E> WriteError<E> {
    /// Whether the same write may succeed later without a change. One that panicked panics again. Says
    /// nothing about [`WriteError::Job`], which only the job's owner can judge.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Job(_) | Self::Panicked => false,
            Self::Full | Self::Busy | Self::Closed | Self::Database(_) => true,
        }
    }

    /// The same error with the job's part translated.
    pub fn map_job<F>(self, translate: impl FnOnce(E) -> F) -> WriteError<F> {
        match self {
            Self::Job(fault) => WriteError::Job(translate(fault)),
            Self::Full => WriteError::Full,
            Self::Busy => WriteError::Busy,
            Self::Closed => WriteError::Closed,
            Self::Panicked => WriteError::Panicked,
            Self::Database(fault) => WriteError::Database(fault),
        }
    }
}

/// Why a whole group of jobs did not take effect.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    Full,
    Busy,
    Database(String),
}

impl Failure {
    /// What lies at the bottom of `fault`, where it is the store's own trouble rather than the job's.
    pub(crate) fn beneath(fault: &(dyn Error + 'static)) -> Option<Self> {
        let mut chain = Some(fault);
        let code = loop {
            let link = chain?;
            if let Some(code) = sqlite_code(link) {
                break code;
            }
            chain = link.source();
        };
        match code & 0xff {
            SQLITE_FULL => Some(Self::Full),
            SQLITE_BUSY | SQLITE_LOCKED => Some(Self::Busy),
            _ => None,
        }
    }

    pub(crate) fn of(fault: &sqlx::Error) -> Self {
        Self::beneath(fault).unwrap_or_else(|| Self::Database(fault.to_string()))
    }
}

impl<E> From<Failure> for WriteError<E> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full => Self::Full,
            Failure::Busy => Self::Busy,
            Failure::Database(fault) => Self::Database(fault),
        }
    }
}

// Primary result codes, <https://www.sqlite.org/rescode.html>.
const SQLITE_BUSY: i64 = 5;
const SQLITE_LOCKED: i64 = 6;
const SQLITE_FULL: i64 = 13;

/// The extended result code, when `fault` is the database's own error or sqlx's wrapping of it. A
/// transparent error leads to the former, any other to the latter.
fn sqlite_code(fault: &(dyn Error + 'static)) -> Option<i64> {
    let direct = fault.downcast_ref::<Box<dyn DatabaseError>>().and_then(|fault| fault.code());
    let wrapped = || fault.downcast_ref::<sqlx::Error>()?.as_database_error()?.code();
    direct.or_else(wrapped)?.parse().ok()
}
