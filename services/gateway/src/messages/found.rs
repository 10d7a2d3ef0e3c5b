//! A message by its id, in the eyes of one agency.

use rovuma_policy::Resource;
use rovuma_schemas::{AgencyCode, MessageId};
use rovuma_store::Conn;

use super::{
    received::{self, Received},
    sent::{self, Sent},
};
use crate::error::DbError;

/// A message that an agency has: the one it sent, or its copy of one it received. The same id may be both,
/// of two agencies of one gateway.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// It sent it.
    Sent(Sent),
    /// It received it.
    Received(Box<Received>),
}

/// Where a message is.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// The agency has it.
    Own(Found),
    /// Another agency of this gateway has it: to the caller as if it were nowhere, to the audit log not.
    Anothers,
    /// Nobody here has it.
    Nowhere,
}

/// Looks for a message in the eyes of `agency`.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn find(conn: &mut Conn, agency: &AgencyCode, id: &MessageId) -> Result<Lookup, DbError> {
    if let Some(sent) = sent::load(conn, agency, id).await? {
        return Ok(Lookup::Own(Found::Sent(sent)));
    }
    if let Some(received) = received::load(conn, agency, id).await? {
        return Ok(Lookup::Own(Found::Received(Box::new(received))));
    }
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
