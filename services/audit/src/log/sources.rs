//! The state of each source: its epochs, its last events, its alarms.

use std::collections::BTreeMap;

use rovuma_store::{Readers, RowExt};
use serde::Serialize;
use sqlx::{Row, any::AnyRow};
use utoipa::ToSchema;

use crate::{alarm::ChainAlarmKind, error::DbError};

/// Maximum number of alarms shown for one source; the latest come first.
const ALARMS_SHOWN: usize = 100;

/// A source, which is a service that writes audit events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceStatus {
    /// The source's name.
    source: String,
    /// Whether the configuration names it; the audit service itself always counts as named.
    configured: bool,
    /// The source's epochs, the latest first. More than one: its store was restored, or made anew. None: it never wrote.
    epochs: Vec<EpochStatus>,
    /// The source's alarms, the latest first, at most 100.
    alarms: Vec<ChainAlarmState>,
}

/// One epoch of a source.
#[derive(Debug, Serialize, ToSchema)]
struct EpochStatus {
    /// The epoch's identifier.
    epoch: String,
    /// The time when its first event came.
    #[schema(format = DateTime)]
    opened_at: String,
    /// The sequence of the last event stored; 0 when none is.
    last_sequence: u64,
    /// That event's digest, base64url.
    last_digest: String,
    /// The time when the last event was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_stored_at: Option<String>,
    /// Events that have not come although later ones have.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<MissingEvents>,
}

/// A range of events that have not come.
#[derive(Debug, Serialize, ToSchema)]
struct MissingEvents {
    /// The first sequence.
    first: u64,
    /// The last sequence that is known to be missing.
    last: u64,
    /// The time since when the events are known to be missing.
    #[schema(format = DateTime)]
    since: String,
}

/// An alarm about a source.
#[derive(Debug, Serialize, ToSchema)]
struct ChainAlarmState {
    /// `missing`, `conflict`, `altered` or `new_epoch`.
    kind: String,
    /// `alarm`, or `info` when nothing need be wrong.
    level: &'static str,
    /// The epoch.
    epoch: String,
    /// The sequence of the first event concerned; 0 when the alarm concerns the epoch.
    first: u64,
    /// The sequence of the last event concerned.
    last: u64,
    /// The digest of the contradicting event, base64url; its signed batch is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// The time when the alarm was raised.
    #[schema(format = DateTime)]
    raised_at: String,
    /// The time when the same was last found.
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// How often the same was found.
    times: u64,
    /// The time when the missing events had come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    closed_at: Option<String>,
}

/// The number of deliveries in the quarantine for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantineCount {
    /// `sealed`, `not_signed`, `unknown_key`, `forged`, `wrong_source` or `malformed`.
    reason: String,
    /// The number of different deliveries.
    deliveries: u64,
    /// The time when the last one came.
    #[schema(format = DateTime)]
    last_at: String,
}

/// Lists every source: the configured ones, and all that have ever written.
pub(crate) async fn list(pool: &Readers, configured: &[String]) -> Result<Vec<SourceStatus>, DbError> {
    let mut sources: BTreeMap<String, SourceStatus> = BTreeMap::new();
    for name in configured {
        sources.insert(name.clone(), SourceStatus::new(name, true));
    }
    for row in lineages(pool).await? {
        let name: String = row.try_get("source")?;
        let source = sources.entry(name).or_insert_with_key(|name| SourceStatus::new(name, false));
        source.epochs.push(EpochStatus::of_row(&row)?);
    }
    for row in alarms(pool).await? {
        let name: String = row.try_get("source")?;
        if let Some(source) = sources.get_mut(&name).filter(|source| source.alarms.len() < ALARMS_SHOWN) {
            source.alarms.push(ChainAlarmState::of_row(&row)?);
        }
    }
    Ok(sources.into_values().collect())
}

async fn lineages(pool: &Readers) -> Result<Vec<AnyRow>, DbError> {
    let rows = sqlx::query(
        "SELECT l.source, l.epoch, l.opened_at, l.last_sequence, l.last_digest, l.last_stored_at, \
         a.last_sequence AS missing_to, a.raised_at AS missing_since \
         FROM lineage l LEFT JOIN alarm a \
         ON a.lineage_id = l.lineage_id AND a.kind = 'missing' AND a.closed_at IS NULL \
         ORDER BY l.source, l.lineage_id DESC",
    );
    Ok(rows.fetch_all(pool).await?)
}

async fn alarms(pool: &Readers) -> Result<Vec<AnyRow>, DbError> {
    let rows = sqlx::query(
        "SELECT l.source, l.epoch, a.kind, a.first_sequence, a.last_sequence, a.digest, a.raised_at, \
         a.last_seen_at, a.times, a.closed_at \
         FROM alarm a JOIN lineage l ON l.lineage_id = a.lineage_id ORDER BY a.alarm_id DESC",
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Counts the deliveries in the quarantine by reason.
pub(crate) async fn quarantine_counts(pool: &Readers) -> Result<Vec<QuarantineCount>, DbError> {
    let rows = sqlx::query(
        "SELECT reason, COUNT(*) AS deliveries, MAX(last_at) AS last_at FROM quarantine \
         GROUP BY reason ORDER BY reason",
    )
    .fetch_all(pool)
    .await?;
    let read = |row: &AnyRow| {
        Ok(QuarantineCount {
            reason: row.try_get("reason")?,
            deliveries: row.count("deliveries")?,
            last_at: row.instant("last_at")?.to_string(),
        })
    };
    rows.iter().map(read).collect()
}

impl SourceStatus {
    fn new(name: &str, configured: bool) -> Self {
        Self { source: name.to_owned(), configured, epochs: Vec::new(), alarms: Vec::new() }
    }
}

impl EpochStatus {
    fn of_row(row: &AnyRow) -> Result<Self, DbError> {
        let last_sequence = row.count("last_sequence")?;
        let missing = match (row.opt_count("missing_to")?, row.opt_instant("missing_since")?) {
            (Some(last), Some(since)) => {
                Some(MissingEvents { first: last_sequence + 1, last, since: since.to_string() })
            }
            _ => None,
        };
        Ok(Self {
            epoch: row.store_id("epoch")?.to_string(),
            opened_at: row.instant("opened_at")?.to_string(),
            last_sequence,
            last_digest: row.digest("last_digest")?.to_string(),
            last_stored_at: row.opt_instant("last_stored_at")?.map(|at| at.to_string()),
            missing,
        })
    }
}

impl ChainAlarmState {
    fn of_row(row: &AnyRow) -> Result<Self, DbError> {
        let kind: String = row.try_get("kind")?;
        let has_digest = row.try_get::<Option<Vec<u8>>, _>("digest")?.is_some();
        Ok(Self {
            level: ChainAlarmKind::level_of(&kind),
            kind,
            epoch: row.store_id("epoch")?.to_string(),
            first: row.count("first_sequence")?,
            last: row.count("last_sequence")?,
            digest: has_digest.then(|| row.digest("digest")).transpose()?.map(|digest| digest.to_string()),
            raised_at: row.instant("raised_at")?.to_string(),
            last_seen_at: row.instant("last_seen_at")?.to_string(),
            times: row.count("times")?,
            closed_at: row.opt_instant("closed_at")?.map(|at| at.to_string()),
        })
    }
}
