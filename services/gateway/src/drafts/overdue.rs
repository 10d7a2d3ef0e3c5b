//! Fails closed: refuses to release while the audit service has not acknowledged events for too long.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rovuma_runtime::Shutdown;
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{FutureExt, WriteError};
use rovuma_trail::Trail;

use super::{Drafts, Refusal};
use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
};

/// The interval at which the age of the oldest unacknowledged event is checked for the alarm.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// Refuses releases once the audit service has left an event unacknowledged for too long.
#[derive(Debug)]
pub(crate) struct AuditOverdue {
    after: Duration,
    /// A span of time in which no event can be overdue: from the last query until the event that was then the oldest exceeds
    /// the limit. A query at every release would cost more than the rest of its audit events together. When the clock is put
    /// back before the start of the span, the next check queries again.
    known_current: Mutex<Option<Range<Timestamp>>>,
}

impl AuditOverdue {
    /// Counts events as overdue that are older than `after`.
    pub(crate) fn new(after: Duration) -> Self {
        Self { after, known_current: Mutex::default() }
    }

    /// The maximum age of the oldest unacknowledged event.
    #[cfg(test)]
    pub(crate) fn after(&self) -> Duration {
        self.after
    }

    /// Refuses with [`Refusal::AuditOverdue`] when the audit service has left an event unacknowledged for too long.
    pub(crate) async fn check(&self, trail: &Trail, now: Timestamp) -> Result<(), Refusal> {
        match self.since(trail, now).await? {
            Some(since) => Err(Refusal::AuditOverdue { since }),
            None => Ok(()),
        }
    }

    /// The instant at which the oldest event was recorded, if it is overdue.
    async fn since(&self, trail: &Trail, now: Timestamp) -> Result<Option<Timestamp>, DbError> {
        if self.known_current().as_ref().is_some_and(|span| span.contains(&now)) {
            return Ok(None);
        }
        let oldest = trail.oldest_unacknowledged().await?;
        if let Some(oldest) = oldest.filter(|oldest| now.since(*oldest) > self.after) {
            return Ok(Some(oldest));
        }
        // Events recorded from now on are younger, so the oldest one exceeds the limit first.
        *self.known_current() = Some(now..oldest.unwrap_or(now).plus(self.after));
        Ok(None)
    }

    fn known_current(&self) -> MutexGuard<'_, Option<Range<Timestamp>>> {
        self.known_current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Raises an alarm for every agency whenever releases stop, until a soft shutdown.
pub(crate) async fn watch(drafts: Arc<Drafts>, shutdown: Shutdown) {
    let base = &drafts.exchange.base;
    let mut alarm_raised = false;
    loop {
        let now = base.now();
        match drafts.overdue.since(&base.trail, now).await {
            Ok(Some(since)) if !alarm_raised => {
                alarm_raised = raise_alarms(&drafts, since, now).await.is_ok()
            }
            Ok(Some(_)) => {}
            Ok(None) => alarm_raised = false,
            Err(fault) => tracing::error!(%fault, "cannot check whether audit events are overdue"),
        }
        if !shutdown.pause(CHECK_EVERY).await {
            return;
        }
    }
}

async fn raise_alarms(drafts: &Drafts, since: Timestamp, now: Timestamp) -> Result<(), WriteError<DbError>> {
    let agencies: Vec<AgencyCode> = drafts.exchange.agencies.iter().map(|(code, _)| code.clone()).collect();
    let write = drafts.exchange.base.store.write(move |tx| {
        async move {
            for agency in &agencies {
                let detail = format!("not acknowledged since {since}");
                alarm::raise(tx, agency, AlarmKind::AuditOverdue, "audit", &detail, now).await?;
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await
}
