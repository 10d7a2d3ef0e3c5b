//! A store's identity: a random id, drawn when the store is created and again when it was restored.

use std::sync::atomic::{AtomicU64, Ordering};

use rovuma_schemas::StoreId;
use sqlx::Row;

use crate::{Conn, OpenError, RowExt};

/// See [`identity_generation`].
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Counts how often this process has renewed the identity of a store. Code that keeps the identity within a transaction
/// compares this number to notice that it may have changed; another process cannot change it during the transaction.
pub fn identity_generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// The one row of the table `store`.
#[derive(Debug)]
pub(crate) struct StoreRow {
    pub(crate) identity: StoreId,
    /// The token or server history that must be found outside the database at the next opening; absent in a store of a
    /// build that did not look for one.
    pub(crate) restore_mark: Option<String>,
    /// The identity before the present one, until the restore has been reported.
    pub(crate) restored_from: Option<StoreId>,
}

/// A restore of a store from an older copy, which gave the store a new identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The identity that the copy had.
    pub from: StoreId,
    /// The present identity.
    pub to: StoreId,
}

impl Restored {
    /// Takes the note of a restore out of the store, in the transaction that reports the restore: it is reported once,
    /// and not lost when the process ends before the commit.
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

/// Loads the row; none in a store that was created just now.
pub(crate) async fn load(conn: &mut Conn) -> Result<Option<StoreRow>, OpenError> {
    let row =
        sqlx::query("SELECT identity, restore_mark, restored_from FROM store").fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(None) };
    let read = |column| row.try_get::<Option<Vec<u8>>, _>(column);
    let identity = StoreId::from_slice(row.try_get(0)?)?;
    let restored_from = read("restored_from")?.map(|raw| StoreId::from_slice(&raw)).transpose()?;
    Ok(Some(StoreRow { identity, restore_mark: row.try_get("restore_mark")?, restored_from }))
}

/// Draws the identity of a store that was created just now, unless another process has drawn it.
pub(crate) async fn create(conn: &mut Conn, restore_mark: Option<&str>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO store (one, identity, restore_mark) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING",
    )
    .bind(StoreId::draw().as_bytes().as_slice())
    .bind(restore_mark)
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what must be found outside the database at the next opening.
pub(crate) async fn set_restore_mark(conn: &mut Conn, restore_mark: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE store SET restore_mark = $1").bind(restore_mark).execute(conn).await?;
    Ok(())
}

/// Draws a new identity in the caller's transaction, and leaves a note with the old one.
///
/// After the commit, call [`Store::refresh_identity`](crate::Store::refresh_identity): this process still keeps the old
/// identity outside the database.
///
/// # Errors
/// [`sqlx::Error`] when the store does not answer.
pub async fn renew_identity(tx: &mut Conn) -> sqlx::Result<StoreId> {
    let drawn = StoreId::draw();
    GENERATION.fetch_add(1, Ordering::AcqRel);
    sqlx::query("UPDATE store SET restored_from = COALESCE(restored_from, identity), identity = $1")
        .bind(drawn.as_bytes().as_slice())
        .execute(tx)
        .await?;
    Ok(drawn)
}
