//! Reads columns as the types of the domain.

use std::str::FromStr;

use rovuma_schemas::{BadId, Digest, MessageId, StoreId, Timestamp};
use sqlx::{Row, any::AnyRow};

/// Reads columns by name. This product wrote every value: one that does not read back means a damaged store, and is a
/// database error like any other.
pub trait RowExt {
    /// 16 bytes of a message id.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the column is missing or does not read back. The same holds for all methods below.
    fn message_id(&self, column: &str) -> sqlx::Result<MessageId>;

    /// 16 bytes of a message id, or NULL.
    fn opt_message_id(&self, column: &str) -> sqlx::Result<Option<MessageId>>;

    /// 16 bytes of a stream id or epoch.
    fn store_id(&self, column: &str) -> sqlx::Result<StoreId>;

    /// 16 bytes of a stream id or epoch, or NULL.
    fn opt_store_id(&self, column: &str) -> sqlx::Result<Option<StoreId>>;

    /// 32 bytes of a SHA-256 digest.
    fn digest(&self, column: &str) -> sqlx::Result<Digest>;

    /// Microseconds since the Unix epoch.
    fn instant(&self, column: &str) -> sqlx::Result<Timestamp>;

    /// Microseconds since the Unix epoch, or NULL.
    fn opt_instant(&self, column: &str) -> sqlx::Result<Option<Timestamp>>;

    /// A number that is never negative.
    fn count(&self, column: &str) -> sqlx::Result<u64>;

    /// A number that is never negative, or NULL.
    fn opt_count(&self, column: &str) -> sqlx::Result<Option<u64>>;

    /// A text with a shape: an agency, a lane, a code.
    fn parsed<T>(&self, column: &str) -> sqlx::Result<T>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>;
}

impl RowExt for AnyRow {
    fn message_id(&self, column: &str) -> sqlx::Result<MessageId> {
        bytes(self, column, MessageId::from_slice)
    }

    fn opt_message_id(&self, column: &str) -> sqlx::Result<Option<MessageId>> {
        opt_bytes(self, column, MessageId::from_slice)
    }

    fn store_id(&self, column: &str) -> sqlx::Result<StoreId> {
        bytes(self, column, StoreId::from_slice)
    }

    fn opt_store_id(&self, column: &str) -> sqlx::Result<Option<StoreId>> {
        opt_bytes(self, column, StoreId::from_slice)
    }

    fn digest(&self, column: &str) -> sqlx::Result<Digest> {
        bytes(self, column, Digest::from_slice)
    }

    fn instant(&self, column: &str) -> sqlx::Result<Timestamp> {
        Timestamp::from_micros(self.try_get(column)?).map_err(|fault| damaged(column, fault))
    }

    fn opt_instant(&self, column: &str) -> sqlx::Result<Option<Timestamp>> {
        let micros: Option<i64> = self.try_get(column)?;
        micros
            .map(|micros| Timestamp::from_micros(micros).map_err(|fault| damaged(column, fault)))
            .transpose()
    }

    fn count(&self, column: &str) -> sqlx::Result<u64> {
        let number: i64 = self.try_get(column)?;
        u64::try_from(number).map_err(|fault| damaged(column, fault))
    }

    fn opt_count(&self, column: &str) -> sqlx::Result<Option<u64>> {
        let number: Option<i64> = self.try_get(column)?;
        number.map(|number| u64::try_from(number).map_err(|fault| damaged(column, fault))).transpose()
    }

    fn parsed<T>(&self, column: &str) -> sqlx::Result<T>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        let text: &str = self.try_get(column)?;
        text.parse().map_err(|fault| damaged(column, fault))
    }
}

fn bytes<T>(row: &AnyRow, column: &str, read: impl FnOnce(&[u8]) -> Result<T, BadId>) -> sqlx::Result<T> {
    let raw: &[u8] = row.try_get(column)?;
    read(raw).map_err(|fault| damaged(column, fault))
}

fn opt_bytes<T>(
    row: &AnyRow,
    column: &str,
    read: impl FnOnce(&[u8]) -> Result<T, BadId>,
) -> sqlx::Result<Option<T>> {
    let raw: Option<Vec<u8>> = row.try_get(column)?;
    raw.map(|raw| read(&raw).map_err(|fault| damaged(column, fault))).transpose()
}

fn damaged(column: &str, fault: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(fault) }
}
