//! The store: reading connections, and the way to the one task that writes.

use std::{
    any::Any,
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError, RwLock},
};

use futures::{FutureExt, future::BoxFuture};
use rovuma_schemas::StoreId;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
};
use tracing::error;

use crate::{
    Commits, Conn, Migrations, OpenError, Readers, Restored, RowExt, StoreConfig, WriteError,
    database::Database,
    deferred::{DeferredWriter, DeferredWriters},
    identity,
    jobs::{Job, submit, submit_alone},
    migrate,
    postgres::Server,
    restore_mark, rewrite,
    sharing::Sharing,
    upkeep,
    writer::{OnReconnect, Writer},
};

/// Maximum jobs in the writer's queue. When it is full, callers wait for room.
const WAITING_MAX: usize = 1024;

/// The database of one service. Clones are handles to the same one.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    readers: Readers,
    jobs: mpsc::Sender<Box<dyn Job>>,
    commits: watch::Receiver<Commits>,
    identity: RwLock<StoreId>,
    was_restored: Option<Restored>,
    deferred: DeferredWriters,
    database: Arc<Database>,
    /// Why the writer ended, if it panicked.
    writer_failure: watch::Receiver<Option<String>>,
    /// Dropped with the last clone, which ends the task of [`upkeep`].
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

    /// Opens the store as [`Self::open`] does, and lets other processes open it too when the database is one of a
    /// server. A file still belongs to one process.
    ///
    /// # Errors
    /// [`OpenError`], as for [`Self::open`].
    pub async fn open_shared(config: &StoreConfig, migrations: &[Migrations]) -> Result<Self, OpenError> {
        Self::open_as(config, migrations, Sharing::Shared).await
    }

    /// Refuses an address that [`Self::open`] would refuse, and opens nothing.
    ///
    /// # Errors
    /// [`OpenError`] when the address cannot be used, its folder is missing, or the password cannot be read.
    pub fn check(config: &StoreConfig) -> Result<(), OpenError> {
        Database::check(config)
    }

    async fn open_as(
        config: &StoreConfig,
        migrations: &[Migrations],
        sharing: Sharing,
    ) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let database = Arc::new(Database::take(config, sharing).await?);
        let mut conn = database.writer().await?;
        migrate::run(&mut conn, database.dialect(), migrations).await?;
        upkeep::optimize(&mut conn, &database).await?;
        let row = restore_mark::check(&mut conn, &database).await?;
        let was_restored = row.restored_from.map(|from| Restored { from, to: row.identity });
        let identity = RwLock::new(row.identity);
        let readers = database.readers(config.readers)?;
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let (committed, commits) = watch::channel(Commits::default());
        let committed = Arc::new(committed);
        if let Some(server) = database.server().filter(|server| !server.is_exclusive()) {
            // This task ends when the last receiver of the commits is dropped.
            tokio::spawn(server.clone().listen(committed.clone()));
        }
        // Not a task of the service's shutdown: the writer must outlast every task that writes. A process may end
        // without waiting for it, because a caller that got its reply needs it no more.
        let deferred = DeferredWriters::default();
        let writer =
            Writer::new(database.clone(), conn, committed, deferred.clone(), check_for_restore(&database));
        let (failed, writer_failure) = watch::channel(None);
        start(supervised(writer, waiting, failed), &database)?;
        let (open, until_closed) = oneshot::channel();
        tokio::spawn(upkeep::run(Arc::downgrade(&database), jobs.downgrade(), readers.clone(), until_closed));
        Ok(Self(Arc::new(Inner {
            readers,
            jobs,
            commits,
            identity,
            was_restored,
            deferred,
            database,
            writer_failure,
            _open: open,
        })))
    }

    /// The pool of connections for queries outside a write. They refuse to change anything.
    pub fn read(&self) -> &Readers {
        &self.0.readers
    }

    /// Runs `work` in a transaction and returns its result once it is on disk. Work that returns an error is rolled
    /// back. When the caller goes away, the work still takes effect, whole.
    ///
    /// `work` must only query: while it waits for anything else, every other write waits too.
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
    /// [`WriteError`]: the work's own error, or the reason why the store did not write.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: std::error::Error + Send + 'static,
        F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        submit(&self.0.jobs, work).await
    }

    /// Rewrites what is stored, so that the files of the database no longer hold bytes that were deleted or overwritten. Every
    /// write waits until it has ended: it takes as long as copying the data. Of a file, all of it is rewritten; of a
    /// server's database, these tables. What a server keeps beside its tables (write-ahead log, archive, replicas, backups)
    /// is not touched.
    ///
    /// # Errors
    /// [`WriteError`] when there is no room for the copy, a reader does not end, or the database does not answer. Then the
    /// bytes may still be there; trying again is harmless.
    pub async fn rewrite(&self, tables: &'static [&'static str]) -> Result<(), WriteError<sqlx::Error>> {
        submit_alone(&self.0.jobs, move |conn| rewrite::run(conn, tables).boxed()).await
    }

    /// Adds a writer that writes, at the end of each transaction, what jobs left with it.
    pub fn add_deferred(&self, writer: Arc<dyn DeferredWriter>) {
        self.0.deferred.add(writer);
    }

    /// The random id drawn when this store was created or restored: the id of its streams and the epoch of its audit
    /// events. This is what the process last read; in a transaction, read the row instead.
    pub fn identity(&self) -> StoreId {
        *self.0.identity.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The restore that was noticed when the store was opened, or earlier and not yet [taken](Restored::take).
    pub fn was_restored(&self) -> Option<Restored> {
        self.0.was_restored
    }

    /// Draws a new identity, after the store was restored from a backup: the numbers given out since that backup are then
    /// never given out again under the same identity.
    ///
    /// # Errors
    /// [`WriteError`] when the store cannot write it.
    pub async fn renew_identity(&self) -> Result<StoreId, WriteError<sqlx::Error>> {
        let drawn = self.write(|tx| Box::pin(identity::renew_identity(tx))).await?;
        self.set_identity(drawn);
        Ok(drawn)
    }

    /// Reads the identity again, after a transaction that called [`renew_identity`](crate::renew_identity), or because
    /// another process may have renewed it.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn refresh_identity(&self) -> sqlx::Result<StoreId> {
        let row = sqlx::query("SELECT identity FROM store").fetch_one(self.read()).await?;
        let identity = row.store_id("identity")?;
        self.set_identity(identity);
        Ok(identity)
    }

    fn set_identity(&self, identity: StoreId) {
        *self.0.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// Whether no other process can write this store: true for a file, and for a database of a server that was not opened
    /// to be shared.
    pub fn is_exclusive(&self) -> bool {
        self.0.database.is_exclusive()
    }

    /// Counts that change with every commit, of this process and of others that share the store.
    pub fn commits(&self) -> watch::Receiver<Commits> {
        self.0.commits.clone()
    }

    /// The number of commits of this process so far.
    pub fn commit_count(&self) -> u64 {
        self.0.commits.borrow().own
    }

    /// Waits until the task that writes has panicked, and returns the panic's message. From then on every write fails, so the
    /// process must end: a new one opens the store with a new writer.
    ///
    /// A job that panics is rolled back and does not end the writer. What ends it is a fault of the store itself, or of a
    /// [`DeferredWriter`].
    pub async fn writer_failed(&self) -> String {
        let mut failure = self.0.writer_failure.clone();
        // The sender lives as long as the writer does; it ends without a failure when no handle is left to wait with.
        let text = failure.wait_for(Option::is_some).await.ok().and_then(|failure| failure.clone());
        match text {
            Some(text) => text,
            None => std::future::pending().await,
        }
    }

    /// Whether a file is still the one that was opened; true for a server.
    pub(crate) fn file_is_in_place(&self) -> bool {
        self.0.database.file_is_in_place()
    }

    /// The writer's queue, for tests of what does not go through the store.
    #[cfg(test)]
    pub(crate) fn jobs(&self) -> &mpsc::Sender<Box<dyn Job>> {
        &self.0.jobs
    }

    /// The server; none when no other process can have the store open.
    pub(crate) fn shared_server(&self) -> Option<&Server> {
        self.0.database.server().filter(|server| !server.is_exclusive())
    }
}

/// Writes until no handle is left, or until the writer panics, which `failed` is told.
async fn supervised(
    writer: Writer,
    waiting: mpsc::Receiver<Box<dyn Job>>,
    failed: watch::Sender<Option<String>>,
) {
    if let Err(panic) = AssertUnwindSafe(writer.run(waiting)).catch_unwind().await {
        let text = panic_text(panic.as_ref());
        error!("the store's writer panicked: {text}");
        failed.send_replace(Some(text.to_owned()));
    }
}

/// Starts the writer: for a file on a thread of its own, because its statements are done on the thread that asks, and a
/// commit waits for the disk; for a server as a task.
fn start(writer: impl Future<Output = ()> + Send + 'static, database: &Database) -> Result<(), OpenError> {
    let Database::Sqlite(file) = database else {
        tokio::spawn(writer);
        return Ok(());
    };
    let runtime = Handle::current();
    let thread = std::thread::Builder::new().name("store-writer".into());
    let started = thread.spawn(move || runtime.block_on(writer));
    started.map(drop).map_err(|source| OpenError::File { path: file.path().to_owned(), source })
}

/// Checks a store for a restore whenever the writer has connected again: a server that could not be reached may come back
/// as an older copy of itself.
fn check_for_restore(database: &Database) -> OnReconnect {
    let server = database.server().cloned();
    Box::new(move |conn| {
        let server = server.clone();
        async move {
            match server {
                Some(server) => restore_mark::check_server(conn, &server).await,
                None => Ok(()),
            }
        }
        .boxed()
    })
}

/// The message of a panic, when it is a text.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("identity", &self.identity()).finish_non_exhaustive()
    }
}
