//! Builds the tasks that publish the log's checkpoints, have partners cosign them, and cosign partners' checkpoints.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use rovuma_broker::Broker;
use rovuma_envelope::Signer;
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::CountryCode;
use rovuma_store::Store;
use rovuma_tlog::{LogPolicy, NoteKey};
use tokio::sync::Notify;

use crate::{
    config::{PublishConfig, RetentionConfig, WitnessConfig},
    intake::IntakeKeys,
    log::Sequencer,
    publish::{LogFolder, Pruner, Publisher},
    witness::{
        self, CosignRequester, CosignedFiles, LogAlarms, Partners, PendingRequests, ReplyHandler, Witness,
        WitnessIntake,
    },
};

/// The parts that these tasks share.
pub(crate) struct CheckpointTasks {
    country: CountryCode,
    store: Store,
    sequencer: Arc<Sequencer>,
    folder: LogFolder,
    /// The last cosigned heads of partners' logs.
    cosigned_files: CosignedFiles,
    interval: Duration,
    witnessing: Option<WitnessSettings>,
    clock: SharedClock,
    /// Notified when a checkpoint needs cosignatures.
    cosignatures_needed: Arc<Notify>,
    /// Notified when a checkpoint is settled.
    settled: Arc<Notify>,
}

/// The policy that both countries share, and the key that cosigns.
struct WitnessSettings {
    policy: Arc<LogPolicy>,
    key: Arc<dyn Signer>,
    alarm_after: Duration,
}

impl CheckpointTasks {
    /// Loads the policy and the key.
    pub(crate) fn load(
        country: CountryCode,
        (publish, witness): (&PublishConfig, Option<&WitnessConfig>),
        store: &Store,
        sequencer: &Arc<Sequencer>,
        clock: &SharedClock,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            country,
            store: store.clone(),
            sequencer: Arc::clone(sequencer),
            folder: LogFolder::new(publish.folder.clone()),
            cosigned_files: CosignedFiles::beside(&publish.folder),
            interval: Duration::from_millis(publish.every_ms.max(1)),
            witnessing: witness.map(WitnessSettings::load).transpose()?,
            clock: clock.clone(),
            cosignatures_needed: Arc::default(),
            settled: Arc::default(),
        })
    }

    /// Refuses a policy or key that [`Self::load`] would refuse.
    pub(crate) fn check(witness: Option<&WitnessConfig>) -> anyhow::Result<()> {
        witness.map(WitnessSettings::load).transpose().map(drop)
    }

    /// The task that publishes checkpoints.
    pub(crate) fn publisher(&self) -> Publisher {
        Publisher {
            store: self.store.clone(),
            sequencer: Arc::clone(&self.sequencer),
            folder: self.folder.clone(),
            policy: self.witnessing.as_ref().map(|witnessing| Arc::clone(&witnessing.policy)),
            witness: self.witnessing.as_ref().and_then(|witnessing| self.own_witness(witnessing)),
            interval: self.interval,
            unwitnessed_after: self
                .witnessing
                .as_ref()
                .map_or(Duration::ZERO, |witnessing| witnessing.alarm_after),
            clock: self.clock.clone(),
            cosignatures_needed: Arc::clone(&self.cosignatures_needed),
            settled: Arc::clone(&self.settled),
            published: Mutex::default(),
        }
    }

    /// The task that prunes old logs.
    pub(crate) fn pruner(&self, retention: Option<&RetentionConfig>) -> Pruner {
        Pruner {
            store: self.store.clone(),
            sequencer: Arc::clone(&self.sequencer),
            folder: self.folder.clone(),
            retention: retention.cloned(),
            clock: self.clock.clone(),
        }
    }

    /// The name and key with which this service cosigns its own log, if the policy names them as a witness.
    fn own_witness(&self, witnessing: &WitnessSettings) -> Option<(String, Arc<dyn Signer>)> {
        let name = self.sequencer.own.source.clone();
        let key = NoteKey::of_cosigner(&name, witnessing.key.public_key()).ok()?;
        let is_named = witnessing.policy.witnesses().any(|(_, named)| *named == key);
        is_named.then(|| (name, Arc::clone(&witnessing.key)))
    }

    /// Starts the consumer of partners' messages and the task that requests cosignatures.
    pub(crate) fn start_witnessing(&self, broker: &Broker, shutdown: &Shutdown) {
        let Some((witness, replies, requester)) = self.witnessing_parts() else {
            tracing::warn!("no [witness] is configured: nobody but this service vouches for the log");
            return;
        };
        let intake = WitnessIntake { witness, replies, broker: broker.clone(), clock: self.clock.clone() };
        broker.consume(witness::consumer_config(), intake);
        shutdown.spawn("request cosignatures", requester.run(broker.clone(), shutdown.clone()));
    }

    /// The witness of partners' logs, the handler of their replies about this log, and the task that requests cosignatures.
    pub(crate) fn witnessing_parts(&self) -> Option<(Witness, ReplyHandler, CosignRequester)> {
        let WitnessSettings { policy, key, alarm_after } = self.witnessing.as_ref()?;
        let partners = Partners::of(self.country, policy);
        let witness = Witness {
            store: self.store.clone(),
            policy: Arc::clone(policy),
            name: self.sequencer.own.source.clone(),
            key: Arc::clone(key),
            alarms: self.alarms(),
            cosigned_files: self.cosigned_files.clone(),
            without_proof: Mutex::default(),
        };
        let replies = ReplyHandler {
            store: self.store.clone(),
            sequencer: Arc::clone(&self.sequencer),
            policy: Arc::clone(policy),
            partners: partners.clone(),
            alarms: self.alarms(),
            settled: Arc::clone(&self.settled),
            cosignatures_needed: Arc::clone(&self.cosignatures_needed),
        };
        let requester = CosignRequester {
            store: self.store.clone(),
            partners,
            alarms: self.alarms(),
            witness_status: self.sequencer.witness_status.clone(),
            alarm_after: *alarm_after,
            clock: self.clock.clone(),
            cosignatures_needed: Arc::clone(&self.cosignatures_needed),
            pending: PendingRequests::default(),
        };
        Some((witness, replies, requester))
    }

    fn alarms(&self) -> LogAlarms {
        LogAlarms { store: self.store.clone(), sequencer: Arc::clone(&self.sequencer) }
    }
}

impl WitnessSettings {
    fn load(config: &WitnessConfig) -> anyhow::Result<Self> {
        let path = config.policy_file.display();
        let text =
            std::fs::read_to_string(&config.policy_file).with_context(|| format!("cannot read {path}"))?;
        let policy = Arc::new(text.parse().with_context(|| format!("{path} is no policy"))?);
        let key = Arc::new(IntakeKeys::load_signing_key(&config.key_file)?);
        Ok(Self { policy, key, alarm_after: Duration::from_secs(config.alarm_after_s) })
    }
}
