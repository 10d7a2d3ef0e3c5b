//! What a `stream.status` says: the last number of each stream and the numbers made void.

use std::time::Duration;

use rovuma_schemas::{AgencyCode, Lane, StreamHead, StreamId, Timestamp, VoidedNumber, limits::STREAMS_MAX};
use rovuma_store::RowExt;
use sqlx::any::AnyRow;

use crate::{Outbox, partner};

/// Voided numbers that one stream's status names at most, the most recent first: the schema's bound. The
/// recipient asks for those it still lacks, and then they are recent again.
pub const VOIDED_NUMBERS_MAX: u32 = 1024;

/// How long a voided number is named in every status, counted in time in which the partner was heard.
const VOIDED_TOLD_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Voided numbers that one status names at most over all its streams: a message has room for so many.
const VOIDED_OF_ALL_MAX: u32 = 3 * VOIDED_NUMBERS_MAX;

impl Outbox {
    /// The heads of the streams from `sender` to `recipient`: those of this store's present name, then,
    /// the latest first, those of its former names of which a copy is unsettled or a voided number is
    /// still to be told. [`STREAMS_MAX`] at most.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn heads(
        &self,
        sender: &AgencyCode,
        recipient: &AgencyCode,
        now: Timestamp,
    ) -> sqlx::Result<Vec<StreamHead>> {
        let since = self.told_since(recipient, now).await?;
        let rows = sqlx::query(LIVE)
            .bind(sender.as_str())
            .bind(recipient.as_str())
            .bind(since.as_micros())
            .bind(i64::try_from(STREAMS_MAX).unwrap_or(i64::MAX))
            .fetch_all(self.store().read())
            .await?;
        let mut left = VOIDED_OF_ALL_MAX;
        let mut heads = Vec::with_capacity(rows.len());
        for row in &rows {
            let (lane, stream) = (row.parsed("lane")?, row.store_id("stream")?);
            let most = left.min(VOIDED_NUMBERS_MAX);
            let voided = self.voided(sender, recipient, (lane, stream), since, most).await?;
            left = left.saturating_sub(u32::try_from(voided.len()).unwrap_or(u32::MAX));
            heads.push(StreamHead { lane, stream, last: row.count("last")?, voided });
        }
        Ok(heads)
    }

    /// Everybody that some agency here has ever numbered a message to, with that agency.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn correspondents(&self) -> sqlx::Result<Vec<(AgencyCode, AgencyCode)>> {
        let query = sqlx::query("SELECT DISTINCT sender, recipient FROM outbox_stream ORDER BY 1, 2");
        let rows = query.fetch_all(self.store().read()).await?;
        rows.iter().map(|row| Ok((row.parsed("sender")?, row.parsed("recipient")?))).collect()
    }

    /// A partner that has been silent is told all since it fell silent.
    async fn told_since(&self, recipient: &AgencyCode, now: Timestamp) -> sqlx::Result<Timestamp> {
        let heard = partner::heard_at(self.store().read(), recipient).await?;
        let from = heard.map_or_else(|| now.minus(Duration::MAX), |heard| heard.min(now));
        Ok(from.minus(VOIDED_TOLD_FOR))
    }

    async fn voided(
        &self,
        sender: &AgencyCode,
        recipient: &AgencyCode,
        (lane, stream): (Lane, StreamId),
        since: Timestamp,
        most: u32,
    ) -> sqlx::Result<Vec<VoidedNumber>> {
        let rows = sqlx::query(VOIDED)
            .bind(sender.as_str())
            .bind(recipient.as_str())
            .bind(since.as_micros())
            .bind(lane.as_str())
            .bind(stream.as_bytes().as_slice())
            .bind(i64::from(most))
            .fetch_all(self.store().read())
            .await?;
        let read =
            |row: &AnyRow| Ok(VoidedNumber { number: row.count("number")?, reason: row.parsed("code")? });
        rows.iter().map(read).collect()
    }
}

/// The voided numbers of a stream. It does not say that they are numbered: see [`LIVE`].
pub(crate) const VOIDED: &str = "
    SELECT number, code FROM outbox_copy
    WHERE state = 4 AND sender = $1 AND recipient = $2 AND told_at >= $3 AND lane = $4 AND stream = $5
    ORDER BY told_at DESC, number LIMIT $6";

/// The streams to be told of.
///
/// Settled copies, by far the most, are not looked at, though the index over all numbers would seem the best
/// fit. So that it is not taken, the part on waiting copies compares the sender as an expression, and the others
/// do not say that the copies are numbered, which follows from their stream. What waits is looked at only as far
/// as the stream's last copy: all of a stream is put in before anything of the next.
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
                    AND c.told_at >= $3 AND c.lane = h.lane AND c.stream = h.stream)
    ORDER BY h.present DESC, CASE WHEN h.present = 1 THEN 0 ELSE h.latest END DESC, h.lane LIMIT $4";
