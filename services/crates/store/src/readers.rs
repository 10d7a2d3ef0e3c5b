//! The connections that read.

use std::{fmt, time::Duration};

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, Database, Either, Execute, Executor, SqlStr,
    any::{AnyQueryResult, AnyRow, AnyStatement},
};
use tokio::time::{sleep, timeout};

use crate::{Conn, sharing::OPEN_POLL};

/// A reading connection on loan.
pub type Reader = Object<Connections>;

/// The connections that read and can do nothing else, each on loan to one query at a time. A query may be run on the
/// pool itself.
///
/// sqlx's own pool asks each connection whether it is well when it comes back, which for a file is a task and a change of
/// threads after every query. Here it is asked before it is lent again, and only when there is reason to.
#[derive(Clone)]
pub struct Readers {
    pool: Pool<Connections>,
    /// How long a query waits for a connection, however many have to be tried for it.
    patience: Duration,
}

/// How a reading connection is made.
pub struct Connections {
    pub(crate) url: String,
    /// What is said on it first.
    pub(crate) settings: &'static [&'static str],
    /// Whether it may be lost, so that it is asked before each use and made anew in time.
    pub(crate) may_be_away: bool,
}

/// A connection to a server that is older is made anew: the server's process keeps what it has ever looked at, and the
/// server's name may lead elsewhere by now.
const AGE_MAX: Duration = Duration::from_secs(30 * 60);

impl Readers {
    pub(crate) fn new(connections: Connections, count: u32, patience: Duration) -> Result<Self, sqlx::Error> {
        let size = usize::try_from(count.max(1)).unwrap_or(usize::MAX);
        let pool = Pool::builder(connections).max_size(size).build();
        let pool = pool.map_err(|fault| sqlx::Error::Configuration(Box::new(fault)))?;
        Ok(Self { pool, patience })
    }

    /// A connection, for several queries.
    ///
    /// # Errors
    /// [`sqlx::Error`] when none becomes free in time, or the database does not answer.
    pub async fn acquire(&self) -> sqlx::Result<Reader> {
        let lent = timeout(self.patience, self.pool.get()).await;
        lent.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|fault| match fault {
            PoolError::Backend(fault) => fault,
            PoolError::Closed => sqlx::Error::PoolClosed,
            other => sqlx::Error::Configuration(other.to_string().into()),
        })
    }
}

impl Manager for Connections {
    type Type = Conn;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Conn, sqlx::Error> {
        let mut conn = loop {
            match Conn::connect(&self.url).await {
                // Whoever wants the connection has its own end of patience.
                Err(fault) if self.may_be_away && comes_back(&fault) => sleep(OPEN_POLL).await,
                connected => break connected?,
            }
        };
        for setting in self.settings {
            sqlx::query(*setting).execute(&mut conn).await?;
        }
        Ok(conn)
    }

    async fn recycle(&self, conn: &mut Conn, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if self.may_be_away && metrics.age() > AGE_MAX {
            return Err(RecycleError::message("old enough"));
        }
        if self.may_be_away || conn.is_unfinished() {
            conn.ping().await?;
        }
        Ok(())
    }
}

/// A server that starts, or has no connection left, will have one in a moment.
fn comes_back(fault: &sqlx::Error) -> bool {
    match fault {
        sqlx::Error::Io(fault) => fault.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(fault) => {
            fault.code().is_some_and(|code| [CANNOT_CONNECT_NOW, TOO_MANY_CONNECTIONS].contains(&&*code))
        }
        _ => false,
    }
}

/// PostgreSQL's code of a server that starts or stops.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// PostgreSQL's code of one that has no connection left.
const TOO_MANY_CONNECTIONS: &str = "53300";

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
        write!(f, "Readers({:?})", self.pool.status())
    }
}
