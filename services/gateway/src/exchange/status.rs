//! The regular word between agencies: `stream.status` says how far our streams have come, and
//! `stream.request` asks for what is missing of theirs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use rovuma_broker::{Broker, BrokerState};
use rovuma_runtime::Shutdown;
use rovuma_schemas::{
    AgencyCode, Body, Lane, NumberRange, StreamGaps, StreamRequest, StreamSeen, StreamStatus, Timestamp,
    limits::{STREAM_NUMBERS_MAX, STREAMS_MAX},
};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};
use sqlx::{Row, any::AnyRow};

use super::{
    held,
    send::{self, SendError},
    stream::{self, StreamKey},
};
use crate::{error::DbError, exchange::Exchange};

/// A partner that is not heard is told of our streams ever more seldom, down to this: what we say during
/// a cut of days waits on the broker, and must not fill it.
const QUIET_EVERY_MAX: Duration = Duration::from_secs(30 * 60);

/// How often it is looked whether something is due: a gap is asked for this much late at most.
const TICK_MAX: Duration = Duration::from_secs(5);

/// Of the gateways that share a store one speaks: the number of this duty.
const SPEAKING: u8 = 2;

/// One of our agencies and one of somebody else's.
type Pair = (AgencyCode, AgencyCode);

/// Speaks to every correspondent until a soft shutdown, while no other gateway that shares the store does.
pub(crate) async fn run(exchange: Arc<Exchange>, broker: Broker, shutdown: Shutdown) {
    while !shutdown.is_stopping() {
        let mut duty = tokio::select! {
            duty = exchange.base.store.take_duty(SPEAKING) => duty,
            () = shutdown.soft() => return,
        };
        tokio::select! {
            () = speak_by_the_minute(&exchange, &broker, &shutdown) => {}
            () = duty.lost() => tracing::warn!("another gateway may speak of our streams by now"),
        }
    }
}

async fn speak_by_the_minute(exchange: &Arc<Exchange>, broker: &Broker, shutdown: &Shutdown) {
    let tick = exchange.timings.status_every().min(exchange.timings.request_after()).min(TICK_MAX);
    let mut told = BTreeMap::new();
    while shutdown.pause(tick).await {
        // What is written while our own broker is away would only pile up in the outbox.
        if broker.state() != BrokerState::Connected {
            continue;
        }
        if let Err(fault) = speak(exchange, &mut told).await {
            tracing::warn!(%fault, "stream status was not sent; it will be at the next turn");
        }
    }
}

async fn speak(
    exchange: &Arc<Exchange>,
    told: &mut BTreeMap<Pair, Told>,
) -> Result<(), WriteError<SendError>> {
    let now = exchange.base.now();
    for pair in correspondents(exchange).await.map_err(WriteError::Job)? {
        let heard = exchange.outbox.heard_at(&pair.1).await.map_err(|fault| WriteError::Job(fault.into()))?;
        let last = told.entry(pair.clone()).or_default();
        if last.is_due(exchange.timings.status_every(), heard, now) {
            tell(exchange, &pair, now).await?;
            last.note(now);
        }
    }
    held::expire(exchange, now).await?;
    request_missing(exchange, now).await
}

/// When a pair last spoke, and how often in a row without hearing anything.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    at: Option<Timestamp>,
    unheard: u32,
}

impl Told {
    /// Every `every` while the partner is heard; ever more seldom while it is not; at once when it is
    /// heard again.
    fn is_due(&mut self, every: Duration, heard: Option<Timestamp>, now: Timestamp) -> bool {
        let Some(at) = self.at else { return true };
        if heard.is_some_and(|heard| now.since(heard) <= every * 3) {
            let was_quiet = self.unheard > 3;
            self.unheard = 0;
            return was_quiet || now.since(at) >= every;
        }
        let seldom = every.saturating_mul(1 << self.unheard.saturating_sub(3).min(16));
        now.since(at) >= seldom.min(QUIET_EVERY_MAX.max(every))
    }

    fn note(&mut self, now: Timestamp) {
        self.at = Some(now);
        self.unheard = self.unheard.saturating_add(1);
    }
}

/// Everybody that one of our agencies has sent to or heard from.
async fn correspondents(exchange: &Exchange) -> Result<BTreeSet<Pair>, SendError> {
    let mut pairs: BTreeSet<Pair> = exchange.outbox.correspondents().await?.into_iter().collect();
    let rows = sqlx::query("SELECT DISTINCT recipient, sender FROM stream_in")
        .fetch_all(exchange.base.store.read())
        .await?;
    for row in &rows {
        pairs.insert((row.parsed("recipient")?, row.parsed("sender")?));
    }
    pairs.retain(|(own, _)| exchange.agencies.serves(own));
    Ok(pairs)
}

async fn tell(
    exchange: &Arc<Exchange>,
    (own, partner): &Pair,
    now: Timestamp,
) -> Result<(), WriteError<SendError>> {
    let streams = exchange
        .outbox
        .heads(own, partner, now)
        .await
        .map_err(|fault| WriteError::Job(SendError::from(fault)))?
        .into_iter()
        .take(STREAMS_MAX)
        .collect();
    let received = seen(exchange, own, partner).await.map_err(|fault| WriteError::Job(fault.into()))?;
    let body = Body::StreamStatus(StreamStatus { streams, received });
    let outgoing =
        send::transport(exchange, own, partner, Lane::Urgent, body, now).map_err(WriteError::Job)?;
    send::enqueue(exchange, outgoing, now).await
}

/// What one of our agencies has seen of a partner's streams: those that the partner has not spoken of yet, then
/// the one it spoke of last, and so on.
pub(crate) async fn seen(
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

/// A gap that is due to be asked for.
struct Due {
    key: StreamKey,
    requests: u32,
}

async fn request_missing(exchange: &Arc<Exchange>, now: Timestamp) -> Result<(), WriteError<SendError>> {
    let due = due_gaps(exchange, now).await.map_err(|fault| WriteError::Job(fault.into()))?;
    for gap in due {
        let job = exchange.clone();
        let write =
            exchange.base.store.write(move |tx| async move { request(tx, &job, &gap, now).await }.boxed());
        write.await?;
    }
    Ok(())
}

async fn due_gaps(exchange: &Exchange, now: Timestamp) -> Result<Vec<Due>, DbError> {
    let oldest = now.minus(exchange.timings.request_after());
    let rows = sqlx::query(
        "SELECT recipient, sender, lane, stream, requested_at, requests FROM stream_in
         WHERE gap_since IS NOT NULL AND gap_since <= $1",
    )
    .bind(oldest.as_micros())
    .fetch_all(exchange.base.store.read())
    .await?;
    let mut due = Vec::new();
    for row in &rows {
        let requests = u32::try_from(row.try_get::<i64, _>("requests")?).unwrap_or(u32::MAX);
        let asked = row.opt_instant("requested_at")?.filter(|_| requests > 0);
        if asked.is_none_or(|asked| now.since(asked) >= exchange.timings.request_backoff(requests)) {
            let key = StreamKey {
                recipient: row.parsed("recipient")?,
                sender: row.parsed("sender")?,
                lane: row.parsed("lane")?,
                stream: row.store_id("stream")?,
            };
            due.push(Due { key, requests });
        }
    }
    Ok(due)
}

async fn request(tx: &mut Conn, exchange: &Exchange, due: &Due, now: Timestamp) -> Result<(), SendError> {
    let key = &due.key;
    let progress = stream::load(tx, key).await?;
    let missing: Vec<NumberRange> = stream::missing_ranges(tx, key, progress, STREAM_NUMBERS_MAX)
        .await?
        .into_iter()
        .map(|(from, to)| NumberRange { from, to })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    tracing::warn!(
        sender = %key.sender, agency = %key.recipient, lane = %key.lane, ranges = missing.len(),
        requests = due.requests, "numbers are missing: asking for them"
    );
    let gaps = StreamGaps { lane: key.lane, stream: key.stream, missing };
    let body = Body::StreamRequest(StreamRequest { streams: vec![gaps] });
    let outgoing = send::transport(exchange, &key.recipient, &key.sender, Lane::Urgent, body, now)?;
    exchange.outbox.enqueue(tx, &outgoing, now);
    stream::note_requested(tx, key, now).await?;
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
    fn a_partner_that_is_heard_is_told_every_minute() {
        let mut told = Told::default();
        assert!(told.is_due(EVERY, None, at(0)));
        told.note(at(0));
        assert!(!told.is_due(EVERY, Some(at(30)), at(59)));
        assert!(told.is_due(EVERY, Some(at(30)), at(60)));
    }

    #[test]
    fn a_silent_partner_is_told_ever_more_seldom_but_never_less_than_half_hourly() {
        let (mut told, mut now, mut times) = (Told::default(), 0, 0);
        while now < 19 * 24 * 3600 {
            if told.is_due(EVERY, None, at(now)) {
                told.note(at(now));
                times += 1;
            }
            now += 5;
        }
        // A cut of 19 days: half-hourly would be 912, every minute 27,360.
        assert!((900..1000).contains(&times), "{times}");
    }

    #[test]
    fn a_partner_that_is_heard_again_is_told_at_once() {
        let mut told = Told { at: Some(at(0)), unheard: 40 };
        assert!(!told.is_due(EVERY, None, at(10)));
        assert!(told.is_due(EVERY, Some(at(19)), at(20)));
        told.note(at(20));
        assert!(!told.is_due(EVERY, Some(at(19)), at(25)));
    }
}
