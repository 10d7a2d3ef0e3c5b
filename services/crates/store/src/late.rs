//! What jobs leave to be written at the end of their transaction: many small rows of several jobs in few
//! statements. Each statement is a change of threads or a round trip, which costs more than most rows.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use futures::{FutureExt, future::BoxFuture};

use crate::{Binding, Conn, Insert, Store};

/// Keeps what jobs leave, and writes it before the commit. Only the writer calls it, one call at a time.
///
/// What a job left stands or falls with the job: a job that is taken back takes it along.
pub trait DeferredWriter: Send + Sync + 'static {
    /// A job begins.
    fn job_begins(&self);

    /// The work of the job is taken back, and so is what it left.
    fn job_rolled_back(&self);

    /// Writes everything that is left, because the commit comes next.
    fn write<'t>(&'t self, tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>>;

    /// The transaction is over, and took effect or not.
    fn transaction_ended(&self);
}

/// All that keep something for later in one store.
#[derive(Clone, Default)]
pub(crate) struct AllLate(Arc<RwLock<Vec<Arc<dyn DeferredWriter>>>>);

impl AllLate {
    /// One more, for as long as the store is open: whoever made it may be gone before the transaction ends.
    pub(crate) fn add(&self, late: Arc<dyn DeferredWriter>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(late);
    }

    pub(crate) fn job_begins(&self) {
        self.each(|late| late.job_begins());
    }

    pub(crate) fn job_rolled_back(&self) {
        self.each(|late| late.job_rolled_back());
    }

    pub(crate) async fn write(&self, tx: &mut Conn) -> sqlx::Result<()> {
        for late in self.present() {
            late.write(tx).await?;
        }
        Ok(())
    }

    pub(crate) fn transaction_ended(&self) {
        self.each(|late| late.transaction_ended());
    }

    fn each(&self, tell: impl Fn(&dyn DeferredWriter)) {
        self.present().iter().for_each(|late| tell(late.as_ref()));
    }

    fn present(&self) -> Vec<Arc<dyn DeferredWriter>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Rows of one table that are inserted at the end of the transaction, in the order in which they were left. A row that
/// the table does not take fails the whole transaction: it is for rows that it always takes.
pub struct DeferredRows<R> {
    insert: Insert,
    bind: Bind<R>,
    state: Mutex<State<R>>,
}

/// Binds the values of a row.
pub type Bind<R> = for<'q> fn(Binding<'q>, &'q R) -> Binding<'q>;

struct State<R> {
    rows: Vec<R>,
    /// How many there were when the job began.
    at_job: usize,
}

impl<R: Send + Sync + 'static> DeferredRows<R> {
    /// Rows for `store`.
    pub fn new(store: &Store, insert: Insert, bind: Bind<R>) -> Arc<Self> {
        let state = Mutex::new(State { rows: Vec::new(), at_job: 0 });
        let late = Arc::new(Self { insert, bind, state });
        store.add_deferred(late.clone());
        late
    }

    /// Leaves a row, in the transaction of [`Store::write`].
    pub fn push(&self, _tx: &mut Conn, row: R) {
        self.state().rows.push(row);
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Send + Sync + 'static> DeferredWriter for DeferredRows<R> {
    fn job_begins(&self) {
        let mut state = self.state();
        state.at_job = state.rows.len();
    }

    fn job_rolled_back(&self) {
        let mut state = self.state();
        let at_job = state.at_job;
        state.rows.truncate(at_job);
    }

    fn write<'t>(&'t self, tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>> {
        async move {
            let rows = std::mem::take(&mut self.state().rows);
            self.insert.rows(tx, &rows, self.bind).await
        }
        .boxed()
    }

    fn transaction_ended(&self) {
        self.state().rows.clear();
    }
}

impl<R> fmt::Debug for DeferredRows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredRows").field("insert", &self.insert).finish_non_exhaustive()
    }
}
