//! Prometheus text from the `metrics` facade.

use std::{sync::OnceLock, time::Duration};

use anyhow::{Context as _, anyhow};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::Shutdown;

/// The buckets of durations in seconds, from a fast request to a slow line.
const SECONDS_BUCKETS: [f64; 11] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0];

/// How often measured durations are sorted into their buckets. Until then each one stays in memory, also where nobody ever
/// reads `/metrics`.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The recorder is global to a process (the facade's own rule), so it is installed once.
static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the recorder, or returns the one that is installed.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets(&SECONDS_BUCKETS)
        .context("metric buckets")?
        .install_recorder()
        .map_err(|error| anyhow!("cannot install the metrics recorder: {error}"))?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Sorts measured durations into their buckets until a soft shutdown.
pub(crate) async fn keep_up(metrics: PrometheusHandle, shutdown: Shutdown) {
    while shutdown.pause(UPKEEP_EVERY).await {
        metrics.run_upkeep();
    }
}
