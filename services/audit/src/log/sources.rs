//! The state of each source: its epochs, its last events, its alarms.

use std::collections::BTreeMap;

use rovuma_api::answers::audit::{
    ChainAlarmState, EpochStatus, MissingEvents, QuarantineCount, SourceStatus,
};
use rovuma_store::{Readers, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::{alarm::ChainAlarmKind, error::DbError};

/// Maximum number of alarms shown for one source; the latest come first.
const ALARMS_SHOWN: usize = 100;

/// Lists every source: the configured ones, and all that have ever written.
pub(crate) async fn list(pool: &Readers, configured: &[String]) -> Result<Vec<SourceStatus>, DbError> {
    let mut sources: BTreeMap<String, SourceStatus> = BTreeMap::new();
    for name in configured {
        sources.insert(name.clone(), new_source(name, true));
    }
    for row in lineages(pool).await? {
        let name: String = row.try_get("source")?;
        let source = sources.entry(name).or_insert_with_key(|name| new_source(name, false));
        source.epochs.push(epoch_of_row(&row)?);
    }
    for row in alarms(pool).await? {
        let name: String = row.try_get("source")?;
        if let Some(source) = sources.get_mut(&name).filter(|source| source.alarms.len() < ALARMS_SHOWN) {
            source.alarms.push(alarm_of_row(&row)?);
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
            last_at: row.instant("last_at")?,
        })
    };
    rows.iter().map(read).collect()
}

fn new_source(name: &str, configured: bool) -> SourceStatus {
    SourceStatus { source: name.to_owned(), configured, epochs: Vec::new(), alarms: Vec::new() }
}

fn epoch_of_row(row: &AnyRow) -> Result<EpochStatus, DbError> {
    let last_sequence = row.count("last_sequence")?;
    let missing = match (row.opt_count("missing_to")?, row.opt_instant("missing_since")?) {
        (Some(last), Some(since)) => Some(MissingEvents { first: last_sequence + 1, last, since }),
        _ => None,
    };
    Ok(EpochStatus {
        epoch: row.store_id("epoch")?.to_string(),
        opened_at: row.instant("opened_at")?,
        last_sequence,
        last_digest: row.digest("last_digest")?.to_string(),
        last_stored_at: row.opt_instant("last_stored_at")?,
        missing,
    })
}

fn alarm_of_row(row: &AnyRow) -> Result<ChainAlarmState, DbError> {
    let kind: String = row.try_get("kind")?;
    let has_digest = row.try_get::<Option<Vec<u8>>, _>("digest")?.is_some();
    Ok(ChainAlarmState {
        level: ChainAlarmKind::level_of(&kind).to_owned(),
        kind,
        epoch: row.store_id("epoch")?.to_string(),
        first: row.count("first_sequence")?,
        last: row.count("last_sequence")?,
        digest: has_digest.then(|| row.digest("digest")).transpose()?.map(|digest| digest.to_string()),
        raised_at: row.instant("raised_at")?,
        last_seen_at: row.instant("last_seen_at")?,
        times: row.count("times")?,
        closed_at: row.opt_instant("closed_at")?,
    })
}
