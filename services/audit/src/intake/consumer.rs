//! The consumer of `audit.ingest`.

use std::{sync::Arc, time::Duration};

use rovuma_broker::{
    BatchLimits, ConsumerConfig, Delivery, Handler, TransientError, Verdict, topology::names::AUDIT_INGEST,
};
use rovuma_runtime::SharedClock;
use rovuma_store::{FutureExt, Store};

use super::{
    acknowledge::Acknowledger,
    keys::IntakeKeys,
    open::{self, QuarantineReason, VerifiedBatch},
    write::{self, IntakeOutcome},
};
use crate::{
    failure::{CrashPoint, crash_point},
    log::Sequencer,
};

/// Writes the batches in deliveries to the log.
pub(crate) struct Intake {
    pub(crate) store: Store,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) keys: Arc<IntakeKeys>,
    pub(crate) clock: SharedClock,
    pub(crate) acknowledger: Acknowledger,
}

/// Maximum bytes of the deliveries that share a commit, as they come: compressed. The events of one commit are in memory several
/// times over, as signed, parsed, sealed and written. With 4 MiB, 32 full deliveries took 150 MiB more (`README.md`).
const COMMIT_MAX_BYTES: usize = 256 * 1024;

/// The consumer's queue and batch limits. Each delivery is a batch of events itself; up to 32 share a commit.
pub(crate) fn consumer_config() -> ConsumerConfig {
    ConsumerConfig {
        queue: AUDIT_INGEST.to_owned(),
        prefetch: 64,
        batch: BatchLimits {
            max_messages: 32,
            max_bytes: COMMIT_MAX_BYTES,
            max_wait: Duration::from_millis(20),
        },
    }
}

impl Handler for Intake {
    async fn handle(&self, deliveries: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        let outcome = self.store_deliveries(Arc::clone(&deliveries)).await?;
        self.acknowledger.enqueue(outcome.heads);
        // The broker is to forget every delivery: those that are no batch are in the quarantine.
        Ok(vec![Verdict::Accept; deliveries.len()])
    }
}

impl Intake {
    /// Opens and stores `deliveries`; the outcome has the chain heads to acknowledge.
    ///
    /// # Errors
    /// [`TransientError`] when the store cannot be written now.
    pub(crate) async fn store_deliveries(
        &self,
        deliveries: Arc<[Delivery]>,
    ) -> Result<IntakeOutcome, TransientError> {
        let opened = self.open(Arc::clone(&deliveries)).await?;
        let (sequencer, now) = (Arc::clone(&self.sequencer), self.clock.now());
        let write = self.store.write(move |tx| {
            async move { write::write_batches(tx, &sequencer, deliveries.iter().zip(opened), now).await }
                .boxed()
        });
        let outcome = write.await.map_err(TransientError::new)?;
        crash_point(CrashPoint::Committed);
        metrics::counter!("rovuma_audit_events_stored_total").increment(outcome.stored as u64);
        metrics::counter!("rovuma_audit_events_duplicate_total").increment(outcome.duplicates as u64);
        Ok(outcome)
    }

    /// Opens deliveries on a blocking thread, because opening and verifying keep the processor busy.
    async fn open(
        &self,
        deliveries: Arc<[Delivery]>,
    ) -> Result<Vec<Result<VerifiedBatch, QuarantineReason>>, TransientError> {
        let keys = Arc::clone(&self.keys);
        let opening = move || deliveries.iter().map(|delivery| open::open_batch(&keys, delivery)).collect();
        tokio::task::spawn_blocking(opening).await.map_err(TransientError::new)
    }
}
