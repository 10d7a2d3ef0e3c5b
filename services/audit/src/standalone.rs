//! A log without a broker: its API and its intake, for programs that hand both whatever they like.

use std::sync::Arc;

use axum::Router;
use rovuma_broker::Handler;
use rovuma_runtime::{Context, SharedClock};

use crate::{
    AuditConfig,
    audit::{abandon_after_restore, audit_source_name, auditor, begin, open_log},
    auditor::Auditor,
    http,
    intake::{Acknowledger, Intake, Keys},
};

/// A log that takes what it is handed and to which no broker is connected: its acknowledgements go nowhere. It
/// listens nowhere and starts no task of its own.
pub struct Standalone {
    auditor: Arc<Auditor>,
    keys: Arc<Keys>,
    clock: SharedClock,
}

impl Standalone {
    /// Opens the log, which must hold, and reads keys and policies, as the service does.
    ///
    /// # Errors
    /// Whatever keeps the service from starting.
    pub async fn open(config: &AuditConfig, context: &Context) -> anyhow::Result<Self> {
        let own_name = audit_source_name(config.country);
        let keys = Arc::new(Keys::load(&config.keys, &config.producers, &own_name)?);
        let (store, sequencer) = open_log(config, own_name, context).await?;
        let now = context.clock.now();
        let restored = abandon_after_restore(&store, now).await?;
        begin(&store, &sequencer, restored, now).await?;
        let auditor = Arc::new(auditor(config, store, sequencer, context)?);
        Ok(Self { auditor, keys, clock: context.clock.clone() })
    }

    /// The auditors' API, to be called directly: [`rovuma_runtime::http::with_layers`] adds what serving adds.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.auditor))
    }

    /// What takes the deliveries of `audit.ingest`.
    pub fn intake(&self) -> impl Handler + use<> {
        Intake {
            store: self.auditor.store.clone(),
            sequencer: Arc::clone(&self.auditor.sequencer),
            keys: Arc::clone(&self.keys),
            clock: self.clock.clone(),
            acknowledger: Acknowledger::default(),
        }
    }
}

impl std::fmt::Debug for Standalone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standalone")
            .field("source", &self.auditor.sequencer.own.source)
            .finish_non_exhaustive()
    }
}
