//! A connection, and what has to be said on it before the next statement.

use std::fmt;

use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, AnyConnection, Connection, Database, Either, Execute, Executor, SqlStr,
    any::{AnyQueryResult, AnyRow, AnyStatement},
};

use crate::error::Failure;

/// A connection inside a transaction, or a reading one.
///
/// A savepoint is a change of threads or a round trip, as much as most jobs take: one is made when a job has its first
/// statement, and jobs that have none go without.
pub struct Conn {
    inner: AnyConnection,
    /// What comes before the next statement.
    before: Option<SqlStr>,
    /// Whether there was a statement since it began.
    is_touched: bool,
    /// Why what came before a statement was not said: the transaction is then not what a job takes it for.
    failure: Option<Failure>,
    /// Whether a statement was begun and not seen to its end: whoever asked went away, or it failed.
    is_unfinished: bool,
}

impl Conn {
    /// Connects.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the database does not answer or does not want us.
    pub async fn connect(url: &str) -> sqlx::Result<Self> {
        let inner = AnyConnection::connect(url).await?;
        Ok(Self { inner, before: None, is_touched: false, failure: None, is_unfinished: false })
    }

    /// Ends the connection in order.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the database did not take leave.
    pub async fn close(self) -> sqlx::Result<()> {
        self.inner.close().await
    }

    /// Asks whether the database is still there, and waits until it has done with what nobody waits for.
    pub(crate) async fn ping(&mut self) -> sqlx::Result<()> {
        self.inner.ping().await?;
        self.is_unfinished = false;
        Ok(())
    }

    /// Whether the last statement was not seen to its end.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }

    /// The connection itself, for what is no query.
    pub(crate) fn plain(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Which database it is.
    pub(crate) fn backend_name(&self) -> &str {
        self.inner.backend_name()
    }

    /// Has `text` said before the next statement, or nothing, and forgets what was.
    pub(crate) fn begin(&mut self, text: Option<SqlStr>) {
        self.before = text;
        self.is_touched = false;
        self.failure = None;
    }

    /// Whether there was a statement since [`Conn::begin`].
    pub(crate) fn is_touched(&self) -> bool {
        self.is_touched
    }

    /// Why what had to come before a statement was not said, if so.
    pub(crate) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    async fn say_before(&mut self) -> sqlx::Result<()> {
        self.is_touched = true;
        if self.failure.is_some() {
            // Outside a transaction it would take effect alone.
            return Err(sqlx::Error::Protocol("the transaction of this statement did not begin".into()));
        }
        let Some(text) = self.before.take() else { return Ok(()) };
        // Should the job break off in the middle, nobody knows what was said.
        self.failure = Some(Failure::Database("a statement was broken off".into()));
        let said = sqlx::raw_sql(text).execute(&mut self.inner).await;
        self.failure = said.as_ref().err().map(Failure::of);
        said.map(drop)
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
            self.say_before().await?;
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
            self.say_before().await?;
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
