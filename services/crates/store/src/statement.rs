//! A statement, what is wanted of it, and what it answers.

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
pub(crate) enum Wanted {
    /// None: the statement is run to its end.
    Effect,
    /// The first: the statement is not run further than that.
    First,
    /// All.
    All,
}

/// What a statement answered.
#[derive(Default)]
pub(crate) struct Answer {
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
    pub(crate) async fn ask(self, server: &mut AnyConnection, wanted: Wanted) -> sqlx::Result<Answer> {
        let Some(values) = self.values else {
            let raw = sqlx::raw_sql(self.text);
            return Ok(match wanted {
                Wanted::Effect => Answer { result: raw.execute(server).await?, ..Answer::default() },
                Wanted::First | Wanted::All => {
                    Answer { rows: raw.fetch_all(server).await?, ..Answer::default() }
                }
            });
        };
        let query = sqlx::query_with(self.text, values).persistent(self.is_kept);
        Ok(match wanted {
            Wanted::Effect => Answer { result: server.execute(query).await?, ..Answer::default() },
            Wanted::First => {
                let row = server.fetch_optional(query).await?;
                Answer { rows: row.into_iter().collect(), ..Answer::default() }
            }
            Wanted::All => Answer { rows: server.fetch_all(query).await?, ..Answer::default() },
        })
    }
}

impl Answer {
    /// The parts as sqlx streams them: the rows, then the result.
    pub(crate) fn into_stream(self) -> impl Stream<Item = sqlx::Result<Either<AnyQueryResult, AnyRow>>> {
        let rows = self.rows.into_iter().map(Either::Right);
        stream::iter(rows.chain([Either::Left(self.result)]).map(Ok))
    }
}
