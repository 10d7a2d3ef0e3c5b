//! Removes what may not be kept any longer: crossings, hits, what was expected, and travellers who are known not to be the listed person.

use std::{sync::Arc, time::Duration};

use rovuma_runtime::Shutdown;
use rovuma_schemas::Timestamp;
use rovuma_store::{FutureExt, WriteError};

use crate::{coverage, crossed, error::DbError, expected, hits, innocents, watchlist::Watchlist};

/// How often what is old is removed.
const PRUNED_EVERY: Duration = Duration::from_secs(10 * 60);

/// Removes what is old, until the service stops.
pub(crate) async fn run(watchlist: Arc<Watchlist>, shutdown: Shutdown) {
    loop {
        if let Err(fault) = prune(&watchlist, watchlist.now()).await {
            tracing::error!(%fault, "what is too old could not be removed");
        }
        if !shutdown.pause(PRUNED_EVERY).await {
            return;
        }
    }
}

/// Removes what is too old at `now`. With the switch for crossings off, all of them.
pub(crate) async fn prune(watchlist: &Watchlist, now: Timestamp) -> Result<(), WriteError<DbError>> {
    let crossed_before = now.minus(watchlist.remembered_for);
    let write = watchlist.store.write(move |tx| {
        async move {
            crossed::prune(tx, crossed_before).await?;
            hits::prune(tx, now).await?;
            coverage::prune(tx, now).await?;
            expected::prune(tx, now).await?;
            innocents::prune(tx, now).await
        }
        .boxed()
    });
    write.await
}
