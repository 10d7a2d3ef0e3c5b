//! An outbox in a file of its own, and somebody who writes messages.

use std::sync::{Arc, Mutex};

use rovuma_envelope::{Jws, SigningKey, TrustPolicy, TrustStore, Typ};
use rovuma_schemas::{AgencyCode, Digest, Lane, MessageId, MessageType, StoreId, Timestamp, VoidReason};
use rovuma_store::{BoxFuture, Conn, FutureExt, Store, StoreConfig, WriteError};

use crate::{
    CopyTrace, MIGRATIONS, MovedCopy, Outbox, OutboxSettings, OutgoingCopy, OutgoingMessage, ReceiptEntry,
    RelayHost, SettleOutcome, Settlement,
    model::LaneKey,
    relay::{
        lease::Leases,
        mark::{Departed, MarkError},
        read::Loaded,
    },
};

pub(super) const PRM: &str = "mz.prm";
pub(super) const TPF: &str = "tz.tpf";
pub(super) const TISD: &str = "tz.tisd";

pub(super) struct World {
    _dir: tempfile::TempDir,
    pub(super) outbox: Outbox,
    pub(super) host: Arc<Host>,
    pub(super) leases: Leases,
    key: SigningKey,
}

/// Knows no trust list and remembers what was made void.
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
pub(super) struct Put {
    pub(super) id: MessageId,
    pub(super) digest: Digest,
}

/// What to put into the outbox.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) to: Vec<&'static str>,
    pub(super) lane: Lane,
    pub(super) message_type: MessageType,
    pub(super) expires: Option<Timestamp>,
    pub(super) bytes: usize,
}

impl Letter {
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

pub(super) fn lane(code: &str) -> LaneKey {
    LaneKey::new(&agency(code), Lane::Urgent)
}

impl World {
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
    pub(super) async fn put(&self, letter: &Letter, now: Timestamp) -> Put {
        let (outbox, letter) = (self.outbox.clone(), letter.clone());
        let id = MessageId::draw(now);
        let payload = format!("{id}{}", "x".repeat(letter.bytes)).into_bytes();
        let jws = Jws::sign(Typ::MESSAGE, payload, &self.key).expect("signed");
        let digest = jws.digest();
        let work = self.outbox.store().write(move |tx| {
            async move {
                let mut copies = Vec::new();
                for to in &letter.to {
                    copies.push(copy(&outbox, tx, to, &letter).await?);
                }
                let outgoing = OutgoingMessage {
                    id,
                    message_type: letter.message_type,
                    sender: agency(PRM),
                    country: agency(letter.to[0]).country(),
                    jws,
                    created: now,
                    expires: letter.expires,
                    copies,
                };
                outbox.enqueue(tx, &outgoing, now);
                Ok::<_, sqlx::Error>(())
            }
            .boxed()
        });
        work.await.expect("put in");
        Put { id, digest }
    }

    /// Plays the relay: what may leave leaves in one bundle of 1,000 bytes. Returns how much it was.
    pub(super) async fn depart(&self, to: &str, now: Timestamp) -> usize {
        let lane = lane(to);
        let chosen = self.outbox.choose(&lane, now).await.expect("chooses").positions;
        if !chosen.is_empty() {
            self.mark(&self.leases, &lane, &chosen, now).await.expect("marked");
        }
        chosen.len()
    }

    pub(super) async fn mark(
        &self,
        leases: &Leases,
        lane: &LaneKey,
        chosen: &[i64],
        now: Timestamp,
    ) -> Result<(), WriteError<MarkError>> {
        let loaded = self.outbox.load(chosen).await.expect("loads");
        self.mark_loaded(leases, lane, loaded, now).await
    }

    /// Notes that a bundle has left whose content was read before.
    pub(super) async fn mark_loaded(
        &self,
        leases: &Leases,
        lane: &LaneKey,
        loaded: Vec<Loaded>,
        now: Timestamp,
    ) -> Result<(), WriteError<MarkError>> {
        let lease = leases.hold(self.outbox.store(), lane, now).await.expect("asked").expect("ours");
        assert!(loaded.iter().all(|one| one.jws.is_some()));
        let copies = loaded.into_iter().map(|one| (one.position, one.copy)).collect();
        let departed =
            Departed { lane: lane.clone(), lease, bundle: StoreId::draw(), sealed_bytes: 1000, copies };
        let (host, settings) = (Arc::clone(&self.host), self.outbox.settings().clone());
        self.outbox
            .store()
            .write(move |tx| async move { departed.mark(tx, host.as_ref(), &settings, now).await }.boxed())
            .await
    }

    pub(super) async fn settle(
        &self,
        put: Put,
        by: &str,
        settlement: Settlement,
        now: Timestamp,
    ) -> SettleOutcome {
        self.settle_as(PRM, put, by, settlement, now).await
    }

    pub(super) async fn settle_as(
        &self,
        sender: &str,
        put: Put,
        by: &str,
        settlement: Settlement,
        now: Timestamp,
    ) -> SettleOutcome {
        let (outbox, sender, by) = (self.outbox.clone(), agency(sender), agency(by));
        let work = self.outbox.store().write(move |tx| {
            async move {
                let Put { id, digest } = put;
                let receipt = ReceiptEntry { sender: &sender, recipient: &by, id, digest, settlement };
                outbox.settle(tx, &receipt, now).await
            }
            .boxed()
        });
        work.await.expect("answered")
    }

    /// Takes back what has no receipt. Returns how many copies it was.
    pub(super) async fn take_back(&self, put: Put, now: Timestamp) -> usize {
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

    pub(super) async fn deliver(&self, put: Put, by: &str, now: Timestamp) -> SettleOutcome {
        self.settle(put, by, Settlement::Delivered { at: now }, now).await
    }

    pub(super) async fn hear(&self, partner: &str, now: Timestamp) {
        let (outbox, partner) = (self.outbox.clone(), agency(partner));
        let work = self.outbox.store();
        let heard = work.write(move |tx| async move { outbox.record_heard(tx, &partner, now).await }.boxed());
        heard.await.expect("noted");
    }

    pub(super) async fn trace(&self, put: Put, to: &str) -> CopyTrace {
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

async fn copy(outbox: &Outbox, tx: &mut Conn, to: &str, letter: &Letter) -> sqlx::Result<OutgoingCopy> {
    let recipient = agency(to);
    let place = if letter.message_type.is_numbered() {
        Some(outbox.next_stream_position(tx, &agency(PRM), &recipient, letter.lane).await?)
    } else {
        None
    };
    Ok(OutgoingCopy { recipient, lane: letter.lane, place })
}
