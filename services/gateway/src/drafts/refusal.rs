//! The refusals of requests about drafts. A *fault*, by contrast, is one thing wrong with a draft.

use std::collections::BTreeSet;

use rovuma_schemas::{AgencyCode, Fault, MessageId, MessageType, NoDraft, Timestamp};

use super::{content::Content, duplicates::Duplicates, restricted::RestrictedSource, state::NotInState};
use crate::{cases::follow::NotFollowing, error::DbError, exchange::send::SendError};

/// The reason for which a request about a draft was refused or failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The bytes are no draft, not even an incomplete one.
    #[error("the posted content is no draft")]
    NoDraft(NoDraft),
    /// The draft is not valid, so it cannot be submitted or released.
    #[error("the draft has faults")]
    Faulty(Box<Content>),
    /// The draft is not there any more.
    #[error("there is no draft {id}")]
    NotFound {
        /// Its id.
        id: MessageId,
    },
    /// The draft is at another version than the caller has seen.
    #[error("the draft is at version {present}, not {seen}")]
    Version {
        /// Its version now.
        present: i64,
        /// The version that the caller has seen.
        seen: i64,
    },
    /// The caller must say which version they have seen, and did not.
    #[error("the request must name the version seen")]
    VersionNotNamed,
    /// The caller releases another's draft and has not read its present version.
    #[error("version {version} of draft {id} was not read")]
    NotRead {
        /// The draft.
        id: MessageId,
        /// Its present version, which the caller must read.
        version: i64,
    },
    /// The content posted is of another type than the draft.
    #[error("the draft is of type {present}")]
    OtherType {
        /// The draft's type.
        present: MessageType,
    },
    /// The author has the maximum of open drafts.
    #[error("the author has {max} open drafts")]
    TooManyDrafts {
        /// The maximum.
        max: i64,
    },
    /// The draft's state does not allow the step.
    #[error(transparent)]
    NotInState(#[from] NotInState),
    /// The country's trust list does not let the agency send messages of this type.
    #[error("the trust list of {} does not say that {agency} may send {message_type}", agency.country())]
    MayNotSend {
        /// The agency.
        agency: AgencyCode,
        /// The type.
        message_type: MessageType,
    },
    /// Recipients would refuse what the agency's present key signs.
    #[error("the signing key of {agency} {reason}")]
    SigningKey {
        /// The agency.
        agency: AgencyCode,
        /// The reason for which recipients would refuse the key.
        reason: &'static str,
    },
    /// The audit service has not acknowledged events for too long.
    #[error("the audit service has acknowledged nothing since {since}")]
    AuditOverdue {
        /// The instant at which the oldest unacknowledged event was recorded.
        since: Timestamp,
    },
    /// The case that it would follow in does not allow it.
    #[error(transparent)]
    NotFollowing(#[from] NotFollowing),
    /// The draft contradicts the versions before it in its case.
    #[error("the draft contradicts the versions before it")]
    Contradicts(Vec<Fault>),
    /// Something is live already about the same persons or things, and the release states no reason.
    #[error("{} cases or drafts are about the same", .0.found.len())]
    Duplicates(Box<Duplicates>),
    /// It would hand on what other agencies sent under a handling code, without their leave.
    #[error("{} messages are handed on only with their senders' leave", .0.len())]
    HandlingBreach(BTreeSet<RestrictedSource>),
    /// Its author alone releases what it says to know from a source of the agency's own.
    #[error("a second person must release what is said to be known from another source")]
    OwnSourceAlone,
    /// Numbering or signing failed.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The code called the function wrongly.
    #[error("{0}")]
    Internal(&'static str),
}

impl From<sqlx::Error> for Refusal {
    fn from(fault: sqlx::Error) -> Self {
        Self::Db(fault.into())
    }
}
