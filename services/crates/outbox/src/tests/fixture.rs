//! A test's own outbox, with functions that do what a gateway, a relay and a partner do.

use std::sync::{Arc, Mutex};

use rovuma_envelope::{Jws, SigningKey, TrustPolicy, TrustStore, Typ};
use rovuma_schemas::{
    AgencyCode, Digest, Lane, MessageId, MessageType, NumberRange, StoreId, StreamGaps, StreamRequest,
    Timestamp, VoidReason,
};
use rovuma_store::{BoxFuture, Conn, FutureExt, Store, StoreConfig, WriteError};

use crate::{
    CopyTrace, MIGRATIONS, MovedCopy, Outbox, OutboxSettings, OutgoingCopy, OutgoingMessage, ReceiptEntry,
    RelayHost, SettleOutcome, Settlement,
    model::RecipientLane,
    relay::{
        lease::Leases,
        published::{PublishedBundle, RecordError},
        read::LoadedCopy,
    },
};

pub(super) const PRM: &str = "mz.prm";
pub(super) const TPF: &str = "tz.tpf";
pub(super) const TISD: &str = "tz.tisd";

pub(super) struct Fixture {
    _dir: tempfile::TempDir,
    pub(super) outbox: Outbox,
    pub(super) host: Arc<Host>,
    pub(super) leases: Leases,
    key: SigningKey,
}

/// A host without trust lists, which remembers the messages that were made void.
#[derive(Default)]
pub(super) struct Host {
    pub(super) voided: Mutex<Vec<(MessageId, VoidReason)>>,
}

impl RelayHost for Host {
    fn trust(&self) -> Arc<TrustStore> {
        Arc::new(TrustStore::new(TrustPolicy::default(), []).expect("an empty store"))
    }

    fn voided<'t>(
        &'t self,
        _tx: &'t mut Conn,
        copies: &'t [MovedCopy],
        reason: &'t VoidReason,
        _now: Timestamp,
    ) -> BoxFuture<'t, sqlx::Result<()>> {
        async move {
            let mut voided = self.voided.lock().expect("unpoisoned");
            voided.extend(copies.iter().map(|copy| (copy.message, reason.clone())));
            Ok(())
        }
        .boxed()
    }
}

/// A message in the outbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enqueued {
    pub(super) id: MessageId,
    pub(super) digest: Digest,
}

/// A message to put into the outbox.
#[derive(Clone, Debug)]
pub(super) struct TestMessage {
    pub(super) to: Vec<&'static str>,
    pub(super) lane: Lane,
    pub(super) message_type: MessageType,
    pub(super) expires: Option<Timestamp>,
    pub(super) bytes: usize,
}

impl TestMessage {
    pub(super) fn alert(to: &[&'static str]) -> Self {
        let message_type = MessageType::AlertIssue;
        Self { to: to.to_vec(), lane: Lane::Urgent, message_type, expires: None, bytes: 300 }
    }

    pub(super) fn receipt(to: &'static str) -> Self {
        Self { message_type: MessageType::ReceiptDelivered, ..Self::alert(&[to]) }
    }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_795_457_669_000_000 + seconds * 1_000_000).expect("in range")
}

pub(super) fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency")
}

pub(super) fn lane(code: &str) -> RecipientLane {
    RecipientLane::new(&agency(code), Lane::Urgent)
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::with(OutboxSettings::default()).await
    }

    pub(super) async fn with(settings: OutboxSettings) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let url = rovuma_lab::postgres::test_store(dir.path(), "outbox").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[MIGRATIONS]).await.expect("opens");
        let key = SigningKey::generate().expect("a key");
        let outbox = Outbox::new(store, settings);
        Self { _dir: dir, outbox, host: Arc::default(), leases: Leases::new(), key }
    }

    /// Numbers, signs and puts in, as a gateway does.
    pub(super) async fn put(&self, message: &TestMessage, now: Timestamp) -> Enqueued {
        let (outbox, message) = (self.outbox.clone(), message.clone());
        let id = MessageId::draw(now);
        let payload = format!("{id}{}", "x".repeat(message.bytes)).into_bytes();
        let jws = Jws::sign(Typ::MESSAGE, payload, &self.key).expect("signed");
        let digest = jws.digest();
        let work = self.outbox.store().write(move |tx| {
            async move {
                let mut copies = Vec::new();
                for to in &message.to {
                    copies.push(copy(&outbox, tx, to, &message).await?);
                }
                let outgoing = OutgoingMessage {
                    id,
                    message_type: message.message_type,
                    sender: agency(PRM),
                    country: agency(message.to[0]).country(),
                    jws,
                    created: now,
                    expires: message.expires,
                    copies,
                };
                outbox.enqueue(tx, &outgoing, now);
                Ok::<_, sqlx::Error>(())
            }
            .boxed()
        });
        work.await.expect("put in");
        Enqueued { id, digest }
    }

    /// Does the relay's part: records that the next bundle, of 1,000 bytes, has left. Returns the number of its copies.
    pub(super) async fn publish_next(&self, to: &str, now: Timestamp) -> usize {
        let lane = lane(to);
        let chosen = self.outbox.choose(&lane, now).await.expect("chooses").positions;
        if !chosen.is_empty() {
            self.record_published(&self.leases, &lane, &chosen, now).await.expect("marked");
        }
        chosen.len()
    }

    pub(super) async fn record_published(
        &self,
        leases: &Leases,
        lane: &RecipientLane,
        chosen: &[i64],
        now: Timestamp,
    ) -> Result<(), WriteError<RecordError>> {
        let loaded = self.outbox.load(chosen).await.expect("loads");
        self.record_loaded(leases, lane, loaded, now).await
    }

    /// Records that a bundle has left whose copies were loaded before.
    pub(super) async fn record_loaded(
        &self,
        leases: &Leases,
        lane: &RecipientLane,
        loaded: Vec<LoadedCopy>,
        now: Timestamp,
    ) -> Result<(), WriteError<RecordError>> {
        let lease = leases.acquire(self.outbox.store(), lane, now).await.expect("asked").expect("ours");
        assert!(loaded.iter().all(|one| one.jws.is_some()));
        let copies = loaded.into_iter().map(|one| (one.position, one.copy)).collect();
        let published = PublishedBundle {
            lane: lane.clone(),
            lease,
            bundle: StoreId::draw(),
            sealed_bytes: 1000,
            copies,
        };
        let (host, settings) = (Arc::clone(&self.host), self.outbox.settings().clone());
        self.outbox
            .store()
            .write(move |tx| async move { published.record(tx, host.as_ref(), &settings, now).await }.boxed())
            .await
    }

    pub(super) async fn settle(
        &self,
        put: Enqueued,
        by: &str,
        settlement: Settlement,
        now: Timestamp,
    ) -> SettleOutcome {
        self.settle_as(PRM, put, by, settlement, now).await
    }

    pub(super) async fn settle_as(
        &self,
        sender: &str,
        put: Enqueued,
        by: &str,
        settlement: Settlement,
        now: Timestamp,
    ) -> SettleOutcome {
        let (outbox, sender, by) = (self.outbox.clone(), agency(sender), agency(by));
        let work = self.outbox.store().write(move |tx| {
            async move {
                let Enqueued { id, digest } = put;
                let receipt = ReceiptEntry { sender: &sender, recipient: &by, id, digest, settlement };
                outbox.settle(tx, &receipt, now).await
            }
            .boxed()
        });
        work.await.expect("answered")
    }

    /// Takes back the copies without a receipt, and returns their number.
    pub(super) async fn take_back(&self, put: Enqueued, now: Timestamp) -> usize {
        let (outbox, host) = (self.outbox.clone(), Arc::clone(&self.host));
        let work = self.outbox.store().write(move |tx| {
            async move {
                let of_country = (put.id, agency(TPF).country());
                outbox.take_back(tx, host.as_ref(), of_country, &VoidReason::Replaced, now).await
            }
            .boxed()
        });
        work.await.expect("taken back").len()
    }

    pub(super) async fn deliver(&self, put: Enqueued, by: &str, now: Timestamp) -> SettleOutcome {
        self.settle(put, by, Settlement::Delivered { at: now }, now).await
    }

    pub(super) async fn record_heard(&self, partner: &str, now: Timestamp) {
        let (outbox, partner) = (self.outbox.clone(), agency(partner));
        let work = self.outbox.store();
        let heard = work.write(move |tx| async move { outbox.record_heard(tx, &partner, now).await }.boxed());
        heard.await.expect("noted");
    }

    /// `by` requests one number of the urgent stream.
    pub(super) async fn request_again(&self, by: &str, number: u64, now: Timestamp) {
        let missing = vec![NumberRange { from: number, to: number }];
        let gaps = StreamGaps { lane: Lane::Urgent, stream: self.outbox.store().identity(), missing };
        let (outbox, by) = (self.outbox.clone(), agency(by));
        let work = self.outbox.store().write(move |tx| {
            async move {
                let request = StreamRequest { streams: vec![gaps] };
                outbox.resend(tx, (&agency(PRM), &by), &request, now, now).await
            }
            .boxed()
        });
        assert_eq!(work.await.expect("answered").resent, 1);
    }

    pub(super) async fn trace(&self, put: Enqueued, to: &str) -> CopyTrace {
        let copies = self.outbox.copies_of(put.id).await.expect("traces");
        copies.into_iter().find(|copy| copy.recipient == agency(to)).expect("a copy")
    }

    pub(super) async fn count(&self, table: &'static str) -> i64 {
        let sql = match table {
            "outbox_message" => "SELECT COUNT(*) FROM outbox_message",
            _ => "SELECT COUNT(*) FROM outbox_copy",
        };
        sqlx::query_scalar(sql).fetch_one(self.outbox.store().read()).await.expect("counts")
    }
}

async fn copy(outbox: &Outbox, tx: &mut Conn, to: &str, message: &TestMessage) -> sqlx::Result<OutgoingCopy> {
    let recipient = agency(to);
    let position = if message.message_type.class().is_numbered() {
        Some(outbox.next_stream_position(tx, &agency(PRM), &recipient, message.lane).await?)
    } else {
        None
    };
    Ok(OutgoingCopy { recipient, lane: message.lane, position })
}
