//! What a route answers when it does not do what was asked.

use axum::http::StatusCode;
use rovuma_api::StoreProblems;
use rovuma_runtime::Problem;

use crate::{auditor::Auditor, error::DbError};

/// A refusal or a failure of a route of the audit service.
pub(super) type ApiError = rovuma_api::ApiError<Auditor>;

impl StoreProblems for Auditor {
    fn storage_full() -> Problem {
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full")
            .detail("The log's disk is full: it cannot write down who looks, so nothing is shown.")
    }

    fn storage_unavailable() -> Problem {
        Problem::unavailable("storage_unavailable")
            .detail("The log cannot be reached now. Try again shortly.")
    }
}

impl From<DbError> for ApiError {
    fn from(fault: DbError) -> Self {
        let problem = match &fault {
            DbError::Damaged { .. } => Problem::internal(),
            DbError::Unwitnessed => Problem::unavailable("log_closed").detail(
                "The log is closed until the partner country cosigns it again: it cannot write down who looks.",
            ),
            _ => Auditor::storage_unavailable(),
        };
        Self::because(problem, fault)
    }
}
