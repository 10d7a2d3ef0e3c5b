//! What a route answers when it does not do what was asked.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rovuma_runtime::Problem;
use rovuma_store::WriteError;

use crate::error::DbError;

/// A refusal that the caller can act on, or a failure that only the log explains.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// Refused, with the whole answer.
    #[error("refused: {}", .0.code)]
    Refused(Box<Problem>),
    /// The store, or something in it, failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl<E: std::fmt::Debug + std::fmt::Display> From<WriteError<E>> for ApiError
where
    Self: From<E>,
{
    fn from(fault: WriteError<E>) -> Self {
        match fault {
            WriteError::Job(own) => own.into(),
            WriteError::Full => {
                tracing::error!("the log's disk is full");
                let problem = Problem::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full");
                problem
                    .detail("The log's disk is full: it cannot write down who looks, so nothing is shown.")
                    .into()
            }
            WriteError::Busy | WriteError::Away | WriteError::Closed | WriteError::Database(_) => {
                tracing::error!(%fault, "a write did not take effect");
                unavailable().into()
            }
            WriteError::Panicked => {
                tracing::error!(%fault, "a write did not take effect");
                Problem::internal().into()
            }
        }
    }
}

fn unavailable() -> Problem {
    Problem::unavailable("storage_unavailable").detail("The log cannot be reached now. Try again shortly.")
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(problem) => problem.into_response(),
            Self::Db(fault @ DbError::Damaged { .. }) => {
                tracing::error!(%fault, "the store holds something damaged");
                Problem::internal().into_response()
            }
            Self::Db(fault @ DbError::Unwitnessed) => {
                tracing::error!(%fault, "the log is closed");
                let closed = "The log is closed until the partner country cosigns it again: it cannot write down who looks.";
                Problem::unavailable("log_closed").detail(closed).into_response()
            }
            Self::Db(fault) => {
                tracing::error!(%fault, "the store did not answer");
                unavailable().into_response()
            }
        }
    }
}
