//! What jobs leave to be written at the end of their transaction: many small rows of several jobs in few
//! statements. Each statement is a change of threads or a round trip, which costs more than most rows.

use std::sync::{Arc, PoisonError, RwLock};

use futures::future::BoxFuture;

use crate::Conn;

/// Keeps what jobs leave, and writes it before the commit. Only the writer calls it, one call at a time.
///
/// What a job left stands or falls with the job: a job that is taken back takes it along.
pub trait Late: Send + Sync + 'static {
    /// A job begins.
    fn job_begins(&self);

    /// The work of the job is taken back, and so is what it left.
    fn job_is_taken_back(&self);

    /// Writes everything that is left, because the commit comes next.
    fn write<'t>(&'t self, tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>>;

    /// The transaction is over, and took effect or not.
    fn transaction_ends(&self);
}

/// All that keep something for later in one store.
#[derive(Clone, Default)]
pub(crate) struct AllLate(Arc<RwLock<Vec<Arc<dyn Late>>>>);

impl AllLate {
    /// One more, for as long as the store is open: whoever made it may be gone before the transaction ends.
    pub(crate) fn add(&self, late: Arc<dyn Late>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(late);
    }

    pub(crate) fn job_begins(&self) {
        self.each(|late| late.job_begins());
    }

    pub(crate) fn job_is_taken_back(&self) {
        self.each(|late| late.job_is_taken_back());
    }

    pub(crate) async fn write(&self, tx: &mut Conn) -> sqlx::Result<()> {
        for late in self.present() {
            late.write(tx).await?;
        }
        Ok(())
    }

    pub(crate) fn transaction_ends(&self) {
        self.each(|late| late.transaction_ends());
    }

    fn each(&self, tell: impl Fn(&dyn Late)) {
        self.present().iter().for_each(|late| tell(late.as_ref()));
    }

    fn present(&self) -> Vec<Arc<dyn Late>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Rows of jobs in one transaction, with the way back to where the last job began.
#[derive(Clone, Debug)]
pub struct LateRows<R> {
    rows: Vec<R>,
    at_job: usize,
}

impl<R> Default for LateRows<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), at_job: 0 }
    }
}

impl<R> LateRows<R> {
    /// One more row.
    pub fn push(&mut self, row: R) {
        self.rows.push(row);
    }

    /// See [`Late::job_begins`].
    pub fn job_begins(&mut self) {
        self.at_job = self.rows.len();
    }

    /// See [`Late::job_is_taken_back`].
    pub fn job_is_taken_back(&mut self) {
        self.rows.truncate(self.at_job);
    }

    /// All rows, which are gone from here.
    pub fn take(&mut self) -> Vec<R> {
        self.at_job = 0;
        std::mem::take(&mut self.rows)
    }

    /// See [`Late::transaction_ends`].
    pub fn clear(&mut self) {
        self.rows.clear();
        self.at_job = 0;
    }
}
