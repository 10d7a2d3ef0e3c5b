//! The ends of streams, which a `stream.status` names: the last number of each stream and the void numbers.

use std::{collections::HashMap, time::Duration};

use rovuma_schemas::{
    AgencyCode, Lane, StreamEnd, StreamId, Timestamp, VoidedNumber,
    limits::{STREAMS_PER_LANE_MAX, VOIDED_MAX, VOIDED_OF_ALL_MAX},
};
use rovuma_store::RowExt;
use sqlx::any::AnyRow;

use crate::{Outbox, model::to_column, partner};

/// How long every status names a void number, not counting time in which the partner was silent.
const VOIDED_NAMED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Maximum live streams that are read, of all lanes: far more than a status names, so that one lane's do not hide another's.
const LIVE_MAX: i64 = 1024;

impl Outbox {
    /// The ends of the streams from `sender` to `recipient`, at most [`STREAMS_PER_LANE_MAX`] a lane: first the streams of
    /// this store's present identity; then those of its former identities, the latest first, that have an unsettled copy
    /// or a void number still to be named.
    ///
    /// Of the void numbers, each stream's most recent [`VOIDED_MAX`] are named. One that the recipient requests because it
    /// still lacks it counts as recent again.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn stream_ends(
        &self,
        sender: &AgencyCode,
        recipient: &AgencyCode,
        now: Timestamp,
    ) -> sqlx::Result<Vec<StreamEnd>> {
        let since = self.named_since(recipient, now).await?;
        let rows = sqlx::query(LIVE)
            .bind(sender.as_str())
            .bind(recipient.as_str())
            .bind(since.as_micros())
            .bind(LIVE_MAX)
            .fetch_all(self.store().read())
            .await?;
        let mut left = VOIDED_OF_ALL_MAX;
        let mut of_lane: HashMap<Lane, usize> = HashMap::new();
        let mut stream_ends = Vec::new();
        for row in &rows {
            let (lane, stream) = (row.parsed("lane")?, row.store_id("stream")?);
            let named = of_lane.entry(lane).or_default();
            *named += 1;
            if *named > STREAMS_PER_LANE_MAX {
                continue;
            }
            let most = left.min(VOIDED_MAX);
            let voided = self.voided(sender, recipient, (lane, stream), since, most).await?;
            left = left.saturating_sub(voided.len());
            stream_ends.push(StreamEnd { lane, stream, last: row.count("last")?, voided });
        }
        Ok(stream_ends)
    }

    /// All pairs of a sender here and a recipient to which it has ever numbered a message.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn correspondents(&self) -> sqlx::Result<Vec<(AgencyCode, AgencyCode)>> {
        let query = sqlx::query("SELECT DISTINCT sender, recipient FROM outbox_stream ORDER BY 1, 2");
        let rows = query.fetch_all(self.store().read()).await?;
        rows.iter().map(|row| Ok((row.parsed("sender")?, row.parsed("recipient")?))).collect()
    }

    /// The time since when void numbers are named to `recipient`. A partner that was silent gets all since it fell silent.
    async fn named_since(&self, recipient: &AgencyCode, now: Timestamp) -> sqlx::Result<Timestamp> {
        let heard = partner::heard_at(self.store().read(), recipient).await?;
        let from = heard.map_or_else(|| now.minus(Duration::MAX), |heard| heard.min(now));
        Ok(from.minus(VOIDED_NAMED_FOR))
    }

    async fn voided(
        &self,
        sender: &AgencyCode,
        recipient: &AgencyCode,
        (lane, stream): (Lane, StreamId),
        since: Timestamp,
        most: usize,
    ) -> sqlx::Result<Vec<VoidedNumber>> {
        let rows = sqlx::query(VOIDED)
            .bind(sender.as_str())
            .bind(recipient.as_str())
            .bind(since.as_micros())
            .bind(lane.as_str())
            .bind(stream.as_bytes().as_slice())
            .bind(to_column(u64::try_from(most).unwrap_or(u64::MAX)))
            .fetch_all(self.store().read())
            .await?;
        let read =
            |row: &AnyRow| Ok(VoidedNumber { number: row.count("number")?, reason: row.parsed("code")? });
        let mut voided: Vec<VoidedNumber> = rows.iter().map(read).collect::<sqlx::Result<_>>()?;
        voided.sort_unstable_by_key(|voided| voided.number);
        Ok(voided)
    }
}

/// The void numbers of a stream. The query does not say `number IS NOT NULL`: see [`LIVE`]. It compares the lane as an
/// expression, so that the databases do not choose the index over all void numbers: most are old and not named any more.
pub(crate) const VOIDED: &str = "
    SELECT number, code FROM outbox_copy
    WHERE state = 4 AND sender = $1 AND recipient = $2 AND named_from >= $3 AND lane || '' = $4 AND stream = $5
    ORDER BY named_from DESC, number LIMIT $6";

/// The streams whose ends a status names.
///
/// The query must not read settled copies, by far the most. The databases would choose the index over all numbers, which
/// holds them; so that they do not, the part on waiting copies compares the sender as an expression (`|| ''`), and
/// the other parts do not say `number IS NOT NULL`, which follows from their stream. Waiting copies are read only up
/// to the stream's last copy, because all copies of a stream are put in before any of the next.
pub(crate) const LIVE: &str = "
    SELECT lane, stream, last FROM (
      SELECT s.sender, s.recipient, s.lane, s.stream, s.last,
             CASE WHEN s.stream = (SELECT identity FROM store) THEN 1 ELSE 0 END AS present,
             (SELECT c.position FROM outbox_copy c
              WHERE c.sender = s.sender AND c.recipient = s.recipient AND c.lane = s.lane
                AND c.stream = s.stream AND c.number IS NOT NULL
              ORDER BY c.number DESC LIMIT 1) AS latest
      FROM outbox_stream s WHERE s.sender = $1 AND s.recipient = $2) AS h
    WHERE present = 1
       OR EXISTS (SELECT 1 FROM outbox_copy c
                  WHERE c.state = 0 AND c.number IS NOT NULL AND c.recipient = h.recipient
                    AND c.lane = h.lane AND c.position <= h.latest
                    AND c.sender || '' = h.sender AND c.stream = h.stream)
       OR EXISTS (SELECT 1 FROM outbox_copy c
                  WHERE c.state = 1 AND c.recipient = h.recipient AND c.lane = h.lane
                    AND c.sender = h.sender AND c.stream = h.stream)
       OR EXISTS (SELECT 1 FROM outbox_copy c
                  WHERE c.state = 4 AND c.sender = h.sender AND c.recipient = h.recipient
                    AND c.named_from >= $3 AND c.lane || '' = h.lane AND c.stream = h.stream)
    ORDER BY h.present DESC, CASE WHEN h.present = 1 THEN 0 ELSE h.latest END DESC, h.lane LIMIT $4";
