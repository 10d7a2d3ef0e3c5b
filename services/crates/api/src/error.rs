//! The answers of routes that refuse or fail.

use std::{error::Error, fmt, marker::PhantomData};

use axum::response::{IntoResponse, Response};
use rovuma_runtime::Problem;
use rovuma_schemas::{BadId, BadTimestamp};
use rovuma_store::WriteError;

/// The problems with which a service `S` answers when its store fails, in the service's own words.
pub trait StoreProblems: 'static {
    /// 507: nothing was written, nothing was lost.
    fn storage_full() -> Problem;

    /// 503: the same request may succeed later.
    fn storage_unavailable() -> Problem;
}

/// A refusal that the caller can act on, or a failure whose cause only the log explains.
pub struct ApiError<S> {
    problem: Box<Problem>,
    cause: Option<Box<dyn Error + Send + Sync>>,
    service: PhantomData<fn() -> S>,
}

impl<S> ApiError<S> {
    /// A failure that the caller learns nothing of: 500, with the cause in the log.
    pub fn failed(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::because(Problem::internal(), cause)
    }

    /// The answer.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// A failure that is answered with `problem`, with the cause in the log.
    pub fn because(problem: Problem, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..problem.into() }
    }
}

impl<S: StoreProblems> ApiError<S> {
    /// A failed query: 503 when the same query may succeed later, else 500.
    pub fn of_query(cause: impl Into<Box<dyn Error + Send + Sync>>, is_transient: bool) -> Self {
        let problem = if is_transient { S::storage_unavailable() } else { Problem::internal() };
        Self::because(problem, cause)
    }
}

impl<S> From<Box<Problem>> for ApiError<S> {
    fn from(problem: Box<Problem>) -> Self {
        Self { problem, cause: None, service: PhantomData }
    }
}

impl<S> From<Problem> for ApiError<S> {
    fn from(problem: Problem) -> Self {
        Box::new(problem).into()
    }
}

impl<S: StoreProblems> From<sqlx::Error> for ApiError<S> {
    fn from(fault: sqlx::Error) -> Self {
        let is_transient = rovuma_store::is_transient(&fault);
        Self::of_query(fault, is_transient)
    }
}

impl<S> From<BadId> for ApiError<S> {
    fn from(fault: BadId) -> Self {
        Self::failed(format!("a stored identifier is damaged: {fault}"))
    }
}

impl<S> From<BadTimestamp> for ApiError<S> {
    fn from(fault: BadTimestamp) -> Self {
        Self::failed(format!("a stored instant is damaged: {fault}"))
    }
}

impl<S: StoreProblems, E: Into<Self>> From<WriteError<E>> for ApiError<S> {
    fn from(fault: WriteError<E>) -> Self {
        let (problem, cause) = match fault {
            WriteError::Job(own) => return own.into(),
            WriteError::Full => (S::storage_full(), fault),
            WriteError::Panicked => (Problem::internal(), fault),
            WriteError::Busy | WriteError::Unreachable | WriteError::Closed | WriteError::Database(_) => {
                (S::storage_unavailable(), fault)
            }
        };
        Self::because(problem, cause.map_job(|_| "the job").to_string())
    }
}

impl<S> fmt::Display for ApiError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => cause.fmt(f),
            None => write!(f, "refused: {}", self.problem.code),
        }
    }
}

impl<S> fmt::Debug for ApiError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError").field("problem", &self.problem).field("cause", &self.cause).finish()
    }
}

impl<S> Error for ApiError<S> {
    /// The store looks here for a failure of its own when a job returns this error.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl<S> IntoResponse for ApiError<S> {
    fn into_response(self) -> Response {
        if let Some(cause) = self.cause {
            tracing::error!(%cause, code = self.problem.code, "a request could not be answered");
        }
        self.problem.into_response()
    }
}
