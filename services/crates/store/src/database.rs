//! Which database holds the store, and what is different between them.

use std::time::Instant;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::{
    Conn, OpenError, Readers, StoreConfig,
    migrate::Dialect,
    postgres::Server,
    sharing::{OPEN_PATIENCE, OPEN_POLL, Sharing},
    sqlite::Locked,
};

/// The database behind a store, taken for as long as the value lives.
#[derive(Debug)]
pub(crate) enum Database {
    /// A file.
    Sqlite(Locked),
    /// A database of a server.
    Postgres(Server),
}

impl Database {
    /// The database at the configured address, taken if it is a file.
    pub(crate) async fn take(config: &StoreConfig, sharing: Sharing) -> Result<Self, OpenError> {
        if Server::is_address(&config.url) {
            return Server::at(config, sharing).map(Self::Postgres);
        }
        let started = Instant::now();
        loop {
            match Locked::take(&config.url) {
                Err(OpenError::InUse { .. }) if started.elapsed() < OPEN_PATIENCE => {
                    tokio::time::sleep(OPEN_POLL).await;
                }
                taken => return taken.map(Self::Sqlite),
            }
        }
    }

    /// A connection that writes. With a server it holds the right to write for as long as it lives.
    pub(crate) async fn writer(&self) -> Result<Conn, OpenError> {
        match self {
            Self::Sqlite(file) => file.writer().await,
            Self::Postgres(server) => server.writer().await,
        }
    }

    /// The connections that read, and can do nothing else.
    pub(crate) fn readers(&self, count: u32) -> Result<Readers, OpenError> {
        match self {
            Self::Sqlite(file) => file.readers(count),
            Self::Postgres(server) => server.readers(count),
        }
    }

    /// The words of a transaction.
    pub(crate) fn words(&self) -> Words {
        match self {
            Self::Sqlite(_) => Words::new("BEGIN IMMEDIATE", "COMMIT"),
            Self::Postgres(server) => Words::new(server.begin(), server.commit()),
        }
    }

    /// The SQL that this database understands.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Whether a connection may be lost while the store is open.
    pub(crate) fn may_be_away(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Whether no other process can be writing the store.
    pub(crate) fn is_exclusive(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(server) => server.is_exclusive(),
        }
    }

    /// The server, when there is one.
    pub(crate) fn server(&self) -> Option<&Server> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(server) => Some(server),
        }
    }
}

/// The statements around the jobs of a transaction. A savepoint is open from a job's first statement on. What belongs
/// together goes to the database in one text: each is a change of threads or a round trip, which costs more
/// than most statements.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) begin: SqlStr,
    /// After a job whose work is kept, and another follows.
    pub(crate) next: SqlStr,
    /// After a job whose work is taken back, and another follows: going back to a savepoint leaves it open.
    pub(crate) back: SqlStr,
    pub(crate) commit: SqlStr,
    pub(crate) rollback: SqlStr,
}

impl Words {
    fn new(begin: impl Into<String>, commit: impl Into<String>) -> Self {
        let (begin, commit) = (begin.into(), commit.into());
        // Nothing but our own words comes into these texts.
        let text = |text: String| AssertSqlSafe(text).into_sql_str();
        Self {
            begin: text(format!("{begin}; SAVEPOINT job")),
            next: "RELEASE SAVEPOINT job; SAVEPOINT job".into_sql_str(),
            back: "ROLLBACK TO SAVEPOINT job".into_sql_str(),
            commit: text(commit),
            rollback: "ROLLBACK".into_sql_str(),
        }
    }
}
