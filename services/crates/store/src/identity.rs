//! The random name that a store draws when it is created, and again when it was restored.

use std::sync::atomic::{AtomicU64, Ordering};

use rovuma_schemas::StoreId;
use sqlx::Row;

use crate::{Conn, OpenError, RowExt};

/// See [`identity_generation`].
static RENAMES: AtomicU64 = AtomicU64::new(0);

/// Counts how often this process has drawn a new name for a store: whoever keeps the name within a transaction sees
/// by it that it may have changed. Another process cannot change it while the transaction lasts.
pub fn identity_generation() -> u64 {
    RENAMES.load(Ordering::Acquire)
}

/// What the store's row says.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) identity: StoreId,
    /// What must be found outside the database; absent before a build that looks for it.
    pub(crate) witness: Option<String>,
    /// The name before, while nobody has told of the restore.
    pub(crate) restored_from: Option<StoreId>,
}

/// A store that was restored from an older copy, and has a new name since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The name that the copy had.
    pub from: StoreId,
    /// The present name.
    pub to: StoreId,
}

impl Restored {
    /// Takes the note that the store was restored out of it, in the transaction that tells of it: it is told
    /// once, and not lost when the process ends before.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn take(tx: &mut Conn) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query("SELECT identity, restored_from FROM store WHERE restored_from IS NOT NULL");
        let Some(row) = query.fetch_optional(&mut *tx).await? else { return Ok(None) };
        sqlx::query("UPDATE store SET restored_from = NULL").execute(tx).await?;
        Ok(Some(Self { from: row.store_id("restored_from")?, to: row.store_id("identity")? }))
    }
}

/// The store's row; none in a store that was created just now.
pub(crate) async fn load(conn: &mut Conn) -> Result<Option<Known>, OpenError> {
    let row = sqlx::query("SELECT identity, witness, restored_from FROM store").fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(None) };
    let read = |column| row.try_get::<Option<Vec<u8>>, _>(column);
    let identity = StoreId::from_slice(row.try_get(0)?)?;
    let restored_from = read("restored_from")?.map(|raw| StoreId::from_slice(&raw)).transpose()?;
    Ok(Some(Known { identity, witness: row.try_get("witness")?, restored_from }))
}

/// Names a store that was created just now, unless another process did.
pub(crate) async fn draw(conn: &mut Conn, witness: Option<&str>) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO store (one, identity, witness) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING")
        .bind(StoreId::draw().as_bytes().as_slice())
        .bind(witness)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes what must be found outside the database from now on.
pub(crate) async fn set_witness(conn: &mut Conn, witness: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE store SET witness = $1").bind(witness).execute(conn).await?;
    Ok(())
}

/// Draws a new name in place of the old one and leaves the note that it did, in the caller's transaction.
///
/// What this process keeps of the old name outside the database follows with
/// [`Store::refresh_identity`](crate::Store::refresh_identity), after the commit.
///
/// # Errors
/// [`sqlx::Error`] when the store does not answer.
pub async fn renew_identity(tx: &mut Conn) -> sqlx::Result<StoreId> {
    let drawn = StoreId::draw();
    RENAMES.fetch_add(1, Ordering::AcqRel);
    sqlx::query("UPDATE store SET restored_from = COALESCE(restored_from, identity), identity = $1")
        .bind(drawn.as_bytes().as_slice())
        .execute(tx)
        .await?;
    Ok(drawn)
}
