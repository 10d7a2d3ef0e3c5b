//! A connection, and the statements that run on it before its next statement.

use std::fmt;

use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, AnyConnection, Connection, Database, Either, Execute, Executor, SqlStr,
    any::{AnyQueryResult, AnyRow, AnyStatement},
};

use crate::error::Failure;

/// A connection inside a transaction, or a reading one.
///
/// Making a savepoint is a change of threads or a round trip, which takes as long as most jobs. It is therefore a
/// *prelude*, which runs before a job's first statement; a job without a statement needs none.
pub struct Conn {
    inner: AnyConnection,
    /// Runs before the next statement.
    prelude: Option<SqlStr>,
    /// Whether a statement ran since the prelude was set.
    ran_statement: bool,
    /// Why the prelude failed: statements after it would run outside the transaction that the job expects.
    failure: Option<Failure>,
    /// Whether a statement was begun and its result not read to the end: its caller went away, or it failed.
    is_unfinished: bool,
}

impl Conn {
    /// Connects to the database at `url`.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the database does not answer or refuses the connection.
    pub async fn connect(url: &str) -> sqlx::Result<Self> {
        let inner = AnyConnection::connect(url).await?;
        Ok(Self { inner, prelude: None, ran_statement: false, failure: None, is_unfinished: false })
    }

    /// Closes the connection as the database's protocol demands.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the database does not answer.
    pub async fn close(self) -> sqlx::Result<()> {
        self.inner.close().await
    }

    /// Checks that the database answers, and waits until it has finished a statement whose caller went away.
    pub(crate) async fn ping(&mut self) -> sqlx::Result<()> {
        self.inner.ping().await?;
        self.is_unfinished = false;
        Ok(())
    }

    /// Whether the result of the last statement was not read to the end.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }

    /// The driver's connection, for migrations.
    pub(crate) fn driver(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// The name of the database's driver.
    pub(crate) fn backend_name(&self) -> &str {
        self.inner.backend_name()
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
        let ran = sqlx::raw_sql(text).execute(&mut self.inner).await;
        self.failure = ran.as_ref().err().map(Failure::of);
        ran.map(drop)
    }
}

impl<'c> Executor<'c> for &'c mut Conn {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<AnyQueryResult, AnyRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        async_stream::try_stream! {
            self.run_prelude().await?;
            self.is_unfinished = true;
            let mut rows = self.inner.fetch_many(query);
            while let Some(row) = rows.try_next().await? {
                yield row;
            }
            drop(rows);
            self.is_unfinished = false;
        }
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<AnyRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        async move {
            self.run_prelude().await?;
            self.is_unfinished = true;
            let row = self.inner.fetch_optional(query).await?;
            self.is_unfinished = false;
            Ok(row)
        }
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [<Any as Database>::TypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<AnyStatement>>
    where
        'c: 'e,
    {
        self.inner.prepare_with(sql, parameters)
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn").field("inner", &self.inner).finish_non_exhaustive()
    }
}
