//! SIGTERM: every service ends by itself, in time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rovuma_lab::country::{SERVICES, STOP_GRACE, WATCHLIST};
use rovuma_tests::{Lab, drafts, send};

/// What the design promises.
const PROMISED: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn each_service_ends_within_ten_seconds_of_sigterm() -> Result<()> {
    let mut lab = Lab::start().await?;
    lab.border.mz.start_watchlist().await?;
    lab.border.tz.start_watchlist().await?;
    let sender = lab.officer("mz.prm").await?;
    // With something in hand, and a reader that would never go away by itself.
    for _ in 0..20 {
        send(&sender, &drafts::motorcycle(&["tz.tpf", "tz.tisd"])).await?;
    }
    let follower = lab.officer("tz.tpf").await?;
    let follow = tokio::spawn(async move { follower.get("/v1/events/live").await });
    for code in ["mz", "tz"] {
        // The watchlist first: it follows the gateway's alerts, which end later.
        for service in [WATCHLIST].into_iter().chain(SERVICES) {
            let country = if code == "mz" { &mut lab.border.mz } else { &mut lab.border.tz };
            let mut process = country.take_service(service)?;
            let started = Instant::now();
            let status =
                process.stop(STOP_GRACE).await.with_context(|| format!("{code} {service} stayed"))?;
            let log = country.log_tail(service);
            assert!(status.success(), "{code} {service} ended with {status}:\n{log}");
            assert!(started.elapsed() < PROMISED, "{code} {service} took {:?}", started.elapsed());
        }
    }
    follow.abort();
    Ok(())
}
