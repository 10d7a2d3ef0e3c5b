//! What a route answers when it does not do what was asked.

use axum::response::{IntoResponse, Response};
use rovuma_runtime::Problem;

use crate::fault::Fault;

/// A refusal, with the whole answer.
pub(super) struct ApiError(Box<Problem>);

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        Problem::from(fault).into()
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(fault: sqlx::Error) -> Self {
        Fault::from(fault).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
