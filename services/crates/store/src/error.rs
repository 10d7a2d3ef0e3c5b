//! Errors of opening and writing a store.

use std::{error::Error, path::PathBuf};

use sqlx::error::DatabaseError;

/// A store that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address names no database this build has.
    #[error("store address {url:?}: expected sqlite:PATH or postgres://USER@HOST/DATABASE")]
    Address {
        /// The address as configured, without what may be a password.
        url: String,
    },
    /// Another process has the store open, and one of the two wants it for itself.
    #[error("store {store} is in use by {holder}: end that first")]
    InUse {
        /// The file, or the server and database.
        store: String,
        /// The process that has it, as it named itself.
        holder: String,
    },
    /// The address has a password among its parameters.
    #[error("store address {url:?}: put the password into a file of its own and name it as password_file")]
    PasswordInAddress {
        /// The address as configured, without what may be a password.
        url: String,
    },
    /// Others could read what passes between the service and the database.
    #[error(
        "store address {url:?}: a database on another machine needs sslmode=verify-full (and sslrootcert=FILE for an \
         authority of your own)"
    )]
    ClearText {
        /// The address as configured, without what may be a password.
        url: String,
    },
    /// The file or the lock beside it could not be opened.
    #[error("store {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A migration failed, or was changed after it had been applied.
    #[error("the store's tables are not those of this version, and were not changed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A migration is not written in the SQL that is rendered for both databases.
    #[error("migration {version} {name}: {source}")]
    Dialect {
        /// Its version.
        version: i64,
        /// Its name.
        name: &'static str,
        /// The fault in its text.
        source: crate::DialectError,
    },
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
    /// The store's row does not read back.
    #[error("the store's identity is damaged: {0}")]
    Identity(#[from] rovuma_schemas::BadId),
}

/// A write that did not take effect.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The job itself returned an error; only its own work was rolled back.
    #[error(transparent)]
    Job(E),
    /// The disk is full. Nothing was written, and nothing was lost.
    #[error("the store's disk is full")]
    Full,
    /// Another connection locked the database for longer than a writer waits.
    #[error("the store is busy")]
    Busy,
    /// The database server does not answer. If it went away during the commit, the write may have taken effect: a caller
    /// that tries again must be prepared for that.
    #[error("the store's database does not answer")]
    Unreachable,
    /// The store was closed before the job was done.
    #[error("the store is closed")]
    Closed,
    /// The job panicked, and its work was rolled back. The panic's message stays out of errors and logs, for it may quote
    /// what was being written.
    #[error("the write panicked and was rolled back")]
    Panicked,
    /// The commit failed for another reason.
    #[error("writing to the store: {0}")]
    Database(String),
}

impl<E> WriteError<E> {
    /// Whether the same write may succeed later without a change. A job that panicked would panic again. For
    /// [`WriteError::Job`] this is `false`, though only the job's owner can judge its error.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Job(_) | Self::Panicked => false,
            Self::Full | Self::Busy | Self::Unreachable | Self::Closed | Self::Database(_) => true,
        }
    }

    /// The same error with the job's own error converted.
    pub fn map_job<F>(self, translate: impl FnOnce(E) -> F) -> WriteError<F> {
        match self {
            Self::Job(fault) => WriteError::Job(translate(fault)),
            Self::Full => WriteError::Full,
            Self::Busy => WriteError::Busy,
            Self::Unreachable => WriteError::Unreachable,
            Self::Closed => WriteError::Closed,
            Self::Panicked => WriteError::Panicked,
            Self::Database(fault) => WriteError::Database(fault),
        }
    }
}

/// Whether the same query may succeed later without a change, although it failed with `fault` now.
pub fn is_transient(fault: &sqlx::Error) -> bool {
    match fault {
        // A constraint that does not hold now will not hold later, and PostgreSQL never takes a value that it cannot store.
        sqlx::Error::Database(fault) => {
            matches!(fault.kind(), sqlx::error::ErrorKind::Other) && !is_unstorable(fault.as_ref())
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => false,
        _ => true,
    }
}

/// Whether PostgreSQL refused a value that its column cannot hold, such as a text with U+0000.
fn is_unstorable(fault: &dyn DatabaseError) -> bool {
    let is_postgres = fault.as_error().is::<sqlx::postgres::PgDatabaseError>();
    is_postgres && fault.code().is_some_and(|code| is_data_exception(&code))
}

/// Whether a SQLSTATE is of class 22, data exception (PostgreSQL documentation, appendix A).
fn is_data_exception(code: &str) -> bool {
    code.starts_with("22")
}

/// The failure of a whole group of jobs.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    Full,
    Busy,
    Unreachable,
    Database(String),
}

impl Failure {
    /// The store's failure among the causes of `fault`; none when the fault is the job's own.
    pub(crate) fn among_causes_of(fault: &(dyn Error + 'static)) -> Option<Self> {
        let mut chain = Some(fault);
        while let Some(link) = chain {
            if let Some(failure) = Self::in_link(link) {
                return failure;
            }
            chain = link.source();
        }
        None
    }

    /// Examines one link of a chain of causes. `None`: it is not a database error. `Some(None)`: it is one, of the job's
    /// making. A transparent error leads to the database's own error, any other to sqlx's wrapping of it.
    fn in_link(link: &(dyn Error + 'static)) -> Option<Option<Self>> {
        if let Some(fault) = link.downcast_ref::<Box<dyn DatabaseError>>() {
            return Some(Self::in_database(fault.as_ref()));
        }
        match link.downcast_ref::<sqlx::Error>()? {
            sqlx::Error::Database(fault) => Some(Self::in_database(fault.as_ref())),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Some(Some(Self::Unreachable)),
            _ => None,
        }
    }

    fn in_database(fault: &dyn DatabaseError) -> Option<Self> {
        let code = fault.code()?;
        if fault.as_error().is::<sqlx::postgres::PgDatabaseError>() {
            return postgres_failure(&code);
        }
        match code.parse::<i64>().ok()? & 0xff {
            SQLITE_FULL => Some(Self::Full),
            SQLITE_BUSY | SQLITE_LOCKED => Some(Self::Busy),
            _ => None,
        }
    }

    pub(crate) fn of(fault: &sqlx::Error) -> Self {
        Self::among_causes_of(fault).unwrap_or_else(|| Self::Database(fault.to_string()))
    }
}

impl<E> From<Failure> for WriteError<E> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full => Self::Full,
            Failure::Busy => Self::Busy,
            Failure::Unreachable => Self::Unreachable,
            Failure::Database(fault) => Self::Database(fault),
        }
    }
}

// Primary result codes, <https://www.sqlite.org/rescode.html>.
const SQLITE_BUSY: i64 = 5;
const SQLITE_LOCKED: i64 = 6;
const SQLITE_FULL: i64 = 13;

/// The failures of the store among SQLSTATE codes and classes (PostgreSQL documentation, appendix A).
fn postgres_failure(code: &str) -> Option<Failure> {
    match code {
        // Disk full.
        "53100" => Some(Failure::Full),
        // Serialization failure, deadlock, lock not available in time.
        "40001" | "40P01" | "55P03" => Some(Failure::Busy),
        // Too little memory or too many connections; shut down, crashed, starting; a standby, which only reads; idle for
        // too long in a transaction.
        "53200" | "53300" | "57P01" | "57P02" | "57P03" | "25006" | "25P03" => Some(Failure::Unreachable),
        _ if code.starts_with("08") => Some(Failure::Unreachable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_the_server_are_told_apart() {
        let said = |code| postgres_failure(code);
        assert!(matches!(said("53100"), Some(Failure::Full)));
        assert!(matches!(said("40P01"), Some(Failure::Busy)));
        assert!(matches!(said("57P01"), Some(Failure::Unreachable)));
        assert!(matches!(said("08006"), Some(Failure::Unreachable)));
        assert!(said("23505").is_none(), "a violated constraint is the job's own");
    }

    #[test]
    fn a_data_exception_is_permanent() {
        assert!(is_data_exception("22021"), "a text with U+0000");
        assert!(is_data_exception("22003"), "a number out of range");
        for transient in ["40001", "53100", "57P01", "08006", "42P01", "23505"] {
            assert!(!is_data_exception(transient), "{transient}");
        }
    }

    #[test]
    fn a_lost_connection_is_found_among_the_causes_of_a_jobs_error() {
        #[derive(Debug, thiserror::Error)]
        #[error("a job's own words")]
        struct Wrapped(#[source] sqlx::Error);
        let lost = Wrapped(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()));
        assert!(matches!(Failure::among_causes_of(&lost), Some(Failure::Unreachable)));
        assert!(Failure::among_causes_of(&Wrapped(sqlx::Error::RowNotFound)).is_none());
    }
}
