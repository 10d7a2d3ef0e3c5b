//! The task that prunes old logs as the written policy says.

use std::{sync::Arc, time::Duration};

use rovuma_envelope::Signer;
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_store::{FutureExt, Store, WriteError};
use rovuma_tlog::{PRUNED_PATH, Pruned};

use super::{Heads, LogFolder, PublishFault, run::unix_s};
use crate::{
    config::RetentionConfig,
    error::DbError,
    log::{Sequencer, Tree, prune},
};

/// A year ends once a year: a look a day is often enough.
const EVERY: Duration = Duration::from_secs(24 * 3600);

/// Takes the entries of old logs out.
pub(crate) struct Pruner {
    pub(crate) store: Store,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) folder: LogFolder,
    /// The written policy; without one nothing new is decided.
    pub(crate) retention: Option<RetentionConfig>,
    pub(crate) clock: SharedClock,
}

impl Pruner {
    /// Looks once a day until a soft shutdown.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        loop {
            let step = async {
                if let Err(fault) = self.step().await {
                    tracing::error!(%fault, "old logs were not pruned; the next try is in a day");
                }
                tokio::time::sleep(EVERY).await;
            };
            tokio::select! {
                () = shutdown.soft() => return,
                () = step => {}
            }
        }
    }

    /// Prunes what is due. Wherever it is interrupted, it goes on from there the next time.
    pub(crate) async fn step(&self) -> Result<(), PublishFault> {
        let keep_years = self.retention.as_ref().map(|retention| retention.keep_years);
        for tree in prune::due(self.store.read(), keep_years).await? {
            if let Some(retention) = self.retention.as_ref().filter(|_| tree.pruned.below == 0) {
                if !self.is_settled(&tree).await? {
                    // Nor is any after it: what is kept has no gap.
                    tracing::warn!(log = tree.origin, "not pruned: its last head is not good by the policy");
                    break;
                }
                self.decide(&tree, &retention.policy).await?;
            }
            self.say(&tree.origin).await?;
            while self.go_on(&tree.origin).await? {}
            tracing::info!(log = tree.origin, entries = tree.edge.size(), "pruned");
        }
        Ok(())
    }

    /// Whether both countries have signed what it was.
    async fn is_settled(&self, tree: &Tree) -> Result<bool, DbError> {
        let good = Heads::of(&self.store).settled(&tree.origin).await?;
        Ok(good.is_some_and(|head| head.size == tree.edge.size()))
    }

    async fn decide(&self, tree: &Tree, policy: &str) -> Result<(), WriteError<DbError>> {
        let (sequencer, now) = (Arc::clone(&self.sequencer), self.clock.now());
        let (origin, policy) = (tree.origin.clone(), policy.to_owned());
        let write = self.store.write(move |tx| {
            async move { prune::decide(tx, &sequencer, &origin, &policy, now).await }.boxed()
        });
        write.await
    }

    /// Says in the public files what goes, before anything does.
    async fn say(&self, origin: &str) -> Result<(), PublishFault> {
        let trees = Tree::all(self.store.read()).await?;
        let Some(tree) = trees.into_iter().find(|tree| tree.origin == origin) else { return Ok(()) };
        let Some(note) = pruned_note(&tree, self.sequencer.log_key.as_ref())? else { return Ok(()) };
        Ok(self.folder.take_out(&tree, PRUNED_PATH, note).await?)
    }

    async fn go_on(&self, origin: &str) -> Result<bool, WriteError<DbError>> {
        let origin = origin.to_owned();
        self.store.write(move |tx| async move { prune::go_on(tx, &origin).await }.boxed()).await
    }
}

/// What a log says of the entries that were taken out of it, signed; the same text whenever it is asked for.
pub(crate) fn pruned_note(tree: &Tree, log_key: &dyn Signer) -> Result<Option<Vec<u8>>, DbError> {
    let Some((at, policy)) = tree.pruned.by.clone() else { return Ok(None) };
    let (origin, minimum_index) = (tree.origin.clone(), tree.pruned.below);
    Ok(Some(Pruned { origin, minimum_index, unix_s: unix_s(at), policy }.sign(log_key)?))
}
