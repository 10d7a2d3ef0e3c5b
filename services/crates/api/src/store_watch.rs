//! Watches a service's store while the service runs.

use std::time::Duration;

use rovuma_runtime::{Context, ReadyHandle, Shutdown};
use rovuma_store::Store;

/// How often the store is probed. A load balancer that asks every few seconds then learns of a lost database in time, and the
/// probe's commit is one of very few.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// Keeps the readiness check `store` as the store is: not ready while it cannot be read or written, with the reason, and ready
/// again when it can. When the store's writer has panicked the service ends with a failure: every write would fail for ever.
pub fn watch_store(context: &Context, store: Store) {
    let (ready, shutdown) = (context.health.register("store"), context.shutdown.clone());
    // Who has opened the store has just read and written it.
    ready.ready();
    context.shutdown.spawn_fallible("store", async move {
        tokio::select! {
            text = store.writer_failed() => Err(format!("the store's writer panicked: {text}")),
            () = probe_regularly(&store, &ready, &shutdown) => Ok(()),
        }
    });
}

async fn probe_regularly(store: &Store, ready: &ReadyHandle, shutdown: &Shutdown) {
    let mut was_ready = true;
    while shutdown.pause(PROBE_EVERY).await {
        let probed = store.probe().await;
        match &probed {
            Ok(()) if was_ready => {}
            Ok(()) => {
                ready.ready();
                tracing::info!("the store works again");
            }
            Err(fault) => {
                ready.not_ready(fault.to_string());
                if was_ready {
                    tracing::error!(%fault, "the store does not work");
                }
            }
        }
        was_ready = probed.is_ok();
    }
}
