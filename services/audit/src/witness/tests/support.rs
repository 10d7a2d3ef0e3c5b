//! Two audit services with real stores and files. The tests pass the messages between them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rovuma_envelope::{SealingKey, Signer as _, SigningKey};
use rovuma_runtime::{Clock as _, ManualClock, SecretFile};
use rovuma_schemas::{
    CountryCode,
    audit::{AuditAction, AuditCosignature, RelayedWitnessMessage, WitnessAnswer, WitnessMessage},
};
use rovuma_store::{FutureExt, Store, StoreConfig, WriteError};
use rovuma_tlog::{CHECKPOINT_PATH, Head, LogPolicy, NoteKey, PolicyVerdict, UnverifiedCheckpoint};
use rovuma_trail::AuditRecord;
use sqlx::Row;

use crate::{
    audit::{abandon_after_restore, record_start},
    checkpoint_tasks::CheckpointTasks,
    config::{PublishConfig, RetentionConfig, WitnessConfig},
    error::DbError,
    intake::IntakeKeys,
    log::{MIGRATIONS, Sequencer, Tree},
    own::{self, OwnSource},
    publish::{Pruner, Publisher},
    testing::{secret, start},
    witness::{CosignRequester, ReplyHandler, Witness, WitnessStatus},
};

/// One country's audit service, without a broker.
pub(super) struct Installation {
    pub(super) country: CountryCode,
    pub(super) dir: tempfile::TempDir,
    pub(super) clock: ManualClock,
    pub(super) store: Store,
    pub(super) sequencer: Arc<Sequencer>,
    pub(super) policy: Arc<LogPolicy>,
    pub(super) publisher: Publisher,
    pub(super) witness: Witness,
    pub(super) replies: ReplyHandler,
    pub(super) requester: CosignRequester,
    /// Keeps entries for one year after their own.
    pub(super) pruner: Pruner,
}

/// The keys of both countries' logs and witnesses, and their common policy.
pub(super) struct Agreement {
    pub(super) log_keys: [SigningKey; 2],
    pub(super) policy: String,
    pub(super) witness_pems: [String; 2],
    pub(super) log_pems: [String; 2],
}

pub(super) const COUNTRIES: [&str; 2] = ["mz", "tz"];

/// An alarm is raised after this time without the partner.
pub(super) const ALARM_AFTER: Duration = Duration::from_secs(300);

impl Agreement {
    pub(super) fn new() -> Self {
        let pem = |_| SigningKey::generate_pem().expect("a key").to_string();
        let (log_pems, witness_pems) = ([0, 1].map(pem), [0, 1].map(pem));
        let key = |pem: &String| SigningKey::from_pkcs8_pem(pem).expect("a key");
        let mut policy = String::new();
        for (place, country) in COUNTRIES.into_iter().enumerate() {
            let log = key(&log_pems[place]);
            for origin in [format!("{country}.audit/2026"), format!("{country}.audit/2027")] {
                let log = NoteKey::of_log(&origin, log.public_key()).expect("a key");
                policy += &format!("log {log}\n");
            }
            let witness = key(&witness_pems[place]);
            let witness =
                NoteKey::of_cosigner(&format!("{country}.audit"), witness.public_key()).expect("a key");
            policy += &format!("witness {country} {witness}\n");
        }
        policy += "group countries all mz tz\nquorum countries\n";
        Self { log_keys: [key(&log_pems[0]), key(&log_pems[1])], policy, witness_pems, log_pems }
    }

    pub(super) async fn install(&self, country: &str, fail_closed_after: Option<Duration>) -> Installation {
        let place = COUNTRIES.iter().position(|known| *known == country).expect("one of two");
        let dir = tempfile::tempdir().expect("a folder");
        secret(&dir.path().join("log.pem"), &self.log_pems[place]);
        secret(&dir.path().join("witness.pem"), &self.witness_pems[place]);
        secret(&dir.path().join("payload.txt"), &SealingKey::generate().to_text());
        std::fs::write(dir.path().join("policy"), &self.policy).expect("written");
        let clock = ManualClock::at(start());
        Installation::open(country, dir, clock, fail_closed_after).await
    }
}

impl Installation {
    pub(super) async fn open(
        country: &str,
        dir: tempfile::TempDir,
        clock: ManualClock,
        fail_closed_after: Option<Duration>,
    ) -> Self {
        let url = rovuma_lab::postgres::test_store(dir.path(), "log").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[MIGRATIONS]).await.expect("opens");
        let file = |name: &str| SecretFile::new(dir.path().join(name));
        let sequencer = Arc::new(Sequencer {
            own: OwnSource { source: format!("{country}.audit"), epoch: store.identity() },
            log_key: Arc::new(IntakeKeys::load_signing_key(&file("log.pem")).expect("a key")),
            payload_key: IntakeKeys::load_payload_key(&file("payload.txt")).expect("a key"),
            witness_status: WitnessStatus::default(),
            fail_closed_after,
        });
        let country: CountryCode = country.parse().expect("a country");
        let publish = PublishConfig { folder: dir.path().join("audit-log"), every_ms: 500 };
        let policy_file = dir.path().join("policy");
        let witness = WitnessConfig {
            policy_file,
            key_file: file("witness.pem"),
            alarm_after_s: ALARM_AFTER.as_secs(),
            fail_closed_after_s: None,
        };
        let settings = (&publish, Some(&witness));
        let tasks =
            CheckpointTasks::load(country, settings, &store, &sequencer, &clock.shared()).expect("loads");
        let publisher = tasks.publisher();
        let retention =
            RetentionConfig { keep_years: 1, policy: "Diploma Ministerial n.º 12/2027".to_owned() };
        let pruner = tasks.pruner(Some(&retention));
        let (witness, replies, requester) = tasks.witnessing_parts().expect("it witnesses");
        let policy = std::fs::read_to_string(dir.path().join("policy")).expect("the policy");
        let policy = Arc::new(policy.parse().expect("a policy"));
        Self { country, dir, clock, store, sequencer, policy, publisher, witness, replies, requester, pruner }
    }

    pub(super) async fn reopened(self) -> Self {
        let Self {
            country,
            dir,
            clock,
            store,
            sequencer,
            publisher,
            witness,
            replies,
            requester,
            pruner,
            ..
        } = self;
        let fail_closed_after = sequencer.fail_closed_after;
        drop((store, sequencer, publisher, witness, replies, requester, pruner));
        Self::open(country.as_str(), dir, clock, fail_closed_after).await
    }

    /// Restarts like the service does after its store got a new identity.
    pub(super) async fn restarted_after_restore(self) -> Self {
        let installation = self.reopened().await;
        let now = installation.clock.now();
        let restored = abandon_after_restore(&installation.store, now).await.expect("looked");
        record_start(&installation.store, &installation.sequencer, restored, now).await.expect("begun");
        installation
    }

    /// Writes `count` events of its own.
    pub(super) async fn write(&self, count: u64) -> Result<(), WriteError<DbError>> {
        let (sequencer, now) = (Arc::clone(&self.sequencer), self.clock.now());
        let write = self.store.write(move |tx| {
            async move {
                let mut appender = sequencer.begin(tx, now).await?;
                for _ in 0..count {
                    let event = AuditRecord::new(now, &sequencer.own.source, AuditAction::AuditRead);
                    own::record(tx, &mut appender, event).await?;
                }
                appender.finish(tx).await
            }
            .boxed()
        });
        write.await
    }

    pub(super) async fn tree(&self) -> Tree {
        Tree::all(self.store.read()).await.expect("reads").pop().expect("a tree")
    }

    /// The published checkpoint of a log.
    pub(super) fn published(&self, origin: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder(origin).join(CHECKPOINT_PATH)).ok()
    }

    pub(super) fn folder(&self, origin: &str) -> PathBuf {
        self.dir.path().join("audit-log").join(origin)
    }

    pub(super) fn is_good(&self, note: &[u8]) -> bool {
        let read = UnverifiedCheckpoint::read(note).expect("a checkpoint");
        matches!(self.policy.judge(read), PolicyVerdict::Good(_))
    }

    pub(super) async fn publish(&self) {
        self.publisher.publish_all().await.expect("published");
    }

    pub(super) async fn due_requests(&mut self) -> Vec<RelayedWitnessMessage> {
        self.requester.due_requests().await.expect("asks")
    }

    /// `kind origin xtimes`, open ones marked.
    pub(super) async fn alarms(&self) -> Vec<String> {
        let rows = sqlx::query("SELECT kind, origin, times, closed_at FROM log_alarm ORDER BY alarm_id");
        let rows = rows.fetch_all(self.store.read()).await.expect("reads");
        let shown = |row: &sqlx::any::AnyRow| {
            let (kind, origin, times): (String, String, i64) = (row.get(0), row.get(1), row.get(2));
            let state = if row.get::<Option<i64>, _>(3).is_some() { "closed" } else { "open" };
            format!("{kind} {origin} x{times} {state}")
        };
        rows.iter().map(shown).collect()
    }

    pub(super) async fn respond(
        &self,
        partner: CountryCode,
        post: &RelayedWitnessMessage,
    ) -> AuditCosignature {
        let WitnessMessage::Checkpoint(request) = &post.message else { panic!("not a request") };
        let response = self.witness.respond(partner, request, self.clock.now()).await.expect("decided");
        response.expect("a response")
    }

    pub(super) async fn handle_reply(&self, partner: CountryCode, reply: &AuditCosignature) {
        self.replies.handle(partner, reply, self.clock.now()).await.expect("handled");
    }
}

/// Passes the requests of `requester` to `witness` and its responses back, until no request is due.
pub(super) async fn exchange(requester: &mut Installation, witness: &Installation) -> Vec<WitnessAnswer> {
    let mut answers = Vec::new();
    loop {
        let posts = requester.due_requests().await;
        if posts.is_empty() {
            return answers;
        }
        for post in posts {
            let response = witness.respond(requester.country, &post).await;
            answers.push(response.answer.clone());
            requester.handle_reply(witness.country, &response).await;
        }
    }
}

pub(super) async fn both() -> (Agreement, Installation, Installation) {
    let agreed = Agreement::new();
    let (mz, tz) = (agreed.install("mz", None).await, agreed.install("tz", None).await);
    (agreed, mz, tz)
}

/// A second history of the same log, as somebody with the log's key and a copy of the store could make it.
pub(super) async fn other_history(agreed: &Agreement, events: u64) -> Installation {
    let other = agreed.install("mz", None).await;
    other.clock.advance(Duration::from_secs(1));
    other.write(events).await.expect("written");
    other.publish().await;
    other
}

/// The two heads in the evidence of the first alarm.
pub(super) async fn evidence(installation: &Installation) -> Vec<String> {
    let row = sqlx::query("SELECT evidence FROM log_alarm ORDER BY alarm_id LIMIT 1");
    let row = row.fetch_one(installation.store.read()).await.expect("an alarm");
    let evidence: String = row.get(0);
    let origin = "mz.audit/2026\n";
    evidence.split(origin).skip(1).map(|note| format!("{origin}{}\n", note.trim_end())).collect()
}

pub(super) fn signed(note: &str, log_key: &rovuma_envelope::PublicKey) -> Head {
    crate::log::signed_head(note.as_bytes(), "mz.audit/2026", log_key).expect("signed by the log")
}
