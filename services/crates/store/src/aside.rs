//! Queries that may take long, on a thread of their own.

use crate::{
    Readers,
    statement::{RowsWanted, Statement, StatementOutput, impl_executor},
};

/// Runs queries on the pool, those of a file on a thread of their own.
#[derive(Clone, Copy, Debug)]
pub struct Aside<'p>(&'p Readers);

impl Readers {
    /// The way for a query that reads many rows: a search, a count. A file is otherwise read on the thread that asks, and all
    /// tasks of that thread wait meanwhile, which for a look-up by an index is less than changing threads takes.
    pub fn aside(&self) -> Aside<'_> {
        Aside(self)
    }
}

impl Aside<'_> {
    async fn answer(self, statement: Statement, wanted: RowsWanted) -> sqlx::Result<StatementOutput> {
        let mut reader = self.0.acquire().await?;
        if !reader.is_file() {
            return reader.answer(statement, wanted).await;
        }
        let runtime = tokio::runtime::Handle::current();
        let answered =
            tokio::task::spawn_blocking(move || runtime.block_on(reader.answer(statement, wanted))).await;
        answered.map_err(|_| sqlx::Error::WorkerCrashed)?
    }
}

impl_executor!('p, Aside<'p>);
