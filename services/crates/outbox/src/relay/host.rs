//! What the relay needs from the service it runs in.

use std::sync::Arc;

use futures::future::BoxFuture;
use rovuma_envelope::{SharedTrust, TrustStore};
use rovuma_schemas::{AgencyCode, Lane, MessageId, Timestamp, VoidReason};
use rovuma_store::Conn;

use crate::StreamPosition;

/// A copy whose state the relay changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedCopy {
    /// The message.
    pub message: MessageId,
    /// Its type, as the wire says it.
    pub message_type: String,
    /// The agency that sends it.
    pub sender: AgencyCode,
    /// The recipient.
    pub recipient: AgencyCode,
    /// The lane.
    pub lane: Lane,
    /// Its place in the stream.
    pub place: Option<StreamPosition>,
    /// How often it had left before.
    pub attempts: u64,
}

/// The service around the relay: it knows whom to seal to, and may write down what happens in the very
/// transaction in which it happens.
pub trait RelayHost: Send + Sync + 'static {
    /// The trust lists in force.
    fn trust(&self) -> Arc<TrustStore>;

    /// These copies were confirmed by the broker.
    fn queued<'t>(
        &'t self,
        _tx: &'t mut Conn,
        _copies: &'t [MovedCopy],
        _now: Timestamp,
    ) -> BoxFuture<'t, sqlx::Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// The numbers of these copies are void, for this reason.
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
