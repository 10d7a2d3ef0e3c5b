//! The random name that a store draws when it is created, and again when it was restored.

use rovuma_schemas::StoreId;
use sqlx::Row;

use crate::{Conn, OpenError};

/// The store's name, drawn now if it has none yet.
pub(crate) async fn load_or_draw(conn: &mut Conn) -> Result<StoreId, OpenError> {
    sqlx::query("INSERT INTO store (one, identity) VALUES (1, $1) ON CONFLICT (one) DO NOTHING")
        .bind(StoreId::draw().as_bytes().as_slice())
        .execute(&mut *conn)
        .await?;
    let row = sqlx::query("SELECT identity FROM store").fetch_one(conn).await?;
    Ok(StoreId::from_slice(row.try_get(0)?)?)
}

/// Draws a new name in place of the old one.
pub(crate) async fn renew(conn: &mut Conn) -> Result<StoreId, sqlx::Error> {
    let drawn = StoreId::draw();
    sqlx::query("UPDATE store SET identity = $1").bind(drawn.as_bytes().as_slice()).execute(conn).await?;
    Ok(drawn)
}
