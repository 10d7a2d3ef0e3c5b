//! Finds a message of one agency by its id.

use rovuma_policy::Resource;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::Conn;

use super::{
    received::{self, Received},
    sent::{self, Sent},
};
use crate::error::DbError;

/// A message that an agency sent, or its copy of a message that it received. One message can be both, for two agencies of one
/// gateway.
#[derive(Clone, Debug)]
pub(crate) enum OwnMessage {
    /// The agency sent the message.
    Sent(Box<Sent>),
    /// The agency received this copy.
    Received(Box<Received>),
}

/// The result of looking for a message.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// The agency has the message.
    Own(OwnMessage),
    /// The agency has messages of several senders, these, under the id: the request must name the sender.
    Several(Vec<AgencyCode>),
    /// Only another agency of this gateway has the message. The caller gets the same answer as for [`NotFound`](Self::NotFound),
    /// after the same work; only the audit log has the difference.
    OfAnotherAgency,
    /// No agency of this gateway has the message.
    NotFound,
}

/// Finds the message of `agency` with this sender and id. Without the sender it is found if the agency has only one message
/// under the id.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn find(
    conn: &mut Conn,
    agency: &AgencyCode,
    sender: Option<&AgencyCode>,
    id: &MessageId,
) -> Result<Lookup, DbError> {
    let all = own(conn, agency, id).await?;
    if all.is_empty() {
        return of_another_agency(conn, id).await;
    }
    let mut wanted: Vec<OwnMessage> =
        all.into_iter().filter(|found| sender.is_none_or(|sender| found.sender() == sender)).collect();
    Ok(match wanted.pop() {
        None => Lookup::NotFound,
        Some(found) if wanted.is_empty() => Lookup::Own(found),
        Some(last) => Lookup::Several(wanted.iter().chain([&last]).map(|one| one.sender().clone()).collect()),
    })
}

/// The messages of the agency under an id: at most one of each sender.
async fn own(conn: &mut Conn, agency: &AgencyCode, id: &MessageId) -> Result<Vec<OwnMessage>, DbError> {
    let sent = sent::load(conn, agency, id).await?;
    // What an agency sent to itself is one message, and what it sent says more.
    let is_sent = sent.is_some();
    let mut received = received::all(conn, agency, id).await?;
    received.retain(|copy| !is_sent || copy.sender != *agency);
    let received = received.into_iter().map(|copy| OwnMessage::Received(Box::new(copy)));
    Ok(sent.map(|sent| OwnMessage::Sent(Box::new(sent))).into_iter().chain(received).collect())
}

/// The statement of [`of_another_agency`].
pub(crate) const ELSEWHERE: &str =
    "SELECT 1 FROM sent WHERE id = $1 UNION ALL SELECT 1 FROM received WHERE id = $1 LIMIT 1";

async fn of_another_agency(conn: &mut Conn, id: &MessageId) -> Result<Lookup, DbError> {
    let row = sqlx::query(ELSEWHERE).bind(id.as_bytes().to_vec()).fetch_optional(conn).await?;
    Ok(if row.is_some() { Lookup::OfAnotherAgency } else { Lookup::NotFound })
}

impl OwnMessage {
    /// The message's id.
    pub(crate) fn id(&self) -> MessageId {
        match self {
            Self::Sent(sent) => sent.id,
            Self::Received(received) => received.id,
        }
    }

    /// The agency that signed the message.
    pub(crate) fn sender(&self) -> &AgencyCode {
        match self {
            Self::Sent(sent) => &sent.agency,
            Self::Received(received) => &received.sender,
        }
    }

    /// The agency whose copy it is.
    pub(crate) fn owner(&self) -> &AgencyCode {
        match self {
            Self::Sent(sent) => &sent.agency,
            Self::Received(received) => &received.recipient,
        }
    }

    /// When its content was erased at the end of its case's retention.
    pub(crate) fn erased_at(&self) -> Option<Timestamp> {
        match self {
            Self::Sent(sent) => sent.erased_at,
            Self::Received(received) => received.erased_at,
        }
    }

    /// The copy as the policy sees it.
    pub(crate) fn resource(&self) -> Resource {
        Resource::message(&self.id().to_string(), self.owner())
    }
}
