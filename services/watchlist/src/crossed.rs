//! Who crossed in the last hours: an alert that comes later finds who is through already, and the hit says so.
//!
//! Only where the installation has switched it on (`[screening] remember_crossings_h`), only numbers with what their check digits said, never
//! a name or a birth date, nothing of somebody who may need protection, and no longer than the hours that the configuration says.

use std::collections::BTreeSet;

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};
use serde::{Deserialize, Serialize};
use sqlx::{Row, any::AnyRow};

use crate::{
    entries::{self, Change, Entry},
    error::DbError,
    screen::{self, FoundAt},
    screening::{self, Crossing, EntryNo, Listed, ListedNumber, Looked, Question, Reading, Scan},
    watchlist::Watchlist,
};

/// Crossings of one number that are looked at: whoever crosses more often in a day is known by then.
const LOOKED_AT_MAX: i64 = 16;

/// A crossing that is remembered.
#[derive(Debug)]
struct Crossed {
    at: Timestamp,
    crossing: Crossing,
    agency: AgencyCode,
    seen: Seen,
}

/// What was read of a number, and how it was scanned: what was uncertain then is not certain afterwards.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    reading: Reading,
    /// Without its text, which may name the holder.
    scan: Scan,
}

/// Remembers a crossing, if the installation does that. Of somebody who may need protection it forgets what was remembered, at whatever post.
pub(crate) async fn remember(
    watchlist: &Watchlist,
    agency: &AgencyCode,
    crossing: &Crossing,
    (scan, looked): (&Scan, &Looked),
    now: Timestamp,
) -> Result<(), WriteError<DbError>> {
    let readings = looked.memorable();
    if watchlist.remembered_for.is_zero() || readings.is_empty() {
        return Ok(());
    }
    let is_protected = crossing.asks_protection || looked.says_protected();
    let (agency, crossing) = (agency.clone(), crossing.clone());
    // Nobody can be asked again whether the number was compared.
    let scan = Scan { text: String::new(), confirmed: false, ..scan.clone() };
    let write = watchlist.store.write(move |tx| {
        async move {
            for reading in readings {
                let (place, number) = (reading.kind.place().as_str(), reading.kind.compared(&reading.number));
                if is_protected {
                    let forget = sqlx::query("DELETE FROM crossed WHERE place = $1 AND number = $2");
                    forget.bind(place).bind(number.to_owned()).execute(&mut *tx).await?;
                    continue;
                }
                let number = number.to_owned();
                let body = serde_json::to_string(&Seen { reading, scan: scan.clone() })
                    .map_err(|fault| DbError::damaged("crossing", fault))?;
                sqlx::query(
                    "INSERT INTO crossed (id, at, place, number, post, direction, agency, seen)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                )
                .bind(MessageId::draw(now).as_bytes().to_vec())
                .bind(now.as_micros())
                .bind(place)
                .bind(number)
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
    SELECT at, post, direction, agency, seen FROM crossed
    WHERE place = $1 AND number >= $2 AND number <= $3 AND length(number) = length($2) AND at > $4
    ORDER BY at DESC LIMIT $5";

/// Writes down, in the transaction that changes alerts, what they list now and did not list before: whatever is killed, it is looked for.
pub(crate) async fn note_change(tx: &mut Conn, change: &Change) -> Result<(), DbError> {
    for (number, _) in &change.added {
        let before = change.removed.iter().find(|(other, _)| other == number).map(|(_, listed)| listed);
        let before = before.map(serde_json::to_string).transpose();
        sqlx::query(
            "INSERT INTO to_look_back (no, times, before) VALUES ($1, 1, $2)
             ON CONFLICT (no) DO UPDATE SET times = to_look_back.times + 1",
        )
        .bind(i64::from(*number))
        .bind(before.map_err(|fault| DbError::damaged("entry", fault))?)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Looks whether what alerts list now, and did not list before, crossed before they came, and keeps that as a hit.
pub(crate) async fn look_back(watchlist: &Watchlist) -> Result<(), WriteError<DbError>> {
    while let Some(ToLookBack { number, times, before }) =
        next_to_look_back(watchlist).await.map_err(WriteError::Job)?
    {
        let mut conn =
            watchlist.store.read().acquire().await.map_err(|fault| WriteError::Job(fault.into()))?;
        let entry = entries::read(&mut conn, &watchlist.at_rest, &[number].into(), &BTreeSet::new()).await;
        drop(conn);
        // One that is gone meanwhile is not looked for.
        for entry in entry.map_err(WriteError::Job)? {
            look_back_for(watchlist, &entry, before.as_ref()).await?;
        }
        let write = watchlist.store.write(move |tx| {
            async move {
                // What changed meanwhile is looked for again.
                let done = sqlx::query("DELETE FROM to_look_back WHERE no = $1 AND times = $2");
                let done = done.bind(i64::from(number)).bind(times).execute(tx);
                Ok::<_, DbError>(done.await.map(|_| ())?)
            }
            .boxed()
        });
        write.await?;
    }
    Ok(())
}

/// An entry that changed.
struct ToLookBack {
    number: EntryNo,
    times: i64,
    /// What it listed before.
    before: Option<Listed>,
}

async fn next_to_look_back(watchlist: &Watchlist) -> Result<Option<ToLookBack>, DbError> {
    let mut conn = watchlist.store.read().acquire().await?;
    let next = sqlx::query("SELECT no, times, before FROM to_look_back ORDER BY no LIMIT 1");
    let Some(row) = next.fetch_optional(&mut *conn).await? else { return Ok(None) };
    let before: Option<&str> = row.try_get("before")?;
    Ok(Some(ToLookBack {
        number: entries::number(&row, "no")?,
        times: row.try_get("times")?,
        // Where that does not read back, all that is listed is looked for.
        before: before.and_then(|before| serde_json::from_str(before).ok()),
    }))
}

async fn look_back_for(
    watchlist: &Watchlist,
    entry: &Entry,
    before: Option<&Listed>,
) -> Result<(), WriteError<DbError>> {
    let now = watchlist.now();
    let since = now.minus(watchlist.remembered_for);
    let was_listed =
        |number: &ListedNumber| before.is_some_and(|before| before.numbers().any(|(_, old)| old == number));
    for (_, number) in entry.1.numbers().filter(|(_, number)| !was_listed(number)) {
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
            match crossed(row) {
                Ok(crossed) => judge_again(watchlist, entry, &crossed, now).await?,
                // One that does not read back hides no other.
                Err(fault) => tracing::error!(%fault, "a crossing that is remembered cannot be read back"),
            }
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
    let looked = Looked::again(crossed.seen.reading.clone());
    let rules = watchlist.rules();
    let question = Question {
        scan: &crossed.seen.scan,
        crossing: Some(&crossed.crossing),
        rules: &rules,
        agency: &crossed.agency,
        now,
    };
    let mut conn = watchlist.store.read().acquire().await.map_err(|fault| WriteError::Job(fault.into()))?;
    let entries =
        entries::with_all_views(&mut conn, &watchlist.at_rest, vec![entry.clone()], watchlist.own()).await;
    drop(conn);
    let judged = screening::judge(&question, looked, entries.map_err(WriteError::Job)?);
    // What is only alike is no reason to look for somebody who is gone.
    let hits: Vec<_> = judged.findings.into_iter().filter(screening::Finding::is_hit).collect();
    let found_at = FoundAt { at: crossed.at, crossing: &crossed.crossing, is_retroactive: true };
    screen::keep_found(watchlist, &crossed.agency, None, &found_at, &hits, now).await.map(drop)
}

fn crossed(row: &AnyRow) -> Result<Crossed, DbError> {
    let seen: &str = row.try_get("seen")?;
    Ok(Crossed {
        at: row.instant("at")?,
        crossing: Crossing {
            post: row.try_get("post")?,
            direction: row.try_get("direction")?,
            asks_protection: false,
        },
        agency: row.parsed("agency")?,
        seen: serde_json::from_str(seen).map_err(|fault| DbError::damaged("crossing", fault))?,
    })
}

/// Removes what crossed at `before` or earlier.
pub(crate) async fn prune(tx: &mut Conn, before: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM crossed WHERE at <= $1").bind(before.as_micros()).execute(tx).await.map(|_| ())
}
