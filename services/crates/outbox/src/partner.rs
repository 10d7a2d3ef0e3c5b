//! Records when each partner was last heard. Retransmission timers run only while a partner is not silent.

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, RowExt};

use crate::Outbox;

impl Outbox {
    /// Records that a verified `stream.status` of `partner` came. After a silence, the timers of copies that wait for its
    /// receipts go on from where they stood when the silence began.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn record_heard(
        &self,
        tx: &mut Conn,
        partner: &AgencyCode,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let before = heard_at(&mut *tx, partner).await?;
        if before.is_some_and(|before| before >= now) {
            return Ok(());
        }
        if !is_heard(before, now, self.settings().silence()) {
            resume_timers(tx, partner, before, now).await?;
        }
        sqlx::query(
            "INSERT INTO outbox_partner (agency, heard_at) VALUES ($1, $2)
             ON CONFLICT (agency) DO UPDATE SET heard_at = excluded.heard_at",
        )
        .bind(partner.as_str())
        .bind(now.as_micros())
        .execute(tx)
        .await?;
        Ok(())
    }

    /// When the last `stream.status` of `partner` came.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn heard_at(&self, partner: &AgencyCode) -> sqlx::Result<Option<Timestamp>> {
        heard_at(self.store().read(), partner).await
    }
}

/// Whether a partner whose last `stream.status` came at `heard_at` is not silent at `now`.
pub(crate) fn is_heard(heard_at: Option<Timestamp>, now: Timestamp, silence: std::time::Duration) -> bool {
    heard_at.is_some_and(|heard_at| now.since(heard_at) <= silence)
}

pub(crate) async fn heard_at<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
    partner: &AgencyCode,
) -> sqlx::Result<Option<Timestamp>> {
    let query = sqlx::query("SELECT heard_at FROM outbox_partner WHERE agency = $1").bind(partner.as_str());
    query.fetch_optional(executor).await?.map(|row| row.instant("heard_at")).transpose()
}

/// Adds to each timer the time in which it did not run: since the partner was last heard, or since the copy left if that
/// was later.
async fn resume_timers(
    tx: &mut Conn,
    partner: &AgencyCode,
    before: Option<Timestamp>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE outbox_copy
         SET due_at = due_at + ($1 - CASE WHEN sent_at > $2 THEN sent_at ELSE $2 END)
         WHERE recipient = $3 AND state = 1 AND sent_at <= $1",
    )
    .bind(now.as_micros())
    .bind(before.map_or(0, Timestamp::as_micros))
    .bind(partner.as_str())
    .execute(tx)
    .await?;
    Ok(())
}
