//! A store that was restored from an older copy: told once, to the auditors and to every agency.

use std::{sync::Arc, time::Duration};

use rovuma_runtime::Shutdown;
use rovuma_store::{Conn, FutureExt, Restored, WriteError};

use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    exchange::Exchange,
    exchange::SYSTEM,
};

/// How often it is looked whether the store has another name: a database server may come back as an older copy
/// of itself while we run.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Writes down that the store was restored, and raises every agency's alarm, unless that was done. In the
/// transaction that renamed it, or in the first after.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn record(tx: &mut Conn, exchange: &Exchange) -> Result<Option<Restored>, DbError> {
    let now = exchange.base.now();
    let Some(restored) = exchange.base.trail.record_restore(tx, SYSTEM, now).await? else { return Ok(None) };
    let detail = format!(
        "restored from an older copy: what was sent and received since that copy is not known here; our streams \
         go on as {} after {}",
        restored.to, restored.from
    );
    for (agency, _) in exchange.agencies.iter() {
        alarm::raise(tx, agency, AlarmKind::StoreRestored, "store", &detail, now).await?;
    }
    Ok(Some(restored))
}

/// Tells of a restore that was noticed when the store was opened, or that `rovumactl` was told of.
///
/// # Errors
/// [`WriteError`] when the store does not take it.
pub(crate) async fn record_if_restored(exchange: &Arc<Exchange>) -> Result<(), WriteError<DbError>> {
    let job = exchange.clone();
    let write =
        exchange.base.store.write(move |tx| async move { record(tx, &job).await.map(|_| ()) }.boxed());
    write.await
}

/// Tells of one that was noticed while we run, until a soft shutdown.
pub(crate) async fn watch(exchange: Arc<Exchange>, shutdown: Shutdown) {
    let mut told = exchange.base.store.identity();
    while shutdown.pause(LOOK_EVERY).await {
        match exchange.base.store.refresh_identity().await {
            Ok(found) if found != told => match record_if_restored(&exchange).await {
                Ok(()) => told = found,
                Err(fault) => tracing::error!(%fault, "that the store was restored is not written down yet"),
            },
            Ok(_) => {}
            Err(fault) => tracing::warn!(%fault, "cannot tell whether the store was restored"),
        }
    }
}
