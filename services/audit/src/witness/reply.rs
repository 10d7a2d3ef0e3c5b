//! Handles a partner's `audit.cosignature`: adds a cosignature to its checkpoint, and examines a refusal.

use std::sync::Arc;

use rovuma_schemas::{
    CountryCode, Timestamp,
    audit::{AuditCosignature, WitnessAnswer},
};
use rovuma_store::{FutureExt, Store, WriteError};
use rovuma_tlog::{
    Head, LoadedTiles, LogPolicy, NoteKey, PolicyVerdict, UnverifiedCheckpoint, add_cosignature,
};
use tokio::sync::Notify;

use super::{ConflictingHeads, LogAlarmKind, LogAlarms, Partners};
use crate::{
    error::DbError,
    log::{Sequencer, Tree, signed_head, to_db},
    publish::Checkpoints,
};

/// Handles partners' replies about this log's checkpoints.
pub(crate) struct ReplyHandler {
    pub(crate) store: Store,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) policy: Arc<LogPolicy>,
    pub(crate) partners: Partners,
    pub(crate) alarms: LogAlarms,
    /// Notified when a checkpoint is settled.
    pub(crate) settled: Arc<Notify>,
    /// Notified when another request is necessary.
    pub(crate) cosignatures_needed: Arc<Notify>,
}

impl ReplyHandler {
    /// Handles one reply.
    pub(crate) async fn handle(
        &self,
        partner: CountryCode,
        reply: &AuditCosignature,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let origin = reply.origin.as_str();
        let trees = Tree::continuing(self.store.read()).await.map_err(WriteError::Job)?;
        let Some(tree) = trees.iter().find(|tree| tree.origin == origin) else {
            tracing::warn!(%partner, origin, "a partner replied about a log that is not ours");
            return Ok(());
        };
        match &reply.answer {
            WitnessAnswer::Cosigned => self.add_cosignature(partner, tree, reply, now).await,
            WitnessAnswer::UnknownLog => {
                tracing::error!(%partner, origin, "the partner's policy does not name our log: give the partner the new policy");
                self.alarms.raise(LogAlarmKind::UnknownLog, origin, None, now).await
            }
            _ => self.examine_refusal(partner, tree, reply, now).await,
        }
    }

    async fn add_cosignature(
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
            let cosigned = keys.iter().find_map(|key: &NoteKey| add_cosignature(read, &line, key).ok())?;
            let is_settled = matches!(policy.judge(cosigned.clone()), PolicyVerdict::Good(_));
            Some((cosigned.as_bytes().to_vec(), is_settled))
        };
        let head = Checkpoints::of(&self.store).update_note(&tree.origin, reply.size, add, now).await?;
        let Some(head) = head else {
            tracing::info!(%partner, log = tree.origin, size = reply.size, "ignored a cosignature: it fits no checkpoint that waits");
            return Ok(());
        };
        self.record_partner_head(partner, &tree.origin, head.size).await?;
        self.alarms.close(LogAlarmKind::UnknownLog, &tree.origin, now).await?;
        if head.settled_at == Some(now) {
            metrics::histogram!("rovuma_audit_cosigned_seconds")
                .record(now.since(head.made_at).as_secs_f64());
            self.settled.notify_one();
        }
        // The policy may require other partners' cosignatures too.
        self.cosignatures_needed.notify_one();
        Ok(())
    }

    /// Examines the head of this log that a refusal shows: the next proof starts from it, or it contradicts the store.
    async fn examine_refusal(
        &self,
        partner: CountryCode,
        tree: &Tree,
        reply: &AuditCosignature,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let origin = &tree.origin;
        let Some(note) = &reply.held else {
            // The partner has cosigned no head of this log: its store may be new.
            return self
                .record_partner_head(partner, origin, 0)
                .await
                .map(|()| self.cosignatures_needed.notify_one());
        };
        let log_key = self.sequencer.log_key.public_key();
        let Some(held) = signed_head(note.as_str().as_bytes(), origin, log_key) else {
            tracing::error!(%partner, log = origin, answer = %reply.answer, "our log did not sign the head that the partner shows");
            return Ok(());
        };
        if let Some(kind) = self.contradiction(tree, &held).await.map_err(WriteError::Job)? {
            let ours = String::from_utf8_lossy(&tree.checkpoint).into_owned();
            let evidence = ConflictingHeads { held: ours, shown: note.to_string() };
            self.alarms.raise(kind, origin, Some(evidence), now).await?;
            // Our own signature proves that the store lacks leaves or has others: it is an older copy, and nothing may be
            // appended to this tree any more. The new identity forces the service to start again, with a new tree.
            return self.renew_store().await;
        }
        self.record_partner_head(partner, origin, held.size).await?;
        self.cosignatures_needed.notify_one();
        Ok(())
    }

    async fn renew_store(&self) -> Result<(), WriteError<DbError>> {
        tracing::error!(
            "the partner has a head that our log signed and the store lacks: the store gets a new identity"
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

    /// Whether a head that our log signed contradicts the present tree.
    async fn contradiction(&self, tree: &Tree, held: &Head) -> Result<Option<LogAlarmKind>, DbError> {
        if held.size > tree.edge.size() {
            return Ok(Some(LogAlarmKind::Shrunken));
        }
        let tiles =
            tree.load_tiles(self.store.read(), held.size, LoadedTiles::needed_for_edge(held.size)).await?;
        let edge = tiles.edge().map_err(|fault| DbError::damaged("tree", fault))?;
        Ok((edge.root() != held.root).then_some(LogAlarmKind::Fork))
    }

    /// Records the size of the last head that a partner cosigned.
    async fn record_partner_head(
        &self,
        partner: CountryCode,
        origin: &str,
        size: u64,
    ) -> Result<(), WriteError<DbError>> {
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
