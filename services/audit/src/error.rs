//! What can go wrong with the log's store.

use rovuma_tlog::CosignFault;

/// A failure of the store, or something in it that this build would not have written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// The database did not answer, or refused.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// Nobody has cosigned the log's heads for so long that it takes nothing more in, as it is configured.
    #[error(
        "no partner has cosigned the log for longer than `witness.fail_closed_after_s`: it takes nothing in until one does"
    )]
    Unwitnessed,
    /// An older copy was put in the place of the store.
    #[error(
        "an older copy was put in the place of the store while the service ran: it has to start anew, with a new tree"
    )]
    PutBack,
    /// The clock is years ahead of the log.
    #[error("the clock says {year}, and {origin} is the log's present tree: is the clock right?")]
    Clock {
        /// The present tree.
        origin: String,
        /// The clock's year.
        year: i16,
    },
    /// What was cosigned last cannot be read or kept beside the store.
    #[error("what was cosigned last of a partner's log: {0}")]
    Memory(std::io::Error),
    /// The log's key did not sign its head.
    #[error("the log's head cannot be signed: {0}")]
    Sign(#[from] CosignFault),
    /// Something that is stored cannot be read, or something of our own cannot be written.
    #[error("a stored {what} is damaged: {reason}")]
    Damaged {
        /// What it is.
        what: &'static str,
        /// What is wrong with it; no content.
        reason: String,
    },
}

impl DbError {
    /// A stored thing that cannot be read back.
    pub(crate) fn damaged(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { what, reason: reason.to_string() }
    }
}
