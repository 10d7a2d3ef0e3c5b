//! Makes numbers void.

use std::sync::Arc;

use rovuma_schemas::{Timestamp, VoidReason};
use rovuma_store::{Conn, FutureExt, WriteError, padded_list, with_list};
use sqlx::Row;

use super::{
    host::{MovedCopy, RelayHost},
    read::moved_copy,
};
use crate::Outbox;

/// Maximum copies made void in one transaction, so that other writes need not wait long.
const VOID_MAX: i64 = 256;

/// The states of copies that may be made void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voidable {
    /// Copies that have never left.
    Unsent,
    /// Also copies that have left and have no receipt, and settled copies that their recipient requested again: it lacks them, and nothing else would close its gap.
    Requested,
}

impl Voidable {
    /// The last of the states that suffice, as the column has it, and whether a request suffices too.
    const fn columns(self) -> (i64, i64) {
        match self {
            Self::Unsent => (0, 0),
            Self::Requested => (1, 1),
        }
    }
}

impl Outbox {
    /// Makes void the copies that expired before they left, and returns their number.
    pub(crate) async fn void_expired(
        &self,
        host: &Arc<dyn RelayHost>,
        now: Timestamp,
    ) -> Result<usize, WriteError<sqlx::Error>> {
        let mut voided = 0;
        loop {
            let positions = self.expired(now).await.map_err(WriteError::Job)?;
            if positions.is_empty() {
                return Ok(voided);
            }
            voided += self.void(host, positions, Voidable::Unsent, VoidReason::Expired, now).await?;
        }
    }

    /// Makes void those of the copies that `which` allows, and returns their number.
    pub(crate) async fn void(
        &self,
        host: &Arc<dyn RelayHost>,
        positions: Vec<i64>,
        which: Voidable,
        reason: VoidReason,
        now: Timestamp,
    ) -> Result<usize, WriteError<sqlx::Error>> {
        let host = Arc::clone(host);
        let store = self.store();
        store
            .write(move |tx| {
                async move { Ok(void(tx, host.as_ref(), &positions, which, &reason, now).await?.len()) }
                    .boxed()
            })
            .await
    }

    /// The positions of copies that expired before they left, at most [`VOID_MAX`].
    async fn expired(&self, now: Timestamp) -> sqlx::Result<Vec<i64>> {
        let query = sqlx::query(
            "SELECT position FROM outbox_copy
             WHERE state = 0 AND expires_at IS NOT NULL AND expires_at <= $1 LIMIT $2",
        );
        let rows = query.bind(now.as_micros()).bind(VOID_MAX).fetch_all(self.store().read()).await?;
        rows.iter().map(|row| row.try_get("position")).collect()
    }
}

/// Makes void those of the copies that `which` allows, notifies the host, and returns them.
pub(crate) async fn void(
    tx: &mut Conn,
    host: &dyn RelayHost,
    positions: &[i64],
    which: Voidable,
    reason: &VoidReason,
    now: Timestamp,
) -> sqlx::Result<Vec<MovedCopy>> {
    let text = with_list(
        "UPDATE outbox_copy SET state = 4, voided_at = $1, named_from = $1, code = $2, again_at = NULL
         WHERE (state <= $3 OR ($4 = 1 AND again_at IS NOT NULL)) AND position IN ({})
         RETURNING message, sender, recipient, lane, stream, number, attempts,
                   (SELECT m.message_type FROM outbox_message m
                    WHERE m.id = outbox_copy.message AND m.country = outbox_copy.country) AS message_type",
        5,
        positions.len(),
    );
    let (last_state, requested) = which.columns();
    let query =
        sqlx::query(text).bind(now.as_micros()).bind(reason.as_str()).bind(last_state).bind(requested);
    let query = padded_list(positions).fold(query, |query, position| query.bind(position));
    let rows = query.fetch_all(&mut *tx).await?;
    let copies = rows.iter().map(moved_copy).collect::<sqlx::Result<Vec<_>>>()?;
    host.voided(tx, &copies, reason, now).await?;
    Ok(copies)
}
