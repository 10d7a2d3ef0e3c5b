//! A statement, which of its rows are wanted, what it gave, and how sqlx's queries become statements.

use futures::{Stream, stream};
use sqlx::{
    Any, AnyConnection, Either, Execute, Executor, SqlStr,
    any::{AnyArguments, AnyQueryResult, AnyRow},
};

/// A statement with its values; without values it may be several statements, of which no rows are wanted.
pub(crate) struct Statement {
    pub(crate) text: SqlStr,
    pub(crate) values: Option<AnyArguments>,
    /// Whether it is kept prepared.
    pub(crate) is_kept: bool,
}

/// Which of a statement's rows are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowsWanted {
    /// None: the statement is run to its end.
    Effect,
    /// The first: the statement is not run further than that.
    First,
    /// All.
    All,
}

/// What a statement gave.
#[derive(Default)]
pub(crate) struct StatementOutput {
    pub(crate) rows: Vec<AnyRow>,
    pub(crate) result: AnyQueryResult,
}

impl Statement {
    /// Takes a query of sqlx apart.
    pub(crate) fn of<'q>(mut query: impl Execute<'q, Any>) -> sqlx::Result<Self> {
        let values = query.take_arguments().map_err(sqlx::Error::Encode)?;
        let is_kept = query.persistent();
        Ok(Self { text: query.sql(), values, is_kept })
    }

    /// Statements without values.
    pub(crate) fn without_values(text: SqlStr) -> Self {
        Self { text, values: None, is_kept: false }
    }

    /// Sends the statement to a server.
    pub(crate) async fn ask(
        self,
        server: &mut AnyConnection,
        wanted: RowsWanted,
    ) -> sqlx::Result<StatementOutput> {
        let Some(values) = self.values else {
            let raw = sqlx::raw_sql(self.text);
            return Ok(match wanted {
                RowsWanted::Effect => {
                    StatementOutput { result: raw.execute(server).await?, ..StatementOutput::default() }
                }
                RowsWanted::First | RowsWanted::All => {
                    StatementOutput { rows: raw.fetch_all(server).await?, ..StatementOutput::default() }
                }
            });
        };
        let query = sqlx::query_with(self.text, values).persistent(self.is_kept);
        Ok(match wanted {
            RowsWanted::Effect => {
                StatementOutput { result: server.execute(query).await?, ..StatementOutput::default() }
            }
            RowsWanted::First => {
                let row = server.fetch_optional(query).await?;
                StatementOutput { rows: row.into_iter().collect(), ..StatementOutput::default() }
            }
            RowsWanted::All => {
                StatementOutput { rows: server.fetch_all(query).await?, ..StatementOutput::default() }
            }
        })
    }
}

impl StatementOutput {
    /// The parts as sqlx streams them: the rows, then the result.
    pub(crate) fn into_stream(self) -> impl Stream<Item = sqlx::Result<Either<AnyQueryResult, AnyRow>>> {
        let rows = self.rows.into_iter().map(Either::Right);
        stream::iter(rows.chain([Either::Left(self.result)]).map(Ok))
    }
}

/// Makes a type run sqlx's queries by its method `answer`, which takes a [`Statement`] and the [`RowsWanted`]. sqlx's trait
/// cannot be implemented for all such types at once.
macro_rules! impl_executor {
    ($life:lifetime, $executor:ty) => {
        impl<$life> sqlx::Executor<$life> for $executor {
            type Database = sqlx::Any;

            fn execute<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> futures::future::BoxFuture<'e, sqlx::Result<sqlx::any::AnyQueryResult>>
            where
                $life: 'e,
                E: 'q + sqlx::Execute<'q, sqlx::Any>,
            {
                Box::pin(async move {
                    let statement = $crate::statement::Statement::of(query)?;
                    Ok(self.answer(statement, $crate::statement::RowsWanted::Effect).await?.result)
                })
            }

            fn fetch_many<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> futures::stream::BoxStream<
                'e,
                sqlx::Result<sqlx::Either<sqlx::any::AnyQueryResult, sqlx::any::AnyRow>>,
            >
            where
                $life: 'e,
                E: 'q + sqlx::Execute<'q, sqlx::Any>,
            {
                let output = async move {
                    let statement = $crate::statement::Statement::of(query)?;
                    let output = self.answer(statement, $crate::statement::RowsWanted::All).await?;
                    Ok::<_, sqlx::Error>(output.into_stream())
                };
                Box::pin(futures::TryFutureExt::try_flatten_stream(output))
            }

            fn fetch_all<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> futures::future::BoxFuture<'e, sqlx::Result<Vec<sqlx::any::AnyRow>>>
            where
                $life: 'e,
                E: 'q + sqlx::Execute<'q, sqlx::Any>,
            {
                Box::pin(async move {
                    let statement = $crate::statement::Statement::of(query)?;
                    Ok(self.answer(statement, $crate::statement::RowsWanted::All).await?.rows)
                })
            }

            fn fetch_optional<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> futures::future::BoxFuture<'e, sqlx::Result<Option<sqlx::any::AnyRow>>>
            where
                $life: 'e,
                E: 'q + sqlx::Execute<'q, sqlx::Any>,
            {
                Box::pin(async move {
                    let statement = $crate::statement::Statement::of(query)?;
                    Ok(self.answer(statement, $crate::statement::RowsWanted::First).await?.rows.pop())
                })
            }

            fn prepare_with<'e>(
                self,
                _sql: sqlx::SqlStr,
                _parameters: &'e [sqlx::any::AnyTypeInfo],
            ) -> futures::future::BoxFuture<'e, sqlx::Result<sqlx::any::AnyStatement>>
            where
                $life: 'e,
            {
                Box::pin(async { Err(sqlx::Error::Protocol($crate::statement::PREPARED_WHEN_RUN.into())) })
            }
        }
    };
}
pub(crate) use impl_executor;

/// Nothing in this product prepares a statement that it does not run.
pub(crate) const PREPARED_WHEN_RUN: &str = "a statement is prepared when it is run";
