//! A log without a broker: its API and its intake, for programs that call both with any input.

use std::sync::Arc;

use axum::Router;
use rovuma_broker::Handler;
use rovuma_runtime::{Context, SharedClock};

use crate::{
    AuditConfig,
    audit::{abandon_after_restore, audit_source_name, new_auditor, open_log, record_start},
    auditor::Auditor,
    http,
    intake::{Acknowledger, Intake, IntakeKeys},
};

/// A log without a broker: nobody receives its acknowledgements. It does not listen, and starts no task of its own.
pub struct Standalone {
    auditor: Arc<Auditor>,
    keys: Arc<IntakeKeys>,
    clock: SharedClock,
}

impl Standalone {
    /// Opens and checks the log, and loads keys and policies, as the service does.
    ///
    /// # Errors
    /// The first failure of configuration, keys, store or log.
    pub async fn open(config: &AuditConfig, context: &Context) -> anyhow::Result<Self> {
        let own_name = audit_source_name(config.country);
        let keys = Arc::new(IntakeKeys::load(&config.keys, &config.producers, &own_name)?);
        let (store, sequencer) = open_log(config, own_name, context).await?;
        let now = context.clock.now();
        let restored = abandon_after_restore(&store, now).await?;
        record_start(&store, &sequencer, restored, now).await?;
        let auditor = Arc::new(new_auditor(config, store, sequencer, context)?);
        Ok(Self { auditor, keys, clock: context.clock.clone() })
    }

    /// The auditors' API, for programs that call it directly; [`rovuma_runtime::http::with_layers`] adds the layers of the server.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.auditor))
    }

    /// The handler of deliveries from `audit.ingest`.
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
