//! Makes one signed and sealed batch of events.

use rovuma_envelope::{Jws, SealFault, SignerFault, Typ, seal};
use rovuma_schemas::audit::AuditBatch;

use crate::{ShipperKeys, backlog::EventRun};

/// A batch could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BatchError {
    #[error("a batch cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Sign(#[from] SignerFault),
    #[error(transparent)]
    Seal(#[from] SealFault),
    #[error("sealing was broken off")]
    BrokenOff,
}

/// Writes the events as JSON, signs it as the source (compact JWS), and seals it to the audit service (age): brokers see the
/// source and the size, nothing else. Runs on a blocking thread, since it takes processor time.
pub(crate) async fn seal_batch(
    source: String,
    run: EventRun,
    keys: ShipperKeys,
) -> Result<Vec<u8>, BatchError> {
    let work = move || {
        let EventRun { epoch, first, last, events } = run;
        let payload = serde_json::to_vec(&AuditBatch { source, epoch, first, last, events })?;
        let jws = Jws::sign(Typ::AUDIT, payload, keys.signer.as_ref())?;
        Ok(seal(jws.to_compact().as_bytes(), &keys.recipient)?)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(BatchError::BrokenOff))
}
