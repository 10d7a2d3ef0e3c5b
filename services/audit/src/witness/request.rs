//! Requests partners' cosignatures for this log's checkpoints until they reply.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rovuma_broker::{Broker, Publication, topology::names};
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::{
    CountryCode, Digest, MessageId, Timestamp,
    audit::{AuditCheckpoint, RelayedWitnessMessage, WitnessMessage},
};
use rovuma_store::{RowExt, Store, WriteError};
use rovuma_tlog::needed_for_consistency;
use tokio::sync::Notify;

use super::{LogAlarmKind, LogAlarms, Partners, WitnessStatus};
use crate::{
    error::DbError,
    log::Tree,
    publish::{Checkpoints, StoredCheckpoint},
};

/// How long after the first request an unanswered one is repeated; the time doubles with each repetition.
const REPEAT_AFTER: Duration = Duration::from_secs(4);

/// The longest time between repetitions. The partner may be away for hours; when it is back, one reply settles all checkpoints
/// that wait.
const REPEAT_AFTER_MAX: Duration = Duration::from_secs(60);

/// How often the task looks whether a request is due, or a checkpoint has waited too long.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Requests cosignatures from partners, and tracks since when they have not come.
pub(crate) struct CosignRequester {
    pub(crate) store: Store,
    pub(crate) partners: Partners,
    pub(crate) alarms: LogAlarms,
    pub(crate) witness_status: WitnessStatus,
    /// An alarm is raised when a checkpoint has waited for this time.
    pub(crate) alarm_after: Duration,
    pub(crate) clock: SharedClock,
    /// Notifies this task when a checkpoint needs cosignatures, or when a reply makes another request necessary.
    pub(crate) cosignatures_needed: Arc<Notify>,
    pub(crate) pending: PendingRequests,
}

/// The last request to each partner about each log.
#[derive(Debug, Default)]
pub(crate) struct PendingRequests(BTreeMap<(CountryCode, String), PendingRequest>);

#[derive(Clone, Copy, Debug)]
struct PendingRequest {
    /// The size of the head from which the request proves.
    older: u64,
    at: Timestamp,
    /// How often it was repeated.
    repetitions: u32,
}

impl PendingRequests {
    /// Whether a request is due; if so, records that it is made now.
    fn start_if_due(&mut self, partner: CountryCode, origin: &str, older: u64, now: Timestamp) -> bool {
        let key = (partner, origin.to_owned());
        let repetitions = match self.0.get(&key) {
            // The partner has not replied since, although the new request may be about a newer head.
            Some(request) if request.older == older => {
                let wait = REPEAT_AFTER.saturating_mul(1 << request.repetitions.min(8)).min(REPEAT_AFTER_MAX);
                if now.since(request.at) < wait {
                    return false;
                }
                request.repetitions + 1
            }
            _ => 0,
        };
        self.0.insert(key, PendingRequest { older, at: now, repetitions });
        true
    }
}

impl CosignRequester {
    /// Runs until a soft shutdown.
    pub(crate) async fn run(mut self, broker: Broker, shutdown: Shutdown) {
        loop {
            match self.due_requests().await {
                Ok(posts) => {
                    for post in posts {
                        tokio::select! {
                            () = shutdown.soft() => return,
                            () = self.publish(&broker, &post) => {}
                        }
                    }
                }
                Err(fault) => {
                    tracing::error!(%fault, "the requests for cosignatures could not be prepared; trying again")
                }
            }
            tokio::select! {
                () = shutdown.soft() => return,
                () = self.cosignatures_needed.notified() => {}
                () = tokio::time::sleep(CHECK_INTERVAL) => {}
            }
        }
    }

    async fn publish(&self, broker: &Broker, post: &RelayedWitnessMessage) {
        let Some(publication) = publication(post, self.clock.now()) else { return };
        if let Err(fault) = broker.publish(publication).await {
            tracing::warn!(%fault, partner = %post.partner, "a request to a partner was not published; it will be repeated");
        }
    }

    /// The requests that are due now.
    pub(crate) async fn due_requests(&mut self) -> Result<Vec<RelayedWitnessMessage>, WriteError<DbError>> {
        let now = self.clock.now();
        // This comes first because a log that was closed while no partner cosigned opens again with it.
        self.witness_status.refresh(self.store.read(), now).await.map_err(WriteError::Job)?;
        let mut posts = Vec::new();
        for tree in Tree::continuing(self.store.read()).await.map_err(WriteError::Job)? {
            let mut heads = Checkpoints::of(&self.store).list(&tree.origin).await.map_err(WriteError::Job)?;
            let settled = heads.iter().position(|head| head.settled_at.is_some());
            heads.truncate(settled.unwrap_or(heads.len()));
            if let Some(head) = heads.first() {
                posts.extend(self.requests(&tree, head, now).await.map_err(WriteError::Job)?);
            }
            // A failure to record an alarm does not hold up the requests.
            if let Err(fault) =
                self.update_alarms(&tree, heads.last().map(|oldest| oldest.made_at), now).await
            {
                tracing::error!(%fault, log = tree.origin, "an alarm could not be recorded; trying again");
            }
        }
        Ok(posts)
    }

    async fn update_alarms(
        &self,
        tree: &Tree,
        waits_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let origin = &tree.origin;
        if !self.partners.names(origin) {
            // Nobody can cosign a log that the policy does not name, this service included.
            self.alarms.raise(LogAlarmKind::UnknownLog, origin, None, now).await?;
        }
        match waits_since {
            Some(since) if now.since(since) >= self.alarm_after => {
                self.alarms.raise(LogAlarmKind::Unwitnessed, origin, None, now).await
            }
            Some(_) => Ok(()),
            None => self.alarms.close(LogAlarmKind::Unwitnessed, origin, now).await,
        }
    }

    async fn requests(
        &mut self,
        tree: &Tree,
        head: &StoredCheckpoint,
        now: Timestamp,
    ) -> Result<Vec<RelayedWitnessMessage>, DbError> {
        let mut posts = Vec::new();
        for partner in self.partners.missing(&head.note) {
            let older = cosigned_by(&self.store, partner, &tree.origin).await?;
            // The partner has cosigned a later head, so it will not cosign this one; or its head is of a longer log than this store
            // has.
            if older > head.size || !self.pending.start_if_due(partner, &tree.origin, older, now) {
                continue;
            }
            let checkpoint = String::from_utf8_lossy(&head.note).parse();
            let checkpoint = checkpoint.map_err(|fault| DbError::damaged("checkpoint", fault))?;
            let proof = consistency_proof(&self.store, tree, older, head.size).await?;
            let message = WitnessMessage::Checkpoint(AuditCheckpoint { checkpoint, older, proof });
            posts.push(RelayedWitnessMessage { partner, message });
        }
        Ok(posts)
    }
}

/// The consistency proof from the tree of `older` leaves to the one of `size` leaves.
async fn consistency_proof(
    store: &Store,
    tree: &Tree,
    older: u64,
    size: u64,
) -> Result<Vec<Digest>, DbError> {
    let fault = |fault| DbError::damaged("tree", fault);
    let needed = needed_for_consistency(older, size).map_err(fault)?;
    let tiles = tree.load_tiles(store.read(), size, needed).await?;
    let hashes = tiles.consistency(older).map_err(fault)?;
    Ok(hashes.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect())
}

/// The size of the last head that a partner is known to have cosigned.
async fn cosigned_by(store: &Store, partner: CountryCode, origin: &str) -> Result<u64, DbError> {
    let row = sqlx::query("SELECT size FROM partner_head WHERE partner = $1 AND origin = $2")
        .bind(partner.as_str())
        .bind(origin)
        .fetch_optional(store.read())
        .await?;
    Ok(row.map_or(Ok(0), |row| row.count("size"))?)
}

/// A message to a partner, for the gateway that serves this node.
pub(super) fn publication(post: &RelayedWitnessMessage, now: Timestamp) -> Option<Publication> {
    let body = serde_json::to_vec(post)
        .inspect_err(|fault| tracing::error!(%fault, "a message to a partner could not be encoded"))
        .ok()?;
    Some(Publication {
        exchange: names::AUDIT.to_owned(),
        routing_key: names::AUDIT_OUTWARD_KEY.to_owned(),
        message_id: MessageId::draw(now).to_string(),
        content_type: "application/json".to_owned(),
        headers: BTreeMap::new(),
        body,
    })
}
