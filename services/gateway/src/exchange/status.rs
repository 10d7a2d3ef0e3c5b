//! The regular messages between agencies: `stream.status` reports the last numbers of our streams and what we have received
//! of the partner's; `stream.request` requests the partner's numbers that are missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use rovuma_broker::{Broker, BrokerState};
use rovuma_runtime::Shutdown;
use rovuma_schemas::{
    AgencyCode, Body, Lane, StreamGaps, StreamRequest, StreamSeen, StreamStatus, Timestamp,
    limits::{REQUEST_RANGES_MAX, STREAMS_MAX},
};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};
use sqlx::any::AnyRow;
use tracing::warn;

use super::{
    accept::transport::REQUEST_EVERY,
    held,
    send::{self, SendError},
    stream::{self, IncomingStreamKey},
};
use crate::{config::Timings, error::DbError, exchange::Exchange};

/// Maximum time between two status messages to a partner that does not answer. The interval grows up to it: what we send
/// during a cut of days waits on the broker, and must not fill it.
const QUIET_EVERY_MAX: Duration = Duration::from_secs(30 * 60);

/// How often the task checks for due messages: a request for a gap is late by at most this.
const TICK_MAX: Duration = Duration::from_secs(5);

/// Maximum numbers that one request names. The partner sends so many settled copies at a time, so asking for more would make us
/// wait for what was not sent; when all of these have come, the next are requested at once.
const REQUESTED_MAX: u64 = rovuma_outbox::RESEND_SETTLED_MAX;

/// Minimum time between two requests to a partner. It drops those that come sooner than [`REQUEST_EVERY`] after the last one, and
/// the two may not take the same time on the way.
const REQUEST_PAUSE: Duration = REQUEST_EVERY.saturating_add(Duration::from_secs(5));

/// Duty number: only one of the gateways sharing a store sends status messages.
const STATUS_DUTY: u8 = 2;

/// One of our agencies and a partner.
type CorrespondentPair = (AgencyCode, AgencyCode);

/// Sends status messages and requests until a soft shutdown, whenever this process has the duty.
pub(crate) async fn run(exchange: Arc<Exchange>, broker: Broker, shutdown: Shutdown) {
    while !shutdown.is_stopping() {
        let mut duty = tokio::select! {
            duty = exchange.base.store.take_duty(STATUS_DUTY) => duty,
            () = shutdown.soft() => return,
        };
        tokio::select! {
            () = send_periodically(&exchange, &broker, &shutdown) => {}
            () = duty.lost() => warn!("lost the duty of sending stream status: another gateway has it now"),
        }
    }
}

async fn send_periodically(exchange: &Arc<Exchange>, broker: &Broker, shutdown: &Shutdown) {
    let tick = exchange.timings.status_every().min(exchange.timings.request_after()).min(TICK_MAX);
    let mut schedules = BTreeMap::new();
    while shutdown.pause(tick).await {
        // Messages written while our own broker is away would only accumulate in the outbox.
        if broker.state() != BrokerState::Connected {
            continue;
        }
        if let Err(fault) = send_due(exchange, &mut schedules).await {
            warn!(%fault, "stream status was not sent; the next turn tries again");
        }
    }
}

/// Sends what is due: status messages, then requests; and deletes what was held for too long.
async fn send_due(
    exchange: &Arc<Exchange>,
    schedules: &mut BTreeMap<CorrespondentPair, StatusSchedule>,
) -> Result<(), WriteError<SendError>> {
    let now = exchange.base.now();
    for pair in correspondents(exchange).await.map_err(WriteError::Job)? {
        let heard = exchange.outbox.heard_at(&pair.1).await.map_err(|fault| WriteError::Job(fault.into()))?;
        let schedule = schedules.entry(pair.clone()).or_default();
        if schedule.is_due(exchange.timings.status_every(), heard, now) {
            // One agency that cannot sign must not silence the others.
            match send_status(exchange, &pair, now).await {
                Ok(()) => schedule.record_sent(now),
                Err(fault) => warn!(%fault, agency = %pair.0, partner = %pair.1, "no status was sent"),
            }
        }
    }
    held::expire(exchange, now).await?;
    request_missing(exchange, now).await
}

/// When the next status message of a pair is due.
#[derive(Clone, Copy, Debug, Default)]
struct StatusSchedule {
    /// When the last one was sent.
    sent_at: Option<Timestamp>,
    /// How many have been sent since the partner was last heard.
    unanswered: u32,
}

impl StatusSchedule {
    /// Whether a message is due: each `every` while the partner is heard, at growing intervals while it is not, and at once
    /// when it is heard again.
    fn is_due(&mut self, every: Duration, heard: Option<Timestamp>, now: Timestamp) -> bool {
        let Some(sent_at) = self.sent_at else { return true };
        if heard.is_some_and(|heard| now.since(heard) <= every * 3) {
            // After three unanswered messages the interval had grown: the partner must not wait for its end.
            let was_quiet = self.unanswered > 3;
            self.unanswered = 0;
            return was_quiet || now.since(sent_at) >= every;
        }
        let doubled = every.saturating_mul(1 << self.unanswered.saturating_sub(3).min(16));
        now.since(sent_at) >= doubled.min(QUIET_EVERY_MAX.max(every))
    }

    fn record_sent(&mut self, now: Timestamp) {
        self.sent_at = Some(now);
        self.unanswered = self.unanswered.saturating_add(1);
    }
}

/// Every pair of which one has sent to the other.
async fn correspondents(exchange: &Exchange) -> Result<BTreeSet<CorrespondentPair>, SendError> {
    let mut pairs: BTreeSet<CorrespondentPair> =
        exchange.outbox.correspondents().await?.into_iter().collect();
    let rows = sqlx::query("SELECT DISTINCT recipient, sender FROM stream_in")
        .fetch_all(exchange.base.store.read())
        .await?;
    for row in &rows {
        pairs.insert((row.parsed("recipient")?, row.parsed("sender")?));
    }
    pairs.retain(|(own, _)| exchange.agencies.serves(own));
    Ok(pairs)
}

async fn send_status(
    exchange: &Arc<Exchange>,
    (own, partner): &CorrespondentPair,
    now: Timestamp,
) -> Result<(), WriteError<SendError>> {
    let streams = exchange
        .outbox
        .stream_ends(own, partner, now)
        .await
        .map_err(|fault| WriteError::Job(SendError::from(fault)))?
        .into_iter()
        .take(STREAMS_MAX)
        .collect();
    let received =
        streams_seen(exchange, own, partner).await.map_err(|fault| WriteError::Job(fault.into()))?;
    let body = Body::StreamStatus(StreamStatus { streams, received });
    let outgoing =
        send::transport(exchange, own, partner, Lane::Urgent, body, now).map_err(WriteError::Job)?;
    send::enqueue(exchange, outgoing, now).await
}

/// The last number that one of our agencies has seen of each of a partner's streams, at most [`STREAMS_MAX`]: first the
/// streams that no status message of the partner has named yet, then those named most recently.
pub(crate) async fn streams_seen(
    exchange: &Exchange,
    own: &AgencyCode,
    partner: &AgencyCode,
) -> Result<Vec<StreamSeen>, DbError> {
    let rows = sqlx::query(
        "SELECT lane, stream, last FROM stream_in WHERE recipient = $1 AND sender = $2
         ORDER BY CASE WHEN announced_at IS NULL THEN 0 ELSE 1 END, announced_at DESC, lane LIMIT $3",
    )
    .bind(own.as_str())
    .bind(partner.as_str())
    .bind(i64::try_from(STREAMS_MAX).unwrap_or(i64::MAX))
    .fetch_all(exchange.base.store.read())
    .await?;
    let read = |row: &AnyRow| {
        Ok(StreamSeen {
            lane: row.parsed("lane")?,
            stream: row.store_id("stream")?,
            last: row.count("last")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Requests the missing numbers that are due, with one message for each pair: a partner acts on one in [`REQUEST_EVERY`].
pub(crate) async fn request_missing(
    exchange: &Arc<Exchange>,
    now: Timestamp,
) -> Result<(), WriteError<SendError>> {
    let gaps = gaps(exchange, now).await.map_err(|fault| WriteError::Job(fault.into()))?;
    for (pair, streams) in gaps {
        let due = due_streams(streams, &exchange.timings, now);
        if due.is_empty() {
            continue;
        }
        let (job, (agency, partner)) = (exchange.clone(), pair.clone());
        let write = exchange
            .base
            .store
            .write(move |tx| async move { request_streams(tx, &job, &pair, &due, now).await }.boxed());
        if let Err(fault) = write.await {
            warn!(%fault, %agency, %partner, "missing numbers were not requested");
        }
    }
    Ok(())
}

/// A stream with a gap.
#[derive(Clone, Debug)]
struct GapInStream {
    key: IncomingStreamKey,
    since: Timestamp,
    requested_at: Option<Timestamp>,
    /// How often its numbers were requested without any of them coming.
    requests: u32,
}

/// The streams with gaps that are old enough to be requested, by pair.
async fn gaps(
    exchange: &Exchange,
    now: Timestamp,
) -> Result<BTreeMap<CorrespondentPair, Vec<GapInStream>>, DbError> {
    let oldest = now.minus(exchange.timings.request_after());
    let rows = sqlx::query(
        "SELECT recipient, sender, lane, stream, gap_since, requested_at, requests FROM stream_in
         WHERE gap_since IS NOT NULL AND gap_since <= $1",
    )
    .bind(oldest.as_micros())
    .fetch_all(exchange.base.store.read())
    .await?;
    let mut gaps: BTreeMap<CorrespondentPair, Vec<GapInStream>> = BTreeMap::new();
    for row in &rows {
        let key = IncomingStreamKey {
            recipient: row.parsed("recipient")?,
            sender: row.parsed("sender")?,
            lane: row.parsed("lane")?,
            stream: row.store_id("stream")?,
        };
        let pair = (key.recipient.clone(), key.sender.clone());
        gaps.entry(pair).or_default().push(GapInStream {
            key,
            since: row.instant("gap_since")?,
            requested_at: row.opt_instant("requested_at")?,
            requests: u32::try_from(row.count("requests")?).unwrap_or(u32::MAX),
        });
    }
    Ok(gaps)
}

/// The streams of one pair whose numbers are due to be requested, those that were requested least often first; none when the
/// last request of the pair was too short a time ago.
fn due_streams(mut streams: Vec<GapInStream>, timings: &Timings, now: Timestamp) -> Vec<GapInStream> {
    let pause = REQUEST_PAUSE.min(timings.request_backoff(1));
    let waited = |requested: Option<Timestamp>, wait| requested.is_none_or(|at| now.since(at) >= wait);
    if !waited(streams.iter().filter_map(|stream| stream.requested_at).max(), pause) {
        return Vec::new();
    }
    // The count is 0 when all that was requested has come: then the last request does not matter.
    streams.retain(|stream| {
        stream.requests == 0 || waited(stream.requested_at, timings.request_backoff(stream.requests))
    });
    streams.sort_by_key(|one| (one.requests, one.since));
    streams.truncate(STREAMS_MAX);
    streams
}

/// Sends one request for the missing numbers of these streams. Each stream gets its share of the numbers and ranges that a
/// request may name, and what one does not need is left to the next: a gap that nobody can close holds up no other.
async fn request_streams(
    tx: &mut Conn,
    exchange: &Exchange,
    (own, partner): &CorrespondentPair,
    due: &[GapInStream],
    now: Timestamp,
) -> Result<(), SendError> {
    let (mut ranges_left, mut numbers_left) = (REQUEST_RANGES_MAX, REQUESTED_MAX);
    let mut streams = Vec::with_capacity(due.len());
    for (gap, sharing) in due.iter().zip((1..=due.len()).rev()) {
        let key = &gap.key;
        let Some(progress) = stream::load(tx, key).await? else { continue };
        let ranges = ranges_left.div_ceil(sharing);
        let numbers = numbers_left.div_ceil(u64::try_from(sharing).unwrap_or(u64::MAX));
        let missing = stream::missing(tx, key, progress, ranges).await?.first(ranges, numbers);
        let Some((_, to)) = missing.bounds() else { continue };
        ranges_left -= missing.ranges().len();
        numbers_left -= missing.count();
        warn!(
            sender = %partner, agency = %own, lane = %key.lane, stream = %key.stream, numbers = missing.count(),
            requests = gap.requests, "numbers are missing: requesting them"
        );
        stream::note_requested(tx, key, to, now).await?;
        streams.push(StreamGaps {
            lane: key.lane,
            stream: key.stream,
            missing: stream::to_message(&missing),
        });
    }
    if streams.is_empty() {
        return Ok(());
    }
    let body = Body::StreamRequest(StreamRequest { streams });
    let outgoing = send::transport(exchange, own, partner, Lane::Urgent, body, now)?;
    exchange.outbox.enqueue(tx, &outgoing, now);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(60);

    fn at(second: u64) -> Timestamp {
        let start: Timestamp = "2026-11-23T18:00:00Z".parse().expect("RFC 3339");
        start.plus(Duration::from_secs(second))
    }

    #[test]
    fn a_partner_that_is_heard_gets_a_status_every_minute() {
        let mut schedule = StatusSchedule::default();
        assert!(schedule.is_due(EVERY, None, at(0)));
        schedule.record_sent(at(0));
        assert!(!schedule.is_due(EVERY, Some(at(30)), at(59)));
        assert!(schedule.is_due(EVERY, Some(at(30)), at(60)));
    }

    #[test]
    fn a_silent_partner_gets_a_status_at_growing_intervals_of_at_most_half_an_hour() {
        let (mut schedule, mut now, mut times) = (StatusSchedule::default(), 0, 0);
        while now < 19 * 24 * 3600 {
            if schedule.is_due(EVERY, None, at(now)) {
                schedule.record_sent(at(now));
                times += 1;
            }
            now += 5;
        }
        // A cut of 19 days: half-hourly would be 912, every minute 27,360.
        assert!((900..1000).contains(&times), "{times}");
    }

    #[test]
    fn a_partner_that_is_heard_again_gets_a_status_at_once() {
        let mut schedule = StatusSchedule { sent_at: Some(at(0)), unanswered: 40 };
        assert!(!schedule.is_due(EVERY, None, at(10)));
        assert!(schedule.is_due(EVERY, Some(at(19)), at(20)));
        schedule.record_sent(at(20));
        assert!(!schedule.is_due(EVERY, Some(at(19)), at(25)));
    }

    fn gap(lane: Lane, requested: Option<u64>, requests: u32) -> GapInStream {
        let key = IncomingStreamKey {
            recipient: "mz.prm".parse().expect("an agency"),
            sender: "tz.tpf".parse().expect("an agency"),
            lane,
            stream: rovuma_schemas::StreamId::draw(),
        };
        GapInStream { key, since: at(0), requested_at: requested.map(at), requests }
    }

    fn due(streams: &[GapInStream], second: u64) -> Vec<Lane> {
        let due = due_streams(streams.to_vec(), &Timings::default(), at(second));
        due.iter().map(|gap| gap.key.lane).collect()
    }

    #[test]
    fn gaps_of_one_pair_are_requested_together_and_not_more_often_than_the_partner_listens() {
        let (urgent, normal) = (gap(Lane::Urgent, None, 0), gap(Lane::Normal, None, 0));
        assert_eq!(due(&[urgent.clone(), normal.clone()], 60), [Lane::Urgent, Lane::Normal]);
        let asked = gap(Lane::Urgent, Some(60), 1);
        assert_eq!(due(&[asked.clone(), normal.clone()], 74), []);
        assert_eq!(due(&[asked, normal], 75), [Lane::Normal], "the other one backs off");
    }

    #[test]
    fn a_gap_backs_off_until_all_that_was_requested_has_come() {
        let waits = |requests| gap(Lane::Bulk, Some(1000), requests);
        for (requests, wait) in [(0, 15), (1, 300), (2, 600), (3, 1200)] {
            assert_eq!(due(&[waits(requests)], 1000 + wait - 1), [], "{requests}");
            assert_eq!(due(&[waits(requests)], 1000 + wait), [Lane::Bulk], "{requests}");
        }
        let often = [waits(3), gap(Lane::Urgent, Some(1000), 0)];
        assert_eq!(
            due(&often, 9000),
            [Lane::Urgent, Lane::Bulk],
            "the one that was asked for least comes first"
        );
    }
}
