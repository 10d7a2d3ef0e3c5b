//! Waiting for a condition.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What has not come by then is not coming: everything waited for takes well under a second when the
/// machine is idle.
const PATIENCE: Duration = Duration::from_secs(45);

/// How often the condition is looked at.
const POLL: Duration = Duration::from_millis(25);

/// Waits until `look` finds something; `what` says what, when it never does.
///
/// # Errors
/// When `look` fails, or has found nothing for 45 s.
pub async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let started = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if started.elapsed() > PATIENCE {
            bail!("waited {} s in vain: {what}", PATIENCE.as_secs());
        }
        tokio::time::sleep(POLL).await;
    }
}
