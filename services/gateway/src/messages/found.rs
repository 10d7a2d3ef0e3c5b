//! A message by its id, in the eyes of one agency.

use rovuma_policy::Resource;
use rovuma_schemas::{AgencyCode, MessageId};
use rovuma_store::Conn;

use super::{
    received::{self, Received},
    sent::{self, Sent},
};
use crate::error::DbError;

/// A message that an agency has: the one it sent, or its copy of one it received. The same message may be
/// both, of two agencies of one gateway.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// It sent it.
    Sent(Box<Sent>),
    /// It received it.
    Received(Box<Received>),
}

/// Where a message is.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// The agency has it.
    Own(Found),
    /// The agency has more than one under this id, of these senders: it has to say which.
    Several(Vec<AgencyCode>),
    /// Another agency of this gateway has it: to the caller as if it were nowhere, to the audit log not.
    Anothers,
    /// Nobody here has it.
    Nowhere,
}

/// Looks for a message in the eyes of `agency`. A message is named by its sender and its id; without the sender
/// it is found as long as the agency has one alone under the id.
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
        return elsewhere(conn, id).await;
    }
    let mut wanted: Vec<Found> =
        all.into_iter().filter(|found| sender.is_none_or(|sender| found.sender() == sender)).collect();
    Ok(match wanted.pop() {
        None => Lookup::Nowhere,
        Some(found) if wanted.is_empty() => Lookup::Own(found),
        Some(last) => Lookup::Several(wanted.iter().chain([&last]).map(|one| one.sender().clone()).collect()),
    })
}

/// Everything that the agency has under an id: at most one of each sender.
async fn own(conn: &mut Conn, agency: &AgencyCode, id: &MessageId) -> Result<Vec<Found>, DbError> {
    let sent = sent::load(conn, agency, id).await?;
    // What an agency sent to itself is one message, and what it sent says more.
    let is_sent = sent.is_some();
    let mut received = received::all(conn, agency, id).await?;
    received.retain(|copy| !is_sent || copy.sender != *agency);
    let received = received.into_iter().map(|copy| Found::Received(Box::new(copy)));
    Ok(sent.map(|sent| Found::Sent(Box::new(sent))).into_iter().chain(received).collect())
}

async fn elsewhere(conn: &mut Conn, id: &MessageId) -> Result<Lookup, DbError> {
    let row = sqlx::query(
        "SELECT 1 FROM sent WHERE id = $1 UNION ALL SELECT 1 FROM received WHERE id = $1 LIMIT 1",
    )
    .bind(id.as_bytes().to_vec())
    .fetch_optional(conn)
    .await?;
    Ok(if row.is_some() { Lookup::Anothers } else { Lookup::Nowhere })
}

impl Found {
    /// The message's id.
    pub(crate) fn id(&self) -> MessageId {
        match self {
            Self::Sent(sent) => sent.id,
            Self::Received(received) => received.id,
        }
    }

    /// Who signed it.
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

    /// The copy as the policy sees it.
    pub(crate) fn resource(&self) -> Resource {
        Resource::message(&self.id().to_string(), self.owner())
    }
}
