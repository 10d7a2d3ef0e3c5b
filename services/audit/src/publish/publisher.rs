//! The task that publishes checkpoints.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rovuma_envelope::Signer;
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::Timestamp;
use rovuma_store::{Store, WriteError};
use rovuma_tlog::{
    CosignFault, LogPolicy, PRUNED_PATH, PolicyVerdict, UnverifiedCheckpoint, add_cosignature, cosign,
};
use tokio::sync::Notify;

use super::{Checkpoints, LogFolder, PublishedFault, StoredCheckpoint, pruned_note};
use crate::{
    error::DbError,
    failure::{CrashPoint, crash_point},
    log::{Sequencer, Tree},
};

/// How long the next checkpoint waits for the cosignatures of the one before: longer than a partner's reply takes over a bad
/// line.
const COSIGNATURE_WAIT: Duration = Duration::from_secs(30);

/// How long after a failure the next try comes.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Stores checkpoints, and updates the public files to them.
pub(crate) struct Publisher {
    pub(crate) store: Store,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) folder: LogFolder,
    /// The policy that checkpoints must meet; without one the log's own signature suffices.
    pub(crate) policy: Option<Arc<LogPolicy>>,
    /// The name and key of this service as a witness, if the policy requires its cosignature too.
    pub(crate) witness: Option<(String, Arc<dyn Signer>)>,
    /// Minimum time between two checkpoints.
    pub(crate) interval: Duration,
    /// The files are updated to a checkpoint that has lacked cosignatures for this time.
    pub(crate) unwitnessed_after: Duration,
    pub(crate) clock: SharedClock,
    /// Notified when a checkpoint needs cosignatures.
    pub(crate) cosignatures_needed: Arc<Notify>,
    /// Notifies this task when a checkpoint is settled.
    pub(crate) settled: Arc<Notify>,
    /// By origin, the size and note of the checkpoint that the files are known to be at.
    pub(crate) published: Mutex<BTreeMap<String, (u64, Vec<u8>)>>,
}

/// Why a checkpoint was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishFault {
    #[error(transparent)]
    Write(#[from] WriteError<DbError>),
    #[error(transparent)]
    Published(#[from] PublishedFault),
}

impl From<DbError> for PublishFault {
    fn from(fault: DbError) -> Self {
        Self::Published(PublishedFault::Db(fault))
    }
}

impl PublishFault {
    /// Whether the store contradicts the published files.
    fn is_another_history(&self) -> bool {
        use PublishedFault::{Ahead, Db, Differs};
        matches!(self, Self::Published(Ahead { .. } | Differs { .. } | Db(DbError::StoreReplaced)))
    }
}

impl Publisher {
    /// Checks that the published files agree with the store.
    ///
    /// # Errors
    /// [`PublishedFault`]: the service must not start.
    pub(crate) async fn check(&self) -> Result<(), PublishedFault> {
        for tree in Tree::continuing(self.store.read()).await? {
            self.folder.check(self.store.read(), &tree, self.sequencer.log_key.public_key()).await?;
        }
        Ok(())
    }

    /// Runs until a soft shutdown.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let mut commits = self.store.commits();
        let mut wait = Duration::ZERO;
        loop {
            tokio::select! {
                () = shutdown.soft() => return,
                () = tokio::time::sleep(wait) => {}
            }
            commits.mark_unchanged();
            wait = match self.publish_all().await {
                Ok(()) => self.interval,
                // The store is an older copy: what the service would append to it would be a second history.
                Err(fault) if fault.is_another_history() => return shutdown.fail(&fault),
                Err(_) => RETRY_AFTER,
            };
            // Commits made during this round start the next one.
            tokio::select! {
                () = shutdown.soft() => return,
                _ = commits.changed() => {}
                () = self.settled.notified() => {}
                () = tokio::time::sleep(COSIGNATURE_WAIT) => {}
            }
        }
    }

    /// Stores and publishes the present checkpoint of each log.
    pub(crate) async fn publish_all(&self) -> Result<(), PublishFault> {
        self.sequencer.check_identity(self.store.read()).await?;
        let mut fault = None;
        for tree in Tree::continuing(self.store.read()).await? {
            // A fault in the files of an old year does not stop the present year's log.
            if let Err(next) = self.publish_log(&tree).await {
                tracing::error!(fault = %next, log = tree.origin, "a log's checkpoint was not published");
                fault.get_or_insert(next);
            }
        }
        fault.map_or(Ok(()), Err)
    }

    async fn publish_log(&self, tree: &Tree) -> Result<(), PublishFault> {
        let now = self.clock.now();
        let heads = Checkpoints::of(&self.store);
        let known = heads.list(&tree.origin).await?;
        let is_waiting = |head: &&StoredCheckpoint| {
            head.settled_at.is_none() && now.since(head.made_at) < COSIGNATURE_WAIT
        };
        let is_new = known.first().is_none_or(|head| head.size < tree.edge.size());
        if is_new
            && known.first().filter(is_waiting).is_none()
            && let Some(stored) = self.store_last(&heads, &tree.origin, now).await?
        {
            self.settle_if_met(&heads, &tree.origin, stored.size, now).await?;
            // The requests to partners go out while the files are written.
            self.cosignatures_needed.notify_one();
        }
        crash_point(CrashPoint::HeadKept);
        self.update_files(&heads, tree, now).await
    }

    async fn store_last(
        &self,
        heads: &Checkpoints,
        origin: &str,
        now: Timestamp,
    ) -> Result<Option<StoredCheckpoint>, PublishFault> {
        let (witness, policy) = (self.witness.clone(), self.policy.clone());
        let finish = move |note: &[u8]| match witness.zip(policy) {
            Some(((name, key), policy)) => Ok(with_own_cosignature(note, &policy, &name, key.as_ref(), now)?),
            None => Ok(note.to_vec()),
        };
        Ok(heads.store_last(origin, finish, now).await?)
    }

    /// Settles a checkpoint whose own signatures already meet the policy.
    async fn settle_if_met(
        &self,
        heads: &Checkpoints,
        origin: &str,
        size: u64,
        now: Timestamp,
    ) -> Result<(), PublishFault> {
        let policy = self.policy.clone();
        let settle = move |note: &UnverifiedCheckpoint| {
            let meets =
                |policy: &Arc<LogPolicy>| matches!(policy.judge(note.clone()), PolicyVerdict::Good(_));
            let is_settled = policy.as_ref().is_none_or(meets);
            is_settled.then(|| (note.as_bytes().to_vec(), true))
        };
        heads.update_note(origin, size, settle, now).await?;
        Ok(())
    }

    /// Updates the files to the last settled checkpoint; once cosignatures have been missing for `unwitnessed_after`, to the last
    /// checkpoint.
    async fn update_files(
        &self,
        heads: &Checkpoints,
        tree: &Tree,
        now: Timestamp,
    ) -> Result<(), PublishFault> {
        let known = heads.list(&tree.origin).await?;
        let settled = known.iter().find(|head| head.settled_at.is_some());
        let is_late = |head: &StoredCheckpoint| now.since(head.made_at) >= self.unwitnessed_after;
        let unwitnessed = known.iter().take_while(|head| head.settled_at.is_none());
        let target = if unwitnessed.clone().any(is_late) { known.first() } else { settled };
        let Some(head) = target else { return Ok(()) };
        let known = self.published().get(&tree.origin).cloned();
        if known.as_ref().is_some_and(|(_, note)| *note == head.note) {
            return Ok(());
        }
        let pool = self.store.read();
        // The files are checked once; from then on they are as this task wrote them.
        let published = match known {
            Some((size, _)) => Some(size),
            None => self.folder.check(pool, tree, self.sequencer.log_key.public_key()).await?,
        };
        if published.is_some_and(|published| published > head.size) {
            return Ok(());
        }
        if published != Some(head.size) || !self.folder.has_checkpoint(&tree.origin, &head.note) {
            self.folder.publish(pool, tree, published.unwrap_or(0), (head.size, &head.note)).await?;
        }
        // The files of a pruned log may have been made again from the store, so the note about its pruning is written again.
        if let Some(note) = pruned_note(tree, self.sequencer.log_key.as_ref())? {
            self.folder.remove_entries(tree, PRUNED_PATH, note).await?;
        }
        metrics::gauge!("rovuma_audit_published_leaves", "log" => tree.origin.clone()).set(gauge(head.size));
        self.published().insert(tree.origin.clone(), (head.size, head.note.clone()));
        Ok(())
    }

    fn published(&self) -> MutexGuard<'_, BTreeMap<String, (u64, Vec<u8>)>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number as a gauge shows it. Above 2^53, which no log reaches, it would lose digits.
#[expect(clippy::cast_precision_loss, reason = "a log has fewer than 2^53 leaves")]
fn gauge(number: u64) -> f64 {
    number as f64
}

fn with_own_cosignature(
    note: &[u8],
    policy: &LogPolicy,
    name: &str,
    key: &dyn Signer,
    now: Timestamp,
) -> Result<Vec<u8>, CosignFault> {
    let read = UnverifiedCheckpoint::read(note)?;
    let (PolicyVerdict::Good(checkpoint) | PolicyVerdict::Unwitnessed { checkpoint, .. }) =
        policy.judge(read.clone())
    else {
        // The policy does not name this log: the checkpoint stays as it is, and is never settled.
        return Ok(note.to_vec());
    };
    let line = cosign(&checkpoint, name, key, unix_s(now))?;
    let note_key = rovuma_tlog::NoteKey::of_cosigner(name, key.public_key())?;
    Ok(add_cosignature(&read, &line, &note_key)?.as_bytes().to_vec())
}

/// Whole seconds since the Unix epoch, as in cosignatures.
pub(crate) fn unix_s(now: Timestamp) -> u64 {
    u64::try_from(now.as_micros() / 1_000_000).unwrap_or(0)
}
