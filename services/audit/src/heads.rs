//! Keeping heads: what makes the log's heads known, has partners cosign them, and cosigns partners'.

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
use rovuma_tlog::{NoteKey, Policy};
use tokio::sync::Notify;

use crate::{
    config::{PublishConfig, RetentionConfig, WitnessConfig},
    intake::Keys,
    log::Sequencer,
    publish::{LogFolder, Pruner, Publisher},
    witness::{self, Asker, LogAlarms, Memory, Partners, Questions, Replies, Witness, WitnessIntake},
};

/// What the parts that keep heads share.
pub(crate) struct HeadKeeping {
    country: CountryCode,
    store: Store,
    sequencer: Arc<Sequencer>,
    folder: LogFolder,
    /// What was cosigned last of partners' logs.
    memory: Memory,
    every: Duration,
    witnessing: Option<Witnessing>,
    clock: SharedClock,
    /// Told when a head waits for cosignatures.
    made: Arc<Notify>,
    /// Told when a head became good.
    settled: Arc<Notify>,
}

/// The policy that both countries have, and the key that cosigns.
struct Witnessing {
    policy: Arc<Policy>,
    key: Arc<dyn Signer>,
    alarm_after: Duration,
}

impl HeadKeeping {
    /// Reads the policy and the key.
    ///
    /// # Errors
    /// When one of their files cannot be read.
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
            memory: Memory::beside(&publish.folder),
            every: Duration::from_millis(publish.every_ms.max(1)),
            witnessing: witness.map(Witnessing::load).transpose()?,
            clock: clock.clone(),
            made: Arc::default(),
            settled: Arc::default(),
        })
    }

    /// What makes heads known.
    pub(crate) fn publisher(&self) -> Publisher {
        Publisher {
            store: self.store.clone(),
            sequencer: Arc::clone(&self.sequencer),
            folder: self.folder.clone(),
            policy: self.witnessing.as_ref().map(|witnessing| Arc::clone(&witnessing.policy)),
            witness: self.witnessing.as_ref().and_then(|witnessing| self.own_witness(witnessing)),
            every: self.every,
            unwitnessed_after: self.witnessing.as_ref().map_or(Duration::ZERO, |known| known.alarm_after),
            clock: self.clock.clone(),
            made: Arc::clone(&self.made),
            settled: Arc::clone(&self.settled),
            at_rest: Mutex::default(),
        }
    }

    /// What prunes old logs.
    pub(crate) fn pruner(&self, retention: Option<&RetentionConfig>) -> Pruner {
        Pruner {
            store: self.store.clone(),
            sequencer: Arc::clone(&self.sequencer),
            folder: self.folder.clone(),
            retention: retention.cloned(),
            clock: self.clock.clone(),
        }
    }

    /// The name and key with which our own heads are cosigned, where the policy counts that.
    fn own_witness(&self, witnessing: &Witnessing) -> Option<(String, Arc<dyn Signer>)> {
        let name = self.sequencer.own.source.clone();
        let key = NoteKey::of_cosigner(&name, witnessing.key.public_key()).ok()?;
        let is_named = witnessing.policy.witnesses().any(|(_, named)| *named == key);
        is_named.then(|| (name, Arc::clone(&witnessing.key)))
    }

    /// Starts taking what partners say, and asking them.
    pub(crate) fn start_witnessing(&self, broker: &Broker, shutdown: &Shutdown) {
        let Some((witness, replies, asker)) = self.parts() else {
            tracing::warn!("no [witness] is configured: nobody but this service vouches for the log");
            return;
        };
        let intake = WitnessIntake { witness, replies, broker: broker.clone(), clock: self.clock.clone() };
        broker.consume(witness::consumer_config(), intake);
        shutdown.spawn("ask for cosignatures", asker.run(broker.clone(), shutdown.clone()));
    }

    /// What cosigns partners' heads, what takes their answers about ours, and what asks them.
    pub(crate) fn parts(&self) -> Option<(Witness, Replies, Asker)> {
        let Witnessing { policy, key, alarm_after } = self.witnessing.as_ref()?;
        let partners = Partners::of(self.country, policy);
        let witness = Witness {
            store: self.store.clone(),
            policy: Arc::clone(policy),
            name: self.sequencer.own.source.clone(),
            key: Arc::clone(key),
            alarms: self.alarms(),
            memory: self.memory.clone(),
            unproven: Mutex::default(),
        };
        let replies = Replies {
            store: self.store.clone(),
            sequencer: Arc::clone(&self.sequencer),
            policy: Arc::clone(policy),
            partners: partners.clone(),
            alarms: self.alarms(),
            settled: Arc::clone(&self.settled),
            made: Arc::clone(&self.made),
        };
        let asker = Asker {
            store: self.store.clone(),
            partners,
            alarms: self.alarms(),
            watch: self.sequencer.watch.clone(),
            alarm_after: *alarm_after,
            clock: self.clock.clone(),
            made: Arc::clone(&self.made),
            asked: Questions::default(),
        };
        Some((witness, replies, asker))
    }

    fn alarms(&self) -> LogAlarms {
        LogAlarms { store: self.store.clone(), sequencer: Arc::clone(&self.sequencer) }
    }
}

impl Witnessing {
    fn load(config: &WitnessConfig) -> anyhow::Result<Self> {
        let path = config.policy_file.display();
        let text =
            std::fs::read_to_string(&config.policy_file).with_context(|| format!("cannot read {path}"))?;
        let policy = Arc::new(text.parse().with_context(|| format!("{path}: no policy"))?);
        let key = Arc::new(Keys::signing(&config.key_file)?);
        Ok(Self { policy, key, alarm_after: Duration::from_secs(config.alarm_after_s) })
    }
}
