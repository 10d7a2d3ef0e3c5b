//! The interface between the relay and the service around it.

use std::sync::Arc;

use futures::future::BoxFuture;
use rovuma_envelope::{SharedTrust, TrustStore};
use rovuma_schemas::{AgencyCode, Lane, MessageId, Timestamp, VoidReason};
use rovuma_store::Conn;

use crate::StreamPosition;

/// A copy whose state has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedCopy {
    /// The message.
    pub message: MessageId,
    /// Its type, as the word on the wire.
    pub message_type: String,
    /// The agency that sends it.
    pub sender: AgencyCode,
    /// The recipient.
    pub recipient: AgencyCode,
    /// The lane.
    pub lane: Lane,
    /// Its position in the stream; absent for a message without a number.
    pub position: Option<StreamPosition>,
    /// How often it had left before this change.
    pub attempts: u64,
}

/// The service around the relay. It has the trust lists with the keys to seal to, and may record changes of copies in the
/// transactions that make them.
pub trait RelayHost: Send + Sync + 'static {
    /// The trust lists in force.
    fn trust(&self) -> Arc<TrustStore>;

    /// Called in the transaction that records that the broker has confirmed these copies.
    fn queued<'t>(
        &'t self,
        _tx: &'t mut Conn,
        _copies: &'t [MovedCopy],
        _now: Timestamp,
    ) -> BoxFuture<'t, sqlx::Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Called in the transaction that makes the numbers of these copies void, with the reason.
    fn voided<'t>(
        &'t self,
        _tx: &'t mut Conn,
        _copies: &'t [MovedCopy],
        _reason: &'t VoidReason,
        _now: Timestamp,
    ) -> BoxFuture<'t, sqlx::Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

impl RelayHost for SharedTrust {
    fn trust(&self) -> Arc<TrustStore> {
        self.current()
    }
}
