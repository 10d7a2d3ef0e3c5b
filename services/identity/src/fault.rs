//! Failures inside the service.

use rovuma_store::WriteError;
use rovuma_tokens::KeyFault;

use crate::{keys::KeysFault, password::HashFault};

/// A failure that the caller did not cause. It is logged once, where it becomes a response.
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
        tracing::error!(fault = %self, "a request failed");
    }
}
