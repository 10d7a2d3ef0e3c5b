//! Taking a partner's `audit.cosignature`: what it cosigned is added to the head; what it refused is looked into.

use std::sync::Arc;

use rovuma_schemas::{
    CountryCode, Timestamp,
    audit::{AuditCosignature, WitnessAnswer},
};
use rovuma_store::{FutureExt, Store, WriteError};
use rovuma_tlog::{Head, NoteKey, Policy, Tiles, UnverifiedCheckpoint, Verdict, add_cosignature};
use tokio::sync::Notify;

use super::{Evidence, LogAlarmKind, LogAlarms, Partners};
use crate::{
    error::DbError,
    log::{Sequencer, Tree, signed_head, to_db},
    publish::Heads,
};

/// Takes partners' answers about our heads.
pub(crate) struct Replies {
    pub(crate) store: Store,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) partners: Partners,
    pub(crate) alarms: LogAlarms,
    /// Told when a head became good.
    pub(crate) settled: Arc<Notify>,
    /// Told when another question is to be asked.
    pub(crate) made: Arc<Notify>,
}

impl Replies {
    /// Takes one answer.
    pub(crate) async fn take(
        &self,
        partner: CountryCode,
        reply: &AuditCosignature,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let origin = reply.origin.as_str();
        let trees = Tree::kept(self.store.read()).await.map_err(WriteError::Job)?;
        let Some(tree) = trees.iter().find(|tree| tree.origin == origin) else {
            tracing::warn!(%partner, origin, "an answer about a log that is not ours");
            return Ok(());
        };
        match &reply.answer {
            WitnessAnswer::Cosigned => self.cosigned(partner, tree, reply, now).await,
            WitnessAnswer::UnknownLog => {
                tracing::error!(%partner, origin, "the partner's policy does not name our log: give it the new one");
                self.alarms.raise(LogAlarmKind::UnknownLog, origin, None, now).await
            }
            _ => self.held(partner, tree, reply, now).await,
        }
    }

    async fn cosigned(
        &self,
        partner: CountryCode,
        tree: &Tree,
        reply: &AuditCosignature,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let Some(line) = &reply.cosignature else { return Ok(()) };
        let line = format!("{line}\n").into_bytes();
        let (keys, policy) = (self.partners.keys(partner), Arc::clone(&self.policy));
        let add = move |read: &UnverifiedCheckpoint| {
            let with = keys.iter().find_map(|key: &NoteKey| add_cosignature(read, &line, key).ok())?;
            let is_good = matches!(policy.judge(with.clone()), Verdict::Good(_));
            Some((with.as_bytes().to_vec(), is_good))
        };
        let head = Heads::of(&self.store).cosign(&tree.origin, reply.size, add, now).await?;
        let Some(head) = head else {
            tracing::info!(%partner, log = tree.origin, size = reply.size, "a cosignature of no use: not of a head that waits");
            return Ok(());
        };
        self.note(partner, &tree.origin, head.size).await?;
        self.alarms.close(LogAlarmKind::UnknownLog, &tree.origin, now).await?;
        if head.settled_at == Some(now) {
            metrics::histogram!("rovuma_audit_cosigned_seconds")
                .record(now.since(head.made_at).as_secs_f64());
            self.settled.notify_one();
        }
        // A policy may ask for more than this one.
        self.made.notify_one();
        Ok(())
    }

    /// An answer that shows another head of ours: one to prove from, or one that contradicts the store.
    async fn held(
        &self,
        partner: CountryCode,
        tree: &Tree,
        reply: &AuditCosignature,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let origin = &tree.origin;
        let Some(note) = &reply.held else {
            // It has cosigned nothing of this log: its own store may be new.
            return self.note(partner, origin, 0).await.map(|()| self.made.notify_one());
        };
        let log_key = self.sequencer.log_key.public_key();
        let Some(held) = signed_head(note.as_str().as_bytes(), origin, log_key) else {
            tracing::error!(%partner, log = origin, answer = %reply.answer, "what the partner shows was not signed by our log");
            return Ok(());
        };
        if let Some(kind) = self.contradicts(tree, &held).await.map_err(WriteError::Job)? {
            let ours = String::from_utf8_lossy(&tree.checkpoint).into_owned();
            let evidence = Evidence { held: ours, shown: note.to_string() };
            self.alarms.raise(kind, origin, Some(evidence), now).await?;
            // Our own signature says that the store lacks leaves or has others: it is an older copy, and nothing may be
            // appended to this tree any more. With a new name the service has to start anew, with a new tree.
            return self.renew().await;
        }
        self.note(partner, origin, held.size).await?;
        self.made.notify_one();
        Ok(())
    }

    async fn renew(&self) -> Result<(), WriteError<DbError>> {
        tracing::error!(
            "the partner holds what our log signed and the store does not have: the store gets a new name"
        );
        let write = self.store.write(|tx| {
            async move {
                rovuma_store::renew_identity(tx).await?;
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    /// Whether a head that our log has signed is not one of the present tree's.
    async fn contradicts(&self, tree: &Tree, held: &Head) -> Result<Option<LogAlarmKind>, DbError> {
        if held.size > tree.edge.size() {
            return Ok(Some(LogAlarmKind::Shrunken));
        }
        let tiles = tree.tiles(self.store.read(), held.size, Tiles::needed_for_edge(held.size)).await?;
        let edge = tiles.edge().map_err(|fault| DbError::damaged("tree", fault))?;
        Ok((edge.root() != held.root).then_some(LogAlarmKind::Fork))
    }

    /// Notes what a partner has cosigned last.
    async fn note(&self, partner: CountryCode, origin: &str, size: u64) -> Result<(), WriteError<DbError>> {
        let origin = origin.to_owned();
        let write = self.store.write(move |tx| {
            async move {
                sqlx::query(
                    "INSERT INTO partner_head (partner, origin, size) VALUES ($1, $2, $3)
                     ON CONFLICT (partner, origin) DO UPDATE SET size = excluded.size",
                )
                .bind(partner.as_str())
                .bind(origin.as_str())
                .bind(to_db(size))
                .execute(tx)
                .await?;
                Ok(())
            }
            .boxed()
        });
        write.await
    }
}
