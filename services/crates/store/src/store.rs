//! The store itself.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use futures::{FutureExt, future::BoxFuture};
use rovuma_schemas::StoreId;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Commits, Conn, Migrations, OpenError, Readers, Restored, RowExt, StoreConfig, WriteError,
    database::Database,
    identity,
    jobs::{Job, submit},
    late::{AllLate, DeferredWriter},
    migrate,
    postgres::Server,
    sharing::Sharing,
    witness,
    writer::{OnReconnect, Writer},
};

/// Writes waiting for the writer beyond this make their callers wait: the queue is never unbounded.
const WAITING_MAX: usize = 1024;

/// A database of one service. Clones speak of the same one.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    readers: Readers,
    jobs: mpsc::Sender<Box<dyn Job>>,
    commits: watch::Receiver<Commits>,
    identity: RwLock<StoreId>,
    was_restored: Option<Restored>,
    late: AllLate,
    database: Arc<Database>,
    /// Ends with the last clone, and then the task that renews the witness does.
    _open: oneshot::Sender<()>,
}

impl Store {
    /// Opens the store for this process alone, creating and migrating it as needed, and starts its writer. The
    /// writer ends when the last clone is dropped.
    ///
    /// # Errors
    /// [`OpenError`] when the address is unknown, another process holds the store, or the database
    /// cannot be opened or migrated.
    pub async fn open(config: &StoreConfig, migrations: &[Migrations]) -> Result<Self, OpenError> {
        Self::open_as(config, migrations, Sharing::Alone).await
    }

    /// Opens the store as [`Self::open`] does, and lets other processes do the same where the database is one
    /// of a server. A file belongs to one process all the same.
    ///
    /// # Errors
    /// As there.
    pub async fn open_shared(config: &StoreConfig, migrations: &[Migrations]) -> Result<Self, OpenError> {
        Self::open_as(config, migrations, Sharing::Shared).await
    }

    async fn open_as(
        config: &StoreConfig,
        migrations: &[Migrations],
        sharing: Sharing,
    ) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let database = Arc::new(Database::take(config, sharing).await?);
        let mut conn = database.writer().await?;
        migrate::run(&mut conn, &database, migrations).await?;
        let known = witness::settle(&mut conn, &database).await?;
        let was_restored = known.restored_from.map(|from| Restored { from, to: known.identity });
        let identity = RwLock::new(known.identity);
        let readers = database.readers(config.readers)?;
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let (committed, commits) = watch::channel(Commits::default());
        let committed = Arc::new(committed);
        if let Some(server) = database.server().filter(|server| !server.is_exclusive()) {
            // Ends when nobody looks at the commits any more.
            tokio::spawn(server.clone().listen(committed.clone()));
        }
        // Not a task of the service's shutdown: it must outlast every task that writes. Whoever was answered
        // has no need of it any more, so a process may end without waiting for it.
        let late = AllLate::default();
        let writer =
            Writer::new(database.clone(), conn, committed, late.clone(), check_for_restore(&database));
        tokio::spawn(writer.run(waiting));
        let (open, until_closed) = oneshot::channel();
        tokio::spawn(witness::renew_regularly(Arc::downgrade(&database), jobs.downgrade(), until_closed));
        Ok(Self(Arc::new(Inner {
            readers,
            jobs,
            commits,
            identity,
            was_restored,
            late,
            database,
            _open: open,
        })))
    }

    /// The pool for queries outside a write. Its connections refuse to change anything.
    pub fn read(&self) -> &Readers {
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
        submit(&self.0.jobs, work).await
    }

    /// Lets `late` write at the end of each transaction what jobs leave with it.
    pub fn add_deferred(&self, late: Arc<dyn DeferredWriter>) {
        self.0.late.add(late);
    }

    /// The random name drawn when this store was created or restored: the id of its streams and the
    /// epoch of its audit events. As this process last heard of it: in a transaction the row counts.
    pub fn identity(&self) -> StoreId {
        *self.0.identity.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the store was found at its opening to have been restored from an older copy, and nobody has
    /// [taken](Restored::take) that yet.
    pub fn was_restored(&self) -> Option<Restored> {
        self.0.was_restored
    }

    /// Draws a new name, after the store was restored from a backup: numbers given out since that
    /// backup are then never given out again under the same name.
    ///
    /// # Errors
    /// [`WriteError`] when the store does not take it.
    pub async fn renew_identity(&self) -> Result<StoreId, WriteError<sqlx::Error>> {
        let drawn = self.write(|tx| Box::pin(identity::renew_identity(tx))).await?;
        self.keep_identity(drawn);
        Ok(drawn)
    }

    /// Reads the name anew, after a transaction that called [`renew_identity`](crate::renew_identity), or
    /// because another process may have.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn refresh_identity(&self) -> sqlx::Result<StoreId> {
        let row = sqlx::query("SELECT identity FROM store").fetch_one(self.read()).await?;
        let found = row.store_id("identity")?;
        self.keep_identity(found);
        Ok(found)
    }

    fn keep_identity(&self, identity: StoreId) {
        *self.0.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// Whether no other process can be writing this store: so it is with a file, and with a database of a
    /// server that was not opened to be shared.
    pub fn is_exclusive(&self) -> bool {
        self.0.database.is_exclusive()
    }

    /// Changes with every commit: of this process, and of others that share the store.
    pub fn commits(&self) -> watch::Receiver<Commits> {
        self.0.commits.clone()
    }

    /// The number of commits of this process so far.
    pub fn commit_count(&self) -> u64 {
        self.0.commits.borrow().own
    }

    /// The way to the writer, for tests of what goes round the store.
    #[cfg(test)]
    pub(crate) fn jobs(&self) -> &mpsc::Sender<Box<dyn Job>> {
        &self.0.jobs
    }

    /// The server, when other processes may have the store open.
    pub(crate) fn shared_server(&self) -> Option<&Server> {
        self.0.database.server().filter(|server| !server.is_exclusive())
    }
}

/// A server that was away may have come back as an older copy of itself.
fn check_for_restore(database: &Database) -> OnReconnect {
    let server = database.server().cloned();
    Box::new(move |conn| {
        let server = server.clone();
        async move {
            match server {
                Some(server) => witness::check_server(conn, &server).await,
                None => Ok(()),
            }
        }
        .boxed()
    })
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("identity", &self.identity()).finish_non_exhaustive()
    }
}
