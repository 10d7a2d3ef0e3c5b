//! Authorization codes (RFC 6749 §4.1.2): single use, a minute long, bound to client, redirect URI
//! and PKCE challenge.

use std::time::Duration;

use rovuma_envelope::digest;
use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, RowExt};
use rovuma_tokens::Pkce;
use sqlx::{Row, any::AnyRow};

use super::scope::Scope;
use crate::{
    AccountId,
    accounts::account_id,
    sessions::{self, Session},
};

/// How long a code can be redeemed. It travels from the browser to the application and straight back:
/// RFC 6749 recommends ten minutes at most, and a slow line needs some seconds.
pub(super) const CODE_LIFE: Duration = Duration::from_secs(60);

/// How long the store keeps a code after it has expired, so that a second redemption is noticed.
const CODE_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The log-in that a code stands for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) account: AccountId,
    pub(super) session: String,
    pub(super) scope: Scope,
    pub(super) nonce: Option<String>,
    pub(super) challenge: String,
    pub(super) authenticated: Timestamp,
}

impl Grant {
    /// The log-in that begins with the redemption of the code.
    pub(super) fn session(&self) -> Session {
        Session {
            id: self.session.clone(),
            account: self.account,
            client: self.client.clone(),
            scope: self.scope.to_words(),
            authenticated: self.authenticated,
            ended: None,
        }
    }
}

/// The parameters with which a client redeems a code.
pub(super) struct Redemption<'a> {
    pub(super) client: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) verifier: &'a str,
}

/// The outcome of a redemption. The client learns of every refusal only `invalid_grant`.
pub(super) enum RedemptionOutcome {
    Granted(Grant),
    /// This service never issued the code, or has deleted it since.
    Unknown,
    /// The code was issued, but this redemption is refused.
    Refused {
        grant: Grant,
        reason: &'static str,
    },
}

/// Stores the code of a person who has just logged in.
pub(super) async fn insert(tx: &mut Conn, code: &str, grant: &Grant) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO code (digest, client, redirect_uri, account, session, scope, nonce, challenge, \
         authenticated, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(digest(code.as_bytes()).as_bytes().as_slice())
    .bind(&grant.client)
    .bind(&grant.redirect_uri)
    .bind(grant.account.as_bytes())
    .bind(&grant.session)
    .bind(grant.scope.to_words())
    .bind(&grant.nonce)
    .bind(&grant.challenge)
    .bind(grant.authenticated.as_micros())
    .bind(grant.authenticated.plus(CODE_LIFE).as_micros())
    .execute(tx)
    .await
    .map(|_| ())
}

/// Redeems a code. Whatever the outcome, nobody can redeem it again; a second attempt also ends the
/// log-in that it came from (RFC 6749 §4.1.2), because one of the two who have the code is a thief.
pub(super) async fn redeem(
    tx: &mut Conn,
    unverified_code: &str,
    redemption: &Redemption<'_>,
    now: Timestamp,
) -> sqlx::Result<RedemptionOutcome> {
    let key = digest(unverified_code.as_bytes());
    let row = sqlx::query(
        "SELECT client, redirect_uri, account, session, scope, nonce, challenge, authenticated, expires, used \
         FROM code WHERE digest = $1",
    )
    .bind(key.as_bytes().as_slice())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(RedemptionOutcome::Unknown) };
    let grant = read_grant(&row)?;
    if row.opt_instant("used")?.is_some() {
        sessions::end(tx, &grant.session, now).await?;
        return Ok(RedemptionOutcome::Refused { grant, reason: "code_reused" });
    }
    sqlx::query("UPDATE code SET used = $1 WHERE digest = $2")
        .bind(now.as_micros())
        .bind(key.as_bytes().as_slice())
        .execute(tx)
        .await?;
    Ok(match refusal(&grant, redemption, row.instant("expires")?, now) {
        Some(reason) => RedemptionOutcome::Refused { grant, reason },
        None => RedemptionOutcome::Granted(grant),
    })
}

/// Why a code that was not used before is refused, if it is.
fn refusal(
    grant: &Grant,
    redemption: &Redemption<'_>,
    expires: Timestamp,
    now: Timestamp,
) -> Option<&'static str> {
    if now >= expires {
        return Some("code_expired");
    }
    if grant.client != redemption.client {
        return Some("code_of_another_client");
    }
    if grant.redirect_uri != redemption.redirect_uri {
        return Some("redirect_uri");
    }
    (!Pkce::is_proof(&grant.challenge, redemption.verifier)).then_some("code_verifier")
}

fn read_grant(row: &AnyRow) -> sqlx::Result<Grant> {
    Ok(Grant {
        client: row.try_get("client")?,
        redirect_uri: row.try_get("redirect_uri")?,
        account: account_id(row, "account")?,
        session: row.try_get("session")?,
        scope: Scope::parse(row.try_get("scope")?),
        nonce: row.try_get("nonce")?,
        challenge: row.try_get("challenge")?,
        authenticated: row.instant("authenticated")?,
    })
}

/// Deletes codes and assertions that no longer matter.
pub(crate) async fn prune(tx: &mut Conn, now: Timestamp) -> sqlx::Result<()> {
    for (sql, before) in [
        ("DELETE FROM code WHERE expires < $1", now.minus(CODE_KEPT)),
        ("DELETE FROM assertion WHERE expires < $1", now),
    ] {
        sqlx::query(sql).bind(before.as_micros()).execute(&mut *tx).await?;
    }
    Ok(())
}
