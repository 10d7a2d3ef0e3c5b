//! What a route answers when it does not do what was asked.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rovuma_runtime::Problem;
use rovuma_schemas::{BadId, BadTimestamp};
use rovuma_store::WriteError;

use crate::{error::DbError, exchange::send::SendError};

/// A refusal that the caller can act on, or a failure that only the log explains.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// Refused, with the whole answer.
    #[error("refused: {}", .0.code)]
    Refused(Box<Problem>),
    /// The store, or something in it, failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Something else failed that is not the caller's doing.
    #[error("{0}")]
    Failed(String),
}

/// 507: nothing was written, nothing was lost.
pub(crate) fn storage_full() -> Problem {
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full").detail(
        "The gateway's disk is full. Nothing was changed and nothing was lost; the operator has to make room.",
    )
}

fn storage_unavailable() -> Problem {
    Problem::unavailable("storage_unavailable")
        .detail("The gateway cannot reach its store now. Try again shortly.")
}

impl ApiError {
    /// A failure that belongs in the log only.
    pub(crate) fn failed(what: impl std::fmt::Display) -> Self {
        Self::Failed(what.to_string())
    }
}

impl From<SendError> for ApiError {
    fn from(fault: SendError) -> Self {
        match fault {
            SendError::Db(fault) => Self::Db(fault),
            SendError::NotServed { agency } => Problem::new(StatusCode::FORBIDDEN, "agency_not_served")
                .detail(format!("This gateway does not sign for {agency}."))
                .into(),
            SendError::Signer { .. } => {
                tracing::error!(%fault, "a key did not sign");
                Problem::unavailable("signing_unavailable")
                    .detail("The agency's signing key does not answer now. Nothing was sent.")
                    .into()
            }
        }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(fault: sqlx::Error) -> Self {
        Self::Db(fault.into())
    }
}

impl From<BadId> for ApiError {
    fn from(fault: BadId) -> Self {
        Self::Db(fault.into())
    }
}

impl From<BadTimestamp> for ApiError {
    fn from(fault: BadTimestamp) -> Self {
        Self::Db(fault.into())
    }
}

impl<E: Into<Self>> From<WriteError<E>> for ApiError {
    fn from(fault: WriteError<E>) -> Self {
        match fault {
            WriteError::Job(own) => own.into(),
            WriteError::Full => storage_full().into(),
            WriteError::Busy | WriteError::Away => storage_unavailable().into(),
            WriteError::Closed | WriteError::Database(_) => {
                tracing::error!(reason = %fault.map_job(|_| "the job"), "a write did not take effect");
                storage_unavailable().into()
            }
            WriteError::Panicked => Self::failed(fault.map_job(|_| "the job")),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(problem) => problem.into_response(),
            Self::Db(fault) if fault.is_transient() => {
                tracing::error!(%fault, "the store did not answer");
                storage_unavailable().into_response()
            }
            Self::Db(fault) => {
                tracing::error!(%fault, "the store holds something damaged");
                Problem::internal().into_response()
            }
            Self::Failed(what) => {
                tracing::error!("{what}");
                Problem::internal().into_response()
            }
        }
    }
}
