//! The task that prunes old logs as the written policy requires.

use std::{sync::Arc, time::Duration};

use rovuma_envelope::Signer;
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_store::{FutureExt, Store, WriteError};
use rovuma_tlog::{PRUNED_PATH, Pruned};

use super::{Checkpoints, LogFolder, PublishFault, publisher::unix_s};
use crate::{
    config::RetentionConfig,
    error::DbError,
    log::{Sequencer, Tree, prune},
};

/// How often the pruner looks for a log that is due: once a day is enough, because logs end once a year.
const INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// Prunes the entries of old logs.
pub(crate) struct Pruner {
    pub(crate) store: Store,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) folder: LogFolder,
    /// The written policy; without one no further log is pruned.
    pub(crate) retention: Option<RetentionConfig>,
    pub(crate) clock: SharedClock,
}

impl Pruner {
    /// Runs once a day until a soft shutdown.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        loop {
            let round = async {
                if let Err(fault) = self.prune_due().await {
                    tracing::error!(%fault, "old logs were not pruned; the next try is in a day");
                }
                tokio::time::sleep(INTERVAL).await;
            };
            tokio::select! {
                () = shutdown.soft() => return,
                () = round => {}
            }
        }
    }

    /// Prunes the logs that are due. After an interruption the next call continues where this one stopped.
    pub(crate) async fn prune_due(&self) -> Result<(), PublishFault> {
        let keep_years = self.retention.as_ref().map(|retention| retention.keep_years);
        for tree in prune::due_trees(self.store.read(), keep_years).await? {
            if let Some(retention) = self.retention.as_ref().filter(|_| tree.pruned.below == 0) {
                if !self.is_settled(&tree).await? {
                    // Later logs are not pruned either, so that the remaining logs have no gap.
                    tracing::warn!(
                        log = tree.origin,
                        "not pruned: its last checkpoint does not meet the policy"
                    );
                    break;
                }
                self.decide(&tree, &retention.policy).await?;
            }
            self.announce(&tree.origin).await?;
            while self.delete_next(&tree.origin).await? {}
            tracing::info!(log = tree.origin, entries = tree.edge.size(), "pruned");
        }
        Ok(())
    }

    /// Whether both countries have signed the log's last head.
    async fn is_settled(&self, tree: &Tree) -> Result<bool, DbError> {
        let settled = Checkpoints::of(&self.store).last_settled(&tree.origin).await?;
        Ok(settled.is_some_and(|head| head.size == tree.edge.size()))
    }

    async fn decide(&self, tree: &Tree, policy: &str) -> Result<(), WriteError<DbError>> {
        let (sequencer, now) = (Arc::clone(&self.sequencer), self.clock.now());
        let (origin, policy) = (tree.origin.clone(), policy.to_owned());
        let write = self.store.write(move |tx| {
            async move { prune::decide(tx, &sequencer, &origin, &policy, now).await }.boxed()
        });
        write.await
    }

    /// Announces the pruning in the public files, before any entry is deleted.
    async fn announce(&self, origin: &str) -> Result<(), PublishFault> {
        let trees = Tree::all(self.store.read()).await?;
        let Some(tree) = trees.into_iter().find(|tree| tree.origin == origin) else { return Ok(()) };
        let Some(note) = pruned_note(&tree, self.sequencer.log_key.as_ref())? else { return Ok(()) };
        Ok(self.folder.remove_entries(&tree, PRUNED_PATH, note).await?)
    }

    async fn delete_next(&self, origin: &str) -> Result<bool, WriteError<DbError>> {
        let origin = origin.to_owned();
        self.store.write(move |tx| async move { prune::delete_next(tx, &origin).await }.boxed()).await
    }
}

/// The signed note about a log's pruned entries; `None` when none were pruned. It is the same text at each call.
pub(crate) fn pruned_note(tree: &Tree, log_key: &dyn Signer) -> Result<Option<Vec<u8>>, DbError> {
    let Some((at, policy)) = tree.pruned.by.clone() else { return Ok(None) };
    let (origin, minimum_index) = (tree.origin.clone(), tree.pruned.below);
    Ok(Some(Pruned { origin, minimum_index, unix_s: unix_s(at), policy }.sign(log_key)?))
}
