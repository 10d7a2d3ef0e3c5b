//! Clears acknowledged events.

use rovuma_envelope::digest;
use rovuma_schemas::audit::AuditAck;
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use crate::{Trail, chain_end::to_column};

/// The outcome of a verified acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckOutcome {
    /// This many events were cleared: the audit service has them.
    Cleared(u64),
    /// All events that it acknowledges were cleared before.
    Already,
    /// It is for another source.
    NotOurs,
    /// The audit service has another event in this position: alarm.
    DigestMismatch,
    /// The audit service has events that this store never recorded: the store was restored from a backup without getting a
    /// new identity. Alarm.
    Ahead,
}

impl AckOutcome {
    /// Whether an operator must look at it.
    pub const fn is_alarming(self) -> bool {
        matches!(self, Self::DigestMismatch | Self::Ahead)
    }
}

impl Trail {
    /// Clears the events up to the one that a **verified** acknowledgement names, if its digest is that of the event
    /// recorded here.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn acknowledge(&self, tx: &mut Conn, ack: &AuditAck) -> sqlx::Result<AckOutcome> {
        if ack.source != self.source() {
            return Ok(AckOutcome::NotOurs);
        }
        match self.body_of(tx, ack).await? {
            Some(body) if digest(body.as_bytes()) == ack.digest => self.clear(tx, ack).await,
            Some(_) => Ok(AckOutcome::DigestMismatch),
            None => self.acknowledge_absent(tx, ack).await,
        }
    }

    /// Handles the acknowledgement of an event that is not here. Of a former epoch, the audit service may have more events
    /// than a restored copy of the store: then it also has all those that are still here.
    async fn acknowledge_absent(&self, tx: &mut Conn, ack: &AuditAck) -> sqlx::Result<AckOutcome> {
        let row = sqlx::query(
            "SELECT sequence, CASE WHEN epoch = (SELECT identity FROM store) THEN 0 ELSE 1 END AS former
             FROM trail_end WHERE source = $1 AND epoch = $2",
        )
        .bind(self.source())
        .bind(ack.epoch.as_bytes().as_slice())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(AckOutcome::Ahead) };
        match (ack.sequence > row.count("sequence")?, row.count("former")? == 1) {
            (false, _) => Ok(AckOutcome::Already),
            (true, false) => Ok(AckOutcome::Ahead),
            (true, true) => self.clear(tx, ack).await,
        }
    }

    async fn body_of(&self, tx: &mut Conn, ack: &AuditAck) -> sqlx::Result<Option<String>> {
        let row =
            sqlx::query("SELECT body FROM trail_event WHERE source = $1 AND epoch = $2 AND sequence = $3")
                .bind(self.source())
                .bind(ack.epoch.as_bytes().as_slice())
                .bind(to_column(ack.sequence))
                .fetch_optional(tx)
                .await?;
        row.map(|row| row.try_get("body")).transpose()
    }

    async fn clear(&self, tx: &mut Conn, ack: &AuditAck) -> sqlx::Result<AckOutcome> {
        let done = sqlx::query("DELETE FROM trail_event WHERE source = $1 AND epoch = $2 AND sequence <= $3")
            .bind(self.source())
            .bind(ack.epoch.as_bytes().as_slice())
            .bind(to_column(ack.sequence))
            .execute(tx)
            .await?;
        Ok(AckOutcome::Cleared(done.rows_affected()))
    }
}
