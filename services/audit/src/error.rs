//! Failures of the log's store.

use rovuma_tlog::CosignFault;

/// A failure of the store, or stored data that this build would not have written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// The database did not answer, or refused.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// No partner has cosigned the log's heads for longer than the configuration allows, so the log is closed.
    #[error(
        "no partner has cosigned the log for longer than `witness.fail_closed_after_s`: it appends nothing until one does"
    )]
    Unwitnessed,
    /// The store was replaced by an older copy.
    #[error(
        "the store was replaced by an older copy while the service ran: the service must start again, with a new tree"
    )]
    StoreReplaced,
    /// The clock is years ahead of the log.
    #[error("the clock says {year}, but {origin} is the log's present tree: is the clock right?")]
    Clock {
        /// The present tree.
        origin: String,
        /// The clock's year.
        year: i16,
    },
    /// The file of a partner's last cosigned head cannot be read or written.
    #[error("the file of a partner's last cosigned head: {0}")]
    CosignedFiles(std::io::Error),
    /// The log's key did not sign its head.
    #[error("the log's head cannot be signed: {0}")]
    Sign(#[from] CosignFault),
    /// Stored data cannot be read, or data cannot be encoded for the store.
    #[error("a stored {what} is damaged: {reason}")]
    Damaged {
        /// The kind of data.
        what: &'static str,
        /// Why, without any content.
        reason: String,
    },
}

impl DbError {
    /// The error about damaged data.
    pub(crate) fn damaged(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { what, reason: reason.to_string() }
    }
}
