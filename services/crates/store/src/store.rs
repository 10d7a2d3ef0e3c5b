//! The store itself.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use futures::future::BoxFuture;
use rovuma_schemas::StoreId;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Conn, Migrations, OpenError, Pool, StoreConfig, WriteError, identity, migrate,
    sqlite::Locked,
    writer::{self, Job, Typed},
};

/// Writes waiting for the writer beyond this make their callers wait: the queue is never unbounded.
const WAITING_MAX: usize = 1024;

/// A database of one service. Clones speak of the same one.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    readers: Pool,
    jobs: mpsc::Sender<Box<dyn Job>>,
    commits: watch::Receiver<u64>,
    identity: RwLock<StoreId>,
    _file: Locked,
}

impl Store {
    /// Opens the store, creating and migrating it as needed, and starts its writer. The writer ends
    /// when the last clone is dropped.
    ///
    /// # Errors
    /// [`OpenError`] when the address is unknown, another process holds the store, or the database
    /// cannot be opened or migrated.
    pub async fn open(config: &StoreConfig, migrations: &[Migrations]) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let file = Locked::take(&config.url)?;
        let mut conn = file.writer().await?;
        migrate::run(&mut conn, migrations).await?;
        let identity = RwLock::new(identity::load_or_draw(&mut conn).await?);
        let readers = file.readers(config.readers).await?;
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let (committed, commits) = watch::channel(0);
        // Not a task of the service's shutdown: it must outlast every task that writes. Whoever was answered
        // has no need of it any more, so a process may end without waiting for it.
        tokio::spawn(writer::run(conn, waiting, committed));
        Ok(Self(Arc::new(Inner { readers, jobs, commits, identity, _file: file })))
    }

    /// The pool for queries outside a write. Its connections refuse to change anything.
    pub fn read(&self) -> &Pool {
        &self.0.readers
    }

    /// Runs `work` in a transaction and answers once it is on disk. Work that answers with an error is
    /// taken back. Should the caller go away, the work still takes effect, whole.
    ///
    /// `work` must do nothing but query: a write that waits holds up every other write.
    ///
    /// ```no_run
    /// # use rovuma_store::{FutureExt, Store, WriteError};
    /// # async fn example(store: Store) -> Result<(), WriteError<sqlx::Error>> {
    /// let name = "Negomano".to_owned();
    /// let rows = store
    ///     .write(move |tx| {
    ///         async move {
    ///             let insert = sqlx::query("INSERT INTO post (name) VALUES ($1)").bind(name);
    ///             Ok(insert.execute(tx).await?.rows_affected())
    ///         }
    ///         .boxed()
    ///     })
    ///     .await?;
    /// # assert_eq!(rows, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`WriteError`]: the work's own error, or why the store did not take it.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: std::error::Error + Send + 'static,
        F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Typed { work, reply });
        self.0.jobs.send(job).await.map_err(|_| WriteError::Closed)?;
        answer.await.unwrap_or(Err(WriteError::Closed))
    }

    /// The random name drawn when this store was created or restored: the id of its streams and the
    /// epoch of its audit events.
    pub fn identity(&self) -> StoreId {
        *self.0.identity.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws a new name, after the store was restored from a backup: numbers given out since that
    /// backup are then never given out again under the same name.
    ///
    /// # Errors
    /// [`WriteError`] when the store does not take it.
    pub async fn renew_identity(&self) -> Result<StoreId, WriteError<sqlx::Error>> {
        let drawn = self.write(|tx| Box::pin(identity::renew(tx))).await?;
        *self.0.identity.write().unwrap_or_else(PoisonError::into_inner) = drawn;
        Ok(drawn)
    }

    /// Whether no other process can be writing this store: so it is with a file, and so it is not with a
    /// database server.
    pub fn is_exclusive(&self) -> bool {
        true
    }

    /// Counts commits from 0 at opening. What a job of commit *n* wrote is visible to readers once the
    /// count is *n* or more; while that job runs the count is *n* − 1.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.0.commits.clone()
    }

    /// The number of commits so far.
    pub fn commit_count(&self) -> u64 {
        *self.0.commits.borrow()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("identity", &self.identity()).finish_non_exhaustive()
    }
}
