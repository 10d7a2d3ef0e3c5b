//! Rows that jobs leave for the end of their transaction: many small rows of several jobs are written in few
//! statements. Each statement is on a server a round trip, which costs more than most rows.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{FutureExt, future::BoxFuture};

use crate::{Binding, Conn, DeferredWriter, Insert, Store};

/// Rows of one table that are inserted at the end of the transaction, in the order in which jobs left them. A row that
/// the table refuses fails the whole transaction: use this only for rows that the table always takes.
pub struct DeferredRows<R> {
    insert: Insert,
    bind: BindRow<R>,
    buffer: Mutex<Buffer<R>>,
}

/// Binds the values of a row.
pub type BindRow<R> = for<'q> fn(Binding<'q>, &'q R) -> Binding<'q>;

struct Buffer<R> {
    rows: Vec<R>,
    /// The number of rows when the present job began.
    at_job: usize,
}

impl<R: Send + Sync + 'static> DeferredRows<R> {
    /// A buffer of rows, which `store` writes at the end of each transaction.
    pub fn new(store: &Store, insert: Insert, bind: BindRow<R>) -> Arc<Self> {
        let buffer = Mutex::new(Buffer { rows: Vec::new(), at_job: 0 });
        let deferred = Arc::new(Self { insert, bind, buffer });
        store.add_deferred(deferred.clone());
        deferred
    }

    /// Leaves a row, in the transaction of [`Store::write`].
    pub fn push(&self, _tx: &mut Conn, row: R) {
        self.buffer().rows.push(row);
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer<R>> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Send + Sync + 'static> DeferredWriter for DeferredRows<R> {
    fn job_begins(&self) {
        let mut buffer = self.buffer();
        buffer.at_job = buffer.rows.len();
    }

    fn job_rolled_back(&self) {
        let mut buffer = self.buffer();
        let at_job = buffer.at_job;
        buffer.rows.truncate(at_job);
    }

    fn write<'t>(&'t self, tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>> {
        async move {
            let rows = std::mem::take(&mut self.buffer().rows);
            self.insert.rows(tx, &rows, self.bind).await
        }
        .boxed()
    }

    fn transaction_ended(&self) {
        self.buffer().rows.clear();
    }
}

impl<R> fmt::Debug for DeferredRows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredRows").field("insert", &self.insert).finish_non_exhaustive()
    }
}
