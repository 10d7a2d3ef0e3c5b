//! Asking partners to cosign our heads, until they answer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rovuma_broker::{Broker, Publication, topology::names};
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::{
    CountryCode, Digest, MessageId, Timestamp,
    audit::{AuditCheckpoint, WitnessPost, WitnessWord},
};
use rovuma_store::{RowExt, Store, WriteError};
use rovuma_tlog::needed_for_consistency;
use tokio::sync::Notify;

use super::{LogAlarmKind, LogAlarms, Partners, Watch};
use crate::{
    error::DbError,
    log::Tree,
    publish::{Heads, MadeHead},
};

/// The first time that an unanswered question is asked again; then twice as long each time.
const AGAIN_AFTER: Duration = Duration::from_secs(4);

/// At the longest. The partner may be away for hours; when it is back, the first answer makes up for all.
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(60);

/// How often it is looked whether a question is due, or a head has waited too long.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Asks partners to cosign, and watches since when they have not.
pub(crate) struct Asker {
    pub(crate) store: Store,
    pub(crate) partners: Partners,
    pub(crate) alarms: LogAlarms,
    pub(crate) watch: Watch,
    /// A head that has waited so long is an alarm.
    pub(crate) alarm_after: Duration,
    pub(crate) clock: SharedClock,
    /// Tells that a head waits, or that an answer came that asks for another question.
    pub(crate) made: Arc<Notify>,
    pub(crate) asked: Questions,
}

/// The questions that are under way.
#[derive(Debug, Default)]
pub(crate) struct Questions(BTreeMap<(CountryCode, String), Question>);

#[derive(Clone, Copy, Debug)]
struct Question {
    older: u64,
    at: Timestamp,
    times: u32,
}

impl Questions {
    /// Whether it is time to ask, and notes that it was.
    fn is_due(&mut self, partner: CountryCode, origin: &str, older: u64, now: Timestamp) -> bool {
        let key = (partner, origin.to_owned());
        let times = match self.0.get(&key) {
            // Not answered yet, be the head a newer one.
            Some(question) if question.older == older => {
                let wait = AGAIN_AFTER.saturating_mul(1 << question.times.min(8)).min(AGAIN_AFTER_MAX);
                if now.since(question.at) < wait {
                    return false;
                }
                question.times + 1
            }
            _ => 0,
        };
        self.0.insert(key, Question { older, at: now, times });
        true
    }
}

impl Asker {
    /// Runs until a soft shutdown.
    pub(crate) async fn run(mut self, broker: Broker, shutdown: Shutdown) {
        loop {
            match self.due().await {
                Ok(posts) => {
                    for post in posts {
                        tokio::select! {
                            () = shutdown.soft() => return,
                            () = self.publish(&broker, &post) => {}
                        }
                    }
                }
                Err(fault) => {
                    tracing::error!(%fault, "partners could not be asked to cosign; it is tried again")
                }
            }
            tokio::select! {
                () = shutdown.soft() => return,
                () = self.made.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn publish(&self, broker: &Broker, post: &WitnessPost) {
        let Some(publication) = publication(post, self.clock.now()) else { return };
        if let Err(fault) = broker.publish(publication).await {
            tracing::warn!(%fault, partner = %post.partner, "a question to a partner did not leave; it is asked again");
        }
    }

    /// The questions that are to be asked now.
    pub(crate) async fn due(&mut self) -> Result<Vec<WitnessPost>, WriteError<DbError>> {
        let now = self.clock.now();
        // First of all: a log that takes nothing in while nobody cosigns does again from here on.
        self.watch.look(self.store.read(), now).await.map_err(WriteError::Job)?;
        let mut posts = Vec::new();
        for tree in Tree::kept(self.store.read()).await.map_err(WriteError::Job)? {
            let mut heads = Heads::of(&self.store).list(&tree.origin).await.map_err(WriteError::Job)?;
            let settled = heads.iter().position(|head| head.settled_at.is_some());
            heads.truncate(settled.unwrap_or(heads.len()));
            if let Some(head) = heads.first() {
                posts.extend(self.questions(&tree, head, now).await.map_err(WriteError::Job)?);
            }
            // Whether an alarm can be written down or not, the question goes.
            if let Err(fault) = self.look(&tree, heads.last().map(|oldest| oldest.made_at), now).await {
                tracing::error!(%fault, log = tree.origin, "an alarm could not be written down; it is tried again");
            }
        }
        Ok(posts)
    }

    async fn look(
        &self,
        tree: &Tree,
        waits_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let origin = &tree.origin;
        if !self.partners.names(origin) {
            // Nobody can cosign it, ourselves not either.
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

    async fn questions(
        &mut self,
        tree: &Tree,
        head: &MadeHead,
        now: Timestamp,
    ) -> Result<Vec<WitnessPost>, DbError> {
        let mut posts = Vec::new();
        for partner in self.partners.missing(&head.note) {
            let older = cosigned_by(&self.store, partner, &tree.origin).await?;
            // It has cosigned a later one, and will not cosign this one any more; or it has a longer log than ours.
            if older > head.size || !self.asked.is_due(partner, &tree.origin, older, now) {
                continue;
            }
            let checkpoint = String::from_utf8_lossy(&head.note).parse();
            let checkpoint = checkpoint.map_err(|fault| DbError::damaged("checkpoint", fault))?;
            let proof = proof(&self.store, tree, older, head.size).await?;
            let word = WitnessWord::Checkpoint(AuditCheckpoint { checkpoint, older, proof });
            posts.push(WitnessPost { partner, word });
        }
        Ok(posts)
    }
}

/// The proof that the tree of `size` leaves is the one of `older` leaves gone on.
async fn proof(store: &Store, tree: &Tree, older: u64, size: u64) -> Result<Vec<Digest>, DbError> {
    let fault = |fault| DbError::damaged("tree", fault);
    let wanted = needed_for_consistency(older, size).map_err(fault)?;
    let tiles = tree.tiles(store.read(), size, wanted).await?;
    let hashes = tiles.consistency(older).map_err(fault)?;
    Ok(hashes.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect())
}

/// The size of the last head that a partner has cosigned, as far as we know.
async fn cosigned_by(store: &Store, partner: CountryCode, origin: &str) -> Result<u64, DbError> {
    let row = sqlx::query("SELECT size FROM partner_head WHERE partner = $1 AND origin = $2")
        .bind(partner.as_str())
        .bind(origin)
        .fetch_optional(store.read())
        .await?;
    Ok(row.map_or(Ok(0), |row| row.count("size"))?)
}

/// What is said to a partner, for the gateway that serves the installation.
pub(super) fn publication(post: &WitnessPost, now: Timestamp) -> Option<Publication> {
    let body = serde_json::to_vec(post).inspect_err(|fault| tracing::error!(%fault, "not JSON")).ok()?;
    Some(Publication {
        exchange: names::AUDIT.to_owned(),
        routing_key: names::AUDIT_OUTWARD_KEY.to_owned(),
        message_id: MessageId::draw(now).to_string(),
        content_type: "application/json".to_owned(),
        headers: BTreeMap::new(),
        body,
    })
}
