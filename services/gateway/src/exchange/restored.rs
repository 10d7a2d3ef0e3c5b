//! Reports once, to the auditors and to every agency, that the store was restored from an older copy.

use std::{sync::Arc, time::Duration};

use rovuma_runtime::Shutdown;
use rovuma_store::{Conn, FutureExt, Restored, WriteError};

use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    exchange::Exchange,
    exchange::SYSTEM,
};

/// How often the store's identity is checked: a database server may come back as an older copy of itself while we run.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// Records that the store was restored and raises an alarm for every agency, unless that was done. Runs in the transaction
/// that renewed the store's identity, or in the first one after.
pub(crate) async fn record(tx: &mut Conn, exchange: &Exchange) -> Result<Option<Restored>, DbError> {
    let now = exchange.base.now();
    let Some(restored) = exchange.base.trail.record_restore(tx, SYSTEM, now).await? else { return Ok(None) };
    let detail = format!(
        "restored from an older copy: messages sent and received since that copy are not known here; our streams have the \
         new id {} after {}",
        restored.to, restored.from
    );
    for (agency, _) in exchange.agencies.iter() {
        alarm::raise(tx, agency, AlarmKind::StoreRestored, "store", &detail, now).await?;
    }
    Ok(Some(restored))
}

/// Records a restore that the store noticed when it was opened, or that an operator reported with `rovumactl`.
pub(crate) async fn record_if_restored(exchange: &Arc<Exchange>) -> Result<(), WriteError<DbError>> {
    let job = exchange.clone();
    let write =
        exchange.base.store.write(move |tx| async move { record(tx, &job).await.map(|_| ()) }.boxed());
    write.await
}

/// Records a restore that happens while we run, until a soft shutdown.
pub(crate) async fn watch(exchange: Arc<Exchange>, shutdown: Shutdown) {
    let mut recorded = exchange.base.store.identity();
    while shutdown.pause(CHECK_EVERY).await {
        match exchange.base.store.refresh_identity().await {
            Ok(found) if found != recorded => match record_if_restored(&exchange).await {
                Ok(()) => recorded = found,
                Err(fault) => tracing::error!(%fault, "the restore of the store is not recorded yet"),
            },
            Ok(_) => {}
            Err(fault) => tracing::warn!(%fault, "cannot check whether the store was restored"),
        }
    }
}
