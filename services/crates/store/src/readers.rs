//! The pool of connections that read.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use tokio::time::{sleep, timeout};

use crate::{
    Conn,
    sharing::OPEN_POLL,
    statement::{RowsWanted, Statement, StatementOutput, impl_executor},
};

/// A reading connection on loan.
pub type Reader = Object<Connections>;

/// A pool of connections that read and refuse to change anything, each on loan to one query at a time. A query may be run
/// on the pool itself.
///
/// sqlx's own pool pings each connection when it comes back, which costs a task and a round trip after every query. This
/// pool pings a connection before it is lent again, and only when there is a reason to.
#[derive(Clone)]
pub struct Readers {
    pool: Pool<Connections>,
    stale_before: Arc<Mutex<Option<Instant>>>,
    /// How long a query waits for a connection, however many are tried for it.
    acquire_timeout: Duration,
}

/// Makes reading connections, and decides whether one may be used again.
pub struct Connections {
    pub(crate) url: String,
    /// The statements that each new connection runs first.
    pub(crate) settings: &'static [&'static str],
    /// Whether a connection may be lost: then it is pinged before each use, and replaced when it is old.
    pub(crate) may_disconnect: bool,
    /// Connections made before this instant are replaced before they are used again; none when absent.
    pub(crate) stale_before: Arc<Mutex<Option<Instant>>>,
}

/// The age at which a connection to a server is replaced: the server's process caches every table that it has read, and
/// the server's name may resolve to another address by now.
const AGE_MAX: Duration = Duration::from_secs(30 * 60);

impl Readers {
    pub(crate) fn new(
        connections: Connections,
        count: u32,
        acquire_timeout: Duration,
    ) -> Result<Self, sqlx::Error> {
        let size = usize::try_from(count.max(1)).unwrap_or(usize::MAX);
        let stale_before = Arc::clone(&connections.stale_before);
        let pool = Pool::builder(connections).max_size(size).build();
        let pool = pool.map_err(|fault| sqlx::Error::Configuration(Box::new(fault)))?;
        Ok(Self { pool, stale_before, acquire_timeout })
    }

    /// When the connection that is lent next was made.
    #[cfg(test)]
    pub(crate) async fn created_at(&self) -> Instant {
        Object::metrics(&self.acquire().await.expect("a connection")).created
    }

    /// Replaces every present connection before it is used again.
    pub(crate) fn replace_all(&self) {
        *self.stale_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Runs a statement on a connection of the pool.
    pub(crate) async fn answer(
        &self,
        statement: Statement,
        wanted: RowsWanted,
    ) -> sqlx::Result<StatementOutput> {
        self.acquire().await?.answer(statement, wanted).await
    }

    /// A connection, for several queries.
    ///
    /// # Errors
    /// [`sqlx::Error`] when none becomes free in time, or the database does not answer.
    pub async fn acquire(&self) -> sqlx::Result<Reader> {
        let lent = timeout(self.acquire_timeout, self.pool.get()).await;
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
                // `acquire` ends this loop when its caller has waited long enough.
                Err(fault) if self.may_disconnect && is_temporary(&fault) => sleep(OPEN_POLL).await,
                connected => break connected?,
            }
        };
        for setting in self.settings {
            sqlx::query(*setting).execute(&mut conn).await?;
        }
        Ok(conn)
    }

    async fn recycle(&self, conn: &mut Conn, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if self.may_disconnect && metrics.age() > AGE_MAX {
            return Err(RecycleError::message("older than connections may be"));
        }
        let stale_before = *self.stale_before.lock().unwrap_or_else(PoisonError::into_inner);
        if stale_before.is_some_and(|instant| metrics.created <= instant) {
            return Err(RecycleError::message("made before the tables were counted"));
        }
        if self.may_disconnect || conn.is_unfinished() {
            conn.ping().await?;
        }
        Ok(())
    }
}

/// Whether a server refuses only for the moment: it starts, or all its connections are in use.
fn is_temporary(fault: &sqlx::Error) -> bool {
    match fault {
        sqlx::Error::Io(fault) => fault.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(fault) => {
            fault.code().is_some_and(|code| [CANNOT_CONNECT_NOW, TOO_MANY_CONNECTIONS].contains(&&*code))
        }
        _ => false,
    }
}

/// The SQLSTATE of a server that starts or stops.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// The SQLSTATE of a server whose connections are all in use.
const TOO_MANY_CONNECTIONS: &str = "53300";

impl_executor!('p, &'p Readers);

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Readers({:?})", self.pool.status())
    }
}
