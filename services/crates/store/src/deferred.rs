//! Writers of what jobs leave for the end of their transaction.

use std::sync::{Arc, PoisonError, RwLock};

use futures::future::BoxFuture;

use crate::Conn;

/// Buffers what jobs leave, and writes it before the commit. Only the store's writer calls it, one call at a time.
///
/// When a job is rolled back, what it left is dropped with it.
pub trait DeferredWriter: Send + Sync + 'static {
    /// A job begins: remember how much the buffer holds.
    fn job_begins(&self);

    /// The job's work was rolled back: drop what it left.
    fn job_rolled_back(&self);

    /// Writes everything in the buffer. The commit follows.
    fn write<'t>(&'t self, tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>>;

    /// The transaction is over, committed or not: empty the buffer.
    fn transaction_ended(&self);
}

/// All deferred writers of one store.
#[derive(Clone, Default)]
pub(crate) struct DeferredWriters(Arc<RwLock<Vec<Arc<dyn DeferredWriter>>>>);

impl DeferredWriters {
    /// Adds a writer for as long as the store is open: its maker may be gone before the transaction ends.
    pub(crate) fn add(&self, writer: Arc<dyn DeferredWriter>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(writer);
    }

    pub(crate) fn job_begins(&self) {
        self.all().iter().for_each(|writer| writer.job_begins());
    }

    pub(crate) fn job_rolled_back(&self) {
        self.all().iter().for_each(|writer| writer.job_rolled_back());
    }

    pub(crate) async fn write(&self, tx: &mut Conn) -> sqlx::Result<()> {
        for writer in self.all() {
            writer.write(tx).await?;
        }
        Ok(())
    }

    pub(crate) fn transaction_ended(&self) {
        self.all().iter().for_each(|writer| writer.transaction_ended());
    }

    /// A copy of the list, so that no lock is held while the writers work.
    fn all(&self) -> Vec<Arc<dyn DeferredWriter>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
