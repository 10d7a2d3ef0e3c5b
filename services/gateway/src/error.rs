//! Failures inside a transaction of the gateway.

use rovuma_schemas::{BadId, BadTimestamp};

/// A failure of the store, or of something that is done with it in one transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// The database did not answer, or refused.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// A row holds an identifier that this build would not have written.
    #[error("a stored identifier is damaged: {0}")]
    Id(#[from] BadId),
    /// A row holds an instant that this build would not have written.
    #[error("a stored instant is damaged: {0}")]
    Time(#[from] BadTimestamp),
    /// A row holds something else that this build would not have written.
    #[error("a stored {what} is damaged: {reason}")]
    Damaged {
        /// The kind of value: `draft`, `jws`.
        what: &'static str,
        /// What is wrong with it; no content.
        reason: String,
    },
}

impl DbError {
    /// A stored value of kind `what` that cannot be read.
    pub(crate) fn damaged(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { what, reason: reason.to_string() }
    }

    /// Whether the same work may succeed later without a change.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Sql(fault) => rovuma_store::is_transient(fault),
            Self::Id(_) | Self::Time(_) | Self::Damaged { .. } => false,
        }
    }
}
