//! What is wrong with a log, ours or a partner's: kept with the evidence, and told.

use std::{sync::Arc, time::Duration};

use rovuma_envelope::digest;
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt, Readers, RowExt, Store, WriteError};
use rovuma_trail::AuditRecord;
use serde::Serialize;
use sqlx::{Row, any::AnyRow};
use utoipa::ToSchema;

use crate::{error::DbError, log::Sequencer, own};

/// Alarms shown at most.
const ALARMS_SHOWN: i64 = 100;

/// Open alarms of one log and kind that are kept apart: what comes beyond is counted with them.
const OPEN_MAX: i64 = 32;

/// An alarm that goes on is counted so often.
const COUNTED_EVERY: Duration = Duration::from_secs(60);

/// What an alarm of a log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogAlarmKind {
    /// A head of ours has waited for a partner's cosignature for too long.
    Unwitnessed,
    /// Two heads of one log that cannot both be.
    Fork,
    /// A head with fewer leaves than one that was cosigned.
    Shrunken,
    /// A log that has been shown the head to prove from, again and again, and does not prove that it goes on from there.
    Unproven,
    /// A head that no log of the policy signed; or a partner whose policy does not name our log.
    UnknownLog,
}

impl LogAlarmKind {
    /// The word in the store, the API, the metric and the log.
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

/// Two heads that do not go together, as their log signed them.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// The one that is held.
    pub(crate) held: String,
    /// The one that was shown.
    pub(crate) shown: String,
}

/// An alarm is known by what it is about: each head that contradicts is one of its own.
struct Alarm {
    kind: LogAlarmKind,
    origin: String,
    evidence: Option<Evidence>,
}

impl Alarm {
    fn head(&self) -> Vec<u8> {
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
    /// Raises an alarm, or counts it when it is already raised. The first time it is a log line, a metric and an event of
    /// the service's own.
    pub(crate) async fn raise(
        &self,
        kind: LogAlarmKind,
        origin: &str,
        evidence: Option<Evidence>,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let alarm = Alarm { kind, origin: origin.to_owned(), evidence };
        if self.is_fresh(&alarm, now).await.map_err(WriteError::Job)? {
            return Ok(());
        }
        let sequencer = Arc::clone(&self.sequencer);
        let write = self.store.write(move |tx| {
            async move {
                if count(tx, &alarm, now).await? {
                    return Ok(());
                }
                insert(tx, &alarm, now).await?;
                let origin = alarm.origin;
                metrics::counter!("rovuma_audit_log_alarms_total", "kind" => kind.as_str()).increment(1);
                tracing::error!(log = origin, kind = kind.as_str(), "audit log alarm");
                let event = AuditRecord::new(now, &sequencer.own.source, AuditAction::AuditAlarm)
                    .object("log", origin)
                    .failed(kind.as_str());
                let appender = sequencer.begin_always(tx, now).await?;
                own::record_alone(tx, appender, event).await
            }
            .boxed()
        });
        write.await
    }

    /// Whether it was raised or counted within the last minute: what goes on for hours need not be written every second.
    async fn is_fresh(&self, alarm: &Alarm, now: Timestamp) -> Result<bool, DbError> {
        let row = sqlx::query(
            "SELECT MAX(last_seen_at) AS last_seen FROM log_alarm
             WHERE origin = $1 AND kind = $2 AND head = $3 AND closed_at IS NULL",
        )
        .bind(alarm.origin.as_str())
        .bind(alarm.kind.as_str())
        .bind(alarm.head())
        .fetch_one(self.store.read())
        .await?;
        Ok(row.opt_instant("last_seen")?.is_some_and(|last| now.since(last) < COUNTED_EVERY))
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
                let appender = sequencer.begin_always(tx, now).await?;
                own::record_alone(tx, appender, event).await
            }
            .boxed()
        });
        write.await
    }
}

/// Something wrong with a log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogAlarmState {
    /// `unwitnessed`, `fork`, `shrunken`, `unproven` or `unknown_log`.
    kind: String,
    /// The log that it is about.
    origin: String,
    /// When it was raised.
    #[schema(format = DateTime)]
    raised_at: String,
    /// When it was last seen.
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// How often.
    times: u64,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    /// The heads that cannot both be, as the log signed them.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
}

/// The alarms of logs: open forks first, then the latest.
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
            raised_at: row.instant("raised_at")?.to_string(),
            last_seen_at: row.instant("last_seen_at")?.to_string(),
            times: row.count("times")?,
            closed_at: row.opt_instant("closed_at")?.map(|at| at.to_string()),
            evidence: row.try_get("evidence")?,
        })
    };
    rows.iter().map(read).collect()
}

async fn count(tx: &mut Conn, alarm: &Alarm, now: Timestamp) -> Result<bool, DbError> {
    // Whoever shows ever new heads fills neither the table nor the log.
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
    .bind(alarm.head())
    .bind(i64::try_from(open).unwrap_or(i64::MAX))
    .bind(OPEN_MAX)
    .execute(tx)
    .await?;
    Ok(counted.rows_affected() > 0)
}

async fn insert(tx: &mut Conn, alarm: &Alarm, now: Timestamp) -> Result<(), DbError> {
    let row = sqlx::query("SELECT COALESCE(MAX(alarm_id), 0) + 1 FROM log_alarm").fetch_one(&mut *tx).await?;
    let alarm_id: i64 = row.try_get(0)?;
    sqlx::query(
        "INSERT INTO log_alarm (alarm_id, kind, origin, head, raised_at, last_seen_at, times, evidence)
         VALUES ($1, $2, $3, $4, $5, $5, 1, $6)",
    )
    .bind(alarm_id)
    .bind(alarm.kind.as_str())
    .bind(alarm.origin.as_str())
    .bind(alarm.head())
    .bind(now.as_micros())
    .bind(alarm.evidence.as_ref().map(|evidence| format!("{}\n{}", evidence.held, evidence.shown)))
    .execute(tx)
    .await?;
    Ok(())
}
