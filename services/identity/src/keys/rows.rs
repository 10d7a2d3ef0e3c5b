//! The public halves of keys, in the store.

use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, RowExt};
use rovuma_tokens::PublicJwk;
use sqlx::Row;

/// A row of the table `token_key`.
#[derive(Clone, Debug)]
pub(super) struct KeyRow {
    pub(super) kid: String,
    pub(super) jwk: PublicJwk,
    /// The key signs from this time until the next key's.
    pub(super) active: Timestamp,
}

/// All keys in the order in which they sign.
pub(super) async fn load_all(conn: &mut Conn) -> sqlx::Result<Vec<KeyRow>> {
    let rows = sqlx::query("SELECT kid, jwk, active FROM token_key ORDER BY active").fetch_all(conn).await?;
    rows.iter()
        .map(|row| {
            let json: &str = row.try_get("jwk")?;
            let jwk = serde_json::from_str(json)
                .map_err(|fault| sqlx::Error::ColumnDecode { index: "jwk".into(), source: fault.into() })?;
            Ok(KeyRow { kid: row.try_get("kid")?, jwk, active: row.instant("active")? })
        })
        .collect()
}

pub(super) async fn insert(tx: &mut Conn, row: &KeyRow, now: Timestamp) -> sqlx::Result<()> {
    let json = serde_json::to_string(&row.jwk).map_err(|fault| sqlx::Error::Encode(fault.into()))?;
    sqlx::query("INSERT INTO token_key (kid, jwk, created, active) VALUES ($1, $2, $3, $4)")
        .bind(&row.kid)
        .bind(json)
        .bind(now.as_micros())
        .bind(row.active.as_micros())
        .execute(tx)
        .await
        .map(|_| ())
}

pub(super) async fn delete(tx: &mut Conn, kid: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM token_key WHERE kid = $1").bind(kid).execute(tx).await.map(|_| ())
}
