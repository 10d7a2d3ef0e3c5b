//! Failing closed: what must be accounted for is not done while nobody takes account.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rovuma_runtime::{Problem, Shutdown};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::FutureExt;

use crate::{
    error::DbError,
    exchange::alarm::{self, AlarmKind},
    gateway::Gateway,
    http::error::ApiError,
};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// From when the store was asked until when nothing that is recorded can be overdue. Asking at every release would
/// cost more than the rest of its audit events together. A clock that is put back before it makes us ask again.
#[derive(Debug, Default)]
pub(crate) struct Current(Mutex<Option<Range<Timestamp>>>);

impl Current {
    fn holds(&self, now: Timestamp) -> bool {
        self.span().as_ref().is_some_and(|span| span.contains(&now))
    }

    fn set(&self, span: Range<Timestamp>) {
        *self.span() = Some(span);
    }

    fn span(&self) -> MutexGuard<'_, Option<Range<Timestamp>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses when the audit service has missed something for too long.
///
/// # Errors
/// 503 `audit_overdue`, saying since when.
pub(crate) async fn check(gateway: &Gateway, now: Timestamp) -> Result<(), ApiError> {
    let Some(since) = overdue_since(gateway, now).await? else { return Ok(()) };
    let detail = format!(
        "The audit service has not acknowledged what happened here since {since}. Nothing is sent until it does."
    );
    Err(Problem::unavailable("audit_overdue").detail(detail).into())
}

/// Raises an alarm for every agency when sending stops, until a soft shutdown.
pub(crate) async fn watch(gateway: Arc<Gateway>, shutdown: Shutdown) {
    let mut was_overdue = false;
    loop {
        let now = gateway.now();
        match overdue_since(&gateway, now).await {
            Ok(Some(since)) if !was_overdue => was_overdue = tell(&gateway, since, now).await.is_ok(),
            Ok(Some(_)) => {}
            Ok(None) => was_overdue = false,
            Err(fault) => tracing::error!(%fault, "cannot tell whether audit events are overdue"),
        }
        if !shutdown.pause(LOOK_EVERY).await {
            return;
        }
    }
}

async fn overdue_since(gateway: &Gateway, now: Timestamp) -> Result<Option<Timestamp>, DbError> {
    if gateway.audit_current.holds(now) {
        return Ok(None);
    }
    let oldest = gateway.trail.oldest_unacknowledged().await?;
    if let Some(oldest) = oldest.filter(|oldest| now.since(*oldest) > gateway.audit_overdue_after) {
        return Ok(Some(oldest));
    }
    // What is recorded from now on is younger.
    gateway.audit_current.set(now..oldest.unwrap_or(now).plus(gateway.audit_overdue_after));
    Ok(None)
}

async fn tell(gateway: &Gateway, since: Timestamp, now: Timestamp) -> Result<(), ApiError> {
    let agencies: Vec<AgencyCode> = gateway.agencies.iter().map(|(code, _)| code.clone()).collect();
    Ok(gateway
        .store
        .write(move |tx| {
            async move {
                for agency in &agencies {
                    let detail = format!("not acknowledged since {since}");
                    alarm::raise(tx, agency, AlarmKind::AuditOverdue, "audit", &detail, now).await?;
                }
                Ok::<_, DbError>(())
            }
            .boxed()
        })
        .await?)
}
