//! Searches that auditors save under a name.

use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, Readers, RowExt};
use sqlx::{Row, any::AnyRow};

use super::{EventFilter, PayloadKey};
use crate::error::DbError;

/// A saved search.
#[derive(Clone, Debug)]
pub(crate) struct SavedQuery {
    /// The name, unique for each owner.
    pub(crate) name: String,
    /// The filters.
    pub(crate) filter: EventFilter,
    /// The time when it was last saved.
    pub(crate) saved_at: Timestamp,
}

/// How many searches an owner has saved.
pub(crate) async fn count(tx: &mut Conn, owner: &str) -> Result<u64, DbError> {
    let query = sqlx::query("SELECT COUNT(*) AS saved FROM saved_query WHERE owner = $1").bind(owner);
    Ok(query.fetch_one(tx).await?.count("saved")?)
}

/// Whether an owner has saved a search under this name.
pub(crate) async fn exists(
    tx: &mut Conn,
    key: &PayloadKey,
    owner: &str,
    name: &str,
) -> Result<bool, DbError> {
    let text = "SELECT 1 FROM saved_query WHERE owner = $1 AND name_key = $2";
    let query = sqlx::query(text).bind(owner).bind(key.lookup_key(name));
    Ok(query.fetch_optional(tx).await?.is_some())
}

/// Saves a search, replacing one with the same name.
pub(crate) async fn save(
    tx: &mut Conn,
    key: &PayloadKey,
    owner: &str,
    query: &SavedQuery,
) -> Result<(), DbError> {
    let json = serde_json::to_string(&(&query.name, &query.filter));
    let (key_salt, sealed) = key.seal_text(&json.map_err(|fault| DbError::damaged("search", fault))?)?;
    sqlx::query(
        "INSERT INTO saved_query (owner, name_key, key_salt, sealed, saved_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (owner, name_key) DO UPDATE SET
           key_salt = excluded.key_salt, sealed = excluded.sealed, saved_at = excluded.saved_at",
    )
    .bind(owner)
    .bind(key.lookup_key(&query.name))
    .bind(key_salt)
    .bind(sealed)
    .bind(query.saved_at.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes a search. `false`: there was none.
pub(crate) async fn delete(
    tx: &mut Conn,
    key: &PayloadKey,
    owner: &str,
    name: &str,
) -> Result<bool, DbError> {
    let text = "DELETE FROM saved_query WHERE owner = $1 AND name_key = $2";
    let query = sqlx::query(text).bind(owner).bind(key.lookup_key(name));
    Ok(query.execute(tx).await?.rows_affected() > 0)
}

/// An owner's saved searches, sorted by name.
pub(crate) async fn list(pool: &Readers, key: &PayloadKey, owner: &str) -> Result<Vec<SavedQuery>, DbError> {
    let text = "SELECT key_salt, sealed, saved_at FROM saved_query WHERE owner = $1";
    let rows = sqlx::query(text).bind(owner).fetch_all(pool).await?;
    let read = |row: &AnyRow| {
        let key_salt: Vec<u8> = row.try_get("key_salt")?;
        let json = key.open_text(&key_salt, row.try_get("sealed")?)?;
        let (name, filter) =
            serde_json::from_str(&json).map_err(|fault| DbError::damaged("search", fault))?;
        Ok(SavedQuery { name, filter, saved_at: row.instant("saved_at")? })
    };
    let mut queries = rows.iter().map(read).collect::<Result<Vec<SavedQuery>, DbError>>()?;
    queries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(queries)
}
