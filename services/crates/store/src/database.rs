//! The database that holds a store, and what differs between SQLite and PostgreSQL.

use std::time::Instant;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::{
    Conn, OpenError, Readers, StoreConfig,
    migrate::Dialect,
    postgres::Server,
    sharing::{OPEN_PATIENCE, OPEN_POLL, Sharing},
    sqlite::LockedFile,
};

/// The database of a store, locked for this process for as long as the value lives.
#[derive(Debug)]
pub(crate) enum Database {
    /// A file.
    Sqlite(LockedFile),
    /// A database of a PostgreSQL server.
    Postgres(Server),
}

impl Database {
    /// The database at the configured address. A file is locked; a process that has it gets a moment to let go.
    pub(crate) async fn take(config: &StoreConfig, sharing: Sharing) -> Result<Self, OpenError> {
        if Server::is_address(&config.url) {
            return Server::at(config, sharing).map(Self::Postgres);
        }
        let started = Instant::now();
        loop {
            match LockedFile::take(&config.url) {
                Err(OpenError::InUse { .. }) if started.elapsed() < OPEN_PATIENCE => {
                    tokio::time::sleep(OPEN_POLL).await;
                }
                locked => return locked.map(Self::Sqlite),
            }
        }
    }

    /// Refuses an address that [`Self::take`] would refuse.
    pub(crate) fn check(config: &StoreConfig) -> Result<(), OpenError> {
        if Server::is_address(&config.url) {
            return Server::at(config, Sharing::Alone).map(drop);
        }
        LockedFile::check(&config.url)
    }

    /// A connection that writes. On a server it holds the lock of a process that has the store open.
    pub(crate) async fn writer(&self) -> Result<Conn, OpenError> {
        match self {
            Self::Sqlite(file) => file.writer().await,
            Self::Postgres(server) => server.writer().await,
        }
    }

    /// The pool of connections that read; they refuse to change anything.
    pub(crate) fn readers(&self, count: u32) -> Result<Readers, OpenError> {
        match self {
            Self::Sqlite(file) => file.readers(count),
            Self::Postgres(server) => server.readers(count),
        }
    }

    /// The SQL that begins, commits and rolls back a transaction and its jobs.
    pub(crate) fn transaction_sql(&self) -> TransactionSql {
        match self {
            Self::Sqlite(_) => TransactionSql::new("BEGIN IMMEDIATE", "COMMIT"),
            Self::Postgres(server) => TransactionSql::new(server.begin(), server.commit()),
        }
    }

    /// The SQL dialect of this database's migrations.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Whether a connection may be lost while the store is open.
    pub(crate) fn may_disconnect(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Whether no other process can be writing the store.
    pub(crate) fn is_exclusive(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(server) => server.is_exclusive(),
        }
    }

    /// Whether a file is still the one that was opened; true for a server.
    pub(crate) fn file_is_in_place(&self) -> bool {
        match self {
            Self::Sqlite(file) => file.is_in_place(),
            Self::Postgres(_) => true,
        }
    }

    /// The server; none for a file.
    pub(crate) fn server(&self) -> Option<&Server> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(server) => Some(server),
        }
    }
}

/// The SQL that begins, commits and rolls back a transaction and its jobs. From a job's first statement on there is an
/// open savepoint, `job`. Statements that belong together go to the database in one text: on a server each text is a round
/// trip, which costs more than most statements.
#[derive(Clone, Debug)]
pub(crate) struct TransactionSql {
    pub(crate) begin: SqlStr,
    /// Keeps the work of the job before, and opens the next job's savepoint.
    pub(crate) keep_job: SqlStr,
    /// Rolls back the work of the job before. Rolling back to a savepoint leaves it open, for the next job.
    pub(crate) roll_back_job: SqlStr,
    pub(crate) commit: SqlStr,
    pub(crate) rollback: SqlStr,
}

impl TransactionSql {
    fn new(begin: impl Into<String>, commit: impl Into<String>) -> Self {
        let (begin, commit) = (begin.into(), commit.into());
        // Both texts are made of constants and of this process's own id: no value from outside comes into them.
        let text = |text: String| AssertSqlSafe(text).into_sql_str();
        Self {
            begin: text(format!("{begin}; SAVEPOINT job")),
            keep_job: "RELEASE SAVEPOINT job; SAVEPOINT job".into_sql_str(),
            roll_back_job: "ROLLBACK TO SAVEPOINT job".into_sql_str(),
            commit: text(commit),
            rollback: "ROLLBACK".into_sql_str(),
        }
    }
}
