//! The streams to and from an agency, with what is missing.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, Lane, NumberRange, StreamId, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::any::AnyRow;

use crate::{
    error::DbError,
    exchange::Exchange,
    exchange::stream::{self, IncomingStreamKey},
};

/// Ranges of missing numbers that are shown of one stream: more is a number, not a list.
const RANGES_SHOWN: usize = 64;

/// A stream that some agency sends to us.
#[derive(Debug)]
pub(crate) struct IncomingStream {
    /// The agency that sends.
    pub(crate) sender: AgencyCode,
    /// The lane.
    pub(crate) lane: Lane,
    /// The sender's stream; another one after the sender's store was restored.
    pub(crate) stream: StreamId,
    /// The highest number seen or announced.
    pub(crate) last: u64,
    /// The instant at which the sender last announced its highest number.
    pub(crate) announced_at: Option<Timestamp>,
    /// The missing numbers, once they have been missing for longer than messages out of order explain.
    pub(crate) gap: Option<Gap>,
}

/// Numbers that are missing.
#[derive(Debug)]
pub(crate) struct Gap {
    /// The count of missing numbers.
    pub(crate) count: u64,
    /// The missing numbers as closed ranges, at most 64 of them.
    pub(crate) missing: Vec<NumberRange>,
    /// The instant since which numbers are missing.
    pub(crate) since: Timestamp,
    /// The instant of the last request for them.
    pub(crate) asked_at: Option<Timestamp>,
    /// The count of requests for them.
    pub(crate) requests: u64,
}

/// A stream that we send to some agency.
#[derive(Debug)]
pub(crate) struct OutgoingStream {
    /// The agency that receives.
    pub(crate) recipient: AgencyCode,
    /// The lane.
    pub(crate) lane: Lane,
    /// The stream.
    pub(crate) stream: StreamId,
    /// The last number given out.
    pub(crate) last: u64,
    /// Numbers lately made void.
    pub(crate) voided: Vec<u64>,
    /// The instant of the last message from the recipient's gateway; absent before the first.
    pub(crate) heard_at: Option<Timestamp>,
}

/// The streams from other agencies to the permit's agency.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn incoming(
    exchange: &Exchange,
    permit: &Permit<act::StreamsRead>,
    now: Timestamp,
) -> Result<Vec<IncomingStream>, DbError> {
    let agency = permit.resource().owner();
    let mut conn = exchange.base.store.read().acquire().await?;
    let rows = sqlx::query(
        "SELECT sender, lane, stream, next, last, ranges, announced_at, gap_since, requested_at, requests
         FROM stream_in WHERE recipient = $1 ORDER BY sender, lane, stream",
    )
    .bind(agency.as_str())
    .fetch_all(&mut *conn)
    .await?;
    let mut streams = Vec::with_capacity(rows.len());
    for row in &rows {
        let shown_before = now.minus(exchange.timings.gap_shown_after());
        streams.push(incoming_stream(&mut conn, agency, row, shown_before).await?);
    }
    Ok(streams)
}

async fn incoming_stream(
    conn: &mut Conn,
    agency: &AgencyCode,
    row: &AnyRow,
    shown_before: Timestamp,
) -> Result<IncomingStream, DbError> {
    let key = IncomingStreamKey {
        recipient: agency.clone(),
        sender: row.parsed("sender")?,
        lane: row.parsed("lane")?,
        stream: row.store_id("stream")?,
    };
    let progress = stream::progress(row)?;
    let gap = match progress.gap_since.filter(|since| *since <= shown_before) {
        None => None,
        Some(since) => Some(Gap {
            since,
            count: stream::missing_count(conn, &key, progress).await?,
            missing: stream::to_message(&stream::missing(conn, &key, progress, RANGES_SHOWN).await?),
            asked_at: row.opt_instant("requested_at")?,
            requests: row.count("requests")?,
        }),
    };
    Ok(IncomingStream {
        last: progress.last,
        announced_at: row.opt_instant("announced_at")?,
        gap,
        sender: key.sender,
        lane: key.lane,
        stream: key.stream,
    })
}

/// The streams from the permit's agency to others.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn outgoing(
    exchange: &Exchange,
    permit: &Permit<act::StreamsRead>,
    now: Timestamp,
) -> Result<Vec<OutgoingStream>, DbError> {
    let agency = permit.resource().owner();
    let mut streams = Vec::new();
    for (sender, recipient) in exchange.outbox.correspondents().await? {
        if sender != *agency {
            continue;
        }
        let heard_at = exchange.outbox.heard_at(&recipient).await?;
        for head in exchange.outbox.stream_ends(&sender, &recipient, now).await? {
            streams.push(OutgoingStream {
                recipient: recipient.clone(),
                lane: head.lane,
                stream: head.stream,
                last: head.last,
                voided: head.voided.into_iter().map(|voided| voided.number).collect(),
                heard_at,
            });
        }
    }
    Ok(streams)
}
