//! The log-ins of persons: how long their tokens are renewed, and which ended earlier.

use std::time::Duration;

use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::{AccountId, TOKEN_LIFE, accounts::account_id};

/// How long after the password was typed tokens are renewed: a long shift. NIST SP 800-63B-4 §2.2.3 asks for
/// the password again after at most 24 hours.
pub(crate) const SESSION_LIFE: Duration = Duration::from_secs(12 * 3600);

/// The log-in of a person through an application.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// `sid` of its tokens.
    pub(crate) id: String,
    pub(crate) account: AccountId,
    /// The application: nobody else can renew its tokens.
    pub(crate) client: String,
    /// The granted scopes, separated by spaces.
    pub(crate) scope: String,
    /// When the password was typed.
    pub(crate) authenticated: Timestamp,
    /// Since when it has been over, if it was ended before its time.
    pub(crate) ended: Option<Timestamp>,
}

impl Session {
    /// The time from which no token is renewed.
    pub(crate) fn ends(&self) -> Timestamp {
        self.authenticated.plus(SESSION_LIFE)
    }

    /// Reads the columns `id`, `account`, `client`, `scope`, `authenticated` and `ended`.
    pub(crate) fn read(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            account: account_id(row, "account")?,
            client: row.try_get("client")?,
            scope: row.try_get("scope")?,
            authenticated: row.instant("authenticated")?,
            ended: row.opt_instant("ended")?,
        })
    }
}

/// Stores a log-in whose code was redeemed.
pub(crate) async fn begin(tx: &mut Conn, session: &Session) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO login_session (id, account, client, scope, authenticated, ends) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&session.id)
    .bind(session.account.as_bytes())
    .bind(&session.client)
    .bind(&session.scope)
    .bind(session.authenticated.as_micros())
    .bind(session.ends().as_micros())
    .execute(tx)
    .await
    .map(|_| ())
}

/// Ends a log-in: this service refuses its tokens from now on, and renews none. (Other services take access
/// tokens until they expire, at most [`TOKEN_LIFE`] later.)
pub(crate) async fn end(tx: &mut Conn, session: &str, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("UPDATE login_session SET ended = $1 WHERE id = $2 AND ended IS NULL")
        .bind(now.as_micros())
        .bind(session)
        .execute(tx)
        .await
        .map(|_| ())
}

/// Ends every log-in of a person: after another password, another role, or when the account is disabled.
pub(crate) async fn end_all(tx: &mut Conn, account: AccountId, now: Timestamp) -> sqlx::Result<()> {
    // A code that nobody has redeemed yet would begin a log-in afterwards.
    sqlx::query("UPDATE code SET expires = $1 WHERE account = $2 AND used IS NULL AND expires > $1")
        .bind(now.as_micros())
        .bind(account.as_bytes())
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE login_session SET ended = $1 WHERE account = $2 AND ended IS NULL")
        .bind(now.as_micros())
        .bind(account.as_bytes())
        .execute(tx)
        .await
        .map(|_| ())
}

/// Whether a log-in was ended before its time.
pub(crate) async fn has_ended(conn: &mut Conn, session: &str) -> sqlx::Result<bool> {
    let row = sqlx::query("SELECT id FROM login_session WHERE id = $1 AND ended IS NOT NULL")
        .bind(session)
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// Deletes log-ins, and their refresh tokens, whose last access token has expired.
pub(crate) async fn prune(tx: &mut Conn, now: Timestamp) -> sqlx::Result<()> {
    let before = now.minus(TOKEN_LIFE).minus(rovuma_tokens::LEEWAY).as_micros();
    for sql in [
        "DELETE FROM refresh_token WHERE session IN (SELECT id FROM login_session WHERE ends < $1)",
        "DELETE FROM login_session WHERE ends < $1",
    ] {
        sqlx::query(sql).bind(before).execute(&mut *tx).await?;
    }
    Ok(())
}
