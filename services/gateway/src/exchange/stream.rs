//! Streams as a recipient sees them: which numbers have arrived, which are missing and since when.
//!
//! A stream is (sender, stream id, recipient, lane); the sender numbers it from 1 without gaps. The store keeps the first
//! number still missing (`next`), the highest number received or announced (`last`), and as ranges the numbers received or
//! made void beyond a missing one.
//!
//! Architecture invariant: a partner invents stream ids and numbers, so what the store keeps of them is bounded, and so is
//! the work that one message causes: [`STREAMS_PER_LANE_MAX`] streams, each with numbers up to [`AHEAD_MAX`] ahead of the first
//! one missing, in at most [`RANGES_MAX`] ranges. A number beyond these bounds counts as missing, although its message is
//! stored: when its turn comes it is requested, the message comes again as a duplicate, and the number is noted.

mod numbers;
pub(crate) mod void;

use rovuma_schemas::{
    AgencyCode, Lane, NumberRange, StreamId, Timestamp,
    limits::{NUMBER_MAX, STREAMS_PER_LANE_MAX},
};
use rovuma_store::{Conn, Insert, RowExt};
use sqlx::any::AnyRow;

pub(crate) use numbers::NumberSet;

use crate::error::DbError;

/// How far beyond the first missing number a number is noted. A restored store that lacks more gets the first of them first,
/// and then sees further.
pub(crate) const AHEAD_MAX: u64 = 100_000;

/// Maximum ranges that are kept of one stream. Numbers are lost on the way in bundles, so that an honest gap has few; the
/// writer reads those near the numbers that it notes, at most all of them, in about a millisecond.
pub(crate) const RANGES_MAX: usize = 1024;

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
    /// The highest number received or announced, as far as it is noted.
    pub(crate) last: u64,
    /// Since when some number up to `last` has been missing.
    pub(crate) gap_since: Option<Timestamp>,
    /// How many ranges of numbers beyond `next` are kept.
    ranges: usize,
}

impl Progress {
    const START: Self = Self { next: 1, last: 0, gap_since: None, ranges: 0 };

    /// Whether a gap has opened or closed since `before`.
    pub(crate) fn gap_changed(&self, before: &Self) -> bool {
        self.gap_since.is_some() != before.gap_since.is_some()
    }

    /// The highest number that is noted now.
    fn furthest(&self) -> u64 {
        self.next.saturating_add(AHEAD_MAX).min(NUMBER_MAX)
    }

    /// Sets the beginning of the gap after numbers were noted at `now`: the time since when some number, not always the same
    /// one, has been missing without a break.
    fn settle_gap(mut self, before: Self, now: Timestamp) -> Self {
        let has_gap = self.next <= self.last;
        self.gap_since = has_gap.then(|| before.gap_since.unwrap_or(now));
        self
    }
}

/// Numbers of a stream that a message or a status brings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Brought {
    /// Numbers that have come or are void.
    pub(crate) numbers: NumberSet,
    /// The last number, when the sender announces one.
    pub(crate) announced: Option<u64>,
}

/// The result of noting numbers.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) before: Progress,
    pub(crate) after: Progress,
    /// The numbers that had neither come nor been void, and are noted now.
    pub(crate) new: NumberSet,
    /// The numbers that had come or been void before.
    pub(crate) known: NumberSet,
    /// The streams that were closed to make room for this one.
    pub(crate) closed: Vec<ClosedStream>,
    /// Why some numbers were not noted, if so.
    pub(crate) beyond: Option<String>,
}

/// A stream that is not kept any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClosedStream {
    pub(crate) stream: StreamId,
    /// The first missing number, the last one known and since when numbers have been missing; none of a stream without a gap.
    pub(crate) gap: Option<(u64, u64, Timestamp)>,
}

/// Notes numbers of a stream that the store keeps; none when it does not. Numbers of known streams are noted before a new one
/// [begins](begin), which may close the stream that has not changed for the longest time.
pub(crate) async fn note(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    brought: &Brought,
    now: Timestamp,
) -> Result<Option<Noted>, DbError> {
    match load(tx, key).await? {
        Some(before) => Ok(Some(note_after(tx, key, before, brought, now).await?)),
        None => Ok(None),
    }
}

/// Begins to keep a stream and notes numbers of it. When it was kept before, and closed, its void numbers are still known.
pub(crate) async fn begin(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    brought: &Brought,
    now: Timestamp,
) -> Result<Noted, DbError> {
    let closed = make_room(tx, key).await?;
    let void = void::of_stream(tx, key).await?;
    let (numbers, announced) = (brought.numbers.union(&void), brought.announced);
    let noted = note_after(tx, key, Progress::START, &Brought { numbers, announced }, now).await?;
    let known = brought.numbers.intersection(&void);
    Ok(Noted { closed, known, new: noted.new.minus(&void), ..noted })
}

async fn note_after(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    before: Progress,
    brought: &Brought,
    now: Timestamp,
) -> Result<Noted, DbError> {
    let furthest = before.furthest();
    let wanted = brought.numbers.between(before.next, furthest);
    let nearby = match wanted.bounds() {
        Some((first, last)) => ranges_near(tx, key, first - 1, last + 1).await?,
        None => NumberSet::default(),
    };
    let mut ahead = nearby.union(&wanted);
    let mut after = before;
    if let Some(end) = ahead.take_from(before.next) {
        after.next = end + 1;
    }
    let elsewhere = before.ranges.saturating_sub(nearby.ranges().len());
    let scattered = ahead.truncate(RANGES_MAX.saturating_sub(elsewhere));
    after.ranges = elsewhere + ahead.ranges().len();

    let highest = brought.numbers.bounds().map_or(0, |(_, last)| last).max(brought.announced.unwrap_or(0));
    after.last = before.last.max(highest.min(furthest));
    let after = after.settle_gap(before, now);

    replace_ranges(tx, key, &nearby, &ahead).await?;
    save(tx, key, (before, after), brought.announced.is_some(), now).await?;
    let beyond = if highest > furthest {
        Some(format!("number {highest} of a stream of which {} is the next expected", before.next))
    } else {
        scattered.then(|| format!("numbers of a stream in more than {RANGES_MAX} ranges"))
    };
    let noted = ahead.union(&[(before.next, after.next - 1)].into_iter().collect());
    let unknown = wanted.minus(&nearby);
    Ok(Noted {
        before,
        after,
        known: brought.numbers.between(1, furthest).minus(&unknown),
        new: unknown.intersection(&noted),
        closed: Vec::new(),
        beyond,
    })
}

/// Closes the streams that have not changed for the longest time, until there is room for a further one.
///
/// An honest sender has more than one stream only for as long as messages of a store that it has restored are on the way. If
/// new streams were refused instead, it could not go on after its eighth restore; a sender that pushes its own streams out
/// harms its own messages alone, and each gap that is given up so is an alarm.
async fn make_room(tx: &mut Conn, key: &IncomingStreamKey) -> Result<Vec<ClosedStream>, DbError> {
    let rows = sqlx::query(
        "SELECT stream, next, last, gap_since FROM stream_in WHERE recipient = $1 AND sender = $2 AND lane = $3
         ORDER BY changed_at DESC, stream",
    )
    .bind(key.recipient.as_str())
    .bind(key.sender.as_str())
    .bind(key.lane.as_str())
    .fetch_all(&mut *tx)
    .await?;
    let mut closed = Vec::new();
    for row in rows.iter().skip(STREAMS_PER_LANE_MAX - 1) {
        let gap = row.opt_instant("gap_since")?;
        let gap = gap.map(|since| Ok::<_, sqlx::Error>((row.count("next")?, row.count("last")?, since)));
        let stream = ClosedStream { stream: row.store_id("stream")?, gap: gap.transpose()? };
        let key = IncomingStreamKey { stream: stream.stream, ..key.clone() };
        for delete in [
            "DELETE FROM stream_ahead WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4",
            "DELETE FROM stream_in WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4",
        ] {
            stream_query(&key, delete).execute(&mut *tx).await?;
        }
        closed.push(stream);
    }
    Ok(closed)
}

/// Records that the missing numbers up to `to` were requested.
pub(crate) async fn note_requested(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    to: u64,
    now: Timestamp,
) -> Result<(), DbError> {
    stream_query(
        key,
        "UPDATE stream_in SET requested_at = $5, requested_to = $6, requests = requests + 1
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4",
    )
    .bind(now.as_micros())
    .bind(to_column(to))
    .execute(tx)
    .await?;
    Ok(())
}

/// The first of the numbers still missing, as at most `limit` ranges.
pub(crate) async fn missing(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    progress: Progress,
    limit: usize,
) -> Result<NumberSet, DbError> {
    let rows = stream_query(
        key,
        "SELECT first, last FROM stream_ahead
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4 ORDER BY first LIMIT $5",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(tx)
    .await?;
    let ahead: NumberSet = rows.iter().map(range).collect::<Result<_, _>>()?;
    let all: NumberSet = [(progress.next, progress.last)].into_iter().collect();
    Ok(all.minus(&ahead).first(limit, u64::MAX))
}

/// How many numbers are missing.
pub(crate) async fn missing_count(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    progress: Progress,
) -> Result<u64, DbError> {
    let row = stream_query(
        key,
        "SELECT CAST(COALESCE(SUM(last - first + 1), 0) AS BIGINT) AS ahead FROM stream_ahead
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4",
    )
    .fetch_one(tx)
    .await?;
    let span = (progress.last + 1).saturating_sub(progress.next);
    Ok(span.saturating_sub(row.count("ahead")?))
}

/// Ranges as a message names them.
pub(crate) fn to_message(numbers: &NumberSet) -> Vec<NumberRange> {
    numbers.ranges().iter().map(|(from, to)| NumberRange { from: *from, to: *to }).collect()
}

/// The progress of the stream; none of a stream that the store does not keep.
pub(crate) async fn load(tx: &mut Conn, key: &IncomingStreamKey) -> Result<Option<Progress>, DbError> {
    let row = stream_query(
        key,
        "SELECT next, last, gap_since, ranges FROM stream_in
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4",
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.as_ref().map(progress).transpose()?)
}

/// Reads `next`, `last`, `gap_since` and `ranges` of a row of `stream_in`.
pub(crate) fn progress(row: &AnyRow) -> sqlx::Result<Progress> {
    Ok(Progress {
        next: row.count("next")?,
        last: row.count("last")?,
        gap_since: row.opt_instant("gap_since")?,
        ranges: usize::try_from(row.count("ranges")?).unwrap_or(usize::MAX),
    })
}

/// Back-off counts the requests for one gap. It begins anew when the gap closes, and when all that was requested last has come
/// and more is missing; when only some of it has come, the next wait is the first one again.
async fn save(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    (before, after): (Progress, Progress),
    announced: bool,
    now: Timestamp,
) -> Result<(), DbError> {
    if before == after && before != Progress::START && !announced {
        return Ok(());
    }
    let keeps_gap = i64::from(before.gap_since.is_some() && after.gap_since.is_some());
    stream_query(
        key,
        "INSERT INTO stream_in (recipient, sender, lane, stream, next, last, gap_since, ranges, changed_at,
                                announced_at, requests)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
         ON CONFLICT (recipient, sender, lane, stream) DO UPDATE SET
             next = excluded.next, last = excluded.last, gap_since = excluded.gap_since,
             ranges = excluded.ranges, changed_at = excluded.changed_at,
             announced_at = COALESCE(excluded.announced_at, stream_in.announced_at),
             requests = CASE
                 WHEN $11 = 0 OR excluded.next > stream_in.requested_to THEN 0
                 WHEN excluded.next > stream_in.next AND stream_in.requests > 1 THEN 1
                 ELSE stream_in.requests END",
    )
    .bind(to_column(after.next))
    .bind(to_column(after.last))
    .bind(after.gap_since.map(Timestamp::as_micros))
    .bind(i64::try_from(after.ranges).unwrap_or(i64::MAX))
    .bind(now.as_micros())
    .bind(announced.then(|| now.as_micros()))
    .bind(keeps_gap)
    .execute(tx)
    .await?;
    Ok(())
}

/// The kept ranges that overlap or touch the numbers between `from` and `to`, and those among them.
async fn ranges_near(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    from: u64,
    to: u64,
) -> Result<NumberSet, DbError> {
    let rows = stream_query(key, RANGES_NEAR).bind(to_column(from)).bind(to_column(to)).fetch_all(tx).await?;
    let ranges: Vec<numbers::Range> = rows.iter().map(range).collect::<Result<_, _>>()?;
    // The one that begins before them may end before them too.
    Ok(ranges.into_iter().filter(|(_, last)| *last >= from).collect())
}

/// Ranges are disjoint: of those that begin before `$5`, only the last one can reach it.
pub(crate) const RANGES_NEAR: &str = "
    SELECT first, last FROM stream_ahead
    WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4 AND first <= $6
      AND first >= COALESCE((SELECT MAX(a.first) FROM stream_ahead a
                             WHERE a.recipient = $1 AND a.sender = $2 AND a.lane = $3 AND a.stream = $4
                               AND a.first <= $5), $5)
    ORDER BY first";

const AHEAD: Insert = Insert {
    into: "INSERT INTO stream_ahead (recipient, sender, lane, stream, first, last)",
    columns: 6,
    then: "",
};

/// Replaces neighbouring ranges by others.
async fn replace_ranges(
    tx: &mut Conn,
    key: &IncomingStreamKey,
    old: &NumberSet,
    new: &NumberSet,
) -> Result<(), DbError> {
    if old == new {
        return Ok(());
    }
    if let (Some((first, _)), Some((last, _))) = (old.ranges().first(), old.ranges().last()) {
        stream_query(
            key,
            "DELETE FROM stream_ahead
             WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4 AND first BETWEEN $5 AND $6",
        )
        .bind(to_column(*first))
        .bind(to_column(*last))
        .execute(&mut *tx)
        .await?;
    }
    let insert = AHEAD.rows(tx, new.ranges(), |query, (first, last)| {
        query
            .bind(key.recipient.as_str())
            .bind(key.sender.as_str())
            .bind(key.lane.as_str())
            .bind(key.stream.as_bytes().to_vec())
            .bind(to_column(*first))
            .bind(to_column(*last))
    });
    Ok(insert.await?)
}

fn range(row: &AnyRow) -> sqlx::Result<numbers::Range> {
    Ok((row.count("first")?, row.count("last")?))
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

/// A number as a `BIGINT`. The schemas refuse numbers above [`NUMBER_MAX`], so none reaches the limit.
fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
