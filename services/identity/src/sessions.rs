//! Log-ins that were ended before their tokens expire.

use rovuma_schemas::Timestamp;
use rovuma_store::Conn;

use crate::TOKEN_LIFE;

/// Ends a log-in: this service refuses its tokens from now on. (Other services take them until they
/// expire, at most [`TOKEN_LIFE`] later.)
pub(crate) async fn end(tx: &mut Conn, session: &str, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO ended_session (session, until) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(session)
        .bind(now.plus(TOKEN_LIFE).plus(rovuma_tokens::LEEWAY).as_micros())
        .execute(tx)
        .await
        .map(|_| ())
}

/// Whether a log-in was ended.
pub(crate) async fn has_ended(conn: &mut Conn, session: &str) -> sqlx::Result<bool> {
    let row = sqlx::query("SELECT until FROM ended_session WHERE session = $1")
        .bind(session)
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// Deletes ended log-ins whose last token has expired.
pub(crate) async fn prune(tx: &mut Conn, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM ended_session WHERE until < $1")
        .bind(now.as_micros())
        .execute(tx)
        .await
        .map(|_| ())
}
