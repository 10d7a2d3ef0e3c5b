//! Queries that may take long, on a thread of their own.

use futures::{FutureExt, StreamExt, TryFutureExt, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, Database, Either, Execute, Executor, SqlStr,
    any::{AnyQueryResult, AnyRow, AnyStatement},
};

use crate::{
    Readers,
    statement::{Answer, Statement, Wanted},
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
    async fn answer(self, statement: Statement, wanted: Wanted) -> sqlx::Result<Answer> {
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

impl<'p> Executor<'p> for Aside<'p> {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<AnyQueryResult, AnyRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        async move {
            let answer = self.answer(Statement::of(query)?, Wanted::All).await?;
            Ok::<_, sqlx::Error>(answer.into_stream())
        }
        .try_flatten_stream()
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<AnyRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        async move { Ok(self.answer(Statement::of(query)?, Wanted::First).await?.rows.pop()) }.boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [<Any as Database>::TypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<AnyStatement>>
    where
        'p: 'e,
    {
        self.0.prepare_with(sql, parameters)
    }
}
