//! A connection, and the statements that run on it before its next statement.

use std::fmt;

use sqlx::{
    AnyConnection, Connection, SqlStr,
    migrate::{MigrateError, Migrator},
};

use crate::{
    error::Failure,
    sqlite::{self, FileConnection},
    statement::{RowsWanted, Statement, StatementOutput, impl_executor},
};

/// A connection inside a transaction, or a reading one.
///
/// Making a savepoint is a statement, and on a server a round trip, which takes as long as most jobs. It is therefore a
/// *prelude*, which runs before a job's first statement; a job without a statement needs none.
pub struct Conn {
    inner: Driver,
    /// Runs before the next statement.
    prelude: Option<SqlStr>,
    /// Whether a statement ran since the prelude was set.
    ran_statement: bool,
    /// Why the prelude failed: statements after it would run outside the transaction that the job expects.
    failure: Option<Failure>,
    /// Whether a statement was begun and its result not read to the end: its caller went away, or it failed.
    is_unfinished: bool,
}

/// The two ways to a database.
#[derive(Debug)]
enum Driver {
    /// A file.
    File(FileConnection),
    /// A server.
    Server(AnyConnection),
}

impl Driver {
    async fn answer(&mut self, statement: Statement, wanted: RowsWanted) -> sqlx::Result<StatementOutput> {
        match self {
            // Without waiting: the file is read and written here and now.
            Self::File(file) => file.run(&statement, wanted),
            Self::Server(server) => statement.ask(server, wanted).await,
        }
    }
}

impl Conn {
    /// Connects to the database at `url`: the path of a file that is there, as `sqlite:PATH`, or a server.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the file cannot be opened, or the server does not answer or refuses the connection.
    pub async fn connect(url: &str) -> sqlx::Result<Self> {
        let inner = match sqlite::path_of(url) {
            Ok(path) => Driver::File(FileConnection::open(&path)?),
            Err(_) => Driver::Server(AnyConnection::connect(url).await?),
        };
        Ok(Self { inner, prelude: None, ran_statement: false, failure: None, is_unfinished: false })
    }

    /// Closes the connection as the database's protocol demands.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the database does not answer.
    pub async fn close(self) -> sqlx::Result<()> {
        match self.inner {
            // Nothing has to be said to a file.
            Driver::File(_) => Ok(()),
            Driver::Server(server) => server.close().await,
        }
    }

    /// Checks that the database answers, and waits until it has finished a statement whose caller went away.
    pub(crate) async fn ping(&mut self) -> sqlx::Result<()> {
        if let Driver::Server(server) = &mut self.inner {
            server.ping().await?;
        }
        self.is_unfinished = false;
        Ok(())
    }

    /// Whether the result of the last statement was not read to the end.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }

    /// Applies the migrations that the database does not have yet.
    pub(crate) async fn migrate(&mut self, migrator: &Migrator) -> Result<(), MigrateError> {
        match &mut self.inner {
            Driver::File(file) => migrator.run_direct(None, file, false).await,
            Driver::Server(server) => migrator.run_direct(None, server, false).await,
        }
    }

    /// Whether the database is a file of SQLite.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.inner, Driver::File(_))
    }

    /// Sets the statements to run before the next one, replacing any earlier prelude, and forgets an earlier failure.
    pub(crate) fn set_prelude(&mut self, text: Option<SqlStr>) {
        self.prelude = text;
        self.ran_statement = false;
        self.failure = None;
    }

    /// Whether a statement ran since [`Conn::set_prelude`].
    pub(crate) fn ran_statement(&self) -> bool {
        self.ran_statement
    }

    /// Takes out why the prelude failed, if it did.
    pub(crate) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    async fn run_prelude(&mut self) -> sqlx::Result<()> {
        self.ran_statement = true;
        if self.failure.is_some() {
            // Outside a transaction the statement would take effect by itself.
            return Err(sqlx::Error::Protocol("the transaction of this statement did not begin".into()));
        }
        let Some(text) = self.prelude.take() else { return Ok(()) };
        // Set before the await: when the job is broken off there, nobody knows whether the prelude took effect.
        self.failure = Some(Failure::Database("a statement was broken off".into()));
        let ran = self.inner.answer(Statement::without_values(text), RowsWanted::Effect).await;
        self.failure = ran.as_ref().err().map(Failure::of);
        ran.map(drop)
    }

    /// Runs a statement, after the prelude, and reads the rows that are wanted.
    pub(crate) async fn answer(
        &mut self,
        statement: Statement,
        wanted: RowsWanted,
    ) -> sqlx::Result<StatementOutput> {
        self.run_prelude().await?;
        self.is_unfinished = true;
        let answer = self.inner.answer(statement, wanted).await?;
        self.is_unfinished = false;
        Ok(answer)
    }
}

impl_executor!('c, &'c mut Conn);

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn").field("inner", &self.inner).finish_non_exhaustive()
    }
}
