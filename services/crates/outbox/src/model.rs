//! Messages in the outbox, their copies, and the states of a copy.

use rovuma_envelope::Jws;
use rovuma_schemas::{AgencyCode, CountryCode, Lane, MessageId, MessageType, StreamId, Timestamp};

/// A position in a stream: the signed message names one for each recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamPosition {
    /// The sender's stream.
    pub stream: StreamId,
    /// The number in it, from 1 and without gaps.
    pub number: u64,
}

/// A signed message on its way to the agencies of one country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// The message.
    pub id: MessageId,
    /// Its type.
    pub message_type: MessageType,
    /// The agency that signed it.
    pub sender: AgencyCode,
    /// The country that this signature is for.
    pub country: CountryCode,
    /// The signed message. Receipts name its digest.
    pub jws: Jws,
    /// When it was released.
    pub created: Timestamp,
    /// When it is no longer worth transporting; absent for a message that never expires on the way.
    pub expires: Option<Timestamp>,
    /// The copies, one a recipient.
    pub copies: Vec<OutgoingCopy>,
}

/// One recipient of an outgoing message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingCopy {
    /// The recipient.
    pub recipient: AgencyCode,
    /// The lane it travels in.
    pub lane: Lane,
    /// Its position in the stream; absent when messages of the type have none. Then nothing answers the copy, and it is
    /// deleted once the broker has it.
    pub position: Option<StreamPosition>,
}

/// The state of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CopyState {
    /// It has not left yet.
    Waiting,
    /// The broker has confirmed it; no receipt yet.
    Queued,
    /// The recipient's gateway has stored it.
    Delivered,
    /// The recipient's gateway has refused it.
    Rejected,
    /// It expired before it left, can never leave, or was taken back; its number is void.
    Void,
}

impl CopyState {
    const ALL: [Self; 5] = [Self::Waiting, Self::Queued, Self::Delivered, Self::Rejected, Self::Void];

    /// The word for it in API answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Void => "void",
        }
    }

    pub(crate) fn to_column(self) -> i64 {
        Self::ALL.iter().zip(0..).find(|(state, _)| **state == self).map_or(0, |(_, column)| column)
    }

    pub(crate) fn from_column(column: i64) -> sqlx::Result<Self> {
        usize::try_from(column).ok().and_then(|index| Self::ALL.get(index).copied()).ok_or_else(|| {
            let source = format!("{column} is no state of a copy").into();
            sqlx::Error::ColumnDecode { index: "state".to_owned(), source }
        })
    }
}

impl std::fmt::Display for CopyState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One recipient and lane. One worker of a relay serves it at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecipientLane {
    pub(crate) lane: Lane,
    pub(crate) recipient: AgencyCode,
}

impl RecipientLane {
    pub(crate) fn new(recipient: &AgencyCode, lane: Lane) -> Self {
        Self { lane, recipient: recipient.clone() }
    }
}

/// A number as the store keeps it. No number beyond the range of `BIGINT` is ever given out.
pub(crate) fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
