//! The task that makes heads known.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rovuma_envelope::Signer;
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::Timestamp;
use rovuma_store::{Store, WriteError};
use rovuma_tlog::{CosignFault, PRUNED_PATH, Policy, UnverifiedCheckpoint, Verdict, add_cosignature, cosign};
use tokio::sync::Notify;

use super::{Heads, LogFolder, MadeHead, PublishedFault, pruned_note};
use crate::{
    error::DbError,
    failure::{Step, point},
    log::{Sequencer, Tree},
};

/// How long the next head waits for the cosignatures of the one before: longer than an answer takes over a bad line.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the next try waits for after a fault.
const AFTER_FAULT: Duration = Duration::from_secs(1);

/// Makes heads known, and brings the public files up to them.
pub(crate) struct Publisher {
    pub(crate) store: Store,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) folder: LogFolder,
    /// What makes a head good; without it the log's own signature does.
    pub(crate) policy: Option<Arc<Policy>>,
    /// The service's own key as a witness and its name, where the policy asks for its cosignature too.
    pub(crate) witness: Option<(String, Arc<dyn Signer>)>,
    /// A head at most so often.
    pub(crate) every: Duration,
    /// After so long without cosignatures the files are brought up to heads that lack them.
    pub(crate) unwitnessed_after: Duration,
    pub(crate) clock: SharedClock,
    /// Told when a head waits for cosignatures.
    pub(crate) made: Arc<Notify>,
    /// Tells that a head became good.
    pub(crate) settled: Arc<Notify>,
    /// The heads that the files are known to be at.
    pub(crate) at_rest: Mutex<BTreeMap<String, (u64, Vec<u8>)>>,
}

/// Something kept a head from being made known.
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
    /// Whether the store is not the one that made known what it made known.
    fn is_another_history(&self) -> bool {
        use PublishedFault::{Ahead, Db, Differs};
        matches!(self, Self::Published(Ahead { .. } | Differs { .. } | Db(DbError::PutBack)))
    }
}

impl Publisher {
    /// Checks that what is published and the store go together.
    ///
    /// # Errors
    /// [`PublishedFault`]: the service must not go on.
    pub(crate) async fn check(&self) -> Result<(), PublishedFault> {
        for tree in Tree::kept(self.store.read()).await? {
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
            wait = match self.step().await {
                Ok(()) => self.every,
                // It is an older copy of the store: what it goes on with would be another history.
                Err(fault) if fault.is_another_history() => return shutdown.fail(&fault),
                Err(_) => AFTER_FAULT,
            };
            // What was committed during the step, and what comes now, is for the next one.
            tokio::select! {
                () = shutdown.soft() => return,
                _ = commits.changed() => {}
                () = self.settled.notified() => {}
                () = tokio::time::sleep(PATIENCE) => {}
            }
        }
    }

    /// Makes the present head of each log known that is not yet, and brings the files up to it.
    pub(crate) async fn step(&self) -> Result<(), PublishFault> {
        self.sequencer.still_the_same(self.store.read()).await?;
        let mut fault = None;
        for tree in Tree::kept(self.store.read()).await? {
            // What is wrong with the files of an old year does not stop the present one.
            if let Err(found) = self.step_of(&tree).await {
                tracing::error!(fault = %found, log = tree.origin, "a log's head was not made known");
                fault.get_or_insert(found);
            }
        }
        fault.map_or(Ok(()), Err)
    }

    async fn step_of(&self, tree: &Tree) -> Result<(), PublishFault> {
        let now = self.clock.now();
        let heads = Heads::of(&self.store);
        let known = heads.list(&tree.origin).await?;
        let is_waiting = |head: &&MadeHead| head.settled_at.is_none() && now.since(head.made_at) < PATIENCE;
        let is_new = known.first().is_none_or(|head| head.size < tree.edge.size());
        if is_new
            && known.first().filter(is_waiting).is_none()
            && let Some(made) = self.make(&heads, &tree.origin, now).await?
        {
            self.judge(&heads, &tree.origin, made.size, now).await?;
            // Partners are asked while the files are written.
            self.made.notify_one();
        }
        point(Step::HeadKept);
        self.bring_up(&heads, tree, now).await
    }

    async fn make(
        &self,
        heads: &Heads,
        origin: &str,
        now: Timestamp,
    ) -> Result<Option<MadeHead>, PublishFault> {
        let (witness, policy) = (self.witness.clone(), self.policy.clone());
        let finish = move |note: &[u8]| match witness.zip(policy) {
            Some(((name, key), policy)) => Ok(with_own_cosignature(note, &policy, &name, key.as_ref(), now)?),
            None => Ok(note.to_vec()),
        };
        Ok(heads.make(origin, finish, now).await?)
    }

    /// Marks a head as good where the policy needs nobody else.
    async fn judge(
        &self,
        heads: &Heads,
        origin: &str,
        size: u64,
        now: Timestamp,
    ) -> Result<(), PublishFault> {
        let policy = self.policy.clone();
        let look = move |read: &UnverifiedCheckpoint| {
            let good = |policy: &Arc<Policy>| matches!(policy.judge(read.clone()), Verdict::Good(_));
            let is_good = policy.as_ref().is_none_or(good);
            is_good.then(|| (read.as_bytes().to_vec(), true))
        };
        heads.cosign(origin, size, look, now).await?;
        Ok(())
    }

    /// Brings the files up to the last good head; or, once there has been none for long, to the last head there is.
    async fn bring_up(&self, heads: &Heads, tree: &Tree, now: Timestamp) -> Result<(), PublishFault> {
        let known = heads.list(&tree.origin).await?;
        let good = known.iter().find(|head| head.settled_at.is_some());
        let is_late = |head: &MadeHead| now.since(head.made_at) >= self.unwitnessed_after;
        let unwitnessed = known.iter().take_while(|head| head.settled_at.is_none());
        let wanted = if unwitnessed.clone().any(is_late) { known.first() } else { good };
        let Some(head) = wanted else { return Ok(()) };
        let known = self.at_rest().get(&tree.origin).cloned();
        if known.as_ref().is_some_and(|(_, note)| *note == head.note) {
            return Ok(());
        }
        let pool = self.store.read();
        // What stands there is looked at once; from then on it is what was put there.
        let published = match known {
            Some((size, _)) => Some(size),
            None => self.folder.check(pool, tree, self.sequencer.log_key.public_key()).await?,
        };
        if published.is_some_and(|published| published > head.size) {
            return Ok(());
        }
        if published != Some(head.size) || !self.folder.has(&tree.origin, &head.note) {
            self.folder.publish(pool, tree, published.unwrap_or(0), (head.size, &head.note)).await?;
        }
        // The files of a pruned log may have been made again from the store: they say what they lack.
        if let Some(note) = pruned_note(tree, self.sequencer.log_key.as_ref())? {
            self.folder.take_out(tree, PRUNED_PATH, note).await?;
        }
        metrics::gauge!("rovuma_audit_published_leaves", "log" => tree.origin.clone()).set(gauge(head.size));
        self.at_rest().insert(tree.origin.clone(), (head.size, head.note.clone()));
        Ok(())
    }

    fn at_rest(&self) -> MutexGuard<'_, BTreeMap<String, (u64, Vec<u8>)>> {
        self.at_rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number as a gauge shows it: above 2^53 it loses digits, which no log reaches.
#[expect(clippy::cast_precision_loss, reason = "a log has fewer than 2^53 leaves")]
fn gauge(number: u64) -> f64 {
    number as f64
}

fn with_own_cosignature(
    note: &[u8],
    policy: &Policy,
    name: &str,
    key: &dyn Signer,
    now: Timestamp,
) -> Result<Vec<u8>, CosignFault> {
    let read = UnverifiedCheckpoint::read(note)?;
    let (Verdict::Good(checkpoint) | Verdict::Unwitnessed { checkpoint, .. }) = policy.judge(read.clone())
    else {
        // A policy that does not name our own log: the head stays as it is, and will never be good by it.
        return Ok(note.to_vec());
    };
    let line = cosign(&checkpoint, name, key, unix_s(now))?;
    let note_key = rovuma_tlog::NoteKey::of_cosigner(name, key.public_key())?;
    Ok(add_cosignature(&read, &line, &note_key)?.as_bytes().to_vec())
}

/// Whole seconds since the Unix epoch, as cosignatures have it.
pub(crate) fn unix_s(now: Timestamp) -> u64 {
    u64::try_from(now.as_micros() / 1_000_000).unwrap_or(0)
}
