//! What can go wrong inside the service, whoever asked.

use axum::http::StatusCode;
use rovuma_runtime::Problem;
use rovuma_store::WriteError;
use rovuma_tokens::KeyFault;

use crate::{keys::KeysFault, password::HashFault};

/// A failure that is not the caller's doing. Logged once, where it becomes an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Write(#[from] WriteError<sqlx::Error>),
    #[error(transparent)]
    Read(#[from] sqlx::Error),
    #[error(transparent)]
    Hash(#[from] HashFault),
    #[error(transparent)]
    Keys(#[from] KeysFault),
    #[error(transparent)]
    Key(#[from] KeyFault),
    #[error(transparent)]
    Page(#[from] askama::Error),
}

impl Fault {
    /// Whether the same request may succeed in a moment.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Write(fault) => fault.is_transient(),
            Self::Hash(HashFault::Crowded) => true,
            _ => false,
        }
    }

    /// Logs the failure.
    pub(crate) fn log(&self) {
        tracing::error!(fault = %self, "a request could not be answered");
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        fault.log();
        if let Fault::Write(WriteError::Full) = fault {
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full")
                .detail("There is no room left to keep this. Nothing was done.");
        }
        if fault.is_transient() {
            Self::unavailable("busy").detail("The service cannot do this now. Try again in a moment.")
        } else {
            Self::internal()
        }
    }
}
