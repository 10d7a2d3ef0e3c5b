//! Refresh tokens (RFC 6749 §6, RFC 9700 §4.14): single use, bound to an application and a log-in. Each use
//! gives the next one; all of one log-in are a family, and a second use of any of them ends the family.

use std::time::Duration;

use rovuma_envelope::digest;
use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, RowExt};

use super::scope::Scope;
use crate::sessions::{self, Session};

/// How long a refresh token can be used: an application that nobody used for so long must log in again. NIST
/// SP 800-63B-4 §2.2.3 allows at most an hour of inactivity.
const REFRESH_IDLE: Duration = Duration::from_secs(3600);

/// The outcome of a use. The application learns of every refusal only `invalid_grant`, or `invalid_scope`.
pub(super) enum RefreshOutcome {
    /// The token is used up now.
    Granted(Session, Scope),
    /// This service never issued the token, or has deleted it since.
    Unknown,
    /// The token is too old, or its log-in is over.
    Over { session: Session, reason: &'static str },
    /// The token is in wrong hands: the log-in is ended.
    Stolen { session: Session, reason: &'static str },
    /// The request names a scope that was not granted at the log-in. The token is not used up.
    ScopeTooWide,
}

/// Stores a new refresh token of a log-in.
pub(super) async fn issue(tx: &mut Conn, token: &str, session: &Session, now: Timestamp) -> sqlx::Result<()> {
    let expires = now.plus(REFRESH_IDLE).min(session.ends());
    sqlx::query("INSERT INTO refresh_token (digest, session, expires) VALUES ($1, $2, $3)")
        .bind(digest(token.as_bytes()).as_bytes().as_slice())
        .bind(&session.id)
        .bind(expires.as_micros())
        .execute(tx)
        .await
        .map(|_| ())
}

/// Uses a token up, for the application `client`. Without `unverified_scope` the granted scopes stay.
pub(super) async fn redeem(
    tx: &mut Conn,
    unverified_token: &str,
    client: &str,
    unverified_scope: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<RefreshOutcome> {
    let Some(found) = find(tx, unverified_token).await? else { return Ok(RefreshOutcome::Unknown) };
    let StoredToken { session, expires, used } = found;
    // A log-in that has ended stays so, whoever brings its tokens: no second audit event.
    if session.ended.is_some() {
        return Ok(RefreshOutcome::Over { session, reason: "session_ended" });
    }
    let stolen = if used { Some("refresh_token_reused") } else { None };
    let stolen = stolen.or((session.client != client).then_some("refresh_token_of_another_client"));
    if let Some(reason) = stolen {
        sessions::end(tx, &session.id, now).await?;
        return Ok(RefreshOutcome::Stolen { session, reason });
    }
    if now >= expires {
        let reason = if now >= session.ends() { "session_expired" } else { "refresh_token_expired" };
        return Ok(RefreshOutcome::Over { session, reason });
    }
    let granted = Scope::parse(&session.scope);
    let scope = match unverified_scope.map(|words| granted.narrowed(words)) {
        None => granted,
        Some(Some(narrower)) => narrower,
        Some(None) => return Ok(RefreshOutcome::ScopeTooWide),
    };
    sqlx::query("UPDATE refresh_token SET used = $1 WHERE digest = $2")
        .bind(now.as_micros())
        .bind(digest(unverified_token.as_bytes()).as_bytes().as_slice())
        .execute(tx)
        .await?;
    Ok(RefreshOutcome::Granted(session, scope))
}

/// The log-in that a refresh token belongs to, whether or not the token can still be used.
pub(super) async fn session_of(tx: &mut Conn, unverified_token: &str) -> sqlx::Result<Option<Session>> {
    Ok(find(tx, unverified_token).await?.map(|found| found.session))
}

struct StoredToken {
    session: Session,
    expires: Timestamp,
    used: bool,
}

async fn find(tx: &mut Conn, unverified_token: &str) -> sqlx::Result<Option<StoredToken>> {
    let row = sqlx::query(
        "SELECT s.id, s.account, s.client, s.scope, s.authenticated, s.ended, t.expires, t.used \
         FROM refresh_token t JOIN login_session s ON s.id = t.session WHERE t.digest = $1",
    )
    .bind(digest(unverified_token.as_bytes()).as_bytes().as_slice())
    .fetch_optional(tx)
    .await?;
    let read = |row| {
        Ok(StoredToken {
            session: Session::read(&row)?,
            expires: row.instant("expires")?,
            used: row.opt_instant("used")?.is_some(),
        })
    };
    row.map(read).transpose()
}
