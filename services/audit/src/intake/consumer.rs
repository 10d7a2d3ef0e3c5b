//! The consumer of `audit.ingest`.

use std::{sync::Arc, time::Duration};

use rovuma_broker::{
    BatchLimits, ConsumerConfig, Delivery, Handler, TransientError, Verdict, topology::names::AUDIT_INGEST,
};
use rovuma_runtime::SharedClock;
use rovuma_store::{FutureExt, Store};

use super::{
    acknowledge::Acknowledger,
    keys::Keys,
    open::{self, Batch, Unfit},
    take::{self, Taken},
};
use crate::{
    failure::{Step, point},
    log::Sequencer,
};

/// Takes deliveries into the log.
pub(crate) struct Intake {
    pub(crate) store: Store,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) clock: SharedClock,
    pub(crate) acknowledger: Acknowledger,
}

/// How much is taken at a time. A delivery is a batch of events by itself; 32 of them share a commit.
pub(crate) fn consumer_config() -> ConsumerConfig {
    ConsumerConfig {
        queue: AUDIT_INGEST.to_owned(),
        prefetch: 64,
        batch: BatchLimits {
            max_messages: 32,
            max_bytes: 4 * 1024 * 1024,
            max_wait: Duration::from_millis(20),
        },
    }
}

impl Handler for Intake {
    async fn handle(&self, deliveries: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        let taken = self.take(Arc::clone(&deliveries)).await?;
        self.acknowledger.offer(taken.heads);
        // What could not be read is kept too, in the quarantine: everything is accepted.
        Ok(vec![Verdict::Accept; deliveries.len()])
    }
}

impl Intake {
    /// Opens and stores `deliveries`, and says what to acknowledge.
    ///
    /// # Errors
    /// [`TransientError`] when the store does not take them now.
    pub(crate) async fn take(&self, deliveries: Arc<[Delivery]>) -> Result<Taken, TransientError> {
        let opened = self.open(Arc::clone(&deliveries)).await?;
        let (sequencer, now) = (Arc::clone(&self.sequencer), self.clock.now());
        let write = self.store.write(move |tx| {
            async move { take::take(tx, &sequencer, deliveries.iter().zip(opened), now).await }.boxed()
        });
        let taken = write.await.map_err(TransientError::new)?;
        point(Step::Committed);
        metrics::counter!("rovuma_audit_events_stored_total").increment(taken.stored as u64);
        metrics::counter!("rovuma_audit_events_duplicate_total").increment(taken.duplicates as u64);
        Ok(taken)
    }

    /// Opening and checking signatures is work for the processor, not for the executor.
    async fn open(&self, deliveries: Arc<[Delivery]>) -> Result<Vec<Result<Batch, Unfit>>, TransientError> {
        let keys = Arc::clone(&self.keys);
        let opening = move || deliveries.iter().map(|delivery| open::batch(&keys, delivery)).collect();
        tokio::task::spawn_blocking(opening).await.map_err(TransientError::new)
    }
}
