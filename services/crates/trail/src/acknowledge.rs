//! What an acknowledgement clears.

use rovuma_envelope::digest;
use rovuma_schemas::audit::AuditAck;
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use crate::{Trail, head::to_column};

/// What became of a verified acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckOutcome {
    /// So many events are with the audit service and were cleared here.
    Cleared(u64),
    /// Everything it speaks of was cleared before.
    Already,
    /// It is for another source.
    NotOurs,
    /// The audit service holds another event than the one recorded here: alarm.
    DigestMismatch,
    /// The audit service holds events that this store never recorded: it was restored from a backup
    /// without being given a new name. Alarm.
    Ahead,
}

impl AckOutcome {
    /// Whether somebody must look at it.
    pub const fn is_alarming(self) -> bool {
        matches!(self, Self::DigestMismatch | Self::Ahead)
    }
}

impl Trail {
    /// Clears the events up to the one that a **verified** acknowledgement names, when its digest is that
    /// of the event recorded here.
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
            None => self.beyond(tx, ack).await,
        }
    }

    /// What to make of an acknowledgement of an event that is not here. Of a former epoch the audit service may have
    /// more than a restored copy of the store: then everything that is left of it is there as well.
    async fn beyond(&self, tx: &mut Conn, ack: &AuditAck) -> sqlx::Result<AckOutcome> {
        let row = sqlx::query(
            "SELECT sequence, CASE WHEN epoch = (SELECT identity FROM store) THEN 0 ELSE 1 END AS former
             FROM trail_head WHERE source = $1 AND epoch = $2",
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
