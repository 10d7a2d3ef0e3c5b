//! Alarms about the chains of sources.

use rovuma_schemas::{Digest, Timestamp, audit::AuditAction};
use rovuma_store::Conn;
use rovuma_trail::AuditRecord;
use sqlx::Row;

use crate::{
    error::DbError,
    log::{Appender, Lineage, to_db},
    own,
};

/// The kind of an alarm about a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChainAlarmKind {
    /// Events are missing: later events are not stored until the missing ones come.
    Missing,
    /// A stored event came again with other bytes.
    Conflict,
    /// An event does not carry the digest of the one before it.
    Altered,
    /// A known source began a new epoch: its store was restored, or made anew.
    NewEpoch,
}

impl ChainAlarmKind {
    /// The word for the store, the API, the metric and the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Conflict => "conflict",
            Self::Altered => "altered",
            Self::NewEpoch => "new_epoch",
        }
    }

    /// The level of a kind: `alarm` when events are missing or a source rewrote its history, `info` when an
    /// auditor should only know.
    pub(crate) fn level_of(word: &str) -> &'static str {
        if word == Self::NewEpoch.as_str() { "info" } else { "alarm" }
    }
}

/// An alarm about a lineage.
#[derive(Clone, Debug)]
pub(crate) struct ChainAlarm<'a> {
    pub(crate) kind: ChainAlarmKind,
    /// The sequence of the first event concerned.
    pub(crate) first: u64,
    /// The sequence of the last event concerned.
    pub(crate) last: u64,
    /// The digest of the contradicting event.
    pub(crate) digest: Option<Digest>,
    /// The signed batch with that event, a compact JWS.
    pub(crate) evidence: Option<&'a str>,
}

/// Raises an alarm, or counts it when it is raised already. A new alarm is also a log line, a metric and an
/// audit event of this service.
pub(crate) async fn raise(
    tx: &mut Conn,
    appender: &mut Appender,
    lineage: &Lineage,
    alarm: &ChainAlarm<'_>,
) -> Result<(), DbError> {
    let now = appender.now();
    if let Some(known) = find(tx, lineage, alarm).await? {
        return count_again(tx, known, alarm, now).await;
    }
    insert(tx, lineage, alarm, now).await?;
    let kind = alarm.kind.as_str();
    // Not by source: sources name themselves, and a label's values stay in memory.
    metrics::counter!("rovuma_audit_alarms_total", "kind" => kind).increment(1);
    let Lineage { source, epoch, .. } = lineage;
    let (first, last) = (alarm.first, alarm.last);
    if ChainAlarmKind::level_of(kind) == "info" {
        tracing::warn!(%source, %epoch, kind, "a known audit source began a new epoch");
    } else {
        tracing::error!(%source, %epoch, first, last, kind, "audit alarm");
    }
    let event = AuditRecord::new(appender.now(), &appender.own().source, AuditAction::AuditAlarm)
        .object("audit_source", format!("{source}/{epoch}"))
        .failed(kind)
        .detail("first", first)
        .detail("last", last);
    own::record(tx, appender, event).await
}

/// Closes the alarm about missing events when they have come.
pub(crate) async fn close_missing(
    tx: &mut Conn,
    appender: &mut Appender,
    lineage: &Lineage,
) -> Result<(), DbError> {
    let now = appender.now();
    let closed = sqlx::query(
        "UPDATE alarm SET closed_at = $1 \
         WHERE lineage_id = $2 AND kind = 'missing' AND closed_at IS NULL AND last_sequence <= $3",
    )
    .bind(now.as_micros())
    .bind(lineage.id)
    .bind(to_db(lineage.head.sequence))
    .execute(&mut *tx)
    .await?;
    if closed.rows_affected() == 0 {
        return Ok(());
    }
    let Lineage { source, epoch, .. } = lineage;
    tracing::info!(%source, %epoch, "the missing audit events have come");
    let event = AuditRecord::new(appender.now(), &appender.own().source, AuditAction::AuditAlarm)
        .object("audit_source", format!("{source}/{epoch}"))
        .detail("closed", "missing")
        .detail("last", lineage.head.sequence);
    own::record(tx, appender, event).await
}

/// Finds the alarm that this one repeats. All missing events of a lineage are one alarm; the others are
/// identified by the event that they concern.
async fn find(tx: &mut Conn, lineage: &Lineage, alarm: &ChainAlarm<'_>) -> Result<Option<i64>, DbError> {
    let query = match alarm.kind {
        ChainAlarmKind::Missing => sqlx::query(
            "SELECT alarm_id FROM alarm \
                 WHERE lineage_id = $1 AND kind = $2 AND closed_at IS NULL",
        )
        .bind(lineage.id)
        .bind(alarm.kind.as_str()),
        _ => sqlx::query(
            "SELECT alarm_id FROM alarm \
             WHERE lineage_id = $1 AND kind = $2 AND first_sequence = $3 \
             AND COALESCE(digest, $4) = $4",
        )
        .bind(lineage.id)
        .bind(alarm.kind.as_str())
        .bind(to_db(alarm.first))
        .bind(alarm.digest.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec())),
    };
    let row = query.fetch_optional(tx).await?;
    row.map(|row| row.try_get(0)).transpose().map_err(DbError::from)
}

async fn count_again(
    tx: &mut Conn,
    alarm_id: i64,
    alarm: &ChainAlarm<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE alarm SET times = times + 1, last_seen_at = $1, \
         last_sequence = CASE WHEN last_sequence < $2 THEN $2 ELSE last_sequence END \
         WHERE alarm_id = $3",
    )
    .bind(now.as_micros())
    .bind(to_db(alarm.last))
    .bind(alarm_id)
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert(
    tx: &mut Conn,
    lineage: &Lineage,
    alarm: &ChainAlarm<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO alarm (alarm_id, kind, lineage_id, first_sequence, last_sequence, digest, \
         raised_at, last_seen_at, times, evidence) \
         SELECT COALESCE(MAX(alarm_id), 0) + 1, $1, $2, $3, $4, $5, $6, $6, 1, $7 FROM alarm",
    )
    .bind(alarm.kind.as_str())
    .bind(lineage.id)
    .bind(to_db(alarm.first))
    .bind(to_db(alarm.last))
    .bind(alarm.digest.map(|digest| digest.as_bytes().to_vec()))
    .bind(now.as_micros())
    .bind(alarm.evidence.map(|jws| jws.as_bytes().to_vec()))
    .execute(tx)
    .await?;
    Ok(())
}
