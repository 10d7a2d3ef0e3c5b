//! Counts how often the gateway began to read a delivery and did not end.
//!
//! A delivery at which the process dies, with its stack or its memory, leaves nothing behind, and the broker delivers it again: the
//! gateway would die of it without end. So a delivery that comes again is counted in the store before it is read.

use rovuma_schemas::Digest;
use rovuma_store::Conn;
use sqlx::Row;

use crate::error::DbError;

/// Maximum times that a delivery is read after its first delivery. A process may end for another reason while it reads, so more
/// than one; each costs a restart of the gateway, so few.
pub(crate) const ATTEMPTS_MAX: i64 = 3;

/// Counts an attempt to read a delivery from `queue`, and returns how many there have been.
pub(crate) async fn begin(tx: &mut Conn, queue: &str, digest: Digest) -> Result<i64, DbError> {
    let row = sqlx::query(
        "INSERT INTO delivery_attempt (queue, digest, attempts) VALUES ($1, $2, 1)
         ON CONFLICT (queue, digest) DO UPDATE SET attempts = delivery_attempt.attempts + 1
         RETURNING attempts",
    )
    .bind(queue)
    .bind(digest.as_bytes().as_slice())
    .fetch_one(tx)
    .await?;
    Ok(row.try_get("attempts")?)
}

/// Forgets the attempts at a delivery: it was read, or could not be for a reason that is not its own.
pub(crate) async fn end(tx: &mut Conn, queue: &str, digest: Digest) -> Result<(), DbError> {
    sqlx::query("DELETE FROM delivery_attempt WHERE queue = $1 AND digest = $2")
        .bind(queue)
        .bind(digest.as_bytes().as_slice())
        .execute(tx)
        .await?;
    Ok(())
}
