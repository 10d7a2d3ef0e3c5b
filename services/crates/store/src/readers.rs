//! The connections that read.

use std::{fmt, time::Duration};

use deadpool::{
    Runtime,
    managed::{Manager, Metrics, Object, Pool, PoolError, RecycleResult, TimeoutType},
};
use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, Database, Either, Execute, Executor, SqlStr,
    any::{AnyQueryResult, AnyRow, AnyStatement},
};

use crate::Conn;

/// A reading connection on loan.
pub type Reader = Object<Connections>;

/// The connections that read and can do nothing else, each on loan to one query at a time. A query may be run on the
/// pool itself.
///
/// sqlx's own pool asks each connection whether it is well when it comes back, which for a file is a task and a change of
/// threads after every query.
#[derive(Clone)]
pub struct Readers(Pool<Connections>);

/// How a reading connection is made.
pub struct Connections {
    pub(crate) url: String,
    /// What is said on it first.
    pub(crate) settings: &'static [&'static str],
    /// Whether it may be lost, so that it is asked before each use.
    pub(crate) may_be_away: bool,
}

impl Readers {
    pub(crate) fn new(connections: Connections, count: u32, patience: Duration) -> Result<Self, sqlx::Error> {
        let size = usize::try_from(count.max(1)).unwrap_or(usize::MAX);
        let pool = Pool::builder(connections)
            .max_size(size)
            .wait_timeout(Some(patience))
            .create_timeout(Some(patience))
            .runtime(Runtime::Tokio1)
            .build();
        pool.map(Self).map_err(|fault| sqlx::Error::Configuration(Box::new(fault)))
    }

    /// A connection, for several queries.
    ///
    /// # Errors
    /// [`sqlx::Error`] when none becomes free in time, or the database does not answer.
    pub async fn acquire(&self) -> sqlx::Result<Reader> {
        self.0.get().await.map_err(|fault| match fault {
            PoolError::Backend(fault) => fault,
            PoolError::Timeout(TimeoutType::Wait | TimeoutType::Create | TimeoutType::Recycle) => {
                sqlx::Error::PoolTimedOut
            }
            PoolError::Closed => sqlx::Error::PoolClosed,
            other => sqlx::Error::Configuration(other.to_string().into()),
        })
    }
}

impl Manager for Connections {
    type Type = Conn;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Conn, sqlx::Error> {
        let mut conn = Conn::connect(&self.url).await?;
        for setting in self.settings {
            sqlx::query(*setting).execute(&mut conn).await?;
        }
        Ok(conn)
    }

    async fn recycle(&self, conn: &mut Conn, _: &Metrics) -> RecycleResult<sqlx::Error> {
        if self.may_be_away {
            conn.ping().await?;
        }
        Ok(())
    }
}

impl<'p> Executor<'p> for &'p Readers {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<AnyQueryResult, AnyRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let pool = self.clone();
        async_stream::try_stream! {
            let mut conn = pool.acquire().await?;
            let mut rows = (&mut *conn).fetch_many(query);
            while let Some(row) = rows.try_next().await? {
                yield row;
            }
        }
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<AnyRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let pool = self.clone();
        async move { (&mut *pool.acquire().await?).fetch_optional(query).await }.boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [<Any as Database>::TypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<AnyStatement>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        async move { (&mut *pool.acquire().await?).prepare_with(sql, parameters).await }.boxed()
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Readers({:?})", self.0.status())
    }
}
