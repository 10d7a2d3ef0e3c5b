//! Who crossed in the last hours: an alert that comes later finds who is through already, and the hit says so.
//!
//! Only where the installation has switched it on (`[screening] remember_crossings_h`), only numbers with what their check digits said, never
//! a name or a birth date, nothing of somebody who may need protection, and no longer than the hours that the configuration says.

use std::{sync::Arc, time::Duration};

use rovuma_runtime::Shutdown;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};
use sqlx::{Row, any::AnyRow};

use crate::{
    entries::{self, Change, Entry},
    error::DbError,
    hits,
    screen::{self, FoundAt},
    screening::{self, Crossing, Looked, Question, Reading, Scan},
    watchlist::Watchlist,
};

/// How often what is old is removed.
const PRUNED_EVERY: Duration = Duration::from_secs(10 * 60);

/// Crossings of one number that are looked at: whoever crosses more often in a day is known by then.
const LOOKED_AT_MAX: i64 = 16;

/// A crossing that is remembered.
#[derive(Debug)]
struct Crossed {
    at: Timestamp,
    crossing: Crossing,
    agency: AgencyCode,
    reading: Reading,
}

/// Remembers a crossing, if the installation does that.
pub(crate) async fn remember(
    watchlist: &Watchlist,
    agency: &AgencyCode,
    crossing: &Crossing,
    readings: Vec<Reading>,
    now: Timestamp,
) -> Result<(), WriteError<DbError>> {
    if watchlist.remembered_for.is_zero() || crossing.asks_protection || readings.is_empty() {
        return Ok(());
    }
    let (agency, crossing) = (agency.clone(), crossing.clone());
    let write = watchlist.store.write(move |tx| {
        async move {
            for reading in readings {
                let body =
                    serde_json::to_string(&reading).map_err(|fault| DbError::damaged("reading", fault))?;
                sqlx::query(
                    "INSERT INTO crossed (id, at, place, number, post, direction, agency, reading)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                )
                .bind(MessageId::draw(now).as_bytes().to_vec())
                .bind(now.as_micros())
                .bind(reading.kind.place().as_str())
                .bind(reading.kind.compared(&reading.number).to_owned())
                .bind(crossing.post.as_str())
                .bind(crossing.direction.as_str())
                .bind(agency.as_str())
                .bind(body)
                .execute(&mut *tx)
                .await?;
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await
}

/// The crossings of one number since an instant, the last first.
pub(crate) const FIND: &str = "
    SELECT at, post, direction, agency, reading FROM crossed
    WHERE place = $1 AND number >= $2 AND number <= $3 AND length(number) = length($2) AND at > $4
    ORDER BY at DESC LIMIT $5";

/// Looks whether what an alert lists now crossed before it came, and keeps that as a hit.
pub(crate) async fn look_back(watchlist: &Watchlist, change: &Change) -> Result<(), WriteError<DbError>> {
    if watchlist.remembered_for.is_zero() {
        return Ok(());
    }
    for entry in &change.added {
        let is_new = !change.removed.iter().any(|(number, _)| *number == entry.0);
        if is_new {
            look_back_for(watchlist, entry).await?;
        }
    }
    Ok(())
}

async fn look_back_for(watchlist: &Watchlist, entry: &Entry) -> Result<(), WriteError<DbError>> {
    let now = watchlist.now();
    let since = now.minus(watchlist.remembered_for);
    for (_, number) in entry.1.numbers() {
        let Some((from, to)) = number.ends() else { continue };
        let mut conn =
            watchlist.store.read().acquire().await.map_err(|fault| WriteError::Job(fault.into()))?;
        let rows = sqlx::query(FIND)
            .bind(number.kind.place().as_str())
            .bind(from)
            .bind(to)
            .bind(since.as_micros())
            .bind(LOOKED_AT_MAX)
            .fetch_all(&mut *conn)
            .await
            .map_err(|fault| WriteError::Job(fault.into()))?;
        drop(conn);
        for row in &rows {
            let crossed = crossed(row).map_err(WriteError::Job)?;
            judge_again(watchlist, entry, &crossed, now).await?;
        }
    }
    Ok(())
}

/// Judges a crossing as if the alert had been there.
async fn judge_again(
    watchlist: &Watchlist,
    entry: &Entry,
    crossed: &Crossed,
    now: Timestamp,
) -> Result<(), WriteError<DbError>> {
    let looked = {
        let index = watchlist.index.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        Looked::again(crossed.reading.clone(), &index)
    };
    let rules = watchlist.rules();
    let question = Question {
        scan: &Scan::default(),
        crossing: Some(&crossed.crossing),
        rules: &rules,
        agency: &crossed.agency,
        now,
    };
    let mut conn = watchlist.store.read().acquire().await.map_err(|fault| WriteError::Job(fault.into()))?;
    let own = watchlist.agencies.iter().map(|agency| &agency.config.code);
    let entries = entries::with_all_views(&mut conn, vec![entry.clone()], own).await;
    drop(conn);
    let judged = screening::judge(&question, looked, entries.map_err(WriteError::Job)?);
    // What is only alike is no reason to look for somebody who is gone.
    let hits: Vec<_> = judged.findings.into_iter().filter(screening::Finding::is_hit).collect();
    let found_at = FoundAt { at: crossed.at, crossing: &crossed.crossing, is_retroactive: true };
    screen::keep_found(watchlist, &crossed.agency, None, &found_at, &hits, now).await.map(drop)
}

fn crossed(row: &AnyRow) -> Result<Crossed, DbError> {
    let reading: &str = row.try_get("reading")?;
    Ok(Crossed {
        at: row.instant("at")?,
        crossing: Crossing {
            post: row.try_get("post")?,
            direction: row.try_get("direction")?,
            asks_protection: false,
        },
        agency: row.parsed("agency")?,
        reading: serde_json::from_str(reading).map_err(|fault| DbError::damaged("reading", fault))?,
    })
}

/// Removes what is older than the configuration allows, until the service stops. With the switch off that is everything.
pub(crate) async fn prune(watchlist: Arc<Watchlist>, shutdown: Shutdown) {
    loop {
        let before = watchlist.now().minus(watchlist.remembered_for);
        let now = watchlist.now();
        let write = watchlist.store.write(move |tx| {
            async move {
                remove(tx, before).await?;
                hits::prune(tx, now).await
            }
            .boxed()
        });
        if let Err(fault) = write.await {
            tracing::error!(%fault, "old crossings and hits could not be removed");
        }
        if !shutdown.pause(PRUNED_EVERY).await {
            return;
        }
    }
}

async fn remove(tx: &mut Conn, before: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM crossed WHERE at <= $1").bind(before.as_micros()).execute(tx).await.map(|_| ())
}
