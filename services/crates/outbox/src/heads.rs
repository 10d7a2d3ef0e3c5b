//! What a `stream.status` says: the last number of each stream and the numbers made void.

use std::time::Duration;

use rovuma_schemas::{AgencyCode, Lane, StreamHead, StreamId, Timestamp, VoidedNumber};
use rovuma_store::RowExt;
use sqlx::any::AnyRow;

use crate::{Outbox, partner};

/// Voided numbers that one stream's status names at most, the most recent first: the schema's bound. The
/// recipient asks for those it still lacks, and then they are recent again.
pub const VOIDED_TOLD_MAX: u32 = 1024;

/// How long a voided number is named in every status, counted in time in which the partner was heard.
const VOIDED_TOLD_FOR: Duration = Duration::from_secs(24 * 60 * 60);

impl Outbox {
    /// The heads of the streams of this store's present name from `sender` to `recipient`.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn heads(
        &self,
        sender: &AgencyCode,
        recipient: &AgencyCode,
        now: Timestamp,
    ) -> sqlx::Result<Vec<StreamHead>> {
        let rows = sqlx::query(
            "SELECT lane, stream, last FROM outbox_stream
             WHERE stream = (SELECT identity FROM store) AND sender = $1 AND recipient = $2 ORDER BY lane",
        )
        .bind(sender.as_str())
        .bind(recipient.as_str())
        .fetch_all(self.store().read())
        .await?;
        let since = self.told_since(recipient, now).await?;
        let mut heads = Vec::with_capacity(rows.len());
        for row in &rows {
            let (lane, stream) = (row.parsed("lane")?, row.store_id("stream")?);
            let voided = self.voided(sender, recipient, lane, stream, since).await?;
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
        lane: Lane,
        stream: StreamId,
        since: Timestamp,
    ) -> sqlx::Result<Vec<VoidedNumber>> {
        let rows = sqlx::query(
            "SELECT number, code FROM outbox_copy
             WHERE state = 4 AND sender = $1 AND recipient = $2 AND told_at >= $3
               AND lane = $4 AND stream = $5 AND number IS NOT NULL
             ORDER BY told_at DESC, number LIMIT $6",
        )
        .bind(sender.as_str())
        .bind(recipient.as_str())
        .bind(since.as_micros())
        .bind(lane.as_str())
        .bind(stream.as_bytes().as_slice())
        .bind(i64::from(VOIDED_TOLD_MAX))
        .fetch_all(self.store().read())
        .await?;
        let read =
            |row: &AnyRow| Ok(VoidedNumber { number: row.count("number")?, reason: row.parsed("code")? });
        rows.iter().map(read).collect()
    }
}
