//! Takes back copies that no recipient will believe any more, because the key that signed them was compromised.

use rovuma_envelope::Jws;
use rovuma_schemas::{AgencyCode, CountryCode, MessageId, Timestamp, VoidReason};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::{
    MovedCopy, Outbox, RelayHost,
    relay::{
        read::{moved_copy, signed_message},
        void::{Voidable, void},
    },
};

/// A message signed for one country, of which at least one copy has no receipt or was requested again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreceipted {
    /// The message.
    pub id: MessageId,
    /// The country.
    pub country: CountryCode,
    /// The position of its first such copy in the outbox. The next page begins after it.
    pub position: i64,
    /// The signed message; absent when the stored bytes do not read back.
    pub jws: Option<Jws>,
}

impl Outbox {
    /// A page of the messages of `sender` of which a copy has no receipt or is to leave again because its recipient requested
    /// it, in the order in which they were put in: `most` messages whose first such copy has a position after `after`, each
    /// with all its countries. Messages without a number, which get no receipt, are among them until they leave.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn unreceipted(
        &self,
        sender: &AgencyCode,
        after: i64,
        most: u32,
    ) -> sqlx::Result<Vec<Unreceipted>> {
        let query = sqlx::query(UNRECEIPTED).bind(sender.as_str()).bind(after).bind(i64::from(most));
        let rows = query.fetch_all(self.store().read()).await?;
        rows.iter().map(unreceipted).collect()
    }

    /// The messages of `sender` that are to leave again because `recipient` requested them though it had receipted them.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn requested_after_receipt(
        &self,
        tx: &mut Conn,
        (sender, recipient): (&AgencyCode, &AgencyCode),
    ) -> sqlx::Result<Vec<Unreceipted>> {
        let query = sqlx::query(REQUESTED_AGAIN).bind(sender.as_str()).bind(recipient.as_str());
        let rows = query.fetch_all(tx).await?;
        let mut requested = rows.iter().map(unreceipted).collect::<sqlx::Result<Vec<_>>>()?;
        requested.sort_by_key(|one| one.position);
        Ok(requested)
    }

    /// Takes back the copies for one country that have no receipt or were requested again, in the caller's transaction:
    /// numbers become void with this reason, copies without a number are deleted. Returns the copies, in the order of their
    /// recipients.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn take_back(
        &self,
        tx: &mut Conn,
        host: &dyn RelayHost,
        (id, country): (MessageId, CountryCode),
        reason: &VoidReason,
        now: Timestamp,
    ) -> sqlx::Result<Vec<MovedCopy>> {
        let rows = sqlx::query(
            "SELECT position, number FROM outbox_copy
             WHERE message = $1 AND country = $2 AND (state IN (0, 1) OR again_at IS NOT NULL)",
        )
        .bind(id.as_bytes().as_slice())
        .bind(country.as_str())
        .fetch_all(&mut *tx)
        .await?;
        let mut positions = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.opt_count("number")?.is_some() {
                positions.push(row.try_get("position")?);
            }
        }
        let mut taken = delete_unnumbered(tx, id, country).await?;
        if !positions.is_empty() {
            taken.extend(void(tx, host, &positions, Voidable::Requested, reason, now).await?);
        }
        taken.sort_by(|one, other| one.recipient.cmp(&other.recipient));
        Ok(taken)
    }
}

/// Deletes the copies without a number: their recipients see no gap.
async fn delete_unnumbered(
    tx: &mut Conn,
    id: MessageId,
    country: CountryCode,
) -> sqlx::Result<Vec<MovedCopy>> {
    let rows = sqlx::query(
        "DELETE FROM outbox_copy WHERE message = $1 AND country = $2 AND number IS NULL
         RETURNING message, sender, recipient, lane, stream, number, attempts,
                   (SELECT m.message_type FROM outbox_message m
                    WHERE m.id = outbox_copy.message AND m.country = outbox_copy.country) AS message_type",
    )
    .bind(id.as_bytes().as_slice())
    .bind(country.as_str())
    .fetch_all(&mut *tx)
    .await?;
    if !rows.is_empty() {
        sqlx::query(
            "DELETE FROM outbox_message WHERE id = $1 AND country = $2 AND NOT EXISTS (
               SELECT 1 FROM outbox_copy c WHERE c.message = $1 AND c.country = $2)",
        )
        .bind(id.as_bytes().as_slice())
        .bind(country.as_str())
        .execute(tx)
        .await?;
    }
    rows.iter().map(moved_copy).collect()
}

fn unreceipted(row: &AnyRow) -> sqlx::Result<Unreceipted> {
    Ok(Unreceipted {
        id: row.message_id("id")?,
        country: row.parsed("country")?,
        position: row.try_get("position")?,
        jws: signed_message(row)?,
    })
}

/// Four parts, each answered from an index over waiting, unsettled or requested copies.
pub(crate) const UNRECEIPTED: &str = "
    SELECT m.id, m.country, m.compact, f.position FROM (
      SELECT message, MIN(position) AS position FROM (
        SELECT message, position FROM outbox_copy WHERE state = 0 AND number IS NOT NULL AND sender = $1
        UNION ALL
        SELECT message, position FROM outbox_copy WHERE state = 0 AND number IS NULL AND sender = $1
        UNION ALL
        SELECT message, position FROM outbox_copy WHERE state = 1 AND sender = $1
        UNION ALL
        SELECT message, position FROM outbox_copy WHERE again_at IS NOT NULL AND sender = $1) AS o
      GROUP BY message HAVING MIN(position) > $2 ORDER BY 2 LIMIT $3) AS f
    JOIN outbox_message m ON m.id = f.message AND m.sender = $1
    WHERE EXISTS (SELECT 1 FROM outbox_copy c
                  WHERE c.message = m.id AND c.country = m.country AND (c.state IN (0, 1) OR c.again_at IS NOT NULL))
    ORDER BY f.position, m.country";

/// What one recipient requested again, as many as [`crate::RESEND_SETTLED_MAX`] for each request that is not yet answered.
pub(crate) const REQUESTED_AGAIN: &str = "
    SELECT m.id, m.country, m.compact, c.position FROM outbox_copy c
    JOIN outbox_message m ON m.id = c.message AND m.country = c.country
    WHERE c.again_at IS NOT NULL AND c.recipient = $2 AND c.sender = $1";
