//! Searches that auditors keep under a name.

use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, Readers, RowExt};
use sqlx::{Row, any::AnyRow};

use super::{Filter, PayloadKey};
use crate::error::DbError;

/// A search under a name.
#[derive(Clone, Debug)]
pub(crate) struct SavedQuery {
    /// Its name, one for each owner.
    pub(crate) name: String,
    /// What is searched for.
    pub(crate) filter: Filter,
    /// When it was saved.
    pub(crate) saved_at: Timestamp,
}

/// How many searches somebody keeps.
pub(crate) async fn count(tx: &mut Conn, owner: &str) -> Result<u64, DbError> {
    let query = sqlx::query("SELECT COUNT(*) AS kept FROM saved_query WHERE owner = $1").bind(owner);
    Ok(query.fetch_one(tx).await?.count("kept")?)
}

/// Keeps a search, in the place of one with the same name.
pub(crate) async fn save(
    tx: &mut Conn,
    key: &PayloadKey,
    owner: &str,
    query: &SavedQuery,
) -> Result<(), DbError> {
    let kept = serde_json::to_string(&(&query.name, &query.filter));
    let (key_salt, sealed) = key.seal_apart(&kept.map_err(|fault| DbError::damaged("search", fault))?)?;
    sqlx::query(
        "INSERT INTO saved_query (owner, name_key, key_salt, sealed, saved_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (owner, name_key) DO UPDATE SET
           key_salt = excluded.key_salt, sealed = excluded.sealed, saved_at = excluded.saved_at",
    )
    .bind(owner)
    .bind(key.case(&query.name))
    .bind(key_salt)
    .bind(sealed)
    .bind(query.saved_at.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets a search; whether there was one.
pub(crate) async fn forget(
    tx: &mut Conn,
    key: &PayloadKey,
    owner: &str,
    name: &str,
) -> Result<bool, DbError> {
    let text = "DELETE FROM saved_query WHERE owner = $1 AND name_key = $2";
    let query = sqlx::query(text).bind(owner).bind(key.case(name));
    Ok(query.execute(tx).await?.rows_affected() > 0)
}

/// The searches that somebody keeps, by name.
pub(crate) async fn list(pool: &Readers, key: &PayloadKey, owner: &str) -> Result<Vec<SavedQuery>, DbError> {
    let text = "SELECT key_salt, sealed, saved_at FROM saved_query WHERE owner = $1";
    let rows = sqlx::query(text).bind(owner).fetch_all(pool).await?;
    let read = |row: &AnyRow| {
        let key_salt: Vec<u8> = row.try_get("key_salt")?;
        let kept = key.open_apart(&key_salt, row.try_get("sealed")?)?;
        let (name, filter) =
            serde_json::from_str(&kept).map_err(|fault| DbError::damaged("search", fault))?;
        Ok(SavedQuery { name, filter, saved_at: row.instant("saved_at")? })
    };
    let mut kept = rows.iter().map(read).collect::<Result<Vec<SavedQuery>, DbError>>()?;
    kept.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(kept)
}
