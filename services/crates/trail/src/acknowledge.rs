//! What an acknowledgement clears.

use rovuma_envelope::digest;
use rovuma_schemas::audit::AuditAck;
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use crate::{Trail, head::to_column};

/// What became of a verified acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
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

impl Acknowledged {
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
    pub async fn acknowledge(&self, tx: &mut Conn, ack: &AuditAck) -> sqlx::Result<Acknowledged> {
        if ack.source != self.source() {
            return Ok(Acknowledged::NotOurs);
        }
        match self.body_of(tx, ack).await? {
            Some(body) if digest(body.as_bytes()) == ack.digest => self.clear(tx, ack).await,
            Some(_) => Ok(Acknowledged::DigestMismatch),
            None if ack.sequence > self.last_of(tx, ack).await? => Ok(Acknowledged::Ahead),
            None => Ok(Acknowledged::Already),
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

    async fn last_of(&self, tx: &mut Conn, ack: &AuditAck) -> sqlx::Result<u64> {
        let row = sqlx::query("SELECT sequence FROM trail_head WHERE source = $1 AND epoch = $2")
            .bind(self.source())
            .bind(ack.epoch.as_bytes().as_slice())
            .fetch_optional(tx)
            .await?;
        row.map_or(Ok(0), |row| row.count("sequence"))
    }

    async fn clear(&self, tx: &mut Conn, ack: &AuditAck) -> sqlx::Result<Acknowledged> {
        let done = sqlx::query("DELETE FROM trail_event WHERE source = $1 AND epoch = $2 AND sequence <= $3")
            .bind(self.source())
            .bind(ack.epoch.as_bytes().as_slice())
            .bind(to_column(ack.sequence))
            .execute(tx)
            .await?;
        Ok(Acknowledged::Cleared(done.rows_affected()))
    }
}
