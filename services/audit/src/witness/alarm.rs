//! Alarms about logs, this country's or a partner's, with their evidence.

use std::{sync::Arc, time::Duration};

use rovuma_api::answers::audit::LogAlarmState;
use rovuma_envelope::digest;
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt, Readers, RowExt, Store, WriteError};
use rovuma_trail::AuditRecord;
use sqlx::{Row, any::AnyRow};

use crate::{error::DbError, log::Sequencer, own};

/// Maximum number of alarms shown.
const ALARMS_SHOWN: i64 = 100;

/// Maximum number of open alarms of one log and kind; further ones are counted in these.
const OPEN_MAX: i64 = 32;

/// How often an alarm that goes on is counted again.
const COUNT_INTERVAL: Duration = Duration::from_secs(60);

/// The kind of an alarm about a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogAlarmKind {
    /// A checkpoint of this log has waited too long for a partner's cosignature.
    Unwitnessed,
    /// Two heads of one log contradict each other.
    Fork,
    /// A head has fewer leaves than one that was cosigned.
    Shrunken,
    /// A log does not prove that it continues the cosigned head, though it was asked several times.
    Unproven,
    /// No log of the policy signed a head; or a partner's policy does not name this log.
    UnknownLog,
}

impl LogAlarmKind {
    /// The word for the store, the API, the metric and the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unwitnessed => "unwitnessed",
            Self::Fork => "fork",
            Self::Shrunken => "shrunken",
            Self::Unproven => "unproven",
            Self::UnknownLog => "unknown_log",
        }
    }
}

/// Two contradicting heads, as their log signed them.
#[derive(Clone, Debug)]
pub(crate) struct ConflictingHeads {
    /// The head that this service had already.
    pub(crate) held: String,
    /// The head that the partner sent.
    pub(crate) shown: String,
}

/// An alarm to raise. Kind, origin and the contradicting head identify it.
struct LogAlarm {
    kind: LogAlarmKind,
    origin: String,
    evidence: Option<ConflictingHeads>,
}

impl LogAlarm {
    /// The digest of the contradicting head; empty without one.
    fn head_digest(&self) -> Vec<u8> {
        let head = self.evidence.as_ref().map(|evidence| digest(evidence.shown.as_bytes()));
        head.map_or_else(Vec::new, |head| head.as_bytes().to_vec())
    }
}

/// Raises and closes alarms of logs.
#[derive(Clone, Debug)]
pub(crate) struct LogAlarms {
    pub(crate) store: Store,
    pub(crate) sequencer: Arc<Sequencer>,
}

impl LogAlarms {
    /// Raises an alarm, or counts it when it is raised already. A new alarm is also a log line, a metric and an audit event of
    /// this service.
    pub(crate) async fn raise(
        &self,
        kind: LogAlarmKind,
        origin: &str,
        evidence: Option<ConflictingHeads>,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let alarm = LogAlarm { kind, origin: origin.to_owned(), evidence };
        if self.was_counted_recently(&alarm, now).await.map_err(WriteError::Job)? {
            return Ok(());
        }
        let sequencer = Arc::clone(&self.sequencer);
        let write = self.store.write(move |tx| {
            async move {
                if count_again(tx, &alarm, now).await? {
                    return Ok(());
                }
                insert(tx, &alarm, now).await?;
                let origin = alarm.origin;
                metrics::counter!("rovuma_audit_log_alarms_total", "kind" => kind.as_str()).increment(1);
                tracing::error!(log = origin, kind = kind.as_str(), "audit log alarm");
                let event = AuditRecord::new(now, &sequencer.own.source, AuditAction::AuditAlarm)
                    .object("log", origin)
                    .failed(kind.as_str());
                let appender = sequencer.begin_even_unwitnessed(tx, now).await?;
                own::record_alone(tx, appender, event).await
            }
            .boxed()
        });
        write.await
    }

    /// Whether the alarm was raised or counted within [`COUNT_INTERVAL`]: a condition that lasts for hours need not be written
    /// every second.
    async fn was_counted_recently(&self, alarm: &LogAlarm, now: Timestamp) -> Result<bool, DbError> {
        let row = sqlx::query(
            "SELECT MAX(last_seen_at) AS last_seen FROM log_alarm
             WHERE origin = $1 AND kind = $2 AND head = $3 AND closed_at IS NULL",
        )
        .bind(alarm.origin.as_str())
        .bind(alarm.kind.as_str())
        .bind(alarm.head_digest())
        .fetch_one(self.store.read())
        .await?;
        Ok(row.opt_instant("last_seen")?.is_some_and(|last| now.since(last) < COUNT_INTERVAL))
    }

    /// Closes an alarm that is over.
    pub(crate) async fn close(
        &self,
        kind: LogAlarmKind,
        origin: &str,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let open = sqlx::query(
            "SELECT 1 FROM log_alarm WHERE origin = $1 AND kind = $2 AND closed_at IS NULL LIMIT 1",
        )
        .bind(origin)
        .bind(kind.as_str())
        .fetch_optional(self.store.read())
        .await
        .map_err(|fault| WriteError::Job(fault.into()))?;
        if open.is_none() {
            return Ok(());
        }
        let (sequencer, origin) = (Arc::clone(&self.sequencer), origin.to_owned());
        let write = self.store.write(move |tx| {
            async move {
                let closed = sqlx::query(
                    "UPDATE log_alarm SET closed_at = $1 WHERE origin = $2 AND kind = $3 AND closed_at IS NULL",
                )
                .bind(now.as_micros())
                .bind(origin.as_str())
                .bind(kind.as_str())
                .execute(&mut *tx)
                .await?;
                if closed.rows_affected() == 0 {
                    return Ok(());
                }
                tracing::info!(log = origin, kind = kind.as_str(), "an audit log alarm is over");
                let event = AuditRecord::new(now, &sequencer.own.source, AuditAction::AuditAlarm)
                    .object("log", origin)
                    .detail("closed", kind.as_str());
                let appender = sequencer.begin_even_unwitnessed(tx, now).await?;
                own::record_alone(tx, appender, event).await
            }
            .boxed()
        });
        write.await
    }
}

/// Lists the alarms about logs: open forks first, then the latest.
pub(crate) async fn log_alarms(pool: &Readers) -> Result<Vec<LogAlarmState>, DbError> {
    let rows = sqlx::query(
        "SELECT kind, origin, raised_at, last_seen_at, times, closed_at, evidence FROM log_alarm
         ORDER BY CASE WHEN closed_at IS NULL AND kind IN ('fork', 'shrunken') THEN 0 ELSE 1 END, alarm_id DESC LIMIT $1",
    )
    .bind(ALARMS_SHOWN)
    .fetch_all(pool)
    .await?;
    let read = |row: &AnyRow| {
        Ok(LogAlarmState {
            kind: row.try_get("kind")?,
            origin: row.try_get("origin")?,
            raised_at: row.instant("raised_at")?,
            last_seen_at: row.instant("last_seen_at")?,
            times: row.count("times")?,
            closed_at: row.opt_instant("closed_at")?,
            evidence: row.try_get("evidence")?,
        })
    };
    rows.iter().map(read).collect()
}

async fn count_again(tx: &mut Conn, alarm: &LogAlarm, now: Timestamp) -> Result<bool, DbError> {
    // The limit keeps a partner that sends ever new heads from filling the table and the log.
    let open = sqlx::query(
        "SELECT COUNT(*) AS open FROM log_alarm WHERE origin = $1 AND kind = $2 AND closed_at IS NULL",
    )
    .bind(alarm.origin.as_str())
    .bind(alarm.kind.as_str())
    .fetch_one(&mut *tx)
    .await?
    .count("open")?;
    let counted = sqlx::query(
        "UPDATE log_alarm SET times = times + 1, last_seen_at = $1
         WHERE origin = $2 AND kind = $3 AND closed_at IS NULL AND (head = $4 OR $5 >= $6)",
    )
    .bind(now.as_micros())
    .bind(alarm.origin.as_str())
    .bind(alarm.kind.as_str())
    .bind(alarm.head_digest())
    .bind(i64::try_from(open).unwrap_or(i64::MAX))
    .bind(OPEN_MAX)
    .execute(tx)
    .await?;
    Ok(counted.rows_affected() > 0)
}

async fn insert(tx: &mut Conn, alarm: &LogAlarm, now: Timestamp) -> Result<(), DbError> {
    let row = sqlx::query("SELECT COALESCE(MAX(alarm_id), 0) + 1 FROM log_alarm").fetch_one(&mut *tx).await?;
    let alarm_id: i64 = row.try_get(0)?;
    sqlx::query(
        "INSERT INTO log_alarm (alarm_id, kind, origin, head, raised_at, last_seen_at, times, evidence)
         VALUES ($1, $2, $3, $4, $5, $5, 1, $6)",
    )
    .bind(alarm_id)
    .bind(alarm.kind.as_str())
    .bind(alarm.origin.as_str())
    .bind(alarm.head_digest())
    .bind(now.as_micros())
    .bind(alarm.evidence.as_ref().map(|evidence| format!("{}\n{}", evidence.held, evidence.shown)))
    .execute(tx)
    .await?;
    Ok(())
}
