//! Target `audit_ack`: an acknowledgement, as a source of audit events processes it. The first byte chooses the form
//! of the rest.

use std::{fmt, path::Path};

use rovuma_envelope::{Jws, PublicKey, Signer as _, SigningKey, Typ, digest};
use rovuma_schemas::audit::{AuditAck, AuditAction};
use rovuma_store::{FutureExt as _, Store, StoreConfig, WriteError};
use rovuma_trail::{AckOutcome, AuditRecord, MIGRATIONS, Trail, verify_ack};
use sqlx::Row as _;
use tokio::runtime::Runtime;

use crate::{
    fixture::now,
    keys,
    services::{FixturePool, ServiceFixture},
};

/// The rest is the body of a delivery.
pub const RAW: u8 = 0;

/// The rest is a payload that the audit service signs.
pub const PAYLOAD: u8 = 1;

/// The source whose events are acknowledged.
const SOURCE: &str = "mz.gateway";

/// The number of its events.
const EVENTS: u64 = 3;

thread_local! {
    static FIXTURES: FixturePool<FuzzSource> = FixturePool::new();
}

/// A trail with three events.
struct FuzzSource {
    trail: Trail,
    signer: SigningKey,
    /// Digest of the second event.
    digest: String,
}

/// The outcome, as an error, so that the transaction is rolled back and no acknowledgement changes the store for
/// later runs.
#[derive(Debug)]
struct TakenBack(sqlx::Result<AckOutcome>);

impl fmt::Display for TakenBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("taken back")
    }
}

impl std::error::Error for TakenBack {}

/// An acknowledgement counts only if the audit service signed it, and clears only the events that it names by digest.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    FIXTURES.with(|fixtures| fixtures.run(|runtime, source| source.take(runtime, *mode, rest)));
}

/// The payload of a valid acknowledgement. Words in braces stand for values of the store.
pub fn good() -> String {
    format!(
        r#"{{"source":"{SOURCE}","epoch":"{{epoch}}","sequence":2,"digest":"{{digest}}","acknowledged_at":"{}"}}"#,
        crate::START
    )
}

impl ServiceFixture for FuzzSource {
    fn open(runtime: &Runtime, folder: &Path) -> Self {
        runtime.block_on(Self::start(folder))
    }
}

impl FuzzSource {
    async fn start(folder: &Path) -> Self {
        let config = StoreConfig::at(format!("sqlite:{}", folder.join("trail.db").display()));
        let store = Store::open(&config, &[MIGRATIONS]).await.expect("the store opens");
        let trail = Trail::new(store.clone(), SOURCE);
        for number in 0..EVENTS {
            let (trail, act) =
                (trail.clone(), AuditRecord::new(now(), "officer-1", AuditAction::MessageRead));
            let act = act.object("message", number);
            let write =
                store.write(move |tx| async move { trail.record(tx, &act).await.map(|_| ()) }.boxed());
            write.await.expect("recorded");
        }
        let rows =
            sqlx::query("SELECT body FROM trail_event ORDER BY sequence").fetch_all(store.read()).await;
        let body: String = rows.expect("reads")[1].get(0);
        let signer = keys::signing("mz.audit");
        Self { trail, signer, digest: digest(body.as_bytes()).to_string() }
    }

    fn take(&self, runtime: &Runtime, mode: u8, rest: &[u8]) {
        if mode % 2 == RAW {
            assert!(verify_ack(rest, self.key()).is_err(), "counts, and the audit service never signed it");
            return;
        }
        let epoch = self.trail.store().identity().to_string();
        let payload = match std::str::from_utf8(rest) {
            Ok(text) => text.replace("{epoch}", &epoch).replace("{digest}", &self.digest).into_bytes(),
            Err(_) => rest.to_vec(),
        };
        for other in [Typ::AUDIT, Typ::MESSAGE] {
            let jws = Jws::sign(other, payload.clone(), &self.signer).expect("signed");
            assert!(
                verify_ack(jws.to_compact().as_bytes(), self.key()).is_err(),
                "signed for another purpose"
            );
        }
        let jws = Jws::sign(Typ::AUDIT_ACK, payload, &self.signer).expect("signed");
        if let Ok(ack) = verify_ack(jws.to_compact().as_bytes(), self.key()) {
            self.check(runtime, &ack);
        }
    }

    fn check(&self, runtime: &Runtime, ack: &AuditAck) {
        let (trail, copy) = (self.trail.clone(), ack.clone());
        let write = self.trail.store().write(move |tx| {
            async move { Err::<(), _>(TakenBack(trail.acknowledge(tx, &copy).await)) }.boxed()
        });
        let outcome = match runtime.block_on(write) {
            Err(WriteError::Job(TakenBack(outcome))) => outcome.expect("the store answers"),
            other => panic!("not taken back: {other:?}"),
        };
        let ours = ack.source == SOURCE;
        match outcome {
            AckOutcome::NotOurs => assert!(!ours),
            AckOutcome::Cleared(events) => {
                assert!(ours && (1..=EVENTS).contains(&ack.sequence) && events == ack.sequence, "{ack:?}");
                assert!(ack.epoch == self.trail.store().identity());
            }
            AckOutcome::DigestMismatch => assert!(ours && (1..=EVENTS).contains(&ack.sequence)),
            AckOutcome::Ahead => assert!(ours && ack.sequence > 0),
            AckOutcome::Already => {
                assert!(ours && ack.sequence == 0, "{ack:?}: nothing was cleared before")
            }
        }
    }

    fn key(&self) -> &PublicKey {
        self.signer.public_key()
    }
}
