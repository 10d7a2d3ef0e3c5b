//! Failures of the store.

use thiserror::Error;

/// What a query or a write fails with.
#[derive(Debug, Error)]
pub(crate) enum DbError {
    /// The store does not answer, or refuses.
    #[error(transparent)]
    Query(#[from] sqlx::Error),
    /// The store holds what this service never wrote.
    #[error("a stored {what} is damaged: {reason}")]
    Damaged { what: &'static str, reason: String },
}

impl DbError {
    pub(crate) fn damaged(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { what, reason: reason.to_string() }
    }
}
