//! Streams as a recipient sees them: which numbers have arrived, which are missing and since when.
//!
//! A stream is (sender, stream id, recipient, lane); the sender numbers it from 1 without gaps. The store keeps the first
//! number still missing (`next`), the highest number received or announced (`last`), and the numbers received beyond a
//! missing one.

use rovuma_schemas::{AgencyCode, Lane, StreamId, Timestamp};
use rovuma_store::Conn;

use sqlx::Row;

use crate::error::DbError;

/// One stream of one sender to one of our agencies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IncomingStreamKey {
    pub(crate) recipient: AgencyCode,
    pub(crate) sender: AgencyCode,
    pub(crate) lane: Lane,
    pub(crate) stream: StreamId,
}

/// How much of a stream has been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The first number that has neither been received nor made void.
    pub(crate) next: u64,
    /// The highest number received or announced.
    pub(crate) last: u64,
    /// Since when some number up to `last` has been missing.
    pub(crate) gap_since: Option<Timestamp>,
}

impl Progress {
    const START: Self = Self { next: 1, last: 0, gap_since: None };

    /// Whether a gap has opened or closed since `before`.
    pub(crate) fn gap_changed(&self, before: &Self) -> bool {
        self.gap_since.is_some() != before.gap_since.is_some()
    }

    /// Whether a number up to the highest known one is missing.
    fn has_gap(&self) -> bool {
        self.next <= self.last
    }

    /// Sets the beginning of the gap after numbers were received at `now`: the time since when some number, not always the
    /// same one, has been missing without a break.
    fn settle_gap(mut self, before: Self, now: Timestamp) -> Self {
        self.gap_since = self.has_gap().then(|| before.gap_since.unwrap_or(now));
        self
    }
}

/// Records that these numbers were received or made void. Returns the progress before and after.
pub(crate) async fn note_numbers(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    numbers: &[u64],
    now: Timestamp,
) -> Result<(Progress, Progress), DbError> {
    let before = load(tx, key).await?;
    let mut after = before;
    for &number in numbers {
        after.last = after.last.max(number);
        if number == after.next {
            after.next += 1;
        } else if number > after.next {
            insert_ahead(tx, key, number).await?;
        }
    }
    after.next = absorb_ahead(tx, key, after.next).await?;
    let after = after.settle_gap(before, now);
    save(tx, key, before, after).await?;
    Ok((before, after))
}

/// Records the sender's announcement about a stream: its last number, and the numbers that it made void. Returns the progress
/// before and after.
pub(crate) async fn note_announcement(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    last: u64,
    voided: &[u64],
    now: Timestamp,
) -> Result<(Progress, Progress), DbError> {
    // A number beyond the last has not been used, so it cannot be void: ignored.
    let void: Vec<u64> = voided.iter().copied().filter(|number| *number <= last).collect();
    let (first, noted) = note_numbers(tx, key, &void, now).await?;
    let after = Progress { last: noted.last.max(last), ..noted }.settle_gap(noted, now);
    save(tx, key, noted, after).await?;
    stream_query(
        key,
        "UPDATE stream_in SET announced_at = $5
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4",
    )
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok((first, after))
}

/// Records that the missing numbers were requested.
pub(crate) async fn note_requested(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    now: Timestamp,
) -> Result<(), DbError> {
    stream_query(
        key,
        "UPDATE stream_in SET requested_at = $5, requests = requests + 1
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4",
    )
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}

/// The numbers still missing, as at most `limit` closed ranges.
pub(crate) async fn missing_ranges(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    progress: Progress,
    limit: usize,
) -> Result<Vec<(u64, u64)>, DbError> {
    let mut ranges = Vec::new();
    let mut from = progress.next;
    for ahead in numbers_ahead(tx, key, progress.next).await? {
        if ranges.len() == limit {
            return Ok(ranges);
        }
        if ahead > from {
            ranges.push((from, ahead - 1));
        }
        from = ahead + 1;
    }
    if from <= progress.last && ranges.len() < limit {
        ranges.push((from, progress.last));
    }
    Ok(ranges)
}

/// The progress of the stream; [`Progress::START`] for a stream that is not stored yet.
pub(crate) async fn load(tx: &mut Conn, key: &IncomingStreamKey) -> Result<Progress, DbError> {
    let row = stream_query(
        key,
        "SELECT next, last, gap_since FROM stream_in
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4",
    )
    .fetch_optional(tx)
    .await?;
    let Some(row) = row else { return Ok(Progress::START) };
    Ok(Progress {
        next: row.try_get::<i64, _>("next")?.unsigned_abs(),
        last: row.try_get::<i64, _>("last")?.unsigned_abs(),
        gap_since: row
            .try_get::<Option<i64>, _>("gap_since")?
            .and_then(|micros| Timestamp::from_micros(micros).ok()),
    })
}

async fn save(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    before: Progress,
    after: Progress,
) -> Result<(), DbError> {
    if before == after && before != Progress::START {
        return Ok(());
    }
    // Back-off counts the requests for one gap: when it closes, the count begins anew.
    let keep_requests = i64::from(before.gap_since.is_some() && after.gap_since.is_some());
    stream_query(
        key,
        "INSERT INTO stream_in (recipient, sender, lane, stream, next, last, gap_since, requests)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0)
         ON CONFLICT (recipient, sender, lane, stream) DO UPDATE SET
             next = excluded.next, last = excluded.last, gap_since = excluded.gap_since,
             requests = stream_in.requests * $8",
    )
    .bind(as_bigint(after.next))
    .bind(as_bigint(after.last))
    .bind(after.gap_since.map(Timestamp::as_micros))
    .bind(keep_requests)
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_ahead(tx: &mut Conn, key: &IncomingStreamKey, number: u64) -> Result<(), DbError> {
    stream_query(
        key,
        "INSERT INTO stream_ahead (recipient, sender, lane, stream, number)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(as_bigint(number))
    .execute(tx)
    .await?;
    Ok(())
}

/// Moves `next` past the numbers that were received ahead of it, and deletes those.
async fn absorb_ahead(tx: &mut Conn, key: &IncomingStreamKey, mut next: u64) -> Result<u64, DbError> {
    let waiting = numbers_ahead(tx, key, 0).await?;
    if waiting.is_empty() {
        return Ok(next);
    }
    for number in waiting {
        if number == next {
            next += 1;
        }
    }
    stream_query(
        key,
        "DELETE FROM stream_ahead
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4 AND number < $5",
    )
    .bind(as_bigint(next))
    .execute(tx)
    .await?;
    Ok(next)
}

async fn numbers_ahead(tx: &mut Conn, key: &IncomingStreamKey, from: u64) -> Result<Vec<u64>, DbError> {
    let rows = stream_query(
        key,
        "SELECT number FROM stream_ahead
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4 AND number >= $5
         ORDER BY number",
    )
    .bind(as_bigint(from))
    .fetch_all(tx)
    .await?;
    rows.iter().map(|row| Ok(row.try_get::<i64, _>("number")?.unsigned_abs())).collect()
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

/// A query whose `$1` to `$4` name a stream.
fn stream_query<'q>(key: &'q IncomingStreamKey, sql: &'static str) -> Query<'q> {
    sqlx::query(sql)
        .bind(key.recipient.as_str())
        .bind(key.sender.as_str())
        .bind(key.lane.as_str())
        .bind(key.stream.as_bytes().as_slice())
}

/// A number as a `BIGINT`. Numbers count up from 1, so none reaches the limit.
fn as_bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
