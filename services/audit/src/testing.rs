//! A log on a real file, and sources that write to it, for tests.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use rovuma_broker::{Delivery, topology::names};
use rovuma_envelope::{Jws, SealingKey, SealingRecipient, Signer as _, SigningKey, Typ, digest, seal};
use rovuma_runtime::{ManualClock, SecretFile};
use rovuma_schemas::{
    Digest, Epoch, MessageId, Timestamp,
    audit::{AUDIT_VERSION, AuditAction, AuditBatch, AuditEvent, AuditObject, AuditOutcome, FIRST_PREVIOUS},
};
use rovuma_store::{Store, StoreConfig};
use sqlx::Row;

use crate::{
    config::{KeysConfig, ProducerConfig},
    intake::{Acknowledger, Intake, IntakeKeys, IntakeOutcome},
    log::{MIGRATIONS, Sequencer, open_payload},
    own::OwnSource,
    witness::WitnessStatus,
};

pub(crate) const OWN: &str = "mz.audit";
pub(crate) const GATEWAY: &str = "mz.gateway.police";
pub(crate) const IDENTITY: &str = "mz.identity";

/// 2026-11-23T18:14:29Z.
pub(crate) fn start() -> Timestamp {
    "2026-11-23T18:14:29Z".parse().expect("RFC 3339")
}

/// A log with two configured sources.
pub(crate) struct Fixture {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) intake: Intake,
    recipient: SealingRecipient,
}

impl Fixture {
    /// A fresh log, the gateway with a present and a former key, and identity with one.
    pub(crate) async fn new() -> (Self, Producer, Producer) {
        let dir = tempfile::tempdir().expect("a folder");
        let sealing = SealingKey::generate();
        secret(&dir.path().join("sealing.txt"), &sealing.to_text());
        let (gateway, gateway_files) = Producer::new(&dir, GATEWAY, 2);
        let (identity, identity_files) = Producer::new(&dir, IDENTITY, 1);
        let producers = [
            ProducerConfig { source: GATEWAY.to_owned(), key_files: gateway_files },
            ProducerConfig { source: IDENTITY.to_owned(), key_files: identity_files },
        ];
        let keys = IntakeKeys::load(&keys_config(dir.path()), &producers, OWN).expect("keys load");
        let clock = ManualClock::at(start());
        secret(&dir.path().join("log.pem"), &SigningKey::generate_pem().expect("a key"));
        secret(&dir.path().join("payload.txt"), &SealingKey::generate().to_text());
        let (store, sequencer) = open(dir.path()).await;
        let intake = Intake {
            store,
            sequencer,
            keys: Arc::new(keys),
            clock: clock.shared(),
            acknowledger: Acknowledger::default(),
        };
        (Self { dir, clock, intake, recipient: sealing.recipient().clone() }, gateway, identity)
    }

    /// The same log, closed and opened again.
    pub(crate) async fn restarted(self) -> Self {
        let Self { dir, clock, intake, recipient } = self;
        let Intake { store, sequencer, keys, clock: shared, acknowledger } = intake;
        drop((store, sequencer));
        let (store, sequencer) = open(dir.path()).await;
        let intake = Intake { store, sequencer, keys, clock: shared, acknowledger };
        Self { dir, clock, intake, recipient }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.intake.store
    }

    /// Stores deliveries in one write.
    pub(crate) async fn deliver(&self, deliveries: impl IntoIterator<Item = Delivery>) -> IntakeOutcome {
        self.intake.store_deliveries(deliveries.into_iter().collect()).await.expect("the store takes them")
    }

    /// Signs and seals a batch of `producer` as the trail does.
    pub(crate) fn delivery(&self, producer: &Producer, events: &[String]) -> Delivery {
        let batch = producer.batch(events);
        self.sealed(&names::audit_event_key(&producer.source), &producer.sign(&batch).to_compact())
    }

    /// Anything at all, sealed to the audit service.
    pub(crate) fn sealed(&self, routing_key: &str, text: &str) -> Delivery {
        delivery(routing_key, seal(text.as_bytes(), &self.recipient).expect("sealed"))
    }

    /// Every event of a source, in the order of the log.
    pub(crate) async fn events_of(&self, source: &str) -> Vec<String> {
        let rows = sqlx::query(
            "SELECT e.entry_index, p.sealed, s.key_salt FROM entry e
             JOIN lineage l ON l.lineage_id = e.lineage_id JOIN payload p ON p.entry_index = e.entry_index
             JOIN payload_scope s ON s.scope_id = p.scope_id WHERE l.source = $1 ORDER BY e.entry_index",
        )
        .bind(source.to_owned())
        .fetch_all(self.store().read())
        .await
        .expect("reads");
        let text = |row| open_payload(row, &self.intake.sequencer).expect("opens").expect("is there").event;
        rows.iter().map(text).collect()
    }

    /// `kind first-last xtimes`, open ones marked, in the order in which they were raised.
    pub(crate) async fn alarms(&self) -> Vec<String> {
        let rows = sqlx::query(
            "SELECT kind, first_sequence, last_sequence, times, closed_at FROM alarm ORDER BY alarm_id",
        );
        let rows = rows.fetch_all(self.store().read()).await.expect("reads");
        let shown = |row: &sqlx::any::AnyRow| {
            let (kind, first, last): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
            let (times, closed): (i64, Option<i64>) = (row.get(3), row.get(4));
            let state = if closed.is_some() { "closed" } else { "open" };
            format!("{kind} {first}-{last} x{times} {state}")
        };
        rows.iter().map(shown).collect()
    }

    /// `reason xtimes`, by reason.
    pub(crate) async fn quarantine(&self) -> Vec<String> {
        let rows = sqlx::query("SELECT reason, times FROM quarantine ORDER BY reason");
        let rows = rows.fetch_all(self.store().read()).await.expect("reads");
        rows.iter().map(|row| format!("{} x{}", row.get::<String, _>(0), row.get::<i64, _>(1))).collect()
    }
}

pub(crate) async fn open(dir: &Path) -> (Store, Arc<Sequencer>) {
    let config = StoreConfig::at(rovuma_lab::postgres::test_store(dir, "log").expect("a store"));
    let store = Store::open(&config, &[MIGRATIONS]).await.expect("opens");
    crate::audit::overwrite_erased_data(&store, &config).await.expect("set");
    let keys = keys_config(dir);
    let own = OwnSource { source: OWN.to_owned(), epoch: store.identity() };
    let log_key = Arc::new(IntakeKeys::load_signing_key(&keys.log_key_file).expect("a key"));
    let payload_key = IntakeKeys::load_payload_key(&keys.payload_key_file).expect("a key");
    let witness_status = WitnessStatus::default();
    (store, Arc::new(Sequencer { own, log_key, payload_key, witness_status, fail_closed_after: None }))
}

pub(crate) fn keys_config(dir: &Path) -> KeysConfig {
    KeysConfig {
        signing_key_file: SecretFile::new(dir.join("signing.pem")),
        sealing_key_files: vec![SecretFile::new(dir.join("sealing.txt"))],
        log_key_file: SecretFile::new(dir.join("log.pem")),
        payload_key_file: SecretFile::new(dir.join("payload.txt")),
    }
}

pub(crate) fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("mode set");
}

pub(crate) fn delivery(routing_key: &str, body: Vec<u8>) -> Delivery {
    Delivery {
        exchange: names::AUDIT.to_owned(),
        routing_key: routing_key.to_owned(),
        message_id: String::new(),
        content_type: String::new(),
        headers: std::collections::BTreeMap::new(),
        header_fault: None,
        redelivered: false,
        body,
    }
}

/// A source of events, as the trail of a service is one.
pub(crate) struct Producer {
    pub(crate) source: String,
    pub(crate) epoch: Epoch,
    pub(crate) keys: Vec<SigningKey>,
    sequence: u64,
    previous: Digest,
}

impl Producer {
    fn new(dir: &tempfile::TempDir, source: &str, keys: usize) -> (Self, Vec<PathBuf>) {
        let keys: Vec<_> = (0..keys).map(|_| SigningKey::generate().expect("a key")).collect();
        let file = |(n, key): (usize, &SigningKey)| {
            let path = dir.path().join(format!("{source}.{n}.jwk"));
            std::fs::write(&path, key.public_key().to_jwk()).expect("written");
            path
        };
        let files = keys.iter().enumerate().map(file).collect();
        (Self::with_keys(source, keys), files)
    }

    pub(crate) fn with_keys(source: &str, keys: Vec<SigningKey>) -> Self {
        let (source, epoch) = (source.to_owned(), Epoch::draw());
        Self { source, epoch, keys, sequence: 0, previous: FIRST_PREVIOUS }
    }

    /// The next event, by `officer-1` of `mz.prm`.
    pub(crate) fn event(&mut self) -> String {
        self.event_with(|_| {})
    }

    pub(crate) fn events(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.event()).collect()
    }

    /// The next event, changed before it takes its place in the chain.
    pub(crate) fn event_with(&mut self, change: impl FnOnce(&mut AuditEvent)) -> String {
        self.sequence += 1;
        let mut event = AuditEvent {
            version: AUDIT_VERSION,
            id: MessageId::draw(start()),
            source: self.source.clone(),
            epoch: self.epoch,
            sequence: self.sequence,
            previous: self.previous,
            time: start(),
            actor: "officer-1".to_owned(),
            session: None,
            agency: Some("mz.prm".parse().expect("an agency")),
            action: AuditAction::MessageRead,
            object: Some(AuditObject::new("message", MessageId::draw(start()).to_string())),
            purpose: None,
            outcome: AuditOutcome::Success,
            reason: None,
            blind: None,
            details: std::collections::BTreeMap::new(),
        };
        change(&mut event);
        let text = serde_json::to_string(&event).expect("serialises");
        self.previous = digest(text.as_bytes());
        text
    }

    /// The batch of these events, which says their numbers.
    pub(crate) fn batch(&self, events: &[String]) -> AuditBatch {
        let sequence = |text: &String| serde_json::from_str::<AuditEvent>(text).expect("an event").sequence;
        AuditBatch {
            source: self.source.clone(),
            epoch: self.epoch,
            first: events.first().map_or(1, sequence),
            last: events.last().map_or(0, sequence),
            events: events.to_vec(),
        }
    }

    /// Signs with the present key.
    pub(crate) fn sign(&self, batch: &AuditBatch) -> Jws {
        let payload = serde_json::to_vec(batch).expect("serialises");
        Jws::sign(Typ::AUDIT, payload, &self.keys[0]).expect("signed")
    }
}
