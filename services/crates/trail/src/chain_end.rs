//! The end of a source's chain: its last event.

use rovuma_schemas::{Digest, Epoch, audit::FIRST_PREVIOUS};
use rovuma_store::{Conn, RowExt};
use sqlx::any::AnyRow;

/// The last event of a chain; sequence 0 before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainEnd {
    pub(crate) epoch: Epoch,
    pub(crate) sequence: u64,
    pub(crate) digest: Digest,
}

impl ChainEnd {
    /// Loads the end of the store's present epoch. Begins the epoch if it has not begun.
    pub(crate) async fn load(tx: &mut Conn, source: &str) -> sqlx::Result<Self> {
        if let Some(end) = Self::present(tx, source).await? {
            return Ok(end);
        }
        sqlx::query(
            "INSERT INTO trail_end (source, epoch, sequence, digest)
             SELECT $1, identity, 0, $2 FROM store WHERE true
             ON CONFLICT (source, epoch) DO NOTHING",
        )
        .bind(source)
        .bind(FIRST_PREVIOUS.as_bytes().as_slice())
        .execute(&mut *tx)
        .await?;
        Self::present(tx, source).await?.ok_or(sqlx::Error::RowNotFound)
    }

    async fn present(tx: &mut Conn, source: &str) -> sqlx::Result<Option<Self>> {
        let row = sqlx::query(
            "SELECT epoch, sequence, digest FROM trail_end
             WHERE source = $1 AND epoch = (SELECT identity FROM store)",
        )
        .bind(source)
        .fetch_optional(tx)
        .await?;
        let read = |row: AnyRow| {
            Ok(Self {
                epoch: row.store_id("epoch")?,
                sequence: row.count("sequence")?,
                digest: row.digest("digest")?,
            })
        };
        row.map(read).transpose()
    }

    /// Moves the end from `self` to `next`. `false`: the end in the store is not `self`.
    pub(crate) async fn advance(&self, tx: &mut Conn, source: &str, next: &Self) -> sqlx::Result<bool> {
        let done = sqlx::query(
            "UPDATE trail_end SET sequence = $1, digest = $2
             WHERE source = $3 AND epoch = $4 AND sequence = $5 AND digest = $6",
        )
        .bind(to_column(next.sequence))
        .bind(next.digest.as_bytes().as_slice())
        .bind(source)
        .bind(self.epoch.as_bytes().as_slice())
        .bind(to_column(self.sequence))
        .bind(self.digest.as_bytes().as_slice())
        .execute(tx)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// A number as the store keeps it. No number beyond the range of `BIGINT` is ever given out.
pub(crate) fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
