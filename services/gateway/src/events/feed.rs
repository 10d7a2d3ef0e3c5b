//! The feed of new domain events: one task reads each event once, for everybody who follows events.
//!
//! It reads after commits, gathered for [`GATHER`], so that the number of queries depends neither on the number of followers
//! nor on the number of commits.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rovuma_runtime::Shutdown;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Readers, RowExt, Store};
use sqlx::{Row, any::AnyRow};
use tokio::sync::broadcast;

use crate::error::DbError;

/// How long commits are gathered before their events are read: nobody at a window notices a tenth of a second, and under load
/// it saves a query for each of a hundred commits.
const GATHER: Duration = Duration::from_millis(100);

/// How long the feed waits after the store did not answer.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Maximum events that one query reads.
const BATCH_MAX: u32 = 1_000;

/// Batches that wait for a slow follower. One that falls further behind reads the store instead.
const WAITING_MAX: usize = 64;

/// A domain event as the store has it. It holds no content.
#[derive(Clone, Debug)]
pub(crate) struct RecordedEvent {
    /// The event's number at this gateway: it rises, with gaps where other agencies' events lie.
    pub(crate) seq: i64,
    /// The kind of event: `message.received`, `receipt.delivered`, `draft.changed`…
    pub(crate) event: String,
    /// The message or draft that the event is about.
    pub(crate) object: Option<MessageId>,
    /// The object's version.
    pub(crate) version: i64,
    /// The instant of the event.
    pub(crate) at: Timestamp,
}

/// The columns of the table `domain_event` that [`RecordedEvent::read`] takes.
macro_rules! columns {
    () => {
        "seq, event, object_id, version, at"
    };
}
pub(crate) use columns;

impl RecordedEvent {
    /// Reads the columns of [`columns!`].
    pub(crate) fn read(row: &AnyRow) -> Result<Self, DbError> {
        Ok(Self {
            seq: row.try_get("seq")?,
            event: row.try_get("event")?,
            object: row.opt_message_id("object_id")?,
            version: row.try_get("version")?,
            at: row.instant("at")?,
        })
    }
}

/// New events, in order, by the agency that they belong to.
#[derive(Debug, Default)]
pub(crate) struct EventBatch(BTreeMap<AgencyCode, Vec<RecordedEvent>>);

impl EventBatch {
    /// The events of one agency.
    pub(crate) fn of(&self, agency: &AgencyCode) -> &[RecordedEvent] {
        self.0.get(agency).map_or(&[], Vec::as_slice)
    }

    /// The events of every agency that has any.
    pub(crate) fn by_agency(&self) -> impl Iterator<Item = (&AgencyCode, &[RecordedEvent])> {
        self.0.iter().map(|(agency, events)| (agency, events.as_slice()))
    }
}

/// Where new events are heard of. Clones are handles to the same feed.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    store: Store,
    batches: broadcast::Sender<Arc<EventBatch>>,
    /// The last event when the feed was made: the first batch begins after it.
    start: i64,
    reads: Arc<AtomicU64>,
}

impl Feed {
    /// The feed of `store`, from its present last event on. It is silent until [`Feed::run`].
    ///
    /// # Errors
    /// [`DbError`] when the store does not answer.
    pub(crate) async fn of(store: &Store) -> Result<Self, DbError> {
        let (batches, _) = broadcast::channel(WAITING_MAX);
        let start = last(store.read()).await?;
        Ok(Self { store: store.clone(), batches, start, reads: Arc::default() })
    }

    /// The batches that come from now on. Who also needs earlier events must read the store after this call, and not before:
    /// no event then lies between the two.
    pub(crate) fn follow(&self) -> broadcast::Receiver<Arc<EventBatch>> {
        self.batches.subscribe()
    }

    /// Counts a query for events.
    pub(crate) fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("rovuma_event_reads_total").increment(1);
    }

    /// The queries for events so far.
    #[cfg(test)]
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Reads new events and hands them to the followers, until a soft shutdown.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let mut commits = self.store.commits();
        let mut after = self.start;
        let mut is_behind = false;
        loop {
            if !is_behind {
                tokio::select! {
                    () = shutdown.soft() => return,
                    changed = commits.changed() => if changed.is_err() { return },
                }
            }
            if !shutdown.pause(if is_behind { RETRY_AFTER } else { GATHER }).await {
                return;
            }
            // Marked before the question is asked: a commit during it wakes the next turn.
            commits.borrow_and_update();
            is_behind = match self.hand_out(&mut after).await {
                Ok(()) => false,
                Err(fault) => {
                    tracing::warn!(%fault, "domain events were not read: followers wait");
                    true
                }
            };
        }
    }

    /// Hands out every event after number `after`, which it moves on.
    async fn hand_out(&self, after: &mut i64) -> Result<(), DbError> {
        loop {
            self.count_read();
            let rows = sqlx::query(concat!(
                "SELECT agency, ",
                columns!(),
                " FROM domain_event WHERE seq > $1 ORDER BY seq LIMIT $2"
            ))
            .bind(*after)
            .bind(i64::from(BATCH_MAX))
            .fetch_all(self.store.read())
            .await?;
            let mut batch = EventBatch::default();
            for row in &rows {
                let event = RecordedEvent::read(row)?;
                *after = event.seq;
                batch.0.entry(row.parsed("agency")?).or_default().push(event);
            }
            if !rows.is_empty() {
                // An error says that nobody follows.
                let _ = self.batches.send(Arc::new(batch));
            }
            if rows.len() < BATCH_MAX as usize {
                return Ok(());
            }
        }
    }
}

/// The number of the last event at this gateway.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn last(pool: &Readers) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COALESCE(MAX(seq), 0) AS last FROM domain_event").fetch_one(pool).await?;
    Ok(row.try_get("last")?)
}
