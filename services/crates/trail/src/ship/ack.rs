//! Verifies acknowledgements and clears the events that they name.

use std::sync::Arc;

use rovuma_broker::{Delivery, Handler, TransientError, Verdict};
use rovuma_envelope::{Jws, PublicKey, Typ};
use rovuma_schemas::audit::AuditAck;
use rovuma_store::{Conn, FutureExt};
use tokio::time::Instant;
use tracing::{debug, error, warn};

use super::Shared;
use crate::{AckOutcome, Trail};

/// A delivery that is no valid acknowledgement of the audit service.
#[derive(Debug, thiserror::Error)]
#[error("not an acknowledgement of the audit service: {0}")]
pub struct BadAck(String);

/// Checks the audit service's signature over the body of a delivery and reads what it signed.
///
/// # Errors
/// [`BadAck`] when it is not a compact JWS that `acknowledger` signed as an acknowledgement.
pub fn verify_ack(body: &[u8], acknowledger: &PublicKey) -> Result<AuditAck, BadAck> {
    let bad = |fault: &dyn std::fmt::Display| BadAck(fault.to_string());
    let text = std::str::from_utf8(body).map_err(|fault| bad(&fault))?;
    let jws = Jws::from_compact(text).map_err(|fault| bad(&fault))?;
    let payload = jws.verify_with(acknowledger, Typ::AUDIT_ACK).map_err(|fault| bad(&fault))?;
    serde_json::from_slice(payload).map_err(|fault| bad(&fault))
}

/// Consumes `audit.ack.<source>`.
pub(crate) struct AckHandler {
    pub(crate) trail: Trail,
    pub(crate) acknowledger: PublicKey,
    pub(crate) shared: Arc<Shared>,
}

impl Handler for AckHandler {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        let read: Vec<Result<AuditAck, BadAck>> =
            batch.iter().map(|delivery| verify_ack(&delivery.body, &self.acknowledger)).collect();
        let verdicts = read.iter().map(verdict).collect();
        let acks: Vec<AuditAck> = read.into_iter().flatten().collect();
        if !acks.is_empty() {
            let outcomes = self.acknowledge(acks.clone()).await?;
            for (ack, outcome) in acks.iter().zip(outcomes) {
                self.report(ack, outcome);
            }
        }
        Ok(verdicts)
    }
}

impl AckHandler {
    async fn acknowledge(&self, acks: Vec<AuditAck>) -> Result<Vec<AckOutcome>, TransientError> {
        let trail = self.trail.clone();
        self.trail
            .store()
            .write(move |tx| async move { acknowledge_all(tx, &trail, &acks).await }.boxed())
            .await
            .map_err(TransientError::new)
    }

    /// Advances the shipper's progress, logs the outcome, and counts alarms.
    fn report(&self, ack: &AuditAck, outcome: AckOutcome) {
        let (epoch, sequence) = (ack.epoch, ack.sequence);
        match outcome {
            AckOutcome::Cleared(_) => self.shared.acknowledged(epoch, sequence, Instant::now()),
            AckOutcome::Already => debug!(%epoch, sequence, "acknowledged again"),
            AckOutcome::NotOurs => warn!(source = %ack.source, "acknowledgement for another source"),
            AckOutcome::DigestMismatch => {
                alarm("digest_mismatch");
                error!(%epoch, sequence, "the audit service has another event than was recorded here");
            }
            AckOutcome::Ahead => {
                alarm("ahead");
                error!(%epoch, sequence, "the audit service has events that this store never recorded: \
                    was it restored from a backup?");
            }
        }
    }
}

async fn acknowledge_all(tx: &mut Conn, trail: &Trail, acks: &[AuditAck]) -> sqlx::Result<Vec<AckOutcome>> {
    let mut outcomes = Vec::with_capacity(acks.len());
    for ack in acks {
        outcomes.push(trail.acknowledge(tx, ack).await?);
    }
    Ok(outcomes)
}

fn verdict(read: &Result<AuditAck, BadAck>) -> Verdict {
    match read {
        Ok(_) => Verdict::Accept,
        Err(fault) => {
            alarm("unverified");
            error!(%fault, "an acknowledgement is not valid");
            Verdict::DeadLetter { reason: "audit_ack_unverified" }
        }
    }
}

fn alarm(reason: &'static str) {
    metrics::counter!("rovuma_trail_alarms_total", "reason" => reason).increment(1);
}
